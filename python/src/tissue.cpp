#include "bind.hpp"

namespace cardiotwin::python {

void bind_tissue(py::module_& m) {
  py::class_<Conductivity>(m, "Conductivity", doc("Conductivity"))
      .def(py::init([](double along, double across) {
             return Conductivity{along, across};
           }),
           "along"_a, "across"_a)
      .def_readwrite("along", &Conductivity::along)
      .def_readwrite("across", &Conductivity::across)
      .def("__repr__",
           [](const Conductivity& c) { return fmt::format("Conductivity(along={}, across={})", c.along, c.across); });
  py::class_<Velocity>(m, "Velocity", doc("Velocity"))
      .def(py::init([](double along, double across) {
             return Velocity{along, across};
           }),
           "along"_a, "across"_a)
      .def_readwrite("along", &Velocity::along)
      .def_readwrite("across", &Velocity::across);
  bind_names<Stiffness>(m, "Stiffness", {{"p1", Stiffness::p1}, {"nodal_gradient", Stiffness::nodal_gradient}});

  py::class_<RegionTissue>(m, "RegionTissue")
      .def_readwrite("conducts", &RegionTissue::conducts, doc("RegionTissue.conducts"))
      .def_readwrite("conductivity", &RegionTissue::conductivity)
      .def_readwrite("wanted", &RegionTissue::wanted, doc("RegionTissue.wanted"))
      .def_readwrite("variant", &RegionTissue::variant, doc("RegionTissue.variant"))
      .def_readwrite("parameters", &RegionTissue::parameters, doc("RegionTissue.parameters"));

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
      .def_readwrite("model", &Tissue::model)
      .def_readwrite("beta", &Tissue::beta, doc("Tissue.beta"))
      .def_readwrite("capacitance", &Tissue::capacitance, doc("Tissue.capacitance"))
      .def_readonly("calibrated_edge", &Tissue::calibrated_edge, doc("Tissue.calibrated_edge"))
      .def_readonly("calibrated_dt", &Tissue::calibrated_dt);

  py::class_<Lesion>(m, "Lesion", doc("Lesion"))
      .def(py::init([](const Vec3& position, double radius) {
             return Lesion{position, radius};
           }),
           "position"_a, "radius"_a = 5.0)
      .def_readwrite("position", &Lesion::position, doc("Lesion.position"))
      .def_readwrite("radius", &Lesion::radius, doc("Lesion.radius"));

  py::class_<Twin>(m, "Twin", "One patient's heart and tissue.")
      .def(py::init([](Anatomy anatomy, Tissue tissue) {
             return Twin{std::move(anatomy), std::move(tissue)};
           }),
           "anatomy"_a, "tissue"_a)
      .def_static("load", &Twin::load, "path"_a, doc("Twin.load"))
      .def("save", &Twin::save, "path"_a, doc("Twin.save"))
      .def_readonly("anatomy", &Twin::anatomy)
      .def_readwrite("tissue", &Twin::tissue)
      .def_readonly("measurements", &Twin::measurements, doc("Twin.measurements"))
      .def_property_readonly(
          "provenance", [](const Twin& twin) { return to_json(twin.provenance); }, "What was done so far, as JSON.")
      .def_property_readonly(
          "findings",
          [](const Twin& twin) {
            std::vector<std::string> texts;
            for (const auto& finding : twin.findings) texts.push_back(finding.text);
            return texts;
          },
          doc("Twin.findings"));
}

}  // namespace cardiotwin::python
