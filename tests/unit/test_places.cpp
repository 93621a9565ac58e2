// Places found in a heart and carried to another one; their names; valve rings.
#include <gtest/gtest.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cardiotwin/random.hpp>
#include <cardiotwin/valves.hpp>
#include <cmath>
#include <limits>
#include <numbers>

#include "../../libcardiotwin/src/tet_tree.hpp"
#include "../../libcardiotwin/src/trajectory.hpp"
#include "coordinate_hearts.hpp"

using namespace cardiotwin;
using namespace cardiotwin::tests;

namespace {

double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values.at(static_cast<std::size_t>(share * static_cast<double>(values.size() - 1)));
}

}  // namespace

TEST(Places, ThereAndBackIsExactInOneHeart) {
  for (const auto* heart : {&left_heart(), &both_hearts(), &other_heart()}) {
    const auto& mesh = heart->anatomy.mesh;
    std::vector<double> off;
    for (std::size_t t = 0; t < mesh.tet_count(); t += 13) {
      const auto there = heart->atlas.at(mesh.centroid(t));
      EXPECT_EQ(there.tet, Index(t));
      EXPECT_LT(there.off, 1e-9);
      off.push_back((heart->atlas.at(there.place).position - mesh.centroid(t)).norm());
    }
    // Tets may overlap in the chart where the wall's surface is rough: there another point has the same coordinates.
    EXPECT_LT(quantile(off, 0.99), 1e-6);
    EXPECT_LT(quantile(off, 1), 5);
  }
}

TEST(Places, LieWhereTheEllipsoidsSay) {
  for (const auto* heart : {&left_heart(), &other_heart()}) {
    std::vector<double> off;
    for (double a = 0.05; a < 0.96; a += 0.1)
      for (double r = 10; r < 360; r += 25)
        for (const double t : {0.05, 0.5, 0.95}) {
          const Place place{a, r, t};
          off.push_back((heart->atlas.at(place).position - heart->truth.position(place)).norm());
        }
    EXPECT_LT(quantile(off, 0.5), 0.8);
    EXPECT_LT(quantile(off, 0.95), 2);  // edges of 2.5 mm
  }
}

TEST(Places, PointsMapOntoAHeartOfOtherSizeWallAndPose) {
  const Heart &from = left_heart(), &to = other_heart();
  std::vector<double> off;
  for (std::size_t i = 0; i < from.anatomy.mesh.node_count(); i += 17) {
    const Vec3 p = from.anatomy.mesh.points()[i];
    const auto there = map_point(from.atlas, p, to.atlas);
    off.push_back((there.position - to.truth.position(from.truth.place(p))).norm());
  }
  EXPECT_LT(quantile(off, 0.5), 1);
  EXPECT_LT(quantile(off, 0.95), 2.5);
  // And back to where it came from.
  off.clear();
  for (std::size_t i = 0; i < from.anatomy.mesh.node_count(); i += 17) {
    const Vec3 p = from.anatomy.mesh.points()[i];
    off.push_back((map_point(to.atlas, map_point(from.atlas, p, to.atlas).position, from.atlas).position - p).norm());
  }
  EXPECT_LT(quantile(off, 0.95), 0.5);
}

TEST(Places, FieldsMapOntoAnotherHeart) {
  const Heart &from = left_heart(), &to = other_heart();
  const auto value = [](const Place& p) {
    return Vec3(p.apicobasal, std::cos(p.rotational * std::numbers::pi / 180), p.transmural);
  };
  Map nodal{.name = "three", .unit = "mm", .components = 3};
  for (const Vec3& p : from.anatomy.mesh.points())
    for (const double v : value(from.truth.place(p))) nodal.values.push_back(v);
  const Map mapped = map_field(from.atlas, nodal, to.atlas);
  EXPECT_EQ(mapped.name, "three");
  EXPECT_EQ(mapped.unit, "mm");
  ASSERT_EQ(mapped.values.size(), 3 * to.anatomy.mesh.node_count());
  std::vector<double> off;
  for (std::size_t i = 0; i < to.anatomy.mesh.node_count(); ++i) {
    const Vec3 wanted = value(to.truth.place(to.anatomy.mesh.points()[i]));
    off.push_back((Vec3(mapped.values[3 * i], mapped.values[3 * i + 1], mapped.values[3 * i + 2]) - wanted).norm());
  }
  EXPECT_LT(quantile(off, 0.5), 0.04);
  EXPECT_LT(quantile(off, 0.95), 0.15);  // a millimetre of the wall is a tenth

  Map segments{.name = "aha", .at = Location::tet};
  segments.values.assign(from.anatomy.aha.begin(), from.anatomy.aha.end());
  const Map there = map_field(from.atlas, segments, to.atlas);
  ASSERT_EQ(there.values.size(), to.anatomy.mesh.tet_count());
  std::size_t same = 0;
  for (std::size_t t = 0; t < there.values.size(); ++t) same += there.values[t] == to.anatomy.aha[t];
  EXPECT_GT(double(same), 0.85 * double(there.values.size()));  // thirds of the axis are not thirds of the meridian

  nodal.values.pop_back();
  EXPECT_THROW(map_field(from.atlas, nodal, to.atlas), InputError);
}

TEST(Places, AFieldStaysUnknownWhereItIsUnknownOrTheVentricleIsMissing) {
  const Heart &left = left_heart(), &both = both_hearts();
  Map nodal{.name = "lat", .unit = "ms"};
  nodal.values.assign(left.anatomy.mesh.node_count(), 1);
  for (std::size_t i = 0; i < nodal.values.size(); ++i)
    if (left.anatomy.mesh.points()[i].z() < -40) nodal.values[i] = std::numeric_limits<double>::quiet_NaN();
  const Map mapped = map_field(left.atlas, nodal, both.atlas);
  const auto& c = both.atlas.coordinates();
  for (std::size_t i = 0; i < mapped.values.size(); ++i) {
    const double z = both.anatomy.mesh.points()[i].z();
    if (c.transventricular[i] == 1 || z < -46) {
      EXPECT_TRUE(std::isnan(mapped.values[i])) << i;
    }
    if (c.transventricular[i] == 0 && z > -34) {
      EXPECT_NEAR(mapped.values[i], 1, 1e-12) << i;
    }
  }
  EXPECT_THROW(map_point(both.atlas, Vec3(54, 0, -5), left.atlas), InputError);
}

TEST(Places, OutsideIsSaidInMillimetres) {
  const auto& atlas = left_heart().atlas;
  EXPECT_NEAR(atlas.at(Vec3(0, -40, 0)).off, 8, 0.7);  // the epicardium is 32 mm from the axis
  EXPECT_NEAR(atlas.at(Vec3(0, -40, 0)).position.y(), -32, 0.7);
  EXPECT_NEAR(atlas.at(Vec3(0, 0, 0)).off, 23, 0.8);
  EXPECT_LT(atlas.at(Place{0.5, 725 - 720, 0.5}).off, 1e-9);
  EXPECT_THROW(atlas.at(Place{1.1, 0, 0}), InputError);
  EXPECT_THROW(atlas.at(Place{0.5, 0, -0.1}), InputError);
  EXPECT_THROW(atlas.at(Place{0.5, 0, 0.5, Ventricle::right}), InputError);
  EXPECT_THROW(atlas.at(Vec3(0, NAN, 0)), InputError);
  EXPECT_THROW(Atlas(left_heart().anatomy.mesh, Coordinates()), InputError);
}

TEST(Places, HaveNamesInWords) {
  EXPECT_EQ(place_words({0.9, 30, 0.5}, 2), "basal anteroseptal, mid-wall, LV");
  EXPECT_EQ(place_words({0.9, 30, 0.9}, 2), "basal anteroseptal, right side of the septum, LV");
  EXPECT_EQ(place_words({0.5, 200, 0.1}, 11), "mid inferolateral, subendocardial, LV");
  EXPECT_EQ(place_words({0.01, 0, 0.9}, 17), "apex, subepicardial, LV");
  EXPECT_EQ(place_words({0.5, 100, 0.5}, 0), "mid anterior, mid-wall, LV");
  EXPECT_EQ(place_words({0.8, 100, 0.5, Ventricle::right}, 0), "basal anterior free wall, mid-wall, RV");
  const Heart& heart = both_hearts();
  EXPECT_EQ(place_words(heart.anatomy, Vec3(0, 27.5, 5)), "basal anterior, mid-wall, LV");
  EXPECT_EQ(place_words(heart.anatomy, Vec3(0, -23.5, -20)), "mid inferior, subendocardial, LV");
  EXPECT_EQ(place_words(heart.anatomy, Vec3(54, 0, 0)).substr(0, 23), "basal lateral free wall");
  Anatomy block;
  block.mesh = box_mesh({2, 2, 2}, 1);
  EXPECT_EQ(place_words(block, Vec3::Zero()), "");
}

TEST(ValveRings, AreTheRimsOfTheCavities) {
  const auto left = valve_rings(left_heart().anatomy);
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].name, "mitral_aortic");
  EXPECT_EQ(left[0].endocardium, Surface::endo);
  // A circle of 22.8 mm at z = 10; the rounding of the cut's rim widens it and lowers it by a part of an edge.
  EXPECT_LT(left[0].centre.head<2>().norm(), 0.7);
  EXPECT_NEAR(left[0].centre.z(), 9.2, 1.2);
  EXPECT_NEAR(left[0].perimeter, 143, 0.07 * 143);
  EXPECT_NEAR(left[0].area, 1629, 0.1 * 1629);
  EXPECT_GT(left[0].normal.z(), 0.999);
  // In order: neighbours share an edge, and the loop turns once around, counter-clockwise from above.
  const auto adjacency = node_adjacency(left_heart().anatomy.mesh);
  const auto& nodes = left[0].nodes;
  double turned = 0;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Index a = nodes[i], b = nodes[(i + 1) % nodes.size()];
    const auto near = adjacency.of(std::size_t(a));
    EXPECT_TRUE(std::find(near.begin(), near.end(), b) != near.end());
    const Vec3 p = left_heart().anatomy.mesh.points()[std::size_t(a)],
               q = left_heart().anatomy.mesh.points()[std::size_t(b)];
    turned += std::remainder(std::atan2(q.y(), q.x()) - std::atan2(p.y(), p.x()), 2 * std::numbers::pi);
  }
  EXPECT_NEAR(turned, 2 * std::numbers::pi, 1e-6);

  const auto both = valve_rings(both_hearts().anatomy);
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(both[1].name, "tricuspid_pulmonary");
  EXPECT_EQ(both[1].endocardium, Surface::endo_rv);
  EXPECT_GT(both[1].centre.x(), 30);
  EXPECT_LT(std::abs(both[1].centre.y()), 1);
}

// A plate with three square holes: two of the left endocardium, one of the right.
TEST(ValveRings, OfTwoTheAorticOneIsNearerToTheSeptum) {
  const Mesh box = box_mesh({14, 6, 1}, 1);
  std::vector<Tet> tets;
  const auto in_hole = [](const Vec3& c, double low) {
    return c.x() > low && c.x() < low + 2 && c.y() > 2 && c.y() < 4;
  };
  for (std::size_t t = 0; t < box.tet_count(); ++t) {
    const Vec3 c = box.centroid(t);
    const bool hole = in_hole(c, 1) || (c.x() > 5 && c.x() < 8 && c.y() > 1 && c.y() < 5) || in_hole(c, 11);
    if (!hole) tets.push_back(box.tets()[t]);
  }
  std::vector<Index> place(box.node_count(), -1);
  std::vector<Vec3> points;
  for (auto& tet : tets)
    for (Index& node : tet) {
      auto& at = place[std::size_t(node)];
      if (at < 0) at = Index(points.size()), points.push_back(box.points()[std::size_t(node)]);
      node = at;
    }
  Anatomy a;
  const std::size_t count = tets.size();
  a.mesh = Mesh(std::move(points), std::move(tets), std::vector<Label>(count, region::healthy));
  for (const auto& face : boundary_faces(a.mesh)) {
    Vec3 c = Vec3::Zero();
    for (const Index node : face.nodes) c += a.mesh.points()[std::size_t(node)] / 3;
    const bool rim = c.x() < 0.1 || c.x() > 13.9 || c.y() < 0.1 || c.y() > 5.9;
    const Surface tag = c.z() > 0.99          ? Surface::base
                        : c.z() < 0.01 || rim ? Surface::epi
                        : c.x() < 9           ? Surface::endo
                                              : Surface::endo_rv;
    a.surface.push_back({face.nodes, face.tet, tag});
  }
  a.apex = Vec3(6, 3, -30), a.base_centre = Vec3(6, 3, 1);
  const auto names = [&] {
    std::vector<std::string> all;
    for (const auto& ring : valve_rings(a)) all.push_back(ring.name);
    return all;
  };
  a.septum = Vec3(1, 0, 0);  // towards the larger hole
  EXPECT_EQ(names(), (std::vector<std::string>{"aortic", "mitral", "tricuspid_pulmonary"}));
  a.septum = Vec3(-1, 0, 0);
  EXPECT_EQ(names(), (std::vector<std::string>{"mitral", "aortic", "tricuspid_pulmonary"}));
  for (const auto& ring : valve_rings(a)) {
    EXPECT_GT(ring.normal.z(), 0.999);
  }
  std::erase_if(a.surface, [](const SurfaceFace& f) { return f.tag == Surface::base; });
  EXPECT_THROW(valve_rings(a), InputError);
}

TEST(TetTree, FindsTheNearestOfAllTets) {
  const Mesh mesh = lattice_block({8, 6, 5}, 1.3);
  const TetTree tree(mesh);
  Random random(3);
  for (int i = 0; i < 200; ++i) {
    const Vec3 p(random.uniform() * 14 - 3, random.uniform() * 12 - 3, random.uniform() * 11 - 3);
    double least = 1e9;
    for (std::size_t t = 0; t < mesh.tet_count(); ++t)
      least = std::min(least, TetTree(mesh.points(), mesh.tets(), {Index(t)}).nearest(p).squared);
    const auto hit = tree.nearest(p);
    EXPECT_NEAR(hit.squared, least, 1e-12);
    Vec3 foot = Vec3::Zero();
    for (std::size_t k = 0; k < 4; ++k)
      foot += hit.weight[k] * mesh.points()[std::size_t(mesh.tets()[std::size_t(hit.tet)][k])];
    EXPECT_NEAR((foot - p).squaredNorm(), hit.squared, 1e-9);
  }
  EXPECT_EQ(TetTree(mesh.points(), mesh.tets(), {}).nearest(Vec3::Zero()).tet, -1);
}

// Straight down in a block the length is the height; a pit on the way must not hold a path.
TEST(Trajectory, LengthsAreThoseOfStraightPathsAndPitsHoldNone) {
  const Mesh mesh = box_mesh({4, 4, 10}, 1);
  std::vector<double> u, given;
  for (const Vec3& p : mesh.points()) {
    u.push_back(p.z());
    given.push_back(p.z() < 0.5 ? 0.25 : std::numeric_limits<double>::quiet_NaN());
  }
  const auto straight = descent_length(mesh, u, given);
  for (std::size_t i = 0; i < u.size(); ++i) {
    EXPECT_NEAR(straight[i], mesh.points()[i].z() + 0.25, 1e-9);
  }
  const auto pit = std::size_t(std::find_if(mesh.points().begin(), mesh.points().end(),
                                            [](const Vec3& p) { return (p - Vec3(2, 2, 6)).norm() < 0.1; }) -
                               mesh.points().begin());
  u[pit] = 4;
  const auto around = descent_length(mesh, u, given);
  EXPECT_GT(around[pit], 4);
  EXPECT_LT(around[pit], 9);
  for (const double length : around) {
    EXPECT_LT(length, 13);
  }
  EXPECT_THROW(descent_length(mesh, u, std::vector<double>(u.size(), std::numeric_limits<double>::quiet_NaN())),
               NumericalError);
}
