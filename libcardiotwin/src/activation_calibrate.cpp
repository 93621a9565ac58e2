// From fitted velocities to conductivities whose simulated beats have them.
#include <algorithm>
#include <cardiotwin/activation_fit.hpp>
#include <cardiotwin/calibration.hpp>
#include <cardiotwin/recorder.hpp>
#include <cmath>

#include "activation_layout.hpp"

namespace cardiotwin {
namespace {

/// LATs per node of each beat as the twin simulates it, from its stimulus [ms].
std::vector<std::vector<double>> simulated(const Twin& twin, std::span<const MappedBeat> beats,
                                           const ActivationFit& fit, const SimulationOptions& options,
                                           const Monitor& monitor) {
  std::vector<std::vector<double>> result;
  for (std::size_t b = 0; b < beats.size(); ++b) {
    const Site site = beats[b].origin.empty() ? make_site(twin.anatomy, "origin", fit.origins[b])
                                              : twin.anatomy.site(beats[b].origin);
    double latest = 0;
    for (const double t : fit.lat[b].values)
      if (std::isfinite(t)) latest = std::max(latest, t);
    Simulation sim(twin, options);
    const auto& lat = sim.add(ActivationMap{ActivationMap::Which::first});
    sim.add(Protocol::s1s2(site, {.beats = 1}));
    sim.run(std::ceil(1.5 * latest + 50), monitor);
    result.push_back(lat.map().values);
  }
  return result;
}

/// Measured less simulated LATs at the sites, each beat's median taken off.
LatErrors errors(std::span<const MappedBeat> beats, const std::vector<std::vector<double>>& lat) {
  std::vector<double> all;
  for (std::size_t b = 0; b < beats.size(); ++b) {
    std::vector<double> late;
    const auto at = beats[b].sites.values(lat[b]);
    for (std::size_t k = 0; k < at.size(); ++k)
      if (std::isfinite(at[k])) late.push_back(beats[b].map.lat[beats[b].sites.points[k]] - at[k]);
    if (late.empty()) continue;
    std::vector<double> sorted = late;
    std::ranges::nth_element(sorted, sorted.begin() + std::ptrdiff_t(sorted.size() / 2));
    const double middle = sorted[sorted.size() / 2];
    for (double& l : late) all.push_back(l - middle);
  }
  return fit::errors_of(std::move(all));
}

/// The same beats as if the simulated LATs had been measured.
std::vector<MappedBeat> as_measured(std::span<const MappedBeat> beats, const std::vector<std::vector<double>>& lat,
                                    double noise) {
  std::vector<MappedBeat> result;
  for (std::size_t b = 0; b < beats.size(); ++b) {
    MappedBeat beat = beats[b];
    beat.map.noise = noise;
    const auto at = beat.sites.values(lat[b]);
    MeasuredSites reached;
    for (std::size_t k = 0; k < at.size(); ++k) {
      if (!std::isfinite(at[k])) continue;
      beat.map.lat[beat.sites.points[k]] = at[k];
      reached.points.push_back(beat.sites.points[k]);
      reached.nodes.push_back(beat.sites.nodes[k]), reached.weights.push_back(beat.sites.weights[k]);
    }
    beat.sites = std::move(reached);
    result.push_back(std::move(beat));
  }
  return result;
}

}  // namespace

MapCalibration calibrate_to_maps(const Twin& twin, std::span<const MappedBeat> beats, const ActivationFit& fit,
                                 SimulationOptions options, std::optional<Stiffness> stiffness, double limit,
                                 const Monitor& monitor) {
  if (stiffness) options.stiffness = *stiffness;
  const auto calibrated = [&](const std::map<std::string, Velocity>& wanted) {
    return stiffness ? calibrate(twin, wanted, options, limit, monitor)
                     : calibrate_within(twin, wanted, options, limit, monitor);
  };
  Twin tried = twin;
  const auto run = [&](const Tissue& tissue) {
    tried.tissue = tissue;
    SimulationOptions simulation = options;
    simulation.dt = tissue.calibrated_dt, simulation.stiffness = tissue.calibrated_stiffness;
    return simulated(tried, beats, fit, simulation, monitor);
  };
  constexpr int most_rounds = 3;
  constexpr double enough = 0.01;  // of a velocity
  auto plane = fit.velocities;
  MapCalibration result{.calibration = calibrated(plane)};
  auto lat = run(result.calibration.tissue);
  result.before = errors(beats, lat);
  for (int round = 0; round < most_rounds; ++round) {
    // Narrow priors about the velocities tried, and the maps' own noise: what the maps hardly determine hardly moves.
    const auto again = as_measured(beats, lat, fit.noise);
    const ActivationFitOptions refit{.samples = 2, .held_out = 0, .spread = 0.1, .candidates = 4, .starts = 1};
    result.simulated = fit_activation(tried, again, refit, monitor).velocities;
    double off = 0;
    for (auto& [region, v] : plane) {
      const Velocity &aim = fit.velocities.at(region), &seen = result.simulated.at(region);
      off = std::max({off, std::abs(aim.along / seen.along - 1), std::abs(aim.across / seen.across - 1)});
      v.along *= aim.along / seen.along, v.across *= aim.across / seen.across;
    }
    if (off < enough) break;
    result.calibration = calibrated(plane);
    lat = run(result.calibration.tissue);
  }
  result.after = errors(beats, lat);
  return result;
}

}  // namespace cardiotwin
