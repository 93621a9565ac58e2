#include <gtest/gtest.h>

#include <cardiotwin/io.hpp>
#include <cardiotwin/plan.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

namespace cardiotwin {
namespace {

std::filesystem::path fresh_folder(const std::string& name) {
  const auto folder = std::filesystem::path(testing::TempDir()) / ("cardiotwin_plan_" + name);
  std::filesystem::remove_all(folder);
  return folder;
}

Plan example() {
  Plan plan;
  plan.results.push_back({.site = "aha7",
                          .round = 0,
                          .inducible = true,
                          .coupling = {310, 0.1 + 0.2},
                          .active_after = 1600,
                          .circuit = 1,
                          .outcome = "re-entry of 362 ms \"quoted\""});
  plan.results.push_back({.site = "aha8", .round = 1, .active_after = 412.5, .outcome = "no re-entry"});
  for (int i = 0; i < 2; ++i) {
    Circuit circuit;
    circuit.cycle_length = 362.0 / 3 + i;
    circuit.cycle_spread = 0.01;
    circuit.map_correlation = 0.97;
    circuit.monomorphic = i == 0;
    circuit.isthmus = {1.0 / 3, -2, 3};
    circuit.entrance = {4, 5, 6};
    circuit.exit = {7, 8, 9};
    circuit.aha_isthmus = 7;
    circuit.aha_exit = 13;
    circuit.isthmus_line = {{1, 2, 3}, {4, 5, 6}};
    circuit.path = {{7, 8, 9}, {10, 11, 12}, {13, 14, 15}};
    circuit.closure = 2.5;
    circuit.lat = {.name = "LAT", .unit = "ms", .values = {0, 1.0 / 7 + i, std::numeric_limits<double>::quiet_NaN()}};
    plan.circuits.push_back(circuit);
  }
  plan.circuits[1].ecg = {.times = {0, 2, 4}, .names = {"I", "V1"}, .values = {0, 0.25, 0.5, -1, 0.125, 2}};
  plan.circuit_sites = {{"aha1", "aha2"}, {"aha7"}};
  plan.targets.push_back({.rank = 1,
                          .lesion = {{1.5, 2.5, -3.5}, 5},
                          .depth = 9.25,
                          .aha = 7,
                          .place = "mid anterior, mid-wall, LV",
                          .circuits = {0, 1},
                          .induced_from = {"aha1", "aha2", "aha7"},
                          .share = 2.0 / 3,
                          .necessary = false,
                          .evidence = "because"});
  plan.inducible_before = true;
  plan.conclusion = "One target.";
  return plan;
}

TEST(Plan, every_field_survives_the_files) {
  const auto folder = fresh_folder("round_trip");
  const Plan in = example();
  save_plan(in, folder);
  const Plan out = load_plan(folder);

  ASSERT_EQ(out.results.size(), 2u);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(out.results[i].site, in.results[i].site);
    EXPECT_EQ(out.results[i].round, in.results[i].round);
    EXPECT_EQ(out.results[i].inducible, in.results[i].inducible);
    EXPECT_EQ(out.results[i].coupling, in.results[i].coupling);
    EXPECT_EQ(out.results[i].active_after, in.results[i].active_after);
    EXPECT_EQ(out.results[i].circuit, in.results[i].circuit);
    EXPECT_EQ(out.results[i].outcome, in.results[i].outcome);
  }
  ASSERT_EQ(out.circuits.size(), 2u);
  for (int i = 0; i < 2; ++i) {
    const Circuit &a = out.circuits[i], &b = in.circuits[i];
    EXPECT_EQ(a.cycle_length, b.cycle_length);
    EXPECT_EQ(a.cycle_spread, b.cycle_spread);
    EXPECT_EQ(a.map_correlation, b.map_correlation);
    EXPECT_EQ(a.monomorphic, b.monomorphic);
    EXPECT_EQ(a.isthmus, b.isthmus);
    EXPECT_EQ(a.entrance, b.entrance);
    EXPECT_EQ(a.exit, b.exit);
    EXPECT_EQ(a.aha_isthmus, b.aha_isthmus);
    EXPECT_EQ(a.aha_exit, b.aha_exit);
    EXPECT_EQ(a.isthmus_line, b.isthmus_line);
    EXPECT_EQ(a.path, b.path);
    EXPECT_EQ(a.closure, b.closure);
    EXPECT_EQ(a.lat.name, "LAT");
    EXPECT_EQ(a.lat.unit, "ms");
    ASSERT_EQ(a.lat.values.size(), 3u);
    EXPECT_EQ(a.lat.values[1], b.lat.values[1]);
    EXPECT_TRUE(std::isnan(a.lat.values[2]));
    EXPECT_EQ(a.ecg.times, b.ecg.times);
    EXPECT_EQ(a.ecg.names, b.ecg.names);
    EXPECT_EQ(a.ecg.values, b.ecg.values);
  }
  EXPECT_EQ(out.circuit_sites, in.circuit_sites);
  ASSERT_EQ(out.targets.size(), 1u);
  const Target &a = out.targets[0], &b = in.targets[0];
  EXPECT_EQ(a.rank, b.rank);
  EXPECT_EQ(a.lesion.position, b.lesion.position);
  EXPECT_EQ(a.lesion.radius, b.lesion.radius);
  EXPECT_EQ(a.depth, b.depth);
  EXPECT_EQ(a.aha, b.aha);
  EXPECT_EQ(a.place, b.place);
  EXPECT_EQ(a.circuits, b.circuits);
  EXPECT_EQ(a.induced_from, b.induced_from);
  EXPECT_EQ(a.share, b.share);
  EXPECT_EQ(a.necessary, b.necessary);
  EXPECT_EQ(a.evidence, b.evidence);
  EXPECT_EQ(out.inducible_before, in.inducible_before);
  EXPECT_EQ(out.inducible_after, in.inducible_after);
  EXPECT_EQ(out.conclusion, in.conclusion);
  EXPECT_NE(read_text(folder / "plan.json").find("Research use only"), std::string::npos);
}

TEST(Plan, a_plan_without_circuits_needs_no_maps_and_removes_stale_ones) {
  const auto folder = fresh_folder("negative");
  save_plan(example(), folder);
  Plan negative;
  negative.conclusion = "Not inducible.";
  save_plan(negative, folder);
  EXPECT_FALSE(std::filesystem::exists(folder / "circuits.h5"));
  const Plan out = load_plan(folder);
  EXPECT_TRUE(out.circuits.empty());
  EXPECT_EQ(out.conclusion, "Not inducible.");
}

TEST(Plan, an_unfinished_damaged_or_newer_plan_is_refused) {
  const auto folder = fresh_folder("refused");
  EXPECT_THROW(load_plan(folder), FileError);
  save_plan(example(), folder);
  const std::string text = read_text(folder / "plan.json");

  const auto broken = [&](const std::string& content) {
    std::ofstream(folder / "plan.json", std::ios::binary) << content;
    EXPECT_THROW(load_plan(folder), FileError) << content.substr(0, 60);
  };
  broken(text.substr(0, text.size() / 2));
  broken("[]");
  std::string other = text;
  other.replace(other.find("\"schema_version\": 1"), 19, "\"schema_version\": 2");
  broken(other);
  other = text;
  other.replace(other.find("\"share\""), 7, "\"shore\"");
  broken(other);
  write_text(folder / "plan.json", text);
  std::filesystem::remove(folder / "circuits.h5");
  EXPECT_THROW(load_plan(folder), FileError);
}

}  // namespace
}  // namespace cardiotwin
