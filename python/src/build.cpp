// From images or surfaces to a twin, and where its fibres come from.
#include <cardiotwin/fiber_sources.hpp>
#include <cardiotwin/meshes/build.hpp>

#include "bind.hpp"

namespace cardiotwin::python {
namespace {

using namespace meshes;

// What take_fibers asks for directions; opaque to Python.
struct Source {
  FiberSource at;
};

void bind_options(py::module_& m) {
  bind_names<Chambers>(m, "Chambers",
                       {{"left", Chambers::left_ventricle},
                        {"both", Chambers::both_ventricles},
                        {"left_atrium", Chambers::left_atrium}});
  bind_names<VectorAxes>(m, "VectorAxes", {{"scanner", VectorAxes::scanner}, {"voxel", VectorAxes::voxel}});
  Struct<BuildOptions>(m, "BuildOptions", "How build_twin makes a twin.")
      .keywords()
      .field("chambers", &BuildOptions::chambers)
      .field("rv_wall", &BuildOptions::rv_wall)
      .field("la_wall", &BuildOptions::la_wall)
      .field("mitral", &BuildOptions::mitral)
      .field("convention", &BuildOptions::convention)
      .field("scar", &BuildOptions::scar)
      .field("remote", &BuildOptions::remote)
      .field("fibrosis_density", &BuildOptions::fibrosis_density)
      .field("edge", &BuildOptions::edge)
      .field("edge_scar", &BuildOptions::edge_scar)
      .field("edges", &BuildOptions::edges)
      .field("edge_margin", &BuildOptions::edge_margin)
      .field("grading", &BuildOptions::grading)
      .field("smoothing", &BuildOptions::smoothing)
      .field("angles", &BuildOptions::angles)
      .field("fibers", &BuildOptions::fibers)
      .field("fiber_axes", &BuildOptions::fiber_axes)
      .field("fast_endocardium", &BuildOptions::fast_endocardium)
      .field("septum", &BuildOptions::septum)
      .field("tissue", &BuildOptions::tissue)
      .field("site_radius", &BuildOptions::site_radius);
}

}  // namespace

void bind_build(py::module_& m) {
  bind_options(m);
  m.def(
      "build_twin",
      [](const Image& image, const Labels& labels, const py::object& progress, const py::kwargs& fields) {
        const auto options = options_from<BuildOptions>(fields, "build_twin");
        return long_call(progress, [&](const Monitor& monitor) { return build_twin(image, labels, options, monitor); });
      },
      "image"_a, "labels"_a, "progress"_a = py::none(),
      with_options("Image and canonical labels on one grid. What `assess` finds is told and kept in the twin. Raises "
                   "InputError.",
                   "BuildOptions")
          .c_str());
  m.def(
      "build_twin",
      [](const std::filesystem::path& image, const std::filesystem::path& labels, const py::object& progress,
         const py::kwargs& fields) {
        const auto options = options_from<BuildOptions>(fields, "build_twin");
        return long_call(progress, [&](const Monitor& monitor) { return build_twin(image, labels, options, monitor); });
      },
      "image"_a, "labels"_a, "progress"_a = py::none(),
      with_options("Reads both files, puts the labels on the image's grid, and builds; input hashes and effective "
                   "options go into the provenance.",
                   "BuildOptions")
          .c_str());
  m.def(
      "build_twin_from_surface",
      [](const std::filesystem::path& surface, const std::map<Tag, Surface>& surfaces, const std::string& field,
         const std::string& unit, const py::object& progress, const py::kwargs& fields) {
        const auto options = options_from<BuildOptions>(fields, "build_twin_from_surface");
        return long_call(progress, [&](const Monitor& monitor) {
          return build_twin_from_surface(surface, {.surfaces = surfaces, .field = field, .unit = unit}, options,
                                         monitor);
        });
      },
      "surface"_a, "surfaces"_a, "field"_a = "", "unit"_a = "", "progress"_a = py::none(),
      with_options(doc("build_twin_from_surface"), "BuildOptions").c_str());

  py::class_<Source>(m, "FiberSource", doc("FiberSource"))
      .def(
          "__call__", [](const Source& source, const Vec3& position) { return Mat3(source.at(position)); },
          "position"_a, "The 3 x 3 matrix at a position [mm, LPS].");
  m.def(
      "read_fibers",
      [](const std::filesystem::path& path, VectorAxes axes, const py::object& progress) {
        return long_call(progress, [&](const Monitor& monitor) { return Source{read_fibers(path, axes, monitor)}; });
      },
      "path"_a, "axes"_a = VectorAxes::scanner, "progress"_a = py::none(), doc("read_fibers"));
  m.def(
      "take_fibers",
      [](Anatomy anatomy, const Source& source, const py::object& progress) {
        const double share = long_call(progress, [&](const Monitor& monitor) {
          return take_fibers(anatomy.fibers, anatomy.mesh, source.at, monitor);
        });
        return std::make_pair(std::move(anatomy), share);
      },
      "anatomy"_a, "source"_a, "progress"_a = py::none(),
      (std::string("Another anatomy, and the share. ") + doc("take_fibers")).c_str());
}

}  // namespace cardiotwin::python
