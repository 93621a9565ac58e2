#pragma once
/// What lets one kernel body be compiled by g++ (for several instruction sets) and by nvcc.
///
/// Everything below lives in a namespace per backend, named by CT_BACKEND: inline functions that one compiler or one
/// set of flags produced are then never merged by the linker with another's.

#include <cstdint>

#include "step_args.hpp"

#ifndef CT_BACKEND
#define CT_BACKEND host
#endif

#ifdef __CUDACC__
#define CT_HD __host__ __device__ __forceinline__
#define CT_SIMD
#define CT_SIMD_OR(flag)
#else
#define CT_HD [[gnu::always_inline]] inline
#define CT_PRAGMA(text) _Pragma(#text)
#define CT_SIMD CT_PRAGMA(omp simd)
#define CT_SIMD_OR(flag) CT_PRAGMA(omp simd reduction(| : flag))
#endif

namespace cardiotwin::kernels::CT_BACKEND {

template <class T>
struct Bits;
template <>
struct Bits<float> {
  using Word = std::uint32_t;
};
template <>
struct Bits<double> {
  using Word = std::uint64_t;
};

/// cond ? a : b for finite and non-finite numbers alike, as a blend of bits: both sides are always computed, so a loop
/// that calls it stays free of branches and g++ vectorises it.
template <class T>
CT_HD T select(bool cond, T a, T b) {
#ifdef __CUDA_ARCH__
  return cond ? a : b;
#else
  using Word = typename Bits<T>::Word;
  const Word mask = Word(0) - Word(cond);
  return __builtin_bit_cast(T, Word((__builtin_bit_cast(Word, a) & mask) | (__builtin_bit_cast(Word, b) & ~mask)));
#endif
}

/// The larger of x and a bound; NaN where x is NaN.
template <class T>
CT_HD T at_least(T x, T bound) {
  return x < bound ? bound : x;
}
template <class T>
CT_HD T at_most(T x, T bound) {
  return x > bound ? bound : x;
}

/// 1/a and 1/b (and 1/c) for the price of one division, which costs as much as ten multiplications. The caller sees to
/// it that the product neither overflows nor underflows.
template <class T>
struct Inverses {
  T a, b, c;
};
template <class T>
CT_HD Inverses<T> invert(T a, T b) {
  const T r = 1 / (a * b);
  return {b * r, a * r, T(0)};
}
template <class T>
CT_HD Inverses<T> invert(T a, T b, T c) {
  const T ab = a * b, r = 1 / (ab * c), rc = r * c;
  return {b * rc, a * rc, ab * r};
}

/// x = n ln 2 + r with |r| <= ln 2 / 2. Adding 1.5 * 2^(mantissa bits) rounds x / ln 2 to the integer n and leaves it
/// in the low bits of the sum, from where a shift carries it to the exponent. Both compilers must keep the order of
/// these operations, which is why the library is never built with -ffast-math.
template <class T>
struct Reduced;

template <>
struct Reduced<float> {
  float r;
  std::uint32_t n;  ///< shifted to the exponent's place

  CT_HD explicit Reduced(float x) {
    const float t = x * 1.44269504f + 12582912.0f;
    const float whole = t - 12582912.0f;
#if defined(__FMA__) || defined(__CUDA_ARCH__)
    r = __builtin_fmaf(whole, -0.693147182f, x);  // one rounding: off by 2e-9 n, and |n| <= 127
#else
    r = x - whole * 0.693359375f;  // ln 2 in two parts, the first exact in 10 bits
    r = r - whole * -2.12194440e-4f;
#endif
    n = __builtin_bit_cast(std::uint32_t, t) << 23;
  }
  CT_HD float scale(float y) const { return __builtin_bit_cast(float, __builtin_bit_cast(std::uint32_t, y) + n); }
  /// exp(r) by a polynomial whose relative error is 1.0e-7 at most.
  CT_HD float exp() const {
    const float quotient = 4.999923031e-1f + r * (1.666711539e-1f + r * (4.189033172e-2f + r * 8.312501297e-3f));
    return 1 + r * (1 + r * quotient);
  }
  /// exp(r) - 1, to the last digits where r is small: Chebyshev interpolation of (exp(r) - 1 - r) / r^2.
  CT_HD float exp_minus_1() const {
    const float high = 4.16665555e-2f + r * (8.36317905e-3f + r * 1.39261836e-3f);
    return r + r * r * (4.99999999e-1f + r * (1.66665770e-1f + r * high));
  }
  static constexpr float lowest = -87.0f, highest = 88.0f;
};

template <>
struct Reduced<double> {
  double r;
  std::uint64_t n;

  CT_HD explicit Reduced(double x) {
    const double t = x * 1.4426950408889634 + 6755399441055744.0;
    const double whole = t - 6755399441055744.0;
    r = x - whole * 6.93147180369123816490e-01;  // the first part exact in 33 bits
    r = r - whole * 1.90821492927058770002e-10;
    n = __builtin_bit_cast(std::uint64_t, t) << 52;
  }
  CT_HD double scale(double y) const { return __builtin_bit_cast(double, __builtin_bit_cast(std::uint64_t, y) + n); }
  /// As above with degree 9 for the quotient; relative error of exp 1.7e-17 before rounding.
  CT_HD double exp_minus_1() const {
    const double r2 = r * r, r4 = r2 * r2;
    const double q01 = 5.0000000000000010221e-1 + r * 1.6666666666666667453e-1;
    const double q23 = 4.1666666666624127873e-2 + r * 8.3333333333300618325e-3;
    const double q45 = 1.3888888917213716901e-3 + r * 1.9841269863053616878e-4;
    const double q67 = 2.4801521295954375131e-5 + r * 2.7557268459997064770e-6;
    const double q89 = 2.7620088445409748158e-7 + r * 2.5100385495510319638e-8;
    return r + r2 * ((q01 + r2 * q23) + r4 * ((q45 + r2 * q67) + r4 * q89));
  }
  CT_HD double exp() const { return 1 + exp_minus_1(); }
  static constexpr double lowest = -708.0, highest = 709.0;
};

/// exp(x) for |x| < 87, within 2 units in the last place.
template <class T>
CT_HD T exp_bounded(T x) {
  const Reduced<T> reduced(x);
  return reduced.scale(reduced.exp());
}
#ifdef __CUDA_ARCH__
/// On the device a special unit does most of it.
CT_HD float exp_bounded(float x) { return ::expf(x); }
#endif

/// exp(x) for any x <= 88; never below the smallest normal number. NaN stays NaN.
template <class T>
CT_HD T exp_decaying(T x) {
  return exp_bounded(at_least(x, Reduced<T>::lowest));
}

/// exp(x) for any x, the largest finite number at most. NaN stays NaN.
template <class T>
CT_HD T exp_clamped(T x) {
  return exp_decaying(at_most(x, Reduced<T>::highest));
}

/// 1 - exp(-x) for x >= 0, to full relative accuracy however small x is: what a gate moves in one step.
template <class T>
CT_HD T approach(T x) {
  const Reduced<T> reduced(at_least(-x, Reduced<T>::lowest));
  const T power = reduced.scale(T(1));
  return (1 - power) - power * reduced.exp_minus_1();
}

/// The same for 0 <= x << 1, a gate much slower than the step: Taylor series, relative error x^6 / 5040.
template <class T>
CT_HD T approach_slowly(T x) {
  const T high = T(1 / 24.0) - x * (T(1 / 120.0) - x * T(1 / 720.0));
  return x * (1 - x * (T(1 / 2.0) - x * (T(1 / 6.0) - x * high)));
}

/// Natural logarithm of a positive normal number, within 2 units in the last place. x = 2^n m, m in [sqrt 1/2, sqrt 2);
/// with s = (m - 1) / (m + 1), ln m = 2 atanh s = s (2 + s^2 P(s^2)). Zero and negative numbers give NaN.
CT_HD float log(float x) {
  constexpr std::uint32_t root_half = 0x3f3504f3u;
  const std::uint32_t shifted = __builtin_bit_cast(std::uint32_t, x) - root_half;
  const float n = float(std::int32_t(shifted) >> 23);
  const float m = __builtin_bit_cast(float, (shifted & 0x007fffffu) + root_half);
  const float s = (m - 1) / (m + 1);
  const float z = s * s;
  const float p = 6.66666666e-1f + z * (4.00001219e-1f + z * (2.85508197e-1f + z * 2.33305629e-1f));
  const float result = n * 0.693359375f + (s * (2 + z * p) + n * -2.12194440e-4f);
  return select(x > 0, result, __builtin_bit_cast(float, 0x7fc00000u));
}

CT_HD double log(double x) {
  constexpr std::uint64_t root_half = 0x3fe6a09e667f3bcdull;
  // n + 1023 >= 0 sits in the top bits; or-ing it into the mantissa of 2^52 turns it into a number without a
  // conversion.
  constexpr std::uint64_t bias = 1023ull << 52;
  const std::uint64_t shifted = __builtin_bit_cast(std::uint64_t, x) - root_half;
  const double n =
      __builtin_bit_cast(double, ((shifted + bias) >> 52) | 0x4330000000000000ull) - (4503599627370496.0 + 1023);
  const double m = __builtin_bit_cast(double, (shifted & 0x000fffffffffffffull) + root_half);
  const double s = (m - 1) / (m + 1);
  const double z = s * s, z2 = z * z;
  const double q01 = 6.6666666666666664650e-1 + z * 4.0000000000000877511e-1;
  const double q23 = 2.8571428570803290887e-1 + z * 2.2222222391786421503e-1;
  const double q45 = 1.8181795632400486436e-1 + z * 1.5386240122866316454e-1;
  const double q67 = 1.3268761899234772783e-1 + z * 1.3086743611213780436e-1;
  const double p = (q01 + z2 * q23) + z2 * z2 * (q45 + z2 * q67);
  const double result = n * 6.93147180369123816490e-01 + (s * (2 + z * p) + n * 1.90821492927058770002e-10);
  return select(x > 0, result, __builtin_bit_cast(double, 0x7ff8000000000000ull));
}

/// Square root: one instruction everywhere.
#ifdef __CUDA_ARCH__
CT_HD float sqrt(float x) { return ::sqrtf(x); }
CT_HD double sqrt(double x) { return ::sqrt(x); }
#else
CT_HD float sqrt(float x) { return __builtin_sqrtf(x); }
CT_HD double sqrt(double x) { return __builtin_sqrt(x); }
#endif

/// exp(x) at compile time: integer part by repeated multiplication, the rest by Taylor series. Relative error below
/// 1e-14.
consteval double exponential(double x) {
  double sum = 1, term = 1, power = 1;
  const double step = x < 0 ? 1 / 2.718281828459045235 : 2.718281828459045235;
  while (x > 0.5 || x < -0.5) {
    x += x < 0 ? 1 : -1;
    power *= step;
  }
  for (int k = 1; k < 20; ++k) sum += term *= x / k;
  return power * sum;
}

/// V and its latest reaction increment of a node lie together, so that a neighbour costs one access. In fp32 the host
/// reads both as one word: g++ then gathers half as many addresses.
CT_HD Pair<float> load_pair(const Pair<float>* from) {
#ifdef __CUDA_ARCH__
  return *from;
#else
  using Word [[gnu::may_alias]] = std::uint64_t;
  const std::uint64_t word = *reinterpret_cast<const Word*>(from);
  return {__builtin_bit_cast(float, std::uint32_t(word)), __builtin_bit_cast(float, std::uint32_t(word >> 32))};
#endif
}
CT_HD Pair<double> load_pair(const Pair<double>* from) { return {from->v, from->d}; }

/// Asks for memory that will be needed soon; the hardware looks less far ahead. Reading past the end is harmless.
CT_HD void prefetch(const void* address) {
#ifndef __CUDA_ARCH__
  __builtin_prefetch(address, 0, 2);
#else
  (void)address;
#endif
}

}  // namespace cardiotwin::kernels::CT_BACKEND
