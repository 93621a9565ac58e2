#include "inference_pareto.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "inference_parts.hpp"

namespace cardiotwin::inference {

// The mean of theta over its profile likelihood on a grid, as the two authors weigh it.
Pareto fit_pareto(const Eigen::VectorXd& x) {
  const Eigen::Index n = x.size();
  const auto count = static_cast<double>(n);
  const int grid = 30 + static_cast<int>(std::sqrt(count));
  const double quartile = x[std::max<Eigen::Index>(0, static_cast<Eigen::Index>(count / 4 + 0.5) - 1)];
  Eigen::VectorXd theta(grid), likelihood(grid);
  const auto shape_of = [&](double t) { return (1 - t * x.array()).log().sum() / count; };
  for (int j = 0; j < grid; ++j) {
    theta[j] = 1 / x[n - 1] + (1 - std::sqrt(grid / (j + 0.5))) / (3 * quartile);
    const double shape = shape_of(theta[j]);
    likelihood[j] = count * (std::log(-theta[j] / shape) - shape - 1);
  }
  const Eigen::VectorXd weights = (likelihood.array() - log_sum_exp(likelihood)).exp();
  const double mean = weights.dot(theta);
  const double shape = shape_of(mean);
  // A weak prior around 0.5, worth ten draws, steadies short tails.
  return {.shape = (count * shape + 10 * 0.5) / (count + 10), .scale = -shape / mean};
}

double smooth_tail(Eigen::VectorXd& log_weights) {
  const Eigen::Index n = log_weights.size();
  const double top = log_weights.maxCoeff();
  if (top - log_weights.minCoeff() < 1e-9) return -std::numeric_limits<double>::infinity();
  const auto size = static_cast<double>(n);
  const auto tail = static_cast<Eigen::Index>(std::ceil(std::min(0.2 * size, 3 * std::sqrt(size))));
  if (tail < 5) return std::numeric_limits<double>::quiet_NaN();
  std::vector<Eigen::Index> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), Eigen::Index{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return log_weights[a] < log_weights[b]; });
  const auto at = [&](Eigen::Index k) { return order[static_cast<std::size_t>(k)]; };
  const double threshold = std::exp(log_weights[at(n - tail - 1)] - top);
  Eigen::VectorXd above(tail);
  for (Eigen::Index k = 0; k < tail; ++k) above[k] = std::exp(log_weights[at(n - tail + k)] - top) - threshold;
  if (!(above[0] > 0) || !(above[tail - 1] > above[0] * (1 + 1e-12)))
    return std::numeric_limits<double>::quiet_NaN();  // ties: no tail to be seen
  const auto [shape, scale] = fit_pareto(above);
  if (!std::isfinite(shape)) return std::numeric_limits<double>::quiet_NaN();
  for (Eigen::Index k = 0; k < tail; ++k) {
    const double share = (static_cast<double>(k) + 0.5) / static_cast<double>(tail);
    const double excess =
        std::abs(shape) < 1e-12 ? -scale * std::log1p(-share) : scale * std::expm1(-shape * std::log1p(-share)) / shape;
    log_weights[at(n - tail + k)] = top + std::log(std::min(1.0, threshold + excess));
  }
  return shape;
}

}  // namespace cardiotwin::inference
