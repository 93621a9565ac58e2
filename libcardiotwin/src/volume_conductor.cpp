#include <fmt/format.h>

#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cardiotwin/kernels/elliptic.hpp>
#include <cardiotwin/volume_conductor.hpp>
#include <cmath>
#include <numbers>
#include <numeric>

#include "conductor.hpp"
#include "operators.hpp"
#include "simulation_impl.hpp"
#include "tet_tree.hpp"

namespace cardiotwin {
namespace {

constexpr double slack = 10;  ///< how far outside electrodes may be [mm]

fem::Matrix intracellular_stiffness(const Twin& twin, const ActivePart& part) {
  const fem::Elements elements(part.points, part.tets);
  return fem::stiffness(elements, fem::stars(elements), [&](std::size_t t) {
    return tensor(twin.tissue[part.region_names[part.tet_region[t]]].intracellular, part.fiber[t]);
  });
}

std::vector<double> on_mesh(const ActivePart& part, const std::vector<double>& values, std::size_t nodes) {
  std::vector<double> result(nodes, 0.0);
  for (std::size_t i = 0; i < values.size(); ++i) result[part.mesh_node[i]] = values[i];
  return result;
}

/// Refuses electrodes more than an edge deep in the muscle.
void check_outside_muscle(const Mesh& mesh, const std::vector<Electrode>& electrodes) {
  const TetTree tree(mesh);
  const double edge = quality(mesh).mean_edge;
  std::vector<Index> surface;
  for (const BoundaryFace& face : boundary_faces(mesh))
    surface.insert(surface.end(), face.nodes.begin(), face.nodes.end());
  for (const Electrode& e : electrodes) {
    if (!e.position.allFinite()) throw InputError(fmt::format("Electrode \"{}\": its position is not finite", e.name));
    const auto hit = tree.nearest(e.position);
    if (hit.tet < 0 || hit.squared > 0) continue;
    double nearest = INFINITY;
    for (const Index node : surface) nearest = std::min(nearest, (mesh.points()[node] - e.position).norm());
    if (nearest > edge)
      throw InputError(
          fmt::format("Electrode \"{}\" at ({:.1f}, {:.1f}, {:.1f}) mm lies {:.1f} mm deep in the muscle; "
                      "move it to the surface, or read the potential of a bidomain there",
                      e.name, e.position.x(), e.position.y(), e.position.z(), nearest));
  }
}

}  // namespace

std::vector<double> LeadFields::potentials(std::span<const double> voltage) const {
  std::vector<double> result;
  for (const auto& weight : weights) {
    if (voltage.size() != weight.size())
      throw InputError(fmt::format("LeadFields: V has {} numbers, the mesh {} nodes", voltage.size(), weight.size()));
    // Blocks of fixed size, so that the sum does not depend on the threads.
    constexpr std::size_t block = 4096;
    std::vector<double> part((weight.size() + block - 1) / block, 0.0);
#pragma omp parallel for schedule(static)
    for (std::size_t b = 0; b < part.size(); ++b) {
      for (std::size_t i = b * block; i < std::min(weight.size(), (b + 1) * block); ++i)
        if (weight[i] != 0) part[b] += weight[i] * voltage[i];
    }
    result.push_back(std::accumulate(part.begin(), part.end(), 0.0));
  }
  return result;
}

LeadFields with_lesions(const LeadFields& leads, const Twin& twin, const std::vector<Lesion>& lesions) {
  LeadFields result = leads;
  if (lesions.empty()) return result;
  const std::size_t nodes = twin.anatomy.mesh.node_count();
  const auto fits = [&](const std::vector<double>& values) { return values.size() == nodes; };
  if (leads.fields.size() != leads.weights.size() || !std::ranges::all_of(leads.fields, fits) ||
      !std::ranges::all_of(leads.weights, fits))
    throw InputError(fmt::format("LeadFields: they are not of this twin, whose mesh has {} nodes", nodes));
  const ActivePart part = active_part(twin);
  const fem::Elements elements(part.points, part.tets);
  std::vector<std::uint8_t> alive(nodes, 0);
  for (std::size_t t = 0; t < part.tets.size(); ++t) {
    if (!in_lesion(part, t, lesions)) {
      for (const Index node : part.tets[t]) alive[part.mesh_node[node]] = 1;
      continue;
    }
    const auto g = fem::gradients(elements, t);
    const Mat3 sigma = tensor(twin.tissue[part.region_names[part.tet_region[t]]].intracellular, part.fiber[t]);
    for (std::size_t e = 0; e < leads.fields.size(); ++e) {
      Vec3 gradient = Vec3::Zero();
      for (int k = 0; k < 4; ++k) gradient += g.scaled[k] * leads.fields[e][part.mesh_node[part.tets[t][k]]];
      const Vec3 flow = sigma * gradient / (36 * g.volume);
      for (int k = 0; k < 4; ++k) result.weights[e][part.mesh_node[part.tets[t][k]]] += g.scaled[k].dot(flow);
    }
  }
  for (auto& weights : result.weights)
    for (std::size_t i = 0; i < nodes; ++i)
      if (!alive[i]) weights[i] = 0;  // but for rounding it was
  return result;
}

void EcgRecorder::sample(double time, std::span<const double> voltage) {
  ecg_.times.push_back(time);
  for (const double phi : leads_->potentials(voltage)) ecg_.values.push_back(phi);
}

PotentialProbe::PotentialProbe(const Mesh& conductor, const std::vector<Electrode>& electrodes, double interval)
    : interval_(interval) {
  const TetTree tree(conductor);
  for (const Electrode& e : electrodes) {
    const auto hit = tree.nearest(e.position);
    if (hit.tet < 0 || !(hit.squared <= slack * slack))
      throw InputError(
          fmt::format("Electrode \"{}\" lies {:.1f} mm outside the conductor", e.name, std::sqrt(hit.squared)));
    ecg_.names.push_back(e.name);
    corners_.push_back(conductor.tets()[hit.tet]);
    weights_.push_back(hit.weight);
  }
}

void PotentialProbe::sample_potential(double time, std::span<const double> potential) {
  ecg_.times.push_back(time);
  for (std::size_t e = 0; e < corners_.size(); ++e) {
    double phi = 0;
    for (int k = 0; k < 4; ++k) phi += weights_[e][k] * potential[corners_[e][k]];
    ecg_.values.push_back(phi);
  }
}

struct VolumeConductor::Impl {
  Mesh mesh;  ///< the heart's
  std::string statement;
  ActivePart part;
  fem::Matrix stiffness;
  std::unique_ptr<ConductorSpace> space;
  std::shared_ptr<const kernels::Multigrid> grid;
  ConductorOptions options;

  /// Solves for as many columns as b holds.
  std::vector<double> solve(const std::vector<double>& b) const {
    std::vector<double> x(b.size(), 0.0);
    const int columns = static_cast<int>(b.size() / space->rows());
    const auto solver = made_by_kernels(options.backend, [&](const kernels::Device& device) {
      return kernels::make_elliptic_solver(grid, columns, kernels::Real::fp64, device);
    });
    try {
      solver->solve(b, x, options.tolerance);
    } catch (const std::runtime_error& error) {
      throw NumericalError(fmt::format("VolumeConductor: {}", error.what()));
    }
    return x;
  }
};

VolumeConductor::VolumeConductor(const Twin& twin, std::shared_ptr<const Torso> torso, const ConductorOptions& options)
    : impl_(std::make_unique<Impl>()) {
  twin.tissue.validate();
  twin.anatomy.validate();
  impl_->mesh = twin.anatomy.mesh;
  impl_->statement = torso ? torso->statement : "nothing conducts around the heart";
  impl_->options = options;
  impl_->part = active_part(twin);
  impl_->stiffness = intracellular_stiffness(twin, impl_->part);
  impl_->space = std::make_unique<ConductorSpace>(twin, impl_->part, std::move(torso), options.grounds);
  impl_->grid = std::make_shared<const kernels::Multigrid>(impl_->space->matrix(twin, impl_->stiffness));
}
VolumeConductor::~VolumeConductor() = default;
VolumeConductor::VolumeConductor(VolumeConductor&&) noexcept = default;

std::vector<double> VolumeConductor::potential(std::span<const double> voltage) const {
  const Impl& own = *impl_;
  if (voltage.size() != own.mesh.node_count())
    throw InputError(
        fmt::format("VolumeConductor: V has {} numbers, the mesh {} nodes", voltage.size(), own.mesh.node_count()));
  std::vector<double> v(own.part.points.size()), flow(v.size()), b(own.space->rows(), 0.0);
  for (std::size_t i = 0; i < v.size(); ++i) {
    v[i] = voltage[own.part.mesh_node[i]];
    if (!std::isfinite(v[i]))
      throw InputError(
          "VolumeConductor: V is not finite where tissue conducts; it must come from a run of this twin "
          "without lesions");
  }
  own.stiffness.multiply(v, flow);
  const auto& p = own.space->interpolation();
  for (std::size_t i = 0; i < v.size(); ++i)
    for (Index k = p.row_start[i]; k < p.row_start[i + 1]; ++k) b[p.column[k]] -= p.value[k] * flow[i];
  return own.space->on_mesh(own.solve(b));
}

LeadFields VolumeConductor::lead_fields(const std::vector<Electrode>& electrodes, const Monitor& monitor) const {
  const Impl& own = *impl_;
  check_outside_muscle(own.mesh, electrodes);
  const std::size_t rows = own.space->rows();
  const auto mean = own.space->mean_weights();
  LeadFields result{.statement = own.statement};
  constexpr std::size_t at_once = 16;
  for (std::size_t first = 0; first < electrodes.size(); first += at_once) {
    monitor.poll();
    monitor.report("lead fields", static_cast<double>(first) / static_cast<double>(electrodes.size()));
    const std::size_t count = std::min(at_once, electrodes.size() - first);
    std::vector<double> b(count * rows, 0.0);
    for (std::size_t c = 0; c < count; ++c) {
      const Electrode& e = electrodes[first + c];
      const auto at = own.space->at(e.position, slack, fmt::format("Electrode \"{}\"", e.name));
      for (std::size_t k = 0; k < at.rows.size(); ++k) b[c * rows + at.rows[k]] += at.shares[k];
      for (std::size_t i = 0; i < mean.size(); ++i) b[c * rows + i] -= mean[i];
    }
    const auto z = own.solve(b);
    const auto& p = own.space->interpolation();
    std::vector<double> at_nodes(own.part.points.size()), weight(at_nodes.size());
    for (std::size_t c = 0; c < count; ++c) {
      for (std::size_t i = 0; i < at_nodes.size(); ++i) {
        at_nodes[i] = 0;
        for (Index k = p.row_start[i]; k < p.row_start[i + 1]; ++k)
          at_nodes[i] += p.value[k] * z[c * rows + p.column[k]];
      }
      own.stiffness.multiply(at_nodes, weight);
      result.names.push_back(electrodes[first + c].name);
      for (double& w : weight) w = -w;
      result.weights.push_back(on_mesh(own.part, weight, own.mesh.node_count()));
      result.fields.push_back(on_mesh(own.part, at_nodes, own.mesh.node_count()));
    }
  }
  return result;
}

namespace {

/// Adds an electrode whose field z is given at points.
template <class Z>
void add_field(const Twin& twin, const ActivePart& part, const fem::Matrix& stiffness, const Z& z, LeadFields& leads) {
  std::vector<double> at(part.points.size()), weight(at.size());
  for (std::size_t i = 0; i < at.size(); ++i) at[i] = z(part.points[i]);
  stiffness.multiply(at, weight);
  for (double& w : weight) w = -w;
  leads.weights.push_back(on_mesh(part, weight, twin.anatomy.mesh.node_count()));
  leads.fields.push_back(on_mesh(part, at, twin.anatomy.mesh.node_count()));
}

}  // namespace

LeadFields unbounded_lead_fields(const Twin& twin, const std::vector<Electrode>& electrodes, double conductivity) {
  if (!(conductivity >= 1e-4 && conductivity <= 10))
    throw InputError(fmt::format("Unbounded medium: conductivity = {:g} S/m is outside [0.0001, 10]", conductivity));
  check_outside_muscle(twin.anatomy.mesh, electrodes);
  const ActivePart part = active_part(twin);
  const fem::Matrix stiffness = intracellular_stiffness(twin, part);
  const double nearest = 0.5 * quality(twin.anatomy.mesh).mean_edge;  // an electrode has a size, too
  LeadFields result{.statement =
                        fmt::format("an unbounded medium of {:g} S/m, the heart's own space included", conductivity)};
  for (const Electrode& e : electrodes) {
    result.names.push_back(e.name);
    const auto field = [&](const Vec3& p) {
      return 1 / (4 * std::numbers::pi * conductivity * std::max(nearest, (p - e.position).norm()));
    };
    add_field(twin, part, stiffness, field, result);
  }
  return result;
}

LeadFields dipole_fields(const Twin& twin) {
  const ActivePart part = active_part(twin);
  const fem::Matrix stiffness = intracellular_stiffness(twin, part);
  LeadFields result;
  for (int axis = 0; axis < 3; ++axis) {
    result.names.push_back(fmt::format("dipole {}", "xyz"[axis]));
    add_field(
        twin, part, stiffness, [&](const Vec3& p) { return p[axis]; }, result);
  }
  return result;
}

}  // namespace cardiotwin
