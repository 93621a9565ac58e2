#pragma once
/// Where to ablate.

#include <cardiotwin/reentry.hpp>
#include <cardiotwin/tissue.hpp>
#include <vector>

namespace cardiotwin::study {

/// Balls that close the isthmus of a circuit: one at its centre, or a short row across it where it is wider than a
/// ball. Muscle within `existing` counts as closed; empty where all of it is.
std::vector<Lesion> lesions_across(const Anatomy&, const Circuit&, double radius, const std::vector<Lesion>& existing);

/// Wall thickness around a place [mm]: 1 / |gradient of depth|, over tets within `radius`; 0 where the anatomy has no
/// depth.
double wall_thickness(const Anatomy&, const Vec3& place, double radius);

/// Muscle a set of lesions takes [ml]: tets that conducted and whose centroid lies in one.
double ablated_volume(const Anatomy&, const std::vector<Lesion>&);

}  // namespace cardiotwin::study
