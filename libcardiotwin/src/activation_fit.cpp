#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cardiotwin/activation_fit.hpp>
#include <cardiotwin/random.hpp>
#include <cmath>
#include <numeric>

#include "activation_layout.hpp"

namespace cardiotwin {

LatErrors fit::errors_of(std::vector<double> residuals) {
  LatErrors errors{.points = residuals.size()};
  if (residuals.empty()) return errors;
  double squares = 0;
  for (double& r : residuals) squares += r * r, r = std::abs(r);
  std::ranges::sort(residuals);
  errors.rms = std::sqrt(squares / static_cast<double>(residuals.size()));
  errors.median = residuals[residuals.size() / 2];
  errors.largest = residuals.back();
  return errors;
}

namespace {

using fit::errors_of, fit::Layout;

/// Which points of a beat are fitted, and which are kept aside.
struct Split {
  std::vector<std::size_t> fitted, held_out;  ///< numbers into sites
};

/// Every so many points, at random, is held out; few points are all needed.
Split split(const MappedBeat& beat, const std::vector<std::uint8_t>& reached, double share, std::uint64_t seed) {
  constexpr std::size_t few = 50;
  Split result;
  Random random(seed);
  for (std::size_t k = 0; k < beat.sites.size(); ++k) {
    const double draw = random.uniform();
    if (!reached[k]) continue;
    (beat.sites.size() >= few && draw < share ? result.held_out : result.fitted).push_back(k);
  }
  return result;
}

/// Standard deviation of residuals, not led by a few that are far off: at most half above that of the normal
/// distribution with the same median.
double spread_of(const LatErrors& errors) { return std::min(errors.rms, 1.5 * 1.4826 * errors.median); }

class Fitting {
 public:
  Fitting(const Twin& twin, std::span<const MappedBeat> beats, const ActivationFitOptions& options,
          const Monitor& monitor)
      : beats_(beats),
        options_(options),
        monitor_(monitor),
        layout_(twin, beats, options),
        wave_(twin, layout_, options) {
    for (const auto& beat : beats) noise_.push_back(beat.map.noise);
  }

  ActivationFit run() {
    find_reached();
    auto optima = optimise();
    const auto at_best = errors_at(optima.front().point, &Split::fitted);
    // What the model cannot describe counts as noise, else the posterior would be surer than it may be. The spread of
    // n residuals is known to 1 / sqrt(2 n) of itself.
    const double stated = std::accumulate(noise_.begin(), noise_.end(), 0.0) / double(noise_.size());
    const double seen = spread_of(at_best), by_chance = 2 / std::sqrt(2.0 * double(at_best.points));
    if (seen > (1 + by_chance) * stated) {
      for (double& sd : noise_) sd *= seen / stated;
      const auto severity = seen > 1.5 * stated ? Severity::warning : Severity::info;
      findings_.push_back(
          {severity, fmt::format("LATs differ from the model's by {:.1f} ms where {:.1f} ms of noise are "
                                 "stated; the fit counts with the larger",
                                 seen, stated)});
      optima = optimise(optima);
    }
    return result(std::move(optima), std::max(stated, seen > (1 + by_chance) * stated ? seen : 0.0));
  }

 private:
  /// Points no wave comes to lie on tissue that the twin takes for dead.
  void find_reached() {
    const auto start = layout_.space().from_standard(Eigen::VectorXd::Zero(Eigen::Index(layout_.space().size())));
    for (std::size_t b = 0; b < beats_.size(); ++b) {
      const auto lat = beats_[b].sites.values(wave_.times(start, b));
      std::vector<std::uint8_t> reached;
      for (const double t : lat) reached.push_back(std::isfinite(t));
      splits_.push_back(split(beats_[b], reached, options_.held_out, options_.seed + b));
      unreached_ += std::size_t(std::ranges::count(reached, 0));
      data_ += splits_.back().fitted.size();
    }
    if (data_ < layout_.space().size())
      throw InputError(
          fmt::format("Activation maps: {} points are left for {} parameters; map more, or give the origin", data_,
                      layout_.space().size()));
    if (unreached_ > 0)
      findings_.push_back({Severity::warning, fmt::format("{} points lie where the twin's tissue conducts no wave to, "
                                                          "and are left out",
                                                          unreached_)});
  }

  double observed(std::size_t b, std::size_t k) const { return beats_[b].map.lat[beats_[b].sites.points[k]]; }

  /// Residuals and their derivatives at one point of the parameters.
  Evaluation evaluate(const Eigen::VectorXd& values) {
    const auto n = Eigen::Index(data_), p = Eigen::Index(layout_.space().size());
    Eigen::VectorXd predicted(n), seen(n), sd(n);
    Eigen::MatrixXd jacobian = Eigen::MatrixXd::Zero(n, p);
    Eigen::Index row = 0;
    for (std::size_t b = 0; b < beats_.size(); ++b) {
      const auto at = wave_.at_sites(values, b, beats_[b].sites);
      for (const std::size_t k : splits_[b].fitted) {
        predicted[row] = at.lat[k], seen[row] = observed(b, k), sd[row] = noise_[b];
        jacobian.row(row++) = at.jacobian.row(Eigen::Index(k));
      }
    }
    if (!predicted.allFinite()) return {};
    return weighted_residuals(predicted, seen, sd, options_.noise, 0, jacobian);
  }

  std::vector<Evaluation> evaluate_all(const Eigen::MatrixXd& rows) {
    std::vector<Evaluation> all;
    for (Eigen::Index r = 0; r < rows.rows(); ++r) {
      monitor_.poll();
      all.push_back(evaluate(rows.row(r).transpose()));
    }
    return all;
  }

  /// Sets a beat's zero so that half of its LATs are too early, and says how badly they fit then.
  double align(Eigen::VectorXd& values, std::size_t b) {
    const auto at = wave_.at_sites(values, b, beats_[b].sites);
    std::vector<double> late;
    for (const std::size_t k : splits_[b].fitted) late.push_back(observed(b, k) - at.lat[k]);
    std::ranges::nth_element(late, late.begin() + std::ptrdiff_t(late.size() / 2));
    const double shift = late[late.size() / 2];
    values[Eigen::Index(layout_.beat(b).zero)] += shift;
    double misfit = 0;
    for (const double l : late) misfit += std::min(std::abs(l - shift), 10 * noise_[b]);
    return misfit;
  }

  /// From the priors' middle; the k-th start has the k-th best of many places where an origin is not known.
  Eigen::MatrixXd starts() {
    const auto size = Eigen::Index(layout_.space().size());
    const Eigen::VectorXd middle = layout_.space().from_standard(Eigen::VectorXd::Zero(size));
    std::vector<std::vector<std::pair<double, Eigen::VectorXd>>> of_beat(beats_.size());
    std::size_t count = 1;
    for (std::size_t b = 0; b < beats_.size(); ++b) {
      const auto position = layout_.beat(b).position;
      const auto places = position ? layout_.places(options_.candidates) : std::vector<Vec3>(1, Vec3::Zero());
      for (std::size_t k = 0; k < places.size(); ++k) {
        monitor_.poll();
        monitor_.report("places of origin",
                        0.3 * double(b * places.size() + k) / double(places.size() * beats_.size()));
        Eigen::VectorXd values = middle;
        if (position) values.segment<3>(Eigen::Index(*position)) = places[k];
        const double misfit = align(values, b);
        of_beat[b].emplace_back(misfit, values);
      }
      std::ranges::sort(of_beat[b], {}, [](const auto& one) { return one.first; });
      if (position) count = std::max(count, std::min(std::size_t(options_.starts), places.size()));
    }
    Eigen::MatrixXd result(Eigen::Index(count), size);
    for (std::size_t k = 0; k < count; ++k) {
      Eigen::VectorXd values = middle;
      for (std::size_t b = 0; b < beats_.size(); ++b) {
        const auto& beat = layout_.beat(b);
        const auto& best = of_beat[b][std::min(k, of_beat[b].size() - 1)].second;
        values[Eigen::Index(beat.zero)] = best[Eigen::Index(beat.zero)];
        if (beat.position)
          values.segment<3>(Eigen::Index(*beat.position)) = best.segment<3>(Eigen::Index(*beat.position));
      }
      result.row(Eigen::Index(k)) = values.transpose();
    }
    return result;
  }

  std::vector<Optimum> optimise(const std::vector<Optimum>& from = {}) {
    LevenbergMarquardtOptions options{.seed = options_.seed, .max_iterations = 40, .tolerance = 1e-4};
    if (from.empty()) {
      options.from = starts();
    } else {
      options.from.resize(Eigen::Index(from.size()), from.front().point.size());
      for (std::size_t k = 0; k < from.size(); ++k) options.from.row(Eigen::Index(k)) = from[k].point.transpose();
    }
    options.starts = int(options.from.rows());
    LevenbergMarquardt fit(layout_.space(), options);
    Monitor inner = monitor_;
    inner.progress = [&](std::string_view, double done) { monitor_.report("velocities", 0.3 + 0.6 * done); };
    infer(
        fit, [&](const Eigen::MatrixXd& rows) { return evaluate_all(rows); }, inner);
    return fit.optima();
  }

  LatErrors errors_at(const Eigen::VectorXd& values, std::vector<std::size_t> Split::*which) {
    std::vector<double> residuals;
    for (std::size_t b = 0; b < beats_.size(); ++b) {
      const auto at = wave_.at_sites(values, b, beats_[b].sites);
      for (const std::size_t k : splits_[b].*which) residuals.push_back(at.lat[k] - observed(b, k));
    }
    return errors_of(std::move(residuals));
  }

  /// Held-out points under every draw, by straight lines from the optimum, beside replicated ones.
  double predictive_p(const Posterior& posterior, const Eigen::VectorXd& best) {
    Random random(options_.seed + 7919);
    std::vector<double> observed_misfit(std::size_t(posterior.samples.rows()), 0.0), replicated(observed_misfit);
    std::size_t points = 0;
    for (std::size_t b = 0; b < beats_.size(); ++b) {
      const auto at = wave_.at_sites(best, b, beats_[b].sites);
      for (const std::size_t k : splits_[b].held_out) {
        ++points;
        for (Eigen::Index s = 0; s < posterior.samples.rows(); ++s) {
          const double lat =
              at.lat[k] + at.jacobian.row(Eigen::Index(k)).dot(posterior.samples.row(s) - best.transpose());
          const double r = (lat - observed(b, k)) / noise_[b], fresh = random.normal();
          // Outliers tell nothing of the model.
          observed_misfit[std::size_t(s)] += std::min(r * r, 9.0),
              replicated[std::size_t(s)] += std::min(fresh * fresh, 9.0);
        }
      }
    }
    return points == 0 ? NAN : predictive_p_value(observed_misfit, replicated);
  }

  ActivationFit result(std::vector<Optimum> optima, double noise) {
    ActivationFit out;
    out.space = layout_.space();
    const Eigen::VectorXd& best = optima.front().point;
    out.posterior = laplace_posterior(out.space, optima, options_.samples, options_.seed);
    out.identifiability = identifiability(out.space, optima.front());
    out.velocities = layout_.velocities(best);
    for (std::size_t b = 0; b < beats_.size(); ++b) {
      out.origins.push_back(wave_.origin(best, b));
      out.lat.push_back({.name = fmt::format("LAT beat {}", b + 1), .unit = "ms", .values = wave_.times(best, b)});
    }
    out.fitted = errors_at(best, &Split::fitted), out.held_out = errors_at(best, &Split::held_out);
    out.noise = noise, out.unreached = unreached_;
    out.predictive_p = predictive_p(out.posterior, best);
    out.forward_runs = wave_.runs();
    out.findings = std::move(findings_);
    tell_doubts(optima, out);
    out.optima = std::move(optima);
    monitor_.report("velocities", 1);
    return out;
  }

  void tell_doubts(const std::vector<Optimum>& optima, ActivationFit& out) const {
    const bool doubtful = !out.identifiability.undetermined.empty() || !out.identifiability.correlated.empty();
    for (const auto& sentence : out.identifiability.sentences)
      out.findings.push_back({doubtful ? Severity::warning : Severity::info, sentence});
    const auto alike =
        std::ranges::count_if(optima, [&](const Optimum& o) { return o.objective < optima.front().objective + 3; });
    if (alike > 1)
      out.findings.push_back(
          {Severity::warning, fmt::format("{} distinct fits describe the maps about equally well; the "
                                          "posterior holds them all",
                                          alike)});
    if (out.predictive_p < 0.01)
      out.findings.push_back(
          {Severity::warning, fmt::format("the points held out contradict the model (p = {:.3f})", out.predictive_p)});
  }

  std::span<const MappedBeat> beats_;
  const ActivationFitOptions& options_;
  const Monitor& monitor_;
  Layout layout_;
  fit::Wave wave_;
  std::vector<Split> splits_;
  std::vector<double> noise_;  ///< [ms], per beat
  std::vector<Finding> findings_;
  std::size_t unreached_ = 0, data_ = 0;
};

void validate(std::span<const MappedBeat> beats, const ActivationFitOptions& o) {
  if (beats.empty()) throw InputError("Activation maps: there is none to fit to");
  for (const auto& beat : beats) {
    beat.map.validate();
    for (const std::size_t point : beat.sites.points)
      if (point >= beat.map.size())
        throw InputError(fmt::format("Activation maps: a site is of point {}, the map has {}", point, beat.map.size()));
  }
  if (!(o.held_out >= 0 && o.held_out <= 0.5))
    throw InputError(fmt::format("ActivationFitOptions: held_out = {} is outside [0, 0.5]", o.held_out));
  if (o.samples < 2 || o.samples > 4096)
    throw InputError(fmt::format("ActivationFitOptions: samples = {} is outside [2, 4096]", o.samples));
  if (!(o.spread > 0 && o.spread <= 2))
    throw InputError(fmt::format("ActivationFitOptions: spread = {} is outside (0, 2]", o.spread));
  if (o.candidates < 1 || o.starts < 1)
    throw InputError("ActivationFitOptions: candidates and starts must be at least 1");
}

}  // namespace

ActivationFit fit_activation(const Twin& twin, std::span<const MappedBeat> beats, const ActivationFitOptions& options,
                             const Monitor& monitor) {
  validate(beats, options);
  return Fitting(twin, beats, options, monitor).run();
}

ParameterSpace activation_parameters(const Twin& twin, std::span<const MappedBeat> beats,
                                     const ActivationFitOptions& options) {
  return Layout(twin, beats, options).space();
}

}  // namespace cardiotwin
