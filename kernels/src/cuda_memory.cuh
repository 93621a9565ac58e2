#pragma once
/// Memory of a CUDA device, and the queue in which everything that touches it waits its turn.

#include <cuda_runtime.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "cuda_launch.cuh"
#include "member_part.hpp"

namespace cardiotwin::kernels::cuda {

inline void check(cudaError_t status, const char* what) {
  if (status != cudaSuccess) throw std::runtime_error(std::string("CUDA: ") + what + ": " + cudaGetErrorString(status));
}

/// A device, a stream of its own, so that cores of other threads go on beside it, and memory of the host that the
/// device reaches by itself.
class Queue {
 public:
  explicit Queue(int device) : device_(device) {
    select();
    cudaStream_t stream;
    check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "making a stream");
    stream_.reset(stream);
    pinned(4096);  // more than a step wants
  }

  int device() const { return device_; }
  cudaStream_t stream() const { return stream_.get(); }
  /// Which device a thread uses is the thread's own, and a core is used by several.
  void select() const { check(cudaSetDevice(device_), "choosing the device"); }
  void finish(const char* what) const { check(cudaStreamSynchronize(stream()), what); }
  /// Room for so many bytes, until the next call.
  void* pinned(std::size_t bytes) const {
    if (bytes > pinned_bytes_) {
      select();
      pinned_.reset();
      pinned_bytes_ = 0;
      void* p = nullptr;
      check(cudaMallocHost(&p, bytes), "allocating pinned memory");
      pinned_.reset(p);
      pinned_bytes_ = bytes;
    }
    return pinned_.get();
  }

 private:
  struct Destroy {
    void operator()(cudaStream_t stream) const { cudaStreamDestroy(stream); }
  };
  struct FreePinned {
    void operator()(void* p) const { cudaFreeHost(p); }
  };
  int device_;
  mutable std::unique_ptr<void, FreePinned> pinned_;
  mutable std::size_t pinned_bytes_ = 0;
  std::unique_ptr<std::remove_pointer_t<cudaStream_t>, Destroy> stream_;
};

template <class U>
__global__ void peek_kernel(std::int64_t n, MemberPart part, const U* from, U* to) {
  const std::int64_t k = std::int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (k < n) to[k] = from[part.index(k)];
}
template <class U>
__global__ void put_kernel(std::int64_t n, MemberPart part, const U* from, U* to) {
  const std::int64_t k = std::int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (k < n) to[part.index(k)] = from[k];
}

template <class U>
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  DeviceBuffer(const auto& executor, std::size_t n) : queue_(executor.queue()), size_(n) {
    queue_->select();
    void* p = nullptr;
    check(cudaMalloc(&p, (n ? n : 1) * sizeof(U)), "allocating device memory");
    values_.reset(static_cast<U*>(p));
  }
  DeviceBuffer(const auto& executor, const std::vector<U>& values) : DeviceBuffer(executor, values.size()) {
    upload(values.data());
  }

  std::size_t size() const { return size_; }
  U* data() { return values_.get(); }
  void upload(const U* from) {
    if (size_ == 0) return;
    queue_->select();
    check(cudaMemcpyAsync(values_.get(), from, size_ * sizeof(U), cudaMemcpyHostToDevice, queue_->stream()),
          "copying to the device");
    queue_->finish("copying to the device");
  }
  /// In memory that the next call of a buffer of the same core takes.
  const U* peek(const MemberPart& part) const {
    const std::size_t n = size_ / std::size_t(part.members);
    auto* values = static_cast<U*>(queue_->pinned(n * sizeof(U)));
    move_part(n, part, values_.get(), values, peek_kernel<U>, "copying from the device");
    return values;
  }
  void put(const MemberPart& part, const std::vector<U>& from) {
    auto* values = static_cast<U*>(queue_->pinned(from.size() * sizeof(U)));
    std::copy(from.begin(), from.end(), values);
    move_part(from.size(), part, values, values_.get(), put_kernel<U>, "copying to the device");
  }

 private:
  /// The device itself reads and writes the host's memory, each number once and in order.
  void move_part(std::size_t n, const MemberPart& part, const U* from, U* to,
                 void (*kernel)(std::int64_t, MemberPart, const U*, U*), const char* what) const {
    if (n == 0) return;
    queue_->select();
    kernel<<<unsigned((n + block - 1) / block), block, 0, queue_->stream()>>>(std::int64_t(n), part, from, to);
    check(cudaGetLastError(), what);
    queue_->finish(what);
  }
  struct Free {
    void operator()(U* p) const { cudaFree(p); }
  };
  std::shared_ptr<const Queue> queue_;
  std::unique_ptr<U[], Free> values_;
  std::size_t size_ = 0;
};

}  // namespace cardiotwin::kernels::cuda
