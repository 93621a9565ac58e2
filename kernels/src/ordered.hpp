#pragma once
/// Numbers as integers in the same order, so that a device's atomic maximum serves them.

#include "portable.hpp"

namespace cardiotwin::kernels::CT_BACKEND {

using Ordered = unsigned long long;

/// Above all others; in_order's inverse makes a NaN of it.
inline constexpr Ordered not_finite = ~0ull;

/// For finite x and infinities. Never 0. Negative numbers grow as their bits fall, and come before the others.
CT_HD Ordered in_order(double x) {
  const auto bits = __builtin_bit_cast(Ordered, x);
  return bits >> 63 ? ~bits : bits | 1ull << 63;
}

CT_HD double from_order(Ordered code) { return __builtin_bit_cast(double, code >> 63 ? code & ~(1ull << 63) : ~code); }

}  // namespace cardiotwin::kernels::CT_BACKEND
