#pragma once
/// Linear finite elements on tets, private to the physics room: operators as sparse rows and Jacobi-preconditioned
/// conjugate gradients. Everything is summed in a fixed order, so results do not depend on the number of threads.

#include <Eigen/Geometry>
#include <cardiotwin/mesh.hpp>
#include <span>
#include <vector>

namespace cardiotwin::fem {

/// Rows below which one thread is faster than waking the others.
inline constexpr Index small = 4096;

/// What an operator is assembled on: a whole mesh or a renumbered part of one.
struct Elements {
  std::span<const Vec3> points;
  std::span<const Tet> tets;
  Elements(std::span<const Vec3> p, std::span<const Tet> t) : points(p), tets(t) {}
  Elements(const Mesh& mesh) : points(mesh.points()), tets(mesh.tets()) {}  // NOLINT: a mesh is its elements
};

/// Tets of each node, ascending, as compressed rows.
struct Stars {
  std::vector<Index> start, tet;
};
Stars stars(const Elements&);

/// Compressed sparse rows, columns ascending, diagonal included.
struct Matrix {
  std::vector<Index> start, column;
  std::vector<double> value;
  std::size_t rows() const { return start.empty() ? 0 : start.size() - 1; }
  /// y = A x
  void multiply(std::span<const double> x, std::span<double> y) const;
  std::vector<double> diagonal() const;
  /// The entry, 0 where the pattern has none.
  double at(Index row, Index col) const;
};
/// A matrix of zeros with an entry for every pair of nodes that share a tet.
Matrix pattern(const Elements&, const Stars&);

/// Gradients of the four hat functions times 6 V, and V [mm3].
struct Gradients {
  Vec3 scaled[4];
  double volume;
};
inline Gradients gradients(const Elements& e, std::size_t t) {
  const Tet& n = e.tets[t];
  const Vec3 a = e.points[n[1]] - e.points[n[0]], b = e.points[n[2]] - e.points[n[0]],
             c = e.points[n[3]] - e.points[n[0]];
  Gradients g;
  g.scaled[1] = b.cross(c), g.scaled[2] = c.cross(a), g.scaled[3] = a.cross(b);
  g.scaled[0] = -(g.scaled[1] + g.scaled[2] + g.scaled[3]);
  g.volume = a.dot(g.scaled[1]) / 6.0;
  return g;
}

/// Adds up rows in parallel: `local(tet, corner, row)` fills `double row[4]` of the element matrix. A node gathers from
/// its own tets in ascending order; each tet is visited four times, which costs less than colouring or atomics would.
template <class Local>
void assemble(const Elements& e, const Stars& s, Matrix& m, const Local& local) {
  const auto rows = static_cast<Index>(m.rows());
#ifdef _OPENMP  // tests include this header without OpenMP
#pragma omp parallel for schedule(static) if (rows > small)
#endif
  for (Index i = 0; i < rows; ++i) {
    const Index *first = m.column.data() + m.start[i], *last = m.column.data() + m.start[i + 1];
    for (Index k = s.start[i]; k < s.start[i + 1]; ++k) {
      const Tet& tet = e.tets[s.tet[k]];
      const int corner = tet[0] == i ? 0 : tet[1] == i ? 1 : tet[2] == i ? 2 : 3;
      double row[4];
      local(static_cast<std::size_t>(s.tet[k]), corner, row);
      for (int b = 0; b < 4; ++b) {
        const Index* at = first;
        while (at != last && *at != tet[b]) ++at;
        m.value[at - m.column.data()] += row[b];
      }
    }
  }
}

/// K_ij = sum over tets of V grad_i . D grad_j, with `tensor(tet)` the symmetric 3x3 tensor D. Positive semi-definite.
template <class Tensor>
Matrix stiffness(const Elements& e, const Stars& s, const Tensor& tensor) {
  Matrix m = pattern(e, s);
  assemble(e, s, m, [&](std::size_t t, int corner, double* row) {
    const Gradients g = gradients(e, t);
    const Mat3 d = tensor(t);
    const Vec3 flux = d * g.scaled[corner] / (36.0 * g.volume);
    for (int b = 0; b < 4; ++b) row[b] = flux.dot(g.scaled[b]);
  });
  return m;
}
/// The Laplacian: D = identity.
Matrix stiffness(const Elements&);
/// Consistent mass: V/10 on the diagonal, V/20 beside it.
Matrix consistent_mass(const Elements&, const Stars&);
Matrix consistent_mass(const Elements&);
/// Row sums of the consistent mass: a quarter of every tet's volume to each corner [mm3].
std::vector<double> lumped_mass(const Elements&);

/// Sum of x_i y_i in blocks of fixed size, so that the result does not depend on the number of threads.
double dot(std::span<const double> x, std::span<const double> y);

/// Values that are given: x[nodes[k]] = values[k].
struct Dirichlet {
  std::vector<Index> nodes;
  std::vector<double> values;
};
struct Solved {
  int iterations = 0;
  double residual = 0;  ///< ||b - A x|| / ||b - A x0|| on the free nodes
};
/// Solves A x = rhs for symmetric positive (semi-)definite A with Jacobi-preconditioned conjugate gradients, starting
/// from x; given values are put in place first and stay. Stops when the residual on the free nodes has fallen to
/// `tolerance` of its start. Throws NumericalError when `max_iterations` do not reach it.
Solved pcg(const Matrix&, std::span<const double> rhs, std::span<double> x, double tolerance, int max_iterations,
           const Dirichlet& = {});

}  // namespace cardiotwin::fem
