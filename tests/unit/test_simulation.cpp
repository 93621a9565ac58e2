#include <gtest/gtest.h>

#include <cardiotwin/random.hpp>
#include <cardiotwin/simulation.hpp>
#include <cstring>
#include <numeric>

#include "support/blocks.hpp"

namespace cardiotwin {
namespace {

using test::message;

Twin bar(double length = 12) {
  return test::block_twin(lattice_block({length, 5, 5}, 1.0), Tissue::library("post-infarct"));
}
const SimulationOptions coarse{.dt = 0.1};

// NaN equals NaN here: same bits in both.
bool same(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

TEST(Simulation, tissue_at_rest_stays_there) {
  Simulation sim(bar(), coarse);
  EXPECT_TRUE(sim.quiet());
  sim.run(50);
  for (const double v : sim.voltage()) EXPECT_NEAR(v, -80, 1e-9);
  for (const double t : sim.activations()) EXPECT_TRUE(std::isnan(t));
}

TEST(Simulation, a_pulse_starts_one_wave_that_crosses_the_bar_and_dies) {
  const Twin twin = bar(20);
  Simulation sim(twin, coarse);
  sim.add(test::pulse_at_low_end(twin.anatomy.mesh));
  EXPECT_TRUE(sim.run_until_quiet(1000));
  EXPECT_GT(sim.time(), 100);
  EXPECT_LT(sim.time(), 400);
  sim.run(50);  // quiet means below the activation threshold, which is above the level of repolarisation
  const auto lat = sim.activations();
  const auto repolarized = sim.repolarizations();
  for (std::size_t i = 0; i < twin.anatomy.mesh.node_count(); ++i) {
    const double x = twin.anatomy.mesh.points()[i].x(), first = lat[i * Simulation::activation_depth];
    EXPECT_TRUE(std::isnan(lat[i * Simulation::activation_depth + 1]));
    if (x > 4) {
      EXPECT_NEAR(first, x / 0.6, 7) << x;  // 0.6 m/s, and some ms to take off
    }
    EXPECT_GT(repolarized[i], first + 100);
  }
}

TEST(Simulation, dead_tissue_and_lesions_have_no_voltage_and_stop_the_wave) {
  auto twin = bar(20);
  twin.anatomy.mesh = test::relabel(
      twin.anatomy.mesh, [](const Vec3& c) { return c.x() > 12 && c.x() < 15 ? region::core : region::healthy; });
  const auto run = [&](const SimulationOptions& options) {
    Simulation sim(twin, options);
    EXPECT_LT(sim.active_nodes(), twin.anatomy.mesh.node_count());
    sim.add(test::pulse_at_low_end(twin.anatomy.mesh));
    sim.run(60);
    return sim.activations();
  };
  const auto scar = run(coarse);
  twin.anatomy.mesh = test::relabel(twin.anatomy.mesh, [](const Vec3&) { return region::healthy; });
  const auto lesion = run({.dt = 0.1, .lesions = {{.position = {13.5, 2.5, 2.5}, .radius = 4.5}}});
  for (std::size_t i = 0; i < twin.anatomy.mesh.node_count(); ++i) {
    const double x = twin.anatomy.mesh.points()[i].x();
    for (const auto* lat : {&scar, &lesion}) {
      const bool silent = std::isnan((*lat)[i * Simulation::activation_depth]);
      if (x < 9 || x > 12.6) {
        EXPECT_EQ(silent, x > 10) << x;
      }
    }
  }
}

TEST(Simulation, restored_state_goes_on_bit_for_bit) {
  const Twin twin = bar();
  Simulation sim(twin, coarse), other(twin, coarse);
  for (auto* s : {&sim, &other}) s->add(test::pulse_at_low_end(twin.anatomy.mesh));
  sim.run(10);
  const SimulationState state = sim.state();
  EXPECT_DOUBLE_EQ(state.time, 10);
  sim.run(10);
  other.restore(state);
  other.run(10);
  EXPECT_EQ(sim.time(), other.time());
  EXPECT_TRUE(same(sim.voltage(), other.voltage()));
  EXPECT_TRUE(same(sim.activations(), other.activations()));
}

TEST(Simulation, a_state_of_another_problem_is_refused) {
  const Twin twin = bar();
  const SimulationState state = Simulation(twin, coarse).state();
  Simulation other_step(twin, {.dt = 0.05}), longer(bar(20), coarse);
  EXPECT_NE(message([&] { other_step.restore(state); }).find("another problem"), std::string::npos);
  EXPECT_NE(message([&] { longer.restore(state); }).find("another problem"), std::string::npos);
  EXPECT_NE(message([&] { other_step.restore({}); }).find("another problem"), std::string::npos);
}

TEST(Simulation, reset_is_as_good_as_new) {
  const Twin twin = bar();
  Simulation sim(twin, coarse);
  sim.add(test::pulse_at_low_end(twin.anatomy.mesh));
  auto& probe = sim.add(Probe({0, 5}, 1.0));
  sim.run(15);
  const auto values = probe.values();
  const auto v = sim.voltage();
  sim.reset();
  EXPECT_EQ(sim.time(), 0);
  EXPECT_TRUE(probe.values().empty());
  sim.run(15);
  EXPECT_TRUE(same(v, sim.voltage()));
  EXPECT_TRUE(same(values, probe.values()));
}

TEST(Simulation, result_does_not_depend_on_threads_or_on_how_a_run_is_divided) {
  const Twin twin = bar();
  std::vector<std::vector<double>> results;
  for (const int threads : {1, 2, 3}) {
    Simulation sim(twin, {.dt = 0.1, .backend = Backend::cpu(threads)});
    sim.add(test::pulse_at_low_end(twin.anatomy.mesh));
    for (int part = 0; part < threads; ++part) sim.run(18.0 / threads);
    results.push_back(sim.voltage());
  }
  EXPECT_TRUE(same(results[0], results[1]));
  EXPECT_TRUE(same(results[0], results[2]));
}

TEST(Simulation, renumbering_nodes_tets_and_corners_changes_no_bit) {
  auto twin = bar(16);
  twin.anatomy.mesh =
      test::relabel(twin.anatomy.mesh, [](const Vec3& c) { return c.x() < 8 ? region::healthy : region::border_zone; });
  const Mesh& mesh = twin.anatomy.mesh;
  Random random(5);
  const auto shuffled = [&](std::size_t n) {
    std::vector<Index> order(n);
    std::iota(order.begin(), order.end(), 0);
    for (std::size_t i = n; i > 1; --i) std::swap(order[i - 1], order[random.bits() % i]);
    return order;
  };
  const auto to = shuffled(mesh.node_count()), tet_order = shuffled(mesh.tet_count());
  std::vector<Vec3> points(mesh.node_count());
  for (std::size_t i = 0; i < points.size(); ++i) points[to[i]] = mesh.points()[i];
  std::vector<Tet> tets;
  std::vector<Label> labels;
  for (const Index t : tet_order) {
    const Tet& old = mesh.tets()[t];
    tets.push_back({to[old[1]], to[old[2]], to[old[0]], to[old[3]]});  // a rotation keeps the volume positive
    labels.push_back(mesh.labels()[t]);
  }
  auto renumbered = twin;
  renumbered.anatomy.mesh = Mesh(points, tets, labels);
  const auto lat = [](const Twin& t) {
    Simulation sim(t, coarse);
    sim.add(test::pulse_at_low_end(t.anatomy.mesh));
    const auto& map = sim.add(ActivationMap{});
    sim.run(40);
    return map.map().values;
  };
  const auto before = lat(twin), after = lat(renumbered);
  std::vector<double> back(before.size());
  for (std::size_t i = 0; i < back.size(); ++i) back[i] = after[to[i]];
  EXPECT_FALSE(std::isnan(before[0]));
  EXPECT_TRUE(same(before, back));
}

TEST(Simulation, too_large_a_step_is_refused_with_limit_place_and_cure_and_a_smaller_one_accepted) {
  const Twin twin = bar();
  const double limit = Simulation(twin, coarse).stable_dt();
  EXPECT_EQ(Simulation(twin, {.dt = 0.79 * limit}).stages(), 1);
  EXPECT_EQ(Simulation(twin, {.dt = 0.81 * limit}).stages(), 2);
  EXPECT_EQ(Simulation(twin, {.dt = 0.79 * 21 * limit}).stages(), 6);
  const std::string text = message([&] { Simulation(twin, {.dt = 0.81 * 21 * limit}); });
  EXPECT_NE(text.find("stages of 0.8 of the explicit limit"), std::string::npos) << text;
  EXPECT_NE(text.find("region \"healthy\""), std::string::npos) << text;
  EXPECT_NE(text.find("use dt <="), std::string::npos) << text;
}

/// A block so fine that the step the cells need is four times the explicit limit: stages of diffusion carry it, and the
/// wave arrives when it does with short steps.
TEST(Simulation, stages_carry_long_steps) {
  const Twin twin = test::block_twin(lattice_block({12, 1.2, 1.2}, 0.3), Tissue::library("post-infarct"));
  const auto arrival = [&](double dt) {
    Simulation sim(twin, {.dt = dt, .precision = Precision::fp64});
    EXPECT_EQ(sim.stages() > 1, dt > 0.8 * sim.stable_dt()) << sim.stable_dt();
    sim.add(test::pulse_at_low_end(twin.anatomy.mesh));
    sim.run(40);
    const auto lat = sim.activations();
    double last = 0;
    for (std::size_t i = 0; i < twin.anatomy.mesh.node_count(); ++i)
      last = std::max(last, lat[i * Simulation::activation_depth]);
    return last;
  };
  const double reference = arrival(0.01), staged = arrival(0.2);
  EXPECT_GT(reference, 15);
  EXPECT_NEAR(staged, reference, 0.02 * reference);
}

TEST(Simulation, what_does_not_fit_together_is_refused) {
  Twin twin = bar();
  twin.anatomy.mesh = test::relabel(twin.anatomy.mesh, [](const Vec3&) { return Label(7); });
  EXPECT_NE(message([&] { Simulation(twin, coarse); }).find("label 7"), std::string::npos);
  twin.anatomy.regions[7] = "bordr_zone";
  EXPECT_NE(message([&] { Simulation(twin, coarse); }).find("did you mean \"border_zone\"?"), std::string::npos);
  twin.anatomy.regions[7] = "core";
  EXPECT_NE(message([&] { Simulation(twin, coarse); }).find("no tet conducts"), std::string::npos);
  twin = bar();
  for (const SimulationOptions& bad : {SimulationOptions{.dt = 0},
                                       {.dt = NAN},
                                       {.dt = 0.1, .ionic_load = 1.5},
                                       {.dt = 0.1, .lesions = {{.position = {0, 0, 0}, .radius = -1}}}})
    EXPECT_THROW(Simulation(twin, bad), InputError);
  twin.anatomy.fibers.f.pop_back();
  EXPECT_NE(message([&] { Simulation(twin, coarse); }).find("fibers.f"), std::string::npos);
}

TEST(Simulation, stimuli_outside_the_living_mesh_are_refused) {
  const Twin twin = bar();
  Simulation sim(twin, {.dt = 0.1, .lesions = {{.position = {0, 2, 2}, .radius = 4}}});
  EXPECT_NE(message([&] { sim.add(test::pulse_at_low_end(twin.anatomy.mesh, 0.5)); }).find("conducts"),
            std::string::npos);
  Protocol protocol;
  protocol.stimuli.push_back({.nodes = {static_cast<Index>(twin.anatomy.mesh.node_count())}});
  EXPECT_NE(message([&] { sim.add(protocol); }).find("outside the mesh"), std::string::npos);
  EXPECT_THROW(sim.run(-1), InputError);
}

TEST(Simulation, a_voltage_that_is_not_finite_is_an_error_with_time_node_and_region) {
  const Twin twin = bar();
  Simulation sim(twin, coarse);
  Protocol protocol = test::pulse_at_low_end(twin.anatomy.mesh, 1.0, 25.0);
  protocol.stimuli[0].amplitude = 1000;
  for (int k = 0; k < 8; ++k) sim.add(protocol);  // 800 mV a step
  sim.keep_good_states(5);
  try {
    sim.run(100);
    FAIL() << "no error";
  } catch (const NumericalError& error) {
    EXPECT_NE(std::string(error.what()).find("region \"healthy\""), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("between 20 and 30 ms"), std::string::npos) << error.what();
  }
  ASSERT_TRUE(sim.last_good_state());
  EXPECT_NEAR(sim.last_good_state()->time, 20, 1e-6);
  sim.clear_protocols();
  sim.restore(*sim.last_good_state());
  sim.run(20);  // without the pulses it goes on
  EXPECT_TRUE(sim.quiet());
}

TEST(Simulation, progress_is_reported_and_a_user_can_stop) {
  const Twin twin = bar();
  Simulation sim(twin, coarse);
  double last = 0;
  int polls = 0;
  Monitor monitor;
  monitor.progress = [&](std::string_view, double done) {
    EXPECT_GE(done, last);
    last = done;
  };
  sim.run(20, monitor);
  EXPECT_EQ(last, 1.0);
  monitor.cancelled = [&] { return ++polls > 3; };
  last = 0;
  EXPECT_THROW(sim.run(100, monitor), Interrupted);
  EXPECT_LT(sim.time(), 60);
}

TEST(Simulation, single_precision_gives_the_same_times_to_a_few_microseconds) {
  const Twin twin = bar(16);
  std::vector<double> lat[2];
  for (const auto precision : {Precision::fp64, Precision::fp32}) {
    Simulation sim(twin, {.dt = 0.1, .precision = precision});
    sim.add(test::pulse_at_low_end(twin.anatomy.mesh));
    sim.run(40);
    lat[precision == Precision::fp32] = sim.activations();
  }
  for (std::size_t i = 0; i < lat[0].size(); i += Simulation::activation_depth) EXPECT_NEAR(lat[0][i], lat[1][i], 5e-3);
}

}  // namespace
}  // namespace cardiotwin
