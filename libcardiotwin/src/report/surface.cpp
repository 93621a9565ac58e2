#include "report/surface.hpp"

#include <Eigen/Geometry>
#include <algorithm>
#include <cmath>
#include <map>

namespace cardiotwin::report {
namespace {

std::size_t order(Surface tag) {
  return tag == Surface::endo || tag == Surface::endo_rv ? 0 : tag == Surface::base ? 1 : 2;
}

std::size_t slot(Label label) {
  return label == region::border_zone ? 1 : label == region::core ? 2 : label == region::channel ? 3 : 0;
}

// Share of each tissue among the boundary triangles around every vertex, smoothed once over the triangles so that
// outlines are round.
void spread_tissue(DisplaySurface& surface, const std::vector<Label>& labels) {
  surface.tissue.assign(surface.points.size(), {});
  for (std::size_t t = 0; t < labels.size(); ++t)
    for (const auto v : surface.triangles[t]) surface.tissue[v][slot(labels[t])] += 1;
  const auto normalise = [&] {
    for (auto& shares : surface.tissue) {
      const float sum = shares[0] + shares[1] + shares[2] + shares[3];
      for (auto& share : shares) share = sum > 0 ? share / sum : 0;
    }
  };
  normalise();
  const auto sharp = surface.tissue;
  for (const auto& triangle : surface.triangles)
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j)
        if (i != j)
          for (std::size_t k = 0; k < 4; ++k) surface.tissue[triangle[i]][k] += 0.25F * sharp[triangle[j]][k];
  normalise();
}

}  // namespace

DisplaySurface display_surface(const Anatomy& anatomy) {
  DisplaySurface surface;
  std::vector<std::array<std::int64_t, 3>> vertex_of(anatomy.mesh.node_count(), {-1, -1, -1});
  std::vector<Label> labels;
  for (const auto tag : {Surface::endo, Surface::endo_rv, Surface::base, Surface::epi}) {
    for (const auto& face : anatomy.surface) {
      if (face.tag != tag) continue;
      std::array<std::uint32_t, 3> triangle{};
      for (std::size_t k = 0; k < 3; ++k) {
        auto& vertex = vertex_of[static_cast<std::size_t>(face.nodes[k])][order(tag)];
        if (vertex < 0) {
          vertex = static_cast<std::int64_t>(surface.points.size());
          surface.points.push_back(anatomy.mesh.points()[static_cast<std::size_t>(face.nodes[k])]);
          surface.nodes.push_back(face.nodes[k]);
        }
        triangle[k] = static_cast<std::uint32_t>(vertex);
      }
      surface.triangles.push_back(triangle);
      labels.push_back(anatomy.mesh.labels()[static_cast<std::size_t>(face.tet)]);
      ++surface.counts[order(tag)];
    }
  }
  spread_tissue(surface, labels);
  return surface;
}

namespace {

struct Cluster {
  Vec3 sum = Vec3::Zero(), rim_sum = Vec3::Zero();
  Shares tissue{};
  float size = 0, rim_size = 0;
  std::uint32_t vertex = 0;   // in the thinned surface
  double nearest = INFINITY;  // distance of the chosen node from the mean
  Vec3 mean() const { return rim_size > 0 ? rim_sum / rim_size : sum / size; }
};
using CellKey = std::array<std::int64_t, 3>;

CellKey cell_of(const Vec3& p, double size) {
  const auto at = [&](int axis) { return static_cast<std::int64_t>(std::floor(p[axis] / size)); };
  return {at(0), at(1), at(2)};
}

// Vertices where surfaces of two tags meet; a cluster that holds some lies on them, so that the rim stays a smooth
// line.
std::vector<bool> rim_vertices(const DisplaySurface& surface) {
  Index last = 0;
  for (const auto node : surface.nodes) last = std::max(last, node);
  std::vector<int> uses(static_cast<std::size_t>(last) + 1);
  for (const auto node : surface.nodes) ++uses[static_cast<std::size_t>(node)];
  std::vector<bool> rim;
  for (const auto node : surface.nodes) rim.push_back(uses[static_cast<std::size_t>(node)] > 1);
  return rim;
}

DisplaySurface clustered(const DisplaySurface& fine, double size) {
  std::map<CellKey, Cluster> clusters;
  std::vector<Cluster*> cluster_of(fine.points.size());
  const auto rim = rim_vertices(fine);
  for (std::size_t v = 0; v < fine.points.size(); ++v) {
    auto& cluster = clusters[cell_of(fine.points[v], size)];
    cluster.sum += fine.points[v];
    if (rim[v]) cluster.rim_sum += fine.points[v], cluster.rim_size += 1;
    for (std::size_t k = 0; k < 4; ++k) cluster.tissue[k] += fine.tissue[v][k];
    cluster.size += 1;
    cluster_of[v] = &cluster;
  }
  DisplaySurface coarse;
  for (auto& [key, cluster] : clusters) {
    cluster.vertex = static_cast<std::uint32_t>(coarse.points.size());
    coarse.points.push_back(cluster.mean());
    for (auto& share : cluster.tissue) share /= cluster.size;
    coarse.tissue.push_back(cluster.tissue);
    coarse.nodes.push_back(0);
  }
  for (std::size_t v = 0; v < fine.points.size(); ++v) {
    auto& cluster = *cluster_of[v];
    const double distance = (fine.points[v] - coarse.points[cluster.vertex]).squaredNorm();
    if (distance < cluster.nearest) cluster.nearest = distance, coarse.nodes[cluster.vertex] = fine.nodes[v];
  }
  std::size_t part = 0, end = fine.counts[0];
  for (std::size_t t = 0; t < fine.triangles.size(); ++t) {
    while (t >= end) end += fine.counts[++part];
    std::array<std::uint32_t, 3> triangle{};
    for (std::size_t k = 0; k < 3; ++k) triangle[k] = cluster_of[fine.triangles[t][k]]->vertex;
    if (triangle[0] == triangle[1] || triangle[1] == triangle[2] || triangle[2] == triangle[0]) continue;
    coarse.triangles.push_back(triangle);
    ++coarse.counts[part];
  }
  return coarse;
}

}  // namespace

DisplaySurface thinned(const DisplaySurface& surface, std::size_t limit) {
  if (surface.points.size() <= limit) return surface;
  Vec3 low = surface.points.front(), high = low;
  for (const auto& p : surface.points) low = low.cwiseMin(p), high = high.cwiseMax(p);
  // A grid of n cells across meets a closed surface in about 6 n^2 cells; start finer than that and grow.
  double size = (high - low).maxCoeff() / std::sqrt(static_cast<double>(limit) / 2);
  for (;; size *= 1.1) {
    auto coarse = clustered(surface, size);
    if (coarse.points.size() <= limit) return coarse;
  }
}

}  // namespace cardiotwin::report
