// What a tet holds of core and border zone, and how fibrotic it is: fields that labels alone cannot carry.

#include <algorithm>
#include <cmath>

#include "build_parts.hpp"

namespace cardiotwin::meshes {
namespace {

// The 20 points whose barycentric coordinates are sevenths, none of them 0.
std::vector<Eigen::Vector4d> inner_points() {
  std::vector<Eigen::Vector4d> points;
  for (int a = 1; a <= 4; ++a) {
    for (int b = 1; a + b <= 5; ++b) {
      for (int c = 1; a + b + c <= 6; ++c) points.emplace_back(a / 7., b / 7., c / 7., (7 - a - b - c) / 7.);
    }
  }
  return points;
}

// Between voxels, linear; beyond the grid, its rim.
double linear_at(const Image& image, const Vec3& position) {
  const Grid& g = image.grid;
  const Vec3 at = g.index(position);
  std::array<int, 3> low{};
  Vec3 share;
  for (int a = 0; a < 3; ++a) {
    const double x = std::clamp(at[a], 0.0, g.size[a] - 1.0);
    low[a] = std::min(int(x), std::max(0, g.size[a] - 2));
    share[a] = x - low[a];
  }
  double sum = 0;
  for (int corner = 0; corner < 8; ++corner) {
    double weight = 1;
    std::array<int, 3> v = low;
    for (int a = 0; a < 3; ++a) {
      const int step = corner >> a & 1;
      weight *= step ? share[a] : 1 - share[a];
      v[a] = std::min(v[a] + step, g.size[a] - 1);
    }
    sum += weight * image.values[g.offset(v[0], v[1], v[2])];
  }
  return sum;
}

}  // namespace

Image spread(Image image, const Labels& known) {
  Mask mask(known.values.size());
  for (std::size_t v = 0; v < mask.size(); ++v) mask[v] = known.values[v] != 0;
  const auto nearest = nearest_of(known.grid, mask);
  const auto values = image.values;
  for (std::size_t v = 0; v < mask.size(); ++v) {
    if (nearest.voxel[v] >= 0) image.values[v] = values[std::size_t(nearest.voxel[v])];
  }
  return image;
}

std::vector<Map> tissue_shares(const Mesh& mesh, const Labels& regions, const Image& density) {
  static const auto samples = inner_points();
  const auto count = mesh.tet_count();
  const auto map = [&](const char* name) {
    return Map{.name = name, .unit = "1", .at = Location::tet, .values = std::vector<double>(count)};
  };
  std::vector<Map> maps{map("core_fraction"), map("border_zone_fraction"), map("fibrosis_density")};
#pragma omp parallel for schedule(static)
  for (std::size_t t = 0; t < count; ++t) {
    const Tet& tet = mesh.tets()[t];
    double core = 0, border_zone = 0, muscle_count = 0, fibrosis = 0;
    for (const auto& weights : samples) {
      Vec3 p = Vec3::Zero();
      for (int n = 0; n < 4; ++n) p += weights[n] * mesh.points()[std::size_t(tet[std::size_t(n)])];
      const auto label = label_at(regions, p);
      muscle_count += label != 0, core += label == region::core;
      border_zone += label == region::border_zone || label == region::channel;
      fibrosis += linear_at(density, p) / double(samples.size());
    }
    const Label own = mesh.labels()[t];  // where the smoothed surface lies beyond all muscle
    if (muscle_count == 0)
      muscle_count = 1, core = own == region::core, border_zone = own == region::border_zone || own == region::channel;
    maps[0].values[t] = core / muscle_count, maps[1].values[t] = border_zone / muscle_count;
    maps[2].values[t] = std::clamp(fibrosis, 0.0, 1.0);
  }
  return maps;
}

}  // namespace cardiotwin::meshes
