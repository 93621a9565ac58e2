// Waves on a graded mesh: coarse healthy muscle that turns into a fine border zone.
#include <gtest/gtest.h>

#include <cardiotwin/calibration.hpp>
#include <cardiotwin/check.hpp>
#include <cardiotwin/meshes/mesher.hpp>
#include <cmath>

#include "../../libcardiotwin/src/lattice_wave.hpp"
#include "support/blocks.hpp"
#include "support/record_table.hpp"

namespace cardiotwin {
namespace {

using meshes::Grid, meshes::Image, meshes::Labels;

constexpr double length = 64, half_width = 4, middle = 32;  // of the bar [mm]

/// A bar along x, healthy with edges of 1.4 mm below `middle`, border zone of 0.6 mm above.
const Twin& bar() {
  static const Twin twin = [] {
    Grid grid;
    grid.size = {72, 18, 18}, grid.origin = Vec3(-4.1, -8.3, -8.6);
    Image inside{grid, {}}, edges{grid, {}};
    Labels labels{grid, {}};
    for (int k = 0; k < grid.size[2]; ++k) {
      for (int j = 0; j < grid.size[1]; ++j) {
        for (int i = 0; i < grid.size[0]; ++i) {
          const Vec3 p = grid.position(Vec3(i, j, k));
          inside.values.push_back(static_cast<float>(
              std::min({p.x(), length - p.x(), half_width - std::abs(p.y()), half_width - std::abs(p.z())})));
          labels.values.push_back(p.x() < middle ? region::healthy : region::border_zone);
          edges.values.push_back(p.x() < middle ? 1.4f : 0.6f);
        }
      }
    }
    Tissue tissue = Tissue::library("post-infarct");
    std::erase_if(tissue.regions, [](const auto& r) { return r.first == "channel"; });
    return test::block_twin(meshes::stuff(inside, labels, edges, {.grading = 0.3}), tissue);
  }();
  return twin;
}

const SimulationOptions options{.precision = Precision::fp32};

const Calibration& fitted() {
  static const Calibration fit = calibrate(bar(), {}, options);
  return fit;
}

/// Velocity [m/s] of a wave from the low end, by least squares over the nodes between `from` and `to`.
double velocity(const Simulation& sim, const Mesh& mesh, double from, double to) {
  const auto lat = sim.activations();
  double n = 0, sx = 0, st = 0, sxx = 0, sxt = 0;
  for (std::size_t i = 0; i < mesh.node_count(); ++i) {
    const double x = mesh.points()[i].x(), t = lat[i * Simulation::activation_depth];
    if (x < from || x > to) continue;
    EXPECT_FALSE(std::isnan(t)) << x;
    n += 1, sx += x, st += t, sxx += x * x, sxt += x * t;
  }
  return (n * sxx - sx * sx) / (n * sxt - sx * st);
}

TEST(Graded, each_region_is_fitted_at_its_own_edge) {
  const auto edges = edge_statistics(bar().anatomy.mesh);
  const auto& tissue = fitted().tissue;
  EXPECT_EQ(tissue["healthy"].calibrated_edge, edges.at(region::healthy).mean);
  EXPECT_EQ(tissue["border_zone"].calibrated_edge, edges.at(region::border_zone).mean);
  EXPECT_GT(tissue["healthy"].calibrated_edge, 1.7 * tissue["border_zone"].calibrated_edge);
  for (const auto& row : fitted().axes) {
    EXPECT_EQ(row.edge, tissue[row.region].calibrated_edge);
    EXPECT_TRUE(row.within_limit) << row.why;
  }
}

TEST(Graded, waves_run_at_the_wanted_velocity_in_both_parts) {
  Twin twin = bar();
  twin.tissue = fitted().tissue;
  SimulationOptions stepped = options;
  stepped.dt = natural_dt(twin), stepped.stiffness = natural_stiffness(twin);
  Simulation sim(twin, stepped);
  sim.add(test::pulse_at_low_end(twin.anatomy.mesh, 3));
  sim.run(150);
  // The directions of one lattice differ by up to 3 % in the fit; the sides of a thin bar add cut cells.
  std::vector<std::string> rows;
  for (const auto& [region, from, to] : {std::tuple("healthy", 10.0, 26.0), {"border_zone", 38.0, 56.0}}) {
    const double v = velocity(sim, twin.anatomy.mesh, from, to), wanted = twin.tissue[region].wanted.along;
    EXPECT_NEAR(v / wanted, 1, 0.05) << region;
    rows.push_back(fmt::format("{} | {:.2f} | {} | {:.4f}", region, twin.tissue[region].calibrated_edge, wanted, v));
  }
  test::record_table("region | edge [mm] | wanted [m/s] | measured", rows);
}

TEST(Graded, no_capacity_is_added_to_the_fine_part_because_the_rest_is_coarse) {
  // A corner with a sixth of the edge has a hundredth of the nodes' volume and needs 36 times shorter steps.
  Twin twin = bar();
  const Mesh coarse = lattice_block(Vec3(40, 40, 40), 3), fine = lattice_block(Vec3(8, 8, 8), 0.5);
  std::vector<Vec3> points(coarse.points().begin(), coarse.points().end());
  std::vector<Tet> tets(coarse.tets().begin(), coarse.tets().end());
  std::vector<Label> labels(tets.size(), region::healthy);
  const auto shift = static_cast<Index>(points.size());
  for (const Vec3& p : fine.points()) points.push_back(p + Vec3(100, 0, 0));
  for (const Tet& t : fine.tets()) tets.push_back({t[0] + shift, t[1] + shift, t[2] + shift, t[3] + shift});
  labels.resize(tets.size(), region::border_zone);
  twin = test::block_twin(Mesh(std::move(points), std::move(tets), std::move(labels)), twin.tissue);
  const Simulation sim(twin, {.dt = 1e-4, .stiffness = Stiffness::p1});
  const double inside = lattice_stable_dt(twin.tissue, "border_zone", 0.5, {.stiffness = Stiffness::p1});
  EXPECT_LE(sim.stable_dt(), inside);
  EXPECT_GT(sim.stable_dt(), 0.25 * inside);  // but the ragged sides do get some
}

TEST(Graded, check_states_the_edges_and_what_they_leave) {
  Twin twin = bar();
  twin.tissue = fitted().tissue;
  SimulationOptions stepped = options;
  stepped.dt = natural_dt(twin), stepped.stiffness = natural_stiffness(twin);
  const auto report = check(twin, stepped);
  EXPECT_TRUE(report.fit());
  EXPECT_LT(report.edges.at("healthy").low, 0.7 * report.edges.at("healthy").high);  // holds the transition
  const auto& ends = report.edge_velocities;
  ASSERT_EQ(ends.size(), 2u);
  for (const auto& end : ends) {
    EXPECT_EQ(end.region, "healthy");
    EXPECT_NE(end.at_low.mean, end.at_high.mean);
  }
  const auto says = [](const CheckReport& r, const char* part) {
    return std::ranges::any_of(r.findings, [&](const Finding& f) { return f.text.find(part) != std::string::npos; });
  };
  EXPECT_FALSE(says(report, "in 5 % of healthy"));  // a few per cent
  EXPECT_TRUE(says(check(twin, stepped, 0.001), "in 5 % of healthy edges are"));
  // A twin of before, fitted at one edge for all, is judged by that.
  for (auto& [name, region] : twin.tissue.regions) region.calibrated_edge = 0;
  EXPECT_FALSE(says(check(twin, stepped), "calibrated for a mean edge"));
  twin.tissue["healthy"].calibrated_edge = 1.1 * report.edges.at("healthy").mean;
  EXPECT_TRUE(says(check(twin, stepped), "conductivities of healthy were calibrated for a mean edge"));
}

}  // namespace
}  // namespace cardiotwin
