#include "barrier.hpp"

namespace cardiotwin::kernels {

void meet(void* barrier) { static_cast<Barrier*>(barrier)->wait(); }

void Barrier::wait() {
  constexpr int spins = 2000;
  if (threads_ == 1) return;
  const unsigned phase = phase_.load(std::memory_order_acquire);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads_) {
    arrived_.store(0, std::memory_order_relaxed);
    phase_.store(phase + 1, std::memory_order_release);
    phase_.notify_all();
    return;
  }
  for (int k = 0; k < spins; ++k) {
    if (phase_.load(std::memory_order_acquire) != phase) return;
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
  phase_.wait(phase, std::memory_order_acquire);
}

}  // namespace cardiotwin::kernels
