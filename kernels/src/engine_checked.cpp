// The CPU's kernels on memory the host may not touch: finds, without a GPU, where the host uses a device's pointer.
#include "checked_buffer.hpp"
#include "core_impl.hpp"
#include "cpu_executor.hpp"
#include "cpu_variants.hpp"
#include "elliptic/columns.hpp"
#include "elliptic/cpu_executor.hpp"
#include "elliptic/make.hpp"

namespace cardiotwin::kernels {
namespace {

template <class T>
std::unique_ptr<Core> make(const Problem& p, int members) {
  using Executor = CpuExecutor<T, CheckedBuffer>;
  Executor executor("checked", cpu_variants().front(), members, operations(*p.model).index, 2);
  return std::make_unique<host::CoreImpl<T, Executor>>(p, members, std::move(executor));
}

}  // namespace

std::unique_ptr<Core> make_checked_core(const Problem& p, int members) {
  return p.real == Real::fp32 ? make<float>(p, members) : make<double>(p, members);
}

std::unique_ptr<EllipticSolver> make_checked_elliptic(const Multigrid& m, int columns, Real real) {
  return host::solver_of_columns(m, columns, real, CpuEllipticExecutor<CheckedBuffer>(cpu_variants().front(), 2));
}

}  // namespace cardiotwin::kernels
