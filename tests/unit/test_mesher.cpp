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

using namespace cardiotwin;
using namespace cardiotwin::meshes;

namespace {

using Shape = std::function<double(const Vec3&)>;

/// A cube of n^3 voxels centred a fraction of a voxel off the origin, so that nothing falls on lattice planes.
Grid cube(int n, double spacing) {
  Grid grid;
  grid.size = {n, n, n};
  grid.spacing = Vec3::Constant(spacing);
  grid.origin = Vec3::Constant(-0.5 * spacing * (n - 1)) + Vec3(0.13, 0.21, 0.37);
  return grid;
}

template <class T, class F>
Volume<T> fill(const Grid& grid, const F& value) {
  Volume<T> volume{grid, std::vector<T>(grid.count())};
  for (int k = 0; k < grid.size[2]; ++k) {
    for (int j = 0; j < grid.size[1]; ++j) {
      for (int i = 0; i < grid.size[0]; ++i) {
        volume.values[grid.offset(i, j, k)] = static_cast<T>(value(grid.position(Vec3(i, j, k))));
      }
    }
  }
  return volume;
}

Labels ones(const Grid& grid) {
  return fill<std::uint8_t>(grid, [](const Vec3&) { return 1; });
}

Shape ball(double radius, const Vec3& centre = Vec3::Zero()) {
  return [=](const Vec3& p) { return radius - (p - centre).norm(); };
}

/// About the signed distance to an ellipsoid of revolution; exact on it.
double ellipsoid(const Vec3& p, double across, double along) {
  const Vec3 scaled(p[0] / across, p[1] / across, p[2] / along);
  const Vec3 slope(scaled[0] / across, scaled[1] / across, scaled[2] / along);
  return -scaled.norm() * (scaled.norm() - 1) / std::max(slope.norm(), 1e-6);
}

/// Ventricle at a third of life size: a truncated shell of wall 5 mm.
double ventricle(const Vec3& p) {
  const Vec3 q = p - Vec3(0, 0, 10);
  return std::min({ellipsoid(q, 14, 26), -ellipsoid(q, 9, 21), 3 - q[2]});
}

double volume_of(const std::function<bool(const Vec3&)>& inside, double half) {
  const double step = 0.25;
  std::size_t hits = 0;
  for (double z = -half; z < half; z += step) {
    for (double y = -half; y < half; y += step) {
      for (double x = -half; x < half; x += step) hits += inside(Vec3(x + 0.011, y + 0.037, z + 0.053));
    }
  }
  return double(hits) * step * step * step;
}

/// Volume of {image > 0}, trilinear between voxels 1 mm apart.
double volume_of(const Image& image) {
  constexpr int fine = 6;
  double sum = 0;
  for (int k = 0; k + 1 < image.grid.size[2]; ++k) {
    for (int j = 0; j + 1 < image.grid.size[1]; ++j) {
      for (int i = 0; i + 1 < image.grid.size[0]; ++i) {
        std::array<float, 8> v{};
        for (int c = 0; c < 8; ++c) v[c] = image.values[image.grid.offset(i + c % 2, j + c / 2 % 2, k + c / 4)];
        const auto [low, high] = std::ranges::minmax(v);
        if (low > 0 || high <= 0) {
          sum += low > 0;
          continue;
        }
        int hits = 0;
        for (int s = 0; s < fine * fine * fine; ++s) {
          const double x = (s % fine + 0.5) / fine, y = (s / fine % fine + 0.5) / fine,
                       z = (s / (fine * fine) + 0.5) / fine;
          hits += std::lerp(std::lerp(std::lerp(v[0], v[1], x), std::lerp(v[2], v[3], x), y),
                            std::lerp(std::lerp(v[4], v[5], x), std::lerp(v[6], v[7], x), y), z) > 0;
        }
        sum += double(hits) / (fine * fine * fine);
      }
    }
  }
  return sum;
}

double label_volume(const Mesh& mesh, Label label) {
  double sum = 0;
  for (std::size_t t = 0; t < mesh.tet_count(); ++t) sum += mesh.labels()[t] == label ? mesh.volume(t) : 0;
  return sum;
}

std::array<Triangle, 4> sorted_faces(const Tet& tet) {
  std::array<Triangle, 4> faces;
  for (int skip = 0; skip < 4; ++skip) {
    for (int c = 0, m = 0; c < 4; ++c) {
      if (c != skip) faces[skip][m++] = tet[c];
    }
    std::ranges::sort(faces[skip]);
  }
  return faces;
}

/// What is wrong with the connections of a mesh; all zero for a manifold whose boundary is closed.
struct Faults {
  std::size_t crowded_faces = 0;  ///< in three or more tets
  std::size_t open_edges = 0;     ///< boundary edges not in exactly two boundary faces
  std::size_t pinched_nodes = 0;  ///< boundary nodes whose boundary faces form more than one fan
  long euler = 0;                 ///< of the boundary: 2 per sphere
  bool none() const { return crowded_faces + open_edges + pinched_nodes == 0; }
};

Faults faults(const Mesh& mesh) {
  Faults result;
  std::vector<Triangle> all;
  for (const Tet& t : mesh.tets()) {
    for (const Triangle& f : sorted_faces(t)) all.push_back(f);
  }
  std::ranges::sort(all);
  for (std::size_t i = 0; i + 2 < all.size(); ++i) result.crowded_faces += all[i] == all[i + 2];

  const auto boundary = boundary_faces(mesh);
  std::map<std::pair<Index, Index>, int> edge;
  std::map<Index, std::map<Index, Index>> fan;  // node -> (next node -> the one after, around it)
  std::map<Index, int> faces;
  for (const auto& face : boundary) {
    for (int c = 0; c < 3; ++c) {
      const Index a = face.nodes[c], b = face.nodes[(c + 1) % 3], d = face.nodes[(c + 2) % 3];
      ++edge[std::minmax(a, b)];
      fan[a][b] = d;
      ++faces[a];
    }
  }
  for (const auto& [_, count] : edge) result.open_edges += count != 2;
  for (const auto& [node, next] : fan) {
    const Index first = next.begin()->first;
    Index at = first;
    int steps = 0;
    do {
      const auto step = next.find(at);
      if (step == next.end()) break;
      at = step->second;
      ++steps;
    } while (at != first && steps <= faces[node]);
    result.pinched_nodes += steps != faces[node];
  }
  result.euler = long(fan.size()) - long(edge.size()) + long(boundary.size());
  return result;
}

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

/// Collects warnings.
struct Ear {
  std::vector<std::string> warnings;
  Monitor monitor;
  Ear() {
    monitor.warning = [this](std::string_view text) { warnings.emplace_back(text); };
  }
};

Image blobs(std::uint64_t seed, int n) {
  Random random(seed);
  struct Blob {
    Vec3 centre;
    double width, sign;
  };
  const Grid grid = cube(n, 1.0);
  std::vector<Blob> all;
  for (int b = 0; b < 12; ++b) {
    Vec3 c;
    for (int d = 0; d < 3; ++d) c[d] = random.uniform(-0.25, 0.25) * n;
    const double width = random.uniform(0.08, 0.18) * n;
    all.push_back({c, width, random.uniform() < 0.75 ? 1.0 : -1.0});
  }
  return fill<float>(grid, [&](const Vec3& p) {
    double value = -0.4;
    for (const Blob& b : all) value += b.sign * std::exp(-(p - b.centre).squaredNorm() / (2 * b.width * b.width));
    return std::min(5 * value, 0.5 * n - 2 - p.cwiseAbs().maxCoeff());  // keeps clear of the edge of the image
  });
}

Mesh ventricle_mesh(const MesherOptions& options, const Grid& grid, const Labels& labels) {
  return stuff(fill<float>(grid, ventricle), labels, options);
}

/// Wedge of the ventricle, with a plane across for its lower end.
int wedge(const Vec3& p) {
  if (ventricle(p) < -1) return 0;
  return std::abs(std::atan2(p[1], p[0])) < 0.8 && p[2] > -2 ? 3 : 1;
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
