#pragma once
/// What the fused step reads and writes: pointers and sizes only, so that every backend agrees on it.

#include <cstdint>

namespace cardiotwin::kernels {

template <class T>
struct StepArgs {
  int slices = 0;
  // Matrix, SELL-C (see step.hpp). diffusion is dt a_ij, load is m_ij; load is null where all m_ij are 0.
  const std::int32_t* slice_start = nullptr;  ///< slices + 1, in columns of C entries
  const std::int32_t* column = nullptr;       ///< slots
  const T* diffusion = nullptr;
  const T* load = nullptr;
  // Cells.
  const T* constants = nullptr;              ///< per set: Model::constant_count numbers
  const T* mixed_constants = nullptr;        ///< per slice whose slots differ: constant by constant, lane by lane
  const std::int32_t* slice_set = nullptr;   ///< the one set of a slice, or -1 - its place in mixed_constants
  const T* stimulus = nullptr;               ///< per slot: dt * amplitude now [mV]
  const std::uint8_t* stimulated = nullptr;  ///< per slice: any stimulus now
  T* states = nullptr;
  T* v[2] = {};  ///< [mV], ping-pong: step k reads v[k % 2]
  T* d[2] = {};  ///< [mV]
  // What is noted on the way. Times are [ms] in fp64 so that long runs keep them exact.
  T threshold = 0, repolarization_level = 0;
  double dt = 0;
  int depth = 0;
  double* activations = nullptr;      ///< per slot: depth times, latest first
  double* repolarizations = nullptr;  ///< per slot
  std::uint8_t* excited = nullptr;    ///< per slot: activated and not yet repolarised
};

/// Runs steps [first, first + count).
template <class T>
using Advance = void (*)(const StepArgs<T>&, std::int64_t first, std::int64_t count, int threads);

}  // namespace cardiotwin::kernels
