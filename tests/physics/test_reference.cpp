// The explicit engine against the reference: the same equations, stepped by Crank-Nicolson and conjugate gradients.
#include <gtest/gtest.h>

#include <cardiotwin/simulation.hpp>
#include <cmath>
#include <numbers>

#include "support/activation.hpp"
#include "support/blocks.hpp"
#include "support/record_table.hpp"

namespace cardiotwin {
namespace {

using test::largest_difference, test::lats;

// A slab of 9 x 3 x 3 mm whose fibres turn by 90 degrees from its lower to its upper face, with border zone in the
// middle of it.
Twin slab(const Tissue& tissue, double h) {
  Mesh mesh = test::relabel(box_mesh({9, 3, 3}, h), [](const Vec3& c) {
    return (c - Vec3(6, 1.5, 1.5)).norm() < 1.3 ? region::border_zone : region::healthy;
  });
  Twin twin = test::block_twin(std::move(mesh), tissue);
  for (std::size_t t = 0; t < twin.anatomy.mesh.tet_count(); ++t) {
    const double angle = std::numbers::pi / 6 * twin.anatomy.mesh.centroid(t).z();
    auto& frame = twin.anatomy.fibers;
    frame.f[t] = Vec3(std::cos(angle), std::sin(angle), 0);
    frame.s[t] = Vec3(-std::sin(angle), std::cos(angle), 0);
  }
  return twin;
}

class ReferenceTest : public ::testing::TestWithParam<Stiffness> {};
INSTANTIATE_TEST_SUITE_P(Stiffnesses, ReferenceTest, ::testing::Values(Stiffness::p1, Stiffness::nodal_gradient),
                         [](const auto& tested) { return tested.param == Stiffness::p1 ? "p1" : "nodal_gradient"; });

// Both steps are of first order in time for the cells, with errors of different size: LATs meet as the step shrinks.
TEST_P(ReferenceTest, ExplicitStepsMeetItAsTheStepShrinks) {
  const Twin twin = slab(Tissue::library("post-infarct"), 0.5);
  const auto reference = lats(twin, {.dt = 0.0025, .backend = Backend::reference(), .stiffness = GetParam()}, 35);
  const auto at = [&](double dt, Precision precision) {
    return largest_difference(lats(twin, {.dt = dt, .precision = precision, .stiffness = GetParam()}, 35), reference);
  };
  const double coarse = at(0.04, Precision::fp64), fine = at(0.01, Precision::fp64);
  test::record_table("dt [ms] | largest difference of LAT [ms]",
                     {fmt::format("0.04 | {:.4f}", coarse), fmt::format("0.01 | {:.4f}", fine)});
  EXPECT_LT(fine, 0.5 * coarse);
  EXPECT_LT(at(0.0025, Precision::fp64), 0.8 * fine);
  EXPECT_LT(fine, 0.05);
  EXPECT_LT(at(0.005, Precision::fp64), 0.05);
  EXPECT_LT(at(0.005, Precision::fp32), 0.05);
}

TEST(Reference, TenTusscherCellsMeetItToo) {
  const Twin twin = slab(Tissue::library("post-infarct-tt2006"), 0.5);
  const auto reference = lats(twin, {.dt = 0.005, .backend = Backend::reference()}, 40);
  const double difference = largest_difference(lats(twin, {.dt = 0.005}, 40), reference);
  test::record_table("dt [ms] | largest difference of LAT [ms]", {fmt::format("0.005 | {:.4f}", difference)});
  EXPECT_LT(difference, 0.1);
}

// Stages reach where one explicit step would blow up, and the wave stays where the reference has it.
TEST(Reference, StagesCarryStepsBeyondTheExplicitLimit) {
  Tissue tissue = Tissue::library("post-infarct");
  for (auto& [name, region] : tissue.regions) region.conductivity.along *= 4, region.conductivity.across *= 4;
  const Twin twin = slab(tissue, 0.5);
  const Simulation guarded(twin, {.dt = 0.2, .stiffness = Stiffness::p1});
  EXPECT_GT(guarded.stages(), 1) << guarded.stable_dt();
  const auto reference = lats(twin, {.dt = 0.2, .backend = Backend::reference(), .stiffness = Stiffness::p1}, 30);
  const double difference = largest_difference(lats(twin, {.dt = 0.2, .stiffness = Stiffness::p1}, 30), reference);
  test::record_table("dt [ms] | largest difference of LAT [ms]", {fmt::format("0.2 | {:.4f}", difference)});
  EXPECT_LT(difference, 0.3);
}

TEST(Reference, TakesAStepThatTheExplicitOneRefuses) {
  const Twin twin = slab(Tissue::library("post-infarct"), 0.1 * 4);
  const double limit = Simulation(twin, {.dt = 0.01}).stable_dt();
  const double dt = 20 * limit;
  EXPECT_THROW(Simulation(twin, {.dt = dt}), InputError);
  Simulation sim(twin, {.dt = dt, .backend = Backend::reference()});
  EXPECT_EQ(sim.stages(), 1);
  sim.add(test::pulse_at_low_end(twin.anatomy.mesh));
  sim.run(5 * dt);
  for (const double v : sim.voltage()) EXPECT_TRUE(std::isfinite(v) && std::abs(v) < 200);
}

TEST(Reference, RestoresAndVariesBitForBit) {
  const Twin twin = slab(Tissue::library("post-infarct"), 1.0);
  const SimulationOptions options{.dt = 0.1, .backend = Backend::reference(1)};
  Simulation one(twin, options), other(twin, {.dt = 0.1, .backend = Backend::reference(2)});
  for (Simulation* sim : {&one, &other}) {
    sim->vary({.conductivity = {{"border_zone", 0.5}}});
    sim->add(test::pulse_at_low_end(twin.anatomy.mesh));
  }
  one.run(7);
  const auto state = one.state();
  one.run(9);
  other.restore(state);
  other.run(9);
  EXPECT_EQ(one.voltage(), other.voltage());
  EXPECT_EQ(one.state().bytes, other.state().bytes);
  EXPECT_THROW(one.vary({.lesions = {{.position = Vec3(6, 1.5, 1.5), .radius = 1}}}), InputError);
}

}  // namespace
}  // namespace cardiotwin
