#pragma once
/// What a simulation is made of, shared by the members of an ensemble; private to the physics room.

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cardiotwin/kernels/engine.hpp>
#include <cardiotwin/simulation.hpp>
#include <cmath>

#include "conductor.hpp"
#include "operators.hpp"

namespace cardiotwin {

/// A twin made ready to run, the same for every simulation on it.
struct Heart {
  double dt = 0, threshold = 0, stable_dt = 0, added_capacity = 0;
  int stages = 1;
  std::size_t mesh_nodes = 0;
  ActivePart part;
  Operators operators;  ///< pattern and ceiling alone: the engine has the numbers
  Tissue tissue;
  Scheme scheme;
  const IonicModel* model = nullptr;
  std::vector<std::vector<double>> parameters;  ///< per region
  std::uint64_t fingerprint = 0;
  std::shared_ptr<const ConductorSpace> conductor;  ///< of a bidomain
};

/// Assembles and checks as Simulation's constructor says.
struct Prepared {
  Heart heart;
  kernels::Problem problem;
};
Prepared prepare(const Twin&, const SimulationOptions&);

/// Calls the kernels; what they cannot do becomes an InputError that names the backend.
template <class Make>
auto made_by_kernels(const Backend& backend, const Make& make) {
  try {
    using Kind = kernels::Device::Kind;
    const auto kind = backend.is_cuda() ? Kind::cuda : backend.is_reference() ? Kind::reference : Kind::cpu;
    return make(kernels::Device{kind, backend.device()});
  } catch (const std::exception& error) {
    throw InputError(fmt::format("Simulation on \"{}\": {}", backend.name(), error.what()));
  }
}

struct Watched {
  std::unique_ptr<Recorder> recorder;
  std::int64_t next = 0;  ///< sample number; taken at step round(next * interval / dt)
};

struct Simulation::Impl {
  std::shared_ptr<const Heart> heart;
  std::shared_ptr<kernels::Engine> engine;
  std::vector<Index> dead;  // mesh nodes in lesions, ascending
  std::vector<kernels::Pulse> pulses;
  std::vector<kernels::Current> currents;
  std::vector<Watched> watched;
  double keep_interval = 0;  ///< [ms] of good states
  std::optional<SimulationState> good;

  SimulationState state() const {
    SimulationState state{.time = time(), .bytes = engine->save()};
    const auto tag = std::bit_cast<std::array<std::byte, 8>>(heart->fingerprint);
    state.bytes.insert(state.bytes.end(), tag.begin(), tag.end());
    return state;
  }
  void keep_if_due() {
    if (keep_interval > 0 && (!good || time() < good->time || time() >= good->time + keep_interval)) good = state();
  }

  double time() const { return static_cast<double>(engine->step_count()) * heart->dt; }
  std::int64_t step_of(double moment) const { return std::llround(moment / heart->dt); }
  // Steps between looks at the state: 10 ms, but not much more than 0.2 s of work.
  std::int64_t stride() const {
    const auto by_work = static_cast<std::int64_t>(2e7 / static_cast<double>(heart->part.mesh_node.size()));
    return std::max<std::int64_t>(1, std::min(step_of(10.0), by_work));
  }
  double last_pulse_end() const {
    double end = 0;
    for (const auto& pulse : pulses) end = std::max(end, pulse.start + pulse.duration);
    for (const auto& current : currents) end = std::max(end, current.start + current.duration);
    return end;
  }

  std::vector<double> on_mesh(const std::vector<double>& values, std::size_t per_node) const {
    std::vector<double> result(heart->mesh_nodes * per_node, NAN);
    for (std::size_t i = 0; i < heart->part.mesh_node.size(); ++i)
      std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(i * per_node), per_node,
                  result.begin() + static_cast<std::ptrdiff_t>(heart->part.mesh_node[i] * per_node));
    for (const Index node : dead)
      std::fill_n(result.begin() + static_cast<std::ptrdiff_t>(node * per_node), per_node, NAN);
    return result;
  }
  std::vector<double> voltage() const {
    std::vector<double> v(heart->part.mesh_node.size());
    engine->voltage(v);
    return on_mesh(v, 1);
  }
  std::vector<double> potential() const {
    if (!heart->conductor) throw InputError("Simulation: a monodomain has no extracellular potential; run a bidomain");
    std::vector<double> phi(heart->conductor->rows());
    engine->potential(phi);
    return heart->conductor->on_mesh(phi);
  }
  bool quiet() const { return engine->max_voltage() < heart->threshold; }

  /// `before`: when V was last looked at [ms].
  void check_finite(double before) const {
    if (std::isfinite(engine->max_voltage())) return;
    std::vector<double> v(heart->part.mesh_node.size());
    engine->voltage(v);
    const auto bad = std::find_if(v.begin(), v.end(), [](double x) { return !std::isfinite(x); });
    const std::string when =
        fmt::format("Simulation: V stopped being finite between {:.4g} and {:.4g} ms", before, time());
    if (bad == v.end()) throw NumericalError(when);
    const auto at = static_cast<std::size_t>(bad - v.begin());
    throw NumericalError(fmt::format(
        "{}, node {} (region \"{}\"); a smaller dt than {:g} ms, a weaker stimulus or other parameters may help", when,
        heart->part.mesh_node[at], heart->part.region_names[heart->part.region[at]], heart->dt));
  }

  std::int64_t sample_step(const Watched& w) const {
    return step_of(static_cast<double>(w.next) * w.recorder->interval());
  }
  // First sample that is not in the past.
  void align(Watched& w) const {
    if (!(w.recorder->interval() > 0)) return;
    w.next = static_cast<std::int64_t>(std::floor(time() / w.recorder->interval()));
    while (sample_step(w) < engine->step_count()) ++w.next;
  }
  void sample_due() {
    std::vector<double> v;
    for (Watched& w : watched) {
      if (!(w.recorder->interval() > 0) || sample_step(w) != engine->step_count()) continue;
      if (v.empty()) v = voltage();
      w.recorder->sample(time(), v);
      if (w.recorder->wants_potential()) w.recorder->sample_potential(time(), potential());
      while (sample_step(w) <= engine->step_count()) ++w.next;
    }
  }
  std::int64_t next_stop(std::int64_t end) const {
    std::int64_t stop = std::min(end, engine->step_count() + stride());
    for (const Watched& w : watched)
      if (w.recorder->interval() > 0) stop = std::min(stop, sample_step(w));
    return stop;
  }

  // Advances to step `end`; `enough` is asked every 10 ms and may stop early. Returns whether it did.
  template <class Enough>
  bool advance(std::int64_t end, const Monitor& monitor, const Enough& enough) {
    const std::int64_t first = engine->step_count(), ask = std::max<std::int64_t>(1, step_of(10.0));
    bool stopped = false;
    sample_due();
    keep_if_due();
    while (engine->step_count() < end) {
      monitor.poll();
      if ((engine->step_count() - first) % ask == 0 && enough()) {
        stopped = true;
        break;
      }
      std::int64_t stop = next_stop(end);
      stop = std::min(stop, first + ((engine->step_count() - first) / ask + 1) * ask);
      const double before = time();
      try {
        engine->advance(stop - engine->step_count());
      } catch (
          const std::runtime_error& error) {  // a solve inside a step did not converge, perhaps for want of a finite V
        check_finite(before);
        throw NumericalError(fmt::format("Simulation: between {:.4g} and {:.4g} ms {}", before, time(), error.what()));
      }
      check_finite(before);
      keep_if_due();
      sample_due();
      monitor.report("simulate", static_cast<double>(engine->step_count() - first) / static_cast<double>(end - first));
    }
    return stopped || enough();
  }
};

}  // namespace cardiotwin
