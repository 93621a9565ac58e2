#include <Eigen/Geometry>
#include <algorithm>
#include <array>
#include <cardiotwin/error.hpp>
#include <cardiotwin/surface_distance.hpp>
#include <cmath>
#include <limits>
#include <numeric>
#include <tuple>
#include <utility>

namespace cardiotwin {
namespace {

constexpr Index leaf_size = 4;

Vec3 foot_on_segment(const Vec3& p, const Vec3& a, const Vec3& b) {
  const Vec3 ab = b - a;
  const double along = std::clamp((p - a).dot(ab) / std::max(ab.squaredNorm(), 1e-300), 0.0, 1.0);
  return a + along * ab;
}

double squared_to_segment(const Vec3& p, const Vec3& a, const Vec3& b) {
  return (p - foot_on_segment(p, a, b)).squaredNorm();
}

bool stands_over(const Vec3& p, const Vec3& normal, const Vec3& a, const Vec3& b, const Vec3& c) {
  return normal.squaredNorm() > 0 && normal.dot((b - a).cross(p - a)) >= 0 && normal.dot((c - b).cross(p - b)) >= 0 &&
         normal.dot((a - c).cross(p - c)) >= 0;
}

// The foot of the perpendicular counts where it lies inside all three sides; otherwise the nearest side decides.
double squared_to_triangle(const Vec3& p, const Vec3& a, const Vec3& b, const Vec3& c) {
  const Vec3 normal = (b - a).cross(c - a);
  if (stands_over(p, normal, a, b, c)) {
    const double height = normal.dot(p - a);
    return height * height / normal.squaredNorm();
  }
  return std::min({squared_to_segment(p, a, b), squared_to_segment(p, b, c), squared_to_segment(p, c, a)});
}

Vec3 foot_on_triangle(const Vec3& p, const Vec3& a, const Vec3& b, const Vec3& c) {
  const Vec3 normal = (b - a).cross(c - a);
  if (stands_over(p, normal, a, b, c)) return p - normal.dot(p - a) / normal.squaredNorm() * normal;
  const std::array<Vec3, 3> feet{foot_on_segment(p, a, b), foot_on_segment(p, b, c), foot_on_segment(p, c, a)};
  return *std::min_element(feet.begin(), feet.end(),
                           [&](const Vec3& x, const Vec3& y) { return (p - x).squaredNorm() < (p - y).squaredNorm(); });
}

double squared_to_box(const Vec3& p, const Vec3& low, const Vec3& high) {
  return (low - p).cwiseMax(p - high).cwiseMax(0.0).squaredNorm();
}

}  // namespace

SurfaceDistance::SurfaceDistance(std::span<const Vec3> points, std::vector<Triangle> triangles)
    : points_(points), triangles_(std::move(triangles)), order_(triangles_.size()) {
  if (triangles_.empty()) throw InputError("Surface distance: the surface has no triangle; tag the boundary first");
  std::iota(order_.begin(), order_.end(), 0);
  boxes_.emplace_back(0, static_cast<Index>(triangles_.size()));
  for (Index box = 0; box < static_cast<Index>(boxes_.size()); ++box) split(box);
}

// Halves a box at the median of its triangles' centres along its longest side. Ties fall by the nodes' numbers, so the
// tree is the same on every platform.
void SurfaceDistance::split(Index index) {
  Box box = boxes_[index];
  box.low.setConstant(std::numeric_limits<double>::infinity());
  box.high = -box.low;
  for (Index t = box.first; t < box.last; ++t) {
    for (const Index node : triangles_[order_[t]]) {
      box.low = box.low.cwiseMin(points_[node]);
      box.high = box.high.cwiseMax(points_[node]);
    }
  }
  if (box.last - box.first > leaf_size) {
    int axis = 0;
    (box.high - box.low).maxCoeff(&axis);
    const Index middle = box.first + (box.last - box.first) / 2;
    const auto key = [&](Index triangle) {
      const Triangle& t = triangles_[triangle];
      return std::tuple(points_[t[0]][axis] + points_[t[1]][axis] + points_[t[2]][axis], t, triangle);
    };
    std::nth_element(order_.begin() + box.first, order_.begin() + middle, order_.begin() + box.last,
                     [&](Index a, Index b) { return key(a) < key(b); });
    box.left = static_cast<Index>(boxes_.size());
    boxes_.emplace_back(box.first, middle);
    boxes_.emplace_back(middle, box.last);
  }
  boxes_[index] = box;
}

SurfaceDistance::Nearest SurfaceDistance::nearest_triangle(const Vec3& point) const {
  double best = std::numeric_limits<double>::infinity();
  Index found = 0;
  std::array<std::pair<double, Index>, 128> stack;  // depth of the tree is below 40
  std::size_t top = 0;
  stack[top++] = {squared_to_box(point, boxes_[0].low, boxes_[0].high), 0};
  while (top > 0) {
    const auto [lower_bound, index] = stack[--top];
    if (lower_bound >= best) continue;
    const Box& box = boxes_[index];
    if (box.left < 0) {
      for (Index t = box.first; t < box.last; ++t) {
        const Triangle& n = triangles_[order_[t]];
        const double squared = squared_to_triangle(point, points_[n[0]], points_[n[1]], points_[n[2]]);
        if (squared < best) best = squared, found = order_[t];
      }
      continue;
    }
    std::pair<double, Index> near{0, box.left}, far{0, box.left + 1};
    near.first = squared_to_box(point, boxes_[near.second].low, boxes_[near.second].high);
    far.first = squared_to_box(point, boxes_[far.second].low, boxes_[far.second].high);
    if (far.first < near.first) std::swap(near, far);
    stack[top++] = far;
    stack[top++] = near;
  }
  return {.distance = std::sqrt(best), .triangle = found};
}

SurfaceDistance::Nearest SurfaceDistance::nearest(const Vec3& point) const {
  Nearest found = nearest_triangle(point);
  const Triangle& n = triangles_[found.triangle];
  found.point = foot_on_triangle(point, points_[n[0]], points_[n[1]], points_[n[2]]);
  return found;
}

}  // namespace cardiotwin
