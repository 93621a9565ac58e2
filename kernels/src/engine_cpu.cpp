// CPU engine: OpenMP over slices, the instruction set chosen at run time.
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu_variants.hpp"
#include "engine_factories.hpp"
#include "engine_impl.hpp"
#include "host_buffer.hpp"

namespace cardiotwin::kernels {
namespace {

template <class T>
class CpuExecutor {
 public:
  static constexpr int lanes = 16;
  template <class U>
  using Buffer = HostBuffer<U>;

  CpuExecutor(const char* variant, Advance<T> step, int threads)
      : variant_(variant), advance_(step), threads_(threads > 0 ? threads : omp_get_max_threads()) {}

  void advance(const StepArgs<T>& args, std::int64_t first, std::int64_t count) const {
    // A thread with fewer than 8 slices would wait longer at the barrier than it computes.
    advance_(args, first, count, std::clamp(args.slices / 8, 1, threads_));
  }

  double max(const HostBuffer<Pair<T>>& vd, std::size_t nodes) const {
    double largest = -std::numeric_limits<double>::infinity();
    bool finite = true;
    for (std::size_t i = 0; i < nodes; ++i) {
      const double x = double(vd.data()[i].v);
      finite = finite && std::isfinite(x);
      largest = std::max(largest, x);
    }
    return finite ? largest : std::numeric_limits<double>::quiet_NaN();
  }

  std::string name() const { return std::string("cpu/") + variant_; }

 private:
  const char* variant_;
  Advance<T> advance_;
  int threads_;
};

}  // namespace

std::span<const CpuVariant> cpu_variants() {
  static const std::vector<CpuVariant> usable = [] {
    std::vector<CpuVariant> result;
#ifdef CARDIOTWIN_X86
    __builtin_cpu_init();
    const bool fma = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (fma && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
      result.push_back({"avx512", &avx512::find_advance<float>, &avx512::find_advance<double>,
                        &avx512::find_advance_members<float>, &avx512::find_advance_members<double>});
    }
    if (fma)
      result.push_back({"avx2", &avx2::find_advance<float>, &avx2::find_advance<double>,
                        &avx2::find_advance_members<float>, &avx2::find_advance_members<double>});
#endif
    result.push_back({"baseline", &baseline::find_advance<float>, &baseline::find_advance<double>,
                      &baseline::find_advance_members<float>, &baseline::find_advance_members<double>});
    return result;
  }();
  return usable;
}

std::unique_ptr<Engine> make_cpu_engine(const Problem& p, int threads, const CpuVariant& variant) {
  const int model = operations(*p.model).index;
  const bool load = std::any_of(p.load.begin(), p.load.end(), [](double m) { return m != 0; });
  if (p.real == Real::fp32) {
    return std::make_unique<host::EngineImpl<float, CpuExecutor<float>>>(
        p, CpuExecutor<float>(variant.name, variant.fp32(model, load), threads));
  }
  return std::make_unique<host::EngineImpl<double, CpuExecutor<double>>>(
      p, CpuExecutor<double>(variant.name, variant.fp64(model, load), threads));
}

std::unique_ptr<Engine> make_cpu_engine(const Problem& p, int threads) {
  return make_cpu_engine(p, threads, cpu_variants().front());
}

}  // namespace cardiotwin::kernels
