#include <gtest/gtest.h>

#include <Eigen/Geometry>
#include <cardiotwin/error.hpp>
#include <cardiotwin/fibers.hpp>
#include <cardiotwin/meshes/build.hpp>
#include <cmath>
#include <numbers>
#include <set>

#include "../../meshes/src/build_parts.hpp"
#include "ellipsoid.hpp"

using namespace cardiotwin;
using namespace cardiotwin::meshes;
using cardiotwin::tests::Ellipsoid;

namespace {

Mesh mesh_of(const Labels& labels, double edge) {
  Labels regions = labels;
  for (auto& label : regions.values) label = label == muscle ? region::healthy : 0;
  return stuff(tissue_field(labels, 1.0), regions, {.edge = edge});
}

const Ellipsoid turned{.turn = Eigen::AngleAxisd(0.7, Vec3(1, 2, 3).normalized()).toRotationMatrix(),
                       .shift = {30, -50, 80}};

// What a face is by analysis, from its centroid in the ventricle's frame.
Surface truth(const Ellipsoid& e, const Vec3& p) {
  if (p.z() > -1.0) return Surface::base;
  return std::abs(e.level(p, 0) - 1) * e.inner_short < std::abs(e.level(p, e.wall) - 1) * (e.inner_short + e.wall)
             ? Surface::endo
             : Surface::epi;
}

}  // namespace

TEST(Surface, FacesAreTaggedAsTheyLie) {
  const Labels labels = turned.labels(1.0, 1.0);
  const Mesh mesh = mesh_of(labels, 2.5);
  const auto surface = tag_surface(mesh, labels);
  double wrong = 0, total = 0;
  for (const auto& face : surface.faces) {
    const auto& n = face.nodes;
    const auto p = mesh.points();
    const double area = 0.5 * (p[n[1]] - p[n[0]]).cross(p[n[2]] - p[n[0]]).norm();
    total += area;
    if (face.tag != truth(turned, turned.own((p[n[0]] + p[n[1]] + p[n[2]]) / 3.0))) wrong += area;
  }
  EXPECT_LT(wrong / total, 0.02);  // faces on the two rounded rims may be called either way
  EXPECT_GT(surface.base_normal.dot(turned.turn.col(2)), std::cos(1.0 * std::numbers::pi / 180));
  EXPECT_LT((turned.own(surface.base_centre) - Vec3(0, 0, 0)).norm(), 1.0);
  EXPECT_LT((turned.own(surface.apex) - Vec3(0, 0, -42)).norm(), 4.0);  // the cap is flat: 4 mm aside is 0.3 mm higher
  EXPECT_NEAR(turned.own(surface.apex).z(), -42, 0.6);
}

TEST(Surface, RightVentricleTouchingTheWallIsStillOutside) {
  const Ellipsoid e;
  Labels labels = e.labels(1.0, 1.0);
  const Mesh mesh = mesh_of(labels, 3.0);
  for (std::size_t v = 0; v < labels.values.size(); ++v) {
    const int i = static_cast<int>(v % labels.grid.size[0]);
    const Vec3 p = labels.grid.position(Vec3(i, double(v / labels.grid.size[0] % labels.grid.size[1]),
                                             double(v / labels.grid.size[0] / labels.grid.size[1])));
    if (labels.values[v] == background && p.x() > 0 && p.z() < -1 && e.level(p, e.wall + 6) < 1)
      labels.values[v] = rv_cavity;
  }
  const auto surface = tag_surface(mesh, labels);
  for (const auto& face : surface.faces) {
    const Vec3 p = (mesh.points()[face.nodes[0]] + mesh.points()[face.nodes[1]] + mesh.points()[face.nodes[2]]) / 3.0;
    if (p.z() > -4 || e.level(p, e.wall / 2) < 1) continue;
    ASSERT_EQ(face.tag, Surface::epi) << p.transpose();
  }
}

TEST(Surface, MasksThatCannotBeTaggedAreRefusedWithACure) {
  const Ellipsoid e;
  const Labels labels = e.labels(1.5, 1.5);
  const Mesh mesh = mesh_of(labels, 3.0);
  Labels solid = labels;
  for (auto& label : solid.values) label = label == lv_cavity ? muscle : label;
  EXPECT_THROW(tag_surface(mesh, solid), InputError);  // no cavity
  Labels closed = labels;
  for_each_voxel(closed.grid, [&](int i, int j, int k, std::size_t v) {
    const Vec3 p = closed.grid.position(Vec3(i, j, k));
    if (closed.values[v] == background && p.z() > 0 && p.z() < 4 && std::hypot(p.x(), p.y()) < 22)
      closed.values[v] = muscle;
  });
  try {
    tag_surface(mesh, closed);
    FAIL() << "a closed mask has no base";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("open at the valve plane"), std::string::npos) << error.what();
  }
}

// The rule of fibres on a mesh as `build` makes it. Angles are taken against the ellipsoid's own coordinates.
TEST(Surface, FibresOfAMeshedVentricleHaveTheAnglesAskedFor) {
  const Ellipsoid e;
  const Labels labels = e.labels(1.0, 1.0);
  const Mesh mesh = mesh_of(labels, 2.0);
  const auto surface = tag_surface(mesh, labels);
  std::set<Index> part[4], apex;
  for (const auto& face : surface.faces) part[static_cast<int>(face.tag)].insert(face.nodes.begin(), face.nodes.end());
  for (const Index i : part[2]) {
    if ((mesh.points()[i] - surface.apex).norm() < 3) apex.insert(i);
  }
  const auto list = [](const std::set<Index>& s) { return std::vector<Index>(s.begin(), s.end()); };
  const auto laid = rule_based_fibers(mesh, {list(part[1]), list(part[2]), list(part[3]), list(apex)});
  // Least squares of helix angle on true depth, over the part where circumferential and meridian directions are well
  // defined.
  double n = 0, sd = 0, sh = 0, sdd = 0, sdh = 0, worst = 0, mid = 0, mids = 0;
  for (std::size_t t = 0; t < mesh.tet_count(); ++t) {
    const Vec3 c = mesh.centroid(t);
    if (c.z() > -4 || c.z() < -26) continue;
    double low = 0, high = e.wall;  // growth whose ellipsoid passes through c: the wall is 8 mm along the semi-axes
    for (int k = 0; k < 40; ++k) (e.level(c, 0.5 * (low + high)) > 1 ? low : high) = 0.5 * (low + high);
    const double depth = low / e.wall, a = e.inner_short + low, l = e.inner_long + low;
    const Vec3 outward = Vec3(c.x() / (a * a), c.y() / (a * a), c.z() / (l * l)).normalized();
    const Vec3 around = Vec3(-c.y(), c.x(), 0).normalized(), up = outward.cross(around);
    const Vec3& f = laid.fibers.f[t];
    const double helix = std::atan2(f.dot(up), f.dot(around)) * 180 / std::numbers::pi;
    n += 1, sd += depth, sh += helix, sdd += depth * depth, sdh += depth * helix;
    worst = std::max(worst, std::abs(f.dot(outward)));
    if (std::abs(depth - 0.5) < 0.05) mid += helix, mids += 1;
  }
  const double slope = (n * sdh - sd * sh) / (n * sdd - sd * sd), endo = (sh - slope * sd) / n;
  EXPECT_NEAR(endo, 60, 3);
  EXPECT_NEAR(endo + slope, -60, 3);
  EXPECT_NEAR(mid / mids, 0, 3);
  EXPECT_LT(worst, std::sin(10 * std::numbers::pi / 180));  // fibres lie in the wall
}
