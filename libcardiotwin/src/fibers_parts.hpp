#pragma once
/// What fibre rules are made of, private to the physics room: depth in a wall, harmonic functions and their directions.

#include <cardiotwin/mesh.hpp>
#include <utility>
#include <vector>

#include "fem.hpp"

namespace cardiotwin::rules {

/// Any unit vector perpendicular to the unit vector `v`: from the axis least along it.
Vec3 perpendicular(const Vec3& v);

/// Throws InputError unless `nodes` has some, all of the mesh.
void require_nodes(const std::vector<Index>& nodes, const char* part, std::size_t count);

/// Of every node to the boundary triangles with all three corners among `nodes` [mm].
std::vector<double> distance_to(const Mesh&, const std::vector<BoundaryFace>&, const std::vector<Index>& nodes,
                                const char* part);

/// The share of the wall crossed. The Laplace solution would bend with the wall's curvature (logarithmic in a cylinder,
/// 1/r in a sphere); a ratio of distances is linear along the normal in both.
inline double share(double inner, double outer) { return inner + outer > 0 ? inner / (inner + outer) : 0.5; }

/// Harmonic function with given values, natural elsewhere.
std::vector<double> laplace(const fem::Matrix& stiffness, const fem::Dirichlet&, std::vector<double> guess);
/// The same, 0 on `zero` and 1 on `one` (which wins where they meet).
std::vector<double> laplace(const fem::Matrix& stiffness, const std::vector<Index>& zero, const std::vector<Index>& one,
                            std::vector<double> guess);

/// Mean over the four corners of the volume-weighted nodal gradient: the gradients of single tets scatter by several
/// degrees, which this recovery removes without reaching beyond the tets next door.
std::vector<Vec3> recovered_gradient(const Mesh&, const std::vector<double>& value);

inline double mean_of(const std::vector<double>& nodal, const Tet& tet) {
  return (nodal[tet[0]] + nodal[tet[1]] + nodal[tet[2]] + nodal[tet[3]]) / 4.0;
}

/// Unit directions of `raw`, projected by `project`; where too little is left (`floor` of the length), the mean of
/// the neighbours, ring by ring; what no ring reaches (it cannot be on a connected mesh with one good tet) is
/// `fallback`.
template <class Project, class Fallback>
std::vector<Vec3> directions(const Mesh& mesh, const std::vector<Vec3>& raw, double floor, const Project& project,
                             const Fallback& fallback) {
  const auto tets = mesh.tets();
  std::vector<Vec3> unit(raw.size(), Vec3::Zero());
  std::vector<Index> missing;
  for (std::size_t t = 0; t < raw.size(); ++t) {
    const Vec3 v = project(t, raw[t]);
    if (v.norm() > floor * raw[t].norm() && v.norm() > 1e-9)
      unit[t] = v.normalized();
    else
      missing.push_back(static_cast<Index>(t));
  }
  while (!missing.empty()) {
    std::vector<Vec3> nodal(mesh.node_count(), Vec3::Zero());
    for (std::size_t t = 0; t < tets.size(); ++t) {
      for (const Index node : tets[t]) nodal[node] += unit[t];
    }
    std::vector<Index> still;
    std::vector<std::pair<Index, Vec3>> found;
    for (const Index t : missing) {
      const auto& n = tets[t];
      const Vec3 v = project(t, nodal[n[0]] + nodal[n[1]] + nodal[n[2]] + nodal[n[3]]);
      if (v.norm() > 1e-3)
        found.emplace_back(t, v.normalized());
      else
        still.push_back(t);
    }
    if (found.empty()) {
      for (const Index t : still) found.emplace_back(t, fallback(t));
      still.clear();
    }
    for (const auto& [t, v] : found) unit[t] = v;
    missing = std::move(still);
  }
  return unit;
}

}  // namespace cardiotwin::rules
