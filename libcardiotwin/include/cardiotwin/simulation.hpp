#pragma once
/// Running a heart: the monodomain equation beta (Cm dV/dt + I_ion) = div(sigma grad V) + I_stim on tets, or the
/// bidomain's two
///
///   beta (Cm dV/dt + I_ion) = div(sigma_i grad(V + phi)) + I_stim
///   div((sigma_i + sigma_e) grad phi) = -div(sigma_i grad V) - I_e
///
/// with phi the extracellular potential, also in what surrounds the heart, where sigma_i is 0.

#include <cardiotwin/backend.hpp>
#include <cardiotwin/log.hpp>
#include <cardiotwin/recorder.hpp>
#include <cardiotwin/stimulus.hpp>
#include <cardiotwin/torso.hpp>
#include <cardiotwin/twin.hpp>
#include <concepts>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace cardiotwin {

enum class Precision { fp32, fp64 };

enum class TissueModel { monodomain, bidomain };

/// Nodes within `radius` of `position`, the nearest at least, are kept at potential 0.
struct Ground {
  Vec3 position = Vec3::Zero();  ///< [mm, LPS]
  double radius = 1;             ///< [mm]
};

/// Of the bidomain's extracellular potential.
struct BidomainOptions {
  std::shared_ptr<const Torso> torso = nullptr;  ///< what surrounds the heart; null: nothing conducts there
  std::vector<Ground> grounds = {};              ///< none: the potential's mean over the volume is 0
  /// Between two solves for it [ms], but not less than a step. At 0.1 LATs lay within 0.01 ms of those with a solve in
  /// every step (tests/physics/test_bidomain.cpp).
  double interval = 0.1;
  double tolerance = 1e-5;  ///< of the residual, relative
};

struct SimulationOptions {
  double dt = 0.02;  ///< [ms]
  Backend backend = Backend::cpu();
  Precision precision = Precision::fp32;  ///< the reference backend computes in fp64 whatever this says
  double ionic_load = 2.0 / 3.0;  ///< g of V += [I + g (M_L^-1 M - I)] dV_ion; 0 lumped, 1 fully consistent load
  Stiffness stiffness = Stiffness::nodal_gradient;
  std::vector<Lesion> lesions = {};   ///< as Variation::lesions
  double activation_threshold = NAN;  ///< [mV]; NaN: the model's own (about 0.2 of its amplitude)
  TissueModel model = TissueModel::monodomain;
  BidomainOptions bidomain = {};
};

/// How one simulation differs from its twin. Everything is as the twin says where nothing is said here.
struct Variation {
  std::map<std::string, double> conductivity;  ///< region -> factor of both conductivities, at least 0; between two
                                               ///< regions the mean of theirs
  std::map<std::string, std::map<std::string, double>> parameters;  ///< region -> ionic parameter -> value
  std::vector<Lesion> lesions;  ///< tets whose centroid lies in one do not conduct; V is NaN where none is left
};

/// Everything that changes while a simulation runs, but for its recorders, protocols and variation; restores bit for
/// bit on the same twin, time step and precision. A simulation that varies otherwise may go on from it, too: a branch.
struct SimulationState {
  double time = 0;
  std::vector<std::byte> bytes;
};

/// The step `twin` is best run with [ms]: the one it was calibrated for; else the coarsest of 0.2, 0.125, 0.1, ...
/// (whole parts of 1 ms) that its ionic model resolves and that stays below 0.7 of the explicit limit, which leaves
/// room for lesions.
double natural_dt(const Twin& twin);
/// The same for a stiffness other than the twin's.
double natural_dt(const Twin& twin, Stiffness);

/// What `twin` was calibrated with, else the default.
Stiffness natural_stiffness(const Twin& twin);

class Simulation {
 public:
  /// Assembles and checks the time step: where dt exceeds 0.8 of the explicit limit, diffusion takes 2 to `most_stages`
  /// stages per step (Runge-Kutta-Legendre). Throws InputError when that is not enough (naming limit, worst tet and
  /// cure), for a region the tissue does not know, or for invalid tissue. Keeps no reference to `twin`.
  explicit Simulation(const Twin& twin, const SimulationOptions& = {});
  ~Simulation();
  Simulation(Simulation&&) noexcept;
  Simulation& operator=(Simulation&&) noexcept;

  /// From now on; replaces what varied before, and what the options said of lesions. V and states stay. Throws
  /// InputError for an unknown region or parameter, a value out of range, a step too long for a raised conductivity,
  /// where nothing would conduct, and for lesions or conductivities in the bidomain, whose matrix is shared.
  void vary(const Variation&);

  /// Stimuli are added to those present. Nodes that do not conduct are left out; throws InputError for a pulse of which
  /// no node conducts, a node outside the mesh, an invalid pulse; for electrode currents in a monodomain, outside the
  /// conductor, or out of balance.
  void add(const Protocol&);
  void clear_protocols();

  /// Takes the recorder and returns a reference that lives as long as the simulation.
  template <std::derived_from<Recorder> R>
  R& add(R recorder) {
    auto owned = std::make_unique<R>(std::move(recorder));
    R& reference = *owned;
    attach(std::move(owned));
    return reference;
  }

  /// Advances by `duration` [ms]. Throws NumericalError (time, node, region) as soon as V is not finite, Interrupted.
  void run(double duration, const Monitor& = {});
  /// Advances by at most `duration`; returns true as soon as the tissue is quiet (max V below the activation threshold,
  /// checked every 10 ms) with no stimulus still to come.
  bool run_until_quiet(double duration, const Monitor& = {});

  double time() const;
  /// Forward-Euler limit of the diffusion operator [ms], 2 / lambda with Gershgorin's bound on lambda: never too large,
  /// exact on the regular lattice with isotropic conductivity, somewhat small where it is anisotropic.
  double stable_dt() const;
  /// Stages of diffusion per step: s of them carry (s^2 + s) / 2 times the explicit step.
  int stages() const;
  static constexpr int most_stages = 6;
  double added_capacity() const;        ///< share of membrane capacity added on sliver nodes for the step's sake
  std::size_t active_nodes() const;     ///< nodes that conduct
  std::vector<double> voltage() const;  ///< per mesh node [mV], NaN on nodes that do not conduct
  bool quiet() const;                   ///< max V is below the activation threshold now

  /// Of a bidomain: the extracellular potential per node of the conductor's mesh (the torso's or the heart's) as it was
  /// solved for last [mV]. Throws InputError for a monodomain.
  std::vector<double> potential() const;
  struct EllipticWork {
    std::int64_t solves = 0, iterations = 0;
  };
  EllipticWork elliptic_work() const;  ///< so far; none of a monodomain

  /// Last `activation_depth` LATs per mesh node [ms], latest first, NaN where there are fewer: node * depth + k.
  std::vector<double> activations() const;
  std::vector<double> repolarizations() const;  ///< latest downward crossing of the model's 90 % level, NaN if none
  static constexpr int activation_depth = 8;

  /// A run keeps its state every `interval` [ms] (0: never) while V is finite. Throws InputError where it is negative.
  void keep_good_states(double interval);
  const std::optional<SimulationState>& last_good_state() const;

  SimulationState state() const;
  void restore(const SimulationState&);  ///< throws InputError for a state of another twin, step or precision
  void reset();                          ///< back to rest at time 0, recorders and LATs emptied; protocols stay

 private:
  friend class Ensemble;
  struct Impl;
  explicit Simulation(std::unique_ptr<Impl>);
  void attach(std::unique_ptr<Recorder>);
  void add_currents(const Protocol&);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cardiotwin
