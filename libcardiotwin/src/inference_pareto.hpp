#pragma once
/// Pareto smoothed importance weights; private to the library.

#include <Eigen/Core>

namespace cardiotwin::inference {

/// Replaces the largest weights by quantiles of the generalised Pareto distribution that fits them (Vehtari et al.
/// 2024, doi 10.48550/arXiv.1507.02646). Returns its shape k: below 0.5 weights have a variance, above 0.7 they cannot
/// be trusted. All weights equal, or too few for a tail: left as they are, k = -infinity or NaN.
double smooth_tail(Eigen::VectorXd& log_weights);

struct Pareto {
  double shape, scale;
};
/// Of ascending exceedances above 0 (Zhang & Stephens 2009, doi 10.1198/tech.2009.08017).
Pareto fit_pareto(const Eigen::VectorXd& ascending);

}  // namespace cardiotwin::inference
