// Posteriors against closed forms and quadrature, what they say of each parameter, and whether intervals cover.
#include <gtest/gtest.h>

#include <cardiotwin/random.hpp>
#include <cmath>

#include "inference_cases.hpp"

namespace cardiotwin {
namespace {

using cases::expect_refused;
using cases::rowwise;

Posterior of(std::vector<double> values, std::vector<double> weights) {
  Posterior p{.names = {"a"}, .units = {"ms"}};
  p.samples = Eigen::Map<Eigen::VectorXd>(values.data(), static_cast<Eigen::Index>(values.size()));
  p.weights = Eigen::Map<Eigen::VectorXd>(weights.data(), static_cast<Eigen::Index>(weights.size()));
  p.log_density = Eigen::VectorXd::Constant(p.weights.size(), NAN);
  return p;
}

// The banana: x1 bends with the square of x0.
struct Banana {
  double width = 0.3;
  ParameterSpace space = cases::normals(2, 0, 2);
  Evaluation operator()(const Eigen::VectorXd& x) const {
    return {.residuals = Eigen::Vector2d((x[1] - x[0] * x[0] + 1) / width, (x[0] - 0.5) / 1.5), .jacobian = {}};
  }
  // Means and standard deviations by quadrature on a grid.
  Eigen::Vector4d moments() const {
    double mass = 0;
    Eigen::Vector4d sum = Eigen::Vector4d::Zero();
    for (double a = -7; a < 7; a += 0.02)
      for (double b = -6; b < 20; b += 0.02) {
        const Eigen::Vector2d x(a, b);
        const double w = std::exp(-(*this)(x).misfit() - x.squaredNorm() / 8);
        mass += w;
        sum += w * Eigen::Vector4d(a, b, a * a, b * b);
      }
    sum /= mass;
    return {sum[0], sum[1], std::sqrt(sum[2] - sum[0] * sum[0]), std::sqrt(sum[3] - sum[1] * sum[1])};
  }
};

void expect_moments(const Posterior& p, const Eigen::Vector4d& wanted, double tolerance) {
  for (Eigen::Index i = 0; i < 2; ++i) {
    EXPECT_NEAR(p.mean()[i], wanted[i], tolerance * wanted[2 + i]) << p.method;
    EXPECT_NEAR(p.sd()[i] / wanted[2 + i], 1, tolerance) << p.method;
  }
}

TEST(Posterior, SamplerReachesTheLinearPosterior) {
  const cases::Linear linear;
  EnsembleSampler sampler(linear.space, {.walkers = 32, .steps = 3000, .burn_in = 300});
  infer(sampler, rowwise(linear));
  const auto p = sampler.posterior();
  EXPECT_GT(p.effective_size, 2000);
  EXPECT_GT(sampler.acceptance(), 0.2);
  const Eigen::VectorXd sd = linear.covariance().diagonal().cwiseSqrt();
  for (Eigen::Index i = 0; i < 3; ++i) {  // four standard errors
    EXPECT_NEAR(p.mean()[i], linear.mean()[i], 4 * sd[i] / std::sqrt(p.effective_size));
    EXPECT_NEAR(p.sd()[i] / sd[i], 1, 4 / std::sqrt(2 * p.effective_size));
  }
}

TEST(Posterior, SamplerFollowsABanana) {
  const Banana banana;
  EnsembleSampler sampler(banana.space, {.walkers = 40, .steps = 4000, .burn_in = 500});
  infer(sampler, rowwise(banana));
  expect_moments(sampler.posterior(), banana.moments(), 0.06);
}

TEST(Posterior, WeightsBendAGaussianIntoABananaWhereItIsWideEnough) {
  const Banana wide{.width = 1};
  const auto wanted = wide.moments();
  LevenbergMarquardt fit(wide.space, {.starts = 4});
  infer(fit, rowwise(wide));
  // One Gaussian knows nothing of the bend: the difference that a test of the weights must be able to see.
  EXPECT_GT(std::abs(laplace_posterior(wide.space, fit.optima(), 4000, 1).mean()[1] - wanted[1]), 0.3 * wanted[3]);
  ImportanceSampler weighted(wide.space, fit.optima(), {.draws = 20000, .batch = 1000, .tail = 3, .inflation = 2});
  infer(weighted, rowwise(wide));
  expect_moments(weighted.posterior(), wanted, 0.06);
  EXPECT_LT(weighted.posterior().pareto_k, 0.5);
  const Banana thin;
  LevenbergMarquardt thin_fit(thin.space, {.starts = 4});
  infer(thin_fit, rowwise(thin));
  ImportanceSampler warned(thin.space, thin_fit.optima(), {.draws = 20000, .batch = 1000});
  infer(warned, rowwise(thin));
  EXPECT_GT(warned.posterior().pareto_k, 0.7) << "no Gaussian covers a thin banana, and the weights must say so";
}

TEST(Posterior, LaplaceAndImportanceOfALinearModelAreTheClosedForm) {
  const cases::Linear linear;
  LevenbergMarquardt fit(linear.space, {.starts = 1});
  infer(fit, rowwise(linear));
  ImportanceSampler weighted(linear.space, fit.optima(), {.draws = 4096});
  infer(weighted, rowwise(linear));
  const auto by_weights = weighted.posterior();
  EXPECT_LT(by_weights.pareto_k, 0.5);
  EXPECT_GT(by_weights.effective_size, 2000);
  const Eigen::VectorXd sd = linear.covariance().diagonal().cwiseSqrt();
  for (const auto& p :
       {laplace_posterior(linear.space, fit.optima(), 4096, 3), by_weights, by_weights.resampled(1024, 2)})
    for (Eigen::Index i = 0; i < 3; ++i) {
      EXPECT_NEAR(p.mean()[i], linear.mean()[i], 0.1 * sd[i]);
      EXPECT_NEAR(p.sd()[i] / sd[i], 1, 0.08);
    }
}

TEST(Posterior, BothModesKeepTheirMass) {
  const cases::Bimodal bimodal;
  const double wanted = bimodal.mass_above_zero();
  ASSERT_GT(wanted, 0.55);
  ASSERT_LT(wanted, 0.8);
  EnsembleSampler sampler(bimodal.space, {.walkers = 64, .steps = 4000, .burn_in = 500});
  infer(sampler, rowwise(bimodal));
  EXPECT_NEAR(cases::share_above_zero(sampler.posterior()), wanted, 0.04);
  LevenbergMarquardt fit(bimodal.space, {.starts = 6});
  infer(fit, rowwise(bimodal));
  EXPECT_NEAR(cases::share_above_zero(laplace_posterior(bimodal.space, fit.optima(), 4000, 1)), wanted, 0.04);
  ImportanceSampler weighted(bimodal.space, fit.optima(), {.draws = 4000});
  infer(weighted, rowwise(bimodal));
  EXPECT_NEAR(cases::share_above_zero(weighted.posterior()), wanted, 0.03);
  EXPECT_NEAR(cases::share_above_zero(weighted.posterior().resampled(128, 1)), wanted, 0.04);
}

TEST(Posterior, NoWalkerIsLeftBehindInABadOptimum) {
  // A shallow well at -3, forty units of log density worse than the one at 3, catches half of the prior.
  const auto wells = rowwise([](const Eigen::VectorXd& x) {
    const double deep = 0.5 * std::pow((x[0] - 3) / 0.05, 2), shallow = 40 + 0.5 * std::pow((x[0] + 3) / 0.05, 2);
    return Evaluation{.residuals = Eigen::VectorXd::Constant(1, std::sqrt(2 * std::min(deep, shallow))),
                      .jacobian = {}};
  });
  EnsembleSampler sampler(cases::normals(1, 0, 2), {.steps = 200, .burn_in = 20});
  infer(sampler, wells);
  const auto p = sampler.posterior();
  EXPECT_NEAR(cases::share_above_zero(p), 1, 1e-12);
  EXPECT_NEAR(p.mean()[0], 3, 0.01);
  EXPECT_NEAR(p.sd()[0], 0.05, 0.005);
}

TEST(Posterior, SamplerDropsWalkersWhoseModelFails) {
  const cases::Linear linear;
  EnsembleSampler sampler(linear.space, {.steps = 2000});
  infer(sampler, rowwise([&](const Eigen::VectorXd& x) { return x[1] > 2 ? Evaluation{} : linear(x); }));
  const auto p = sampler.posterior();
  EXPECT_LE(p.samples.col(1).maxCoeff(), 2);
  EXPECT_LT((p.mean() - linear.mean()).norm(), 0.2);
  EnsembleSampler hopeless(linear.space);
  EXPECT_THROW(infer(hopeless, rowwise([](const Eigen::VectorXd&) { return Evaluation{}; })), NumericalError);
}

TEST(Posterior, WeightsRepairAMixtureThatIsWrong) {
  const cases::Bimodal bimodal;
  LevenbergMarquardt fit(bimodal.space, {.starts = 6});
  infer(fit, rowwise(bimodal));
  auto optima = fit.optima();
  optima[1].misfit += 2;  // makes the mixture believe that the second mode is seven times lighter
  EXPECT_GT(cases::share_above_zero(laplace_posterior(bimodal.space, optima, 4000, 1)), 0.85);
  ImportanceSampler weighted(bimodal.space, optima, {.draws = 4000});
  infer(weighted, rowwise(bimodal));
  EXPECT_NEAR(cases::share_above_zero(weighted.posterior()), bimodal.mass_above_zero(), 0.04);
}

TEST(Posterior, ParetoKWarnsOfWeightsThatCannotBeTrusted) {
  const cases::Linear linear;
  LevenbergMarquardt fit(linear.space, {.starts = 1});
  infer(fit, rowwise(linear));
  auto narrow = fit.optima();
  narrow[0].standard.array() += 1;
  ImportanceSampler off(linear.space, narrow, {.draws = 1000, .tail = 30, .inflation = 0.3});
  infer(off, rowwise(linear));
  EXPECT_GT(off.posterior().pareto_k, 0.7);
  EXPECT_LT(off.posterior().effective_size, 100);
}

TEST(Posterior, QuantilesCountWeights) {
  const auto equal = of({3, 1, 2}, {1 / 3.0, 1 / 3.0, 1 / 3.0});
  EXPECT_NEAR(equal.quantile(0.25)[0], 1, 1e-12);  // the k-th of three is the quantile k / 4
  EXPECT_NEAR(equal.quantile(0.5)[0], 2, 1e-12);
  EXPECT_NEAR(equal.quantile(0.625)[0], 2.5, 1e-12);
  EXPECT_EQ(equal.quantile(0)[0], 1);
  EXPECT_EQ(equal.quantile(1)[0], 3);
  const auto heavy = of({0, 10, 20}, {0.1, 0.8, 0.1});
  EXPECT_NEAR(heavy.quantile(0.5)[0], 10, 1e-12);
  EXPECT_NEAR(heavy.mean()[0], 10, 1e-12);
  EXPECT_NEAR(heavy.sd()[0], std::sqrt(20), 1e-12);
  EXPECT_LT(of({0, 10, 20}, {0.8, 0.1, 0.1}).quantile(0.5)[0], 3);
  EXPECT_EQ(of({5, 99}, {1, 0}).quantile(0.9)[0], 5);
  // Many weighted draws: the quantiles of what they stand for, a standard normal one drawn from a wider one.
  Random random(3);
  std::vector<double> values, weights;
  double sum = 0;
  for (int k = 0; k < 40000; ++k) {
    const double z = 2 * random.normal();
    values.push_back(z), weights.push_back(std::exp(-0.5 * z * z + 0.125 * z * z));
    sum += weights.back();
  }
  for (double& w : weights) w /= sum;
  const auto p = of(values, weights);
  EXPECT_NEAR(p.interval(0.9)(0, 0), -1.645, 0.04);
  EXPECT_NEAR(p.interval(0.9)(0, 1), 1.645, 0.04);
  EXPECT_NEAR(p.interval(0.5)(0, 1), 0.6745, 0.03);
  expect_refused([&] { p.quantile(1.1); }, "outside of [0, 1]");
  expect_refused([&] { p.interval(1); }, "outside of (0, 1)");
}

TEST(Posterior, SystematicResamplingKeepsSharesToOneDraw) {
  const auto p = of({0, 1, 2}, {0.12, 0.55, 0.33}).resampled(100, 4);
  std::vector<int> count(3, 0);
  for (Eigen::Index k = 0; k < 100; ++k) ++count[static_cast<std::size_t>(p.samples(k, 0))];
  EXPECT_NEAR(count[0], 12, 1);
  EXPECT_NEAR(count[1], 55, 1);
  EXPECT_NEAR(count[2], 33, 1);
  EXPECT_NEAR(p.weights.sum(), 1, 1e-12);
}

TEST(Posterior, JsonReadsBackToTheSameBits) {
  const cases::Linear linear;
  EnsembleKalman inversion(linear.space, {.members = 32});
  infer(inversion, rowwise(linear));
  const auto p = ensemble_posterior(inversion);
  const auto back = posterior_from_json(to_json(p));
  EXPECT_EQ(back.samples, p.samples);
  EXPECT_EQ(back.log_density, p.log_density);
  EXPECT_EQ(back.method, p.method);
  EXPECT_TRUE(std::isnan(back.pareto_k));
  EXPECT_EQ(to_json(back), to_json(p));
  auto damaged = to_json(p);
  damaged.replace(damaged.find("\"mV\","), 5, "");
  expect_refused([&] { posterior_from_json(damaged); }, "2 units");
  expect_refused([] { posterior_from_json("[]"); }, "cannot be read");
  auto heavy = p;
  heavy.weights[0] += 0.5;
  expect_refused([&] { heavy.validate(); }, "not shares of 1");
}

// Two data on three parameters: `hidden` acts on neither, `sum` and `difference` only together.
TEST(Identifiability, NamesExactlyWhatTheDataDoNotKnow) {
  const ParameterSpace space({{.name = "known", .low = 0, .high = 10},
                              {.name = "hidden", .low = 0, .high = 10},
                              {.name = "also_known", .prior = {Prior::Kind::normal, 0, 1}}});
  const auto model = rowwise([](const Eigen::VectorXd& x) {
    return Evaluation{.residuals = Eigen::Vector3d(x[0] - 4, x[2] - 0.3, x[0] + x[2] - 4) / 0.2, .jacobian = {}};
  });
  LevenbergMarquardt fit(space, {.starts = 2});
  infer(fit, model);
  EnsembleKalman inversion(space, {.members = 256});
  infer(inversion, model);
  for (const auto& found :
       {identifiability(space, fit.optima()[0]), identifiability(space, ensemble_posterior(inversion))}) {
    EXPECT_EQ(found.undetermined, std::vector<std::string>{"hidden"});
    EXPECT_TRUE(found.correlated.empty());
    EXPECT_GT(found.shrinkage[0], 0.95);
    ASSERT_EQ(found.sentences.size(), 1u);
    EXPECT_EQ(found.sentences[0].rfind("hidden is not determined", 0), 0u);
    EXPECT_NEAR(std::abs(found.directions(1, 2)), 1, 0.1) << "the worst direction is the hidden parameter";
  }
  EXPECT_NEAR(identifiability(space, fit.optima()[0]).shrinkage[1], 0, 1e-12);
}

TEST(Identifiability, NamesPairsOfWhichOnlyACombinationIsKnown) {
  const auto space = cases::normals(3);
  LevenbergMarquardt fit(space, {.starts = 1});
  infer(fit, rowwise([](const Eigen::VectorXd& x) {
          return Evaluation{.residuals = Eigen::Vector2d(x[0] + x[2], x[1]) / 0.05, .jacobian = {}};
        }));
  const auto found = identifiability(space, fit.optima()[0]);
  ASSERT_EQ(found.correlated.size(), 1u);
  EXPECT_EQ(found.correlated[0], (std::pair<std::string, std::string>("p0", "p2")));
  EXPECT_TRUE(found.undetermined.empty());
  EXPECT_NEAR(found.direction_shrinkage[2], 0, 1e-9);
  expect_refused([&] { identifiability(space, Optimum{}); }, "no derivatives");
}

TEST(Identifiability, NamesACombinationThatNoPairGivesAway) {
  const auto space = cases::normals(3);
  LevenbergMarquardt fit(space, {.starts = 1});
  infer(fit, rowwise([](const Eigen::VectorXd& x) {
          return Evaluation{.residuals = Eigen::Vector2d(x[0] - x[1], x[1] - x[2]) / 1.2, .jacobian = {}};
        }));
  const auto found = identifiability(space, fit.optima()[0]);
  EXPECT_TRUE(found.correlated.empty());
  EXPECT_TRUE(found.undetermined.empty());
  ASSERT_EQ(found.sentences.size(), 1u);
  EXPECT_EQ(found.sentences[0],
            "one combination is not determined by the data: 0.58 p0 + 0.58 p1 + 0.58 p2 (in prior "
            "standard deviations)");
}

TEST(Coverage, PredictivePValueCountsReplicatesAsBad) {
  EXPECT_EQ(predictive_p_value(std::vector<double>{1, 2, 3, 4}, std::vector<double>{2, 2, 1, 5}), 0.625);
  EXPECT_EQ(predictive_p_value(std::vector<double>{9, 9}, std::vector<double>{1, 1}), 0);
  expect_refused([] { predictive_p_value(std::vector<double>{1}, std::vector<double>{}); }, "no pairs");
  expect_refused([] { predictive_p_value(std::vector<double>{1}, std::vector<double>{NAN}); }, "not a number");
}

// Truths from the prior, data from the truth, posteriors as if the noise were `believed` times what it is.
std::vector<Coverage> calibrate_with(double believed, double shift = 0) {
  const int replicates = 400, draws = 63;
  const double noise = 0.5;
  Random random(11);
  Eigen::MatrixXd truths(replicates, 1);
  std::vector<Posterior> posteriors;
  for (int r = 0; r < replicates; ++r) {
    truths(r, 0) = random.normal();
    const double y = truths(r, 0) + noise * random.normal();
    const double sd = believed * noise, variance = 1 / (1 + 1 / (sd * sd)), mean = variance * y / (sd * sd);
    std::vector<double> values;
    for (int k = 0; k < draws; ++k) values.push_back(shift + mean + std::sqrt(variance) * random.normal());
    posteriors.push_back(of(values, std::vector<double>(draws, 1.0 / draws)));
  }
  return simulation_based_calibration(truths, posteriors, 8);
}

TEST(Coverage, RightModelsAreCalibratedAndWrongOnesAreFlagged) {
  const auto right = calibrate_with(1)[0];
  EXPECT_TRUE(right.calibrated) << right.sentence;
  EXPECT_NEAR(right.inside_90, 0.9, 0.045);  // three standard errors of 400
  EXPECT_NEAR(right.inside_50, 0.5, 0.075);
  const auto too_sure = calibrate_with(0.6)[0], too_shy = calibrate_with(2)[0], biased = calibrate_with(1, 0.2)[0];
  EXPECT_FALSE(too_sure.calibrated) << too_sure.sentence;
  EXPECT_LT(too_sure.inside_90, 0.85);
  EXPECT_FALSE(too_shy.calibrated) << too_shy.sentence;
  EXPECT_FALSE(biased.calibrated) << biased.sentence;
  EXPECT_LT(biased.p_value, 0.003);
  EXPECT_NE(biased.sentence.find("not calibrated"), std::string::npos);
}

TEST(Coverage, IntervalsOfFewDrawsCoverAboutAsOftenAsTheySay) {
  const int replicates = 20000, draws = 32;
  Random random(2);
  Eigen::MatrixXd truths(replicates, 1);
  std::vector<Posterior> posteriors;
  for (int r = 0; r < replicates; ++r) {
    truths(r, 0) = random.normal();
    std::vector<double> values;
    for (int k = 0; k < draws; ++k) values.push_back(random.normal());
    posteriors.push_back(of(values, std::vector<double>(draws, 1.0 / draws)));
  }
  const auto found = simulation_based_calibration(truths, posteriors)[0];
  // Four standard errors, 0.0085, and what straight lines between draws add in the tails; the plain quantiles of 32
  // draws would hold 0.873.
  EXPECT_NEAR(found.inside_90, 0.905, 0.013);
  EXPECT_NEAR(found.inside_50, 0.5, 0.0142);
  EXPECT_GT(found.p_value, 0.001) << "33 ranks in ten bins are not equally many in each";
}

TEST(Coverage, ChiSquareTailIsThatOfTheTables) {
  // Two bins of 100 truths, 60 : 40 where 50 : 50 is expected: chi2 = 4 with one degree of freedom, p = 0.0455.
  Eigen::MatrixXd truths(100, 1);
  std::vector<Posterior> posteriors(100, of({-1}, {1.0}));
  for (int r = 0; r < 100; ++r) truths(r, 0) = r < 60 ? -2 : 0;
  const auto found = simulation_based_calibration(truths, posteriors, 2)[0];
  EXPECT_EQ(found.ranks, (std::vector<int>{60, 40}));
  EXPECT_NEAR(found.chi2, 4, 1e-12);
  EXPECT_NEAR(found.p_value, 0.04550026, 1e-7);
  expect_refused([&] { simulation_based_calibration(truths.topRows(19), std::span(posteriors).first(19)); },
                 "at least 20");
  expect_refused([&] { simulation_based_calibration(truths.topRows(30), posteriors); }, "30 truths");
}

}  // namespace
}  // namespace cardiotwin
