#include <cardiotwin/meshes/build.hpp>
#include <cardiotwin/meshes/inspect.hpp>
#include <cardiotwin/meshes/phantom.hpp>
#include <cardiotwin/meshes/phantom_atrium.hpp>

#include "bind.hpp"

namespace cardiotwin::python {
namespace {

using namespace meshes;

// A volume's array is (k, j, i), as SimpleITK's: the first image axis runs fastest.
template <class Number>
Volume<Number> volume_from(const py::object& values, const Vec3& spacing, const Vec3& origin, const Mat3& direction,
                           const char* who) {
  const auto array = py::array::ensure(values);
  if (!array || array.ndim() != 3)
    throw InputError(fmt::format("{}: an array of three dimensions (k, j, i) is wanted{}", who,
                                 array ? ", not one of shape " + shape_text(array) : std::string()));
  if (!(spacing.minCoeff() > 0) || !spacing.allFinite())
    throw InputError(fmt::format("{}: spacing must be positive [mm]", who));
  if (!(direction.transpose() * direction).isApprox(Mat3::Identity(), 1e-3))
    throw InputError(fmt::format("{}: the columns of direction must be orthonormal", who));
  Volume<Number> volume;
  for (int a = 0; a < 3; ++a) volume.grid.size[a] = static_cast<int>(array.shape(2 - a));
  volume.grid.spacing = spacing, volume.grid.origin = origin, volume.grid.direction = direction;
  const auto flat = array.attr("reshape")(-1);
  if constexpr (std::is_same_v<Number, float>) {
    const auto numbers = reals_of(flat, 1, who);
    volume.values.assign(numbers.begin(), numbers.end());
  } else {
    const auto numbers =
        integers_of(flat, 1, std::numeric_limits<Number>::min(), std::numeric_limits<Number>::max(), who);
    volume.values.assign(numbers.begin(), numbers.end());
  }
  return volume;
}

template <class Number>
void bind_volume(py::module_& m, const char* name, const char* text) {
  using V = Volume<Number>;
  py::class_<V>(m, name, text)
      .def(py::init([name](const py::object& values, const Vec3& spacing, const Vec3& origin, const Mat3& direction) {
             return volume_from<Number>(values, spacing, origin, direction, name);
           }),
           "values"_a, "spacing"_a = Vec3(1, 1, 1), "origin"_a = Vec3(0, 0, 0), "direction"_a = Mat3(Mat3::Identity()))
      .def_property_readonly("values",
                             [](py::object self) {
                               const auto& volume = self.cast<const V&>();
                               const auto& n = volume.grid.size;
                               auto flat = view<Number>(volume.values.data(), volume.values.size(), 1, self);
                               return flat.attr("reshape")(n[2], n[1], n[0]);
                             })
      .def_property_readonly(
          "spacing", [](const V& v) { return v.grid.spacing; }, "[mm], of the axes i, j, k")
      .def_property_readonly(
          "origin", [](const V& v) { return v.grid.origin; }, "[mm, LPS]")
      .def_property_readonly(
          "direction", [](const V& v) { return v.grid.direction; }, doc("Grid.direction"))
      .def("__repr__", [name](const V& v) {
        const auto& [n, d, o, r] = v.grid;
        return fmt::format("<{} of {} x {} x {} voxels of {:g} x {:g} x {:g} mm>", name, n[0], n[1], n[2], d[0], d[1],
                           d[2]);
      });
}

std::string inspect_files(const std::filesystem::path& image, const std::optional<std::filesystem::path>& labels,
                          const std::string& convention, const Monitor& monitor) {
  ImageSource source;
  const Image read = read_image(image, monitor, {}, &source);
  std::optional<Labels> shown;
  std::string name;
  if (labels) {
    const LabelValues values = labels_on(read.grid, read_labels(*labels, monitor), monitor);
    const Convention meant = convention == "guess" ? guess_convention(values) : convention_of(convention);
    shown = meanings(values, meant), name = meant.name;
  }
  return to_json(inspect(read, source, shown, name));
}

}  // namespace

void bind_images(py::module_& m) {
  bind_volume<float>(m, "Image",
                     "An image in scanner space: values (k, j, i), spacing, origin and direction as SimpleITK has them "
                     "[mm, LPS].");
  bind_volume<std::uint8_t>(m, "Labels", "Our own labels: 1 LV cavity, 2 muscle, 3 infarct, 4 no-reflow, 5 RV cavity.");
  bind_volume<std::int32_t>(m, "LabelValues", "Labels as a file holds them, of any convention.");
  m.def(
      "read_image",
      [](const std::filesystem::path& path, std::optional<int> series, const py::object& progress) {
        return long_call(progress,
                         [&](const Monitor& monitor) { return read_image(path, monitor, {.series = series}); });
      },
      "path"_a, "series"_a = py::none(), "progress"_a = py::none(), doc("read_image"));
  m.def(
      "read_labels",
      [](const std::filesystem::path& path, std::optional<int> series, const py::object& progress) {
        return long_call(progress,
                         [&](const Monitor& monitor) { return read_labels(path, monitor, {.series = series}); });
      },
      "path"_a, "series"_a = py::none(), "progress"_a = py::none(), doc("read_labels"));
  m.def("write_image", &write_image, "path"_a, "image"_a, doc("write_image"));
  m.def("write_labels", &write_labels, "path"_a, "labels"_a);
  m.def(
      "canonical_labels",
      [](const LabelValues& values, const std::string& convention, const py::object& progress) {
        return long_call(progress,
                         [&](const Monitor& monitor) { return canonical_labels(values, convention, monitor); });
      },
      "values"_a, "convention"_a = "guess", "progress"_a = py::none(), doc("canonical_labels"));
}

void bind_build(py::module_& m) {
  bind_names<Chambers>(m, "Chambers",
                       {{"left", Chambers::left_ventricle},
                        {"both", Chambers::both_ventricles},
                        {"left_atrium", Chambers::left_atrium}});
  bind_names<ScarMethod>(m, "ScarMethod",
                         {{"p99", ScarMethod::p99},
                          {"n_sd", ScarMethod::n_sd},
                          {"fwhm", ScarMethod::fwhm},
                          {"iir", ScarMethod::iir},
                          {"labels", ScarMethod::labels}});
  py::class_<ScarOptions>(m, "ScarOptions")
      .def(py::init([](const py::kwargs& fields) { return options_from<ScarOptions>(fields, "ScarOptions"); }))
      .def_readwrite("method", &ScarOptions::method)
      .def_readwrite("core", &ScarOptions::core)
      .def_readwrite("border_zone", &ScarOptions::border_zone)
      .def_readwrite("n_sd", &ScarOptions::n_sd)
      .def_readwrite("n_sd_border_zone", &ScarOptions::n_sd_border_zone)
      .def_readwrite("half", &ScarOptions::half, doc("ScarOptions.half"))
      .def_readwrite("iir_core", &ScarOptions::iir_core)
      .def_readwrite("iir_border_zone", &ScarOptions::iir_border_zone)
      .def_readwrite("min_volume", &ScarOptions::min_volume, doc("ScarOptions.min_volume"))
      .def_readwrite("channel_closing", &ScarOptions::channel_closing, doc("ScarOptions.channel_closing"));
  bind_names<FiberRule>(m, "FiberRule", {{"bayer", FiberRule::bayer}, {"doste", FiberRule::doste}});
  py::class_<FiberAngles>(m, "FiberAngles", doc("FiberAngles"))
      .def(py::init([](FiberRule rule, const py::kwargs& fields) {
             py::object target = py::cast(FiberAngles::of(rule));
             set_fields(target, fields, "FiberAngles");
             return target.cast<FiberAngles>();
           }),
           "rule"_a = FiberRule::bayer)
      .def_readonly("rule", &FiberAngles::rule)
      .def_readwrite("alpha_endo", &FiberAngles::alpha_endo)
      .def_readwrite("alpha_epi", &FiberAngles::alpha_epi)
      .def_readwrite("beta_endo", &FiberAngles::beta_endo)
      .def_readwrite("beta_epi", &FiberAngles::beta_epi)
      .def_readwrite("alpha_endo_rv", &FiberAngles::alpha_endo_rv)
      .def_readwrite("alpha_epi_rv", &FiberAngles::alpha_epi_rv);
  py::class_<BuildOptions>(m, "BuildOptions")
      .def(py::init<>())
      .def_readwrite("chambers", &BuildOptions::chambers)
      .def_readwrite("rv_wall", &BuildOptions::rv_wall, doc("BuildOptions.rv_wall"))
      .def_readwrite("la_wall", &BuildOptions::la_wall, doc("BuildOptions.la_wall"))
      .def_readwrite("mitral", &BuildOptions::mitral, doc("BuildOptions.mitral"))
      .def_readwrite("convention", &BuildOptions::convention, doc("BuildOptions.convention"))
      .def_readwrite("scar", &BuildOptions::scar)
      .def_readwrite("fibrosis_density", &BuildOptions::fibrosis_density, doc("BuildOptions.fibrosis_density"))
      .def_readwrite("edge", &BuildOptions::edge, doc("BuildOptions.edge"))
      .def_readwrite("edge_scar", &BuildOptions::edge_scar)
      .def_readwrite("edges", &BuildOptions::edges, doc("BuildOptions.edges"))
      .def_readwrite("edge_margin", &BuildOptions::edge_margin, doc("BuildOptions.edge_margin"))
      .def_readwrite("grading", &BuildOptions::grading, doc("BuildOptions.grading"))
      .def_readwrite("smoothing", &BuildOptions::smoothing, doc("BuildOptions.smoothing"))
      .def_readwrite("angles", &BuildOptions::angles)
      .def_readwrite("fast_endocardium", &BuildOptions::fast_endocardium, doc("BuildOptions.fast_endocardium"))
      .def_readwrite("septum", &BuildOptions::septum, doc("BuildOptions.septum"))
      .def_readwrite("tissue", &BuildOptions::tissue, doc("BuildOptions.tissue"))
      .def_readwrite("site_radius", &BuildOptions::site_radius, doc("BuildOptions.site_radius"));
  m.def(
      "build_twin",
      [](const Image& image, const Labels& labels, const py::object& progress, const py::kwargs& fields) {
        const auto options = options_from<BuildOptions>(fields, "build_twin");
        return long_call(progress, [&](const Monitor& monitor) { return build_twin(image, labels, options, monitor); });
      },
      "image"_a, "labels"_a, "progress"_a = py::none());
  m.def(
      "build_twin",
      [](const std::filesystem::path& image, const std::filesystem::path& labels, const py::object& progress,
         const py::kwargs& fields) {
        const auto options = options_from<BuildOptions>(fields, "build_twin");
        return long_call(progress, [&](const Monitor& monitor) { return build_twin(image, labels, options, monitor); });
      },
      "image"_a, "labels"_a, "progress"_a = py::none(), doc("build_twin"));

  py::class_<PhantomOptions> phantom(m, "PhantomOptions", doc("PhantomOptions"));
  phantom.def(py::init<>())
      .def_readwrite("seed", &PhantomOptions::seed, doc("PhantomOptions.seed"))
      .def_readwrite("semi_axis_long", &PhantomOptions::semi_axis_long)
      .def_readwrite("semi_axis_short", &PhantomOptions::semi_axis_short)
      .def_readwrite("wall", &PhantomOptions::wall)
      .def_readwrite("base_height", &PhantomOptions::base_height)
      .def_readwrite("papillary", &PhantomOptions::papillary, doc("PhantomOptions.papillary"))
      .def_readwrite("translation", &PhantomOptions::translation)
      .def_readwrite("rotation_degrees", &PhantomOptions::rotation_degrees, doc("PhantomOptions.rotation_degrees"))
      .def_readwrite("scar", &PhantomOptions::scar)
      .def_readwrite("channel", &PhantomOptions::channel)
      .def_readwrite("scar_length", &PhantomOptions::scar_length)
      .def_readwrite("scar_width", &PhantomOptions::scar_width, doc("PhantomOptions.scar_width"))
      .def_readwrite("transmurality", &PhantomOptions::transmurality, doc("PhantomOptions.transmurality"))
      .def_readwrite("border_zone", &PhantomOptions::border_zone, doc("PhantomOptions.border_zone"))
      .def_readwrite("channel_width", &PhantomOptions::channel_width)
      .def_readwrite("pixel", &PhantomOptions::pixel)
      .def_readwrite("slice", &PhantomOptions::slice, doc("PhantomOptions.slice"))
      .def_readwrite("noise", &PhantomOptions::noise, doc("PhantomOptions.noise"));
  m.def(
      "make_phantom",
      [](const py::object& progress, const py::kwargs& fields) {
        const auto options = options_from<PhantomOptions>(fields, "make_phantom");
        const Phantom made =
            long_call(progress, [&](const Monitor& monitor) { return make_phantom(options, monitor); });
        return py::make_tuple(
            made.image, made.labels,
            py::dict("channel"_a = made.truth.channel, "scar_volume"_a = made.truth.scar_volume,
                     "core_volume"_a = made.truth.core_volume, "channel_volume"_a = made.truth.channel_volume,
                     "muscle_volume"_a = made.truth.muscle_volume));
      },
      "progress"_a = py::none(),
      "A synthetic patient: image, labels and the truth (volumes in ml). Options as fields of "
      "PhantomOptions; raises InputError for impossible sizes.");
  m.def(
      "inspect",
      [](const std::filesystem::path& image, const std::optional<std::filesystem::path>& labels,
         const std::string& convention, const py::object& progress) {
        return py::module_::import("json").attr("loads")(long_call(
            progress, [&](const Monitor& monitor) { return inspect_files(image, labels, convention, monitor); }));
      },
      "image"_a, "labels"_a = py::none(), "convention"_a = "guess", "progress"_a = py::none(),
      "What image and labels are and what is wrong with them, as a dict.");
}

}  // namespace cardiotwin::python
