#include <gtest/gtest.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cardiotwin/meshes/mesher.hpp>
#include <cardiotwin/random.hpp>
#include <cmath>
#include <functional>
#include <map>
#include <numbers>
#include <set>
#include <string>

#include "mesher_cases.hpp"

using namespace cardiotwin;
using namespace cardiotwin::tests;

namespace {

struct Interface {
  double angle = 0;  ///< median by area between its faces and the true interface [degrees]
  double area = 0;
};

Interface interface_error(const Mesh& mesh, const std::function<Vec3(const Vec3&)>& normal) {
  std::map<Triangle, std::size_t> seen;
  std::vector<std::pair<double, double>> faces;  // angle, area
  for (std::size_t t = 0; t < mesh.tet_count(); ++t) {
    for (const Triangle& f : sorted_faces(mesh.tets()[t])) {
      const auto [other, fresh] = seen.emplace(f, t);
      if (fresh || mesh.labels()[other->second] == mesh.labels()[t]) continue;
      const Vec3 &a = mesh.points()[f[0]], &b = mesh.points()[f[1]], &c = mesh.points()[f[2]];
      const Vec3 n = (b - a).cross(c - a);
      const double cosine = std::abs(n.normalized().dot(normal((a + b + c) / 3)));
      faces.emplace_back(std::acos(std::min(1.0, cosine)) * 180 / std::numbers::pi, 0.5 * n.norm());
    }
  }
  std::ranges::sort(faces);
  Interface result;
  for (const auto& f : faces) result.area += f.second;
  double sum = 0;
  for (const auto& f : faces) {
    sum += f.second;
    result.angle = f.first;
    if (sum > 0.5 * result.area) break;
  }
  return result;
}

Mesh ventricle_mesh(const MesherOptions& options, const Grid& grid, const Labels& labels) {
  return stuff(fill<float>(grid, ventricle), labels, options);
}

}  // namespace

TEST(Mesher, BallIsCloseAndWellShaped) {
  const Grid grid = cube(28, 1.0);
  const Mesh mesh = stuff(fill<float>(grid, ball(11)), ones(grid), {.edge = 1.4});
  const auto shape = quality(mesh);
  EXPECT_GT(shape.min_dihedral, 17);
  EXPECT_LT(shape.max_dihedral, 155);
  EXPECT_NEAR(shape.mean_edge, 1.4, 0.1);
  EXPECT_NEAR(shape.volume / (4.0 / 3 * std::numbers::pi * 1331), 1, 0.01);
  const auto wrong = faults(mesh);
  EXPECT_TRUE(wrong.none()) << wrong.crowded_faces << " " << wrong.open_edges << " " << wrong.pinched_nodes;
  EXPECT_EQ(wrong.euler, 2);
  // The field is sampled trilinearly: its zero is off by up to h^2/(4 R), twice 1/8 h^2 times the curvature 1/R.
  for (const auto& face : boundary_faces(mesh)) {
    for (const Index n : face.nodes) EXPECT_NEAR(mesh.points()[n].norm(), 11, 1.0 / 44 + 1e-3);
  }
  for (const Label l : mesh.labels()) EXPECT_EQ(l, 1);
}

TEST(Mesher, ShellHasTwoClosedSurfaces) {
  const Grid grid = cube(28, 1.0);
  const auto shell = [](const Vec3& p) { return 3.0 - std::abs(p.norm() - 8); };
  const Mesh mesh = stuff(fill<float>(grid, shell), ones(grid), {.edge = 1.2});
  const auto wrong = faults(mesh);
  EXPECT_TRUE(wrong.none());
  EXPECT_EQ(wrong.euler, 4);
  EXPECT_NEAR(quality(mesh).volume / (4.0 / 3 * std::numbers::pi * (1331 - 125)), 1, 0.01);
  EXPECT_GT(quality(mesh).min_dihedral, 17);
}

TEST(Mesher, VentricleKeepsVolumesAndInterfaces) {
  const Grid grid = cube(46, 1.0);
  const Labels labels = fill<std::uint8_t>(grid, wedge);
  const Mesh mesh = ventricle_mesh({.edge = 1.2}, grid, labels);
  const Mesh rough = ventricle_mesh({.edge = 1.2, .snap = false}, grid, labels);
  EXPECT_GT(quality(rough).min_dihedral, 17);
  EXPECT_GT(quality(mesh).min_dihedral, 14.9);  // the floor of snapping
  const auto wrong = faults(mesh);
  EXPECT_TRUE(wrong.none());
  EXPECT_EQ(wrong.euler, 2);  // a cup
  const double all = volume_of([](const Vec3& p) { return ventricle(p) > 0; }, 23);
  const double part = volume_of([](const Vec3& p) { return ventricle(p) > 0 && wedge(p) == 3; }, 23);
  EXPECT_NEAR(quality(mesh).volume / all, 1, 0.01);
  EXPECT_NEAR(label_volume(mesh, 3) / part, 1, 0.03);
  EXPECT_NEAR(label_volume(mesh, 3) + label_volume(mesh, 1), quality(mesh).volume, 1e-6);
  const auto normal = [](const Vec3& p) -> Vec3 {
    const double angle = std::abs(std::atan2(p[1], p[0]));
    if (p[2] + 2 < p.head<2>().norm() * (0.8 - angle)) return Vec3::UnitZ();
    return {-std::sin(0.8), p[1] > 0 ? std::cos(0.8) : -std::cos(0.8), 0};
  };
  const auto before = interface_error(rough, normal), after = interface_error(mesh, normal);
  EXPECT_GT(before.angle, 30);  // faces of the lattice lie askew
  EXPECT_LT(after.angle, 12);
  EXPECT_LT(after.area, 0.8 * before.area);
}

TEST(Mesher, InnerBallKeepsItsVolumeAndNormals) {
  const Grid grid = cube(30, 1.0);
  const Labels labels = fill<std::uint8_t>(grid, [](const Vec3& p) {
    return p.norm() < 8 ? 2 : p.norm() < 11.5 ? 1 : 0;
  });
  const Mesh mesh = stuff(fill<float>(grid, ball(12)), labels, {.edge = 1.0});
  EXPECT_NEAR(label_volume(mesh, 2) / (4.0 / 3 * std::numbers::pi * 512), 1, 0.03);
  const auto error = interface_error(mesh, [](const Vec3& p) -> Vec3 { return p.normalized(); });
  EXPECT_LT(error.angle, 13);
  EXPECT_NEAR(error.area / (4 * std::numbers::pi * 64), 1, 0.08);
  EXPECT_GT(quality(mesh).min_dihedral, 14.9);
}

TEST(Mesher, OnlyTheLargestPieceStaysAndTheLossIsSaid) {
  const Grid grid = cube(30, 1.0);
  const Vec3 left(-5, 0, 0), right(9, 0, 0);
  const auto two = [&](const Vec3& p) { return std::max(ball(7, left)(p), ball(4, right)(p)); };
  Ear ear;
  const Mesh mesh = stuff(fill<float>(grid, two), ones(grid), {.edge = 1.2}, ear.monitor);
  EXPECT_EQ(faults(mesh).euler, 2);
  for (const Vec3& p : mesh.points()) EXPECT_LT(p[0], 3);
  ASSERT_EQ(ear.warnings.size(), 1u);
  EXPECT_NE(ear.warnings[0].find("2 pieces in all"), std::string::npos) << ear.warnings[0];

  Ear quiet;
  stuff(fill<float>(grid, ball(7)), ones(grid), {.edge = 1.2}, quiet.monitor);
  EXPECT_TRUE(quiet.warnings.empty()) << quiet.warnings[0];
}

TEST(Mesher, ThinWallIsMeshedOrRefusedAndSaid) {
  const Grid grid = cube(40, 0.5);
  for (const double wall : {0.6, 1.2, 2.0}) {
    Ear ear;
    const auto shell = [&](const Vec3& p) { return 0.5 * wall - std::abs(p.norm() - 7); };
    try {
      const Mesh mesh = stuff(fill<float>(grid, shell), ones(grid), {.edge = 1.5}, ear.monitor);
      EXPECT_TRUE(faults(mesh).none()) << wall;
      EXPECT_GT(quality(mesh).min_dihedral, 10) << wall;
    } catch (const InputError&) {
      ear.warnings.emplace_back("refused");
    }
    EXPECT_FALSE(ear.warnings.empty()) << wall;
  }
}

TEST(Mesher, RandomBlobsAreManifoldAndWellShaped) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Image image = blobs(seed, 20);
    const Labels labels = fill<std::uint8_t>(image.grid, [](const Vec3& p) {
      return p[0] < 0.3 ? 1 : p[1] < 0 ? 2 : 3;
    });
    Ear ear;
    const Mesh mesh = stuff(image, labels, {.edge = 1.0}, ear.monitor);
    const auto wrong = faults(mesh);
    EXPECT_TRUE(wrong.none()) << seed;
    EXPECT_GT(quality(mesh).min_dihedral, 14) << seed;
    if (!ear.warnings.empty()) continue;  // pieces were left out, so volumes differ
    // Faces are chords: with edges h on radius R a ball loses about 3 h^2 / (12 R^2), here 1.6 % for R = 4 mm.
    EXPECT_NEAR(quality(mesh).volume / volume_of(image), 0.992, 0.01) << seed;
  }
}

TEST(Mesher, EvenNoiseGivesAManifold) {
  // White noise at the scale of the lattice: every pinch and every stencil occurs many times over.
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    Random random(seed);
    const Grid grid = cube(16, 1.0);
    const Image image = fill<float>(grid, [&](const Vec3& p) {
      const double value = random.uniform(-0.45, 0.55);
      return (p - grid.position(Vec3::Constant(7.5))).cwiseAbs().maxCoeff() < 7 ? value : -1.0;
    });
    for (const int sweeps : {0, 5}) {
      const Mesh mesh = stuff(image, ones(grid), {.edge = 1.0, .smoothing = sweeps});
      EXPECT_TRUE(faults(mesh).none()) << seed;
      EXPECT_GT(quality(mesh).min_dihedral, sweeps ? 10 : 9) << seed;
    }
  }
}

TEST(Mesher, MovesTurnsAndMirrorsWithTheImage) {
  const Grid grid = cube(46, 1.0);
  const Image image = fill<float>(grid, ventricle);
  const Labels labels = fill<std::uint8_t>(grid, wedge);
  const Mesh still = stuff(image, labels, {.edge = 1.5});
  const Mat3 turn =
      (Eigen::AngleAxisd(0.7, Vec3::UnitX()) * Eigen::AngleAxisd(-1.9, Vec3(1, 2, 3).normalized())).matrix();
  const Mat3 mirror = Vec3(1, -1, 1).asDiagonal();
  const Vec3 shift(-131.7, 48.3, 912.6);
  for (const Mat3& motion : {turn, Mat3(turn * mirror)}) {
    Image moved = image;
    Labels moved_labels = labels;
    for (Grid* g : {&moved.grid, &moved_labels.grid}) {
      g->origin = motion * g->origin + shift;
      g->direction = motion * g->direction;
    }
    const Mesh mesh = stuff(moved, moved_labels, {.edge = 1.5});
    ASSERT_EQ(mesh.node_count(), still.node_count());
    ASSERT_EQ(mesh.tet_count(), still.tet_count());
    double off = 0;
    for (std::size_t n = 0; n < mesh.node_count(); ++n) {
      off = std::max(off, (mesh.points()[n] - motion * still.points()[n] - shift).norm());
    }
    EXPECT_LT(off, 1e-9);
    EXPECT_TRUE(std::ranges::equal(mesh.labels(), still.labels()));
  }
}

TEST(Mesher, ThreadsDoNotChangeABit) {
  const Grid grid = cube(46, 1.0);
  const Image image = fill<float>(grid, ventricle);
  const Labels labels = fill<std::uint8_t>(grid, wedge);
  const Mesh one = stuff(image, labels, {.edge = 1.3, .threads = 1});
  for (const int threads : {2, 3}) {
    const Mesh many = stuff(image, labels, {.edge = 1.3, .threads = threads});
    EXPECT_TRUE(std::ranges::equal(one.points(), many.points()));
    EXPECT_TRUE(std::ranges::equal(one.tets(), many.tets()));
    EXPECT_TRUE(std::ranges::equal(one.labels(), many.labels()));
  }
}

TEST(Mesher, NeighboursAreCloseInMemory) {
  const Grid grid = cube(28, 1.0);
  const Mesh mesh = stuff(fill<float>(grid, ball(12)), ones(grid), {.edge = 0.8});
  double sum = 0;
  for (const Tet& t : mesh.tets()) sum += *std::ranges::max_element(t) - *std::ranges::min_element(t);
  // A slab of bricks holds about a quarter of this small ball; numbers drawn at random would give three fifths.
  EXPECT_LT(sum / double(mesh.tet_count()) / double(mesh.node_count()), 0.15);
}

TEST(Mesher, LabelsOnAnotherGridReachTheRim) {
  const Grid grid = cube(28, 1.0);
  Grid fine;  // covers the inner part only, finer and turned by a quarter
  fine.size = {30, 26, 22};
  fine.spacing = Vec3(0.5, 0.6, 0.7);
  fine.direction = Eigen::AngleAxisd(std::numbers::pi / 2, Vec3::UnitZ()).matrix();
  fine.origin = fine.direction * (-0.5 * fine.spacing.cwiseProduct(Vec3(29, 25, 21)));
  const Labels labels = fill<std::uint8_t>(fine, [](const Vec3& p) { return p.norm() > 7 ? 0 : p[2] > 0.1 ? 7 : 4; });
  const Mesh mesh = stuff(fill<float>(grid, ball(11)), labels, {.edge = 1.2});
  std::size_t wrong = 0;
  for (std::size_t t = 0; t < mesh.tet_count(); ++t) {
    const double z = mesh.centroid(t)[2] - 0.1;
    if (std::abs(z) > 0.6) wrong += mesh.labels()[t] != (z > 0 ? 7 : 4);
  }
  EXPECT_LT(double(wrong) / double(mesh.tet_count()), 0.01);
  EXPECT_NEAR(label_volume(mesh, 7) / quality(mesh).volume, 0.5, 0.03);
}

TEST(Mesher, SaysWhatItCannotMesh) {
  const Grid grid = cube(16, 1.0);
  const Image image = fill<float>(grid, ball(5));
  const Labels labels = ones(grid);
  const auto message = [](const Image& i, const Labels& l, const MesherOptions& o) -> std::string {
    try {
      stuff(i, l, o);
    } catch (const InputError& e) {
      return e.what();
    }
    return "accepted";
  };
  const auto has = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };
  EXPECT_TRUE(has(message(image, labels, {.edge = 0.05}), "outside [0.1, 5]"));
  EXPECT_TRUE(has(message(image, labels, {.edge = NAN}), "outside [0.1, 5]"));
  EXPECT_TRUE(has(message(fill<float>(grid, ball(-1)), labels, {}), "no tissue"));
  EXPECT_TRUE(has(message(fill<float>(grid, ball(9)), labels, {}), "touches the edge"));
  EXPECT_TRUE(has(message(fill<float>(grid, ball(0.8)), labels, {.edge = 5}), "smaller edge"));
  Image broken = image;
  broken.values[777] = NAN;
  EXPECT_TRUE(has(message(broken, labels, {}), "not finite"));
  broken = image;
  broken.values.pop_back();
  EXPECT_TRUE(has(message(broken, labels, {}), "one value per voxel"));
  EXPECT_TRUE(has(message(image, fill<std::uint8_t>(grid, [](const Vec3&) { return 0; }), {}), "labels"));
  Monitor impatient;
  impatient.cancelled = [] { return true; };
  EXPECT_THROW(stuff(image, labels, {}, impatient), Interrupted);
}
