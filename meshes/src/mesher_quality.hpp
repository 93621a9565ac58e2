#pragma once
/// How good a tet is: the smallest squared sine of its six dihedral angles. Small for both sharp and flat angles.

#include <Eigen/Geometry>
#include <algorithm>
#include <cardiotwin/field.hpp>

namespace cardiotwin::meshes::stuffing {

/// sin^2 of the dihedral angle at an edge of length l between faces of doubled areas m, n is (6 V)^2 l^2 / (m n)^2.
/// Not positive for a tet of non-positive volume. About 130 flops: the hot loop of smoothing and snapping.
inline double worst_sine2(const Vec3& a, const Vec3& b, const Vec3& c, const Vec3& d) {
  const Vec3 ab = b - a, ac = c - a, ad = d - a, bc = c - b, bd = d - b;
  const Vec3 nd = ab.cross(ac);
  const double volume = nd.dot(ad);
  if (!(volume > 0)) return volume < 0 ? volume : -0.0;
  const double fd = 1 / nd.squaredNorm(), fc = 1 / ab.cross(ad).squaredNorm(), fb = 1 / ac.cross(ad).squaredNorm(),
               fa = 1 / bc.cross(bd).squaredNorm();
  const double cd2 = (d - c).squaredNorm();
  double worst = std::min(ab.squaredNorm() * fc * fd, ac.squaredNorm() * fb * fd);
  worst = std::min(worst, std::min(ad.squaredNorm() * fb * fc, bc.squaredNorm() * fa * fd));
  worst = std::min(worst, std::min(bd.squaredNorm() * fa * fc, cd2 * fa * fb));
  return worst * volume * volume;
}

}  // namespace cardiotwin::meshes::stuffing
