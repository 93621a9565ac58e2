#pragma once
/// A small ventricle with known surfaces: the wall between two half ellipsoids, cut flat at z = 0.

#include <Eigen/Geometry>
#include <cardiotwin/meshes/image.hpp>
#include <cmath>
#include <cstdint>

namespace cardiotwin::tests {

struct Ellipsoid {
  double inner_short = 16, inner_long = 34,
         wall = 8;  ///< semi-axes of the cavity, thickness [mm]; apex at z = -(inner_long + wall)
  Mat3 turn = Mat3::Identity();
  Vec3 shift = Vec3::Zero();

  Vec3 own(const Vec3& scanner) const { return turn.transpose() * (scanner - shift); }
  /// Below 1 inside the ellipsoid grown by `grow` [mm].
  double level(const Vec3& p, double grow) const {
    const double a = inner_short + grow, c = inner_long + grow;
    return std::sqrt((p.x() * p.x() + p.y() * p.y()) / (a * a) + p.z() * p.z() / (c * c));
  }
  /// Canonical label at a point of the ventricle's own frame.
  std::uint8_t label(const Vec3& p) const {
    if (p.z() > 0) return 0;
    return level(p, 0) < 1 ? 1 : level(p, wall) < 1 ? 2 : 0;
  }

  meshes::Labels labels(double spacing, double slice) const {
    const double reach = inner_short + wall + 8, below = inner_long + wall + 8;
    meshes::Labels l;
    l.grid.spacing = {spacing, spacing, slice};
    l.grid.direction = turn;
    l.grid.size = {int(2 * reach / spacing) + 1, int(2 * reach / spacing) + 1, int((below + 8) / slice) + 1};
    // Off the lattice of round numbers, so that no surface passes through voxel centres by chance.
    l.grid.origin = turn * Vec3(-reach + 0.13, -reach + 0.07, -below + 0.31) + shift;
    l.values.resize(l.grid.count());
    for (int k = 0; k < l.grid.size[2]; ++k)
      for (int j = 0; j < l.grid.size[1]; ++j)
        for (int i = 0; i < l.grid.size[0]; ++i)
          l.values[l.grid.offset(i, j, k)] = label(own(l.grid.position(Vec3(i, j, k))));
    return l;
  }
};

}  // namespace cardiotwin::tests
