#include <fmt/format.h>

#include <algorithm>
#include <cardiotwin/anatomy.hpp>
#include <cardiotwin/meshes/scar.hpp>
#include <cmath>

#include "image_ops.hpp"
#include "scar_statistics.hpp"

namespace cardiotwin::meshes {
namespace {

constexpr std::uint8_t healthy = region::healthy, border_zone = region::border_zone, core = region::core;

void check(const ScarOptions& o) {
  const auto require = [](bool good, const char* rule, double value) {
    if (!good) throw InputError(fmt::format("scar: {}, but it is {:g}", rule, value));
  };
  require(o.border_zone > 0 && o.border_zone <= 1, "border_zone must lie in (0, 1]", o.border_zone);
  require(o.core >= o.border_zone && o.core <= 1, "core must lie in [border_zone, 1]", o.core);
  require(o.n_sd_border_zone > 0 && o.n_sd_border_zone <= 20, "n_sd_border_zone must lie in (0, 20]",
          o.n_sd_border_zone);
  require(o.n_sd >= o.n_sd_border_zone && o.n_sd <= 20, "n_sd must lie in [n_sd_border_zone, 20]", o.n_sd);
  require(o.half > 0 && o.half <= 1, "half must lie in (0, 1]", o.half);
  require(o.iir_border_zone > 0 && o.iir_border_zone <= 5, "iir_border_zone must lie in (0, 5]", o.iir_border_zone);
  require(o.iir_core >= o.iir_border_zone && o.iir_core <= 5, "iir_core must lie in [iir_border_zone, 5]", o.iir_core);
  require(o.min_volume >= 0 && o.min_volume <= 100, "min_volume must lie in [0, 100] ml", o.min_volume);
}

// The ratio of intensities needs blood without its rim, and intensities that are 0 where there is no signal.
void set_ratio_thresholds(ScarStatistics& s, const Image& image, const Labels& canonical, const ScarOptions& o) {
  double sum = 0, n = 0;
  for (std::size_t at = 0; at < image.values.size(); ++at) {
    if (canonical.values[at] != 1) continue;
    bool inside = true;
    for_faces(image.grid, at, [&](std::size_t next, int axis) { inside &= axis == 2 || canonical.values[next] == 1; });
    if (inside) sum += image.values[at], n += 1;
  }
  if (n > 0) s.blood_mean = sum / n;
  if (s.offset == 0 && s.noise > 0 && s.blood_mean > implausible_signal * s.noise) {
    throw InputError(fmt::format(
        "scar: the ratio to blood needs an image that is 0 without signal, but blood ({:.0f}) is {:.0f} "
        "times the noise, so a constant seems to have been added; subtract it, or use another --scar-method",
        s.blood_mean, s.blood_mean / s.noise));
  }
  const double blood = s.blood_mean - s.offset;
  if (!(blood > 0)) {
    throw InputError(fmt::format(
        "scar: the ratio to blood needs blood above 0, but it is {:.0f}; check the image, or use another --scar-method",
        blood));
  }
  s.threshold_core = s.offset + o.iir_core * blood;
  s.threshold_border_zone = s.offset + o.iir_border_zone * blood;
}

void set_thresholds(ScarStatistics& s, const Image& image, const Labels& canonical, const ScarOptions& o) {
  const double rise = s.p99 - s.healthy_mean;
  switch (o.method) {
    case ScarMethod::p99:
    case ScarMethod::labels:
      s.threshold_core = s.healthy_mean + o.core * rise;
      s.threshold_border_zone = s.healthy_mean + o.border_zone * rise;
      return;
    case ScarMethod::n_sd:
      s.threshold_core = s.healthy_mean + o.n_sd * s.healthy_sd;
      s.threshold_border_zone = s.healthy_mean + o.n_sd_border_zone * s.healthy_sd;
      return;
    case ScarMethod::fwhm:  // half of the rise above healthy muscle; the rest of what stands out of the noise is border
                            // zone
      s.threshold_core = s.healthy_mean + o.half * rise;
      s.threshold_border_zone = std::min(s.threshold_core, s.healthy_mean + o.n_sd_border_zone * s.healthy_sd);
      return;
    case ScarMethod::iir:
      return set_ratio_thresholds(s, image, canonical, o);
  }
}

// Without scar the 99th percentile is noise. Scar is about as bright as blood and far outside the spread of healthy
// muscle, and it is there in the inner half of the wall, where no fat disturbs. (The real cases have 10.2 SD with
// and 2.1 SD without infarct.)
bool stands_out(const ScarStatistics& s) {
  const double rise = s.p99_inner - s.healthy_mean;
  return rise > 4 * s.healthy_sd && rise > 0.9 * (s.blood_mean - s.healthy_mean) && rise > 0;
}

template <class Test>
Mask mask_of(const Labels& regions, Test&& test) {
  Mask mask(regions.values.size());
  for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = test(regions.values[i]);
  return mask;
}

// Infarction starts at the endocardium; a bright part that is small, or lies in the outer half of the wall only, is
// noise, fat or a contour drawn too wide.
void drop_false_islands(Labels& regions, const Mask& inner, const ScarOptions& o) {
  const Components parts =
      components(regions.grid, mask_of(regions, [](auto r) { return r == border_zone || r == core; }));
  std::vector<std::size_t> inside(parts.count.size(), 0);
  for (std::size_t i = 0; i < inner.size(); ++i) {
    if (parts.of[i] >= 0) inside[parts.of[i]] += inner[i];
  }
  for (std::size_t i = 0; i < inner.size(); ++i) {
    const auto part = parts.of[i];
    if (part < 0) continue;
    const double volume = double(parts.count[part]) * voxel_ml(regions.grid);
    const bool outside = o.method != ScarMethod::iir && double(inside[part]) < 0.15 * double(parts.count[part]);
    if (volume < o.min_volume || outside) regions.values[i] = healthy;
  }
}

// Below this, muscle amid scar is without contrast agent rather than surviving.
double dark_level(const ScarStatistics& s) { return (s.healthy_mean + s.threshold_border_zone) / 2; }

// Muscle that does not enhance but is shut in by scar (and perhaps the cavity) got no contrast agent: no-reflow, hence
// core. What only just misses the threshold is speckle of the border zone. Returns the voxels that became core.
std::size_t fill_pockets(Labels& regions, const Labels& canonical, const MuscleImage& muscle, const ScarStatistics& s) {
  const Components parts = components(regions.grid, mask_of(regions, [](auto r) { return r == healthy; }));
  const int main = parts.largest();
  std::vector<double> sum(parts.count.size(), 0);
  std::vector<std::uint8_t> open(parts.count.size(), 0);
  for (std::size_t i = 0; i < regions.values.size(); ++i) {
    const auto part = parts.of[i];
    if (part < 0) continue;
    sum[part] += muscle.value[i];
    int faces = 0;
    for_faces(regions.grid, i, [&](std::size_t next, int) {
      ++faces;
      if (!is_muscle(canonical.values[next]) && canonical.values[next] != 1) open[part] = 1;
    });
    if (faces < 6) open[part] = 1;
  }
  const double dark = dark_level(s);
  std::size_t filled = 0;
  for (std::size_t i = 0; i < regions.values.size(); ++i) {
    const auto part = parts.of[i];
    if (part < 0 || part == main || open[part]) continue;
    regions.values[i] = sum[part] / double(parts.count[part]) < dark ? core : border_zone;
    filled += regions.values[i] == core;
  }
  return filled;
}

// Specks of surviving tissue cut off by core from the rest cannot be excited: they are core. Large parts are left, such
// as an apex beyond a scar all around. Returns the dark voxels that became core.
std::size_t close_core(Labels& regions, const MuscleImage& muscle, const ScarStatistics& s) {
  constexpr double speck = 2;  // [ml]
  const Components parts =
      components(regions.grid, mask_of(regions, [](auto r) { return r == healthy || r == border_zone; }));
  const int main = parts.largest();
  std::size_t filled = 0;
  for (std::size_t i = 0; i < regions.values.size(); ++i) {
    const auto part = parts.of[i];
    if (part < 0 || part == main || double(parts.count[part]) * voxel_ml(regions.grid) >= speck) continue;
    filled += regions.values[i] == healthy && muscle.value[i] < dark_level(s);
    regions.values[i] = core;
  }
  return filled;
}

void add_volumes(ScarStatistics& s, const Labels& regions) {
  std::size_t cores = 0, border_zones = 0;
  for (auto r : regions.values) cores += r == core, border_zones += r == border_zone;
  s.core_volume = double(cores) * voxel_ml(regions.grid);
  s.scar_volume = s.core_volume + double(border_zones) * voxel_ml(regions.grid);
}

void tell_none(const ScarStatistics& s, bool ratio, double labelled, const Monitor& monitor) {
  if (ratio) {
    monitor.tell(
        fmt::format("scar: none found; no part of the muscle above {:.0f} is large enough", s.threshold_border_zone));
  } else {
    monitor.tell(
        fmt::format("scar: none found; the brightest muscle of the inner wall ({:.0f}) does not stand out enough from "
                    "healthy muscle ({:.0f} +- {:.0f}) "
                    "and blood ({:.0f})",
                    s.p99_inner, s.healthy_mean, s.healthy_sd, s.blood_mean));
  }
  if (labelled > 0) {
    monitor.warn(fmt::format(
        "scar: none found by intensity, but the labels mark {:.1f} ml of infarct; use method labels to take "
        "those",
        labelled));
  }
}

}  // namespace

const char* key_of(ScarMethod method) {
  switch (method) {
    case ScarMethod::p99:
      return "p99";
    case ScarMethod::n_sd:
      return "n-sd";
    case ScarMethod::fwhm:
      return "fwhm";
    case ScarMethod::iir:
      return "iir";
    case ScarMethod::labels:
      return "labels";
  }
  return "";
}

Labels segment_scar(const Image& image, const Labels& canonical, const ScarOptions& options, ScarStatistics& statistics,
                    const Monitor& monitor) {
  check(options);
  require_same_grid(image.grid, canonical.grid);
  const MuscleImage muscle = muscle_image(image, canonical);
  monitor.poll();
  statistics = measure(image, canonical, muscle, options.remote);
  set_thresholds(statistics, image, canonical, options);
  if (statistics.offset > 0) {
    monitor.tell(
        fmt::format("scar: intensities carry an offset near {:.0f}, as phase-sensitive images do; thresholds are "
                    "measured from {}",
                    statistics.offset, options.method == ScarMethod::iir ? "there" : "healthy muscle"));
  }
  Labels regions{canonical.grid, std::vector<std::uint8_t>(canonical.values.size(), 0)};
  const bool expert = options.method == ScarMethod::labels, ratio = options.method == ScarMethod::iir,
             any = expert || ratio || stands_out(statistics);
  const std::vector<float>& values = ratio ? image.values : muscle.value;
  std::size_t no_reflow = 0, labelled = 0;
  for (std::size_t i = 0; i < regions.values.size(); ++i) {
    const std::uint8_t label = canonical.values[i];
    if (!is_muscle(label)) continue;
    labelled += label >= 3;
    const bool candidate = expert ? label >= 3 : any;
    const float value = values[i];
    regions.values[i] = !candidate                                            ? healthy
                        : label == 4 || value >= statistics.threshold_core    ? core
                        : expert || value >= statistics.threshold_border_zone ? border_zone
                                                                              : healthy;
    no_reflow += candidate && label == 4 && value < statistics.threshold_core;
  }
  if (any) {
    if (!ratio) no_reflow += fill_pockets(regions, canonical, muscle, statistics);
    if (!expert) drop_false_islands(regions, muscle.inner, options);
    if (!ratio) no_reflow += close_core(regions, muscle, statistics);
    add_volumes(statistics, regions);
  }
  statistics.no_reflow_volume = statistics.scar_volume > 0 ? double(no_reflow) * voxel_ml(regions.grid) : 0;
  if (statistics.scar_volume == 0) tell_none(statistics, ratio, double(labelled) * voxel_ml(regions.grid), monitor);
  return regions;
}

Image fibrosis_density(const Image& image, const Labels& canonical, const Labels& regions, const ScarStatistics& s) {
  require_same_grid(image.grid, canonical.grid);
  require_same_grid(image.grid, regions.grid);
  Image density{image.grid, std::vector<float>(image.values.size(), 0)};
  const double way = s.threshold_core - s.healthy_mean;
  if (s.scar_volume == 0 || !(way > 0)) return density;
  const MuscleImage muscle = muscle_image(image, canonical);
  const double most = std::clamp((s.threshold_border_zone - s.healthy_mean) / way, 0.0, 1.0);
  for (std::size_t i = 0; i < density.values.size(); ++i) {
    if (!is_muscle(canonical.values[i])) continue;
    const double share = std::clamp((muscle.value[i] - s.healthy_mean) / way, 0.0, 1.0);
    density.values[i] = regions.values[i] == core      ? 1
                        : regions.values[i] == healthy ? float(std::min(share, most))
                                                       : float(share);
  }
  return density;
}

}  // namespace cardiotwin::meshes
