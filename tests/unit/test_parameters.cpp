// Priors, bounds and the standard coordinates in which the prior is a standard normal one.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "inference_cases.hpp"

namespace cardiotwin {
namespace {

using Kind = Prior::Kind;
using cases::expect_refused;

ParameterSpace mixed() {
  return ParameterSpace({{.name = "sigma",
                          .unit = "S/m",
                          .low = 0.01,
                          .high = 3,
                          .prior = {Kind::lognormal, 0.2, 0.5},
                          .source = "doi 10.1000/a"},
                         {.name = "apd", .unit = "ms", .low = 150, .prior = {Kind::normal, 280, 40}, .source = "b"},
                         {.name = "angle", .unit = "degrees", .low = -90, .high = 90, .prior = {}, .source = "c"}});
}

double below(double u) { return 0.5 * std::erfc(-u / std::numbers::sqrt2); }

TEST(Parameters, StandardCoordinatesAreNormalQuantilesOfThePrior) {
  const auto space = mixed();
  const Eigen::VectorXd median = space.from_standard(Eigen::VectorXd::Zero(3));
  EXPECT_NEAR(median[2], 0, 1e-12);
  for (const double u : {-3.0, -1.0, 0.3, 2.5}) {
    const Eigen::VectorXd x = space.from_standard(Eigen::VectorXd::Constant(3, u));
    // Truncated normal and uniform distribution functions, written out.
    const double a = below((150 - 280) / 40.0);
    EXPECT_NEAR((below((x[1] - 280) / 40) - a) / (1 - a), below(u), 1e-13);
    const double l = below(std::log(0.01 / 0.2) / 0.5), h = below(std::log(3 / 0.2) / 0.5);
    EXPECT_NEAR((below(std::log(x[0] / 0.2) / 0.5) - l) / (h - l), below(u), 1e-13);
    EXPECT_NEAR((x[2] + 90) / 180, below(u), 1e-13);
  }
}

TEST(Parameters, WithoutBoundsCoordinatesAreExactlyScaled) {
  const auto space = cases::normals(1, 5, 2);
  EXPECT_DOUBLE_EQ(space.from_standard(Eigen::VectorXd::Constant(1, 3.25))[0], 11.5);
  EXPECT_DOUBLE_EQ(space.to_standard(Eigen::VectorXd::Constant(1, 11.5))[0], 3.25);
  EXPECT_DOUBLE_EQ(space.derivative(Eigen::VectorXd::Constant(1, 3.25))[0], 2);
}

TEST(Parameters, ThereAndBackIsTheSameEvenFarOut) {
  const auto space = mixed();
  for (double u = -6; u <= 6; u += 0.25) {
    const Eigen::VectorXd at = Eigen::VectorXd::Constant(3, u);
    const Eigen::VectorXd back = space.to_standard(space.from_standard(at));
    // Near a bound, what is told apart is a rounding error of the value over its derivative.
    for (Eigen::Index i = 0; i < 3; ++i)
      EXPECT_NEAR(back[i], u, 1e-10 + 300 * 1e-14 / space.derivative(at)[i]) << i << " at " << u;
  }
}

TEST(Parameters, BoundsHoldWhateverTheCoordinates) {
  const auto space = mixed();
  for (const double u : {-1e300, -9.0, 9.0, 1e300}) {
    const Eigen::VectorXd x = space.from_standard(Eigen::VectorXd::Constant(3, u));
    EXPECT_GE(x[0], 0.01);
    EXPECT_LE(x[0], 3);
    EXPECT_GE(x[1], 150);
    EXPECT_GE(x[2], -90);
    EXPECT_LE(x[2], 90);
  }
  EXPECT_EQ(space.to_standard(Eigen::Vector3d(0.01, 150, 90)),
            Eigen::Vector3d(-ParameterSpace::limit, -ParameterSpace::limit, ParameterSpace::limit));
}

TEST(Parameters, DerivativeIsTheSlope) {
  const auto space = mixed();
  for (const double u : {-2.0, 0.1, 1.7}) {
    const Eigen::VectorXd at = Eigen::VectorXd::Constant(3, u);
    const double h = 1e-5;
    const Eigen::VectorXd slope = (space.from_standard(at.array() + h) - space.from_standard(at.array() - h)) / (2 * h);
    for (Eigen::Index i = 0; i < 3; ++i) EXPECT_NEAR(space.derivative(at)[i] / slope[i], 1, 1e-8);
  }
}

TEST(Parameters, PriorDensityIntegratesToOneAndVanishesOutside) {
  for (const auto& p : mixed()) {
    const ParameterSpace one({p});
    const double low = std::max(p.low, -1000.0), high = std::min(p.high, 1000.0);
    double sum = 0;
    const int n = 20000;  // midpoint rule: error far below 1e-4 for densities this smooth
    for (int k = 0; k < n; ++k)
      sum +=
          std::exp(one.log_prior(Eigen::VectorXd::Constant(1, low + (k + 0.5) * (high - low) / n))) * (high - low) / n;
    EXPECT_NEAR(sum, 1, 1e-4) << p.name;
    EXPECT_EQ(one.log_prior(Eigen::VectorXd::Constant(1, p.low - 1)), -INFINITY);
  }
}

TEST(Parameters, SamplesFollowThePriorAndRepeat) {
  const auto space = mixed();
  const Eigen::MatrixXd a = space.sample(4000, 3), b = space.sample(4000, 3), c = space.sample(4000, 4);
  EXPECT_EQ(a, b);
  EXPECT_NE(a, c);
  EXPECT_EQ(space.sample(10, 3), a.topRows(10));
  double mean = 0, square = 0;
  for (Eigen::Index i = 0; i < a.rows(); ++i) {
    const Eigen::VectorXd u = space.to_standard(a.row(i).transpose());
    mean += u.mean() / 4000, square += u.squaredNorm() / 12000;
  }
  EXPECT_NEAR(mean, 0, 0.03);    // 1 / sqrt(12000) = 0.009
  EXPECT_NEAR(square, 1, 0.05);  // sqrt(2 / 12000) = 0.013
}

TEST(Parameters, StratifiedSamplesHaveOneInEachStratum) {
  const auto space = mixed();
  const int n = 16;
  const Eigen::MatrixXd x = space.sample_stratified(n, 5);
  EXPECT_EQ(x, space.sample_stratified(n, 5));
  for (Eigen::Index j = 0; j < 3; ++j) {
    std::vector<int> hit(n, 0);
    for (Eigen::Index i = 0; i < n; ++i) {
      const double u = space.to_standard(x.row(i).transpose())[j];
      ++hit[static_cast<std::size_t>(below(u) * n)];
    }
    EXPECT_EQ(hit, std::vector<int>(n, 1));
  }
  EXPECT_NE(space.to_standard(x.row(0).transpose())[0], space.to_standard(x.row(0).transpose())[1]);
}

TEST(Parameters, JsonReadsBackToTheSame) {
  const auto space = mixed();
  const auto back = parameters_from_json(to_json(space));
  EXPECT_EQ(to_json(back), to_json(space));
  EXPECT_EQ(back[1].high, INFINITY);
  EXPECT_EQ(back[0].prior.spread, 0.5);
  EXPECT_EQ(back[0].source, "doi 10.1000/a");
  expect_refused([] { parameters_from_json("{"); }, "cannot be read");
  auto text = to_json(space);
  text.replace(text.find("lognormal"), 9, "lognomal!");
  expect_refused([&] { parameters_from_json(text); }, "lognormal");
}

TEST(Parameters, RefusesWhatCannotBe) {
  const auto with = [](Parameter p) { return [p] { ParameterSpace({p}); }; };
  expect_refused([] { ParameterSpace(std::vector<Parameter>{}); }, "no parameters");
  expect_refused(with({.name = "a", .low = 2, .high = 1}), "ascending");
  expect_refused(with({.name = "a"}), "finite bounds");
  expect_refused(with({.name = "a", .prior = {Kind::normal, 0, 0}}), "not a positive number");
  expect_refused(with({.name = "a", .low = 1, .prior = {Kind::normal, 0, 1}}), "outside of the bounds");
  expect_refused(with({.name = "a", .prior = {Kind::lognormal, -1, 1}}), "positive median");
  expect_refused(with({.name = "", .low = 0, .high = 1}), "empty");
  expect_refused(
      [] {
        ParameterSpace({{.name = "a", .low = 0, .high = 1}, {.name = "a", .low = 0, .high = 1}});
      },
      "two parameters");
  expect_refused([] { mixed().index("sigm"); }, "did you mean \"sigma\"");
  expect_refused([] { mixed().to_standard(Eigen::Vector2d(1, 2)); }, "2 values for 3");
  expect_refused([] { mixed().to_standard(Eigen::Vector3d(1, NAN, 2)); }, "not finite");
}

}  // namespace
}  // namespace cardiotwin
