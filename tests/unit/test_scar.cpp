#include <gtest/gtest.h>

#include <cardiotwin/anatomy.hpp>
#include <cardiotwin/meshes/phantom.hpp>
#include <cardiotwin/meshes/scar.hpp>
#include <cmath>

using namespace cardiotwin;
using namespace cardiotwin::meshes;
namespace fs = std::filesystem;

namespace {

PhantomOptions coarse() {
  PhantomOptions options;
  options.pixel = options.slice = 2;
  return options;
}

struct Result {
  Labels regions;
  ScarStatistics statistics;
  std::string said;
};

Result segment(const Image& image, const Labels& labels, const ScarOptions& options = {}) {
  Result result;
  Monitor monitor;
  monitor.note = monitor.warning = [&](std::string_view text) { result.said += std::string(text) + "\n"; };
  result.regions = segment_scar(image, canonical_labels(labels, "guess", monitor), options, result.statistics, monitor);
  return result;
}

double overlap(const Labels& regions, const Labels& truth) {
  double a = 0, b = 0, both = 0;
  for (std::size_t i = 0; i < truth.values.size(); ++i) {
    const bool found = regions.values[i] >= 2, marked = truth.values[i] == 3 || truth.values[i] == 4;
    a += found, b += marked, both += found && marked;
  }
  return 2 * both / (a + b);
}

int region_at(const Labels& labels, const Vec3& position) {
  const Vec3 i = labels.grid.index(position);
  return labels.values[labels.grid.offset(int(std::lround(i[0])), int(std::lround(i[1])), int(std::lround(i[2])))];
}

TEST(Scar, PhantomIsFoundWithItsChannelAndStatistics) {
  const Phantom phantom = make_phantom(coarse());
  const Result r = segment(phantom.image, phantom.labels);
  EXPECT_NEAR(r.statistics.healthy_mean, 2160, 3);
  EXPECT_NEAR(r.statistics.healthy_sd, 12, 2);
  EXPECT_NEAR(r.statistics.blood_mean, 2298, 3);
  EXPECT_EQ(r.statistics.offset, 2048);
  EXPECT_NEAR(r.statistics.p99, 2432, 10);
  EXPECT_NEAR(r.statistics.scar_volume, phantom.truth.scar_volume, 0.08 * phantom.truth.scar_volume);
  // Core meets border zone at 75 % of the way, the threshold is 60 %: a voxel of 2 mm moves the edge out by up to 0.6
  // mm, along (2 (45 + 40) + 2 45) x 9 mm2 of edge, 1.4 ml.
  EXPECT_GT(r.statistics.core_volume, phantom.truth.core_volume - 0.5);
  EXPECT_LT(r.statistics.core_volume, phantom.truth.core_volume + 2.2);
  EXPECT_GT(overlap(r.regions, phantom.labels), 0.95);
  // The whole course of the channel survives, with core on either side of its middle.
  for (const Vec3& p : phantom.truth.channel) EXPECT_EQ(region_at(r.regions, p), region::border_zone) << p.transpose();
  const Vec3 middle = phantom.truth.channel[phantom.truth.channel.size() / 2];
  EXPECT_EQ(region_at(r.regions, middle + Vec3(8, -1, 0)), region::core);
  EXPECT_EQ(region_at(r.regions, middle + Vec3(-8, -1, 0)), region::core);
  // Every muscle voxel has a region, nothing else has.
  for (std::size_t i = 0; i < phantom.labels.values.size(); ++i) {
    const int label = phantom.labels.values[i];
    ASSERT_EQ(r.regions.values[i] != 0, label >= 2 && label <= 4);
  }
}

TEST(Scar, RimOfTheWallIsNotTakenForSurvivingMuscle) {
  PhantomOptions options = coarse();
  options.channel = options.no_reflow = false;
  const Phantom phantom = make_phantom(options);
  const Result r = segment(phantom.image, phantom.labels);
  // Through the wall at the scar's centre every muscle voxel is core, although those at the surface are half blood or
  // air.
  int muscle = 0;
  for (double y = 18; y < 36; y += 1) {
    const int region = region_at(r.regions, {0, y, -30});
    if (region == 0) continue;
    EXPECT_EQ(region, region::core) << y;
    ++muscle;
  }
  EXPECT_GE(muscle, 8);
}

TEST(Scar, NoReflowIsFilledWithAndWithoutItsLabel) {
  PhantomOptions options = coarse();
  options.channel = false;
  Phantom phantom = make_phantom(options);
  const Result labelled = segment(phantom.image, phantom.labels);
  std::vector<std::size_t> pocket;
  for (std::size_t i = 0; i < phantom.labels.values.size(); ++i) {
    if (phantom.labels.values[i] == 4) pocket.push_back(i), phantom.labels.values[i] = 2;
  }
  ASSERT_GT(pocket.size(), 20u);
  const Result unlabelled = segment(phantom.image, phantom.labels);
  for (std::size_t i : pocket) {
    EXPECT_EQ(int(labelled.regions.values[i]), region::core);
    EXPECT_EQ(int(unlabelled.regions.values[i]), region::core);
  }
  EXPECT_GT(unlabelled.statistics.no_reflow_volume, 0.3 * double(pocket.size()) * 0.008);
  EXPECT_NEAR(unlabelled.statistics.core_volume, labelled.statistics.core_volume, 0.1);
}

TEST(Scar, HealthyHeartHasNoneForAnySlice) {
  for (double slice : {2.0, 8.0, 10.0}) {
    for (double noise : {0.0, 12.0, 30.0}) {
      PhantomOptions options = coarse();
      options.scar = false, options.slice = slice, options.noise = noise;
      const Phantom phantom = make_phantom(options);
      for (auto method : {ScarMethod::p99, ScarMethod::n_sd, ScarMethod::fwhm, ScarMethod::labels}) {
        const Result r = segment(phantom.image, phantom.labels, {.method = method});
        EXPECT_EQ(r.statistics.scar_volume, 0) << slice << " " << noise;
        EXPECT_EQ(std::count_if(r.regions.values.begin(), r.regions.values.end(), [](int v) { return v >= 2; }), 0);
        EXPECT_NE(r.said.find("none found"), std::string::npos);
      }
    }
  }
}

TEST(Scar, ThickSlicesAndNoiseKeepTheVolume) {
  PhantomOptions options = coarse();
  options.slice = 8, options.pixel = 1.4, options.noise = 25;
  const Phantom phantom = make_phantom(options);
  const Result r = segment(phantom.image, phantom.labels);
  EXPECT_NEAR(r.statistics.scar_volume, phantom.truth.scar_volume, 0.15 * phantom.truth.scar_volume);
  EXPECT_GT(overlap(r.regions, phantom.labels), 0.85);
}

TEST(Scar, OffsetDoesNotChangeTheAnswer) {
  PhantomOptions options = coarse();
  const Phantom with = make_phantom(options);
  options.offset = 0;
  const Phantom without = make_phantom(options);
  for (auto method : {ScarMethod::p99, ScarMethod::n_sd, ScarMethod::fwhm}) {
    const Result a = segment(with.image, with.labels, {.method = method}),
                 b = segment(without.image, without.labels, {.method = method});
    EXPECT_EQ(b.statistics.offset, 0);
    EXPECT_NEAR(a.statistics.scar_volume, b.statistics.scar_volume, 0.002 * a.statistics.scar_volume);
    EXPECT_NEAR(a.statistics.threshold_core - 2048, b.statistics.threshold_core, 0.5);
  }
}

TEST(Scar, ThresholdsFollowTheirDefinitions) {
  const Phantom phantom = make_phantom(coarse());
  const ScarStatistics n =
      segment(phantom.image, phantom.labels, {.method = ScarMethod::n_sd, .n_sd = 6, .n_sd_border_zone = 3}).statistics;
  EXPECT_DOUBLE_EQ(n.threshold_core, n.healthy_mean + 6 * n.healthy_sd);
  EXPECT_DOUBLE_EQ(n.threshold_border_zone, n.healthy_mean + 3 * n.healthy_sd);
  const ScarStatistics f = segment(phantom.image, phantom.labels, {.method = ScarMethod::fwhm}).statistics;
  EXPECT_DOUBLE_EQ(f.threshold_core, (f.healthy_mean + f.p99) / 2);
  const ScarStatistics p = segment(phantom.image, phantom.labels, {.core = 0.7, .border_zone = 0.3}).statistics;
  EXPECT_DOUBLE_EQ(p.threshold_core, p.healthy_mean + 0.7 * (p.p99 - p.healthy_mean));
  EXPECT_THROW(segment(phantom.image, phantom.labels, {.core = 0.3, .border_zone = 0.4}), InputError);
  EXPECT_THROW(segment(phantom.image, phantom.labels, {.min_volume = -1}), InputError);
}

TEST(Scar, LabelsMethodTakesTheExpertsOutline) {
  const Phantom phantom = make_phantom(coarse());
  const Result r = segment(phantom.image, phantom.labels, {.method = ScarMethod::labels});
  EXPECT_DOUBLE_EQ(overlap(r.regions, phantom.labels), 1);
  const Vec3 middle = phantom.truth.channel[phantom.truth.channel.size() / 2];
  EXPECT_EQ(region_at(r.regions, middle), region::border_zone);
  EXPECT_EQ(region_at(r.regions, middle + Vec3(8, -1, 0)), region::core);
}

TEST(Scar, BrightRimOutsideIsNotScar) {
  PhantomOptions options = coarse();
  options.channel = options.no_reflow = false;
  Phantom phantom = make_phantom(options);
  // Fat under a contour drawn 4 mm too wide on the inferior wall, far from the scar.
  for (std::size_t i = 0; i < phantom.image.values.size(); ++i) {
    const int nx = phantom.image.grid.size[0], ny = phantom.image.grid.size[1];
    const Vec3 p = phantom.image.grid.position(Vec3(double(i % nx), double(i / nx % ny), double(i / (nx * ny))));
    const double r = std::hypot(p[0], p[1]);
    if (p[1] < -10 && std::abs(p[2]) < 9 && r > 28 && r < 33) phantom.image.values[i] = 2048 + 420;
  }
  const Result r = segment(phantom.image, phantom.labels);
  EXPECT_EQ(region_at(r.regions, {0, -30, 0}), region::healthy);
  EXPECT_NEAR(r.statistics.scar_volume, phantom.truth.scar_volume, 0.12 * phantom.truth.scar_volume);
}

std::string refusal(const Labels& labels, const std::string& convention = "guess") {
  try {
    canonical_labels(labels, convention);
  } catch (const InputError& error) {
    return error.what();
  }
  ADD_FAILURE() << "accepted";
  return {};
}

TEST(CanonicalLabels, WhatFitsNoConventionIsListed) {
  const Labels good = make_phantom(coarse()).labels;
  EXPECT_EQ(canonical_labels(good, "phantom").values, good.values);
  Labels bad = good;
  for (auto& v : bad.values) v = v == 3 ? 200 : v;
  EXPECT_NE(refusal(bad).find("200 ("), std::string::npos);
  EXPECT_NE(refusal(good, "emidec").find("5 ("), std::string::npos);  // the RV cavity
  bad = good;
  for (auto& v : bad.values) v = v == 1 ? v : 0;
  EXPECT_NE(refusal(bad).find("muscle of the left ventricle"), std::string::npos);
  for (auto& v : bad.values) v = v == 1 ? 2 : 0;
  EXPECT_NE(refusal(bad).find("an LV cavity"), std::string::npos);
}

TEST(CanonicalLabels, MuscleAtTheImageEdgeIsRefusedInPlaneAndSaidAtTheEnds) {
  const Labels whole = make_phantom(coarse()).labels;
  const auto crop = [&](int i0, int i1, int k0, int k1) {
    Labels part;
    part.grid = whole.grid;
    part.grid.size = {i1 - i0, whole.grid.size[1], k1 - k0};
    part.grid.origin = whole.grid.position(Vec3(i0, 0, k0));
    for (int k = k0; k < k1; ++k) {
      for (int j = 0; j < whole.grid.size[1]; ++j) {
        for (int i = i0; i < i1; ++i) part.values.push_back(whole.values[whole.grid.offset(i, j, k)]);
      }
    }
    return part;
  };
  const auto [nx, ny, nz] = whole.grid.size;
  EXPECT_NE(refusal(crop(nx / 3, nx, 0, nz)).find("muscle is cut off"), std::string::npos);
  std::string said;
  Monitor monitor;
  monitor.warning = [&](std::string_view text) { said += text; };
  canonical_labels(crop(0, nx, 0, nz), "guess", monitor);
  EXPECT_EQ(said, "");
  canonical_labels(crop(0, nx, 0, nz / 2), "guess", monitor);
  EXPECT_NE(said.find("last slice"), std::string::npos);
}

TEST(ScarReal, InfarctVolumeIsNearTheExperts) {
  const fs::path folder = fs::path(CARDIOTWIN_SHARED) / "data" / "lge";
  if (!fs::exists(folder)) GTEST_SKIP() << "the real cases are not here: " << folder;
  const Image image = read_image(folder / "samplePositive_Images.nii.gz");
  const Labels labels = canonical_labels(read_labels(folder / "samplePositive_Contours.nii.gz"), "emidec");
  const Result r = segment(image, labels);
  EXPECT_NEAR(r.statistics.scar_volume, 20.3, 0.25 * 20.3);
  EXPECT_GT(overlap(r.regions, labels), 0.75);  // the best single threshold on raw intensities reaches 0.68
  EXPECT_EQ(r.statistics.offset, 2048);
}

TEST(ScarReal, HeartWithoutInfarctHasNone) {
  const fs::path folder = fs::path(CARDIOTWIN_SHARED) / "data" / "lge";
  if (!fs::exists(folder)) GTEST_SKIP() << "the real cases are not here: " << folder;
  for (auto method : {ScarMethod::p99, ScarMethod::n_sd, ScarMethod::fwhm, ScarMethod::labels}) {
    const Result r =
        segment(read_image(folder / "sampleNegative_Images.nii.gz"),
                canonical_labels(read_labels(folder / "sampleNegative_Contours.nii.gz"), "emidec"), {.method = method});
    EXPECT_EQ(r.statistics.scar_volume, 0);
    // Far from the limit of 4 standard deviations, so that the answer does not hang by a thread.
    EXPECT_LT(r.statistics.p99_inner, r.statistics.healthy_mean + 3 * r.statistics.healthy_sd);
  }
}

}  // namespace
