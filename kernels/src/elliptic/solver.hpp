#pragma once
/// Conjugate gradients with the hierarchy as preconditioner, over an executor. It supplies
///
///   slice_rows                 rows per slice
///   Buffer<U>                  memory, as in core_impl.hpp
///   run(arguments, columns)    any operation of args.hpp
///   sums(dot, columns)         its sums per column, on the host
///
/// Every column goes its own way: one that has converged stays as it is while the others go on.

#include <algorithm>
#include <cardiotwin/kernels/elliptic.hpp>
#include <cmath>
#include <deque>
#include <memory>
#include <stdexcept>

#include "../member_part.hpp"
#include "args.hpp"
#include "rows.hpp"

namespace cardiotwin::kernels::CT_BACKEND {

/// A matrix in an executor's memory.
template <class V, class Executor>
struct DeviceRows {
  template <class U>
  using Buffer = typename Executor::template Buffer<U>;

  DeviceRows(const Executor& e, const SparseMatrix& m, const std::vector<double>& excess_of, bool square = true)
      : DeviceRows(e, SlicedRows<V>(m, Executor::slice_rows, square)) {
    if (std::any_of(excess_of.begin(), excess_of.end(), [](double x) { return x != 0; })) {
      std::vector<V> padded(rows, V(0));
      std::transform(excess_of.begin(), excess_of.end(), padded.begin(), [](double x) { return V(x); });
      excess = Buffer<V>(e, padded);
    }
  }
  DeviceRows(const Executor& e, const SlicedRows<V>& sliced)
      : rows(sliced.rows),
        slices(sliced.slices),
        start(e, sliced.slice_start),
        column(e, sliced.column),
        value(e, sliced.value) {}
  static std::size_t bytes(const SparseMatrix& m, const std::vector<double>& excess_of, bool square = true) {
    constexpr auto h = std::size_t(Executor::slice_rows);
    const bool any = std::any_of(excess_of.begin(), excess_of.end(), [](double x) { return x != 0; });
    return SlicedRows<V>::bytes(m, Executor::slice_rows, square) +
           (any ? (m.rows() + h - 1) / h * h * sizeof(V) : std::size_t(0));
  }
  Rows<V> args() { return {slices, start.data(), column.data(), value.data()}; }
  const V* excess_args() { return excess.size() ? excess.data() : nullptr; }
  std::size_t rows;
  int slices;
  Buffer<std::int32_t> start, column;
  Buffer<V> value, excess;
};

/// W: how the outer iteration keeps its matrix. `columns` in {1, 16}.
template <class W, class Executor>
class CgMultigrid {
 public:
  template <class U>
  using Buffer = typename Executor::template Buffer<U>;

  CgMultigrid(const Multigrid& m, int columns, Executor executor)
      : executor_(std::move(executor)),
        columns_(columns),
        rows_(m.rows()),
        singular_(m.singular()),
        matrix_(executor_, m.levels()[0].matrix, m.levels()[0].excess),
        padded_(matrix_.rows),
        b_(executor_, std::vector<double>(numbers())),
        x_(executor_, std::vector<double>(numbers())),
        r_(executor_, std::vector<double>(numbers())),
        p_(executor_, std::vector<double>(numbers())),
        q_(executor_, std::vector<double>(numbers())) {
    for (std::size_t k = 0; k < m.levels().size(); ++k) levels_.emplace_back(executor_, m, k, columns_);
    const std::size_t n = levels_.back().rows, own = m.levels().back().matrix.rows();
    std::vector<float> dense(n * n, 0.0f);
    for (std::size_t i = 0; i < own; ++i)
      for (std::size_t j = 0; j < own; ++j) dense[i * n + j] = float(m.coarsest_inverse()[i * own + j]);
    inverse_ = Buffer<float>(executor_, dense);
  }

  std::size_t rows() const { return rows_; }
  std::size_t padded() const { return padded_; }
  Executor& executor() { return executor_; }
  /// What its buffers take of a device's memory but for those of inner products [B].
  static std::size_t bytes(const Multigrid& m, int columns) {
    const auto padded = [](std::size_t rows) {
      constexpr auto h = std::size_t(Executor::slice_rows);
      return (rows + h - 1) / h * h;
    };
    const auto width = std::size_t(columns);
    std::size_t total = DeviceRows<W, Executor>::bytes(m.levels()[0].matrix, m.levels()[0].excess) +
                        5 * padded(m.rows()) * width * sizeof(double);
    for (const auto& level : m.levels()) {
      const std::size_t rows = padded(level.matrix.rows());
      total += DeviceRows<float, Executor>::bytes(level.matrix, level.excess) + (4 * width + 1) * rows * sizeof(float);
      if (&level == &m.levels().back()) {
        total += rows * rows * sizeof(float);
      } else {
        total += DeviceRows<float, Executor>::bytes(level.prolongation, {}, false) +
                 DeviceRows<float, Executor>::bytes(level.restriction, {}, false);
      }
    }
    return total;
  }
  /// b is taken as given, x as the guess; both change. Padding must be 0.
  Buffer<double>& b() { return b_; }
  Buffer<double>& x() { return x_; }
  const Buffer<double>& x() const { return x_; }

  /// Solves for those columns that `asked` names; the others keep their x. |b| counts as no less than `floor`.
  std::vector<Solved> solve(const std::vector<std::uint8_t>& asked, double tolerance, double floor, int most) {
    if (singular_) subtract_mean(b_);
    std::vector<Solved> solved{std::size_t(columns_)};
    const auto size = norms(b_);
    std::vector<double> norm(solved.size());
    std::vector<std::uint8_t> active = asked;
    PerColumn none;
    for (std::size_t c = 0; c < solved.size(); ++c) {
      norm[c] = std::max(size[c], floor);
      if (active[c] && norm[c] == 0) none.of[c] = 1;
    }
    if (std::any_of(std::begin(none.of), std::end(none.of), [](double x) { return x > 0; })) clear(none);
    run(Apply<W, double>{matrix_.args(), matrix_.excess_args(), x_.data(), b_.data(), r_.data()});
    // With no step taken this copies r to fp32.
    run(Descend{std::int64_t(padded_), {}, p_.data(), q_.data(), x_.data(), r_.data(), levels_[0].b.data()});
    judge(norms(r_), norm, tolerance, solved, active);
    std::vector<double> rz(solved.size(), 0.0);
    for (int iteration = 0; any(active); ++iteration) {
      if (iteration == most) fail(solved, active, tolerance);
      cycle(0);
      const auto next = executor_.sums(Dot<float>{std::int64_t(padded_), r_.data(), levels_[0].x->data()}, columns_);
      PerColumn beta;
      for (std::size_t c = 0; c < solved.size(); ++c) beta.of[c] = iteration > 0 && active[c] ? next[c] / rz[c] : 0;
      rz = next;
      run(Direct{std::int64_t(padded_), beta, levels_[0].x->data(), p_.data()});
      run(Apply<W, double>{matrix_.args(), matrix_.excess_args(), p_.data(), nullptr, q_.data()});
      const auto pq = products(p_, q_);
      PerColumn alpha;
      for (std::size_t c = 0; c < solved.size(); ++c) {
        if (!active[c]) continue;
        alpha.of[c] = rz[c] / pq[c];
        ++solved[c].iterations;
      }
      run(Descend{std::int64_t(padded_), alpha, p_.data(), q_.data(), x_.data(), r_.data(), levels_[0].b.data()});
      judge(norms(r_), norm, tolerance, solved, active);
    }
    return solved;
  }

 private:
  struct Level {
    Level(const Executor& e, const Multigrid& m, std::size_t k, int columns)
        : last(k + 1 == m.levels().size()), matrix(e, m.levels()[k].matrix, m.levels()[k].excess), rows(matrix.rows) {
      const auto& level = m.levels()[k];
      std::vector<float> inverse(rows, 0.0f);
      for (std::size_t i = 0; i < level.diagonal.size(); ++i) inverse[i] = float(1 / level.diagonal[i]);
      inverse_diagonal = Buffer<float>(e, inverse);
      const std::vector<float> zero(rows * std::size_t(columns), 0.0f);
      b = Buffer<float>(e, zero), one = Buffer<float>(e, zero), two = Buffer<float>(e, zero),
      d = Buffer<float>(e, zero);
      x = &one;
      const double high = level.largest_eigenvalue, low = high / smoothed_share;
      centre = (high + low) / 2, radius = (high - low) / 2;
      if (last) return;
      prolongation = std::make_unique<DeviceRows<float, Executor>>(e, level.prolongation, std::vector<double>{}, false);
      restriction = std::make_unique<DeviceRows<float, Executor>>(e, level.restriction, std::vector<double>{}, false);
    }
    Level(Level&&) = delete;
    bool last;
    DeviceRows<float, Executor> matrix;
    std::size_t rows;
    std::unique_ptr<DeviceRows<float, Executor>> prolongation, restriction;
    Buffer<float> inverse_diagonal, b, one, two, d;
    Buffer<float>* x;  ///< one or two: where the solution is
    double centre = 0, radius = 0;
  };

  std::size_t numbers() const { return padded_ * std::size_t(columns_); }
  static bool any(const std::vector<std::uint8_t>& flags) {
    return std::any_of(flags.begin(), flags.end(), [](auto f) { return f != 0; });
  }
  template <class Arguments>
  void run(const Arguments& arguments) {
    executor_.run(arguments, columns_);
  }

  /// Inner products of the columns.
  std::vector<double> products(Buffer<double>& x, Buffer<double>& y) {
    return executor_.sums(Dot<double>{std::int64_t(padded_), x.data(), y.data()}, columns_);
  }
  std::vector<double> norms(Buffer<double>& x) {
    auto squares = products(x, x);
    for (double& s : squares) s = std::sqrt(s);
    return squares;
  }

  /// b minus its mean, on the rows that are there.
  void subtract_mean(Buffer<double>& b) {
    const auto sums = executor_.sums(Dot<double>{std::int64_t(padded_), b.data(), nullptr}, columns_);
    PerColumn mean;
    for (std::size_t c = 0; c < sums.size(); ++c) mean.of[c] = -sums[c] / double(rows_);
    run(Shift{std::int64_t(rows_), mean, b.data()});
  }

  /// x = 0 in the columns named: the whole solution where b is 0.
  void clear(const PerColumn& which) {
    PerColumn keep;
    for (int c = 0; c < columns_; ++c) keep.of[c] = which.of[c] > 0 ? 0 : 1;
    run(Scale{std::int64_t(padded_), keep, x_.data()});
  }

  static void judge(const std::vector<double>& residual, const std::vector<double>& norm, double tolerance,
                    std::vector<Solved>& solved, std::vector<std::uint8_t>& active) {
    for (std::size_t c = 0; c < solved.size(); ++c) {
      if (!active[c]) continue;
      const double relative = norm[c] == 0 ? 0 : residual[c] / norm[c];
      solved[c].residuals.push_back(relative);
      if (!std::isfinite(relative)) fail(solved, active, tolerance);
      if (relative <= tolerance) active[c] = 0;
    }
  }

  [[noreturn]] static void fail(const std::vector<Solved>& solved, const std::vector<std::uint8_t>& active,
                                double tolerance) {
    for (std::size_t c = 0; c < solved.size(); ++c)
      if (active[c]) throw std::runtime_error(not_converged(solved[c], tolerance));
    throw std::runtime_error("the elliptic solve failed");
  }

  /// A V-cycle for level k's b, from 0; its x points to the result.
  void cycle(std::size_t k) {
    Level& level = levels_[k];
    if (level.last) {
      run(Dense{int(level.rows), inverse_.data(), level.b.data(), level.x->data()});
      return;
    }
    smooth(level, true);
    Level& coarse = levels_[k + 1];
    // What is left goes to where the next x would, as it is written only later.
    Buffer<float>& rest = level.x == &level.one ? level.two : level.one;
    run(Apply<float, float>{level.matrix.args(), level.matrix.excess_args(), level.x->data(), level.b.data(),
                            rest.data()});
    run(Gather<float>{level.restriction->args(), 1, rest.data(), nullptr, coarse.b.data()});
    cycle(k + 1);
    run(Gather<float>{level.prolongation->args(), 1, coarse.x->data(), level.x->data(), level.x->data()});
    smooth(level, false);
  }

  /// Chebyshev's iteration over the upper part of the spectrum; `from_zero`: x is 0 before.
  void smooth(Level& level, bool from_zero) {
    const double sigma = level.centre / level.radius;
    double rho = 1 / sigma;
    for (int k = 0; k < smoothing_degree; ++k) {
      Smooth s{.w = level.matrix.args(),
               .excess = level.matrix.excess_args(),
               .inverse_diagonal = level.inverse_diagonal.data(),
               .b = level.b.data(),
               .x = level.x->data(),
               .d = level.d.data(),
               .out = (level.x == &level.one ? level.two : level.one).data()};
      if (k == 0) {
        s.keep = 0, s.gain = float(1 / level.centre);
        if (from_zero) s.x = nullptr;
      } else {
        const double next = 1 / (2 * sigma - rho);
        s.keep = float(next * rho), s.gain = float(2 * next / level.radius);
        rho = next;
      }
      run(s);
      level.x = level.x == &level.one ? &level.two : &level.one;
    }
  }

  /// Chebyshev steps before and after the coarse correction, and the share of the spectrum they are meant for: to 1e-6
  /// on a lattice of 0.3 M nodes 9 iterations in 0.10 s. Degree 1 took 13 in 0.09 s, 3 took 9 in 0.14 s, shares from 3
  /// to 20 at most a fourth more.
  static constexpr int smoothing_degree = 2;
  static constexpr double smoothed_share = 5;

  Executor executor_;  // first: the others are made with it
  int columns_;
  std::size_t rows_;
  bool singular_;
  DeviceRows<W, Executor> matrix_;
  std::size_t padded_;
  Buffer<double> b_, x_, r_, p_, q_;
  std::deque<Level> levels_;
  Buffer<float> inverse_;
};

}  // namespace cardiotwin::kernels::CT_BACKEND
