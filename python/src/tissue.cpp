#include <cardiotwin/fast_endocardium.hpp>
#include <cardiotwin/finding.hpp>

#include "bind.hpp"

namespace cardiotwin::python {

void bind_tissue(py::module_& m) {
  py::class_<Conductivity>(m, "Conductivity", doc("Conductivity"))
      .def(py::init([](double along, double across) {
             return Conductivity{along, across};
           }),
           "along"_a, "across"_a)
      .def_readwrite("along", &Conductivity::along, "[S/m]")
      .def_readwrite("across", &Conductivity::across, "[S/m]")
      .def("__repr__",
           [](const Conductivity& c) { return fmt::format("Conductivity(along={}, across={})", c.along, c.across); });
  py::class_<Velocity>(m, "Velocity", doc("Velocity"))
      .def(py::init([](double along, double across) {
             return Velocity{along, across};
           }),
           "along"_a, "across"_a)
      .def_readwrite("along", &Velocity::along, "[m/s]")
      .def_readwrite("across", &Velocity::across, "[m/s]")
      .def("__repr__",
           [](const Velocity& v) { return fmt::format("Velocity(along={}, across={})", v.along, v.across); });
  bind_names<Stiffness>(m, "Stiffness", {{"p1", Stiffness::p1}, {"nodal_gradient", Stiffness::nodal_gradient}});

  Struct<RegionTissue>(m, "RegionTissue", "What one region is made of.")
      .field("conducts", &RegionTissue::conducts)
      .field("conductivity", &RegionTissue::conductivity)
      .field("intracellular", &RegionTissue::intracellular)
      .field("extracellular", &RegionTissue::extracellular)
      .field("wanted", &RegionTissue::wanted)
      .field("variant", &RegionTissue::variant)
      .field("parameters", &RegionTissue::parameters)
      .read("calibrated_edge", &RegionTissue::calibrated_edge);

  py::class_<Tissue>(m, "Tissue", "Ionic model, membrane and the regions' properties.")
      .def(py::init<>())
      .def_static("library", &Tissue::library, "name"_a, doc("Tissue.library"))
      .def_static("library_names", &Tissue::library_names)
      .def(
          "__getitem__", [](Tissue& self, const std::string& region) -> RegionTissue& { return self[region]; },
          py::return_value_policy::reference_internal)
      .def("copy", [](const Tissue& self) { return self; })
      .def("validate", &Tissue::validate, doc("Tissue.validate"))
      .def_property_readonly("regions",
                             [](const Tissue& self) {
                               std::vector<std::string> names;
                               for (const auto& [name, region] : self.regions) names.push_back(name);
                               return names;
                             })
      .def_readwrite("model", &Tissue::model, "the ionic model's name")
      .def_readwrite("beta", &Tissue::beta, doc("Tissue.beta"))
      .def_readwrite("capacitance", &Tissue::capacitance, doc("Tissue.capacitance"))
      .def_readonly("calibrated_edge", &Tissue::calibrated_edge, doc("Tissue.calibrated_edge"))
      .def_readonly("calibrated_dt", &Tissue::calibrated_dt, "[ms]");
  m.def("add_fast_endocardium", &add_fast_endocardium, "tissue"_a, doc("add_fast_endocardium"));

  Struct<Finding>(m, "Finding", "One sentence about a twin or its images: what, number, cure.")
      .read("text", &Finding::text)
      .def_property_readonly(
          "severity", [](const Finding& finding) { return name_of(finding.severity); },
          "\"info\", \"warning\" or \"severe\"")
      .def("__repr__", [](const Finding& f) { return fmt::format("<{}: {}>", name_of(f.severity), f.text); });

  py::class_<Lesion>(m, "Lesion", doc("Lesion"))
      .def(py::init([](const Vec3& position, double radius) {
             return Lesion{position, radius};
           }),
           "position"_a, "radius"_a = 5.0)
      .def_readonly("position", &Lesion::position, doc("Lesion.position"))
      .def_readonly("radius", &Lesion::radius, doc("Lesion.radius"))
      .def("__repr__", [](const Lesion& l) {
        return fmt::format("<Lesion of {:g} mm at ({:.1f}, {:.1f}, {:.1f})>", l.radius, l.position.x(), l.position.y(),
                           l.position.z());
      });

  py::class_<Twin>(m, "Twin", "One patient's heart and tissue.")
      .def(py::init([](Anatomy anatomy, Tissue tissue) {
             return Twin{std::move(anatomy), std::move(tissue)};
           }),
           "anatomy"_a, "tissue"_a)
      .def_static("load", &Twin::load, "path"_a, doc("Twin.load"), py::call_guard<py::gil_scoped_release>())
      .def("save", &Twin::save, "path"_a, doc("Twin.save"), py::call_guard<py::gil_scoped_release>())
      .def_readonly("anatomy", &Twin::anatomy)
      .def_property(
          "tissue", [](Twin& twin) -> Tissue& { return twin.tissue; },
          [](const py::object& self, const Tissue& tissue) {
            // Regions of the former tissue may still be held, so it stays until the twin goes.
            auto& twin = self.cast<Twin&>();
            auto* former = new Tissue(std::exchange(twin.tissue, tissue));
            py::detail::keep_alive_impl(
                self, py::capsule(former, [](void* pointer) { delete static_cast<Tissue*>(pointer); }));
          })
      .def_readonly("measurements", &Twin::measurements, doc("Twin.measurements"))
      .def_readwrite("posterior", &Twin::posterior, doc("Twin.posterior"))
      .def_property_readonly(
          "provenance", [](const Twin& twin) { return to_json(twin.provenance); }, "What was done so far, as JSON.")
      .def_readonly("findings", &Twin::findings, doc("Twin.findings"))
      .def("__repr__", [](const Twin& twin) {
        return fmt::format("<Twin of {} nodes, {}>", twin.anatomy.mesh.node_count(), twin.tissue.model);
      });
  m.def("natural_stiffness", &natural_stiffness, "twin"_a, doc("natural_stiffness"));
  m.def(
      "mark_fast_endocardium",
      [](Twin twin, double depth, const py::object& progress) {
        const double volume =
            long_call(progress, [&](const Monitor& monitor) { return mark_fast_endocardium(twin, depth, monitor); });
        return std::make_pair(std::move(twin), volume);
      },
      "twin"_a, "depth"_a, "progress"_a = py::none(),
      (std::string("Another twin, and the layer's volume [ml]. ") + doc("mark_fast_endocardium")).c_str());
}

}  // namespace cardiotwin::python
