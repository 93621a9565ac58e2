#pragma once
/// Voxel arithmetic shared by the steps of `build`; private to the picture room.

#include <array>
#include <cardiotwin/meshes/labels.hpp>
#include <cmath>
#include <cstdint>
#include <vector>

namespace cardiotwin::meshes {

/// Canonical labels (labels.hpp), and beyond all that files can mean the right ventricle's own wall once it was grown.
inline constexpr auto background = std::uint8_t(Meaning::background), lv_cavity = std::uint8_t(Meaning::lv_blood),
                      muscle = std::uint8_t(Meaning::myocardium), infarct = std::uint8_t(Meaning::scar),
                      no_reflow = std::uint8_t(Meaning::no_reflow), rv_cavity = std::uint8_t(Meaning::rv_blood),
                      rv_muscle = std::uint8_t(meaning_count);
inline bool is_tissue(std::uint8_t label) { return label == muscle || label == rv_muscle; }

using Mask = std::vector<std::uint8_t>;

inline constexpr int face_steps[6][3] = {{-1, 0, 0}, {1, 0, 0}, {0, -1, 0}, {0, 1, 0}, {0, 0, -1}, {0, 0, 1}};

/// Calls f(i, j, k, offset) in memory order.
template <class F>
void for_each_voxel(const Grid& grid, const F& f) {
  std::size_t v = 0;
  for (int k = 0; k < grid.size[2]; ++k) {
    for (int j = 0; j < grid.size[1]; ++j) {
      for (int i = 0; i < grid.size[0]; ++i) f(i, j, k, v++);
    }
  }
}

inline bool holds(const Grid& g, int i, int j, int k) {
  return i >= 0 && j >= 0 && k >= 0 && i < g.size[0] && j < g.size[1] && k < g.size[2];
}

/// The label of a voxel, background beyond the grid.
inline std::uint8_t label_at(const Labels& labels, int i, int j, int k) {
  return holds(labels.grid, i, j, k) ? labels.values[labels.grid.offset(i, j, k)] : background;
}
/// The voxel nearest to a position, or one beyond the grid. Half-way, the upper one, also where rounding, which depends
/// on the image's pose, puts the position a little below.
inline std::array<int, 3> nearest_voxel(const Grid& grid, const Vec3& position) {
  const Vec3 index = (grid.index(position).array() + (0.5 + 1e-6)).floor().max(-1).min(1e9);
  return {static_cast<int>(index[0]), static_cast<int>(index[1]), static_cast<int>(index[2])};
}
/// The label there.
inline std::uint8_t label_at(const Labels& labels, const Vec3& position) {
  const auto [i, j, k] = nearest_voxel(labels.grid, position);
  return label_at(labels, i, j, k);
}

/// Do the voxels of both lie at the same places, within 1e-3 voxels?
bool same_grid(const Grid& image, const Grid& labels);

/// A `Meaning` a voxel as our own labels: oedema is muscle, the left atrium background.
Labels own_labels(Labels meanings);

/// Volume of one voxel [ml].
inline double ml_per_voxel(const Grid& grid) { return grid.spacing.prod() / 1000.0; }

enum class Neighbours { faces, corners };  ///< 6 or 26

/// Connected pieces of the mask, the largest first (ties: the one whose first voxel comes first).
struct VoxelPieces {
  std::vector<std::int32_t> of;   ///< per voxel, -1 outside the mask
  std::vector<std::size_t> size;  ///< voxels per piece, descending
};
VoxelPieces voxel_pieces(const Grid&, const Mask&, Neighbours);
/// Clears all but the largest piece; returns how many voxels were cleared.
std::size_t keep_largest_piece(const Grid&, Mask&, Neighbours);

/// For each voxel the nearest one of the mask, exactly (Felzenszwalb & Huttenlocher 2012,
/// doi 10.4086/toc.2012.v008a019).
struct Nearest {
  std::vector<float> squared;       ///< distance squared [mm2], infinity where the mask is empty
  std::vector<std::int32_t> voxel;  ///< offset of the nearest voxel, -1 where the mask is empty
};
Nearest nearest_of(const Grid&, const Mask&);

/// The part of `labels` from voxel `low` to `high`, both included.
Labels crop(const Labels& labels, const std::array<int, 3>& low, const std::array<int, 3>& high);

/// Gaussian of standard deviation `sigma` [mm], zero beyond the grid, cut at four sigma.
void smooth(Image&, double sigma);

}  // namespace cardiotwin::meshes
