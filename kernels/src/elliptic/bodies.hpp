#pragma once
/// The operations of args.hpp for W lanes of a slice, written once: the CPU does the rows of a slice at once (one
/// column) or the columns of a row (16), CUDA a lane per thread.
///
/// Cost of one Chebyshev step or residual: 8 B per non-zero and some 20 B per row, read once.

#include "../portable.hpp"
#include "../step.hpp"
#include "args.hpp"

namespace cardiotwin::kernels::CT_BACKEND {

/// Rows per slice: a warp's lanes, or those of the widest vector registers.
#if defined(__CUDACC__) || defined(CT_ONE_LANE)  // the latter: tests of a device's way on the host
inline constexpr int slice_rows = 32;
#else
inline constexpr int slice_rows = 16;
#endif

/// Where W lanes of a slice of rows are: lane = row in slice * B + column. Place's slot is the row.
template <int B>
using RowPlace = Place<slice_rows * B, B>;

/// Calls entry(k, weights, columns) where these stand for W lanes: weights[l / B] and columns[l / B].
template <int W, int B, class V, class Entry>
CT_HD void each_entry(const Rows<V>& w, const RowPlace<B>& at, const Entry& entry) {
  const int last = w.slice_start[at.slice + 1];
  for (int k = w.slice_start[at.slice]; k < last; ++k) {
    const std::int64_t first = at.entry(k, 0);
    if constexpr (B == 1) prefetch(w.column + first + 32 * slice_rows), prefetch(w.value + first + 32 * slice_rows);
    entry(w.value + first, w.column + first);
  }
}

/// sum_j w_ij (x_j - x_i) of W lanes, or with Plain sum_j w_ij x_j.
template <int W, int B, bool Plain, class V, class X>
CT_HD void sum_entries(const Rows<V>& w, const RowPlace<B>& at, const X* x, X* sum) {
#ifndef __CUDACC__
  if constexpr (W == B && B > 1) {
    using R = Run<X, B>;
    typename R::Vector total = {}, own = {};
    if constexpr (!Plain) own = R::at(x + at.number(0));
    each_entry<W, B>(w, at, [&](const V* weight, const std::int32_t* column) {
      total += X(*weight) * (R::at(x + std::int64_t(*column) * B) - own);
    });
    R::at(sum) = total;
    return;
  }
#endif
  alignas(64) X own[W];
  CT_SIMD
  for (int l = 0; l < W; ++l) sum[l] = 0, own[l] = Plain ? X(0) : x[at.number(l)];
  each_entry<W, B>(w, at, [&](const V* weight, const std::int32_t* column) {
    using Index = typename IndexOf<B>::type;
    CT_SIMD
    for (int l = 0; l < W; ++l) {
      const X difference = x[Index(column[l / B]) * B + at.member(l)] - own[l];
      sum[l] = multiply_add(X(weight[l / B]), difference, sum[l]);
    }
  });
}

/// The row of a lane. On the CPU the lanes are of one row or of one column.
template <int W, int B>
CT_HD std::int64_t row_of(const RowPlace<B>& at, int l) {
  return W == B && B > 1 ? at.slot(0) : at.slot(l);
}

template <int W, int B, class V, class X>
CT_HD void apply_lanes(const Apply<V, X>& a, const RowPlace<B>& at) {
  alignas(64) X sum[W];
  sum_entries<W, B, false>(a.w, at, a.x, sum);
  if (a.excess) {
    CT_SIMD
    for (int l = 0; l < W; ++l) sum[l] -= X(a.excess[row_of<W, B>(at, l)]) * a.x[at.number(l)];
  }
  if (a.b) {
    CT_SIMD
    for (int l = 0; l < W; ++l) a.y[at.number(l)] = a.b[at.number(l)] + sum[l];
  } else {
    CT_SIMD
    for (int l = 0; l < W; ++l) a.y[at.number(l)] = -sum[l];
  }
}

template <int W, int B>
CT_HD void smooth_lanes(const Smooth& a, const RowPlace<B>& at) {
  alignas(64) float residual[W];
  if (!a.x) {
    CT_SIMD
    for (int l = 0; l < W; ++l) {
      const float d = a.gain * a.inverse_diagonal[row_of<W, B>(at, l)] * a.b[at.number(l)];
      a.d[at.number(l)] = d, a.out[at.number(l)] = d;
    }
    return;
  }
  sum_entries<W, B, false>(a.w, at, a.x, residual);
  if (a.excess) {
    CT_SIMD
    for (int l = 0; l < W; ++l) residual[l] -= a.excess[row_of<W, B>(at, l)] * a.x[at.number(l)];
  }
  CT_SIMD
  for (int l = 0; l < W; ++l) {
    const std::int64_t n = at.number(l);
    const float change = a.gain * a.inverse_diagonal[row_of<W, B>(at, l)] * (a.b[n] + residual[l]);
    const float d = multiply_add(a.keep, a.d[n], change);
    a.d[n] = d, a.out[n] = a.x[n] + d;
  }
}

template <int W, int B, class X>
CT_HD void gather_lanes(const Gather<X>& a, const RowPlace<B>& at) {
  alignas(64) X sum[W];
  sum_entries<W, B, true>(a.w, at, a.x, sum);
  if (a.base) {
    CT_SIMD
    for (int l = 0; l < W; ++l) a.y[at.number(l)] = multiply_add(a.factor, sum[l], a.base[at.number(l)]);
  } else {
    CT_SIMD
    for (int l = 0; l < W; ++l) a.y[at.number(l)] = a.factor * sum[l];
  }
}

/// M is symmetric, so its rows are read as columns: the rows of W lanes lie side by side.
template <int W, int B>
CT_HD void dense_lanes(const Dense& a, const RowPlace<B>& at) {
  alignas(64) float sum[W] = {};
  for (int j = 0; j < a.rows; ++j) {
    const float* m = a.m + std::int64_t(j) * a.rows + at.slot(0);
    const float* x = a.x + std::int64_t(j) * B + at.member(0);
    CT_SIMD
    for (int l = 0; l < W; ++l) sum[l] = multiply_add(m[B == 1 ? l : 0], x[B == 1 ? 0 : l], sum[l]);
  }
  CT_SIMD
  for (int l = 0; l < W; ++l) a.y[at.number(l)] = sum[l];
}

/// One number of the vectors at a time.
template <int B>
CT_HD void descend_number(const Descend& a, std::int64_t n) {
  const double factor = a.a.of[n % B];
  a.x[n] = multiply_add(factor, a.p[n], a.x[n]);
  const double r = multiply_add(-factor, a.q[n], a.r[n]);
  a.r[n] = r, a.r32[n] = float(r);
}
template <int B>
CT_HD void direct_number(const Direct& a, std::int64_t n) {
  a.p[n] = multiply_add(a.a.of[n % B], a.p[n], double(a.z[n]));
}
template <int B>
CT_HD void shift_number(const Shift& a, std::int64_t n) {
  a.x[n] += a.a.of[n % B];
}

template <int B>
CT_HD void scale_number(const Scale& a, std::int64_t n) {
  a.x[n] *= a.a.of[n % B];
}

template <int B, class T>
CT_HD void take_number(const Take<T>& a, std::int64_t n) {
  const std::int32_t slot = a.slot_of[n / B];
  a.v[n] = slot < 0 ? 0.0 : double(a.vd[2 * std::int64_t(slot) * B + n % B]);
}
template <int B>
CT_HD void recall_number(const Recall& a, std::int64_t n) {
  const int m = int(n % B);
  if (!a.asked.of[m]) return;
  const double x = a.x[n], one = a.one[n];
  a.x[n] = multiply_add(a.a.of[m], x, multiply_add(a.b.of[m], one, a.c.of[m] * a.two[n]));
  a.one[n] = x, a.two[n] = one;
}

template <int W, int B, class T>
CT_HD void drive_lanes(const Drive<T>& a, const RowPlace<B>& at) {
  alignas(64) double by_v[W], by_phi[W];
  sum_entries<W, B, false>(a.c, at, a.v, by_v);
  Rows<T> e = a.c;
  e.value = a.e;
  sum_entries<W, B, false>(e, at, a.phi, by_phi);
  for (int l = 0; l < W; ++l) {
    const std::int32_t slot = a.slot_of[row_of<W, B>(at, l)];
    const int m = at.member(l);
    if (slot >= 0 && a.asked.of[m]) a.source[std::int64_t(slot) * B + m] = T(by_v[l] + by_phi[l]);
  }
}

}  // namespace cardiotwin::kernels::CT_BACKEND
