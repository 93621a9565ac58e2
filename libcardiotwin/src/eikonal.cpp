#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cardiotwin/eikonal.hpp>
#include <cardiotwin/error.hpp>
#include <cardiotwin/kernels/eikonal.hpp>
#include <cmath>
#include <limits>

#include "eikonal_start.hpp"
#include "tet_tree.hpp"

namespace cardiotwin {
namespace {

using PerLabel = std::array<Velocity, 256>;

constexpr double slowest = 0.01, fastest = 10;  ///< [m/s]

void check_velocity(const std::string& region, const char* name, double v) {
  if (!(v >= slowest && v <= fastest))
    throw InputError(
        fmt::format("Eikonal: region \"{}\": velocity {} = {:g} m/s is outside [{:g}, {:g}]; leave out a "
                    "region that does not conduct",
                    region, name, v, slowest, fastest));
}

PerLabel velocity_per_label(const std::map<Label, std::string>& regions, const std::map<std::string, Velocity>& given) {
  PerLabel result{};
  std::vector<std::string> known;
  for (const auto& [label, name] : regions) known.push_back(name);
  for (const auto& [name, velocity] : given) {
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw InputError(fmt::format("Eikonal: the heart has no region \"{}\"{}", name, suggestion(name, known)));
    check_velocity(name, "along", velocity.along), check_velocity(name, "across", velocity.across);
    for (const auto& [label, region] : regions)
      if (region == name) result[label] = velocity;
  }
  return result;
}

std::string place(const Vec3& p) { return fmt::format("({:.1f}, {:.1f}, {:.1f}) mm", p.x(), p.y(), p.z()); }

}  // namespace

std::map<std::string, Velocity> wanted_velocities(const Tissue& tissue) {
  std::map<std::string, Velocity> result;
  for (const auto& [name, region] : tissue.regions) {
    if (!region.conducts) continue;
    if (!(region.wanted.along > 0 && region.wanted.across > 0))
      throw InputError(
          fmt::format("Eikonal: region \"{}\" conducts, but no velocity is wanted of it; set its wanted "
                      "velocities, or calibrate it",
                      name));
    result[name] = region.wanted;
  }
  return result;
}

struct Eikonal::Impl {
  Impl(const Anatomy& anatomy, const Backend& backend) : heart(anatomy) {
    using Kind = kernels::Device::Kind;
    const auto points = heart.mesh.points();
    try {
      solver = kernels::make_eikonal_solver({points[0].data(), 3 * points.size()}, corners(),
                                            {backend.is_cuda() ? Kind::cuda : Kind::cpu, backend.device()});
    } catch (const std::exception& error) {
      throw InputError(fmt::format("Eikonal on \"{}\": {}", backend.name(), error.what()));
    }
  }

  std::span<const std::int32_t> corners() const {
    const auto tets = heart.mesh.tets();
    return {tets[0].data(), 4 * tets.size()};
  }
  bool conducts(std::size_t tet) const { return velocity[heart.mesh.labels()[tet]].along > 0; }

  void take_velocities(const PerLabel& given) {
    const auto labels = heart.mesh.labels();
    const bool same_tets = tree && std::equal(given.begin(), given.end(), velocity.begin(),
                                              [](auto& a, auto& b) { return (a.along > 0) == (b.along > 0); });
    velocity = given;
    if (!same_tets) tree.reset();
    metric.resize(6 * labels.size());
    const auto count = static_cast<std::int64_t>(labels.size());
    bool any = false;
#pragma omp parallel for schedule(static) reduction(|| : any)
    for (std::int64_t t = 0; t < count; ++t) {
      const Velocity& v = velocity[labels[t]];
      double* g = &metric[6 * t];
      if (!(v.along > 0)) {
        std::fill_n(g, 6, std::numeric_limits<double>::quiet_NaN());
        continue;
      }
      any = true;
      const Vec3& f = heart.fiber[t];
      const double slow = 1 / (v.across * v.across), gain = 1 / (v.along * v.along) - slow;
      g[0] = slow + gain * f.x() * f.x(), g[1] = slow + gain * f.y() * f.y(), g[2] = slow + gain * f.z() * f.z();
      g[3] = gain * f.x() * f.y(), g[4] = gain * f.x() * f.z(), g[5] = gain * f.y() * f.z();
    }
    if (!any) throw InputError("Eikonal: no region of this heart has a velocity; give one, as for \"healthy\"");
    solver->set_metric(metric);
  }

  /// The conducting tet that holds a source's position, or is nearest to it.
  Index holding(std::size_t source, const Vec3& position) {
    const auto points = heart.mesh.points();
    const auto tets = heart.mesh.tets();
    if (!tree) {
      std::vector<Index> which;
      for (std::size_t t = 0; t < tets.size(); ++t)
        if (conducts(t)) which.push_back(static_cast<Index>(t));
      tree.emplace(points, tets, std::move(which));
    }
    const auto hit = tree->nearest(position);
    if (const double edge = heart.mean_edge_at(tets[hit.tet]), far = std::sqrt(hit.squared); far > edge)
      throw InputError(
          fmt::format("Eikonal: source {} at {} lies {:.1f} mm outside the muscle that conducts, more than "
                      "an edge of {:.1f} mm; move it inside",
                      source, place(position), far, edge));
    return hit.tet;
  }

  /// Refuses what cannot be, and finds the tets of positions.
  std::vector<Index> located(const std::vector<ActivationSource>& given) {
    if (given.empty()) throw InputError("Eikonal: no source; give at least one");
    std::vector<Index> tets;
    for (std::size_t s = 0; s < given.size(); ++s) {
      const ActivationSource& source = given[s];
      if (source.nodes.empty() == !source.position)
        throw InputError(fmt::format("Eikonal: source {} has {}; give the one or the other", s,
                                     source.position ? "both nodes and a position" : "neither nodes nor a position"));
      if (!std::isfinite(source.time))
        throw InputError(fmt::format("Eikonal: source {}: time = {:g} ms is not finite", s, source.time));
      if (!(source.radius >= 0 && source.radius <= 50))
        throw InputError(fmt::format("Eikonal: source {}: radius = {:g} mm is outside [0, 50]", s, source.radius));
      if (!source.position && source.radius > 0)
        throw InputError(fmt::format("Eikonal: source {}: a radius of {:g} mm goes with a position, not with nodes", s,
                                     source.radius));
      if (source.position && !source.position->allFinite())
        throw InputError(fmt::format("Eikonal: source {}: its position is not finite", s));
      for (const Index node : source.nodes) check_node(s, node);
      tets.push_back(source.position ? holding(s, *source.position) : -1);
    }
    return tets;
  }
  void check_node(std::size_t source, Index node) const {
    if (node < 0 || static_cast<std::size_t>(node) >= heart.mesh.node_count())
      throw InputError(
          fmt::format("Eikonal: source {}: node {} is outside [0, {}]", source, node, heart.mesh.node_count() - 1));
    const auto at = heart.tets_at(node);
    if (std::none_of(at.begin(), at.end(), [&](Index t) { return conducts(t); }))
      throw InputError(fmt::format("Eikonal: source {}: node {} at {} lies where nothing conducts; choose another node",
                                   source, node, place(heart.mesh.points()[node])));
  }

  /// Of the straight way by which node i has its time: with a = (e . f)^2, t^2 = a / v_along^2 + (e^2 - a) /
  /// v_across^2.
  Velocity time_per_velocity(std::size_t i, const kernels::Dependence& from) const {
    const Velocity& v = velocity[heart.mesh.labels()[from.tet[i]]];
    const Vec3 e(from.displacement[3 * i], from.displacement[3 * i + 1], from.displacement[3 * i + 2]);
    const double a = std::pow(e.dot(heart.fiber[from.tet[i]]), 2), b = e.squaredNorm() - a;
    const double t = std::sqrt(a / (v.along * v.along) + b / (v.across * v.across));
    return {.along = -a / (std::pow(v.along, 3) * t), .across = -b / (std::pow(v.across, 3) * t)};
  }

  EikonalHeart heart;
  std::unique_ptr<kernels::EikonalSolver> solver;
  PerLabel velocity{};
  std::optional<TetTree> tree;  // of the tets that conduct
  std::vector<double> metric;
  std::size_t source_count = 0;
  std::vector<EikonalStart> starts;
  std::vector<double> times;  // infinity where no wave arrives; empty before a solve
  std::optional<kernels::Dependence> dependence;
};

Eikonal::Eikonal(const Anatomy& anatomy, const Backend& backend) {
  anatomy.validate();
  impl_ = std::make_unique<Impl>(anatomy, backend);
}
Eikonal::~Eikonal() = default;
Eikonal::Eikonal(Eikonal&&) noexcept = default;
Eikonal& Eikonal::operator=(Eikonal&&) noexcept = default;

std::vector<double> Eikonal::activation(const std::map<std::string, Velocity>& velocities,
                                        const std::vector<ActivationSource>& sources) {
  Impl& me = *impl_;
  me.times.clear(), me.dependence.reset();
  me.take_velocities(velocity_per_label(me.heart.regions, velocities));
  const auto tets = me.located(sources);
  me.starts = eikonal_starts(me.heart, me.velocity, sources, tets);
  me.source_count = sources.size();
  std::vector<kernels::EikonalSeed> seeds;
  for (const EikonalStart& start : me.starts) seeds.push_back({start.node, start.time});
  std::vector<double> times(me.heart.mesh.node_count());
  try {
    me.solver->solve(seeds, times);
  } catch (const std::runtime_error& error) {
    throw NumericalError(error.what());
  }
  me.times = times;
  std::replace(times.begin(), times.end(), std::numeric_limits<double>::infinity(),
               std::numeric_limits<double>::quiet_NaN());
  return times;
}

EikonalGradient Eikonal::gradient(std::span<const double> per_node) {
  Impl& me = *impl_;
  if (me.times.empty()) throw InputError("Eikonal: there are no times to differentiate; call activation() first");
  if (per_node.size() != me.times.size())
    throw InputError(
        fmt::format("Eikonal: the gradient has {} numbers, the mesh {} nodes", per_node.size(), me.times.size()));
  for (std::size_t i = 0; i < per_node.size(); ++i)
    if (!std::isfinite(per_node[i]) || (per_node[i] != 0 && std::isinf(me.times[i])))
      throw InputError(fmt::format("Eikonal: the gradient at node {} is {:g}, but {}", i, per_node[i],
                                   std::isinf(me.times[i]) ? "no wave arrives there; give 0" : "must be finite"));
  if (!me.dependence) me.dependence = me.solver->dependence();
  const kernels::Dependence& from = *me.dependence;
  std::vector<double> carried;
  try {
    carried = kernels::carried_back(me.corners(), me.times, from, per_node);
  } catch (const std::runtime_error& error) {
    throw NumericalError(error.what());
  }
  PerLabel per_velocity{};
  EikonalGradient result{.velocity = {},
                         .time = std::vector<double>(me.source_count, 0.0),
                         .position = std::vector<Vec3>(me.source_count, Vec3::Zero())};
  for (std::size_t i = 0; i < carried.size(); ++i) {
    if (from.tet[i] < 0 || carried[i] == 0) continue;
    const Label label = me.heart.mesh.labels()[from.tet[i]];
    const Velocity slope = me.time_per_velocity(i, from);
    per_velocity[label].along += carried[i] * slope.along;
    per_velocity[label].across += carried[i] * slope.across;
  }
  for (const EikonalStart& start : me.starts) {
    if (from.tet[start.node] >= 0) continue;  // a wave from elsewhere was earlier
    const double c = carried[start.node];
    result.time[start.source] += c;
    result.position[start.source] += c * start.per_position;
    per_velocity[start.region].along += c * start.per_along;
    per_velocity[start.region].across += c * start.per_across;
  }
  for (const auto& [label, name] : me.heart.regions) {
    if (!(me.velocity[label].along > 0)) continue;
    Velocity& sum = result.velocity[name];  // two labels may bear one name
    sum.along += per_velocity[label].along, sum.across += per_velocity[label].across;
  }
  return result;
}

EikonalTangents Eikonal::tangents() {
  Impl& me = *impl_;
  if (me.times.empty()) throw InputError("Eikonal: there are no times to differentiate; call activation() first");
  if (!me.dependence) me.dependence = me.solver->dependence();
  const kernels::Dependence& from = *me.dependence;
  EikonalTangents result;
  std::array<std::size_t, 256> first{};  // of a label's two numbers
  for (const auto& [label, name] : me.heart.regions) {
    if (!(me.velocity[label].along > 0)) continue;
    const auto known = std::find(result.regions.begin(), result.regions.end(), name);
    first[label] = 2 * static_cast<std::size_t>(known - result.regions.begin());
    if (known == result.regions.end()) result.regions.push_back(name);
  }
  const std::size_t sources = 2 * result.regions.size();
  const std::size_t width = result.width = sources + 4 * me.source_count;
  std::vector<double> own(me.times.size() * width, 0.0);
  for (std::size_t i = 0; i < me.times.size(); ++i) {
    if (from.tet[i] < 0) continue;
    const Label label = me.heart.mesh.labels()[from.tet[i]];
    const Velocity slope = me.time_per_velocity(i, from);
    own[i * width + first[label]] = slope.along, own[i * width + first[label] + 1] = slope.across;
  }
  for (const EikonalStart& start : me.starts) {
    if (from.tet[start.node] >= 0) continue;
    double* at = &own[static_cast<std::size_t>(start.node) * width];
    at[first[start.region]] = start.per_along, at[first[start.region] + 1] = start.per_across;
    double* of_source = at + sources + 4 * static_cast<std::size_t>(start.source);
    of_source[0] = 1;
    for (int axis = 0; axis < 3; ++axis) of_source[1 + axis] = start.per_position[axis];
  }
  try {
    result.per_node = kernels::carried_forward(me.corners(), me.times, from, own, width);
  } catch (const std::runtime_error& error) {
    throw NumericalError(error.what());
  }
  return result;
}

}  // namespace cardiotwin
