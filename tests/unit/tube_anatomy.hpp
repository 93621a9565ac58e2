#pragma once
/// The tube as a heart: tagged, with landmarks and one region.

#include <cardiotwin/anatomy.hpp>

#include "tube.hpp"

namespace cardiotwin::tests {

inline Anatomy tube_anatomy() {
  const Tube tube;
  Anatomy a;
  a.mesh = tube.mesh;
  a.fibers = uniform_fibers(a.mesh);
  a.regions = {{region::healthy, "healthy"}};
  for (const auto& face : boundary_faces(a.mesh)) {
    Vec3 c = Vec3::Zero();
    for (const Index node : face.nodes) c += a.mesh.points()[node] / 3;
    const double radius = std::hypot(c.x(), c.y());
    const Surface tag = c.z() > Tube::height - 1e-6   ? Surface::base
                        : c.z() < 1e-6                ? Surface::epi
                        : radius < Tube::inner + 1e-6 ? Surface::endo
                                                      : Surface::epi;
    a.surface.push_back({face.nodes, face.tet, tag});
  }
  a.apex = {0, 0, 0}, a.base_centre = {0, 0, Tube::height}, a.septum = {1, 0, 0};
  return a;
}

}  // namespace cardiotwin::tests
