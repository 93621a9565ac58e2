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

/// Mean, spread, blood, offset, noise, 99th percentile; thresholds are left to the caller. `remote` as in ScarOptions;
/// throws InputError where it holds less than 50 voxels of muscle.
ScarStatistics measure(const Image&, const Labels& canonical, const MuscleImage&,
                       const std::optional<Labels>& remote = {});

/// Blood so many times above the noise is no magnitude image's: of late gadolinium enhancement 5 to 20 are usual.
inline constexpr double implausible_signal = 30;

/// Are slices so thick that the neighbours above and below are another part of the heart?
bool thick_slices(const Grid&);

/// Linear between order statistics; sorts `values`, 0 for none.
double percentile(std::vector<float>& values, double share);

}  // namespace cardiotwin::meshes
