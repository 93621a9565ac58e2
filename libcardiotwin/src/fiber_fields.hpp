#pragma once
/// Scalar and vector fields on the wall from which the fibre rules take their directions; private to the physics room.

#include <cardiotwin/fibers.hpp>
#include <cardiotwin/mesh.hpp>
#include <utility>
#include <vector>

#include "fem.hpp"

namespace cardiotwin::fiber_fields {

/// Throws InputError unless `nodes` has some, all of the mesh.
void require_nodes(const std::vector<Index>& nodes, const char* part, std::size_t count);

/// Of every node to the boundary triangles with all three corners among `nodes` [mm].
std::vector<double> distance_to(const Mesh&, const std::vector<BoundaryFace>&, const std::vector<Index>& nodes,
                                const char* part);

/// The share of the wall crossed. The Laplace solution would bend with the wall's curvature (logarithmic in a cylinder,
/// 1/r in a sphere); a ratio of distances is linear along the normal in both.
inline double share(double inner, double outer) { return inner + outer > 0 ? inner / (inner + outer) : 0.5; }

/// Of harmonic functions' residuals: directions need no more digits (1e-8 turned no fibre of a heart by 0.4 degrees and
/// takes a third longer).
inline constexpr double digits_of_directions = 1e-6;
/// Harmonic function with the given nodal values, natural elsewhere, from `guess` on.
std::vector<double> harmonic(const fem::Matrix& stiffness, const fem::Dirichlet& given, std::vector<double> guess,
                             double tolerance = digits_of_directions);
/// 0 on `zero` and 1 on `one`, which wins where they meet.
std::vector<double> laplace(const fem::Matrix& stiffness, const std::vector<Index>& zero, const std::vector<Index>& one,
                            std::vector<double> guess);

/// Volume-weighted mean of the gradients of a node's tets: those of single tets scatter by several degrees.
std::vector<Vec3> nodal_gradient(const Mesh&, const std::vector<double>& value);
/// Mean over the four corners.
std::vector<Vec3> per_tet(const Mesh&, const std::vector<Vec3>& nodal);
inline double mean_of(const std::vector<double>& nodal, const Tet& tet) {
  return (nodal[tet[0]] + nodal[tet[1]] + nodal[tet[2]] + nodal[tet[3]]) / 4.0;
}

/// Where nodes lie in the walls. Lists about the right ventricle are empty for a left one alone.
struct Walls {
  std::vector<double> left, right;      ///< depth in the wall of each ventricle
  std::vector<double> right_of_septum;  ///< of the left one's outer surface: 0 epicardium .. 1 right endocardium
  std::vector<double> beyond;           ///< signed distance from where the right wall leaves the left one [mm], there +
  double right_thickness = 0;           ///< mean of the right one's own wall [mm]
};
Walls walls_of(const Mesh&, const FiberBoundary&, const fem::Matrix& stiffness);

/// Axes of the wall per tet, orthonormal: e2 transmural, outward; e1 apicobasal. The transmural direction is kept and
/// the apicobasal one projected onto the wall: the other way round would tilt fibres out of the wall near the apex,
/// where both gradients are parallel.
struct Axes {
  std::vector<Vec3> e1, e2;
};
Axes wall_axes(const Mesh&, const std::vector<Vec3>& apicobasal, const std::vector<Vec3>& transmural);

/// Directions `left` and `right` per node, each where it holds, with a harmonic transition over `width` [mm] to either
/// side of where `beyond` is 0.
std::vector<Vec3> joined_directions(const fem::Matrix& stiffness, const std::vector<Vec3>& left,
                                    const std::vector<Vec3>& right, const std::vector<double>& beyond, double width);

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

/// Any unit vector perpendicular to the unit vector `v`: from the axis least along it.
Vec3 perpendicular(const Vec3& v);

}  // namespace cardiotwin::fiber_fields
