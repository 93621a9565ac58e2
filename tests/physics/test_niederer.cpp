// N-version benchmark, Niederer et al. 2011 (doi 10.1098/rsta.2011.0139): a 20 x 7 x 3 mm slab of ten Tusscher-Panfilov
// 2006 epi, stimulated in a corner cube of 1.5 mm; the activation time of the far corner is P8.
#include <gtest/gtest.h>

#include <cardiotwin/simulation.hpp>

#include "support/blocks.hpp"
#include "support/record_table.hpp"

namespace cardiotwin {
namespace {

struct Corners {
  double p8, centre;
  std::vector<double> lat;
};

Corners slab(double h, double dt, double duration, double sigma_factor = 1, double load = 2.0 / 3.0) {
  Tissue tissue = Tissue::library("healthy-tt2006");
  tissue["healthy"].conductivity = {.along = 0.1334 * sigma_factor, .across = 0.0176 * sigma_factor};
  const Twin twin = test::block_twin(box_mesh({20, 7, 3}, h), tissue);
  const Mesh& mesh = twin.anatomy.mesh;
  Simulation sim(twin, {.dt = dt, .ionic_load = load, .stiffness = Stiffness::p1, .activation_threshold = 0});
  Protocol protocol;  // 50 mA/cm3 over beta Cm
  protocol.stimuli.push_back(
      {.nodes = test::nodes_where(mesh, [](const Vec3& p) { return p.maxCoeff() <= 1.5 + 1e-9; }),
       .start = 0,
       .duration = 2,
       .amplitude = 50 / 1.4});
  sim.add(protocol);
  const auto& map = sim.add(ActivationMap{});
  sim.run(duration);
  const auto at = [&](const Vec3& where) {
    std::size_t best = 0;
    for (std::size_t i = 0; i < mesh.node_count(); ++i)
      if ((mesh.points()[i] - where).norm() < (mesh.points()[best] - where).norm()) best = i;
    return map.map().values[best];
  };
  return {at({20, 7, 3}), at({10, 3.5, 1.5}), map.map().values};
}

constexpr double golden_p8 = 46.04;  // [ms] at h = 0.5 mm, dt = 0.05 ms; our own value, kept from drifting

TEST(Niederer, far_corner_fires_when_it_should) {
  const Corners coarse = slab(0.5, 0.05, 80), fine = slab(0.2, 0.02, 60);
  test::record_table("h [mm] | dt [ms] | P8 [ms] | centre [ms]",
                     {fmt::format("0.5 | 0.05 | {:.2f} | {:.2f}", coarse.p8, coarse.centre),
                      fmt::format("0.2 | 0.02 | {:.2f} | {:.2f}", fine.p8, fine.centre)});
  for (const double t : fine.lat) EXPECT_FALSE(std::isnan(t));
  EXPECT_GT(fine.p8, 37.8);
  EXPECT_LT(fine.p8, 48.7);
  EXPECT_LT(fine.centre, fine.p8);
  EXPECT_NEAR(coarse.p8, golden_p8, 0.01 * golden_p8);
}

TEST(Niederer, golden_notices_ten_percent_more_conductivity) {
  EXPECT_LT(slab(0.5, 0.05, 80, 1.1).p8, 0.98 * golden_p8);
}

}  // namespace
}  // namespace cardiotwin
