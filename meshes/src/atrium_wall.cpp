#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "atrium.hpp"

namespace cardiotwin::meshes {
namespace {

Mask mask_of(const Labels& labels, std::uint8_t which) {
  Mask mask(labels.values.size());
  for (std::size_t v = 0; v < mask.size(); ++v) mask[v] = labels.values[v] == which;
  return mask;
}

// Voxels of a mask's voxels' faces that look at background, those beyond openings left out.
Mask bare(const Labels& labels, const Mask& of, const Mask& cut) {
  Mask found(of.size(), 0);
  for_each_voxel(labels.grid, [&](int i, int j, int k, std::size_t v) {
    if (!of[v]) return;
    for (const auto& s : face_steps) {
      const int a = i + s[0], b = j + s[1], c = k + s[2];
      if (!holds(labels.grid, a, b, c)) continue;
      const std::size_t next = labels.grid.offset(a, b, c);
      found[v] |= labels.values[next] == background && !cut[next];
    }
  });
  return found;
}

// Takes the steps of the image's voxels, of size `voxel` [mm], from the cavity and from cavity with wall, so that the
// wall between them keeps its thickness.
void smooth_labels(Labels& fine, double voxel) {
  const auto smoothed = [&](auto&& inside) {
    Image share{fine.grid, std::vector<float>(fine.values.size())};
    for (std::size_t v = 0; v < share.values.size(); ++v) share.values[v] = inside(fine.values[v]) ? 1.0f : 0.0f;
    smooth(share, 0.7 * voxel);
    return share;
  };
  const Image cavity = smoothed([](std::uint8_t l) { return l == lv_cavity; });
  const Image both = smoothed([](std::uint8_t l) { return l != background; });
  for (std::size_t v = 0; v < fine.values.size(); ++v)
    fine.values[v] = cavity.values[v] > 0.5f ? lv_cavity : both.values[v] > 0.5f ? muscle : background;
}

// Of the distances from voxels at the outside of the wall to the cavity [mm].
double thin_part(const Labels& labels, const Mask& cut, const Nearest& to_cavity) {
  const Mask rim = bare(labels, mask_of(labels, muscle), cut);
  std::vector<float> thickness;
  for (std::size_t v = 0; v < rim.size(); ++v)
    if (rim[v]) thickness.push_back(std::sqrt(to_cavity.squared[v]));
  if (thickness.empty()) return 0;
  const auto tenth = thickness.begin() + std::ptrdiff_t(thickness.size() / 10);
  std::nth_element(thickness.begin(), tenth, thickness.end());
  return *tenth;
}

}  // namespace

AtrialWall atrial_wall(const AtrialLabels& given, const AtrialShape& shape, double thickness, const Monitor& monitor) {
  Labels own = given.labels;
  for (auto& v : own.values) v = v == infarct ? muscle : v;
  const double spacing = std::clamp(thickness / 5, 0.3, std::max(0.3, own.grid.spacing.minCoeff()));
  AtrialWall wall{.labels = interpolate_slices(own, spacing, thickness + 5), .beyond = {}};
  Labels& fine = wall.labels;
  smooth_labels(fine, own.grid.spacing.maxCoeff());
  Mask cut(fine.values.size());
  const auto slices = fine.grid.size[2];
#pragma omp parallel for schedule(dynamic)
  for (int k = 0; k < slices; ++k) {
    for (int j = 0; j < fine.grid.size[1]; ++j)
      for (int i = 0; i < fine.grid.size[0]; ++i)
        cut[fine.grid.offset(i, j, k)] = shape.is_cut(fine.grid.position(Vec3(i, j, k)), thickness);
  }
  monitor.poll();
  for (std::size_t v = 0; v < cut.size(); ++v)
    if (cut[v]) fine.values[v] = background;
  Mask cavity = mask_of(fine, lv_cavity);
  keep_largest_piece(fine.grid, cavity, Neighbours::faces);
  for (std::size_t v = 0; v < cut.size(); ++v)
    if (fine.values[v] == lv_cavity && !cavity[v]) fine.values[v] = background;

  const auto to_cavity = nearest_of(fine.grid, cavity);
  const Mask naked = bare(fine, cavity, cut);
  // From voxel centres: the cavity's surface lies half a voxel beyond its last one.
  const double reach = thickness + 0.5 * spacing;
  std::size_t grown = 0, labelled = 0;
  for (std::size_t v = 0; v < cut.size(); ++v) {
    labelled += fine.values[v] == muscle;
    if (fine.values[v] != background || cut[v] || to_cavity.squared[v] > reach * reach) continue;
    if (naked[std::size_t(to_cavity.voxel[v])]) fine.values[v] = muscle, ++grown;
  }
  monitor.poll();
  if (given.has_wall && grown > labelled / 50) {
    monitor.warn(fmt::format(
        "the labelled wall leaves {:.1f} ml of the cavity's surroundings bare; a wall of {:g} mm was grown there",
        double(grown) * ml_per_voxel(fine.grid), thickness));
  }
  Mask tissue = mask_of(fine, muscle);
  const double dropped = double(keep_largest_piece(fine.grid, tissue, Neighbours::faces)) * ml_per_voxel(fine.grid);
  for (std::size_t v = 0; v < tissue.size(); ++v)
    if (fine.values[v] == muscle && !tissue[v]) fine.values[v] = background;
  if (dropped > 0.05)
    monitor.warn(fmt::format("{:.2f} ml of wall are not connected to the rest and were left out", dropped));
  wall.beyond = std::move(cut);
  wall.thickness = given.has_wall ? thin_part(fine, wall.beyond, to_cavity) : thickness;
  return wall;
}

Labels labels_with_wall(const AtrialLabels& given, const AtrialWall& wall) {
  Labels out = given.labels;
  for_each_voxel(out.grid, [&](int i, int j, int k, std::size_t v) {
    const std::uint8_t here = label_at(wall.labels, out.grid.position(Vec3(i, j, k)));
    if (out.values[v] == lv_cavity) return;  // beyond an opening it still is blood
    if (here != muscle)
      out.values[v] = background;
    else if (out.values[v] == background)
      out.values[v] = muscle;
  });
  return out;
}

}  // namespace cardiotwin::meshes
