#include <gtest/gtest.h>

#include <Eigen/Geometry>
#include <numbers>

#include "mesher_cases.hpp"

using namespace cardiotwin;
using namespace cardiotwin::tests;

namespace {

/// Mean edge of a tet, as the lattice counts it: a tet of the body-centred lattice has two long and four short edges,
/// a node six long and eight short ones.
double edge_of(const Mesh& mesh, std::size_t tet) {
  const Tet& t = mesh.tets()[tet];
  double sum = 0;
  for (int a = 0; a < 4; ++a) {
    for (int b = a + 1; b < 4; ++b) sum += (mesh.points()[t[a]] - mesh.points()[t[b]]).norm();
  }
  return sum / 6 * 0.92344 / ((2 + 2 * std::sqrt(3.0)) / 6);
}

double mean_edge(const Mesh& mesh, Label label) {
  double sum = 0, weight = 0;
  for (std::size_t t = 0; t < mesh.tet_count(); ++t) {
    if (mesh.labels()[t] != label) continue;
    sum += mesh.volume(t) * edge_of(mesh, t), weight += mesh.volume(t);
  }
  return sum / weight;
}

Image edges_by(const Grid& grid, const std::function<double(const Vec3&)>& edge) { return fill<float>(grid, edge); }

/// The small ventricle, finer in its wedge.
struct Ventricle {
  Image inside;
  Labels labels;
  Image edges;
  explicit Ventricle(double fine = 0.6, double coarse = 1.5) {
    const Grid grid = cube(46, 1.0);
    inside = fill<float>(grid, ventricle);
    labels = fill<std::uint8_t>(grid, wedge);
    edges = edges_by(grid, [&](const Vec3& p) { return wedge(p) == 3 ? fine : coarse; });
  }
};

void expect_same(const Mesh& a, const Mesh& b) {
  EXPECT_TRUE(std::ranges::equal(a.points(), b.points()));
  EXPECT_TRUE(std::ranges::equal(a.tets(), b.tets()));
  EXPECT_TRUE(std::ranges::equal(a.labels(), b.labels()));
}

}  // namespace

TEST(GradedMesher, VentricleIsFineWhereAskedAndClosedEverywhere) {
  const Ventricle v;
  const Mesh mesh = stuff(v.inside, v.labels, v.edges, {.grading = 0.25});
  const auto wrong = faults(mesh);
  EXPECT_TRUE(wrong.none()) << wrong.crowded_faces << " " << wrong.open_edges << " " << wrong.pinched_nodes;
  EXPECT_EQ(wrong.euler, 2);  // a cup
  const auto shape = quality(mesh);
  EXPECT_GT(shape.min_dihedral, 12);  // 14.9 reached
  EXPECT_LT(shape.max_dihedral, 165);
  const double all = volume_of([](const Vec3& p) { return ventricle(p) > 0; }, 23);
  EXPECT_NEAR(shape.volume / all, 1, 0.01);
  // 0.67 and 1.34 mm are made of 0.6 and 1.5; the coarse part holds the transition, too.
  EXPECT_NEAR(mean_edge(mesh, 3) / 0.6, 1, 0.25);
  EXPECT_NEAR(mean_edge(mesh, 1) / 1.5, 1, 0.25);
  const Mesh fine = stuff(v.inside, v.labels, {.edge = 0.67});
  EXPECT_LT(mesh.node_count(), fine.node_count() / 2);
}

TEST(GradedMesher, EdgesGrowNoFasterThanAsked) {
  // Edges of 0.5 mm in a small ball, of 4 mm elsewhere, in a block: sizes grow by 0.3 mm per mm from the ball outwards.
  const Grid grid = cube(50, 1.0);
  const Image inside = fill<float>(grid, [](const Vec3& p) { return 21.3 - p.cwiseAbs().maxCoeff(); });
  const Image edges = edges_by(grid, [](const Vec3& p) { return p.norm() < 3 ? 0.5 : 4.0; });
  const double grading = 0.3;
  const Mesh mesh = stuff(inside, ones(grid), edges, {.grading = grading});
  EXPECT_TRUE(faults(mesh).none());
  EXPECT_GT(quality(mesh).min_dihedral, 12);
  double longest = 0, nearest_long = 1e9;
  for (std::size_t t = 0; t < mesh.tet_count(); ++t) {
    const double away = std::max(0.0, mesh.centroid(t).norm() - 3), edge = edge_of(mesh, t);
    // Within sqrt 2 of what is wanted at the farthest point of an octant (0.9 of its cell), chamfer distances being up
    // to 8 % above the true ones; a sixth for the tets at unlike neighbours and those stretched by smoothing.
    EXPECT_LT(edge, 1.17 * std::sqrt(2.0) * (0.5 + 1.08 * grading * (away + 0.9 * edge))) << away;
    longest = std::max(longest, edge);
    if (edge > 3) nearest_long = std::min(nearest_long, away);
  }
  EXPECT_GT(longest, 3.5);      // the coarse edge is reached
  EXPECT_LT(nearest_long, 15);  // and not later than the growth asks: 4 / sqrt 2 mm are wanted 7.8 mm away
}

TEST(GradedMesher, RandomBlobsOfRandomSizesAreManifoldAndWellShaped) {
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    const Image image = blobs(seed, 20);
    Random random(100 + seed);
    const Vec3 centre(random.uniform(-5, 5), random.uniform(-5, 5), random.uniform(-5, 5));
    const double fine = random.uniform(0.4, 0.7), coarse = random.uniform(1.2, 3);
    const Image edges = edges_by(image.grid, [&](const Vec3& p) { return (p - centre).norm() < 4 ? fine : coarse; });
    const Labels labels = fill<std::uint8_t>(image.grid, [](const Vec3& p) {
      return p[0] < 0.3 ? 1 : p[1] < 0 ? 2 : 3;
    });
    const Mesh mesh = stuff(image, labels, edges, {.grading = random.uniform(0.1, 1.0)});
    const auto wrong = faults(mesh);
    EXPECT_TRUE(wrong.none()) << seed;
    EXPECT_GT(quality(mesh).min_dihedral, 10) << seed;
  }
}

TEST(GradedMesher, EvenNoiseGivesAManifold) {
  // White noise, of the surface and of the sizes: every stencil between every pair of sizes occurs many times over.
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    Random random(seed);
    const Grid grid = cube(16, 1.0);
    const Image image = fill<float>(grid, [&](const Vec3& p) {
      const double value = random.uniform(-0.45, 0.55);
      return (p - grid.position(Vec3::Constant(7.5))).cwiseAbs().maxCoeff() < 7 ? value : -1.0;
    });
    const Image edges = edges_by(grid, [&](const Vec3&) { return random.uniform() < 0.03 ? 0.45 : 2.0; });
    for (const int sweeps : {0, 5}) {
      const Mesh mesh = stuff(image, ones(grid), edges, {.grading = 1, .smoothing = sweeps});
      EXPECT_TRUE(faults(mesh).none()) << seed;
      EXPECT_GT(quality(mesh).min_dihedral, sweeps ? 3 : 2) << seed;
    }
  }
}

TEST(GradedMesher, MovesTurnsAndMirrorsWithTheImage) {
  const Ventricle v;
  const Mesh still = stuff(v.inside, v.labels, v.edges, {});
  const Mat3 turn =
      (Eigen::AngleAxisd(0.7, Vec3::UnitX()) * Eigen::AngleAxisd(-1.9, Vec3(1, 2, 3).normalized())).matrix();
  const Mat3 mirror = Vec3(1, -1, 1).asDiagonal();
  const Vec3 shift(-131.7, 48.3, 912.6);
  for (const Mat3& motion : {turn, Mat3(turn * mirror)}) {
    Ventricle moved = v;
    for (Grid* g : {&moved.inside.grid, &moved.labels.grid, &moved.edges.grid}) {
      g->origin = motion * g->origin + shift;
      g->direction = motion * g->direction;
    }
    const Mesh mesh = stuff(moved.inside, moved.labels, moved.edges, {});
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

TEST(GradedMesher, ThreadsDoNotChangeABit) {
  const Ventricle v(0.5, 1.8);
  const Mesh one = stuff(v.inside, v.labels, v.edges, {.threads = 1});
  for (const int threads : {2, 3}) expect_same(one, stuff(v.inside, v.labels, v.edges, {.threads = threads}));
}

TEST(GradedMesher, OneSizeIsTheUniformMesh) {
  const Ventricle v(1.4, 1.4);
  Ear ear;
  ear.monitor.note = [&](std::string_view text) { ear.warnings.emplace_back(text); };
  expect_same(stuff(v.inside, v.labels, v.edges, {}, ear.monitor), stuff(v.inside, v.labels, {.edge = 1.4f}));
  EXPECT_TRUE(ear.warnings.empty());
  // Edges that are alike share the size between them, and that is said.
  const Ventricle alike(1.3, 1.5);
  const Mesh mesh = stuff(alike.inside, alike.labels, alike.edges, {}, ear.monitor);
  EXPECT_NEAR(mean_edge(mesh, 1), std::sqrt(1.3 * 1.5), 0.06);  // cut cells at the surface are smaller
  ASSERT_EQ(ear.warnings.size(), 1u);
  EXPECT_NE(ear.warnings[0].find("edges of 1.40 mm"), std::string::npos) << ear.warnings[0];
}

TEST(GradedMesher, NeighboursAreCloseInMemory) {
  const Grid grid = cube(28, 1.0);
  const Image edges = edges_by(grid, [](const Vec3& p) { return p[0] > 4 ? 0.7 : 1.4; });
  const Mesh mesh = stuff(fill<float>(grid, ball(12)), ones(grid), edges, {});
  double sum = 0;
  for (const Tet& t : mesh.tets()) sum += *std::ranges::max_element(t) - *std::ranges::min_element(t);
  EXPECT_LT(sum / double(mesh.tet_count()) / double(mesh.node_count()), 0.15);  // as of the uniform mesh
}

TEST(GradedMesher, SaysWhatItCannotMesh) {
  const Grid grid = cube(16, 1.0);
  const Image image = fill<float>(grid, ball(5));
  const auto message = [&](const Image& edges, const MesherOptions& o) -> std::string {
    try {
      stuff(image, ones(grid), edges, o);
    } catch (const InputError& e) {
      return e.what();
    }
    return "accepted";
  };
  const auto has = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };
  const auto halves = [](double left, double right) { return [=](const Vec3& p) { return p[0] < 0 ? left : right; }; };
  EXPECT_TRUE(has(message(edges_by(grid, halves(0.05, 1)), {}), "outside [0.1, 5]"));
  EXPECT_TRUE(has(message(edges_by(grid, halves(1, 6)), {}), "outside [0.1, 5]"));
  EXPECT_TRUE(has(message(edges_by(grid, halves(1, NAN)), {}), "outside [0.1, 5]"));
  EXPECT_TRUE(has(message(edges_by(grid, halves(1, 2)), {.grading = 0}), "outside [0.05, 1]"));
  EXPECT_FALSE(has(message(edges_by(cube(15, 1.0), halves(1, 2)), {}), "accepted"));
  Monitor impatient;
  impatient.cancelled = [] { return true; };
  EXPECT_THROW(stuff(image, ones(grid), edges_by(grid, halves(0.5, 2)), {}, impatient), Interrupted);
}
