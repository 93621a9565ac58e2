#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cardiotwin/kernels/engine.hpp>
#include <cardiotwin/simulation.hpp>
#include <cmath>
#include <cstring>

#include "operators.hpp"
#include "problem.hpp"

namespace cardiotwin {
namespace {

void check_options(const SimulationOptions& o) {
  if (!(o.dt > 0) || !std::isfinite(o.dt))
    throw InputError(fmt::format("Simulation: dt = {} ms must be positive", o.dt));
  if (!(o.ionic_load >= 0 && o.ionic_load <= 1))
    throw InputError(fmt::format("Simulation: ionic_load = {} is outside [0, 1]; 0.667 is the default", o.ionic_load));
}

// The tet at the limiting node whose own stiffness per volume is largest, for the message.
void check_time_step(const Operators& operators, const ActivePart& part, const SimulationOptions& options) {
  const double allowed = 0.8 * operators.stable_dt;
  if (options.dt <= allowed) return;
  std::size_t worst = 0;
  double steepest = 0;
  for (std::size_t t = 0; t < part.tets.size(); ++t) {
    const Tet& tet = part.tets[t];
    if (std::find(tet.begin(), tet.end(), operators.limiting_node) == tet.end()) continue;
    const fem::Gradients g = fem::gradients(fem::Elements(part.points, part.tets), t);
    double sum = 0;
    for (const Vec3& gradient : g.scaled) sum += gradient.squaredNorm() / (36 * g.volume * g.volume);
    if (sum > steepest) steepest = sum, worst = t;
  }
  throw InputError(fmt::format(
      "Simulation: dt = {:.4g} ms exceeds 0.8 of the explicit limit {:.4g} ms set at tet {} (region \"{}\"); use dt <= "
      "{:.3g} ms, a smaller conductivity, or a mesh without so flat or small a tet",
      options.dt, operators.stable_dt, part.mesh_tet[worst], part.region_names[part.tet_region[worst]],
      std::floor(allowed * 1e4) / 1e4));
}

kernels::Problem make_problem(const Tissue& tissue, const ActivePart& part, Operators& operators,
                              const SimulationOptions& options) {
  kernels::Problem problem = problem_without_matrix(tissue, part.region_names, options);
  problem.row_start = std::move(operators.row_start);
  problem.column = std::move(operators.column);
  problem.diffusion = std::move(operators.diffusion);
  problem.load = std::move(operators.load);
  problem.parameter_set = part.region;
  return problem;
}

std::unique_ptr<kernels::Engine> make_engine(const kernels::Problem& problem, const Backend& backend) {
  try {
    return kernels::make_engine(problem, {.cuda = backend.is_cuda(), .index = backend.device()});
  } catch (const std::exception& error) {
    throw InputError(fmt::format("Simulation on \"{}\": {}", backend.name(), error.what()));
  }
}

// Tells one problem from another, so that a state is never restored onto the wrong one. FNV-1a over 64-bit words.
class Fingerprint {
 public:
  void add(std::uint64_t word) { hash_ = (hash_ ^ word) * 0x100000001b3ull, hash_ ^= hash_ >> 29; }
  void add(double value) { add(std::bit_cast<std::uint64_t>(value)); }
  template <class T>
  void add(const std::vector<T>& values) {
    add(static_cast<std::uint64_t>(values.size()));
    for (const T& value : values) {
      if constexpr (std::is_same_v<T, double>) {
        add(value);
      } else {
        add(static_cast<std::uint64_t>(value));
      }
    }
  }
  std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325ull;
};

std::uint64_t fingerprint(const kernels::Problem& p) {
  Fingerprint f;
  f.add(p.dt), f.add(p.activation_threshold);
  f.add(static_cast<std::uint64_t>(p.real));
  f.add(p.column), f.add(p.diffusion), f.add(p.load), f.add(p.parameter_set);
  for (const auto& set : p.parameters) f.add(set);
  return f.value();
}

struct Watched {
  std::unique_ptr<Recorder> recorder;
  std::int64_t next = 0;  // sample number; taken at step round(next * interval / dt)
};

}  // namespace

struct Simulation::Impl {
  double dt = 0, threshold = 0, stable_dt = 0, added_capacity = 0;
  std::size_t mesh_nodes = 0;
  std::vector<Index> mesh_node, engine_node;
  std::vector<std::uint8_t> region;
  std::vector<std::string> region_names;
  std::uint64_t fingerprint = 0;
  std::unique_ptr<kernels::Engine> engine;
  std::vector<kernels::Pulse> pulses;
  std::vector<Watched> watched;

  double time() const { return static_cast<double>(engine->step_count()) * dt; }
  std::int64_t step_of(double moment) const { return std::llround(moment / dt); }
  // Steps between looks at the state: 1 ms, but not much more than 0.2 s of work.
  std::int64_t stride() const {
    const auto by_work = static_cast<std::int64_t>(2e7 / static_cast<double>(mesh_node.size()));
    return std::max<std::int64_t>(1, std::min(step_of(1.0), by_work));
  }
  double last_pulse_end() const {
    double end = 0;
    for (const auto& pulse : pulses) end = std::max(end, pulse.start + pulse.duration);
    return end;
  }

  std::vector<double> on_mesh(const std::vector<double>& values, std::size_t per_node) const {
    std::vector<double> result(mesh_nodes * per_node, NAN);
    for (std::size_t i = 0; i < mesh_node.size(); ++i)
      std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(i * per_node), per_node,
                  result.begin() + static_cast<std::ptrdiff_t>(mesh_node[i] * per_node));
    return result;
  }
  std::vector<double> voltage() const {
    std::vector<double> v(mesh_node.size());
    engine->voltage(v);
    return on_mesh(v, 1);
  }
  bool quiet() const { return engine->max_voltage() < threshold; }

  void check_finite() const {
    if (std::isfinite(engine->max_voltage())) return;
    std::vector<double> v(mesh_node.size());
    engine->voltage(v);
    const auto bad = std::find_if(v.begin(), v.end(), [](double x) { return !std::isfinite(x); });
    const auto at = static_cast<std::size_t>(bad - v.begin());
    if (bad == v.end()) throw NumericalError(fmt::format("Simulation: V is not finite at {:.4g} ms", time()));
    throw NumericalError(
        fmt::format("Simulation: V is not finite at {:.4g} ms, node {} (region \"{}\"); a smaller dt than {:g} ms, a "
                    "weaker stimulus "
                    "or other parameters may help",
                    time(), mesh_node[at], region_names[region[at]], dt));
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
    while (engine->step_count() < end) {
      monitor.poll();
      if ((engine->step_count() - first) % ask == 0 && enough()) {
        stopped = true;
        break;
      }
      std::int64_t stop = next_stop(end);
      stop = std::min(stop, first + ((engine->step_count() - first) / ask + 1) * ask);
      engine->advance(stop - engine->step_count());
      check_finite();
      sample_due();
      monitor.report("simulate", static_cast<double>(engine->step_count() - first) / static_cast<double>(end - first));
    }
    return stopped || enough();
  }
};

double natural_dt(const Twin& twin) {
  if (twin.tissue.calibrated_dt > 0) return twin.tissue.calibrated_dt;
  twin.tissue.validate();
  twin.anatomy.validate();
  const double limit =
      assemble_operators(active_part(twin, {}), twin.tissue, twin.anatomy.fibers, SimulationOptions{}.ionic_load)
          .stable_dt;
  return coarsest_dt(twin.tissue.model, limit);
}

Simulation::Simulation(const Twin& twin, const SimulationOptions& options) : impl_(std::make_unique<Impl>()) {
  check_options(options);
  twin.tissue.validate();
  twin.anatomy.validate();
  ActivePart part = active_part(twin, options.lesions);
  Operators operators = assemble_operators(part, twin.tissue, twin.anatomy.fibers, options.ionic_load);
  check_time_step(operators, part, options);
  Impl& s = *impl_;
  s.stable_dt = operators.stable_dt;
  s.added_capacity = operators.added_capacity;
  const kernels::Problem problem = make_problem(twin.tissue, part, operators, options);
  s.dt = options.dt;
  s.threshold = problem.activation_threshold;
  s.fingerprint = fingerprint(problem);
  s.mesh_nodes = twin.anatomy.mesh.node_count();
  s.engine = make_engine(problem, options.backend);
  s.mesh_node = std::move(part.mesh_node);
  s.engine_node = std::move(part.engine_node);
  s.region = std::move(part.region);
  s.region_names = std::move(part.region_names);
}
Simulation::~Simulation() = default;
Simulation::Simulation(Simulation&&) noexcept = default;
Simulation& Simulation::operator=(Simulation&&) noexcept = default;

void Simulation::add(const Protocol& protocol) {
  protocol.validate();
  std::vector<kernels::Pulse> added;
  for (std::size_t k = 0; k < protocol.stimuli.size(); ++k) {
    const Stimulus& stimulus = protocol.stimuli[k];
    kernels::Pulse pulse{.nodes = {},
                         .start = stimulus.start,
                         .duration = stimulus.duration,
                         .amplitude = stimulus.amplitude,
                         .biphasic = stimulus.waveform == Waveform::biphasic};
    for (const Index node : stimulus.nodes) {
      if (node < 0 || static_cast<std::size_t>(node) >= impl_->mesh_nodes)
        throw InputError(
            fmt::format("Stimulus {}: node {} is outside the mesh of {} nodes", k, node, impl_->mesh_nodes));
      if (impl_->engine_node[node] >= 0) pulse.nodes.push_back(impl_->engine_node[node]);
    }
    if (pulse.nodes.empty())
      throw InputError(fmt::format("Stimulus {}: none of its {} nodes conducts; pace outside dead tissue and lesions",
                                   k, stimulus.nodes.size()));
    std::sort(pulse.nodes.begin(), pulse.nodes.end());
    pulse.nodes.erase(std::unique(pulse.nodes.begin(), pulse.nodes.end()), pulse.nodes.end());
    added.push_back(std::move(pulse));
  }
  impl_->pulses.insert(impl_->pulses.end(), added.begin(), added.end());
  impl_->engine->set_pulses(impl_->pulses);
}

void Simulation::clear_protocols() {
  impl_->pulses.clear();
  impl_->engine->set_pulses({});
}

void Simulation::attach(std::unique_ptr<Recorder> recorder) {
  impl_->watched.push_back({std::move(recorder), 0});
  impl_->align(impl_->watched.back());
}

namespace {
void check_duration(double duration) {
  if (!(duration >= 0) || !std::isfinite(duration))
    throw InputError(fmt::format("Simulation: cannot run for {} ms; the duration must not be negative", duration));
}
}  // namespace

void Simulation::run(double duration, const Monitor& monitor) {
  check_duration(duration);
  impl_->advance(impl_->step_of(time() + duration), monitor, [] { return false; });
  for (auto& w : impl_->watched) w.recorder->finish(*this);
}

bool Simulation::run_until_quiet(double duration, const Monitor& monitor) {
  check_duration(duration);
  const double last = impl_->last_pulse_end();
  const bool quiet_now =
      impl_->advance(impl_->step_of(time() + duration), monitor, [&] { return time() >= last && impl_->quiet(); });
  for (auto& w : impl_->watched) w.recorder->finish(*this);
  return quiet_now;
}

double Simulation::time() const { return impl_->time(); }
double Simulation::stable_dt() const { return impl_->stable_dt; }
double Simulation::added_capacity() const { return impl_->added_capacity; }
std::size_t Simulation::active_nodes() const { return impl_->mesh_node.size(); }
std::vector<double> Simulation::voltage() const { return impl_->voltage(); }
bool Simulation::quiet() const { return impl_->quiet(); }

std::vector<double> Simulation::activations() const {
  std::vector<double> lat(impl_->mesh_node.size() * activation_depth);
  impl_->engine->activations(lat);
  return impl_->on_mesh(lat, activation_depth);
}

std::vector<double> Simulation::repolarizations() const {
  std::vector<double> times(impl_->mesh_node.size());
  impl_->engine->repolarizations(times);
  return impl_->on_mesh(times, 1);
}

SimulationState Simulation::state() const {
  SimulationState state{.time = time(), .bytes = impl_->engine->save()};
  const auto tag = std::bit_cast<std::array<std::byte, 8>>(impl_->fingerprint);
  state.bytes.insert(state.bytes.end(), tag.begin(), tag.end());
  return state;
}

void Simulation::restore(const SimulationState& state) {
  std::uint64_t tag = 0;
  const std::size_t size = state.bytes.size();
  if (size >= sizeof tag) std::memcpy(&tag, state.bytes.data() + size - sizeof tag, sizeof tag);
  if (size < sizeof tag || tag != impl_->fingerprint)
    throw InputError(
        "Simulation: the state belongs to another problem (mesh, tissue, lesions, dt or precision differ)");
  try {
    impl_->engine->restore(std::span(state.bytes).first(size - sizeof tag));
  } catch (const std::invalid_argument& error) {
    throw InputError(fmt::format("Simulation: the state cannot be restored on this backend: {}", error.what()));
  }
  for (auto& w : impl_->watched) impl_->align(w);
}

void Simulation::reset() {
  impl_->engine->reset();
  for (auto& w : impl_->watched) {
    w.recorder->reset();
    impl_->align(w);
  }
}

}  // namespace cardiotwin
