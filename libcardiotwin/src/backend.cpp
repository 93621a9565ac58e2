#include <fmt/core.h>

#include <cardiotwin/backend.hpp>
#include <cardiotwin/error.hpp>
#include <cardiotwin/kernels/engine.hpp>

namespace cardiotwin {

Backend Backend::cpu(int threads) {
  if (threads < 0)
    throw InputError(fmt::format("Backend: {} CPU threads; give 0 for all cores or a positive number", threads));
  return {false, threads};
}

Backend Backend::cuda(int device) {
  if (const std::string reason = kernels::cuda_unavailable(device); !reason.empty())
    throw InputError(fmt::format("Backend \"cuda:{}\" cannot be used: {}; use \"cpu\"", device, reason));
  return {true, device};
}

Backend Backend::best() { return kernels::cuda_unavailable(0).empty() ? cuda(0) : cpu(); }

std::string Backend::name() const { return cuda_ ? fmt::format("cuda:{}", index_) : "cpu"; }

}  // namespace cardiotwin
