#include <cardiotwin/ensemble.hpp>
#include <chrono>
#include <future>
#include <memory>

#include "bind.hpp"

namespace cardiotwin::python {
namespace {

SimulationOptions options_of(const Twin& twin, double dt, const std::string& precision, int threads,
                             const std::string& backend, const std::optional<Stiffness>& stiffness, double ionic_load,
                             const std::vector<Lesion>& lesions, TissueModel model, const BidomainOptions& bidomain) {
  if (precision != "fp64" && precision != "fp32")
    throw InputError(fmt::format("Simulation: precision must be \"fp64\" or \"fp32\", not \"{}\"", precision));
  SimulationOptions options;
  options.stiffness = stiffness.value_or(natural_stiffness(twin));
  options.dt = dt == 0 ? natural_dt(twin, options.stiffness) : dt;
  options.backend = Backend::named(backend, threads);
  options.precision = precision == "fp32" ? Precision::fp32 : Precision::fp64;
  options.ionic_load = ionic_load;
  options.lesions = lesions;
  options.model = model;
  options.bidomain = bidomain;
  return options;
}

// Callables that simulations hold, so that Python's collector can see them: `self.sim.every(5, self.look)` makes a
// cycle. Touched with the interpreter held.
using Held = std::shared_ptr<py::object>;
std::map<const Simulation*, std::vector<Held>>& callables() {
  static std::map<const Simulation*, std::vector<Held>> of;
  return of;
}

// A Python callable at intervals; what it raises ends the run.
class Callback : public Recorder {
 public:
  Callback(const Simulation* owner, double interval, py::object call)
      : owner_(owner), interval_(interval), call_(std::make_shared<py::object>(std::move(call))) {
    callables()[owner_].push_back(call_);
  }
  Callback(Callback&& other) noexcept = default;
  ~Callback() override {
    if (!call_) return;  // moved from
    py::gil_scoped_acquire lock;
    auto& mine = callables()[owner_];
    std::erase(mine, call_);
    if (mine.empty()) callables().erase(owner_);
    call_.reset();
  }
  double interval() const override { return interval_; }
  void sample(double time, std::span<const double> voltage) override {
    py::gil_scoped_acquire lock;
    // A copy: the callable may keep it.
    (*call_)(time, py::array_t<double>(static_cast<py::ssize_t>(voltage.size()), voltage.data()));
  }

 private:
  const Simulation* owner_;
  double interval_;
  Held call_;
};

// That a Python object owns; members of an ensemble are the ensemble's.
const Simulation* simulation_of(PyObject* self) {
  auto* object = reinterpret_cast<py::detail::instance*>(self);
  return object->owned ? static_cast<const Simulation*>(object->get_value_and_holder().value_ptr()) : nullptr;
}

// What the collector asks of a simulation: which objects it holds, and to let go of them.
void collectable(PyHeapTypeObject* heap) {
  PyTypeObject* type = &heap->ht_type;
  type->tp_flags |= Py_TPFLAGS_HAVE_GC;
  type->tp_traverse = [](PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    const auto found = callables().find(simulation_of(self));
    if (found != callables().end()) {
      for (const Held& held : found->second) Py_VISIT(held->ptr());
    }
    return 0;
  };
  type->tp_clear = [](PyObject* self) {
    const auto found = callables().find(simulation_of(self));
    if (found == callables().end()) return 0;
    for (const Held& held : std::vector<Held>(found->second)) *held = py::none();
    return 0;
  };
}

py::array activations(const Simulation& sim) {
  auto values = sim.activations();
  const std::size_t nodes = values.size() / Simulation::activation_depth;
  return give(std::move(values), {nodes, Simulation::activation_depth});
}

// A method that must not be called while the simulation runs.
template <class... Arguments>
auto idle(void (Simulation::*method)(Arguments...)) {
  return [method](Simulation& self, Arguments... arguments) {
    const Busy busy(&self, "Simulation");
    (self.*method)(std::forward<Arguments>(arguments)...);
  };
}

template <class R>
R& add_recorder(Simulation& self, const R& recorder) {
  const Busy busy(&self, "Simulation");
  return self.add(R(recorder));
}

// The calling thread waits and looks at Ctrl-C, which Python shows to its main thread only.
void for_each(const py::object& self, std::size_t jobs, const py::function& job) {
  auto& ensemble = self.cast<Ensemble&>();
  const Busy busy(&ensemble, "Ensemble");
  std::atomic<bool> stop = false;
  py::gil_scoped_release free;
  auto work = std::async(std::launch::async, [&] {
    ensemble.for_each(jobs, [&](std::size_t number, Simulation& simulation) {
      py::gil_scoped_acquire lock;
      if (stop) return;
      stop_of_jobs = &stop;
      job(number, py::cast(&simulation, py::return_value_policy::reference_internal, self));
    });
  });
  std::exception_ptr interrupted;
  while (work.wait_for(std::chrono::milliseconds(100)) != std::future_status::ready) {
    py::gil_scoped_acquire lock;
    if (stop || PyErr_CheckSignals() == 0) continue;
    interrupted = std::make_exception_ptr(py::error_already_set());
    stop = true;
  }
  try {
    work.get();
  } catch (...) {
    if (!interrupted) throw;
  }
  if (interrupted) std::rethrow_exception(interrupted);
}

void bind_protocol(py::module_& m) {
  bind_names<Waveform>(m, "Waveform", {{"square", Waveform::square}, {"biphasic", Waveform::biphasic}});
  Struct<Stimulus>(m, "Stimulus")
      .read("nodes", &Stimulus::nodes)
      .read("start", &Stimulus::start)
      .read("duration", &Stimulus::duration)
      .read("amplitude", &Stimulus::amplitude)
      .read("waveform", &Stimulus::waveform)
      .def(py::init([](const py::object& nodes, double start, double duration, double amplitude, Waveform waveform) {
             const auto given = integers_of(nodes, 1, 0, std::numeric_limits<Index>::max(), "Stimulus: nodes");
             return Stimulus{{given.begin(), given.end()}, start, duration, amplitude, waveform};
           }),
           "nodes"_a, "start"_a = 0.0, "duration"_a = 2.0, "amplitude"_a = 50.0, "waveform"_a = Waveform::square,
           "start, duration [ms]; amplitude [A/F = mV/ms], positive depolarises");
  Struct<ElectrodeCurrent>(m, "ElectrodeCurrent")
      .read("position", &ElectrodeCurrent::position)
      .read("radius", &ElectrodeCurrent::radius)
      .read("start", &ElectrodeCurrent::start)
      .read("duration", &ElectrodeCurrent::duration)
      .read("current", &ElectrodeCurrent::current)
      .read("waveform", &ElectrodeCurrent::waveform)
      .def(py::init([](const Vec3& position, double current, double radius, double start, double duration,
                       Waveform waveform) {
             return ElectrodeCurrent{position, radius, start, duration, current, waveform};
           }),
           "position"_a, "current"_a, "radius"_a = 1.0, "start"_a = 0.0, "duration"_a = 2.0,
           "waveform"_a = Waveform::square, "current [uA], into the extracellular space; radius [mm]; times [ms]");
  Struct<Protocol>(m, "Protocol", "Pacing.")
      .read("stimuli", &Protocol::stimuli)
      .read("currents", &Protocol::currents)
      .def(py::init([](std::vector<Stimulus> stimuli, std::vector<ElectrodeCurrent> currents) {
             Protocol protocol{std::move(stimuli), std::move(currents)};
             protocol.validate();
             return protocol;
           }),
           "stimuli"_a = std::vector<Stimulus>{}, "currents"_a = std::vector<ElectrodeCurrent>{})
      .def_static(
          "s1s2",
          [](const Site& site, double s1, int beats, double s2, double s3, double s4, double start, double duration,
             double amplitude) {
            return Protocol::s1s2(site, {s1, beats, s2, s3, s4, start, duration, amplitude});
          },
          "site"_a, "s1"_a = 600.0, "beats"_a = 6, "s2"_a = 0.0, "s3"_a = 0.0, "s4"_a = 0.0, "start"_a = 0.0,
          "duration"_a = 2.0, "amplitude"_a = 50.0, doc("S1S2"))
      .def("last_stimulus", &Protocol::last_stimulus, doc("Protocol.last_stimulus"));
}

void bind_recorders(py::module_& m) {
  py::class_<ActivationMap> activation(m, "ActivationMap", doc("ActivationMap"));
  bind_names<ActivationMap::Which>(m, "Which",
                                   {{"first", ActivationMap::Which::first}, {"last", ActivationMap::Which::last}});
  activation.def(py::init<ActivationMap::Which>(), "which"_a = ActivationMap::Which::first)
      .def("map", [](const ActivationMap& self) { return self.map(); });
  py::class_<RepolarizationMap>(m, "RepolarizationMap", doc("RepolarizationMap"))
      .def(py::init<>())
      .def("map", [](const RepolarizationMap& self) { return self.map(); });
  py::class_<Probe>(m, "Probe", doc("Probe"))
      .def(py::init([](const py::object& nodes, double interval) {
             const auto given = integers_of(nodes, 1, 0, std::numeric_limits<Index>::max(), "Probe: nodes");
             return Probe({given.begin(), given.end()}, interval);
           }),
           "nodes"_a, "interval"_a)
      .def_property_readonly(
          "times", [](const Probe& self) { return give(std::vector<double>(self.times())); }, "[ms]")
      .def_property_readonly(
          "values",
          [](const Probe& self) {
            const std::size_t samples = self.times().size(), all = self.values().size();
            return give(std::vector<double>(self.values()), {samples, samples ? all / samples : 0});
          },
          "(samples, nodes) [mV]");
  Struct<Variation>(m, "Variation")
      .field("conductivity", &Variation::conductivity)
      .field("parameters", &Variation::parameters)
      .field("lesions", &Variation::lesions)
      .def(py::init([](std::map<std::string, double> conductivity,
                       std::map<std::string, std::map<std::string, double>> parameters, std::vector<Lesion> lesions) {
             return Variation{std::move(conductivity), std::move(parameters), std::move(lesions)};
           }),
           py::kw_only(), "conductivity"_a = std::map<std::string, double>{},
           "parameters"_a = std::map<std::string, std::map<std::string, double>>{},
           "lesions"_a = std::vector<Lesion>{});
  py::class_<SimulationState>(m, "SimulationState", doc("SimulationState"))
      .def_readonly("time", &SimulationState::time)
      .def(
          "save", [](const SimulationState& self, const std::filesystem::path& path) { save(path, self); }, "path"_a)
      .def_static("load", &load_state, "path"_a);
}

}  // namespace

void bind_simulation(py::module_& m) {
  bind_names<TissueModel>(m, "TissueModel",
                          {{"monodomain", TissueModel::monodomain}, {"bidomain", TissueModel::bidomain}});
  bind_protocol(m);
  bind_recorders(m);

  py::class_<Simulation>(
      m, "Simulation",
      "The monodomain or the bidomain equations on a twin. dt [ms], 0: the twin's own; precision \"fp32\" or "
      "\"fp64\"; backend \"cpu\", \"cuda\", \"cuda:1\", or \"reference\" (Crank-Nicolson in fp64); "
      "stiffness: as the twin was calibrated.",
      py::custom_type_setup(collectable))
      .def(py::init([](const Twin& twin, double dt, const std::string& precision, int threads,
                       const std::string& backend, const std::optional<Stiffness>& stiffness, double ionic_load,
                       const std::vector<Lesion>& lesions, TissueModel model,
                       const std::optional<std::shared_ptr<Torso>>& torso, const std::vector<Ground>& grounds,
                       double interval, double tolerance) {
             const auto options = options_of(twin, dt, precision, threads, backend, stiffness, ionic_load, lesions,
                                             model, {torso.value_or(nullptr), grounds, interval, tolerance});
             py::gil_scoped_release free;
             return Simulation(twin, options);
           }),
           "twin"_a, py::kw_only(), "dt"_a = 0.0, "precision"_a = "fp32", "threads"_a = 0, "backend"_a = "cpu",
           "stiffness"_a = py::none(), "ionic_load"_a = SimulationOptions().ionic_load,
           "lesions"_a = std::vector<Lesion>{}, "model"_a = TissueModel::monodomain, "torso"_a = py::none(),
           "grounds"_a = std::vector<Ground>{}, "elliptic_interval"_a = BidomainOptions().interval,
           "elliptic_tolerance"_a = BidomainOptions().tolerance, doc("Simulation.Simulation"))
      .def("vary", idle(&Simulation::vary), "variation"_a, doc("Simulation.vary"))
      .def("add", idle<const Protocol&>(&Simulation::add), "protocol"_a, "Pacing; several add up.")
      .def("add", &add_recorder<ActivationMap>, "recorder"_a, py::return_value_policy::reference_internal)
      .def("add", &add_recorder<RepolarizationMap>, "recorder"_a, py::return_value_policy::reference_internal)
      .def("add", &add_recorder<EcgRecorder>, "recorder"_a, py::return_value_policy::reference_internal)
      .def("add", &add_recorder<PotentialProbe>, "recorder"_a, py::return_value_policy::reference_internal)
      .def("add", &add_recorder<Probe>, "recorder"_a, py::return_value_policy::reference_internal,
           doc("Simulation.add"))
      .def(
          "every",
          [](Simulation& self, double interval, const py::function& call) {
            if (!(interval > 0))
              throw InputError(fmt::format("Simulation: interval must be above 0, not {}", interval));
            const Busy busy(&self, "Simulation");
            self.add(Callback(&self, interval, call));
          },
          "interval"_a, "call"_a,
          "call(time, voltage) every `interval` ms: voltage per node [mV], an array of its own. What it raises ends "
          "the "
          "run and is raised there.")
      .def("clear_protocols", idle(&Simulation::clear_protocols), "Nothing is paced any more.")
      .def(
          "run",
          [](Simulation& self, double duration, const py::object& progress) {
            const Busy busy(&self, "Simulation");
            long_call(progress, [&](const Monitor& monitor) { self.run(duration, monitor); });
          },
          "duration"_a, "progress"_a = py::none(), doc("Simulation.run"))
      .def(
          "run_until_quiet",
          [](Simulation& self, double duration, const py::object& progress) {
            const Busy busy(&self, "Simulation");
            return long_call(progress, [&](const Monitor& monitor) { return self.run_until_quiet(duration, monitor); });
          },
          "duration"_a, "progress"_a = py::none(), doc("Simulation.run_until_quiet"))
      .def_property_readonly("time", &Simulation::time, "[ms]")
      .def_property_readonly("stable_dt", &Simulation::stable_dt, doc("Simulation.stable_dt"))
      .def_property_readonly("stages", &Simulation::stages, doc("Simulation.stages"))
      .def_property_readonly("active_nodes", &Simulation::active_nodes, doc("Simulation.active_nodes"))
      .def_property_readonly("quiet", &Simulation::quiet, doc("Simulation.quiet"))
      .def(
          "voltage", [](const Simulation& self) { return give(self.voltage()); }, doc("Simulation.voltage"))
      .def(
          "potential", [](const Simulation& self) { return give(self.potential()); }, doc("Simulation.potential"))
      .def_property_readonly(
          "elliptic_work",
          [](const Simulation& self) {
            const auto work = self.elliptic_work();
            return py::make_tuple(work.solves, work.iterations);
          },
          "Of a bidomain: solves so far, and their iterations together.")
      .def("activations", &activations, "Last LATs per node [ms], (nodes, 8), latest first, NaN where there are fewer.")
      .def(
          "repolarizations", [](const Simulation& self) { return give(self.repolarizations()); },
          doc("Simulation.repolarizations"))
      .def("state", &Simulation::state, doc("SimulationState"))
      .def("restore", idle(&Simulation::restore), "state"_a, doc("Simulation.restore"))
      .def("reset", idle(&Simulation::reset), doc("Simulation.reset"));
  // Of the twin's mesh and conductivities as they are now, whatever it was calibrated with.
  m.def("_coarsest_dt", [](Twin twin, Stiffness stiffness) {
    twin.tissue.calibrated_dt = 0;
    return natural_dt(twin, stiffness);
  });
  m.def("natural_dt", py::overload_cast<const Twin&>(&natural_dt), "twin"_a, doc("natural_dt"));

  py::class_<Ensemble>(m, "Ensemble", doc("Ensemble"))
      .def(py::init([](const Twin& twin, int members, double dt, const std::string& precision, int threads,
                       const std::string& backend, const std::optional<Stiffness>& stiffness, double ionic_load,
                       TissueModel model, const std::optional<std::shared_ptr<Torso>>& torso,
                       const std::vector<Ground>& grounds, double interval, double tolerance) {
             const auto options = options_of(twin, dt, precision, threads, backend, stiffness, ionic_load, {}, model,
                                             {torso.value_or(nullptr), grounds, interval, tolerance});
             py::gil_scoped_release free;
             return Ensemble(twin, options, members);
           }),
           "twin"_a, "members"_a, py::kw_only(), "dt"_a = 0.0, "precision"_a = "fp32", "threads"_a = 0,
           "backend"_a = "cpu", "stiffness"_a = py::none(), "ionic_load"_a = SimulationOptions().ionic_load,
           "model"_a = TissueModel::monodomain, "torso"_a = py::none(), "grounds"_a = std::vector<Ground>{},
           "elliptic_interval"_a = BidomainOptions().interval, "elliptic_tolerance"_a = BidomainOptions().tolerance,
           doc("Ensemble.Ensemble"))
      .def_static("limit", &Ensemble::limit)
      .def("__len__", &Ensemble::size)
      .def("member", &Ensemble::member, "number"_a, py::return_value_policy::reference_internal, doc("Ensemble.member"))
      .def("for_each", &for_each, "jobs"_a, "job"_a, doc("Ensemble.for_each"));
}

}  // namespace cardiotwin::python
