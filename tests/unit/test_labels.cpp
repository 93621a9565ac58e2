// What the numbers of a segmentation mean, and labels drawn on another grid.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cardiotwin/io.hpp>
#include <cardiotwin/meshes/inspect.hpp>
#include <cardiotwin/meshes/phantom.hpp>
#include <cardiotwin/provenance.hpp>
#include <nlohmann/json.hpp>

#include "small_twin.hpp"

using namespace cardiotwin;
using namespace cardiotwin::meshes;

namespace {

const Phantom& phantom() {
  static const Phantom made = make_phantom({.pixel = 2.5, .slice = 5});
  return made;
}

// The phantom's labels in another convention.
LabelValues in(const std::map<int, int>& values) {
  LabelValues out{phantom().labels.grid, {}};
  for (const int label : phantom().labels.values) out.values.push_back(label == 0 ? 0 : values.at(label));
  return out;
}

LabelValues as_emidec() { return in({{1, 1}, {2, 2}, {3, 3}, {4, 4}, {5, 0}}); }
LabelValues as_acdc() { return in({{1, 3}, {2, 2}, {3, 2}, {4, 2}, {5, 1}}); }
LabelValues as_myops() { return in({{1, 500}, {2, 200}, {3, 2221}, {4, 1220}, {5, 600}}); }

template <class Call>
std::string refusal(Call&& call) {
  try {
    call();
  } catch (const InputError& error) {
    return error.what();
  }
  ADD_FAILURE() << "accepted";
  return {};
}

#define EXPECT_SAYS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST(Conventions, AreGuessedFromTheValuesAndWhatTheyEnclose) {
  EXPECT_EQ(guess_convention(as_emidec()).name, "emidec");
  EXPECT_EQ(guess_convention(as_acdc()).name, "acdc");
  EXPECT_EQ(guess_convention(as_myops()).name, "myops");
  EXPECT_EQ(guess_convention(in({{1, 1}, {2, 2}, {3, 3}, {4, 4}, {5, 5}})).name, "phantom");
  EXPECT_EQ(guess_convention(in({{1, 255}, {2, 0}, {3, 0}, {4, 0}, {5, 0}})).name, "lasc");
  EXPECT_EQ(guess_convention(in({{1, 1}, {2, 0}, {3, 0}, {4, 0}, {5, 0}})).name, "lasc");
}

TEST(Conventions, AllBecomeOurOwnLabelsAndTheGuessIsSaid) {
  std::string said;
  const Monitor monitor{.note = [&](std::string_view text) { said += text; }};
  const auto own = [&](const LabelValues& values, const std::string& convention) {
    return canonical_labels(values, convention, monitor).values;
  };
  const auto wanted = [](const std::map<int, int>& values) {
    const auto all = in(values).values;
    return std::vector<std::uint8_t>(all.begin(), all.end());
  };
  EXPECT_EQ(own(as_acdc(), "guess"), wanted({{1, 1}, {2, 2}, {3, 2}, {4, 2}, {5, 5}}));
  EXPECT_SAYS(said, "labels: taken as ACDC: 0 background");
  EXPECT_SAYS(said, "3 LV cavity (");
  EXPECT_EQ(own(as_myops(), "guess"), wanted({{1, 1}, {2, 2}, {3, 3}, {4, 2}, {5, 5}}));  // oedema is muscle
  const auto given = in({{1, 7}, {2, -9}, {3, 1000}, {4, 1000}, {5, 4}});
  EXPECT_EQ(own(given, "7=lv_blood, -9=myocardium,1000=scar,4=background"),
            wanted({{1, 1}, {2, 2}, {3, 3}, {4, 3}, {5, 0}}));
}

TEST(Conventions, WhatFitsNoneIsListedAndWhatIsMisspeltIsNamed) {
  const auto odd = in({{1, 7}, {2, 9}, {3, 11}, {4, 11}, {5, 7}});
  const auto text = refusal([&] { canonical_labels(odd, "guess"); });
  for (const char* part : {"EMIDEC (1 LV cavity", "MyoPS (200", "7 (", "9 (", "11 (", "--convention"})
    EXPECT_SAYS(text, part);
  EXPECT_SAYS(refusal([&] { canonical_labels(odd, "acdc"); }), "but found 0 (");
  EXPECT_SAYS(refusal([&] { canonical_labels(as_acdc(), "emidec"); }), "enclosed by muscle");
  EXPECT_SAYS(refusal([&] {
                canonical_labels(in({{1, 255}, {2, 0}, {3, 0}, {4, 0}, {5, 0}}), "guess");
              }),
              "255 left-atrial cavity");
  EXPECT_SAYS(refusal([] { convention_of("emidek"); }), "did you mean \"emidec\"?");
  EXPECT_SAYS(refusal([] { convention_of("1=lv_blod"); }), "did you mean \"lv_blood\"?");
  EXPECT_SAYS(refusal([] { convention_of("1=lv_blood,x=scar"); }),
              "\"x=scar\" in the mapping of labels is not of the form");
  EXPECT_SAYS(refusal([] { convention_of("1=lv_blood,1=scar"); }), "given twice");
}

TEST(Labels, OnAnotherGridTheyAreTakenWhereTheyLieInSpace) {
  // Twice as fine in plane, axes swapped and one of them mirrored.
  const auto coarse = as_emidec();
  LabelValues fine;
  Grid& g = fine.grid;
  g = coarse.grid;
  g.size = {2 * coarse.grid.size[1], 2 * coarse.grid.size[0], coarse.grid.size[2]};
  g.spacing = {coarse.grid.spacing[1] / 2, coarse.grid.spacing[0] / 2, coarse.grid.spacing[2]};
  g.direction.col(0) = coarse.grid.direction.col(1), g.direction.col(1) = -coarse.grid.direction.col(0);
  g.origin = coarse.grid.position(Vec3(coarse.grid.size[0] - 0.75, -0.25, 0));
  for (int k = 0; k < g.size[2]; ++k) {
    for (int j = 0; j < g.size[1]; ++j) {
      for (int i = 0; i < g.size[0]; ++i)
        fine.values.push_back(coarse.values[coarse.grid.offset(coarse.grid.size[0] - 1 - j / 2, i / 2, k)]);
    }
  }
  std::string notes, warnings;
  const Monitor monitor{.note = [&](std::string_view text) { notes += text; },
                        .warning = [&](std::string_view text) { warnings += text; }};
  EXPECT_EQ(labels_on(coarse.grid, fine, monitor).values, coarse.values);
  EXPECT_SAYS(notes, "takes the label nearest in space");
  EXPECT_EQ(warnings, "");
  notes.clear();
  EXPECT_EQ(labels_on(coarse.grid, coarse, monitor).values, coarse.values);
  EXPECT_EQ(notes, "");
  LabelValues away = coarse;
  away.grid.origin += coarse.grid.direction.col(2) * coarse.grid.spacing[2] * 8;
  labels_on(coarse.grid, away, monitor);
  EXPECT_SAYS(warnings, "% of the labelled voxels lie outside");
  away.grid.origin += Vec3(500, 0, 0);
  EXPECT_SAYS(refusal([&] { labels_on(coarse.grid, away); }), "none of their voxels does");
}

TEST(Inspect, SaysWhatAClinicianWouldAsk) {
  Image image = phantom().image;
  // As a short axis lies in the chest; the phantom's slices run from apex to base.
  const Vec3 normal = Vec3(-0.70, 0.52, 0.49).normalized(), across = normal.cross(Vec3::UnitZ()).normalized();
  image.grid.direction << across, normal.cross(across), normal;
  const ImageSource source{.format = "DICOM, series 3", .slice_thickness = 4};
  const auto alone = in_words(inspect(image, source, {}, ""));
  EXPECT_SAYS(alone, fmt::format("short axis, {} slices of 4 mm with 1 mm gaps, apex to base\n", image.grid.size[2]));
  EXPECT_SAYS(alone, research_use_only);
  Labels labels = meanings(as_myops(), convention_of("myops"));
  labels.grid = image.grid;
  const auto found = inspect(image, source, labels, "MyoPS");
  EXPECT_EQ(found.order, "apex to base");
  EXPECT_TRUE(found.order_by_labels);
  double volume = 0;
  for (const auto value : labels.values) volume += value == 2 ? image.grid.spacing.prod() / 1000 : 0;
  const auto json = nlohmann::json::parse(to_json(inspect(image, {.format = "", .files = {}}, labels, "MyoPS")));
  EXPECT_NEAR(json["labels"][1]["volume_ml"].get<double>(), volume, 1e-9);
  EXPECT_EQ(json["labels"][1]["meaning"], "myocardium");
  EXPECT_EQ(json["direction_columns"][0].size(), 3u);
  EXPECT_TRUE(json["slice_gap_mm"].is_null());
  EXPECT_EQ(json["notice"], research_use_only);
  // The gate's findings stand below, in words and for programs.
  EXPECT_EQ(json["findings"].size(), found.findings.size());
  EXPECT_SAYS(in_words(found), "quality      noise is");
  const auto gaps = inspect(image, {.format = "DICOM", .slice_thickness = 3}, labels, "MyoPS");
  EXPECT_SAYS(in_words(gaps), "warning      between slices of 3.0 mm lie gaps of 2.0 mm");
}

TEST(Inspect, MontageShowsTheLabelsAndCarriesTheNotice) {
  const test::Folder folder;
  const Labels labels = meanings(as_emidec(), convention_of("emidec"));
  write_montage(folder / "a.png", phantom().image, labels);
  write_montage(folder / "b.png", phantom().image, labels);
  write_montage(folder / "c.png", phantom().image, {});
  const auto bytes = test::bytes_of(folder / "a.png");
  EXPECT_TRUE(bytes.starts_with("\x89PNG"));
  EXPECT_SAYS(bytes, research_use_only);
  EXPECT_EQ(bytes, test::bytes_of(folder / "b.png"));
  EXPECT_NE(bytes, test::bytes_of(folder / "c.png"));
  EXPECT_THROW(write_montage(folder / "none" / "a.png", phantom().image, {}), FileError);
}

}  // namespace
