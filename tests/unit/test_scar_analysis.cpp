// Volumes against the thresholds, Dice, depth of scar, and what is written of them.
#include <gtest/gtest.h>

#include <cardiotwin/meshes/inspect.hpp>
#include <cardiotwin/meshes/phantom.hpp>
#include <cardiotwin/meshes/scar_analysis.hpp>
#include <cardiotwin/provenance.hpp>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>

#include "small_twin.hpp"

using namespace cardiotwin;
using namespace cardiotwin::meshes;

namespace {

struct Case {
  Phantom phantom;
  Labels canonical;
  ScarAnalysis analysis;
};
Case analysed(const PhantomOptions& options, const ScarAnalysisOptions& how = {}) {
  Case c{.phantom = make_phantom(options), .canonical = {}, .analysis = {}};
  c.canonical = canonical_labels(c.phantom.labels, "phantom");
  c.analysis = analyse_scar(c.phantom.image, c.canonical, how);
  return c;
}
const Case& coarse() {
  static const Case c = analysed({.pixel = 2, .slice = 4}, {.low = 0.6, .high = 1.6, .step = 0.2, .spacing = 1.5});
  return c;
}

TEST(ScarAnalysis, HigherLimitsFindLessAndTheChosenOneIsAmongThem) {
  const auto& a = coarse().analysis;
  ASSERT_EQ(a.sweep.size(), 6u);  // 0.6 to 1.6, where p99's core limit of 0.6 becomes 0.96
  EXPECT_EQ(a.sweep[a.chosen].factor, 1);
  EXPECT_EQ(a.chosen, 2u);
  EXPECT_DOUBLE_EQ(a.sweep[a.chosen].threshold_core, a.statistics.threshold_core);
  EXPECT_DOUBLE_EQ(a.sweep[3].limit_core, 0.72);
  EXPECT_DOUBLE_EQ(a.sweep[3].limit_border_zone, 0.48);
  for (std::size_t p = 1; p < a.sweep.size(); ++p) {
    EXPECT_LE(a.sweep[p].core, a.sweep[p - 1].core + 1e-9) << p;
    EXPECT_LE(a.sweep[p].scar(), a.sweep[p - 1].scar() + 0.1) << p;  // islands and pockets come and go
  }
  // The slope between neighbours is what the volumes say.
  EXPECT_NEAR(a.sweep[2].core_slope, (a.sweep[3].core - a.sweep[1].core) / 40, 1e-12);
  EXPECT_LT(a.sweep[2].scar_slope(), 0);
}

TEST(ScarAnalysis, VolumesAndDiceAreThoseOfTheTruth) {
  const auto& [phantom, canonical, a] = coarse();
  const auto& chosen = a.sweep[a.chosen];
  EXPECT_NEAR(chosen.scar(), phantom.truth.scar_volume, 0.1 * phantom.truth.scar_volume);
  EXPECT_NEAR(chosen.channel, phantom.truth.channel_volume, 0.5 * phantom.truth.channel_volume);  // 6 mm wide
  EXPECT_GT(*chosen.dice, 0.93);
  double best = 0;
  for (const auto& p : a.sweep) best = std::max(best, *p.dice_bare);
  EXPECT_GT(*chosen.dice, best - 0.02);
  EXPECT_NEAR(std::accumulate(a.muscle.begin() + 1, a.muscle.end(), 0.0), a.muscle[0], 1e-6);
  EXPECT_NEAR(a.muscle[0], phantom.truth.muscle_volume, 0.05 * phantom.truth.muscle_volume);
  // Without labelled infarct there is nothing to compare with.
  Labels plain = canonical;
  for (auto& label : plain.values) label = label == 3 || label == 4 ? 2 : label;
  EXPECT_FALSE(analyse_scar(phantom.image, plain, {.low = 1, .high = 1, .spacing = 2}).sweep[0].dice);
}

TEST(ScarAnalysis, DepthOfScarIsFoundBySegment) {
  for (const double depth : {0.5, 1.0}) {
    PhantomOptions options{.channel = false, .transmurality = depth, .border_zone = 0, .no_reflow = false};
    options.scar_segments = {7}, options.slice = 3;
    const auto c = analysed(options, {.low = 1, .high = 1});
    const auto& found = c.analysis.transmurality;
    // Within one pixel of a wall of 9 mm; columns at the segment's rim reach beyond it.
    EXPECT_NEAR(found[7].max, depth, 0.16) << depth;
    EXPECT_NEAR(found[7].mean, depth, 0.25 * depth) << depth;
    for (const int remote : {3, 4, 5, 9, 10, 11, 15}) EXPECT_LT(found[std::size_t(remote)].max, 0.05) << remote;
  }
}

TEST(ScarAnalysis, EveryMethodHasItsLimits) {
  const auto& [phantom, canonical, unused] = coarse();
  const auto limits = [&](ScarMethod method) {
    const auto a = analyse_scar(phantom.image, canonical,
                                {.scar = {.method = method}, .low = 0.8, .high = 1.2, .step = 0.2, .spacing = 2});
    return std::pair(a.sweep.back().limit_core, a.sweep.back().limit_border_zone);
  };
  EXPECT_EQ(limits(ScarMethod::n_sd), std::pair(1.2 * 5, 1.2 * 2));
  EXPECT_EQ(limits(ScarMethod::iir), std::pair(1.2 * 1.32, 1.2 * 1.20));
  EXPECT_EQ(limits(ScarMethod::fwhm), std::pair(1.2 * 0.5, 1.2 * 2));
  EXPECT_THROW(analyse_scar(phantom.image, canonical, {.low = 0}), InputError);
  EXPECT_THROW(analyse_scar(phantom.image, canonical, {.high = 0.5}), InputError);
  EXPECT_THROW(analyse_scar(phantom.image, canonical, {.step = 0.001}), InputError);
  EXPECT_THROW(analyse_scar(phantom.image, canonical, {.spacing = 0.1}), InputError);
}

TEST(ScarAnalysis, ItsFilesSayTheSameAndCarryTheNotice) {
  const auto& a = coarse().analysis;
  const auto json = nlohmann::json::parse(to_json(a, {{"image", "00ff"}}));
  EXPECT_EQ(json["notice"], research_use_only);
  EXPECT_EQ(json["inputs"]["image"], "00ff");
  ASSERT_EQ(json["sweep"].size(), a.sweep.size());
  EXPECT_EQ(json["sweep"][3]["core_ml"].get<double>(), a.sweep[3].core);
  EXPECT_EQ(json["chosen"]["dice"].get<double>(), *a.sweep[a.chosen].dice);
  EXPECT_EQ(json["segments"].size(), 17u);
  std::istringstream csv(sweep_csv(a));
  std::vector<std::string> lines;
  for (std::string line; std::getline(csv, line);) lines.push_back(line);
  ASSERT_EQ(lines.size(), 3 + a.sweep.size());
  EXPECT_EQ(lines[0], std::string("# ") + research_use_only);
  EXPECT_TRUE(lines[2].starts_with("factor,limit_core,"));
  for (std::size_t l = 3; l < lines.size(); ++l)
    EXPECT_EQ(std::ranges::count(lines[l], ','), std::ranges::count(lines[2], ',')) << lines[l];
  EXPECT_NE(segments_csv(a).find("\n17,"), std::string::npos);
  for (const auto& text : {sweep_svg(a), in_words(a), segments_csv(a)})
    EXPECT_NE(text.find(research_use_only), std::string::npos);
  EXPECT_EQ(sweep_svg(a).find("nan"), std::string::npos);
}

TEST(ScarAnalysis, TheMontageShowsScarOverTheImage) {
  const test::Folder folder;
  const auto& [phantom, canonical, a] = coarse();
  write_montage(folder / "a.png", phantom.image, canonical, a.regions);
  write_montage(folder / "b.png", phantom.image, canonical);
  EXPECT_NE(test::bytes_of(folder / "a.png"), test::bytes_of(folder / "b.png"));
  Labels other = a.regions;
  other.grid.origin[0] += 5;
  EXPECT_THROW(write_montage(folder / "a.png", phantom.image, canonical, other), InputError);
}

TEST(ScarAnalysisReal, DefaultIsNoWorseThanTheBestBareThreshold) {
  const std::filesystem::path folder = std::filesystem::path(CARDIOTWIN_SHARED) / "data" / "lge";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "the real cases are not here: " << folder;
  const Image image = read_image(folder / "samplePositive_Images.nii.gz");
  const Labels labels = canonical_labels(read_labels(folder / "samplePositive_Contours.nii.gz"), "emidec");
  for (const auto from : {RemoteOptions::From::mode, RemoteOptions::From::arc}) {
    const auto a = analyse_scar(image, labels, {.remote = {.from = from}, .step = 0.1, .spacing = 1.5});
    double best = 0;
    for (const auto& p : a.sweep) best = std::max(best, *p.dice_bare);
    EXPECT_GT(*a.sweep[a.chosen].dice, best - 0.02);
  }
}

}  // namespace
