#pragma once
/// When a wave that starts at some nodes of a tetrahedral mesh arrives at the others:
///
///   sqrt(grad T . D grad T) = 1,   |x|_G = sqrt(x . G x) with G = D^-1: the time a straight way x takes
///
/// first order in the mesh's spacing, by an iterative method after Fu, Kirby & Whitaker 2013 (doi 10.1137/120881956):
/// T of a node is the least, over the tets at it and the points y of the faces opposite, of T(y) + |x - y|_G, T linear
/// on the faces. Exact where T is linear.

#include <cardiotwin/kernels/engine.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace cardiotwin::kernels {

/// The wave is at this node no later than `time` [ms].
struct EikonalSeed {
  std::int32_t node = 0;
  double time = 0;
};

/// How one solve went. Neither number depends on the threads.
struct EikonalWork {
  std::int64_t sweeps = 0, expansions = 0;  ///< expansions: how often a node told its tets of a better time
};

/// Where each node has its time from, once they are solved for.
struct Dependence {
  std::vector<std::int32_t> tet;     ///< per node; -1 where a seed gives the time, or no wave arrives
  std::vector<double> weight;        ///< 4 per node, of the tet's corners, sum 1, 0 of the node itself: dT / dT_corner
  std::vector<double> displacement;  ///< 3 per node: from the weighted mean of the corners to the node [mm]
};

/// A mesh made ready, on which metric and seeds change cheaply.
class EikonalSolver {
 public:
  virtual ~EikonalSolver() = default;
  /// 6 numbers per tet, G as xx, yy, zz, xy, xz, yz [ms^2/mm^2], positive definite; NaN first where no wave passes.
  /// Throws std::invalid_argument for a wrong size.
  virtual void set_metric(std::span<const double> metric) = 0;
  /// times: per node [ms], infinity where no wave arrives; the same bits for any number of threads. Throws
  /// std::invalid_argument for sizes, nodes or times that cannot be, std::logic_error without a metric.
  virtual EikonalWork solve(std::span<const EikonalSeed> seeds, std::span<double> times) = 0;
  /// Of the latest solve; throws std::logic_error without one.
  virtual Dependence dependence() = 0;
};

/// points: 3 per node [mm]; tets: 4 corners each, of any orientation, not flat. Throws std::invalid_argument for
/// indices out of range, std::runtime_error where there is no such device.
std::unique_ptr<EikonalSolver> make_eikonal_solver(std::span<const double> points, std::span<const std::int32_t> tets,
                                                   const Device&);

/// dJ/dT per node with all that follows from that node's time, for dJ/dT per node of the times as such; at a seed that
/// gives its node's time, dJ / d time of the seed. Nodes without a wave must have 0. `times` and `dependence` are of
/// one solve. Throws std::invalid_argument for sizes that do not fit, std::runtime_error where more than 4000 nodes
/// depend on each other in circles.
std::vector<double> carried_back(std::span<const std::int32_t> tets, std::span<const double> times, const Dependence&,
                                 std::span<const double> gradient);

/// The way forwards: d times / d anything, `width` numbers per node, of `own`, what changes a node's time by itself: by
/// the metric of the tet it has its time from, or as a seed. Throws as carried_back does.
std::vector<double> carried_forward(std::span<const std::int32_t> tets, std::span<const double> times,
                                    const Dependence&, std::span<const double> own, std::size_t width);

/// dJ/dG, 6 per tet as the metric is given (an off-diagonal number moves both entries of G), of what carried_back()
/// returns. By the envelope theorem dT/dG = e e^T / (2 |e|_G) with the displacement e.
std::vector<double> metric_gradient(std::span<const double> metric, const Dependence&, std::span<const double> carried);

}  // namespace cardiotwin::kernels
