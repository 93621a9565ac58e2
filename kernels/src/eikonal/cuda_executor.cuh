#pragma once
/// Executor of the eikonal solver on a CUDA device: a thread per waiting node or touched tet. How many there are stays
/// on the device; the host asks after many sweeps whether anything is left.

#include <memory>

#include "../cuda_memory.cuh"
#include "bodies.hpp"

namespace cardiotwin::kernels::cuda {

/// What bodies.hpp asks of a thread.
class CudaHands {
 public:
  __device__ CudaHands(const Front& a, int next) : front_(a), next_(next) {}
  __device__ void wait(std::int32_t n) { front_.waiting[next_][atomicAdd(&front_.counts->waiting[next_], 1)] = n; }
  __device__ void touch(std::int32_t t) { front_.touched[atomicAdd(&front_.counts->touched, 1)] = t; }
  __device__ void at(double time) { lower(&front_.counts->least[next_], time); }
  __device__ void expanded() { atomicAdd(reinterpret_cast<unsigned long long*>(&front_.counts->expansions), 1ull); }
  __device__ static bool mark(std::uint32_t* word, std::uint32_t bit) { return atomicOr(word, bit) == 0; }
  /// Numbers that are not negative are ordered as their bits are.
  __device__ static void lower(double* value, double to) {
    if (!(to < *const_cast<volatile double*>(value))) return;
    atomicMin(reinterpret_cast<unsigned long long*>(value), static_cast<unsigned long long>(__double_as_longlong(to)));
  }

 private:
  const Front& front_;
  int next_;
};

__device__ inline std::int64_t first_item() { return std::int64_t(blockIdx.x) * blockDim.x + threadIdx.x; }
__device__ inline std::int64_t stride() { return std::int64_t(gridDim.x) * blockDim.x; }

__global__ void __launch_bounds__(block) measure_kernel(Measure a) {
  for (std::int64_t t = first_item(); t < a.tets; t += stride()) measure_tet(a, t);
}
__global__ void __launch_bounds__(block) begin_kernel(Front a) {
  CudaHands hands(a, 0);
  for (std::int64_t n = first_item(); n < a.nodes; n += stride()) begin_node(a, hands, std::int32_t(n));
}
__global__ void __launch_bounds__(block) depend_kernel(Depend a) {
  for (std::int64_t n = first_item(); n < a.nodes; n += stride()) depend_node(a, std::int32_t(n));
}
__global__ void __launch_bounds__(block) advance_kernel(Front a) {
  const int now = a.counts->sweep % 2;
  const std::int32_t count = a.counts->waiting[now];
  const double bound = a.counts->least[now] + a.window;
  CudaHands hands(a, 1 - now);
  for (std::int64_t i = first_item(); i < count; i += stride()) advance_node(a, hands, a.waiting[now][i], bound);
}
__global__ void __launch_bounds__(block) relax_kernel(Front a) {
  const std::int32_t count = a.counts->touched;
  CudaHands hands(a, 1 - a.counts->sweep % 2);
  for (std::int64_t i = first_item(); i < count; i += stride()) relax_tet(a, hands, a.touched[i]);
}
/// One thread: the next sweep reads what this one wrote.
__global__ void turn_kernel(Front a) {
  FrontCounts& counts = *a.counts;
  const int now = counts.sweep % 2;
  if (counts.waiting[now] == 0) return;
  counts.waiting[now] = counts.touched = 0;
  counts.least[now] = __longlong_as_double(0x7ff0000000000000ll);
  ++counts.sweep;
}

class CudaEikonalExecutor {
 public:
  /// Wider than the CPU's: more nodes at once are worth more expansions.
  static constexpr double reach = 2;
  template <class U>
  using Buffer = DeviceBuffer<U>;

  explicit CudaEikonalExecutor(std::shared_ptr<const Queue> queue) : queue_(std::move(queue)) {
    queue_->select();
    check(cudaDeviceGetAttribute(&processors_, cudaDevAttrMultiProcessorCount, queue_->device()), "asking the device");
  }

  const std::shared_ptr<const Queue>& queue() const { return queue_; }
  static std::size_t holes() { return 0; }
  void measure(const Measure& a) const { launch(measure_kernel, a); }
  void begin(const Front& a) const { launch(begin_kernel, a); }
  void depend(const Depend& a) const { launch(depend_kernel, a); }
  void sweeps(const Front& a, int count) const {
    for (int k = 0; k < count; ++k) {
      launch(advance_kernel, a), launch(relax_kernel, a);
      turn_kernel<<<1, 1, 0, queue_->stream()>>>(a);
    }
    check(cudaGetLastError(), "starting a sweep of the eikonal solver");
  }

 private:
  template <class Arguments>
  void launch(void (*kernel)(Arguments), const Arguments& a) const {
    queue_->select();
    kernel<<<unsigned(8 * processors_), block, 0, queue_->stream()>>>(a);
    check(cudaGetLastError(), "starting an operation of the eikonal solver");
  }

  std::shared_ptr<const Queue> queue_;
  int processors_ = 1;
};

}  // namespace cardiotwin::kernels::cuda
