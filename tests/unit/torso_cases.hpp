#pragma once
/// Hearts that torsos are built around.

#include <cardiotwin/meshes/build.hpp>
#include <cardiotwin/meshes/phantom.hpp>
#include <cardiotwin/meshes/torso.hpp>
#include <utility>
#include <vector>

#include "tube_anatomy.hpp"

namespace cardiotwin::torso_cases {

using namespace meshes;

inline constexpr auto in_heart = BodyFrame::heart;

inline const Anatomy& tube() {
  static const Anatomy anatomy = tests::tube_anatomy();
  return anatomy;
}
/// Coarse away from the heart, for speed.
inline TorsoOptions coarse(BodyFrame frame = BodyFrame::scanner) {
  return {.frame = frame, .heart_edge = 4, .growth = 0.4, .outer_edge = 16};
}

inline const PhantomOptions phantom_shape{.scar = false, .pixel = 2, .slice = 2};
inline const Anatomy& ventricle() {
  static const Twin twin = [] {
    const auto phantom = make_phantom(phantom_shape);
    return build_twin(phantom.image, phantom.labels, {.edge = 2.5});
  }();
  return twin.anatomy;
}
inline const BuiltTorso& around_ventricle() {
  static const BuiltTorso built = build_torso(ventricle(), {.frame = in_heart, .heart_edge = 3});
  return built;
}

/// Turned about the origin, fibres and landmarks too, then shifted.
inline Anatomy moved(const Anatomy& from, const Mat3& turn, const Vec3& shift) {
  Anatomy to = from;
  std::vector<Vec3> points;
  for (const Vec3& p : from.mesh.points()) points.push_back(turn * p + shift);
  to.mesh = Mesh(std::move(points), {from.mesh.tets().begin(), from.mesh.tets().end()},
                 {from.mesh.labels().begin(), from.mesh.labels().end()});
  to.apex = turn * from.apex + shift, to.base_centre = turn * from.base_centre + shift;
  to.septum = turn * from.septum;
  for (auto* frame : {&to.fibers.f, &to.fibers.s, &to.fibers.n})
    for (Vec3& v : *frame) v = turn * v;
  return to;
}

}  // namespace cardiotwin::torso_cases
