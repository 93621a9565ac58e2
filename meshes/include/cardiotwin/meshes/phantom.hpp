#pragma once
/// A synthetic patient with known truth.

#include <cardiotwin/log.hpp>
#include <cardiotwin/meshes/image.hpp>
#include <filesystem>
#include <vector>

namespace cardiotwin::meshes {

/// Truncated ellipsoidal left ventricle with an infarct and a surviving channel through it. Lengths [mm].
struct PhantomOptions {
  std::uint64_t seed = 7;  ///< noise and no-reflow position
  // ventricle (own frame: long axis z from apex to base, x towards the septum, y towards the anterior wall); semi-axes
  // of the epicardium, the endocardium's are smaller by the wall; the muscle is cut flat at z = base_height
  double semi_axis_long = 80, semi_axis_short = 32, wall = 9, base_height = 10;
  bool papillary = false;  ///< two papillary muscles and trabeculae in the apical half, inside the endocardium
  // pose in scanner space; the stack of slices turns and moves with the heart, so that voxels stay the same
  Vec3 translation = Vec3::Zero();
  Vec3 rotation_degrees = Vec3::Zero();  ///< about x, y, z in that order
  // infarct
  bool scar = true, channel = true;
  double scar_length = 45, scar_width = 40;  ///< of the core, along the mid-wall meridian and around the circumference
  double scar_height = -30;                  ///< z of its centre
  double scar_angle = 90;                    ///< degrees from the septum towards the anterior wall
  std::vector<int> scar_segments;            ///< AHA segments; where given, they replace the patch above
  double transmurality = 1.0;                ///< share of the wall, from the endocardium
  double border_zone = 4;                    ///< rim around the core
  double channel_width = 6;
  double channel_tilt = 0;  ///< degrees off the long axis
  double channel_bend = 0;  ///< sideways bulge of its middle
  bool no_reflow = true;    ///< dark pocket in the core beside the channel, where there is room
  // image
  double pixel = 1.4, slice = 1.4;  ///< in-plane and slice spacing
  double offset = 2048;             ///< of a phase-sensitive reconstruction
  double noise = 12;                ///< Rician sigma, in image units (healthy muscle is at offset + 112)
};

struct PhantomTruth {
  std::vector<Vec3>
      channel;  ///< centre line at half the core's depth, entrance (apical end) first [mm, LPS]; may be empty
  /// From samples at most half a millimetre apart [ml]. Scar is core (with no-reflow), channel and border zone.
  double scar_volume = 0, core_volume = 0, channel_volume = 0, muscle_volume = 0;
};

struct Phantom {
  Image image;
  Labels labels;  ///< 1 LV cavity, 2 myocardium, 3 infarct with channel, 4 no-reflow (as EMIDEC), 5 RV cavity
  PhantomTruth truth;
};

/// Throws InputError for impossible sizes (wall thicker than the short semi-axis, channel wider than the scar, ...).
Phantom make_phantom(const PhantomOptions& = {}, const Monitor& = {});
/// Writes lge.nii.gz, labels.nii.gz and truth.json into `folder`.
void write_phantom(const Phantom&, const PhantomOptions&, const std::filesystem::path& folder);

}  // namespace cardiotwin::meshes
