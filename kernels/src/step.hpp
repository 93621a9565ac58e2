#pragma once
/// The fused step of engine.hpp, written once. A backend calls step_slice for W consecutive lanes of a slice: the CPU
/// for all lanes of a slice at once (the inner loops are vectorised), CUDA for one lane per thread.
///
/// Layout: nodes sit in slots; C consecutive slots form a slice (SELL-C). Entry k of the slice's rows lies at
/// (slice_start + k) * C + lane, short rows are padded with weight 0 and the slot's own index. States lie slice by
/// slice, state by state, lane by lane, so one slice is one contiguous block.
///
/// Cost per node and step in fp32: 8 B per matrix entry (6 B without load), 24 B for V and d, 8 B per state; the rest
/// stays in cache. A body-centred cubic lattice with ten Tusscher's cells: 116 + 24 + 144 B and about 2000 / 16 vector
/// instructions.

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

/// V after diffusion and load for W lanes.
template <class T, int W, int C, bool HasLoad>
CT_HD void diffuse(const StepArgs<T>& a, int slice, int lane, const Pair<T>* vd, const T* v, const T* d, T* result) {
  constexpr int ahead = 32 * C;  // entries
  const std::int64_t slot = std::int64_t(slice) * C + lane;
  T by_diffusion[W], by_load[W];
  CT_SIMD
  for (int l = 0; l < W; ++l) by_diffusion[l] = by_load[l] = 0;
  const int last = a.slice_start[slice + 1];
  for (int k = a.slice_start[slice]; k < last; ++k) {
    const std::int64_t entry = std::int64_t(k) * C + lane;
    const std::int32_t* column = a.column + entry;
    const Weight<T>* diffusion = a.diffusion + entry;
    const Weight<T>* load = a.load + (HasLoad ? entry : 0);
    prefetch(column + ahead);
    prefetch(diffusion + ahead);
    if constexpr (HasLoad) prefetch(load + ahead);
    CT_SIMD
    for (int l = 0; l < W; ++l) {
      const Pair<T> neighbour = load_pair(vd + column[l]);
      by_diffusion[l] += T(diffusion[l]) * (neighbour.v - v[l]);
      if constexpr (HasLoad) by_load[l] += T(load[l]) * (neighbour.d - d[l]);
    }
  }
  CT_SIMD
  for (int l = 0; l < W; ++l) {
    result[l] = v[l] + a.diffusion_scale[slot + l] * by_diffusion[l];
    if constexpr (HasLoad) result[l] += a.load_scale[slot + l] * by_load[l];
  }
}

/// One step of W lanes: vd_in -> vd_out, states in place.
template <class Model, class T, int W, int C, bool HasLoad>
CT_HD void step_slice(const StepArgs<T>& a, std::int64_t step, int slice, int lane, const Pair<T>* vd_in,
                      Pair<T>* vd_out) {
  const std::int64_t slot = std::int64_t(slice) * C + lane;
  T before[W], v[W], d[W], after[W];
  CT_SIMD
  for (int l = 0; l < W; ++l) {
    const Pair<T> own = load_pair(vd_in + slot + l);
    before[l] = own.v;
    d[l] = own.d;
  }
  diffuse<T, W, C, HasLoad>(a, slice, lane, vd_in, before, d, v);
  T* states = a.states + std::int64_t(slice) * C * Model::state_count + lane;
  const int set = a.slice_set[slice];
  if (set >= 0) {  // every lane has the same constants: they are broadcast
    const T* constants = a.constants + set * Model::constant_count;
    CT_SIMD
    for (int l = 0; l < W; ++l) d[l] = Model::step(v[l], Strided<T, C>{states + l}, constants);
  } else {
    const T* constants = a.mixed_constants + std::int64_t(-1 - set) * C * Model::constant_count + lane;
    CT_SIMD
    for (int l = 0; l < W; ++l) {
      d[l] = Model::step(v[l], Strided<T, C>{states + l}, Strided<const T, C>{constants + l});
    }
  }
  if (a.stimulated[slice]) {
    const T* stimulus = a.stimulus + slot;
    CT_SIMD
    for (int l = 0; l < W; ++l) d[l] += stimulus[l];
  }
  Pair<T>* out = vd_out + slot;
  int crossed = 0;
  CT_SIMD_OR(crossed)
  for (int l = 0; l < W; ++l) {
    after[l] = v[l] + d[l];
    out[l].v = after[l];
    out[l].d = d[l];
    crossed |= int((before[l] < a.threshold) != (after[l] < a.threshold)) |
               int((before[l] < a.repolarization_level) != (after[l] < a.repolarization_level));
  }
  if (crossed) {
    for (int l = 0; l < W; ++l) note_crossing(a, step, slot + l, before[l], after[l]);
  }
}

}  // namespace cardiotwin::kernels::CT_BACKEND
