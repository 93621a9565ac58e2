#include <gtest/gtest.h>

#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cardiotwin/purkinje.hpp>
#include <cardiotwin/simulation.hpp>
#include <cardiotwin/surface_distance.hpp>
#include <cmath>

#include "tube_anatomy.hpp"

using namespace cardiotwin;
using namespace cardiotwin::tests;

namespace {

// On a cavity of 10 mm by 30 mm everything is smaller than in a heart.
PurkinjeOptions small() {
  PurkinjeOptions o;
  o.segment = 0.5, o.length = 3, o.trunk = 5, o.fascicle = 6, o.generations = 8;
  return o;
}

const Anatomy& tube() {
  static const Anatomy a = tube_anatomy();
  return a;
}
const PurkinjeTree& tree() {
  static const PurkinjeTree grown = grow_purkinje(tube(), small());
  return grown;
}

// Least distance of two segments (Ericson, Real-Time Collision Detection, section 5.1.9, by sampling the first).
double distance(const Vec3& a, const Vec3& b, const Vec3& c, const Vec3& d) {
  double least = INFINITY;
  for (int k = 0; k <= 20; ++k) {
    const Vec3 p = a + k / 20.0 * (b - a);
    const double along = std::clamp((p - c).dot(d - c) / (d - c).squaredNorm(), 0.0, 1.0);
    least = std::min(least, (p - c - along * (d - c)).norm());
  }
  return least;
}

// Steps up the tree from `i` to the point where its way meets that of `j`.
int steps_to_meeting(const PurkinjeTree& t, Index i, Index j) {
  std::vector<Index> way;
  for (Index k = j; k >= 0; k = t.parent[k]) way.push_back(k);
  int steps = 0;
  for (Index k = i; std::find(way.begin(), way.end(), k) == way.end(); k = t.parent[k]) ++steps;
  return steps;
}

}  // namespace

TEST(Purkinje, TreeStaysOnTheEndocardiumInStepsOfOneSegment) {
  std::vector<Triangle> endo;
  for (const auto& face : tube().surface)
    if (face.tag == Surface::endo) endo.push_back(face.nodes);
  const SurfaceDistance to_endo(tube().mesh.points(), endo);
  ASSERT_GT(tree().points.size(), 300u);
  for (std::size_t i = 0; i < tree().points.size(); ++i) {
    ASSERT_LT(to_endo(tree().points[i]), 1e-9);
    if (const Index from = tree().parent[i]; from >= 0) {
      ASSERT_LT(from, Index(i));
      const double step = (tree().points[i] - tree().points[from]).norm();
      ASSERT_LE(step, 0.505);  // feet on facets that meet at 5 degrees
      ASSERT_GE(step, 0.25 - 1e-9);
    }
  }
}

// Tips keep one segment from other branches' points, and segments are no longer: what is left between two of them is
// more than half of one. Sisters are nearer only for the steps in which they part.
TEST(Purkinje, TreeNeverCrossesItself) {
  const auto& t = tree();
  for (Index i = 1; i < Index(t.points.size()); ++i) {
    for (Index j = 1; j < i; ++j) {
      if ((t.points[i] - t.points[j]).norm() > 1.5) continue;
      if (std::max(steps_to_meeting(t, i, j), steps_to_meeting(t, j, i)) < 7) continue;
      ASSERT_GT(distance(t.points[i], t.points[t.parent[i]], t.points[j], t.points[t.parent[j]]), 0.25)
          << i << " and " << j;
    }
  }
}

TEST(Purkinje, TreeCoversTheEndocardium) {
  EXPECT_GT(tree().junctions(), 30u);
  int far = 0, all = 0;
  for (const auto& face : tube().surface) {
    if (face.tag != Surface::endo) continue;
    double nearest = INFINITY;
    for (std::size_t i = 0; i < tree().points.size(); ++i)
      nearest = std::min(nearest, (tree().points[i] - tube().mesh.points()[face.nodes[0]]).norm());
    far += nearest > 6, ++all;
  }
  EXPECT_LT(far, all / 10);  // twice a branch's length
}

TEST(Purkinje, SeedDecidesAndNothingElse) {
  const auto again = grow_purkinje(tube(), small());
  EXPECT_EQ(again.points, tree().points);
  EXPECT_EQ(again.parent, tree().parent);
  auto other = small();
  other.seed = 8;
  EXPECT_NE(grow_purkinje(tube(), other).points, tree().points);
}

TEST(Purkinje, TimesAreTheWayAlongTheTreeOverTheVelocity) {
  PurkinjeTree fork;
  fork.points = {{0, 0, 0}, {3, 0, 0}, {3, 4, 0}, {5, 0, 0}, {9, 9, 9}};
  fork.parent = {-1, 0, 1, 1, -1}, fork.right = {0, 0, 0, 0, 1}, fork.junction = {0, 0, 1, 1, 1};
  PurkinjeOptions o;
  o.velocity = 2, o.right_delay = 7;
  EXPECT_EQ(purkinje_times(fork, o), (std::vector<double>{0, 1.5, 3.5, 2.5, 7}));
  EXPECT_EQ(fork.junctions(), 3u);
  EXPECT_DOUBLE_EQ(fork.length(), 9);
  const auto file = to_foreign(fork, o);
  EXPECT_NO_THROW(file.validate());
  EXPECT_EQ(file.lines.size(), 3u);
}

TEST(Purkinje, BeatsStartEveryNodeOnceABeatFromItsEarliestJunction) {
  PurkinjeOptions o = small();
  o.junction_delay = 4;
  const auto protocol = purkinje_beats(tube(), tree(), {.s1 = 500, .beats = 2}, o);
  const auto times = purkinje_times(tree(), o);
  double first = INFINITY, last = 0;
  for (std::size_t i = 0; i < times.size(); ++i)
    if (tree().junction[i]) first = std::min(first, times[i]), last = std::max(last, times[i]);
  std::map<Index, std::vector<double>> starts;
  for (const auto& s : protocol.stimuli)
    for (const Index node : s.nodes) starts[node].push_back(s.start);
  double earliest = INFINITY, latest = 0;
  for (auto& [node, at] : starts) {
    ASSERT_EQ(at.size(), 2u);
    std::sort(at.begin(), at.end());
    ASSERT_NEAR(at[1] - at[0], 500, 1e-9);
    earliest = std::min(earliest, at[0]), latest = std::max(latest, at[0]);
  }
  EXPECT_NEAR(earliest, first + 4, 0.051);  // rounded to a tenth
  EXPECT_LE(latest, last + 4 + 0.051);
}

TEST(Purkinje, DeadMuscleIsNotStarted) {
  Anatomy scarred = tube();
  std::vector<Label> labels;
  for (std::size_t t = 0; t < scarred.mesh.tet_count(); ++t)
    labels.push_back(scarred.mesh.centroid(t).x() < 0 ? region::core : region::healthy);
  scarred.mesh = Mesh({scarred.mesh.points().begin(), scarred.mesh.points().end()},
                      {scarred.mesh.tets().begin(), scarred.mesh.tets().end()}, labels);
  scarred.regions[region::core] = "core";
  std::string warning;
  Monitor monitor;
  monitor.warning = [&](std::string_view text) { warning = text; };
  for (const auto& s : purkinje_beats(scarred, tree(), {.beats = 1}, small(), monitor).stimuli)
    for (const Index node : s.nodes) ASSERT_GT(scarred.mesh.points()[node].x(), -1e-6);
  EXPECT_NE(warning.find("lie on dead tissue"), std::string::npos) << warning;
}

TEST(Purkinje, ABeatActivatesTheMuscleAtItsJunctions) {
  Twin twin;
  twin.anatomy = tube(), twin.tissue = Tissue::library("post-infarct");
  Simulation sim(twin, {.dt = natural_dt(twin)});
  sim.add(purkinje_beats(twin.anatomy, tree(), {.beats = 1}, small()));
  const auto& lat = sim.add(ActivationMap{});
  sim.run(80);
  const auto times = purkinje_times(tree(), small());
  double latest = 0;
  for (std::size_t i = 0; i < times.size(); ++i)
    if (tree().junction[i]) latest = std::max(latest, times[i]);
  double endo = 0, all = 0;
  for (std::size_t i = 0; i < lat.map().values.size(); ++i) {
    const Vec3& p = twin.anatomy.mesh.points()[i];
    ASSERT_TRUE(std::isfinite(lat.map().values[i]));
    all = std::max(all, lat.map().values[i]);
    if (std::hypot(p.x(), p.y()) < Tube::inner + 0.01) endo = std::max(endo, lat.map().values[i]);
  }
  // The last of the endocardium is a few millimetres from a junction; 10 mm of wall at some 0.4 m/s come after.
  EXPECT_LT(endo, latest + 3 + 25);
  EXPECT_LT(all, endo + 40);
  EXPECT_GT(all, 15);
}

TEST(Purkinje, WhatCannotGrowIsRefused) {
  auto bad = small();
  bad.angle = 2;
  EXPECT_THROW(grow_purkinje(tube(), bad), InputError);
  bad = small(), bad.trunk = 60;  // longer than the tube
  EXPECT_THROW(grow_purkinje(tube(), bad), InputError);
  Anatomy bare = tube();
  bare.surface.clear();
  EXPECT_THROW(grow_purkinje(bare, small()), InputError);
  bare = tube(), bare.septum = Vec3::Zero();
  EXPECT_THROW(grow_purkinje(bare, small()), InputError);
  auto rooted = small();
  rooted.root_lv = Vec3(10, 0, 24);
  EXPECT_NO_THROW(grow_purkinje(bare, rooted));
}
