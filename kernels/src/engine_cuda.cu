// CUDA engine: memory, queueing and reductions. Nothing is allocated inside a step.
#define CT_BACKEND cuda
#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "core_impl.hpp"
#include "cuda_launch.cuh"

namespace cardiotwin::kernels {

namespace cuda {
#define CT_MODEL(function, functor)           \
  Launch<float> function##_fp32(int members); \
  Launch<double> function##_fp64(int members);
#include "ionic/models.inc"
#undef CT_MODEL
}  // namespace cuda

namespace {

using cuda::block;

void check(cudaError_t status, const char* what) {
  if (status != cudaSuccess) throw std::runtime_error(std::string("CUDA: ") + what + ": " + cudaGetErrorString(status));
}

template <class U>
class DeviceBuffer {
 public:
  explicit DeviceBuffer(std::size_t n) : size_(n) {
    void* p = nullptr;
    check(cudaMalloc(&p, (n ? n : 1) * sizeof(U)), "allocating device memory");
    values_.reset(static_cast<U*>(p));
  }
  explicit DeviceBuffer(const std::vector<U>& values) : DeviceBuffer(values.size()) { upload(values.data()); }

  std::size_t size() const { return size_; }
  U* data() { return values_.get(); }
  void upload(const U* from) {
    check(cudaMemcpy(values_.get(), from, size_ * sizeof(U), cudaMemcpyHostToDevice), "copying to the device");
  }
  std::vector<U> peek() const {
    std::vector<U> values(size_);
    check(cudaMemcpy(values.data(), values_.get(), size_ * sizeof(U), cudaMemcpyDeviceToHost),
          "copying from the device");
    return values;
  }
  template <class F>
  void edit(const F& f) {
    auto values = peek();
    f(values.data());
    upload(values.data());
  }

 private:
  struct Free {
    void operator()(U* p) const { cudaFree(p); }
  };
  std::unique_ptr<U[], Free> values_;
  std::size_t size_;
};

/// The launcher of model `index` of models().
template <class T>
cuda::Launch<T> find_launch(int index, int members) {
  if constexpr (sizeof(T) == 4) {
#define CT_MODEL(function, functor) &cuda::function##_fp32,
    static constexpr cuda::Launch<float> (*all[])(int) = {
#include "ionic/models.inc"
    };
#undef CT_MODEL
    return all[index](members);
  } else {
#define CT_MODEL(function, functor) &cuda::function##_fp64,
    static constexpr cuda::Launch<double> (*all[])(int) = {
#include "ionic/models.inc"
    };
#undef CT_MODEL
    return all[index](members);
  }
}

/// Largest V of one member's living nodes in each block's share; NaN if any of it is not finite. The maximum does not
/// depend on the order.
template <class T>
__global__ void max_kernel(const T* vd, const std::int32_t* own_row, int n, int members, int m, double* result) {
  __shared__ double partial[block];
  double largest = -INFINITY;
  for (int i = int(blockIdx.x * blockDim.x + threadIdx.x); i < n; i += int(gridDim.x * blockDim.x)) {
    if (own_row && own_row[std::int64_t(i) * members + m] == -2) continue;
    const double x = double(vd[2 * std::int64_t(i) * members + m]);
    largest = isfinite(x) && !isnan(largest) ? fmax(largest, x) : NAN;
  }
  partial[threadIdx.x] = largest;
  for (int half = block / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half) {
      const double a = partial[threadIdx.x], b = partial[threadIdx.x + half];
      partial[threadIdx.x] = isnan(a) || isnan(b) ? NAN : fmax(a, b);
    }
  }
  if (threadIdx.x == 0) result[blockIdx.x] = partial[0];
}

template <class T>
class CudaExecutor {
 public:
  static constexpr int lanes = cuda::lanes_per_slice;
  template <class U>
  using Buffer = DeviceBuffer<U>;

  CudaExecutor(int device, cuda::Launch<T> launch) : device_(device), launch_(launch) { select_device(); }

  void advance(const StepArgs<T>& args, std::int64_t first, std::int64_t count) const {
    select_device();
    launch_(args, first, count, nullptr);
    check(cudaGetLastError(), "starting the step");
    check(cudaDeviceSynchronize(), "running the step");
  }

  std::vector<double> largest(const StepArgs<T>& args, int at, std::size_t nodes, std::size_t members) const {
    select_device();
    constexpr std::size_t blocks = 256;
    if (!partial_) partial_ = std::make_shared<DeviceBuffer<double>>(blocks * members);
    for (std::size_t m = 0; m < members; ++m) {
      max_kernel<<<blocks, block>>>(args.vd[at], args.own_row, int(nodes), int(members), int(m),
                                    partial_->data() + m * blocks);
    }
    check(cudaGetLastError(), "starting the maximum");
    const auto partial = partial_->peek();
    std::vector<double> result(members, -INFINITY);
    for (std::size_t k = 0; k < partial.size(); ++k) {
      double& r = result[k / blocks];
      r = std::isnan(partial[k]) || std::isnan(r) ? NAN : std::max(r, partial[k]);
    }
    return result;
  }

  std::string name() const { return "cuda:" + std::to_string(device_); }
  void use_threads(int) {}

 private:
  void select_device() const { check(cudaSetDevice(device_), "choosing the device"); }

  int device_;
  cuda::Launch<T> launch_;
  mutable std::shared_ptr<DeviceBuffer<double>> partial_;  ///< of largest()
};

template <class T>
std::unique_ptr<Core> make(const Problem& p, int members, int device) {
  const CudaExecutor<T> executor(device, find_launch<T>(operations(*p.model).index, members));
  return std::make_unique<cuda::CoreImpl<T, CudaExecutor<T>>>(p, members, executor);
}

}  // namespace

std::string cuda_unavailable(int index) {
  int count = 0;
  if (const auto status = cudaGetDeviceCount(&count); status != cudaSuccess) {
    return std::string("no CUDA device can be used: ") + cudaGetErrorString(status);
  }
  if (index < 0 || index >= count) {
    return "there is no CUDA device " + std::to_string(index) + "; this machine has " + std::to_string(count);
  }
  if (const auto status = cudaSetDevice(index); status != cudaSuccess) {
    return "CUDA device " + std::to_string(index) + " cannot be used: " + cudaGetErrorString(status);
  }
  cudaFuncAttributes attributes;
  if (const auto status = cudaFuncGetAttributes(&attributes, max_kernel<float>); status != cudaSuccess) {
    return "CUDA device " + std::to_string(index) + " cannot run this build: " + cudaGetErrorString(status);
  }
  return {};
}

std::unique_ptr<Core> make_cuda_core(const Problem& p, int members, int device) {
  return p.real == Real::fp32 ? make<float>(p, members, device) : make<double>(p, members, device);
}

}  // namespace cardiotwin::kernels
