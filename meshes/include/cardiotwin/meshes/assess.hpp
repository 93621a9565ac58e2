#pragma once
/// Are image and labels good enough to build on?

#include <cardiotwin/finding.hpp>
#include <cardiotwin/log.hpp>
#include <cardiotwin/meshes/labels.hpp>
#include <optional>
#include <vector>

namespace cardiotwin::meshes {

struct AssessOptions {
  double edge = 1.0;                      ///< mean edge of the mesh that is meant [mm]
  std::optional<double> slice_thickness;  ///< [mm], where the file says (ImageSource)
};

/// What a reader of images would object to, each with its number and a cure; first one line of the numbers themselves.
/// Slices lie along the third axis. Severe is what makes a study of the twin meaningless; limits (warning, severe):
///   slices of the ventricle      6, 3    two a third of the AHA model, and one
///   their distance over the wall 0.7, 2  three samples in two walls; neighbours that share no wall
///   unimaged gap in the distance 0.2, 0.5
///   unlabelled between labelled  any, a quarter of them
///   cavity's end at the apex     0.5, 0.75 of its largest width: an ellipsoid that wide lacks 13 %, 34 % of its length
///   cavity's length over width   1.3, 0.8  1.5 to 2 in health, 1.3 in dilated hearts
///   blood, scar over noise       5, 2    what an eye needs to tell a feature from noise (Rose 1948,
///   blood to muscle over noise   5, 1    doi 10.1364/JOSA.38.000196); the labels are given, so less is severe
///   holes, islands, stray scar   0.05 ml, a tenth of the muscle
///   cavity open beside its base  20, 400 mm2: a pinhole's worth, and a hole of 2 cm
///   wall over edge (5th perc.)   -, 1    lattice cells would reach from surface to surface
///   labels moved for contrast    3, 6 mm where that gains 1/0.7: pixels, and most of a wall
/// Throws InputError for different grids, or labels without muscle or cavity.
std::vector<Finding> assess(const Image&, const Labels& canonical, const AssessOptions& = {}, const Monitor& = {});

}  // namespace cardiotwin::meshes
