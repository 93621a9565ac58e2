#pragma once
/// What lets one kernel body be compiled by g++ (for several instruction sets) and by nvcc.
///
/// Everything below lives in a namespace per backend, named by CT_BACKEND: inline functions that one compiler or one
/// set of flags produced are then never merged by the linker with another's.

#include <cstdint>

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

}  // namespace cardiotwin::kernels::CT_BACKEND
