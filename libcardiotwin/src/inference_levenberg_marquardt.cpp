#include <fmt/format.h>

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

#include "inference_parts.hpp"

namespace cardiotwin {

using inference::Json;

namespace {

enum class Phase { first, trial, differences, ended };

constexpr double longest_step = 3;  // prior standard deviations; a model is rarely linear beyond

struct Start {
  Phase phase = Phase::first;
  Eigen::VectorXd u, residuals, trial;
  Eigen::MatrixXd jacobian;  // by standard coordinates
  double objective = INFINITY, misfit = INFINITY, promised = 0;
  double damping = 1e-3, growth = 2;
  int iterations = 0;
  bool converged = false;
};

Json to_json(const Start& s) {
  using namespace inference;
  return {{"phase", static_cast<int>(s.phase)}, {"u", vector(s.u)},
          {"residuals", vector(s.residuals)},   {"trial", vector(s.trial)},
          {"jacobian", matrix(s.jacobian)},     {"objective", number(s.objective)},
          {"misfit", number(s.misfit)},         {"promised", number(s.promised)},
          {"damping", number(s.damping)},       {"growth", number(s.growth)},
          {"iterations", s.iterations},         {"converged", s.converged}};
}

Start start_of(const Json& json) {
  using namespace inference;
  return {.phase = static_cast<Phase>(json.at("phase").get<int>()),
          .u = vector(json.at("u")),
          .residuals = vector(json.at("residuals")),
          .trial = vector(json.at("trial")),
          .jacobian = matrix(json.at("jacobian")),
          .objective = number(json.at("objective")),
          .misfit = number(json.at("misfit")),
          .promised = number(json.at("promised")),
          .damping = number(json.at("damping")),
          .growth = number(json.at("growth")),
          .iterations = json.at("iterations").get<int>(),
          .converged = json.at("converged").get<bool>()};
}

}  // namespace

struct LevenbergMarquardt::Impl {
  LevenbergMarquardtOptions options;
  double prior;
  std::vector<Start> starts;

  // At a limit of the coordinates nothing is to be gained by going on outward.
  void freeze(const Start& s, Eigen::VectorXd& gradient, Eigen::MatrixXd& curvature) const {
    for (Eigen::Index i = 0; i < gradient.size(); ++i) {
      if (std::abs(s.u[i]) < ParameterSpace::limit || gradient[i] * s.u[i] > 0) continue;
      gradient[i] = 0;
      curvature.row(i).setZero(), curvature.col(i).setZero();
      curvature(i, i) = 1;
    }
  }

  // The next trial, or the end.
  void plan(Start& s) const {
    using inference::product;
    const Eigen::Index d = s.u.size();
    Eigen::VectorXd gradient = product(s.jacobian.transpose(), s.residuals) + prior * s.u;
    Eigen::MatrixXd curvature = product(s.jacobian.transpose(), s.jacobian) + prior * Eigen::MatrixXd::Identity(d, d);
    freeze(s, gradient, curvature);
    const Eigen::VectorXd scale =
        curvature.diagonal().cwiseMax(std::max(1e-12 * curvature.diagonal().maxCoeff(), 1e-300));
    const auto step = [&](double damping) {
      Eigen::MatrixXd damped = curvature;
      damped.diagonal() += damping * scale;
      return Eigen::VectorXd(-damped.ldlt().solve(gradient));
    };
    const double to_gain = -0.5 * gradient.dot(step(1e-12));
    const bool stuck = s.damping > 1e12;
    if (to_gain < options.tolerance || stuck || s.iterations >= options.max_iterations) {
      s.converged = to_gain < std::max(options.tolerance, stuck ? 1e-4 : 0);
      s.phase = Phase::ended;
      return;
    }
    Eigen::VectorXd move = step(s.damping);
    if (const double most = move.cwiseAbs().maxCoeff(); most > longest_step) move *= longest_step / most;
    s.trial = (s.u + move).cwiseMax(-ParameterSpace::limit).cwiseMin(ParameterSpace::limit);
    move = s.trial - s.u;
    s.promised = -gradient.dot(move) - 0.5 * move.dot(product(curvature, move).col(0));
    s.phase = Phase::trial;
  }

  void accept(Start& s, const Evaluation& e, double objective, const Eigen::VectorXd& derivative) const {
    s.u = s.trial, s.residuals = e.residuals, s.objective = objective, s.misfit = e.misfit();
    s.phase = Phase::differences;
    if (e.jacobian.size() == 0) return;
    s.jacobian = e.jacobian * derivative.asDiagonal();
    if (s.jacobian.allFinite()) plan(s);  // else by differences
  }

  void judge(Start& s, const Evaluation& e, double objective, const Eigen::VectorXd& derivative) const {
    if (s.phase == Phase::first) {
      s.phase = Phase::ended;
      if (std::isfinite(objective)) accept(s, e, objective, derivative);
      return;
    }
    ++s.iterations;
    const double gain = (s.objective - objective) / s.promised;
    if (s.promised > 0 && std::isfinite(objective) && gain > 0) {
      s.damping *= std::max(1.0 / 3, 1 - std::pow(2 * gain - 1, 3));
      s.growth = 2;
      accept(s, e, objective, derivative);
    } else {
      s.damping *= s.growth, s.growth *= 2;
      plan(s);
    }
  }

  // Outward differences at a limit would not move the value.
  double difference(double u) const { return u > 0 ? -options.difference : options.difference; }

  void differentiate(Start& s, std::span<const Evaluation> steps) const {
    s.jacobian.resize(s.residuals.size(), s.u.size());
    for (Eigen::Index i = 0; i < s.u.size(); ++i) {
      const auto& one = steps[static_cast<std::size_t>(i)];
      if (one.failed()) {  // no slope, no way on
        s.phase = Phase::ended;
        s.jacobian.resize(0, 0);
        return;
      }
      s.jacobian.col(i) = (one.residuals - s.residuals) / difference(s.u[i]);
    }
    plan(s);
  }
};

LevenbergMarquardt::LevenbergMarquardt(ParameterSpace parameters, LevenbergMarquardtOptions options)
    : Inference(std::move(parameters), "Levenberg-Marquardt", options.with_prior), impl_(std::make_unique<Impl>()) {
  if (options.from.size() == 0 && options.starts < 1)
    throw InputError(fmt::format("Levenberg-Marquardt: {} starts; give at least one", options.starts));
  if (!(options.difference > 0 && options.difference <= 1))
    throw InputError(fmt::format(
        "Levenberg-Marquardt: the difference {:g} is outside of (0, 1] prior standard deviations", options.difference));
  if (options.from.size() > 0) {
    if (options.from.cols() != static_cast<Eigen::Index>(space().size()))
      throw InputError(fmt::format("Levenberg-Marquardt: starts have {} values for {} parameters", options.from.cols(),
                                   space().size()));
    for (Eigen::Index i = 0; i < options.from.rows(); ++i)
      impl_->starts.push_back({.trial = space().to_standard(options.from.row(i).transpose())});
  } else {
    impl_->starts.push_back({.trial = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(space().size()))});
    const auto drawn = space().sample_stratified(options.starts - 1, options.seed);
    for (Eigen::Index i = 0; i < drawn.rows(); ++i)
      impl_->starts.push_back({.trial = space().to_standard(drawn.row(i).transpose())});
  }
  impl_->prior = prior_weight();
  impl_->options = std::move(options);
}

LevenbergMarquardt::~LevenbergMarquardt() = default;

bool LevenbergMarquardt::done() const {
  return std::ranges::all_of(impl_->starts, [](const Start& s) { return s.phase == Phase::ended; });
}

double LevenbergMarquardt::progress() const {
  const auto ended = std::ranges::count_if(impl_->starts, [](const Start& s) { return s.phase == Phase::ended; });
  return static_cast<double>(ended) / static_cast<double>(impl_->starts.size());
}

Eigen::MatrixXd LevenbergMarquardt::propose() const {
  std::vector<Eigen::VectorXd> points;
  for (const auto& s : impl_->starts) {
    if (s.phase == Phase::first || s.phase == Phase::trial) points.push_back(s.trial);
    if (s.phase != Phase::differences) continue;
    for (Eigen::Index i = 0; i < s.u.size(); ++i) {
      points.push_back(s.u);
      points.back()[i] += impl_->difference(s.u[i]);
    }
  }
  Eigen::MatrixXd rows(static_cast<Eigen::Index>(points.size()), static_cast<Eigen::Index>(space().size()));
  for (std::size_t i = 0; i < points.size(); ++i) rows.row(static_cast<Eigen::Index>(i)) = points[i].transpose();
  return rows;
}

void LevenbergMarquardt::learn(const Eigen::MatrixXd&, std::span<const Evaluation> evaluations) {
  for (auto& s : impl_->starts) {
    if (s.phase == Phase::ended) continue;
    if (s.phase == Phase::differences) {
      const auto count = static_cast<std::size_t>(s.u.size());
      impl_->differentiate(s, evaluations.first(count));
      evaluations = evaluations.subspan(count);
    } else {
      const auto& e = evaluations.front();
      impl_->judge(s, e, objective(s.trial, e), space().derivative(s.trial));
      evaluations = evaluations.subspan(1);
    }
  }
}

std::vector<Optimum> LevenbergMarquardt::optima() const {
  using inference::product;
  std::vector<Optimum> all;
  for (const auto& s : impl_->starts) {
    if (s.u.size() == 0) continue;
    Optimum one{.point = space().from_standard(s.u), .standard = s.u, .misfit = s.misfit, .objective = s.objective};
    if (s.jacobian.size() > 0) one.information = product(s.jacobian.transpose(), s.jacobian);
    one.converged = s.converged;
    all.push_back(std::move(one));
  }
  return inference::distinct(std::move(all), [&](const Optimum& known, const Optimum& other) {
    if (known.information.size() == 0) return false;
    const Eigen::VectorXd apart = other.standard - known.standard;
    return apart.dot(product(known.information, apart).col(0)) + impl_->prior * apart.squaredNorm() < 0.3 * 0.3;
  });
}

std::string LevenbergMarquardt::options() const {
  const auto& o = impl_->options;
  return Json{{"starts", o.starts},
              {"from", inference::matrix(o.from)},
              {"seed", o.seed},
              {"max_iterations", o.max_iterations},
              {"tolerance", o.tolerance},
              {"difference", o.difference},
              {"with_prior", o.with_prior}}
      .dump();
}

std::string LevenbergMarquardt::state() const {
  Json starts = Json::array();
  for (const auto& s : impl_->starts) starts.push_back(to_json(s));
  return starts.dump();
}

void LevenbergMarquardt::set_state(const std::string& text) {
  std::vector<Start> starts;
  for (const auto& one : Json::parse(text)) starts.push_back(start_of(one));
  impl_->starts = std::move(starts);
}

}  // namespace cardiotwin
