#pragma once
/// The fused step of engine.hpp for an ensemble: one slot, B members side by side. The arithmetic of a member is that
/// of step.hpp, operation by operation, so a member's bits are those of a run alone.
///
/// Cost per node, step and member in fp32: the matrix is read once for all (8 B per entry / B), neighbours are whole
/// cache lines instead of gathered pairs; what is left is 16 B for V and d and 8 B per state. Modified
/// Mitchell-Schaeffer on a body-centred cubic lattice: 7 + 16 + 8 B instead of 116 + 24 + 8 B.

#include "members_args.hpp"
#include "step.hpp"

namespace cardiotwin::kernels::CT_BACKEND {

/// Rare, as note_crossing.
template <class T, int B>
CT_HD void note_member_crossing(const MembersArgs<T>& a, std::int64_t step, std::int64_t slot, int member, T prev,
                                T next) {
  StepArgs<T> own;
  own.threshold = a.threshold;
  own.repolarization_level = a.repolarization_level;
  own.dt = a.dt;
  own.depth = a.depth;
  own.activations = a.activations;
  own.repolarizations = a.repolarizations;
  own.excited = a.excited;
  note_crossing(own, step + a.lead[member], slot * B + member, prev, next);
}

template <class Model, class T, int B, bool HasLoad>
CT_HD void step_members(const MembersArgs<T>& a, std::int64_t step, int slot, const T* v_in, const T* d_in, T* v_out,
                        T* d_out) {
  // B numbers as one value, because g++ 12 turns the loop over a row's entries inside out otherwise and gathers what
  // lies side by side.
  typedef T Vector [[gnu::vector_size(B * sizeof(T)), gnu::aligned(64), gnu::may_alias]];
  const auto all = [](const T* from) { return reinterpret_cast<const Vector*>(from); };
  const std::int64_t own = std::int64_t(slot) * B;
  alignas(64) T before[B], v[B], d[B], after[B];
  const Vector v_own = *all(v_in + own), d_own = *all(d_in + own);
  Vector by_diffusion = {}, by_load = {};
  for (int k = a.row_start[slot]; k < a.row_start[slot + 1]; ++k) {
    const std::int64_t there = std::int64_t(a.column[k]) * B;
    by_diffusion += T(a.diffusion[k]) * (*all(v_in + there) - v_own);
    if constexpr (HasLoad) by_load += T(a.load[k]) * (*all(d_in + there) - d_own);
  }
  Vector diffused = v_own + a.diffusion_scale[slot] * by_diffusion;
  if constexpr (HasLoad) diffused += a.load_scale[slot] * by_load;
  *reinterpret_cast<Vector*>(before) = v_own;
  *reinterpret_cast<Vector*>(v) = diffused;
  T* states = a.states + own * Model::state_count;
  const T* constants = a.constants + a.set[slot] * Model::constant_count;
  CT_SIMD
  for (int l = 0; l < B; ++l) d[l] = Model::step(v[l], Strided<T, B>{states + l}, constants);
  if (const std::int32_t row = a.stimulus_row[slot]; row >= 0) {
    const T* stimulus = a.stimulus + std::int64_t(row) * B;
    CT_SIMD
    for (int l = 0; l < B; ++l) d[l] += stimulus[l];
  }
  int crossed = 0;
  CT_SIMD_OR(crossed)
  for (int l = 0; l < B; ++l) {
    after[l] = v[l] + d[l];
    v_out[own + l] = after[l];
    d_out[own + l] = d[l];
    crossed |= int((before[l] < a.threshold) != (after[l] < a.threshold)) |
               int((before[l] < a.repolarization_level) != (after[l] < a.repolarization_level));
  }
  if (crossed) {
    for (int l = 0; l < B; ++l) note_member_crossing<T, B>(a, step, slot, l, before[l], after[l]);
  }
}

}  // namespace cardiotwin::kernels::CT_BACKEND
