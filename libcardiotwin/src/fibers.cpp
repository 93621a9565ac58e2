#include <fmt/core.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cardiotwin/fibers.hpp>
#include <cmath>
#include <numbers>

#include "fem.hpp"
#include "surface_distance.hpp"

namespace cardiotwin {
namespace {

constexpr double degree = std::numbers::pi / 180.0;

// Any unit vector perpendicular to the unit vector `v`: from the axis least along it.
Vec3 perpendicular(const Vec3& v) {
  int least = 0;
  v.cwiseAbs().minCoeff(&least);
  return v.cross(Vec3::Unit(least)).normalized();
}

void require_nodes(const std::vector<Index>& nodes, const char* part, std::size_t count) {
  if (nodes.empty())
    throw InputError(fmt::format("Fibres: the {} has no node; tag the surface before laying fibres", part));
  for (const Index node : nodes) {
    if (node < 0 || static_cast<std::size_t>(node) >= count) {
      throw InputError(fmt::format("Fibres: the {} names node {}, but the mesh has {} nodes", part, node, count));
    }
  }
}

// Boundary triangles with all three corners among `nodes`.
std::vector<Triangle> triangles_on(const std::vector<BoundaryFace>& faces, const std::vector<Index>& nodes,
                                   std::size_t count, const char* part) {
  std::vector<std::uint8_t> on(count, 0);
  for (const Index node : nodes) on[node] = 1;
  std::vector<Triangle> triangles;
  for (const auto& face : faces) {
    if (on[face.nodes[0]] && on[face.nodes[1]] && on[face.nodes[2]]) triangles.push_back(face.nodes);
  }
  if (triangles.empty()) throw InputError(fmt::format("Fibres: no boundary face has its three nodes on the {}", part));
  return triangles;
}

// The share of the wall crossed. The Laplace solution would bend with the wall's curvature (logarithmic in a cylinder,
// 1/r in a sphere); a ratio of distances is linear along the normal in both.
std::vector<double> wall_depth(const Mesh& mesh, const FiberBoundary& boundary) {
  const auto points = mesh.points();
  const auto faces = boundary_faces(mesh);
  const SurfaceDistance to_endo(points, triangles_on(faces, boundary.endo, points.size(), "endocardium"));
  const SurfaceDistance to_epi(points, triangles_on(faces, boundary.epi, points.size(), "epicardium"));
  std::vector<double> depth(points.size());
  const auto count = static_cast<Index>(points.size());
#pragma omp parallel for schedule(dynamic, 1024)
  for (Index i = 0; i < count; ++i) {
    const double inner = to_endo(points[i]), outer = to_epi(points[i]);
    depth[i] = inner + outer > 0 ? inner / (inner + outer) : 0.5;
  }
  return depth;
}

// Harmonic function that is 0 on `zero` and 1 on `one` (which wins where they meet), natural elsewhere.
std::vector<double> laplace(const fem::Matrix& stiffness, const std::vector<Index>& zero, const std::vector<Index>& one,
                            std::vector<double> guess) {
  std::vector<signed char> fixed(guess.size(), -1);
  for (const Index node : zero) fixed[node] = 0;
  for (const Index node : one) fixed[node] = 1;
  fem::Dirichlet given;
  for (std::size_t i = 0; i < fixed.size(); ++i) {
    if (fixed[i] < 0) continue;
    given.nodes.push_back(static_cast<Index>(i));
    given.values.push_back(fixed[i]);
  }
  const std::vector<double> rhs(guess.size(), 0.0);
  fem::pcg(stiffness, rhs, guess, 1e-8, 20000, given);
  return guess;
}

// Mean over the four corners of the volume-weighted nodal gradient: the gradients of single tets scatter by several
// degrees, which this recovery removes without reaching beyond the tets next door.
std::vector<Vec3> recovered_gradient(const Mesh& mesh, const std::vector<double>& value) {
  const fem::Elements elements(mesh);
  const auto tets = mesh.tets();
  std::vector<Vec3> nodal(mesh.node_count(), Vec3::Zero());
  std::vector<double> weight(mesh.node_count(), 0.0);
  for (std::size_t t = 0; t < tets.size(); ++t) {
    const auto g = fem::gradients(elements, t);
    Vec3 sixfold = Vec3::Zero();
    for (int c = 0; c < 4; ++c) sixfold += value[tets[t][c]] * g.scaled[c];
    for (const Index node : tets[t]) nodal[node] += sixfold / 6.0, weight[node] += g.volume;
  }
  for (std::size_t i = 0; i < nodal.size(); ++i) nodal[i] /= weight[i];
  std::vector<Vec3> gradient(tets.size());
  for (std::size_t t = 0; t < tets.size(); ++t) {
    gradient[t] = (nodal[tets[t][0]] + nodal[tets[t][1]] + nodal[tets[t][2]] + nodal[tets[t][3]]) / 4.0;
  }
  return gradient;
}

// Unit directions of `raw`, projected by `project`; where too little is left (`floor` of the length), the mean of
// the neighbours, ring by ring; what no ring reaches (it cannot be on a connected mesh with one good tet) is
// `fallback`.
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

// Bayer's frame turned by the angles at depth d. e2 is transmural (outward), e1 apicobasal, e0 = e1 x e2
// circumferential: the helix angle turns f from e0 towards e1 about e2, the sheet angle turns s from e2 towards the
// cross-fibre direction about f. One wall has one frame, so the angles themselves are linear in depth and no two frames
// need blending.
void turned_frame(const Vec3& e1, const Vec3& e2, const FiberAngles& angles, double depth, Vec3& f, Vec3& s, Vec3& n) {
  const double alpha = degree * std::lerp(angles.alpha_endo, angles.alpha_epi, depth);
  const double beta = degree * std::lerp(angles.beta_endo, angles.beta_epi, depth);
  const Vec3 e0 = e1.cross(e2);
  f = (std::cos(alpha) * e0 + std::sin(alpha) * e1).normalized();
  const Vec3 across = e2.cross(f);
  s = std::cos(beta) * e2 + std::sin(beta) * across;
  s = (s - s.dot(f) * f).normalized();
  n = f.cross(s);
}

}  // namespace

Fibers uniform_fibers(const Mesh& mesh, const Vec3& direction) {
  if (!direction.allFinite() || !(direction.norm() > 1e-12)) {
    throw InputError("Fibres: the direction must be a finite vector that is not zero");
  }
  const Vec3 f = direction.normalized();
  // Along x the other two are y and z; any other f turns those two with it as little as possible.
  const Vec3 axis = std::abs(f.y()) < 0.9 ? Vec3::UnitY() : Vec3::UnitZ();
  const Vec3 s = (axis - axis.dot(f) * f).normalized();
  const auto count = mesh.tet_count();
  return {std::vector<Vec3>(count, f), std::vector<Vec3>(count, s), std::vector<Vec3>(count, f.cross(s))};
}

RuleBasedFibers rule_based_fibers(const Mesh& mesh, const FiberBoundary& boundary, const FiberAngles& angles,
                                  const Monitor& monitor) {
  require_nodes(boundary.endo, "endocardium", mesh.node_count());
  require_nodes(boundary.epi, "epicardium", mesh.node_count());
  require_nodes(boundary.base, "base", mesh.node_count());
  require_nodes(boundary.apex, "apex", mesh.node_count());
  RuleBasedFibers result;
  monitor.report("fibres: wall depth", 0.0);
  result.depth = wall_depth(mesh, boundary);
  monitor.poll();

  monitor.report("fibres: transmural direction", 0.2);
  const auto stiffness = fem::stiffness(mesh);
  const auto transmural = recovered_gradient(mesh, laplace(stiffness, boundary.endo, boundary.epi, result.depth));
  monitor.poll();

  monitor.report("fibres: apicobasal direction", 0.4);
  result.height = laplace(stiffness, boundary.apex, boundary.base, std::vector<double>(mesh.node_count(), 0.5));
  for (double& h : result.height) h = std::clamp(h, 0.0, 1.0);
  const auto apicobasal = recovered_gradient(mesh, result.height);
  monitor.poll();

  monitor.report("fibres: frames", 0.9);
  // The transmural direction is kept and the apicobasal one projected onto the wall (the paper does it the other way
  // round, which tilts fibres out of the wall near the apex, where both gradients are parallel).
  const auto e2 = directions(
      mesh, transmural, 0.0, [](std::size_t, const Vec3& v) { return v; },
      [](std::size_t) -> Vec3 { return Vec3::UnitZ(); });
  const auto e1 = directions(
      mesh, apicobasal, 0.05, [&](std::size_t t, const Vec3& v) -> Vec3 { return v - v.dot(e2[t]) * e2[t]; },
      [&](std::size_t t) { return perpendicular(e2[t]); });
  auto& [f, s, n] = result.fibers;
  f.resize(mesh.tet_count()), s.resize(mesh.tet_count()), n.resize(mesh.tet_count());
  for (std::size_t t = 0; t < mesh.tet_count(); ++t) {
    double depth = 0;
    for (const Index node : mesh.tets()[t]) depth += result.depth[node] / 4.0;
    turned_frame(e1[t], e2[t], angles, depth, f[t], s[t], n[t]);
  }
  monitor.report("fibres", 1.0);
  return result;
}

}  // namespace cardiotwin
