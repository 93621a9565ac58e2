// Points measured on a heart whose truth is known, moved, spoiled and brought back.
#include <gtest/gtest.h>

#include <Eigen/Geometry>
#include <cardiotwin/error.hpp>
#include <cardiotwin/random.hpp>
#include <cardiotwin/registration.hpp>
#include <cardiotwin/surface_distance.hpp>
#include <numeric>

#include "coordinate_hearts.hpp"
#include "synthetic_ecg.hpp"

namespace cardiotwin {
namespace {

using synthetic::expect_refused;

Vec3 random_vector(Random& random) { return {random.normal(), random.normal(), random.normal()}; }

Placement random_placement(Random& random, double shift, double scale = 1) {
  const Eigen::Quaterniond turn(random.normal(), random.normal(), random.normal(), random.normal());
  return {
      .rotation = turn.normalized().toRotationMatrix(), .translation = shift * random_vector(random), .scale = scale};
}

double rms(const std::vector<Vec3>& a, const std::vector<Vec3>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]).squaredNorm();
  return std::sqrt(sum / static_cast<double>(a.size()));
}

bool says(const std::vector<Finding>& findings, const std::string& words) {
  return std::ranges::any_of(findings, [&](const Finding& f) { return f.text.find(words) != std::string::npos; });
}

// Points anywhere on a surface, each triangle as likely as it is large.
std::vector<Vec3> sampled(const MappedSurface& surface, std::size_t count, Random& random) {
  const auto corner = [&](std::size_t t, std::size_t k) -> const Vec3& {
    return surface.points[static_cast<std::size_t>(surface.triangles[t][k])];
  };
  std::vector<double> area;
  for (std::size_t t = 0; t < surface.triangles.size(); ++t)
    area.push_back((corner(t, 1) - corner(t, 0)).cross(corner(t, 2) - corner(t, 0)).norm());
  std::partial_sum(area.begin(), area.end(), area.begin());
  std::vector<Vec3> points;
  while (points.size() < count) {
    const auto found = std::ranges::upper_bound(area, random.uniform() * area.back());
    const auto t = static_cast<std::size_t>(found - area.begin());
    double u = random.uniform(), v = random.uniform();
    if (u + v > 1) u = 1 - u, v = 1 - v;
    points.push_back(corner(t, 0) + u * (corner(t, 1) - corner(t, 0)) + v * (corner(t, 2) - corner(t, 0)));
  }
  return points;
}

// A patient's map: true places, and what the mapping system gives of them.
struct Mapped {
  std::vector<Vec3> truth, given, landmarks, given_landmarks;
  Placement back;  // given to truth
};

Mapped mapped(const Anatomy& heart, const MappedSurface& surface, std::uint64_t seed, double noise, double stray,
              double landmark_noise, double scale, std::size_t count = 400) {
  Random random(seed);
  Mapped map;
  map.back = random_placement(random, 100, scale);
  const Placement away = map.back.inverse();
  map.truth = sampled(surface, count, random);
  for (const auto& p : map.truth) {
    const bool strays = random.uniform() < stray;
    map.given.push_back(away.apply(p + (strays ? 25.0 : noise) * random_vector(random)));
  }
  map.landmarks = {heart.apex, heart.base_centre, heart.base_centre + 30 * heart.septum};
  for (const auto& tag : {Surface::epi}) {
    const auto epi = sampled(mapped_surface(heart, {tag}), 2, random);
    map.landmarks.insert(map.landmarks.end(), epi.begin(), epi.end());
  }
  for (const auto& p : map.landmarks)
    map.given_landmarks.push_back(away.apply(p + landmark_noise * random_vector(random)));
  return map;
}

// ---- landmarks

TEST(Landmarks, any_motion_is_undone_exactly) {
  Random random(11);
  for (int trial = 0; trial < 50; ++trial) {
    std::vector<Vec3> from;
    for (int i = 0; i < 3 + trial % 4; ++i) from.push_back(40 * random_vector(random));
    const double scale = trial % 2 ? random.uniform(0.6, 1.6) : 1;
    const auto truth = random_placement(random, 200, scale);
    const auto found = place_by_landmarks(from, truth.apply(from), trial % 2);
    EXPECT_LT(rms(found.placement.apply(from), truth.apply(from)), 1e-10);
    EXPECT_LT((found.placement.rotation - truth.rotation).norm(), 1e-11);
    EXPECT_NEAR(found.placement.scale, scale, 1e-12);
    EXPECT_LT(found.rms, 1e-10);
    EXPECT_LT(rms(truth.inverse().apply(truth.apply(from)), from), 1e-10);
    found.placement.validate();
  }
}

TEST(Landmarks, no_placement_nearby_is_better) {
  Random random(12);
  std::vector<Vec3> from, to;
  for (int i = 0; i < 6; ++i)
    from.push_back(40 * random_vector(random)), to.push_back(from.back() + 5 * random_vector(random));
  const auto best = place_by_landmarks(from, to, true);
  EXPECT_GT(best.rms, 1);
  for (int trial = 0; trial < 200; ++trial) {
    Placement other = best.placement;
    other.rotation *= Eigen::AngleAxisd(1e-3, random_vector(random).normalized()).toRotationMatrix();
    other.translation += 0.05 * random_vector(random), other.scale *= 1 + 1e-3 * random.normal();
    EXPECT_GE(rms(other.apply(from), to), best.rms);
  }
}

TEST(Landmarks, a_mirror_image_is_not_taken_for_a_turn) {
  const std::vector<Vec3> from{{0, 0, 0}, {50, 0, 0}, {0, 40, 0}, {0, 0, 30}};
  std::vector<Vec3> to = from;
  for (auto& p : to) p.x() *= -1;
  const auto found = place_by_landmarks(from, to);
  EXPECT_NEAR(found.placement.rotation.determinant(), 1, 1e-12);
  EXPECT_GT(found.rms, 5);
}

TEST(Landmarks, bad_pairs_are_refused_in_a_sentence) {
  const std::vector<Vec3> good{{0, 0, 0}, {60, 0, 0}, {0, 50, 0}};
  expect_refused([&] { place_by_landmarks(good, std::vector<Vec3>{{0, 0, 0}}); }, "3 points cannot be paired with 1");
  const std::vector<Vec3> two{{0, 0, 0}, {60, 0, 0}};
  expect_refused([&] { place_by_landmarks(two, two); }, "2 pairs are too few; at least three");
  const std::vector<Vec3> line{{0, 0, 0}, {60, 0.1, 0}, {30, 0, 0}}, same(3, Vec3(1, 2, 3));
  expect_refused([&] { place_by_landmarks(line, good); }, "the given points lie on one line");
  expect_refused([&] { place_by_landmarks(good, same); }, "the heart's points lie on one line");
  auto hole = good;
  hole[1].y() = NAN;
  expect_refused([&] { place_by_landmarks(hole, good); }, "pair 1 is not finite");
  auto metres = good;
  for (auto& p : metres) p /= 1000;
  expect_refused([&] { place_by_landmarks(metres, good); }, "look like m;");
  for (auto& p : metres) p *= 100;
  expect_refused([&] { place_by_landmarks(metres, good, true); }, "look like cm; convert them to mm");
}

TEST(Landmarks, a_pair_that_is_another_structure_is_named) {
  const std::vector<Vec3> from{{0, 0, 0}, {60, 0, 0}, {0, 50, 0}, {0, 0, 70}, {40, 40, 0}};
  auto to = from;
  to[3] += Vec3(0, 40, 0);
  EXPECT_TRUE(place_by_landmarks(from, from).findings.empty());
  EXPECT_TRUE(says(place_by_landmarks(from, to).findings, "without landmark 3 by 0.0 mm: it is another structure"));
}

// ---- surface

const std::vector<Surface> both_sides{Surface::endo, Surface::endo_rv};

TEST(Registration, motion_noise_and_strays_are_undone) {
  const auto& heart = tests::both_hearts().anatomy;
  const auto surface = mapped_surface(heart, both_sides);
  const SurfaceDistance distance(surface.points, surface.triangles);
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    Random random(seed);
    const bool with_scale = seed % 2 == 0;
    const double scale = with_scale ? random.uniform(0.9, 1.1) : 1;
    const auto map = mapped(heart, surface, seed, 2, 0.05, 5, scale);
    const auto rough = place_by_landmarks(map.given_landmarks, map.landmarks, with_scale);
    const auto placed = place_on_surface(map.given, surface, rough.placement, {.with_scale = with_scale});
    // Each true place, as the placement found puts it, against where it is and against the surface.
    const auto given_truth = map.back.inverse().apply(map.truth);
    const auto found = placed.placement.apply(given_truth);
    double off = 0;
    for (const auto& p : found) off = std::max(off, distance(p));
    EXPECT_GT(rms(rough.placement.apply(given_truth), map.truth), 3) << seed;  // so there was something to undo
    EXPECT_LT(rms(found, map.truth), 1) << seed;
    EXPECT_NEAR(placed.placement.scale, scale, 0.01) << seed;
    EXPECT_GT(placed.set_aside, 5u) << seed;  // of some twenty strays, most of which land more than 10 mm off
    EXPECT_LT(placed.set_aside, 30u) << seed;
    EXPECT_TRUE(says(placed.findings, "were set aside")) << seed;
    EXPECT_LT(placed.loosest, 1) << seed;
    EXPECT_EQ(placed.kept.size() + placed.set_aside, map.given.size());
    for (const auto i : placed.kept) EXPECT_LE(placed.distances[i], 10);
  }
}

TEST(Registration, without_noise_the_placement_is_exact) {
  const auto& heart = tests::both_hearts().anatomy;
  const auto surface = mapped_surface(heart, both_sides);
  const auto map = mapped(heart, surface, 3, 0, 0.1, 5, 1.07);
  const auto rough = place_by_landmarks(map.given_landmarks, map.landmarks, true);
  const auto placed = place_on_surface(map.given, surface, rough.placement, {.with_scale = true});
  EXPECT_LT(rms(placed.placement.apply(map.back.inverse().apply(map.truth)), map.truth), 1e-3);
  EXPECT_NEAR(placed.placement.scale, 1.07, 1e-5);
}

TEST(Registration, strays_that_count_in_full_would_drag) {
  // What the trimming is for: the same strays, all on one side, move a plain mean by far more than the placement.
  const auto& heart = tests::both_hearts().anatomy;
  const auto surface = mapped_surface(heart, both_sides);
  auto map = mapped(heart, surface, 5, 1, 0, 3, 1);
  Vec3 drag = Vec3::Zero();
  for (std::size_t i = 0; i < map.given.size(); i += 8) {
    map.given[i] += Vec3(60, 0, 0);
    drag += Vec3(60, 0, 0) / static_cast<double>(map.given.size());
  }
  EXPECT_GT(drag.norm(), 7);
  const auto start = place_by_landmarks(map.given_landmarks, map.landmarks).placement;
  const auto placed = place_on_surface(map.given, surface, start);
  EXPECT_LT(rms(placed.placement.apply(map.back.inverse().apply(map.truth)), map.truth), 1);
}

TEST(Registration, heart_and_points_moved_together_leave_it_the_same) {
  const auto& heart = tests::both_hearts().anatomy;
  const auto surface = mapped_surface(heart, both_sides);
  Random random(21);
  const auto map = mapped(heart, surface, 6, 2, 0.05, 5, 1, 200);
  const auto start = place_by_landmarks(map.given_landmarks, map.landmarks).placement;
  const auto still = place_on_surface(map.given, surface, start, {.with_scale = true});
  for (int trial = 0; trial < 3; ++trial) {
    const auto a = random_placement(random, 150), b = random_placement(random, 150);
    const auto points = a.apply(map.given),
               nodes = b.apply(std::vector<Vec3>(surface.points.begin(), surface.points.end()));
    const MappedSurface moved{.points = nodes, .triangles = surface.triangles};
    const auto landmarks = place_by_landmarks(a.apply(map.given_landmarks), b.apply(map.landmarks));
    const auto placed = place_on_surface(points, moved, landmarks.placement, {.with_scale = true});
    EXPECT_LT(rms(placed.placement.apply(points), b.apply(still.placement.apply(map.given))), 1e-5);
    EXPECT_NEAR(placed.placement.scale, still.placement.scale, 1e-7);
    EXPECT_EQ(placed.kept, still.kept);
  }
}

TEST(Registration, without_landmarks_a_heart_with_two_ventricles_is_found_and_doubt_is_said) {
  const auto& heart = tests::both_hearts().anatomy;
  const auto surface = mapped_surface(heart, both_sides);
  const auto map = mapped(heart, surface, 9, 1, 0.02, 5, 1, 600);
  const auto placed = place_on_surface(map.given, surface);
  EXPECT_LT(rms(placed.placement.apply(map.back.inverse().apply(map.truth)), map.truth), 1);
  EXPECT_TRUE(says(placed.findings, "Placed without landmarks"));
  // One ventricle is a body of revolution but for its facets: any turn fits.
  const auto& round = tests::left_heart().anatomy;
  const auto endo = mapped_surface(round, {Surface::endo});
  const auto other = mapped(round, endo, 9, 1, 0.02, 5, 1);
  EXPECT_TRUE(says(place_on_surface(other.given, endo).findings, "other placements fit as well"));
}

TEST(Registration, what_the_surface_leaves_open_stays_as_the_start_has_it) {
  const auto& round = tests::left_heart().anatomy;
  const auto endo = mapped_surface(round, {Surface::endo});
  const auto map = mapped(round, endo, 4, 0.5, 0, 0, 1);
  const auto placed = place_on_surface(map.given, endo, map.back);
  EXPECT_LT(placed.moved, 1);
  EXPECT_LT(rms(placed.placement.apply(map.back.inverse().apply(map.truth)), map.truth), 1);
}

TEST(Registration, a_movement_that_the_surface_does_not_hold_is_told) {
  const auto& round = tests::left_heart().anatomy;
  const auto endo = mapped_surface(round, {Surface::endo});
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const auto map = mapped(round, endo, seed, 2, 0, 0, 1);
    const auto placed = place_on_surface(map.given, endo, map.back);
    EXPECT_TRUE(says(placed.findings, "The surface leaves a movement of")) << placed.loosest;
  }
}

TEST(Registration, points_of_another_frame_are_refused_with_the_cure) {
  const auto& heart = tests::both_hearts().anatomy;
  const auto surface = mapped_surface(heart, both_sides);
  const auto map = mapped(heart, surface, 2, 1, 0, 5, 1);
  expect_refused([&] { place_on_surface(map.given, surface, Placement{}); },
                 "so they are in another frame; give three");
  Random random(2);
  std::vector<Vec3> cloud;  // of a torso, not a heart
  for (int i = 0; i < 200; ++i) cloud.push_back(80 * random_vector(random));
  const auto said = synthetic::refusal([&] { place_on_surface(cloud, surface); });
  EXPECT_NE(said.find("are farther than 10 mm from the surface"), std::string::npos) << said;
  EXPECT_NE(said.find("give three or more pairs of landmarks"), std::string::npos) << said;
}

TEST(Registration, bad_input_is_refused_in_a_sentence) {
  const auto& heart = tests::left_heart().anatomy;
  const auto surface = mapped_surface(heart, {Surface::endo});
  Random random(1);
  auto points = sampled(surface, 20, random);
  const auto refused = [&](const std::vector<Vec3>& p, const SurfaceOptions& options, const std::string& words) {
    expect_refused([&] { place_on_surface(p, surface, Placement{}, options); }, words);
  };
  refused({points.begin(), points.begin() + 9}, {}, "9 points are too few for a surface; at least 10");
  refused(points, {.least_scale = 1.1}, "scales from 1.1 to 1.25 do not hold 1");
  refused(points, {.far = 0}, "far = 0 mm");
  points[4].z() = INFINITY;
  refused(points, {}, "point 4 is not finite");
  points[4].z() = 0;
  Placement mirror;
  mirror.rotation(0, 0) = -1;
  expect_refused([&] { place_on_surface(points, surface, mirror); }, "stretches or mirrors");
  expect_refused([&] { place_on_surface(points, surface, Placement{.scale = 0}); }, "scale of 0 is not positive");
  expect_refused([&] { mapped_surface(heart, {Surface::endo_rv}); }, "no face tagged \"endo_rv\"");
  expect_refused([&] { place_on_surface(points, {.points = surface.points, .triangles = {}}); }, "no triangle");
}

TEST(Registration, a_map_of_another_size_rests_on_the_bound_and_says_so) {
  const auto& heart = tests::both_hearts().anatomy;
  const auto surface = mapped_surface(heart, both_sides);
  const auto map = mapped(heart, surface, 7, 0.5, 0, 0, 1.4);
  Placement start = map.back;
  start.scale = 1.25, start.translation += 0.15 * (map.back.rotation * map.given[0]);
  const auto placed = place_on_surface(map.given, surface, start, {.with_scale = true, .far = 20});
  EXPECT_LE(placed.placement.scale, 1.25);
  EXPECT_TRUE(says(placed.findings, "came to rest at its bound, 1.25"));
}

TEST(MeasuredSites, read_a_linear_field_where_the_points_lie) {
  const auto& heart = tests::both_hearts().anatomy;
  const auto surface = mapped_surface(heart, both_sides);
  const auto map = mapped(heart, surface, 8, 0, 0.05, 0, 1);
  const auto placed = place_on_surface(map.given, surface, map.back);
  const auto sites = sites_on(surface, map.given, placed);
  ASSERT_EQ(sites.points, placed.kept);
  const Vec3 slope(0.3, -0.2, 0.7);
  std::vector<double> field;
  for (const auto& p : surface.points) field.push_back(slope.dot(p) + 5);
  const auto values = sites.values(field);
  std::size_t good = 0;
  for (std::size_t i = 0; i < sites.size(); ++i) {
    const auto& w = sites.weights[i];
    EXPECT_NEAR(w[0] + w[1] + w[2], 1, 1e-12);
    EXPECT_GE(std::min({w[0], w[1], w[2]}), 0);
    if (placed.distances[sites.points[i]] > 0.01) continue;  // strays
    EXPECT_NEAR(values[i], slope.dot(map.truth[sites.points[i]]) + 5, 0.01);
    ++good;
  }
  EXPECT_GT(good, 350u);
  field[static_cast<std::size_t>(sites.nodes[0][0])] = NAN;
  EXPECT_EQ(std::isnan(sites.values(field)[0]), sites.weights[0][0] > 0);
  expect_refused([&] { sites.values(std::vector<double>(3)); }, "it is of another mesh");
  expect_refused([&] { sites_on(surface, std::vector<Vec3>(3), placed); }, "give the same ones");
}

}  // namespace
}  // namespace cardiotwin
