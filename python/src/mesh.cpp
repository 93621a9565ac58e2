#include <limits>

#include "bind.hpp"

namespace cardiotwin::python {
namespace {

constexpr auto last_index = std::numeric_limits<Index>::max();

Mesh make_mesh(const py::object& points, const py::object& tets, const py::object& labels) {
  const auto corners = integers_of(tets, 4, 0, last_index, "Mesh: tets");
  std::vector<Tet> four(corners.size() / 4);
  for (std::size_t i = 0; i < corners.size(); ++i) four[i / 4][i % 4] = static_cast<Index>(corners[i]);
  std::vector<Label> of_tet(four.size(), region::healthy);
  if (!labels.is_none()) {
    const auto given = integers_of(labels, 1, 0, 255, "Mesh: labels");
    of_tet.assign(given.begin(), given.end());
  }
  return Mesh(points_of(points, "Mesh: points"), std::move(four), std::move(of_tet));
}

template <class Member>
auto frame(Member member) {
  return [member](py::object self) {
    const auto& vectors = self.cast<const Fibers&>().*member;
    return view<double>(vectors.data(), vectors.size(), 3, self);
  };
}

py::dict edges_by_label(const Mesh& mesh) {
  py::dict result;
  for (const auto& [label, edges] : edge_statistics(mesh))
    result[py::int_(label)] = py::dict("mean"_a = edges.mean, "low"_a = edges.low, "high"_a = edges.high);
  return result;
}

}  // namespace

void bind_mesh(py::module_& m) {
  bind_names<Location>(m, "Location", {{"node", Location::node}, {"tet", Location::tet}});
  py::class_<Map>(m, "Map", doc("Map"))
      .def(py::init([](std::string name, const py::object& values, std::string unit, Location at) {
             const auto array = py::array::ensure(values);
             const int width = array && array.ndim() == 2 ? static_cast<int>(array.shape(1)) : 1;
             return Map{.name = std::move(name),
                        .unit = std::move(unit),
                        .at = at,
                        .components = width,
                        .values = reals_of(values, static_cast<std::size_t>(width), "Map: values")};
           }),
           "name"_a, "values"_a, "unit"_a = "", "at"_a = Location::node)
      .def_readonly("name", &Map::name)
      .def_readonly("unit", &Map::unit)
      .def_readonly("at", &Map::at)
      .def_property_readonly("values", [](py::object self) {
        const auto& map = self.cast<const Map&>();
        const auto width = static_cast<std::size_t>(map.components);
        return view<double>(map.values.data(), map.values.size() / width, width, self);
      });

  Struct<MeshQuality>(m, "MeshQuality", "Of all tets of a mesh.")
      .def_readonly("min_dihedral", &MeshQuality::min_dihedral, "[degrees]")
      .def_readonly("max_dihedral", &MeshQuality::max_dihedral, "[degrees]")
      .def_readonly("min_edge", &MeshQuality::min_edge, "[mm]")
      .def_readonly("mean_edge", &MeshQuality::mean_edge, "[mm]")
      .def_readonly("max_edge", &MeshQuality::max_edge, "[mm]")
      .def_readonly("volume", &MeshQuality::volume, "[mm3]")
      .def_readonly("dihedral_histogram", &MeshQuality::dihedral_histogram, doc("MeshQuality.dihedral_histogram"));

  py::class_<Mesh>(m, "Mesh", "Tetrahedra: points [mm], tets, labels. Immutable.")
      .def(py::init(&make_mesh), "points"_a, "tets"_a, "labels"_a = py::none(), doc("Mesh.Mesh"))
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
      .def_property_readonly("labels",
                             [](py::object self) {
                               const auto& mesh = self.cast<const Mesh&>();
                               return view<Label>(mesh.labels().data(), mesh.tet_count(), 1, self);
                             })
      .def_property_readonly("node_count", &Mesh::node_count)
      .def_property_readonly("tet_count", &Mesh::tet_count)
      .def("__repr__", [](const Mesh& mesh) {
        return fmt::format("<Mesh of {} nodes, {} tets>", mesh.node_count(), mesh.tet_count());
      });
  m.def("quality", &quality, "mesh"_a, "Angles, edges and volume of a mesh.");
  m.def("edge_statistics", &edges_by_label, "mesh"_a, doc("edge_statistics"));
  m.def("box_mesh", &box_mesh, "size"_a, "edge"_a, doc("box_mesh"));
  m.def("lattice_block", &lattice_block, "size"_a, "edge"_a,
        py::arg_v("rotation", Mat3(Mat3::Identity()), "numpy.eye(3)"), doc("lattice_block"));

  py::class_<Fibers>(m, "Fibers", doc("Fibers"))
      .def(py::init([](const py::object& f, const py::object& towards) {
             auto along = points_of(f, "Fibers: f");
             for (Vec3& v : along) {
               if (!(v.norm() > 1e-12) || !v.allFinite()) throw InputError("Fibers: f has a vector without length");
               v.normalize();
             }
             const auto sheet = towards.is_none() ? std::vector<Vec3>(along.size(), Vec3(0.36, 0.48, 0.8))
                                                  : points_of(towards, "Fibers: towards");
             if (sheet.size() != along.size())
               throw InputError(fmt::format("Fibers: {} vectors f, but {} towards", along.size(), sheet.size()));
             return frames_along(std::move(along), sheet);
           }),
           "f"_a, "towards"_a = py::none(), doc("frames_along"))
      .def_property_readonly("f", frame(&Fibers::f), "along the fibre, (tets, 3)")
      .def_property_readonly("s", frame(&Fibers::s), "across it within the sheet")
      .def_property_readonly("n", frame(&Fibers::n), "normal to the sheet");
  bind_names<FiberRule>(m, "FiberRule", {{"bayer", FiberRule::bayer}, {"doste", FiberRule::doste}});
  Struct<FiberAngles>(m, "FiberAngles")
      .read("rule", &FiberAngles::rule)
      .field("alpha_endo", &FiberAngles::alpha_endo)
      .field("alpha_epi", &FiberAngles::alpha_epi)
      .field("beta_endo", &FiberAngles::beta_endo)
      .field("beta_epi", &FiberAngles::beta_epi)
      .field("alpha_endo_rv", &FiberAngles::alpha_endo_rv)
      .field("alpha_epi_rv", &FiberAngles::alpha_epi_rv)
      .field("alpha_endo_outflow", &FiberAngles::alpha_endo_outflow)
      .field("alpha_epi_outflow", &FiberAngles::alpha_epi_outflow)
      .def(py::init([](FiberRule rule, const py::kwargs& fields) {
             py::object target = py::cast(FiberAngles::of(rule));
             set_fields(target, fields, "FiberAngles");
             return target.cast<FiberAngles>();
           }),
           "rule"_a = FiberRule::bayer);
  m.def("uniform_fibers", &uniform_fibers, "mesh"_a, py::arg_v("direction", Vec3(Vec3::UnitX()), "(1, 0, 0)"),
        doc("uniform_fibers"));
}

}  // namespace cardiotwin::python
