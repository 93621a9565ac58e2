#pragma once
/// How much memory a core takes, and what to say where that is too much.

#include <cstddef>
#include <string>

namespace cardiotwin::kernels {

/// [B]
struct CoreBytes {
  std::size_t shared = 0, per_member = 0;
  std::size_t of(int members) const { return shared + per_member * std::size_t(members); }
};

/// Empty where a core of so many members of a mesh with so many nodes fits into `free` bytes of a device; else a clause
/// that says how much it needs, how much there is and what would fit.
std::string lack_of_memory(const CoreBytes&, int members, std::size_t nodes, std::size_t free);

}  // namespace cardiotwin::kernels
