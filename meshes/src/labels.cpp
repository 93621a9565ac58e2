#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cardiotwin/meshes/scar.hpp>

#include "image_ops.hpp"

namespace cardiotwin::meshes {
namespace {

constexpr const char* conventions =
    "EMIDEC (0 background, 1 LV cavity, 2 myocardium, 3 infarct, 4 no-reflow) or phantom (the same and 5 RV cavity)";

std::string found(const std::array<std::size_t, 256>& count) {
  std::string text;
  int listed = 0;
  for (int value = 0; value < 256; ++value) {
    if (!count[value]) continue;
    if (++listed > 12) return text + ", ...";
    text += fmt::format("{}{} ({} voxels)", text.empty() ? "" : ", ", value, count[value]);
  }
  return text;
}

void check_edges(const Labels& labels, const Monitor& monitor) {
  const auto& n = labels.grid.size;
  bool first = false, last = false;
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
    first |= k == 0, last |= k == n[2] - 1;
  }
  if (first || last) {
    monitor.warn(
        fmt::format("labels: the left ventricle reaches the {} of the stack; it is taken to end half a slice beyond",
                    first && last ? "first and the last slice"
                    : first       ? "first slice"
                                  : "last slice"));
  }
}

}  // namespace

Labels canonical_labels(const Labels& labels, Convention convention, const Monitor& monitor) {
  std::array<std::size_t, 256> count{};
  for (std::uint8_t value : labels.values) ++count[value];
  int highest = 255;
  while (highest > 0 && !count[highest]) --highest;
  const int allowed = convention == Convention::emidec ? 4 : 5;
  if (highest > allowed) {
    throw InputError(fmt::format("labels: the values must be those of {}, but found {}; relabel them",
                                 convention == Convention::guess    ? conventions
                                 : convention == Convention::emidec ? "EMIDEC (0 to 4)"
                                                                    : "phantom (0 to 5)",
                                 found(count)));
  }
  if (count[2] + count[3] + count[4] == 0) {
    throw InputError(
        fmt::format("labels: there must be muscle (label 2), but found {}; is this the segmentation?", found(count)));
  }
  if (count[1] == 0) {
    throw InputError(
        fmt::format("labels: there must be an LV cavity (label 1), but found {}; label the blood pool", found(count)));
  }
  if (const double share = enclosed_share(labels); share < 0.5) {
    throw InputError(
        fmt::format("labels: the LV cavity (label 1) must be enclosed by muscle, but only {:.0f} % of its rim is "
                    "(found {}); in ACDC label 1 is the "
                    "right ventricle and 3 the LV cavity: relabel them",
                    100 * share, found(count)));
  }
  if (convention == Convention::guess) {
    monitor.tell(fmt::format("labels: taken as {} (1 LV cavity, 2 myocardium{})", count[5] ? "phantom" : "EMIDEC",
                             count[3] + count[4] ? ", 3 infarct, 4 no-reflow" : ""));
  }
  const Vec3& spacing = labels.grid.spacing;
  if (std::max(spacing[0], spacing[1]) > 1.5 * spacing[2]) {
    monitor.warn(
        fmt::format("labels: slices are expected along the third axis, but voxels are {:.3g} x {:.3g} x {:.3g} mm",
                    spacing[0], spacing[1], spacing[2]));
  }
  check_edges(labels, monitor);
  return labels;
}

}  // namespace cardiotwin::meshes
