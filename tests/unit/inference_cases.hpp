#pragma once
// Models whose posterior is known, and small helpers of the inference tests.
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cardiotwin/error.hpp>
#include <cardiotwin/posterior.hpp>
#include <functional>
#include <string>
#include <vector>

namespace cardiotwin::cases {

// Evaluates row by row.
inline ForwardModel rowwise(std::function<Evaluation(const Eigen::VectorXd&)> one) {
  return [one](const Eigen::MatrixXd& values) {
    std::vector<Evaluation> all;
    for (Eigen::Index i = 0; i < values.rows(); ++i) all.push_back(one(values.row(i).transpose()));
    return all;
  };
}

inline ParameterSpace uniform_box(int dimension, double low, double high) {
  std::vector<Parameter> all;
  for (int i = 0; i < dimension; ++i)
    all.push_back(
        {.name = "p" + std::to_string(i), .unit = "", .low = low, .high = high, .prior = {}, .source = "test"});
  return ParameterSpace(all);
}

inline ParameterSpace normals(int dimension, double mean = 0, double sd = 1) {
  std::vector<Parameter> all;
  for (int i = 0; i < dimension; ++i)
    all.push_back({.name = "p" + std::to_string(i),
                   .unit = "mV",
                   .prior = {.kind = Prior::Kind::normal, .center = mean, .spread = sd},
                   .source = "test"});
  return ParameterSpace(all);
}

// y = G x + noise of sd 1 with priors of its own mean and sd: mean and covariance of the posterior in closed form.
struct Linear {
  Eigen::MatrixXd g = (Eigen::MatrixXd(5, 3) << 1, 2, 0.5, -1, 0.3, 2, 0.2, 1, -1, 3, 0, 1, 0.1, -0.7, 0.4).finished();
  Eigen::VectorXd y = (Eigen::VectorXd(5) << 3, 1, 0.5, 7, -1).finished();
  ParameterSpace space = normals(3, 0.5, 1.5);
  Eigen::VectorXd prior_mean = Eigen::VectorXd::Constant(3, 0.5);

  Eigen::MatrixXd covariance() const {
    return (g.transpose() * g + Eigen::MatrixXd::Identity(3, 3) / (1.5 * 1.5)).inverse();
  }
  Eigen::VectorXd mean() const { return covariance() * (g.transpose() * y + prior_mean / (1.5 * 1.5)); }
  Evaluation operator()(const Eigen::VectorXd& x) const { return {.residuals = g * x - y, .jacobian = {}}; }
};

// Two modes of known mass: x = -2 and 2 with x^2 - 4 known to 0.4, and a second datum that favours one.
struct Bimodal {
  double tilt = 0.25;
  ParameterSpace space = normals(1, 0, 2);
  Evaluation operator()(const Eigen::VectorXd& x) const {
    return {.residuals = Eigen::Vector2d((x[0] * x[0] - 4) / 0.4, tilt * (x[0] - 2)), .jacobian = {}};
  }
  double density(double x) const {
    return std::exp(-(*this)(Eigen::VectorXd::Constant(1, x)).misfit() - 0.5 * (x / 2) * (x / 2));
  }
  double mass_above_zero() const {
    double above = 0, all = 0;
    for (double x = -8; x < 8; x += 1e-3) {
      all += density(x);
      if (x > 0) above += density(x);
    }
    return above / all;
  }
};

inline double share_above_zero(const Posterior& p) {
  double share = 0;
  for (Eigen::Index k = 0; k < p.weights.size(); ++k)
    if (p.samples(k, 0) > 0) share += p.weights[k];
  return share;
}

// What the call refuses with; empty where it does not.
inline std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const InputError& error) {
    return error.what();
  }
  return {};
}

inline void expect_refused(const std::function<void()>& call, const std::string& words) {
  const auto said = refusal(call);
  EXPECT_NE(said.find(words), std::string::npos) << "said: " << said << "\nwanted: " << words;
}

}  // namespace cardiotwin::cases
