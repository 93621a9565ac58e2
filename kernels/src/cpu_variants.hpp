#pragma once
/// The fused step as compiled for each instruction set (cpu_*.cpp), and the choice among them.

#include <cardiotwin/kernels/engine.hpp>
#include <memory>
#include <span>

#include "members_args.hpp"

namespace cardiotwin::kernels {

namespace baseline {
template <class T>
Advance<T> find_advance(int model, bool has_load);
template <class T>
AdvanceMembers<T> find_advance_members(int model, bool has_load);
}  // namespace baseline
#ifdef CARDIOTWIN_X86
namespace avx2 {
template <class T>
Advance<T> find_advance(int model, bool has_load);
template <class T>
AdvanceMembers<T> find_advance_members(int model, bool has_load);
}  // namespace avx2
namespace avx512 {
template <class T>
Advance<T> find_advance(int model, bool has_load);
template <class T>
AdvanceMembers<T> find_advance_members(int model, bool has_load);
}  // namespace avx512
#endif

struct CpuVariant {
  const char* name;
  Advance<float> (*fp32)(int model, bool has_load);
  Advance<double> (*fp64)(int model, bool has_load);
  AdvanceMembers<float> (*members_fp32)(int model, bool has_load);
  AdvanceMembers<double> (*members_fp64)(int model, bool has_load);
};

/// Those this processor can run, the fastest first. Never empty.
std::span<const CpuVariant> cpu_variants();

/// Engine with a given variant, so that tests can compare them.
std::unique_ptr<Engine> make_cpu_engine(const Problem&, int threads, const CpuVariant&);

}  // namespace cardiotwin::kernels
