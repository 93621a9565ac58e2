#pragma once
/// A finished study made by formula: a truncated ellipsoidal shell with a scar, a channel and a circuit around each
/// lobe of it.

#include <fmt/format.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <array>
#include <cardiotwin/io.hpp>
#include <cardiotwin/plan.hpp>
#include <cardiotwin/twin.hpp>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numbers>
#include <string>

#include "../../libcardiotwin/src/plan_store.hpp"

namespace cardiotwin::fixture {

inline constexpr double pi = std::numbers::pi;

/// Own frame: z from apex to base, x towards the septum, y towards the anterior wall; then turned to lie as a heart
/// does.
struct Shell {
  int layers = 3, rows = 16, columns = 40;
  double long_axis = 80, short_axis = 32, wall = 9, top = 10;

  Mat3 rotation() const {
    // The apex points to the left, to the front and down; the septum to the right and to the front.
    const Vec3 base = Vec3(-0.55, 0.6, 0.58).normalized();
    const Vec3 septum = (Vec3(-1, -0.35, 0) - base * base.dot(Vec3(-1, -0.35, 0))).normalized();
    Mat3 r;
    r << septum, base.cross(septum), base;
    return r;
  }
  Vec3 placed(const Vec3& own) const { return rotation() * own + Vec3(35, -20, 60); }

  /// depth 0 endo .. 1 epi, height 0 apex .. 1 base, angle from the septum to the anterior wall.
  Vec3 own(double depth, double height, double angle) const {
    const double inset = wall * (1 - depth), a = short_axis - inset, c = long_axis - inset;
    const double lowest = -pi / 2, highest = std::asin(top / c), latitude = lowest + height * (highest - lowest);
    return {a * std::cos(latitude) * std::cos(angle), a * std::cos(latitude) * std::sin(angle), c * std::sin(latitude)};
  }
};

/// Place on the scar: u around the wall, v along it [mm], from the scar's centre on the anterior wall.
struct ScarPlace {
  double u, v;
};
inline ScarPlace scar_place(const Shell& shell, const Vec3& own) {
  const double angle = std::remainder(std::atan2(own.y(), own.x()) - pi / 2, 2 * pi);
  return {shell.short_axis * angle * 0.85, own.z() + 30};
}

inline Label label_at(const Shell& shell, const Vec3& own) {
  const auto [u, v] = scar_place(shell, own);
  const double outside = std::max(std::abs(u) / 20, std::abs(v) / 22.5);
  if (outside > 1.2) return region::healthy;
  if (outside > 1) return region::border_zone;
  return std::abs(u) < 3.5 ? region::channel : region::core;
}

/// Up the channel, out at its top, down around either lobe of the core, in again at the bottom.
inline double lat_at(const Shell& shell, const Vec3& own, double cycle) {
  const auto [u, v] = scar_place(shell, own);
  const double turn = std::atan2(std::abs(u) - 12, v) + pi / 4;  // 0 above the channel, growing down the outside
  return cycle * (turn / (2 * pi) - std::floor(turn / (2 * pi)));
}

namespace detail {

/// Six tets to a brick; bricks at the apex lose the tets that collapsed.
inline Mesh shell_mesh(const Shell& shell, std::vector<Vec3>& own, std::vector<double>& depth,
                       std::vector<double>& height) {
  std::vector<Vec3> points;
  std::vector<std::vector<std::vector<Index>>> id(shell.layers + 1);
  for (int l = 0; l <= shell.layers; ++l) {
    id[l].resize(shell.rows + 1);
    for (int r = 0; r <= shell.rows; ++r)
      for (int c = 0; c < shell.columns; ++c) {
        if (r > 0 || c == 0) {
          depth.push_back(double(l) / shell.layers);
          height.push_back(double(r) / shell.rows);
          own.push_back(shell.own(depth.back(), height.back(), 2 * pi * c / shell.columns));
          points.push_back(shell.placed(own.back()));
        }
        id[l][r].push_back(r > 0 || c == 0 ? Index(points.size() - 1) : id[l][r][0]);
      }
  }
  std::vector<Tet> tets;
  std::vector<Label> labels;
  static constexpr int paths[6][4] = {{0, 1, 3, 7}, {0, 1, 5, 7}, {0, 2, 3, 7},
                                      {0, 2, 6, 7}, {0, 4, 5, 7}, {0, 4, 6, 7}};
  for (int l = 0; l < shell.layers; ++l)
    for (int r = 0; r < shell.rows; ++r)
      for (int c = 0; c < shell.columns; ++c)
        for (const auto& path : paths) {
          Tet tet{};
          for (int k = 0; k < 4; ++k)
            tet[k] = id[l + (path[k] & 1)][r + (path[k] >> 1 & 1)][(c + (path[k] >> 2)) % shell.columns];
          auto sorted = tet;
          std::ranges::sort(sorted);
          if (std::ranges::adjacent_find(sorted) != sorted.end()) continue;
          const Vec3 a = points[tet[1]] - points[tet[0]], b = points[tet[2]] - points[tet[0]],
                     d = points[tet[3]] - points[tet[0]];
          if (a.cross(b).dot(d) < 0) std::swap(tet[2], tet[3]);
          tets.push_back(tet);
          labels.push_back(label_at(shell, (own[tet[0]] + own[tet[1]] + own[tet[2]] + own[tet[3]]) / 4));
        }
  return {std::move(points), std::move(tets), std::move(labels)};
}

inline std::uint8_t segment(const Shell& shell, const Vec3& own) {
  const double height = (own.z() + shell.long_axis) / (shell.long_axis + shell.top);
  if (height < 0.14) return 17;
  // Counter-clockwise on the bull's-eye from the right; the septum (angle 0) is on the left.
  const double degrees = std::fmod(180 - std::atan2(own.y(), own.x()) * 180 / pi + 360, 360.0);
  if (height < 0.4) return std::uint8_t(13 + int(std::fmod(degrees - 45 + 360, 360.0) / 90));
  return std::uint8_t((height < 0.7 ? 7 : 1) + int(std::fmod(degrees - 60 + 360, 360.0) / 60));
}

}  // namespace detail

inline Anatomy shell_anatomy(const Shell& shell, bool scar) {
  Anatomy anatomy;
  std::vector<Vec3> own;
  anatomy.mesh = detail::shell_mesh(shell, own, anatomy.depth, anatomy.height);
  if (!scar) {
    std::vector<Vec3> points(anatomy.mesh.points().begin(), anatomy.mesh.points().end());
    std::vector<Tet> tets(anatomy.mesh.tets().begin(), anatomy.mesh.tets().end());
    anatomy.mesh =
        Mesh(std::move(points), std::move(tets), std::vector<Label>(anatomy.mesh.tet_count(), region::healthy));
  }
  anatomy.fibers = uniform_fibers(anatomy.mesh);
  anatomy.regions = {{region::healthy, "healthy"},
                     {region::border_zone, "border_zone"},
                     {region::core, "core"},
                     {region::channel, "channel"}};
  for (const auto& tet : anatomy.mesh.tets())
    anatomy.aha.push_back(detail::segment(shell, (own[tet[0]] + own[tet[1]] + own[tet[2]] + own[tet[3]]) / 4));
  for (const auto& face : boundary_faces(anatomy.mesh)) {
    const auto all = [&](auto holds) { return std::ranges::all_of(face.nodes, holds); };
    const Surface tag = all([&](Index n) { return anatomy.depth[n] == 0; })   ? Surface::endo
                        : all([&](Index n) { return anatomy.depth[n] == 1; }) ? Surface::epi
                                                                              : Surface::base;
    anatomy.surface.push_back({face.nodes, face.tet, tag});
  }
  anatomy.apex = shell.placed({0, 0, -shell.long_axis});
  anatomy.base_centre = shell.placed({0, 0, shell.top});
  anatomy.septum = shell.rotation() * Vec3::UnitX();
  for (int s = 1; s <= 17; ++s) {
    Vec3 sum = Vec3::Zero();
    int n = 0;
    for (std::size_t t = 0; t < anatomy.mesh.tet_count(); ++t)
      if (anatomy.aha[t] == s && anatomy.mesh.labels()[t] == region::healthy) sum += anatomy.mesh.centroid(t), ++n;
    if (n == 0) continue;
    anatomy.sites.push_back({.name = fmt::format("aha{}", s), .position = sum / n, .nodes = {0}});
    std::size_t nearest = 0;
    for (std::size_t i = 0; i < anatomy.mesh.node_count(); ++i)
      if ((anatomy.mesh.points()[i] - sum / n).norm() < (anatomy.mesh.points()[nearest] - sum / n).norm()) nearest = i;
    anatomy.sites.back().nodes = {Index(nearest)};
    anatomy.sites.back().position = anatomy.mesh.points()[nearest];
  }
  return anatomy;
}

inline Twin shell_twin(const Shell& shell, bool scar) {
  Twin twin{.anatomy = shell_anatomy(shell, scar), .tissue = Tissue::library("post-infarct"), .provenance = {}};
  twin.tissue.calibrated_edge = 1.0;
  twin.tissue.calibrated_load = 2.0 / 3;
  twin.measurements =
      R"({"method": "p99", "healthy_mean": 2159.7, "healthy_sd": 12.4, "p99": 2431, "threshold_core": 2322.5,
    "threshold_border_zone": 2268.2, "scar_volume_ml": 14.8, "no_reflow_volume_ml": 0.7})";
  Step build{.verb = "build",
             .version = "0.1.0+fixture",
             .backend = "",
             .seed = 0,
             .options = {{"edge", "1 mm"}, {"convention", "phantom"}},
             .inputs = {{"image", std::string(64, 'a')}, {"labels", std::string(64, 'b')}},
             .warnings = {"Image and labels: sform and qform disagree by 0.4 mm; the sform is used."}};
  twin.provenance.steps = {build};
  return twin;
}

inline Circuit circuit(const Shell& shell, const Anatomy& anatomy, double cycle, int side) {
  Circuit c;
  c.cycle_length = cycle;
  c.cycle_spread = 0.012;
  c.map_correlation = 0.994;
  c.monomorphic = true;
  c.closure = 1.8;
  c.lat = {.name = "LAT", .unit = "ms", .at = Location::node, .components = 1, .values = {}};
  const Mat3 back = shell.rotation().transpose();
  std::vector<bool> alive(anatomy.mesh.node_count());
  for (std::size_t t = 0; t < anatomy.mesh.tet_count(); ++t)
    if (anatomy.mesh.labels()[t] != region::core)
      for (const Index n : anatomy.mesh.tets()[t]) alive[n] = true;
  for (std::size_t n = 0; n < anatomy.mesh.node_count(); ++n)
    c.lat.values.push_back(
        alive[n] ? lat_at(shell, back * (anatomy.mesh.points()[n] - shell.placed(Vec3::Zero())), cycle) : NAN);
  const auto on_wall = [&](double u, double v) {  // mid-wall point at a place of the scar
    const double c_mid = shell.long_axis - shell.wall / 2, latitude = std::asin((v - 30) / c_mid);
    const double a = (shell.short_axis - shell.wall / 2) * std::cos(latitude),
                 angle = pi / 2 + u / (0.85 * shell.short_axis);
    return shell.placed({a * std::cos(angle), a * std::sin(angle), v - 30});
  };
  for (int k = 0; k < 60; ++k) {
    const double turn = 2 * pi * k / 60;
    c.path.push_back(on_wall(side * (12 - 13 * std::cos(turn)), 27 * std::sin(turn)));
  }
  for (int k = 0; k <= 10; ++k) c.isthmus_line.push_back(on_wall(0, -20 + 4 * k));
  c.entrance = c.isthmus_line.front();
  c.exit = c.isthmus_line.back();
  c.isthmus = on_wall(0, 6);
  c.aha_isthmus = 7;
  c.aha_exit = 7;
  return c;
}

inline Plan plan(const Shell& shell, const Anatomy& anatomy, bool inducible) {
  Plan plan;
  plan.inducible_before = inducible;
  const auto site = [&](const Site& s, int round, bool induced, int circuit) {
    plan.results.push_back(
        {.site = s.name,
         .round = round,
         .inducible = induced,
         .coupling = {310, 260, 240},
         .active_after = induced ? 1600.0 : 215.0,
         .circuit = circuit,
         .outcome = induced ? fmt::format("re-entry of {} ms", circuit == 0 ? 362 : 391) : "no re-entry"});
  };
  for (std::size_t i = 0; i < anatomy.sites.size(); ++i) {
    const bool induced = inducible && i % 3 == 0;
    site(anatomy.sites[i], 0, induced, induced ? (i % 2 ? 1 : 0) : -1);
  }
  if (!inducible) {
    plan.conclusion =
        "Programmed stimulation with up to three extra-stimuli from 17 sites induced no sustained re-entry. No "
        "ablation target is proposed.";
    return plan;
  }
  for (const auto& s : anatomy.sites) site(s, 1, false, -1);
  plan.circuits = {circuit(shell, anatomy, 362, 1), circuit(shell, anatomy, 391, -1)};
  plan.circuit_sites = {{"aha1", "aha7", "aha13"}, {"aha4", "aha10", "aha16"}};
  plan.targets = {
      {.rank = 1,
       .lesion = {plan.circuits[0].isthmus, 5},
       .depth = 9.1,
       .aha = 7,
       .place = "mid anterior, mid-wall, LV",
       .circuits = {0, 1},
       .induced_from = {"aha1", "aha4", "aha7", "aha10", "aha13", "aha16"},
       .share = 1,
       .necessary = true,
       .evidence = "Lies on the isthmus of both circuits; without it re-entry stays inducible from 6 of 17 sites."},
      {.rank = 2,
       .lesion = {plan.circuits[0].isthmus_line[2], 4},
       .depth = 8.7,
       .aha = 13,
       .circuits = {1},
       .induced_from = {"aha4"},
       .share = 1.0 / 3,
       .necessary = false,
       .evidence = "Second lesion at the entrance; pacing again was negative without it as well."}};
  plan.conclusion =
      "Programmed stimulation from 17 sites induced two re-entrant tachycardias (362 and 391 ms) that share one "
      "isthmus through the "
      "anterior scar. After two lesions of 5 and 4 mm no site induces re-entry.";
  return plan;
}

/// study.json as a study writes it.
inline std::string study_json(const Twin& twin, const std::string& twin_sha256) {
  nlohmann::ordered_json json;
  json["options"] = {{"s1_ms", 600},
                     {"s1_beats", 3},
                     {"extra_stimuli", 3},
                     {"step_ms", 10},
                     {"sustained_ms", 1000},
                     {"followed_ms", 1600},
                     {"lesion_radius_mm", 5},
                     {"dt_ms", 0.05},
                     {"precision", "fp32"},
                     {"backend", "cpu"},
                     {"seed", 1}};
  json["twin_sha256"] = twin_sha256;
  json["version"] = "0.1.0+fixture";
  json["fit"] = true;
  const auto axis = [](const char* region, const char* name, double wanted, double low, double high) {
    return nlohmann::ordered_json{{"region", region},         {"axis", name},
                                  {"wanted_m_per_s", wanted}, {"mean_m_per_s", (low + high) / 2},
                                  {"low_m_per_s", low},       {"high_m_per_s", high},
                                  {"blocked_directions", 0},  {"conductivity_S_per_m", 0.2},
                                  {"within_limit", true},     {"why", ""}};
  };
  json["check"] = {
      {"cavity_volume_ml", 61.2},
      {"wall_mm", {{"percentile_1", 8.1}, {"mean", 8.9}, {"percentile_99", 9.6}}},
      {"mesh",
       {{"mean_edge_mm", 1.02},
        {"min_dihedral_deg", 17.3},
        {"max_dihedral_deg", 151.2},
        {"dihedral_histogram", {0, 3, 8, 20, 60, 400, 700, 80, 250, 380, 30, 12, 5, 2, 1, 1, 0, 0}},
        {"edges_mm", {{"healthy", {{"percentile_5", 0.62}, {"mean", 1.29}, {"percentile_95", 1.43}}}}}}},
      {"stable_dt_ms", 0.31},
      {"velocities",
       {axis("healthy", "along", 0.6, 0.59, 0.62), axis("healthy", "across", 0.4, 0.37, 0.42),
        axis("border_zone", "along", 0.45, 0.44, 0.46), axis("border_zone", "across", 0.45, 0.44, 0.46),
        axis("channel", "along", 0.3, 0.285, 0.31), axis("channel", "across", 0.3, 0.28, 0.31)}},
      {"findings",
       {{{"severity", "info"}, {"text", "Mesh is sound."}},
        {{"severity", "warning"}, {"text", "Velocity across the fibre in healthy muscle is off by up to 7.5 %."}}}}};
  json["twin_provenance"] = nlohmann::ordered_json::parse(to_json(twin.provenance));
  return json.dump(1);
}

struct StudyShape {
  Shell shell;
  bool inducible = true, scar = true;
  std::string extra_site;  ///< one more paced site of this name
};

inline void write_study(const std::filesystem::path& folder, const StudyShape& shape = {}) {
  std::filesystem::create_directories(folder);
  auto twin = shell_twin(shape.shell, shape.scar);
  if (!shape.extra_site.empty()) {
    twin.anatomy.sites.push_back(twin.anatomy.sites.front());
    twin.anatomy.sites.back().name = shape.extra_site;
  }
  twin.save(folder / "heart.twin");
  write_text(folder / "study.json", study_json(twin, study::twin_digest(twin)));
  save_plan(plan(shape.shell, twin.anatomy, shape.inducible), folder);
}

}  // namespace cardiotwin::fixture
