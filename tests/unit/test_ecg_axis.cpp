// From a heart to its frontal axis: a heart that turns among the body's electrodes, and one that takes them along.
#include <gtest/gtest.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cardiotwin/ecg.hpp>
#include <cardiotwin/meshes/torso.hpp>
#include <cardiotwin/volume_conductor.hpp>
#include <cmath>
#include <memory>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "torso_cases.hpp"

using namespace cardiotwin;
using namespace cardiotwin::meshes;
using namespace cardiotwin::torso_cases;

namespace {

constexpr double degree = std::numbers::pi / 180;
const Vec3 middle(0, 0, tests::Tube::height / 2);  // of the tube
const Vec3 wave = Vec3(0.5, 0.6, -0.4).normalized();

Twin twin_of(const Anatomy& heart) { return {.anatomy = heart, .tissue = Tissue::library("post-infarct")}; }

/// About the line from the front to the back through the tube's middle: what points left then points down.
Anatomy tilted(double degrees) {
  const Mat3 turn = Eigen::AngleAxisd(degrees * degree, Vec3::UnitY()).matrix();
  return moved(tube(), turn, middle - turn * middle);
}

/// Of a plane wave through the tube at 0.6 mm/ms: V rises by 100 mV within 2 ms and stays up.
Ecg leads_of(const Anatomy& heart, const std::vector<Electrode>& electrodes) {
  EcgRecorder recorder(std::make_shared<const LeadFields>(unbounded_lead_fields(twin_of(heart), electrodes, 0.2)), 1);
  std::vector<double> v(heart.mesh.node_count());
  for (int time = 0; time <= 200; ++time) {
    for (std::size_t i = 0; i < v.size(); ++i) {  // the wave turns with the heart
      const double lat = 100 + wave.dot(tube().mesh.points()[i] - middle) / 0.6;
      v[i] = -85 + 100 * std::clamp((time - lat) / 2, 0.0, 1.0);
    }
    recorder.sample(time, v);
  }
  return twelve_leads(recorder.electrodes());
}

double axis_of(const Anatomy& heart, const std::vector<Electrode>& electrodes) {
  return measure_beat(leads_of(heart, electrodes), 0, 200).qrs_axis;
}

/// The direction of all of QRS: the sum of the wave's dipoles is sigma_i grad LAT, here the same everywhere.
Vec3 dipole(double degrees) {
  const Tissue tissue = twin_of(tube()).tissue;
  const Conductivity& sigma = tissue["healthy"].intracellular;
  const Vec3 f = tube().fibers.f[0];
  return Eigen::AngleAxisd(degrees * degree, Vec3::UnitY()) *
         Vec3(sigma.across * wave + (sigma.along - sigma.across) * f.dot(wave) * f);
}

/// What a dipole in the tube's middle shows at electrodes in an unbounded medium, read as an axis.
double axis_of(const Vec3& dipole, const std::vector<Electrode>& electrodes) {
  const auto at = [&](const std::string& name) {
    const auto& e = *std::ranges::find(electrodes, name, &Electrode::name);
    return dipole.dot(e.position - middle) / std::pow((e.position - middle).norm(), 3);
  };
  const double left = at("LA") - at("RA"), foot = at("LL") - (at("LA") + at("RA")) / 2;
  return std::atan2(foot * 2 / std::numbers::sqrt3, left) / degree;
}

double turn(double from, double to) { return std::remainder(to - from, 360.0); }

/// Limbs in the corners of Einthoven's triangle, V1 ... V6 around the front from right to left.
std::vector<Electrode> far_away(double distance) {
  const auto frontal = [](double degrees) { return Vec3(std::cos(degrees * degree), 0, -std::sin(degrees * degree)); };
  const auto around = [](double degrees) { return Vec3(std::cos(degrees * degree), -std::sin(degrees * degree), 0); };
  std::vector<Electrode> electrodes{{"RA", frontal(210)}, {"LA", frontal(-30)}, {"LL", frontal(90)},
                                    {"V1", around(110)},  {"V2", around(90)},   {"V3", around(70)},
                                    {"V4", around(50)},   {"V5", around(25)},   {"V6", around(0)}};
  for (Electrode& e : electrodes) e.position = middle + distance * e.position;
  return electrodes;
}

}  // namespace

// From 1 m a heart of 50 mm is a dipole: the quadrupole of the whole wave is zero about the middle of a symmetric
// heart, what is left is (25/1000)^2 = 0.04 degrees (0.0004 reached).
TEST(EcgAxis, turns_with_a_heart_that_turns_among_the_electrodes) {
  const auto electrodes = far_away(1000);
  const double upright = axis_of(tube(), electrodes);
  EXPECT_NEAR(upright, std::atan2(-dipole(0).z(), dipole(0).x()) / degree, 0.04);
  for (const double degrees : {30.0, -30.0, 90.0, 150.0})
    EXPECT_NEAR(turn(upright + degrees, axis_of(tilted(degrees), electrodes)), 0, 0.08) << degrees;
}

// Limb electrodes on the trunk, which stay where they are, are 158 mm away or more: (25/158)^2 is 1.4 degrees (0.2
// reached). Their triangle is not Einthoven's, so that 30 degrees of the heart are 34 of the axis.
TEST(EcgAxis, is_that_of_a_dipole_among_electrodes_on_the_trunk) {
  const auto electrodes = build_torso(tube(), coarse()).electrodes;
  for (const double degrees : {0.0, 30.0, -30.0, 90.0, 150.0})
    EXPECT_NEAR(turn(axis_of(dipole(degrees), electrodes), axis_of(tilted(degrees), electrodes)), 0, 1.4) << degrees;
}

// Electrodes placed by the heart's landmarks meet within 1e-10 mm, at distances of 100 mm and more.
TEST(EcgAxis, all_leads_stay_when_heart_and_electrodes_move_and_turn_together) {
  const Anatomy gone = moved(tube(), Eigen::AngleAxisd(2.1, Vec3(1, 2, -1).normalized()).matrix(), {10, -200, 33});
  const auto electrodes = build_torso(tube(), coarse(in_heart)).electrodes;
  const Ecg here = leads_of(tube(), electrodes), there = leads_of(gone, build_torso(gone, coarse(in_heart)).electrodes),
            tilted_alone = leads_of(tilted(30), electrodes);
  ASSERT_EQ(here.names.size(), 12u);
  ASSERT_EQ(here.values.size(), there.values.size());
  double size = 0, off = 0, changed = 0;
  for (std::size_t k = 0; k < here.values.size(); ++k) {
    size = std::max(size, std::abs(here.values[k]));
    off = std::max(off, std::abs(there.values[k] - here.values[k]));
    changed = std::max(changed, std::abs(tilted_alone.values[k] - here.values[k]));
  }
  EXPECT_GT(size, 0.1);  // [mV]
  EXPECT_LT(off, 1e-10 * size);
  EXPECT_GT(changed, 0.1 * size);
}
