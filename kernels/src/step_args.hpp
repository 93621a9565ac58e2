#pragma once
/// What the fused step reads and writes: pointers and sizes only, so that every backend agrees on it.

#include <cstdint>

namespace cardiotwin::kernels {

/// V and the reaction increment of V of the last step [mV], or what they are weighed with.
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

/// Weights of diffusion and of the ionic load for one entry, which the step always reads together: in fp32 the low and
/// the high half of a word.
template <class T>
struct WeightPairOf;
template <>
struct WeightPairOf<float> {
  using type = std::int32_t;
};
template <>
struct WeightPairOf<double> {
  using type = Pair<double>;
};
template <class T>
using WeightPair = typename WeightPairOf<T>::type;

/// A layer of weights over the entries of the matrix; null where it is absent.
template <class T>
struct Weights {
  const Weight<T>* entry = nullptr;
  const T* scale = nullptr;  ///< per slot
  bool operator==(const Weights&) const = default;
};

/// Cells of one slice: from V after diffusion and `lanes` cells' states to the reaction increments of V. `constants`
/// are those of one cell, or lane by lane where `mixed`.
template <class T>
using React = void (*)(T dt, const T* v, T* d, T* states, const T* constants, bool mixed);

/// Stages of a stabilised step, at most.
inline constexpr int stage_limit = 16;

/// B members live on the same mesh. A slice has L lanes: the B members of L / B consecutive slots, members fastest, so
/// number n = slot * B + member counts the lanes of all slices. Entry k of the rows of a slice lies at
/// (slice_start + k) * (L / B) + slot in slice; short rows are padded with weight 0 and the slot's own index.
template <class T>
struct StepArgs {
  int slices = 0;
  int nodes = 0, members = 1;  ///< the first `nodes` slots have nodes
  // Matrix.
  const std::int32_t* slice_start = nullptr;                  ///< slices + 1
  const std::int32_t* column = nullptr;                       ///< slots
  const WeightPair<T>* weight = nullptr;                      ///< dt a_ij and m_ij
  const T *diffusion_scale = nullptr, *load_scale = nullptr;  ///< per slot
  // Diffusion along the fibre by nodal gradients: p = D_i sum_j b_ij (V_j - V_i), then V gains dt sum_j b_ji p_j.
  Weights<T> gradient;           ///< b_ij, its scale times D_i
  Weights<T> divergence;         ///< b_ji dt / (capacity of i)
  const T* own_share = nullptr;  ///< per slot: the divergence's diagonal
  T* along = nullptr;            ///< per number: p
  const T* source = nullptr;     ///< per number: what dt L V gains [mV], held from one elliptic solve to the next
  // What members have of their own; null where none has.
  const T* half_factor = nullptr;         ///< per number: half the factor of its conductivity
  const std::int32_t* own_row = nullptr;  ///< per number: its row below; -1: the shared one, -2: dead
  int own_width = 0;                      ///< entries of each, in the order of the shared row
  const T *own_diffusion = nullptr, *own_load = nullptr, *own_gradient = nullptr, *own_divergence = nullptr;
  const T* own_row_share = nullptr;       ///< per row: the divergence's diagonal
  const std::uint8_t* has_own = nullptr;  ///< per slice: any number in it that is not as the problem says
  // Cells.
  const T* constants = nullptr;                ///< per set: the model's constants
  const T* mixed_constants = nullptr;          ///< blocks of constants, lane by lane
  const std::int32_t* slice_set = nullptr;     ///< per slice: its set, or -1 - its block in mixed_constants
  const std::int32_t* stimulus_row = nullptr;  ///< per slice: its row in stimulus, -1 where none is stimulated
  const T* stimulus = nullptr;                 ///< rows of L: dt * amplitude now [mV]
  T* states = nullptr;                         ///< (slice * state_count + state) * L + lane
  int state_count = 0, constant_count = 0;
  T dt_cells = 0;
  // V is stored as its difference from the model's rest: there it creeps by less than fp32 would resolve at -80 mV, and
  // cells that remember how long they were at rest would remember wrongly.
  T rest = 0;  ///< [mV]
  // V and d of slot s, member m: vd[(2 s) * B + m] and vd[(2 s + 1) * B + m]. Ping-pong: step k reads vd[k % 2].
  T* vd[2] = {};
  // Stabilised steps (Runge-Kutta-Legendre, Meyer et al. 2014, doi 10.1016/j.jcp.2013.08.021, first order):
  // Y_j = mu_j Y_(j-1) + (1 - mu_j) Y_(j-2) + step_j L Y_(j-1). One stage: the plain explicit step.
  int stages = 1;
  T mu[stage_limit] = {1}, share[stage_limit] = {1};
  T* stage[2] = {};  ///< laid out as vd
  // What is noted on the way. Times are [ms] in fp64 so that long runs keep them exact.
  T threshold = 0, repolarization_level = 0;  ///< above rest
  double dt = 0;
  int depth = 0;
  const std::int64_t* lead = nullptr;  ///< per member: its own step is the common one plus this
  double* activations = nullptr;       ///< per number: depth times, latest first
  double* repolarizations = nullptr;   ///< per number
  std::uint8_t* excited = nullptr;     ///< per number: activated and not yet repolarised
  bool operator==(const StepArgs&) const = default;
};

/// Runs common steps [first, first + count) on the CPU. `barrier` is a Barrier for so many threads.
template <class T>
using Advance = void (*)(const StepArgs<T>&, React<T>, std::int64_t first, std::int64_t count, int threads,
                         void* barrier);

}  // namespace cardiotwin::kernels
