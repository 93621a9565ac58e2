#include <fmt/format.h>

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <cardiotwin/error.hpp>
#include <cardiotwin/posterior.hpp>
#include <cmath>

#include "inference_parts.hpp"

namespace cardiotwin {
namespace {

constexpr double least_shrinkage = 0.2;
constexpr double strong_correlation = 0.95;

// What a direction is made of: the parameters that carry it, largest first.
std::string words(const Eigen::VectorXd& direction, const std::vector<std::string>& names) {
  std::string text;
  Eigen::Index leading = 0;
  const double most = direction.cwiseAbs().maxCoeff(&leading);
  const double sign = direction[leading] < 0 ? -1 : 1;
  for (Eigen::Index i = 0; i < direction.size(); ++i) {
    const double part = sign * direction[i];
    if (std::abs(part) < 0.3 * most) continue;
    text += fmt::format("{}{:.2f} {}", text.empty() ? (part < 0 ? "-" : "") : (part < 0 ? " - " : " + "),
                        std::abs(part), names[static_cast<std::size_t>(i)]);
  }
  return text;
}

// `covariance` in standard coordinates, where the prior's is the identity.
Identifiability judge(const ParameterSpace& space, const Eigen::MatrixXd& covariance) {
  Identifiability result{.names = space.names()};
  const Eigen::VectorXd variance = covariance.diagonal();
  result.shrinkage = 1 - variance.array();
  const Eigen::VectorXd sd = variance.cwiseSqrt();
  const Eigen::VectorXd inverse = (sd.array() > 0).select(sd.cwiseInverse(), 0);
  result.correlation = inverse.asDiagonal() * covariance * inverse.asDiagonal();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(covariance);
  result.directions = solver.eigenvectors();
  result.direction_shrinkage = 1 - solver.eigenvalues().array();
  const auto& names = result.names;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const double s = result.shrinkage[static_cast<Eigen::Index>(i)];
    if (s >= least_shrinkage) continue;
    result.undetermined.push_back(names[i]);
    result.sentences.push_back(
        fmt::format("{} is not determined by the data: its variance shrank by {:.0f} % of the "
                    "prior's; what is said of it is the prior",
                    names[i], 100 * std::max(s, 0.0)));
  }
  for (std::size_t i = 0; i < names.size(); ++i)
    for (std::size_t j = i + 1; j < names.size(); ++j) {
      const double rho = result.correlation(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j));
      if (!(std::abs(rho) > strong_correlation)) continue;
      result.correlated.emplace_back(names[i], names[j]);
      result.sentences.push_back(
          fmt::format("{} and {} cannot be told apart: their correlation is {:.3f}", names[i], names[j], rho));
    }
  // A direction no single parameter or pair gives away.
  if (const Eigen::Index last = covariance.rows() - 1;
      result.sentences.empty() && result.direction_shrinkage[last] < least_shrinkage)
    result.sentences.push_back(
        fmt::format("one combination is not determined by the data: {} (in prior standard "
                    "deviations)",
                    words(result.directions.col(last), names)));
  if (result.sentences.empty()) result.sentences.emplace_back("all parameters are determined by the data");
  return result;
}

}  // namespace

Identifiability identifiability(const ParameterSpace& space, const Optimum& optimum) {
  const auto d = static_cast<Eigen::Index>(space.size());
  if (optimum.information.rows() != d || optimum.information.cols() != d)
    throw InputError("Identifiability: the optimum has no derivatives; take one of Levenberg-Marquardt");
  const Eigen::MatrixXd identity = Eigen::MatrixXd::Identity(d, d);
  const Eigen::MatrixXd covariance = (optimum.information + identity).ldlt().solve(identity);
  return judge(space, 0.5 * (covariance + covariance.transpose()));
}

Identifiability identifiability(const ParameterSpace& space, const Posterior& posterior) {
  posterior.validate();
  if (posterior.names != space.names())
    throw InputError("Identifiability: the posterior is of other parameters than the space");
  const double size = 1 / posterior.weights.squaredNorm();
  if (!(size > 2)) throw InputError(fmt::format("Identifiability: {:.1f} effective draws are too few", size));
  Eigen::MatrixXd u(posterior.samples.rows(), posterior.samples.cols());
  for (Eigen::Index i = 0; i < u.rows(); ++i)
    u.row(i) = space.to_standard(posterior.samples.row(i).transpose()).transpose();
  u.rowwise() -= inference::product(posterior.weights.transpose(), u).row(0);
  return judge(space, inference::product(u.transpose(), posterior.weights.asDiagonal() * u) * (size / (size - 1)));
}

}  // namespace cardiotwin
