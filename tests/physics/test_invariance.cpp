// Where a heart lies in space and how its mesh is numbered must not change when it activates.
#include <gtest/gtest.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cardiotwin/random.hpp>
#include <cardiotwin/simulation.hpp>
#include <numeric>

#include "support/blocks.hpp"

namespace cardiotwin {
namespace {

// A block with fibres that rotate through its thickness, a slow half and a dead ball.
Twin layered_block() {
  Twin twin = test::block_twin(lattice_block({16, 12, 9}, 1.1), Tissue::library("post-infarct"));
  Anatomy& a = twin.anatomy;
  a.mesh = test::relabel(a.mesh, [](const Vec3& c) {
    if ((c - Vec3(8, 6, 4)).norm() < 3) return region::core;
    return c.x() > 9 ? region::border_zone : region::healthy;
  });
  for (std::size_t t = 0; t < a.mesh.tet_count(); ++t) {
    const Mat3 turn = Eigen::AngleAxis<double>(-1 + 2 * a.mesh.centroid(t).z() / 9, Vec3::UnitZ()).toRotationMatrix();
    a.fibers.f[t] = turn.col(0), a.fibers.s[t] = turn.col(1), a.fibers.n[t] = turn.col(2);
  }
  return twin;
}

std::vector<double> lat(const Twin& twin, const std::vector<Index>& paced) {
  Simulation sim(twin, {.dt = 0.1, .precision = Precision::fp64});
  Protocol protocol;
  protocol.stimuli.push_back({.nodes = paced});
  sim.add(protocol);
  const auto& map = sim.add(ActivationMap{});
  sim.run(60);
  return map.map().values;
}

void expect_same_times(const std::vector<double>& a, const std::vector<double>& b) {
  ASSERT_EQ(a.size(), b.size());
  int fired = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(std::isnan(a[i]), std::isnan(b[i])) << i;
    if (std::isnan(a[i])) continue;
    ++fired;
    ASSERT_NEAR(a[i], b[i], 1e-9 * a[i]) << i;
  }
  EXPECT_GT(fired, 1000);
}

TEST(Invariance, turning_and_moving_mesh_and_fibres_together_changes_nothing) {
  const Twin twin = layered_block();
  const auto paced = test::pulse_at_low_end(twin.anatomy.mesh).stimuli[0].nodes;
  const Mat3 turn = Eigen::AngleAxis<double>(2.1, Vec3(1, -2, 0.5).normalized()).toRotationMatrix();
  Twin moved = twin;
  std::vector<Vec3> points;
  for (const Vec3& p : twin.anatomy.mesh.points()) points.push_back(turn * p + Vec3(-120, 35, 210));
  const Mesh& mesh = twin.anatomy.mesh;
  moved.anatomy.mesh =
      Mesh(points, {mesh.tets().begin(), mesh.tets().end()}, {mesh.labels().begin(), mesh.labels().end()});
  for (auto* frame : {&moved.anatomy.fibers.f, &moved.anatomy.fibers.s, &moved.anatomy.fibers.n})
    for (Vec3& v : *frame) v = turn * v;
  expect_same_times(lat(twin, paced), lat(moved, paced));
}

TEST(Invariance, turning_the_fibres_alone_does_change_the_times) {
  const Twin twin = layered_block();
  const auto paced = test::pulse_at_low_end(twin.anatomy.mesh).stimuli[0].nodes;
  Twin turned = twin;
  std::swap(turned.anatomy.fibers.f, turned.anatomy.fibers.n);
  const auto a = lat(twin, paced), b = lat(turned, paced);
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!std::isnan(a[i])) largest = std::max(largest, std::abs(a[i] - b[i]));
  EXPECT_GT(largest, 1.0);
}

TEST(Invariance, renumbering_nodes_and_tets_changes_nothing) {
  const Twin twin = layered_block();
  const Mesh& mesh = twin.anatomy.mesh;
  Random random(11);
  const auto shuffled = [&](std::size_t n) {
    std::vector<Index> order(n);
    std::iota(order.begin(), order.end(), 0);
    for (std::size_t i = n; i > 1; --i) std::swap(order[i - 1], order[random.bits() % i]);
    return order;
  };
  const auto to = shuffled(mesh.node_count()), tet_order = shuffled(mesh.tet_count());
  Twin renumbered = twin;
  std::vector<Vec3> points(mesh.node_count());
  for (std::size_t i = 0; i < points.size(); ++i) points[to[i]] = mesh.points()[i];
  std::vector<Tet> tets;
  std::vector<Label> labels;
  Fibers fibers;
  for (const Index t : tet_order) {
    const Tet& old = mesh.tets()[t];
    tets.push_back({to[old[2]], to[old[0]], to[old[1]], to[old[3]]});
    labels.push_back(mesh.labels()[t]);
    fibers.f.push_back(twin.anatomy.fibers.f[t]);
    fibers.s.push_back(twin.anatomy.fibers.s[t]);
    fibers.n.push_back(twin.anatomy.fibers.n[t]);
  }
  renumbered.anatomy.mesh = Mesh(points, tets, labels);
  renumbered.anatomy.fibers = fibers;
  const auto paced = test::pulse_at_low_end(mesh).stimuli[0].nodes;
  auto paced_there = paced;
  for (Index& node : paced_there) node = to[node];
  const auto before = lat(twin, paced), there = lat(renumbered, paced_there);
  std::vector<double> back(before.size());
  for (std::size_t i = 0; i < back.size(); ++i) back[i] = there[to[i]];
  expect_same_times(before, back);
}

}  // namespace
}  // namespace cardiotwin
