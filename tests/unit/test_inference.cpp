// Fits on problems whose answer is known, and that they go on with the same bits where they were interrupted.
#include <gtest/gtest.h>

#include <cardiotwin/random.hpp>
#include <cmath>
#include <numbers>

#include "inference_cases.hpp"

namespace cardiotwin {
namespace {

using cases::expect_refused;
using cases::rowwise;

Evaluation rosenbrock(const Eigen::VectorXd& x) {
  return {.residuals = Eigen::Vector2d(10 * (x[1] - x[0] * x[0]), 1 - x[0]), .jacobian = {}};
}

Evaluation rosenbrock_with_jacobian(const Eigen::VectorXd& x) {
  auto e = rosenbrock(x);
  e.jacobian = (Eigen::Matrix2d() << -20 * x[0], 10, -1, 0).finished();
  return e;
}

// 10 d + sum x^2 - 10 cos(2 pi x) as half a sum of squares; eleven local optima along each axis of [-5.12, 5.12].
Evaluation rastrigin(const Eigen::VectorXd& x) {
  Eigen::VectorXd r(x.size());
  for (Eigen::Index i = 0; i < x.size(); ++i) {
    const double off = x[i] - 1.3;
    r[i] = std::sqrt(2 * (10 + off * off - 10 * std::cos(2 * std::numbers::pi * off)));
  }
  return {.residuals = r, .jacobian = {}};
}

TEST(Inference, LevenbergMarquardtReachesTheLinearPosteriorExactly) {
  const cases::Linear linear;
  LevenbergMarquardt fit(linear.space, {.starts = 3});
  infer(fit, rowwise(linear));
  const auto optima = fit.optima();
  ASSERT_EQ(optima.size(), 1u);
  EXPECT_TRUE(optima[0].converged);
  EXPECT_EQ(optima[0].starts, 3);
  EXPECT_LT((optima[0].point - linear.mean()).norm(), 1e-6);
  // In standard coordinates the prior's covariance is 1; 1.5 scales back.
  const Eigen::MatrixXd covariance = 1.5 * 1.5 * (optima[0].information + Eigen::MatrixXd::Identity(3, 3)).inverse();
  EXPECT_LT((covariance - linear.covariance()).norm(), 1e-8);
}

TEST(Inference, GivenAndTakenDerivativesLeadToTheSamePoint) {
  const auto space = cases::uniform_box(2, -2, 3);
  LevenbergMarquardt given(space, {.starts = 4, .with_prior = false}), taken(space, {.starts = 4, .with_prior = false});
  infer(given, rowwise(rosenbrock_with_jacobian));
  infer(taken, rowwise(rosenbrock));
  for (const auto* fit : {&given, &taken}) {
    EXPECT_LT((fit->best().point - Eigen::Vector2d(1, 1)).norm(), 1e-4);
    EXPECT_EQ(fit->optima().size(), 1u);
  }
  EXPECT_LT(given.evaluations(), taken.evaluations());
  EXPECT_LT((given.optima()[0].information - taken.optima()[0].information).norm(),
            1e-3 * given.optima()[0].information.norm());
}

TEST(Inference, LevenbergMarquardtKeepsAllDistinctOptima) {
  const cases::Bimodal bimodal;
  LevenbergMarquardt fit(bimodal.space, {.starts = 8});
  infer(fit, rowwise(bimodal));
  const auto optima = fit.optima();
  ASSERT_EQ(optima.size(), 2u);
  EXPECT_NEAR(optima[0].point[0], 2, 0.05);
  EXPECT_NEAR(optima[1].point[0], -2, 0.05);
  EXPECT_EQ(optima[0].starts + optima[1].starts, 8);
  EXPECT_LT(optima[0].objective, optima[1].objective);
}

TEST(Inference, ActiveBoundsAreReachedAndNeverLeft) {
  const auto space = cases::uniform_box(2, 0, 1);
  const auto outside = [](const Eigen::VectorXd& x) {
    EXPECT_GE(x.minCoeff(), 0);
    EXPECT_LE(x.maxCoeff(), 1);
    return Evaluation{.residuals = Eigen::Vector2d(x[0] - 2, x[1] - 0.25), .jacobian = {}};
  };
  LevenbergMarquardt fit(space, {.starts = 3, .with_prior = false});
  infer(fit, rowwise(outside));
  CmaEs other(space, {.restarts = 0, .with_prior = false});
  infer(other, rowwise(outside));
  for (const Eigen::VectorXd& point : {fit.best().point, other.best().point}) {
    EXPECT_NEAR(point[0], 1, 1e-6);
    EXPECT_NEAR(point[1], 0.25, 1e-4);
  }
  EXPECT_TRUE(fit.optima()[0].converged);
  EnsembleKalman ensemble(space, {.members = 32});
  infer(ensemble, rowwise(outside));
}

TEST(Inference, CmaEsFollowsACurvedValley) {
  CmaEs fit(cases::uniform_box(4, -2, 3), {.restarts = 1, .with_prior = false});
  infer(fit, rowwise([](const Eigen::VectorXd& x) {
          Eigen::VectorXd r(6);
          for (int i = 0; i < 3; ++i) r[2 * i] = 10 * (x[i + 1] - x[i] * x[i]), r[2 * i + 1] = 1 - x[i];
          return Evaluation{.residuals = r, .jacobian = {}};
        }));
  EXPECT_LT((fit.best().point - Eigen::VectorXd::Ones(4)).norm(), 1e-3);
  EXPECT_TRUE(fit.optima()[0].converged);
}

// Half-axes from 1 to 1000, turned out of the axes: what the evolution paths are for; twice as many without them.
TEST(Inference, CmaEsLearnsTheShapeOfAThinEllipsoidInFewEvaluations) {
  const int d = 6;
  Eigen::MatrixXd basis(d, d);
  Random random(1);
  for (double& value : basis.reshaped()) value = random.normal();
  const Eigen::MatrixXd turned = Eigen::HouseholderQR<Eigen::MatrixXd>(basis).householderQ();
  Eigen::VectorXd sharpness(d);
  for (int i = 0; i < d; ++i) sharpness[i] = i == 0 ? 1 : 1000;
  CmaEs fit(cases::normals(d, 0, 3), {.restarts = 0, .max_evaluations = 50000, .target = 1e-8, .with_prior = false});
  infer(fit, rowwise([&](const Eigen::VectorXd& x) {
          return Evaluation{.residuals = sharpness.cwiseProduct(turned * (x - Eigen::VectorXd::Ones(d))),
                            .jacobian = {}};
        }));
  EXPECT_LT(fit.best().objective, 1e-8);
  EXPECT_LT(fit.evaluations(), 3000);
}

TEST(Inference, RestartsOfCmaEsFindTheGlobalOptimumAmongManyLocalOnes) {
  const auto space = cases::uniform_box(4, -5.12, 5.12);
  int found = 0, found_alone = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CmaEs fit(space, {.seed = seed, .restarts = 6, .max_evaluations = 80000, .with_prior = false});
    infer(fit, rowwise(rastrigin));
    found += fit.best().misfit < 0.01;  // the next best optimum has 1
    EXPECT_LE(fit.evaluations(), 80000);
    CmaEs alone(space, {.seed = seed, .restarts = 0, .with_prior = false});
    infer(alone, rowwise(rastrigin));
    found_alone += alone.best().misfit < 0.01;
  }
  EXPECT_EQ(found, 10);
  EXPECT_LT(found_alone, 10) << "the problem is too easy to show what restarts are for";
}

TEST(Inference, CmaEsStopsWhereItIsGoodEnough) {
  const auto space = cases::uniform_box(4, -5.12, 5.12);
  CmaEs fit(space, {.restarts = 6, .max_evaluations = 80000, .target = 0.5, .with_prior = false});
  infer(fit, rowwise(rastrigin));
  EXPECT_LT(fit.best().objective, 0.5);
  CmaEs whole(space, {.restarts = 6, .max_evaluations = 80000, .with_prior = false});
  infer(whole, rowwise(rastrigin));
  EXPECT_LT(fit.evaluations(), whole.evaluations());
}

// The same data once, or many times with so much more noise: fewer data than members, and more.
TEST(Inference, EnsembleKalmanReachesTheLinearPosterior) {
  const cases::Linear linear;
  const Eigen::MatrixXd covariance = linear.covariance();
  const Eigen::VectorXd sd = covariance.diagonal().cwiseSqrt();
  for (const int copies : {1, 150}) {
    const int members = 700;
    EnsembleKalman inversion(linear.space, {.members = members});
    infer(inversion, rowwise([&](const Eigen::VectorXd& x) {
            return Evaluation{.residuals = linear(x).residuals.replicate(copies, 1) / std::sqrt(copies),
                              .jacobian = {}};
          }));
    EXPECT_EQ(inversion.temperature(), 1);
    const auto p = ensemble_posterior(inversion);
    // So many members know a mean to sd / 26 and an sd to 2.7 %; three times that.
    for (Eigen::Index i = 0; i < 3; ++i) {
      EXPECT_NEAR(p.mean()[i], linear.mean()[i], 3 * sd[i] / std::sqrt(members)) << copies;
      EXPECT_NEAR(p.sd()[i] / sd[i], 1, 0.08) << copies;
    }
    EXPECT_NEAR(p.correlation()(0, 2), covariance(0, 2) / (sd[0] * sd[2]), 0.1) << copies;
  }
}

TEST(Inference, EnsembleKalmanGoesOnWhereMembersFail) {
  const cases::Linear linear;
  EnsembleKalman inversion(linear.space, {.members = 1000});
  infer(inversion, rowwise([&](const Eigen::VectorXd& x) { return x[0] > 2.6 ? Evaluation{} : linear(x); }));
  const auto p = ensemble_posterior(inversion);
  EXPECT_TRUE(p.samples.allFinite());
  EXPECT_LT((p.mean() - linear.mean()).norm(), 0.2);
  EnsembleKalman hopeless(linear.space, {.members = 32});
  EXPECT_THROW(infer(hopeless, rowwise([](const Eigen::VectorXd&) { return Evaluation{}; })), NumericalError);
  EXPECT_THROW(hopeless.best(), NumericalError);
}

TEST(Inference, RobustNoiseIsNotPulledByOutliers) {
  const int n = 30;
  Eigen::VectorXd t(n), y(n), sd = Eigen::VectorXd::Constant(n, 0.1);
  Random random(4);
  for (int i = 0; i < n; ++i) t[i] = i / 10.0, y[i] = 1 + 0.5 * t[i] + 0.1 * random.normal();
  y[25] += 8, y[28] += 8, y[3] = NAN;  // two outliers, one not measured
  std::vector<double> off;
  for (const auto noise : {Noise::gaussian, Noise::huber, Noise::student}) {
    LevenbergMarquardt fit(cases::normals(2, 0, 10), {.starts = 1});
    infer(fit, rowwise([&](const Eigen::VectorXd& x) {
            Eigen::MatrixXd jacobian(n, 2);
            jacobian << Eigen::VectorXd::Ones(n), t;
            return weighted_residuals((x[0] + x[1] * t.array()).matrix(), y, sd, noise, 0, jacobian);
          }));
    EXPECT_TRUE(fit.optima()[0].converged);
    off.push_back((fit.best().point - Eigen::Vector2d(1, 0.5)).norm());
  }
  EXPECT_GT(off[0], 0.4);
  EXPECT_LT(off[1], 0.15);
  EXPECT_LT(off[2], 0.1);
}

TEST(Inference, WeighedResidualsAreTheLogLikelihoodAndItsSlope) {
  const Eigen::VectorXd sd = Eigen::VectorXd::Constant(1, 2), observed = Eigen::VectorXd::Constant(1, 1);
  const Eigen::MatrixXd one = Eigen::MatrixXd::Constant(1, 1, 1);
  for (const double predicted : {1.0, 1.001, 2.2, -3.0, 41.0}) {
    const auto at = [&](double p, Noise noise) {
      return weighted_residuals(Eigen::VectorXd::Constant(1, p), observed, sd, noise, 0, one);
    };
    const double r = (predicted - 1) / 2;
    EXPECT_NEAR(at(predicted, Noise::gaussian).misfit(), 0.5 * r * r, 1e-12);
    EXPECT_NEAR(at(predicted, Noise::student).misfit(), 2.5 * std::log1p(r * r / 4), 1e-12);
    const double huber = std::abs(r) <= 1.345 ? 0.5 * r * r : 1.345 * std::abs(r) - 0.5 * 1.345 * 1.345;
    EXPECT_NEAR(at(predicted, Noise::huber).misfit(), huber, 1e-12);
    for (const auto noise : {Noise::gaussian, Noise::huber, Noise::student}) {
      const double h = 1e-5;
      const double slope = (at(predicted + h, noise).residuals[0] - at(predicted - h, noise).residuals[0]) / (2 * h);
      EXPECT_NEAR(at(predicted, noise).jacobian(0, 0), slope, 1e-6);
    }
  }
  expect_refused([&] { weighted_residuals(Eigen::Vector2d(1, 2), observed, sd); }, "2 predictions");
  expect_refused([&] { weighted_residuals(observed, observed, -sd); }, "standard deviation -2");
  expect_refused([&] { weighted_residuals(observed, Eigen::VectorXd::Constant(1, NAN), sd); }, "nothing to fit");
}

TEST(Inference, AFailedModelIsOnlyABadPoint) {
  const auto fails_left = rowwise([](const Eigen::VectorXd& x) { return x[0] < 0.5 ? Evaluation{} : rosenbrock(x); });
  CmaEs search(cases::uniform_box(2, -2, 3), {.restarts = 1, .with_prior = false});
  infer(search, fails_left);
  EXPECT_LT((search.best().point - Eigen::Vector2d(1, 1)).norm(), 1e-3);
  LevenbergMarquardt fit(cases::uniform_box(2, -2, 3), {.starts = 8, .with_prior = false});
  infer(fit, fails_left);
  EXPECT_LT((fit.best().point - Eigen::Vector2d(1, 1)).norm(), 1e-3);
}

// All methods, by a number.
std::unique_ptr<Inference> method(int number, std::uint64_t seed = 5) {
  const cases::Bimodal bimodal;
  switch (number) {
    case 0:
      return std::make_unique<LevenbergMarquardt>(bimodal.space, LevenbergMarquardtOptions{.starts = 5, .seed = seed});
    case 1:
      return std::make_unique<CmaEs>(bimodal.space, CmaEsOptions{.seed = seed, .restarts = 2, .max_evaluations = 900});
    case 2:
      return std::make_unique<EnsembleKalman>(bimodal.space, EnsembleKalmanOptions{.seed = seed, .members = 24});
    case 3:
      return std::make_unique<EnsembleSampler>(
          bimodal.space, EnsembleSamplerOptions{.seed = seed, .walkers = 8, .steps = 20, .burn_in = 5, .thin = 2});
    default: {
      LevenbergMarquardt fit(bimodal.space, {.starts = 5});
      infer(fit, rowwise(bimodal));
      return std::make_unique<ImportanceSampler>(bimodal.space, fit.optima(),
                                                 ImportanceOptions{.seed = seed, .draws = 100, .batch = 16});
    }
  }
}

class Methods : public testing::TestWithParam<int> {};

TEST_P(Methods, ResumedIsUninterruptedToTheBitFromEveryIteration) {
  const auto model = rowwise(cases::Bimodal{});
  auto whole = method(GetParam());
  std::vector<std::string> saved;
  while (!whole->done()) {
    saved.push_back(whole->save());
    whole->tell(model(whole->ask()));
  }
  saved.push_back(whole->save());
  ASSERT_GT(saved.size(), 3u);
  for (std::size_t k = 0; k < saved.size(); ++k) {
    auto resumed = method(GetParam());
    if (k % 2) resumed->ask();  // a batch under way is forgotten
    resumed->restore(saved[k]);
    EXPECT_EQ(resumed->save(), saved[k]);
    infer(*resumed, model);
    ASSERT_EQ(resumed->save(), saved.back()) << "from iteration " << k;
    EXPECT_EQ(resumed->best().point, whole->best().point);
  }
}

TEST_P(Methods, SameSeedSameBitsOtherSeedOthers) {
  const auto model = rowwise(cases::Bimodal{});
  auto a = method(GetParam()), b = method(GetParam()), c = method(GetParam(), 6);
  for (auto* one : {&a, &b, &c}) infer(**one, model);
  EXPECT_EQ(a->save(), b->save());
  EXPECT_NE(a->save(), c->save());
}

TEST_P(Methods, TheOrderInWhichABatchIsEvaluatedDoesNotMatter) {
  const cases::Bimodal bimodal;
  auto forward = method(GetParam()), backward = method(GetParam());
  infer(*forward, rowwise(bimodal));
  infer(*backward, [&](const Eigen::MatrixXd& values) {
    EXPECT_EQ(values, backward->ask());  // asking twice is asking once
    std::vector<Evaluation> all(static_cast<std::size_t>(values.rows()));
    for (Eigen::Index i = values.rows(); i-- > 0;)
      all[static_cast<std::size_t>(i)] = bimodal(values.row(i).transpose());
    return all;
  });
  EXPECT_EQ(forward->save(), backward->save());
}

TEST_P(Methods, RefusesWhatDoesNotFit) {
  const auto model = rowwise(cases::Bimodal{});
  auto one = method(GetParam());
  auto evaluations = model(one->ask());
  const auto before = one->save();
  expect_refused([&] { one->tell(std::span(evaluations).first(evaluations.size() - 1)); }, "points asked");
  evaluations.back().residuals = Eigen::Vector3d::Zero();
  expect_refused([&] { one->tell(evaluations); }, "residuals where there were");
  EXPECT_EQ(one->save(), before);
  expect_refused([&] { one->restore("{}"); }, "cannot be read");
  expect_refused([&] { one->restore(method((GetParam() + 1) % 5)->save()); }, "another method");
  expect_refused([&] { one->restore(method(GetParam(), 9)->save()); }, "options");
  EXPECT_EQ(one->save(), before);
}

TEST_P(Methods, ReportsProgressAndStopsWhereCancelled) {
  const auto model = rowwise(cases::Bimodal{});
  auto one = method(GetParam()), whole = method(GetParam());
  std::vector<double> progress;
  Monitor monitor;
  monitor.progress = [&](std::string_view, double done) { progress.push_back(done); };
  int left = 3;
  monitor.cancelled = [&] { return left-- == 0; };
  EXPECT_THROW(infer(*one, model, monitor), Interrupted);
  EXPECT_FALSE(one->done());
  left = -1;
  infer(*one, model, monitor);
  infer(*whole, model);
  EXPECT_EQ(one->save(), whole->save());
  EXPECT_TRUE(std::is_sorted(progress.begin(), progress.end()));
  EXPECT_EQ(progress.back(), 1);
}

INSTANTIATE_TEST_SUITE_P(Inference, Methods, testing::Range(0, 5));

TEST(Inference, RefusesOptionsThatCannotBe) {
  const auto space = cases::normals(2);
  expect_refused([&] { LevenbergMarquardt(space, {.starts = 0}); }, "at least one");
  expect_refused([&] { LevenbergMarquardt(space, {.difference = 0}); }, "difference");
  expect_refused([&] { LevenbergMarquardt(space, {.from = Eigen::MatrixXd::Zero(1, 3)}); }, "3 values for 2");
  expect_refused([&] { CmaEs(space, {.population = 2}); }, "too small");
  expect_refused([&] { CmaEs(space, {.sigma = 0}); }, "first step");
  expect_refused([&] { EnsembleKalman(space, {.members = 3}); }, "too few");
  expect_refused([&] { EnsembleSampler(space, {.walkers = 7}); }, "even number");
  expect_refused([&] { EnsembleSampler(space, {.thin = 0}); }, "no states");
  expect_refused([&] { ImportanceSampler(space, {}, {}); }, "no optimum has derivatives");
  expect_refused([&] { CmaEs(ParameterSpace{}); }, "empty");
}

}  // namespace
}  // namespace cardiotwin
