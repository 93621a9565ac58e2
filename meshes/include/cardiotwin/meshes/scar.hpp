#pragma once
/// Which muscle is scar.

#include <cardiotwin/meshes/labels.hpp>
#include <string>

namespace cardiotwin::meshes {

/// p99: shares of the way from the healthy mean to the 99th percentile of muscle. n_sd: standard deviations above the
/// healthy mean. fwhm: core above half of that way, border zone above n_sd_border_zone. labels: labels 3 and 4 are
/// scar, split as by p99.
enum class ScarMethod { p99, n_sd, fwhm, labels };

struct ScarOptions {
  ScarMethod method = ScarMethod::p99;
  double core = 0.6, border_zone = 0.4;   ///< p99: shares of the way from the healthy mean to the 99th percentile
  double n_sd = 5, n_sd_border_zone = 2;  ///< n_sd: standard deviations above the healthy mean
  double min_volume = 0.5;                ///< islands of scar smaller than this are noise [ml]
  double channel_closing = 6;  ///< core closed by a ball of this radius [mm] makes the border zone inside it `channel`
};

struct ScarStatistics {
  double healthy_mean = 0, healthy_sd = 0, blood_mean = 0;
  double offset = 0;              ///< of a phase-sensitive image, 0 where none was found
  double p99 = 0, p99_inner = 0;  ///< 99th percentile of muscle, and of the inner half of the wall
  double threshold_core = 0, threshold_border_zone = 0;
  double scar_volume = 0, core_volume = 0, no_reflow_volume = 0;  ///< [ml]
};

/// Per voxel: 0 outside muscle, else region::healthy, border_zone or core (channel is found on the finer grid of the
/// mesh). Rim voxels are judged by the muscle beside them (partial volume). Dark muscle shut in by scar and label 4 are
/// no-reflow, hence core. Scar must stand out in the inner half of the wall, by 4 standard deviations and about to the
/// level of blood; islands that are small or lie in the outer half only are dropped. No scar at all is a result, not an
/// error; it is said. Throws InputError for options out of range or different grids.
Labels segment_scar(const Image&, const Labels& canonical, const ScarOptions&, ScarStatistics&, const Monitor& = {});

}  // namespace cardiotwin::meshes
