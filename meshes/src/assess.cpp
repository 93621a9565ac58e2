#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "assess_parts.hpp"
#include "image_ops.hpp"
#include "scar_statistics.hpp"
#include "voxels.hpp"

namespace cardiotwin::meshes {
namespace {

double width_of(double area) { return 2 * std::sqrt(area / std::numbers::pi); }

// "4, 6-8", counted from 1.
std::string numbers_of(const std::vector<int>& slices) {
  std::string text;
  for (std::size_t n = 0; n < slices.size(); ++n) {
    std::size_t last = n;
    while (last + 1 < slices.size() && slices[last + 1] == slices[last] + 1) ++last;
    text += (text.empty() ? "" : ", ") + std::to_string(slices[n] + 1);
    if (last > n) text += "-" + std::to_string(slices[last] + 1);
    n = last;
  }
  return text;
}

}  // namespace

SliceAreas slice_areas(const Labels& canonical) {
  const Grid& g = canonical.grid;
  SliceAreas areas{.muscle = std::vector<double>(std::size_t(g.size[2]), 0),
                   .cavity = std::vector<double>(std::size_t(g.size[2]), 0)};
  const double pixel = g.spacing[0] * g.spacing[1];
  for_each_voxel(g, [&](int, int, int k, std::size_t v) {
    if (is_muscle(canonical.values[v])) areas.muscle[std::size_t(k)] += pixel;
    if (canonical.values[v] == lv_cavity) areas.cavity[std::size_t(k)] += pixel;
  });
  for (int k = 0; k < g.size[2]; ++k) {
    if (areas.shown(k)) areas.first = areas.first < 0 ? k : areas.first, areas.last = k;
  }
  double moment = 0, total = 0;
  for (int k = std::max(0, areas.first); k <= areas.last; ++k) {
    const double area = areas.muscle[std::size_t(k)] + areas.cavity[std::size_t(k)];
    moment += k * area, total += area;
  }
  areas.apex_first = moment > total * 0.5 * (areas.first + areas.last);
  return areas;
}

std::vector<float> wall_thickness(const Labels& canonical) {
  const Grid& g = canonical.grid;
  const std::size_t slab = std::size_t(g.size[0]) * std::size_t(g.size[1]);
  const double pixel = std::max(g.spacing[0], g.spacing[1]);
  std::vector<float> all;
  Mask cavity(slab), ventricle(slab);
  for (int k = 0; k < g.size[2]; ++k) {
    const std::uint8_t* label = canonical.values.data() + std::size_t(k) * slab;
    for (std::size_t i = 0; i < slab; ++i)
      cavity[i] = label[i] == lv_cavity, ventricle[i] = label[i] == lv_cavity || is_muscle(label[i]);
    if (std::find(cavity.begin(), cavity.end(), 1) == cavity.end()) continue;
    const auto to_cavity = signed_distance(cavity, g.size[0], g.size[1], g.spacing[0], g.spacing[1]);
    const auto to_outside = signed_distance(ventricle, g.size[0], g.size[1], g.spacing[0], g.spacing[1]);
    for (std::size_t i = 0; i < slab; ++i) {
      if (is_muscle(label[i]) && std::abs(-to_cavity[i] - to_outside[i]) <= pixel)
        all.push_back(to_outside[i] - to_cavity[i]);
    }
  }
  std::ranges::sort(all);
  return all;
}

void assess_stack(const Labels& canonical, const SliceAreas& areas, double wall, const AssessOptions& options,
                  Findings& findings) {
  const double spacing = canonical.grid.spacing[2];
  std::vector<int> missing;
  for (int k = areas.first; k <= areas.last; ++k) {
    if (!areas.shown(k)) missing.push_back(k);
  }
  const int between = areas.last - areas.first + 1, count = between - int(missing.size());
  findings.below(count, 5.5, 2.5,
                 fmt::format("only {} slice{} the left ventricle, and the AHA segments need two a third (6); label "
                             "more, or image with more",
                             count, count == 1 ? " shows" : "s show"));
  if (!missing.empty()) {
    findings.above(double(missing.size()) / between, 0, 0.25,
                   fmt::format("{} of the {} slices between apex and base carry no labels (number {}), and what they "
                               "show is interpolated; label them",
                               missing.size(), between, numbers_of(missing)));
  }
  if (wall > 0) {
    findings.above(
        spacing / wall, 0.7, 2,
        fmt::format("the image's slices are {:.1f} mm apart, {:.1f} times the wall of {:.1f} mm: scar between "
                    "them is interpolated, and channels thinner than that may be missed or invented; image "
                    "thinner slices",
                    spacing, spacing / wall, wall));
  }
  if (options.slice_thickness && *options.slice_thickness > 0) {
    const double gap = spacing - *options.slice_thickness;
    findings.above(gap / spacing, 0.2, 0.5,
                   fmt::format("between slices of {:.1f} mm lie gaps of {:.1f} mm, so {:.0f} % of the heart were not "
                               "imaged; image without gaps",
                               *options.slice_thickness, gap, 100 * gap / spacing));
  }
}

void assess_coverage(const Labels& canonical, const SliceAreas& areas, Findings& findings) {
  const Grid& g = canonical.grid;
  const double widest = width_of(*std::ranges::max_element(areas.cavity));
  const int apex = areas.apex_first ? areas.first : areas.last;
  const double at_apex = width_of(areas.cavity[std::size_t(apex)]);
  if (widest > 0) {
    findings.above(
        at_apex / widest, 0.5, 0.75,
        fmt::format("the labels end above the apex, where the cavity is still {:.0f} mm wide ({:.0f} % of its "
                    "largest width); label or image the slices below",
                    at_apex, 100 * at_apex / widest));
    const double length = g.spacing[2] * double(std::ranges::count_if(areas.cavity, [](double a) { return a > 0; }));
    findings.below(
        length / widest, 1.3, 0.8,
        fmt::format("the labelled cavity is {:.0f} mm long and {:.0f} mm wide, {:.2f} times as long as wide (1.5 "
                    "to 2 in health, 1.3 where dilated): base or apex are probably not covered; label or "
                    "image more slices",
                    length, widest, length / widest));
  }
  for (const int end : {areas.first, areas.last}) {
    if (end != 0 && end != g.size[2] - 1) continue;
    findings.add(Severity::warning,
                 fmt::format("the left ventricle reaches the {} slice of the stack at its {} ({} mm2 of muscle): it is "
                             "taken to end half a slice beyond; image one slice more",
                             end == 0 ? "first" : "last", end == apex ? "apex" : "base",
                             std::lround(areas.muscle[std::size_t(end)])));
    if (areas.first == areas.last) break;
  }
  const int base = areas.apex_first ? areas.last : areas.first;
  const double half = g.spacing[2] / 2, all = std::accumulate(areas.muscle.begin(), areas.muscle.end(), 0.0);
  const double share = all > 0 ? areas.muscle[std::size_t(base)] / (2 * all) : 0;
  if (share > 0.02) {  // half a slice of the base; a scar has two such ends
    findings.add(share > 0.05 ? Severity::warning : Severity::info,
                 fmt::format("the muscle ends within {:.1f} mm of where the last slice at its base does, so its volume "
                             "is known to {:.0f} %, and a scar's no better; image thinner slices where volumes matter",
                             half, 100 * share));
  }
  std::size_t at_edge = 0;
  for_each_voxel(g, [&](int i, int j, int, std::size_t v) {
    const auto label = canonical.values[v];
    at_edge +=
        label != background && label <= no_reflow && (i == 0 || j == 0 || i == g.size[0] - 1 || j == g.size[1] - 1);
  });
  if (at_edge > 0) {
    findings.add(Severity::severe,
                 fmt::format("the left ventricle touches the image's edge with {} voxels, so muscle is cut off; use a "
                             "larger field of view or correct the labels",
                             at_edge));
  }
}

std::vector<Finding> assess(const Image& image, const Labels& canonical, const AssessOptions& options,
                            const Monitor& monitor) {
  require_same_grid(image.grid, canonical.grid);
  if (!(options.edge > 0)) throw InputError(fmt::format("assess: edge = {:g} mm must be positive", options.edge));
  const SliceAreas areas = slice_areas(canonical);
  const auto present = [](const std::vector<double>& area) {
    return std::ranges::any_of(area, [](double a) { return a > 0; });
  };
  if (!present(areas.muscle) || !present(areas.cavity))
    throw InputError("assess: the labels must show muscle and cavity of the left ventricle; label both");
  const MuscleImage wall_image = muscle_image(image, canonical);
  const ScarStatistics statistics = measure(image, canonical, wall_image);
  auto wall = wall_thickness(canonical);
  const double middle = percentile(wall, 0.5), thin = percentile(wall, 0.05);
  monitor.poll();
  Findings findings;
  assess_signal(image, canonical, statistics, findings);
  assess_stack(canonical, areas, middle, options, findings);
  assess_coverage(canonical, areas, findings);
  assess_shape(canonical, monitor, findings);
  if (!wall.empty() && thin < options.edge) {  // the mesher tells what lies between one edge and two
    findings.add(
        Severity::severe,
        fmt::format("a twentieth of the wall is thinner than {:.1f} mm, less than one edge of {:.2g} mm: the mesh "
                    "will have holes there; build with --edge {:.1f} or less, or correct the labels",
                    thin, options.edge, std::max(0.1, std::floor(5 * thin) / 10)));
  }
  monitor.poll();
  assess_alignment(image, canonical, statistics, findings);
  return findings.take();
}

}  // namespace cardiotwin::meshes
