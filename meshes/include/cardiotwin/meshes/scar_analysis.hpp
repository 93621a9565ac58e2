#pragma once
/// What an image says about scar before there is a mesh: statistics, how much hangs on the thresholds, how deep it
/// goes.

#include <array>
#include <cardiotwin/log.hpp>
#include <cardiotwin/meshes/scar.hpp>
#include <cardiotwin/transmurality.hpp>
#include <filesystem>
#include <optional>
#include <vector>

namespace cardiotwin::meshes {

struct ScarAnalysisOptions {
  ScarOptions scar;
  RemoteOptions remote;
  std::optional<Vec3> septum;  ///< as for BuildOptions
  /// Sweep: both limits times `low`, `low` + `step`, ... `high`; p99 shares end at 1.
  double low = 0.5, high = 1.5, step = 0.05;
  double spacing = 1;  ///< of the grid between slices on which volumes are taken [mm]
};

/// Volumes with both limits times `factor` [ml]; derivatives are central, per percent of the limits.
struct SweepPoint {
  double factor = 1;
  double limit_core = 0, limit_border_zone = 0;          ///< in the method's own unit: share, SDs or ratio
  double threshold_core = 0, threshold_border_zone = 0;  ///< intensity
  /// Border zone without channel. All are of the muscle between the slices, as `build` would mesh it.
  double core = 0, border_zone = 0, channel = 0;
  double core_slope = 0, border_zone_slope = 0, channel_slope = 0;  ///< [ml/%]
  /// With labelled infarct: Dice of scar (core, border zone, channel) in the image's voxels against labels 3 and 4, and
  /// that of the bare threshold, intensity >= threshold_border_zone.
  std::optional<double> dice, dice_bare;
  double scar() const { return core + border_zone + channel; }
  double scar_slope() const { return core_slope + border_zone_slope + channel_slope; }
};

struct ScarAnalysis {
  ScarOptions options;
  ScarStatistics statistics;
  Labels regions;                                 ///< on the image's grid, channel is border zone
  std::vector<SweepPoint> sweep;                  ///< ascending factors, 1 among them
  std::size_t chosen = 0;                         ///< the point of factor 1
  std::array<Transmurality, 18> transmurality{};  ///< per AHA segment, [0] the whole heart
  std::array<double, 18> muscle{}, scar{};        ///< [ml] per AHA segment, [0] the whole heart
  double labelled_infarct = 0;                    ///< labels 3 and 4 [ml]
};

/// Segments, sweeps and measures depth on a grid between the slices. Throws InputError for a sweep out of range (0.05
/// to 5, at most 200 steps) and as segment_scar, remote_region and build_twin do for options and labels.
ScarAnalysis analyse_scar(const Image&, const Labels& canonical, const ScarAnalysisOptions& = {}, const Monitor& = {});

/// For people, on one screen; for programs; and rows for a spreadsheet.
std::string in_words(const ScarAnalysis&);
std::string to_json(const ScarAnalysis&, const std::map<std::string, std::string>& inputs);
std::string sweep_csv(const ScarAnalysis&);
std::string segments_csv(const ScarAnalysis&);
/// Volumes, their slopes and Dice against the factor, as a picture that needs nothing else.
std::string sweep_svg(const ScarAnalysis&);

}  // namespace cardiotwin::meshes
