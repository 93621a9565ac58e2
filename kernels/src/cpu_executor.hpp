#pragma once
/// Executor of the CPU over a kind of memory: OpenMP over slices.

#include <algorithm>
#include <cardiotwin/kernels/engine.hpp>
#include <limits>
#include <vector>

#include "barrier.hpp"
#include "cpu_variant.hpp"
#include "elliptic/cpu_executor.hpp"

namespace cardiotwin::kernels {

template <class T>
Advance<T> find_advance(const CpuVariant& variant, int members) {
  if constexpr (sizeof(T) == 4) {
    return variant.fp32(members);
  } else {
    return variant.fp64(members);
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

/// Largest V of each of B members over living nodes, which are the first `nodes` slots; NaN where any is not finite.
template <class T, int B>
std::vector<double> largest_voltages(const T* vd, const std::int32_t* own_row, std::size_t nodes, int threads) {
  constexpr T none = -std::numeric_limits<T>::infinity();
  std::vector<double> result(B, none);
#pragma omp parallel num_threads(threads)
  {
    // x - x is 0 for finite x and NaN else, and NaN stays in the sum.
    T largest[B], spoilt[B] = {};
    std::fill_n(largest, B, none);
#pragma omp for nowait
    for (std::size_t slot = 0; slot < nodes; ++slot) {
      for (std::size_t m = 0; m < B; ++m) {
        const bool dead = own_row && own_row[slot * B + m] == -2;
        const T x = dead ? T(0) : vd[2 * slot * B + m];
        largest[m] = !dead && x > largest[m] ? x : largest[m];
        spoilt[m] += x - x;
      }
    }
#pragma omp critical
    for (std::size_t m = 0; m < B; ++m) result[m] = std::max(result[m], double(largest[m])) + double(spoilt[m]);
  }
  return result;
}

template <class T, template <class> class Memory>
class CpuExecutor {
 public:
  static constexpr int lanes = 16;
  template <class U>
  using Buffer = Memory<U>;

  using Elliptic = CpuEllipticExecutor<Memory>;

  /// The step for `members` of `model` compiled for an instruction set.
  CpuExecutor(std::string name, const CpuVariant& variant, int members, int model, int threads)
      : name_(std::move(name)),
        variant_(&variant),
        advance_(find_advance<T>(variant, members)),
        react_(find_react<T>(variant, model)),
        threads_(threads) {}

  Elliptic elliptic() const { return Elliptic(*variant_, threads_); }

  std::vector<double> advance(const StepArgs<T>& args, std::int64_t first, std::int64_t count) const {
    [[maybe_unused]] const typename Memory<T>::InUse open;
    // A thread with fewer than 8 slices would wait longer at the barrier than it computes.
    const int threads = std::clamp(args.slices / 8, 1, threads_);
    Barrier barrier(threads);
    advance_(args, react_, first, count, threads, &barrier);
    return {};
  }

  std::vector<double> largest(const StepArgs<T>& args, int at) const {
    [[maybe_unused]] const typename Memory<T>::InUse open;
    const auto nodes = std::size_t(args.nodes);
    return args.members == 16 ? largest_voltages<T, 16>(args.vd[at], args.own_row, nodes, threads_)
                              : largest_voltages<T, 1>(args.vd[at], args.own_row, nodes, threads_);
  }

  std::string name() const { return name_; }
  void use_threads(int threads) { threads_ = threads; }

 private:
  std::string name_;
  const CpuVariant* variant_;
  Advance<T> advance_;
  React<T> react_;
  int threads_;
};

}  // namespace cardiotwin::kernels
