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

// Muscle, cavity and a rim; what else the image shows costs memory and means nothing here.
Labels cropped_heart(const Labels& canonical) {
  const Grid& g = canonical.grid;
  std::array<int, 3> low = g.size, high{-1, -1, -1};
  Labels heart = canonical;
  for_each_voxel(g, [&](int i, int j, int k, std::size_t v) {
    auto& label = heart.values[v];
    if (label == infarct || label == no_reflow) label = muscle;
    if (label == rv_cavity) label = background;
    if (label == background) return;
    const std::array<int, 3> at{i, j, k};
    for (int a = 0; a < 3; ++a) low[a] = std::min(low[a], at[a]), high[a] = std::max(high[a], at[a]);
  });
  if (high[0] < 0) throw InputError("Labels: there is neither muscle nor LV cavity; segment the left ventricle first");
  for (int a = 0; a < 3; ++a) low[a] = std::max(0, low[a] - 2), high[a] = std::min(g.size[a] - 1, high[a] + 2);
  return crop(heart, low, high);
}

int slice_axis(const Grid& g) {
  int axis = 2;
  for (int a = 1; a >= 0; --a) {
    if (g.spacing[a] > 1.01 * g.spacing[axis]) axis = a;
  }
  return axis;
}

// Depth of each voxel of one layer below the layer's outline of `inside` [mm], and the largest of them.
struct LayerDepth {
  std::vector<float> depth;
  double largest = 0;
};
template <class Inside>
LayerDepth layer_depth(const Labels& labels, int axis, int layer, const Inside& inside) {
  const int a = (axis + 1) % 3, b = (axis + 2) % 3;
  Grid flat = labels.grid;
  flat.size = {labels.grid.size[a], labels.grid.size[b], 1};
  flat.spacing = Vec3(labels.grid.spacing[a], labels.grid.spacing[b], 1.0);
  Mask outside(flat.count());
  for_each_voxel(flat, [&](int i, int j, int, std::size_t v) {
    std::array<int, 3> at{};
    at[a] = i, at[b] = j, at[axis] = layer;
    outside[v] = !inside(label_at(labels, at[0], at[1], at[2]));
  });
  LayerDepth result;
  for (const float squared : nearest_of(flat, outside).squared) {
    result.depth.push_back(std::sqrt(squared));
    result.largest = std::max<double>(result.largest, result.depth.back());
  }
  return result;
}

// A stack often ends above the apex, with blood in its last slice. The cavity is then closed by half an ellipsoid
// standing on that slice's outline and covered with muscle: an assumption about tissue nobody imaged, and said aloud by
// the caller. Returns the thickness added [mm].
double close_apex(Labels& labels, double slice) {
  const Grid& g = labels.grid;
  const int axis = slice_axis(g), a = (axis + 1) % 3, b = (axis + 2) % 3;
  // Blood per layer tells the two ends of the cavity apart: the apical one is the narrower.
  std::vector<std::size_t> blood(g.size[axis], 0);
  for_each_voxel(g, [&](int i, int j, int k, std::size_t v) {
    const std::array<int, 3> at{i, j, k};
    if (labels.values[v] == lv_cavity) ++blood[at[axis]];
  });
  int first = 0, last = g.size[axis] - 1;
  while (first < last && blood[first] == 0) ++first;
  while (last > first && blood[last] == 0) --last;
  const int end = blood[first] <= blood[last] ? first : last, towards = end == first ? -1 : 1;
  std::size_t open = 0;
  for_each_voxel(g, [&](int i, int j, int k, std::size_t v) {
    std::array<int, 3> at{i, j, k};
    if (labels.values[v] != lv_cavity || at[axis] != end) return;
    at[axis] += towards;
    if (label_at(labels, at[0], at[1], at[2]) == background) ++open;
  });
  if (open * 5 < blood[end]) return 0;

  const auto cavity = layer_depth(labels, axis, end, [](std::uint8_t l) { return l == lv_cavity; });
  const auto total = layer_depth(labels, axis, end, [](std::uint8_t l) { return l != background; });
  const double wall = total.largest - cavity.largest;
  const double height = std::min(total.largest, std::max(slice, wall)), cavity_height = std::max(0.0, height - wall);
  const auto within = [](float depth, double largest, double h, double full) {
    return h < full && depth > largest * (1 - std::sqrt(1 - h * h / (full * full)));
  };
  const int layers = static_cast<int>(std::ceil(height / g.spacing[axis]));
  for (int n = 1; n <= layers; ++n) {
    std::array<int, 3> at{};
    at[axis] = end + towards * n;
    if (at[axis] < 0 || at[axis] >= g.size[axis])
      throw InputError("Labels: the margin is too small for the apical cap");
    const double h = (n - 0.5) * g.spacing[axis];
    for (at[b] = 0; at[b] < g.size[b]; ++at[b]) {
      for (at[a] = 0; at[a] < g.size[a]; ++at[a]) {
        const std::size_t flat = std::size_t(at[b]) * g.size[a] + at[a];
        auto& label = labels.values[g.offset(at[0], at[1], at[2])];
        if (label != background || !within(total.depth[flat], total.largest, h, height)) continue;
        label = within(cavity.depth[flat], cavity.largest, h, cavity_height) ? lv_cavity : muscle;
      }
    }
  }
  return height;
}

}  // namespace

FineLabels fine_labels(const Labels& canonical, double edge, const Monitor& monitor) {
  const Labels heart = cropped_heart(canonical);
  const double slice = heart.grid.spacing.maxCoeff();
  FineLabels fine;
  fine.spacing = std::max(0.4, std::min(0.5 * edge, heart.grid.spacing.minCoeff()));
  // Room for the Gaussian (4 sigma), for a cap of up to one slice or 20 mm, and for the lattice's outermost cells.
  const double margin = 6 + 2 * edge + std::max(slice, 20.0);
  fine.labels = interpolate_slices(heart, fine.spacing, margin);
  monitor.poll();
  fine.apical_cap = close_apex(fine.labels, slice);

  auto& values = fine.labels.values;
  Mask tissue(values.size());
  for (std::size_t v = 0; v < values.size(); ++v) tissue[v] = values[v] == muscle;
  fine.dropped_islands = keep_largest_piece(fine.labels.grid, tissue, Neighbours::faces) * voxel_ml(fine.labels.grid);
  for (std::size_t v = 0; v < values.size(); ++v) {
    if (values[v] == muscle && !tissue[v]) values[v] = background;
  }
  return fine;
}

Image tissue_field(const Labels& fine, double smoothing) {
  Image field{.grid = fine.grid, .values = std::vector<float>(fine.values.size())};
  for (std::size_t v = 0; v < field.values.size(); ++v) field.values[v] = fine.values[v] == muscle ? 1.0f : 0.0f;
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
  Labels spread = scar;
  Mask known(scar.values.size());
  for (std::size_t v = 0; v < known.size(); ++v) known[v] = scar.values[v] != 0;
  const auto nearest = nearest_of(scar.grid, known);
  for (std::size_t v = 0; v < known.size(); ++v) {
    if (nearest.voxel[v] < 0) throw InputError("Labels: there is no muscle to divide into regions");
    spread.values[v] = scar.values[nearest.voxel[v]];
  }
  Labels regions = interpolate_slices(spread, fine.grid.spacing.minCoeff(), 0);
  // Onto the grid of `fine`: the nearest voxel, also beyond the last slice.
  Labels out{.grid = fine.grid, .values = std::vector<std::uint8_t>(fine.values.size(), 0)};
  Mask missing(fine.values.size(), 0);
  for_each_voxel(fine.grid, [&](int i, int j, int k, std::size_t v) {
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
