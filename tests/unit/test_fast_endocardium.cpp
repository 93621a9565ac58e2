#include <gtest/gtest.h>

#include <cardiotwin/calibration.hpp>
#include <cardiotwin/error.hpp>
#include <cardiotwin/fast_endocardium.hpp>
#include <cmath>
#include <numbers>

#include "tube_anatomy.hpp"

using namespace cardiotwin;
using namespace cardiotwin::tests;

namespace {

// Border zone where x < 0.
Twin half_scarred() {
  Twin twin;
  Anatomy& a = twin.anatomy = tube_anatomy();
  std::vector<Label> labels;
  for (std::size_t t = 0; t < a.mesh.tet_count(); ++t)
    labels.push_back(a.mesh.centroid(t).x() < 0 ? region::border_zone : region::healthy);
  a.mesh = Mesh({a.mesh.points().begin(), a.mesh.points().end()}, {a.mesh.tets().begin(), a.mesh.tets().end()}, labels);
  a.regions[region::border_zone] = "border_zone";
  twin.tissue = Tissue::library("post-infarct");
  return twin;
}

}  // namespace

TEST(FastEndocardium, IsHealthyMuscleWithinTheDepthAndNeverScar) {
  Twin twin = half_scarred();
  const double volume = mark_fast_endocardium(twin, 2.5);
  twin.anatomy.validate();
  EXPECT_EQ(twin.anatomy.regions.at(region::fast_endocardium), "fast_endocardium");
  for (std::size_t t = 0; t < twin.anatomy.mesh.tet_count(); ++t) {
    const Vec3 c = twin.anatomy.mesh.centroid(t);
    const double depth = std::hypot(c.x(), c.y()) - Tube::inner;
    const Label label = twin.anatomy.mesh.labels()[t];
    if (c.x() < 0) {
      ASSERT_EQ(label, region::border_zone);
      continue;
    }
    // The facets of the inner surface lie up to 0.01 mm inside the cylinder's radius.
    if (std::abs(depth - 2.5) < 0.05) continue;
    ASSERT_EQ(label, depth < 2.5 ? region::fast_endocardium : region::healthy) << depth;
  }
  // Half a shell of 10 to 12.5 mm, 30 mm high; its layers are 1.25 mm thick and their tets' centroids 0.3 to 0.9 in.
  EXPECT_NEAR(volume, std::numbers::pi / 2 * (12.5 * 12.5 - 100) * 30 / 1000, 0.2);
}

TEST(FastEndocardium, IsCalibratedLikeAnyOtherRegion) {
  Twin twin = half_scarred();
  mark_fast_endocardium(twin, 2.5);
  const auto& tissue = std::as_const(twin.tissue);
  EXPECT_DOUBLE_EQ(tissue["fast_endocardium"].wanted.along, 2.5 * tissue["healthy"].wanted.along);
  EXPECT_EQ(tissue["fast_endocardium"].parameters, tissue["healthy"].parameters);
  twin.tissue.regions.erase("border_zone"), twin.tissue.regions.erase("channel");
  twin.anatomy.regions[region::border_zone] = "core";
  const auto fitted = calibrate(twin, {}, {.dt = 0});
  int found = 0;
  for (const auto& axis : fitted.axes) {
    if (axis.region != "fast_endocardium") continue;
    ++found;
    EXPECT_NEAR(axis.reached.mean, axis.wanted, 0.002 * axis.wanted + 1e-9);  // the fit's own tolerance
  }
  EXPECT_EQ(found, 2);
}

TEST(FastEndocardium, ThinLayersAreWarnedOfAndImpossibleOnesRefused) {
  Twin twin = half_scarred();
  EXPECT_THROW(mark_fast_endocardium(twin, 0), InputError);
  EXPECT_THROW(mark_fast_endocardium(twin, 11), InputError);
  std::string warning;
  Monitor monitor;
  monitor.warning = [&](std::string_view text) { warning = text; };
  mark_fast_endocardium(twin, 1, monitor);
  EXPECT_NE(warning.find("has gaps"), std::string::npos);
  twin = half_scarred();
  twin.anatomy.regions[region::fast_endocardium] = "septum";
  EXPECT_THROW(mark_fast_endocardium(twin, 2.5), InputError);
  twin = half_scarred();
  twin.anatomy.surface.clear();
  EXPECT_THROW(mark_fast_endocardium(twin, 2.5), InputError);
}
