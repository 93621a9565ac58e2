#include "inference_parts.hpp"

#include <cmath>
#include <limits>
#include <numbers>

namespace cardiotwin::inference {

Json number(double value) {
  if (std::isnan(value)) return nullptr;
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return value;
}

double number(const Json& json) {
  if (json.is_null()) return std::numeric_limits<double>::quiet_NaN();
  if (json.is_string()) {
    const auto text = json.get<std::string>();
    if (text != "inf" && text != "-inf") throw InputError("\"" + text + "\" is not a number");
    return text == "inf" ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
  }
  return json.get<double>();
}

Json vector(const Eigen::VectorXd& values) {
  Json array = Json::array();
  for (const double value : values) array.push_back(number(value));
  return array;
}

Eigen::VectorXd vector(const Json& json) {
  Eigen::VectorXd values(static_cast<Eigen::Index>(json.size()));
  for (Eigen::Index i = 0; i < values.size(); ++i) values[i] = number(json.at(static_cast<std::size_t>(i)));
  return values;
}

Json matrix(const Eigen::MatrixXd& values) {
  Json array = Json::array({{values.rows(), values.cols()}});
  for (Eigen::Index i = 0; i < values.rows(); ++i) array.push_back(vector(Eigen::VectorXd(values.row(i))));
  return array;
}

Eigen::MatrixXd matrix(const Json& json) {
  const auto rows = json.at(0).at(0).get<Eigen::Index>(), columns = json.at(0).at(1).get<Eigen::Index>();
  if (rows < 0 || columns < 0 || static_cast<Eigen::Index>(json.size()) != rows + 1)
    throw InputError("a matrix has not the rows it says");
  Eigen::MatrixXd values(rows, columns);
  for (Eigen::Index i = 0; i < rows; ++i) {
    const auto row = vector(json.at(static_cast<std::size_t>(i) + 1));
    if (row.size() != columns) throw InputError("a matrix has not the columns it says");
    values.row(i) = row.transpose();
  }
  return values;
}

Json optimum(const Optimum& o) {
  return {{"point", vector(o.point)},         {"standard", vector(o.standard)},       {"misfit", number(o.misfit)},
          {"objective", number(o.objective)}, {"information", matrix(o.information)}, {"starts", o.starts},
          {"converged", o.converged}};
}

Optimum optimum(const Json& json) {
  return {.point = vector(json.at("point")),
          .standard = vector(json.at("standard")),
          .misfit = number(json.at("misfit")),
          .objective = number(json.at("objective")),
          .information = matrix(json.at("information")),
          .starts = json.at("starts").get<int>(),
          .converged = json.at("converged").get<bool>()};
}

namespace {
std::uint64_t mixed(std::uint64_t z) {  // SplitMix64's finaliser
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}
}  // namespace

Random stream(std::uint64_t seed, std::uint64_t iteration, std::uint64_t part) {
  constexpr std::uint64_t golden = 0x9e3779b97f4a7c15ULL;
  std::uint64_t key = mixed(seed + golden);
  key = mixed(key + golden * (iteration + 1));
  key = mixed(key + golden * (part + 1));
  return Random(key);
}

Eigen::VectorXd normals(Random& random, Eigen::Index count) {
  Eigen::VectorXd values(count);
  for (double& value : values) value = random.normal();
  return values;
}

double normal_density(double z) { return std::exp(-0.5 * z * z) / std::sqrt(2 * std::numbers::pi); }
double normal_below(double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); }

// A guess good to 5e-4 (Abramowitz & Stegun 26.2.23), then Halley's steps on the distribution itself.
double normal_quantile(double below) {
  if (!(below >= 0 && below <= 1)) return std::numeric_limits<double>::quiet_NaN();
  if (below > 0.5) return -normal_quantile(1 - below);
  if (below == 0) return -std::numeric_limits<double>::infinity();
  const double t = std::sqrt(-2 * std::log(below));
  double z = (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t;
  for (int k = 0; k < 3; ++k) {
    const double off = (normal_below(z) - below) / normal_density(z);
    z -= off / (1 + 0.5 * z * off);
  }
  return z;
}

double log_sum_exp(const Eigen::VectorXd& values) {
  const double top = values.maxCoeff();
  if (!std::isfinite(top)) return top;
  return top + std::log((values.array() - top).exp().sum());
}

}  // namespace cardiotwin::inference
