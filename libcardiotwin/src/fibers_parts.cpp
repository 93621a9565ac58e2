#include "fibers_parts.hpp"

#include <fmt/core.h>

#include <Eigen/Geometry>
#include <cardiotwin/error.hpp>

#include "surface_distance.hpp"

namespace cardiotwin::rules {
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

}  // namespace

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

std::vector<double> distance_to(const Mesh& mesh, const std::vector<BoundaryFace>& faces,
                                const std::vector<Index>& nodes, const char* part) {
  const auto points = mesh.points();
  const SurfaceDistance to_part(points, triangles_on(faces, nodes, points.size(), part));
  std::vector<double> distance(points.size());
  const auto count = static_cast<Index>(points.size());
#pragma omp parallel for schedule(dynamic, 1024)
  for (Index i = 0; i < count; ++i) distance[i] = to_part(points[i]);
  return distance;
}

std::vector<double> laplace(const fem::Matrix& stiffness, const fem::Dirichlet& given, std::vector<double> guess) {
  const std::vector<double> rhs(guess.size(), 0.0);
  fem::pcg(stiffness, rhs, guess, 1e-8, 20000, given);
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
  return laplace(stiffness, given, std::move(guess));
}

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

}  // namespace cardiotwin::rules
