#pragma once
/// A curved wall whose answers are known.

#include <Eigen/Geometry>
#include <cardiotwin/fibers.hpp>
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

namespace cardiotwin::tests {

// A tube wall of inner radius 10, outer 20, height 30 mm in curved hexahedra of six tets; node (r, around, up).
struct Tube {
  static constexpr int radial = 8, around = 72, up = 10;
  static constexpr double inner = 10, outer = 20, height = 30;
  Mesh mesh;
  FiberBoundary boundary;

  static Index node(int r, int a, int z) { return (z * around + a % around) * (radial + 1) + r; }

  Tube() {
    std::vector<Vec3> points;
    for (int z = 0; z <= up; ++z) {
      for (int a = 0; a < around; ++a) {
        for (int r = 0; r <= radial; ++r) {
          const double radius = inner + (outer - inner) * r / radial, angle = 2 * std::numbers::pi * a / around;
          points.emplace_back(radius * std::cos(angle), radius * std::sin(angle), height * z / up);
          const auto id = static_cast<Index>(points.size() - 1);
          if (r == 0) boundary.endo.push_back(id);
          if (r == radial) boundary.epi.push_back(id);
          if (z == 0) boundary.apex.push_back(id);
          if (z == up) boundary.base.push_back(id);
        }
      }
    }
    // Six tets along the diagonal from corner 000 to 111, one per order in which the three steps are taken.
    constexpr int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    std::vector<Tet> tets;
    for (int z = 0; z < up; ++z) {
      for (int a = 0; a < around; ++a) {
        for (int r = 0; r < radial; ++r) {
          for (const auto& order : orders) {
            int at[3] = {r, a, z};
            Tet tet;
            tet[0] = node(at[0], at[1], at[2]);
            for (int k = 0; k < 3; ++k) ++at[order[k]], tet[k + 1] = node(at[0], at[1], at[2]);
            const Vec3 p = points[tet[0]];
            if ((points[tet[1]] - p).dot((points[tet[2]] - p).cross(points[tet[3]] - p)) < 0) std::swap(tet[2], tet[3]);
            tets.push_back(tet);
          }
        }
      }
    }
    const auto count = tets.size();
    mesh = Mesh(std::move(points), std::move(tets), std::vector<Label>(count, 1));
  }
};

}  // namespace cardiotwin::tests
