#include "reentry_graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cmath>
#include <limits>
#include <tuple>

namespace cardiotwin::reentry {
namespace {

// A neighbour counts as predecessor if the wave came from it no slower than this [mm/ms]; the second, for creeping
// conduction near block, is tried only where the first finds none: across a line of block the far side is earlier too,
// and a walk that always allowed it would step over the block.
constexpr double usual_slowest = 0.1, creeping_slowest = 0.03;
constexpr double timing_slack = 2;  // [ms], for short edges and noisy times

// Two visits at the same time are told apart by place, not by number, so that renumbering changes nothing.
bool before(double time_a, const Vec3& a, double time_b, const Vec3& b) {
  return std::tuple(time_a, a.x(), a.y(), a.z()) < std::tuple(time_b, b.x(), b.y(), b.z());
}

}  // namespace

ActivationGraph::ActivationGraph(const Anatomy& anatomy, const ActivationHistory& history)
    : points_(anatomy.mesh.points()), history_(history), volume_(anatomy.mesh.node_count(), 0.0) {
  const std::size_t nodes = anatomy.mesh.node_count();
  if (history.depth < 2 || history.lat.size() != nodes * std::size_t(history.depth))
    throw InputError(
        fmt::format("ActivationHistory: {} times at depth {} do not fit a mesh of {} nodes; depth must be at "
                    "least 2 and the length nodes * depth",
                    history.lat.size(), history.depth, nodes));
  std::vector<std::pair<Index, Index>> edges;
  for (std::size_t t = 0; t < anatomy.mesh.tet_count(); ++t) {
    const Tet& tet = anatomy.mesh.tets()[t];
    const bool conducts = anatomy.mesh.labels()[t] != region::core &&
                          std::all_of(tet.begin(), tet.end(), [&](Index n) { return std::isfinite(lat(n, 0)); });
    if (!conducts) continue;
    for (int i = 0; i < 4; ++i) {
      volume_[tet[i]] += anatomy.mesh.volume(t) / 4;
      for (int j = 0; j < 4; ++j)
        if (i != j) edges.emplace_back(tet[i], tet[j]);
    }
  }
  std::sort(edges.begin(), edges.end());
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  adjacency_.start.assign(nodes + 1, 0);
  adjacency_.node.reserve(edges.size());
  for (const auto& [from, to] : edges) {
    ++adjacency_.start[from + 1];
    adjacency_.node.push_back(to);
  }
  for (std::size_t i = 0; i < nodes; ++i) adjacency_.start[i + 1] += adjacency_.start[i];
}

double ActivationGraph::lat_before(Index node, double time) const {
  for (int k = 0; k < depth(); ++k)
    if (lat(node, k) < time) return lat(node, k);
  return std::numeric_limits<double>::quiet_NaN();
}

std::optional<Visit> ActivationGraph::latest() const {
  std::optional<Visit> best;
  for (Index i = 0; i < Index(size()); ++i) {
    if (volume_[i] == 0) continue;
    const double time = lat(i, 0);
    if (!best || before(best->time, point(best->node), time, point(i))) best = Visit{i, time};
  }
  return best;
}

std::optional<Visit> ActivationGraph::earliest(const Visit& from, std::span<const Index> candidates, double slowest,
                                               double slack) const {
  std::optional<Visit> best;
  for (const Index j : candidates) {
    const double time = lat_before(j, from.time);
    if (!(from.time - time <= (point(j) - point(from.node)).norm() / slowest + slack)) continue;
    if (!best || before(time, point(j), best->time, point(best->node))) best = Visit{j, time};
  }
  return best;
}

std::optional<Visit> ActivationGraph::predecessor(const Visit& from) const {
  const auto ring = neighbours(from.node);
  for (const double slowest : {usual_slowest, creeping_slowest})
    if (const auto found = earliest(from, ring, slowest, timing_slack)) return found;
  // Noise can make a node earlier than all its neighbours; a focus is so in a wider ring as well.
  std::vector<Index> wider;
  for (const Index j : ring)
    for (const Index k : neighbours(j))
      if (k != from.node) wider.push_back(k);
  return earliest(from, wider, usual_slowest, timing_slack);
}

std::vector<Visit> ActivationGraph::trace_back(Visit start, double until) const {
  std::vector<Visit> path{start};
  while (path.back().time > until) {
    const auto next = predecessor(path.back());
    if (!next) break;
    path.push_back(*next);
  }
  return path;
}

int segment_at(const Anatomy& anatomy, const Vec3& place) {
  if (anatomy.aha.size() != anatomy.mesh.tet_count()) return 0;
  double nearest = INFINITY;
  int segment = 0;
  for (std::size_t t = 0; t < anatomy.mesh.tet_count(); ++t) {
    const double distance = (anatomy.mesh.centroid(t) - place).squaredNorm();
    if (distance < nearest) nearest = distance, segment = anatomy.aha[t];
  }
  return segment;
}

}  // namespace cardiotwin::reentry
