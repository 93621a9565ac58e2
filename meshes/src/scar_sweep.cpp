#include <fmt/format.h>

#include <algorithm>
#include <cardiotwin/anatomy.hpp>
#include <cardiotwin/meshes/scar_analysis.hpp>
#include <cmath>

#include "scar_frame.hpp"

namespace cardiotwin::meshes {
namespace {

constexpr double patch = 5;  // of endocardium under a column of the wall [mm]

// The two options a method compares with.
struct Limits {
  double &core, &border_zone, most;
};
Limits limits_of(ScarOptions& o) {
  static constexpr double sds = 20, ratio = 5, share = 1;
  switch (o.method) {
    case ScarMethod::n_sd:
      return {o.n_sd, o.n_sd_border_zone, sds};
    case ScarMethod::iir:
      return {o.iir_core, o.iir_border_zone, ratio};
    case ScarMethod::fwhm:
      return {o.half, o.n_sd_border_zone, share};
    case ScarMethod::p99:
    case ScarMethod::labels:
      break;
  }
  return {o.core, o.border_zone, share};
}

void check(const ScarAnalysisOptions& o) {
  const auto require = [](bool good, const char* rule, double value) {
    if (!good) throw InputError(fmt::format("scar: {}, but it is {:g}", rule, value));
  };
  require(o.low >= 0.05 && o.low <= 1, "the sweep must begin in [0.05, 1]", o.low);
  require(o.high >= 1 && o.high <= 5, "the sweep must end in [1, 5]", o.high);
  require(o.step > 0 && (o.high - o.low) / o.step <= 200, "the sweep's step must be positive and give at most 200",
          o.step);
  require(o.spacing >= 0.4 && o.spacing <= 3, "spacing must lie in [0.4, 3] mm", o.spacing);
}

std::optional<double> dice(std::size_t a, std::size_t b, std::size_t both) {
  return a + b > 0 ? 2.0 * double(both) / double(a + b) : 0.0;
}

void compare(const Image& image, const Labels& canonical, const Labels& regions, SweepPoint& point) {
  std::size_t found = 0, bare = 0, marked = 0, found_both = 0, bare_both = 0;
  for (std::size_t v = 0; v < regions.values.size(); ++v) {
    const auto label = canonical.values[v];
    if (label < muscle || label > no_reflow) continue;
    const bool expert = label != muscle, ours = regions.values[v] > region::healthy,
               above = image.values[v] >= point.threshold_border_zone;
    found += ours, bare += above, marked += expert, found_both += ours && expert, bare_both += above && expert;
  }
  point.dice = dice(found, marked, found_both), point.dice_bare = dice(bare, marked, bare_both);
}

// Slopes between the neighbours of each point; at an end, to the one there is.
void differentiate(std::vector<SweepPoint>& sweep) {
  for (std::size_t p = 0; p < sweep.size() && sweep.size() > 1; ++p) {
    const auto &a = sweep[p > 0 ? p - 1 : p], &b = sweep[std::min(p + 1, sweep.size() - 1)];
    const double percent = 100 * (b.factor - a.factor);
    sweep[p].core_slope = (b.core - a.core) / percent;
    sweep[p].border_zone_slope = (b.border_zone - a.border_zone) / percent;
    sweep[p].channel_slope = (b.channel - a.channel) / percent;
  }
}

// Columns through the wall between the slices, from each voxel to the nearest of the cavity. What lies above the cut at
// the base is neither cavity nor outside.
void measure_depth(const HeartFrame& frame, const Labels& regions, ScarAnalysis& analysis) {
  const Labels& labels = frame.fine.labels;
  const Grid& g = labels.grid;
  Mask cavity(labels.values.size(), 0), outside(labels.values.size(), 0);
  for_each_voxel(g, [&](int i, int j, int k, std::size_t v) {
    if (frame.axis.height(g.position(Vec3(i, j, k))) > frame.axis.cavity_high()) return;
    cavity[v] = labels.values[v] == lv_cavity, outside[v] = labels.values[v] == background;
  });
  const auto to_cavity = nearest_of(g, cavity), to_outside = nearest_of(g, outside);
  std::vector<WallPiece> pieces;
  std::vector<Vec3> feet;
  const auto place = [&](std::int32_t v) {
    return g.position(Vec3(v % g.size[0], v / g.size[0] % g.size[1], v / (g.size[0] * g.size[1])));
  };
  for_each_voxel(g, [&](int i, int j, int k, std::size_t v) {
    if (labels.values[v] != muscle || to_cavity.voxel[v] < 0 || to_outside.voxel[v] < 0) return;
    const double in = std::sqrt(to_cavity.squared[v]) - frame.fine.spacing / 2,
                 out = std::sqrt(to_outside.squared[v]) - frame.fine.spacing / 2;
    const bool scar = regions.values[v] > region::healthy;
    const auto segment = frame.axis.segment(g.position(Vec3(i, j, k)));
    pieces.push_back({0, in / (in + out), ml_per_voxel(g), scar ? 1.0 : 0.0, segment});
    feet.push_back(place(to_cavity.voxel[v]));
    for (const std::size_t s : {std::size_t(0), std::size_t(segment)}) {
      analysis.muscle[s] += ml_per_voxel(g);
      if (scar) analysis.scar[s] += ml_per_voxel(g);
    }
  });
  const auto patches = patches_of(feet, patch);
  for (std::size_t p = 0; p < pieces.size(); ++p) pieces[p].column = patches[p];
  analysis.transmurality = transmurality(pieces);
}

// Volumes between the slices; the regions there are handed back.
Labels measure_volumes(const HeartFrame& frame, const Labels& regions, double closing, SweepPoint& point) {
  Labels fine = fine_regions(regions, frame.fine.labels);
  mark_channel(fine, closing);
  const auto volume = [&](Label label) {
    return double(std::count(fine.values.begin(), fine.values.end(), label)) * ml_per_voxel(fine.grid);
  };
  point.core = volume(region::core), point.border_zone = volume(region::border_zone);
  point.channel = volume(region::channel);
  return fine;
}

std::vector<double> factors(const ScarAnalysisOptions& o, const Limits& limits) {
  std::vector<double> all;
  const int below = int(std::floor((1 - o.low) / o.step + 1e-9)), above = int(std::floor((o.high - 1) / o.step + 1e-9));
  for (int i = -below; i <= above; ++i) {
    const double factor = i == 0 ? 1 : 1 + i * o.step;
    if (i <= 0 || limits.core * factor <= limits.most * (1 + 1e-9)) all.push_back(factor);
  }
  return all;
}

}  // namespace

ScarAnalysis analyse_scar(const Image& image, const Labels& canonical, const ScarAnalysisOptions& options,
                          const Monitor& monitor) {
  check(options);
  ScarAnalysis analysis{.options = options.scar};
  auto remote = remote_region(image, canonical, options.remote, options.septum, monitor);
  if (remote) analysis.options.remote = std::move(remote);
  for (const auto label : canonical.values)
    analysis.labelled_infarct += label == infarct || label == no_reflow ? ml_per_voxel(canonical.grid) : 0;
  analysis.regions = segment_scar(image, canonical, analysis.options, analysis.statistics, monitor);
  const HeartFrame frame = heart_frame(canonical, options.spacing, options.septum, monitor);
  const Monitor silent{.cancelled = monitor.cancelled};
  const auto all = factors(options, limits_of(analysis.options));
  for (const double factor : all) {
    monitor.poll();
    monitor.report("scar: sweep of the thresholds", double(analysis.sweep.size()) / double(all.size()));
    ScarOptions scaled = analysis.options;
    const Limits limits = limits_of(scaled);
    limits.core = std::min(limits.core * factor, limits.most), limits.border_zone *= factor;
    SweepPoint point{.factor = factor, .limit_core = limits.core, .limit_border_zone = limits.border_zone};
    ScarStatistics statistics;
    const Labels regions = segment_scar(image, canonical, scaled, statistics, silent);
    point.threshold_core = statistics.threshold_core, point.threshold_border_zone = statistics.threshold_border_zone;
    const Labels fine = measure_volumes(frame, regions, scaled.channel_closing, point);
    if (analysis.labelled_infarct > 0) compare(image, canonical, regions, point);
    if (factor == 1) analysis.chosen = analysis.sweep.size(), measure_depth(frame, fine, analysis);
    analysis.sweep.push_back(point);
  }
  differentiate(analysis.sweep);
  return analysis;
}

}  // namespace cardiotwin::meshes
