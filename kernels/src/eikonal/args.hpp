#pragma once
/// What the operations of the eikonal solver read and write: pointers and sizes only, so that every backend agrees on
/// it.

#include <cstdint>

namespace cardiotwin::kernels {

/// A tet and the squares of its edges in the metric, 01, 02, 03, 12, 13, 23; NaN where no wave passes. A cache line.
struct alignas(64) MetricTet {
  std::int32_t corner[4];
  double squared[6];
};

/// Of all tets: their edges in the metric.
struct Measure {
  std::int64_t tets = 0;
  const double *points = nullptr, *metric = nullptr;
  const std::int32_t* given = nullptr;  ///< where in the metric a tet stands
  MetricTet* tet = nullptr;
};

/// The tets at each node: 4 tet + which corner the node is there.
struct Stars {
  const std::int32_t *start = nullptr, *entry = nullptr;
};

/// Lists alternate: `waiting[sweep % 2]` is read, the other one written. A list may have holes, -1.
struct FrontCounts {
  std::int32_t waiting[2];
  std::int32_t touched;
  std::int32_t sweep;
  double least[2];  ///< the earliest time among the waiting
  std::int64_t expansions;
};

/// The front: nodes wait with a better time until that is among the earliest; then they touch their tets, which propose
/// better times to their corners.
struct Front {
  std::int32_t nodes = 0;
  const MetricTet* tet = nullptr;
  Stars stars;
  const double* start = nullptr;        ///< what the nodes begin with, infinity where nothing is known
  bool again = false;                   ///< other nodes see that from the beginning
  double* time = nullptr;               ///< what other nodes see
  double* proposed = nullptr;           ///< <= time
  std::uint32_t* is_waiting = nullptr;  ///< per node
  std::uint32_t* moved = nullptr;       ///< per tet: bits of the corners whose time changed
  std::int32_t *waiting[2] = {}, *touched = nullptr;
  FrontCounts* counts = nullptr;
  double window = 0;    ///< nodes are expanded up to so much later than the earliest one [ms]
  double rounding = 0;  ///< a smaller drop, relative, moves nobody else
};

/// Where every node has its time from.
struct Depend {
  std::int32_t nodes = 0;
  const double* points = nullptr;
  const MetricTet* tet = nullptr;
  Stars stars;
  const double *start = nullptr, *time = nullptr;
  std::int32_t* from = nullptr;
  double *weight = nullptr, *displacement = nullptr;
  double* arrival = nullptr;  ///< what the tet offers; where `from` is -1, the node's time
};

}  // namespace cardiotwin::kernels
