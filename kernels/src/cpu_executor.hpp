#pragma once
/// Executor of the CPU over a kind of memory: OpenMP over slices.

#include <algorithm>
#include <cardiotwin/kernels/engine.hpp>
#include <limits>
#include <vector>

#include "barrier.hpp"
#include "cpu_variant.hpp"

namespace cardiotwin::kernels {

template <class T>
Advance<T> find_advance(const CpuVariant& variant, int members, bool has_load) {
  if constexpr (sizeof(T) == 4) {
    return variant.fp32(members, has_load);
  } else {
    return variant.fp64(members, has_load);
  }
}
template <class T>
React<T> find_react(const CpuVariant& variant, int model) {
  if constexpr (sizeof(T) == 4) {
    return variant.react_fp32(model);
  } else {
    return variant.react_fp64(model);
  }
}

/// Largest V of each member; NaN where any is not finite. The first `nodes` slots are nodes.
template <class Values>
std::vector<double> largest_voltages(const Values& vd, std::size_t nodes, std::size_t members) {
  // x - x is 0 for finite x and NaN else, and NaN stays in the sum.
  std::vector<double> largest(members, -std::numeric_limits<double>::infinity()), spoilt(members, 0.0);
  for (std::size_t slot = 0; slot < nodes; ++slot) {
    for (std::size_t m = 0; m < members; ++m) {
      const double x = double(vd[2 * slot * members + m]);
      largest[m] = x > largest[m] ? x : largest[m];
      spoilt[m] += x - x;
    }
  }
  for (std::size_t m = 0; m < members; ++m) largest[m] += spoilt[m];
  return largest;
}

template <class T, template <class> class Memory>
class CpuExecutor {
 public:
  static constexpr int lanes = 16;
  static constexpr bool always_loads = false;
  template <class U>
  using Buffer = Memory<U>;

  CpuExecutor(std::string name, Advance<T> step, React<T> react, int threads)
      : name_(std::move(name)), advance_(step), react_(react), threads_(threads) {}

  void advance(const StepArgs<T>& args, std::int64_t first, std::int64_t count) const {
    [[maybe_unused]] const typename Memory<T>::InUse open;
    // A thread with fewer than 8 slices would wait longer at the barrier than it computes.
    const int threads = std::clamp(args.slices / 8, 1, threads_);
    Barrier barrier(threads);
    advance_(args, react_, first, count, threads, &barrier);
  }

  std::vector<double> largest(const Memory<T>& vd, std::size_t nodes, std::size_t members) const {
    return largest_voltages(vd.peek(), nodes, members);
  }

  std::string name() const { return name_; }

 private:
  std::string name_;
  Advance<T> advance_;
  React<T> react_;
  int threads_;
};

}  // namespace cardiotwin::kernels
