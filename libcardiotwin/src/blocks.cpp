// Blocks of regular tets, on which schemes are measured and tests run.
#include <fmt/core.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cardiotwin/mesh.hpp>
#include <cmath>
#include <unordered_map>

namespace cardiotwin {
namespace {

void require_box(const char* who, const Vec3& size, double edge) {
  if (!(edge > 0) || !std::isfinite(edge))
    throw InputError(fmt::format("{}: edge = {} mm; it must be positive", who, edge));
  if (!size.allFinite() || !(size.minCoeff() > 0))
    throw InputError(
        fmt::format("{}: size = ({}, {}, {}) mm; every side must be positive", who, size.x(), size.y(), size.z()));
}

using Cell = std::array<int, 3>;

// Numbers lattice vertices as they come into use. A vertex is addressed by twice its lattice coordinates: all even at a
// cell's corner, all odd at its centre. The map is only ever looked up, never iterated, so numbering follows the scan.
class LatticeNodes {
 public:
  LatticeNodes(const Vec3& half_size, double cell, const Mat3& rotation)
      : half_(half_size), turn_(rotation * (0.5 * cell)) {}

  Vec3 position(const Cell& c) const { return turn_ * Vec3(c[0], c[1], c[2]) + half_; }
  bool inside(const Cell& c) const {
    const Vec3 offset = position(c) - half_;
    return (offset.cwiseAbs() - half_).maxCoeff() <= 1e-9 * half_.maxCoeff();
  }
  Index number(const Cell& c) {
    constexpr std::uint64_t shift = 1u << 20;
    const std::uint64_t key = ((c[0] + shift) << 42) | ((c[1] + shift) << 21) | (c[2] + shift);
    const auto [found, fresh] = numbers_.try_emplace(key, static_cast<Index>(points.size()));
    if (fresh) points.push_back(position(c));
    return found->second;
  }
  std::vector<Vec3> points;

 private:
  Vec3 half_;
  Mat3 turn_;
  std::unordered_map<std::uint64_t, Index> numbers_;
};

}  // namespace

// Kuhn's six tets per cube, all around the main diagonal, so that neighbouring cubes match.
Mesh box_mesh(const Vec3& size, double edge) {
  require_box("box_mesh", size, edge);
  int n[3];
  for (int k = 0; k < 3; ++k) n[k] = std::max(1, static_cast<int>(std::lround(size[k] / edge)));
  const auto node = [&](int x, int y, int z) { return static_cast<Index>((z * (n[1] + 1) + y) * (n[0] + 1) + x); };
  std::vector<Vec3> points;
  for (int z = 0; z <= n[2]; ++z)
    for (int y = 0; y <= n[1]; ++y)
      for (int x = 0; x <= n[0]; ++x) points.emplace_back(size[0] * x / n[0], size[1] * y / n[1], size[2] * z / n[2]);
  std::vector<Tet> tets;
  constexpr int orders[6][3] = {{0, 1, 2}, {1, 2, 0}, {2, 0, 1}, {0, 2, 1}, {2, 1, 0}, {1, 0, 2}};
  for (int z = 0; z < n[2]; ++z)
    for (int y = 0; y < n[1]; ++y)
      for (int x = 0; x < n[0]; ++x)
        for (int o = 0; o < 6; ++o) {
          int at[3] = {x, y, z};
          Tet tet;
          tet[0] = node(x, y, z);
          for (int k = 0; k < 3; ++k) ++at[orders[o][k]], tet[k + 1] = node(at[0], at[1], at[2]);
          if (o >= 3) std::swap(tet[2], tet[3]);  // odd permutations of the axes are mirror images
          tets.push_back(tet);
        }
  std::vector<Label> labels(tets.size(), 1);
  return {std::move(points), std::move(tets), std::move(labels)};
}

// Two neighbouring cell centres and the four edges of the face between them make four tets, twelve to a cell.
Mesh lattice_block(const Vec3& size, double edge, const Mat3& rotation) {
  require_box("lattice_block", size, edge);
  if (!((rotation * rotation.transpose() - Mat3::Identity()).norm() < 1e-9) || rotation.determinant() < 0)
    throw InputError("lattice_block: rotation is not a proper orthonormal matrix");
  const double cell = edge * bcc_cell_per_edge;
  const Vec3 half = size / 2;
  LatticeNodes nodes(half, cell, rotation);
  const Vec3 reach = rotation.transpose().cwiseAbs() * half;  // of the box in lattice axes
  int n[3];
  for (int k = 0; k < 3; ++k) n[k] = static_cast<int>(std::ceil(reach[k] / cell)) + 1;

  std::vector<Tet> tets;
  for (int z = -n[2]; z <= n[2]; ++z)
    for (int y = -n[1]; y <= n[1]; ++y)
      for (int x = -n[0]; x <= n[0]; ++x) {
        const Cell centre = {2 * x + 1, 2 * y + 1, 2 * z + 1};
        if (!nodes.inside(centre)) continue;
        for (int axis = 0; axis < 3; ++axis) {
          Cell other = centre;
          other[axis] += 2;
          if (!nodes.inside(other)) continue;
          const int u = (axis + 1) % 3, v = (axis + 2) % 3;
          constexpr int around[4][2] = {{-1, -1}, {1, -1}, {1, 1}, {-1, 1}};
          for (int k = 0; k < 4; ++k) {
            Cell a = centre, b = centre;
            a[axis] += 1, b[axis] += 1;
            a[u] += around[k][0], a[v] += around[k][1];
            b[u] += around[(k + 1) % 4][0], b[v] += around[(k + 1) % 4][1];
            if (!nodes.inside(a) || !nodes.inside(b)) continue;
            tets.push_back({nodes.number(centre), nodes.number(a), nodes.number(b), nodes.number(other)});
          }
        }
      }
  if (tets.empty())
    throw InputError(fmt::format("lattice_block: no tet of edge {} mm fits into {} x {} x {} mm; make the box larger",
                                 edge, size.x(), size.y(), size.z()));
  std::vector<Label> labels(tets.size(), 1);
  return {std::move(nodes.points), std::move(tets), std::move(labels)};
}

}  // namespace cardiotwin
