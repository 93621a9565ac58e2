// Velocities across the fibre on the mesher's tets: 9:1 diffusivities, spacing 0.7 mm, modified Mitchell-Schaeffer.
#include <gtest/gtest.h>

#include <Eigen/Geometry>
#include <cardiotwin/calibration.hpp>
#include <cmath>

#include "support/blocks.hpp"
#include "support/record_table.hpp"

namespace cardiotwin {
namespace {

constexpr double edge = 0.7;
const Velocity wanted{.along = 0.6, .across = 0.2};

Tissue healthy_alone() {
  Tissue tissue = Tissue::library("post-infarct");
  std::erase_if(tissue.regions, [](const auto& entry) { return entry.first != "healthy"; });
  return tissue;
}

Calibration tuned(Stiffness stiffness) {
  Twin twin = test::block_twin(lattice_block(Vec3::Constant(8), edge), healthy_alone());
  return calibrate(twin, {{"healthy", wanted}}, {.dt = 0.1, .stiffness = stiffness}, 0.05);
}

/// Fibres in planes of constant z that turn by 120 degrees from one end to the other; the wave runs along z, across the
/// fibre everywhere. Velocity by the slope of LAT over z, [m/s].
double across_turning_fibres(const Tissue& tissue, Stiffness stiffness, const Mat3& lattice) {
  const Vec3 size(7, 7, 18);
  Twin twin = test::block_twin(lattice_block(size, edge, lattice), tissue);
  const Mesh& mesh = twin.anatomy.mesh;
  for (std::size_t t = 0; t < mesh.tet_count(); ++t) {
    const double angle = 2.1 * mesh.centroid(t).z() / size.z();
    const Vec3 f(std::cos(angle), std::sin(angle), 0);
    twin.anatomy.fibers.f[t] = t % 3 ? f : Vec3(-f);  // the sign of a fibre means nothing
    twin.anatomy.fibers.s[t] = Vec3::UnitZ().cross(f), twin.anatomy.fibers.n[t] = Vec3::UnitZ();
  }
  Simulation sim(twin, {.dt = 0.1, .precision = Precision::fp64, .stiffness = stiffness});
  Protocol protocol;
  protocol.stimuli.push_back({.nodes = test::nodes_where(mesh, [](const Vec3& p) { return p.z() <= 2; })});
  sim.add(protocol);
  sim.run(110);
  const auto lat = sim.activations();
  double n = 0, sz = 0, st = 0, szz = 0, szt = 0;
  for (std::size_t i = 0; i < mesh.node_count(); ++i) {
    const double z = mesh.points()[i].z(), t = lat[i * Simulation::activation_depth];
    if (z < 6 || z > 15) continue;
    EXPECT_FALSE(std::isnan(t)) << z;
    n += 1, sz += z, st += t, szz += z * z, szt += z * t;
  }
  return (n * szz - sz * sz) / (n * szt - sz * st);
}

TEST(Directions, nodal_gradients_make_velocities_independent_of_the_lattice) {
  const Calibration nodal = tuned(Stiffness::nodal_gradient);
  for (const auto& axis : nodal.axes) {
    EXPECT_TRUE(axis.within_limit) << axis.why;
    EXPECT_GT(axis.reached.low, 0.95 * axis.wanted);
    EXPECT_LT(axis.reached.high, 1.05 * axis.wanted);
  }
  // Plain P1, tuned as well, cannot: the spread was measured as 32 %.
  const Calibration p1 = tuned(Stiffness::p1);
  EXPECT_FALSE(p1.axes[1].within_limit);
  EXPECT_GT(p1.axes[1].reached.high - p1.axes[1].reached.low, 0.25 * wanted.across);

  std::vector<std::string> rows;
  for (const Vec3& turn : {Vec3(0, 0, 0), Vec3(0.5, 0.2, 0.7), Vec3(-0.6, 0.9, 0.1)}) {
    const Mat3 lattice =
        turn.norm() > 0 ? Eigen::AngleAxisd(turn.norm(), turn.normalized()).toRotationMatrix() : Mat3(Mat3::Identity());
    const double velocity = across_turning_fibres(nodal.tissue, Stiffness::nodal_gradient, lattice);
    EXPECT_NEAR(velocity, wanted.across, 0.05 * wanted.across) << turn.transpose();
    rows.push_back(fmt::format("{:.2f} | {:.4f} | {}", turn.norm(), velocity, wanted.across));
  }
  test::record_table("lattice turned by [rad] | velocity across turning fibres [m/s] | wanted", rows);
}

}  // namespace
}  // namespace cardiotwin
