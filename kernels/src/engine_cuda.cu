// CUDA engine: queueing and reductions. Nothing is allocated inside a step.
#define CT_BACKEND cuda
#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "core_impl.hpp"
#include "cuda_launch.cuh"
#include "cuda_memory.cuh"

namespace cardiotwin::kernels {

namespace cuda {
#define CT_MODEL(function, functor)           \
  Launch<float> function##_fp32(int members); \
  Launch<double> function##_fp64(int members);
#include "ionic/models.inc"
#undef CT_MODEL
}  // namespace cuda

namespace {

using cuda::block, cuda::check, cuda::DeviceBuffer;

/// Starting a kernel takes the host some 2 us. On small meshes the device is done sooner, so there steps are recorded
/// once as a graph, which starts as a whole. Both numbers are estimates, to be measured: 4096 slices, 131 072 nodes of
/// one member, take an H200 about 8 us; 16 steps make the start of the graph itself a small part.
constexpr int graph_slices = 4096;
constexpr int steps_per_graph = 16;
static_assert(steps_per_graph % 2 == 0, "a graph ends at the parity it began with");

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

__global__ void set_counter(std::int64_t* counter, std::int64_t step) { *counter = step; }

template <class T>
class CudaExecutor {
 public:
  static constexpr int lanes = cuda::lanes_per_slice;
  template <class U>
  using Buffer = DeviceBuffer<U>;

  CudaExecutor(int device, cuda::Launch<T> launch)
      : queue_(std::make_shared<const cuda::Queue>(device)), launch_(launch), counter_(*this, 2) {}

  const std::shared_ptr<const cuda::Queue>& queue() const { return queue_; }

  void advance(const StepArgs<T>& args, std::int64_t first, std::int64_t count) {
    queue_->select();
    set_counter<<<1, 1, 0, queue_->stream()>>>(counter_.data() + (first & 1), first);
    std::int64_t step = first;
    const std::int64_t end = first + count;
    const auto launch = [&](std::int64_t steps) {
      launch_(args, counter_.data(), step, steps, queue_->stream());
      step += steps;
    };
    if (args.slices <= graph_slices) {
      if ((step & 1) && step < end) launch(1);
      const auto ready = [&] { return graph_ && recorded_ == args; };
      if (!ready() && end - step >= 2 + steps_per_graph) {
        launch(2);  // kernels are loaded when first started, which has no place in a recording
        record(args);
      }
      if (ready()) {
        for (; end - step >= steps_per_graph; step += steps_per_graph) {
          check(cudaGraphLaunch(graph_.get(), queue_->stream()), "starting recorded steps");
        }
      }
    }
    launch(end - step);
    check(cudaGetLastError(), "starting the step");
    queue_->finish("running the step");
  }

  std::vector<double> largest(const StepArgs<T>& args, int at, std::size_t nodes, std::size_t members) const {
    constexpr std::size_t blocks = 256;
    if (partial_.size() == 0) partial_ = DeviceBuffer<double>(*this, blocks * members);
    queue_->select();
    for (std::size_t m = 0; m < members; ++m) {
      max_kernel<<<blocks, block, 0, queue_->stream()>>>(args.vd[at], args.own_row, int(nodes), int(members), int(m),
                                                         partial_.data() + m * blocks);
    }
    check(cudaGetLastError(), "starting the maximum");
    const auto partial = partial_.peek();
    std::vector<double> result(members, -INFINITY);
    for (std::size_t k = 0; k < partial.size(); ++k) {
      double& r = result[k / blocks];
      r = std::isnan(partial[k]) || std::isnan(r) ? NAN : std::max(r, partial[k]);
    }
    return result;
  }

  std::string name() const { return "cuda:" + std::to_string(queue_->device()); }
  void use_threads(int) {}

 private:
  /// Steps of these arguments, from an even one on.
  void record(const StepArgs<T>& args) {
    graph_.reset();
    check(cudaStreamBeginCapture(queue_->stream(), cudaStreamCaptureModeThreadLocal), "recording steps");
    launch_(args, counter_.data(), 0, steps_per_graph, queue_->stream());
    cudaGraph_t steps = nullptr;
    check(cudaStreamEndCapture(queue_->stream(), &steps), "recording steps");
    cudaGraphExec_t graph = nullptr;
    const auto status = cudaGraphInstantiateWithFlags(&graph, steps, 0);
    cudaGraphDestroy(steps);
    check(status, "making recorded steps ready");
    graph_.reset(graph);
    recorded_ = args;
  }

  struct Destroy {
    void operator()(cudaGraphExec_t graph) const { cudaGraphExecDestroy(graph); }
  };
  std::shared_ptr<const cuda::Queue> queue_;
  cuda::Launch<T> launch_;
  DeviceBuffer<std::int64_t> counter_;  ///< see Launch
  std::unique_ptr<std::remove_pointer_t<cudaGraphExec_t>, Destroy> graph_;
  StepArgs<T> recorded_;                  ///< what the graph was made with
  mutable DeviceBuffer<double> partial_;  ///< of largest()
};

template <class T>
std::unique_ptr<Core> make(const Problem& p, int members, int device) {
  CudaExecutor<T> executor(device, find_launch<T>(operations(*p.model).index, members));
  return std::make_unique<cuda::CoreImpl<T, CudaExecutor<T>>>(p, members, std::move(executor));
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
