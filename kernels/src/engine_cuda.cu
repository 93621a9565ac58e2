// CUDA engine: queueing and reductions. Nothing is allocated inside a step.
#define CT_BACKEND cuda
#include <algorithm>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "core_impl.hpp"
#include "cuda_launch.cuh"
#include "cuda_memory.cuh"
#include "elliptic/cuda_executor.cuh"
#include "ordered.hpp"

namespace cardiotwin::kernels {

namespace cuda {
#define CT_MODEL(function, functor)           \
  Launch<float> function##_fp32(int members); \
  Launch<double> function##_fp64(int members);
#include "ionic/models.inc"
#undef CT_MODEL
}  // namespace cuda

namespace {

using cuda::block, cuda::check, cuda::DeviceBuffer, cuda::Ordered;

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

/// Into result[m], which is 0 before: the code of member m's largest V over its living nodes.
template <class T>
__global__ void __launch_bounds__(block)
    largest_kernel(const T* vd, const std::int32_t* own_row, std::int64_t numbers, int members, Ordered* result) {
  // A thread stays with one member, since the members divide a block.
  const int m = int(threadIdx.x) % members;
  T largest = -INFINITY;
  bool spoilt = false;
  for (std::int64_t n = std::int64_t(blockIdx.x) * block + threadIdx.x; n < numbers;
       n += std::int64_t(gridDim.x) * block) {
    if (own_row && own_row[n] == -2) continue;
    const T x = vd[2 * n - m];  // slot (n - m) / B lies at 2 (n - m)
    spoilt = spoilt || !isfinite(x);
    largest = x > largest ? x : largest;
  }
  __shared__ Ordered of_thread[block];
  of_thread[threadIdx.x] = spoilt ? cuda::not_finite : cuda::in_order(double(largest));
  for (int half = block / 2; half >= members; half /= 2) {
    __syncthreads();
    if (int(threadIdx.x) < half) of_thread[threadIdx.x] = max(of_thread[threadIdx.x], of_thread[threadIdx.x + half]);
  }
  if (int(threadIdx.x) < members) atomicMax(&result[m], of_thread[threadIdx.x]);
}

__global__ void set_counter(std::int64_t* counter, std::int64_t step) { *counter = step; }

template <class T>
class CudaExecutor {
 public:
  static constexpr int lanes = cuda::lanes_per_slice;
  template <class U>
  using Buffer = DeviceBuffer<U>;

  CudaExecutor(int device, int members, cuda::Launch<T> launch)
      : queue_(std::make_shared<const cuda::Queue>(device)),
        launch_(launch),
        counter_(*this, 2),
        largest_(*this, std::size_t(members)) {}

  const std::shared_ptr<const cuda::Queue>& queue() const { return queue_; }

  using Elliptic = cuda::CudaEllipticExecutor;
  Elliptic elliptic() const { return Elliptic(queue_); }

  std::vector<double> advance(const StepArgs<T>& args, std::int64_t first, std::int64_t count) {
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
    const std::span<const Ordered> codes = queue_largest(args, int(end & 1));
    queue_->finish("running the step");
    return decoded(codes);
  }

  std::vector<double> largest(const StepArgs<T>& args, int at) const {
    queue_->select();
    const std::span<const Ordered> codes = queue_largest(args, at);
    queue_->finish("finding the largest voltages");
    return decoded(codes);
  }

  std::string name() const { return "cuda:" + std::to_string(queue_->device()); }
  void use_threads(int) {}

 private:
  /// The codes are there when the queue is finished.
  std::span<const Ordered> queue_largest(const StepArgs<T>& args, int at) const {
    const auto members = std::size_t(args.members);
    const auto numbers = std::int64_t(args.nodes) * args.members;
    const auto blocks = unsigned(std::min<std::int64_t>((numbers + block - 1) / block, 1024));
    auto* codes = static_cast<Ordered*>(queue_->pinned(members * sizeof(Ordered)));
    check(cudaMemsetAsync(largest_.data(), 0, members * sizeof(Ordered), queue_->stream()), "clearing the maximum");
    largest_kernel<<<blocks, block, 0, queue_->stream()>>>(args.vd[at], args.own_row, numbers, args.members,
                                                           largest_.data());
    check(cudaGetLastError(), "starting the maximum");
    check(cudaMemcpyAsync(codes, largest_.data(), members * sizeof(Ordered), cudaMemcpyDeviceToHost, queue_->stream()),
          "copying the maximum");
    return {codes, members};
  }

  static std::vector<double> decoded(std::span<const Ordered> codes) {
    std::vector<double> result;
    for (const auto code : codes) result.push_back(cuda::from_order(code));
    return result;
  }

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
  StepArgs<T> recorded_;                   ///< what the graph was made with
  mutable DeviceBuffer<Ordered> largest_;  ///< V of each member, as a code
};

template <class T>
std::unique_ptr<Core> make(const Problem& p, int members, int device) {
  CudaExecutor<T> executor(device, members, find_launch<T>(operations(*p.model).index, members));
  using Impl = cuda::CoreImpl<T, CudaExecutor<T>>;
  Layout layout = Impl::layout(p, members);
  std::size_t free = 0, all = 0;
  check(cudaMemGetInfo(&free, &all), "asking for free memory");
  const auto lack = lack_of_memory(Impl::bytes(p, layout), members, p.nodes(), free);
  if (!lack.empty()) throw std::runtime_error("CUDA device " + std::to_string(device) + ": " + lack);
  return std::make_unique<Impl>(p, members, std::move(executor), std::move(layout));
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
  if (const auto status = cudaFuncGetAttributes(&attributes, largest_kernel<float>); status != cudaSuccess) {
    return "CUDA device " + std::to_string(index) + " cannot run this build: " + cudaGetErrorString(status);
  }
  return {};
}

std::unique_ptr<Core> make_cuda_core(const Problem& p, int members, int device) {
  return p.real == Real::fp32 ? make<float>(p, members, device) : make<double>(p, members, device);
}

}  // namespace cardiotwin::kernels
