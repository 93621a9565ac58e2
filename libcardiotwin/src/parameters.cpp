#include <fmt/format.h>

#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cardiotwin/parameters.hpp>
#include <cmath>
#include <numbers>
#include <set>

#include "inference_parts.hpp"

namespace cardiotwin {
namespace {

using inference::normal_below;
using inference::normal_density;
using inference::normal_quantile;
using Kind = Prior::Kind;

// The prior as a standard normal z cut off at [low, high], or a uniform one, which needs no z.
struct Cut {
  double low, high;
  bool whole() const { return low < -8.5 && high > 8.5; }  // what is cut off is less than rounding
  double mass() const { return normal_below(high) - normal_below(low); }

  double from_standard(double u) const {
    if (whole()) return u;
    return u <= 0 ? normal_quantile(normal_below(low) + normal_below(u) * mass())
                  : -normal_quantile(normal_below(-high) + normal_below(-u) * mass());
  }
  double to_standard(double z) const {
    if (whole()) return z;
    const double below = (normal_below(z) - normal_below(low)) / mass();
    if (below <= 0.5) return normal_quantile(std::max(below, 0.0));
    return -normal_quantile(std::max((normal_below(-z) - normal_below(-high)) / mass(), 0.0));
  }
  double derivative(double u) const {
    return whole() ? 1 : normal_density(u) * mass() / normal_density(from_standard(u));
  }
};

double z_of(const Parameter& p, double value) {
  if (p.prior.kind == Kind::normal) return (value - p.prior.center) / p.prior.spread;
  return value <= 0 ? -INFINITY : std::log(value / p.prior.center) / p.prior.spread;
}
double value_of(const Parameter& p, double z) {
  return p.prior.kind == Kind::normal ? p.prior.center + p.prior.spread * z
                                      : p.prior.center * std::exp(p.prior.spread * z);
}
Cut cut_of(const Parameter& p) { return {z_of(p, p.low), z_of(p, p.high)}; }

double clipped(double u) { return std::clamp(u, -ParameterSpace::limit, ParameterSpace::limit); }

double to_standard(const Parameter& p, double value) {
  if (value <= p.low) return -ParameterSpace::limit;
  if (value >= p.high) return ParameterSpace::limit;
  if (p.prior.kind != Kind::uniform) return clipped(cut_of(p).to_standard(z_of(p, value)));
  const double below = (value - p.low) / (p.high - p.low), above = (p.high - value) / (p.high - p.low);
  return clipped(below <= 0.5 ? normal_quantile(below) : -normal_quantile(above));
}

double from_standard(const Parameter& p, double u) {
  u = clipped(u);
  double value = 0;
  if (p.prior.kind == Kind::uniform) {
    const double width = p.high - p.low;
    value = u <= 0 ? p.low + width * normal_below(u) : p.high - width * normal_below(-u);
  } else {
    value = value_of(p, cut_of(p).from_standard(u));
  }
  return std::clamp(value, p.low, p.high);
}

double derivative(const Parameter& p, double u) {
  u = clipped(u);
  if (p.prior.kind == Kind::uniform) return (p.high - p.low) * normal_density(u);
  const Cut cut = cut_of(p);
  const double by_z =
      p.prior.kind == Kind::normal ? p.prior.spread : p.prior.spread * value_of(p, cut.from_standard(u));
  return by_z * cut.derivative(u);
}

void check(const Parameter& p) {
  const auto refuse = [&](const std::string& why) {
    throw InputError(fmt::format("Parameter \"{}\": {}", p.name, why));
  };
  if (p.name.empty()) throw InputError("Parameter: a name is empty; every parameter needs one");
  if (!(p.low < p.high)) refuse(fmt::format("bounds [{:g}, {:g}] are not in ascending order", p.low, p.high));
  const Prior& prior = p.prior;
  if (prior.kind == Kind::uniform) {
    if (!std::isfinite(p.low) || !std::isfinite(p.high))
      refuse(fmt::format("a uniform prior needs finite bounds, not [{:g}, {:g}]", p.low, p.high));
    return;
  }
  if (!(prior.spread > 0 && std::isfinite(prior.spread)))
    refuse(fmt::format("the prior's spread {:g} is not a positive number", prior.spread));
  if (!std::isfinite(prior.center) || prior.center < p.low || prior.center > p.high)
    refuse(fmt::format("the prior's centre {:g} is outside of the bounds [{:g}, {:g}]", prior.center, p.low, p.high));
  if (prior.kind == Kind::lognormal && !(prior.center > 0))
    refuse(fmt::format("a lognormal prior needs a positive median, not {:g}", prior.center));
  if (cut_of(p).mass() < 1e-6)
    refuse(
        fmt::format("bounds [{:g}, {:g}] are so narrow that the prior is flat there; make it uniform", p.low, p.high));
}

constexpr const char* kind_names[] = {"normal", "lognormal", "uniform"};

}  // namespace

ParameterSpace::ParameterSpace(std::vector<Parameter> parameters) : parameters_(std::move(parameters)) {
  if (parameters_.empty()) throw InputError("ParameterSpace: there are no parameters; at least one is needed");
  std::set<std::string> seen;
  for (const auto& p : parameters_) {
    check(p);
    if (!seen.insert(p.name).second)
      throw InputError(fmt::format("ParameterSpace: two parameters are called \"{}\"; names must differ", p.name));
  }
}

std::vector<std::string> ParameterSpace::names() const {
  std::vector<std::string> all;
  for (const auto& p : parameters_) all.push_back(p.name);
  return all;
}

std::vector<std::string> ParameterSpace::units() const {
  std::vector<std::string> all;
  for (const auto& p : parameters_) all.push_back(p.unit);
  return all;
}

std::size_t ParameterSpace::index(std::string_view name) const {
  for (std::size_t i = 0; i < size(); ++i)
    if (parameters_[i].name == name) return i;
  throw InputError(fmt::format("ParameterSpace: no parameter \"{}\"{}", name, suggestion(name, names())));
}

Eigen::VectorXd ParameterSpace::to_standard(const Eigen::VectorXd& values) const {
  if (static_cast<std::size_t>(values.size()) != size())
    throw InputError(fmt::format("ParameterSpace: {} values for {} parameters", values.size(), size()));
  Eigen::VectorXd u(values.size());
  for (Eigen::Index i = 0; i < u.size(); ++i) {
    const auto& p = parameters_[static_cast<std::size_t>(i)];
    if (!std::isfinite(values[i]))
      throw InputError(fmt::format("Parameter \"{}\": the value {:g} is not finite", p.name, values[i]));
    u[i] = cardiotwin::to_standard(p, values[i]);
  }
  return u;
}

Eigen::VectorXd ParameterSpace::from_standard(const Eigen::VectorXd& u) const {
  Eigen::VectorXd values(u.size());
  for (Eigen::Index i = 0; i < u.size(); ++i)
    values[i] = cardiotwin::from_standard(parameters_[static_cast<std::size_t>(i)], u[i]);
  return values;
}

Eigen::VectorXd ParameterSpace::derivative(const Eigen::VectorXd& u) const {
  Eigen::VectorXd all(u.size());
  for (Eigen::Index i = 0; i < u.size(); ++i)
    all[i] = cardiotwin::derivative(parameters_[static_cast<std::size_t>(i)], u[i]);
  return all;
}

double ParameterSpace::log_prior(const Eigen::VectorXd& values) const {
  for (Eigen::Index i = 0; i < values.size() && static_cast<std::size_t>(i) < size(); ++i) {
    const auto& p = parameters_[static_cast<std::size_t>(i)];
    if (values[i] < p.low || values[i] > p.high) return -INFINITY;
    if (p.prior.kind == Kind::lognormal && values[i] <= 0) return -INFINITY;
  }
  const Eigen::VectorXd u = to_standard(values);
  // The density of u over the stretch of the map.
  return -0.5 * u.squaredNorm() - 0.5 * static_cast<double>(size()) * std::log(2 * std::numbers::pi) -
         derivative(u).array().log().sum();
}

Eigen::MatrixXd ParameterSpace::sample(int count, std::uint64_t seed) const {
  Eigen::MatrixXd rows(std::max(count, 0), static_cast<Eigen::Index>(size()));
  for (Eigen::Index i = 0; i < rows.rows(); ++i) {
    Random random = inference::stream(seed, static_cast<std::uint64_t>(i));  // a longer sample begins with a shorter
    rows.row(i) = from_standard(inference::normals(random, rows.cols())).transpose();
  }
  return rows;
}

Eigen::MatrixXd ParameterSpace::sample_stratified(int count, std::uint64_t seed) const {
  Eigen::MatrixXd rows(std::max(count, 0), static_cast<Eigen::Index>(size()));
  std::vector<Eigen::Index> order(static_cast<std::size_t>(rows.rows()));
  for (Eigen::Index j = 0; j < rows.cols(); ++j) {
    Random random = inference::stream(seed, static_cast<std::uint64_t>(j), 1);
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<Eigen::Index>(i);
    for (std::size_t i = order.size(); i > 1; --i)
      std::swap(order[i - 1], order[static_cast<std::size_t>(random.uniform() * static_cast<double>(i))]);
    for (Eigen::Index i = 0; i < rows.rows(); ++i) {
      const double below = (static_cast<double>(order[static_cast<std::size_t>(i)]) + random.uniform()) / count;
      rows(i, j) = cardiotwin::from_standard(parameters_[static_cast<std::size_t>(j)], normal_quantile(below));
    }
  }
  return rows;
}

std::string to_json(const ParameterSpace& space) {
  using inference::Json;
  const auto bound = [](double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); };
  Json all = Json::array();
  for (const auto& p : space) {
    Json prior{{"kind", kind_names[static_cast<int>(p.prior.kind)]}};
    if (p.prior.kind != Kind::uniform) prior["center"] = p.prior.center, prior["spread"] = p.prior.spread;
    all.push_back({{"name", p.name},
                   {"unit", p.unit},
                   {"low", bound(p.low)},
                   {"high", bound(p.high)},
                   {"prior", prior},
                   {"source", p.source}});
  }
  return Json{{"parameters", all}}.dump(2);
}

ParameterSpace parameters_from_json(const std::string& text) {
  std::vector<Parameter> all;
  try {
    const auto root = inference::Json::parse(text);
    for (const auto& one : root.at("parameters")) {
      Parameter p{.name = one.at("name").get<std::string>(), .unit = one.at("unit").get<std::string>()};
      if (!one.at("low").is_null()) p.low = one.at("low").get<double>();
      if (!one.at("high").is_null()) p.high = one.at("high").get<double>();
      const auto kind = one.at("prior").at("kind").get<std::string>();
      const auto* const found = std::find(std::begin(kind_names), std::end(kind_names), kind);
      if (found == std::end(kind_names)) {
        const std::vector<std::string> known(std::begin(kind_names), std::end(kind_names));
        throw InputError(
            fmt::format("Parameter \"{}\": no prior is called \"{}\"{}", p.name, kind, suggestion(kind, known)));
      }
      p.prior.kind = static_cast<Kind>(found - std::begin(kind_names));
      if (p.prior.kind != Kind::uniform) {
        p.prior.center = one.at("prior").at("center").get<double>();
        p.prior.spread = one.at("prior").at("spread").get<double>();
      }
      p.source = one.at("source").get<std::string>();
      all.push_back(std::move(p));
    }
  } catch (const nlohmann::json::exception& error) {
    throw InputError(fmt::format("Parameters: the JSON cannot be read: {}", error.what()));
  }
  return ParameterSpace(std::move(all));
}

}  // namespace cardiotwin
