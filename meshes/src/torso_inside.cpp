// Inside or outside: of closed surfaces, of the heart's muscle, of its cavities.

#include <Eigen/Geometry>
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "torso_parts.hpp"

namespace cardiotwin::meshes {
namespace {

constexpr int most_bins = 2048;  // along a side

// Askew to everything that hearts and lattices are aligned with.
const Mat3& askew() {
  static const Mat3 turn = Eigen::AngleAxisd(0.6180339887, Vec3(0.36, 0.48, 0.8)).toRotationMatrix();
  return turn;
}

using Edge = std::array<Index, 2>;

std::vector<Edge> open_edges(std::span<const Triangle> surface) {
  std::vector<Edge> edges;
  for (const Triangle& t : surface) {
    for (int k = 0; k < 3; ++k) {
      const auto [a, b] = std::minmax(t[k], t[(k + 1) % 3]);
      edges.push_back({a, b});
    }
  }
  std::sort(edges.begin(), edges.end());
  std::vector<Edge> open;
  for (std::size_t first = 0, last = 0; first < edges.size(); first = last) {
    while (last < edges.size() && edges[last] == edges[first]) ++last;
    if ((last - first) % 2 == 1) open.push_back(edges[first]);
  }
  return open;
}

std::vector<Triangle> faces_of(const Anatomy& heart, Surface tag) {
  std::vector<Triangle> faces;
  for (const auto& face : heart.surface)
    if (face.tag == tag) faces.push_back(face.nodes);
  return faces;
}

}  // namespace

Enclosure::Enclosure(std::span<const Vec3> points, std::span<const Triangle> triangles)
    : triangles_(triangles.begin(), triangles.end()) {
  low_.setConstant(std::numeric_limits<double>::infinity());
  high_ = -low_;
  std::map<Index, Index> number;  // only the points that are used
  for (Triangle& t : triangles_) {
    for (Index& node : t) {
      const auto [known, fresh] = number.try_emplace(node, static_cast<Index>(points_.size()));
      if (fresh) {
        points_.push_back(askew() * points[node]);
        low_ = low_.cwiseMin(points_.back()), high_ = high_.cwiseMax(points_.back());
      }
      node = known->second;
    }
  }
  for (int axis = 0; axis < 3; ++axis) bins_[axis] = binned(axis);
}

Enclosure::Bins Enclosure::binned(int axis) const {
  const int u = (axis + 1) % 3, v = (axis + 2) % 3;
  Bins bins;
  if (triangles_.empty()) return bins;
  const double across = high_[u] - low_[u], along = high_[v] - low_[v];
  bins.cell = std::max({std::sqrt(across * along / static_cast<double>(triangles_.size())), across / most_bins,
                        along / most_bins, 1e-9});
  bins.width = static_cast<int>(across / bins.cell) + 1, bins.height = static_cast<int>(along / bins.cell) + 1;
  const auto for_cells = [&](const Triangle& t, const auto& visit) {
    const Vec3 &a = points_[t[0]], &b = points_[t[1]], &c = points_[t[2]];
    const auto cell = [&](double x, int d) { return static_cast<int>((x - low_[d]) / bins.cell); };
    const auto [left, right] = std::minmax({a[u], b[u], c[u]});
    const auto [bottom, top] = std::minmax({a[v], b[v], c[v]});
    for (int j = cell(bottom, v); j <= cell(top, v); ++j)
      for (int i = cell(left, u); i <= cell(right, u); ++i) visit(static_cast<std::size_t>(j) * bins.width + i);
  };
  bins.start.assign(static_cast<std::size_t>(bins.width) * bins.height + 1, 0);
  for (const Triangle& t : triangles_) for_cells(t, [&](std::size_t cell) { ++bins.start[cell + 1]; });
  std::partial_sum(bins.start.begin(), bins.start.end(), bins.start.begin());
  bins.triangle.resize(bins.start.back());
  auto next = bins.start;
  for (std::size_t t = 0; t < triangles_.size(); ++t)
    for_cells(triangles_[t], [&](std::size_t cell) { bins.triangle[next[cell]++] = static_cast<Index>(t); });
  return bins;
}

// In the plane across the ray a point lies in exactly one of two triangles beside an edge, because both reckon the edge
// from the same end to the same other: a ray through an edge or node is counted right, too.
bool Enclosure::crosses(const Triangle& t, int axis, const Vec3& p) const {
  const int u = (axis + 1) % 3, v = (axis + 2) % 3;
  bool within = false;
  for (int k = 0; k < 3; ++k) {
    const auto [from, to] = std::minmax(t[k], t[(k + 1) % 3]);
    const Vec3 &a = points_[from], &b = points_[to];
    if ((a[v] > p[v]) == (b[v] > p[v])) continue;
    if (p[u] < a[u] + (p[v] - a[v]) / (b[v] - a[v]) * (b[u] - a[u])) within = !within;
  }
  if (!within) return false;
  const Vec3& a = points_[t[0]];
  const Vec3 normal = (points_[t[1]] - a).cross(points_[t[2]] - a);
  return a[axis] - (normal[u] * (p[u] - a[u]) + normal[v] * (p[v] - a[v])) / normal[axis] > p[axis];
}

bool Enclosure::odd(int axis, const Vec3& p) const {
  const int u = (axis + 1) % 3, v = (axis + 2) % 3;
  const Bins& bins = bins_[axis];
  const auto cell = static_cast<std::size_t>((p[v] - low_[v]) / bins.cell) * bins.width +
                    static_cast<std::size_t>((p[u] - low_[u]) / bins.cell);
  bool odd = false;
  for (Index k = bins.start[cell]; k < bins.start[cell + 1]; ++k) odd ^= crosses(triangles_[bins.triangle[k]], axis, p);
  return odd;
}

bool Enclosure::holds(const Vec3& point) const {
  const Vec3 p = askew() * point;
  if (!((p.array() >= low_.array()).all() && (p.array() <= high_.array()).all())) return false;
  const bool first = odd(0, p);
  return first == odd(1, p) ? first : odd(2, p);  // what two of three say
}

// Every node of these lines has an even number of their edges, so the fans leave no edge open but those of the surface,
// whether a line crosses itself or not.
std::vector<Triangle> caps(std::vector<Vec3>& points, std::span<const Triangle> surface) {
  const auto edges = open_edges(surface);
  std::map<Index, Index> up;  // towards the smallest node of a line
  const auto root = [&](Index node) {
    while (up.at(node) != node) node = up.at(node) = up.at(up.at(node));
    return node;
  };
  for (const auto& [a, b] : edges) {
    up.try_emplace(a, a), up.try_emplace(b, b);
    const Index of_a = root(a), of_b = root(b);
    up[std::max(of_a, of_b)] = std::min(of_a, of_b);
  }
  struct Line {
    Vec3 sum = Vec3::Zero();
    double length = 0;
    Index middle = -1;
  };
  std::map<Index, Line> lines;
  for (const auto& [a, b] : edges) {
    Line& line = lines[root(a)];
    const double length = (points[b] - points[a]).norm();
    line.sum += length * (points[a] + points[b]) / 2, line.length += length;
  }
  for (auto& [first, line] : lines) {
    line.middle = static_cast<Index>(points.size());
    points.push_back(line.sum / std::max(line.length, 1e-300));
  }
  std::vector<Triangle> fans;
  for (const auto& [a, b] : edges) fans.push_back({a, b, lines[root(a)].middle});
  return fans;
}

HeartSpace::HeartSpace(const Anatomy& heart, bool blood, const Monitor& monitor)
    : points_(heart.mesh.points().begin(), heart.mesh.points().end()) {
  std::vector<Triangle> boundary;
  for (const auto& face : boundary_faces(heart.mesh)) boundary.push_back(face.nodes);
  muscle_.emplace_back(points_, boundary);
  for (const Surface tag : {Surface::endo, Surface::endo_rv}) {
    auto wall = faces_of(heart, tag);
    if (wall.empty() || !blood) continue;
    const auto lids = caps(points_, wall);
    wall.insert(wall.end(), lids.begin(), lids.end());
    boundary.insert(boundary.end(), lids.begin(), lids.end());
    cavities_.emplace_back(points_, wall);
  }
  if (blood && cavities_.empty())
    monitor.warn("torso: no face of the heart is tagged as endocardium, so its cavities hold no blood");
  low_ = high_ = points_.front();
  for (const Vec3& p : points_) low_ = low_.cwiseMin(p), high_ = high_.cwiseMax(p);
  surface_ = std::make_unique<SurfaceDistance>(points_, std::move(boundary));
}

bool HeartSpace::within(const Vec3& p, double reach) const {
  return (low_ - p).cwiseMax(p - high_).maxCoeff() < reach && (*surface_)(p) < reach;
}

Medium HeartSpace::at(const Vec3& p) const {
  if (muscle_.front().holds(p)) return Medium::muscle;
  for (const Enclosure& cavity : cavities_)
    if (cavity.holds(p)) return Medium::blood;
  return Medium::outside;
}

}  // namespace cardiotwin::meshes
