#pragma once
/// A x = b for the matrices of elliptic equations, several right-hand sides at once: conjugate gradients in fp64,
/// preconditioned by a V-cycle of smoothed aggregation in fp32 (Vanek, Mandel & Brezina 1996, doi 10.1007/BF02238511)
/// with Chebyshev smoothing (Adams et al. 2003, doi 10.1016/S0021-9991(03)00194-3).

#include <cardiotwin/kernels/engine.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace cardiotwin::kernels {

/// Compressed rows, columns ascending; of a square one the diagonal is there.
struct SparseMatrix {
  std::vector<std::int32_t> row_start, column;  ///< rows + 1, non-zeros
  std::vector<double> value;
  std::size_t rows() const { return row_start.empty() ? 0 : row_start.size() - 1; }
};

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
  /// Throws std::invalid_argument for a matrix that is not square, not symmetric in its pattern, or has a diagonal entry
  /// that is not positive.
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

/// How one solve went. `residuals` begin with the guess's, all relative to |b|.
struct Solved {
  int iterations = 0;
  std::vector<double> residuals;
};

/// Says how a solve that did not converge went.
std::string not_converged(const Solved&, double tolerance);

/// Solves for up to 16 right-hand sides at once. A column's bits depend neither on the others nor on the threads.
class EllipticSolver {
 public:
  virtual ~EllipticSolver() = default;
  virtual int columns() const = 0;
  /// Column c of b and x begins at c * rows; x holds the guess. Stops where |b - A x| <= tolerance |b|, column by
  /// column. Throws std::runtime_error with the residuals where `most` iterations do not suffice or numbers are not
  /// finite; std::invalid_argument for sizes that do not fit.
  virtual std::vector<Solved> solve(std::span<const double> b, std::span<double> x, double tolerance,
                                    int most = 200) = 0;
};

/// `columns` in [1, 16]; fp32 keeps the matrix in fp32, vectors are fp64. Throws as make_engine does.
std::unique_ptr<EllipticSolver> make_elliptic_solver(std::shared_ptr<const Multigrid>, int columns, Real, const Device&);

}  // namespace cardiotwin::kernels
