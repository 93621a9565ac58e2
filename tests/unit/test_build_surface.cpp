// From a closed surface to a twin: the boundary of one built from labels goes round.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <Eigen/Geometry>
#include <cardiotwin/error.hpp>
#include <cardiotwin/meshes/build.hpp>
#include <cardiotwin/meshes/phantom.hpp>
#include <filesystem>
#include <map>

using namespace cardiotwin;
using namespace cardiotwin::meshes;

namespace {

const std::map<Tag, Surface> own_tags{{1, Surface::endo}, {2, Surface::epi}, {3, Surface::base}, {4, Surface::endo_rv}};

class BuildFromSurface : public testing::Test {
 protected:
  static const Anatomy& first() {
    static const Twin twin = [] {
      const auto phantom = make_phantom({.scar = false, .pixel = 2, .slice = 2});
      return build_twin(phantom.image, phantom.labels,
                        {.chambers = Chambers::both_ventricles, .rv_wall = 5, .edge = 2.5});
    }();
    return twin.anatomy;
  }
  static ForeignMesh boundary() {
    ForeignMesh file = to_foreign(first());
    file.tets.clear(), file.tet_tags.clear(), file.fibers.clear(), file.sheets.clear(), file.tet_fields.clear();
    file.node_sets.clear(), file.node_fields.clear(), file.tag_names.clear();
    file.triangles_are_boundary = false;
    return file;
  }
  static const Twin& again() {
    static const Twin twin = build(boundary(), {.surfaces = own_tags});
    return twin;
  }
  // Written and built again.
  static Twin build(const ForeignMesh& surface, const SurfaceOptions& how, BuildOptions options = {.edge = 2.5}) {
    const auto path = std::filesystem::temp_directory_path() / fmt::format("cardiotwin-build-surface-{}.vtp", getpid());
    save_mesh(path, surface);
    struct Gone {
      std::filesystem::path path;
      ~Gone() { std::filesystem::remove(path); }
    } gone{path};
    return build_twin_from_surface(path, how, options);
  }
};

std::map<Surface, double> areas(const Anatomy& a) {
  std::map<Surface, double> area;
  for (const auto& face : a.surface) {
    const Vec3 p = a.mesh.points()[face.nodes[0]], q = a.mesh.points()[face.nodes[1]],
               r = a.mesh.points()[face.nodes[2]];
    area[face.tag] += (q - p).cross(r - p).norm() / 2;
  }
  return area;
}

}  // namespace

TEST_F(BuildFromSurface, TheHeartInsideIsTheOneItCameFrom) {
  const Anatomy& a = first();
  const Anatomy& b = again().anatomy;
  // Another lattice through the same surface: half a percent of its volume, more of its ragged rims.
  EXPECT_NEAR(quality(b.mesh).volume / quality(a.mesh).volume, 1, 0.01);
  const auto before = areas(a);
  for (const auto& [tag, area] : areas(b)) EXPECT_NEAR(area / before.at(tag), 1, tag == Surface::base ? 0.15 : 0.03);
  EXPECT_LT((b.apex - a.apex).norm(), 5);
  EXPECT_LT((b.base_centre - a.base_centre).norm(), 5);
  EXPECT_GT(b.septum.dot(a.septum), 0.95);
  EXPECT_EQ(b.sites.size(), a.sites.size());
  EXPECT_FALSE(b.right.empty());
  EXPECT_EQ(again().provenance.steps.front().options.at("chambers"), "both");
}

TEST_F(BuildFromSurface, TheSideTrianglesTurnToDoesNotMatter) {
  ForeignMesh turned = boundary();
  for (std::size_t f = 0; f < turned.triangles.size(); f += 2)
    std::swap(turned.triangles[f][0], turned.triangles[f][1]);
  EXPECT_EQ(quality(build(turned, {.surfaces = own_tags}).anatomy.mesh).volume, quality(again().anatomy.mesh).volume);
}

TEST_F(BuildFromSurface, WhatIsNoHeartIsRefusedInASentence) {
  const auto refusal = [](const ForeignMesh& surface, const SurfaceOptions& how) -> std::string {
    try {
      build(surface, how);
    } catch (const InputError& error) {
      return error.what();
    }
    return "accepted";
  };
  ForeignMesh open = boundary();
  open.triangles.pop_back(), open.triangle_tags.pop_back();
  EXPECT_NE(refusal(open, {.surfaces = own_tags}).find("3 edges are not"), std::string::npos);
  auto few = own_tags;
  few.erase(2);
  EXPECT_NE(refusal(boundary(), {.surfaces = few}).find("2 is not named"), std::string::npos);
  auto no_base = own_tags;
  no_base[3] = Surface::epi;
  EXPECT_NE(refusal(boundary(), {.surfaces = no_base}).find("no triangle is called base"), std::string::npos);
  auto left_only = own_tags;
  left_only[4] = Surface::epi;
  EXPECT_NE(refusal(boundary(), {.surfaces = left_only}).find("--septum"), std::string::npos);
  EXPECT_NE(refusal(boundary(), {.surfaces = own_tags, .unit = "m"}).find("--unit"), std::string::npos);
}

TEST_F(BuildFromSurface, AMeanBiventricularHeartOfOthers) {
  const auto path = std::filesystem::path(CARDIOTWIN_SHARED) / "data/surfaces/biventricular_mean.vtp";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not here";
  const Twin twin = build_twin_from_surface(
      path, {.surfaces = {{1, Surface::base}, {2, Surface::epi}, {3, Surface::endo}, {4, Surface::endo_rv}}},
      {.edge = 2.5});
  // The volume its triangles enclose is 144.8 ml by the divergence theorem, computed on the file.
  EXPECT_NEAR(quality(twin.anatomy.mesh).volume / 1000, 144.8, 2.9);
  EXPECT_EQ(twin.anatomy.sites.size(), 19);
}
