#pragma once
/// Which muscle is scar.

#include <string>

#include <cardiotwin/meshes/image.hpp>

namespace cardiotwin::meshes {

/// Label conventions of images we read. After `canonical_labels`: 0 background, 1 LV cavity, 2 muscle, 3 infarct,
/// 4 no-reflow, 5 RV cavity.
enum class Convention { guess, emidec, phantom };

/// Checks labels against the convention (guessing says so through the monitor); throws InputError listing the values
/// found where none fits, where there is no muscle or no LV cavity. Warns where muscle touches the image edge.
Labels canonical_labels(const Labels&, Convention, const Monitor& = {});

enum class ScarMethod { p99, n_sd, fwhm, labels };

struct ScarOptions {
  ScarMethod method = ScarMethod::p99;
  double core = 0.6, border_zone = 0.4;  ///< p99: shares of the way from the healthy mean to the 99th percentile
  double n_sd = 5, n_sd_border_zone = 2; ///< n_sd: standard deviations above the healthy mean
  double min_volume = 0.5;               ///< islands of scar smaller than this are noise [ml]
  double channel_closing = 6;            ///< core closed by a ball of this radius [mm] makes the border zone inside it `channel`
};

struct ScarStatistics {
  double healthy_mean = 0, healthy_sd = 0, blood_mean = 0, offset = 0, p99 = 0;
  double threshold_core = 0, threshold_border_zone = 0;
  double scar_volume = 0, core_volume = 0, no_reflow_volume = 0;  ///< [ml]
};

/// Per voxel: 0 outside muscle, else region::healthy, border_zone or core (channel is found on the finer grid of the mesh).
/// No scar at all is a result, not an error.
Labels segment_scar(const Image&, const Labels& canonical, const ScarOptions&, ScarStatistics&, const Monitor& = {});

}  // namespace cardiotwin::meshes
