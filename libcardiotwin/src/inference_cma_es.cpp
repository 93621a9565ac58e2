#include <fmt/format.h>

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>

#include "inference_parts.hpp"

namespace cardiotwin {

using inference::Json;

namespace {

// Hansen's tutorial, table 1, with weights for the bad half, too.
struct Constants {
  int population, parents;
  Eigen::VectorXd weights;  // best first
  double mu, c_sigma, d_sigma, c_c, c_1, c_mu, expected_length;

  Constants(Eigen::Index dimension, int lambda) : population(lambda), parents(lambda / 2), weights(lambda) {
    const auto n = static_cast<double>(dimension);
    for (int i = 0; i < lambda; ++i) weights[i] = std::log((lambda + 1) / 2.0) - std::log(i + 1.0);
    const auto good = weights.head(parents), bad = weights.tail(lambda - parents);
    const double sum_good = good.sum(), sum_bad = -bad.cwiseMin(0).sum();
    mu = sum_good * sum_good / good.squaredNorm();
    const double mu_bad = bad.sum() * bad.sum() / bad.squaredNorm();
    c_sigma = (mu + 2) / (n + mu + 5);
    d_sigma = 1 + 2 * std::max(0.0, std::sqrt((mu - 1) / (n + 1)) - 1) + c_sigma;
    c_c = (4 + mu / n) / (n + 4 + 2 * mu / n);
    c_1 = 2 / ((n + 1.3) * (n + 1.3) + mu);
    c_mu = std::min(1 - c_1, 2 * (0.25 + mu + 1 / mu - 2) / ((n + 2) * (n + 2) + mu));
    expected_length = std::sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n));
    const double alpha = std::min({1 + c_1 / c_mu, 1 + 2 * mu_bad / (mu + 2), (1 - c_1 - c_mu) / (n * c_mu)});
    for (double& w : weights) w = w >= 0 ? w / sum_good : alpha * w / sum_bad;
  }
};

struct Run {
  int number = 0, population = 0, generation = 0;
  Eigen::VectorXd mean, path_sigma, path_c;
  Eigen::MatrixXd covariance;
  double sigma = 1;
  std::deque<double> best_of;  // the last generations
  Optimum best;
};

Json to_json(const Run& r) {
  using namespace inference;
  Json history = Json::array();
  for (const double value : r.best_of) history.push_back(number(value));
  return {{"number", r.number},
          {"population", r.population},
          {"generation", r.generation},
          {"mean", vector(r.mean)},
          {"path_sigma", vector(r.path_sigma)},
          {"path_c", vector(r.path_c)},
          {"covariance", matrix(r.covariance)},
          {"sigma", number(r.sigma)},
          {"best_of", history},
          {"best", optimum(r.best)}};
}

Run run_of(const Json& json) {
  using namespace inference;
  Run r{.number = json.at("number").get<int>(),
        .population = json.at("population").get<int>(),
        .generation = json.at("generation").get<int>(),
        .mean = vector(json.at("mean")),
        .path_sigma = vector(json.at("path_sigma")),
        .path_c = vector(json.at("path_c")),
        .covariance = matrix(json.at("covariance")),
        .sigma = number(json.at("sigma")),
        .best_of = {},
        .best = optimum(json.at("best"))};
  for (const auto& value : json.at("best_of")) r.best_of.push_back(number(value));
  return r;
}

// Square roots of a covariance.
struct Axes {
  Eigen::MatrixXd directions;
  Eigen::VectorXd lengths;

  explicit Axes(const Eigen::MatrixXd& covariance) {
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(covariance);
    directions = solver.eigenvectors();
    lengths = solver.eigenvalues().cwiseMax(1e-300).cwiseSqrt();
  }
  Eigen::VectorXd stretch(const Eigen::VectorXd& z) const {
    return inference::product(directions, lengths.cwiseProduct(z));
  }
  Eigen::VectorXd whiten(const Eigen::VectorXd& y) const {
    const Eigen::VectorXd along = inference::product(directions.transpose(), y);
    return inference::product(directions, along.cwiseQuotient(lengths));
  }
};

}  // namespace

struct CmaEs::Impl {
  CmaEsOptions options;
  Run run;
  std::vector<Optimum> ends;  // of earlier runs
  long evaluations = 0;
  bool ended = false;

  void begin(const ParameterSpace& space, int number) {
    const auto d = static_cast<Eigen::Index>(space.size());
    const int first = options.population > 0 ? options.population : 4 + static_cast<int>(3 * std::log(d));
    run = {.number = number, .population = first << number, .sigma = options.sigma};
    Random random = inference::stream(options.seed, static_cast<std::uint64_t>(number), 1);
    run.mean = number == 0 ? Eigen::VectorXd(Eigen::VectorXd::Zero(d)) : inference::normals(random, d);
    run.path_sigma = run.path_c = Eigen::VectorXd::Zero(d);
    run.covariance = Eigen::MatrixXd::Identity(d, d);
    run.best.objective = INFINITY;
  }

  void adapt(const Eigen::MatrixXd& u, const std::vector<Eigen::Index>& order) {
    const Eigen::Index d = run.mean.size();
    const auto n = static_cast<double>(d);
    const Constants c(d, run.population);
    const Axes axes(run.covariance);
    Eigen::MatrixXd y(d, run.population);  // best first
    for (int k = 0; k < run.population; ++k)
      y.col(k) = (u.row(order[static_cast<std::size_t>(k)]).transpose() - run.mean) / run.sigma;
    Eigen::VectorXd shift = Eigen::VectorXd::Zero(d);
    for (int k = 0; k < c.parents; ++k) shift += c.weights[k] * y.col(k);
    run.mean += run.sigma * shift;
    run.path_sigma =
        (1 - c.c_sigma) * run.path_sigma + std::sqrt(c.c_sigma * (2 - c.c_sigma) * c.mu) * axes.whiten(shift);
    const double length = run.path_sigma.norm();
    const double settled = std::sqrt(1 - std::pow(1 - c.c_sigma, 2 * (run.generation + 1)));
    const double h = length / settled < (1.4 + 2 / (n + 1)) * c.expected_length ? 1 : 0;
    run.path_c = (1 - c.c_c) * run.path_c + h * std::sqrt(c.c_c * (2 - c.c_c) * c.mu) * shift;
    const double kept = 1 + c.c_1 * (1 - h) * c.c_c * (2 - c.c_c) - c.c_1 - c.c_mu * c.weights.sum();
    Eigen::MatrixXd next = kept * run.covariance + c.c_1 * run.path_c * run.path_c.transpose();
    for (int k = 0; k < run.population; ++k) {
      const double w = c.weights[k];
      const double bounded = w >= 0 ? w : w * n / std::max(axes.whiten(y.col(k)).squaredNorm(), 1e-300);
      next += c.c_mu * bounded * y.col(k) * y.col(k).transpose();
    }
    run.covariance = 0.5 * (next + next.transpose());
    run.sigma *= std::exp(std::min(1.0, c.c_sigma / c.d_sigma * (length / c.expected_length - 1)));
    ++run.generation;
  }

  enum class End { no, converged, failed };
  End end_of_run(double spread) const {
    const auto n = static_cast<double>(run.mean.size());
    const auto window = static_cast<std::size_t>(10 + std::ceil(30 * n / run.population));
    const auto [low, high] = std::minmax_element(run.best_of.begin(), run.best_of.end());
    if (run.best_of.size() >= window && spread < options.tolerance && *high - *low < options.tolerance)
      return End::converged;
    const Eigen::VectorXd sd = run.covariance.diagonal().cwiseSqrt();
    if (run.sigma * sd.cwiseMax(run.path_c.cwiseAbs()).maxCoeff() < 1e-11 * options.sigma) return End::converged;
    const Axes axes(run.covariance);
    if (!(axes.lengths.maxCoeff() < 1e7 * axes.lengths.minCoeff())) return End::failed;
    if (!(run.sigma * axes.lengths.maxCoeff() < 1e4 * options.sigma)) return End::failed;
    if (run.generation > 100 + 50 * (n + 3) * (n + 3) / std::sqrt(run.population)) return End::failed;
    return End::no;
  }

  std::vector<Optimum> all() const {
    auto found = ends;
    if (!ended && std::isfinite(run.best.objective)) found.push_back(run.best);
    return found;
  }
};

CmaEs::CmaEs(ParameterSpace parameters, CmaEsOptions options)
    : Inference(std::move(parameters), "CMA-ES", options.with_prior), impl_(std::make_unique<Impl>()) {
  if (options.population != 0 && options.population < 4)
    throw InputError(fmt::format("CMA-ES: a population of {} is too small; four are the least", options.population));
  if (options.restarts < 0 || options.restarts > 12)
    throw InputError(fmt::format("CMA-ES: {} restarts are outside of [0, 12]", options.restarts));
  if (!(options.sigma > 0 && options.sigma <= 10))
    throw InputError(fmt::format("CMA-ES: the first step {:g} is outside of (0, 10]", options.sigma));
  impl_->options = options;
  impl_->begin(space(), 0);
}

CmaEs::~CmaEs() = default;

bool CmaEs::done() const { return impl_->ended; }

double CmaEs::progress() const {
  if (impl_->ended) return 1;
  return std::max(static_cast<double>(impl_->run.number) / (impl_->options.restarts + 1),
                  std::min(1.0, static_cast<double>(impl_->evaluations) /
                                    static_cast<double>(std::max(1L, impl_->options.max_evaluations))));
}

Eigen::MatrixXd CmaEs::propose() const {
  const Run& run = impl_->run;
  const Axes axes(run.covariance);
  Random random = inference::stream(impl_->options.seed, static_cast<std::uint64_t>(run.generation),
                                    2 + static_cast<std::uint64_t>(run.number));
  Eigen::MatrixXd rows(run.population, run.mean.size());
  for (Eigen::Index k = 0; k < rows.rows(); ++k)
    rows.row(k) = (run.mean + run.sigma * axes.stretch(inference::normals(random, run.mean.size()))).transpose();
  return rows;
}

void CmaEs::learn(const Eigen::MatrixXd& u, std::span<const Evaluation> evaluations) {
  Run& run = impl_->run;
  std::vector<double> values;
  std::vector<Eigen::Index> order(evaluations.size());
  std::iota(order.begin(), order.end(), Eigen::Index{0});
  for (std::size_t k = 0; k < evaluations.size(); ++k)
    values.push_back(objective(u.row(static_cast<Eigen::Index>(k)).transpose(), evaluations[k]));
  const auto value = [&](Eigen::Index k) { return values[static_cast<std::size_t>(k)]; };
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return value(a) < value(b); });
  impl_->evaluations += static_cast<long>(evaluations.size());
  if (const auto k = order.front(); value(k) < run.best.objective) {
    const Eigen::VectorXd at = u.row(k).transpose();
    run.best = {.point = space().from_standard(at),
                .standard = at,
                .misfit = evaluations[static_cast<std::size_t>(k)].misfit(),
                .objective = value(k)};
  }
  run.best_of.push_back(value(order.front()));
  const double n = static_cast<double>(run.mean.size());
  while (static_cast<double>(run.best_of.size()) > 10 + std::ceil(30 * n / run.population)) run.best_of.pop_front();
  impl_->adapt(u, order);
  const double spread = value(order.back()) - value(order.front());
  const auto end = impl_->end_of_run(std::isnan(spread) ? INFINITY : spread);
  const bool spent = impl_->evaluations + run.population > impl_->options.max_evaluations;
  const bool enough = run.best.objective < impl_->options.target;
  if (end == Impl::End::no && !spent && !enough) return;
  run.best.converged = end == Impl::End::converged || enough;
  if (std::isfinite(run.best.objective)) impl_->ends.push_back(run.best);
  impl_->ended = enough || run.number >= impl_->options.restarts ||
                 impl_->evaluations + 2L * run.population > impl_->options.max_evaluations;
  if (!impl_->ended) impl_->begin(space(), run.number + 1);
}

std::vector<Optimum> CmaEs::optima() const {
  return inference::distinct(impl_->all(), [](const Optimum& known, const Optimum& other) {
    return (known.standard - other.standard).cwiseAbs().maxCoeff() < 0.02;
  });
}

std::string CmaEs::options() const {
  const auto& o = impl_->options;
  return Json{{"seed", o.seed},           {"population", o.population},
              {"restarts", o.restarts},   {"max_evaluations", o.max_evaluations},
              {"target", o.target},       {"sigma", o.sigma},
              {"tolerance", o.tolerance}, {"with_prior", o.with_prior}}
      .dump();
}

std::string CmaEs::state() const {
  Json ends = Json::array();
  for (const auto& one : impl_->ends) ends.push_back(inference::optimum(one));
  return Json{
      {"run", to_json(impl_->run)}, {"ends", ends}, {"evaluations", impl_->evaluations}, {"ended", impl_->ended}}
      .dump();
}

void CmaEs::set_state(const std::string& text) {
  const Json json = Json::parse(text);
  Impl next;
  next.options = impl_->options;
  next.run = run_of(json.at("run"));
  for (const auto& one : json.at("ends")) next.ends.push_back(inference::optimum(one));
  next.evaluations = json.at("evaluations").get<long>();
  next.ended = json.at("ended").get<bool>();
  *impl_ = std::move(next);
}

}  // namespace cardiotwin
