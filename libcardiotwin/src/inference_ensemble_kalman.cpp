#include <fmt/format.h>

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

#include "inference_parts.hpp"

namespace cardiotwin {

using inference::Json;

struct EnsembleKalman::Impl {
  EnsembleKalmanOptions options;
  Eigen::MatrixXd members;  // standard coordinates [members x parameters]
  double temperature = 0;
  int iteration = 0;
  bool ended = false;
  Eigen::VectorXd log_density;

  // Data misfit controller: as much of the data's weight as the spread of the misfits lets one believe in a straight
  // line.
  double step(const std::vector<double>& misfits, Eigen::Index data) const {
    const auto count = static_cast<double>(misfits.size());
    double mean = 0, variance = 0;
    for (const double m : misfits) mean += m / count;
    for (const double m : misfits) variance += (m - mean) * (m - mean) / (count - 1);
    const auto size = static_cast<double>(data);
    const double wanted =
        std::max(size / (2 * mean), std::sqrt(size / (2 * variance)));  // NaN or infinite: all at once
    return wanted < 1 - temperature ? wanted : 1 - temperature;
  }

  // Those that failed are drawn around the mean of the others, with their covariance.
  void replace(const std::vector<Eigen::Index>& failed, const Eigen::MatrixXd& alive) {
    if (failed.empty()) return;
    const Eigen::RowVectorXd mean = alive.colwise().mean();
    const Eigen::MatrixXd off = alive.rowwise() - mean;
    Random random = inference::stream(options.seed, static_cast<std::uint64_t>(iteration), 2);
    for (const Eigen::Index row : failed) {
      const Eigen::VectorXd z = inference::normals(random, alive.rows());
      members.row(row) =
          mean + inference::product(z.transpose(), off) / std::sqrt(static_cast<double>(alive.rows() - 1));
    }
  }
};

EnsembleKalman::EnsembleKalman(ParameterSpace parameters, EnsembleKalmanOptions options)
    : Inference(std::move(parameters), "ensemble Kalman inversion", true), impl_(std::make_unique<Impl>()) {
  const auto d = static_cast<int>(space().size());
  if (options.members < d + 2)
    throw InputError(
        fmt::format("Ensemble Kalman inversion: {} members are too few for {} parameters; give at least {}, better {}",
                    options.members, d, d + 2, std::max(64, 10 * d)));
  impl_->options = options;
  // Draws whose mean is the prior's and whose variances are: less noise than plain ones.
  Eigen::MatrixXd& u = impl_->members;
  u.resize(options.members, d);
  for (Eigen::Index i = 0; i < u.rows(); ++i) {
    Random random = inference::stream(options.seed, static_cast<std::uint64_t>(i), 3);
    u.row(i) = inference::normals(random, d).transpose();
  }
  u.rowwise() -= u.colwise().mean().eval();
  for (Eigen::Index j = 0; j < d; ++j)
    u.col(j) *= std::sqrt(static_cast<double>(u.rows() - 1) / u.col(j).squaredNorm());
}

EnsembleKalman::~EnsembleKalman() = default;

bool EnsembleKalman::done() const { return impl_->ended; }
double EnsembleKalman::progress() const { return impl_->temperature; }
double EnsembleKalman::temperature() const { return impl_->temperature; }
Eigen::MatrixXd EnsembleKalman::ensemble() const { return impl_->members; }
Eigen::VectorXd EnsembleKalman::log_density() const { return impl_->log_density; }
std::uint64_t EnsembleKalman::seed() const { return impl_->options.seed; }

Eigen::MatrixXd EnsembleKalman::propose() const { return impl_->members; }

void EnsembleKalman::learn(const Eigen::MatrixXd& u, std::span<const Evaluation> evaluations) {
  using inference::product;
  Impl& s = *impl_;
  if (s.temperature >= 1) {  // the last ensemble has been evaluated, too
    s.log_density.resize(u.rows());
    for (Eigen::Index i = 0; i < u.rows(); ++i)
      s.log_density[i] = -objective(u.row(i).transpose(), evaluations[static_cast<std::size_t>(i)]);
    s.ended = true;
    return;
  }
  std::vector<Eigen::Index> good, failed;
  std::vector<double> misfits;
  for (Eigen::Index i = 0; i < u.rows(); ++i) {
    const auto& one = evaluations[static_cast<std::size_t>(i)];
    (one.failed() ? failed : good).push_back(i);
    if (!one.failed()) misfits.push_back(one.misfit());
  }
  const auto alive = static_cast<Eigen::Index>(good.size());
  if (alive < u.cols() + 2)
    throw NumericalError(fmt::format("Ensemble Kalman inversion: the model failed for {} of {} members in iteration {}",
                                     failed.size(), u.rows(), s.iteration));
  const Eigen::Index data = evaluations[static_cast<std::size_t>(good.front())].residuals.size();
  Eigen::MatrixXd r(alive, data), x(alive, u.cols());
  for (Eigen::Index k = 0; k < alive; ++k) {
    r.row(k) = evaluations[static_cast<std::size_t>(good[static_cast<std::size_t>(k)])].residuals.transpose();
    x.row(k) = u.row(good[static_cast<std::size_t>(k)]);
  }
  const double step = s.step(misfits, data);
  const double alpha = 1 / step, scale = std::sqrt(static_cast<double>(alive - 1));
  const Eigen::MatrixXd dr = (r.rowwise() - r.colwise().mean()) / scale,
                        dx = (x.rowwise() - x.colwise().mean()) / scale;

  // Noise without a mean of its own does not shift the ensemble.
  Eigen::MatrixXd noise(alive, data);
  for (Eigen::Index k = 0; k < alive; ++k) {
    Random random = inference::stream(s.options.seed, static_cast<std::uint64_t>(s.iteration),
                                      4 + static_cast<std::uint64_t>(good[static_cast<std::size_t>(k)]));
    noise.row(k) = inference::normals(random, data).transpose();
  }
  noise.rowwise() -= noise.colwise().mean().eval();
  const Eigen::MatrixXd innovation = r + std::sqrt(alpha) * noise;  // the data are zero residuals

  // C_xr (C_rr + alpha)^-1, by Woodbury in the space of the members where these are fewer than data.
  const bool few = alive < data;
  Eigen::MatrixXd gram = few ? product(dr, dr.transpose()) : product(dr.transpose(), dr);
  gram.diagonal().array() += alpha;
  const Eigen::LLT<Eigen::MatrixXd> factor(gram);
  if (few) {
    const Eigen::MatrixXd weights = factor.solve(product(dr, innovation.transpose()));
    x -= product(weights.transpose(), dx);
  } else {
    const Eigen::MatrixXd gain = factor.solve(product(dr.transpose(), dx));
    x -= product(innovation, gain);
  }
  if (!x.allFinite()) throw NumericalError("Ensemble Kalman inversion: an update is not finite");
  for (Eigen::Index k = 0; k < alive; ++k) s.members.row(good[static_cast<std::size_t>(k)]) = x.row(k);
  s.replace(failed, x);
  const double next = s.temperature + step;
  s.temperature = next > 1 - 1e-12 ? 1 : next;
  if (++s.iteration > s.options.max_iterations)
    throw NumericalError(fmt::format("Ensemble Kalman inversion: {} iterations have taken in only {:.3g} of the data",
                                     s.options.max_iterations, s.temperature));
}

std::string EnsembleKalman::options() const {
  const auto& o = impl_->options;
  return Json{{"seed", o.seed}, {"members", o.members}, {"max_iterations", o.max_iterations}}.dump();
}

std::string EnsembleKalman::state() const {
  return Json{{"members", inference::matrix(impl_->members)},
              {"temperature", inference::number(impl_->temperature)},
              {"iteration", impl_->iteration},
              {"ended", impl_->ended},
              {"log_density", inference::vector(impl_->log_density)}}
      .dump();
}

void EnsembleKalman::set_state(const std::string& text) {
  const Json json = Json::parse(text);
  Impl next;
  next.options = impl_->options;
  next.members = inference::matrix(json.at("members"));
  next.temperature = inference::number(json.at("temperature"));
  next.iteration = json.at("iteration").get<int>();
  next.ended = json.at("ended").get<bool>();
  next.log_density = inference::vector(json.at("log_density"));
  *impl_ = std::move(next);
}

}  // namespace cardiotwin
