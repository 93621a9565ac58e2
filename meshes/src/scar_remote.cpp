// Muscle that is remote from scar.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "scar_frame.hpp"
#include "scar_statistics.hpp"

namespace cardiotwin::meshes {
namespace {

constexpr int sectors = 36, shortest_arc = 6;  // of 10 degrees
constexpr double frame_spacing = 1;            // [mm]

// The sector of a slice in which a pixel lies, seen from the centre of the cavity (of the muscle where there is none).
class Sectors {
 public:
  Sectors(const Labels& canonical, int k) : grid_(canonical.grid) {
    std::array<double, 3> blood{}, wall{};
    for (int j = 0; j < grid_.size[1]; ++j) {
      for (int i = 0; i < grid_.size[0]; ++i) {
        const auto label = canonical.values[grid_.offset(i, j, k)];
        if (label != lv_cavity && !is_muscle(label)) continue;
        auto& sum = label == lv_cavity ? blood : wall;
        sum[0] += i, sum[1] += j, sum[2] += 1;
      }
    }
    const auto& sum = blood[2] > 0 ? blood : wall;
    if (sum[2] > 0) i_ = sum[0] / sum[2], j_ = sum[1] / sum[2];
  }
  int of(int i, int j) const {
    const double angle = std::atan2((j - j_) * grid_.spacing[1], (i - i_) * grid_.spacing[0]) / (2 * std::numbers::pi);
    return int((angle + 1) * sectors) % sectors;
  }

 private:
  const Grid& grid_;
  double i_ = 0, j_ = 0;
};

// Longest run of sectors round the slice that hold: first sector and length, `sectors` for all.
std::pair<int, int> longest_run(const std::array<bool, sectors>& holds) {
  std::pair<int, int> best{0, 0};
  for (int first = 0; first < sectors; ++first) {
    int length = 0;
    while (length < sectors && holds[std::size_t(first + length) % sectors]) ++length;
    if (length > best.second) best = {first, length};
  }
  return best;
}

// Sectors whose median muscle is no brighter than the healthy mean and two standard deviations of a voxel, which is
// many of a median; one without muscle does not hold.
std::array<bool, sectors> unenhanced(const Labels& canonical, const MuscleImage& wall, const Sectors& sector, int k,
                                     double limit) {
  std::array<std::vector<float>, sectors> values;
  for (int j = 0; j < canonical.grid.size[1]; ++j) {
    for (int i = 0; i < canonical.grid.size[0]; ++i) {
      const auto at = canonical.grid.offset(i, j, k);
      if (is_muscle(canonical.values[at])) values[std::size_t(sector.of(i, j))].push_back(wall.value[at]);
    }
  }
  std::array<bool, sectors> holds{};
  for (std::size_t s = 0; s < sectors; ++s) holds[s] = !values[s].empty() && percentile(values[s], 0.5) <= limit;
  return holds;
}

Labels arc_region(const Image& image, const Labels& canonical) {
  const MuscleImage wall = muscle_image(image, canonical);
  const ScarStatistics first = measure(image, canonical, wall);
  const double limit = first.healthy_mean + 2 * first.healthy_sd;
  Labels remote{image.grid, std::vector<std::uint8_t>(image.values.size(), 0)};
  for (int k = 0; k < image.grid.size[2]; ++k) {
    const Sectors sector(canonical, k);
    const auto [start, length] = longest_run(unenhanced(canonical, wall, sector, k, limit));
    if (length < shortest_arc) continue;
    const int rim = length < sectors ? 1 : 0;  // beside what enhances there is border zone
    for (int j = 0; j < image.grid.size[1]; ++j) {
      for (int i = 0; i < image.grid.size[0]; ++i) {
        const auto at = image.grid.offset(i, j, k);
        const int along = (sector.of(i, j) - start + sectors) % sectors;
        remote.values[at] = is_muscle(canonical.values[at]) && along >= rim && along < length - rim;
      }
    }
  }
  return remote;
}

Labels segment_region(const Labels& canonical, const std::vector<int>& segments, const std::optional<Vec3>& septum,
                      const Monitor& monitor) {
  for (const int segment : segments) {
    if (segment < 1 || segment > 17)
      throw InputError(fmt::format("remote region: {} is no AHA segment from 1 to 17", segment));
  }
  const Monitor silent{.cancelled = monitor.cancelled};  // a guessed septum is told where segments are reported
  const LongAxis axis = heart_frame(canonical, frame_spacing, septum, silent).axis;
  Labels remote{canonical.grid, std::vector<std::uint8_t>(canonical.values.size(), 0)};
  for_each_voxel(canonical.grid, [&](int i, int j, int k, std::size_t v) {
    if (!is_muscle(canonical.values[v])) return;
    const int segment = axis.segment(canonical.grid.position(Vec3(i, j, k)));
    remote.values[v] = std::find(segments.begin(), segments.end(), segment) != segments.end();
  });
  return remote;
}

Labels file_region(const Labels& canonical, const std::filesystem::path& file, const Monitor& monitor) {
  const LabelValues values = labels_on(canonical.grid, read_labels(file, monitor), monitor);
  Labels remote{canonical.grid, std::vector<std::uint8_t>(values.values.size(), 0)};
  for (std::size_t v = 0; v < values.values.size(); ++v)
    remote.values[v] = values.values[v] != 0 && is_muscle(canonical.values[v]);
  return remote;
}

}  // namespace

HeartFrame heart_frame(const Labels& canonical, double spacing, const std::optional<Vec3>& septum,
                       const Monitor& monitor) {
  FineLabels fine = fine_labels(canonical, {.edge = 2 * spacing}, monitor);
  const Plane base = base_plane(fine.labels);
  const Grid& g = fine.labels.grid;
  double low = 0, cavity = 0;
  const auto height = [&](int i, int j, int k) { return base.height(g.position(Vec3(i, j, k))); };
  for_each_voxel(g, [&](int i, int j, int k, std::size_t v) {
    if (fine.labels.values[v] == lv_cavity) cavity = std::min(cavity, height(i, j, k));
    if (fine.labels.values[v] == muscle) low = std::min(low, height(i, j, k));
  });
  Vec3 apex = Vec3::Zero();  // the middle of the lowest layer
  double count = 0;
  for_each_voxel(g, [&](int i, int j, int k, std::size_t v) {
    if (fine.labels.values[v] == muscle && height(i, j, k) < low + fine.spacing)
      apex += g.position(Vec3(i, j, k)), count += 1;
  });
  apex /= count;
  const Vec3 towards = find_septum(canonical, apex, base.centre, septum, monitor).direction;
  const Vec3 up = (base.centre - apex).normalized();
  return {std::move(fine), LongAxis(apex, base.centre, towards, (base.centre + cavity * base.normal - apex).dot(up))};
}

std::optional<Labels> remote_region(const Image& image, const Labels& canonical, const RemoteOptions& options,
                                    const std::optional<Vec3>& septum, const Monitor& monitor) {
  require_same_grid(image.grid, canonical.grid);
  using From = RemoteOptions::From;
  if (options.from == From::mode) return {};
  Labels remote = options.from == From::arc        ? arc_region(image, canonical)
                  : options.from == From::segments ? segment_region(canonical, options.segments, septum, monitor)
                                                   : file_region(canonical, options.file, monitor);
  const auto voxels = std::count(remote.values.begin(), remote.values.end(), 1);
  if (voxels == 0) {
    throw InputError(
        options.from == From::arc
            ? std::string("remote region: no slice has 60 degrees of wall without enhancement; name AHA segments or a "
                          "label file")
        : options.from == From::segments
            ? fmt::format("remote region: the AHA segments {} hold no muscle; name others",
                          fmt::join(options.segments, ", "))
            : std::string("remote region: the file marks no muscle; mark some within the wall"));
  }
  monitor.tell(fmt::format("scar: {:.1f} ml of muscle are taken as remote from scar",
                           double(voxels) * ml_per_voxel(remote.grid)));
  return remote;
}

}  // namespace cardiotwin::meshes
