#include <gtest/gtest.h>

#include <Eigen/Geometry>
#include <Eigen/LU>
#include <cardiotwin/error.hpp>
#include <cardiotwin/fibers.hpp>
#include <cmath>
#include <numbers>

#include "tube.hpp"

using namespace cardiotwin;
using cardiotwin::tests::Tube;

namespace {

constexpr double degrees = 180.0 / std::numbers::pi;

// Helix angle of `f` at `c`: from the circumferential direction, counter-clockwise seen from the base, towards the
// base.
double helix(const Vec3& f, const Vec3& c) {
  const Vec3 around = Vec3(-c.y(), c.x(), 0).normalized();
  return degrees * std::atan2(f.z(), f.dot(around));
}

void expect_orthonormal(const Fibers& fibers) {
  for (std::size_t t = 0; t < fibers.f.size(); ++t) {
    Mat3 frame;
    frame << fibers.f[t], fibers.s[t], fibers.n[t];
    ASSERT_LT((frame.transpose() * frame - Mat3::Identity()).cwiseAbs().maxCoeff(), 1e-12) << "tet " << t;
    ASSERT_GT(frame.determinant(), 0) << "tet " << t;
  }
}

}  // namespace

TEST(Fibers, UniformFramesFollowTheDirection) {
  const Mesh mesh({{0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, {{0, 1, 2, 3}}, {1});
  const auto axes = uniform_fibers(mesh);
  EXPECT_EQ(axes.f[0], Vec3::UnitX());
  EXPECT_EQ(axes.s[0], Vec3::UnitY());
  EXPECT_EQ(axes.n[0], Vec3::UnitZ());
  for (const Vec3& direction : {Vec3(1, 2, 3), Vec3(0, -5, 0), Vec3(0, 0, 0.1)}) {
    const auto fibers = uniform_fibers(mesh, direction);
    EXPECT_NEAR(fibers.f[0].dot(direction), direction.norm(), 1e-12);
    expect_orthonormal(fibers);
  }
  EXPECT_THROW(uniform_fibers(mesh, Vec3::Zero()), InputError);
}

// On a tube of radius ratio 2 the Laplace solution is log(r): it would put depth 0.585 and a helix of -10 degrees at
// mid-wall.
TEST(Fibers, HelixIsLinearInDepthAcrossACurvedWall) {
  const Tube tube;
  const auto [fibers, depth, height, right] = rule_based_fibers(tube.mesh, tube.boundary);
  expect_orthonormal(fibers);
  EXPECT_TRUE(right.empty());
  for (std::size_t i = 0; i < tube.mesh.node_count(); ++i) {
    const Vec3& p = tube.mesh.points()[i];
    const double radius = std::hypot(p.x(), p.y());
    ASSERT_NEAR(depth[i], (radius - Tube::inner) / (Tube::outer - Tube::inner), 0.01);  // facets: sagitta 0.02 mm of 10
    ASSERT_NEAR(height[i], p.z() / Tube::height, 1e-5);
  }
  for (std::size_t t = 0; t < tube.mesh.tet_count(); ++t) {
    const Vec3 c = tube.mesh.centroid(t);
    const double share = (std::hypot(c.x(), c.y()) - Tube::inner) / (Tube::outer - Tube::inner);
    ASSERT_NEAR(helix(fibers.f[t], c), 60 - 120 * share, 3.0) << "tet " << t << " at depth " << share;
  }
}

TEST(Fibers, AnglesAreThoseAskedFor) {
  const Tube tube;
  const auto flat =
      rule_based_fibers(tube.mesh, tube.boundary, {.alpha_endo = 0, .alpha_epi = 0, .beta_endo = 0, .beta_epi = 0});
  const auto steep =
      rule_based_fibers(tube.mesh, tube.boundary, {.alpha_endo = 80, .alpha_epi = 80, .beta_endo = 30, .beta_epi = 30});
  for (std::size_t t = 0; t < tube.mesh.tet_count(); ++t) {
    const Vec3 c = tube.mesh.centroid(t), outward = Vec3(c.x(), c.y(), 0).normalized();
    ASSERT_NEAR(helix(flat.fibers.f[t], c), 0, 1.5);
    ASSERT_GT(flat.fibers.s[t].dot(outward), std::cos(1.5 / degrees));  // beta 0: the sheet spans fibre and wall normal
    ASSERT_NEAR(helix(steep.fibers.f[t], c), 80, 1.5);
    ASSERT_NEAR(steep.fibers.s[t].dot(outward), std::cos(30 / degrees), 0.02);
    ASSERT_GT(steep.fibers.s[t].dot(outward.cross(steep.fibers.f[t])), 0);
  }
}

TEST(Fibers, RulesAreNamed) {
  for (const auto rule : {FiberRule::bayer, FiberRule::doste}) EXPECT_EQ(fiber_rule_of(fiber_rule_name(rule)), rule);
  EXPECT_EQ(FiberAngles::of(FiberRule::doste).alpha_epi_rv, -25);
  EXPECT_THROW(fiber_rule_of("streeter"), InputError);
}

// A quarter of the tube's upper rim is an outflow ring.
TEST(Fibers, OutflowTractsHaveTheirOwnAngles) {
  const Tube tube;
  auto boundary = tube.boundary;
  for (int a = 0; a < Tube::around / 4; ++a)
    for (int r = 0; r <= Tube::radial; ++r) boundary.outflow.push_back(Tube::node(r, a, Tube::up));
  const auto laid = rule_based_fibers(tube.mesh, boundary, FiberAngles::of(FiberRule::doste));
  expect_orthonormal(laid.fibers);
  double near_endo = 0, near_epi = 0, opposite = 0;
  int counted = 0, far = 0;
  for (std::size_t t = 0; t < tube.mesh.tet_count(); ++t) {
    const Vec3 c = tube.mesh.centroid(t);
    const double depth = (std::hypot(c.x(), c.y()) - Tube::inner) / (Tube::outer - Tube::inner);
    const double angle = std::abs(std::remainder(helix(laid.fibers.f[t], c), 180.0));
    const bool above = c.z() > 0.93 * Tube::height, beside = c.x() > 2 * c.y() / 3 && c.y() > 2 * c.x() / 3;
    if (above && beside && depth < 0.12) near_endo += angle, ++counted;
    if (above && beside && depth > 0.88) near_epi += angle;
    if (c.x() < 0 && c.y() < 0 && depth < 0.12) opposite = std::max(opposite, std::abs(angle - 60)), ++far;
  }
  ASSERT_GT(counted, 10);
  ASSERT_GT(far, 10);
  // Centroids lie up to 7 % below the ring and 9 % of the depth inside, where the angle is on its way to -60 and 60.
  EXPECT_GT(near_endo / counted, 70);
  EXPECT_LT(near_epi / counted, 20);
  EXPECT_LT(opposite, 20);
}

TEST(Fibers, FramesFollowGivenFibers) {
  const auto frames = frames_along({Vec3::UnitX(), Vec3::UnitZ()}, {Vec3(1, 1, 0), Vec3(0, 0, 2)});
  expect_orthonormal(frames);
  EXPECT_LT((frames.s[0] - Vec3::UnitY()).norm(), 1e-12);
}

TEST(Fibers, EmptyOrForeignBoundaryIsRefused) {
  const Tube tube;
  auto boundary = tube.boundary;
  boundary.apex.clear();
  EXPECT_THROW(rule_based_fibers(tube.mesh, boundary), InputError);
  boundary = tube.boundary;
  boundary.endo.push_back(static_cast<Index>(tube.mesh.node_count()));
  EXPECT_THROW(rule_based_fibers(tube.mesh, boundary), InputError);
  boundary = tube.boundary;
  boundary.epi = {tube.boundary.epi.front()};
  EXPECT_THROW(rule_based_fibers(tube.mesh, boundary), InputError);
}
