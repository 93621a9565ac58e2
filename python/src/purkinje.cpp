// The Purkinje network.
#include <cardiotwin/purkinje.hpp>

#include "bind.hpp"

namespace cardiotwin::python {

void bind_purkinje(py::module_& m) {
  Struct<PurkinjeOptions>(m, "PurkinjeOptions")
      .keywords()
      .field("seed", &PurkinjeOptions::seed)
      .field("segment", &PurkinjeOptions::segment)
      .field("length", &PurkinjeOptions::length)
      .field("spread", &PurkinjeOptions::spread)
      .field("angle", &PurkinjeOptions::angle)
      .field("repulsion", &PurkinjeOptions::repulsion)
      .field("generations", &PurkinjeOptions::generations)
      .field("trunk", &PurkinjeOptions::trunk)
      .field("fascicle", &PurkinjeOptions::fascicle)
      .field("fascicle_angle", &PurkinjeOptions::fascicle_angle)
      .field("top", &PurkinjeOptions::top)
      .field("root_lv", &PurkinjeOptions::root_lv)
      .field("root_rv", &PurkinjeOptions::root_rv)
      .field("velocity", &PurkinjeOptions::velocity)
      .field("right_delay", &PurkinjeOptions::right_delay)
      .field("junction_delay", &PurkinjeOptions::junction_delay)
      .field("junction_radius", &PurkinjeOptions::junction_radius);
  py::class_<PurkinjeTree>(m, "PurkinjeTree", doc("PurkinjeTree"))
      .def_property_readonly(
          "points",
          [](py::object self) {
            const auto& points = self.cast<const PurkinjeTree&>().points;
            return view<double>(points.data(), points.size(), 3, self);
          },
          doc("PurkinjeTree.points"))
      .def_property_readonly(
          "parent",
          [](py::object self) {
            const auto& parent = self.cast<const PurkinjeTree&>().parent;
            return view<Index>(parent.data(), parent.size(), 1, self);
          },
          doc("PurkinjeTree.parent"))
      .def_property_readonly(
          "right",
          [](py::object self) {
            const auto& right = self.cast<const PurkinjeTree&>().right;
            return view<std::uint8_t>(right.data(), right.size(), 1, self);
          },
          doc("PurkinjeTree.right"))
      .def_property_readonly(
          "junction",
          [](py::object self) {
            const auto& junction = self.cast<const PurkinjeTree&>().junction;
            return view<std::uint8_t>(junction.data(), junction.size(), 1, self);
          },
          doc("PurkinjeTree.junction"))
      .def_property_readonly("length", &PurkinjeTree::length, doc("PurkinjeTree.length"));
  m.def(
      "grow_purkinje",
      [](const Anatomy& anatomy, const py::object& progress, const py::kwargs& fields) {
        const auto options = options_from<PurkinjeOptions>(fields, "grow_purkinje");
        return long_call(progress, [&](const Monitor& monitor) { return grow_purkinje(anatomy, options, monitor); });
      },
      "anatomy"_a, "progress"_a = py::none(), with_options(doc("grow_purkinje"), "PurkinjeOptions").c_str());
  m.def(
      "purkinje_times",
      [](const PurkinjeTree& tree, const py::kwargs& fields) {
        return give(purkinje_times(tree, options_from<PurkinjeOptions>(fields, "purkinje_times")));
      },
      "tree"_a, with_options(doc("purkinje_times"), "PurkinjeOptions").c_str());
  m.def(
      "purkinje_beats",
      [](const Anatomy& anatomy, const PurkinjeTree& tree, double s1, int beats, double s2, double s3, double s4,
         double start, double duration, double amplitude, const py::object& progress, const py::kwargs& fields) {
        const auto options = options_from<PurkinjeOptions>(fields, "purkinje_beats");
        return long_call(progress, [&](const Monitor& monitor) {
          return purkinje_beats(anatomy, tree, {s1, beats, s2, s3, s4, start, duration, amplitude}, options, monitor);
        });
      },
      "anatomy"_a, "tree"_a, "s1"_a = 600.0, "beats"_a = 6, "s2"_a = 0.0, "s3"_a = 0.0, "s4"_a = 0.0, "start"_a = 0.0,
      "duration"_a = 2.0, "amplitude"_a = 50.0, "progress"_a = py::none(),
      with_options(doc("purkinje_beats"), "PurkinjeOptions").c_str());
}

}  // namespace cardiotwin::python
