#pragma once
/// The fused step on a CUDA device, compiled model by model (cuda_step.cu.in).

#include <cuda_runtime.h>

#include "step_args.hpp"

namespace cardiotwin::kernels::cuda {

inline constexpr int lanes_per_slice = 32;  ///< a warp
inline constexpr int block = 128;           ///< threads

/// Queues steps [first, first + count) on a stream. They read their number from the device, so that recorded steps can
/// be replayed: `counter[k % 2]` must hold k when step k begins, which writes k + 1 into the other one. Of `first` only
/// its parity matters.
template <class T>
using Launch = void (*)(const StepArgs<T>&, std::int64_t* counter, std::int64_t first, std::int64_t count,
                        cudaStream_t);

}  // namespace cardiotwin::kernels::cuda
