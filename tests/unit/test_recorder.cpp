#include <gtest/gtest.h>

#include <cardiotwin/simulation.hpp>

#include "support/blocks.hpp"

namespace cardiotwin {
namespace {

struct Counter : Recorder {
  explicit Counter(double ms) : every(ms) {}
  double interval() const override { return every; }
  void sample(double time, std::span<const double>) override { times.push_back(time); }
  double every;
  std::vector<double> times;
};

Twin bar() { return test::block_twin(lattice_block({10, 4, 4}, 1.0), Tissue::library("post-infarct")); }

TEST(Recorder, samples_come_at_multiples_of_the_interval_whatever_the_runs) {
  Simulation sim(bar(), {.dt = 0.1});
  const auto& every = sim.add(Counter(2.5));
  const auto& odd = sim.add(Counter(0.25));  // not a multiple of dt: nearest step
  sim.run(6);
  sim.run(4);
  EXPECT_EQ(every.times.size(), 5u);
  for (std::size_t k = 0; k < every.times.size(); ++k) EXPECT_NEAR(every.times[k], 2.5 * static_cast<double>(k), 1e-9);
  EXPECT_EQ(odd.times.size(), 41u);
  for (std::size_t k = 0; k < odd.times.size(); ++k) EXPECT_NEAR(odd.times[k], 0.25 * static_cast<double>(k), 0.0501);
}

TEST(Recorder, first_and_last_activation_differ_once_a_node_fires_twice) {
  const Twin twin = bar();
  Simulation sim(twin, {.dt = 0.1});
  Site site{
      .name = "end", .position = Vec3::Zero(), .nodes = test::pulse_at_low_end(twin.anatomy.mesh).stimuli[0].nodes};
  sim.add(Protocol::s1s2(site, {.s1 = 400, .beats = 2}));
  const auto& first = sim.add(ActivationMap{});
  const auto& last = sim.add(ActivationMap(ActivationMap::Which::last));
  const auto& repolarized = sim.add(RepolarizationMap{});
  sim.run(700);
  ASSERT_EQ(first.map().values.size(), twin.anatomy.mesh.node_count());
  EXPECT_EQ(first.map().name, "LAT");
  EXPECT_EQ(first.map().unit, "ms");
  for (std::size_t i = 0; i < first.map().values.size(); ++i) {
    EXPECT_NEAR(last.map().values[i] - first.map().values[i], 400, 3);
    EXPECT_GT(repolarized.map().values[i], last.map().values[i] + 80);
  }
  sim.reset();
  EXPECT_TRUE(first.map().values.empty());
}

// More beats than a node remembers: the first activation is kept from the earlier runs.
TEST(Recorder, first_activation_survives_more_beats_than_are_kept) {
  const Twin twin = bar();
  Simulation sim(twin, {.dt = 0.1});
  Site site{
      .name = "end", .position = Vec3::Zero(), .nodes = test::pulse_at_low_end(twin.anatomy.mesh).stimuli[0].nodes};
  sim.add(Protocol::s1s2(site, {.s1 = 300, .beats = 10}));
  const auto& first = sim.add(ActivationMap{});
  for (int k = 0; k < 10; ++k) sim.run(300);
  for (const double t : first.map().values) EXPECT_LT(t, 40);
}

TEST(Recorder, probe_records_the_upstroke_where_it_is_put) {
  const Twin twin = bar();
  Simulation sim(twin, {.dt = 0.1});
  sim.add(test::pulse_at_low_end(twin.anatomy.mesh));
  const auto near = test::nodes_where(twin.anatomy.mesh, [](const Vec3& p) { return p.x() < 1; })[0];
  const auto far = test::nodes_where(twin.anatomy.mesh, [](const Vec3& p) { return p.x() > 9; })[0];
  const auto& probe = sim.add(Probe({near, far}, 0.5));
  sim.run(30);
  ASSERT_EQ(probe.times().size(), 61u);
  ASSERT_EQ(probe.values().size(), 122u);
  const auto crossing = [&](int which) {
    for (std::size_t k = 0; k < probe.times().size(); ++k)
      if (probe.values()[2 * k + which] > -30) return probe.times()[k];
    return double{NAN};
  };
  EXPECT_LT(crossing(0), 3);
  EXPECT_NEAR(crossing(1), 14, 7);
  Simulation other(twin, {.dt = 0.1});
  other.add(Probe({-1}, 1.0));
  EXPECT_THROW(other.run(1), InputError);
}

}  // namespace
}  // namespace cardiotwin
