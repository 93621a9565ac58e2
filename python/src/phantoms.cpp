// Synthetic patients with known truth.
#include <cardiotwin/meshes/phantom.hpp>
#include <cardiotwin/meshes/phantom_atrium.hpp>

#include "bind.hpp"

namespace cardiotwin::python {

using namespace meshes;

namespace {

template <class Made, class Options>
void bind_write(py::module_& m, const char* name) {
  m.def(
      name,
      [](const Made& made, const Options& options, const std::filesystem::path& folder) {
        write_phantom(made, options, folder);
      },
      "phantom"_a, "options"_a, "folder"_a, doc("write_phantom"));
}

void bind_ventricle(py::module_& m) {
  Struct<PhantomOptions>(m, "PhantomOptions")
      .keywords()
      .field("seed", &PhantomOptions::seed)
      .field("semi_axis_long", &PhantomOptions::semi_axis_long)
      .field("semi_axis_short", &PhantomOptions::semi_axis_short)
      .field("wall", &PhantomOptions::wall)
      .field("base_height", &PhantomOptions::base_height)
      .field("papillary", &PhantomOptions::papillary)
      .field("translation", &PhantomOptions::translation)
      .field("rotation_degrees", &PhantomOptions::rotation_degrees)
      .field("scar", &PhantomOptions::scar)
      .field("channel", &PhantomOptions::channel)
      .field("scar_length", &PhantomOptions::scar_length)
      .field("scar_width", &PhantomOptions::scar_width)
      .field("scar_height", &PhantomOptions::scar_height)
      .field("scar_angle", &PhantomOptions::scar_angle)
      .field("scar_segments", &PhantomOptions::scar_segments)
      .field("transmurality", &PhantomOptions::transmurality)
      .field("border_zone", &PhantomOptions::border_zone)
      .field("channel_width", &PhantomOptions::channel_width)
      .field("channel_tilt", &PhantomOptions::channel_tilt)
      .field("channel_bend", &PhantomOptions::channel_bend)
      .field("no_reflow", &PhantomOptions::no_reflow)
      .field("pixel", &PhantomOptions::pixel)
      .field("slice", &PhantomOptions::slice)
      .field("offset", &PhantomOptions::offset)
      .field("noise", &PhantomOptions::noise);
  Struct<PhantomTruth>(m, "PhantomTruth", "What a synthetic patient was made of. Volumes [ml].")
      .read("channel", &PhantomTruth::channel)
      .read("scar_volume", &PhantomTruth::scar_volume)
      .read("core_volume", &PhantomTruth::core_volume)
      .read("channel_volume", &PhantomTruth::channel_volume)
      .read("muscle_volume", &PhantomTruth::muscle_volume);
  Struct<Phantom>(m, "Phantom", "A synthetic patient.")
      .read("image", &Phantom::image)
      .read("labels", &Phantom::labels)
      .read("truth", &Phantom::truth);
}

void bind_atrium(py::module_& m) {
  Struct<AtriumPhantomOptions>(m, "AtriumPhantomOptions")
      .keywords()
      .field("seed", &AtriumPhantomOptions::seed)
      .field("width", &AtriumPhantomOptions::width)
      .field("wall", &AtriumPhantomOptions::wall)
      .field("vein_length", &AtriumPhantomOptions::vein_length)
      .field("veins", &AtriumPhantomOptions::veins)
      .field("appendage", &AtriumPhantomOptions::appendage)
      .field("translation", &AtriumPhantomOptions::translation)
      .field("rotation_degrees", &AtriumPhantomOptions::rotation_degrees)
      .field("scar", &AtriumPhantomOptions::scar)
      .field("channel", &AtriumPhantomOptions::channel)
      .field("scar_width", &AtriumPhantomOptions::scar_width)
      .field("scar_height", &AtriumPhantomOptions::scar_height)
      .field("border_zone", &AtriumPhantomOptions::border_zone)
      .field("channel_width", &AtriumPhantomOptions::channel_width)
      .field("fibrosis_radius", &AtriumPhantomOptions::fibrosis_radius)
      .field("voxel", &AtriumPhantomOptions::voxel)
      .field("noise", &AtriumPhantomOptions::noise)
      .field("wall_labels", &AtriumPhantomOptions::wall_labels);
  Struct<PhantomOpening>(m, "PhantomOpening")
      .read("name", &PhantomOpening::name)
      .read("centre", &PhantomOpening::centre)
      .read("normal", &PhantomOpening::normal)
      .read("radius", &PhantomOpening::radius);
  Struct<AtriumPhantomTruth>(m, "AtriumPhantomTruth", "What a synthetic atrium was made of. Volumes [ml].")
      .read("openings", &AtriumPhantomTruth::openings)
      .read("channel", &AtriumPhantomTruth::channel)
      .read("cavity_volume", &AtriumPhantomTruth::cavity_volume)
      .read("wall_volume", &AtriumPhantomTruth::wall_volume)
      .read("dense_volume", &AtriumPhantomTruth::dense_volume)
      .read("fibrosis_volume", &AtriumPhantomTruth::fibrosis_volume)
      .read("channel_volume", &AtriumPhantomTruth::channel_volume);
  Struct<AtriumPhantom>(m, "AtriumPhantom", "A synthetic left atrium.")
      .read("image", &AtriumPhantom::image)
      .read("labels", &AtriumPhantom::labels)
      .read("truth", &AtriumPhantom::truth);
}

}  // namespace

void bind_phantoms(py::module_& m) {
  bind_ventricle(m);
  bind_atrium(m);
  m.def(
      "make_phantom",
      [](const py::object& progress, const py::kwargs& fields) {
        const auto options = options_from<PhantomOptions>(fields, "make_phantom");
        return long_call(progress, [&](const Monitor& monitor) { return make_phantom(options, monitor); });
      },
      "progress"_a = py::none(), with_options(doc("PhantomOptions"), "PhantomOptions").c_str());
  m.def(
      "make_atrium_phantom",
      [](const py::object& progress, const py::kwargs& fields) {
        const auto options = options_from<AtriumPhantomOptions>(fields, "make_atrium_phantom");
        return long_call(progress, [&](const Monitor& monitor) { return make_atrium_phantom(options, monitor); });
      },
      "progress"_a = py::none(), with_options(doc("AtriumPhantomOptions"), "AtriumPhantomOptions").c_str());
  bind_write<Phantom, PhantomOptions>(m, "write_phantom");
  bind_write<AtriumPhantom, AtriumPhantomOptions>(m, "write_phantom");
}

}  // namespace cardiotwin::python
