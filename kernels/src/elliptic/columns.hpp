#pragma once
/// An elliptic solver for host vectors over an executor.

#include <cardiotwin/kernels/elliptic.hpp>
#include <memory>

#include "solver.hpp"

namespace cardiotwin::kernels::CT_BACKEND {

template <class W, class Executor>
class Columns final : public EllipticSolver {
 public:
  Columns(const Multigrid& m, int columns, Executor executor)
      : columns_(columns), solver_(m, columns > 1 ? 16 : 1, std::move(executor)) {}

  int columns() const override { return columns_; }

  std::vector<Solved> solve(std::span<const double> b, std::span<double> x, double tolerance, int most) override {
    const std::size_t n = solver_.rows(), count = std::size_t(columns_), width = count > 1 ? 16 : 1;
    if (b.size() != n * count || x.size() != n * count)
      throw std::invalid_argument("elliptic solver: b and x need " + std::to_string(n * count) + " numbers, got " +
                                  std::to_string(b.size()) + " and " + std::to_string(x.size()));
    std::vector<double> side_by_side(solver_.padded() * width, 0.0);
    const auto put = [&](std::span<const double> from, auto& buffer) {
      for (std::size_t c = 0; c < count; ++c)
        for (std::size_t i = 0; i < n; ++i) side_by_side[i * width + c] = from[c * n + i];
      buffer.upload(side_by_side.data());
    };
    put(b, solver_.b()), put(x, solver_.x());
    std::vector<std::uint8_t> asked(width, 0);
    std::fill_n(asked.begin(), count, std::uint8_t(1));
    auto solved = solver_.solve(asked, tolerance, 0, most);
    solved.resize(count);
    const auto result = solver_.x().peek(MemberPart{});
    for (std::size_t c = 0; c < count; ++c)
      for (std::size_t i = 0; i < n; ++i) x[c * n + i] = result[i * width + c];
    return solved;
  }

 private:
  int columns_;
  CgMultigrid<W, Executor> solver_;
};

template <class Executor>
std::unique_ptr<EllipticSolver> solver_of_columns(const Multigrid& m, int columns, Real real, Executor executor) {
  if (real == Real::fp32) return std::make_unique<Columns<float, Executor>>(m, columns, std::move(executor));
  return std::make_unique<Columns<double, Executor>>(m, columns, std::move(executor));
}

}  // namespace cardiotwin::kernels::CT_BACKEND
