#include <fmt/format.h>

#include <cardiotwin/error.hpp>
#include <cardiotwin/inference.hpp>
#include <cmath>

#include "inference_parts.hpp"

namespace cardiotwin {

double Evaluation::misfit() const { return failed() ? INFINITY : 0.5 * residuals.squaredNorm(); }

namespace {

struct Weighed {
  double residual, slope;  // slope: d residual / d plain residual
};

Weighed weighed(double r, Noise noise, double shape) {
  if (noise == Noise::gaussian || (noise == Noise::huber && std::abs(r) <= shape)) return {r, 1};
  double rho = 0, slope = 0;  // minus log likelihood and its derivative
  if (noise == Noise::huber) {
    rho = shape * std::abs(r) - 0.5 * shape * shape;
    slope = std::copysign(shape, r);
  } else {
    rho = 0.5 * (shape + 1) * std::log1p(r * r / shape);
    slope = (shape + 1) * r / (shape + r * r);
  }
  const double root = std::copysign(std::sqrt(2 * rho), r);
  if (std::abs(root) < 1e-8) return {root, std::sqrt((shape + 1) / shape)};  // the limit of 0 / 0
  return {root, slope / root};
}

}  // namespace

Evaluation weighted_residuals(const Eigen::VectorXd& predicted, const Eigen::VectorXd& observed,
                              const Eigen::VectorXd& sd, Noise noise, double shape, const Eigen::MatrixXd& jacobian) {
  const Eigen::Index all = observed.size();
  if (predicted.size() != all || sd.size() != all || (jacobian.size() > 0 && jacobian.rows() != all))
    throw InputError(
        fmt::format("Noise: {} predictions, {} standard deviations and {} rows of the Jacobian for {} data",
                    predicted.size(), sd.size(), jacobian.rows(), all));
  if (shape == 0) shape = noise == Noise::huber ? 1.345 : 4;
  if (!(shape > 0)) throw InputError(fmt::format("Noise: the shape {:g} is not positive", shape));
  const Eigen::Index known = all - static_cast<Eigen::Index>(observed.array().isNaN().count());
  if (known == 0) throw InputError("Noise: none of the data was observed; there is nothing to fit");
  Evaluation result;
  result.residuals.resize(known);
  if (jacobian.size() > 0) result.jacobian.resize(known, jacobian.cols());
  for (Eigen::Index i = 0, k = 0; i < all; ++i) {
    if (std::isnan(observed[i])) continue;
    if (!(sd[i] > 0)) throw InputError(fmt::format("Noise: datum {} has the standard deviation {:g}", i, sd[i]));
    const auto [residual, slope] = weighed((predicted[i] - observed[i]) / sd[i], noise, shape);
    result.residuals[k] = residual;
    if (jacobian.size() > 0) result.jacobian.row(k) = jacobian.row(i) * (slope / sd[i]);
    ++k;
  }
  return result;
}

Inference::Inference(ParameterSpace space, std::string method, bool with_prior)
    : space_(std::move(space)), method_(std::move(method)), with_prior_(with_prior) {
  if (space_.size() == 0) throw InputError(method_ + ": the parameter space is empty");
  best_.objective = INFINITY;
}

Inference::~Inference() = default;

double Inference::objective(const Eigen::VectorXd& u, const Evaluation& evaluation) const {
  return evaluation.misfit() + (with_prior_ ? 0.5 * u.squaredNorm() : 0);
}

void Inference::prepare() {
  if (standard_.size() > 0 || done()) return;
  standard_ = propose();
  asked_.resize(standard_.rows(), standard_.cols());
  for (Eigen::Index i = 0; i < standard_.rows(); ++i)
    asked_.row(i) = space_.from_standard(standard_.row(i).transpose()).transpose();
}

const Eigen::MatrixXd& Inference::ask() {
  prepare();
  return asked_;
}

void Inference::tell(std::span<const Evaluation> evaluations) {
  prepare();
  if (static_cast<Eigen::Index>(evaluations.size()) != asked_.rows())
    throw InputError(fmt::format("{}: {} evaluations for {} points asked", method_, evaluations.size(), asked_.rows()));
  if (evaluations.empty()) return;
  long data = data_;
  for (const auto& one : evaluations) {
    if (one.failed()) continue;
    if (data >= 0 && one.residuals.size() != data)
      throw InputError(fmt::format("{}: {} residuals where there were {} before", method_, one.residuals.size(), data));
    data = one.residuals.size();
    if (one.jacobian.size() > 0 && (one.jacobian.rows() != data || one.jacobian.cols() != asked_.cols()))
      throw InputError(fmt::format("{}: a Jacobian of {} x {} for {} residuals and {} parameters", method_,
                                   one.jacobian.rows(), one.jacobian.cols(), data, asked_.cols()));
  }
  data_ = data;
  for (std::size_t i = 0; i < evaluations.size(); ++i) {
    const auto row = static_cast<Eigen::Index>(i);
    const double found = objective(standard_.row(row).transpose(), evaluations[i]);
    if (!(found < best_.objective)) continue;
    best_ = {.point = asked_.row(row).transpose(),
             .standard = standard_.row(row).transpose(),
             .misfit = evaluations[i].misfit(),
             .objective = found};
  }
  evaluations_ += static_cast<long>(evaluations.size());
  const Eigen::MatrixXd u = std::move(standard_);
  standard_.resize(0, 0), asked_.resize(0, u.cols());
  learn(u, evaluations);
}

const Optimum& Inference::best() const {
  if (std::isinf(best_.objective))
    throw NumericalError(fmt::format("{}: the model failed at all {} points so far", method_, evaluations_));
  return best_;
}

std::string Inference::save() const {
  using namespace inference;
  return Json{{"schema", "cardiotwin inference 1"},
              {"method", method_},
              {"space", Json::parse(to_json(space_))},
              {"options", Json::parse(options())},
              {"evaluations", evaluations_},
              {"data", data_},
              {"best", optimum(best_)},
              {"state", Json::parse(state())}}
      .dump();
}

void Inference::restore(const std::string& saved) {
  using namespace inference;
  try {
    const Json root = Json::parse(saved);
    if (root.at("schema") != "cardiotwin inference 1" || root.at("method") != method_)
      throw InputError(fmt::format("{}: the saved state is another method's or version's", method_));
    if (root.at("space") != Json::parse(to_json(space_)) || root.at("options") != Json::parse(options()))
      throw InputError(fmt::format("{}: the saved state has other parameters or options; begin anew", method_));
    Optimum best = optimum(root.at("best"));
    const long evaluations = root.at("evaluations").get<long>(), data = root.at("data").get<long>();
    set_state(root.at("state").dump());
    best_ = std::move(best), evaluations_ = evaluations, data_ = data;
  } catch (const nlohmann::json::exception& error) {
    throw InputError(fmt::format("{}: the saved state cannot be read: {}", method_, error.what()));
  }
  standard_.resize(0, 0), asked_.resize(0, static_cast<Eigen::Index>(space_.size()));
}

void infer(Inference& inference, const ForwardModel& model, const Monitor& monitor) {
  while (!inference.done()) {
    monitor.poll();
    monitor.report("fit", inference.progress());
    inference.tell(model(inference.ask()));
  }
  monitor.report("fit", 1);
}

}  // namespace cardiotwin
