#include "plan_pacing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace cardiotwin::study {
namespace {

constexpr double capture_distance = 12;  // [mm]; a wave that gets this far from the site propagates
constexpr double escape_distance = 6;    // [mm]; a response that has not come this far ...
constexpr double escape_time = 40;       // ... by this time [ms] is local and dies
constexpr double capture_time = 80;      // [ms] to reach the capture distance, 0.15 mm/ms
constexpr double capture_volume = 30;    // [mm3] newly activated there
constexpr double check_interval = 10;    // [ms]
constexpr std::size_t most_snapshots = 16;
constexpr double ecg_interval = 2;  // [ms]
constexpr int ecg_cycles = 3;

/// Pacing of one site on one heart. The base run after the latest stimulus is followed until the tissue is quiet, which
/// tests for tachycardia; on the way it leaves snapshots, from which the next stimulus is tried in rising order. So
/// every capture found is the earliest on the grid, also where an echo makes capture come and go.
class Pacer {
 public:
  Pacer(Simulation& simulation, const Twin& twin, const Site& site, const PlanOptions& options, const LeadFields* leads,
        const Monitor& monitor)
      : simulation_(simulation),
        anatomy_(twin.anatomy),
        site_(site),
        options_(options),
        leads_(leads),
        monitor_{.progress = {}, .note = {}, .warning = monitor.warning, .cancelled = monitor.cancelled},
        threshold_(ionic_model(twin.tissue.model).activation_threshold) {}

  Paced run(const std::function<void(double)>& progress);

 private:
  struct Snapshot {
    double coupling;
    SimulationState state;
  };
  struct Base {
    bool sustained = false;
    double active_after = 0;          ///< last activation after the stimulus [ms]
    std::vector<Snapshot> snapshots;  ///< from the time the site can be excited again
    std::vector<double> lat;
  };

  bool find_muscle();
  void train();
  Base follow(double stimulus);
  bool next_stimulus(Base&);
  bool captures(const Snapshot&, const std::vector<double>& base_lat);
  Ecg record_ecg(double cycle_length);
  bool site_recovered() const;
  void stimulate(double time);

  Simulation& simulation_;
  const Anatomy& anatomy_;
  const Site& site_;
  const PlanOptions& options_;
  const LeadFields* leads_;
  const Monitor monitor_;         ///< for the simulation, whose own progress is none of the study's
  double threshold_;              ///< of activation [mV]
  std::vector<Index> nodes_;      ///< of the site that conduct
  std::vector<double> distance_;  ///< of every node from the site [mm]
  std::vector<double> volume_;    ///< lumped [mm3]
  double stimulus_ = 0;           ///< time of the latest [ms]
  std::vector<double> coupling_;
};

bool Pacer::find_muscle() {
  const auto voltage = simulation_.voltage();
  for (const Index node : site_.nodes)
    if (std::isfinite(voltage[node])) nodes_.push_back(node);
  const auto points = anatomy_.mesh.points();
  for (const auto& point : points) distance_.push_back((point - site_.position).norm());
  volume_.assign(points.size(), 0.0);
  for (std::size_t t = 0; t < anatomy_.mesh.tet_count(); ++t)
    for (const Index node : anatomy_.mesh.tets()[t]) volume_[node] += anatomy_.mesh.volume(t) / 4;
  return !nodes_.empty();
}

void Pacer::stimulate(double time) {
  simulation_.clear_protocols();
  Stimulus stimulus;
  stimulus.nodes = nodes_;
  stimulus.start = time;
  simulation_.add(Protocol{.stimuli = {stimulus}});
  stimulus_ = time;
}

void Pacer::train() {
  for (int beat = 0; beat < options_.s1_beats; ++beat) {
    stimulate(beat * options_.s1);
    if (beat + 1 < options_.s1_beats) simulation_.run(options_.s1, monitor_);
  }
}

bool Pacer::site_recovered() const {
  const auto voltage = simulation_.voltage();
  const auto below = std::count_if(nodes_.begin(), nodes_.end(), [&](Index n) { return voltage[n] < threshold_; });
  return 2 * std::size_t(below) >= nodes_.size();
}

Pacer::Base Pacer::follow(double stimulus) {
  Base base;
  bool quiet = false;
  while (!quiet && simulation_.time() - stimulus < options_.followed - 1e-6) {
    const double elapsed = simulation_.time() - stimulus;
    const double next = (std::floor(elapsed / options_.step + 1e-6) + 1) * options_.step;
    quiet = simulation_.run_until_quiet(next - elapsed, monitor_);
    if (!quiet && base.snapshots.size() < most_snapshots && site_recovered())
      base.snapshots.push_back({next, simulation_.state()});
  }
  if (quiet && base.snapshots.empty()) {
    // Quiet before the site recovered on the grid: the next stimulus is tried from here on.
    const double elapsed = simulation_.time() - stimulus;
    const double next = std::ceil(elapsed / options_.step - 1e-6) * options_.step;
    if (next > elapsed + 1e-6) simulation_.run(next - elapsed, monitor_);
    base.snapshots.push_back({next, simulation_.state()});
  }
  base.lat = simulation_.activations();
  for (std::size_t i = 0; i < distance_.size(); ++i)
    if (const double lat = base.lat[i * Simulation::activation_depth]; lat > stimulus)
      base.active_after = std::max(base.active_after, lat - stimulus);
  if (!quiet) base.active_after = simulation_.time() - stimulus;
  base.sustained = base.active_after >= options_.sustained;
  return base;
}

/// Whether a stimulus from the snapshot spreads: muscle far from the site is activated that the base run leaves in
/// peace then.
bool Pacer::captures(const Snapshot& snapshot, const std::vector<double>& base_lat) {
  constexpr int depth = Simulation::activation_depth;
  simulation_.restore(snapshot.state);
  const double start = simulation_.time();
  stimulate(start);
  const auto base_activates = [&](std::size_t node, double until) {
    for (int k = 0; k < depth; ++k) {
      const double lat = base_lat[node * depth + k];
      if (!(lat > start)) return false;  // latest first
      if (lat <= until) return true;
    }
    return false;
  };
  for (double elapsed = check_interval; elapsed <= capture_time + 1e-6; elapsed += check_interval) {
    simulation_.run(check_interval, monitor_);
    const auto lat = simulation_.activations();
    double far = 0, near = 0;
    for (std::size_t i = 0; i < distance_.size(); ++i) {
      if (distance_[i] < escape_distance || !(lat[i * depth] > start)) continue;
      if (base_activates(i, start + elapsed + check_interval)) continue;
      near += volume_[i];
      if (distance_[i] >= capture_distance) far += volume_[i];
    }
    if (far >= capture_volume) return true;
    if (elapsed >= escape_time && near == 0) return false;
  }
  return false;
}

/// Adds the next extra-stimulus at the earliest capturing interval and leaves the simulation running on from it.
bool Pacer::next_stimulus(Base& base) {
  const double previous = stimulus_;
  while (!base.snapshots.empty()) {
    for (const auto& snapshot : base.snapshots) {
      if (!captures(snapshot, base.lat)) continue;
      coupling_.push_back(snapshot.coupling);
      return true;
    }
    // Still refractory at the last snapshot: on along the base run.
    Snapshot last = std::move(base.snapshots.back());
    base.snapshots.clear();
    if (last.coupling + options_.step >= options_.s1) return false;
    simulation_.restore(last.state);
    simulation_.clear_protocols();
    simulation_.run(options_.step, monitor_);
    stimulus_ = previous;
    base.snapshots.push_back({last.coupling + options_.step, simulation_.state()});
  }
  return false;
}

/// The tachycardia goes on for a few cycles more, watched by the leads.
Ecg Pacer::record_ecg(double cycle_length) {
  if (!leads_) return {};
  Ecg potentials{.names = leads_->names};
  const auto samples = static_cast<int>(std::ceil(ecg_cycles * cycle_length / ecg_interval));
  for (int k = 0; k <= samples; ++k) {
    if (k > 0) simulation_.run(ecg_interval, monitor_);
    potentials.times.push_back(k * ecg_interval);
    for (const double phi : leads_->potentials(simulation_.voltage())) potentials.values.push_back(phi);
  }
  return twelve_leads(potentials);
}

Paced Pacer::run(const std::function<void(double)>& progress) {
  Paced paced;
  paced.result.site = site_.name;
  simulation_.reset();
  simulation_.clear_protocols();
  if (!find_muscle()) {
    paced.result.outcome = "not paced: no living muscle is left at the site";
    return paced;
  }
  train();
  std::string open_ended;
  for (int extra = 0;; ++extra) {
    progress((extra + 1.0) / (options_.extra_stimuli + 2.0));
    Base base = follow(stimulus_);
    paced.result.coupling = coupling_;
    paced.result.active_after = base.active_after;
    if (base.sustained) {
      const ActivationHistory history{
          .end = simulation_.time(), .depth = Simulation::activation_depth, .lat = base.lat};
      if (auto circuit = find_circuit(anatomy_, history)) {
        paced.result.inducible = true;
        paced.result.outcome = fmt::format("re-entry of {:.0f} ms after S{}", circuit->cycle_length, extra + 1);
        paced.circuit = std::move(circuit);
        paced.circuit->ecg = record_ecg(paced.circuit->cycle_length);
        return paced;
      }
      open_ended = fmt::format("; active for {:.0f} ms after S{} but no closed circuit", base.active_after, extra + 1);
    }
    if (extra == 0 && base.active_after == 0) {
      paced.result.outcome = "not paced: the stimulus did not capture";
      return paced;
    }
    if (extra == options_.extra_stimuli || !next_stimulus(base)) break;
  }
  paced.result.outcome = "no re-entry" + open_ended;
  return paced;
}

}  // namespace

Paced pace_site(Simulation& simulation, const Twin& twin, const Site& site, const PlanOptions& options,
                const LeadFields* leads, const Monitor& monitor, const std::function<void(double)>& progress) {
  return Pacer(simulation, twin, site, options, leads, monitor).run(progress);
}

}  // namespace cardiotwin::study
