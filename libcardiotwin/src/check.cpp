#include <fmt/core.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cardiotwin/check.hpp>
#include <cardiotwin/error.hpp>
#include <cardiotwin/surface_distance.hpp>
#include <cardiotwin/units.hpp>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "connected.hpp"
#include "lattice_wave.hpp"
#include "operators.hpp"

namespace cardiotwin {
namespace {

constexpr double density = 1.05;       // [g/ml] of myocardium
constexpr double least_dihedral = 10;  // [degrees]
constexpr double least_elements = 3;   // across a wall
constexpr double same_edge = 0.02;     // relative
constexpr double varied = 1.5;         // longest over shortest edge; cut cells and snapping alone stay below

void find(CheckReport& report, Severity severity, std::string text) {
  report.findings.push_back({severity, std::move(text)});
}

std::vector<Triangle> faces_of(const Anatomy& anatomy, Surface tag) {
  std::vector<Triangle> faces;
  for (const auto& face : anatomy.surface) {
    if (face.tag == tag) faces.push_back(face.nodes);
  }
  return faces;
}

using Edge = std::pair<Index, Index>;

// Directed edges that only one of the faces has.
std::vector<Edge> rim_of(const std::vector<Triangle>& faces) {
  std::set<Edge> rim;
  for (const auto& f : faces) {
    for (int side = 0; side < 3; ++side) {
      const Edge edge{f[side], f[(side + 1) % 3]};
      if (rim.erase({edge.second, edge.first}) == 0) rim.insert(edge);
    }
  }
  return {rim.begin(), rim.end()};
}

// The edges of each opening: those that hang together.
std::vector<std::vector<Edge>> loops_of(const std::vector<Edge>& rim) {
  std::map<Index, Index> leader;
  const auto lead = [&](Index node) {
    while (leader.at(node) != node) node = leader.at(node);
    return node;
  };
  for (const auto& [a, b] : rim) leader[a] = a, leader[b] = b;
  for (const auto& [a, b] : rim) {
    const Index x = lead(a), y = lead(b);
    leader[std::max(x, y)] = std::min(x, y);
  }
  std::map<Index, std::vector<Edge>> loops;
  for (const auto& edge : rim) loops[lead(edge.first)].push_back(edge);
  std::vector<std::vector<Edge>> all;
  for (auto& [first, edges] : loops) all.push_back(std::move(edges));
  return all;
}

// The endocardium, whose outward side is the cavity, closed at every opening by a fan from the centre of its rim
// (divergence theorem).
double cavity_volume(const Mesh& mesh, const std::vector<Triangle>& endo) {
  const auto loops = loops_of(rim_of(endo));
  if (loops.empty()) return 0;
  const auto points = mesh.points();
  const Vec3 origin = points[endo.front()[0]];
  double sixfold = 0;
  const auto add = [&](const Vec3& a, const Vec3& b, const Vec3& c) {
    sixfold -= (a - origin).dot((b - origin).cross(c - origin));
  };
  for (const auto& f : endo) add(points[f[0]], points[f[1]], points[f[2]]);
  for (const auto& loop : loops) {
    Vec3 centre = Vec3::Zero();
    for (const auto& edge : loop) centre += points[edge.first] / static_cast<double>(loop.size());
    for (const auto& edge : loop) add(points[edge.second], points[edge.first], centre);
  }
  return sixfold / 6.0 / units::ml;
}

void measure_volumes(const Twin& twin, CheckReport& report) {
  const Mesh& mesh = twin.anatomy.mesh;
  for (const auto& [label, name] : twin.anatomy.regions) report.volumes[name] = 0;
  for (std::size_t t = 0; t < mesh.tet_count(); ++t) {
    const double ml = mesh.volume(t) / units::ml;
    report.volumes[twin.anatomy.regions.at(mesh.labels()[t])] += ml;
    report.muscle_volume += ml;
  }
  double scar = 0;
  for (const char* name : {"core", "border_zone", "channel"}) {
    if (report.volumes.contains(name)) scar += report.volumes.at(name);
  }
  report.scar_mass = density * scar;
  if (scar == 0) find(report, Severity::info, "no scar: all tissue is healthy");
  if (report.volumes.contains("channel") && report.volumes.at("channel") > 0) {
    find(report, Severity::info,
         fmt::format("{:.2f} ml of surviving tissue are enclosed by core (channel)", report.volumes.at("channel")));
  }
}

// Mean edge of the tets around each node, by volume.
std::vector<double> local_edges(const Mesh& mesh) {
  std::vector<double> sum(mesh.node_count(), 0.0), weight(mesh.node_count(), 0.0);
  const auto points = mesh.points();
  for (std::size_t t = 0; t < mesh.tet_count(); ++t) {
    const Tet& tet = mesh.tets()[t];
    double edge = 0;
    for (int a = 0; a < 4; ++a)
      for (int b = a + 1; b < 4; ++b) edge += (points[tet[a]] - points[tet[b]]).norm() / 6;
    const double volume = mesh.volume(t);
    for (const Index node : tet) sum[node] += volume * edge, weight[node] += volume;
  }
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] /= weight[i];
  return sum;
}

// Thickness [mm], ascending, of the wall between two parts of the surface: the sum of the distances to both, taken at
// the nodes that `belongs` says and only in the middle, where both feet lie opposite each other. Counts in `thin` the
// nodes with fewer than `least_elements` across.
template <class Belongs>
std::vector<double> thickness_between(const Anatomy& anatomy, std::vector<Triangle> inner, std::vector<Triangle> outer,
                                      const Belongs& belongs, const std::vector<double>& edge, std::size_t& thin) {
  const auto points = anatomy.mesh.points();
  const SurfaceDistance to_inner(points, std::move(inner)), to_outer(points, std::move(outer));
  std::vector<double> thickness(points.size(), -1.0);
  const auto count = static_cast<Index>(points.size());
#pragma omp parallel for schedule(dynamic, 1024)
  for (Index i = 0; i < count; ++i) {
    if (anatomy.depth[i] < 0.25 || anatomy.depth[i] > 0.75 || !belongs(i)) continue;
    const double sum = to_inner(points[i]) + to_outer(points[i]);
    if (sum > 0) thickness[i] = sum;  // 0 on a rim where both meet
  }
  for (std::size_t i = 0; i < points.size(); ++i) thin += thickness[i] >= 0 && thickness[i] < least_elements * edge[i];
  std::erase_if(thickness, [](double t) { return t < 0; });
  std::sort(thickness.begin(), thickness.end());
  return thickness;
}

WallThickness statistics_of(const std::vector<double>& ascending) {
  if (ascending.empty()) return {};
  const auto last = static_cast<double>(ascending.size() - 1);
  WallThickness wall{.min = ascending[static_cast<std::size_t>(0.01 * last)],
                     .max = ascending[static_cast<std::size_t>(0.99 * last)]};
  for (const double t : ascending) wall.mean += t / static_cast<double>(ascending.size());
  return wall;
}

void measure_walls(const Anatomy& anatomy, CheckReport& report) {
  const auto endo = faces_of(anatomy, Surface::endo), right = faces_of(anatomy, Surface::endo_rv),
             epi = faces_of(anatomy, Surface::epi);
  auto outer = epi;
  outer.insert(outer.end(), right.begin(), right.end());  // the septum's right side
  if (endo.empty() || outer.empty() || anatomy.depth.empty()) {
    find(report, Severity::warning,
         "the surface carries no endo- and epicardium, so cavity and wall thickness are unknown; build the twin from "
         "an image");
    return;
  }
  report.cavity_volume = cavity_volume(anatomy.mesh, endo);
  const auto edge = local_edges(anatomy.mesh);
  std::size_t thin = 0;
  const auto is_right = [&](Index i) { return !anatomy.right.empty() && anatomy.right[i] >= 0.5; };
  const auto thickness = thickness_between(
      anatomy, endo, outer, [&](Index i) { return !is_right(i); }, edge, thin);
  report.wall = statistics_of(thickness);
  std::size_t measured = thickness.size();
  double least = report.wall.min;
  if (!right.empty() && !epi.empty()) {
    report.right_cavity_volume = cavity_volume(anatomy.mesh, right);
    const auto of_right = thickness_between(anatomy, right, epi, is_right, edge, thin);
    report.right_wall = statistics_of(of_right);
    measured += of_right.size();
    if (!of_right.empty()) least = std::min(least, report.right_wall.min);
  }
  if (thickness.empty()) {
    find(report, Severity::warning,
         "no node lies inside the wall: it is one element thick; build with a smaller --edge");
    return;
  }
  const double share = static_cast<double>(thin) / static_cast<double>(measured);
  if (share > 0.01) {
    find(report, Severity::warning,
         fmt::format(
             "{:.0f} % of the wall is thinner than {:.0f} elements (1st percentile {:.1f} mm); build with --edge "
             "{:.1f} or less",
             100 * share, least_elements, least, std::max(0.1, std::floor(10 * least / least_elements) / 10)));
  }
}

void measure_mesh(const Anatomy& anatomy, CheckReport& report) {
  report.mesh = quality(anatomy.mesh);
  for (const auto& [label, edges] : edge_statistics(anatomy.mesh)) report.edges[anatomy.regions.at(label)] = edges;
  if (report.mesh.min_dihedral < least_dihedral) {
    find(report, Severity::warning,
         fmt::format("the smallest dihedral angle is {:.1f} degrees (10 is wanted): the time step will be short; build "
                     "again with another --edge",
                     report.mesh.min_dihedral));
  }
  std::vector<std::uint8_t> living(anatomy.mesh.tet_count());
  for (std::size_t t = 0; t < living.size(); ++t) living[t] = anatomy.regions.at(anatomy.mesh.labels()[t]) != "core";
  const auto pieces = connected_pieces(anatomy.mesh, living);
  double cut_off = 0;
  for (std::size_t p = 1; p < pieces.volume.size(); ++p) cut_off += pieces.volume[p] / units::ml;
  if (pieces.volume.size() > 1) {
    find(report, Severity::warning,
         fmt::format("{} {} of living tissue ({:.3f} ml in all, the largest {:.3f} ml) {} cut off from the rest "
                     "({:.1f} ml) by core and cannot be activated",
                     pieces.volume.size() - 1, pieces.volume.size() == 2 ? "piece" : "pieces", cut_off,
                     pieces.volume[1] / units::ml, pieces.volume.size() == 2 ? "is" : "are",
                     pieces.volume[0] / units::ml));
  }
}

void judge_edge(const std::string& where, double fitted, double edge, CheckReport& report) {
  if (std::abs(fitted - edge) <= same_edge * edge) return;
  find(report, Severity::severe,
       fmt::format("the conductivities{} were calibrated for a mean edge of {:.3f} mm, but this mesh has {:.3f} mm; "
                   "run `cardiotwin calibrate` again",
                   where, fitted, edge));
}

void judge_calibration(const Tissue& tissue, const SimulationOptions& options, CheckReport& report) {
  if (tissue.calibrated_edge == 0) {
    find(report, Severity::warning, "the conductivities are not calibrated for this mesh; run `cardiotwin calibrate`");
    return;
  }
  bool own = false;  // older twins were fitted at one edge for all regions
  for (const auto& [name, edges] : report.edges) {
    const RegionTissue& region = tissue[name];
    if (!region.conducts || region.calibrated_edge == 0) continue;
    own = true;
    judge_edge(" of " + name, region.calibrated_edge, edges.mean, report);
  }
  if (!own) judge_edge("", tissue.calibrated_edge, report.mesh.mean_edge, report);
  if (std::abs(tissue.calibrated_load - options.ionic_load) > 1e-9) {
    find(report, Severity::severe,
         fmt::format("the conductivities were calibrated for an ionic load of {:.3f}, but {:.3f} is asked; run "
                     "`cardiotwin calibrate` again",
                     tissue.calibrated_load, options.ionic_load));
  }
  if (tissue.calibrated_stiffness != options.stiffness) {
    find(report, Severity::severe,
         fmt::format("the conductivities were calibrated with stiffness \"{}\", but \"{}\" is asked; run `cardiotwin "
                     "calibrate` again",
                     stiffness_name(tissue.calibrated_stiffness), stiffness_name(options.stiffness)));
  }
}

// Judges one axis of one region; fills `why` where the velocity is off.
void judge_velocity(CalibratedAxis& a, bool calibrated, double limit, CheckReport& report) {
  const auto& v = a.reached;
  const char* axis = a.axis == Axis::along ? "along" : "across";
  // Re-fitting moves the mean, not the spread over directions: only a finer mesh narrows that.
  const double spread = v.mean > 0 ? std::max(v.high - v.mean, v.mean - v.low) / v.mean : 0;
  const char* cure = calibrated || v.blocked > 0 || spread > limit
                         ? "build with a smaller --edge, then run `cardiotwin calibrate`"
                         : "run `cardiotwin calibrate`";
  if (v.blocked > 0) {
    a.why = fmt::format("waves {} the fibre of {} die out in {} of the directions measured; {}", axis, a.region,
                        v.blocked, cure);
    find(report, Severity::severe, a.why);
    return;
  }
  if (a.wanted <= 0) {
    find(report, Severity::warning,
         fmt::format("no velocity is wanted {} the fibre of {} (measured {:.2f} m/s), so no error can be stated; run "
                     "`cardiotwin calibrate --cv {}=ALONG,ACROSS`",
                     axis, a.region, v.mean, a.region));
    return;
  }
  const auto off = [&](double velocity) { return std::abs(velocity - a.wanted) / a.wanted; };
  const double error = std::max({off(v.mean), off(v.low), off(v.high)});
  a.within_limit = error <= limit;
  if (a.within_limit) return;
  a.why = fmt::format(
      "the velocity {} the fibre of {} is expected at {:.2f} m/s ({:.2f} to {:.2f} by direction) instead of {:.2f}, an "
      "error of {:.0f} % (limit {:.0f} %); {}",
      axis, a.region, v.mean, v.low, v.high, a.wanted, 100 * error, 100 * limit, cure);
  find(report, Severity::severe, a.why);
}

// One conductivity cannot be right for all edges of a region: says how far off it is where they are shortest and
// longest, compared with their mean.
void measure_ends(const Tissue& tissue, const CalibratedAxis& a, SimulationOptions options, double limit,
                  CheckReport& report) {
  const EdgeStatistics& edges = report.edges.at(a.region);
  if (edges.high < varied * edges.low || a.reached.mean <= 0) return;
  const auto at = [&](double edge) {
    // A lattice of the shortest edges may need shorter steps than the mesh, whose small tets have added capacity.
    options.dt = std::min(options.dt, 0.75 * lattice_stable_dt(tissue, a.region, edge, options));
    return measure_velocity(tissue, a.region, a.axis, edge, options);
  };
  const EdgeVelocities& ends =
      report.edge_velocities.emplace_back(EdgeVelocities{a.region, a.axis, at(edges.low), at(edges.high)});
  const auto error = [&](const VelocityMeasurement& v) { return v.mean / a.reached.mean - 1; };
  const bool low = std::abs(error(ends.at_low)) > std::abs(error(ends.at_high));
  const VelocityMeasurement& worst = low ? ends.at_low : ends.at_high;
  if (std::abs(error(worst)) <= limit && worst.blocked == 0) return;
  find(report, Severity::warning,
       fmt::format(
           "in 5 % of {} edges are {} {:.2f} mm, and waves {} the fibre are expected there at {:.2f} m/s, {:+.0f} "
           "% of those at its mean edge (limit {:.0f} %); build with edges that differ less, or a larger "
           "--grading",
           a.region, low ? "below" : "above", low ? edges.low : edges.high, a.axis == Axis::along ? "along" : "across",
           worst.mean, 100 * error(worst), 100 * limit));
}

void measure_velocities(const Twin& twin, const SimulationOptions& options, double limit, const Monitor& monitor,
                        CheckReport& report) {
  judge_calibration(twin.tissue, options, report);
  std::vector<std::string> names;
  for (const auto& [label, name] : twin.anatomy.regions) {
    if (report.volumes.at(name) > 0 && twin.tissue[name].conducts) names.push_back(name);
  }
  double done = 0;
  for (const auto& name : names) {
    const RegionTissue& tissue = twin.tissue[name];
    const double edge = tissue.calibrated_edge > 0 || twin.tissue.calibrated_edge == 0 ? report.edges.at(name).mean
                                                                                       : report.mesh.mean_edge;
    for (const Axis axis : {Axis::along, Axis::across}) {
      monitor.poll();
      monitor.report(fmt::format("velocity {} the fibre of {}", axis == Axis::along ? "along" : "across", name),
                     done / (2.0 * static_cast<double>(names.size())));
      const double sigma = axis == Axis::along ? tissue.conductivity.along : tissue.conductivity.across;
      CalibratedAxis a{.region = name,
                       .axis = axis,
                       .wanted = axis == Axis::along ? tissue.wanted.along : tissue.wanted.across,
                       .edge = edge,
                       .before = sigma,
                       .conductivity = sigma,
                       .reached = measure_velocity(twin.tissue, name, axis, edge, options),
                       .within_limit = false,
                       .why = {}};
      judge_velocity(a, twin.tissue.calibrated_edge > 0, limit, report);
      measure_ends(twin.tissue, a, options, limit, report);
      report.velocities.push_back(std::move(a));
      done += 1;
    }
  }
}

void judge_image(const Twin& twin, CheckReport& report) {
  report.findings.insert(report.findings.end(), twin.findings.begin(), twin.findings.end());
  const auto measured = nlohmann::json::parse(twin.measurements, nullptr, false);
  if (!measured.is_object()) return;
  if (measured.value("septum_source", std::string()) == "guessed") {
    find(report, Severity::warning,
         "the septum's direction was guessed, so AHA segments may be turned; build with a point towards the septum");
  }
  if (measured.value("mitral_source", std::string()) == "guessed") {
    find(report, Severity::warning,
         "the mitral valve's place was guessed, so the atrium may be open elsewhere; look at it, and build with "
         "--mitral");
  }
}

}  // namespace

bool CheckReport::fit() const {
  return std::none_of(findings.begin(), findings.end(),
                      [](const Finding& f) { return f.severity == Severity::severe; });
}

CheckReport check(const Twin& twin, const SimulationOptions& options, double limit, const Monitor& monitor) {
  if (!(limit > 0 && limit <= 1))
    throw InputError(fmt::format("Check: limit = {} is outside (0, 1]; 0.1 is a velocity error of 10 %", limit));
  twin.anatomy.validate();
  CheckReport report;
  monitor.report("volumes and wall", 0.0);
  measure_volumes(twin, report);
  measure_mesh(twin.anatomy, report);
  measure_walls(twin.anatomy, report);
  report.transmurality = transmurality(twin.anatomy);
  judge_image(twin, report);

  const bool conducts = std::any_of(report.volumes.begin(), report.volumes.end(), [&](const auto& volume) {
    return volume.second > 0 && twin.tissue[volume.first].conducts;
  });
  if (!conducts) {
    find(report, Severity::severe, "no tissue conducts, so nothing can be simulated; check the scar thresholds");
    return report;
  }
  SimulationOptions cautious = options;
  cautious.dt = 1e-4;  // any mesh can step that, so that the limit itself can be asked for
  const Simulation probe(twin, cautious);
  report.stable_dt = probe.stable_dt();
  if (probe.added_capacity() > 0.01) {
    find(report, Severity::warning,
         fmt::format("small tets need {:.1f} % more membrane capacity for the time step's sake (limit 1 %); a finer "
                     "--edge needs less",
                     100 * probe.added_capacity()));
  }
  SimulationOptions stepped = options;
  if (options.dt > 0.8 * report.stable_dt) {
    stepped.dt = coarsest_dt(twin.tissue.model, report.stable_dt);
    find(report, Severity::severe,
         fmt::format("dt = {} ms exceeds 0.8 of the stability limit of {:.4f} ms on this mesh; use {} ms, as the "
                     "velocities stated here do",
                     options.dt, report.stable_dt, stepped.dt));
  }
  measure_velocities(twin, stepped, limit, monitor, report);
  monitor.report("check", 1.0);
  return report;
}

namespace {

nlohmann::json json_of(const WallThickness& wall) {
  return {{"percentile_1", wall.min}, {"mean", wall.mean}, {"percentile_99", wall.max}};
}

}  // namespace

std::string to_json(const CheckReport& report) {
  nlohmann::json velocities = nlohmann::json::array(), segments = nlohmann::json::array();
  for (std::size_t s = 1; s < report.transmurality.size(); ++s) {
    const auto& t = report.transmurality[s];
    if (t.columns > 0) segments.push_back({{"aha", s}, {"mean", t.mean}, {"max", t.max}});
  }
  for (const auto& a : report.velocities) {
    velocities.push_back({{"region", a.region},
                          {"axis", a.axis == Axis::along ? "along" : "across"},
                          {"wanted_m_per_s", a.wanted},
                          {"mean_m_per_s", a.reached.mean},
                          {"low_m_per_s", a.reached.low},
                          {"high_m_per_s", a.reached.high},
                          {"blocked_directions", a.reached.blocked},
                          {"edge_mm", a.edge},
                          {"conductivity_S_per_m", a.conductivity},
                          {"within_limit", a.within_limit},
                          {"why", a.why}});
  }
  nlohmann::json edges = nlohmann::json::object(), ends = nlohmann::json::array();
  for (const auto& [region, e] : report.edges)
    edges[region] = {{"percentile_5", e.low}, {"mean", e.mean}, {"percentile_95", e.high}};
  for (const auto& e : report.edge_velocities) {
    ends.push_back({{"region", e.region},
                    {"axis", e.axis == Axis::along ? "along" : "across"},
                    {"at_percentile_5_m_per_s", e.at_low.mean},
                    {"at_percentile_95_m_per_s", e.at_high.mean}});
  }
  nlohmann::json json{{"fit", report.fit()},
                      {"volumes_ml", report.volumes},
                      {"muscle_volume_ml", report.muscle_volume},
                      {"cavity_volume_ml", report.cavity_volume},
                      {"scar_mass_g", report.scar_mass},
                      {"wall_mm", json_of(report.wall)},
                      {"transmurality", segments},
                      {"mesh",
                       {{"min_dihedral_deg", report.mesh.min_dihedral},
                        {"max_dihedral_deg", report.mesh.max_dihedral},
                        {"min_edge_mm", report.mesh.min_edge},
                        {"mean_edge_mm", report.mesh.mean_edge},
                        {"max_edge_mm", report.mesh.max_edge},
                        {"dihedral_histogram", report.mesh.dihedral_histogram},
                        {"edges_mm", edges}}},
                      {"stable_dt_ms", report.stable_dt},
                      {"velocities", velocities},
                      {"edge_velocities", ends},
                      {"findings", nlohmann::json::parse(to_json(report.findings))}};
  if (report.right_wall.max > 0) {
    json["right_cavity_volume_ml"] = report.right_cavity_volume;
    json["right_wall_mm"] = json_of(report.right_wall);
  }
  return json.dump(2);
}

}  // namespace cardiotwin
