#include <fmt/core.h>

#include <cardiotwin/backend.hpp>
#include <cardiotwin/error.hpp>
#include <cardiotwin/kernels/engine.hpp>
#include <charconv>

namespace cardiotwin {

namespace {
int checked_threads(int threads) {
  if (threads < 0)
    throw InputError(fmt::format("Backend: {} CPU threads; give 0 for all cores or a positive number", threads));
  return threads;
}
}  // namespace

Backend Backend::cpu(int threads) { return {Kind::cpu, checked_threads(threads)}; }

Backend Backend::reference(int threads) { return {Kind::reference, checked_threads(threads)}; }

Backend Backend::cuda(int device) {
  if (const std::string reason = kernels::cuda_unavailable(device); !reason.empty())
    throw InputError(fmt::format("Backend \"cuda:{}\" cannot be used: {}; use \"cpu\"", device, reason));
  return {Kind::cuda, device};
}

Backend Backend::named(const std::string& name, int threads) {
  if (name == "cpu") return cpu(threads);
  if (name == "reference") return reference(threads);
  if (name == "cuda") return cuda();
  if (name.starts_with("cuda:")) {
    int device = -1;
    const char *first = name.data() + 5, *last = name.data() + name.size();
    if (const auto [end, error] = std::from_chars(first, last, device); error == std::errc() && end == last)
      return cuda(device);
  }
  throw InputError(fmt::format("Backend \"{}\" is unknown; use \"cpu\", \"cuda\", \"cuda:1\" or \"reference\"", name));
}

Backend Backend::best() { return kernels::cuda_unavailable(0).empty() ? cuda(0) : cpu(); }

std::string Backend::name() const {
  if (is_cuda()) return fmt::format("cuda:{}", index_);
  return is_reference() ? "reference" : "cpu";
}

}  // namespace cardiotwin
