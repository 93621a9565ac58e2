#include "report/surface.hpp"

#include <fmt/format.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cmath>
#include <map>

#include "report/html.hpp"

namespace cardiotwin::report {
namespace {

std::size_t order(Surface tag) { return tag == Surface::endo ? 0 : tag == Surface::base ? 1 : 2; }

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
  for (const auto tag : {Surface::endo, Surface::base, Surface::epi}) {
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
  Vec3 sum = Vec3::Zero();
  std::array<float, 4> tissue{};
  float size = 0;
  std::uint32_t vertex = 0;   // in the thinned surface
  double nearest = INFINITY;  // distance of the chosen node from the mean
};
using CellKey = std::array<std::int64_t, 3>;

CellKey cell_of(const DisplaySurface& surface, std::size_t v, double size) {
  const auto at = [&](int axis) { return static_cast<std::int64_t>(std::floor(surface.points[v][axis] / size)); };
  return {at(0), at(1), at(2)};
}

DisplaySurface clustered(const DisplaySurface& fine, double size) {
  std::map<CellKey, Cluster> clusters;
  std::vector<Cluster*> cluster_of(fine.points.size());
  for (std::size_t v = 0; v < fine.points.size(); ++v) {
    auto& cluster = clusters[cell_of(fine, v, size)];
    cluster.sum += fine.points[v];
    for (std::size_t k = 0; k < 4; ++k) cluster.tissue[k] += fine.tissue[v][k];
    cluster.size += 1;
    cluster_of[v] = &cluster;
  }
  DisplaySurface coarse;
  for (auto& [key, cluster] : clusters) {
    cluster.vertex = static_cast<std::uint32_t>(coarse.points.size());
    coarse.points.push_back(cluster.sum / cluster.size);
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

namespace {

struct Facet {
  double depth;  // along `back`, far first
  int shade;     // 0..15
  std::size_t tissue;
  std::array<int, 6> corner;
};

constexpr std::array<std::array<double, 3>, 4> tissue_colours{
    {{226, 187, 174}, {240, 165, 48}, {78, 84, 96}, {84, 182, 214}}};

std::string style_of(std::size_t tissue, int shade) {
  const auto& c = tissue_colours[tissue];
  const double light = 0.45 + 0.6 * shade / 15.0;
  const auto channel = [&](std::size_t k) { return static_cast<int>(std::min(255.0, c[k] * light)); };
  return fmt::format("#{:02x}{:02x}{:02x}", channel(0), channel(1), channel(2));
}

struct Camera {
  Vec3 right, up, back, centre;
  double scale;
  std::array<int, 2> project(const Vec3& p) const {
    const Vec3 q = p - centre;
    return {static_cast<int>(std::lround(500 + scale * q.dot(right))),
            static_cast<int>(std::lround(500 - scale * q.dot(up)))};
  }
};

Camera camera_for(const DisplaySurface& surface, const Vec3& back, const Vec3& up) {
  Vec3 low = surface.points.front(), high = low;
  for (const auto& p : surface.points) low = low.cwiseMin(p), high = high.cwiseMax(p);
  Camera camera;
  camera.centre = (low + high) / 2;
  camera.back = back.normalized();
  camera.right = up.cross(camera.back).normalized();
  camera.up = camera.back.cross(camera.right);
  double reach = 1e-9;
  for (const auto& p : surface.points) {
    const Vec3 q = p - camera.centre;
    reach = std::max({reach, std::abs(q.dot(camera.right)), std::abs(q.dot(camera.up))});
  }
  camera.scale = 470 / reach;
  return camera;
}

}  // namespace

std::string still_svg(const DisplaySurface& surface, const Vec3& back, const Vec3& up, const std::vector<Pin>& pins,
                      const std::string& title) {
  if (surface.points.empty()) return "";
  const auto camera = camera_for(surface, back, up);
  const Vec3 lamp = (camera.back + 0.35 * camera.up - 0.25 * camera.right).normalized();
  std::vector<Facet> facets;
  for (const auto& triangle : surface.triangles) {
    const Vec3 &a = surface.points[triangle[0]], &b = surface.points[triangle[1]], &c = surface.points[triangle[2]];
    const Vec3 normal = (b - a).cross(c - a).normalized();
    if (!(normal.dot(camera.back) > 0)) continue;
    Facet facet{.depth = (a + b + c).dot(camera.back), .shade = 0, .tissue = 0, .corner = {}};
    facet.shade = static_cast<int>(std::lround(15 * std::max(0.0, normal.dot(lamp))));
    std::array<float, 4> shares{};
    for (std::size_t k = 0; k < 3; ++k) {
      const auto [x, y] = camera.project(surface.points[triangle[k]]);
      facet.corner[2 * k] = x, facet.corner[2 * k + 1] = y;
      for (std::size_t s = 0; s < 4; ++s) shares[s] += surface.tissue[triangle[k]][s];
    }
    facet.tissue = static_cast<std::size_t>(std::max_element(shares.begin(), shares.end()) - shares.begin());
    facets.push_back(facet);
  }
  std::ranges::stable_sort(facets, {}, &Facet::depth);
  auto svg = fmt::format(
      "<svg class=\"still\" viewBox=\"0 0 1000 1000\" role=\"img\" aria-label=\"{}\">"
      "<g stroke-width=\"1.5\" stroke-linejoin=\"round\">",
      escape(title));
  for (const auto& f : facets) {
    const auto colour = style_of(f.tissue, f.shade);
    const auto& k = f.corner;
    svg += fmt::format("<path fill=\"{0}\" stroke=\"{0}\" d=\"M{1} {2}L{3} {4}L{5} {6}z\"/>", colour, k[0], k[1], k[2],
                       k[3], k[4], k[5]);
  }
  svg += "</g>";
  for (const auto& pin : pins) {
    const auto [x, y] = camera.project(pin.position);
    svg += fmt::format(
        "<circle cx=\"{0}\" cy=\"{1}\" r=\"30\" class=\"pin-disc\"/><text x=\"{0}\" y=\"{2}\" "
        "class=\"pin-text\">{3}</text>",
        x, y, y + 12, escape(pin.label));
  }
  return svg + "</svg>";
}

}  // namespace cardiotwin::report
