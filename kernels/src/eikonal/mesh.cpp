// The order in which the eikonal solver keeps a mesh: along a curve that fills space (Morton 1966).
#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>

#include "make.hpp"

namespace cardiotwin::kernels {
namespace {

void check(std::span<const double> points, std::span<const std::int32_t> tets) {
  const std::size_t nodes = points.size() / 3;
  if (points.size() % 3 != 0 || tets.size() % 4 != 0 || points.empty() || tets.empty())
    throw std::invalid_argument("eikonal solver: points come in threes and tets in fours, at least one of each; got " +
                                std::to_string(points.size()) + " and " + std::to_string(tets.size()) + " numbers");
  if (tets.size() / 4 >= std::size_t(1) << 29) throw std::invalid_argument("eikonal solver: more than 2^29 tets");
  for (const double x : points)
    if (!std::isfinite(x)) throw std::invalid_argument("eikonal solver: a point is not finite");
  for (std::size_t k = 0; k < tets.size(); ++k)
    if (tets[k] < 0 || std::size_t(tets[k]) >= nodes)
      throw std::invalid_argument("eikonal solver: tet " + std::to_string(k / 4) + " has node " +
                                  std::to_string(tets[k]) + " of " + std::to_string(nodes));
}

/// The bits of a number below 2^21, two zeros after each.
std::uint64_t spread(std::uint64_t x) {
  x = (x | x << 32) & 0x001f00000000ffff;
  x = (x | x << 16) & 0x001f0000ff0000ff;
  x = (x | x << 8) & 0x100f00f00f00f00f;
  x = (x | x << 4) & 0x10c30c30c30c30c3;
  return (x | x << 2) & 0x1249249249249249;
}

std::vector<std::int32_t> along_curve(std::span<const double> points) {
  double low[3] = {INFINITY, INFINITY, INFINITY}, size = 0;
  for (std::size_t k = 0; k < points.size(); ++k) low[k % 3] = std::min(low[k % 3], points[k]);
  for (std::size_t k = 0; k < points.size(); ++k) size = std::max(size, points[k] - low[k % 3]);
  const double scale = size > 0 ? double((1 << 21) - 1) / size : 0;
  std::vector<std::pair<std::uint64_t, std::int32_t>> codes(points.size() / 3);
  for (std::size_t i = 0; i < codes.size(); ++i) {
    std::uint64_t code = 0;
    for (std::size_t axis = 0; axis < 3; ++axis)
      code |= spread(std::uint64_t(scale * (points[3 * i + axis] - low[axis]))) << axis;
    codes[i] = {code, std::int32_t(i)};
  }
  std::sort(codes.begin(), codes.end());
  std::vector<std::int32_t> order(codes.size());
  std::transform(codes.begin(), codes.end(), order.begin(), [](const auto& code) { return code.second; });
  return order;
}

/// Where each of `keys` in [0, count) belongs when they are sorted: start per key, then the items in order.
std::pair<std::vector<std::int32_t>, std::vector<std::int32_t>> sorted(const std::vector<std::int32_t>& keys,
                                                                       std::size_t count) {
  std::vector<std::int32_t> start(count + 1, 0), items(keys.size());
  for (const std::int32_t key : keys) ++start[std::size_t(key) + 1];
  std::partial_sum(start.begin(), start.end(), start.begin());
  std::vector<std::int32_t> next(start.begin(), start.end() - 1);
  for (std::size_t k = 0; k < keys.size(); ++k) items[std::size_t(next[std::size_t(keys[k])]++)] = std::int32_t(k);
  return {std::move(start), std::move(items)};
}

}  // namespace

EikonalMesh::EikonalMesh(std::span<const double> given, std::span<const std::int32_t> given_tets) {
  check(given, given_tets);
  given_node = along_curve(given);
  own_node.resize(given_node.size());
  for (std::size_t i = 0; i < nodes(); ++i) {
    const auto from = std::size_t(given_node[i]);
    own_node[from] = std::int32_t(i);
    points.insert(points.end(), &given[3 * from], &given[3 * from] + 3);
  }
  std::vector<std::int32_t> first(given_tets.size() / 4);
  for (std::size_t t = 0; t < first.size(); ++t) {
    const auto* corner = &given_tets[4 * t];
    first[t] = std::min({own_node[std::size_t(corner[0])], own_node[std::size_t(corner[1])],
                         own_node[std::size_t(corner[2])], own_node[std::size_t(corner[3])]});
  }
  given_tet = sorted(first, nodes()).second;
  tets.resize(first.size());
  std::vector<std::int32_t> corners(given_tets.size());
  for (std::size_t k = 0; k < corners.size(); ++k) {
    const auto from = 4 * std::size_t(given_tet[k / 4]) + k % 4;
    corners[k] = tets[k / 4].corner[k % 4] = own_node[std::size_t(given_tets[from])];
  }
  std::tie(start, entry) = sorted(corners, nodes());
}

}  // namespace cardiotwin::kernels
