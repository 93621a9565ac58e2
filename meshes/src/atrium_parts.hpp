#pragma once
// Body, protrusions and mitral plane of an atrial cavity.

#include "atrium.hpp"

namespace cardiotwin::meshes {

/// A vein or the appendage.
struct Protrusion {
  Vec3 base, tip, direction;  ///< where it leaves the body, its far end [mm, LPS]; from near to far
  int family = 0;             ///< those that leave the body together share it
  double parting = 0;         ///< distance from the body at which it parts from the others of its family [mm]
};

struct Protrusions {
  std::vector<int> of;  ///< per voxel of the cavity: 0 body, 1.. protrusion; 0 outside
  std::vector<Protrusion> parts;
  Vec3 centre;  ///< of the body [mm, LPS]
};
/// Throws InputError where no ball of `smallest` radius [mm] fits into the cavity.
Protrusions protrusions_of(const Labels& cavity, double smallest);

/// The mitral opening, and how its plane was found.
Opening mitral_of(const Labels& cavity, const Protrusions&, const std::optional<Plane>& contact,
                  const std::optional<Vec3>& given, const char*& source, const Monitor&);

}  // namespace cardiotwin::meshes
