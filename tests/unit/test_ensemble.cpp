// Many simulations of one heart at once: the same bits as one after the other, and what each may have of its own.
#include <gtest/gtest.h>

#include <atomic>
#include <cardiotwin/ensemble.hpp>
#include <cstring>

#include "support/blocks.hpp"

namespace cardiotwin {
namespace {

const SimulationOptions coarse{.dt = 0.1};

Twin bar() {
  auto twin = test::block_twin(lattice_block({20, 4, 4}, 0.8), Tissue::library("post-infarct"));
  twin.anatomy.mesh = test::relabel(twin.anatomy.mesh,
                                    [](const Vec3& c) { return c.x() < 10 ? region::healthy : region::border_zone; });
  return twin;
}

bool same(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

/// What run number i has of its own.
Variation variation(std::size_t i) {
  Variation v;
  if (i % 2) v.conductivity["border_zone"] = 0.5 + 0.05 * double(i);
  if (i % 3 == 0) v.parameters["healthy"]["tau_close"] = 100 + 4 * double(i);
  if (i % 4 == 1) v.lesions.push_back({.position = {8, 2, 1}, .radius = 1.5 + 0.1 * double(i)});
  return v;
}

std::vector<double> run(Simulation& sim, const Twin& twin, std::size_t i) {
  sim.reset();
  sim.vary(variation(i));
  sim.clear_protocols();
  sim.add(test::pulse_at_low_end(twin.anatomy.mesh, 1.0, 0.1 * double(i)));
  sim.run(20 + double(i));
  return sim.activations();
}

TEST(Ensemble, jobs_from_a_queue_give_the_bits_of_simulations_alone) {
  const Twin twin = bar();
  constexpr std::size_t jobs = 23;
  std::vector<std::vector<double>> results(jobs);
  Ensemble ensemble(twin, coarse, 8);
  ensemble.for_each(jobs, [&](std::size_t i, Simulation& sim) { results[i] = run(sim, twin, i); });
  for (std::size_t i = 0; i < jobs; ++i) {
    Simulation alone(twin, coarse);
    EXPECT_TRUE(same(results[i], run(alone, twin, i))) << i;
    if (i > 0) {
      EXPECT_FALSE(same(results[i], results[0])) << i;
    }
  }
}

TEST(Ensemble, a_state_goes_from_one_member_to_another_that_varies_otherwise) {
  const Twin twin = bar();
  Ensemble ensemble(twin, coarse, 2);
  Simulation &first = ensemble.member(0), &second = ensemble.member(1);
  first.add(test::pulse_at_low_end(twin.anatomy.mesh));
  first.run(10);
  second.vary({.lesions = {{.position = {14, 2, 2}, .radius = 3.5}}});
  second.restore(first.state());
  EXPECT_EQ(second.time(), 10);
  first.run(40);
  second.run(40);
  const auto whole = first.activations(), cut = second.activations();
  const auto points = twin.anatomy.mesh.points();
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto at = i * Simulation::activation_depth;
    EXPECT_FALSE(std::isnan(whole[at]));
    if (points[i].x() > 18) {
      EXPECT_TRUE(std::isnan(cut[at])) << points[i].x();
    }
    if (points[i].x() < 5) {
      EXPECT_EQ(whole[at], cut[at]);
    }
  }
}

/// Lesions take tets out; so does dead tissue, by another way through the code.
TEST(Ensemble, a_lesion_is_dead_tissue) {
  for (const auto stiffness : {Stiffness::p1, Stiffness::nodal_gradient}) {
    const SimulationOptions options{.dt = 0.1, .precision = Precision::fp64, .stiffness = stiffness};
    const Lesion lesion{.position = {9, 1.5, 2.5}, .radius = 2.2};
    const Twin whole = bar();
    Twin scarred = whole;
    scarred.anatomy.mesh = test::relabel(whole.anatomy.mesh, [&](const Vec3& c) {
      return (c - lesion.position).norm() <= lesion.radius ? region::core
             : c.x() < 10                                  ? region::healthy
                                                           : region::border_zone;
    });
    const auto run = [&](const Twin& twin, std::vector<Lesion> lesions) {
      SimulationOptions own = options;
      own.lesions = std::move(lesions);
      Simulation sim(twin, own);
      sim.add(test::pulse_at_low_end(twin.anatomy.mesh));
      sim.run(60);
      return sim.activations();
    };
    const auto a = run(whole, {lesion}), b = run(scarred, {}), c = run(whole, {});
    double most = 0;
    for (std::size_t i = 0; i < a.size(); i += Simulation::activation_depth) {
      ASSERT_EQ(std::isnan(a[i]), std::isnan(b[i])) << i;
      if (std::isnan(a[i])) continue;
      EXPECT_NEAR(a[i], b[i], 0.02);  // a node between two regions may count to the other one
      most = std::max(most, std::abs(a[i] - c[i]));
    }
    EXPECT_GT(most, 0.5) << "the lesion is in the way";
  }
}

TEST(Ensemble, conductivity_by_variation_is_conductivity_of_the_tissue) {
  Twin twin = bar();
  twin.anatomy.mesh = test::relabel(twin.anatomy.mesh, [](const Vec3&) { return region::healthy; });
  const auto arrival = [&](const Twin& t, const Variation& v) {
    Simulation sim(t, {.dt = 0.05, .precision = Precision::fp64});
    sim.vary(v);
    sim.add(test::pulse_at_low_end(t.anatomy.mesh));
    sim.run(60);
    return sim.activations();
  };
  Twin slower = twin;
  auto& sigma = slower.tissue["healthy"].conductivity;
  sigma.along *= 0.6, sigma.across *= 0.6;
  const auto by_tissue = arrival(slower, {}), by_variation = arrival(twin, {.conductivity = {{"healthy", 0.6}}}),
             as_it_was = arrival(twin, {});
  double most = 0;
  for (std::size_t i = 0; i < by_tissue.size(); i += Simulation::activation_depth) {
    EXPECT_NEAR(by_tissue[i], by_variation[i], 1e-6);
    most = std::max(most, by_tissue[i] - as_it_was[i]);
  }
  EXPECT_GT(most, 3) << "ms later at the far end";
}

TEST(Ensemble, an_error_in_a_job_ends_the_queue_and_is_thrown_on) {
  const Twin twin = bar();
  Ensemble ensemble(twin, coarse, 4);
  std::atomic<int> begun = 0;
  EXPECT_THROW(ensemble.for_each(10000,
                                 [&](std::size_t i, Simulation& sim) {
                                   ++begun;
                                   sim.run(1);
                                   if (i == 5) throw InputError("job 5");
                                 }),
               InputError);
  EXPECT_LT(begun, 10000);
  EXPECT_NO_THROW(ensemble.for_each(3, [](std::size_t, Simulation& sim) { sim.run(1); }));
}

TEST(Ensemble, what_does_not_fit_is_refused) {
  const Twin twin = bar();
  EXPECT_THROW(Ensemble(twin, coarse, 0), InputError);
  EXPECT_THROW(Ensemble(twin, coarse, Ensemble::limit() + 1), InputError);
  Simulation sim(twin, coarse);
  const auto message = [&](const Variation& v) { return test::message([&] { sim.vary(v); }); };
  EXPECT_NE(message({.conductivity = {{"helthy", 1}}}).find("did you mean \"healthy\"?"), std::string::npos);
  EXPECT_NE(message({.conductivity = {{"healthy", -1}}}).find("must not be negative"), std::string::npos);
  EXPECT_NE(message({.conductivity = {{"healthy", 50}}}).find("asks for dt <="), std::string::npos);
  EXPECT_NE(message({.parameters = {{"healthy", {{"tau_clse", 1}}}}}).find("tau_close"), std::string::npos);
  EXPECT_NE(message({.parameters = {{"healthy", {{"tau_close", NAN}}}}}).find("outside"), std::string::npos);
  EXPECT_NE(message({.lesions = {{.position = {10, 2, 2}, .radius = 100}}}).find("no tet conducts"), std::string::npos);
}

}  // namespace
}  // namespace cardiotwin
