// The elliptic solver on a CUDA device: one thread per row and column.
#define CT_BACKEND cuda
#include <algorithm>
#include <memory>
#include <vector>

#include "../cuda_memory.cuh"
#include "bodies.hpp"
#include "columns.hpp"
#include "cuda_executor.cuh"
#include "make.hpp"

namespace cardiotwin::kernels {

std::unique_ptr<EllipticSolver> make_cuda_elliptic(const Multigrid& m, int columns, Real real, int device) {
  return cuda::solver_of_columns(m, columns, real,
                                 cuda::CudaEllipticExecutor(std::make_shared<const cuda::Queue>(device)));
}

}  // namespace cardiotwin::kernels
