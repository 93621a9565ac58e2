#pragma once
/// The fused step of engine.hpp, written once. A backend calls finish_slice for W consecutive lanes of a slice: the CPU
/// for all at once (the inner loops are vectorised), CUDA for one lane per thread.
///
/// Cost per node and step in fp32 for one member: 8 B per matrix entry, 24 B for V and d, 8 B per
/// state; the rest stays in cache. A body-centred cubic lattice with ten Tusscher's cells: 116 + 24 + 144 B. B members
/// share the matrix and read neighbours as whole runs of B numbers: 116 / B + 16 + 144 B each.

#include "portable.hpp"

namespace cardiotwin::kernels::CT_BACKEND {

/// Where W lanes of a slice with L lanes and B members are.
template <int L, int B>
struct Place {
  static constexpr int per_slice = L / B;  ///< slots
  int slice, lane;

  CT_HD std::int64_t number(int l) const { return std::int64_t(slice) * L + lane + l; }
  CT_HD std::int64_t slot(int l) const { return std::int64_t(slice) * per_slice + (lane + l) / B; }
  CT_HD int member(int l) const { return (lane + l) % B; }
  CT_HD std::int64_t entry(int k, int l) const { return std::int64_t(k) * per_slice + (lane + l) / B; }
  CT_HD std::int64_t v(int l) const { return 2 * slot(l) * B + member(l); }
  CT_HD std::int64_t d(int l) const { return v(l) + B; }
  /// V of another slot, same member.
  CT_HD std::int64_t v_of(std::int32_t other, int l) const { return 2 * std::int64_t(other) * B + member(l); }
  CT_HD std::int64_t number_of(std::int32_t other, int l) const { return std::int64_t(other) * B + member(l); }
};

/// V and d at an index of V.
template <class T, int B>
CT_HD Pair<T> pair_at(const T* vd, std::int64_t v) {
  if constexpr (B == 1) {
    return load_pair(reinterpret_cast<const Pair<T>*>(vd) + v / 2);
  } else {
    return {vd[v], vd[v + B]};
  }
}

/// a b + c in one rounding where the processor can, whatever the compiler makes of the loop around it: an own row has
/// the same bits in every build of the step.
template <class T>
CT_HD T multiply_add(T a, T b, T c) {
#if defined(__FMA__) || defined(__CUDA_ARCH__)
  if constexpr (sizeof(T) == 4) {
    return __builtin_fmaf(a, b, c);
  } else {
    return __builtin_fma(a, b, c);
  }
#else
  return a * b + c;
#endif
}

/// Factor of the conductivity between number n and another: the mean of both ends' factors.
template <class T>
CT_HD T factor_between(const StepArgs<T>& a, std::int64_t n, std::int64_t other) {
  return a.half_factor[n] + a.half_factor[other];
}

/// A row that a member has of its own, beside a lesion.
template <class T, int L, int B>
struct OwnRow {
  const StepArgs<T>& a;
  const Place<L, B>& at;
  int l, row;

  /// sum_k weight_k value(slot at the other end of entry k).
  template <class Value>
  CT_HD T sum(const T* weights, const Value& value) const {
    const int first = a.slice_start[at.slice], last = a.slice_start[at.slice + 1];
    T total = 0;
    for (int k = first; k < last && k - first < a.own_width; ++k) {
      const T weight = weights[std::int64_t(row) * a.own_width + k - first];
      total = multiply_add(weight, value(a.column[at.entry(k, l)]), total);
    }
    return total;
  }
};

CT_HD Pair<float> both_weights(std::int32_t word) {
  return {float(std::int32_t(std::uint32_t(word) << 16) >> 16), float(word >> 16)};
}
CT_HD Pair<double> both_weights(Pair<double> weights) { return weights; }

#ifndef __CUDACC__
/// B numbers as one value, because g++ 12 turns the loop over a row's entries inside out otherwise and gathers what
/// lies side by side.
template <class T, int B>
struct Run {
  typedef T Vector [[gnu::vector_size(B * sizeof(T)), gnu::aligned(sizeof(T)), gnu::may_alias]];
  static const Vector& at(const T* from) { return *reinterpret_cast<const Vector*>(from); }
  static Vector& at(T* to) { return *reinterpret_cast<Vector*>(to); }
};

/// A slice full of members: they are of one node, and its neighbours are runs of B numbers.
template <class T, int L, int B, bool HasFactor>
CT_HD void sum_rows_of_members(const StepArgs<T>& a, const Place<L, B>& at, const T* vd, T* by_diffusion, T* by_load) {
  using R = Run<T, B>;
  const T* own = vd + 2 * at.number(0);
  const typename R::Vector v = R::at(own), d = R::at(own + B);
  typename R::Vector diffusion = {}, load = {}, half = {};
  if constexpr (HasFactor) half = R::at(a.half_factor + at.number(0));
  for (int k = a.slice_start[at.slice]; k < a.slice_start[at.slice + 1]; ++k) {
    prefetch(a.column + k + 16);
    prefetch(a.weight + k + 16);
    const std::int64_t other = std::int64_t(a.column[k]) * B;
    const Pair<T> weight = both_weights(a.weight[k]);
    typename R::Vector difference = R::at(vd + 2 * other) - v;
    if constexpr (HasFactor) difference *= half + R::at(a.half_factor + other);
    diffusion += weight.v * difference;
    load += weight.d * (R::at(vd + 2 * other + B) - d);
  }
  R::at(by_diffusion) = diffusion;
  R::at(by_load) = load;
}
#endif

/// One member on the CPU, or one lane: neighbours are gathered.
template <class T, int W, int L, int B, bool HasFactor>
CT_HD void sum_rows_by_gathering(const StepArgs<T>& a, const Place<L, B>& at, const T* vd, const T* v, const T* d,
                                 T* by_diffusion, T* by_load) {
  constexpr int ahead = 32 * Place<L, B>::per_slice;  // entries
  CT_SIMD
  for (int l = 0; l < W; ++l) by_diffusion[l] = by_load[l] = 0;
  const int last = a.slice_start[at.slice + 1];
  for (int k = a.slice_start[at.slice]; k < last; ++k) {
    prefetch(a.column + at.entry(k, 0) + ahead);
    prefetch(a.weight + at.entry(k, 0) + ahead);
    CT_SIMD
    for (int l = 0; l < W; ++l) {
      const std::int64_t entry = at.entry(k, l);
      const std::int32_t other = a.column[entry];
      const Pair<T> weight = both_weights(a.weight[entry]), neighbour = pair_at<T, B>(vd, at.v_of(other, l));
      T difference = neighbour.v - v[l];
      if constexpr (HasFactor) difference *= factor_between(a, at.number(l), at.number_of(other, l));
      by_diffusion[l] += weight.v * difference;
      by_load[l] += weight.d * (neighbour.d - d[l]);
    }
  }
}

/// Sums over rows of W lanes: diffusion sum_j a_ij (V_j - V_i), with HasFactor times factors of conductivity, and load
/// sum_j m_ij (d_j - d_i).
template <class T, int W, int L, int B, bool HasFactor>
CT_HD void sum_rows(const StepArgs<T>& a, const Place<L, B>& at, const T* vd, const T* v, const T* d, T* by_diffusion,
                    T* by_load) {
#ifndef __CUDACC__
  if constexpr (W == L && B == L) {
    sum_rows_of_members<T, L, B, HasFactor>(a, at, vd, by_diffusion, by_load);
    return;
  }
#endif
  sum_rows_by_gathering<T, W, L, B, HasFactor>(a, at, vd, v, d, by_diffusion, by_load);
}

/// V and d of W lanes.
template <class T, int W, int L, int B>
CT_HD void load_lanes(const Place<L, B>& at, const T* vd, T* v, T* d) {
#ifndef __CUDACC__
  if constexpr (W == L && B == L) {
    using R = Run<T, B>;
    R::at(v) = R::at(vd + at.v(0)), R::at(d) = R::at(vd + at.d(0));
    return;
  }
#endif
  CT_SIMD
  for (int l = 0; l < W; ++l) {
    const Pair<T> own = pair_at<T, B>(vd, at.v(l));
    v[l] = own.v;
    d[l] = own.d;
  }
}

template <class T, int W, int L, int B>
CT_HD void store_lanes(const Place<L, B>& at, const T* v, const T* d, T* vd) {
#ifndef __CUDACC__
  if constexpr (W == L && B == L) {
    using R = Run<T, B>;
    R::at(vd + at.v(0)) = R::at(v), R::at(vd + at.d(0)) = R::at(d);
    return;
  }
#endif
  CT_SIMD
  for (int l = 0; l < W; ++l) {
    vd[at.v(l)] = v[l];
    vd[at.d(l)] = d[l];
  }
}

/// What slots have, lane by lane.
template <class T, int W, int L, int B>
CT_HD void spread(const Place<L, B>& at, const T* of_slot, T* of_lane) {
#ifndef __CUDACC__
  if constexpr (W == L && B == L) {
    Run<T, B>::at(of_lane) = of_slot[at.slot(0)] + typename Run<T, B>::Vector{};
    return;
  }
#endif
  CT_SIMD
  for (int l = 0; l < W; ++l) of_lane[l] = of_slot[at.slot(l)];
}

/// 32 bits reach every number of one member, and gathers by them take half as long.
template <int B>
struct IndexOf {
  using type = std::int64_t;
};
template <>
struct IndexOf<1> {
  using type = std::int32_t;
};

/// sum_j weight_ij (x_j - x_i), or with Plain sum_j weight_ij x_j, of W lanes. x of slot s lies at x[stride s B +
/// member].
template <class T, int W, int L, int B, int Stride, bool Plain>
CT_HD void sum_layer(const StepArgs<T>& a, const Place<L, B>& at, const Weight<T>* weight, const T* x, T* sum) {
  const int first = a.slice_start[at.slice], last = a.slice_start[at.slice + 1];
#ifndef __CUDACC__
  if constexpr (W == L && B == L) {
    using R = Run<T, B>;
    typename R::Vector total = {}, own = {};
    if constexpr (!Plain) own = R::at(x + Stride * at.slot(0) * B);
    for (int k = first; k < last; ++k) {
      prefetch(a.column + k + 16);
      prefetch(weight + k + 16);
      total += T(weight[k]) * (R::at(x + Stride * std::int64_t(a.column[k]) * B) - own);
    }
    R::at(sum) = total;
    return;
  }
#endif
  constexpr int ahead = 32 * Place<L, B>::per_slice;
  alignas(64) T own[W];
  CT_SIMD
  for (int l = 0; l < W; ++l) sum[l] = 0, own[l] = Plain ? T(0) : x[Stride * at.slot(l) * B + at.member(l)];
  for (int k = first; k < last; ++k) {
    const std::int32_t* column = a.column + at.entry(k, 0);
    const Weight<T>* weights = weight + at.entry(k, 0);
    prefetch(column + ahead);
    prefetch(weights + ahead);
    CT_SIMD
    for (int l = 0; l < W; ++l) {
      const int slot = l / B;
      using Index = typename IndexOf<B>::type;
      sum[l] += T(weights[slot]) * (x[Stride * Index(column[slot]) * B + at.member(l)] - own[l]);
    }
  }
}

/// p of W lanes: what flows along the fibre by the nodal gradient of V.
template <class T, int W, int L, int B>
CT_HD void gradient_slice(const StepArgs<T>& a, int slice, int lane, const T* vd) {
  const Place<L, B> at{slice, lane};
  alignas(64) T sum[W], scale[W];
  sum_layer<T, W, L, B, 2, false>(a, at, a.gradient.entry, vd, sum);
  spread<T, W>(at, a.gradient.scale, scale);
  CT_SIMD
  for (int l = 0; l < W; ++l) sum[l] *= scale[l];
  if (a.has_own && a.has_own[slice]) {
    for (int l = 0; l < W; ++l) {
      const int row = a.own_row[at.number(l)];
      if (row == -1) continue;
      const T here = vd[at.v(l)];
      sum[l] = row < 0 ? T(0) : OwnRow<T, L, B>{a, at, l, row}.sum(a.own_gradient, [&](std::int32_t j) {
        return vd[at.v_of(j, l)] - here;
      });
    }
  }
  if (a.half_factor) {
    CT_SIMD
    for (int l = 0; l < W; ++l) sum[l] *= 2 * a.half_factor[at.number(l)];
  }
  CT_SIMD
  for (int l = 0; l < W; ++l) a.along[at.number(l)] = sum[l];
}

/// What dt L V and the load are in lanes whose members have rows of their own, and in dead ones.
template <class T, int W, int L, int B>
CT_HD void diffuse_own(const StepArgs<T>& a, const Place<L, B>& at, const T* vd, const T* v, const T* d, T* diffused,
                       T* loaded) {
  for (int l = 0; l < W; ++l) {
    const int row = a.own_row[at.number(l)];
    if (row == -1) continue;
    diffused[l] = loaded[l] = 0;
    if (row < 0) continue;
    const OwnRow<T, L, B> own{a, at, l, row};
    diffused[l] = own.sum(a.own_diffusion, [&](std::int32_t j) {
      const T difference = vd[at.v_of(j, l)] - v[l];
      return a.half_factor ? factor_between(a, at.number(l), at.number_of(j, l)) * difference : difference;
    });
    loaded[l] = own.sum(a.own_load, [&](std::int32_t j) { return vd[at.v_of(j, l) + B] - d[l]; });
    if (!a.divergence.entry) continue;
    const T divergence = own.sum(a.own_divergence, [&](std::int32_t j) { return a.along[at.number_of(j, l)]; });
    diffused[l] += multiply_add(a.own_row_share[row], a.along[at.number(l)], divergence);
  }
}

/// dt L V of W lanes, and what the ionic load adds.
template <class T, int W, int L, int B>
CT_HD void diffuse(const StepArgs<T>& a, const Place<L, B>& at, const T* vd, const T* v, const T* d, T* diffused,
                   T* loaded) {
  if (a.half_factor) {
    sum_rows<T, W, L, B, true>(a, at, vd, v, d, diffused, loaded);
  } else {
    sum_rows<T, W, L, B, false>(a, at, vd, v, d, diffused, loaded);
  }
  alignas(64) T scale[W], other_scale[W];
  spread<T, W>(at, a.diffusion_scale, scale);
  spread<T, W>(at, a.load_scale, other_scale);
  CT_SIMD
  for (int l = 0; l < W; ++l) {
    diffused[l] *= scale[l];
    loaded[l] *= other_scale[l];
  }
  if (a.divergence.entry) {
    alignas(64) T divergence[W];
    sum_layer<T, W, L, B, 1, true>(a, at, a.divergence.entry, a.along, divergence);
    spread<T, W>(at, a.divergence.scale, scale);
    spread<T, W>(at, a.own_share, other_scale);
    CT_SIMD
    for (int l = 0; l < W; ++l) diffused[l] += scale[l] * divergence[l] + other_scale[l] * a.along[at.number(l)];
  }
  if (a.source) {
    CT_SIMD
    for (int l = 0; l < W; ++l) diffused[l] += a.source[at.number(l)];
  }
  if (a.has_own && a.has_own[at.slice]) diffuse_own<T, W, L, B>(a, at, vd, v, d, diffused, loaded);
}

/// Stage j of a stabilised step (not the last): from Y_(j-1) in `now` and Y_(j-2) in `before` to Y_j.
template <class T, int W, int L, int B>
CT_HD void stage_slice(const StepArgs<T>& a, int j, int slice, int lane, const T* now, const T* before, T* out) {
  const Place<L, B> at{slice, lane};
  alignas(64) T v[W], d[W], diffused[W], unused[W], earlier[W];
  load_lanes<T, W>(at, now, v, d);
  diffuse<T, W, L, B>(a, at, now, v, d, diffused, unused);
  load_lanes<T, W>(at, before, earlier, unused);
  CT_SIMD
  for (int l = 0; l < W; ++l) v[l] = a.mu[j] * v[l] + (1 - a.mu[j]) * earlier[l] + a.share[j] * diffused[l];
  store_lanes<T, W>(at, v, d, out);  // d too: the load of the last stage needs it
}

/// Rare: some lane crossed a level during this step. prev and next are V before and after it.
template <class T, int L, int B>
CT_HD void note_crossing(const StepArgs<T>& a, std::int64_t step, const Place<L, B>& at, int l, T prev, T next) {
  const std::int64_t number = at.number(l), own_step = step + a.lead[at.member(l)];
  const auto moment = [&](T level) { return (double(own_step) + double(level - prev) / double(next - prev)) * a.dt; };
  if (prev < a.threshold && next >= a.threshold) {
    double* lat = a.activations + number * a.depth;
    for (int k = a.depth - 1; k > 0; --k) lat[k] = lat[k - 1];
    lat[0] = moment(a.threshold);
    a.excited[number] = 1;
  }
  if (a.excited[number] && prev >= a.repolarization_level && next < a.repolarization_level) {
    a.repolarizations[number] = moment(a.repolarization_level);
    a.excited[number] = 0;
  }
}

/// The end of a step for W lanes: last stage, load, cells, stimulus, what is noted. `start` holds V and d at the step's
/// start, `now` and `before` the last two stages (all the same where there is one stage).
/// cells(v, d, states, constants, mixed) reacts W lanes. `step` becomes a std::int64_t where a crossing is noted only.
template <class T, int W, int L, int B, class Step, class Cells>
CT_HD void finish_slice(const StepArgs<T>& a, Step step, int slice, int lane, const T* start, const T* now,
                        const T* before, T* out, Cells cells) {
  const Place<L, B> at{slice, lane};
  alignas(64) T at_start[W], v[W], d[W], diffused[W], loaded[W], after[W];
  load_lanes<T, W>(at, start, at_start, d);
  if (a.stages == 1) {
    diffuse<T, W, L, B>(a, at, start, at_start, d, diffused, loaded);
    CT_SIMD
    for (int l = 0; l < W; ++l) v[l] = at_start[l] + diffused[l];
  } else {
    const int j = a.stages - 1;
    load_lanes<T, W>(at, now, v, d);
    diffuse<T, W, L, B>(a, at, now, v, d, diffused, loaded);
    alignas(64) T earlier[W], unused[W];
    load_lanes<T, W>(at, before, earlier, unused);
    CT_SIMD
    for (int l = 0; l < W; ++l) v[l] = a.mu[j] * v[l] + (1 - a.mu[j]) * earlier[l] + a.share[j] * diffused[l];
  }
  CT_SIMD
  for (int l = 0; l < W; ++l) v[l] += loaded[l], after[l] = v[l] + a.rest;  // cells are told the true V
  T* states = a.states + std::int64_t(slice) * L * a.state_count + lane;
  const int set = a.slice_set[slice];
  if (set >= 0) {
    cells(after, d, states, a.constants + std::int64_t(set) * a.constant_count, false);
  } else {
    cells(after, d, states, a.mixed_constants + std::int64_t(-1 - set) * L * a.constant_count + lane, true);
  }
  if (const int row = a.stimulus_row[slice]; row >= 0) {
    const T* stimulus = a.stimulus + std::int64_t(row) * L + lane;
    CT_SIMD
    for (int l = 0; l < W; ++l) d[l] += stimulus[l];
  }
  if (a.own_row && a.has_own[slice]) {
    for (int l = 0; l < W; ++l) {
      if (a.own_row[at.number(l)] == -2) v[l] = at_start[l], d[l] = 0;
    }
  }
  int crossed = 0;
  CT_SIMD_OR(crossed)
  for (int l = 0; l < W; ++l) {
    after[l] = v[l] + d[l];
    crossed |= int((at_start[l] < a.threshold) != (after[l] < a.threshold)) |
               int((at_start[l] < a.repolarization_level) != (after[l] < a.repolarization_level));
  }
  store_lanes<T, W>(at, after, d, out);
  if (crossed) {
    for (int l = 0; l < W; ++l) note_crossing(a, step, at, l, at_start[l], after[l]);
  }
}

}  // namespace cardiotwin::kernels::CT_BACKEND
