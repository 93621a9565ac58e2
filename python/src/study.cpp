#include "bind.hpp"

namespace cardiotwin::python {
namespace {

py::object from_json(const std::string& text) { return py::module_::import("json").attr("loads")(text); }

void bind_plan(py::module_& m) {
  bind_names<Precision>(m, "Precision", {{"fp32", Precision::fp32}, {"fp64", Precision::fp64}});
  py::class_<PlanOptions>(m, "PlanOptions")
      .def(py::init<>())
      .def_readwrite("sites", &PlanOptions::sites, doc("PlanOptions.sites"))
      .def_readwrite("s1", &PlanOptions::s1, doc("PlanOptions.s1"))
      .def_readwrite("s1_beats", &PlanOptions::s1_beats)
      .def_readwrite("extra_stimuli", &PlanOptions::extra_stimuli, doc("PlanOptions.extra_stimuli"))
      .def_readwrite("step", &PlanOptions::step, doc("PlanOptions.step"))
      .def_readwrite("sustained", &PlanOptions::sustained, doc("PlanOptions.sustained"))
      .def_readwrite("followed", &PlanOptions::followed, doc("PlanOptions.followed"))
      .def_readwrite("lesion_radius", &PlanOptions::lesion_radius, doc("PlanOptions.lesion_radius"))
      .def_readwrite("max_rounds", &PlanOptions::max_rounds, doc("PlanOptions.max_rounds"))
      .def_readwrite("velocity_limit", &PlanOptions::velocity_limit, doc("PlanOptions.velocity_limit"))
      .def_readwrite("accept_unfit", &PlanOptions::accept_unfit, doc("PlanOptions.accept_unfit"))
      .def_readwrite("dt", &PlanOptions::dt, doc("PlanOptions.dt"))
      .def_readwrite("precision", &PlanOptions::precision)
      .def_property(
          "backend", [](const PlanOptions& o) { return o.backend.name(); },
          [](PlanOptions& o, const std::string& name) { o.backend = Backend::named(name); })
      .def_readwrite("seed", &PlanOptions::seed);
  py::class_<SiteResult>(m, "SiteResult", doc("SiteResult"))
      .def_readonly("site", &SiteResult::site)
      .def_readonly("round", &SiteResult::round, doc("SiteResult.round"))
      .def_readonly("inducible", &SiteResult::inducible)
      .def_readonly("coupling", &SiteResult::coupling, doc("SiteResult.coupling"))
      .def_readonly("active_after", &SiteResult::active_after, doc("SiteResult.active_after"))
      .def_readonly("circuit", &SiteResult::circuit, doc("SiteResult.circuit"))
      .def_readonly("outcome", &SiteResult::outcome, doc("SiteResult.outcome"));
  py::class_<Target>(m, "Target", doc("Target"))
      .def_readonly("rank", &Target::rank)
      .def_readonly("lesion", &Target::lesion)
      .def_readonly("depth", &Target::depth, doc("Target.depth"))
      .def_readonly("aha", &Target::aha)
      .def_readonly("place", &Target::place, doc("Target.place"))
      .def_readonly("circuits", &Target::circuits, doc("Target.circuits"))
      .def_readonly("induced_from", &Target::induced_from, doc("Target.induced_from"))
      .def_readonly("share", &Target::share, doc("Target.share"))
      .def_readonly("necessary", &Target::necessary, doc("Target.necessary"))
      .def_readonly("evidence", &Target::evidence, doc("Target.evidence"));
  py::class_<Circuit>(m, "Circuit")
      .def_readonly("cycle_length", &Circuit::cycle_length, doc("Circuit.cycle_length"))
      .def_readonly("cycle_spread", &Circuit::cycle_spread, doc("Circuit.cycle_spread"))
      .def_readonly("map_correlation", &Circuit::map_correlation, doc("Circuit.map_correlation"))
      .def_readonly("monomorphic", &Circuit::monomorphic, doc("Circuit.monomorphic"))
      .def_readonly("isthmus", &Circuit::isthmus, doc("Circuit.isthmus"))
      .def_readonly("entrance", &Circuit::entrance)
      .def_readonly("exit", &Circuit::exit)
      .def_readonly("path", &Circuit::path, doc("Circuit.path"))
      .def_readonly("lat", &Circuit::lat, doc("Circuit.lat"));
  py::class_<Plan>(m, "Plan")
      .def_readonly("results", &Plan::results, doc("Plan.results"))
      .def_readonly("circuits", &Plan::circuits, doc("Plan.circuits"))
      .def_readonly("targets", &Plan::targets, doc("Plan.targets"))
      .def_readonly("inducible_before", &Plan::inducible_before)
      .def_readonly("inducible_after", &Plan::inducible_after)
      .def_readonly("conclusion", &Plan::conclusion, doc("Plan.conclusion"));
  m.def(
      "run_study",
      [](const Twin& twin, const std::filesystem::path& folder, const py::object& progress, const py::kwargs& fields) {
        const auto options = options_from<PlanOptions>(fields, "run_study");
        return long_call(progress, [&](const Monitor& monitor) { return run_study(twin, folder, options, monitor); });
      },
      "twin"_a, "folder"_a, "progress"_a = py::none(), doc("run_study"));
  m.def("load_plan", &load_plan, "folder"_a, doc("load_plan"));
  m.def(
      "write_report",
      [](const std::filesystem::path& study, const py::object& progress) {
        long_call(progress, [&](const Monitor& monitor) { write_report(study, monitor); });
      },
      "study"_a, "progress"_a = py::none(), doc("write_report"));
  m.def(
      "find_circuit",
      [](const Simulation& sim, const Anatomy& anatomy) {
        return find_circuit(anatomy, {sim.time(), Simulation::activation_depth, sim.activations()});
      },
      "simulation"_a, "anatomy"_a, doc("find_circuit"));
}

}  // namespace

void bind_study(py::module_& m) {
  bind_names<Axis>(m, "Axis", {{"along", Axis::along}, {"across", Axis::across}});
  py::class_<VelocityMeasurement>(m, "VelocityMeasurement", doc("VelocityMeasurement"))
      .def_readonly("mean", &VelocityMeasurement::mean, doc("VelocityMeasurement.mean"))
      .def_readonly("low", &VelocityMeasurement::low, doc("VelocityMeasurement.high"))
      .def_readonly("high", &VelocityMeasurement::high, doc("VelocityMeasurement.high"))
      .def_readonly("blocked", &VelocityMeasurement::blocked, doc("VelocityMeasurement.blocked"));
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
  py::class_<CalibratedAxis>(m, "CalibratedAxis")
      .def_readonly("region", &CalibratedAxis::region)
      .def_readonly("axis", &CalibratedAxis::axis)
      .def_readonly("wanted", &CalibratedAxis::wanted, "[m/s]")
      .def_readonly("edge", &CalibratedAxis::edge, doc("CalibratedAxis.edge"))
      .def_readonly("before", &CalibratedAxis::before, "[S/m]")
      .def_readonly("conductivity", &CalibratedAxis::conductivity, doc("CalibratedAxis.conductivity"))
      .def_readonly("reached", &CalibratedAxis::reached)
      .def_readonly("within_limit", &CalibratedAxis::within_limit, doc("CalibratedAxis.within_limit"))
      .def_readonly("why", &CalibratedAxis::why, doc("CalibratedAxis.why"));
  py::class_<Calibration>(m, "Calibration")
      .def_readonly("tissue", &Calibration::tissue, doc("Calibration.tissue"))
      .def_readonly("axes", &Calibration::axes);
  m.def(
      "calibrate",
      [](const Twin& twin, const std::map<std::string, Velocity>& wanted, double dt, Stiffness stiffness, double limit,
         const py::object& progress) {
        return long_call(progress, [&](const Monitor& monitor) {
          return calibrate(twin, wanted, {.dt = dt, .stiffness = stiffness}, limit, monitor);
        });
      },
      "twin"_a, "wanted"_a = std::map<std::string, Velocity>{}, py::kw_only(), "dt"_a = 0.0,
      "stiffness"_a = Stiffness::p1, "limit"_a = 0.1, "progress"_a = py::none(), doc("calibrate"));
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
