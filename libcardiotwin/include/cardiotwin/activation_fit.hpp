#pragma once
/// Conduction velocities, and where beats began, fitted to activation maps by an eikonal model, with how sure that is.

#include <cardiotwin/calibration.hpp>
#include <cardiotwin/eikonal.hpp>
#include <cardiotwin/log.hpp>
#include <cardiotwin/measurements.hpp>
#include <cardiotwin/posterior.hpp>
#include <cardiotwin/registration.hpp>
#include <cardiotwin/twin.hpp>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace cardiotwin {

/// One beat's activation map, laid on the mesh.
struct MappedBeat {
  LatMap map;
  MeasuredSites sites;      ///< sites.points are numbers of the map's points
  std::string origin = {};  ///< the site of the anatomy it was paced from; empty: not known, and looked for
};

struct ActivationFitOptions {
  std::uint64_t seed = 1;
  int samples = 64;            ///< drawn from the posterior
  double held_out = 0.1;       ///< share of each map's points that the fit does not see, where it has 50 or more
  double spread = 0.35;        ///< of the logarithm of velocities before any data
  int candidates = 24;         ///< places tried for an origin that is not known
  int starts = 4;              ///< of the best of them, fitted to the end
  Noise noise = Noise::huber;  ///< of LATs; annotations go wrong now and then
  Backend backend = Backend::cpu();
};

/// How well points are met.
struct LatErrors {
  std::size_t points = 0;
  double rms = NAN, median = NAN, largest = NAN;  ///< [ms]; median of absolute values
};

struct ActivationFit {
  ParameterSpace space;
  std::vector<Optimum> optima;  ///< best first; several of like objective: the maps do not tell them apart
  Posterior posterior;
  Identifiability identifiability;
  std::map<std::string, Velocity> velocities = {};  ///< at the best optimum, per region that conducts [m/s]
  std::vector<Vec3> origins = {};                   ///< per beat [mm, LPS]
  std::vector<Map> lat = {};   ///< per beat, best: [ms] from its beginning, NaN where no wave comes
  LatErrors fitted, held_out;  ///< over all beats
  double noise = NAN;  ///< [ms] that the fit counts with: the stated one, or larger where the model is wrong by more
  double predictive_p = NAN;  ///< of the held-out points; near 0: the model does not describe them
  std::size_t unreached = 0;  ///< points where the model conducts no wave to, left out
  long forward_runs = 0;      ///< eikonal solves
  std::vector<Finding> findings = {};
};

/// Fits a velocity along and across the fibres of every conducting region (one where it is wanted isotropic), each
/// beat's zero of time and, where it is not known, its origin. Priors: lognormal about the twin's wanted velocities,
/// within [0.05, 3] m/s; origins anywhere in the muscle; zeros of time 0 +- 200 ms. Draws come from a Gaussian mixture
/// around the optima, as LATs are nearly linear in the logarithms of velocities. Same seed, same bits. Throws
/// InputError: no beat, an unknown origin's name, fewer points than parameters, a conducting region without a wanted
/// velocity, or as Measurements do; Interrupted.
ActivationFit fit_activation(const Twin&, std::span<const MappedBeat>, const ActivationFitOptions& = {},
                             const Monitor& = {});

/// The parameter table fit_activation would use: names "healthy along", "beat 1 zero", "beat 1 x", ...
ParameterSpace activation_parameters(const Twin&, std::span<const MappedBeat>, const ActivationFitOptions& = {});

/// Tissue whose simulated beats have the fitted velocities.
struct MapCalibration {
  Calibration calibration;                         ///< its `wanted` are those of plane waves
  std::map<std::string, Velocity> simulated = {};  ///< of the last beats fitted as the maps were [m/s]
  LatErrors before, after;  ///< measured LATs less simulated ones, each beat's zero free: with plane waves of the
                            ///< fitted velocities, and at the end
};

/// Fronts in a heart are curved and begin late, so they are slower than the plane waves that conductivities are fitted
/// to. Calibrates to the fitted velocities (calibrate, or calibrate_within without a stiffness), simulates the beats,
/// fits those as the maps were, and calibrates again to velocities as much larger as the simulated ones were too small,
/// until they agree within 1 %, three times at most. options.dt as in calibrate. Throws as calibrate and Simulation do.
MapCalibration calibrate_to_maps(const Twin&, std::span<const MappedBeat>, const ActivationFit&, SimulationOptions = {},
                                 std::optional<Stiffness> = {}, double limit = 0.1, const Monitor& = {});

}  // namespace cardiotwin
