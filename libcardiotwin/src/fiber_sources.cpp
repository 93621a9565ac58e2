#include <fmt/core.h>

#include <Eigen/Eigenvalues>
#include <Eigen/Geometry>
#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cardiotwin/fiber_sources.hpp>
#include <cmath>
#include <memory>

#include "point_grid.hpp"

namespace cardiotwin {
namespace {

void sort_unique(std::vector<Index>& nodes) {
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
}

// The middle of the base, and of the epicardium the node farthest below it.
void find_long_axis(Anatomy& anatomy) {
  const auto points = anatomy.mesh.points();
  Vec3 normal = Vec3::Zero(), centre = Vec3::Zero();
  double area = 0;
  for (const auto& face : anatomy.surface) {
    if (face.tag != Surface::base) continue;
    const Vec3 &a = points[face.nodes[0]], &b = points[face.nodes[1]], &c = points[face.nodes[2]];
    const Vec3 scaled = (b - a).cross(c - a);
    normal += scaled, area += scaled.norm(), centre += scaled.norm() * (a + b + c) / 3;
  }
  if (!(area > 0) || !(normal.norm() > 0.1 * area))
    throw InputError("Fibres: the base is not tagged, or faces no side; tag endo, epi and base of the surface first");
  anatomy.base_centre = centre / area;
  double lowest = INFINITY;
  for (const auto& face : anatomy.surface) {
    if (face.tag != Surface::epi) continue;
    for (const Index node : face.nodes) {
      const double height = (points[node] - anatomy.base_centre).dot(normal.normalized());
      if (height < lowest) lowest = height, anatomy.apex = points[node];
    }
  }
  if (!std::isfinite(lowest)) throw InputError("Fibres: the epicardium has no face; tag the surface first");
}

const Field* direction_field(const std::vector<Field>& fields) {
  const Field* only = nullptr;
  int vectors = 0;
  for (const auto& field : fields) {
    if (field.components != 3) continue;
    for (const char* name : {"fiber", "fibers", "fibre", "fibres", "f0"})
      if (field.name == name) return &field;
    only = &field, ++vectors;
  }
  return vectors == 1 ? only : nullptr;
}

struct Samples {
  std::vector<Vec3> at, fiber;
};

Samples samples_of(const ForeignMesh& mesh) {
  Samples samples;
  const auto add = [&](const Vec3& at, const Vec3& fiber) {
    if (!fiber.allFinite() || !(fiber.norm() > 1e-6)) return;
    samples.at.push_back(at), samples.fiber.push_back(fiber.normalized());
  };
  const auto centre = [&](const Tet& n) -> Vec3 {
    return (mesh.points[n[0]] + mesh.points[n[1]] + mesh.points[n[2]] + mesh.points[n[3]]) / 4;
  };
  const auto vector = [](const Field& field, std::size_t i) { return Vec3(&field.values[3 * i]); };
  if (!mesh.fibers.empty()) {
    for (std::size_t t = 0; t < mesh.tets.size(); ++t) add(centre(mesh.tets[t]), mesh.fibers[t]);
  } else if (const auto* field = direction_field(mesh.tet_fields)) {
    for (std::size_t t = 0; t < mesh.tets.size(); ++t) add(centre(mesh.tets[t]), vector(*field, t));
  } else if (const auto* nodal = direction_field(mesh.node_fields)) {
    for (std::size_t i = 0; i < mesh.points.size(); ++i) add(mesh.points[i], vector(*nodal, i));
  }
  if (samples.at.empty())
    throw InputError("the mesh has no fibres: neither per tet, nor as one field of three components named \"fiber\"");
  return samples;
}

double mean_edge(const ForeignMesh& mesh) {
  double sum = 0;
  for (const Tet& n : mesh.tets)
    for (int k = 1; k < 4; ++k) sum += (mesh.points[n[k]] - mesh.points[n[0]]).norm();
  if (!(sum > 0)) throw InputError("the mesh has no tets; say how far its fibres reach");
  return sum / (3.0 * static_cast<double>(mesh.tets.size()));
}

}  // namespace

FiberBoundary fiber_boundary(const Anatomy& anatomy, double edge) {
  FiberBoundary boundary;
  for (const auto& face : anatomy.surface) {
    auto& nodes = face.tag == Surface::endo      ? boundary.endo
                  : face.tag == Surface::endo_rv ? boundary.endo_rv
                  : face.tag == Surface::epi     ? boundary.epi
                                                 : boundary.base;
    nodes.insert(nodes.end(), face.nodes.begin(), face.nodes.end());
  }
  sort_unique(boundary.endo), sort_unique(boundary.epi), sort_unique(boundary.base), sort_unique(boundary.endo_rv);
  // A disc, because a single node would leave the apicobasal solution singular there.
  const double disc = std::max(2.0, 1.5 * edge);
  for (const Index node : boundary.epi) {
    if ((anatomy.mesh.points()[node] - anatomy.apex).norm() <= disc) boundary.apex.push_back(node);
  }
  for (const auto& site : anatomy.sites) {
    if (site.name == "aortic_valve" || site.name == "pulmonary_valve")
      boundary.outflow.insert(boundary.outflow.end(), site.nodes.begin(), site.nodes.end());
  }
  return boundary;
}

void lay_fibers(Anatomy& anatomy, const FiberAngles& angles, const Monitor& monitor,
                const std::optional<Vec3>& upward) {
  if (anatomy.surface.empty())
    throw InputError("Fibres: the surface is not tagged; say which of its faces are endo, epi and base");
  if (!upward && !((anatomy.base_centre - anatomy.apex).norm() > 1e-6)) find_long_axis(anatomy);
  const double edge = quality(anatomy.mesh).mean_edge;
  FiberBoundary boundary = fiber_boundary(anatomy, edge);
  boundary.upward = upward;
  auto laid = rule_based_fibers(anatomy.mesh, boundary, angles, monitor);
  anatomy.fibers = std::move(laid.fibers), anatomy.right = std::move(laid.right);
  anatomy.depth = std::move(laid.depth), anatomy.height = std::move(laid.height);
}

FiberSource fiber_source(const ForeignMesh& mesh, double reach) {
  auto samples = std::make_shared<Samples>(samples_of(mesh));
  if (!(reach > 0)) reach = mean_edge(mesh);
  auto grid = std::make_shared<PointGrid>(samples->at, reach);
  return [samples, grid, reach](const Vec3& position) -> Mat3 {
    Mat3 tensor = Mat3::Zero();
    grid->near(position, [&](std::size_t i) {
      const double share = (samples->at[i] - position).squaredNorm() / (reach * reach);
      if (share < 1) tensor += (1 - share) * (1 - share) * samples->fiber[i] * samples->fiber[i].transpose();
    });
    return tensor;
  };
}

double take_fibers(Fibers& fibers, const Mesh& mesh, const FiberSource& source, const Monitor& monitor) {
  auto f = fibers.f;
  double taken = 0, whole = 0;
  for (std::size_t t = 0; t < mesh.tet_count(); ++t) {
    if (t % 65536 == 0) monitor.poll();
    const double volume = mesh.volume(t);
    whole += volume;
    const Mat3 tensor = source(mesh.centroid(t));
    if (!(tensor.trace() > 0)) continue;
    const Eigen::SelfAdjointEigenSolver<Mat3> axes(tensor);  // eigenvalues ascending
    if (axes.eigenvalues()[2] < 1.2 * axes.eigenvalues()[1]) continue;
    const Vec3 axis = axes.eigenvectors().col(2).normalized();
    f[t] = axis.dot(f[t]) < 0 ? Vec3(-axis) : axis;
    taken += volume;
  }
  fibers = frames_along(std::move(f), fibers.s);
  return whole > 0 ? taken / whole : 0;
}

}  // namespace cardiotwin
