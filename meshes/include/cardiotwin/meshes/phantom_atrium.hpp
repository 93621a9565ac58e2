#pragma once
/// A synthetic left atrium with known truth.

#include <cardiotwin/log.hpp>
#include <cardiotwin/meshes/image.hpp>
#include <filesystem>
#include <string>
#include <vector>

namespace cardiotwin::meshes {

/// A rounded body with pulmonary veins, an appendage and a mitral opening, dense scar with a surviving channel in its
/// posterior wall and fibrosis around it and in the anterior wall. Lengths [mm]. Its own axes are the patient's (LPS)
/// where it is not turned.
struct AtriumPhantomOptions {
  std::uint64_t seed = 7;  ///< of the noise
  double width = 54;       ///< of the body's cavity from left to right; the rest is in proportion, but not the wall
  double wall = 2.5;
  double vein_length = 12;  ///< of the stubs, beyond the body
  /// "four", "five" (a right middle one), "trunk" (the left ones leave through a common one), "three" (no left
  /// inferior)
  std::string veins = "four";
  bool appendage = true;
  // pose in scanner space; the image turns and moves with the heart, so that voxels stay the same
  Vec3 translation = Vec3::Zero();
  Vec3 rotation_degrees = Vec3::Zero();  ///< about x, y, z in that order
  // scar
  bool scar = true, channel = true;
  double scar_width = 28, scar_height = 18;  ///< of the dense scar, left to right and up
  double border_zone = 3;                    ///< rim of fibrosis around it
  double channel_width = 5;                  ///< of the gap, which runs up through it
  double fibrosis_radius = 8;                ///< of the patch in the anterior wall; 0 for none
  // image
  double voxel = 1;          ///< isotropic
  double noise = 12;         ///< Rician sigma, in image units (blood is 250, healthy wall 190)
  bool wall_labels = false;  ///< else the cavity alone is labelled, as in LASC
};

/// An opening of the cavity.
struct PhantomOpening {
  std::string name;     ///< "mitral", "lspv", ...
  Vec3 centre, normal;  ///< [mm, LPS]; the normal points out of the cavity
  double radius;        ///< of the disc of the same area [mm]
};

struct AtriumPhantomTruth {
  std::vector<PhantomOpening> openings;  ///< the mitral one first
  std::vector<Vec3> channel;  ///< centre line in the middle of the wall, lower end first [mm, LPS]; may be empty
  /// From samples at most half a millimetre apart [ml]. Fibrosis includes the channel.
  double cavity_volume = 0, wall_volume = 0, dense_volume = 0, fibrosis_volume = 0, channel_volume = 0;
};

struct AtriumPhantom {
  Image image;
  /// Cavity alone: 1 (as LASC). With wall: 7 cavity, 2 wall, 3 scar (dense, fibrosis, channel), 1 left ventricle.
  Labels labels;
  AtriumPhantomTruth truth;
};

/// Throws InputError for impossible sizes.
AtriumPhantom make_atrium_phantom(const AtriumPhantomOptions& = {}, const Monitor& = {});
/// Writes lge.nii.gz, labels.nii.gz and truth.json into `folder`.
void write_phantom(const AtriumPhantom&, const AtriumPhantomOptions&, const std::filesystem::path& folder);

}  // namespace cardiotwin::meshes
