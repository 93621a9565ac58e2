// Stands in for the CUDA engine where the library is built without it.
#include <cardiotwin/kernels/engine.hpp>

namespace cardiotwin::kernels {

std::string cuda_unavailable(int) {
  return "this build has no CUDA engine; install the CUDA Toolkit and configure with -DCARDIOTWIN_CUDA=ON";
}

}  // namespace cardiotwin::kernels
