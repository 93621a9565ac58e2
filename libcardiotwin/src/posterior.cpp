#include <fmt/format.h>

#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cardiotwin/posterior.hpp>
#include <cmath>
#include <numeric>

#include "inference_parts.hpp"

namespace cardiotwin {

void Posterior::validate() const {
  const auto refuse = [](const std::string& why) { throw InputError("Posterior: " + why); };
  if (names.empty() || units.size() != names.size() || samples.cols() != static_cast<Eigen::Index>(names.size()))
    refuse(fmt::format("{} names and {} units for {} parameters", names.size(), units.size(), samples.cols()));
  if (samples.rows() < 1 || weights.size() != samples.rows() || log_density.size() != samples.rows())
    refuse(fmt::format("{} weights and {} log densities for {} draws", weights.size(), log_density.size(),
                       samples.rows()));
  if (!samples.allFinite()) refuse("a draw is not finite");
  if (!(weights.minCoeff() >= 0 && std::abs(weights.sum() - 1) < 1e-9))
    refuse(fmt::format("weights from {:g} on with sum {:g} are not shares of 1", weights.minCoeff(), weights.sum()));
}

std::size_t Posterior::index(const std::string& name) const {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    throw InputError(fmt::format("Posterior: no parameter \"{}\"{}", name, suggestion(name, names)));
  return static_cast<std::size_t>(found - names.begin());
}

Eigen::VectorXd Posterior::mean() const { return inference::product(samples.transpose(), weights); }

Eigen::VectorXd Posterior::sd() const {
  const Eigen::MatrixXd off = samples.rowwise() - mean().transpose();
  return inference::product(off.cwiseAbs2().transpose(), weights).cwiseSqrt();
}

Eigen::MatrixXd Posterior::correlation() const {
  const Eigen::VectorXd spread = sd();
  const Eigen::VectorXd inverse = (spread.array() > 0).select(spread.cwiseInverse(), 0);
  const Eigen::MatrixXd off = (samples.rowwise() - mean().transpose()) * inverse.asDiagonal();
  return inference::product(off.transpose(), weights.asDiagonal() * off);
}

Eigen::VectorXd Posterior::quantile(double p) const {
  if (!(p >= 0 && p <= 1)) throw InputError(fmt::format("Posterior: the share {:g} is outside of [0, 1]", p));
  const double size = 1 / weights.squaredNorm();
  std::vector<Eigen::Index> order;
  for (Eigen::Index k = 0; k < weights.size(); ++k)
    if (weights[k] > 0) order.push_back(k);
  Eigen::VectorXd result(samples.cols());
  for (Eigen::Index j = 0; j < samples.cols(); ++j) {
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return samples(a, j) < samples(b, j); });
    double before = 0, last_share = 0, last_value = samples(order.front(), j);
    result[j] = samples(order.back(), j);
    for (const auto k : order) {
      const double share = (size * (before + 0.5 * weights[k]) + 0.5) / (size + 1), value = samples(k, j);
      if (share >= p) {
        const double part = share > last_share ? std::clamp((p - last_share) / (share - last_share), 0.0, 1.0) : 1;
        result[j] = last_value + part * (value - last_value);
        break;
      }
      before += weights[k], last_share = share, last_value = value;
    }
  }
  return result;
}

Eigen::MatrixXd Posterior::interval(double level) const {
  if (!(level > 0 && level < 1))
    throw InputError(fmt::format("Posterior: the level {:g} of an interval is outside of (0, 1)", level));
  Eigen::MatrixXd result(samples.cols(), 2);
  result.col(0) = quantile(0.5 - 0.5 * level);
  result.col(1) = quantile(0.5 + 0.5 * level);
  return result;
}

Posterior Posterior::resampled(int draws, std::uint64_t with_seed) const {
  if (draws < 1) throw InputError(fmt::format("Posterior: {} draws; ask for at least one", draws));
  Posterior result = *this;
  result.seed = with_seed;
  result.samples.resize(draws, samples.cols());
  result.weights = Eigen::VectorXd::Constant(draws, 1.0 / draws);
  result.log_density.resize(draws);
  const double offset = inference::stream(with_seed, 0, 7).uniform();
  Eigen::Index from = 0;
  double sum = weights[0];
  for (int k = 0; k < draws; ++k) {
    while (sum < (k + offset) / draws && from + 1 < weights.size()) sum += weights[++from];
    result.samples.row(k) = samples.row(from);
    result.log_density[k] = log_density[from];
  }
  return result;
}

std::string to_json(const Posterior& p) {
  using namespace inference;
  return Json{{"names", p.names},
              {"units", p.units},
              {"samples", matrix(p.samples)},
              {"weights", vector(p.weights)},
              {"log_density", vector(p.log_density)},
              {"seed", p.seed},
              {"method", p.method},
              {"effective_size", number(p.effective_size)},
              {"pareto_k", number(p.pareto_k)}}
      .dump();
}

Posterior posterior_from_json(const std::string& text) {
  using namespace inference;
  Posterior p;
  try {
    const Json json = Json::parse(text);
    p = {.names = json.at("names").get<std::vector<std::string>>(),
         .units = json.at("units").get<std::vector<std::string>>(),
         .samples = matrix(json.at("samples")),
         .weights = vector(json.at("weights")),
         .log_density = vector(json.at("log_density")),
         .seed = json.at("seed").get<std::uint64_t>(),
         .method = json.at("method").get<std::string>(),
         .effective_size = number(json.at("effective_size")),
         .pareto_k = number(json.at("pareto_k"))};
  } catch (const nlohmann::json::exception& error) {
    throw InputError(fmt::format("Posterior: the JSON cannot be read: {}", error.what()));
  }
  p.validate();
  return p;
}

Posterior ensemble_posterior(const EnsembleKalman& inversion) {
  if (!inversion.done()) throw InputError("Posterior: the ensemble Kalman inversion is not done; go on until it is");
  const Eigen::MatrixXd u = inversion.ensemble();
  const Eigen::VectorXd density = inversion.log_density();
  std::vector<Eigen::Index> good;
  for (Eigen::Index i = 0; i < u.rows(); ++i)
    if (std::isfinite(density[i])) good.push_back(i);
  if (good.empty()) throw NumericalError("Posterior: the model failed at all members of the final ensemble");
  const auto count = static_cast<Eigen::Index>(good.size());
  Posterior p{.names = inversion.space().names(), .units = inversion.space().units()};
  p.samples.resize(count, u.cols());
  p.log_density.resize(count);
  for (Eigen::Index k = 0; k < count; ++k) {
    const auto row = good[static_cast<std::size_t>(k)];
    p.samples.row(k) = inversion.space().from_standard(u.row(row).transpose()).transpose();
    p.log_density[k] = density[row];
  }
  p.weights = Eigen::VectorXd::Constant(count, 1.0 / static_cast<double>(count));
  p.seed = inversion.seed();
  p.method = inversion.method();
  p.effective_size = static_cast<double>(count);
  return p;
}

}  // namespace cardiotwin
