#pragma once
/// Meshes to send through files, and the comparison of what comes back.

#include <gtest/gtest.h>

#include <cardiotwin/exchange.hpp>
#include <cmath>
#include <random>

#include "small_twin.hpp"

namespace cardiotwin::test {

/// Everything a foreign mesh can hold: tags (some negative), fibres and sheets (one zero), triangles, lines, sets,
/// fields.
inline ForeignMesh full_mesh() {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> unit(-1, 1);
  const auto vector = [&] { return Vec3(unit(random), unit(random), unit(random)); };
  const Mesh box = box_mesh({2, 2, 1}, 1.0);
  ForeignMesh mesh;
  for (const auto& p : box.points()) mesh.points.push_back(p + 0.1 * vector());
  mesh.tets.assign(box.tets().begin(), box.tets().end());
  const Tag tags[] = {1, 70000, 3, 1, 2};
  for (std::size_t t = 0; t < mesh.tets.size(); ++t) {
    mesh.tet_tags.push_back(tags[t % 5]);
    const Vec3 f = vector().normalized();
    mesh.fibers.push_back(f), mesh.sheets.push_back(f.cross(vector()).normalized());
  }
  mesh.fibers[3] = mesh.sheets[3] = Vec3::Zero();
  for (const auto& face : boundary_faces(box)) {
    mesh.triangles.push_back(face.nodes);
    mesh.triangle_tags.push_back(static_cast<Tag>(1 + mesh.triangles.size() % 3));
  }
  mesh.lines = {{0, 1}, {1, 2}, {5, 0}}, mesh.line_tags = {9, 8, 9};
  mesh.node_sets = {{"apex", {0, 3, 4}}, {"lead_1", {5}}};
  Field lat{"LAT", 1, {}}, flow{"flow", 3, {}}, aha{"aha", 1, {}}, area{"area", 1, {}};
  for (std::size_t i = 0; i < mesh.points.size(); ++i) {
    lat.values.push_back(100 * unit(random));
    for (int k = 0; k < 3; ++k) flow.values.push_back(unit(random));
  }
  for (std::size_t t = 0; t < mesh.tets.size(); ++t) aha.values.push_back(static_cast<double>(1 + t % 17));
  for (std::size_t t = 0; t < mesh.triangles.size(); ++t) area.values.push_back(unit(random) / 3);
  lat.values[2] = NAN;
  mesh.node_fields = {lat, flow}, mesh.tet_fields = {aha}, mesh.triangle_fields = {area};
  mesh.tag_names = {{1, "healthy"}, {2, "border_zone"}, {3, "core"}, {70000, "the \"odd\" <one> & more"}};
  return mesh;
}

inline void expect_near(const std::vector<Vec3>& a, const std::vector<Vec3>& b, double tolerance, const char* what) {
  ASSERT_EQ(a.size(), b.size()) << what;
  for (std::size_t i = 0; i < a.size(); ++i)
    EXPECT_LE((a[i] - b[i]).cwiseAbs().maxCoeff(), tolerance) << what << " " << i;
}

inline void expect_fields(const std::vector<Field>& a, const std::vector<Field>& b, double tolerance) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t f = 0; f < a.size(); ++f) {
    EXPECT_EQ(a[f].name, b[f].name);
    EXPECT_EQ(a[f].components, b[f].components);
    ASSERT_EQ(a[f].values.size(), b[f].values.size()) << a[f].name;
    for (std::size_t i = 0; i < a[f].values.size(); ++i) {
      const double x = a[f].values[i], y = b[f].values[i];
      EXPECT_TRUE((std::isnan(x) && std::isnan(y)) || std::abs(x - y) <= tolerance) << a[f].name << " " << i << x << y;
    }
  }
}

inline void expect_equal(const ForeignMesh& a, const ForeignMesh& b, double tolerance = 0) {
  expect_near(a.points, b.points, tolerance, "points");
  EXPECT_EQ(a.tets, b.tets);
  EXPECT_EQ(a.tet_tags, b.tet_tags);
  expect_near(a.fibers, b.fibers, 0, "fibres");
  expect_near(a.sheets, b.sheets, 0, "sheets");
  EXPECT_EQ(a.triangles, b.triangles);
  EXPECT_EQ(a.triangle_tags, b.triangle_tags);
  EXPECT_EQ(a.lines, b.lines);
  EXPECT_EQ(a.line_tags, b.line_tags);
  ASSERT_EQ(a.node_sets.size(), b.node_sets.size());
  for (std::size_t s = 0; s < a.node_sets.size(); ++s) {
    EXPECT_EQ(a.node_sets[s].name, b.node_sets[s].name);
    EXPECT_EQ(a.node_sets[s].nodes, b.node_sets[s].nodes);
  }
  expect_fields(a.node_fields, b.node_fields, tolerance);
  expect_fields(a.tet_fields, b.tet_fields, tolerance);
  expect_fields(a.triangle_fields, b.triangle_fields, tolerance);
  EXPECT_EQ(a.tag_names, b.tag_names);
}

/// What was warned of, joined.
struct Warnings {
  std::string text;
  Monitor monitor{.warning = [this](std::string_view line) { text += std::string(line) + "\n"; }};
};

}  // namespace cardiotwin::test
