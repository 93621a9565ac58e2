// Where the body is, seen from the heart, and where a twelve-lead ECG's electrodes are on it.
#include <gtest/gtest.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cardiotwin/meshes/torso.hpp>
#include <cardiotwin/surface_distance.hpp>
#include <cmath>
#include <map>
#include <numbers>
#include <string>

#include "torso_cases.hpp"

using namespace cardiotwin;
using namespace cardiotwin::meshes;
using namespace cardiotwin::torso_cases;

TEST(Torso, MovingTheHeartMovesAllElectrodes) {
  const Vec3 shift(31.7, -112.3, 840.1);
  const auto still = build_torso(tube(), coarse()),
             gone = build_torso(moved(tube(), Mat3::Identity(), shift), coarse());
  ASSERT_EQ(still.electrodes.size(), 10u);
  for (std::size_t e = 0; e < 10; ++e) {
    EXPECT_EQ(still.electrodes[e].name, gone.electrodes[e].name);
    EXPECT_LT((gone.electrodes[e].position - still.electrodes[e].position - shift).norm(), 1e-9);
  }
}

TEST(Torso, ElectrodesLieOnTheSkinInTheirAnatomicalOrder) {
  const auto& built = around_ventricle();
  std::vector<Triangle> skin;
  for (const auto& face : boundary_faces(built.torso.mesh)) skin.push_back(face.nodes);
  const SurfaceDistance distance(built.torso.mesh.points(), skin);
  std::map<std::string, Vec3> at;  // left, back, up from the trunk's middle
  for (const auto& [name, position] : built.electrodes) {
    EXPECT_LT(distance(position), 1e-6) << name;
    at[name] = built.body.transpose() * (position - built.middle);
  }
  EXPECT_EQ(electrode_rows(built.electrodes).substr(0, 23), "name,x_mm,y_mm,z_mm\nRA,");
  const std::vector<std::string> chest{"V1", "V2", "V3", "V4", "V5", "V6"};
  for (int i = 0; i < 5; ++i) {
    EXPECT_LT(at[chest[i]].x(), at[chest[i + 1]].x()) << chest[i];
    EXPECT_LT(at[chest[i]].y(), at[chest[i + 1]].y() + 0.1) << chest[i];  // the last one farthest back
    EXPECT_GE(at[chest[i]].z(), at[chest[i + 1]].z() - 1e-6) << chest[i];
  }
  EXPECT_NEAR(at["V1"].x(), -25, 1e-6);
  EXPECT_NEAR(at["V1"].z(), 60, 1e-6);
  EXPECT_NEAR(at["V4"].x(), 80, 1e-6);
  EXPECT_NEAR(at["V4"].z(), 30, 1e-6);
  EXPECT_NEAR(at["V6"].x(), 160, 1);
  EXPECT_LT(at["V1"].y(), -105);
  EXPECT_LT((at["RA"] - Vec3(-at["LA"].x(), at["LA"].y(), at["LA"].z())).norm(), 2);  // but for the mesh
  EXPECT_NEAR(at["LA"].z(), 180, 1e-6);
  EXPECT_NEAR(at["LL"].z(), -171, 1e-6);
}

TEST(Torso, TurnsWithTheHeartWhateverItsCoordinates) {
  const Mat3 turn = (Eigen::AngleAxisd(2.1, Vec3(1, 2, -1).normalized())).matrix();
  const Vec3 shift(10, -200, 33);
  const auto still = build_torso(tube(), coarse(in_heart)),
             turned = build_torso(moved(tube(), turn, shift), coarse(in_heart));
  ASSERT_EQ(still.torso.mesh.node_count(), turned.torso.mesh.node_count());
  double off = 0;
  for (std::size_t n = 0; n < still.torso.mesh.node_count(); ++n)
    off = std::max(off, (turn * still.torso.mesh.points()[n] + shift - turned.torso.mesh.points()[n]).norm());
  EXPECT_LT(off, 1e-6);
  EXPECT_TRUE(std::ranges::equal(still.torso.mesh.labels(), turned.torso.mesh.labels()));
  for (std::size_t e = 0; e < 10; ++e)
    EXPECT_LT((turn * still.electrodes[e].position + shift - turned.electrodes[e].position).norm(), 1e-6);
  EXPECT_LT((turn * still.body - turned.body).norm(), 1e-12);
}

TEST(Torso, AnAverageAdultsApexPointsLeftForwardAndDown) {
  const Mat3 body = body_axes(ventricle(), in_heart);
  EXPECT_LT((body.transpose() * body - Mat3::Identity()).norm(), 1e-12);
  EXPECT_GT(body.determinant(), 0);
  const Vec3 apex = body.transpose() * (ventricle().apex - ventricle().base_centre).normalized();
  EXPECT_NEAR(std::atan2(-apex.z(), apex.x()) * 180 / std::numbers::pi, 38, 1e-9);
  EXPECT_NEAR(std::atan2(-apex.y(), apex.x()) * 180 / std::numbers::pi, 46, 1e-9);
  const Vec3 septum = body.transpose() * ventricle().septum;
  EXPECT_LT(septum.x(), -0.6);
  EXPECT_LT(septum.y(), -0.6);
  const Vec3 anterior = body.transpose() * (ventricle().base_centre - ventricle().apex).cross(ventricle().septum);
  EXPECT_GT(anterior.normalized().z(), 0.8);
  EXPECT_EQ(body_axes(ventricle(), BodyFrame::scanner), Mat3(Mat3::Identity()));
}

TEST(Torso, AnAtriumsMitralValveLooksWhereTheApexIs) {
  Anatomy atrium = tube();
  atrium.chamber = Chamber::left_atrium;
  const Vec3 mitral = body_axes(atrium, in_heart).transpose() * (atrium.base_centre - atrium.apex).normalized();
  EXPECT_LT((mitral - Vec3(0.611, -0.632, -0.477)).norm(), 1e-3);
}
