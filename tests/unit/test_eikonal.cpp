#include <gtest/gtest.h>

#include <Eigen/Geometry>
#include <cardiotwin/eikonal.hpp>
#include <cardiotwin/error.hpp>
#include <cmath>
#include <numeric>

#include "support/blocks.hpp"

using namespace cardiotwin;

namespace {

// 10 x 6 x 4 mm with fibres that turn through it: healthy, border zone at x > 6, a core at x > 9.
Anatomy block() {
  Anatomy a = test::block_twin(lattice_block({10, 6, 4}, 1.0), {}).anatomy;
  a.mesh = test::relabel(a.mesh, [](const Vec3& c) {
    return c.x() > 9 ? region::core : c.x() > 6 ? region::border_zone : region::healthy;
  });
  for (std::size_t t = 0; t < a.mesh.tet_count(); ++t) {
    const Mat3 turn = Eigen::AngleAxis<double>(0.2 * a.mesh.centroid(t).z(), Vec3::UnitZ()).toRotationMatrix();
    a.fibers.f[t] = turn.col(0), a.fibers.s[t] = turn.col(1), a.fibers.n[t] = turn.col(2);
  }
  return a;
}

const std::map<std::string, Velocity> usual{{"healthy", {0.6, 0.3}}, {"border_zone", {0.3, 0.2}}};

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (b[i] != 0) sum += a[i] * b[i];
  return sum;
}

// Weights that differ from node to node, 0 where no wave arrives.
std::vector<double> weights(const std::vector<double>& times) {
  std::vector<double> result;
  for (std::size_t i = 0; i < times.size(); ++i)
    result.push_back(std::isnan(times[i]) ? 0 : std::sin(1.0 + 0.7 * static_cast<double>(i)));
  return result;
}

}  // namespace

TEST(Eikonal, WavePassesRegionsWithAVelocityOnly) {
  const Anatomy a = block();
  Eikonal eikonal(a);
  const auto with = eikonal.activation(usual, {{.position = Vec3(2, 3, 2)}});
  const auto without = eikonal.activation({{"healthy", {0.6, 0.3}}}, {{.position = Vec3(2, 3, 2)}});
  std::vector<int> living(a.mesh.node_count(), 0), healthy = living;
  for (std::size_t t = 0; t < a.mesh.tet_count(); ++t) {
    for (const Index node : a.mesh.tets()[t]) {
      living[node] |= a.mesh.labels()[t] != region::core;
      healthy[node] |= a.mesh.labels()[t] == region::healthy;
    }
  }
  EXPECT_LT(std::accumulate(healthy.begin(), healthy.end(), 0), std::accumulate(living.begin(), living.end(), 0));
  EXPECT_LT(std::accumulate(living.begin(), living.end(), 0), static_cast<int>(living.size()));
  for (std::size_t i = 0; i < living.size(); ++i) {
    EXPECT_EQ(std::isnan(with[i]), !living[i]) << i;
    EXPECT_EQ(std::isnan(without[i]), !healthy[i]) << i;
    if (healthy[i]) {
      EXPECT_LE(with[i], without[i] + 1e-12);
    }
  }
}

TEST(Eikonal, WantedVelocitiesAreTheTissues) {
  Tissue tissue = Tissue::library("post-infarct");
  const auto v = wanted_velocities(tissue);
  EXPECT_FALSE(v.contains("core"));
  EXPECT_EQ(v.at("healthy").along, tissue["healthy"].wanted.along);
  tissue["healthy"].wanted = {};
  EXPECT_EQ(test::message([&] { wanted_velocities(tissue); }),
            "Eikonal: region \"healthy\" conducts, but no velocity is wanted of it; set its wanted velocities, or "
            "calibrate it");
}

// Straight ways in a medium without change are exact; so is a ball's surface.
TEST(Eikonal, NearASourceTimesAreExact) {
  Anatomy a = test::block_twin(lattice_block({9, 9, 9}, 1.0), {}).anatomy;
  a.fibers = uniform_fibers(a.mesh, Vec3(1, 2, 2).normalized());
  Eikonal eikonal(a);
  const Vec3 centre(4.4, 4.7, 4.2), f = a.fibers.f[0];
  const Index node = test::nodes_where(a.mesh, [&](const Vec3& p) { return (p - centre).norm() < 0.9; }).at(0);
  const auto point = eikonal.activation({{"healthy", {0.6, 0.3}}}, {{.position = centre, .time = 5}});
  const auto ball = eikonal.activation({{"healthy", {0.6, 0.3}}}, {{.position = centre, .radius = 1.5, .time = 5}});
  const auto at_node = eikonal.activation({{"healthy", {0.6, 0.3}}}, {{.nodes = {node}, .time = 5}});
  int near = 0;
  for (std::size_t i = 0; i < point.size(); ++i) {
    const auto way = [&](const Vec3& e) {
      const double along = e.dot(f);
      return std::sqrt(along * along / 0.36 + (e.squaredNorm() - along * along) / 0.09);
    };
    const Vec3 e = a.mesh.points()[i] - centre;
    if (e.norm() < 1.9) {
      ++near;
      EXPECT_NEAR(point[i], 5 + way(e), 1e-12);
      EXPECT_NEAR(ball[i], 5 + std::max(0.0, 1 - 1.5 / e.norm()) * way(e), 1e-12);
    }
    const Vec3 from_node = a.mesh.points()[i] - a.mesh.points()[node];
    if (from_node.norm() < 1.9) {
      EXPECT_NEAR(at_node[i], 5 + way(from_node), 1e-12);
    }
    EXPECT_GE(point[i], 5 + way(e) * (1 - 1e-12));
  }
  EXPECT_GT(near, 20);
}

// Many nodes: each of the patch fires at once, and round it the wave comes from the nearest.
TEST(Eikonal, PatchesOfNodesFireTogether) {
  const Anatomy a = block();
  Eikonal eikonal(a);
  const auto patch = test::nodes_where(a.mesh, [](const Vec3& p) { return p.x() < 2; });
  const auto all = eikonal.activation(usual, {{.nodes = patch, .time = 3}});
  std::vector<ActivationSource> each;
  for (const Index node : patch) each.push_back({.nodes = {node}, .time = 3});
  const auto apart = eikonal.activation(usual, each);
  for (const Index node : patch) EXPECT_EQ(all[node], 3);
  for (std::size_t i = 0; i < all.size(); ++i)
    if (!std::isnan(all[i])) {
      EXPECT_NEAR(all[i], apart[i], 1e-9);
    }
}

TEST(Eikonal, SourcesThatComeTooLateHaveNoSay) {
  const Anatomy a = block();
  Eikonal eikonal(a);
  const std::vector<ActivationSource> sources{{.position = Vec3(2, 3, 2)}, {.position = Vec3(7, 3, 2), .time = 1000}};
  const auto times = eikonal.activation(usual, sources);
  const auto gradient = eikonal.gradient(weights(times));
  const auto w = weights(times);
  EXPECT_NEAR(gradient.time[0], std::accumulate(w.begin(), w.end(), 0.0), 1e-9);
  EXPECT_EQ(gradient.time[1], 0);
  EXPECT_EQ(gradient.position[1], Vec3(0, 0, 0));
}

// Central differences; the sources lie off the faces, where the position's derivative has no jump.
TEST(Eikonal, GradientIsThatOfFiniteDifferences) {
  const Anatomy a = block();
  Eikonal eikonal(a);
  const std::vector<ActivationSource> sources{{.position = Vec3(2.11, 3.07, 2.23)},
                                              {.position = Vec3(7.13, 2.41, 1.57), .radius = 0.8, .time = 4},
                                              {.nodes = {17, 40}, .time = 2}};
  const auto times = eikonal.activation(usual, sources);
  const auto w = weights(times);
  const auto exact = eikonal.gradient(w);
  const double step = 1e-5;
  const auto j = [&](const auto& velocities, const auto& from) { return dot(eikonal.activation(velocities, from), w); };
  const auto expect = [&](double found, double low, double high, const std::string& what) {
    EXPECT_NEAR(found, (high - low) / (2 * step), 2e-5 * (1 + std::abs(found))) << what;
    EXPECT_NE(found, 0) << what;
  };
  for (const auto& [name, velocity] : usual) {
    for (const auto axis : {&Velocity::along, &Velocity::across}) {
      auto low = usual, high = usual;
      low[name].*axis -= step, high[name].*axis += step;
      expect(exact.velocity.at(name).*axis, j(low, sources), j(high, sources), name);
    }
  }
  for (std::size_t s = 0; s < sources.size(); ++s) {
    auto low = sources, high = sources;
    low[s].time -= step, high[s].time += step;
    expect(exact.time[s], j(usual, low), j(usual, high), "time");
    for (int axis = 0; sources[s].position && axis < 3; ++axis) {
      low = high = sources;
      (*low[s].position)[axis] -= step, (*high[s].position)[axis] += step;
      expect(exact.position[s][axis], j(usual, low), j(usual, high), "position");
    }
  }
  EXPECT_EQ(exact.velocity.size(), 2u);
}

// The derivative in the position is worth nothing if times jump where the position moves to another tet, or a node
// comes within reach: on its way through many tets no time changes by more than the way costs, and what the fibres
// turn.
TEST(Eikonal, TimesChangeContinuouslyWithThePosition) {
  const Anatomy a = block();
  Eikonal eikonal(a);
  for (const double step : {0.02, 0.002}) {
    std::vector<double> before;
    double largest = 0;
    for (int k = 0; k <= 100; ++k) {
      const Vec3 moved = Vec3(1.9, 2.9, 2.1) + step * k * Vec3(1, 0.2, 0);
      const auto times = eikonal.activation(usual, {{.position = moved}});
      for (std::size_t i = 0; i < before.size(); ++i)
        if (!std::isnan(times[i])) largest = std::max(largest, std::abs(times[i] - before[i]));
      before = times;
    }
    EXPECT_LT(largest, 2 * 1.02 * step / 0.3) << step;
    EXPECT_GT(largest, 0.5 * step / 0.6) << step;
  }
}

TEST(Eikonal, RefusesWhatCannotBe) {
  const Anatomy a = block();
  Eikonal eikonal(a);
  const auto refused = [&](const std::map<std::string, Velocity>& v, const std::vector<ActivationSource>& s) {
    try {
      eikonal.activation(v, s);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("nothing");
  };
  const ActivationSource at{.position = Vec3(2, 3, 2)};
  EXPECT_EQ(refused({{"border_zon", {1, 1}}}, {at}),
            "Eikonal: the heart has no region \"border_zon\"; did you mean \"border_zone\"?");
  EXPECT_EQ(refused({{"healthy", {0.6, 0}}}, {at}),
            "Eikonal: region \"healthy\": velocity across = 0 m/s is outside [0.01, 10]; leave out a region that does "
            "not conduct");
  EXPECT_NE(refused({{"healthy", {NAN, 1}}}, {at}).find("along = nan m/s"), std::string::npos);
  EXPECT_EQ(refused({}, {at}), "Eikonal: no region of this heart has a velocity; give one, as for \"healthy\"");
  EXPECT_EQ(refused(usual, {}), "Eikonal: no source; give at least one");
  EXPECT_EQ(refused(usual, {at, {}}), "Eikonal: source 1 has neither nodes nor a position; give the one or the other");
  EXPECT_EQ(refused(usual, {{.nodes = {1}, .position = Vec3(2, 3, 2)}}),
            "Eikonal: source 0 has both nodes and a position; give the one or the other");
  EXPECT_EQ(refused(usual, {{.nodes = {1}, .time = INFINITY}}), "Eikonal: source 0: time = inf ms is not finite");
  EXPECT_EQ(refused(usual, {{.position = Vec3(2, 3, 2), .radius = -1}}),
            "Eikonal: source 0: radius = -1 mm is outside [0, 50]");
  EXPECT_EQ(refused(usual, {{.nodes = {1}, .radius = 2}}),
            "Eikonal: source 0: a radius of 2 mm goes with a position, not with nodes");
  EXPECT_EQ(refused(usual, {{.position = Vec3(2, NAN, 2)}}), "Eikonal: source 0: its position is not finite");
  EXPECT_EQ(refused(usual, {{.nodes = {-1}}}),
            "Eikonal: source 0: node -1 is outside [0, " + std::to_string(a.mesh.node_count() - 1) + "]");
  EXPECT_NE(refused(usual, {{.position = Vec3(-9, 3, 2)}}).find("source 0 at (-9.0, 3.0, 2.0) mm lies 9."),
            std::string::npos);
  EXPECT_NE(refused(usual, {{.position = Vec3(-9, 3, 2)}}).find("outside the muscle that conducts"), std::string::npos);
  const auto dead = test::nodes_where(a.mesh, [](const Vec3& p) { return p.x() > 9.6; });
  ASSERT_FALSE(dead.empty());
  EXPECT_NE(refused(usual, {{.nodes = {dead[0]}}}).find("lies where nothing conducts; choose another node"),
            std::string::npos);

  const std::vector<double> ones(a.mesh.node_count(), 1.0);
  EXPECT_EQ(test::message([&] { eikonal.gradient(ones); }),
            "Eikonal: there are no times to differentiate; call activation() first");
  const auto times = eikonal.activation(usual, {at});
  EXPECT_NE(test::message([&] { eikonal.gradient(ones); }).find("no wave arrives there; give 0"), std::string::npos);
  EXPECT_NE(test::message([&] {
              eikonal.gradient({ones.data(), 3});
            }).find("has 3 numbers, the mesh"),
            std::string::npos);
  auto bad = weights(times);
  bad[0] = NAN;
  EXPECT_NE(test::message([&] { eikonal.gradient(bad); }).find("must be finite"), std::string::npos);
  Anatomy broken = a;
  broken.fibers.f.pop_back();
  EXPECT_NE(test::message([&] { Eikonal{broken}; }).find("fibers.f"), std::string::npos);
}

// What goes forwards and what goes back are two sums over the same products.
TEST(Eikonal, TangentsAgreeWithTheGradient) {
  const Anatomy a = block();
  Eikonal eikonal(a);
  const auto times = eikonal.activation(usual, {{.position = Vec3(2.1, 3.2, 1.7)}, {.nodes = {5}, .time = 3}});
  const auto w = weights(times);
  const auto gradient = eikonal.gradient(w);
  const auto tangents = eikonal.tangents();
  ASSERT_EQ(tangents.regions, (std::vector<std::string>{"healthy", "border_zone"}));
  ASSERT_EQ(tangents.width, 2 * 2 + 4 * 2u);
  std::vector<double> sum(tangents.width, 0.0);
  for (std::size_t i = 0; i < w.size(); ++i)
    for (std::size_t k = 0; k < tangents.width; ++k) sum[k] += w[i] * tangents.per_node[i * tangents.width + k];
  std::vector<double> expected;
  for (const auto& region : tangents.regions)
    expected.push_back(gradient.velocity.at(region).along), expected.push_back(gradient.velocity.at(region).across);
  for (std::size_t s = 0; s < 2; ++s) {
    expected.push_back(gradient.time[s]);
    for (int axis = 0; axis < 3; ++axis) expected.push_back(gradient.position[s][axis]);
  }
  for (std::size_t k = 0; k < sum.size(); ++k)
    EXPECT_NEAR(sum[k], expected[k], 1e-9 * (1 + std::abs(expected[k]))) << k;
  Eikonal unused(a);
  EXPECT_THROW(unused.tangents(), InputError);
}
