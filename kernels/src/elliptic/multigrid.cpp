// Set-up of smoothed aggregation: strength of connection, aggregates, smoothed prolongation, Galerkin's coarse matrix,
// until a dense inverse is cheap. All sums are in a fixed order.
#include <algorithm>
#include <cardiotwin/kernels/multigrid.hpp>
#include <cmath>
#include <numeric>
#include <stdexcept>

namespace cardiotwin::kernels {

SparseMatrix transposed(const SparseMatrix& a, std::size_t columns) {
  SparseMatrix t;
  t.row_start.assign(columns + 1, 0);
  for (const std::int32_t c : a.column) ++t.row_start[std::size_t(c) + 1];
  for (std::size_t c = 0; c < columns; ++c) t.row_start[c + 1] += t.row_start[c];
  t.column.resize(a.column.size()), t.value.resize(a.column.size());
  auto fill = t.row_start;
  for (std::size_t i = 0; i < a.rows(); ++i) {
    for (auto k = std::size_t(a.row_start[i]); k < std::size_t(a.row_start[i + 1]); ++k) {
      const auto to = std::size_t(fill[std::size_t(a.column[k])]++);
      t.column[to] = std::int32_t(i), t.value[to] = a.value[k];
    }
  }
  return t;
}

namespace {

/// Rows of the last level, at most: its dense inverse is applied once per cycle.
constexpr std::size_t coarsest_rows = 300;
/// a_ij couples strongly where |a_ij| > this sqrt(a_ii a_jj) (the paper's 0.08), on each level half of the last one's.
constexpr double strong = 0.08;
constexpr std::size_t parallel_rows = 4096;
/// Share of a row's entries below which its sum is rounding, of products of interpolations, too. What is grounded
/// leaves a share of the order of 1 in the rows beside it.
constexpr double rounding = 1e-8;

using Index = std::int32_t;

template <class F>
void each_entry(const SparseMatrix& a, std::size_t i, const F& f) {
  for (auto k = std::size_t(a.row_start[i]); k < std::size_t(a.row_start[i + 1]); ++k) f(std::size_t(a.column[k]), k);
}

void check(const SparseMatrix& a) {
  const std::size_t n = a.rows();
  const auto fail = [](const std::string& why) { throw std::invalid_argument("elliptic matrix: " + why); };
  if (n == 0) fail("has no rows");
  if (a.row_start.front() != 0 || std::size_t(a.row_start.back()) != a.column.size() ||
      a.column.size() != a.value.size())
    fail("its arrays do not fit together");
  for (std::size_t i = 0; i < n; ++i) {
    double diagonal = 0;
    Index last = -1;
    each_entry(a, i, [&](std::size_t j, std::size_t k) {
      if (j >= n || a.column[k] <= last) fail("columns of row " + std::to_string(i) + " must ascend below the rows");
      last = a.column[k];
      if (!std::isfinite(a.value[k])) fail("row " + std::to_string(i) + " has an entry that is not finite");
      if (j == i) diagonal = a.value[k];
    });
    if (!(diagonal > 0)) fail("row " + std::to_string(i) + " has no positive diagonal: nothing conducts there");
  }
}

/// Diagonal, and what rows sum to where that is more than rounding.
void measure(Multigrid::Level& level) {
  const SparseMatrix& a = level.matrix;
  level.diagonal.resize(a.rows()), level.excess.resize(a.rows());
  for (std::size_t i = 0; i < a.rows(); ++i) {
    double sum = 0, size = 0;
    each_entry(a, i, [&](std::size_t j, std::size_t k) {
      sum += a.value[k], size += std::abs(a.value[k]);
      if (j == i) level.diagonal[i] = a.value[k];
    });
    level.excess[i] = std::abs(sum) > rounding * size ? sum : 0.0;
  }
}

/// Largest eigenvalue of a symmetric tridiagonal matrix, by bisection on the signs of its leading minors.
double largest_of_tridiagonal(const std::vector<double>& diagonal, const std::vector<double>& beside) {
  double low = 0, high = 0;
  for (std::size_t k = 0; k < diagonal.size(); ++k) {
    const double around = (k > 0 ? beside[k - 1] : 0) + (k + 1 < diagonal.size() ? beside[k] : 0);
    high = std::max(high, diagonal[k] + around), low = std::max(low, diagonal[k]);
  }
  for (int step = 0; step < 60; ++step) {
    const double middle = (low + high) / 2;
    bool above = false;  // some eigenvalue lies above the middle
    double pivot = 1;
    for (std::size_t k = 0; k < diagonal.size() && !above; ++k) {
      const double b = k > 0 ? beside[k - 1] : 0;
      pivot = middle - diagonal[k] - (k > 0 ? b * b / pivot : 0);
      above = !(pivot > 0);
    }
    (above ? low : high) = middle;
  }
  return high;
}

/// Bound on the eigenvalues of D^-1 A: Lanczos' iteration on D^-1/2 A D^-1/2, which finds single ones far out sooner
/// than power iterations do, and a margin, or Gershgorin's where that is less. Beyond the bound Chebyshev's polynomial
/// would not be positive. Gershgorin's alone costs 13 iterations where this costs 9.
double largest_eigenvalue(const Multigrid::Level& level) {
  constexpr int steps = 30;
  const SparseMatrix& a = level.matrix;
  const std::size_t n = a.rows();
  double gershgorin = 0;
  std::vector<double> root(n);
  for (std::size_t i = 0; i < n; ++i) {
    double sum = 0;
    each_entry(a, i, [&](std::size_t, std::size_t k) { sum += std::abs(a.value[k]); });
    gershgorin = std::max(gershgorin, sum / level.diagonal[i]);
    root[i] = 1 / std::sqrt(level.diagonal[i]);
  }
  std::vector<double> before(n, 0.0), now(n), next(n), diagonal, beside;
  std::uint32_t random = 1;
  double size = 0;
  for (double& x : now) {
    random = random * 1664525u + 1013904223u;
    x = double(random >> 8) / (1 << 24) - 0.5;
    size += x * x;
  }
  for (double& x : now) x /= std::sqrt(size);
  double off = 0;
  for (int step = 0; step < steps && std::size_t(step) < n; ++step) {
#pragma omp parallel for schedule(static) if (n > parallel_rows)
    for (std::size_t i = 0; i < n; ++i) {
      double sum = 0;
      each_entry(a, i, [&](std::size_t j, std::size_t k) { sum += a.value[k] * root[j] * now[j]; });
      next[i] = root[i] * sum - off * before[i];
    }
    double own = 0, rest = 0;
    for (std::size_t i = 0; i < n; ++i) own += next[i] * now[i];
    for (std::size_t i = 0; i < n; ++i) next[i] -= own * now[i], rest += next[i] * next[i];
    diagonal.push_back(own), beside.push_back(std::sqrt(rest));
    off = std::sqrt(rest);
    if (!(off > 1e-12)) break;
    for (std::size_t i = 0; i < n; ++i) before[i] = now[i], now[i] = next[i] / off;
  }
  return std::min(gershgorin, 1.1 * largest_of_tridiagonal(diagonal, beside));
}

/// Per entry: couples strongly.
std::vector<std::uint8_t> strong_entries(const Multigrid::Level& level, double threshold) {
  const SparseMatrix& a = level.matrix;
  std::vector<std::uint8_t> result(a.value.size());
#pragma omp parallel for schedule(static) if (a.rows() > parallel_rows)
  for (std::size_t i = 0; i < a.rows(); ++i) {
    each_entry(a, i, [&](std::size_t j, std::size_t k) {
      result[k] = j != i && a.value[k] * a.value[k] > threshold * threshold * level.diagonal[i] * level.diagonal[j];
    });
  }
  return result;
}

struct Aggregates {
  std::vector<Index> of;  ///< per row; -1 where nothing couples strongly: the smoother alone serves such rows
  Index count = 0;
};

Aggregates aggregate(const SparseMatrix& a, const std::vector<std::uint8_t>& is_strong) {
  const std::size_t n = a.rows();
  Aggregates result{.of = std::vector<Index>(n, -1)};
  auto& of = result.of;
  const auto neighbours = [&](std::size_t i, const auto& f) {
    each_entry(a, i, [&](std::size_t j, std::size_t k) {
      if (is_strong[k]) f(j, k);
    });
  };
  // A row and its neighbours, where none is taken yet.
  for (std::size_t i = 0; i < n; ++i) {
    bool free = of[i] < 0, any = false;
    neighbours(i, [&](std::size_t j, std::size_t) { free = free && of[j] < 0, any = true; });
    if (!free || !any) continue;
    of[i] = result.count;
    neighbours(i, [&](std::size_t j, std::size_t) { of[j] = result.count; });
    ++result.count;
  }
  // Those left join the aggregate they are coupled to most.
  std::vector<Index> joins(n, -1);
  for (std::size_t i = 0; i < n; ++i) {
    if (of[i] >= 0) continue;
    double most = 0;
    neighbours(i, [&](std::size_t j, std::size_t k) {
      if (of[j] >= 0 && std::abs(a.value[k]) > most) most = std::abs(a.value[k]), joins[i] = of[j];
    });
  }
  for (std::size_t i = 0; i < n; ++i)
    if (of[i] < 0) of[i] = joins[i];
  // What is still left was out of reach of all: aggregates of its own.
  for (std::size_t i = 0; i < n; ++i) {
    bool any = false;
    neighbours(i, [&](std::size_t, std::size_t) { any = true; });
    if (of[i] >= 0 || !any) continue;
    of[i] = result.count;
    neighbours(i, [&](std::size_t j, std::size_t) {
      if (of[j] < 0) of[j] = result.count;
    });
    ++result.count;
  }
  return result;
}

/// Rows built in parallel. `fill(i, marker, columns, values)` appends row i, any order; `marker` has an entry per
/// column and is -1 everywhere before and after.
template <class Fill>
SparseMatrix build_rows(std::size_t rows, std::size_t columns, const Fill& fill) {
  constexpr std::size_t block = 2048;
  const std::size_t blocks = (rows + block - 1) / block;
  std::vector<SparseMatrix> part(blocks);
#pragma omp parallel if (rows > parallel_rows)
  {
    std::vector<Index> marker(columns, -1), own_columns, order;
    std::vector<double> own_values;
#pragma omp for schedule(dynamic)
    for (std::size_t b = 0; b < blocks; ++b) {
      SparseMatrix& p = part[b];
      for (std::size_t i = b * block; i < std::min(rows, (b + 1) * block); ++i) {
        own_columns.clear(), own_values.clear();
        fill(i, marker, own_columns, own_values);
        order.resize(own_columns.size());
        std::iota(order.begin(), order.end(), 0);
        std::sort(order.begin(), order.end(), [&](Index x, Index y) { return own_columns[x] < own_columns[y]; });
        for (const Index k : order) p.column.push_back(own_columns[k]), p.value.push_back(own_values[k]);
        for (const Index c : own_columns) marker[c] = -1;
        p.row_start.push_back(Index(p.column.size()));
      }
    }
  }
  SparseMatrix result;
  result.row_start.reserve(rows + 1);
  result.row_start.push_back(0);
  std::size_t entries = 0;
  for (const auto& p : part) entries += p.column.size();
  result.column.reserve(entries), result.value.reserve(entries);
  for (auto& p : part) {
    const auto before = Index(result.column.size());
    for (const Index end : p.row_start) result.row_start.push_back(before + end);
    result.column.insert(result.column.end(), p.column.begin(), p.column.end());
    result.value.insert(result.value.end(), p.value.begin(), p.value.end());
    p = {};
  }
  return result;
}

void add_to(std::vector<Index>& marker, std::vector<Index>& columns, std::vector<double>& values, Index column,
            double value) {
  if (marker[column] < 0) {
    marker[column] = Index(columns.size());
    columns.push_back(column), values.push_back(value);
  } else {
    values[marker[column]] += value;
  }
}

/// (I - 4/3 / lambda D^-1 A_F) T: T is 1 where a row belongs to an aggregate, A_F is A with weak entries added to the
/// diagonal.
SparseMatrix smoothed_prolongation(const Multigrid::Level& level, const std::vector<std::uint8_t>& is_strong,
                                   const Aggregates& aggregates) {
  const SparseMatrix& a = level.matrix;
  const double damping = 4.0 / 3.0 / level.largest_eigenvalue;
  return build_rows(
      a.rows(), std::size_t(aggregates.count), [&](std::size_t i, auto& marker, auto& columns, auto& values) {
        if (aggregates.of[i] < 0) return;
        double diagonal = 0;  // of A_F
        each_entry(a, i, [&](std::size_t, std::size_t k) { diagonal += is_strong[k] ? 0.0 : a.value[k]; });
        if (!(diagonal > 0.1 * level.diagonal[i])) diagonal = level.diagonal[i];
        add_to(marker, columns, values, aggregates.of[i], 1 - damping);
        each_entry(a, i, [&](std::size_t j, std::size_t k) {
          if (is_strong[k] && aggregates.of[j] >= 0)
            add_to(marker, columns, values, aggregates.of[j], -damping * a.value[k] / diagonal);
        });
      });
}

/// Dense inverse of a positive definite matrix by Cholesky's factors; a singular one has `shift` added to every entry,
/// which changes nothing on vectors without a mean.
std::vector<double> dense_inverse(const SparseMatrix& a, bool singular) {
  const std::size_t n = a.rows();
  std::vector<double> l(n * n, 0.0), inverse(n * n, 0.0);
  double trace = 0;
  for (std::size_t i = 0; i < n; ++i) {
    each_entry(a, i, [&](std::size_t j, std::size_t k) {
      l[i * n + j] = a.value[k];
      if (i == j) trace += a.value[k];
    });
  }
  const double shift = singular ? trace / double(n * n) : 0.0;
  for (double& x : l) x += shift;
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t i = j; i < n; ++i) {
      double sum = l[i * n + j];
      for (std::size_t k = 0; k < j; ++k) sum -= l[i * n + k] * l[j * n + k];
      if (i == j) {
        if (!(sum > 1e-14 * trace / double(n)))
          throw std::invalid_argument(
              "elliptic matrix: is singular beyond constants: it falls into pieces, or is not "
              "positive definite");
        l[j * n + j] = std::sqrt(sum);
      } else {
        l[i * n + j] = sum / l[j * n + j];
      }
    }
  }
  for (std::size_t c = 0; c < n; ++c) {
    std::vector<double> x(n, 0.0);
    for (std::size_t i = c; i < n; ++i) {
      double sum = i == c ? 1.0 : 0.0;
      for (std::size_t k = c; k < i; ++k) sum -= l[i * n + k] * x[k];
      x[i] = sum / l[i * n + i];
    }
    for (std::size_t i = n; i-- > 0;) {
      double sum = x[i];
      for (std::size_t k = i + 1; k < n; ++k) sum -= l[k * n + i] * x[k];
      x[i] = sum / l[i * n + i];
    }
    for (std::size_t i = 0; i < n; ++i) inverse[i * n + c] = x[i];
  }
  return inverse;
}

}  // namespace

SparseMatrix product(const SparseMatrix& a, const SparseMatrix& b, std::size_t columns) {
  return build_rows(a.rows(), columns, [&](std::size_t i, auto& marker, auto& own_columns, auto& own_values) {
    each_entry(a, i, [&](std::size_t j, std::size_t k) {
      each_entry(b, j, [&](std::size_t c, std::size_t l) {
        add_to(marker, own_columns, own_values, Index(c), a.value[k] * b.value[l]);
      });
    });
  });
}

Multigrid::Multigrid(SparseMatrix matrix) {
  check(matrix);
  levels_.emplace_back().matrix = std::move(matrix);
  measure(levels_.back());
  singular_ = std::all_of(levels_[0].excess.begin(), levels_[0].excess.end(), [](double e) { return e == 0; });
  for (double threshold = strong;; threshold /= 2) {
    Level& level = levels_.back();
    level.largest_eigenvalue = largest_eigenvalue(level);
    const std::size_t n = level.matrix.rows();
    if (n <= coarsest_rows) break;
    const auto is_strong = strong_entries(level, threshold);
    const Aggregates aggregates = aggregate(level.matrix, is_strong);
    const auto coarse = std::size_t(aggregates.count);
    if (coarse == 0 || coarse > n * 9 / 10) {
      if (n <= 4 * coarsest_rows) break;
      throw std::invalid_argument("elliptic matrix: " + std::to_string(n) + " rows cannot be made fewer");
    }
    level.prolongation = smoothed_prolongation(level, is_strong, aggregates);
    level.restriction = transposed(level.prolongation, coarse);
    Level next;
    next.matrix = product(level.restriction, product(level.matrix, level.prolongation, coarse), coarse);
    measure(next);
    if (singular_) std::fill(next.excess.begin(), next.excess.end(), 0.0);
    levels_.push_back(std::move(next));
  }
  inverse_ = dense_inverse(levels_.back().matrix, singular_);
}

double Multigrid::operator_complexity() const {
  double all = 0;
  for (const Level& level : levels_) all += double(level.matrix.value.size());
  return all / double(levels_.front().matrix.value.size());
}

}  // namespace cardiotwin::kernels
