#include <gtest/gtest.h>

#include <algorithm>
#include <cardiotwin/check.hpp>
#include <cardiotwin/error.hpp>
#include <cardiotwin/meshes/build.hpp>
#include <nlohmann/json.hpp>
#include <numbers>
#include <set>

#include "../../meshes/src/build_parts.hpp"
#include "ellipsoid.hpp"

using namespace cardiotwin;
using cardiotwin::tests::Ellipsoid;

namespace {

const Ellipsoid shape;

// The small ventricle at an edge of 3 mm, all healthy, uncalibrated; meshed once.
const Twin& healthy_twin() {
  static const Twin twin = [] {
    const auto labels = shape.labels(1.0, 1.0);
    auto regions = labels;
    for (auto& label : regions.values) label = label == meshes::muscle ? region::healthy : 0;
    Twin t;
    t.tissue = Tissue::library("post-infarct");
    t.tissue.calibrated_edge = t.tissue.calibrated_load = 0;
    Anatomy& a = t.anatomy;
    a.mesh = meshes::stuff(meshes::tissue_field(labels, 1.0), regions, {.edge = 3.0});
    a.regions = {{region::healthy, "healthy"},
                 {region::border_zone, "border_zone"},
                 {region::core, "core"},
                 {region::channel, "channel"}};
    const auto surface = meshes::tag_surface(a.mesh, labels);
    a.surface = surface.faces, a.apex = surface.apex, a.base_centre = surface.base_centre, a.septum = Vec3::UnitX();
    FiberBoundary boundary;
    std::set<Index> part[4];
    for (const auto& face : a.surface) part[static_cast<int>(face.tag)].insert(face.nodes.begin(), face.nodes.end());
    boundary.endo.assign(part[1].begin(), part[1].end());
    boundary.epi.assign(part[2].begin(), part[2].end());
    boundary.base.assign(part[3].begin(), part[3].end());
    for (const Index i : boundary.epi) {
      if ((a.mesh.points()[i] - a.apex).norm() < 4) boundary.apex.push_back(i);
    }
    auto laid = rule_based_fibers(a.mesh, boundary);
    a.fibers = laid.fibers, a.depth = laid.depth, a.height = laid.height;
    a.aha = aha_segments(a);
    return t;
  }();
  return twin;
}

template <class Rule>
Twin relabelled(const Rule& rule) {
  Twin t = healthy_twin();
  const Mesh& m = t.anatomy.mesh;
  std::vector<Label> labels;
  for (std::size_t i = 0; i < m.tet_count(); ++i) labels.push_back(rule(m.centroid(i)));
  t.anatomy.mesh = Mesh({m.points().begin(), m.points().end()}, {m.tets().begin(), m.tets().end()}, std::move(labels));
  return t;
}

int count(const CheckReport& report, Severity severity, const char* text) {
  return static_cast<int>(std::ranges::count_if(report.findings, [&](const Finding& f) {
    return f.severity == severity && f.text.find(text) != std::string::npos;
  }));
}

const SimulationOptions options{.dt = 0.05};

}  // namespace

TEST(Check, GeometryIsMeasured) {
  const auto report = check(healthy_twin(), options);
  const double pi = std::numbers::pi;
  const double cavity = 2.0 / 3 * pi * 16 * 16 * 34 / 1000, whole = 2.0 / 3 * pi * 24 * 24 * 42 / 1000;
  EXPECT_NEAR(report.cavity_volume, cavity,
              0.07 * cavity);  // chords of 3 mm on a radius of 16, rim cells cut at the base
  EXPECT_NEAR(report.muscle_volume, whole - cavity, 0.03 * (whole - cavity));
  EXPECT_NEAR(report.volumes.at("healthy"), report.muscle_volume, 1e-9);
  EXPECT_EQ(report.scar_mass, 0);
  EXPECT_NEAR(report.wall.mean, 7.9, 0.2);  // 8 along the semi-axes, a little less along the normal between
  EXPECT_GT(report.wall.min, 6);            // thinner at the rim, where surface cells are cut
  EXPECT_LT(report.wall.max, 8.6);
  EXPECT_GT(report.mesh.min_dihedral, 10);
  EXPECT_GT(report.stable_dt, 0.05);
  EXPECT_EQ(count(report, Severity::info, "no scar"), 1);
  EXPECT_EQ(count(report, Severity::warning, "thinner than 3 elements"), 1);  // 8 mm wall, edge 3 mm
  EXPECT_EQ(count(report, Severity::warning, "not calibrated"), 1);
  ASSERT_EQ(report.velocities.size(), 2u);
  EXPECT_EQ(report.velocities[0].region, "healthy");
}

TEST(Check, ScarIsWeighedAndTissueCutOffIsNamed) {
  // A core of 12 mm around an island of living tissue of 6 mm in the anterior wall, a rim beside it.
  const Vec3 centre(0, 20, -14);
  const Twin twin = relabelled([&](const Vec3& c) {
    const double r = (c - centre).norm();
    return r < 6 ? region::channel : r < 13 ? region::core : r < 15 ? region::border_zone : region::healthy;
  });
  const auto report = check(twin, options);
  // The island fills the wall of 8 mm within 13 mm of its centre, in segments 1 and 7 mostly.
  EXPECT_GT(std::max(report.transmurality[1].max, report.transmurality[7].max), 0.9);
  EXPECT_EQ(report.transmurality[4].max, 0);
  const double scar = report.volumes.at("core") + report.volumes.at("border_zone") + report.volumes.at("channel");
  EXPECT_GT(report.volumes.at("core"), 1);
  EXPECT_NEAR(report.scar_mass, 1.05 * scar, 1e-9);
  EXPECT_EQ(count(report, Severity::warning, "cut off from the rest"), 1);
  EXPECT_EQ(count(report, Severity::info, "enclosed by core"), 1);
  EXPECT_EQ(count(report, Severity::info, "no scar"), 0);
  for (const auto& v : report.velocities) EXPECT_NE(v.region, "core");
  EXPECT_EQ(report.velocities.size(), 6u);

  const auto dead = check(relabelled([](const Vec3&) { return region::core; }), options);
  EXPECT_EQ(dead.volumes.at("core"), dead.muscle_volume);
  EXPECT_EQ(count(dead, Severity::severe, "no tissue conducts"), 1);
  EXPECT_FALSE(dead.fit());
}

TEST(Check, VelocityErrorsAndForeignCalibrationsMakeATwinUnfit) {
  Twin twin = healthy_twin();
  const auto first = check(twin, options);
  // Wanted is what this edge gives: nothing to complain about but the spread over directions.
  auto& healthy = twin.tissue["healthy"];
  healthy.wanted = {first.velocities[0].reached.mean, first.velocities[1].reached.mean};
  const auto exact = check(twin, options, 1.0);
  EXPECT_EQ(count(exact, Severity::severe, ""), 0);
  EXPECT_TRUE(exact.fit());
  EXPECT_TRUE(exact.velocities[0].within_limit);

  healthy.wanted.along *= 3;
  const auto off = check(twin, options, 0.3);
  EXPECT_FALSE(off.fit());
  EXPECT_FALSE(off.velocities[0].within_limit);
  EXPECT_GE(count(off, Severity::severe, "cardiotwin calibrate"), 1);

  healthy.wanted.along /= 3;
  twin.tissue.calibrated_edge = 1.1 * first.mesh.mean_edge;
  twin.tissue.calibrated_load = options.ionic_load;
  twin.tissue.calibrated_stiffness = options.stiffness;
  const auto foreign = check(twin, options, 1.0);
  EXPECT_EQ(count(foreign, Severity::severe, "calibrated for a mean edge"), 1);
  twin.tissue.calibrated_edge = first.mesh.mean_edge;
  EXPECT_TRUE(check(twin, options, 1.0).fit());
  twin.tissue.calibrated_stiffness = Stiffness::p1;
  EXPECT_EQ(count(check(twin, options, 1.0), Severity::severe, "stiffness \"p1\""), 1);
  twin.tissue.calibrated_load = 0;
  EXPECT_EQ(count(check(twin, options, 1.0), Severity::severe, "ionic load"), 1);
}

TEST(Check, DoubtsOfTheImageAreRepeatedAndSevereOnesMakeATwinUnfit) {
  Twin twin = healthy_twin();
  twin.measurements = R"({"septum_source": "guessed"})";
  twin.findings = {{Severity::info, "noise is 12"}, {Severity::warning, "slices are 13.0 mm apart"}};
  const auto report = check(twin, options);
  EXPECT_EQ(count(report, Severity::warning, "septum"), 1);
  EXPECT_EQ(count(report, Severity::info, "noise is 12"), 1);
  EXPECT_EQ(count(report, Severity::warning, "13.0 mm apart"), 1);
  const auto severe = count(report, Severity::severe, "");
  twin.findings.push_back({Severity::severe, "blood is no brighter than muscle"});
  const auto worse = check(twin, options);
  EXPECT_EQ(count(worse, Severity::severe, ""), severe + 1);
  EXPECT_FALSE(worse.fit());
}

TEST(Check, JsonSaysTheSame) {
  const auto report = check(healthy_twin(), options);
  const auto json = nlohmann::json::parse(to_json(report));
  EXPECT_EQ(json["fit"].get<bool>(), report.fit());
  EXPECT_EQ(json["muscle_volume_ml"].get<double>(), report.muscle_volume);
  EXPECT_EQ(json["velocities"].size(), report.velocities.size());
  EXPECT_EQ(json["findings"].size(), report.findings.size());
  EXPECT_EQ(json["findings"][0]["severity"], name_of(report.findings[0].severity));
  EXPECT_EQ(json["transmurality"].size(), 17u);
  EXPECT_THROW(check(healthy_twin(), options, 0), InputError);
}
