// What a Purkinje tree does: arrival times, and the pulses at its junctions.

#include <fmt/core.h>

#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cardiotwin/purkinje.hpp>
#include <cmath>
#include <limits>
#include <map>

#include "point_grid.hpp"

namespace cardiotwin {
namespace {

struct Muscle {
  std::vector<Index> nodes;
  std::vector<Vec3> points;
};

// Nodes of tets that are not core.
Muscle living(const Anatomy& anatomy) {
  std::vector<std::uint8_t> alive(anatomy.mesh.node_count(), 0);
  for (std::size_t t = 0; t < anatomy.mesh.tet_count(); ++t) {
    const auto found = anatomy.regions.find(anatomy.mesh.labels()[t]);
    if (found != anatomy.regions.end() && found->second == "core") continue;
    for (const Index node : anatomy.mesh.tets()[t]) alive[node] = 1;
  }
  Muscle muscle;
  for (std::size_t i = 0; i < alive.size(); ++i) {
    if (!alive[i]) continue;
    muscle.nodes.push_back(static_cast<Index>(i));
    muscle.points.push_back(anatomy.mesh.points()[i]);
  }
  return muscle;
}

// Earliest time at which a junction starts each living node, infinite where none does.
std::vector<double> start_times(const Anatomy& anatomy, const Muscle& muscle, const PurkinjeTree& tree,
                                const PurkinjeOptions& options, const Monitor& monitor) {
  const auto arrival = purkinje_times(tree, options);
  const double radius = std::max(options.junction_radius, 1.5 * quality(anatomy.mesh).mean_edge);
  const PointGrid grid(muscle.points, radius);
  std::vector<double> start(muscle.points.size(), std::numeric_limits<double>::infinity());
  std::size_t idle = 0;
  for (std::size_t j = 0; j < tree.points.size(); ++j) {
    if (!tree.junction[j]) continue;
    bool reached = false;
    grid.near(tree.points[j], [&](std::size_t i) {
      if ((muscle.points[i] - tree.points[j]).norm() > radius) return;
      reached = true;
      start[i] = std::min(start[i], arrival[j] + options.junction_delay);
    });
    idle += !reached;
  }
  if (idle == tree.junctions()) throw InputError("Purkinje tree: no junction reaches living muscle");
  if (idle > 0)
    monitor.warn(
        fmt::format("purkinje: {} of {} junctions lie on dead tissue and start nothing", idle, tree.junctions()));
  return start;
}

}  // namespace

std::vector<double> purkinje_times(const PurkinjeTree& tree, const PurkinjeOptions& options) {
  std::vector<double> time(tree.points.size());
  for (std::size_t i = 0; i < time.size(); ++i) {
    const Index from = tree.parent[i];
    time[i] = from < 0 ? (tree.right[i] ? options.right_delay : 0.0)
                       : time[from] + (tree.points[i] - tree.points[from]).norm() / options.velocity;
  }
  return time;
}

Protocol purkinje_beats(const Anatomy& anatomy, const PurkinjeTree& tree, const S1S2& train,
                        const PurkinjeOptions& options, const Monitor& monitor) {
  const Muscle muscle = living(anatomy);
  const auto start = start_times(anatomy, muscle, tree, options, monitor);
  // Nodes that begin within the same tenth of a millisecond share a pulse.
  std::map<long, std::vector<Index>> together;
  for (std::size_t i = 0; i < start.size(); ++i)
    if (std::isfinite(start[i])) together[std::lround(10 * start[i])].push_back(muscle.nodes[i]);
  const auto beats = Protocol::s1s2({.name = "purkinje", .position = tree.points[0], .nodes = {0}}, train);
  Protocol protocol;
  for (const Stimulus& beat : beats.stimuli) {
    for (const auto& [tenths, nodes] : together) {
      Stimulus pulse = beat;
      pulse.nodes = nodes, pulse.start += static_cast<double>(tenths) / 10;
      protocol.stimuli.push_back(std::move(pulse));
    }
  }
  protocol.validate();
  return protocol;
}

ForeignMesh to_foreign(const PurkinjeTree& tree, const PurkinjeOptions& options) {
  ForeignMesh file;
  file.points = tree.points;
  for (std::size_t i = 0; i < tree.points.size(); ++i)
    if (tree.parent[i] >= 0) file.lines.push_back({tree.parent[i], static_cast<Index>(i)});
  file.node_fields.push_back({"time_ms", 1, purkinje_times(tree, options)});
  file.node_fields.push_back({"junction", 1, {tree.junction.begin(), tree.junction.end()}});
  file.node_fields.push_back({"right", 1, {tree.right.begin(), tree.right.end()}});
  return file;
}

}  // namespace cardiotwin
