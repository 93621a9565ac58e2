#include <cardiotwin/fiber_sources.hpp>
#include <cardiotwin/transmurality.hpp>
#include <cardiotwin/valves.hpp>
#include <cstddef>
#include <limits>

#include "bind.hpp"

namespace cardiotwin::python {
namespace {

template <class Number, class Member>
auto array_of(Member member) {
  return [member](py::object self) {
    const auto& values = self.cast<const Anatomy&>().*member;
    return view<Number>(values.data(), values.size(), 1, self);
  };
}

// Fields of the faces lie side by side in C++, so their views are strided.
template <class Number>
auto face_field(std::size_t offset, std::size_t width) {
  return [offset, width](py::object self) {
    const auto& faces = self.cast<const Anatomy&>().surface;
    const auto* data = reinterpret_cast<const std::byte*>(faces.data());
    return view<Number>(faces.empty() ? nullptr : data + offset, faces.size(), width, self, sizeof(SurfaceFace));
  };
}

Anatomy make_anatomy(Mesh mesh, std::optional<Fibers> fibers, std::optional<std::map<Label, std::string>> regions) {
  Anatomy anatomy;
  anatomy.fibers = fibers ? *std::move(fibers) : uniform_fibers(mesh);
  const std::map<Label, std::string> known{{region::healthy, "healthy"},
                                           {region::border_zone, "border_zone"},
                                           {region::core, "core"},
                                           {region::channel, "channel"}};
  for (const Label label : mesh.labels()) {
    if (anatomy.regions.contains(label)) continue;
    const auto& names = regions ? *regions : known;
    const auto found = names.find(label);
    if (found == names.end())
      throw InputError(fmt::format("Anatomy: the mesh has label {}, but regions do not name it", label));
    anatomy.regions[label] = found->second;
  }
  anatomy.mesh = std::move(mesh);
  anatomy.validate();
  return anatomy;
}

}  // namespace

void bind_anatomy(py::module_& m) {
  bind_names<Surface>(
      m, "Surface",
      {{"endo", Surface::endo}, {"epi", Surface::epi}, {"base", Surface::base}, {"endo_rv", Surface::endo_rv}});

  py::class_<Site>(m, "Site", doc("Site"))
      .def(py::init([](std::string name, const Vec3& position, const py::object& nodes) {
             const auto given = integers_of(nodes, 1, 0, std::numeric_limits<Index>::max(), "Site: nodes");
             return Site{std::move(name), position, {given.begin(), given.end()}};
           }),
           "name"_a, "position"_a, "nodes"_a)
      .def_readonly("name", &Site::name)
      .def_readonly("position", &Site::position, doc("Site.position"))
      .def_property_readonly("nodes",
                             [](py::object self) {
                               const auto& nodes = self.cast<const Site&>().nodes;
                               return view<Index>(nodes.data(), nodes.size(), 1, self);
                             })
      .def("__repr__", [](const Site& s) { return fmt::format("<Site {}: {} nodes>", s.name, s.nodes.size()); });

  py::class_<Ring>(m, "Ring", doc("Ring"))
      .def_readonly("name", &Ring::name)
      .def_readonly("centre", &Ring::centre, "[mm, LPS]")
      .def_readonly("normal", &Ring::normal, "unit vector out of the cavity")
      .def_readonly("nodes", &Ring::nodes, doc("Ring.nodes"));

  // Views of an anatomy's arrays are handed out, so that nothing changes one: functions return another.
  Struct<Anatomy>(m, "Anatomy", "Mesh, fibres, named regions, surfaces, segments, sites.")
      .read("regions", &Anatomy::regions)
      .read("sites", &Anatomy::sites)
      .read("rings", &Anatomy::rings)
      .read("maps", &Anatomy::maps)
      .def(
          py::init(&make_anatomy), "mesh"_a, "fibers"_a = py::none(), "regions"_a = py::none(),
          "A heart, or a piece of one, without tagged surface: fibres along x and the labels 1 healthy, 2 border_zone, "
          "3 core, 4 channel unless said otherwise. Raises InputError.")
      .def_static("load", &Anatomy::load, "path"_a, doc("Anatomy.load"), py::call_guard<py::gil_scoped_release>())
      .def_readonly("mesh", &Anatomy::mesh)
      .def_readonly("fibers", &Anatomy::fibers)
      .def_property_readonly("depth", array_of<double>(&Anatomy::depth), doc("Anatomy.depth"))
      .def_property_readonly("height", array_of<double>(&Anatomy::height), doc("Anatomy.height"))
      .def_property_readonly("right", array_of<double>(&Anatomy::right), doc("Anatomy.right"))
      .def_property_readonly("aha", array_of<std::uint8_t>(&Anatomy::aha), doc("Anatomy.aha"))
      .def_property_readonly("surface_nodes", face_field<Index>(offsetof(SurfaceFace, nodes), 3),
                             "(faces, 3), counter-clockwise seen from outside")
      .def_property_readonly("surface_tet", face_field<Index>(offsetof(SurfaceFace, tet), 1))
      .def_property_readonly("surface_tag", face_field<std::uint8_t>(offsetof(SurfaceFace, tag), 1),
                             "1 endo, 2 epi, 3 base, 4 endo_rv")
      .def_readonly("apex", &Anatomy::apex, doc("Anatomy.apex"))
      .def_readonly("base_centre", &Anatomy::base_centre)
      .def_readonly("septum", &Anatomy::septum, doc("Anatomy.septum"))
      .def_property_readonly(
          "chamber", [](const Anatomy& a) { return a.chamber == Chamber::left_atrium ? "left atrium" : "ventricles"; })
      .def("site", &Anatomy::site, "name"_a, py::return_value_policy::copy, doc("Anatomy.site"))
      .def("label", &Anatomy::label, "region"_a, doc("Anatomy.label"))
      .def(
          "add_site",
          [](Anatomy& a, std::string name, const Vec3& position, double radius) {
            a.sites.push_back(make_site(a, std::move(name), position, radius));
          },
          "name"_a, "position"_a, "radius"_a = 3.0, doc("make_site"))
      .def("__repr__", [](const Anatomy& a) {
        return fmt::format("<Anatomy of {} nodes, {} regions, {} sites>", a.mesh.node_count(), a.regions.size(),
                           a.sites.size());
      });
  m.def(
      "lay_fibers",
      [](Anatomy anatomy, const FiberAngles& angles, const std::optional<Vec3>& upward, const py::object& progress) {
        long_call(progress, [&](const Monitor& monitor) { lay_fibers(anatomy, angles, monitor, upward); });
        return anatomy;
      },
      "anatomy"_a, py::arg_v("angles", FiberAngles(), "FiberAngles()"), "upward"_a = py::none(),
      "progress"_a = py::none(), (std::string("Another anatomy. ") + doc("lay_fibers")).c_str());
  m.def(
      "complete_anatomy",
      [](Anatomy anatomy, double radius, const py::object& progress) {
        long_call(progress, [&](const Monitor& monitor) { complete_anatomy(anatomy, radius, monitor); });
        return anatomy;
      },
      "anatomy"_a, "radius"_a = 3.0, "progress"_a = py::none(),
      (std::string("Another anatomy. ") + doc("complete_anatomy")).c_str());
  m.def("standard_sites", &standard_sites, "anatomy"_a, "radius"_a = 3.0, doc("standard_sites"));
  Struct<Transmurality>(m, "Transmurality")
      .read("mean", &Transmurality::mean)
      .read("max", &Transmurality::max)
      .read("columns", &Transmurality::columns);
  m.def("transmurality", py::overload_cast<const Anatomy&, double>(&transmurality), "anatomy"_a, "patch"_a = 5.0,
        doc("transmurality"));
  Struct<ValveRing>(m, "ValveRing", "A valve's ring, from the tags of the surface.")
      .read("name", &ValveRing::name)
      .read("endocardium", &ValveRing::endocardium)
      .read("centre", &ValveRing::centre)
      .read("normal", &ValveRing::normal)
      .read("perimeter", &ValveRing::perimeter)
      .read("area", &ValveRing::area)
      .read("nodes", &ValveRing::nodes);
  m.def("valve_rings", &valve_rings, "anatomy"_a, doc("valve_rings"));
  m.def("make_site", &make_site, "anatomy"_a, "name"_a, "position"_a, "radius"_a = 3.0, doc("make_site"));
  m.def(
      "save_surface",
      [](const std::filesystem::path& path, const Anatomy& anatomy, const std::vector<Map>& maps) {
        save_surface(path, anatomy, maps);
      },
      "path"_a, "anatomy"_a, "maps"_a = std::vector<Map>{}, doc("save_surface"));
  m.def("save_maps", &save_maps, "path"_a, "maps"_a, doc("save_maps"));
  m.def("load_maps", &load_maps, "path"_a, doc("load_maps"));
  m.def(
      "save",
      [](const std::filesystem::path& path, const Anatomy& anatomy, const std::vector<Map>& maps) {
        save(path, anatomy, maps);
      },
      "path"_a, "anatomy"_a, "maps"_a = std::vector<Map>{}, "The whole anatomy as VTU, with maps beside its own.");
}

void bind_exchange(py::module_& m) {
  m.def(
      "load_anatomy",
      [](const std::filesystem::path& path, const std::map<Tag, std::string>& regions,
         const std::map<Tag, Surface>& surfaces, const std::string& unit, const std::optional<FiberAngles>& fibers,
         const std::optional<Vec3>& upward, bool block, const py::object& progress) {
        return long_call(progress, [&](const Monitor& monitor) {
          ForeignMesh file = load_mesh(path, {.unit = unit}, monitor);
          if (block) tag_sides(file);
          return to_anatomy(file, {.regions = regions, .surfaces = surfaces, .lay_fibers = fibers, .upward = upward},
                            monitor);
        });
      },
      "path"_a, py::kw_only(), "regions"_a = std::map<Tag, std::string>{}, "surfaces"_a = std::map<Tag, Surface>{},
      "unit"_a = "", "lay_fibers"_a = py::none(), "upward"_a = py::none(), "block"_a = false, "progress"_a = py::none(),
      "An anatomy from a mesh of another program (mesh_formats; openCARP and TetGen by a base name). regions: tag -> "
      "region name, else the file's own names, or all healthy where it has no tags; surfaces: triangle tag -> Surface, "
      "else no surface is tagged; unit: of the file's lengths, \"um\", \"mm\", \"cm\" or \"m\" (\"\": um for openCARP, "
      "else mm); lay_fibers: FiberAngles of a rule to lay, else the file's fibres, or along x where it has none; "
      "upward: "
      "for a rule, from apex to base, where the mesh shows neither; block: gives a block cut from a wall sides 1 -x, 2 "
      "+x, 3 -y, 4 +y, 5 -z, 6 +z as triangle tags. Node sets become sites. Warns of what was assumed; raises "
      "FileError "
      "(missing, damaged, unknown format) and InputError (no tets, a tag without region, a flat tet).");
  m.def(
      "save_anatomy",
      [](const std::filesystem::path& path, const Anatomy& anatomy, const std::string& format,
         const py::object& progress) {
        long_call(progress, [&](const Monitor& monitor) { save_mesh(path, to_foreign(anatomy), format, monitor); });
      },
      "path"_a, "anatomy"_a, "format"_a = "", "progress"_a = py::none(), doc("save_mesh"));
  m.def("mesh_formats", &mesh_formats, doc("mesh_formats"));
}

void bind_coordinates(py::module_& m) {
  bind_names<Ventricle>(m, "Ventricle", {{"left", Ventricle::left}, {"right", Ventricle::right}});
  py::class_<Place>(m, "Place", doc("Place"))
      .def(py::init([](double apicobasal, double rotational, double transmural, Ventricle ventricle) {
             return Place{
                 .apicobasal = apicobasal, .rotational = rotational, .transmural = transmural, .ventricle = ventricle};
           }),
           "apicobasal"_a, "rotational"_a, "transmural"_a, "ventricle"_a = Ventricle::left)
      .def_readonly("apicobasal", &Place::apicobasal, doc("Place.apicobasal"))
      .def_readonly("rotational", &Place::rotational, doc("Place.rotational"))
      .def_readonly("transmural", &Place::transmural, doc("Place.transmural"))
      .def_readonly("ventricle", &Place::ventricle);
  py::class_<Atlas::Found>(m, "Found", "A place and the point of the tissue there.")
      .def_readonly("place", &Atlas::Found::place)
      .def_readonly("position", &Atlas::Found::position, doc("Atlas.Found.position"))
      .def_readonly("tet", &Atlas::Found::tet)
      .def_readonly("weight", &Atlas::Found::weight)
      .def_readonly("off", &Atlas::Found::off, doc("Atlas.Found.off"));
  py::class_<Atlas>(m, "Atlas", doc("Atlas"))
      .def(py::init([](const Anatomy& anatomy, const py::object& progress) {
             return long_call(progress, [&](const Monitor& monitor) {
               return Atlas(anatomy.mesh, ventricular_coordinates(anatomy, monitor));
             });
           }),
           "anatomy"_a, "progress"_a = py::none(), py::keep_alive<1, 2>())
      .def("at", py::overload_cast<const Place&>(&Atlas::at, py::const_), "place"_a,
           "The position of a place, or of the nearest there is.")
      .def("at", py::overload_cast<const Vec3&>(&Atlas::at, py::const_), "position"_a,
           "The place of a point [mm, LPS], or of the tissue nearest to it.")
      .def_property_readonly("maps", [](const Atlas& atlas) { return coordinate_maps(atlas.coordinates()); });
  m.def(
      "map_point",
      [](const Atlas& from, const Vec3& position, const Atlas& to) { return map_point(from, position, to); },
      "source"_a, "position"_a, "target"_a, "The same place in another heart.");
  m.def(
      "map_field",
      [](const Atlas& from, const Map& map, const Atlas& to, const py::object& progress) {
        return long_call(progress, [&](const Monitor& monitor) { return map_field(from, map, to, monitor); });
      },
      "source"_a, "map"_a, "target"_a, "progress"_a = py::none(),
      (std::string("`source` is where the map is from. ") + doc("map_field")).c_str());
  m.def(
      "place_words", [](const Anatomy& a, const Vec3& position) { return place_words(a, position); }, "anatomy"_a,
      "position"_a, doc("place_words"));
}

}  // namespace cardiotwin::python
