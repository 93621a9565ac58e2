#pragma once
/// What the fused step reads and writes: pointers and sizes only, so that every backend agrees on it.

#include <cstdint>

namespace cardiotwin::kernels {

/// V and the reaction increment of V of the last step, side by side. [mV]
template <class T>
struct alignas(2 * sizeof(T)) Pair {
  T v, d;
};

/// How a matrix entry is stored. The step is bound by memory, and most of what it reads is the matrix, so fp32 keeps 16
/// bits: entry = stored * (scale of the row). The error, 1.5e-5 of the row's largest entry, moves the velocity by less
/// than that, a hundredth of what the mesh does. fp64 stores entries as they are, scale 1.
template <class T>
struct WeightOf;
template <>
struct WeightOf<float> {
  using type = std::int16_t;
  static constexpr double largest = 32767;
};
template <>
struct WeightOf<double> {
  using type = double;
};
template <class T>
using Weight = typename WeightOf<T>::type;

template <class T>
struct StepArgs {
  int slices = 0;
  // Matrix, SELL-C (see step.hpp). diffusion is dt a_ij, load is m_ij; load is null where all m_ij are 0.
  const std::int32_t* slice_start = nullptr;  ///< slices + 1, in columns of C entries
  const std::int32_t* column = nullptr;       ///< slots
  const Weight<T>* diffusion = nullptr;
  const Weight<T>* load = nullptr;
  const T* diffusion_scale = nullptr;  ///< per slot
  const T* load_scale = nullptr;       ///< per slot
  // Cells.
  const T* constants = nullptr;              ///< per set: Model::constant_count numbers
  const T* mixed_constants = nullptr;        ///< per slice whose slots differ: constant by constant, lane by lane
  const std::int32_t* slice_set = nullptr;   ///< the one set of a slice, or -1 - its place in mixed_constants
  const T* stimulus = nullptr;               ///< per slot: dt * amplitude now [mV]
  const std::uint8_t* stimulated = nullptr;  ///< per slice: any stimulus now
  T* states = nullptr;
  Pair<T>* vd[2] = {};  ///< ping-pong: step k reads vd[k % 2]
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
