#include "trajectory.hpp"

#include <Eigen/Geometry>
#include <algorithm>
#include <array>
#include <cardiotwin/error.hpp>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numeric>
#include <queue>
#include <utility>

namespace cardiotwin {
namespace {

// One step down: to the point with `weight` of `node`, `length` away.
struct Step {
  std::array<Index, 3> node{-1, -1, -1};
  std::array<double, 3> weight{};
  double length = 0;
};

// Keeps the steepest of the steps tried from one node.
class Steepest {
 public:
  Steepest(const fem::Elements& e, const std::vector<double>& u, Index from) : e_(e), u_(u), from_(from) {}

  void across(std::size_t t) {
    const Tet& tet = e_.tets[t];
    std::array<Index, 3> other;
    for (int c = 0, k = 0; c < 4; ++c)
      if (tet[c] != from_) other[k++] = tet[c];
    std::array<Vec3, 3> side;
    Vec3 rise;
    for (int k = 0; k < 3; ++k) side[k] = e_.points[other[k]] - e_.points[from_], rise[k] = u_[other[k]] - u_[from_];
    if (rise.minCoeff() >= 0) return;
    inside(other, side, rise);
    for (int k = 0; k < 3; ++k) {
      along_face({other[k], other[(k + 1) % 3], -1}, side[k], side[(k + 1) % 3], rise[k], rise[(k + 1) % 3]);
      offer({other[k], -1, -1}, {1, 0, 0}, side[k].norm(), rise[k]);
    }
  }
  const Step& step() const { return best_; }

 private:
  // To where the gradient of the tet leaves it, if that is through the side opposite to the node.
  void inside(const std::array<Index, 3>& other, const std::array<Vec3, 3>& side, const Vec3& rise) {
    const std::array<Vec3, 3> dual{side[1].cross(side[2]), side[2].cross(side[0]), side[0].cross(side[1])};
    const double volume = side[0].dot(dual[0]);
    const Vec3 down = -(rise[0] * dual[0] + rise[1] * dual[1] + rise[2] * dual[2]) / volume;
    Vec3 share;
    for (int k = 0; k < 3; ++k) share[k] = down.dot(dual[k]) / volume;
    if (share.minCoeff() < 0) return;
    share /= share.sum();
    offer(other, {share[0], share[1], share[2]}, (share[0] * side[0] + share[1] * side[1] + share[2] * side[2]).norm(),
          share.dot(rise));
  }
  void along_face(const std::array<Index, 3>& other, const Vec3& a, const Vec3& b, double rise_a, double rise_b) {
    const double aa = a.dot(a), ab = a.dot(b), bb = b.dot(b);
    // Direction x a + y b along which u falls fastest within the face: the Gram matrix times (x, y) is the fall.
    const double x = -(bb * rise_a - ab * rise_b), y = -(aa * rise_b - ab * rise_a);
    if (x < 0 || y < 0 || !(x + y > 0)) return;
    const double s = x / (x + y), t = y / (x + y);
    offer(other, {s, t, 0}, (s * a + t * b).norm(), s * rise_a + t * rise_b);
  }
  void offer(const std::array<Index, 3>& node, const std::array<double, 3>& weight, double length, double rise) {
    const double slope = -rise / length;
    if (!(slope > slope_)) return;
    slope_ = slope;
    best_ = {node, weight, length};
  }

  const fem::Elements& e_;
  const std::vector<double>& u_;
  Index from_;
  double slope_ = 0;
  Step best_;
};

// The function without pits, which bad tets and the tolerance of its solution leave here and there: flooded from the
// given nodes upwards, every other node ends a little above the one it was reached from.
std::vector<double> without_pits(const fem::Elements& e, const fem::Stars& s, const std::vector<double>& u,
                                 const std::vector<double>& given) {
  const auto [low, high] = std::minmax_element(u.begin(), u.end());
  const double rise = 1e-12 * (*high - *low);
  std::vector<double> filled = u;
  std::vector<std::uint8_t> reached(u.size(), 0);
  using Entry = std::pair<double, Index>;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> front;
  for (std::size_t i = 0; i < u.size(); ++i) {
    if (std::isfinite(given[i])) reached[i] = 1, front.emplace(u[i], static_cast<Index>(i));
  }
  while (!front.empty()) {
    const auto [level, i] = front.top();
    front.pop();
    for (Index k = s.start[i]; k < s.start[i + 1]; ++k) {
      for (const Index n : e.tets[s.tet[k]]) {
        if (reached[n]) continue;
        reached[n] = 1;
        filled[n] = std::max(u[n], level + rise);
        front.emplace(filled[n], n);
      }
    }
  }
  if (std::find(reached.begin(), reached.end(), 0) != reached.end())
    throw NumericalError("Path lengths: a part of the mesh hangs together with no given value");
  return filled;
}

}  // namespace

std::vector<double> descent_length(const fem::Elements& e, const std::vector<double>& u,
                                   const std::vector<double>& given) {
  const auto stars = fem::stars(e);
  const auto filled = without_pits(e, stars, u, given);
  const auto count = static_cast<Index>(u.size());
  std::vector<Step> steps(u.size());
#pragma omp parallel for schedule(static)
  for (Index i = 0; i < count; ++i) {
    if (std::isfinite(given[i])) continue;
    Steepest steepest(e, filled, i);
    for (Index k = stars.start[i]; k < stars.start[i + 1]; ++k) steepest.across(static_cast<std::size_t>(stars.tet[k]));
    steps[i] = steepest.step();
  }
  std::vector<Index> order(u.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return filled[a] < filled[b]; });

  // In this order nearly every step leads to lengths that are known; corners of the side above the node are not yet,
  // and are settled by repeating.
  std::vector<double> length = given;
  constexpr int sweeps = 200;
  constexpr double settled = 1e-6;  // [mm]
  double change = INFINITY;
  for (int sweep = 0; sweep < sweeps && change > settled; ++sweep) {
    change = 0;
    for (const Index i : order) {
      if (std::isfinite(given[i])) continue;
      const double before = length[i];
      const Step& step = steps[i];
      double sum = 0, weight = 0;
      for (int k = 0; k < 3 && step.node[k] >= 0; ++k) {
        if (std::isfinite(length[step.node[k]])) sum += step.weight[k] * length[step.node[k]], weight += step.weight[k];
      }
      length[i] = step.length + sum / weight;
      change = std::isfinite(before) ? std::max(change, std::abs(length[i] - before)) : INFINITY;
    }
  }
  return length;
}

}  // namespace cardiotwin
