#include <gtest/gtest.h>

#include <cardiotwin/meshes/build.hpp>
#include <cardiotwin/meshes/phantom.hpp>
#include <cmath>
#include <functional>
#include <numbers>

using namespace cardiotwin;
using namespace cardiotwin::meshes;
namespace fs = std::filesystem;

namespace {

double volume(const Labels& labels, std::initializer_list<int> which) {
  double n = 0;
  for (auto value : labels.values) n += double(std::count(which.begin(), which.end(), int(value)));
  return n * labels.grid.spacing.prod() / 1000;
}

int at(const Labels& labels, const Vec3& position) {
  const Vec3 i = labels.grid.index(position);
  for (int a = 0; a < 3; ++a) {
    if (std::lround(i[a]) < 0 || std::lround(i[a]) >= labels.grid.size[a]) return 0;
  }
  return labels.values[labels.grid.offset(int(std::lround(i[0])), int(std::lround(i[1])), int(std::lround(i[2])))];
}

Labels paint(const std::array<int, 3>& size, const Vec3& spacing, const std::function<int(const Vec3&)>& label) {
  Labels labels;
  labels.grid.size = size;
  labels.grid.spacing = spacing;
  for (int k = 0; k < size[2]; ++k) {
    for (int j = 0; j < size[1]; ++j) {
      for (int i = 0; i < size[0]; ++i)
        labels.values.push_back(std::uint8_t(label(labels.grid.position(Vec3(i, j, k)))));
    }
  }
  return labels;
}

TEST(Interpolate, NearlyIsotropicImagesKeepTheirVolumes) {
  PhantomOptions options;
  options.pixel = 1.6, options.slice = 1.8;
  const Labels labels = make_phantom(options).labels;
  for (double spacing : {1.0, 0.7}) {
    const Labels fine = interpolate_slices(labels, spacing, 3);
    EXPECT_NEAR(volume(fine, {2, 3, 4}) / volume(labels, {2, 3, 4}), 1, 0.01) << spacing;
    EXPECT_NEAR(volume(fine, {1}) / volume(labels, {1}), 1, 0.01) << spacing;
    EXPECT_NEAR(volume(fine, {3, 4}) / volume(labels, {3, 4}), 1, 0.015) << spacing;
    EXPECT_NEAR(volume(fine, {5}) / volume(labels, {5}), 1, 0.015) << spacing;
  }
}

TEST(Interpolate, VoxelsOnTheRimTakeNothingFromTheWall) {
  // Where the new spacing divides the old one, whole surfaces of new centres may lie on a rim; all to one side would
  // cost 0.35 mm of the wall either way, 6 % of the muscle.
  PhantomOptions options;
  options.pixel = 1.4, options.slice = 2.8;
  const Labels labels = make_phantom(options).labels;
  for (double spacing : {1.4, 0.7, 0.56}) {
    for (double margin : {3.0, 3.5, 4.2}) {  // which decides whether they do
      const Labels fine = interpolate_slices(labels, spacing, margin);
      EXPECT_NEAR(volume(fine, {2, 3, 4}) / volume(labels, {2, 3, 4}), 1, 0.015) << spacing << ' ' << margin;
      EXPECT_NEAR(volume(fine, {1}) / volume(labels, {1}), 1, 0.015) << spacing << ' ' << margin;
    }
  }
}

TEST(Interpolate, ThickSlicesOfABallBecomeABall) {
  // A ball of radius 30 mm in slices of 8 mm: the truth is known everywhere.
  const Vec3 centre(40, 40, 40);
  const auto inside = [&](const Vec3& p) { return (p - centre).norm() < 30 ? 2 : 0; };
  const Labels thick = paint({54, 54, 11}, {1.5, 1.5, 8}, inside), fine = interpolate_slices(thick, 1, 4);
  // Chords instead of arcs between slices: 3 % of the volume at most.
  EXPECT_NEAR(volume(fine, {2}), 4 / 3. * std::numbers::pi * 27, 0.035 * 113.1);
  double wrong = 0;
  for (int k = 0; k < fine.grid.size[2]; ++k) {
    for (int j = 0; j < fine.grid.size[1]; ++j) {
      for (int i = 0; i < fine.grid.size[0]; ++i) {
        const Vec3 p = fine.grid.position(Vec3(i, j, k));
        const double r = (p - centre).norm();
        if (std::abs(r - 30) < 3) continue;
        wrong += (fine.values[fine.grid.offset(i, j, k)] == 2) != (r < 30);
      }
    }
  }
  EXPECT_LT(wrong / 113100, 0.005);  // more than 3 mm from the surface nearly nothing is wrong
}

TEST(Interpolate, ThickPhantomIsNearTheThinOne) {
  PhantomOptions options;
  options.pixel = 1.6, options.slice = 10;
  const Phantom thick = make_phantom(options);
  const Labels fine = interpolate_slices(thick.labels, 1, 3);
  EXPECT_NEAR(volume(fine, {2, 3, 4}) / thick.truth.muscle_volume, 1, 0.04);
  EXPECT_NEAR(volume(fine, {3, 4}) / thick.truth.scar_volume, 1, 0.06);
}

TEST(Interpolate, ApexClosesAndTheBaseStaysFlat) {
  // A cup that narrows downwards; its lowest slice still shows the cavity, as in most stacks.
  const auto label = [](const Vec3& p) {
    const double r = std::hypot(p[0] - 45, p[1] - 45), outer = 14 + 0.4 * p[2], inner = outer - 7;
    return r < inner ? 1 : r < outer ? 2 : 0;
  };
  const Labels thick = paint({64, 64, 5}, {1.4, 1.4, 12}, label), fine = interpolate_slices(thick, 1, 4);
  // On the axis from below: background, muscle, cavity; the muscle reaches half a slice below the last and closes the
  // cavity.
  std::string column;
  for (double z = -9; z <= 58; z += 1) {
    const char c = char('0' + at(fine, {45, 45, z}));
    if (column.empty() || column.back() != c) column += c;
  }
  EXPECT_EQ(column, "0210");
  EXPECT_EQ(at(fine, {45, 45, -5}), 2);
  EXPECT_EQ(at(fine, {45, 45, 53}), 1);
  EXPECT_EQ(at(fine, {45 + 27, 45, 53}), 2);    // flat: the rim of the last slice at its full width
  EXPECT_EQ(at(fine, {45 + 12, 45, -5.4}), 0);  // round
  // No cavity voxel may touch background except through the base.
  const auto& g = fine.grid;
  for (int k = 0; k < g.size[2]; ++k) {
    if (g.position(Vec3(0, 0, k))[2] > 52) continue;
    for (int j = 1; j + 1 < g.size[1]; ++j) {
      for (int i = 1; i + 1 < g.size[0]; ++i) {
        if (fine.values[g.offset(i, j, k)] != 1) continue;
        for (std::size_t next : {g.offset(i - 1, j, k), g.offset(i + 1, j, k), g.offset(i, j - 1, k),
                                 g.offset(i, j + 1, k), g.offset(i, j, k - 1)}) {
          ASSERT_NE(int(fine.values[next]), 0) << i << " " << j << " " << k;
        }
      }
    }
  }
}

TEST(Interpolate, MissingSlicesAreBridged) {
  const auto label = [](const Vec3& p) {
    const double r = std::hypot(p[0] - 30, p[1] - 30);
    return r > 25 || (p[2] > 10 && p[2] < 20) ? 0 : r < 15 ? 1 : 2;
  };
  const Labels fine = interpolate_slices(paint({40, 40, 7}, {1.5, 1.5, 5}, label), 1, 2);
  for (double z = 0; z <= 30; z += 1) {
    EXPECT_EQ(at(fine, {30, 30, z}), 1) << z;
    EXPECT_EQ(at(fine, {50, 30, z}), 2) << z;
  }
}

TEST(Interpolate, RegionsFillTheirShapeWithoutHoles) {
  // A region image has no cavity label: healthy 1, border zone 2 and core 3 in a ring; core in one slice only.
  const auto label = [](const Vec3& p) {
    const double r = std::hypot(p[0] - 30, p[1] - 30), angle = std::atan2(p[1] - 30, p[0] - 30);
    if (r < 15 || r > 25) return 0;
    return p[2] == 16 && std::abs(angle) < 0.5 ? 3 : p[2] >= 8 && p[2] <= 24 && std::abs(angle) < 0.8 ? 2 : 1;
  };
  const Labels thick = paint({40, 40, 5}, {1.5, 1.5, 8}, label), fine = interpolate_slices(thick, 0.5, 2);
  EXPECT_NEAR(volume(fine, {1, 2, 3}), volume(thick, {1, 2, 3}), 0.01 * volume(thick, {1, 2, 3}));
  for (double z = -3; z <= 35; z += 1) EXPECT_NE(at(fine, {50, 30, z}), 0) << z;
  EXPECT_EQ(at(fine, {50, 30, 16}), 3);
  EXPECT_EQ(at(fine, {50, 30, 9}), 2);
  EXPECT_EQ(at(fine, {50, 30, 33}), 1);
  EXPECT_GT(volume(fine, {3}), 0.5 * volume(thick, {3}));
  EXPECT_LT(volume(fine, {3}), 1.1 * volume(thick, {3}));
}

TEST(Interpolate, GridFollowsATurnedImage) {
  PhantomOptions options;
  options.pixel = 2.5, options.slice = 5;
  const Labels still = interpolate_slices(make_phantom(options).labels, 1.5, 3);
  options.rotation_degrees = {20, -35, 50};
  options.translation = {100, -50, 25};
  const Labels turned = interpolate_slices(make_phantom(options).labels, 1.5, 3);
  EXPECT_EQ(still.grid.size, turned.grid.size);
  EXPECT_EQ(still.values, turned.values);
  const Vec3 p = still.grid.position({1, 2, 3});
  EXPECT_LT((turned.grid.position({1, 2, 3}) - (turned.grid.direction * p + options.translation)).norm(), 1e-9);
}

TEST(Interpolate, SlicesAlongAnotherAxisGiveTheSameHeart) {
  const auto label = [](const Vec3& p) {
    const double r = std::hypot(p[0] - 30, p[1] - 30), outer = 14 + 0.3 * p[2];
    return r < outer - 7 ? 1 : r < outer ? 2 : 0;
  };
  const Labels third = paint({40, 40, 5}, {1.5, 1.5, 8}, label);
  Labels first = paint({5, 40, 40}, {8, 1.5, 1.5}, [&](const Vec3& p) { return label(Vec3(p[1], p[2], p[0])); });
  first.grid.direction = (Mat3() << 0, 1, 0, 0, 0, 1, 1, 0, 0).finished();  // its slices are stacked along z again
  EXPECT_EQ(interpolate_slices(third, 1, 2).values, interpolate_slices(first, 1, 2).values);
  EXPECT_LT((interpolate_slices(third, 1, 2).grid.position({3, 4, 5}) -
             interpolate_slices(first, 1, 2).grid.position({3, 4, 5}))
                .norm(),
            1e-9);
}

TEST(Interpolate, EmptyImagesAndAbsurdSpacingsAreRefused) {
  Labels labels = paint({8, 8, 8}, {1, 1, 1}, [](const Vec3&) { return 0; });
  EXPECT_THROW(interpolate_slices(labels, 1, 1), InputError);
  labels.values[200] = 2;
  EXPECT_NO_THROW(interpolate_slices(labels, 1, 1));
  EXPECT_THROW(interpolate_slices(labels, 0.01, 1), InputError);
  EXPECT_THROW(interpolate_slices(labels, 1, NAN), InputError);
}

TEST(InterpolateReal, VolumesStayWithinFivePerCent) {
  const fs::path folder = fs::path(CARDIOTWIN_SHARED) / "data" / "lge";
  if (!fs::exists(folder)) GTEST_SKIP() << "the real cases are not here: " << folder;
  for (const char* name : {"samplePositive_Contours.nii.gz", "sampleNegative_Contours.nii.gz"}) {
    const Labels labels = canonical_labels(read_labels(folder / name), "emidec"),
                 fine = interpolate_slices(labels, 1, 4);
    EXPECT_NEAR(volume(fine, {2, 3, 4}) / volume(labels, {2, 3, 4}), 1, 0.05) << name;
    EXPECT_NEAR(volume(fine, {1}) / volume(labels, {1}), 1, 0.05) << name;
    if (volume(labels, {3}) > 0) {
      EXPECT_NEAR(volume(fine, {3, 4}) / volume(labels, {3, 4}), 1, 0.05) << name;
    }
  }
}

}  // namespace
