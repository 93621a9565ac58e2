#pragma once
/// CPU executor of the fused step. Included once per instruction set with CT_BACKEND naming it; sees no standard
/// library template, so nothing compiled for a newer processor can be picked up by code that runs everywhere.

#include <omp.h>

#include "cpu_variant.hpp"
#include "step.hpp"

namespace cardiotwin::kernels {
void meet(void* barrier);  ///< Barrier::wait (barrier.hpp), as a plain function: no standard library is compiled here
}

namespace cardiotwin::kernels::CT_BACKEND {

inline constexpr int cpu_lanes = 16;

/// V is stored above rest, so ahead of a wave it falls to numbers too small for a full mantissa, and each of those
/// costs the processor a hundred cycles. While this lives the thread takes them for zero.
class TinyIsZero {
 public:
  TinyIsZero() {
#ifdef __SSE__
    saved_ = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(saved_ | 0x8040);  // results (FTZ) and operands (DAZ)
#endif
  }
  ~TinyIsZero() {
#ifdef __SSE__
    __builtin_ia32_ldmxcsr(saved_);
#endif
  }
  TinyIsZero(const TinyIsZero&) = delete;
  TinyIsZero& operator=(const TinyIsZero&) = delete;

 private:
  unsigned saved_ = 0;
};

/// Each slice is computed by one thread from the previous pass's values alone, so the bits do not depend on the
/// threads.
template <class T, int B>
void advance_part(const StepArgs<T>& a, React<T> react, std::int64_t first, std::int64_t count, int thread, int threads,
                  void* barrier) {
  constexpr int L = cpu_lanes;
  const auto cells = [&](const T* v, T* d, T* states, const T* constants, bool mixed) {
    react(a.dt_cells, v, d, states, constants, mixed);
  };
  const int from = int(std::int64_t(a.slices) * thread / threads),
            to = int(std::int64_t(a.slices) * (thread + 1) / threads);
  for (std::int64_t step = first; step < first + count; ++step) {
    const T* start = a.vd[step & 1];
    const T *now = start, *before = start;
    for (int j = 0; j < a.stages; ++j) {
      if (a.gradient.entry) {
        for (int slice = from; slice < to; ++slice) gradient_slice<T, L, L, B>(a, slice, 0, now);
        meet(barrier);
      }
      if (j == a.stages - 1) break;
      T* out = a.stage[j & 1];
      for (int slice = from; slice < to; ++slice) stage_slice<T, L, L, B>(a, j, slice, 0, now, before, out);
      meet(barrier);
      before = now;
      now = out;
    }
    T* out = a.vd[1 - (step & 1)];
    for (int slice = from; slice < to; ++slice) {
      finish_slice<T, L, L, B>(a, step, slice, 0, start, now, before, out, cells);
    }
    meet(barrier);
  }
}

template <class T, int B>
void advance(const StepArgs<T>& args, React<T> react, std::int64_t first, std::int64_t count, int threads,
             void* barrier) {
#pragma omp parallel num_threads(threads)
  {
    const TinyIsZero whole_step;
    const StepArgs<T> own = args;
    advance_part<T, B>(own, react, first, count, omp_get_thread_num(), threads, barrier);
  }
}

/// The step for `members` in {1, 16}.
template <class T>
Advance<T> find_advance(int members) {
  return members == 16 ? &advance<T, 16> : &advance<T, 1>;
}

#define CT_MODEL(function, functor) \
  React<float> function##_fp32();   \
  React<double> function##_fp64();
#include "ionic/models.inc"
#undef CT_MODEL

inline React<float> find_react_fp32(int model) {
#define CT_MODEL(function, functor) &function##_fp32,
  static constexpr React<float> (*all[])() = {
#include "ionic/models.inc"
  };
#undef CT_MODEL
  return all[model]();
}

inline React<double> find_react_fp64(int model) {
#define CT_MODEL(function, functor) &function##_fp64,
  static constexpr React<double> (*all[])() = {
#include "ionic/models.inc"
  };
#undef CT_MODEL
  return all[model]();
}

}  // namespace cardiotwin::kernels::CT_BACKEND
