#pragma once
/// Where the extracellular potential lives: the heart alone or what a torso's mesh covers; private to the physics room.

#include <cardiotwin/kernels/engine.hpp>
#include <cardiotwin/simulation.hpp>
#include <cardiotwin/torso.hpp>
#include <cardiotwin/twin.hpp>
#include <memory>

#include "active.hpp"
#include "fem.hpp"

namespace cardiotwin {

class TetTree;

/// Nodes of the conductor's mesh in the order of the matrix's rows, along a Hilbert curve.
class ConductorSpace {
 public:
  /// The heart alone, or all of `torso`. Throws InputError: a torso that does not enclose the heart or falls into
  /// pieces, a ground that touches nothing.
  ConductorSpace(const Twin&, const ActivePart&, std::shared_ptr<const Torso>, const std::vector<Ground>& = {});
  ~ConductorSpace();

  std::size_t rows() const { return node_of_row_.size(); }
  const std::vector<Index>& node_of_row() const { return node_of_row_; }
  bool grounded() const { return !ground_.empty(); }

  /// K_e + K_b + P^T K P, with the rows of grounded nodes taken out; `intracellular` is K on the active part.
  kernels::SparseMatrix matrix(const Twin&, const fem::Matrix& intracellular) const;
  /// P: active nodes times rows; grounded ones are 0.
  const kernels::SparseMatrix& interpolation() const { return interpolation_; }

  /// Rows within a ball, the nearest at least, and their shares by volume; what is grounded takes none. Throws
  /// InputError, naming `what`, for one farther than `radius` + 2 mm from the conductor, or grounded altogether.
  struct Share {
    std::vector<Index> rows;
    std::vector<double> shares;
  };
  Share ball(const Vec3& position, double radius, const std::string& what) const;

  /// Rows and weights of a point in the conductor. Throws InputError, naming `what`, for one that is farther than
  /// `slack` [mm] outside.
  Share at(const Vec3& position, double slack, const std::string& what) const;

  /// Per row its share of the volume; empty where something is grounded.
  std::vector<double> mean_weights() const;
  /// From rows to the conductor's mesh nodes. Where nothing is grounded the mean over the volume is taken off.
  std::vector<double> on_mesh(std::span<const double> of_rows) const;

 private:
  void number(std::span<const Vec3>, std::span<const Tet>);
  void interpolate(const ActivePart&);
  std::vector<Mat3> tensors(const Twin&) const;  ///< of what is not intracellular, per tet

  std::shared_ptr<const Torso> torso_;  ///< null: the heart alone
  std::vector<Index> node_of_row_, row_of_node_;
  std::vector<Vec3> points_;  ///< per row
  std::vector<Tet> tets_;     ///< of rows, as the mesh has them
  std::vector<double> volume_;
  std::vector<std::uint8_t> ground_;  ///< per row; empty: none
  std::unique_ptr<TetTree> tree_;
  kernels::SparseMatrix interpolation_;
};

kernels::SparseMatrix to_sparse(const fem::Matrix&);

}  // namespace cardiotwin
