#pragma once
/// Where the threads of a step meet.

#include <atomic>

namespace cardiotwin::kernels {

/// OpenMP's own barrier spins for about a millisecond: where other programs want the cores too, the thread that is
/// waited for is often one that lost its core to a spinner. This one spins for a few microseconds, then sleeps: beside
/// two busy processes on two cores a step took half as long.
class Barrier {
 public:
  explicit Barrier(int threads) : threads_(threads) {}

  /// Returns when all threads have called it. What they wrote before is seen by all after.
  void wait();

 private:
  const int threads_;
  std::atomic<int> arrived_ = 0;
  std::atomic<unsigned> phase_ = 0;
};

}  // namespace cardiotwin::kernels
