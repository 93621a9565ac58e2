#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <tuple>

#include "operators.hpp"
#include "problem.hpp"
#include "simulation_impl.hpp"

namespace cardiotwin {
namespace {

void check_options(const SimulationOptions& o) {
  if (o.backend.is_reference() && !o.lesions.empty())
    throw InputError("Simulation: the reference takes no lesions; make the tissue there core, or use \"cpu\"");
  if (!(o.dt > 0) || !std::isfinite(o.dt))
    throw InputError(fmt::format("Simulation: dt = {} ms must be positive", o.dt));
  if (o.model == TissueModel::bidomain) {
    if (o.backend.is_reference())
      throw InputError("Simulation: the reference computes the monodomain only; use \"cpu\"");
    if (!(o.bidomain.interval > 0) || !std::isfinite(o.bidomain.interval))
      throw InputError(
          fmt::format("Simulation: the bidomain's interval = {} ms must be positive", o.bidomain.interval));
    if (!(o.bidomain.tolerance >= 1e-10 && o.bidomain.tolerance <= 1e-2))
      throw InputError(fmt::format("Simulation: the bidomain's tolerance = {} is outside [1e-10, 0.01]; 1e-5 is usual",
                                   o.bidomain.tolerance));
  }
  if (!(o.ionic_load >= 0 && o.ionic_load <= 1))
    throw InputError(fmt::format("Simulation: ionic_load = {} is outside [0, 1]; 0.667 is the default", o.ionic_load));
}

// Explicit steps that s stages reach over.
double reach(int stages) { return 0.5 * stages * (stages + 1); }

int stages_for(double dt, double stable_dt) {
  int stages = 1;
  while (stages < Simulation::most_stages && dt > 0.8 * stable_dt * reach(stages)) ++stages;
  return stages;
}

// The tet at the limiting node whose own stiffness per volume is largest, for the message.
void check_time_step(const Operators& operators, const ActivePart& part, const SimulationOptions& options) {
  const double allowed = 0.8 * operators.stable_dt * reach(Simulation::most_stages);
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
      "Simulation: dt = {:.4g} ms exceeds what {} stages of 0.8 of the explicit limit {:.4g} ms set at tet {} (region "
      "\"{}\") carry; use dt <= {:.3g} ms, a smaller conductivity, or a mesh without so flat or small a tet",
      options.dt, Simulation::most_stages, operators.stable_dt, part.mesh_tet[worst],
      part.region_names[part.tet_region[worst]], std::floor(allowed * 1e4) / 1e4));
}

kernels::Problem make_problem(const Tissue& tissue, const ActivePart& part, Operators& operators,
                              const SimulationOptions& options) {
  kernels::Problem problem = problem_without_matrix(tissue, part.region_names, options);
  problem.row_start = std::move(operators.row_start);
  problem.column = std::move(operators.column);
  problem.diffusion = std::move(operators.diffusion);
  problem.load = std::move(operators.load);
  problem.gradient = std::move(operators.gradient);
  problem.divergence = std::move(operators.divergence);
  problem.own_divergence = std::move(operators.own_divergence);
  problem.capacity = std::move(operators.capacity);
  problem.parameter_set.assign(part.region.begin(), part.region.end());
  return problem;
}

int steps_per_solve(const SimulationOptions& o) {
  return std::max(1, static_cast<int>(std::lround(o.bidomain.interval / o.dt)));
}

// Where the bath carries the current V moves with the intracellular conductivity alone, 1 + sigma_i / sigma_e times the
// monodomain's: so much shorter steps are stable. Held between solves, the difference is stable up to a ratio of 1.
double largest_ratio(const ActivePart& part, const Tissue& tissue, const SimulationOptions& options) {
  double largest = 0;
  for (const auto& name : part.region_names) {
    const RegionTissue& r = tissue[name];
    for (const auto& [inside, outside, axis] : {std::tuple{r.intracellular.along, r.extracellular.along, "along"},
                                                {r.intracellular.across, r.extracellular.across, "across"}}) {
      largest = std::max(largest, inside / outside);
      if (inside > outside && steps_per_solve(options) > 1)
        throw InputError(
            fmt::format("Simulation: region \"{}\" has {:g} S/m inside and {:g} S/m outside the cells {} the "
                        "fibres; with more inside than outside the bidomain must be solved in every step: "
                        "interval = dt = {:g} ms",
                        name, inside, outside, axis, options.dt));
    }
  }
  return largest;
}

// Of the bidomain: the second equation's matrix and what couples it to the first.
std::shared_ptr<const kernels::Conductor> make_conductor(const Twin& twin, const ActivePart& part,
                                                         const std::vector<double>& capacity,
                                                         const ConductorSpace& space,
                                                         const SimulationOptions& options) {
  auto conductor = std::make_shared<kernels::Conductor>();
  BidomainRows rows = bidomain_rows(part, twin.tissue, capacity);
  conductor->intracellular = std::move(rows.intracellular);
  conductor->beyond = std::move(rows.beyond);
  conductor->carried = std::move(rows.carried);
  conductor->matrix = std::make_shared<const kernels::Multigrid>(space.matrix(twin, rows.stiffness));
  conductor->interpolation = space.interpolation();
  conductor->interval = steps_per_solve(options);
  conductor->tolerance = options.bidomain.tolerance;
  return conductor;
}

// The same heart with lesions as tissue that does not conduct.
Twin burnt(const Twin& twin, const std::vector<Lesion>& lesions) {
  Twin result = twin;
  const Mesh& mesh = twin.anatomy.mesh;
  Label label = 1;
  while (result.anatomy.regions.count(label)) ++label;
  result.anatomy.regions[label] = "lesion";
  result.tissue.regions["lesion"].conducts = false;
  std::vector<Label> labels(mesh.labels().begin(), mesh.labels().end());
  for (std::size_t t = 0; t < labels.size(); ++t)
    for (const Lesion& lesion : lesions)
      if ((mesh.centroid(t) - lesion.position).norm() <= lesion.radius) labels[t] = label;
  result.anatomy.mesh =
      Mesh({mesh.points().begin(), mesh.points().end()}, {mesh.tets().begin(), mesh.tets().end()}, std::move(labels));
  return result;
}

// Electrodes whose currents do not add up to nothing, while nothing is grounded.
void check_balance(const std::vector<kernels::Current>& currents) {
  std::vector<double> moments;
  for (const auto& c : currents)
    for (const double share : {0.0, 0.5, 1.0}) moments.push_back(c.start + share * c.duration);
  std::sort(moments.begin(), moments.end());
  for (std::size_t k = 0; k + 1 < moments.size(); ++k) {
    if (moments[k + 1] - moments[k] < 1e-9) continue;
    const double at = (moments[k] + moments[k + 1]) / 2;
    double sum = 0, size = 0;
    for (const auto& c : currents) {
      if (at < c.start || at > c.start + c.duration) continue;
      const double now = c.biphasic && at > c.start + c.duration / 2 ? -c.amplitude : c.amplitude;
      sum += now, size += std::abs(now);
    }
    if (std::abs(sum) > 1e-9 * size)
      throw InputError(
          fmt::format("Protocol: between {:g} and {:g} ms the electrodes add up to {:g} uA, and nothing is "
                      "grounded; let another one draw as much, or ground one",
                      moments[k], moments[k + 1], sum));
  }
}

std::uint8_t region_number(const Heart& heart, const std::string& name) {
  const auto found = std::find(heart.part.region_names.begin(), heart.part.region_names.end(), name);
  if (found == heart.part.region_names.end())
    throw InputError(fmt::format("Variation: \"{}\" is not a conducting region of this heart{}", name,
                                 suggestion(name, heart.part.region_names)));
  return static_cast<std::uint8_t>(found - heart.part.region_names.begin());
}

std::vector<double> conductivity_factors(const Heart& heart, const Variation& variation) {
  if (variation.conductivity.empty()) return {};
  std::vector<double> factors(heart.part.region_names.size(), 1.0);
  for (const auto& [name, factor] : variation.conductivity) {
    if (!(factor >= 0) || !std::isfinite(factor))
      throw InputError(fmt::format("Variation \"{}\": a conductivity factor of {} must not be negative", name, factor));
    factors[region_number(heart, name)] = factor;
  }
  const double most = *std::max_element(factors.begin(), factors.end());
  const double limit = 0.8 * heart.stable_dt * reach(heart.stages);
  if (heart.dt * most > limit)
    throw InputError(fmt::format("Variation: {} times the conductivity asks for dt <= {:.3g} ms, but dt is {:g} ms",
                                 most, std::floor(1e4 * limit / most) / 1e4, heart.dt));
  return factors;
}

std::vector<std::vector<double>> varied_parameters(const Heart& heart, const Variation& variation) {
  if (variation.parameters.empty()) return {};
  auto result = heart.parameters;
  for (const auto& [region, values] : variation.parameters)
    result[region_number(heart, region)] = with_parameters(*heart.model, result[region_number(heart, region)], values);
  return result;
}

kernels::Variation lesioned(const Heart& heart, const std::vector<Lesion>& lesions) {
  for (const Lesion& lesion : lesions)
    if (!lesion.position.allFinite() || !(lesion.radius > 0))
      throw InputError(fmt::format("Simulation: a lesion of radius {} mm; it must be positive and its position finite",
                                   lesion.radius));
  auto result = rows_beside_lesions(heart.part, heart.operators, heart.tissue, heart.scheme, lesions);
  if (result.dead.size() == heart.part.points.size())
    throw InputError("Simulation: no tet conducts; every region is dead tissue or covered by lesions");
  return result;
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
  f.add(p.column), f.add(p.diffusion), f.add(p.load), f.add(p.gradient), f.add(p.parameter_set);
  for (const auto& set : p.parameters) f.add(set);
  if (p.conductor) {
    f.add(p.conductor->matrix->levels().front().matrix.value);
    f.add(static_cast<std::uint64_t>(p.conductor->interval)), f.add(p.conductor->tolerance);
  }
  return f.value();
}

}  // namespace

Stiffness natural_stiffness(const Twin& twin) {
  return twin.tissue.calibrated_edge > 0 ? twin.tissue.calibrated_stiffness : SimulationOptions{}.stiffness;
}

double natural_dt(const Twin& twin) { return natural_dt(twin, natural_stiffness(twin)); }

double natural_dt(const Twin& twin, Stiffness stiffness) {
  if (twin.tissue.calibrated_dt > 0 && twin.tissue.calibrated_stiffness == stiffness) return twin.tissue.calibrated_dt;
  twin.tissue.validate();
  twin.anatomy.validate();
  const double limit = assemble_operators(active_part(twin), twin.tissue, {.stiffness = stiffness}).stable_dt;
  return coarsest_dt(twin.tissue.model, limit);
}

Prepared prepare(const Twin& twin, const SimulationOptions& options) {
  check_options(options);
  if (options.model == TissueModel::bidomain && !options.lesions.empty()) {
    SimulationOptions without = options;
    without.lesions.clear();
    return prepare(burnt(twin, options.lesions), without);
  }
  twin.tissue.validate();
  twin.anatomy.validate();
  ActivePart part = active_part(twin);
  const Scheme scheme = scheme_of(options);
  Operators operators = assemble_operators(part, twin.tissue, scheme);
  if (options.model == TissueModel::bidomain) operators.stable_dt /= 1 + largest_ratio(part, twin.tissue, options);
  if (!options.backend.is_reference()) check_time_step(operators, part, options);
  Prepared result;
  Heart& heart = result.heart;
  heart.stable_dt = operators.stable_dt;
  heart.added_capacity = operators.added_capacity;
  if (options.model == TissueModel::bidomain) {
    auto space = std::make_shared<const ConductorSpace>(twin, part, options.bidomain.torso, options.bidomain.grounds);
    const auto conductor = make_conductor(twin, part, operators.capacity, *space, options);
    heart.conductor = std::move(space);
    result.problem = make_problem(twin.tissue, part, operators, options);
    result.problem.conductor = conductor;
  } else {
    result.problem = make_problem(twin.tissue, part, operators, options);
  }
  heart.dt = options.dt;
  heart.stages = result.problem.stages =
      options.backend.is_reference() ? 1 : stages_for(options.dt, operators.stable_dt);
  heart.threshold = result.problem.activation_threshold;
  heart.model = result.problem.model;
  heart.parameters = result.problem.parameters;
  heart.fingerprint = fingerprint(result.problem);
  heart.mesh_nodes = twin.anatomy.mesh.node_count();
  heart.operators.row_start = result.problem.row_start;
  heart.operators.column = result.problem.column;
  heart.operators.ceiling = operators.ceiling;
  heart.operators.nodal = operators.nodal;
  heart.part = std::move(part);
  heart.tissue = twin.tissue;
  heart.scheme = scheme;
  return result;
}

Simulation::Simulation(const Twin& twin, const SimulationOptions& options) : impl_(std::make_unique<Impl>()) {
  Prepared prepared = prepare(twin, options);
  impl_->heart = std::make_shared<const Heart>(std::move(prepared.heart));
  impl_->engine = made_by_kernels(
      options.backend, [&](const kernels::Device& device) { return kernels::make_engine(prepared.problem, device); });
  if (!options.lesions.empty() && options.model == TissueModel::monodomain) vary({.lesions = options.lesions});
}
Simulation::Simulation(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Simulation::~Simulation() = default;
Simulation::Simulation(Simulation&&) noexcept = default;
Simulation& Simulation::operator=(Simulation&&) noexcept = default;

void Simulation::vary(const Variation& variation) {
  const Heart& heart = *impl_->heart;
  kernels::Variation own = lesioned(heart, variation.lesions);
  own.conductivity = conductivity_factors(heart, variation);
  own.parameters = varied_parameters(heart, variation);
  std::vector<Index> dead;
  for (const Index i : own.dead) dead.push_back(heart.part.mesh_node[i]);
  std::sort(dead.begin(), dead.end());
  try {
    impl_->engine->vary(own);
  } catch (const std::invalid_argument& error) {
    throw InputError(fmt::format("Variation: {}", error.what()));
  }
  impl_->dead = std::move(dead);
}

void Simulation::add(const Protocol& protocol) {
  protocol.validate();
  const Heart& heart = *impl_->heart;
  std::vector<kernels::Pulse> added;
  for (std::size_t k = 0; k < protocol.stimuli.size(); ++k) {
    const Stimulus& stimulus = protocol.stimuli[k];
    kernels::Pulse pulse{.nodes = {},
                         .start = stimulus.start,
                         .duration = stimulus.duration,
                         .amplitude = stimulus.amplitude,
                         .biphasic = stimulus.waveform == Waveform::biphasic};
    for (const Index node : stimulus.nodes) {
      if (node < 0 || static_cast<std::size_t>(node) >= heart.mesh_nodes)
        throw InputError(
            fmt::format("Stimulus {}: node {} is outside the mesh of {} nodes", k, node, heart.mesh_nodes));
      if (heart.part.engine_node[node] >= 0 && !std::binary_search(impl_->dead.begin(), impl_->dead.end(), node))
        pulse.nodes.push_back(heart.part.engine_node[node]);
    }
    if (pulse.nodes.empty())
      throw InputError(fmt::format("Stimulus {}: none of its {} nodes conducts; pace outside dead tissue and lesions",
                                   k, stimulus.nodes.size()));
    std::sort(pulse.nodes.begin(), pulse.nodes.end());
    pulse.nodes.erase(std::unique(pulse.nodes.begin(), pulse.nodes.end()), pulse.nodes.end());
    added.push_back(std::move(pulse));
  }
  add_currents(protocol);
  impl_->pulses.insert(impl_->pulses.end(), added.begin(), added.end());
  impl_->engine->set_pulses(impl_->pulses);
}

void Simulation::add_currents(const Protocol& protocol) {
  if (protocol.currents.empty()) return;
  const auto& space = impl_->heart->conductor;
  if (!space) throw InputError("Protocol: electrodes inject into the extracellular space, which a monodomain has not");
  auto all = impl_->currents;
  for (std::size_t k = 0; k < protocol.currents.size(); ++k) {
    const ElectrodeCurrent& c = protocol.currents[k];
    auto ball = space->ball(c.position, c.radius, fmt::format("Electrode current {}", k));
    all.push_back({.rows = std::move(ball.rows),
                   .shares = std::move(ball.shares),
                   .start = c.start,
                   .duration = c.duration,
                   .amplitude = c.current,
                   .biphasic = c.waveform == Waveform::biphasic});
  }
  if (!space->grounded()) check_balance(all);
  impl_->engine->set_currents(all);
  impl_->currents = std::move(all);
}

void Simulation::clear_protocols() {
  impl_->pulses.clear();
  impl_->engine->set_pulses({});
  impl_->currents.clear();
  if (impl_->heart->conductor) impl_->engine->set_currents({});
}

void Simulation::attach(std::unique_ptr<Recorder> recorder) {
  if (recorder->wants_potential() && !impl_->heart->conductor)
    throw InputError("Recorder: wants the extracellular potential, which a monodomain has not; run a bidomain");
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
double Simulation::stable_dt() const { return impl_->heart->stable_dt; }
int Simulation::stages() const { return impl_->heart->stages; }
double Simulation::added_capacity() const { return impl_->heart->added_capacity; }
std::size_t Simulation::active_nodes() const { return impl_->heart->part.mesh_node.size() - impl_->dead.size(); }
std::vector<double> Simulation::voltage() const { return impl_->voltage(); }
bool Simulation::quiet() const { return impl_->quiet(); }

std::vector<double> Simulation::potential() const { return impl_->potential(); }

Simulation::EllipticWork Simulation::elliptic_work() const {
  if (!impl_->heart->conductor) return {};
  const auto solves = impl_->engine->solves();
  return {.solves = solves.count, .iterations = solves.iterations};
}

std::vector<double> Simulation::activations() const {
  std::vector<double> lat(impl_->heart->part.mesh_node.size() * activation_depth);
  impl_->engine->activations(lat);
  return impl_->on_mesh(lat, activation_depth);
}

std::vector<double> Simulation::repolarizations() const {
  std::vector<double> times(impl_->heart->part.mesh_node.size());
  impl_->engine->repolarizations(times);
  return impl_->on_mesh(times, 1);
}

void Simulation::keep_good_states(double interval) {
  if (!(interval >= 0))
    throw InputError(fmt::format("Simulation: an interval of {} ms must not be negative", interval));
  impl_->keep_interval = interval;
  impl_->good.reset();
}
const std::optional<SimulationState>& Simulation::last_good_state() const { return impl_->good; }

SimulationState Simulation::state() const { return impl_->state(); }

void Simulation::restore(const SimulationState& state) {
  std::uint64_t tag = 0;
  const std::size_t size = state.bytes.size();
  if (size >= sizeof tag) std::memcpy(&tag, state.bytes.data() + size - sizeof tag, sizeof tag);
  if (size < sizeof tag || tag != impl_->heart->fingerprint)
    throw InputError(
        "Simulation: the state belongs to another problem (mesh, tissue, dt, stiffness or precision differ); go on "
        "from it with the twin and the options it was saved with");
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
