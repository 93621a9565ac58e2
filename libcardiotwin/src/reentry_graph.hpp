#pragma once
/// The excited part of a heart as a graph with activation times: what the search for a circuit walks on.

#include <cardiotwin/reentry.hpp>
#include <optional>
#include <vector>

namespace cardiotwin::reentry {

/// One node passed at one time.
struct Visit {
  Index node = 0;
  double time = 0;  ///< [ms]
};

/// Nodes that were activated, joined by the edges of tets that conduct: not core, and all four nodes activated (so
/// lesions, which the history knows only by their silence, are left out).
class ActivationGraph {
 public:
  /// Throws InputError where the history has another length than nodes times depth.
  ActivationGraph(const Anatomy&, const ActivationHistory&);

  std::size_t size() const { return volume_.size(); }
  double volume(Index node) const { return volume_[node]; }  ///< lumped over conducting tets [mm3]
  const Vec3& point(Index node) const { return points_[node]; }
  std::span<const Index> neighbours(Index node) const { return adjacency_.of(node); }
  double lat(Index node, int k) const { return history_.lat[std::size_t(node) * history_.depth + k]; }
  int depth() const { return history_.depth; }
  double end() const { return history_.end; }

  /// Latest activation of `node` before `time`, NaN if none.
  double lat_before(Index node, double time) const;
  /// The latest activation of all.
  std::optional<Visit> latest() const;
  /// Backwards along the wave from `start`, always to the earliest neighbour from which the wave can have come, until
  /// `until` [ms] or where there is none (a stimulus, a focus). Times fall strictly.
  std::vector<Visit> trace_back(Visit start, double until) const;

 private:
  std::optional<Visit> predecessor(const Visit&) const;
  std::optional<Visit> earliest(const Visit& from, std::span<const Index> candidates, double slowest,
                                double slack) const;

  std::span<const Vec3> points_;
  const ActivationHistory& history_;
  Adjacency adjacency_;
  std::vector<double> volume_;
};

/// AHA segment of the tet whose centroid is nearest to a place; 0 where the anatomy has no segments.
int segment_at(const Anatomy&, const Vec3& place);

}  // namespace cardiotwin::reentry
