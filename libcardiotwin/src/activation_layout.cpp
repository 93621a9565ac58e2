#include "activation_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cmath>
#include <limits>

namespace cardiotwin::fit {
namespace {

constexpr double slowest = 0.05, fastest = 3;  // [m/s]
constexpr double zero_spread = 200;            // of a map's reference about the beginning of the beat [ms]

Parameter velocity(const std::string& name, double wanted, double spread) {
  return {.name = name,
          .unit = "m/s",
          .low = slowest,
          .high = fastest,
          .prior = {Prior::Kind::lognormal, std::clamp(wanted, 1.01 * slowest, 0.99 * fastest), spread},
          .source = "about the twin's wanted velocity"};
}

/// Nodes of tets that conduct.
std::vector<std::uint8_t> conducting(const Twin& twin) {
  std::vector<std::uint8_t> nodes(twin.anatomy.mesh.node_count(), 0);
  for (std::size_t t = 0; t < twin.anatomy.mesh.tet_count(); ++t)
    if (twin.tissue[twin.anatomy.regions.at(twin.anatomy.mesh.labels()[t])].conducts)
      for (const Index node : twin.anatomy.mesh.tets()[t]) nodes[node] = 1;
  return nodes;
}

std::vector<Index> conducting_tets(const Twin& twin) {
  std::vector<Index> tets;
  for (std::size_t t = 0; t < twin.anatomy.mesh.tet_count(); ++t)
    if (twin.tissue[twin.anatomy.regions.at(twin.anatomy.mesh.labels()[t])].conducts)
      tets.push_back(static_cast<Index>(t));
  return tets;
}

}  // namespace

Layout::Layout(const Twin& twin, std::span<const MappedBeat> beats, const ActivationFitOptions& options) {
  std::vector<Parameter> parameters;
  const auto add = [&](Parameter p) {
    parameters.push_back(std::move(p));
    return parameters.size() - 1;
  };
  std::array<bool, 256> occurs{};
  for (const Label label : twin.anatomy.mesh.labels()) occurs[label] = true;
  const auto wanted = wanted_velocities(twin.tissue);
  for (const auto& [label, name] : twin.anatomy.regions) {
    if (!occurs[label] || !wanted.contains(name)) continue;
    if (std::ranges::find(regions_, name, &Region::name) != regions_.end()) continue;
    const Velocity v = wanted.at(name);
    Region region{.name = name};
    if (v.along == v.across) {
      region.along = region.across = add(velocity(name + " velocity", v.along, options.spread));
    } else {
      region.along = add(velocity(name + " velocity along", v.along, options.spread));
      region.across = add(velocity(name + " velocity across", v.across, options.spread));
    }
    regions_.push_back(std::move(region));
  }
  const auto alive = conducting(twin);
  Vec3 low = Vec3::Constant(std::numeric_limits<double>::infinity()), high = -low;
  for (std::size_t i = 0; i < alive.size(); ++i) {
    if (!alive[i]) continue;
    const Vec3& p = muscle_.emplace_back(twin.anatomy.mesh.points()[i]);
    low = low.cwiseMin(p), high = high.cwiseMax(p);
  }
  if (muscle_.empty()) throw InputError("Activation maps: nothing of this heart conducts");
  for (std::size_t b = 0; b < beats.size(); ++b) {
    const std::string who = fmt::format("beat {} ", b + 1);
    Beat beat{.zero = add({.name = who + "zero",
                           .unit = "ms",
                           .prior = {Prior::Kind::normal, 0, zero_spread},
                           .source = "the reference of a map may lie anywhere in the cycle"})};
    if (beats[b].origin.empty()) {
      beat.position = parameters.size();
      for (int axis = 0; axis < 3; ++axis)
        add({.name = who + "xyz"[axis],
             .unit = "mm",
             .low = low[axis] - 1,
             .high = high[axis] + 1,
             .prior = {Prior::Kind::uniform, 0, 0},
             .source = "anywhere in the muscle"});
    } else {
      const Site& site = twin.anatomy.site(beats[b].origin);
      for (const Index node : site.nodes)
        if (alive[node]) beat.nodes.push_back(node);
      if (beat.nodes.empty())
        throw InputError(fmt::format(
            "Activation maps: nothing conducts at site \"{}\", from which beat {} is said to come", site.name, b + 1));
      beat.known = site.position;
    }
    beats_.push_back(std::move(beat));
  }
  space_ = ParameterSpace(std::move(parameters));
}

std::map<std::string, Velocity> Layout::velocities(const Eigen::VectorXd& values) const {
  std::map<std::string, Velocity> result;
  for (const auto& r : regions_) result[r.name] = {values[Eigen::Index(r.along)], values[Eigen::Index(r.across)]};
  return result;
}

std::vector<Vec3> Layout::places(int count) const {
  std::vector<Vec3> result;
  std::vector<double> far(muscle_.size(), std::numeric_limits<double>::infinity());
  std::size_t next = 0;
  while (static_cast<int>(result.size()) < count && far[next] > 0) {
    result.push_back(muscle_[next]);
    far[next] = 0;
    for (std::size_t i = 0; i < muscle_.size(); ++i) far[i] = std::min(far[i], (muscle_[i] - result.back()).norm());
    next = static_cast<std::size_t>(std::ranges::max_element(far) - far.begin());
  }
  return result;
}

Wave::Wave(const Twin& twin, const Layout& layout, const ActivationFitOptions& options)
    : layout_(layout),
      eikonal_(twin.anatomy, options.backend),
      mesh_(twin.anatomy.mesh),
      muscle_(mesh_.points(), mesh_.tets(), conducting_tets(twin)) {}

Vec3 Wave::in_muscle(const Vec3& p, Vec3& off) const {
  off = Vec3::Zero();
  const auto hit = muscle_.nearest(p);
  if (hit.squared == 0) return p;
  Vec3 q = Vec3::Zero();
  for (int k = 0; k < 4; ++k) q += hit.weight[k] * mesh_.points()[mesh_.tets()[hit.tet][k]];
  off = p - q;
  return q;
}

Vec3 Wave::origin(const Eigen::VectorXd& values, std::size_t b) const {
  const auto& beat = layout_.beat(b);
  if (!beat.position) return beat.known;
  Vec3 off;
  return in_muscle(values.segment<3>(Eigen::Index(*beat.position)), off);
}

std::vector<double> Wave::solve(const Eigen::VectorXd& values, std::size_t b) {
  const auto& beat = layout_.beat(b);
  ActivationSource source;
  beat.position ? void(source.position = origin(values, b)) : void(source.nodes = beat.nodes);
  ++runs_;
  return eikonal_.activation(layout_.velocities(values), {source});
}

std::vector<double> Wave::times(const Eigen::VectorXd& values, std::size_t b) { return solve(values, b); }

Wave::AtSites Wave::at_sites(const Eigen::VectorXd& values, std::size_t b, const MeasuredSites& sites) {
  const auto lat = solve(values, b);
  const auto& beat = layout_.beat(b);
  const double zero = values[Eigen::Index(beat.zero)];
  AtSites at{.lat = sites.values(lat), .jacobian = Eigen::MatrixXd::Zero(Eigen::Index(sites.size()), values.size())};
  for (double& t : at.lat) t += zero;
  const auto tangents = eikonal_.tangents();
  Vec3 off = Vec3::Zero();
  if (beat.position) in_muscle(values.segment<3>(Eigen::Index(*beat.position)), off);
  const Vec3 outwards = off.norm() > 0 ? off.normalized() : off;
  std::vector<double> row(tangents.width);
  for (std::size_t s = 0; s < sites.size(); ++s) {
    std::ranges::fill(row, 0.0);
    for (int k = 0; k < 3; ++k)
      for (std::size_t c = 0; c < tangents.width; ++c)
        row[c] += sites.weights[s][k] * tangents.per_node[std::size_t(sites.nodes[s][k]) * tangents.width + c];
    auto to = at.jacobian.row(Eigen::Index(s));
    to[Eigen::Index(beat.zero)] = 1;
    for (std::size_t r = 0; r < tangents.regions.size(); ++r) {
      const auto region = std::ranges::find(layout_.regions(), tangents.regions[r], &Layout::Region::name);
      to[Eigen::Index(region->along)] += row[2 * r], to[Eigen::Index(region->across)] += row[2 * r + 1];
    }
    if (!beat.position) continue;
    Vec3 slope(row[tangents.width - 3], row[tangents.width - 2], row[tangents.width - 1]);
    slope -= slope.dot(outwards) * outwards;  // outside the muscle only ways along it count
    for (int axis = 0; axis < 3; ++axis) to[Eigen::Index(*beat.position) + axis] = slope[axis];
  }
  return at;
}

}  // namespace cardiotwin::fit
