#include <fmt/format.h>

#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cardiotwin/posterior.hpp>
#include <cmath>

namespace cardiotwin {
namespace {

// Upper tail of chi squared: the regularised incomplete gamma function by its series or continued fraction (Lentz).
double chi2_above(double chi2, int freedom) {
  if (!(chi2 > 0)) return 1;
  const double a = 0.5 * freedom, x = 0.5 * chi2;
  const double front = std::exp(a * std::log(x) - x - std::lgamma(a));
  if (x < a + 1) {
    double term = 1 / a, sum = term;
    for (int k = 1; k < 1000 && term > 1e-16 * sum; ++k) sum += term *= x / (a + k);
    return 1 - front * sum;
  }
  double b = x + 1 - a, c = 1e300, d = 1 / b, h = d;
  for (int k = 1; k < 1000; ++k) {
    const double an = -k * (k - a);
    b += 2;
    d = 1 / (an * d + b);
    c = b + an / c;
    h *= d * c;
    if (std::abs(d * c - 1) < 1e-15) break;
  }
  return front * h;
}

// Probability of so many hits or a less likely number: both tails of the binomial distribution.
double binomial_p_value(int hits, int trials, double share) {
  const auto log_probability = [&](int k) {
    return std::lgamma(trials + 1.0) - std::lgamma(k + 1.0) - std::lgamma(trials - k + 1.0) + k * std::log(share) +
           (trials - k) * std::log1p(-share);
  };
  const double found = log_probability(hits);
  double sum = 0;
  for (int k = 0; k <= trials; ++k)
    if (const double p = log_probability(k); p <= found + 1e-9) sum += std::exp(p);
  return std::min(sum, 1.0);
}

// Share of the draws below the truth as a rank among equal draws.
struct Rank {
  int rank, of;  // 0 ... of
};
Rank rank_of(const Posterior& posterior, Eigen::Index parameter, double truth) {
  double below = 0;
  for (Eigen::Index k = 0; k < posterior.weights.size(); ++k)
    if (posterior.samples(k, parameter) < truth) below += posterior.weights[k];
  const int draws = static_cast<int>(std::lround(1 / posterior.weights.squaredNorm()));
  return {std::clamp(static_cast<int>(std::lround(below * draws)), 0, draws), draws};
}

void judge(Coverage& c, const std::vector<double>& expected) {
  constexpr double level = 0.01 / 3;  // three looks at one thing
  for (std::size_t b = 0; b < expected.size(); ++b)
    c.chi2 += (c.ranks[b] - expected[b]) * (c.ranks[b] - expected[b]) / expected[b];
  c.p_value = chi2_above(c.chi2, static_cast<int>(expected.size()) - 1);
  const auto hits = [&](double share) { return static_cast<int>(std::lround(share * c.replicates)); };
  const double p_50 = binomial_p_value(hits(c.inside_50), c.replicates, 0.5);
  const double p_90 = binomial_p_value(hits(c.inside_90), c.replicates, 0.9);
  c.calibrated = c.p_value > level && p_50 > level && p_90 > level;
  c.sentence = fmt::format(
      "{}: {:.0f} % and {:.0f} % of {} truths lie within the 50 % and 90 % intervals, ranks have "
      "chi2 {:.1f} (p = {:.2g}): {}",
      c.name, 100 * c.inside_50, 100 * c.inside_90, c.replicates, c.chi2, c.p_value,
      c.calibrated ? "calibrated" : "not calibrated");
}

}  // namespace

double predictive_p_value(std::span<const double> observed, std::span<const double> replicated) {
  if (observed.empty() || observed.size() != replicated.size())
    throw InputError(fmt::format("Predictive p-value: {} observed and {} replicated misfits are no pairs",
                                 observed.size(), replicated.size()));
  double sum = 0;
  for (std::size_t k = 0; k < observed.size(); ++k) {
    if (std::isnan(observed[k]) || std::isnan(replicated[k]))
      throw InputError(fmt::format("Predictive p-value: pair {} is not a number", k));
    sum += replicated[k] > observed[k] ? 1 : replicated[k] == observed[k] ? 0.5 : 0;
  }
  return sum / static_cast<double>(observed.size());
}

std::vector<Coverage> simulation_based_calibration(const Eigen::MatrixXd& truths, std::span<const Posterior> posteriors,
                                                   int bins) {
  const auto replicates = static_cast<Eigen::Index>(posteriors.size());
  if (replicates < 20 || truths.rows() != replicates)
    throw InputError(fmt::format("Coverage: {} posteriors for {} truths; as many of both, and at least 20, are needed",
                                 replicates, truths.rows()));
  if (bins < 2 || bins > replicates)
    throw InputError(fmt::format("Coverage: {} bins for {} replicates; take 2 to a fifth of them", bins, replicates));
  std::vector<Coverage> result(static_cast<std::size_t>(truths.cols()));
  std::vector<std::vector<double>> expected(result.size(), std::vector<double>(static_cast<std::size_t>(bins), 0));
  for (Eigen::Index r = 0; r < replicates; ++r) {
    const Posterior& posterior = posteriors[static_cast<std::size_t>(r)];
    posterior.validate();
    if (posterior.samples.cols() != truths.cols())
      throw InputError(fmt::format("Coverage: posterior {} has {} parameters, the truths {}", r,
                                   posterior.samples.cols(), truths.cols()));
    const Eigen::MatrixXd half = posterior.interval(0.5), most = posterior.interval(0.9);
    for (Eigen::Index j = 0; j < truths.cols(); ++j) {
      const auto k = static_cast<std::size_t>(j);
      const double truth = truths(r, j);
      result[k].name = posterior.names[k];
      result[k].replicates += 1;
      result[k].ranks.resize(static_cast<std::size_t>(bins));
      result[k].inside_50 += (truth >= half(j, 0) && truth <= half(j, 1)) / static_cast<double>(replicates);
      result[k].inside_90 += (truth >= most(j, 0) && truth <= most(j, 1)) / static_cast<double>(replicates);
      const auto [rank, of] = rank_of(posterior, j, truth);
      const auto bin = [&](int q) { return static_cast<std::size_t>(static_cast<long>(q) * bins / (of + 1)); };
      result[k].ranks[bin(rank)] += 1;
      // Bins hold unequal numbers of ranks where the one does not divide the other.
      for (int q = 0; q <= of; ++q) expected[k][bin(q)] += 1.0 / (of + 1);
    }
  }
  for (std::size_t k = 0; k < result.size(); ++k) judge(result[k], expected[k]);
  return result;
}

}  // namespace cardiotwin
