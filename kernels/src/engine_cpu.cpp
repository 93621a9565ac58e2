// CPU engine: the instruction set is chosen at run time.
#include <omp.h>

#include "core_impl.hpp"
#include "cpu_executor.hpp"
#include "cpu_variants.hpp"
#include "host_buffer.hpp"

namespace cardiotwin::kernels {

namespace baseline {
extern const CpuVariant variant;
}
#ifdef CARDIOTWIN_X86
namespace avx2 {
extern const CpuVariant variant;
}
namespace avx512 {
extern const CpuVariant variant;
}
#endif

std::span<const CpuVariant> cpu_variants() {
  static const std::vector<CpuVariant> usable = [] {
    std::vector<CpuVariant> result;
#ifdef CARDIOTWIN_X86
    __builtin_cpu_init();
    const bool fma = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (fma && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
      result.push_back(avx512::variant);
    }
    if (fma) result.push_back(avx2::variant);
#endif
    result.push_back(baseline::variant);
    return result;
  }();
  return usable;
}

namespace {

template <class T>
std::unique_ptr<Core> make(const Problem& p, int members, int threads, const CpuVariant& variant) {
  using Executor = CpuExecutor<T, HostBuffer>;
  Executor executor(std::string("cpu/") + variant.name, variant, members, operations(*p.model).index,
                    threads > 0 ? threads : omp_get_max_threads());
  return std::make_unique<host::CoreImpl<T, Executor>>(p, members, std::move(executor));
}

}  // namespace

std::unique_ptr<Core> make_cpu_core(const Problem& p, int members, int threads, const CpuVariant& variant) {
  return p.real == Real::fp32 ? make<float>(p, members, threads, variant) : make<double>(p, members, threads, variant);
}

std::unique_ptr<Core> make_cpu_core(const Problem& p, int members, int threads) {
  return make_cpu_core(p, members, threads, cpu_variants().front());
}

std::unique_ptr<Engine> make_cpu_engine(const Problem& p, int threads, const CpuVariant& variant) {
  return engine_alone(make_cpu_core(p, 1, threads, variant));
}

}  // namespace cardiotwin::kernels
