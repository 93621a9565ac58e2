#include <fmt/format.h>

#include <Eigen/Cholesky>
#include <algorithm>
#include <cardiotwin/posterior.hpp>
#include <cmath>
#include <numbers>
#include <numeric>

#include "inference_pareto.hpp"
#include "inference_parts.hpp"

namespace cardiotwin {

using inference::Json;

namespace {

// A Gaussian for each optimum that has derivatives, or a Student t of the same shape.
class Mixture {
 public:
  Mixture(const ParameterSpace& space, std::span<const Optimum> optima, int tail, double inflation, double least_share)
      : tail_(tail) {
    const auto d = static_cast<Eigen::Index>(space.size());
    std::vector<double> masses;
    for (const auto& one : optima) {
      if (one.information.rows() != d || one.standard.size() != d) continue;
      const Eigen::LLT<Eigen::MatrixXd> factor(one.information + Eigen::MatrixXd::Identity(d, d));
      if (factor.info() != Eigen::Success) continue;
      const Eigen::MatrixXd root = factor.matrixU();  // root^T root is the precision
      centers_.push_back(one.standard);
      roots_.push_back(root / inflation);
      log_determinants_.push_back(roots_.back().diagonal().array().log().sum());
      // The prior counts, whether or not the fit knew it.
      masses.push_back(-one.misfit - 0.5 * one.standard.squaredNorm() - root.diagonal().array().log().sum());
    }
    if (masses.empty())
      throw InputError(
          "Posterior: no optimum has derivatives; start Levenberg-Marquardt from where the other method ended");
    const Eigen::Map<const Eigen::VectorXd> all(masses.data(), static_cast<Eigen::Index>(masses.size()));
    shares_ = (all.array() - inference::log_sum_exp(all)).exp();
    // A mode wider than its Gaussian is given a chance to say so.
    shares_ = shares_.cwiseMax(least_share / static_cast<double>(masses.size()));
    shares_ /= shares_.sum();
  }

  Eigen::VectorXd draw(Random& random) const {
    const double at = random.uniform();
    Eigen::Index k = 0;
    for (double sum = shares_[0]; sum <= at && k + 1 < shares_.size();) sum += shares_[++k];
    const auto& root = roots_[static_cast<std::size_t>(k)];
    Eigen::VectorXd z = inference::normals(random, root.rows());
    if (tail_ > 0) z /= std::sqrt(inference::normals(random, tail_).squaredNorm() / tail_);
    return centers_[static_cast<std::size_t>(k)] + root.triangularView<Eigen::Upper>().solve(z);
  }

  double log_density(const Eigen::VectorXd& u) const {
    Eigen::VectorXd parts(shares_.size());
    const auto d = static_cast<double>(u.size());
    for (Eigen::Index k = 0; k < parts.size(); ++k) {
      const auto i = static_cast<std::size_t>(k);
      const double square = inference::product(roots_[i], u - centers_[i]).squaredNorm();
      parts[k] = std::log(shares_[k]) + log_determinants_[i] +
                 (tail_ > 0 ? -0.5 * (tail_ + d) * std::log1p(square / tail_) : -0.5 * square);
    }
    return inference::log_sum_exp(parts);
  }

 private:
  int tail_;  // degrees of freedom; 0: Gaussian
  std::vector<Eigen::VectorXd> centers_;
  std::vector<Eigen::MatrixXd> roots_;
  std::vector<double> log_determinants_;
  Eigen::VectorXd shares_;
};

Eigen::VectorXd clipped(const Eigen::VectorXd& u) {
  return u.cwiseMax(-ParameterSpace::limit).cwiseMin(ParameterSpace::limit);
}

}  // namespace

Posterior laplace_posterior(const ParameterSpace& space, std::span<const Optimum> optima, int draws,
                            std::uint64_t seed) {
  if (draws < 1) throw InputError(fmt::format("Posterior: {} draws; ask for at least one", draws));
  const Mixture mixture(space, optima, 0, 1, 0);
  Posterior p{.names = space.names(), .units = space.units()};
  p.samples.resize(draws, static_cast<Eigen::Index>(space.size()));
  for (Eigen::Index i = 0; i < draws; ++i) {
    Random random = inference::stream(seed, static_cast<std::uint64_t>(i), 5);
    p.samples.row(i) = space.from_standard(mixture.draw(random)).transpose();
  }
  p.weights = Eigen::VectorXd::Constant(draws, 1.0 / draws);
  p.log_density = Eigen::VectorXd::Constant(draws, NAN);
  p.seed = seed;
  p.method = "Laplace mixture";
  p.effective_size = draws;
  return p;
}

struct ImportanceSampler::Impl {
  ImportanceOptions options;
  std::vector<Optimum> optima;
  Mixture mixture;
  Eigen::MatrixXd u;  // [draws told x parameters]
  std::vector<double> log_posterior, log_ratio;
};

ImportanceSampler::ImportanceSampler(ParameterSpace parameters, std::vector<Optimum> optima, ImportanceOptions options)
    : Inference(std::move(parameters), "importance sampling", true) {
  if (options.draws < 16 || options.batch < 1 || options.tail < 1 || !(options.inflation > 0))
    throw InputError(
        fmt::format("Importance sampling: {} draws in batches of {}, {} degrees of freedom and inflation "
                    "{:g} cannot be; at least 16, 1, 1 and above 0",
                    options.draws, options.batch, options.tail, options.inflation));
  Mixture mixture(space(), optima, options.tail, options.inflation, 0.1);
  impl_ = std::make_unique<Impl>(Impl{options, std::move(optima), std::move(mixture), {}, {}, {}});
  impl_->u.resize(0, static_cast<Eigen::Index>(space().size()));
}

ImportanceSampler::~ImportanceSampler() = default;

bool ImportanceSampler::done() const { return impl_->u.rows() >= impl_->options.draws; }
double ImportanceSampler::progress() const { return static_cast<double>(impl_->u.rows()) / impl_->options.draws; }

Eigen::MatrixXd ImportanceSampler::propose() const {
  const Eigen::Index told = impl_->u.rows();
  Eigen::MatrixXd rows(std::min<Eigen::Index>(impl_->options.batch, impl_->options.draws - told), impl_->u.cols());
  for (Eigen::Index i = 0; i < rows.rows(); ++i) {
    Random random = inference::stream(impl_->options.seed, static_cast<std::uint64_t>(told + i), 6);
    rows.row(i) = clipped(impl_->mixture.draw(random)).transpose();
  }
  return rows;
}

void ImportanceSampler::learn(const Eigen::MatrixXd& u, std::span<const Evaluation> evaluations) {
  const Eigen::Index told = impl_->u.rows();
  impl_->u.conservativeResize(told + u.rows(), Eigen::NoChange);
  impl_->u.bottomRows(u.rows()) = u;
  for (Eigen::Index i = 0; i < u.rows(); ++i) {
    const Eigen::VectorXd at = u.row(i).transpose();
    const double log_posterior = -objective(at, evaluations[static_cast<std::size_t>(i)]);
    impl_->log_posterior.push_back(log_posterior);
    impl_->log_ratio.push_back(log_posterior - impl_->mixture.log_density(at));
  }
}

Posterior ImportanceSampler::posterior() const {
  if (!done()) throw InputError("Posterior: the importance sampling is not done; go on until it is");
  const auto count = static_cast<Eigen::Index>(impl_->log_ratio.size());
  Eigen::VectorXd log_weights = Eigen::Map<const Eigen::VectorXd>(impl_->log_ratio.data(), count);
  if (!std::isfinite(log_weights.maxCoeff()))
    throw NumericalError("Importance sampling: the model failed at all draws");
  Posterior p{.names = space().names(), .units = space().units()};
  p.pareto_k = inference::smooth_tail(log_weights);
  p.weights = (log_weights.array() - inference::log_sum_exp(log_weights)).exp();
  p.weights /= p.weights.sum();
  p.samples.resize(count, impl_->u.cols());
  for (Eigen::Index i = 0; i < count; ++i)
    p.samples.row(i) = space().from_standard(impl_->u.row(i).transpose()).transpose();
  p.log_density = Eigen::Map<const Eigen::VectorXd>(impl_->log_posterior.data(), count);
  p.seed = impl_->options.seed;
  p.method = method();
  p.effective_size = 1 / p.weights.squaredNorm();
  return p;
}

std::string ImportanceSampler::options() const {
  const auto& o = impl_->options;
  Json optima = Json::array();
  for (const auto& one : impl_->optima) optima.push_back(inference::optimum(one));
  return Json{{"seed", o.seed}, {"draws", o.draws},         {"batch", o.batch},
              {"tail", o.tail}, {"inflation", o.inflation}, {"optima", optima}}
      .dump();
}

std::string ImportanceSampler::state() const {
  const auto all = [](const std::vector<double>& values) {
    return inference::vector(
        Eigen::VectorXd(Eigen::Map<const Eigen::VectorXd>(values.data(), static_cast<Eigen::Index>(values.size()))));
  };
  return Json{{"u", inference::matrix(impl_->u)},
              {"log_posterior", all(impl_->log_posterior)},
              {"log_ratio", all(impl_->log_ratio)}}
      .dump();
}

void ImportanceSampler::set_state(const std::string& text) {
  const Json json = Json::parse(text);
  Eigen::MatrixXd u = inference::matrix(json.at("u"));
  const Eigen::VectorXd log_posterior = inference::vector(json.at("log_posterior")),
                        log_ratio = inference::vector(json.at("log_ratio"));
  impl_->u = std::move(u);
  impl_->log_posterior.assign(log_posterior.begin(), log_posterior.end());
  impl_->log_ratio.assign(log_ratio.begin(), log_ratio.end());
}

}  // namespace cardiotwin
