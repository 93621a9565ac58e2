#include <Eigen/Geometry>
#include <algorithm>
#include <cardiotwin/atrium.hpp>
#include <cardiotwin/error.hpp>

#include "fiber_fields.hpp"

namespace cardiotwin {

using namespace fiber_fields;

namespace {

// A value for each of several parts; the later one wins where two meet.
fem::Dirichlet values_on(std::size_t count, std::initializer_list<std::pair<const std::vector<Index>*, double>> parts) {
  constexpr double free = 1e9;
  std::vector<double> value(count, free);
  for (const auto& [nodes, of_part] : parts)
    for (const Index node : *nodes) value[std::size_t(node)] = of_part;
  fem::Dirichlet given;
  for (std::size_t i = 0; i < count; ++i)
    if (value[i] < free) given.nodes.push_back(Index(i)), given.values.push_back(value[i]);
  return given;
}

// The direction fibres run across, of each tet the one its place asks for.
std::vector<Vec3> across_fibers(const Mesh& mesh, const AtrialThresholds& limits, const std::vector<double>& psi_r,
                                const std::vector<double>& psi_v, const std::vector<double>& psi_ab) {
  const auto of_r = per_tet(mesh, nodal_gradient(mesh, psi_r)), of_v = per_tet(mesh, nodal_gradient(mesh, psi_v)),
             of_ab = per_tet(mesh, nodal_gradient(mesh, psi_ab));
  std::vector<Vec3> across(mesh.tet_count());
  for (std::size_t t = 0; t < across.size(); ++t) {
    const Tet& tet = mesh.tets()[t];
    const double v = mean_of(psi_v, tet);
    across[t] = mean_of(psi_r, tet) >= limits.mitral                ? of_r[t]
                : v <= limits.left_veins || v >= limits.right_veins ? of_v[t]
                                                                    : of_ab[t];
  }
  return across;
}

void require_parts(const Mesh& mesh, const AtrialBoundary& b, const AtrialThresholds& limits) {
  require_nodes(b.endo, "endocardium", mesh.node_count());
  require_nodes(b.epi, "epicardium", mesh.node_count());
  require_nodes(b.mitral, "mitral rim", mesh.node_count());
  require_nodes(b.left_veins, "rims of the left veins", mesh.node_count());
  require_nodes(b.right_veins, "rims of the right veins", mesh.node_count());
  if (!b.appendage.empty()) require_nodes(b.appendage, "appendage's tip", mesh.node_count());
  const auto share = [](double x) { return x >= 0 && x <= 1; };
  if (!share(limits.mitral) || !share(limits.left_veins) || !share(limits.right_veins) ||
      limits.left_veins > limits.right_veins)
    throw InputError("Fibres: the thresholds of an atrium's bundles must lie in [0, 1], left veins below right ones");
}

}  // namespace

AtrialFibers atrial_fibers(const Mesh& mesh, const AtrialBoundary& boundary, const AtrialThresholds& limits,
                           const Monitor& monitor) {
  require_parts(mesh, boundary, limits);
  const std::size_t count = mesh.node_count();
  AtrialFibers result;
  monitor.report("fibres: wall depth", 0.0);
  const auto faces = boundary_faces(mesh);
  const auto to_endo = distance_to(mesh, faces, boundary.endo, "endocardium"),
             to_epi = distance_to(mesh, faces, boundary.epi, "epicardium");
  result.depth.resize(count);
  for (std::size_t i = 0; i < count; ++i) result.depth[i] = share(to_endo[i], to_epi[i]);
  monitor.poll();

  monitor.report("fibres: transmural direction", 0.2);
  const auto stiffness = fem::stiffness(mesh);
  const auto transmural =
      per_tet(mesh, nodal_gradient(mesh, laplace(stiffness, boundary.endo, boundary.epi, result.depth)));
  monitor.poll();

  monitor.report("fibres: bundles", 0.4);
  const std::vector<double> half(count, 0.5);
  const auto& [endo, epi, mitral, left, right, appendage] = boundary;
  result.height = harmonic(stiffness, values_on(count, {{&appendage, 0}, {&left, 0}, {&right, 0}, {&mitral, 1}}), half);
  for (double& h : result.height) h = std::clamp(h, 0.0, 1.0);
  monitor.poll();
  const auto psi_v = harmonic(stiffness, values_on(count, {{&left, 0}, {&right, 1}}), half);
  monitor.poll();
  const auto psi_ab =
      harmonic(stiffness, values_on(count, {{&appendage, -1}, {&left, 0}, {&mitral, 1}, {&right, 2}}), half);
  monitor.poll();

  monitor.report("fibres: frames", 0.9);
  const auto outward = directions(
      mesh, transmural, 0.0, [](std::size_t, const Vec3& v) { return v; },
      [](std::size_t) -> Vec3 { return Vec3::UnitZ(); });
  const auto across = directions(
      mesh, across_fibers(mesh, limits, result.height, psi_v, psi_ab), 0.05,
      [&](std::size_t t, const Vec3& v) -> Vec3 { return v - v.dot(outward[t]) * outward[t]; },
      [&](std::size_t t) { return perpendicular(outward[t]); });
  auto& [f, s, n] = result.fibers;
  f.resize(mesh.tet_count()), s = across, n = outward;
  for (std::size_t t = 0; t < f.size(); ++t) {
    s[t] = (s[t] - s[t].dot(n[t]) * n[t]).normalized();
    f[t] = s[t].cross(n[t]);
  }
  monitor.report("fibres", 1.0);
  return result;
}

}  // namespace cardiotwin
