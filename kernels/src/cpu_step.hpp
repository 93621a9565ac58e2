#pragma once
/// CPU executor of the fused step. Included once per instruction set with CT_BACKEND naming it; sees no standard
/// library template, so nothing compiled for a newer processor can be picked up by code that runs everywhere.

#include "members_step.hpp"
#include "model_list.hpp"

namespace cardiotwin::kernels::CT_BACKEND {

inline constexpr int cpu_lanes = 16;

/// Each slice is computed by one thread from the previous step's values alone, so the bits do not depend on the
/// threads.
template <class Model, class T, bool HasLoad>
void advance(const StepArgs<T>& args, std::int64_t first, std::int64_t count, int threads) {
#pragma omp parallel num_threads(threads)
  {
    const StepArgs<T> a = args;
    for (std::int64_t step = first; step < first + count; ++step) {
      const int from = int(step & 1), to = 1 - from;
#pragma omp for schedule(static)
      for (int slice = 0; slice < a.slices; ++slice) {
        step_slice<Model, T, cpu_lanes, cpu_lanes, HasLoad>(a, step, slice, 0, a.vd[from], a.vd[to]);
      }
    }
  }
}

template <class Model, class T, bool HasLoad>
void advance_members(const MembersArgs<T>& args, std::int64_t first, std::int64_t count, int threads) {
#pragma omp parallel num_threads(threads)
  {
    const MembersArgs<T> a = args;
    for (std::int64_t step = first; step < first + count; ++step) {
      const int from = int(step & 1), to = 1 - from;
#pragma omp for schedule(static)
      for (int slot = 0; slot < a.slots; ++slot) {
        step_members<Model, T, ensemble_width, HasLoad>(a, step, slot, a.v[from], a.d[from], a.v[to], a.d[to]);
      }
    }
  }
}

template <class T>
Advance<T> find_advance(int model, bool has_load) {
  return with_model<T>(model, [=]<class Model>() -> Advance<T> {
    return has_load ? &advance<Model, T, true> : &advance<Model, T, false>;
  });
}

template <class T>
AdvanceMembers<T> find_advance_members(int model, bool has_load) {
  return with_model<T>(model, [=]<class Model>() -> AdvanceMembers<T> {
    return has_load ? &advance_members<Model, T, true> : &advance_members<Model, T, false>;
  });
}

template AdvanceMembers<float> find_advance_members<float>(int, bool);
template AdvanceMembers<double> find_advance_members<double>(int, bool);
template Advance<float> find_advance<float>(int, bool);
template Advance<double> find_advance<double>(int, bool);

}  // namespace cardiotwin::kernels::CT_BACKEND
