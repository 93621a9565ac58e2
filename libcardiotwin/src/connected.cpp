#include "connected.hpp"

#include <algorithm>
#include <numeric>

namespace cardiotwin {
namespace {

// Union-find over nodes, the smaller number being the root: the result depends on no order of the unions.
Index root(std::vector<Index>& parent, Index node) {
  while (parent[node] != node) node = parent[node] = parent[parent[node]];
  return node;
}

void join(std::vector<Index>& parent, Index a, Index b) {
  a = root(parent, a), b = root(parent, b);
  if (a < b)
    parent[b] = a;
  else
    parent[a] = b;
}

}  // namespace

Pieces connected_pieces(const Mesh& mesh, const std::vector<std::uint8_t>& use) {
  std::vector<Index> parent(mesh.node_count());
  std::iota(parent.begin(), parent.end(), 0);
  const auto tets = mesh.tets();
  for (std::size_t t = 0; t < tets.size(); ++t) {
    if (!use[t]) continue;
    for (int c = 1; c < 4; ++c) join(parent, tets[t][0], tets[t][c]);
  }
  std::vector<double> volume_at(mesh.node_count(), 0.0);
  for (std::size_t t = 0; t < tets.size(); ++t) {
    if (use[t]) volume_at[root(parent, tets[t][0])] += mesh.volume(t);
  }
  std::vector<Index> roots;
  for (std::size_t i = 0; i < volume_at.size(); ++i) {
    if (volume_at[i] > 0) roots.push_back(static_cast<Index>(i));
  }
  std::stable_sort(roots.begin(), roots.end(), [&](Index a, Index b) { return volume_at[a] > volume_at[b]; });
  Pieces pieces;
  std::vector<Index> number(mesh.node_count(), -1);
  for (const Index r : roots) {
    number[r] = static_cast<Index>(pieces.volume.size());
    pieces.volume.push_back(volume_at[r]);
  }
  pieces.of.assign(tets.size(), -1);
  for (std::size_t t = 0; t < tets.size(); ++t) {
    if (use[t]) pieces.of[t] = number[root(parent, tets[t][0])];
  }
  return pieces;
}

std::vector<std::uint8_t> largest_conducting_component(const Anatomy& anatomy) {
  std::vector<std::uint8_t> use(anatomy.mesh.tet_count(), 1);
  for (std::size_t t = 0; t < use.size(); ++t) {
    const auto region = anatomy.regions.find(anatomy.mesh.labels()[t]);
    use[t] = region == anatomy.regions.end() || region->second != "core";
  }
  const auto pieces = connected_pieces(anatomy.mesh, use);
  for (std::size_t t = 0; t < use.size(); ++t) use[t] = pieces.of[t] == 0;
  return use;
}

}  // namespace cardiotwin
