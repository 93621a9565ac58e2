// The eikonal solver on the CPU, on memory the host may not touch, or where the device is.
#include <omp.h>

#include <stdexcept>
#include <string>

#include "../checked_buffer.hpp"
#include "../host_buffer.hpp"
#include "cpu_executor.hpp"
#include "make.hpp"
#include "solver.hpp"

namespace cardiotwin::kernels {
namespace {

template <template <class> class Memory>
std::unique_ptr<EikonalSolver> make_cpu_eikonal(const EikonalMesh& mesh, int threads) {
  using Executor = host::CpuEikonalExecutor<Memory>;
  return std::make_unique<host::IterativeEikonal<Executor>>(mesh, Executor(threads));
}

}  // namespace

std::unique_ptr<EikonalSolver> make_eikonal_solver(std::span<const double> points, std::span<const std::int32_t> tets,
                                                   const Device& device) {
  if (device.kind == Device::Kind::cuda) {
    if (const auto reason = cuda_unavailable(device.index); !reason.empty()) throw std::runtime_error(reason);
  }
  const EikonalMesh mesh(points, tets);
  switch (device.kind) {
    case Device::Kind::cuda:
      return make_cuda_eikonal(mesh, device.index);
    case Device::Kind::checked:
      return make_cpu_eikonal<CheckedBuffer>(mesh, 2);
    case Device::Kind::reference:
    case Device::Kind::cpu:
      break;
  }
  return make_cpu_eikonal<HostBuffer>(mesh, device.index > 0 ? device.index : omp_get_max_threads());
}

}  // namespace cardiotwin::kernels
