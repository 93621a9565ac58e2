#pragma once
/// Which muscle is scar.

#include <cardiotwin/meshes/labels.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace cardiotwin::meshes {

/// p99: shares of the way from the healthy mean to the 99th percentile of muscle. n_sd: standard deviations above the
/// healthy mean. fwhm: core above half of that way, border zone above n_sd_border_zone. iir: single voxels over the
/// mean of blood, as for thin walls such as the atrium's. labels: labels 3 and 4 are scar, split as by p99.
enum class ScarMethod { p99, n_sd, fwhm, iir, labels };
const char* key_of(ScarMethod);  ///< "n-sd", as users write it

struct ScarOptions {
  ScarMethod method = ScarMethod::p99;
  double core = 0.6, border_zone = 0.4;   ///< p99: shares of the way from the healthy mean to the 99th percentile
  double n_sd = 5, n_sd_border_zone = 2;  ///< n_sd: standard deviations above the healthy mean
  double half = 0.5;                      ///< fwhm: core from this share of that way
  /// iir: ratios to the mean of blood from which on fibrosis is dense (core) and there is any (border zone), 1.20 being
  /// the upper limit of healthy volunteers (Benito 2017, doi 10.1093/europace/euw219). Voltage below 0.5 and 0.1 mV
  /// gave 0.97 and 1.61 (Khurram 2014, doi 10.1016/j.hrthm.2013.10.007).
  double iir_core = 1.32, iir_border_zone = 1.20;
  double min_volume = 0.5;     ///< islands of scar smaller than this are noise [ml]
  double channel_closing = 6;  ///< core closed by a ball of this radius [mm] makes the border zone inside it `channel`
  /// On the image's grid, not 0 where muscle is remote from scar: its mean and spread are the healthy ones; without,
  /// the most frequent intensity of muscle is (remote_region makes one).
  std::optional<Labels> remote;
};

struct ScarStatistics {
  double healthy_mean = 0, healthy_sd = 0, blood_mean = 0;
  double offset = 0;              ///< of a phase-sensitive image, 0 where none was found
  double p99 = 0, p99_inner = 0;  ///< 99th percentile of muscle, and of the inner half of the wall
  double noise = 0;               ///< of single voxels, from differences of neighbours in blood and muscle
  double threshold_core = 0, threshold_border_zone = 0;
  double scar_volume = 0, core_volume = 0, no_reflow_volume = 0;  ///< [ml]
  double remote_volume = 0;                                       ///< [ml]; 0 where the healthy mean is by mode
};

/// Per voxel: 0 outside muscle, else region::healthy, border_zone or core (channel is found on the finer grid of the
/// mesh). Rim voxels are judged by the muscle beside them (partial volume). Dark muscle shut in by scar and label 4 are
/// no-reflow, hence core. Scar must stand out in the inner half of the wall, by 4 standard deviations and about to the
/// level of blood; islands that are small or lie in the outer half only are dropped; of iir, whose limits are absolute,
/// only the small ones are, and nothing is filled. No scar at all is a result, not an error; it is said. Throws
/// InputError for options out of range, different grids, too little remote muscle, or for iir where a constant was
/// added to the image that cannot be told.
Labels segment_scar(const Image&, const Labels& canonical, const ScarOptions&, ScarStatistics&, const Monitor& = {});

/// Where healthy muscle is looked for.
struct RemoteOptions {
  enum class From {
    mode,      ///< nowhere: the most frequent intensity is the healthy one
    arc,       ///< in each slice the longest arc of wall without enhancement
    segments,  ///< AHA segments
    file       ///< a label file: what is not 0 in it
  } from = From::mode;
  std::vector<int> segments;   ///< 1 to 17
  std::filesystem::path file;  ///< as for read_labels, on any grid
};

/// Muscle remote from scar on the image's grid (1, else 0), none for From::mode. An arc spans at least 60 degrees of a
/// slice and keeps 10 from what enhances; `septum` [mm, LPS] turns the segments where the labels show no right
/// ventricle. Throws InputError where no arc, segment or label gives muscle, FileError.
std::optional<Labels> remote_region(const Image&, const Labels& canonical, const RemoteOptions&,
                                    const std::optional<Vec3>& septum = {}, const Monitor& = {});

/// 0 healthy to 1 core per voxel of muscle, 0 elsewhere: intensity on the way from the healthy mean to the core
/// threshold. `regions` are those of segment_scar: core is 1 throughout, healthy muscle at most what the border zone's
/// threshold gives, and where there is no scar all is 0.
Image fibrosis_density(const Image&, const Labels& canonical, const Labels& regions, const ScarStatistics&);

}  // namespace cardiotwin::meshes
