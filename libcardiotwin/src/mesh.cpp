#include <fmt/core.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cardiotwin/mesh.hpp>
#include <cmath>
#include <numbers>
#include <tuple>

namespace cardiotwin {
namespace {

// Outward faces of a tet of positive volume, each opposite the vertex of the same number.
constexpr int tet_faces[4][3] = {{1, 2, 3}, {0, 3, 2}, {0, 1, 3}, {0, 2, 1}};

double signed_volume(const Vec3& a, const Vec3& b, const Vec3& c, const Vec3& d) {
  return (b - a).dot((c - a).cross(d - a)) / 6.0;
}

}  // namespace

Mesh::Mesh(std::vector<Vec3> points, std::vector<Tet> tets, std::vector<Label> labels)
    : points_(std::move(points)), tets_(std::move(tets)), labels_(std::move(labels)) {
  if (labels_.size() != tets_.size())
    throw InputError(
        fmt::format("Mesh: {} labels for {} tets; there must be one label per tet", labels_.size(), tets_.size()));
  for (std::size_t i = 0; i < points_.size(); ++i)
    if (!points_[i].allFinite()) throw InputError(fmt::format("Mesh: point {} is not finite", i));
  std::vector<std::uint8_t> used(points_.size(), 0);
  const auto count = static_cast<Index>(points_.size());
  for (std::size_t t = 0; t < tets_.size(); ++t) {
    for (const Index node : tets_[t]) {
      if (node < 0 || node >= count)
        throw InputError(fmt::format("Mesh: tet {} names node {}, but there are only {} points", t, node, count));
      used[node] = 1;
    }
    const double v = volume(t);
    if (!(v > 0))
      throw InputError(
          fmt::format("Mesh: tet {} has volume {:.3g} mm3; it must be positive (swap two of its nodes if "
                      "it is inverted)",
                      t, v));
  }
  if (const auto unused = std::find(used.begin(), used.end(), 0); unused != used.end())
    throw InputError(fmt::format("Mesh: no tet uses node {}; remove it", unused - used.begin()));
}

double Mesh::volume(std::size_t tet) const {
  const Tet& t = tets_[tet];
  return signed_volume(points_[t[0]], points_[t[1]], points_[t[2]], points_[t[3]]);
}

Vec3 Mesh::centroid(std::size_t tet) const {
  const Tet& t = tets_[tet];
  return (points_[t[0]] + points_[t[1]] + points_[t[2]] + points_[t[3]]) / 4.0;
}

// Faces are bucketed by their smallest node (about 18 to a bucket), so the cost is linear in the number of tets. The
// result comes in the order of tets, then of the vertex opposite.
std::vector<std::array<Index, 4>> face_neighbours(const Mesh& mesh) {
  const auto tets = mesh.tets();
  struct Entry {
    Index middle, high;   // the other two nodes, sorted
    std::uint32_t place;  // tet and face; unique
  };
  std::vector<std::size_t> start(mesh.node_count() + 1, 0);
  const auto sorted = [&](std::size_t t, int face) {
    Triangle nodes;
    for (int k = 0; k < 3; ++k) nodes[k] = tets[t][tet_faces[face][k]];
    std::sort(nodes.begin(), nodes.end());
    return nodes;
  };
  for (std::size_t t = 0; t < tets.size(); ++t)
    for (int face = 0; face < 4; ++face) ++start[sorted(t, face)[0] + 1];
  for (std::size_t i = 0; i + 1 < start.size(); ++i) start[i + 1] += start[i];
  std::vector<Entry> entries(4 * tets.size());
  auto fill = start;
  for (std::size_t t = 0; t < tets.size(); ++t)
    for (int face = 0; face < 4; ++face) {
      const Triangle nodes = sorted(t, face);
      entries[fill[nodes[0]]++] = {nodes[1], nodes[2], static_cast<std::uint32_t>(4 * t + face)};
    }

  std::vector<std::array<Index, 4>> neighbours(tets.size(), {-1, -1, -1, -1});
  const auto key = [](const Entry& e) { return std::tuple(e.middle, e.high, e.place); };
  for (std::size_t i = 0; i < mesh.node_count(); ++i) {
    const auto first = entries.begin() + static_cast<std::ptrdiff_t>(start[i]);
    const auto last = entries.begin() + static_cast<std::ptrdiff_t>(start[i + 1]);
    std::sort(first, last, [&](const Entry& a, const Entry& b) { return key(a) < key(b); });
    for (auto e = first; e != last && e + 1 != last; ++e) {
      const auto next = e + 1;
      if (e->middle != next->middle || e->high != next->high) continue;
      neighbours[e->place / 4][e->place % 4] = static_cast<Index>(next->place / 4);
      neighbours[next->place / 4][next->place % 4] = static_cast<Index>(e->place / 4);
    }
  }
  return neighbours;
}

std::vector<BoundaryFace> boundary_faces(const Mesh& mesh) {
  const auto tets = mesh.tets();
  const auto neighbours = face_neighbours(mesh);
  std::vector<BoundaryFace> faces;
  for (std::size_t t = 0; t < tets.size(); ++t) {
    for (int face = 0; face < 4; ++face) {
      if (neighbours[t][face] >= 0) continue;
      const int* corner = tet_faces[face];
      faces.push_back({{tets[t][corner[0]], tets[t][corner[1]], tets[t][corner[2]]}, static_cast<Index>(t)});
    }
  }
  return faces;
}

Adjacency node_adjacency(const Mesh& mesh) {
  std::vector<std::size_t> start(mesh.node_count() + 1, 0);
  for (const Tet& tet : mesh.tets())
    for (const Index node : tet) start[node + 1] += 3;
  for (std::size_t i = 0; i + 1 < start.size(); ++i) start[i + 1] += start[i];
  std::vector<Index> all(start.back());
  auto fill = start;
  for (const Tet& tet : mesh.tets())
    for (const Index node : tet)
      for (const Index other : tet)
        if (other != node) all[fill[node]++] = other;

  Adjacency result;
  result.start.assign(1, 0);
  result.start.reserve(mesh.node_count() + 1);
  result.node.reserve(15 * mesh.node_count());
  for (std::size_t i = 0; i < mesh.node_count(); ++i) {
    const auto first = all.begin() + static_cast<std::ptrdiff_t>(start[i]);
    const auto last = all.begin() + static_cast<std::ptrdiff_t>(start[i + 1]);
    std::sort(first, last);
    result.node.insert(result.node.end(), first, std::unique(first, last));
    result.start.push_back(static_cast<Index>(result.node.size()));
  }
  return result;
}

MeshQuality quality(const Mesh& mesh) {
  MeshQuality q;
  q.min_dihedral = 180, q.max_dihedral = 0;
  const auto points = mesh.points();
  for (std::size_t t = 0; t < mesh.tet_count(); ++t) {
    const Tet& tet = mesh.tets()[t];
    Vec3 normal[4];
    for (int face = 0; face < 4; ++face) {
      const Vec3 &a = points[tet[tet_faces[face][0]]], &b = points[tet[tet_faces[face][1]]],
                 &c = points[tet[tet_faces[face][2]]];
      normal[face] = (b - a).cross(c - a).normalized();
    }
    for (int i = 0; i < 4; ++i)
      for (int j = i + 1; j < 4; ++j) {
        const double cosine = std::clamp(-normal[i].dot(normal[j]), -1.0, 1.0);
        const double angle = std::acos(cosine) * 180.0 / std::numbers::pi;
        q.min_dihedral = std::min(q.min_dihedral, angle);
        q.max_dihedral = std::max(q.max_dihedral, angle);
        ++q.dihedral_histogram[std::min<std::size_t>(17, static_cast<std::size_t>(angle / 10.0))];
      }
    q.volume += mesh.volume(t);
  }
  const Adjacency adjacency = node_adjacency(mesh);
  std::size_t edges = 0;
  double sum = 0;
  q.min_edge = mesh.node_count() ? INFINITY : 0;
  for (std::size_t i = 0; i < mesh.node_count(); ++i)
    for (const Index j : adjacency.of(i)) {
      if (static_cast<std::size_t>(j) < i) continue;
      const double length = (points[j] - points[i]).norm();
      q.min_edge = std::min(q.min_edge, length);
      q.max_edge = std::max(q.max_edge, length);
      sum += length, ++edges;
    }
  if (edges) q.mean_edge = sum / static_cast<double>(edges);
  return q;
}

std::map<Label, EdgeStatistics> edge_statistics(const Mesh& mesh) {
  // A tet of the lattice has two edges of a cell and four of sqrt 3 / 2 of it.
  const double measure = 6 / ((2 + 2 * std::numbers::sqrt3) * bcc_cell_per_edge);
  std::map<Label, std::vector<std::pair<double, double>>> tets;  // edge, volume
  const auto points = mesh.points();
  for (std::size_t t = 0; t < mesh.tet_count(); ++t) {
    const Tet& tet = mesh.tets()[t];
    double sum = 0;
    for (int a = 0; a < 4; ++a)
      for (int b = a + 1; b < 4; ++b) sum += (points[tet[a]] - points[tet[b]]).norm();
    tets[mesh.labels()[t]].emplace_back(measure * sum / 6, mesh.volume(t));
  }
  std::map<Label, EdgeStatistics> result;
  for (auto& [label, all] : tets) {
    std::sort(all.begin(), all.end());
    double volume = 0, below = 0;
    for (const auto& [edge, v] : all) volume += v;
    EdgeStatistics& s = result[label];
    for (const auto& [edge, v] : all) {
      s.mean += edge * v / volume;
      below += v;
      if (s.low == 0 && below >= 0.05 * volume) s.low = edge;
      if (s.high == 0 && below >= 0.95 * volume) s.high = edge;
    }
  }
  return result;
}

}  // namespace cardiotwin
