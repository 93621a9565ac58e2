#include <fmt/core.h>
#include <omp.h>

#include <algorithm>
#include <cardiotwin/calibration.hpp>
#include <cmath>
#include <exception>

#include "lattice_wave.hpp"
#include "operators.hpp"

namespace cardiotwin {
namespace {

struct Ray {
  LatticeDirection fiber, wave;
};

// Along the fibre one wave for each of its directions; across it, two.
const std::vector<Ray>& rays(Axis axis) {
  static const std::vector<Ray> along = [] {
    std::vector<Ray> all;
    for (const LatticeDirection& fiber : lattice_fibers) all.push_back({fiber, fiber});
    return all;
  }();
  static const std::vector<Ray> across = {{{1, 0, 0}, {0, 1, 0}},  {{1, 0, 0}, {0, 1, 1}},  {{1, 1, 0}, {0, 0, 1}},
                                          {{1, 1, 0}, {1, -1, 0}}, {{1, 1, 1}, {1, -1, 0}}, {{1, 1, 1}, {1, 1, -2}},
                                          {{5, 2, 1}, {0, 1, -2}}, {{5, 2, 1}, {-1, 2, 1}}, {{5, 4, 3}, {1, -2, 1}},
                                          {{5, 4, 3}, {5, -1, -7}}};
  return axis == Axis::along ? along : across;
}

constexpr double fit_tolerance = 0.002;  // of the mean velocity

const char* word(Axis axis) { return axis == Axis::along ? "along" : "across"; }
double wanted_of(const RegionTissue& r, Axis axis) { return axis == Axis::along ? r.wanted.along : r.wanted.across; }
double sigma_of(const RegionTissue& r, Axis axis) {
  return axis == Axis::along ? r.conductivity.along : r.conductivity.across;
}

bool is_close(double velocity, double aim) { return std::abs(velocity / aim - 1) < fit_tolerance; }
bool is_within(const VelocityMeasurement& v, double aim, double limit) {
  return v.blocked == 0 && v.low >= (1 - limit) * aim && v.high <= (1 + limit) * aim;
}

// One region on one lattice.
class Fit {
 public:
  Fit(const Tissue& tissue, std::string region, double edge, const SimulationOptions& options, const Monitor& monitor)
      : tissue_(tissue), name_(std::move(region)), edge_(edge), options_(options), monitor_(monitor) {}

  const RegionTissue& region() const { return tissue_.regions.at(name_); }
  const std::string& obstacle() const { return obstacle_; }
  bool needs_shorter_dt() const { return needs_shorter_dt_; }

  VelocityMeasurement measure(Axis axis) const {
    monitor_.poll();
    return measure_velocity(tissue_, name_, axis, edge_, options_);
  }

  // Alternates between the axes, since the stiffness of P1 tets leaks a little of one into the other. Where one
  // velocity is wanted for both, one conductivity is fitted: the tissue stays isotropic.
  void run() {
    isotropic_ = region().wanted.along == region().wanted.across;
    for (int round = 0; round < 4; ++round) {
      approach(Axis::along);
      if (isotropic_) return;
      approach(Axis::across);
      if (!obstacle_.empty() || is_close(measure(Axis::along).mean, region().wanted.along)) return;
    }
  }

 private:
  void set(Axis axis, double value) {
    Conductivity& c = tissue_.regions.at(name_).conductivity;
    if (isotropic_ || axis == Axis::along) c.along = value;
    if (isotropic_ || axis == Axis::across) c.across = value;
  }

  bool steppable() const { return options_.dt <= 0.8 * lattice_stable_dt(tissue_, name_, edge_, options_); }

  // Steps along the line velocity = sigma^slope (log-log; 1/2 in the continuum), kept between what proved too low and
  // too high. A wave that dies in some direction is too low; a conductivity that dt cannot step is too high.
  void approach(Axis axis) {
    const double aim = wanted_of(region(), axis);
    double low = 0, high = INFINITY, slope = 0.5, before_sigma = 0, before_velocity = 0;
    bool high_is_step_limit = false;
    double now = sigma_of(region(), axis);
    for (int attempt = 0; attempt < 24; ++attempt) {
      set(axis, now);
      double next = 0;
      if (!steppable()) {
        high = now, high_is_step_limit = true;
        next = 0.7 * now;
      } else {
        const VelocityMeasurement v = measure(axis);
        if (v.blocked == 0 && is_close(v.mean, aim)) return;
        if (v.blocked > 0 || v.mean < aim) {
          low = now;
        } else {
          high = now, high_is_step_limit = false;
        }
        next = 1.5 * now;
        if (v.blocked == 0) {
          if (before_velocity > 0 && std::abs(now / before_sigma - 1) > 1e-6)
            slope = std::clamp(std::log(v.mean / before_velocity) / std::log(now / before_sigma), 0.2, 3.0);
          before_sigma = now, before_velocity = v.mean;
          next = now * std::pow(aim / v.mean, 1 / slope);
        }
      }
      if (low > 0 && high < 1.001 * low) break;
      if (!(next > low && next < high))
        next = low > 0 && std::isfinite(high) ? std::sqrt(low * high) : low > 0 ? 1.5 * low : 0.7 * high;
      if (next < 1e-4 || next > 10) {
        obstacle_ = fmt::format("the conductivity {} the fibre would leave [0.0001, 10] S/m", word(axis));
        return;
      }
      now = next;
    }
    // No conductivity gives the velocity: either the step limit stands in the way, or below `high` the wave dies.
    if (high_is_step_limit) {
      set(axis, low > 0 ? low : 0.7 * high);
      needs_shorter_dt_ = true;
      obstacle_ =
          fmt::format("dt = {:g} ms cannot step the conductivity that {:g} m/s {} the fibre needs; use a smaller dt",
                      options_.dt, aim, word(axis));
    } else {
      set(axis, std::isfinite(high) ? high : low);
    }
  }

  Tissue tissue_;
  std::string name_;
  double edge_;
  SimulationOptions options_;
  const Monitor& monitor_;
  bool isotropic_ = false;
  std::string obstacle_;
  bool needs_shorter_dt_ = false;
};

// About the largest edge at which the directions would agree within the limit, tried in steps of 12 %; 0 if none above
// 0.1 mm. The fitted conductivities are kept and the spread is judged around the mean, which a new fit would move onto
// the wanted velocity.
double sufficient_edge(const Tissue& tissue, const std::string& region, Axis axis, double edge, double limit,
                       SimulationOptions options, const Monitor& monitor) {
  for (double finer = 0.88 * edge; finer >= 0.1; finer *= 0.88) {
    monitor.poll();
    options.dt = std::min(options.dt, 0.75 * lattice_stable_dt(tissue, region, finer, options));
    const VelocityMeasurement v = measure_velocity(tissue, region, axis, finer, options);
    if (v.mean > 0 && is_within(v, v.mean, limit)) return finer;
  }
  return 0;
}

std::string explain(const VelocityMeasurement& v, Axis axis, double aim, double edge, double limit,
                    std::size_t directions) {
  if (v.blocked > 0)
    return fmt::format("the wave dies in {} of {} directions {} the fibre at an edge of {:.2f} mm", v.blocked,
                       directions, word(axis), edge);
  if (!is_close(v.mean, aim))
    return fmt::format("the mean stays at {:.3f} m/s instead of {:g} at an edge of {:.2f} mm: slower waves die", v.mean,
                       aim, edge);
  return fmt::format(
      "the velocity ranges from {:+.0f} to {:+.0f} % over the directions at an edge of {:.2f} mm, beyond {:.0f} %",
      100 * (v.low / aim - 1), 100 * (v.high / aim - 1), edge, 100 * limit);
}

Tissue with_wanted(Tissue tissue, const std::map<std::string, Velocity>& wanted) {
  for (const auto& [name, velocity] : wanted) {
    RegionTissue& region = tissue[name];
    if (!region.conducts)
      throw InputError(fmt::format("Calibration: region \"{}\" does not conduct, so it has no velocity", name));
    region.wanted = velocity;
  }
  for (const auto& [name, region] : tissue.regions) {
    if (!region.conducts) continue;
    for (const Axis axis : {Axis::along, Axis::across}) {
      const double aim = wanted_of(region, axis);
      if (aim == 0)
        throw InputError(
            fmt::format("Calibration: region \"{}\" has no wanted velocity {} the fibre; give both, such as 0.6,0.4",
                        name, word(axis)));
      if (!(aim >= 0.02 && aim <= 3))
        throw InputError(fmt::format("Calibration: region \"{}\": {:g} m/s {} the fibre is outside [0.02, 3]", name,
                                     aim, word(axis)));
    }
  }
  return tissue;
}

/// The mesh has tets at its surface that the lattice has not: the limit of the whole.
double stable_dt(const Twin& twin, const Tissue& tissue, const SimulationOptions& options) {
  Twin fitted = twin;
  fitted.tissue = tissue;
  return assemble_operators(active_part(fitted), tissue, scheme_of(options)).stable_dt;
}

/// Mean edges of the mesh: of the whole, and of each region.
struct Edges {
  double whole;
  std::map<std::string, double> of;
  explicit Edges(const Anatomy& anatomy) : whole(quality(anatomy.mesh).mean_edge) {
    for (const auto& [label, statistics] : edge_statistics(anatomy.mesh))
      of[anatomy.regions.at(label)] = statistics.mean;
  }
};

/// Every conducting region of the mesh on lattices of its own mean edge, stepped by options.dt; says whether that stood
/// in the way.
struct FitOfAll {
  Calibration result;
  bool needs_shorter_dt = false;
};
FitOfAll fit_all(const Twin& twin, const Tissue& wanted, const Edges& edges, const SimulationOptions& options,
                 double limit, const Monitor& monitor) {
  bool needs_shorter_dt = false;
  Calibration result{.tissue = wanted, .axes = {}};
  std::size_t conducting = 0, done = 0;
  const auto is_fitted = [&](const auto& entry) { return entry.second.conducts && edges.of.contains(entry.first); };
  for (const auto& entry : result.tissue.regions) conducting += is_fitted(entry);
  for (auto& entry : result.tissue.regions) {
    if (!is_fitted(entry)) continue;
    auto& [name, region] = entry;
    monitor.report("calibrate " + name, static_cast<double>(done++) / static_cast<double>(conducting));
    const double edge = edges.of.at(name);
    Fit fit(result.tissue, name, edge, options, monitor);
    fit.run();
    needs_shorter_dt = needs_shorter_dt || fit.needs_shorter_dt();
    for (const Axis axis : {Axis::along, Axis::across}) {
      CalibratedAxis row{.region = name,
                         .axis = axis,
                         .wanted = wanted_of(region, axis),
                         .edge = edge,
                         .before = sigma_of(twin.tissue[name], axis),
                         .conductivity = sigma_of(fit.region(), axis),
                         .reached = fit.measure(axis),
                         .within_limit = false,
                         .why = fit.obstacle()};
      row.within_limit = row.why.empty() && is_within(row.reached, row.wanted, limit);
      if (!row.within_limit && row.why.empty()) {
        row.why = explain(row.reached, axis, row.wanted, edge, limit, rays(axis).size());
        const double finer = sufficient_edge(result.tissue, name, axis, edge, limit, options, monitor);
        row.why +=
            finer > 0 ? fmt::format("; an edge of {:.2f} mm would do", finer) : "; no edge above 0.1 mm would do";
      }
      result.axes.push_back(std::move(row));
    }
    region.conductivity = fit.region().conductivity;
    region.calibrated_edge = edge;
  }
  result.tissue.calibrated_edge = edges.whole;
  result.tissue.calibrated_load = options.ionic_load;
  result.tissue.calibrated_stiffness = options.stiffness;
  result.tissue.calibrated_dt = options.dt;
  return {std::move(result), needs_shorter_dt};
}

}  // namespace

VelocityMeasurement measure_velocity(const Tissue& tissue, const std::string& region, Axis axis, double edge,
                                     const SimulationOptions& options) {
  if (!tissue[region].conducts) throw InputError(fmt::format("Velocity: region \"{}\" does not conduct", region));
  const auto& directions = rays(axis);
  const auto count = static_cast<int>(directions.size());
  std::vector<double> velocity(directions.size());
  std::vector<std::exception_ptr> failed(directions.size());
  const int threads =
      options.backend.is_cuda() || options.backend.threads() == 0 ? omp_get_max_threads() : options.backend.threads();
#pragma omp parallel for schedule(dynamic) num_threads(threads)
  for (int k = 0; k < count; ++k) {
    try {
      velocity[k] = lattice_wave_velocity(tissue, region, directions[k].fiber, directions[k].wave, edge, options);
    } catch (...) {
      failed[k] = std::current_exception();
    }
  }
  for (const auto& error : failed)
    if (error) std::rethrow_exception(error);
  VelocityMeasurement result;
  int alive = 0;
  for (const double v : velocity) {
    if (v == 0) {
      ++result.blocked;
      continue;
    }
    result.mean += v;
    result.low = alive ? std::min(result.low, v) : v;
    result.high = alive ? std::max(result.high, v) : v;
    ++alive;
  }
  if (alive) result.mean /= alive;
  return result;
}

namespace {
double next_shorter(const std::string& model, double dt) {
  constexpr double share = 0.7;  // of the stable step that coarsest_dt allows
  return coarsest_dt(model, 0.99 * dt / share);
}
}  // namespace

Calibration calibrate(const Twin& twin, const std::map<std::string, Velocity>& wanted, const SimulationOptions& options,
                      double limit, const Monitor& monitor) {
  Tissue tissue = with_wanted(twin.tissue, wanted);
  tissue.validate();
  const Edges edges(twin.anatomy);
  if (options.dt > 0) {
    Calibration result = fit_all(twin, tissue, edges, options, limit, monitor).result;
    if (const double stable = stable_dt(twin, result.tissue, options); options.dt > 0.8 * stable)
      throw InputError(
          fmt::format("Calibration: the fitted conductivities need dt <= {:.3g} ms on this mesh, but dt is {:g} ms; "
                      "calibrate with a smaller dt",
                      std::floor(0.8 * stable * 1e4) / 1e4, options.dt));
    monitor.report("calibrate", 1.0);
    return result;
  }
  // The step limits the conductivities and the conductivities the step: shorter ones until both agree.
  SimulationOptions chosen = options;
  chosen.dt = coarsest_dt(tissue.model, stable_dt(twin, tissue, options));
  for (;;) {
    auto [result, needs_shorter_dt] = fit_all(twin, tissue, edges, chosen, limit, monitor);
    double allowed = coarsest_dt(tissue.model, stable_dt(twin, result.tissue, options));
    constexpr double shortest = 0.01;  // [ms]
    if (needs_shorter_dt && chosen.dt > shortest) allowed = std::min(allowed, next_shorter(tissue.model, chosen.dt));
    if (allowed >= chosen.dt) {
      monitor.report("calibrate", 1.0);
      return result;
    }
    chosen.dt = allowed;
  }
}

Calibration calibrate_within(const Twin& twin, const std::map<std::string, Velocity>& wanted, SimulationOptions options,
                             double limit, const Monitor& monitor) {
  options.stiffness = Stiffness::p1;
  auto fitted = calibrate(twin, wanted, options, limit, monitor);
  if (std::all_of(fitted.axes.begin(), fitted.axes.end(), [](const auto& axis) { return axis.within_limit; }))
    return fitted;
  options.stiffness = Stiffness::nodal_gradient;
  return calibrate(twin, wanted, options, limit, monitor);
}

}  // namespace cardiotwin
