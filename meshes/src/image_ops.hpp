#pragma once
// Voxel neighbourhoods, connected components and distances, shared by the readers of labels and scar.

#include <cardiotwin/meshes/image.hpp>
#include <functional>
#include <vector>

namespace cardiotwin::meshes {

/// One byte per voxel, non-zero where the mask holds.
using Mask = std::vector<std::uint8_t>;

inline bool is_muscle(std::uint8_t canonical) { return canonical >= 2 && canonical <= 4; }

/// Calls `visit(neighbour voxel, axis)` for the up to six voxels that share a face with voxel `at`.
template <class Visit>
void for_faces(const Grid& grid, std::size_t at, Visit&& visit) {
  const std::size_t nx = grid.size[0], nxy = nx * grid.size[1];
  const int i = int(at % nx), j = int(at / nx % grid.size[1]), k = int(at / nxy);
  if (i > 0) visit(at - 1, 0);
  if (i + 1 < grid.size[0]) visit(at + 1, 0);
  if (j > 0) visit(at - nx, 1);
  if (j + 1 < grid.size[1]) visit(at + nx, 1);
  if (k > 0) visit(at - nxy, 2);
  if (k + 1 < grid.size[2]) visit(at + nxy, 2);
}

/// Parts of a mask connected through faces, in the order of their first voxel.
struct Components {
  std::vector<std::int32_t> of;    ///< per voxel, -1 outside the mask
  std::vector<std::size_t> count;  ///< voxels per part
  /// The largest part (the first of equals), -1 if there is none.
  int largest() const;
};
Components components(const Grid&, const Mask&);

/// Millilitres per voxel.
inline double voxel_ml(const Grid& grid) { return grid.spacing.prod() / 1000; }

/// Share of the in-plane faces of label 1 that look at muscle (2 to 4). Nearly 1 for the cavity of canonical labels;
/// small where label 1 is something else, such as the right ventricle of ACDC or the healthy muscle of a region image.
double enclosed_share(const Labels&);

/// Signed distance [mm] within an nx x ny slice, positive inside the mask, zero half way between the centres of unlike
/// pixels; -infinity everywhere for an empty mask. Exact Euclidean, O(pixels) (Felzenszwalb & Huttenlocher 2012,
/// doi 10.4086/toc.2012.v008a019).
std::vector<float> signed_distance(const Mask&, int nx, int ny, double dx, double dy);

}  // namespace cardiotwin::meshes
