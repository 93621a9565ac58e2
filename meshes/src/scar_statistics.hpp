#pragma once
// What healthy muscle, blood and the brightest muscle measure in one image.

#include <cardiotwin/meshes/scar.hpp>

#include "image_ops.hpp"

namespace cardiotwin::meshes {

/// Muscle as it is classified: intensities freed of partial volume at the rim and of noise.
struct MuscleImage {
  std::vector<float> value;  ///< per voxel; only muscle is meaningful
  Mask interior;             ///< muscle that touches nothing else; of a wall too thin for that its middle layer
  Mask inner;                ///< muscle nearer to the cavity than to the outside, within its slice
};
MuscleImage muscle_image(const Image&, const Labels& canonical);

/// Mean, spread, blood, offset, 99th percentile; thresholds are left to the caller.
ScarStatistics measure(const Image&, const Labels& canonical, const MuscleImage&);

}  // namespace cardiotwin::meshes
