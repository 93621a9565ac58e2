#include <cardiotwin/meshes/inspect.hpp>
#include <cardiotwin/meshes/labels.hpp>

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
           "values"_a, py::arg_v("spacing", Vec3(1, 1, 1), "(1, 1, 1)"),
           py::arg_v("origin", Vec3(0, 0, 0), "(0, 0, 0)"),
           py::arg_v("direction", Mat3(Mat3::Identity()), "numpy.eye(3)"),
           "spacing, origin [mm, LPS]; direction: orthonormal columns")
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
  m.def("write_labels", &write_labels, "path"_a, "labels"_a, doc("write_image"));
  m.def(
      "labels_on",
      [](const Image& image, const LabelValues& values, const py::object& progress) {
        return long_call(progress, [&](const Monitor& monitor) { return labels_on(image.grid, values, monitor); });
      },
      "image"_a, "values"_a, "progress"_a = py::none(), doc("labels_on"));
  m.def("write_montage", &write_montage, "png"_a, "image"_a, "labels"_a = py::none(), "regions"_a = py::none(),
        doc("write_montage"));
  m.def(
      "canonical_labels",
      [](const LabelValues& values, const std::string& convention, const py::object& progress) {
        return long_call(progress,
                         [&](const Monitor& monitor) { return canonical_labels(values, convention, monitor); });
      },
      "values"_a, "convention"_a = "guess", "progress"_a = py::none(), doc("canonical_labels"));
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
