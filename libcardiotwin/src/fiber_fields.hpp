#pragma once
/// Scalar and vector fields on the wall from which the fibre rules take their directions; private to the physics room.

#include <cardiotwin/fibers.hpp>
#include <cardiotwin/mesh.hpp>
#include <vector>

#include "fem.hpp"

namespace cardiotwin::fiber_fields {

/// Harmonic function with the given nodal values, natural elsewhere, from `guess` on.
std::vector<double> harmonic(const fem::Matrix& stiffness, const fem::Dirichlet& given, std::vector<double> guess);
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

/// Any unit vector perpendicular to the unit vector `v`: from the axis least along it.
Vec3 perpendicular(const Vec3& v);

}  // namespace cardiotwin::fiber_fields
