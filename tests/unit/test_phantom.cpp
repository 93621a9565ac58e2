#include <gtest/gtest.h>

#include <algorithm>
#include <cardiotwin/io.hpp>
#include <cardiotwin/meshes/phantom.hpp>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <numbers>

using namespace cardiotwin;
using namespace cardiotwin::meshes;

namespace {

PhantomOptions coarse() {
  PhantomOptions options;
  options.pixel = options.slice = 2.5;
  return options;
}

double label_volume(const Labels& labels, std::initializer_list<int> which) {
  double n = 0;
  for (auto value : labels.values) n += std::count(which.begin(), which.end(), int(value));
  return n * labels.grid.spacing.prod() / 1000;
}

double mean_near(const Phantom& phantom, const Vec3& place, int reach = 0) {
  const Vec3 index = phantom.image.grid.index(place);
  double sum = 0, n = 0;
  for (int i = -reach; i <= reach; ++i) {
    for (int j = -reach; j <= reach; ++j, ++n) {
      sum += phantom.image.values[phantom.image.grid.offset(
          int(std::lround(index[0])) + i, int(std::lround(index[1])) + j, int(std::lround(index[2])))];
    }
  }
  return sum / n;
}

// Volume below the plane z = top of an ellipsoid of semi-axes a (along z), b, b.
double cap(double a, double b, double top) {
  return std::numbers::pi * b * b * ((top - top * top * top / (3 * a * a)) + 2 * a / 3) / 1000;
}

TEST(Phantom, MuscleHasTheVolumeOfTheEllipsoids) {
  const Phantom phantom = make_phantom(coarse());
  const double wall = cap(80, 32, 10) - cap(71, 23, 10);
  EXPECT_NEAR(phantom.truth.muscle_volume, wall, 0.005 * wall);             // samples half a millimetre apart
  EXPECT_NEAR(label_volume(phantom.labels, {2, 3, 4}), wall, 0.01 * wall);  // majority vote is unbiased
  EXPECT_NEAR(label_volume(phantom.labels, {3, 4}), phantom.truth.scar_volume, 0.03 * phantom.truth.scar_volume);
  EXPECT_GT(label_volume(phantom.labels, {4}), 0.1);
  EXPECT_GT(label_volume(phantom.labels, {5}), 20);
  // Core 45 x 40 x 9 mm less rounded corners (radius 10: 0.86 x 4 x 10^2 / 4 mm2); curvature changes it by a few per
  // cent.
  EXPECT_NEAR(phantom.truth.core_volume + phantom.truth.channel_volume, (45 * 40 - 86) * 9 / 1000., 0.08 * 16);
  EXPECT_NEAR(phantom.truth.channel_volume, 45 * 6 * 9 / 1000., 0.08 * 2.43);
}

TEST(Phantom, SignalsAreThoseOfTheImageModel) {
  PhantomOptions options = coarse();
  options.noise = 0;
  const Phantom phantom = make_phantom(options);
  EXPECT_NEAR(mean_near(phantom, phantom.truth.channel[20]), 2048 + 248,
              25);                                                // the channel, 6 mm wide, in 2.5 mm voxels
  EXPECT_NEAR(mean_near(phantom, {0, -27.5, 0}), 2048 + 112, 1);  // remote, inferior
  EXPECT_NEAR(mean_near(phantom, {0, 0, 0}, 2), 2048 + 250, 1);   // blood
  EXPECT_NEAR(mean_near(phantom, {-45, 0, -70}), 2048 + 20, 1);
  const Vec3 exit = phantom.truth.channel.back(), beside = phantom.truth.channel[22] + Vec3(8, -1, 0);
  EXPECT_GT(exit[2], phantom.truth.channel.front()[2]);
  EXPECT_NEAR(mean_near(phantom, beside), 2048 + 384, 60);
}

TEST(Phantom, NoiseIsRician) {
  PhantomOptions options = coarse();
  options.noise = 20, options.scar = false;
  const Phantom phantom = make_phantom(options);
  double sum = 0, square = 0, n = 0;
  for (int i = -4; i <= 4; ++i) {
    for (int j = -4; j <= 4; ++j) {
      for (int k = -8; k <= 2; ++k, ++n) {
        const Vec3 index = phantom.image.grid.index({0, 0, 0});
        const double v =
            phantom.image.values[phantom.image.grid.offset(int(index[0]) + i, int(index[1]) + j, int(index[2]) + k)] -
            2048;
        sum += v, square += v * v;
      }
    }
  }
  // Of a magnitude A with sigma: E[m^2] = A^2 + 2 sigma^2, exactly; 891 samples.
  EXPECT_NEAR(square / n, 250 * 250 + 2 * 400, 3 * 2 * 250 * 20 / std::sqrt(n));
  EXPECT_NEAR(std::sqrt(square / n - sum * sum / n / n), 20, 1.5);
}

TEST(Phantom, TurningAndMovingChangesOnlyTheAffine) {
  PhantomOptions options = coarse();
  const Phantom still = make_phantom(options);
  options.rotation_degrees = {30, -20, 75};
  options.translation = {12, -34, 56};
  const Phantom turned = make_phantom(options);
  EXPECT_EQ(still.image.values, turned.image.values);
  EXPECT_EQ(still.labels.values, turned.labels.values);
  ASSERT_EQ(still.truth.channel.size(), turned.truth.channel.size());
  for (std::size_t i = 0; i < still.truth.channel.size(); ++i) {
    EXPECT_LT(
        (still.image.grid.index(still.truth.channel[i]) - turned.image.grid.index(turned.truth.channel[i])).norm(),
        1e-9);
  }
  // About x first: the anterior wall (y) turned by 30 degrees about x, then -20 about y, then 75 about z.
  const double c = std::numbers::pi / 180;
  const Vec3 a(0, std::cos(30 * c), std::sin(30 * c));
  const Vec3 b(std::cos(20 * c) * a[0] - std::sin(20 * c) * a[2], a[1],
               std::sin(20 * c) * a[0] + std::cos(20 * c) * a[2]);
  const Vec3 y(std::cos(75 * c) * b[0] - std::sin(75 * c) * b[1], std::sin(75 * c) * b[0] + std::cos(75 * c) * b[1],
               b[2]);
  EXPECT_LT((turned.image.grid.direction.col(1) - y).norm(), 1e-12);
}

TEST(Phantom, ChannelLineLiesInChannelTissueForAnyCourse) {
  for (auto [tilt, bend, angle] : {std::array{0., 0., 90.}, {20., 0., -100.}, {-15., 5., 170.}}) {
    PhantomOptions options = coarse();
    options.noise = 0, options.no_reflow = false;
    options.channel_tilt = tilt, options.channel_bend = bend, options.scar_angle = angle;
    const Phantom phantom = make_phantom(options);
    double length = 0;
    for (std::size_t i = 1; i < phantom.truth.channel.size(); ++i)
      length += (phantom.truth.channel[i] - phantom.truth.channel[i - 1]).norm();
    EXPECT_GT(length, 43);
    for (std::size_t i = 5; i + 5 < phantom.truth.channel.size(); ++i) {
      EXPECT_NEAR(mean_near(phantom, phantom.truth.channel[i]), 2048 + 248, 60) << tilt << " at " << i;
    }
  }
}

TEST(Phantom, SegmentsAreThoseOfTheAha) {
  PhantomOptions options = coarse();
  options.channel = false;
  // Segment -> a place in the middle of its wall: anterior is +y, the septum +x.
  const std::map<int, Vec3> places{{1, {0, 27, 0}},       {4, {0, -27, 0}},   {8, {23, 13, -30}},
                                   {11, {-23, -13, -30}}, {14, {19, 0, -56}}, {17, {0, 0, -76}}};
  for (const auto& [segment, place] : places) {
    options.scar_segments = {segment};
    const Phantom phantom = make_phantom(options);
    for (const auto& [other, there] : places) {
      const Vec3 i = phantom.labels.grid.index(there);
      const int label = phantom.labels.values[phantom.labels.grid.offset(int(std::lround(i[0])), int(std::lround(i[1])),
                                                                         int(std::lround(i[2])))];
      if (other == segment)
        EXPECT_GE(label, 3) << segment;
      else
        EXPECT_EQ(label, 2) << segment << " against " << other;
    }
  }
}

TEST(Phantom, TransmuralityLimitsTheCore) {
  PhantomOptions options = coarse();
  options.channel = options.no_reflow = false;
  options.border_zone = 0;
  const double full = make_phantom(options).truth.scar_volume;
  options.transmurality = 0.5;
  // The inner half of a curved wall holds less than half of it: (27.5^2 - 23^2) / (32^2 - 23^2) = 0.459.
  EXPECT_NEAR(make_phantom(options).truth.scar_volume / full, 0.459, 0.02);
}

TEST(Phantom, ThickSlicesKeepVolumesAndLeaveBackgroundAround) {
  PhantomOptions options = coarse();
  for (double slice : {1.0, 8.0, 10.0}) {
    options.slice = slice, options.pixel = slice < 2 ? 5 : 2.5;
    const Phantom phantom = make_phantom(options);
    const double wall = cap(80, 32, 10) - cap(71, 23, 10);
    EXPECT_NEAR(phantom.truth.muscle_volume, wall, 0.01 * wall);
    const auto& size = phantom.labels.grid.size;
    const std::size_t slab = std::size_t(size[0]) * size[1];
    for (int k : {0, 1, size[2] - 2, size[2] - 1}) {
      EXPECT_EQ(std::count(phantom.labels.values.begin() + k * slab, phantom.labels.values.begin() + (k + 1) * slab, 0),
                std::ptrdiff_t(slab));
    }
  }
}

TEST(Phantom, SeedChangesNoiseOnlyAndRepeats) {
  PhantomOptions options = coarse();
  options.no_reflow = false;
  const Phantom a = make_phantom(options), b = make_phantom(options);
  options.seed = 8;
  const Phantom c = make_phantom(options);
  EXPECT_EQ(a.image.values, b.image.values);
  EXPECT_NE(a.image.values, c.image.values);
  EXPECT_EQ(a.labels.values, c.labels.values);
}

TEST(Phantom, FilesHoldThePhantomAndItsTruth) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "cardiotwin_phantom_files";
  std::filesystem::remove_all(folder);
  PhantomOptions options = coarse();
  options.rotation_degrees = {10, 20, 30};
  const Phantom phantom = make_phantom(options);
  write_phantom(phantom, options, folder);
  EXPECT_EQ(read_image(folder / "lge.nii.gz").values, phantom.image.values);
  EXPECT_TRUE(std::ranges::equal(read_labels(folder / "labels.nii.gz").values, phantom.labels.values));
  const auto truth = nlohmann::json::parse(read_text(folder / "truth.json"));
  for (int i = 0; i < 3; ++i) {
    EXPECT_NEAR(truth["channel"]["entrance"][i], phantom.truth.channel.front()[i], 1e-5);
    EXPECT_NEAR(truth["channel"]["exit"][i], phantom.truth.channel.back()[i], 1e-5);
  }
  EXPECT_EQ(truth["options"]["rotation_degrees"][2], 30);
  EXPECT_EQ(truth["seed"], 7);
  EXPECT_NE(truth["note"].get<std::string>().find("Research use only"), std::string::npos);
  options.channel = false;
  write_phantom(make_phantom(options), options, folder);
  EXPECT_TRUE(nlohmann::json::parse(read_text(folder / "truth.json"))["channel"].is_null());
  std::filesystem::remove_all(folder);
}

TEST(Phantom, ImpossibleSizesAreRefused) {
  const auto refuse = [](auto change, const char* part) {
    PhantomOptions options = coarse();
    change(options);
    try {
      make_phantom(options);
      ADD_FAILURE() << part << " was accepted";
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  };
  refuse([](auto& o) { o.wall = 31; }, "wall");
  refuse([](auto& o) { o.channel_width = 39; }, "channel_width");
  refuse([](auto& o) { o.scar_length = 120; }, "reaches beyond");
  refuse([](auto& o) { o.channel_tilt = 40; }, "leaves it");
  refuse([](auto& o) { o.scar_segments = {18}; }, "scar_segments");
  refuse([](auto& o) { o.scar_segments = {1, 10}; }, "leaves it");
  refuse([](auto& o) { o.slice = NAN; }, "slice");
  refuse([](auto& o) { o.transmurality = 0; }, "transmurality");
}

}  // namespace
