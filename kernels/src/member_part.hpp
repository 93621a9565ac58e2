#pragma once
/// What one member has of a buffer in which the members' numbers stand side by side.

#include "portable.hpp"

namespace cardiotwin::kernels::CT_BACKEND {

/// Run `member` of every `members` runs of `length` numbers.
struct MemberPart {
  std::int64_t member = 0, members = 1, length = 1;

  /// Where number k of the part is in the buffer.
  CT_HD std::int64_t index(std::int64_t k) const {
    return length == 1 ? k * members + member : (k / length * members + member) * length + k % length;
  }
};

}  // namespace cardiotwin::kernels::CT_BACKEND
