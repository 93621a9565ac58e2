#include <gtest/gtest.h>

#include <Eigen/Geometry>
#include <Eigen/LU>
#include <cardiotwin/error.hpp>
#include <cardiotwin/fiber_sources.hpp>
#include <cardiotwin/meshes/vector_image.hpp>
#include <cmath>
#include <cstring>
#include <numbers>

#include "../../meshes/src/image_io_nifti.hpp"
#include "../small_twin.hpp"
#include "tube_anatomy.hpp"

using namespace cardiotwin;
using namespace cardiotwin::tests;
using namespace cardiotwin::meshes;

namespace {

constexpr double degrees = 180.0 / std::numbers::pi;

double angle(const Vec3& a, const Vec3& b) { return degrees * std::acos(std::min(1.0, std::abs(a.dot(b)))); }

// Circumferential, with a sign that no two neighbours share.
Vec3 around(const Vec3& p, std::size_t i) { return Vec3(-p.y(), p.x(), 0).normalized() * (i % 2 ? 1 : -1); }

VectorImage circles(bool holes) {
  VectorImage image;
  image.grid.size = {45, 45, 33}, image.grid.origin = {-22, -22, -1};
  for (int k = 0; k < 33; ++k)
    for (int j = 0; j < 45; ++j)
      for (int i = 0; i < 45; ++i) {
        const Vec3 p = image.grid.position(Vec3(i, j, k));
        image.values.push_back(holes && p.z() > 15 ? Vec3(0, 0, 0) : Vec3(3 * around(p, std::size_t(i + j + k))));
      }
  return image;
}

}  // namespace

TEST(FiberSources, AnotherMeshGivesItsAxesWhateverTheirSign) {
  const Anatomy a = tube_anatomy();
  auto file = to_foreign(a);
  for (std::size_t t = 0; t < file.fibers.size(); ++t) file.fibers[t] = around(a.mesh.centroid(t), t);
  Fibers fibers = a.fibers;
  EXPECT_DOUBLE_EQ(take_fibers(fibers, a.mesh, fiber_source(file)), 1);
  for (std::size_t t = 0; t < fibers.f.size(); ++t) {
    // Neighbours one edge (1 to 3 mm) around a radius of at least 10 mm weigh alike on both sides.
    ASSERT_LT(angle(fibers.f[t], around(a.mesh.centroid(t), 0)), 4) << t;
    ASSERT_NEAR(fibers.f[t].dot(fibers.s[t]), 0, 1e-12);
    ASSERT_NEAR(fibers.n[t].dot(fibers.f[t].cross(fibers.s[t])), 1, 1e-12);
  }
}

TEST(FiberSources, FieldsOverNodesAreTakenToo) {
  const Anatomy a = tube_anatomy();
  auto file = to_foreign(a);
  file.fibers.clear(), file.sheets.clear();
  EXPECT_THROW(fiber_source(file), InputError);
  Field field{.name = "fiber", .components = 3};
  for (std::size_t i = 0; i < file.points.size(); ++i)
    for (const double x : around(file.points[i], i)) field.values.push_back(x);
  file.node_fields.push_back(field);
  Fibers fibers = a.fibers;
  EXPECT_DOUBLE_EQ(take_fibers(fibers, a.mesh, fiber_source(file, 3)), 1);
  EXPECT_LT(angle(fibers.f[77], around(a.mesh.centroid(77), 0)), 4);
}

TEST(FiberSources, WhereAFileIsSilentTheRuleStays) {
  const Anatomy a = tube_anatomy();
  Fibers fibers = a.fibers;
  const double share = take_fibers(fibers, a.mesh, fiber_source(circles(true)));
  EXPECT_NEAR(share, 16.0 / 30, 0.06);  // up to z = 15 and half a voxel row that still sees it
  for (std::size_t t = 0; t < fibers.f.size(); ++t) {
    const Vec3 c = a.mesh.centroid(t);
    const double off = angle(fibers.f[t], c.z() > 15.5 ? Vec3::UnitX() : around(c, 0));
    if (c.z() > 14.99 && c.z() < 16.01) continue;
    ASSERT_LT(off, 0.2) << c.z();  // trilinear over 1 mm at 10 mm and more
  }
}

TEST(FiberSources, ANiftiOfVectorsIsReadInScannerAxes) {
  const test::Folder folder;
  Grid grid;
  grid.size = {3, 4, 2}, grid.spacing = {1, 2, 3}, grid.origin = {5, 6, 7};
  grid.direction = Eigen::AngleAxisd(std::numbers::pi / 2, Vec3::UnitZ()).toRotationMatrix();
  auto bytes = nifti::compose(grid, Number::float32);
  const std::array<std::int16_t, 8> dim{5, 3, 4, 2, 1, 3, 1, 1};
  std::memcpy(bytes.data() + 40, dim.data(), sizeof dim);
  std::vector<float> voxels;
  for (int component = 0; component < 3; ++component)
    for (int v = 0; v < 24; ++v) voxels.push_back(v == 5 ? NAN : float(component == 0 ? 1 : component == 1 ? 0.5 : v));
  std::string text(bytes.begin(), bytes.end());
  text.append(reinterpret_cast<const char*>(voxels.data()), voxels.size() * sizeof(float));
  test::write_bytes(folder / "v1.nii", text);

  const auto image = read_vector_image(folder / "v1.nii");
  EXPECT_TRUE(image.grid.direction.isApprox(grid.direction, 1e-6));
  ASSERT_EQ(image.values.size(), 24u);
  EXPECT_TRUE(image.values[7].isApprox(Vec3(-1, -0.5, 7))) << image.values[7];  // RAS to LPS
  EXPECT_EQ(image.values[5], Vec3(0, 0, 0));
  const auto along = read_vector_image(folder / "v1.nii", VectorAxes::voxel);
  EXPECT_TRUE(along.values[7].isApprox(grid.direction * Vec3(1, 0.5, 7), 1e-6));

  EXPECT_THROW(read_image(folder / "v1.nii"), InputError);
  EXPECT_THROW(read_vector_image(folder / "v1.nrrd"), InputError);
  test::write_bytes(folder / "short.nii", text.substr(0, text.size() - 4));
  EXPECT_THROW(read_vector_image(folder / "short.nii"), FileError);
}

TEST(FiberSources, AnImportedMeshGetsRuleBasedFibers) {
  auto file = to_foreign(tube_anatomy());
  file.fibers.clear(), file.sheets.clear();
  AnatomyOptions how;
  how.surfaces = {{1, Surface::endo}, {2, Surface::epi}, {3, Surface::base}};
  how.lay_fibers = FiberAngles();
  const Anatomy a = to_anatomy(file, how);
  EXPECT_NO_THROW(a.validate());
  EXPECT_LT((a.base_centre - Vec3(0, 0, Tube::height)).norm(), 1e-6);
  EXPECT_NEAR(a.apex.z(), 0, 1e-9);
  // The apex lies on one side of the tube, so e1 leans; the wall's plane stays, with facets 5 degrees apart.
  for (std::size_t t = 0; t < a.mesh.tet_count(); ++t) {
    const Vec3 c = a.mesh.centroid(t), outward = Vec3(c.x(), c.y(), 0).normalized();
    if (c.z() < 8 || c.z() > 22) continue;
    ASSERT_LT(std::abs(a.fibers.f[t].dot(outward)), std::sin(10 / degrees));
  }
  Anatomy bare = a;
  bare.surface.clear();
  EXPECT_THROW(lay_fibers(bare), InputError);
}

TEST(FiberSources, ABlockOfTheWallGetsFibersBetweenItsSides) {
  ForeignMesh file;
  const Mesh block = box_mesh({8, 4, 6}, 1.0);
  file.points.assign(block.points().begin(), block.points().end());
  file.tets.assign(block.tets().begin(), block.tets().end());
  tag_sides(file);
  std::map<Tag, int> faces;
  for (const Tag tag : file.triangle_tags) ++faces[tag];
  EXPECT_EQ(faces, (std::map<Tag, int>{{1, 48}, {2, 48}, {3, 96}, {4, 96}, {5, 64}, {6, 64}}));
  for (std::size_t t = 0; t < file.triangles.size(); ++t) {
    const int axis = (file.triangle_tags[t] - 1) / 2;
    const double side = file.triangle_tags[t] % 2 == 1 ? 0 : std::array{8, 4, 6}[axis];
    for (const Index n : file.triangles[t]) ASSERT_EQ(file.points[n][axis], side);
  }

  AnatomyOptions how;
  for (const Tag cut : {1, 2, 3, 4}) how.surfaces[cut] = Surface::base;
  how.surfaces[5] = Surface::endo, how.surfaces[6] = Surface::epi;
  how.lay_fibers = FiberAngles();
  how.upward = Vec3(2, 0, 0);
  const Anatomy a = to_anatomy(file, how);
  for (std::size_t t = 0; t < a.mesh.tet_count(); ++t) {
    // Up is x, outward z, so circumferential is x cross z, that is -y.
    const double alpha = (60 - 120 * a.mesh.centroid(t).z() / 6) / degrees;
    ASSERT_NEAR(std::abs(a.fibers.f[t].dot(Vec3(std::sin(alpha), -std::cos(alpha), 0))), 1, 1e-9);
  }
  EXPECT_EQ(a.height.front(), 0);
  EXPECT_EQ(a.height.back(), 1);
  how.upward = Vec3(0, 0, 0);
  EXPECT_THROW(to_anatomy(file, how), InputError);
  ForeignMesh none;
  EXPECT_THROW(tag_sides(none), InputError);
}
