// Both ventricles, from the phantom's labels to fibres.
#include <gtest/gtest.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <array>
#include <cardiotwin/check.hpp>
#include <cardiotwin/error.hpp>
#include <cardiotwin/fiber_sources.hpp>
#include <cardiotwin/meshes/build.hpp>
#include <cardiotwin/meshes/phantom.hpp>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numbers>

#include "../../meshes/src/voxels.hpp"

using namespace cardiotwin;
using namespace cardiotwin::meshes;

namespace {

constexpr double degrees = 180.0 / std::numbers::pi;

const Phantom& phantom() {
  static const Phantom made = make_phantom({.scar = false, .pixel = 2, .slice = 2});
  return made;
}

const Anatomy& heart() {
  static const Twin twin =
      build_twin(phantom().image, phantom().labels, {.chambers = Chambers::both_ventricles, .rv_wall = 5, .edge = 2.0});
  return twin.anatomy;
}

double mean(const std::vector<double>& nodal, const Tet& tet) {
  return (nodal[tet[0]] + nodal[tet[1]] + nodal[tet[2]] + nodal[tet[3]]) / 4;
}

bool in_right_wall(const Anatomy& a, std::size_t t) { return mean(a.right, a.mesh.tets()[t]) > 0.5; }

struct Facet {
  Vec3 centre, normal;  // outward of the tissue
  double area;
};
Facet facet(const Mesh& mesh, const Triangle& n) {
  const Vec3 a = mesh.points()[n[0]], b = mesh.points()[n[1]], c = mesh.points()[n[2]];
  const Vec3 scaled = (b - a).cross(c - a);
  return {(a + b + c) / 3, scaled.normalized(), scaled.norm() / 2};
}

}  // namespace

TEST(BothVentricles, SurfaceLooksOntoTwoCavities) {
  const Anatomy& a = heart();
  EXPECT_NO_THROW(a.validate());
  std::array<double, 5> area{};
  for (const auto& face : a.surface) area[std::size_t(face.tag)] += facet(a.mesh, face.nodes).area;
  EXPECT_GT(area[std::size_t(Surface::endo)], 3000);     // [mm2]
  EXPECT_GT(area[std::size_t(Surface::endo_rv)], 3000);  // septum and free wall
  EXPECT_GT(area[std::size_t(Surface::epi)], area[std::size_t(Surface::endo)]);
  EXPECT_GT(area[std::size_t(Surface::base)], 500);
}

TEST(BothVentricles, RightWallIsAsThickAsAskedForAndLeftMuscleIsKept) {
  const Anatomy& a = heart();
  double left = 0;
  std::vector<double> thickness;
  for (std::size_t t = 0; t < a.mesh.tet_count(); ++t) {
    if (!in_right_wall(a, t)) left += a.mesh.volume(t) / 1000;
    EXPECT_EQ(a.aha[t] == 0, in_right_wall(a, t));
  }
  // Across the free wall, from faces of its epicardium far from the septum to the nearest of the right endocardium.
  std::vector<Vec3> inner;
  for (const auto& face : a.surface) {
    if (face.tag == Surface::endo_rv) inner.push_back(facet(a.mesh, face.nodes).centre);
  }
  for (const auto& face : a.surface) {
    const Facet f = facet(a.mesh, face.nodes);
    if (face.tag != Surface::epi || f.centre.x() < 45 || f.centre.z() > 0) continue;
    double nearest = 1e9;
    for (const Vec3& p : inner) nearest = std::min(nearest, (p - f.centre).norm());
    thickness.push_back(nearest);
  }
  ASSERT_GT(thickness.size(), 50u);
  std::nth_element(thickness.begin(), thickness.begin() + thickness.size() / 2, thickness.end());
  EXPECT_NEAR(thickness[thickness.size() / 2], 5, 0.6);  // to the centre of a face, voxels of 1 mm
  // What belongs to neither wall for certain, at the insertion, is a few per cent.
  EXPECT_NEAR(left, phantom().truth.muscle_volume, 0.05 * phantom().truth.muscle_volume);
}

// Where the helix is on every surface: the first layer of tets has its centroids a share of an edge inside.
TEST(BothVentricles, HelixIsThatAskedForInEveryWall) {
  const Anatomy& a = heart();
  const Vec3 up = (a.base_centre - a.apex).normalized();
  for (const Surface tag : {Surface::endo, Surface::endo_rv, Surface::epi}) {
    std::vector<double> error, lift;
    for (const auto& face : a.surface) {
      const Facet f = facet(a.mesh, face.nodes);
      const double height = (f.centre - a.apex).dot(up) / (a.base_centre - a.apex).norm();
      if (face.tag != tag || height < 0.4 || height > 0.8) continue;
      const Vec3 e2 = tag == Surface::epi ? f.normal : Vec3(-f.normal), e1 = (up - up.dot(e2) * e2).normalized();
      const Vec3& fibre = a.fibers.f[std::size_t(face.tet)];
      const double helix = degrees * std::atan(fibre.dot(e1) / fibre.dot(e1.cross(e2)));
      double depth = mean(a.depth, a.mesh.tets()[std::size_t(face.tet)]);
      // The septum's right side ends the left wall at depth 1.
      if (tag == Surface::endo_rv && !in_right_wall(a, std::size_t(face.tet))) depth = 1 - depth;
      error.push_back(helix - (60 - 120 * depth));
      lift.push_back(degrees * std::asin(std::clamp(fibre.dot(e2), -1.0, 1.0)));
    }
    ASSERT_GT(error.size(), 100u);
    std::nth_element(error.begin(), error.begin() + error.size() / 2, error.end());
    std::nth_element(lift.begin(), lift.begin() + lift.size() / 2, lift.end());
    // Single faces of 2 mm scatter by several degrees about the surface's true normal.
    EXPECT_NEAR(error[error.size() / 2], 0, 3) << "surface " << int(tag);
    EXPECT_NEAR(lift[lift.size() / 2], 0, 1) << "surface " << int(tag);
  }
}

namespace {

// Pairs of neighbours, beyond 10 mm of the apex and below the valves, whose fibres differ by more than 30 degrees.
int jumps(const Anatomy& a, const Fibers& fibers) {
  const auto neighbours = face_neighbours(a.mesh);
  int count = 0;
  for (std::size_t t = 0; t < a.mesh.tet_count(); ++t) {
    if (mean(a.height, a.mesh.tets()[t]) > 0.95 || (a.mesh.centroid(t) - a.apex).norm() < 10) continue;
    for (const Index n : neighbours[t])
      count += n > Index(t) && std::abs(fibers.f[t].dot(fibers.f[std::size_t(n)])) < std::cos(30 / degrees);
  }
  return count;
}

}  // namespace

// Half an edge of 2 mm across a wall of 5 mm turns the helix by 24 degrees already.
TEST(BothVentricles, NeighboursRunAlikeAwayFromApexAndValves) { EXPECT_EQ(jumps(heart(), heart().fibers), 0); }

TEST(BothVentricles, BothWallsAndCavitiesAreMeasured) {
  Twin twin;
  twin.anatomy = heart();
  twin.tissue = Tissue::library("post-infarct");
  const auto report = check(twin, {.dt = 0.05});
  EXPECT_NEAR(report.wall.mean, 9, 0.5);
  EXPECT_NEAR(report.right_wall.mean, 5, 0.5);
  EXPECT_LT(report.right_wall.max, 8.5);  // it meets the left one at a slant
  double cavity = 0;                      // up to the left ventricle's base, as labelled
  const Grid& g = phantom().labels.grid;
  for (std::size_t v = 0; v < phantom().labels.values.size(); ++v) cavity += phantom().labels.values[v] == 5;
  EXPECT_NEAR(report.right_cavity_volume, cavity * g.spacing.prod() / 1000, 0.06 * report.right_cavity_volume);
  const auto json = nlohmann::json::parse(to_json(report));
  EXPECT_NEAR(json["right_wall_mm"]["mean"], report.right_wall.mean, 1e-12);
}

TEST(BothVentricles, DosteTurnsTheRightEndocardiumUprightWithoutJumps) {
  Anatomy a = heart();
  std::vector<std::string> warnings;
  Monitor monitor;
  monitor.warning = [&](std::string_view text) { warnings.emplace_back(text); };
  lay_fibers(a, FiberAngles::of(FiberRule::doste), monitor);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("no rings of outflow tracts"), std::string::npos);
  EXPECT_EQ(jumps(a, a.fibers), 0);
  // Upright: 90 degrees on both sides of the right cavity, less what the wall turns within a quarter of an edge.
  const Vec3 up = (a.base_centre - a.apex).normalized();
  std::vector<double> septum, wall;
  for (const auto& face : a.surface) {
    const Facet f = facet(a.mesh, face.nodes);
    const double height = (f.centre - a.apex).dot(up) / (a.base_centre - a.apex).norm();
    if (face.tag != Surface::endo_rv || height < 0.4 || height > 0.8) continue;
    const Vec3& fibre = a.fibers.f[std::size_t(face.tet)];
    const Vec3 e1 = (up - up.dot(f.normal) * f.normal).normalized();
    (in_right_wall(a, std::size_t(face.tet)) ? wall : septum)
        .push_back(degrees * std::acos(std::min(1.0, std::abs(fibre.dot(e1)))));
  }
  for (auto* off : {&septum, &wall}) {
    ASSERT_GT(off->size(), 100u);
    std::nth_element(off->begin(), off->begin() + off->size() / 2, off->end());
    EXPECT_LT((*off)[off->size() / 2], 15);
  }
}

TEST(BothVentricles, RightApexIsPacedFromItsOwnSide) {
  const Anatomy& a = heart();
  ASSERT_EQ(a.sites.size(), 19u);
  const Vec3 at = a.site("rv_apex").position;
  double nearest = 1e9;
  for (const auto& face : a.surface) {
    if (face.tag == Surface::endo_rv) nearest = std::min(nearest, (facet(a.mesh, face.nodes).centre - at).norm());
  }
  EXPECT_LT(nearest, 2);
  EXPECT_GT((at - a.apex).dot(a.septum), 10);
}

TEST(BothVentricles, ATwinOnDiskKeepsThem) {
  const auto folder = std::filesystem::temp_directory_path() / "cardiotwin-both-ventricles";
  std::filesystem::create_directories(folder);
  Twin twin;
  twin.anatomy = heart(), twin.tissue = Tissue::library("post-infarct");
  twin.save(folder / "both.twin");
  const Anatomy read = Anatomy::load(folder / "both.twin");
  std::filesystem::remove_all(folder);
  EXPECT_EQ(read.right, heart().right);
  EXPECT_EQ(read.aha, heart().aha);
  ASSERT_EQ(read.surface.size(), heart().surface.size());
  for (std::size_t f = 0; f < read.surface.size(); ++f) ASSERT_EQ(read.surface[f].tag, heart().surface[f].tag);
}

TEST(BothVentricles, WithoutARightCavityThereIsASentence) {
  Labels alone = phantom().labels;
  for (auto& label : alone.values) label = label == rv_cavity ? background : label;
  try {
    build_twin(phantom().image, alone, {.chambers = Chambers::both_ventricles, .edge = 3});
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("no RV cavity"), std::string::npos) << error.what();
  }
}
