#pragma once
/// The part of a heart that conducts, numbered for the engine; private to the physics room.

#include <cardiotwin/twin.hpp>
#include <vector>

namespace cardiotwin {

/// Conducting tets and their nodes in engine order: by region, then along a Hilbert curve, so that neighbours lie close
/// in memory. Tets are sorted too and their corners put in a standard order, so that renumbering the input changes no
/// bit of what is computed from this.
struct ActivePart {
  std::vector<Vec3> points;
  std::vector<Tet> tets;           ///< engine numbers, positive volume
  std::vector<Index> mesh_tet;     ///< per tet
  std::vector<Index> mesh_node;    ///< per engine node
  std::vector<Index> engine_node;  ///< per mesh node; -1 where it does not conduct
  std::vector<std::uint8_t>
      region;  ///< per engine node: index into region_names; the region with most volume around it
  std::vector<std::string> region_names;  ///< conducting regions that occur, by ascending label
  std::vector<std::uint8_t> tet_region;   ///< per tet: index into region_names
  std::vector<Vec3> fiber;                ///< per tet
};

/// Throws InputError for a label without a name, a region the tissue does not know, and where nothing conducts.
ActivePart active_part(const Twin&);

/// Position along a Hilbert curve of 2^16 cells per side over the cube at `low` with side 1 / `per_side`.
std::uint64_t hilbert_key(const Vec3& point, const Vec3& low, double per_side);

}  // namespace cardiotwin
