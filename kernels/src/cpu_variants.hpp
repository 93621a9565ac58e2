#pragma once
/// The choice among instruction sets.

#include <cardiotwin/kernels/engine.hpp>
#include <memory>
#include <span>

#include "cpu_variant.hpp"

namespace cardiotwin::kernels {

/// Those this processor can run, the fastest first. Never empty.
std::span<const CpuVariant> cpu_variants();

/// Engine with a given variant, so that tests can compare them.
std::unique_ptr<Engine> make_cpu_engine(const Problem&, int threads, const CpuVariant&);

}  // namespace cardiotwin::kernels
