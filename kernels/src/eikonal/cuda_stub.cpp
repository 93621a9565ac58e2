// Stands in for the CUDA eikonal solver where the library is built without it.
#include <stdexcept>

#include "make.hpp"

namespace cardiotwin::kernels {

std::unique_ptr<EikonalSolver> make_cuda_eikonal(const EikonalMesh&, int device) {
  throw std::runtime_error(cuda_unavailable(device));
}

}  // namespace cardiotwin::kernels
