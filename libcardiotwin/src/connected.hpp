#pragma once
/// Connected pieces of tissue, private to the physics room.

#include <cardiotwin/anatomy.hpp>
#include <cstdint>
#include <vector>

namespace cardiotwin {

/// Numbers the pieces of the tets with `use[tet] != 0` that hang together through shared nodes, the largest volume
/// first (0); -1 elsewhere.
struct Pieces {
  std::vector<Index> of;       ///< per tet
  std::vector<double> volume;  ///< per piece [mm3], descending
};
Pieces connected_pieces(const Mesh&, const std::vector<std::uint8_t>& use);

/// Per tet: 1 on the largest connected piece of tissue that is not core.
std::vector<std::uint8_t> largest_conducting_component(const Anatomy&);

}  // namespace cardiotwin
