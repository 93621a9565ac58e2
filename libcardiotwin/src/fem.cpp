#include "fem.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cmath>

namespace cardiotwin::fem {

Stars stars(const Elements& e) {
  Stars s;
  s.start.assign(e.points.size() + 1, 0);
  for (const Tet& tet : e.tets)
    for (const Index node : tet) ++s.start[node + 1];
  for (std::size_t i = 0; i + 1 < s.start.size(); ++i) s.start[i + 1] += s.start[i];
  s.tet.resize(4 * e.tets.size());
  auto fill = s.start;
  for (std::size_t t = 0; t < e.tets.size(); ++t)
    for (const Index node : e.tets[t]) s.tet[fill[node]++] = static_cast<Index>(t);
  return s;
}

namespace {

// Distinct corners of a node's tets, ascending; `out` has room for four per tet. Returns how many.
std::size_t corners_of_star(const Elements& e, const Stars& s, Index node, std::vector<Index>& out) {
  out.clear();
  for (Index k = s.start[node]; k < s.start[node + 1]; ++k)
    for (const Index other : e.tets[s.tet[k]])
      if (std::find(out.begin(), out.end(), other) == out.end()) out.push_back(other);
  std::sort(out.begin(), out.end());
  return out.size();
}

}  // namespace

Matrix pattern(const Elements& e, const Stars& s) {
  Matrix m;
  const auto rows = static_cast<Index>(e.points.size());
  m.start.assign(e.points.size() + 1, 0);
#pragma omp parallel if (rows > small)
  {
    std::vector<Index> corners;
#pragma omp for schedule(static)
    for (Index i = 0; i < rows; ++i) m.start[i + 1] = static_cast<Index>(corners_of_star(e, s, i, corners));
  }
  for (Index i = 0; i < rows; ++i) m.start[i + 1] += m.start[i];
  m.column.resize(m.start[rows]);
  m.value.assign(m.column.size(), 0.0);
#pragma omp parallel if (rows > small)
  {
    std::vector<Index> corners;
#pragma omp for schedule(static)
    for (Index i = 0; i < rows; ++i) {
      corners_of_star(e, s, i, corners);
      std::copy(corners.begin(), corners.end(), m.column.begin() + m.start[i]);
    }
  }
  return m;
}

void Matrix::multiply(std::span<const double> x, std::span<double> y) const {
  const auto count = static_cast<Index>(rows());
#pragma omp parallel for schedule(static) if (count > small)
  for (Index i = 0; i < count; ++i) {
    double sum = 0;
    for (Index k = start[i]; k < start[i + 1]; ++k) sum += value[k] * x[column[k]];
    y[i] = sum;
  }
}

std::vector<double> Matrix::diagonal() const {
  std::vector<double> d(rows());
  for (std::size_t i = 0; i < rows(); ++i) d[i] = at(static_cast<Index>(i), static_cast<Index>(i));
  return d;
}

double Matrix::at(Index row, Index col) const {
  const auto first = column.begin() + start[row], last = column.begin() + start[row + 1];
  const auto found = std::lower_bound(first, last, col);
  return found != last && *found == col ? value[found - column.begin()] : 0.0;
}

Matrix stiffness(const Elements& e) {
  return stiffness(e, stars(e), [](std::size_t) -> Mat3 { return Mat3::Identity(); });
}

Matrix consistent_mass(const Elements& e, const Stars& s) {
  Matrix m = pattern(e, s);
  assemble(e, s, m, [&](std::size_t t, int corner, double* row) {
    const double share = gradients(e, t).volume / 20.0;
    for (int b = 0; b < 4; ++b) row[b] = b == corner ? 2 * share : share;
  });
  return m;
}
Matrix consistent_mass(const Elements& e) { return consistent_mass(e, stars(e)); }

std::vector<double> lumped_mass(const Elements& e) {
  std::vector<double> mass(e.points.size(), 0.0);
  for (std::size_t t = 0; t < e.tets.size(); ++t) {
    const double share = gradients(e, t).volume / 4.0;
    for (const Index node : e.tets[t]) mass[node] += share;
  }
  return mass;
}

double dot(std::span<const double> x, std::span<const double> y) {
  constexpr Index block = 4096;
  const auto n = static_cast<Index>(x.size());
  const Index blocks = (n + block - 1) / block;
  std::vector<double> part(blocks, 0.0);
#pragma omp parallel for schedule(static) if (n > small)
  for (Index b = 0; b < blocks; ++b) {
    double sum = 0;
    for (Index i = b * block; i < std::min(n, (b + 1) * block); ++i) sum += x[i] * y[i];
    part[b] = sum;
  }
  double total = 0;
  for (const double p : part) total += p;
  return total;
}

Solved pcg(const Matrix& a, std::span<const double> rhs, std::span<double> x, double tolerance, int max_iterations,
           const Dirichlet& given) {
  const auto n = static_cast<Index>(a.rows());
  // Fixed rows drop out by zeroing their weight: the iteration then runs in the space of the free nodes.
  std::vector<double> weight = a.diagonal();
  for (double& w : weight) w = w > 0 ? 1.0 / w : 0.0;
  std::vector<std::uint8_t> fixed(n, 0);
  for (std::size_t k = 0; k < given.nodes.size(); ++k) {
    x[given.nodes[k]] = given.values[k];
    weight[given.nodes[k]] = 0.0;
    fixed[given.nodes[k]] = 1;
  }
  std::vector<double> r(n), z(n), p(n), q(n);
  a.multiply(x, r);
  for (Index i = 0; i < n; ++i) {
    r[i] = fixed[i] ? 0.0 : rhs[i] - r[i];
    z[i] = weight[i] * r[i];
    p[i] = z[i];
  }
  double rho = dot(r, z);
  const double first = std::sqrt(dot(r, r));
  Solved solved{.iterations = 0, .residual = first > 0 ? 1.0 : 0.0};
  while (!(solved.residual <= tolerance)) {  // NaN stays in the loop and is thrown
    if (solved.iterations == max_iterations || !std::isfinite(solved.residual))
      throw NumericalError(
          fmt::format("Conjugate gradients: relative residual {:.2g} after {} iterations, {:.2g} was "
                      "asked; the mesh may have slivers or parts without given values",
                      solved.residual, solved.iterations, tolerance));
    a.multiply(p, q);
    for (const Index node : given.nodes) q[node] = 0.0;
    const double alpha = rho / dot(p, q);
#pragma omp parallel for schedule(static) if (n > small)
    for (Index i = 0; i < n; ++i) {
      x[i] += alpha * p[i];
      r[i] -= alpha * q[i];
      z[i] = weight[i] * r[i];
    }
    const double next = dot(r, z);
    const double beta = next / rho;
    rho = next;
#pragma omp parallel for schedule(static) if (n > small)
    for (Index i = 0; i < n; ++i) p[i] = z[i] + beta * p[i];
    solved.residual = std::sqrt(dot(r, r)) / first;
    ++solved.iterations;
  }
  return solved;
}

}  // namespace cardiotwin::fem
