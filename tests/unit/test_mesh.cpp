#include <gtest/gtest.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cardiotwin/mesh.hpp>
#include <cmath>
#include <numbers>
#include <set>

namespace cardiotwin {
namespace {

const std::vector<Vec3> corner_points = {{0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1}};

template <class Make>
std::string message(Make make) {
  try {
    make();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(Mesh, refuses_what_it_cannot_use_and_names_the_offender) {
  const auto with = [](std::vector<Vec3> points, std::vector<Tet> tets, std::vector<Label> labels) {
    return message([&] { Mesh(points, tets, labels); });
  };
  EXPECT_EQ(with(corner_points, {{0, 1, 2, 3}}, {1}), "");
  EXPECT_NE(with(corner_points, {{0, 2, 1, 3}}, {1}).find("tet 0 has volume"), std::string::npos);
  EXPECT_NE(with(corner_points, {{0, 1, 2, 2}}, {1}).find("tet 0 has volume"), std::string::npos);
  EXPECT_NE(with(corner_points, {{0, 1, 2, 4}}, {1}).find("names node 4"), std::string::npos);
  EXPECT_NE(with(corner_points, {{0, 1, 2, -1}}, {1}).find("names node -1"), std::string::npos);
  EXPECT_NE(with(corner_points, {{0, 1, 2, 3}}, {}).find("0 labels for 1 tets"), std::string::npos);
  auto points = corner_points;
  points.emplace_back(2, 2, 2);
  EXPECT_NE(with(points, {{0, 1, 2, 3}}, {1}).find("no tet uses node 4"), std::string::npos);
  points = corner_points;
  points[2].y() = NAN;
  EXPECT_NE(with(points, {{0, 1, 2, 3}}, {1}).find("point 2 is not finite"), std::string::npos);
}

TEST(Mesh, boundary_of_a_box_is_closed_faces_outward_and_encloses_its_volume) {
  const Vec3 size(2, 1, 1.5);
  const Mesh mesh = box_mesh(size, 0.5);
  const auto faces = boundary_faces(mesh);
  EXPECT_EQ(faces.size(), 2u * 2 * (4 * 2 + 4 * 3 + 2 * 3));
  double volume = 0;
  Vec3 area = Vec3::Zero();
  for (const auto& face : faces) {
    const Vec3 a = mesh.points()[face.nodes[0]], b = mesh.points()[face.nodes[1]], c = mesh.points()[face.nodes[2]];
    volume += a.dot(b.cross(c)) / 6;
    area += (b - a).cross(c - a) / 2;
    EXPECT_GT((b - a).cross(c - a).dot(a - mesh.centroid(face.tet)), 0);
  }
  EXPECT_NEAR(volume, size.prod(), 1e-12);
  EXPECT_NEAR(area.norm(), 0, 1e-12);
}

TEST(Mesh, neighbours_share_the_face_opposite_the_node) {
  const Mesh mesh = box_mesh(Vec3(2, 1, 1.5), 0.5);
  const auto neighbours = face_neighbours(mesh);
  std::size_t open = 0;
  for (std::size_t t = 0; t < mesh.tet_count(); ++t) {
    for (int k = 0; k < 4; ++k) {
      const Index n = neighbours[t][k];
      if (n < 0) {
        ++open;
        continue;
      }
      const Tet &own = mesh.tets()[t], &other = mesh.tets()[n];
      int shared = 0;
      for (int c = 0; c < 4; ++c) shared += c != k && std::find(other.begin(), other.end(), own[c]) != other.end();
      EXPECT_EQ(shared, 3);
      EXPECT_EQ(std::count(neighbours[n].begin(), neighbours[n].end(), Index(t)), 1);
    }
  }
  EXPECT_EQ(open, boundary_faces(mesh).size());
}

TEST(Mesh, adjacency_is_symmetric_ascending_and_without_self) {
  const Mesh mesh = lattice_block({6, 5, 4}, 1.0);
  const Adjacency adjacency = node_adjacency(mesh);
  std::set<std::pair<Index, Index>> edges;
  for (std::size_t i = 0; i < mesh.node_count(); ++i) {
    const auto row = adjacency.of(i);
    EXPECT_TRUE(std::is_sorted(row.begin(), row.end()));
    for (const Index j : row) edges.emplace(static_cast<Index>(i), j);
  }
  EXPECT_EQ(edges.size(), adjacency.node.size());
  for (const auto& [i, j] : edges) {
    EXPECT_NE(i, j);
    EXPECT_TRUE(edges.contains({j, i}));
  }
}

TEST(Mesh, box_has_its_volume_and_the_spacing_that_divides_it) {
  const Mesh mesh = box_mesh({20, 7, 3}, 0.5);
  EXPECT_EQ(mesh.node_count(), 41u * 15 * 7);
  const MeshQuality q = quality(mesh);
  EXPECT_NEAR(q.volume, 420, 1e-9);
  EXPECT_NEAR(q.min_edge, 0.5, 1e-12);
  EXPECT_NEAR(q.max_edge, 0.5 * std::sqrt(3.0), 1e-12);
  EXPECT_NEAR(q.min_dihedral, 45, 1e-9);
  EXPECT_NEAR(q.max_dihedral, 90, 1e-9);
}

// The tets of a BCC lattice are all alike: four dihedral angles of 60 degrees, two of 90.
TEST(Mesh, lattice_block_consists_of_bcc_tets_of_the_given_mean_edge) {
  const double edge = 1.3, cell = edge * bcc_cell_per_edge;
  Mat3 turn;
  turn = Eigen::AngleAxisd(0.7, Vec3(1, 2, 3).normalized());
  for (const Mat3& rotation : {Mat3(Mat3::Identity()), turn}) {
    const Mesh mesh = lattice_block({40, 36, 44}, edge, rotation);
    const MeshQuality q = quality(mesh);
    EXPECT_NEAR(q.min_dihedral, 60, 1e-6);
    EXPECT_NEAR(q.max_dihedral, 90, 1e-6);
    EXPECT_NEAR(q.min_edge, cell * std::sqrt(3.0) / 2, 1e-9);
    EXPECT_NEAR(q.max_edge, cell, 1e-9);
    EXPECT_NEAR(q.mean_edge, edge, 0.01 * edge);  // the surface has more short edges
    const auto edges = edge_statistics(mesh);
    ASSERT_EQ(edges.size(), 1u);  // in the measure of the lattice all its tets are alike
    EXPECT_NEAR(edges.at(1).low, edge, 1e-4 * edge);
    EXPECT_NEAR(edges.at(1).mean, edge, 1e-4 * edge);
    EXPECT_NEAR(edges.at(1).high, edge, 1e-4 * edge);
    EXPECT_NEAR(q.volume, 40.0 * 36 * 44, 0.2 * 40 * 36 * 44);
    for (std::size_t t = 0; t < mesh.tet_count(); ++t) ASSERT_NEAR(mesh.volume(t), std::pow(cell, 3) / 12, 1e-9);
    for (const Vec3& p : mesh.points()) {
      ASSERT_GE(p.minCoeff(), -1e-6);
      ASSERT_LE((p - Vec3(40, 36, 44)).maxCoeff(), 1e-6);
    }
  }
}

TEST(Mesh, lattice_block_turns_lattice_directions_by_its_rotation) {
  Mat3 quarter;
  quarter << 0, -1, 0, 1, 0, 0, 0, 0, 1;
  const double cell = bcc_cell_per_edge;
  const Mesh turned = lattice_block({8, 8, 8}, 1.0, Mat3(Eigen::AngleAxisd(0.3, Vec3::UnitZ())));
  const Vec3 axis(std::cos(0.3), std::sin(0.3), 0);  // where lattice direction (1 0 0) now points
  int along = 0;
  for (const Tet& tet : turned.tets())
    for (int a = 0; a < 4; ++a)
      for (int b = 0; b < 4; ++b)
        if ((turned.points()[tet[a]] - turned.points()[tet[b]] - cell * axis).norm() < 1e-9) ++along;
  EXPECT_GT(along, 0);
  EXPECT_EQ(lattice_block({8, 8, 8}, 1.0, quarter).tet_count(), lattice_block({8, 8, 8}, 1.0).tet_count());
}

TEST(Mesh, blocks_refuse_impossible_sizes) {
  EXPECT_NE(message([] { box_mesh({1, 1, 0}, 0.5); }).find("every side must be positive"), std::string::npos);
  EXPECT_NE(message([] { box_mesh({1, 1, 1}, 0); }).find("must be positive"), std::string::npos);
  EXPECT_NE(message([] { lattice_block({0.5, 0.5, 0.5}, 1.0); }).find("make the box larger"), std::string::npos);
  EXPECT_NE(message([] { lattice_block({5, 5, 5}, 1.0, 2 * Mat3::Identity()); }).find("rotation"), std::string::npos);
}

}  // namespace
}  // namespace cardiotwin
