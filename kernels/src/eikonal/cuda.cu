// The eikonal solver on a CUDA device.
#define CT_BACKEND cuda
#include <memory>

#include "../cuda_memory.cuh"
#include "cuda_executor.cuh"
#include "make.hpp"
#include "solver.hpp"

namespace cardiotwin::kernels {

std::unique_ptr<EikonalSolver> make_cuda_eikonal(const EikonalMesh& mesh, int device) {
  return std::make_unique<cuda::IterativeEikonal<cuda::CudaEikonalExecutor>>(
      mesh, cuda::CudaEikonalExecutor(std::make_shared<const cuda::Queue>(device)));
}

}  // namespace cardiotwin::kernels
