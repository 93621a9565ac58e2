// How deep scar goes: columns of wall, and a whole twin.
#include <gtest/gtest.h>

#include <cardiotwin/error.hpp>
#include <cardiotwin/finding.hpp>
#include <cardiotwin/transmurality.hpp>
#include <cmath>

using namespace cardiotwin;

namespace {

// A slab of wall, z from endo- to epicardium, scar up to `depth` where x > 20; segments 7 and 8 meet at x = 20.
Anatomy slab(double depth) {
  Anatomy a;
  const Mesh box = box_mesh({40, 20, 8}, 1.0);
  std::vector<Label> labels;
  for (std::size_t t = 0; t < box.tet_count(); ++t) {
    const Vec3 c = box.centroid(t);
    const bool scar = c.x() > 20 && c.z() < 8 * depth;
    labels.push_back(!scar ? region::healthy : c.z() < 1 ? region::border_zone : region::core);
    a.aha.push_back(c.x() > 20 ? 8 : 7);
  }
  a.mesh = Mesh({box.points().begin(), box.points().end()}, {box.tets().begin(), box.tets().end()}, labels);
  a.fibers = uniform_fibers(a.mesh);
  a.regions = {{region::healthy, "healthy"}, {region::border_zone, "border_zone"}, {region::core, "core"}};
  for (const auto& face : boundary_faces(a.mesh)) {
    double z = 0;
    for (const Index n : face.nodes) z += a.mesh.points()[n].z() / 3;
    a.surface.push_back({face.nodes, face.tet, z < 0.01 ? Surface::endo : z > 7.99 ? Surface::epi : Surface::base});
  }
  for (const auto& p : a.mesh.points()) a.depth.push_back(p.z() / 8);
  return a;
}

}  // namespace

TEST(Transmurality, IsTheShareOfDepthThatIsScar) {
  for (const double depth : {0.25, 0.5, 1.0}) {
    const auto found = transmurality(slab(depth));
    // A patch on the line between the segments holds both; there are four of these among sixteen in segment 8.
    EXPECT_NEAR(found[8].max, depth, 0.03) << depth;
    EXPECT_NEAR(found[8].mean, depth, 0.13 * depth) << depth;
    EXPECT_LT(found[7].mean, 0.15 * depth);
    EXPECT_NEAR(found[0].mean, depth / 2, 0.02) << depth;
    EXPECT_EQ(found[7].columns + found[8].columns, found[0].columns);
    EXPECT_EQ(found[3].columns, 0u);
  }
}

TEST(Transmurality, CurvatureDoesNotCountAndRimsGiveNoMaximum) {
  // Outer layers hold more of a curved wall; half of the depth stays half.
  std::vector<WallPiece> column;
  for (int l = 0; l < 8; ++l) column.push_back({0, (l + 0.5) / 8, 1.0 + l, l < 4 ? 1.0 : 0.0, 5});
  EXPECT_DOUBLE_EQ(transmurality(column)[5].mean, 0.5);
  EXPECT_DOUBLE_EQ(transmurality(column)[5].max, 0.5);
  // Two layers at a cut edge are all scar, but say nothing of the wall's depth.
  column.push_back({1, 0.05, 0.1, 1, 5});
  column.push_back({1, 0.15, 0.1, 1, 5});
  const auto both = transmurality(column);
  EXPECT_DOUBLE_EQ(both[5].max, 0.5);
  EXPECT_NEAR(both[5].mean, (0.5 * 36 + 0.2) / 36.2, 1e-12);
  EXPECT_EQ(transmurality(std::span<const WallPiece>())[0].columns, 0u);
  Anatomy bare = slab(0.5);
  bare.depth.clear();
  EXPECT_EQ(transmurality(bare)[0].columns, 0u);
}

TEST(Transmurality, PatchesCoverTheirPointsAndKeepApart) {
  std::vector<Vec3> points;
  for (int i = -30; i < 30; ++i) {
    for (int j = -30; j < 30; ++j) points.emplace_back(i, j, std::sin(i * 0.3));
  }
  const auto of = patches_of(points, 5);
  std::map<std::uint32_t, Vec3> centre;
  for (std::size_t p = 0; p < points.size(); ++p) centre.try_emplace(of[p], points[p]);
  EXPECT_GT(centre.size(), 60u);  // 60 x 60 mm in patches 5 to 10 mm apart
  EXPECT_LT(centre.size(), 200u);
  for (std::size_t p = 0; p < points.size(); ++p) EXPECT_LE((points[p] - centre.at(of[p])).norm(), 10.0);
}

TEST(Finding, ComesBackFromJson) {
  const std::vector<Finding> all{{Severity::info, "a \"b\""}, {Severity::severe, "c, 3 mm; d"}};
  EXPECT_EQ(findings_from_json(to_json(all)), all);
  EXPECT_THROW(findings_from_json("[{\"severity\": \"grave\", \"text\": \"\"}]"), InputError);
  EXPECT_THROW(findings_from_json("{"), InputError);
}
