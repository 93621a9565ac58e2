#pragma once
/// Matrices of elliptic equations and the hierarchy that makes them quick to solve: smoothed aggregation (Vanek, Mandel
/// & Brezina 1996, doi 10.1007/BF02238511).

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cardiotwin::kernels {

/// Compressed rows, columns ascending; of a square one the diagonal is there.
struct SparseMatrix {
  std::vector<std::int32_t> row_start, column;  ///< rows + 1, non-zeros
  std::vector<double> value;
  std::size_t rows() const { return row_start.empty() ? 0 : row_start.size() - 1; }
};

SparseMatrix transposed(const SparseMatrix&, std::size_t columns);
/// a b, which has so many columns.
SparseMatrix product(const SparseMatrix& a, const SparseMatrix& b, std::size_t columns);

/// The hierarchy of a symmetric matrix whose rows sum to zero or, where something is grounded, to more. Built once, on
/// the CPU; shared by whoever solves with it. Where no row sums to more than rounding, A is singular: constants are its
/// null space, and b is freed of its mean before it is solved for.
class Multigrid {
 public:
  struct Level {
    SparseMatrix matrix;
    SparseMatrix prolongation, restriction;  ///< to this level from the next one, and back; empty on the last
    std::vector<double> diagonal, excess;    ///< excess: what a row sums to
    double largest_eigenvalue = 0;           ///< bound on those of D^-1 A
  };
  /// Throws std::invalid_argument for a matrix that is not square, not symmetric in its pattern, or has a diagonal
  /// entry that is not positive.
  explicit Multigrid(SparseMatrix);

  const std::vector<Level>& levels() const { return levels_; }
  const std::vector<double>& coarsest_inverse() const { return inverse_; }  ///< dense, of the last level
  std::size_t rows() const { return levels_.front().matrix.rows(); }
  bool singular() const { return singular_; }
  double operator_complexity() const;  ///< non-zeros of all levels over those of the first

 private:
  std::vector<Level> levels_;
  std::vector<double> inverse_;
  bool singular_ = false;
};

}  // namespace cardiotwin::kernels
