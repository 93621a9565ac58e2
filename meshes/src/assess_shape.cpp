// Labels as shapes: holes, islands, leaks, scar that is no part of a wall.

#include <algorithm>
#include <cmath>

#include "assess_parts.hpp"
#include "build_parts.hpp"
#include "image_ops.hpp"

namespace cardiotwin::meshes {
namespace {

constexpr double speck = 0.05;           // [ml]
constexpr double smallest_opening = 20;  // [mm2] of blood against background that make a hole worth a word
constexpr double largest_opening = 400;  // [mm2]
constexpr double leak_spacing = 1;       // [mm] of the grid on which openings are looked for

// Background shut in by muscle and cavity within its slice; what borders on the right ventricle is a gap beside it.
double holes(const Labels& canonical, int& count) {
  const Grid& g = canonical.grid;
  const std::size_t slab = std::size_t(g.size[0]) * std::size_t(g.size[1]);
  Grid slice = g;
  slice.size[2] = 1;
  double voxels = 0;
  for (int k = 0; k < g.size[2]; ++k) {
    const std::uint8_t* label = canonical.values.data() + std::size_t(k) * slab;
    Mask empty(slab);
    for (std::size_t v = 0; v < slab; ++v) empty[v] = label[v] == background;
    const Components parts = components(slice, empty);
    std::vector<std::uint8_t> open(parts.count.size(), 0), walled(parts.count.size(), 0);
    for (std::size_t v = 0; v < slab; ++v) {
      if (parts.of[v] < 0) continue;
      const auto part = std::size_t(parts.of[v]);
      int faces = 0;
      for_faces(slice, v, [&](std::size_t next, int) {
        ++faces, open[part] |= label[next] == rv_cavity, walled[part] |= is_muscle(label[next]);
      });
      open[part] |= faces < 4;
    }
    for (std::size_t part = 0; part < open.size(); ++part) {
      if (!open[part] && walled[part]) ++count, voxels += double(parts.count[part]);
    }
  }
  return voxels * ml_per_voxel(g);
}

struct Loose {
  double muscle = 0, scar = 0, cavity = 0, whole = 0;  // [ml]
};

// What touches the largest piece of muscle, or of cavity, not even at a corner; scar alone is told from muscle.
Loose loose_pieces(const Labels& canonical) {
  const Grid& g = canonical.grid;
  Mask wall(canonical.values.size()), cavity(canonical.values.size());
  for (std::size_t v = 0; v < wall.size(); ++v)
    wall[v] = is_muscle(canonical.values[v]), cavity[v] = canonical.values[v] == lv_cavity;
  const auto pieces = voxel_pieces(g, wall, Neighbours::corners), blood = voxel_pieces(g, cavity, Neighbours::corners);
  std::vector<std::uint8_t> living(pieces.size.size(), 0);
  for (std::size_t v = 0; v < wall.size(); ++v) {
    if (canonical.values[v] == muscle) living[std::size_t(pieces.of[v])] = 1;
  }
  Loose loose;
  for (std::size_t p = 0; p < pieces.size.size(); ++p) {
    const double ml = double(pieces.size[p]) * ml_per_voxel(g);
    loose.whole += ml;
    if (p > 0) (living[p] ? loose.muscle : loose.scar) += ml;
  }
  for (std::size_t p = 1; p < blood.size.size(); ++p) loose.cavity += double(blood.size[p]) * ml_per_voxel(g);
  return loose;
}

// Blood against background anywhere but at the base, in mm2: the cavity runs out of the labels.
double second_opening(const Labels& labels) {
  const Grid& g = labels.grid;
  Mask open(labels.values.size(), 0);
  for_each_voxel(g, [&](int i, int j, int k, std::size_t v) {
    if (labels.values[v] != lv_cavity) return;
    for (const auto& s : face_steps) open[v] |= label_at(labels, i + s[0], j + s[1], k + s[2]) == background;
  });
  const auto pieces = voxel_pieces(g, open, Neighbours::corners);
  return pieces.size.size() < 2 ? 0.0 : static_cast<double>(pieces.size[1]) * std::pow(g.spacing.prod(), 2.0 / 3.0);
}

}  // namespace

void assess_shape(const Labels& canonical, const Monitor& monitor, Findings& findings) {
  const Loose loose = loose_pieces(canonical);
  const double much = 0.1 * loose.whole;
  int count = 0;
  if (const double hole = holes(canonical, count); count > 0) {
    findings.above(
        hole, speck, much,
        fmt::format("the muscle label has {} hole{} of {:.2f} ml in all, which the mesh would have, too; fill "
                    "{} in the labels",
                    count, count == 1 ? "" : "s", hole, count == 1 ? "it" : "them"));
  }
  findings.above(loose.muscle, speck, much,
                 fmt::format("{:.2f} ml of muscle label are not connected to the rest and are left out; join or erase "
                             "them",
                             loose.muscle));
  findings.above(loose.scar, speck, much,
                 fmt::format("{:.2f} ml of infarct label lie outside the muscle and are left out; erase them, or label "
                             "the muscle around them",
                             loose.scar));
  findings.above(
      loose.cavity, speck, much,
      fmt::format("{:.2f} ml of cavity label are not connected to the rest; join or erase them", loose.cavity));
  monitor.poll();
  const double opening = second_opening(fine_labels(canonical, {.edge = 2 * leak_spacing}, {}).labels);
  findings.above(
      opening, smallest_opening, largest_opening,
      fmt::format("the cavity meets background on {:.0f} mm2 away from its base: the labels end above the apex "
                  "or leave a hole in the wall, and fibres and AHA segments near it are unreliable; close it "
                  "in the labels",
                  opening));
}

}  // namespace cardiotwin::meshes
