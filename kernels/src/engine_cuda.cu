// CUDA engine: one thread per node, a warp per slice of 32 lanes. Nothing is allocated while it runs.
#define CT_BACKEND cuda
#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine_factories.hpp"
#include "engine_impl.hpp"
#include "model_list.hpp"
#include "step.hpp"

namespace cardiotwin::kernels {
namespace {

constexpr int lanes_per_slice = 32;
constexpr int block = 128;

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
  const U* data() const { return values_.get(); }
  void upload(const U* from) {
    check(cudaMemcpy(values_.get(), from, size_ * sizeof(U), cudaMemcpyHostToDevice), "copying to the device");
  }
  void download(U* to) const {
    check(cudaMemcpy(to, values_.get(), size_ * sizeof(U), cudaMemcpyDeviceToHost), "copying from the device");
  }

 private:
  struct Free {
    void operator()(U* p) const { cudaFree(p); }
  };
  std::unique_ptr<U[], Free> values_;
  std::size_t size_;
};

template <class Model, class T, bool HasLoad>
__global__ void __launch_bounds__(block)
    step_kernel(StepArgs<T> a, std::int64_t step, const Pair<T>* in, Pair<T>* out) {
  const int slot = int(blockIdx.x * blockDim.x + threadIdx.x);
  const int slice = slot / lanes_per_slice, lane = slot % lanes_per_slice;
  if (slice < a.slices) cuda::step_slice<Model, T, 1, lanes_per_slice, HasLoad>(a, step, slice, lane, in, out);
}

template <class Model, class T, bool HasLoad>
void launch_steps(const StepArgs<T>& a, std::int64_t first, std::int64_t count, int) {
  const int blocks = (a.slices * lanes_per_slice + block - 1) / block;
  for (std::int64_t step = first; step < first + count; ++step) {
    const int from = int(step & 1);
    step_kernel<Model, T, HasLoad><<<blocks, block>>>(a, step, a.vd[from], a.vd[1 - from]);
  }
  check(cudaGetLastError(), "starting the step");
}

/// Largest V of each block's share; NaN if any V of it is not finite. The maximum does not depend on the order.
template <class T>
__global__ void max_kernel(const Pair<T>* vd, int n, double* result) {
  __shared__ double partial[block];
  double largest = -INFINITY;
  for (int i = int(blockIdx.x * blockDim.x + threadIdx.x); i < n; i += int(gridDim.x * blockDim.x)) {
    const double x = double(vd[i].v);
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
  static constexpr int lanes = lanes_per_slice;
  template <class U>
  using Buffer = DeviceBuffer<U>;

  CudaExecutor(int device, Advance<T> step) : device_(device), advance_(step) { select_device(); }

  void advance(const StepArgs<T>& args, std::int64_t first, std::int64_t count) const {
    select_device();
    advance_(args, first, count, 0);
    check(cudaDeviceSynchronize(), "running the step");
  }

  double max(const DeviceBuffer<Pair<T>>& vd, std::size_t n) const {
    select_device();
    constexpr int blocks = 256;
    if (!partial_) partial_ = std::make_shared<DeviceBuffer<double>>(blocks);
    max_kernel<<<blocks, block>>>(vd.data(), int(n), partial_->data());
    check(cudaGetLastError(), "starting the maximum");
    double values[blocks], largest = -INFINITY;
    partial_->download(values);
    for (const double x : values) largest = std::isnan(x) || std::isnan(largest) ? NAN : std::max(largest, x);
    return largest;
  }

  std::string name() const { return "cuda:" + std::to_string(device_); }

 private:
  void select_device() const { check(cudaSetDevice(device_), "choosing the device"); }

  int device_;
  Advance<T> advance_;
  mutable std::shared_ptr<DeviceBuffer<double>> partial_;  ///< of max()
};

template <class T>
Advance<T> find_advance(int model, bool has_load) {
  return cuda::with_model<T>(model, [=]<class Model>() -> Advance<T> {
    return has_load ? &launch_steps<Model, T, true> : &launch_steps<Model, T, false>;
  });
}

template <class T>
std::unique_ptr<Engine> make(const Problem& p, int device, bool load) {
  const CudaExecutor<T> executor(device, find_advance<T>(operations(*p.model).index, load));
  return std::make_unique<cuda::EngineImpl<T, CudaExecutor<T>>>(p, executor);
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

std::unique_ptr<Engine> make_cuda_engine(const Problem& p, int device) {
  bool load = false;
  for (const double m : p.load) load = load || m != 0;
  return p.real == Real::fp32 ? make<float>(p, device, load) : make<double>(p, device, load);
}

}  // namespace cardiotwin::kernels
