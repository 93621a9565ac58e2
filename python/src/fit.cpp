// Measurements brought onto a heart, activation times by the eikonal equation, velocities fitted to maps.
#include "bind.hpp"

namespace cardiotwin::python {
namespace {

std::vector<Index> nodes_of(const py::object& given, const char* who) {
  const auto all = integers_of(given, 1, 0, std::numeric_limits<Index>::max(), who);
  return {all.begin(), all.end()};
}

// ---- What was measured ----------------------------------------------------------------------------------------------

std::vector<double> voltages_of(const py::object& given, const char* who) {
  return given.is_none() ? std::vector<double>{} : reals_of(given, 1, who);
}

LatMap make_lat_map(const py::object& points, const py::object& lat, const py::object& bipolar,
                    const py::object& unipolar, double noise, std::string title, std::string frame) {
  LatMap map{.title = std::move(title),
             .frame = std::move(frame),
             .points = points_of(points, "LatMap: points"),
             .lat = reals_of(lat, 1, "LatMap: lat"),
             .bipolar = voltages_of(bipolar, "LatMap: bipolar"),
             .unipolar = voltages_of(unipolar, "LatMap: unipolar"),
             .noise = noise};
  map.validate();
  return map;
}

template <class Member>
auto column(Member member) {
  return [member](const py::object& self) {
    const auto& values = self.cast<const LatMap&>().*member;
    return view<double>(values.data(), values.size(), 1, self);
  };
}

void bind_measurements(py::module_& m) {
  Struct<LatMap>(m, "LatMap")
      .field("title", &LatMap::title)
      .field("frame", &LatMap::frame)
      .read("left_out", &LatMap::left_out)
      .read("merged", &LatMap::merged)
      .def(py::init(&make_lat_map), "points"_a, "lat"_a, "bipolar"_a = py::none(), "unipolar"_a = py::none(),
           py::kw_only(), "noise"_a = LatMap().noise, "title"_a = "", "frame"_a = "", doc("LatMap.validate"))
      .def_static("from_csv", &lat_map_from_csv, "text"_a, doc("lat_map_from_csv"))
      .def_static("from_carto", &lat_map_from_carto, "text"_a, doc("lat_map_from_carto"))
      .def(
          "to_csv", [](const LatMap& map) { return to_csv(map); },
          "What from_csv reads; numbers read back to the same double.")
      .def_property_readonly(
          "points",
          [](const py::object& self) {
            const auto& points = self.cast<const LatMap&>().points;
            return view<double>(points.data(), points.size(), 3, self);
          },
          "(points, 3) [mm]")
      .def_property_readonly("lat", column(&LatMap::lat), doc("LatMap.lat"))
      .def_property_readonly("bipolar", column(&LatMap::bipolar), doc("LatMap.bipolar"))
      .def_property_readonly("unipolar", column(&LatMap::unipolar), doc("LatMap.bipolar"))
      .def_property(
          "noise", [](const LatMap& map) { return map.noise; },
          [](LatMap& map, double noise) {
            if (!(noise > 0) || !std::isfinite(noise))
              throw InputError(fmt::format("LatMap: noise must be positive and finite, not {} ms", noise));
            map.noise = noise;
          },
          doc("LatMap.noise"))
      .def("__len__", &LatMap::size)
      .def("__repr__", [](const LatMap& map) { return fmt::format("<LatMap of {} points>", map.size()); });
  m.def("load_lat_map", &load_lat_map, "path"_a, doc("load_lat_map"), py::call_guard<py::gil_scoped_release>());
  m.def("check_lat_map", &check_lat_map, "map"_a, doc("check_lat_map"));
  m.def("check_ecg", py::overload_cast<const Ecg&>(&check_ecg), "leads"_a, doc("check_ecg"));
  m.def(
      "check_ecg",
      [](const Ecg& leads, double begin, double end, double noise) {
        return check_ecg(EcgMeasure{.leads = leads, .begin = begin, .end = end, .noise = noise});
      },
      "leads"_a, "begin"_a, "end"_a, "noise"_a = 0.05, "The same of one beat [ms] alone; noise of a sample [mV].");
}

// ---- Onto the heart -------------------------------------------------------------------------------------------------

py::object placed(const Placement& placement, const py::object& points) {
  const auto array = py::array::ensure(points);
  if (array && array.ndim() == 1 && array.shape(0) == 3) {
    return py::cast(placement.apply(Vec3(reals_of(points, 1, "Placement: point").data())));
  }
  PyErr_Clear();
  const auto moved = placement.apply(points_of(points, "Placement: points"));
  std::vector<double> values;
  for (const Vec3& p : moved) values.insert(values.end(), p.data(), p.data() + 3);
  return give(std::move(values), {moved.size(), 3});
}

void bind_placements(py::module_& m) {
  Struct<Placement>(m, "Placement")
      .read("rotation", &Placement::rotation)
      .read("translation", &Placement::translation)
      .read("scale", &Placement::scale)
      .def(py::init([](const Mat3& rotation, const Vec3& translation, double scale) {
             Placement placement{rotation, translation, scale};
             placement.validate();
             return placement;
           }),
           py::arg_v("rotation", Mat3(Mat3::Identity()), "numpy.eye(3)"),
           py::arg_v("translation", Vec3(Vec3::Zero()), "numpy.zeros(3)"), "scale"_a = 1.0, doc("Placement.validate"))
      .def("apply", &placed, "points"_a, "scale * rotation @ p + translation, of one point or (points, 3).")
      .def("inverse", &Placement::inverse, "The way back.");
  Struct<LandmarkPlacement>(m, "LandmarkPlacement", "What place_by_landmarks found.")
      .read("placement", &LandmarkPlacement::placement)
      .read("rms", &LandmarkPlacement::rms)
      .read("distances", &LandmarkPlacement::distances)
      .read("findings", &LandmarkPlacement::findings);
  m.def(
      "place_by_landmarks",
      [](const py::object& source, const py::object& target, bool with_scale) {
        return place_by_landmarks(points_of(source, "place_by_landmarks: source"),
                                  points_of(target, "place_by_landmarks: target"), with_scale);
      },
      "source"_a, "target"_a, "with_scale"_a = false,
      (std::string("`source` is what the placement brings to `target`. ") + doc("place_by_landmarks")).c_str());
  Struct<SurfaceOptions>(m, "SurfaceOptions", "How points are brought onto a surface.")
      .keywords()
      .field("with_scale", &SurfaceOptions::with_scale)
      .field("least_scale", &SurfaceOptions::least_scale)
      .field("most_scale", &SurfaceOptions::most_scale)
      .field("beyond", &SurfaceOptions::beyond)
      .field("far", &SurfaceOptions::far)
      .field("astray", &SurfaceOptions::astray)
      .field("most_steps", &SurfaceOptions::most_steps);
  Struct<SurfacePlacement> surface(m, "SurfacePlacement", "What place_on_surface found.");
  surface.read("placement", &SurfacePlacement::placement)
      .read("rms", &SurfacePlacement::rms)
      .read("median", &SurfacePlacement::median)
      .read("moved", &SurfacePlacement::moved)
      .read("loosest", &SurfacePlacement::loosest)
      .read("distances", &SurfacePlacement::distances)
      .read("kept", &SurfacePlacement::kept)
      .read("set_aside", &SurfacePlacement::set_aside)
      .read("findings", &SurfacePlacement::findings);
}

// Anatomies that Python holds do not change while a call uses them, so the surface may look at one for its time.
void bind_surfaces(py::module_& m) {
  m.def(
      "place_on_surface",
      [](const py::object& points, const Anatomy& anatomy, const std::vector<Surface>& tags,
         const std::optional<Placement>& start, const py::kwargs& fields) {
        const auto all = points_of(points, "place_on_surface: points");
        const auto options = options_from<SurfaceOptions>(fields, "place_on_surface");
        const py::gil_scoped_release free;
        return place_on_surface(all, mapped_surface(anatomy, tags), start, options);
      },
      "points"_a, "anatomy"_a, "tags"_a = std::vector<Surface>{}, "start"_a = py::none(),
      (std::string("Onto the faces of the anatomy with these tags, all where none is given. ") +
       with_options(doc("place_on_surface"), "SurfaceOptions"))
          .c_str());
  Struct<MeasuredSites>(m, "MeasuredSites")
      .def(py::init([](const py::object& points, const py::object& nodes, const py::object& weights) {
             constexpr std::int64_t most = std::numeric_limits<Index>::max();
             const auto numbers = integers_of(points, 1, 0, most, "MeasuredSites: points");
             const auto corners = integers_of(nodes, 3, 0, most, "MeasuredSites: nodes");
             const auto shares = reals_of(weights, 3, "MeasuredSites: weights");
             if (corners.size() != 3 * numbers.size() || shares.size() != corners.size())
               throw InputError(fmt::format("MeasuredSites: {} points have {} nodes and {} weights; three of each fit",
                                            numbers.size(), corners.size(), shares.size()));
             MeasuredSites sites{.points = {numbers.begin(), numbers.end()}};
             for (std::size_t i = 0; i < shares.size(); i += 3) {
               const std::array<double, 3> w{shares[i], shares[i + 1], shares[i + 2]};
               if (!(w[0] >= 0 && w[1] >= 0 && w[2] >= 0 && std::abs(w[0] + w[1] + w[2] - 1) < 1e-6))
                 throw InputError(
                     fmt::format("MeasuredSites: the weights of site {} are negative or do not sum to 1", i / 3));
               sites.nodes.push_back({static_cast<Index>(corners[i]), static_cast<Index>(corners[i + 1]),
                                      static_cast<Index>(corners[i + 2])});
               sites.weights.push_back(w);
             }
             return sites;
           }),
           "points"_a, "nodes"_a, "weights"_a)
      .def_property_readonly(
          "points", [](const MeasuredSites& s) { return give(std::vector<std::size_t>(s.points)); },
          doc("MeasuredSites.points"))
      .def_property_readonly(
          "nodes",
          [](const py::object& self) {
            const auto& nodes = self.cast<const MeasuredSites&>().nodes;
            return view<Index>(nodes.data(), nodes.size(), 3, self);
          },
          doc("MeasuredSites.nodes"))
      .def_property_readonly(
          "weights",
          [](const py::object& self) {
            const auto& weights = self.cast<const MeasuredSites&>().weights;
            return view<double>(weights.data(), weights.size(), 3, self);
          },
          doc("MeasuredSites.weights"))
      .def(
          "values",
          [](const MeasuredSites& s, const py::object& field) {
            return give(s.values(reals_of(field, 1, "MeasuredSites: field")));
          },
          "field"_a, doc("MeasuredSites.values"))
      .def("__len__", &MeasuredSites::size);
  m.def(
      "sites_on",
      [](const py::object& points, const Anatomy& anatomy, const SurfacePlacement& placement,
         const std::vector<Surface>& tags) {
        return sites_on(mapped_surface(anatomy, tags), points_of(points, "sites_on: points"), placement);
      },
      "points"_a, "anatomy"_a, "placement"_a, "tags"_a = std::vector<Surface>{},
      (std::string(doc("sites_on")) + " The same tags as there, too.").c_str());
}

// ---- Activation times -----------------------------------------------------------------------------------------------

void bind_eikonal(py::module_& m) {
  Struct<ActivationSource>(m, "ActivationSource")
      .def(py::init([](const py::object& nodes, const std::optional<Vec3>& position, double radius, double time) {
             return ActivationSource{
                 .nodes = nodes.is_none() ? std::vector<Index>{} : nodes_of(nodes, "ActivationSource: nodes"),
                 .position = position,
                 .radius = radius,
                 .time = time};
           }),
           "nodes"_a = py::none(), "position"_a = py::none(), py::kw_only(), "radius"_a = 0.0, "time"_a = 0.0)
      .def_property_readonly("nodes", [](const ActivationSource& s) { return give(std::vector<Index>(s.nodes)); })
      .def_readonly("position", &ActivationSource::position, doc("ActivationSource.position"))
      .def_readwrite("radius", &ActivationSource::radius, doc("ActivationSource.radius"))
      .def_readwrite("time", &ActivationSource::time, doc("ActivationSource.time"));
  Struct<EikonalGradient>(m, "EikonalGradient")
      .read("velocity", &EikonalGradient::velocity)
      .read("time", &EikonalGradient::time)
      .read("position", &EikonalGradient::position);
  Struct<EikonalTangents>(m, "EikonalTangents")
      .read("regions", &EikonalTangents::regions)
      .read("width", &EikonalTangents::width)
      .def_property_readonly(
          "per_node",
          [](const py::object& self) {
            const auto& t = self.cast<const EikonalTangents&>();
            return view<double>(t.per_node.data(), t.width ? t.per_node.size() / t.width : 0, t.width, self);
          },
          "(nodes, width) [ms per m/s, ms/ms, ms/mm]");
  py::class_<Eikonal>(m, "Eikonal", doc("Eikonal"))
      .def(py::init([](const Anatomy& anatomy, const std::string& backend, int threads) {
             const auto where = Backend::named(backend, threads);
             const py::gil_scoped_release free;
             return std::make_unique<Eikonal>(anatomy, where);
           }),
           "anatomy"_a, py::kw_only(), "backend"_a = "cpu", "threads"_a = 0, doc("Eikonal.Eikonal"))
      .def(
          "activation",
          [](Eikonal& self, const std::map<std::string, Velocity>& velocities,
             const std::vector<ActivationSource>& sources) {
            const Busy busy(&self, "Eikonal");
            std::vector<double> times;
            {
              const py::gil_scoped_release free;
              times = self.activation(velocities, sources);
            }
            return give(std::move(times));
          },
          "velocities"_a, "sources"_a, doc("Eikonal.activation"))
      .def(
          "gradient",
          [](Eikonal& self, const py::object& per_node) {
            const auto values = reals_of(per_node, 1, "Eikonal: per_node");
            const Busy busy(&self, "Eikonal");
            const py::gil_scoped_release free;
            return self.gradient(values);
          },
          "per_node"_a, doc("Eikonal.gradient"))
      .def(
          "tangents",
          [](Eikonal& self) {
            const Busy busy(&self, "Eikonal");
            const py::gil_scoped_release free;
            return self.tangents();
          },
          doc("Eikonal.tangents"));
  m.def("wanted_velocities", &wanted_velocities, "tissue"_a, doc("wanted_velocities"));
}

// ---- The fit --------------------------------------------------------------------------------------------------------

void bind_fits(py::module_& m) {
  Struct<MappedBeat>(m, "MappedBeat")
      .read("map", &MappedBeat::map)
      .read("sites", &MappedBeat::sites)
      .field("origin", &MappedBeat::origin)
      .def(py::init([](LatMap map, MeasuredSites sites, std::string origin) {
             return MappedBeat{std::move(map), std::move(sites), std::move(origin)};
           }),
           "map"_a, "sites"_a, "origin"_a = "");
  Struct<ActivationFitOptions>(m, "ActivationFitOptions", "How fit_activation goes about it.")
      .keywords()
      .field("seed", &ActivationFitOptions::seed)
      .field("samples", &ActivationFitOptions::samples)
      .field("held_out", &ActivationFitOptions::held_out)
      .field("spread", &ActivationFitOptions::spread)
      .field("candidates", &ActivationFitOptions::candidates)
      .field("starts", &ActivationFitOptions::starts)
      .field("noise", &ActivationFitOptions::noise)
      .def_property(
          "backend", [](const ActivationFitOptions& o) { return o.backend.name(); },
          [](ActivationFitOptions& o, const std::string& name) {
            o.backend = Backend::named(name, o.backend.is_cuda() ? 0 : o.backend.threads());
          },
          "\"cpu\", \"cuda\", \"cuda:1\" or \"reference\"")
      .def_property(
          "threads", [](const ActivationFitOptions& o) { return o.backend.is_cuda() ? 0 : o.backend.threads(); },
          [](ActivationFitOptions& o, int threads) { o.backend = Backend::named(o.backend.name(), threads); },
          "of the CPU, 0: all");
  Struct<LatErrors>(m, "LatErrors")
      .read("points", &LatErrors::points)
      .read("rms", &LatErrors::rms)
      .read("median", &LatErrors::median)
      .read("largest", &LatErrors::largest);
  Struct<ActivationFit>(m, "ActivationFit", "Velocities and origins that meet activation maps, and how sure that is.")
      .read("space", &ActivationFit::space)
      .read("optima", &ActivationFit::optima)
      .read("posterior", &ActivationFit::posterior)
      .read("identifiability", &ActivationFit::identifiability)
      .read("velocities", &ActivationFit::velocities)
      .read("origins", &ActivationFit::origins)
      .read("lat", &ActivationFit::lat)
      .read("fitted", &ActivationFit::fitted)
      .read("held_out", &ActivationFit::held_out)
      .read("noise", &ActivationFit::noise)
      .read("predictive_p", &ActivationFit::predictive_p)
      .read("unreached", &ActivationFit::unreached)
      .read("forward_runs", &ActivationFit::forward_runs)
      .read("findings", &ActivationFit::findings);
  m.def(
      "fit_activation",
      [](const Twin& twin, const std::vector<MappedBeat>& beats, const py::object& progress, const py::kwargs& fields) {
        const auto options = options_from<ActivationFitOptions>(fields, "fit_activation");
        return long_call(progress,
                         [&](const Monitor& monitor) { return fit_activation(twin, beats, options, monitor); });
      },
      "twin"_a, "beats"_a, "progress"_a = py::none(),
      with_options(doc("fit_activation"), "ActivationFitOptions").c_str());
  m.def(
      "activation_parameters",
      [](const Twin& twin, const std::vector<MappedBeat>& beats, const py::kwargs& fields) {
        return activation_parameters(twin, beats, options_from<ActivationFitOptions>(fields, "activation_parameters"));
      },
      "twin"_a, "beats"_a, with_options(doc("activation_parameters"), "ActivationFitOptions").c_str());
  Struct<MapCalibration>(m, "MapCalibration")
      .read("calibration", &MapCalibration::calibration)
      .read("simulated", &MapCalibration::simulated)
      .read("before", &MapCalibration::before)
      .read("after", &MapCalibration::after);
  m.def(
      "calibrate_to_maps",
      [](const Twin& twin, const std::vector<MappedBeat>& beats, const ActivationFit& fit, double dt,
         std::optional<Stiffness> stiffness, double limit, const py::object& progress) {
        return long_call(progress, [&](const Monitor& monitor) {
          return calibrate_to_maps(twin, beats, fit, {.dt = dt}, stiffness, limit, monitor);
        });
      },
      "twin"_a, "beats"_a, "fit"_a, py::kw_only(), "dt"_a = 0.0, "stiffness"_a = py::none(), "limit"_a = 0.1,
      "progress"_a = py::none(),
      (std::string(doc("calibrate_to_maps")) + " The calibration's tissue is to be set as the twin's.").c_str());
}

}  // namespace

void bind_fit(py::module_& m) {
  bind_measurements(m);
  bind_placements(m);
  bind_surfaces(m);
  bind_eikonal(m);
  bind_fits(m);
}

}  // namespace cardiotwin::python
