#pragma once
/// One factory of elliptic solvers per backend.

#include <cardiotwin/kernels/elliptic.hpp>
#include <memory>

#include "../cpu_variant.hpp"

namespace cardiotwin::kernels {

std::unique_ptr<EllipticSolver> make_cpu_elliptic(const Multigrid&, int columns, Real, int threads, const CpuVariant&);
std::unique_ptr<EllipticSolver> make_checked_elliptic(const Multigrid&, int columns, Real);
std::unique_ptr<EllipticSolver> make_cuda_elliptic(const Multigrid&, int columns, Real, int device);

}  // namespace cardiotwin::kernels
