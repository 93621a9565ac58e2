#pragma once
/// Executor of the CPU over a kind of memory: OpenMP over slices.

#include <algorithm>
#include <cardiotwin/kernels/engine.hpp>
#include <cmath>
#include <limits>

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

/// Largest V of one member; NaN if any is not finite. The first `nodes` slots are nodes.
template <class Values>
double largest_voltage(const Values& vd, std::size_t nodes, int members, int m) {
  double largest = -std::numeric_limits<double>::infinity();
  bool finite = true;
  for (std::size_t slot = 0; slot < nodes; ++slot) {
    const double x = double(vd[2 * slot * std::size_t(members) + std::size_t(m)]);
    finite = finite && std::isfinite(x);
    largest = std::max(largest, x);
  }
  return finite ? largest : std::numeric_limits<double>::quiet_NaN();
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
    advance_(args, react_, first, count, std::clamp(args.slices / 8, 1, threads_));
  }

  double max(const Memory<T>& vd, std::size_t nodes, int members, int m) const {
    return largest_voltage(vd.peek(), nodes, members, m);
  }

  std::string name() const { return name_; }

 private:
  std::string name_;
  Advance<T> advance_;
  React<T> react_;
  int threads_;
};

}  // namespace cardiotwin::kernels
