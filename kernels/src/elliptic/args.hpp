#pragma once
/// What the operations of the elliptic solver read and write: pointers and sizes only, so that every backend agrees on
/// it. Vectors hold the columns of a row side by side: x[row * B + column], B in {1, 16}, rows padded to whole slices.

#include <cstdint>

namespace cardiotwin::kernels {

/// Rows in slices of H: entry k of the rows of a slice lies at (slice_start + k) * H + row in slice, short ones padded
/// with weight 0 and, where the matrix is square, their own row.
template <class W>
struct Rows {
  int slices = 0;
  const std::int32_t* slice_start = nullptr;  ///< slices + 1
  const std::int32_t* column = nullptr;
  const W* value = nullptr;
};

/// A x = excess x - sum_j w_ij (x_j - x_i): differences, so that rounding of w leaves constants in the null space.
/// y = A x, or b - A x where b is given.
template <class W, class X>
struct Apply {
  Rows<W> w;
  const W* excess = nullptr;  ///< per row; null where all are 0
  const X *x = nullptr, *b = nullptr;
  X* y = nullptr;
};

/// A step of Chebyshev's iteration on D^-1 A: d = keep d + gain D^-1 (b - A x), out = x + d. Where x is null it is 0,
/// and so was d.
struct Smooth {
  Rows<float> w;
  const float *excess = nullptr, *inverse_diagonal = nullptr, *b = nullptr, *x = nullptr;
  float *d = nullptr, *out = nullptr;
  float keep = 0, gain = 0;
};

/// y = base + factor sum_j w_ij x_j; base may be null or y.
template <class X>
struct Gather {
  Rows<X> w;
  X factor = 1;
  const X *x = nullptr, *base = nullptr;
  X* y = nullptr;
};

/// y = M x with M dense and symmetric.
struct Dense {
  int rows = 0;  ///< padded
  const float *m = nullptr, *x = nullptr;
  float* y = nullptr;
};

/// Factors of this many columns, by value.
struct PerColumn {
  double of[16] = {};
};

/// x += a p, r -= a q, and r in fp32.
struct Descend {
  std::int64_t rows = 0;
  PerColumn a;
  const double *p = nullptr, *q = nullptr;
  double *x = nullptr, *r = nullptr;
  float* r32 = nullptr;
};

/// p = z + a p
struct Direct {
  std::int64_t rows = 0;
  PerColumn a;
  const float* z = nullptr;
  double* p = nullptr;
};

/// x += a on the first `rows` rows
struct Shift {
  std::int64_t rows = 0;
  PerColumn a;
  double* x = nullptr;
};

/// x *= a
struct Scale {
  std::int64_t rows = 0;
  PerColumn a;
  double* x = nullptr;
};

/// Which columns are meant.
struct Asked {
  std::uint8_t of[16] = {};
};

/// v of node i, column m: what stands at 2 slot_of[i] B + m. Nodes without a slot, -1, get 0.
template <class T>
struct Take {
  std::int64_t rows = 0;
  const std::int32_t* slot_of = nullptr;
  const T* vd = nullptr;
  double* v = nullptr;
};

/// source[slot_of[i] B + m] = sum_j c_ij (v_j - v_i) + e_ij (phi_j - phi_i) of the columns asked for; c and e share
/// slices and columns.
template <class T>
struct Drive {
  Rows<T> c;
  const T* e = nullptr;
  const std::int32_t* slot_of = nullptr;
  const double *v = nullptr, *phi = nullptr;
  Asked asked;
  T* source = nullptr;
};

/// What was solved for goes into the history and the next guess is made of it, in the columns asked for:
/// (x, one, two) = (a x + b one + c two, x, one).
struct Recall {
  std::int64_t rows = 0;
  Asked asked;
  PerColumn a, b, c;
  double *x = nullptr, *one = nullptr, *two = nullptr;
};

/// Rows summed by one thread before their sums are added up, so that no bit depends on the threads.
inline constexpr int dot_block = 2048;

/// sums[block * B + column] = sum x y over the block's rows; of x alone where y is null.
template <class Y>
struct Dot {
  std::int64_t rows = 0;
  const double* x = nullptr;
  const Y* y = nullptr;
  double* sums = nullptr;
};

}  // namespace cardiotwin::kernels
