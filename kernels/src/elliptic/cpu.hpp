#pragma once
/// The CPU's operations of the elliptic solver. Included once per instruction set with CT_BACKEND naming it.

#include "../cpu_step.hpp"
#include "bodies.hpp"
#include "cpu_ops.hpp"

namespace cardiotwin::kernels::CT_BACKEND {

/// Vectors below this many numbers are not worth waking other threads for.
inline constexpr std::int64_t worth_sharing = 1 << 14;

/// f(slice place) for all slices, rows at once or row by row.
template <int B, class F>
void each_place(int slices, int threads, const F& f) {
  threads = std::int64_t(slices) * slice_rows * B < worth_sharing ? 1 : threads;
#pragma omp parallel num_threads(threads)
  {
    const TinyIsZero whole_operation;
#pragma omp for schedule(static)
    for (int slice = 0; slice < slices; ++slice) {
      if constexpr (B == 1) {
        f(RowPlace<B>{slice, 0});
      } else {
        for (int row = 0; row < slice_rows; ++row) f(RowPlace<B>{slice, row * B});
      }
    }
  }
}
template <int B>
inline constexpr int lanes_at_once = B == 1 ? slice_rows : B;

/// f(n) for n in [0, count), vectorised.
template <class F>
void each_number(std::int64_t count, int threads, const F& f) {
  threads = count < worth_sharing ? 1 : threads;
#pragma omp parallel num_threads(threads)
  {
    const TinyIsZero whole_operation;
#pragma omp for simd schedule(static)
    for (std::int64_t n = 0; n < count; ++n) f(n);
  }
}

template <int B, class V, class X>
void apply(const Apply<V, X>& a, int threads) {
  each_place<B>(a.w.slices, threads, [&](const RowPlace<B>& at) { apply_lanes<lanes_at_once<B>, B>(a, at); });
}
template <int B>
void smooth(const Smooth& a, int threads) {
  each_place<B>(a.w.slices, threads, [&](const RowPlace<B>& at) { smooth_lanes<lanes_at_once<B>, B>(a, at); });
}
template <int B, class X>
void gather(const Gather<X>& a, int threads) {
  each_place<B>(a.w.slices, threads, [&](const RowPlace<B>& at) { gather_lanes<lanes_at_once<B>, B>(a, at); });
}
template <int B>
void dense(const Dense& a, int threads) {
  each_place<B>(a.rows / slice_rows, threads, [&](const RowPlace<B>& at) { dense_lanes<lanes_at_once<B>, B>(a, at); });
}
template <int B>
void descend(const Descend& a, int threads) {
  each_number(a.rows * B, threads, [&](std::int64_t n) { descend_number<B>(a, n); });
}
template <int B>
void direct(const Direct& a, int threads) {
  each_number(a.rows * B, threads, [&](std::int64_t n) { direct_number<B>(a, n); });
}
template <int B>
void shift(const Shift& a, int threads) {
  each_number(a.rows * B, threads, [&](std::int64_t n) { shift_number<B>(a, n); });
}
template <int B>
void scale(const Scale& a, int threads) {
  each_number(a.rows * B, threads, [&](std::int64_t n) { scale_number<B>(a, n); });
}
template <int B, class T>
void take(const Take<T>& a, int threads) {
  each_number(a.rows * B, threads, [&](std::int64_t n) { take_number<B>(a, n); });
}
template <int B>
void recall(const Recall& a, int threads) {
  each_number(a.rows * B, threads, [&](std::int64_t n) { recall_number<B>(a, n); });
}
template <int B, class T>
void drive(const Drive<T>& a, int threads) {
  each_place<B>(a.c.slices, threads, [&](const RowPlace<B>& at) { drive_lanes<lanes_at_once<B>, B>(a, at); });
}

/// Eight sums run side by side per column: row i goes to sum i % 8, whatever B is, and a tree adds them up.
template <int B, class Y>
void dot(const Dot<Y>& a, int threads) {
  const std::int64_t blocks = (a.rows + dot_block - 1) / dot_block;
  threads = a.rows * B < worth_sharing ? 1 : threads;
#pragma omp parallel for schedule(static) num_threads(threads)
  for (std::int64_t block = 0; block < blocks; ++block) {
    constexpr int chains = 8;
    alignas(64) double sum[chains * B] = {};
    const std::int64_t first = block * dot_block,
                       last = first + dot_block < a.rows ? first + dot_block : a.rows;  // padded: whole chains
    for (std::int64_t i = first; i < last; i += chains) {
      CT_SIMD
      for (int l = 0; l < chains * B; ++l) {
        const double x = a.x[i * B + l];
        sum[l] = a.y ? multiply_add(x, double(a.y[i * B + l]), sum[l]) : sum[l] + x;
      }
    }
    for (int half = chains / 2; half > 0; half /= 2) {
      for (int l = 0; l < half * B; ++l) sum[l] += sum[l + half * B];
    }
    for (int m = 0; m < B; ++m) a.sums[block * B + m] = sum[m];
  }
}

template <int B>
inline constexpr CpuEllipticOps elliptic_ops = {
    &apply<B, float, float>, &apply<B, float, double>, &apply<B, double, double>, &smooth<B>,       &gather<B, float>,
    &gather<B, double>,      &dense<B>,                &descend<B>,       &direct<B>,       &shift<B>,
    &scale<B>, &take<B, float>,
    &take<B, double>, &drive<B, float>, &drive<B, double>, &recall<B>, &dot<B, double>, &dot<B, float>};

/// `columns` in {1, 16}.
inline const CpuEllipticOps* find_elliptic_ops(int columns) {
  return columns == 16 ? &elliptic_ops<16> : &elliptic_ops<1>;
}

}  // namespace cardiotwin::kernels::CT_BACKEND
