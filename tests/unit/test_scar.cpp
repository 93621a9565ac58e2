#include <gtest/gtest.h>

#include <cardiotwin/anatomy.hpp>
#include <cardiotwin/meshes/phantom.hpp>
#include <cardiotwin/meshes/scar.hpp>
#include <cmath>

#include "../../meshes/src/voxels.hpp"
#include "small_twin.hpp"

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

// Blood 250, muscle 112, border zone 248, core 384 above the offset: ratios 0.45, 0.99, 1.54.
TEST(Scar, RatioToBloodIsThatOfTheSignalAboveTheOffset) {
  for (const double offset : {0.0, 2048.0}) {
    PhantomOptions options = coarse();
    options.offset = offset, options.no_reflow = false;
    const Phantom phantom = make_phantom(options);
    const auto ratio = [&](double core, double border_zone) {
      return segment(phantom.image, phantom.labels,
                     {.method = ScarMethod::iir, .iir_core = core, .iir_border_zone = border_zone});
    };
    const Result dense = ratio(1.32, 1.2);
    EXPECT_EQ(dense.statistics.offset, offset);
    EXPECT_NEAR(dense.statistics.blood_mean - offset, 250, 3);
    EXPECT_NEAR(dense.statistics.threshold_core - offset, 1.32 * 250, 4);
    // Between border zone and core lies a voxel of 2 mm, and a tenth of the core's is within it.
    EXPECT_NEAR(dense.statistics.core_volume, phantom.truth.core_volume, 0.2 * phantom.truth.core_volume);
    const Result all = ratio(1.32, 0.75);
    EXPECT_GT(overlap(all.regions, phantom.labels), 0.93);
    EXPECT_EQ(ratio(3, 2).statistics.scar_volume, 0);
    EXPECT_NE(ratio(3, 2).said.find("none found"), std::string::npos);
  }
  EXPECT_THROW(segment(make_phantom(coarse()).image, make_phantom(coarse()).labels,
                       {.method = ScarMethod::iir, .iir_core = 1, .iir_border_zone = 1.2}),
               InputError);
}

TEST(Scar, RatioToBloodIsRefusedWhereAConstantOfUnknownSizeWasAdded) {
  Phantom phantom = make_phantom(coarse());
  for (float& v : phantom.image.values) v += 1000;  // 3048, no power of two
  try {
    segment(phantom.image, phantom.labels, {.method = ScarMethod::iir});
    FAIL() << "accepted";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("a constant seems to have been added"), std::string::npos) << error.what();
  }
  // In an atrium's magnitude image wall and blood are alike, which is no offset.
  Phantom alike = make_phantom({.pixel = 2, .slice = 2, .offset = 0, .noise = 60});
  for (std::size_t v = 0; v < alike.image.values.size(); ++v)
    if (alike.labels.values[v] == 2)
      alike.image.values[v] += 1000;
    else
      alike.image.values[v] += alike.labels.values[v] == 1 ? 950 : alike.labels.values[v] == 3 ? 1400 : 0;
  EXPECT_EQ(segment(alike.image, alike.labels, {.method = ScarMethod::iir}).statistics.offset, 0);
}

TEST(Scar, RemoteMuscleGivesTheHealthyMeanAndSpread) {
  const Phantom phantom = make_phantom(coarse());
  const Labels canonical = canonical_labels(phantom.labels, "guess");
  using From = RemoteOptions::From;
  EXPECT_FALSE(remote_region(phantom.image, canonical, {}));
  // By arcs: a few voxels at the infarct's ends at most, and more than half of the muscle outside of it.
  const auto arc = remote_region(phantom.image, canonical, {.from = From::arc});
  std::size_t kept = 0, healthy = 0, stray = 0;
  for (std::size_t v = 0; v < arc->values.size(); ++v) {
    stray += arc->values[v] && canonical.values[v] != 2;
    kept += arc->values[v], healthy += canonical.values[v] == 2;
  }
  EXPECT_GT(kept, 0.5 * double(healthy));
  EXPECT_LT(stray, 0.005 * double(kept));
  // By segments: the inferior and inferolateral ones lie across from the anterior infarct.
  const auto segments = remote_region(phantom.image, canonical, {.from = From::segments, .segments = {4, 10}});
  for_each_voxel(canonical.grid, [&](int i, int j, int k, std::size_t v) {
    EXPECT_TRUE(!segments->values[v] || canonical.grid.position(Vec3(i, j, k)).y() < 0);
  });
  for (const auto& remote : {arc, segments}) {
    ScarStatistics s;
    const Labels regions = segment_scar(phantom.image, canonical, {.remote = remote}, s);
    EXPECT_NEAR(s.healthy_mean, 2160, 3);
    EXPECT_NEAR(s.healthy_sd, 12, 2);
    EXPECT_GT(s.remote_volume, 5);
    EXPECT_GT(overlap(regions, phantom.labels), 0.95);
  }
}

TEST(Scar, RemoteMuscleComesFromAFileAndMustBeThere) {
  const Phantom phantom = make_phantom(coarse());
  const Labels canonical = canonical_labels(phantom.labels, "guess");
  using From = RemoteOptions::From;
  const test::Folder folder;
  Labels marked = canonical;
  for_each_voxel(marked.grid, [&](int i, int j, int k, std::size_t v) {
    marked.values[v] = marked.grid.position(Vec3(i, j, k)).y() < -10;
  });
  write_labels(folder / "remote.nii.gz", marked);
  const RemoteOptions file{.from = From::file, .file = folder / "remote.nii.gz"};
  ScarStatistics s;
  segment_scar(phantom.image, canonical, {.remote = remote_region(phantom.image, canonical, file)}, s);
  EXPECT_NEAR(s.healthy_mean, 2160, 3);
  std::ranges::fill(marked.values, std::uint8_t(0));
  write_labels(folder / "remote.nii.gz", marked);
  EXPECT_THROW(remote_region(phantom.image, canonical, file), InputError);
  EXPECT_THROW(remote_region(phantom.image, canonical, {.from = From::file, .file = folder / "none"}), FileError);
  EXPECT_THROW(remote_region(phantom.image, canonical, {.from = From::segments, .segments = {18}}), InputError);
  EXPECT_THROW(remote_region(phantom.image, canonical, {.from = From::segments}), InputError);
  marked.values[canonical.grid.count() / 2] = 1;
  EXPECT_THROW(segment_scar(phantom.image, canonical, {.remote = marked}, s), InputError);
}

TEST(Scar, DensityRisesFromHealthyMuscleToCore) {
  PhantomOptions options = coarse();
  options.noise = 0;
  const Phantom phantom = make_phantom(options);
  const Result r = segment(phantom.image, phantom.labels);
  const Labels canonical = canonical_labels(phantom.labels, "guess");
  const Image density = fibrosis_density(phantom.image, canonical, r.regions, r.statistics);
  const auto at = [&](const Vec3& p) {
    const auto [i, j, k] = nearest_voxel(density.grid, p);
    return density.values[density.grid.offset(i, j, k)];
  };
  EXPECT_NEAR(at({0, -27, -30}), 0, 0.02);
  const Vec3 middle = phantom.truth.channel[phantom.truth.channel.size() / 2];
  EXPECT_EQ(at(middle + Vec3(8, -1, 0)), 1);
  // The channel's 248 lie 136 above muscle, the core's threshold 0.6 of 272: 0.83.
  EXPECT_NEAR(at(middle), 136.0 / (0.6 * 272), 0.06);
  options.scar = false, options.noise = 12;
  const Phantom healthy = make_phantom(options);
  const Result none = segment(healthy.image, healthy.labels);
  const Image zero =
      fibrosis_density(healthy.image, canonical_labels(healthy.labels, "guess"), none.regions, none.statistics);
  EXPECT_EQ(*std::ranges::max_element(zero.values), 0);
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

TEST(CanonicalLabels, MuscleAtTheImageEdgeIsRefusedInPlane) {
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
  EXPECT_NO_THROW(canonical_labels(crop(0, nx, 0, nz / 2), "guess"));  // what `assess` then warns of
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
