#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cardiotwin/meshes/labels.hpp>
#include <cmath>

#include "image_ops.hpp"
#include "voxels.hpp"

namespace cardiotwin::meshes {
namespace {

// "1 LV cavity (5120 voxels), ..." of a file's values under a convention.
std::string found(const LabelValues& labels, const Convention& convention) {
  std::map<int, std::size_t> count;
  for (const auto value : labels.values) ++count[value];
  std::string text;
  for (const auto& [value, voxels] : count) {
    const auto at = convention.meaning.find(value);
    text += fmt::format("{}{} {} ({} voxels)", text.empty() ? "" : ", ", value,
                        name_of(at == convention.meaning.end() ? Meaning::background : at->second), voxels);
  }
  return text;
}

void check_edges(const Labels& labels) {
  const auto& n = labels.grid.size;
  for (std::size_t at = 0; at < labels.values.size(); ++at) {
    if (labels.values[at] < 1 || labels.values[at] > 4) continue;
    const int i = int(at % n[0]), j = int(at / n[0] % n[1]), k = int(at / (std::size_t(n[0]) * n[1]));
    if (i == 0 || j == 0 || i == n[0] - 1 || j == n[1] - 1) {
      throw InputError(
          fmt::format("labels: the left ventricle must lie inside the image, but it touches its edge at voxel ({}, {}, "
                      "{}), so muscle is cut off; use a "
                      "larger field of view or correct the labels there",
                      i, j, k));
    }
  }
}

void check_heart(const LabelValues& values, const Labels& own, const Convention& convention) {
  std::array<std::size_t, meaning_count> count{};
  for (const auto label : own.values) ++count[label];
  if (count[muscle] + count[infarct] + count[no_reflow] == 0) {
    throw InputError(
        fmt::format("labels: there must be muscle of the left ventricle, but found {} as in {}; is this the "
                    "segmentation, and the right --convention?",
                    found(values, convention), convention.source));
  }
  if (count[lv_cavity] == 0) {
    throw InputError(fmt::format("labels: there must be an LV cavity, but found {}; label the blood pool",
                                 found(values, convention)));
  }
  if (const double share = enclosed_share(own); share < 0.5) {
    throw InputError(
        fmt::format("labels: the LV cavity must be enclosed by muscle, but only {:.0f} % of its rim is (found {}, as "
                    "in {}); choose another --convention or correct the labels",
                    100 * share, found(values, convention), convention.source));
  }
}

}  // namespace

Labels own_labels(Labels meanings) {
  for (auto& label : meanings.values) {
    if (Meaning(label) == Meaning::oedema) label = muscle;
    if (Meaning(label) == Meaning::la_blood) label = background;
  }
  return meanings;
}

Labels canonical_labels(const LabelValues& values, const std::string& text, const Monitor& monitor) {
  const Convention convention = text == "guess" ? guess_convention(values) : convention_of(text);
  Labels own = meanings(values, convention);
  if (text == "guess")
    monitor.tell(fmt::format("labels: taken as {}: {}", convention.source, found(values, convention)));
  own = own_labels(std::move(own));
  check_heart(values, own, convention);
  const Vec3& spacing = own.grid.spacing;
  if (std::max(spacing[0], spacing[1]) > 1.5 * spacing[2]) {
    monitor.warn(
        fmt::format("labels: slices are expected along the third axis, but voxels are {:.3g} x {:.3g} x {:.3g} mm",
                    spacing[0], spacing[1], spacing[2]));
  }
  check_edges(own);
  return own;
}

Labels canonical_labels(const Labels& labels, const std::string& convention, const Monitor& monitor) {
  return canonical_labels(LabelValues{labels.grid, {labels.values.begin(), labels.values.end()}}, convention, monitor);
}

LabelValues labels_on(const Grid& image, LabelValues labels, const Monitor& monitor) {
  if (same_grid(image, labels.grid)) return labels;
  const Grid& own = labels.grid;
  std::size_t labelled = 0, outside = 0;
  for_each_voxel(own, [&](int i, int j, int k, std::size_t v) {
    if (labels.values[v] == 0) return;
    const auto at = nearest_voxel(image, own.position(Vec3(i, j, k)));
    ++labelled, outside += !holds(image, at[0], at[1], at[2]);
  });
  if (labelled > 0 && outside == labelled) {
    throw InputError(
        "labels: they must lie within the image, but none of their voxels does; choose the image that they were drawn "
        "on");
  }
  LabelValues out{image, std::vector<std::int32_t>(image.count(), 0)};
  for_each_voxel(image, [&](int i, int j, int k, std::size_t v) {
    const auto at = nearest_voxel(own, image.position(Vec3(i, j, k)));
    if (holds(own, at[0], at[1], at[2])) out.values[v] = labels.values[own.offset(at[0], at[1], at[2])];
  });
  monitor.tell(fmt::format(
      "labels: drawn on another grid ({} x {} x {} voxels of {:.3g} x {:.3g} x {:.3g} mm); each voxel of the "
      "image ({} x {} x {}) takes the label nearest in space",
      own.size[0], own.size[1], own.size[2], own.spacing[0], own.spacing[1], own.spacing[2], image.size[0],
      image.size[1], image.size[2]));
  if (outside > 0)
    monitor.warn(fmt::format("labels: {:.1f} % of the labelled voxels lie outside the image and are left out",
                             100.0 * double(outside) / double(labelled)));
  return out;
}

}  // namespace cardiotwin::meshes
