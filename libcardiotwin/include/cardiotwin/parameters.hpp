#pragma once
/// What is not known of a patient: parameters with bounds and priors, and the coordinates in which they are inferred.

#include <Eigen/Core>
#include <cardiotwin/random.hpp>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace cardiotwin {

/// What is believed of a parameter before any data, within its bounds.
struct Prior {
  enum class Kind { normal, lognormal, uniform };
  Kind kind = Kind::uniform;
  double center = 0;  ///< normal: mean, lognormal: median [the parameter's unit]; uniform: not looked at
  double spread = 0;  ///< normal: standard deviation [the parameter's unit], lognormal: that of the logarithm [-]
};

struct Parameter {
  std::string name = {};
  std::string unit = {};  ///< as text, "S/m"
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  Prior prior = {};         ///< cut off at the bounds
  std::string source = {};  ///< of prior and bounds: a DOI, a measurement
};

/// Independent parameters. Inference works in standard coordinates u, in which the prior is a standard normal one: u is
/// the normal quantile of the prior's distribution function. So bounds always hold, steps are in prior standard
/// deviations, and minus the log prior is |u|^2 / 2. Without bounds u = (x - mean) / sd, or the same of the logarithm.
class ParameterSpace {
 public:
  ParameterSpace() = default;
  /// Throws InputError for no parameters, names that are empty or not distinct, bounds not in order, a uniform prior
  /// without finite bounds, a spread that is not positive, or a centre outside of the bounds.
  explicit ParameterSpace(std::vector<Parameter>);

  std::size_t size() const { return parameters_.size(); }
  const Parameter& operator[](std::size_t i) const { return parameters_[i]; }
  auto begin() const { return parameters_.begin(); }
  auto end() const { return parameters_.end(); }
  std::vector<std::string> names() const;
  std::vector<std::string> units() const;
  /// Which parameter has this name; throws InputError with the nearest known name.
  std::size_t index(std::string_view name) const;

  /// Values [parameters, own units] to standard coordinates; a value at or beyond its bound gives the limit below.
  /// Throws InputError unless there is one finite value for each parameter.
  Eigen::VectorXd to_standard(const Eigen::VectorXd& values) const;
  /// And back; always within the bounds. Coordinates beyond the limit count as the limit.
  Eigen::VectorXd from_standard(const Eigen::VectorXd& u) const;
  /// d value / d u of each parameter at u.
  Eigen::VectorXd derivative(const Eigen::VectorXd& u) const;
  /// Log of the prior density of values [parameters], per product of their units; minus infinity outside of the bounds.
  double log_prior(const Eigen::VectorXd& values) const;

  /// Independent draws from the prior [count x parameters]; the same for the same seed.
  Eigen::MatrixXd sample(int count, std::uint64_t seed) const;
  /// One draw from each of `count` equally likely strata of every parameter, shuffled between parameters (Latin
  /// hypercube; McKay, Beckman & Conover 1979, doi 10.1080/00401706.1979.10489755) [count x parameters].
  Eigen::MatrixXd sample_stratified(int count, std::uint64_t seed) const;

  /// Largest |u| that is told apart: 1e-16 of the prior lie beyond.
  static constexpr double limit = 8.2;

 private:
  std::vector<Parameter> parameters_;
};

/// JSON with names, units, bounds (null: none), priors and sources.
std::string to_json(const ParameterSpace&);
/// Throws InputError where the text is damaged or the parameters are not valid.
ParameterSpace parameters_from_json(const std::string&);

}  // namespace cardiotwin
