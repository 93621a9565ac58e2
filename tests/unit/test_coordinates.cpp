// Ventricular coordinates of phantoms, whose ellipsoids say what they must be.
#include <gtest/gtest.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cardiotwin/coordinates.hpp>
#include <cardiotwin/error.hpp>
#include <cardiotwin/meshes/build.hpp>
#include <cmath>
#include <filesystem>
#include <numbers>

#include "coordinate_hearts.hpp"

using namespace cardiotwin;
using namespace cardiotwin::tests;

namespace {

double apart(double a, double b) { return std::abs(std::remainder(a - b, 360)); }

/// Value below which `share` of them lie.
double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values.at(static_cast<std::size_t>(share * static_cast<double>(values.size() - 1)));
}

/// Differences of two places in mm: along the meridian, around the axis at `radius`, across the wall.
Vec3 difference(const Place& a, const Place& b, const Coordinates& c, double radius) {
  return {c.meridian * std::abs(a.apicobasal - b.apicobasal),
          radius * apart(a.rotational, b.rotational) * std::numbers::pi / 180,
          c.wall_thickness * std::abs(a.transmural - b.transmural)};
}

double axis_distance(const Vec3& p) { return std::hypot(p.x(), p.y()); }

}  // namespace

TEST(Coordinates, FacesHaveTheirValues) {
  for (const auto* heart : {&left_heart(), &both_hearts(), &papillary_heart()}) {
    const Anatomy& a = heart->anatomy;
    const Coordinates& c = heart->atlas.coordinates();
    std::vector<std::uint8_t> endo(a.mesh.node_count(), 0);
    for (const auto& face : a.surface)
      if (face.tag == Surface::endo)
        for (const Index node : face.nodes) endo[std::size_t(node)] = 1;
    for (const auto& face : a.surface) {
      const bool of_right = c.wall[std::size_t(face.tet)] == Ventricle::right;
      for (const Index node : face.nodes) {
        const auto i = std::size_t(node);
        const double depth = c.transmural[i];
        if (endo[i]) {
          ASSERT_EQ(depth, 0) << i;
        }
        if (face.tag == Surface::epi && !endo[i]) {
          ASSERT_EQ(depth, 1) << i;
        }
        // Of the septum the right side is its outer one; the free wall's own inner side is 0.
        if (face.tag == Surface::endo_rv && !endo[i] && !of_right) {
          ASSERT_EQ(depth, 1) << i;
        }
        if (face.tag == Surface::endo_rv && c.transventricular[i] == 1) {
          ASSERT_EQ(depth, 0) << i;
        }
        if (face.tag == Surface::base) {
          ASSERT_EQ(c.apicobasal[i], 1) << i;
        }
      }
    }
    for (std::size_t i = 0; i < a.mesh.node_count(); ++i) {
      ASSERT_TRUE(c.transmural[i] >= 0 && c.transmural[i] <= 1) << i;
      ASSERT_TRUE(c.apicobasal[i] >= 0 && c.apicobasal[i] <= 1) << i;
      ASSERT_TRUE(c.rotational[i] >= 0 && c.rotational[i] < 360) << i;
    }
    EXPECT_LT(*std::min_element(c.apicobasal.begin(), c.apicobasal.end()), 0.02);
  }
}

TEST(Coordinates, AreThoseOfTheEllipsoids) {
  const Heart& heart = left_heart();
  const auto& c = heart.atlas.coordinates();
  std::vector<double> along, around, across;
  for (std::size_t i = 0; i < heart.anatomy.mesh.node_count(); ++i) {
    const Vec3 p = heart.anatomy.mesh.points()[i];
    const Vec3 off =
        difference({c.apicobasal[i], c.rotational[i], c.transmural[i]}, heart.truth.place(p), c, axis_distance(p));
    along.push_back(off[0]), around.push_back(off[1]), across.push_back(off[2]);
  }
  // On tets of 2.5 mm. The rounded rim of the cut counts as base, which makes meridians up to an edge shorter.
  EXPECT_LT(quantile(along, 0.5), 0.6);
  EXPECT_LT(quantile(along, 0.95), 2);
  EXPECT_LT(quantile(around, 0.95), 0.5);
  EXPECT_LT(quantile(across, 0.5), 0.25);
  EXPECT_LT(quantile(across, 0.95), 0.8);
  // 75.5 and 27.5 mm are the semi-axes of the middle of the wall; 95.5 mm its meridian.
  EXPECT_NEAR(c.meridian, 95.5, 2);
  EXPECT_NEAR(c.wall_thickness, 9, 0.6);
}

TEST(Coordinates, RiseAlongTheWallAcrossItAndAroundIt) {
  const Heart& heart = left_heart();
  double before = -1;
  for (double a = 0.03; a < 0.98; a += 0.03) {
    const auto found = heart.atlas.at(heart.truth.position({a, 200, 0.5}));
    EXPECT_GT(found.place.apicobasal, before) << a;
    before = found.place.apicobasal;
  }
  before = -1;
  for (double t = 0; t <= 1; t += 0.1) {
    const auto found = heart.atlas.at(heart.truth.position({0.6, 45, t}));
    EXPECT_GT(found.place.transmural, before) << t;
    before = found.place.transmural;
  }
  // Once around: the only step back is the cut at the septum's middle.
  int cuts = 0;
  before = heart.atlas.at(heart.truth.position({0.6, 2, 0.5})).place.rotational;
  for (double r = 7; r <= 362; r += 5) {
    const double here = heart.atlas.at(heart.truth.position({0.6, r, 0.5})).place.rotational;
    EXPECT_NEAR(std::remainder(here - before, 360), 5, 1.5) << r;
    cuts += here < before;
    before = here;
  }
  EXPECT_EQ(cuts, 1);
}

TEST(Coordinates, TurningAndMovingTheHeartChangesNothing) {
  const Heart& still = left_heart();
  const Mat3 turn = (Eigen::AngleAxisd(1.1, Vec3::UnitX()) * Eigen::AngleAxisd(-2.3, Vec3::UnitZ())).toRotationMatrix();
  const Vec3 shift(-40, 70, 110);
  Anatomy turned = still.anatomy;
  std::vector<Vec3> points;
  for (const Vec3& p : turned.mesh.points()) points.push_back(turn * p + shift);
  turned.mesh = Mesh(std::move(points), {turned.mesh.tets().begin(), turned.mesh.tets().end()},
                     {turned.mesh.labels().begin(), turned.mesh.labels().end()});
  turned.apex = turn * turned.apex + shift, turned.base_centre = turn * turned.base_centre + shift;
  turned.septum = turn * turned.septum;
  const auto c = ventricular_coordinates(turned);
  const auto& wanted = still.atlas.coordinates();
  // Rounding of positions, through solves to a relative residual of 1e-6; ties of equal slopes may fall otherwise.
  std::vector<double> off;
  for (std::size_t i = 0; i < c.apicobasal.size(); ++i) {
    off.push_back(difference({c.apicobasal[i], c.rotational[i], c.transmural[i]},
                             {wanted.apicobasal[i], wanted.rotational[i], wanted.transmural[i]}, c, 30)
                      .maxCoeff());
  }
  EXPECT_LT(quantile(off, 0.99), 1e-3);
  EXPECT_LT(quantile(off, 1), 0.5);
}

TEST(Coordinates, HardlyDependOnTheEdge) {
  const Heart& fine = left_heart();
  meshes::PhantomOptions options = small_phantom();
  const Heart coarse(options, meshes::Chambers::left_ventricle, 4);
  std::vector<double> along, around, across;
  const auto& c = fine.atlas.coordinates();
  for (std::size_t i = 0; i < fine.anatomy.mesh.node_count(); i += 7) {
    const Vec3 p = fine.anatomy.mesh.points()[i];
    const Vec3 off =
        difference({c.apicobasal[i], c.rotational[i], c.transmural[i]}, coarse.atlas.at(p).place, c, axis_distance(p));
    along.push_back(off[0]), around.push_back(off[1]), across.push_back(off[2]);
  }
  // Half of the coarse edge at most; the base's rim and the shape of the surface itself differ by that much.
  EXPECT_LT(quantile(along, 0.95), 2);
  EXPECT_LT(quantile(around, 0.95), 1);
  EXPECT_LT(quantile(across, 0.95), 1.2);
}

TEST(Coordinates, SegmentsLieInTheirSectors) {
  const Heart& heart = left_heart();
  const auto& mesh = heart.anatomy.mesh;
  const int middle[17] = {0, 90, 30, 330, 270, 210, 150, 90, 30, 330, 270, 210, 150, 90, 0, 270, 180};
  for (std::size_t t = 0; t < mesh.tet_count(); t += 5) {
    const int aha = heart.anatomy.aha[t];
    if (aha < 1 || aha > 16) continue;
    const auto place = heart.atlas.at(mesh.centroid(t)).place;
    // The segments' straight axis and the wall's centre line are within a degree or two of each other.
    EXPECT_LT(apart(place.rotational, middle[aha]), (aha <= 12 ? 30 : 45) + 6) << t;
    if (aha <= 6) {
      EXPECT_GT(place.apicobasal, 0.6);
    }
    if (aha >= 13) {
      EXPECT_LT(place.apicobasal, 0.5);
    }
  }
}

TEST(Coordinates, PapillaryMusclesAndTrabeculaeAreNotTheWall) {
  const Heart &plain = left_heart(), &rough = papillary_heart();
  EXPECT_GT(rough.anatomy.mesh.tet_count(), plain.anatomy.mesh.tet_count());
  std::vector<double> along, around, across;
  const auto& c = plain.atlas.coordinates();
  for (std::size_t i = 0; i < plain.anatomy.mesh.node_count(); i += 5) {
    if (c.transmural[i] < 0.3) continue;
    const Vec3 p = plain.anatomy.mesh.points()[i];
    const Vec3 off =
        difference({c.apicobasal[i], c.rotational[i], c.transmural[i]}, rough.atlas.at(p).place, c, axis_distance(p));
    along.push_back(off[0]), around.push_back(off[1]), across.push_back(off[2]);
  }
  EXPECT_LT(quantile(along, 0.95), 2);
  EXPECT_LT(quantile(around, 0.95), 1);
  EXPECT_LT(quantile(across, 0.9), 1.2);  // below the roots the wall is thicker, and so it is cut otherwise
  // The middle of the anterolateral muscle: endocardial, at its angle, no higher than its tip.
  const auto inside = rough.atlas.at(
      Vec3(14 * std::cos(150 * std::numbers::pi / 180), 14 * std::sin(150 * std::numbers::pi / 180), -21));
  EXPECT_EQ(inside.off, 0);
  EXPECT_LT(inside.place.transmural, 0.1);
  EXPECT_NEAR(inside.place.rotational, 150, 5);
  EXPECT_LT(inside.place.apicobasal, 0.8);
}

TEST(Coordinates, BothVentriclesAreAnchoredWhereTheyMeet) {
  const Heart& heart = both_hearts();
  const auto& c = heart.atlas.coordinates();
  const Mesh& mesh = heart.anatomy.mesh;
  ASSERT_GT(c.seam.size(), 100u);
  std::vector<double> off;
  for (const auto& s : c.seam) {
    EXPECT_TRUE(s.rotational == 60 || s.rotational == 300);
    const double height = (mesh.points()[std::size_t(s.node)].z() + 80) / 90;
    if (height > 0.5) off.push_back(apart(c.rotational[std::size_t(s.node)], s.rotational));
  }
  // The seam is as thick as the right wall, 5 mm, on a radius of 30: 10 degrees; the anchor is its middle.
  EXPECT_LT(quantile(off, 0.5), 5);
  EXPECT_LT(quantile(off, 0.95), 12);
  double least = 360, most = 0;
  for (std::size_t i = 0; i < mesh.node_count(); ++i) {
    if (c.transventricular[i] != 1) continue;
    least = std::min(least, c.rotational[i]), most = std::max(most, c.rotational[i]);
    EXPECT_GT(mesh.points()[i].x(), 0);
  }
  EXPECT_GE(least, 60);
  EXPECT_LE(most, 300);
  EXPECT_LT(least, 75);
  EXPECT_GT(most, 285);
  // The free wall's middle, and its halves: anterior is +y.
  const auto at = [&](double y) { return heart.atlas.at(Vec3(54, y, -5)).place; };
  EXPECT_EQ(at(0).ventricle, Ventricle::right);
  EXPECT_NEAR(at(0).rotational, 180, 8);
  EXPECT_LT(at(15).rotational, at(0).rotational - 15);
  EXPECT_GT(at(-15).rotational, at(0).rotational + 15);
  // The septum's middle and the left free wall.
  EXPECT_LT(apart(heart.atlas.at(Vec3(27.5, 0, -10)).place.rotational, 0), 3);
  EXPECT_EQ(heart.atlas.at(Vec3(27.5, 0, -10)).place.ventricle, Ventricle::left);
  EXPECT_NEAR(heart.atlas.at(Vec3(-27.5, 0, -10)).place.rotational, 180, 3);
}

TEST(Coordinates, TagsAloneAreEnoughForBothVentricles) {
  const Heart& heart = both_hearts();
  Anatomy bare = heart.anatomy;
  bare.apex = bare.base_centre = bare.septum = Vec3::Zero();
  bare.depth.clear(), bare.height.clear(), bare.right.clear(), bare.aha.clear(), bare.sites.clear();
  complete_anatomy(bare);
  EXPECT_NO_THROW(bare.validate());
  EXPECT_LT((bare.base_centre - heart.anatomy.base_centre).norm(), 2);
  EXPECT_LT((bare.apex - heart.anatomy.apex).norm(), 5);
  EXPECT_GT(bare.septum.dot(heart.anatomy.septum), std::cos(3 * std::numbers::pi / 180));
  std::size_t other = 0;
  for (std::size_t t = 0; t < bare.aha.size(); ++t) other += bare.aha[t] != heart.anatomy.aha[t];
  EXPECT_LT(other, 0.05 * double(bare.aha.size()));
  EXPECT_EQ(bare.sites.size(), heart.anatomy.sites.size());
}

TEST(Coordinates, WhatIsMissingIsNamed) {
  Anatomy bare = left_heart().anatomy;
  bare.septum = Vec3::Zero();
  EXPECT_THROW(ventricular_coordinates(bare), InputError);
  for (const Surface gone : {Surface::endo, Surface::epi, Surface::base}) {
    Anatomy a = left_heart().anatomy;
    std::erase_if(a.surface, [&](const SurfaceFace& f) { return f.tag == gone; });
    EXPECT_THROW(ventricular_coordinates(a), InputError);
  }
  const Monitor stop{.progress = {}, .note = {}, .warning = {}, .cancelled = [] { return true; }};
  EXPECT_THROW(ventricular_coordinates(left_heart().anatomy, stop), Interrupted);
}

TEST(Coordinates, MapsHaveOneValuePerNodeAndAreContinuousAcrossTheCut) {
  const auto& c = left_heart().atlas.coordinates();
  const auto maps = coordinate_maps(c);
  ASSERT_EQ(maps.size(), 6u);
  for (const auto& map : maps) {
    EXPECT_EQ(map.values.size(), left_heart().anatomy.mesh.node_count()) << map.name;
  }
  for (std::size_t i = 0; i < c.rotational.size(); i += 11) {
    const double angle = std::atan2(maps[4].values[i], maps[3].values[i]) * 180 / std::numbers::pi;
    EXPECT_LT(apart(angle, c.rotational[i]), 1e-9);
  }
}

// Two real hearts, 13 and 10 mm slices: nothing is known of their coordinates but what holds in every heart.
TEST(Coordinates, RealHeartsHaveThem) {
  const auto folder = std::filesystem::path(CARDIOTWIN_SHARED) / "data" / "lge";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "the real cases are not here: " << folder;
  for (const std::string which : {"samplePositive", "sampleNegative"}) {
    const auto twin =
        meshes::build_twin(folder / (which + "_Images.nii.gz"), folder / (which + "_Contours.nii.gz"), {.edge = 3});
    const Anatomy& a = twin.anatomy;
    const Atlas atlas(a);
    const auto& c = atlas.coordinates();
    EXPECT_GT(c.meridian, 50);
    EXPECT_LT(c.meridian, 130);
    EXPECT_GT(c.wall_thickness, 5);
    EXPECT_LT(c.wall_thickness, 16);
    // Every place exists and is found where it was looked for.
    std::vector<double> off;
    for (double height = 0.1; height < 0.95; height += 0.1)
      for (double angle = 5; angle < 360; angle += 30)
        for (const double depth : {0.1, 0.5, 0.9}) off.push_back(atlas.at(Place{height, angle, depth}).off);
    EXPECT_LT(quantile(off, 0.95), 0.5) << which;
    // Segments and angles tell the same.
    std::size_t other = 0, all = 0;
    for (std::size_t t = 0; t < a.mesh.tet_count(); ++t) {
      if (a.aha[t] < 1 || a.aha[t] > 12) continue;
      const int middle[6] = {90, 30, 330, 270, 210, 150};
      ++all, other += apart(atlas.at(a.mesh.centroid(t)).place.rotational, middle[(a.aha[t] - 1) % 6]) > 40;
    }
    EXPECT_LT(double(other), 0.1 * double(all)) << which;
  }
}
