#pragma once
/// A x = b for the matrices of elliptic equations, several right-hand sides at once: conjugate gradients in fp64,
/// preconditioned by a V-cycle in fp32 with Chebyshev smoothing (Adams et al. 2003,
/// doi 10.1016/S0021-9991(03)00194-3).

#include <cardiotwin/kernels/engine.hpp>
#include <cardiotwin/kernels/multigrid.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace cardiotwin::kernels {

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
