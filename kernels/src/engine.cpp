#include <cardiotwin/kernels/engine.hpp>
#include <stdexcept>

#include "engine_factories.hpp"
#include "layout.hpp"

namespace cardiotwin::kernels {

std::unique_ptr<Engine> make_engine(const Problem& problem, const Device& device) {
  validate(problem);
  if (!device.cuda) return make_cpu_engine(problem, device.index);
  if (const auto reason = cuda_unavailable(device.index); !reason.empty()) throw std::runtime_error(reason);
  return make_cuda_engine(problem, device.index);
}

}  // namespace cardiotwin::kernels
