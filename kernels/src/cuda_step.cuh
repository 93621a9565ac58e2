#pragma once
/// One thread per lane, a warp per slice, one kernel per pass of a step.

#include "cuda_launch.cuh"
#include "react.hpp"
#include "step.hpp"

namespace cardiotwin::kernels::cuda {

struct Lane {
  int slice, lane;
};
__device__ inline Lane lane_of_thread() {
  const int thread = int(blockIdx.x * blockDim.x + threadIdx.x);
  return {thread / lanes_per_slice, thread % lanes_per_slice};
}

template <class T, int B>
__global__ void __launch_bounds__(block) gradient_kernel(StepArgs<T> a, const T* vd) {
  const Lane at = lane_of_thread();
  if (at.slice < a.slices) gradient_slice<T, 1, lanes_per_slice, B>(a, at.slice, at.lane, vd);
}

template <class T, int B>
__global__ void __launch_bounds__(block) stage_kernel(StepArgs<T> a, int j, const T* now, const T* before, T* out) {
  const Lane at = lane_of_thread();
  if (at.slice < a.slices) stage_slice<T, 1, lanes_per_slice, B>(a, j, at.slice, at.lane, now, before, out);
}

/// The number of a step, read where it is wanted only.
struct StepNumber {
  const std::int64_t* at;
  CT_HD operator std::int64_t() const { return *at; }
};

template <class Model, class T, int B>
__global__ void __launch_bounds__(block) finish_kernel(StepArgs<T> a, StepNumber step, std::int64_t* next,
                                                       const T* start, const T* now, const T* before, T* out) {
  const Lane at = lane_of_thread();
  if (at.slice >= a.slices) return;
  if (at.slice == 0 && at.lane == 0) *next = step + 1;
  finish_slice<T, 1, lanes_per_slice, B>(a, step, at.slice, at.lane, start, now, before, out,
                                         [&](const T* v, T* d, T* states, const T* constants, bool mixed) {
                                           react_lane<Model, T, lanes_per_slice>(a.dt_cells, v, d, states, constants,
                                                                                 mixed);
                                         });
}

template <class Model, class T, int B>
void launch_steps(const StepArgs<T>& a, std::int64_t* counter, std::int64_t first, std::int64_t count,
                  cudaStream_t stream) {
  const int blocks = (a.slices * lanes_per_slice + block - 1) / block;
  for (std::int64_t step = first; step < first + count; ++step) {
    const int here = int(step & 1), there = 1 - here;
    const T* start = a.vd[here];
    const T *now = start, *before = start;
    for (int j = 0; j < a.stages; ++j) {
      if (a.gradient.entry) gradient_kernel<T, B><<<blocks, block, 0, stream>>>(a, now);
      if (j == a.stages - 1) break;
      T* out = a.stage[j & 1];
      stage_kernel<T, B><<<blocks, block, 0, stream>>>(a, j, now, before, out);
      before = now;
      now = out;
    }
    finish_kernel<Model, T, B>
        <<<blocks, block, 0, stream>>>(a, StepNumber{counter + here}, counter + there, start, now, before, a.vd[there]);
  }
}

/// `members` in {1, 16}.
template <class Model, class T>
Launch<T> find_launch(int members) {
  return members == 16 ? &launch_steps<Model, T, 16> : &launch_steps<Model, T, 1>;
}

}  // namespace cardiotwin::kernels::cuda
