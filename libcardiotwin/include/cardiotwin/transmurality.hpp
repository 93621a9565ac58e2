#pragma once
/// How much of the wall, from endo- to epicardium, is scar.

#include <array>
#include <cardiotwin/anatomy.hpp>
#include <span>
#include <vector>

namespace cardiotwin {

/// A piece of the wall: a tet, or a voxel. Pieces of one `column` lie behind the same patch of endocardium.
struct WallPiece {
  std::uint32_t column = 0;
  double depth = 0;  ///< 0 endocardium .. 1 epicardium
  double volume = 0;
  double scar = 0;  ///< share of the piece
  std::uint8_t segment = 0;
};

/// Of one AHA segment: mean over its columns by volume, and the largest. `columns` is 0 where the segment has none.
struct Transmurality {
  double mean = 0, max = 0;
  std::size_t columns = 0;
};

/// Per column the mean over eight layers of equal depth of the layer's share of scar, so that the wall's curvature does
/// not count; index 0 is the whole heart, columns belong to the segment of most of their volume. Columns that lack more
/// than two layers (rims of the base) count for the mean only.
std::array<Transmurality, 18> transmurality(std::span<const WallPiece>);

/// Of a twin's left ventricle: core, border zone and channel are scar; columns stand on patches of endocardium of about
/// `patch` [mm] across, reached by the shortest way along edges. All 0 where the anatomy has no depth, surface or
/// segments.
std::array<Transmurality, 18> transmurality(const Anatomy&, double patch = 5);

/// Which of `points` each stands for: numbers of patches about `patch` [mm] across, begun in the order of the points.
std::vector<std::uint32_t> patches_of(std::span<const Vec3> points, double patch);

}  // namespace cardiotwin
