#include <gtest/gtest.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <array>
#include <cardiotwin/anatomy.hpp>
#include <cardiotwin/error.hpp>
#include <cmath>
#include <set>

#include "tube.hpp"

using namespace cardiotwin;
using cardiotwin::tests::Tube;

namespace {

// The tube as a ventricle without an apical cap: axis +z, septum towards +x, 15 mm of muscle assumed beyond the
// cavity's end at z = 0 only in so far as the apex is put there; `core` marks tets by their centroid.
template <class IsCore>
Anatomy tube_anatomy(const IsCore& is_core, const Mat3& turn = Mat3::Identity(), const Vec3& shift = Vec3::Zero()) {
  const Tube tube;
  std::vector<Vec3> points;
  for (const Vec3& p : tube.mesh.points()) points.push_back(turn * p + shift);
  std::vector<Label> labels;
  for (std::size_t t = 0; t < tube.mesh.tet_count(); ++t) {
    labels.push_back(is_core(tube.mesh.centroid(t)) ? region::core : region::healthy);
  }
  Anatomy a;
  a.mesh = Mesh(std::move(points), {tube.mesh.tets().begin(), tube.mesh.tets().end()}, std::move(labels));
  a.fibers = uniform_fibers(a.mesh);
  a.regions = {{region::healthy, "healthy"}, {region::core, "core"}};
  std::vector<Surface> tag(a.mesh.node_count(), Surface::base);
  for (const Index i : tube.boundary.endo) tag[i] = Surface::endo;
  for (const Index i : tube.boundary.epi) tag[i] = Surface::epi;
  for (const auto& face : boundary_faces(a.mesh)) {
    const Surface first = tag[face.nodes[0]];
    const bool same = tag[face.nodes[1]] == first && tag[face.nodes[2]] == first;
    a.surface.push_back({face.nodes, face.tet, same ? first : Surface::base});
  }
  a.apex = turn * Vec3(0, 0, -8) + shift;
  a.base_centre = turn * Vec3(0, 0, 30) + shift;
  a.septum = turn * Vec3(1, 0, 0);
  return a;
}

const auto nowhere = [](const Vec3&) { return false; };

}  // namespace

TEST(Aha, SegmentsAreThirdsAndSectors) {
  auto a = tube_anatomy(nowhere);
  a.aha = aha_segments(a);
  const auto at = [&](double degrees, double z) {
    const Vec3 p(15 * std::cos(degrees * std::numbers::pi / 180), 15 * std::sin(degrees * std::numbers::pi / 180), z);
    std::size_t best = 0;
    for (std::size_t t = 0; t < a.mesh.tet_count(); ++t) {
      if ((a.mesh.centroid(t) - p).norm() < (a.mesh.centroid(best) - p).norm()) best = t;
    }
    return int(a.aha[best]);
  };
  // Angles run from the septum's middle towards the anterior wall.
  const std::vector<std::array<int, 3>> wanted{{90, 25, 1},   {30, 25, 2},   {330, 25, 3}, {270, 25, 4}, {210, 25, 5},
                                               {150, 25, 6},  {90, 15, 7},   {30, 15, 8},  {330, 15, 9}, {270, 15, 10},
                                               {210, 15, 11}, {150, 15, 12}, {90, 5, 13},  {2, 5, 14},   {-2, 5, 14},
                                               {270, 5, 15},  {180, 5, 16}};
  for (const auto& [degrees, z, segment] : wanted)
    EXPECT_EQ(at(degrees, z), segment) << degrees << " degrees, z = " << z;
  // A sector of 60 degrees is a sixth of its third: all six are equal on a tube divided by 72.
  double volume[18] = {}, total = 0;
  for (std::size_t t = 0; t < a.mesh.tet_count(); ++t) volume[a.aha[t]] += a.mesh.volume(t), total += a.mesh.volume(t);
  for (int k = 1; k <= 6; ++k) EXPECT_NEAR(volume[k] / total, 1.0 / 18, 0.003) << k;
  EXPECT_EQ(volume[17], 0);
}

TEST(Aha, BeyondTheCavityIsTheApicalCap) {
  auto a = tube_anatomy(nowhere);
  std::erase_if(a.surface, [&](const SurfaceFace& f) {  // the cavity now ends at z = 9
    return f.tag == Surface::endo && std::min({a.mesh.points()[f.nodes[0]].z(), a.mesh.points()[f.nodes[1]].z(),
                                               a.mesh.points()[f.nodes[2]].z()}) < 8.9;
  });
  const auto segments = aha_segments(a);
  for (std::size_t t = 0; t < segments.size(); ++t) ASSERT_EQ(segments[t] == 17, a.mesh.centroid(t).z() < 9) << t;
}

// A heart as it lies in the chest, LPS: apex towards left, anterior, inferior; right ventricle towards right and
// anterior.
TEST(Aha, AnteriorIsAnteriorInANormallyPlacedHeart) {
  const Vec3 up = Vec3(-0.6, 0.5, 0.6).normalized();
  const Vec3 guess(-0.8, -0.6, 0), septal = (guess - guess.dot(up) * up).normalized();
  Mat3 turn;
  turn << septal, up.cross(septal), up;
  const auto a = tube_anatomy(nowhere, turn, {10, -20, 30});
  const auto segments = aha_segments(a);
  EXPECT_EQ(segments, aha_segments(tube_anatomy(nowhere)));  // pose does not matter
  std::array<Vec3, 18> centre;
  centre.fill(Vec3::Zero());
  std::array<double, 18> volume{};
  for (std::size_t t = 0; t < segments.size(); ++t) {
    centre[segments[t]] += a.mesh.volume(t) * a.mesh.centroid(t), volume[segments[t]] += a.mesh.volume(t);
  }
  for (int k = 1; k <= 6; ++k) centre[k] /= volume[k];
  EXPECT_LT(centre[1].y(), centre[4].y());  // anterior before inferior
  EXPECT_GT(centre[1].z(), centre[4].z());  // and above it
  for (const int septum : {2, 3}) {
    for (const int lateral : {5, 6})
      EXPECT_LT(centre[septum].x(), centre[lateral].x());  // septum to the patient's right
  }
}

TEST(Aha, SitesLieOnLivingEndocardiumOfTheirSegment) {
  // Segment 7 (mid, anterior) is core but for its edge; an island of living tissue inside it must not be paced.
  auto a = tube_anatomy([](const Vec3& c) {
    const double degrees = std::atan2(c.y(), c.x()) * 180 / std::numbers::pi;
    const bool scar = c.z() > 9 && c.z() < 21 && degrees > 58 && degrees < 112;
    const bool island = std::abs(c.z() - 15) < 2 && std::abs(degrees - 85) < 4;
    return scar && !island;
  });
  a.aha = aha_segments(a);
  const auto sites = standard_sites(a, 2.0);
  ASSERT_EQ(sites.size(), 18u);  // 16 segments (no cap), rv_apex, apex
  std::set<std::string> names;
  for (const auto& site : sites) {
    names.insert(site.name);
    const double radius = std::hypot(site.position.x(), site.position.y());
    EXPECT_NEAR(radius, site.name.starts_with("aha") ? 10 : 20, 0.01) << site.name;
    EXPECT_FALSE(site.nodes.empty());
  }
  EXPECT_EQ(names.size(), sites.size());
  const auto find = [&](const char* name) { return *std::ranges::find(sites, std::string(name), &Site::name); };
  const Vec3 p = find("aha7").position;
  const double degrees = std::atan2(p.y(), p.x()) * 180 / std::numbers::pi;
  EXPECT_NEAR(degrees, 110, 6);  // the living rim of its own segment, nodes stand every 5 degrees
  const Vec3 rv = find("rv_apex").position;
  EXPECT_NEAR(rv.x(), 20, 0.2);
  EXPECT_NEAR(rv.z(), 5, 2);
  EXPECT_NEAR(find("aha10").position.y(), -10, 0.3);
  EXPECT_NEAR(find("aha10").position.z(), 15, 2);
}

TEST(Aha, MissingAnatomyIsRefused) {
  auto a = tube_anatomy(nowhere);
  EXPECT_THROW(standard_sites(a), InputError);  // no segments yet
  auto along = a;
  along.septum = Vec3::UnitZ();
  EXPECT_THROW(aha_segments(along), InputError);
  auto open = a;
  std::erase_if(open.surface, [](const SurfaceFace& f) { return f.tag == Surface::endo; });
  EXPECT_THROW(aha_segments(open), InputError);
  auto dead = tube_anatomy([](const Vec3&) { return true; });
  dead.aha = aha_segments(dead);
  EXPECT_THROW(standard_sites(dead), InputError);
}
