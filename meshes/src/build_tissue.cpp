#include <fmt/core.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cmath>
#include <limits>
#include <numbers>

#include "build_parts.hpp"

namespace cardiotwin::meshes {
namespace {

// The part of `labels` that is not background, with a rim of two voxels: what else the image shows costs memory.
Labels cropped(const Labels& labels) {
  const Grid& g = labels.grid;
  std::array<int, 3> low = g.size, high{-1, -1, -1};
  for_each_voxel(g, [&](int i, int j, int k, std::size_t v) {
    if (labels.values[v] == background) return;
    const std::array<int, 3> at{i, j, k};
    for (int a = 0; a < 3; ++a) low[a] = std::min(low[a], at[a]), high[a] = std::max(high[a], at[a]);
  });
  if (high[0] < 0) throw InputError("Labels: there is neither muscle nor LV cavity; segment the left ventricle first");
  for (int a = 0; a < 3; ++a) low[a] = std::max(0, low[a] - 2), high[a] = std::min(g.size[a] - 1, high[a] + 2);
  return crop(labels, low, high);
}

Labels heart_of(const Labels& canonical, Chambers chambers) {
  Labels heart = canonical;
  for (auto& label : heart.values) {
    if (label == infarct || label == no_reflow) label = muscle;
    if (label == rv_cavity && chambers == Chambers::left_ventricle) label = background;
  }
  return cropped(heart);
}

// A wall of even thickness around the right cavity, up to the left one's base, where both are cut.
void grow_right_wall(Labels& fine, double thickness) {
  const Plane base = base_plane(fine);
  Mask cavity(fine.values.size(), 0);
  for_each_voxel(fine.grid, [&](int i, int j, int k, std::size_t v) {
    if (fine.values[v] != rv_cavity) return;
    if (base.height(fine.grid.position(Vec3(i, j, k))) > 0)
      fine.values[v] = background;
    else
      cavity[v] = 1;
  });
  if (std::find(cavity.begin(), cavity.end(), 1) == cavity.end()) {
    throw InputError(
        "Labels: both ventricles are wanted, but there is no RV cavity (label 5) below the base; label it, or build "
        "the left ventricle alone");
  }
  const auto nearest = nearest_of(fine.grid, cavity);
  // From voxel centres: the cavity's surface lies half a voxel beyond its last one.
  const double reach = thickness + 0.5 * fine.grid.spacing.minCoeff();
  for_each_voxel(fine.grid, [&](int i, int j, int k, std::size_t v) {
    if (fine.values[v] != background || nearest.squared[v] > reach * reach) return;
    if (base.height(fine.grid.position(Vec3(i, j, k))) <= 0) fine.values[v] = rv_muscle;
  });
}

// Scar from `least` on, between slices as on them: that region, or healthy.
Labels above(Labels regions, std::uint8_t least, double spacing) {
  for (auto& label : regions.values) label = label == 0 ? 0 : label < least ? region::healthy : least;
  return interpolate_slices(regions, spacing, 0);
}

}  // namespace

FineLabels fine_labels(const Labels& canonical, const BuildOptions& options, const Monitor& monitor) {
  const bool both = options.chambers == Chambers::both_ventricles;
  const Labels heart = heart_of(canonical, options.chambers);
  FineLabels fine;
  const EdgeRange edge = edge_range(options);
  // Half the finest edge, but not below 0.4 mm, where a heart has 20 to 40 million voxels: images have 1 mm and more,
  // the surface is smoothed over as much, and trilinear sampling keeps it smooth between.
  fine.spacing = std::max(0.4, std::min(0.5 * edge.shortest, heart.grid.spacing.minCoeff()));
  // Room for the rounding of the surface and for the lattice's outermost cells.
  fine.labels = interpolate_slices(heart, fine.spacing, 3 + 2 * edge.longest + (both ? options.rv_wall : 0));
  monitor.poll();
  if (both) grow_right_wall(fine.labels, options.rv_wall);
  auto& values = fine.labels.values;
  Mask tissue(values.size());
  for (std::size_t v = 0; v < values.size(); ++v) tissue[v] = is_tissue(values[v]);
  keep_largest_piece(fine.labels.grid, tissue, Neighbours::faces);  // `assess` tells what is loose
  for (std::size_t v = 0; v < values.size(); ++v) {
    if (is_tissue(values[v]) && !tissue[v]) values[v] = background;
  }
  return fine;
}

Image tissue_field(const Labels& fine, double smoothing) {
  Image field{.grid = fine.grid, .values = std::vector<float>(fine.values.size())};
  for (std::size_t v = 0; v < field.values.size(); ++v) field.values[v] = is_tissue(fine.values[v]) ? 1.0f : 0.0f;
  // Below about 0.8 voxels a Gaussian leaves the voxels' steps in the surface.
  const double sigma = std::max(smoothing, 0.8 * fine.grid.spacing.maxCoeff());
  smooth(field, sigma);
  // A flat wall's indicator rises by 1 / (sigma sqrt(2 pi)) per mm where it crosses one half.
  const auto scale = static_cast<float>(sigma * std::sqrt(2 * std::numbers::pi));
  for (float& value : field.values) value = (value - 0.5f) * scale;
  return field;
}

Labels fine_regions(const Labels& scar, const Labels& fine) {
  // Every voxel first takes the region of the nearest muscle, so that between two slices regions compete only with each
  // other; 3-D distances keep to the slice, which is where neighbours are close.
  Labels spread = cropped(scar);
  Mask known(spread.values.size());
  for (std::size_t v = 0; v < known.size(); ++v) known[v] = spread.values[v] != 0;
  const auto nearest = nearest_of(spread.grid, known);
  for (std::size_t v = 0; v < known.size(); ++v) spread.values[v] = spread.values[nearest.voxel[v]];
  // One threshold after the other: as a shape of its own, the rim between two would lose to both its neighbours
  // wherever it moves sideways from slice to slice.
  Labels regions = above(spread, region::border_zone, fine.grid.spacing.minCoeff());
  const Labels cores = above(spread, region::core, fine.grid.spacing.minCoeff());
  for (std::size_t v = 0; v < regions.values.size(); ++v) {
    if (cores.values[v] == region::core) regions.values[v] = region::core;
  }
  // Onto the grid of `fine`: the nearest voxel, also beyond the last slice.
  Labels out{.grid = fine.grid, .values = std::vector<std::uint8_t>(fine.values.size(), 0)};
  Mask missing(fine.values.size(), 0);
  for_each_voxel(fine.grid, [&](int i, int j, int k, std::size_t v) {
    if (fine.values[v] == rv_muscle) out.values[v] = region::healthy;
    if (fine.values[v] != muscle) return;
    out.values[v] = label_at(regions, fine.grid.position(Vec3(i, j, k)));
    missing[v] = out.values[v] == 0;
  });
  if (std::find(missing.begin(), missing.end(), 1) == missing.end()) return out;
  Mask filled(fine.values.size());
  for (std::size_t v = 0; v < filled.size(); ++v) filled[v] = out.values[v] != 0;
  const auto fill = nearest_of(fine.grid, filled);
  for (std::size_t v = 0; v < filled.size(); ++v) {
    if (missing[v] && fill.voxel[v] >= 0) out.values[v] = out.values[fill.voxel[v]];
  }
  return out;
}

Septum find_septum(const Labels& canonical, const Vec3& apex, const Vec3& base_centre,
                   const std::optional<Vec3>& towards, const Monitor& monitor) {
  const Vec3 up = (base_centre - apex).normalized();
  const auto across = [&](const Vec3& v) -> Vec3 { return v - v.dot(up) * up; };
  if (towards) {
    const Vec3 direction = across(*towards - apex);
    if (!towards->allFinite() || !(direction.norm() > 1.0)) {
      throw InputError(fmt::format(
          "Septum: the point ({:.1f}, {:.1f}, {:.1f}) lies on the long axis; name one in or beyond the septum",
          (*towards)[0], (*towards)[1], (*towards)[2]));
    }
    return {direction.normalized(), "given"};
  }
  Vec3 sum = Vec3::Zero();
  std::size_t count = 0;
  for_each_voxel(canonical.grid, [&](int i, int j, int k, std::size_t v) {
    if (canonical.values[v] != rv_cavity) return;
    sum += canonical.grid.position(Vec3(i, j, k)) - apex, ++count;
  });
  if (count > 0 && across(sum).norm() > 1.0 * count) return {across(sum).normalized(), "right ventricle"};
  // In the chest the right ventricle lies to the right of the left one and before it (LPS: -x, -y). A stack whose axes
  // are those of the scanner cannot be a short-axis view: its orientation was lost on the way, and then it is shown as
  // such views are, septum on the left.
  const bool lost = canonical.grid.direction.cwiseAbs().isApprox(Mat3::Identity(), 1e-3) && std::abs(up.z()) > 0.9;
  const Vec3 direction = across(lost ? Vec3(-1, 0, 0) : Vec3(-0.8, -0.6, 0));
  monitor.warn(
      lost ? "the septum's direction was guessed from the usual display of short-axis views (septum on the left), "
             "because the image carries no "
             "orientation and the labels no RV cavity; AHA segments depend on it: name a point towards the septum"
           : "the septum's direction was guessed (right and anterior), because the labels have no RV cavity; AHA "
             "segments depend on it: "
             "name a point towards the septum");
  if (!(direction.norm() > 0.1))
    throw InputError("Septum: its direction cannot be guessed for this pose; name a point towards the septum");
  return {direction.normalized(), "guessed"};
}

}  // namespace cardiotwin::meshes
