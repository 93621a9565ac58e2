// What surrounds the heart, potentials there, and electrocardiograms.
#include <cardiotwin/meshes/torso.hpp>

#include "bind.hpp"

namespace cardiotwin::python {
namespace {

void bind_records(py::module_& m) {
  Struct<Electrode>(m, "Electrode")
      .field("name", &Electrode::name)
      .field("position", &Electrode::position)
      .def(py::init([](std::string name, const Vec3& position) {
             return Electrode{std::move(name), position};
           }),
           "name"_a, "position"_a)
      .def("__repr__", [](const Electrode& e) {
        return fmt::format("Electrode({}, [{:.1f}, {:.1f}, {:.1f}])", e.name, e.position.x(), e.position.y(),
                           e.position.z());
      });
  Struct<EcgMeasures>(m, "EcgMeasures")
      .read("qrs_onset", &EcgMeasures::qrs_onset)
      .read("qrs_end", &EcgMeasures::qrs_end)
      .read("t_end", &EcgMeasures::t_end)
      .read("qrs_duration", &EcgMeasures::qrs_duration)
      .read("qt", &EcgMeasures::qt)
      .read("qrs_axis", &EcgMeasures::qrs_axis)
      .read("qrs_amplitude", &EcgMeasures::qrs_amplitude);
  Struct<EcgMatch>(m, "EcgMatch", "How alike two records are.")
      .read("correlation", &EcgMatch::correlation)
      .read("shift", &EcgMatch::shift)
      .read("of_channel", &EcgMatch::of_channel);
  py::class_<Ecg>(m, "Ecg", doc("Ecg"))
      .def(py::init([](const py::object& times, std::vector<std::string> names, const py::object& values) {
             const std::size_t channels = names.size();
             Ecg ecg{.times = reals_of(times, 1, "Ecg: times"),
                     .names = std::move(names),
                     .values = reals_of(values, channels, "Ecg: values")};
             ecg.validate();
             return ecg;
           }),
           "times"_a, "names"_a, "values"_a)
      .def_property_readonly(
          "times", [](const Ecg& e) { return give(std::vector<double>(e.times)); }, "[ms]")
      .def_property_readonly("names", [](const Ecg& e) { return py::tuple(py::cast(e.names)); })
      .def_property_readonly(
          "values",
          [](const Ecg& e) {
            return give(std::vector<double>(e.values), {e.samples(), e.names.size()});
          },
          "(samples, channels) [mV]")
      .def(
          "channel", [](const Ecg& e, const std::string& name) { return give(e.channel(name)); }, "name"_a,
          doc("Ecg.channel"))
      .def(
          "to_csv", [](const Ecg& e) { return to_csv(e); }, doc("to_csv"))
      .def_static("from_csv", &ecg_from_csv, "text"_a, "Reads what to_csv writes.")
      .def(
          "paper",
          [](const Ecg& e, std::string title, std::string note, const std::optional<EcgMeasures>& measures) {
            return ecg_paper(
                e, {.title = std::move(title), .note = std::move(note), .measures = measures.value_or(EcgMeasures{})});
          },
          "title"_a = "Simulated ECG", "note"_a = "", "measures"_a = py::none(), doc("ecg_paper"));
  m.def("twelve_leads", &twelve_leads, "electrodes"_a, doc("twelve_leads"));
  m.def("vectorcardiogram", &vectorcardiogram, "leads"_a, doc("vectorcardiogram"));
  m.def("measure_beat", &measure_beat, "leads"_a, "begin"_a, "end"_a, doc("measure_beat"));
  m.def("compare", &compare, "a"_a, "begin_a"_a, "b"_a, "begin_b"_a, "span"_a, "slack"_a = 0.0, doc("compare"));
}

void bind_torso_types(py::module_& m) {
  using namespace meshes;
  py::class_<Torso, std::shared_ptr<Torso>>(m, "Torso", doc("Torso"))
      .def(py::init(
               [](const Mesh& mesh, std::map<Label, std::string> regions, std::map<std::string, double> conductivity) {
                 auto torso = std::make_shared<Torso>();
                 torso->mesh = mesh, torso->regions = std::move(regions), torso->conductivity = std::move(conductivity);
                 torso->validate();
                 return torso;
               }),
           "mesh"_a, "regions"_a, "conductivity"_a, "regions: label -> name; conductivity: name -> [S/m]")
      .def_property_readonly(
          "mesh", [](const Torso& t) -> const Mesh& { return t.mesh; }, py::return_value_policy::reference_internal)
      .def_property_readonly("regions", [](const Torso& t) { return t.regions; })
      .def_property_readonly("conductivity", [](const Torso& t) { return t.conductivity; })
      .def_readonly("statement", &Torso::statement)
      .def(
          "with_conductivity",
          [](const Torso& t, const std::map<std::string, double>& own) {
            auto copy = std::make_shared<Torso>(t);
            copy->set_conductivity(own);
            return copy;
          },
          "conductivity"_a, "The same torso with other conductivities [S/m], by name.");
  m.def(
      "load_torso",
      [](const std::filesystem::path& file, const std::map<std::string, double>& conductivity) {
        return std::make_shared<Torso>(load_torso(file, conductivity));
      },
      "file"_a, "conductivity"_a = std::map<std::string, double>{}, doc("load_torso"));
  bind_names<BodyFrame>(m, "BodyFrame", {{"scanner", BodyFrame::scanner}, {"heart", BodyFrame::heart}});
  Struct<TorsoOptions>(m, "TorsoOptions")
      .keywords()
      .field("frame", &TorsoOptions::frame)
      .field("width", &TorsoOptions::width)
      .field("depth", &TorsoOptions::depth)
      .field("height", &TorsoOptions::height)
      .field("heart_left", &TorsoOptions::heart_left)
      .field("heart_front", &TorsoOptions::heart_front)
      .field("heart_up", &TorsoOptions::heart_up)
      .field("lungs", &TorsoOptions::lungs)
      .field("blood", &TorsoOptions::blood)
      .field("heart_margin", &TorsoOptions::heart_margin)
      .field("chest_wall", &TorsoOptions::chest_wall)
      .field("heart_edge", &TorsoOptions::heart_edge)
      .field("growth", &TorsoOptions::growth)
      .field("outer_edge", &TorsoOptions::outer_edge)
      .field("threads", &TorsoOptions::threads);
  py::class_<BuiltTorso>(m, "BuiltTorso", "A parametric torso and the electrodes on it.")
      .def_property_readonly("torso", [](const BuiltTorso& b) { return std::make_shared<Torso>(b.torso); })
      .def_property_readonly("electrodes", [](const BuiltTorso& b) { return py::tuple(py::cast(b.electrodes)); })
      .def_readonly("body", &BuiltTorso::body, "columns: left, back, up in the heart's coordinates")
      .def_readonly("middle", &BuiltTorso::middle, "of the trunk [mm]");
  m.def(
      "build_torso",
      [](const Anatomy& heart, const py::object& progress, const py::kwargs& fields) {
        const auto options = options_from<TorsoOptions>(fields, "TorsoOptions");
        return long_call(progress, [&](const Monitor& monitor) { return build_torso(heart, options, monitor); });
      },
      "heart"_a, "progress"_a = py::none(), with_options(doc("build_torso"), "TorsoOptions").c_str());
  m.def(
      "build_bath",
      [](const Anatomy& heart, double margin, double edge) {
        return std::make_shared<Torso>(build_bath(heart, margin, edge));
      },
      "heart"_a, "margin"_a, "edge"_a, doc("build_bath"));
}

void bind_conductor(py::module_& m) {
  py::class_<LeadFields, std::shared_ptr<LeadFields>>(m, "LeadFields", doc("LeadFields"))
      .def_property_readonly("names", [](const LeadFields& l) { return py::tuple(py::cast(l.names)); })
      .def_property_readonly(
          "weights",
          [](const LeadFields& l) {
            std::vector<double> all;
            for (const auto& w : l.weights) all.insert(all.end(), w.begin(), w.end());
            return give(std::move(all), {l.weights.size(), l.weights.empty() ? 0 : l.weights.front().size()});
          },
          "(electrodes, nodes)")
      .def_readonly("statement", &LeadFields::statement, doc("LeadFields.statement"))
      .def(
          "potentials",
          [](const LeadFields& l, const py::object& voltage) {
            return give(l.potentials(reals_of(voltage, 1, "LeadFields: voltage")));
          },
          "voltage"_a, doc("LeadFields.potentials"));
  py::class_<EcgRecorder>(m, "EcgRecorder", doc("EcgRecorder"))
      .def(py::init(
               [](const std::shared_ptr<LeadFields>& leads, double interval) { return EcgRecorder(leads, interval); }),
           "leads"_a, "interval"_a = 1.0)
      .def_property_readonly("electrodes", &EcgRecorder::electrodes, "What was recorded.");
  py::class_<PotentialProbe>(m, "PotentialProbe", doc("PotentialProbe"))
      .def(py::init<const Mesh&, const std::vector<Electrode>&, double>(), "conductor"_a, "electrodes"_a,
           "interval"_a = 1.0, doc("PotentialProbe.PotentialProbe"))
      .def_property_readonly("electrodes", &PotentialProbe::electrodes, "What was recorded.");
  Struct<Ground>(m, "Ground")
      .field("position", &Ground::position)
      .field("radius", &Ground::radius)
      .def(py::init([](const Vec3& position, double radius) {
             return Ground{position, radius};
           }),
           "position"_a, "radius"_a = 1.0);
  py::class_<VolumeConductor>(m, "VolumeConductor", doc("VolumeConductor"))
      .def(py::init([](const Twin& twin, const std::optional<std::shared_ptr<Torso>>& torso,
                       const std::vector<Ground>& grounds, double tolerance, int threads) {
             py::gil_scoped_release free;
             return VolumeConductor(twin, torso.value_or(nullptr), {grounds, tolerance, Backend::cpu(threads)});
           }),
           "twin"_a, "torso"_a = py::none(), py::kw_only(), "grounds"_a = std::vector<Ground>{}, "tolerance"_a = 1e-8,
           "threads"_a = 0, doc("VolumeConductor.VolumeConductor"))
      .def(
          "potential",
          [](const VolumeConductor& c, const py::object& voltage) {
            const auto v = reals_of(voltage, 1, "VolumeConductor: voltage");
            py::gil_scoped_release free;
            auto phi = c.potential(v);
            py::gil_scoped_acquire lock;
            return give(std::move(phi));
          },
          "voltage"_a, doc("VolumeConductor.potential"))
      .def(
          "lead_fields",
          [](const VolumeConductor& c, const std::vector<Electrode>& electrodes, const py::object& progress) {
            return std::make_shared<LeadFields>(
                long_call(progress, [&](const Monitor& monitor) { return c.lead_fields(electrodes, monitor); }));
          },
          "electrodes"_a, "progress"_a = py::none(), doc("VolumeConductor.lead_fields"));
  m.def(
      "unbounded_lead_fields",
      [](const Twin& twin, const std::vector<Electrode>& electrodes, double conductivity) {
        return std::make_shared<LeadFields>(unbounded_lead_fields(twin, electrodes, conductivity));
      },
      "twin"_a, "electrodes"_a, "conductivity"_a, doc("unbounded_lead_fields"));
  m.def(
      "with_lesions",
      [](const LeadFields& leads, const Twin& twin, const std::vector<Lesion>& lesions) {
        return std::make_shared<LeadFields>(with_lesions(leads, twin, lesions));
      },
      "leads"_a, "twin"_a, "lesions"_a, doc("with_lesions"));
  m.def(
      "dipole_fields", [](const Twin& twin) { return std::make_shared<LeadFields>(dipole_fields(twin)); }, "twin"_a,
      doc("dipole_fields"));
}

}  // namespace

void bind_ecg(py::module_& m) {
  bind_records(m);
  bind_torso_types(m);
  bind_conductor(m);
}

}  // namespace cardiotwin::python
