// What an image shows: scar, healthy muscle, quality.
#include <cardiotwin/meshes/assess.hpp>
#include <cardiotwin/meshes/scar_analysis.hpp>

#include "bind.hpp"

namespace cardiotwin::python {
namespace {

using namespace meshes;

void bind_options(py::module_& m) {
  bind_names<ScarMethod>(m, "ScarMethod",
                         {{"p99", ScarMethod::p99},
                          {"n_sd", ScarMethod::n_sd},
                          {"fwhm", ScarMethod::fwhm},
                          {"iir", ScarMethod::iir},
                          {"labels", ScarMethod::labels}});
  Struct<ScarOptions>(m, "ScarOptions", "Which muscle is scar, by which limits.")
      .keywords()
      .field("method", &ScarOptions::method)
      .field("core", &ScarOptions::core)
      .field("border_zone", &ScarOptions::border_zone)
      .field("n_sd", &ScarOptions::n_sd)
      .field("n_sd_border_zone", &ScarOptions::n_sd_border_zone)
      .field("half", &ScarOptions::half)
      .field("iir_core", &ScarOptions::iir_core)
      .field("iir_border_zone", &ScarOptions::iir_border_zone)
      .field("min_volume", &ScarOptions::min_volume)
      .field("channel_closing", &ScarOptions::channel_closing)
      .field("remote", &ScarOptions::remote);
  bind_names<RemoteOptions::From>(m, "RemoteFrom",
                                  {{"mode", RemoteOptions::From::mode},
                                   {"arc", RemoteOptions::From::arc},
                                   {"segments", RemoteOptions::From::segments},
                                   {"file", RemoteOptions::From::file}});
  Struct<RemoteOptions>(m, "RemoteOptions")
      .keywords()
      .def_readwrite("source", &RemoteOptions::from,
                     "mode: the most frequent intensity is the healthy one; arc: in each slice the longest arc of wall "
                     "without enhancement; segments: AHA segments; file: a label file, what is not 0 in it")
      .def_readwrite("segments", &RemoteOptions::segments, doc("RemoteOptions.segments"))
      .def_readwrite("file", &RemoteOptions::file, doc("RemoteOptions.file"));
  Struct<ScarStatistics>(m, "ScarStatistics", "Intensities and volumes behind a segmentation.")
      .read("healthy_mean", &ScarStatistics::healthy_mean)
      .read("healthy_sd", &ScarStatistics::healthy_sd)
      .read("blood_mean", &ScarStatistics::blood_mean)
      .read("offset", &ScarStatistics::offset)
      .read("p99", &ScarStatistics::p99)
      .read("p99_inner", &ScarStatistics::p99_inner)
      .read("noise", &ScarStatistics::noise)
      .read("threshold_core", &ScarStatistics::threshold_core)
      .read("threshold_border_zone", &ScarStatistics::threshold_border_zone)
      .read("scar_volume", &ScarStatistics::scar_volume)
      .read("core_volume", &ScarStatistics::core_volume)
      .read("no_reflow_volume", &ScarStatistics::no_reflow_volume)
      .read("remote_volume", &ScarStatistics::remote_volume);
}

void bind_analysis(py::module_& m) {
  Struct<SweepPoint>(m, "SweepPoint")
      .read("factor", &SweepPoint::factor)
      .read("limit_core", &SweepPoint::limit_core)
      .read("limit_border_zone", &SweepPoint::limit_border_zone)
      .read("core", &SweepPoint::core)
      .read("border_zone", &SweepPoint::border_zone)
      .read("channel", &SweepPoint::channel)
      .read("core_slope", &SweepPoint::core_slope)
      .read("border_zone_slope", &SweepPoint::border_zone_slope)
      .read("channel_slope", &SweepPoint::channel_slope)
      .read("dice", &SweepPoint::dice)
      .read("dice_bare", &SweepPoint::dice_bare);
  Struct<ScarAnalysis>(m, "ScarAnalysis", "Scar in an image: statistics, regions, a sweep of the limits, depth.")
      .read("statistics", &ScarAnalysis::statistics)
      .read("regions", &ScarAnalysis::regions)
      .read("sweep", &ScarAnalysis::sweep)
      .read("transmurality", &ScarAnalysis::transmurality)
      .read("muscle", &ScarAnalysis::muscle)
      .read("scar", &ScarAnalysis::scar)
      .read("labelled_infarct", &ScarAnalysis::labelled_infarct)
      .def_property_readonly(
          "chosen", [](const ScarAnalysis& a) { return a.sweep.at(a.chosen); }, "factor 1")
      .def("__str__", [](const ScarAnalysis& a) { return in_words(a); });
  m.def(
      "analyse_scar",
      [](const Image& image, const Labels& labels, const ScarOptions& scar, const RemoteOptions& remote,
         const std::optional<Vec3>& septum, double low, double high, double step, double spacing,
         const py::object& progress) {
        return long_call(progress, [&](const Monitor& monitor) {
          return analyse_scar(image, labels,
                              {.scar = scar,
                               .remote = remote,
                               .septum = septum,
                               .low = low,
                               .high = high,
                               .step = step,
                               .spacing = spacing},
                              monitor);
        });
      },
      "image"_a, "labels"_a, py::kw_only(), py::arg_v("scar", ScarOptions(), "ScarOptions()"),
      py::arg_v("remote", RemoteOptions(), "RemoteOptions()"), "septum"_a = py::none(), "low"_a = 0.5, "high"_a = 1.5,
      "step"_a = 0.05, "spacing"_a = 1.0, "progress"_a = py::none(), doc("analyse_scar"));
}

}  // namespace

void bind_scar(py::module_& m) {
  bind_options(m);
  m.def(
      "segment_scar",
      [](const Image& image, const Labels& labels, const ScarOptions& options, const py::object& progress) {
        ScarStatistics statistics;
        auto regions = long_call(progress, [&](const Monitor& monitor) {
          return segment_scar(image, labels, options, statistics, monitor);
        });
        return std::make_pair(std::move(regions), statistics);
      },
      "image"_a, "labels"_a, py::arg_v("options", ScarOptions(), "ScarOptions()"), "progress"_a = py::none(),
      (std::string("Regions and the statistics they come from. ") + doc("segment_scar")).c_str());
  m.def(
      "remote_region",
      [](const Image& image, const Labels& labels, const RemoteOptions& options, const std::optional<Vec3>& septum,
         const py::object& progress) {
        return long_call(
            progress, [&](const Monitor& monitor) { return remote_region(image, labels, options, septum, monitor); });
      },
      "image"_a, "labels"_a, py::arg_v("options", RemoteOptions(), "RemoteOptions()"), "septum"_a = py::none(),
      "progress"_a = py::none(), doc("remote_region"));
  m.def("fibrosis_density", &fibrosis_density, "image"_a, "labels"_a, "regions"_a, "statistics"_a,
        doc("fibrosis_density"));
  bind_analysis(m);
  m.def(
      "assess",
      [](const Image& image, const Labels& labels, double edge, std::optional<double> slice_thickness,
         const py::object& progress) {
        return long_call(progress, [&](const Monitor& monitor) {
          return assess(image, labels, {.edge = edge, .slice_thickness = slice_thickness}, monitor);
        });
      },
      "image"_a, "labels"_a, py::kw_only(), "edge"_a = 1.0, "slice_thickness"_a = py::none(), "progress"_a = py::none(),
      doc("assess"));
}

}  // namespace cardiotwin::python
