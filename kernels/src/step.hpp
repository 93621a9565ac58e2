#pragma once
/// The fused step of engine.hpp, written once. A backend calls step_slice for W consecutive lanes of a slice: the CPU
/// for all lanes of a slice at once (the inner loops are vectorised), CUDA for one lane per thread.
///
/// Layout: nodes sit in slots; C consecutive slots form a slice (SELL-C). Entry k of the slice's rows lies at
/// (slice_start + k) * C + lane, short rows are padded with weight 0 and the slot's own index. States lie slice by
/// slice, state by state, lane by lane, so one slice is one contiguous block.
///
/// Cost per node and step in fp32: 8 or 12 B per matrix entry, 16 B for V and d, 8 B per state; the rest stays in
/// cache.

#include "portable.hpp"
#include "step_args.hpp"

namespace cardiotwin::kernels::CT_BACKEND {

/// Lane-interleaved numbers seen from one lane: x[k] is its k-th.
template <class T, int C>
struct Strided {
  T* first;
  CT_HD T& operator[](int k) const { return first[k * C]; }
};

/// Rare: some lane crossed a level during this step. prev and next are V before and after it.
template <class T>
CT_HD void note_crossing(const StepArgs<T>& a, std::int64_t step, std::int64_t slot, T prev, T next) {
  const auto moment = [&](T level) { return (double(step) + double(level - prev) / double(next - prev)) * a.dt; };
  if (prev < a.threshold && next >= a.threshold) {
    double* lat = a.activations + slot * a.depth;
    for (int k = a.depth - 1; k > 0; --k) lat[k] = lat[k - 1];
    lat[0] = moment(a.threshold);
    a.excited[slot] = 1;
  }
  if (a.excited[slot] && prev >= a.repolarization_level && next < a.repolarization_level) {
    a.repolarizations[slot] = moment(a.repolarization_level);
    a.excited[slot] = 0;
  }
}

template <class T, int W, int C, bool HasLoad>
CT_HD void diffuse(const StepArgs<T>& a, int slice, int lane, const T* v, const T* d, T* sum) {
  const std::int64_t slot = std::int64_t(slice) * C + lane;
  CT_SIMD
  for (int l = 0; l < W; ++l) sum[l] = 0;
  const int last = a.slice_start[slice + 1];
  for (int k = a.slice_start[slice]; k < last; ++k) {
    const std::int64_t entry = std::int64_t(k) * C + lane;
    const std::int32_t* column = a.column + entry;
    const T* diffusion = a.diffusion + entry;
    const T* load = a.load + (HasLoad ? entry : 0);
    CT_SIMD
    for (int l = 0; l < W; ++l) {
      const std::int32_t j = column[l];
      sum[l] += diffusion[l] * (v[j] - v[slot + l]);
      if constexpr (HasLoad) sum[l] += load[l] * (d[j] - d[slot + l]);
    }
  }
}

/// One step of W lanes. v_in, d_in -> v_out, d_out; states in place.
template <class Model, class T, int W, int C, bool HasLoad>
CT_HD void step_slice(const StepArgs<T>& a, std::int64_t step, int slice, int lane, const T* v_in, const T* d_in,
                      T* v_out, T* d_out) {
  const std::int64_t slot = std::int64_t(slice) * C + lane;
  T v[W];
  diffuse<T, W, C, HasLoad>(a, slice, lane, v_in, d_in, v);
  T* states = a.states + std::int64_t(slice) * C * Model::state_count + lane;
  T* d = d_out + slot;
  const T* before = v_in + slot;
  const int set = a.slice_set[slice];
  if (set >= 0) {  // every lane has the same constants: they are broadcast
    const T* constants = a.constants + set * Model::constant_count;
    CT_SIMD
    for (int l = 0; l < W; ++l) d[l] = Model::step(before[l] + v[l], Strided<T, C>{states + l}, constants);
  } else {
    const T* constants = a.mixed_constants + std::int64_t(-1 - set) * C * Model::constant_count + lane;
    CT_SIMD
    for (int l = 0; l < W; ++l) {
      d[l] = Model::step(before[l] + v[l], Strided<T, C>{states + l}, Strided<const T, C>{constants + l});
    }
  }
  if (a.stimulated[slice]) {
    const T* stimulus = a.stimulus + slot;
    CT_SIMD
    for (int l = 0; l < W; ++l) d[l] += stimulus[l];
  }
  T* after = v_out + slot;
  int crossed = 0;
  CT_SIMD_OR(crossed)
  for (int l = 0; l < W; ++l) {
    const T next = before[l] + v[l] + d[l];
    after[l] = next;
    crossed |= int((before[l] < a.threshold) != (next < a.threshold)) |
               int((before[l] < a.repolarization_level) != (next < a.repolarization_level));
  }
  if (crossed) {
    for (int l = 0; l < W; ++l) note_crossing(a, step, slot + l, before[l], after[l]);
  }
}

}  // namespace cardiotwin::kernels::CT_BACKEND
