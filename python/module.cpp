// The Python module `cardiotwin`: the C++ names, NumPy at the border. Arrays that C++ owns come back as read-only views
// that keep their owner alive; computed ones are handed over without a copy. Long calls release the interpreter and
// honour Ctrl-C.

#include <pybind11/eigen.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <cardiotwin/cardiotwin.hpp>
#include <cmath>
#include <map>
#include <optional>

namespace py = pybind11;
using namespace cardiotwin;
using namespace pybind11::literals;

namespace {

// A read-only view of `count` items of `width` numbers, kept alive by `owner`.
template <class Number>
py::array view(const void* data, std::size_t count, std::size_t width, py::handle owner) {
  std::vector<std::size_t> shape{count};
  if (width > 1) shape.push_back(width);
  py::array array(py::dtype::of<Number>(), shape, data, owner);
  array.attr("flags").attr("writeable") = false;
  return array;
}

// Hands a computed vector to NumPy: the array owns it.
py::array_t<double> give(std::vector<double> values, std::size_t width = 1) {
  auto* owned = new std::vector<double>(std::move(values));
  py::capsule owner(owned, [](void* pointer) { delete static_cast<std::vector<double>*>(pointer); });
  std::vector<std::size_t> shape{owned->size() / width};
  if (width > 1) shape.push_back(width);
  return py::array_t<double>(shape, owned->data(), owner);
}

// Ctrl-C reaches a computation that runs without the interpreter lock.
Monitor interruptible() {
  return {.cancelled = [] {
    py::gil_scoped_acquire lock;
    return PyErr_CheckSignals() != 0;
  }};
}

void run(Simulation& sim, double duration) {
  try {
    py::gil_scoped_release free;
    sim.run(duration, interruptible());
  } catch (const Interrupted&) {
    throw py::error_already_set();  // KeyboardInterrupt, set by the signal handler
  }
}

py::array_t<double> column(const std::vector<CellBeat>& beats, double CellBeat::*member) {
  std::vector<double> values;
  for (const auto& beat : beats) values.push_back(beat.*member);
  return give(std::move(values));
}

py::dict pace_one_cell(const std::string& model, const std::string& variant,
                       const std::map<std::string, double>& parameters, const std::map<std::string, double>& scale,
                       const CellPacing& pacing, const CellOptions& options, const CellSampling& sampling) {
  const Cell cell = make_cell(model, variant, parameters, scale);
  CellRun run;
  try {
    py::gil_scoped_release free;
    run = pace_cell(cell, pacing, options, sampling, interruptible());
  } catch (const Interrupted&) {
    throw py::error_already_set();  // KeyboardInterrupt, set by the signal handler
  }
  std::vector<double> captured;
  for (const auto& beat : run.beats) captured.push_back(beat.captured);
  py::list names;
  for (const auto& state : cell.model->states) names.append(state.name);
  py::dict result;
  result["start"] = column(run.beats, &CellBeat::start);
  result["rest"] = column(run.beats, &CellBeat::rest);
  result["peak"] = column(run.beats, &CellBeat::peak);
  result["max_slope"] = column(run.beats, &CellBeat::max_slope);
  result["apd30"] = column(run.beats, &CellBeat::apd30);
  result["apd50"] = column(run.beats, &CellBeat::apd50);
  result["apd90"] = column(run.beats, &CellBeat::apd90);
  result["captured"] = give(std::move(captured)).attr("astype")("bool");
  result["amplitude"] = run.amplitude;
  result["time"] = give(std::move(run.trace.time));
  result["voltage"] = give(std::move(run.trace.voltage));
  result["states"] = give(std::move(run.trace.states), cell.states.size());
  result["state_names"] = names;
  return result;
}

}  // namespace

PYBIND11_MODULE(cardiotwin, m) {
  m.doc() =
      "Cardiac electrophysiology from an LGE-MRI to tested ablation targets. Units: mm, ms, mV, S/m. Research use "
      "only.";
  m.attr("__version__") = version();

  auto error = py::register_exception<Error>(m, "Error");
  auto input = py::register_exception<InputError>(m, "InputError", error);
  py::register_exception<FileError>(m, "FileError", input);
  py::register_exception<NumericalError>(m, "NumericalError", error);

  py::class_<Mesh>(m, "Mesh", "Tetrahedra: points [mm], tets, labels.")
      .def_property_readonly("points",
                             [](py::object self) {
                               const auto& mesh = self.cast<const Mesh&>();
                               return view<double>(mesh.points().data(), mesh.node_count(), 3, self);
                             })
      .def_property_readonly("tets",
                             [](py::object self) {
                               const auto& mesh = self.cast<const Mesh&>();
                               return view<Index>(mesh.tets().data(), mesh.tet_count(), 4, self);
                             })
      .def_property_readonly("labels", [](py::object self) {
        const auto& mesh = self.cast<const Mesh&>();
        return view<Label>(mesh.labels().data(), mesh.tet_count(), 1, self);
      });

  py::class_<Site>(m, "Site", "A named place where the heart can be paced.")
      .def_readonly("name", &Site::name)
      .def_readonly("position", &Site::position, "[mm, LPS]")
      .def_readonly("nodes", &Site::nodes);

  py::class_<Ring>(m, "Ring", "The rim of an opening: a valve, or the end of a vein.")
      .def_readonly("name", &Ring::name)
      .def_readonly("centre", &Ring::centre, "[mm, LPS]")
      .def_readonly("normal", &Ring::normal, "unit vector out of the cavity")
      .def_readonly("nodes", &Ring::nodes);

  py::class_<Anatomy>(m, "Anatomy", "Mesh, fibres, named regions, surfaces, segments, sites.")
      .def_static("load", &Anatomy::load, "path"_a, "The anatomy of a .twin; raises FileError.")
      .def_readonly("mesh", &Anatomy::mesh)
      .def_readonly("regions", &Anatomy::regions)
      .def_readonly("sites", &Anatomy::sites)
      .def_readonly("rings", &Anatomy::rings)
      .def_property_readonly(
          "chamber", [](const Anatomy& a) { return a.chamber == Chamber::left_atrium ? "left atrium" : "ventricles"; })
      .def("site", &Anatomy::site, "name"_a, py::return_value_policy::reference_internal);

  py::class_<Conductivity>(m, "Conductivity", "Monodomain conductivities [S/m].")
      .def(py::init([](double along, double across) {
             return Conductivity{along, across};
           }),
           "along"_a, "across"_a)
      .def_readwrite("along", &Conductivity::along)
      .def_readwrite("across", &Conductivity::across);

  py::class_<RegionTissue>(m, "RegionTissue")
      .def_readwrite("conducts", &RegionTissue::conducts)
      .def_readwrite("conductivity", &RegionTissue::conductivity)
      .def_readwrite("variant", &RegionTissue::variant)
      .def_readwrite("parameters", &RegionTissue::parameters);

  py::class_<Tissue>(m, "Tissue", "Ionic model, membrane and the regions' properties.")
      .def_static("library", &Tissue::library, "name"_a)
      .def_static("library_names", &Tissue::library_names)
      .def(
          "__getitem__", [](Tissue& self, const std::string& region) -> RegionTissue& { return self[region]; },
          py::return_value_policy::reference_internal)
      .def_readwrite("model", &Tissue::model)
      .def_readwrite("beta", &Tissue::beta, "[1/mm]")
      .def_readwrite("capacitance", &Tissue::capacitance, "[uF/mm2]");

  py::class_<Twin>(m, "Twin")
      .def(py::init([](Anatomy anatomy, Tissue tissue) {
             return Twin{std::move(anatomy), std::move(tissue)};
           }),
           "anatomy"_a, "tissue"_a)
      .def_static("load", &Twin::load, "path"_a)
      .def("save", &Twin::save, "path"_a)
      .def_readonly("anatomy", &Twin::anatomy)
      .def_readwrite("tissue", &Twin::tissue);

  py::class_<Protocol>(m, "Protocol", "Pacing.")
      .def_static(
          "s1s2",
          [](const Site& site, double s1, int beats, double s2, double s3, double s4) {
            return Protocol::s1s2(site, {.s1 = s1, .beats = beats, .s2 = s2, .s3 = s3, .s4 = s4});
          },
          "site"_a, "s1"_a = 600.0, "beats"_a = 6, "s2"_a = 0.0, "s3"_a = 0.0, "s4"_a = 0.0,
          "`beats` pulses at interval s1, then extra-stimuli at s2, s3, s4 [ms] (0: none).");

  m.def(
      "pace_cell",
      [](const std::string& model, const std::string& variant, const std::map<std::string, double>& parameters,
         const std::map<std::string, double>& scale, double bcl, int beats, std::optional<double> amplitude,
         double duration, double dt, int trace_beats, double sample) {
        return pace_one_cell(model, variant, parameters, scale,
                             {.bcl = bcl, .beats = beats, .duration = duration, .amplitude = amplitude.value_or(NAN)},
                             {.dt = dt}, {.beats = trace_beats, .interval = sample});
      },
      "model"_a, py::kw_only(), "variant"_a = "", "parameters"_a = std::map<std::string, double>{},
      "scale"_a = std::map<std::string, double>{}, "bcl"_a = 1000.0, "beats"_a = 100, "amplitude"_a = py::none(),
      "duration"_a = 1.0, "dt"_a = 0.0, "trace_beats"_a = 1, "sample"_a = 0.5,
      "Paces one cell. A dict of arrays: per beat start, rest, peak, max_slope [mV/ms], apd30, apd50, apd90 [ms] (NaN "
      "where there is none), captured; of the last trace_beats beats time [ms], voltage [mV] and states (samples, "
      "states) in their units, named by state_names. amplitude [A/F]: None is twice the threshold. dt 0: accurate.");

  py::class_<Simulation>(
      m, "Simulation",
      "The monodomain equation on a twin. dt [ms], 0: the twin's own; precision \"fp32\" or \"fp64\"; "
      "backend \"cpu\", \"cuda\", \"cuda:1\", or \"reference\" (Crank-Nicolson in fp64); diffusion as the twin was "
      "calibrated.")
      .def(py::init(
               [](const Twin& twin, double dt, const std::string& precision, int threads, const std::string& backend) {
                 if (precision != "fp64" && precision != "fp32") {
                   throw InputError("Simulation: precision must be \"fp64\" or \"fp32\", not \"" + precision + "\"");
                 }
                 return Simulation(twin, {.dt = dt == 0 ? natural_dt(twin) : dt,
                                          .backend = Backend::named(backend, threads),
                                          .precision = precision == "fp32" ? Precision::fp32 : Precision::fp64,
                                          .stiffness = natural_stiffness(twin)});
               }),
           "twin"_a, py::kw_only(), "dt"_a = 0.02, "precision"_a = "fp32", "threads"_a = 0, "backend"_a = "cpu")
      .def(
          "add", [](Simulation& self, const Protocol& protocol) { self.add(protocol); }, "protocol"_a)
      .def("run", &run, "duration"_a, "Advances by `duration` [ms]; raises NumericalError, KeyboardInterrupt.")
      .def_property_readonly("time", &Simulation::time, "[ms]")
      .def_property_readonly("stable_dt", &Simulation::stable_dt, "[ms]")
      .def(
          "voltage", [](const Simulation& self) { return give(self.voltage()); },
          "V per node [mV]; NaN where nothing conducts.")
      .def(
          "activations", [](const Simulation& self) { return give(self.activations(), Simulation::activation_depth); },
          "Last LATs per node [ms], (nodes, 8), latest first, NaN where there are fewer.")
      .def("repolarizations", [](const Simulation& self) { return give(self.repolarizations()); });
}
