#pragma once
/// Blocks of tets for the eikonal tests.

#include <array>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace cardiotwin::test {

inline double uniform(std::mt19937& random) { return double(random() >> 8) / double(1u << 24); }

struct TetBlock {
  std::vector<double> points;
  std::vector<std::int32_t> tets;
  std::size_t nodes() const { return points.size() / 3; }
  std::size_t tet_count() const { return tets.size() / 4; }
  const double* point(std::size_t node) const { return &points[3 * node]; }
};

/// n^3 cubes of edge 1, six tets each; nodes within are moved by up to `jitter` along each axis.
inline TetBlock tet_block(int n, double jitter, unsigned seed) {
  std::mt19937 random(seed);
  TetBlock block;
  const auto node = [&](const std::array<int, 3>& c) { return std::int32_t((c[2] * (n + 1) + c[1]) * (n + 1) + c[0]); };
  for (int z = 0; z <= n; ++z)
    for (int y = 0; y <= n; ++y)
      for (int x = 0; x <= n; ++x)
        for (const int c : {x, y, z}) {
          const bool within = x > 0 && x < n && y > 0 && y < n && z > 0 && z < n;
          block.points.push_back(c + (within ? jitter * (2 * uniform(random) - 1) : 0.0));
        }
  constexpr int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  for (int z = 0; z < n; ++z)
    for (int y = 0; y < n; ++y)
      for (int x = 0; x < n; ++x)
        for (const auto& order : orders) {
          std::array<int, 3> corner{x, y, z};
          block.tets.push_back(node(corner));
          for (const int axis : order) ++corner[std::size_t(axis)], block.tets.push_back(node(corner));
        }
  return block;
}

/// G of velocities along and across a fibre.
inline std::array<double, 6> metric_of(const std::array<double, 3>& fiber, double along, double across) {
  const double norm = std::sqrt(fiber[0] * fiber[0] + fiber[1] * fiber[1] + fiber[2] * fiber[2]);
  const double x = fiber[0] / norm, y = fiber[1] / norm, z = fiber[2] / norm;
  const double slow = 1 / (across * across), gain = 1 / (along * along) - slow;
  return {slow + gain * x * x, slow + gain * y * y, slow + gain * z * z, gain * x * y, gain * x * z, gain * y * z};
}

/// Fibres that turn through the block, velocities that vary from tet to tet by up to a fifth; `ratio`: along to across.
inline std::vector<double> random_metric(const TetBlock& block, double ratio, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<double> metric;
  for (std::size_t t = 0; t < block.tet_count(); ++t) {
    const double* p = block.point(std::size_t(block.tets[4 * t]));
    const double turn = 0.3 * p[2] + 0.1 * p[0], across = 0.3 * (1 + 0.2 * (uniform(random) - 0.5));
    const auto g = metric_of({std::cos(turn), std::sin(turn), 0.3 * std::sin(0.2 * p[1])}, ratio * across, across);
    metric.insert(metric.end(), g.begin(), g.end());
  }
  return metric;
}

}  // namespace cardiotwin::test
