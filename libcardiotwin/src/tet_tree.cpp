#include "tet_tree.hpp"

#include <Eigen/Geometry>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace cardiotwin {
namespace {

constexpr Index leaf_size = 8;
using Weights = std::array<double, 4>;

struct Nearest {
  double squared = std::numeric_limits<double>::infinity();
  Weights weight{};
};

// The nearer of `best` and the point between corners i and j nearest to p.
void try_edge(const Vec3& p, const std::array<Vec3, 4>& x, int i, int j, Nearest& best) {
  const Vec3 along = x[j] - x[i];
  const double s = std::clamp((p - x[i]).dot(along) / std::max(along.squaredNorm(), 1e-300), 0.0, 1.0);
  const double squared = (p - x[i] - s * along).squaredNorm();
  if (!(squared < best.squared)) return;
  best.squared = squared, best.weight = {};
  best.weight[i] = 1 - s, best.weight[j] = s;
}

void try_face(const Vec3& p, const std::array<Vec3, 4>& x, int i, int j, int k, Nearest& best) {
  const Vec3 a = x[j] - x[i], b = x[k] - x[i], d = p - x[i];
  const double aa = a.dot(a), ab = a.dot(b), bb = b.dot(b), da = d.dot(a), db = d.dot(b), det = aa * bb - ab * ab;
  if (det > 1e-14 * aa * bb) {
    const double u = (bb * da - ab * db) / det, v = (aa * db - ab * da) / det;
    if (u >= 0 && v >= 0 && u + v <= 1) {
      const double squared = (d - u * a - v * b).squaredNorm();
      if (squared < best.squared) {
        best.squared = squared, best.weight = {};
        best.weight[i] = 1 - u - v, best.weight[j] = u, best.weight[k] = v;
      }
      return;
    }
  }
  try_edge(p, x, i, j, best), try_edge(p, x, j, k, best), try_edge(p, x, k, i, best);
}

// Outside, the nearest point lies on a face that is seen from there; of a flat tet all are.
Nearest nearest_in(const Vec3& p, const std::array<Vec3, 4>& x) {
  constexpr int faces[4][3] = {{1, 2, 3}, {0, 2, 3}, {0, 1, 3}, {0, 1, 2}};
  const Vec3 a = x[1] - x[0], b = x[2] - x[0], c = x[3] - x[0], d = p - x[0], bc = b.cross(c);
  const double six_volumes = a.dot(bc);
  Weights weight{-1, -1, -1, -1};
  if (six_volumes * six_volumes > 1e-20 * a.squaredNorm() * b.squaredNorm() * c.squaredNorm()) {
    weight[1] = d.dot(bc) / six_volumes, weight[2] = d.dot(c.cross(a)) / six_volumes;
    weight[3] = d.dot(a.cross(b)) / six_volumes, weight[0] = 1 - weight[1] - weight[2] - weight[3];
    constexpr double slack = -1e-12;  // a point on a face belongs to both sides
    if (*std::min_element(weight.begin(), weight.end()) >= slack) {
      for (double& w : weight) w = std::max(0.0, w);
      return {.squared = 0, .weight = weight};
    }
  }
  Nearest best;
  for (int k = 0; k < 4; ++k)
    if (weight[k] < 0) try_face(p, x, faces[k][0], faces[k][1], faces[k][2], best);
  return best;
}

double squared_to_box(const Vec3& p, const Vec3& low, const Vec3& high) {
  return (low - p).cwiseMax(p - high).cwiseMax(0.0).squaredNorm();
}

}  // namespace

namespace {
std::vector<Index> numbers(std::size_t count) {
  std::vector<Index> all(count);
  std::iota(all.begin(), all.end(), 0);
  return all;
}
}  // namespace

TetTree::TetTree(std::span<const Vec3> points, std::span<const Tet> tets, std::vector<Index> which)
    : points_(points), tets_(tets), which_(std::move(which)) {
  if (which_.empty()) return;
  boxes_.push_back({.low = Vec3::Zero(), .high = Vec3::Zero(), .first = 0, .last = static_cast<Index>(which_.size())});
  for (Index box = 0; box < static_cast<Index>(boxes_.size()); ++box) split(box);
}

TetTree::TetTree(std::span<const Vec3> points, std::span<const Tet> tets)
    : TetTree(points, tets, numbers(tets.size())) {}

// Halves a box at the median of its tets' centres along its longest side; ties fall by number.
void TetTree::split(Index index) {
  Box box = boxes_[index];
  box.low.setConstant(std::numeric_limits<double>::infinity());
  box.high = -box.low;
  for (Index k = box.first; k < box.last; ++k) {
    for (const Index node : tets_[which_[k]]) {
      box.low = box.low.cwiseMin(points_[node]);
      box.high = box.high.cwiseMax(points_[node]);
    }
  }
  if (box.last - box.first > leaf_size) {
    int axis = 0;
    (box.high - box.low).maxCoeff(&axis);
    const Index middle = box.first + (box.last - box.first) / 2;
    const auto key = [&](Index t) {
      const Tet& n = tets_[t];
      return std::pair(points_[n[0]][axis] + points_[n[1]][axis] + points_[n[2]][axis] + points_[n[3]][axis], t);
    };
    std::nth_element(which_.begin() + box.first, which_.begin() + middle, which_.begin() + box.last,
                     [&](Index a, Index b) { return key(a) < key(b); });
    box.left = static_cast<Index>(boxes_.size());
    boxes_.push_back({.low = Vec3::Zero(), .high = Vec3::Zero(), .first = box.first, .last = middle});
    boxes_.push_back({.low = Vec3::Zero(), .high = Vec3::Zero(), .first = middle, .last = box.last});
  }
  boxes_[index] = box;
}

TetTree::Hit TetTree::nearest(const Vec3& point) const {
  Hit hit{.tet = -1, .weight = {}, .squared = std::numeric_limits<double>::infinity()};
  if (empty()) return hit;
  std::array<std::pair<double, Index>, 128> stack;  // depth of the tree is below 40
  std::size_t top = 0;
  stack[top++] = {squared_to_box(point, boxes_[0].low, boxes_[0].high), 0};
  while (top > 0) {
    const auto [lower_bound, index] = stack[--top];
    if (lower_bound >= hit.squared) continue;
    const Box& box = boxes_[index];
    if (box.left < 0) {
      for (Index k = box.first; k < box.last; ++k) {
        const Tet& n = tets_[which_[k]];
        const std::array<Vec3, 4> x{points_[n[0]], points_[n[1]], points_[n[2]], points_[n[3]]};
        const Vec3 low = x[0].cwiseMin(x[1]).cwiseMin(x[2].cwiseMin(x[3]));
        const Vec3 high = x[0].cwiseMax(x[1]).cwiseMax(x[2].cwiseMax(x[3]));
        if (squared_to_box(point, low, high) >= hit.squared) continue;
        const auto found = nearest_in(point, x);
        if (found.squared < hit.squared) hit = {which_[k], found.weight, found.squared};
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
  return hit;
}

}  // namespace cardiotwin
