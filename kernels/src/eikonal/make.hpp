#pragma once
/// One factory of eikonal solvers per backend.

#include <cardiotwin/kernels/eikonal.hpp>
#include <memory>

#include "args.hpp"

namespace cardiotwin::kernels {

/// A mesh as every backend wants it: nodes and tets renumbered so that neighbours lie close in memory, which is worth a
/// factor of five on a mesh without order.
struct EikonalMesh {
  /// Throws std::invalid_argument as make_eikonal_solver does.
  EikonalMesh(std::span<const double> points, std::span<const std::int32_t> tets);
  std::size_t nodes() const { return given_node.size(); }

  std::vector<double> points;
  std::vector<MetricTet> tets;                      ///< without lengths
  std::vector<std::int32_t> start, entry;           ///< as Stars
  std::vector<std::int32_t> given_node, given_tet;  ///< the numbers they came with
  std::vector<std::int32_t> own_node;               ///< of a given one
};

std::unique_ptr<EikonalSolver> make_cuda_eikonal(const EikonalMesh&, int device);

}  // namespace cardiotwin::kernels
