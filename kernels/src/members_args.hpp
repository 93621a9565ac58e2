#pragma once
/// What the fused step of an ensemble reads and writes: as step_args.hpp, for B members on one mesh.

#include <cstdint>

#include "step_args.hpp"

namespace cardiotwin::kernels {

/// Members of an ensemble computed side by side. Sixteen fill a cache line in fp32, and a vector of AVX-512.
inline constexpr int ensemble_width = 16;

/// Slots and entries as in StepArgs with one lane per slice; numbers of one slot lie member by member:
/// x[slot * B + member].
template <class T>
struct MembersArgs {
  int slots = 0;
  const std::int32_t* row_start = nullptr;  ///< slots + 1
  const std::int32_t* column = nullptr;     ///< slots
  const Weight<T>* diffusion = nullptr;
  const Weight<T>* load = nullptr;
  const T* diffusion_scale = nullptr;          ///< per slot
  const T* load_scale = nullptr;               ///< per slot
  const T* constants = nullptr;                ///< per set: Model::constant_count numbers, the same for all members
  const std::uint8_t* set = nullptr;           ///< per slot
  const std::int32_t* stimulus_row = nullptr;  ///< per slot: its row in stimulus, -1 where no member is stimulated
  const T* stimulus = nullptr;                 ///< rows of B: dt * amplitude now [mV]
  T* states = nullptr;                         ///< (slot * state_count + state) * B + member
  T* v[2] = {};                                ///< ping-pong, as d
  T* d[2] = {};
  T threshold = 0, repolarization_level = 0;
  double dt = 0;
  int depth = 0;
  const std::int64_t* lead = nullptr;  ///< per member: its own step is the common one plus this
  double* activations = nullptr;       ///< per slot and member: depth times, latest first
  double* repolarizations = nullptr;
  std::uint8_t* excited = nullptr;
};

/// Runs common steps [first, first + count).
template <class T>
using AdvanceMembers = void (*)(const MembersArgs<T>&, std::int64_t first, std::int64_t count, int threads);

}  // namespace cardiotwin::kernels
