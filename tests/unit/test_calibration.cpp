#include <gtest/gtest.h>

#include <cardiotwin/calibration.hpp>

#include "support/blocks.hpp"

namespace cardiotwin {
namespace {

using test::message;

const SimulationOptions coarse{.dt = 0.1, .precision = Precision::fp32};

// Only the regions a test is about, to keep it short.
Tissue only(const std::string& region, Velocity wanted) {
  Tissue tissue = Tissue::library("post-infarct");
  std::erase_if(tissue.regions, [&](const auto& entry) { return entry.first != region; });
  tissue[region].wanted = wanted;
  return tissue;
}

Twin cube(const Tissue& tissue, double edge, Label label = region::healthy) {
  return test::block_twin(
      test::relabel(lattice_block(Vec3::Constant(12 * edge), edge), [&](const Vec3&) { return label; }), tissue);
}

TEST(Calibration, velocity_scales_as_the_continuum_says_when_lengths_and_diffusivity_scale_together) {
  // v(h, D) = s v(h / s, D / s^2): same lattice problem in other units of length.
  Tissue tissue = only("channel", {.along = 0.3, .across = 0.3});
  const auto coarse_lattice = measure_velocity(tissue, "channel", Axis::along, 1.2, {.dt = 0.05});
  tissue["channel"].conductivity = {.along = tissue["channel"].conductivity.along / 4,
                                    .across = tissue["channel"].conductivity.across / 4};
  const auto fine_lattice = measure_velocity(tissue, "channel", Axis::along, 0.6, {.dt = 0.05});
  EXPECT_NEAR(fine_lattice.mean * 2, coarse_lattice.mean, 0.01 * coarse_lattice.mean);
  EXPECT_NEAR(fine_lattice.low * 2, coarse_lattice.low, 0.01 * coarse_lattice.mean);
}

TEST(Calibration, anisotropic_region_reaches_its_velocities_within_the_limit) {
  const Twin twin = cube(only("healthy", {.along = 0.6, .across = 0.4}), 1.2);
  const Calibration fit = calibrate(twin, {}, coarse);
  ASSERT_EQ(fit.axes.size(), 2u);
  for (const auto& row : fit.axes) {
    EXPECT_EQ(row.region, "healthy");
    EXPECT_TRUE(row.within_limit) << row.why;
    EXPECT_TRUE(row.why.empty());
    EXPECT_NEAR(row.reached.mean, row.wanted, 0.004 * row.wanted);
    EXPECT_EQ(row.reached.blocked, 0);
    EXPECT_LE(row.reached.low, row.reached.mean);
    EXPECT_GE(row.reached.high, row.reached.mean);
    // What is reported is what the fitted tissue does.
    const auto again = measure_velocity(fit.tissue, "healthy", row.axis, row.edge, coarse);
    EXPECT_EQ(again.mean, row.reached.mean);
  }
  EXPECT_NEAR(fit.tissue.calibrated_edge, 1.2, 0.02);
  EXPECT_NEAR(fit.tissue["healthy"].calibrated_edge, 1.2, 1e-4);  // what a tet of the lattice counts as
  EXPECT_DOUBLE_EQ(fit.tissue.calibrated_load, coarse.ionic_load);
  EXPECT_GT(fit.tissue["healthy"].conductivity.along, fit.tissue["healthy"].conductivity.across);
}

TEST(Calibration, isotropic_region_stays_isotropic_and_lumping_needs_more_conductivity) {
  const Twin twin = cube(only("channel", {.along = 0.2, .across = 0.2}), 1.2, region::channel);
  const auto loaded = calibrate(twin, {{"channel", {.along = 0.3, .across = 0.3}}}, coarse);
  EXPECT_EQ(loaded.tissue["channel"].conductivity.along, loaded.tissue["channel"].conductivity.across);
  EXPECT_EQ(loaded.tissue["channel"].wanted.along, 0.3);
  auto lumped_options = coarse;
  lumped_options.ionic_load = 0;
  const auto lumped = calibrate(twin, {{"channel", {.along = 0.3, .across = 0.3}}}, lumped_options, 0.2);
  // Lumping slows a 0.3 m/s wave by 19 % at 1.2 mm, so it needs (1/0.81)^2 = 1.5 times the conductivity at fixed
  // slowing; measured 1.4.
  EXPECT_GT(lumped.tissue["channel"].conductivity.along, 1.25 * loaded.tissue["channel"].conductivity.along);
}

TEST(Calibration, says_honestly_what_a_lattice_cannot_carry) {
  const Twin twin = cube(only("healthy", {.along = 0.6, .across = 0.2}), 1.5);
  auto p1 = coarse;
  p1.stiffness = Stiffness::p1;
  const Calibration fit = calibrate(twin, {}, p1);
  EXPECT_TRUE(fit.axes[0].within_limit) << fit.axes[0].why;
  EXPECT_FALSE(fit.axes[1].within_limit);
  EXPECT_NE(fit.axes[1].why.find("mm would do"), std::string::npos) << fit.axes[1].why;
  // A wider limit accepts the same velocities.
  EXPECT_TRUE(calibrate(twin, {}, p1, 0.6).axes[1].within_limit);
  // Nodal gradients carry them: 46 % spread over the directions became 8 % at 1 mm.
  const Calibration nodal = calibrate(twin, {}, coarse, 0.15);
  EXPECT_TRUE(nodal.axes[0].within_limit) << nodal.axes[0].why;
  EXPECT_TRUE(nodal.axes[1].within_limit) << nodal.axes[1].why;
  EXPECT_EQ(nodal.tissue.calibrated_stiffness, Stiffness::nodal_gradient);
}

TEST(Calibration, never_returns_what_dt_cannot_step) {
  const Twin twin = cube(only("healthy", {.along = 1.5, .across = 1.5}), 0.8);
  SimulationOptions long_step = coarse;
  long_step.dt = 0.2;
  Calibration fit;
  const std::string text = message([&] { fit = calibrate(twin, {}, long_step); });
  if (text.empty()) {
    EXPECT_FALSE(fit.axes[0].within_limit);
    EXPECT_NE(fit.axes[0].why.find("use a smaller dt"), std::string::npos) << fit.axes[0].why;
    auto fitted = twin;
    fitted.tissue = fit.tissue;
    EXPECT_NO_THROW(Simulation(fitted, long_step));
  } else {
    EXPECT_NE(text.find("calibrate with a smaller dt"), std::string::npos) << text;
  }
}

TEST(Calibration, wrong_requests_are_refused) {
  const Twin twin = cube(Tissue::library("post-infarct"), 1.2);
  const auto asking = [&](const std::map<std::string, Velocity>& wanted) {
    return message([&] { calibrate(twin, wanted, coarse); });
  };
  EXPECT_NE(asking({{"helthy", {.along = 0.6, .across = 0.4}}}).find("did you mean \"healthy\"?"), std::string::npos);
  EXPECT_NE(asking({{"core", {.along = 0.6, .across = 0.4}}}).find("does not conduct"), std::string::npos);
  EXPECT_NE(asking({{"healthy", {.along = 6, .across = 0.4}}}).find("outside [0.02, 3]"), std::string::npos);
  EXPECT_NE(asking({{"healthy", {.along = 0.6, .across = 0}}}).find("no wanted velocity across"), std::string::npos);
  EXPECT_THROW(measure_velocity(twin.tissue, "core", Axis::along, 1, coarse), InputError);
  EXPECT_THROW(measure_velocity(twin.tissue, "healthy", Axis::along, 0.05, coarse), InputError);  // dt too large there
}

TEST(Calibration, does_not_depend_on_threads) {
  const Tissue tissue = only("healthy", {.along = 0.6, .across = 0.4});
  VelocityMeasurement v[2];
  for (const int threads : {1, 2}) {
    auto options = coarse;
    options.backend = Backend::cpu(threads);
    v[threads - 1] = measure_velocity(tissue, "healthy", Axis::across, 1.2, options);
  }
  EXPECT_EQ(v[0].mean, v[1].mean);
  EXPECT_EQ(v[0].low, v[1].low);
  EXPECT_EQ(v[0].high, v[1].high);
}

}  // namespace
}  // namespace cardiotwin
