#include "bind.hpp"

namespace cardiotwin::python {
namespace {

py::object from_json(const std::string& text) { return py::module_::import("json").attr("loads")(text); }

void bind_plan(py::module_& m) {
  bind_names<Precision>(m, "Precision", {{"fp32", Precision::fp32}, {"fp64", Precision::fp64}});
  Struct<PlanOptions>(m, "PlanOptions", "How run_study paces and ablates.")
      .keywords()
      .field("sites", &PlanOptions::sites)
      .field("s1", &PlanOptions::s1)
      .field("s1_beats", &PlanOptions::s1_beats)
      .field("extra_stimuli", &PlanOptions::extra_stimuli)
      .field("step", &PlanOptions::step)
      .field("sustained", &PlanOptions::sustained)
      .field("followed", &PlanOptions::followed)
      .field("lesion_radius", &PlanOptions::lesion_radius)
      .field("max_rounds", &PlanOptions::max_rounds)
      .field("velocity_limit", &PlanOptions::velocity_limit)
      .field("accept_unfit", &PlanOptions::accept_unfit)
      .field("dt", &PlanOptions::dt)
      .field("precision", &PlanOptions::precision)
      .field("seed", &PlanOptions::seed)
      .def_property(
          "leads", [](const PlanOptions& o) { return std::const_pointer_cast<LeadFields>(o.leads); },
          [](PlanOptions& o, std::shared_ptr<LeadFields> leads) { o.leads = std::move(leads); },
          doc("PlanOptions.leads"))
      .def_property(
          "backend", [](const PlanOptions& o) { return o.backend.name(); },
          [](PlanOptions& o, const std::string& name) { o.backend = Backend::named(name); },
          "\"cpu\", \"cuda\", \"cuda:1\" or \"reference\"");
  Struct<SiteResult>(m, "SiteResult")
      .read("site", &SiteResult::site)
      .read("round", &SiteResult::round)
      .read("inducible", &SiteResult::inducible)
      .read("coupling", &SiteResult::coupling)
      .read("active_after", &SiteResult::active_after)
      .read("circuit", &SiteResult::circuit)
      .read("outcome", &SiteResult::outcome);
  Struct<Target>(m, "Target")
      .read("rank", &Target::rank)
      .read("lesion", &Target::lesion)
      .read("depth", &Target::depth)
      .read("aha", &Target::aha)
      .read("place", &Target::place)
      .read("circuits", &Target::circuits)
      .read("induced_from", &Target::induced_from)
      .read("share", &Target::share)
      .read("necessary", &Target::necessary)
      .read("evidence", &Target::evidence);
  Struct<CircuitOptions>(m, "CircuitOptions", "How a circuit is found.")
      .keywords()
      .field("bin", &CircuitOptions::bin)
      .field("diastole_rate", &CircuitOptions::diastole_rate)
      .field("closure_limit", &CircuitOptions::closure_limit);
  Struct<Circuit>(m, "Circuit", "A re-entry that was traced around once. Positions [mm, LPS].")
      .read("cycle_length", &Circuit::cycle_length)
      .read("cycle_spread", &Circuit::cycle_spread)
      .read("map_correlation", &Circuit::map_correlation)
      .read("monomorphic", &Circuit::monomorphic)
      .read("isthmus", &Circuit::isthmus)
      .read("entrance", &Circuit::entrance)
      .read("exit", &Circuit::exit)
      .read("aha_isthmus", &Circuit::aha_isthmus)
      .read("aha_exit", &Circuit::aha_exit)
      .read("isthmus_line", &Circuit::isthmus_line)
      .read("path", &Circuit::path)
      .read("closure", &Circuit::closure)
      .read("lat", &Circuit::lat)
      .read("ecg", &Circuit::ecg);
  Struct<Plan>(m, "Plan", "What a study found.")
      .read("results", &Plan::results)
      .read("circuits", &Plan::circuits)
      .read("circuit_sites", &Plan::circuit_sites)
      .read("targets", &Plan::targets)
      .read("inducible_before", &Plan::inducible_before)
      .read("inducible_after", &Plan::inducible_after)
      .read("conclusion", &Plan::conclusion);
  m.def(
      "run_study",
      [](const Twin& twin, const std::filesystem::path& folder, const py::object& progress, const py::kwargs& fields) {
        const auto options = options_from<PlanOptions>(fields, "run_study");
        return long_call(progress, [&](const Monitor& monitor) { return run_study(twin, folder, options, monitor); });
      },
      "twin"_a, "folder"_a, "progress"_a = py::none(), with_options(doc("run_study"), "PlanOptions").c_str());
  m.def("save_plan", &save_plan, "plan"_a, "folder"_a, doc("save_plan"));
  m.def("load_plan", &load_plan, "folder"_a, doc("load_plan"));
  m.def(
      "write_report",
      [](const std::filesystem::path& study, const py::object& progress) {
        long_call(progress, [&](const Monitor& monitor) { write_report(study, monitor); });
      },
      "study"_a, "progress"_a = py::none(), doc("write_report"));
  m.def(
      "find_circuit",
      [](const Simulation& sim, const Anatomy& anatomy, const py::kwargs& fields) {
        const auto options = options_from<CircuitOptions>(fields, "find_circuit");
        const py::gil_scoped_release free;
        return find_circuit(anatomy, {sim.time(), Simulation::activation_depth, sim.activations()}, options);
      },
      "simulation"_a, "anatomy"_a, with_options(doc("find_circuit"), "CircuitOptions").c_str());
  m.def("same_circuit", &same_circuit, "one"_a, "other"_a, doc("same_circuit"));
}

}  // namespace

void bind_study(py::module_& m) {
  bind_names<Axis>(m, "Axis", {{"along", Axis::along}, {"across", Axis::across}});
  Struct<VelocityMeasurement>(m, "VelocityMeasurement")
      .read("mean", &VelocityMeasurement::mean)
      .read("low", &VelocityMeasurement::low)
      .read("high", &VelocityMeasurement::high)
      .read("blocked", &VelocityMeasurement::blocked);
  m.def(
      "measure_velocity",
      [](const Tissue& tissue, const std::string& region, Axis axis, double edge, double dt, Stiffness stiffness,
         double ionic_load) {
        py::gil_scoped_release free;
        return measure_velocity(tissue, region, axis, edge,
                                {.dt = dt, .ionic_load = ionic_load, .stiffness = stiffness});
      },
      "tissue"_a, "region"_a, "axis"_a, "edge"_a, py::kw_only(), "dt"_a = 0.02, "stiffness"_a = Stiffness::p1,
      "ionic_load"_a = SimulationOptions().ionic_load, doc("measure_velocity"));
  Struct<CalibratedAxis>(m, "CalibratedAxis")
      .read("region", &CalibratedAxis::region)
      .read("axis", &CalibratedAxis::axis)
      .read("wanted", &CalibratedAxis::wanted)
      .read("edge", &CalibratedAxis::edge)
      .read("before", &CalibratedAxis::before)
      .read("conductivity", &CalibratedAxis::conductivity)
      .read("reached", &CalibratedAxis::reached)
      .read("within_limit", &CalibratedAxis::within_limit)
      .read("why", &CalibratedAxis::why);
  Struct<Calibration>(m, "Calibration").read("tissue", &Calibration::tissue).read("axes", &Calibration::axes);
  m.def(
      "calibrate",
      [](const Twin& twin, const std::map<std::string, Velocity>& wanted, double dt, std::optional<Stiffness> stiffness,
         double limit, const py::object& progress) {
        return long_call(progress, [&](const Monitor& monitor) {
          return stiffness ? calibrate(twin, wanted, {.dt = dt, .stiffness = *stiffness}, limit, monitor)
                           : calibrate_within(twin, wanted, {.dt = dt}, limit, monitor);
        });
      },
      "twin"_a, "wanted"_a = std::map<std::string, Velocity>{}, py::kw_only(), "dt"_a = 0.0, "stiffness"_a = py::none(),
      "limit"_a = 0.1, "progress"_a = py::none(),
      (std::string(doc("calibrate")) + " stiffness None: P1 where that keeps every region within the limit, else nodal "
                                       "gradients. The result's tissue is to be set as the twin's.")
          .c_str());
  m.def(
      "check",
      [](const Twin& twin, double dt, double limit, const py::object& progress) {
        return from_json(long_call(progress, [&](const Monitor& monitor) {
          const auto stiffness = natural_stiffness(twin);
          return to_json(check(twin, {.dt = dt == 0 ? natural_dt(twin) : dt, .stiffness = stiffness}, limit, monitor));
        }));
      },
      "twin"_a, py::kw_only(), "dt"_a = 0.0, "limit"_a = 0.1, "progress"_a = py::none(),
      "Is this twin fit for a study? A dict, as `cardiotwin check --json` prints.");
  bind_plan(m);
}

}  // namespace cardiotwin::python
