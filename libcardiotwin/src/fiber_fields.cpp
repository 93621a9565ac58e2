#include "fiber_fields.hpp"

#include <fmt/core.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cardiotwin/surface_distance.hpp>
#include <cmath>

#include "connected.hpp"

namespace cardiotwin::fiber_fields {
namespace {

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

std::vector<double> distance_to(const Mesh& mesh, std::vector<Triangle> triangles) {
  const auto points = mesh.points();
  const SurfaceDistance to_part(points, std::move(triangles));
  std::vector<double> distance(points.size());
  const auto count = static_cast<Index>(points.size());
#pragma omp parallel for schedule(dynamic, 1024)
  for (Index i = 0; i < count; ++i) distance[i] = to_part(points[i]);
  return distance;
}

// Tets of the right one's own wall: what lies beyond the left wall's thickness, as found on its endocardium and
// continued harmonically, by more than a quarter of the wall between the right endocardium and the epicardium. Only the
// largest piece: a bulge of the left wall is not the right one's.
std::vector<std::uint8_t> right_wall(const Mesh& mesh, const FiberBoundary& boundary, const fem::Matrix& stiffness,
                                     const std::vector<double>& to_left, const std::vector<double>& to_right,
                                     const std::vector<double>& to_epi) {
  fem::Dirichlet thickness;
  double mean = 0;
  for (const Index i : boundary.endo) {
    thickness.nodes.push_back(i);
    thickness.values.push_back(std::min(to_epi[i], to_right[i]));
    mean += thickness.values.back() / static_cast<double>(boundary.endo.size());
  }
  const auto left_wall = harmonic(stiffness, thickness, std::vector<double>(mesh.node_count(), mean), 1e-4);
  std::vector<std::uint8_t> own(mesh.tet_count(), 0);
  for (std::size_t t = 0; t < own.size(); ++t) {
    const Tet& tet = mesh.tets()[t];
    const double beyond = mean_of(to_left, tet) - mean_of(left_wall, tet);
    own[t] = beyond > 0.25 * (mean_of(to_right, tet) + mean_of(to_epi, tet));
  }
  const auto pieces = connected_pieces(mesh, own);
  for (std::size_t t = 0; t < own.size(); ++t) own[t] = pieces.of[t] == 0;
  return own;
}

void add_right(const Mesh& mesh, const FiberBoundary& boundary, const fem::Matrix& stiffness,
               const std::vector<double>& to_left, const std::vector<double>& to_right,
               const std::vector<double>& to_epi, Walls& walls) {
  const std::size_t count = mesh.node_count();
  const auto own = right_wall(mesh, boundary, stiffness, to_left, to_right, to_epi);
  double volume = 0;
  std::vector<Triangle> interface;
  std::vector<std::uint8_t> on_right(count, 0);
  const auto neighbours = face_neighbours(mesh);
  for (std::size_t t = 0; t < own.size(); ++t) {
    if (!own[t]) continue;
    const Tet& tet = mesh.tets()[t];
    walls.right_thickness += mesh.volume(t) * (mean_of(to_right, tet) + mean_of(to_epi, tet));
    volume += mesh.volume(t);
    for (const Index node : tet) on_right[node] = 1;
    for (int k = 0; k < 4; ++k) {
      if (const Index n = neighbours[t][k]; n >= 0 && !own[n])
        interface.push_back({tet[(k + 1) % 4], tet[(k + 2) % 4], tet[(k + 3) % 4]});
    }
  }
  if (interface.empty())
    throw InputError("Fibres: no wall of a right ventricle joins the left one; check the tags of the surface");
  walls.right_thickness /= volume;
  walls.beyond = distance_to(mesh, std::move(interface));
  walls.right.resize(count), walls.right_of_septum.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (!on_right[i]) walls.beyond[i] = -walls.beyond[i];
    walls.left[i] = share(to_left[i], std::min(to_epi[i], to_right[i]));
    walls.right[i] = share(to_right[i], to_epi[i]);
    walls.right_of_septum[i] = share(to_epi[i], to_right[i]);
  }
}

}  // namespace

Vec3 perpendicular(const Vec3& v) {
  int least = 0;
  v.cwiseAbs().minCoeff(&least);
  return v.cross(Vec3::Unit(least)).normalized();
}

std::vector<double> harmonic(const fem::Matrix& stiffness, const fem::Dirichlet& given, std::vector<double> guess,
                             double tolerance) {
  const std::vector<double> rhs(guess.size(), 0.0);
  fem::pcg(stiffness, rhs, guess, tolerance, 20000, given);
  return guess;
}

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
  return harmonic(stiffness, given, std::move(guess));
}

std::vector<Vec3> nodal_gradient(const Mesh& mesh, const std::vector<double>& value) {
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
  return nodal;
}

std::vector<Vec3> per_tet(const Mesh& mesh, const std::vector<Vec3>& nodal) {
  std::vector<Vec3> mean;
  mean.reserve(mesh.tet_count());
  for (const Tet& n : mesh.tets()) mean.push_back((nodal[n[0]] + nodal[n[1]] + nodal[n[2]] + nodal[n[3]]) / 4.0);
  return mean;
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

std::vector<double> distance_to(const Mesh& mesh, const std::vector<BoundaryFace>& faces,
                                const std::vector<Index>& nodes, const char* part) {
  return distance_to(mesh, triangles_on(faces, nodes, mesh.node_count(), part));
}

Walls walls_of(const Mesh& mesh, const FiberBoundary& boundary, const fem::Matrix& stiffness) {
  const auto faces = boundary_faces(mesh);
  const std::size_t count = mesh.node_count();
  const auto to = [&](const std::vector<Index>& nodes, const char* part) {
    return distance_to(mesh, faces, nodes, part);
  };
  const auto to_left = to(boundary.endo, "endocardium"), to_epi = to(boundary.epi, "epicardium");
  Walls walls;
  walls.left.resize(count);
  for (std::size_t i = 0; i < count; ++i) walls.left[i] = share(to_left[i], to_epi[i]);
  if (!boundary.endo_rv.empty())
    add_right(mesh, boundary, stiffness, to_left, to(boundary.endo_rv, "right endocardium"), to_epi, walls);
  return walls;
}

Axes wall_axes(const Mesh& mesh, const std::vector<Vec3>& apicobasal, const std::vector<Vec3>& transmural) {
  Axes axes;
  axes.e2 = directions(
      mesh, transmural, 0.0, [](std::size_t, const Vec3& v) { return v; },
      [](std::size_t) -> Vec3 { return Vec3::UnitZ(); });
  const auto& e2 = axes.e2;
  axes.e1 = directions(
      mesh, apicobasal, 0.05, [&](std::size_t t, const Vec3& v) -> Vec3 { return v - v.dot(e2[t]) * e2[t]; },
      [&](std::size_t t) { return perpendicular(e2[t]); });
  return axes;
}

std::vector<Vec3> joined_directions(const fem::Matrix& stiffness, const std::vector<Vec3>& left,
                                    const std::vector<Vec3>& right, const std::vector<double>& beyond, double width) {
  std::vector<Vec3> result(left.size());
  fem::Dirichlet given;
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = (beyond[i] > 0 ? right[i] : left[i]).stableNormalized();
    if (std::abs(beyond[i]) >= width) given.nodes.push_back(static_cast<Index>(i));
  }
  given.values.resize(given.nodes.size());
  std::vector<double> one(result.size());
  for (int axis = 0; axis < 3; ++axis) {
    for (std::size_t i = 0; i < one.size(); ++i) one[i] = result[i][axis];
    for (std::size_t k = 0; k < given.nodes.size(); ++k) given.values[k] = one[given.nodes[k]];
    one = harmonic(stiffness, given, std::move(one));
    for (std::size_t i = 0; i < one.size(); ++i) result[i][axis] = one[i];
  }
  return result;
}

}  // namespace cardiotwin::fiber_fields
