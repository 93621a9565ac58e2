// Stands in for the CUDA engine where the library is built without it.
#include <stdexcept>

#include "core.hpp"
#include "elliptic/make.hpp"

namespace cardiotwin::kernels {

std::string cuda_unavailable(int) {
  return "this build has no CUDA engine; install the CUDA Toolkit and configure with -DCARDIOTWIN_CUDA=ON";
}

std::unique_ptr<Core> make_cuda_core(const Problem&, int, int device) {
  throw std::runtime_error(cuda_unavailable(device));
}

std::unique_ptr<EllipticSolver> make_cuda_elliptic(const Multigrid&, int, Real, int device) {
  throw std::runtime_error(cuda_unavailable(device));
}

}  // namespace cardiotwin::kernels
