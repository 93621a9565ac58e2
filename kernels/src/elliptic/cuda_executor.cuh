#pragma once
/// Executor of the elliptic solver on a CUDA device. The queue is that of whoever uses it.

#include <memory>
#include <vector>

#include "../cuda_memory.cuh"
#include "bodies.hpp"

namespace cardiotwin::kernels::cuda {

/// The slice and lane of a thread: lanes are those of RowPlace<B>.
template <int B>
__device__ inline RowPlace<B> place_of_thread() {
  const std::int64_t n = std::int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  return {int(n / (slice_rows * B)), int(n % (slice_rows * B))};
}

template <int B, class V, class X>
__device__ inline void lane(const Apply<V, X>& a, const RowPlace<B>& at) {
  apply_lanes<1, B>(a, at);
}
template <int B>
__device__ inline void lane(const Smooth& a, const RowPlace<B>& at) {
  smooth_lanes<1, B>(a, at);
}
template <int B, class X>
__device__ inline void lane(const Gather<X>& a, const RowPlace<B>& at) {
  gather_lanes<1, B>(a, at);
}
template <int B>
__device__ inline void lane(const Dense& a, const RowPlace<B>& at) {
  dense_lanes<1, B>(a, at);
}
template <int B, class T>
__device__ inline void lane(const Drive<T>& a, const RowPlace<B>& at) {
  drive_lanes<1, B>(a, at);
}
template <int B, class Arguments>
__global__ void __launch_bounds__(block) lanes_kernel(Arguments a, int slices) {
  const auto at = place_of_thread<B>();
  if (at.slice < slices) lane<B>(a, at);
}

template <int B>
__device__ inline void number(const Descend& a, std::int64_t n) {
  descend_number<B>(a, n);
}
template <int B>
__device__ inline void number(const Direct& a, std::int64_t n) {
  direct_number<B>(a, n);
}
template <int B>
__device__ inline void number(const Shift& a, std::int64_t n) {
  shift_number<B>(a, n);
}
template <int B>
__device__ inline void number(const Scale& a, std::int64_t n) {
  scale_number<B>(a, n);
}
template <int B, class T>
__device__ inline void number(const Take<T>& a, std::int64_t n) {
  take_number<B>(a, n);
}
template <int B>
__device__ inline void number(const Recall& a, std::int64_t n) {
  recall_number<B>(a, n);
}
template <int B, class Arguments>
__global__ void __launch_bounds__(block) numbers_kernel(Arguments a) {
  const std::int64_t n = std::int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (n < a.rows * B) number<B>(a, n);
}

/// A block of threads sums a block of rows of column blockIdx.y, the same way for any number of columns.
template <int B, class Y>
__global__ void __launch_bounds__(block) dot_kernel(Dot<Y> a) {
  const int m = int(blockIdx.y);
  const std::int64_t first = std::int64_t(blockIdx.x) * dot_block,
                     last = first + dot_block < a.rows ? first + dot_block : a.rows;
  double sum = 0;
  for (std::int64_t i = first + threadIdx.x; i < last; i += block) {
    const double x = a.x[i * B + m];
    sum = a.y ? multiply_add(x, double(a.y[i * B + m]), sum) : sum + x;
  }
  __shared__ double of_thread[block];
  of_thread[threadIdx.x] = sum;
  for (int half = block / 2; half > 0; half /= 2) {
    __syncthreads();
    if (int(threadIdx.x) < half) of_thread[threadIdx.x] += of_thread[threadIdx.x + half];
  }
  if (threadIdx.x == 0) a.sums[std::int64_t(blockIdx.x) * B + m] = of_thread[0];
}

class CudaEllipticExecutor {
 public:
  static constexpr int slice_rows = cuda::slice_rows;
  template <class U>
  using Buffer = DeviceBuffer<U>;

  explicit CudaEllipticExecutor(std::shared_ptr<const Queue> queue) : queue_(std::move(queue)) {}

  const std::shared_ptr<const Queue>& queue() const { return queue_; }
  void use_threads(int) {}

  template <class Arguments>
  void run(const Arguments& a, int columns) const {
    queue_->select();
    columns == 16 ? launch<16>(a) : launch<1>(a);
    check(cudaGetLastError(), "starting an operation of the elliptic solver");
  }

  template <class Y>
  std::vector<double> sums(Dot<Y> a, int columns) {
    const auto blocks = unsigned((a.rows + dot_block - 1) / dot_block);
    const std::size_t count = std::size_t(blocks) * std::size_t(columns);
    if (partial_.size() != count) partial_ = DeviceBuffer<double>(*this, count);
    a.sums = partial_.data();
    queue_->select();
    const dim3 grid(blocks, unsigned(columns));
    if (columns == 16) {
      dot_kernel<16, Y><<<grid, block, 0, queue_->stream()>>>(a);
    } else {
      dot_kernel<1, Y><<<grid, block, 0, queue_->stream()>>>(a);
    }
    check(cudaGetLastError(), "starting an inner product");
    const double* partial = partial_.peek(MemberPart{});
    std::vector<double> result(std::size_t(columns), 0.0);
    for (std::size_t k = 0; k < count; ++k) result[k % result.size()] += partial[k];
    return result;
  }

 private:
  static unsigned blocks_for(std::int64_t threads) { return unsigned((threads + block - 1) / block); }

  template <int B, class Arguments>
  void launch_lanes(const Arguments& a, int slices) const {
    lanes_kernel<B><<<blocks_for(std::int64_t(slices) * slice_rows * B), block, 0, queue_->stream()>>>(a, slices);
  }
  template <int B, class V, class X>
  void launch(const Apply<V, X>& a) const {
    launch_lanes<B>(a, a.w.slices);
  }
  template <int B>
  void launch(const Smooth& a) const {
    launch_lanes<B>(a, a.w.slices);
  }
  template <int B, class X>
  void launch(const Gather<X>& a) const {
    launch_lanes<B>(a, a.w.slices);
  }
  template <int B, class T>
  void launch(const Drive<T>& a) const {
    launch_lanes<B>(a, a.c.slices);
  }
  template <int B>
  void launch(const Dense& a) const {
    launch_lanes<B>(a, a.rows / slice_rows);
  }
  template <int B, class Arguments>
  void launch(const Arguments& a) const {
    numbers_kernel<B><<<blocks_for(a.rows * B), block, 0, queue_->stream()>>>(a);
  }

  std::shared_ptr<const Queue> queue_;
  DeviceBuffer<double> partial_;
};

}  // namespace cardiotwin::kernels::cuda
