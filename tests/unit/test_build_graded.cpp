#include <gtest/gtest.h>

#include <cardiotwin/meshes/phantom.hpp>

#include "../../meshes/src/build_parts.hpp"

using namespace cardiotwin;
using namespace cardiotwin::meshes;

namespace {

/// What InputError says, or "accepted".
std::string message(const BuildOptions& options) {
  try {
    require_edges(options);
  } catch (const InputError& e) {
    return e.what();
  }
  return "accepted";
}

}  // namespace

TEST(BuildGraded, FinerEdgesReachBeyondTheirRegionAndCoarserOnesDoNot) {
  // A row of voxels 1 mm apart: healthy, border zone from 10, core from 14, then nothing from 18.
  Labels regions{.grid = {}, .values = std::vector<std::uint8_t>(20, region::healthy)};
  regions.grid.size = {20, 1, 1};
  for (int i = 10; i < 14; ++i) regions.values[i] = region::border_zone;
  for (int i = 14; i < 18; ++i) regions.values[i] = region::core;
  for (int i = 18; i < 20; ++i) regions.values[i] = 0;
  const auto wanted = [&](const BuildOptions& options) { return wanted_edges(regions, options).values; };

  const auto plain = wanted({.edge = 1.5});
  EXPECT_EQ(plain, std::vector<float>(20, 1.5f));
  const auto scar = wanted({.edge = 1.5, .edge_scar = 0.6, .edge_margin = 2});
  for (int i = 0; i < 20; ++i) EXPECT_EQ(scar[i], i < 8 ? 1.5f : 0.6f) << i;
  const auto rim = wanted({.edge = 1.5, .edge_scar = 0.6, .edges = {{"core", 2}}, .edge_margin = 1});
  for (int i = 0; i < 18; ++i) EXPECT_EQ(rim[i], i < 9 ? 1.5f : i <= 14 ? 0.6f : 2.0f) << i;
  const auto range = edge_range({.edge = 1.5, .edge_scar = 0.6, .edges = {{"core", 2}}});
  EXPECT_EQ(range.shortest, 0.6);
  EXPECT_EQ(range.longest, 2);
}

TEST(BuildGraded, PhantomIsFineInItsScar) {
  const auto phantom = make_phantom();
  const auto twin = build_twin(phantom.image, phantom.labels, {.edge = 3, .edge_scar = 1.4, .edges = {{"core", 3}}});
  const auto edges = edge_statistics(twin.anatomy.mesh);
  for (const Label label : {region::border_zone, region::channel}) EXPECT_NEAR(edges.at(label).mean / 1.4, 1, 0.25);
  EXPECT_NEAR(edges.at(region::healthy).mean / 3, 1, 0.25);
  EXPECT_GT(edges.at(region::core).high, 2);  // but fine beside the channel
  EXPECT_GT(quality(twin.anatomy.mesh).min_dihedral, 10);
  EXPECT_NO_THROW(twin.anatomy.validate());
  const auto& options = twin.provenance.steps[0].options;
  EXPECT_EQ(options.at("edge"), "3 mm");
  EXPECT_EQ(options.at("edge_scar"), "1.4 mm");
  EXPECT_EQ(options.at("edges.core"), "3 mm");
  EXPECT_EQ(options.at("edge_margin"), "2 mm");
  EXPECT_EQ(options.at("grading"), "0.25");
}

TEST(BuildGraded, WrongEdgesAreRefused) {
  const auto says = [](const BuildOptions& options, const char* part) {
    return message(options).find(part) != std::string::npos;
  };
  EXPECT_TRUE(says({.edge_scar = 0.01}, "edge in scar = 0.01 is outside [0.1, 5] mm"));
  EXPECT_TRUE(says({.edges = {{"chanel", 0.5}}}, "did you mean \"channel\"?"));
  EXPECT_TRUE(says({.edges = {{"core", 7}}}, "edge in core = 7"));
  EXPECT_TRUE(says({.edge_margin = -1}, "margin"));
  EXPECT_TRUE(says({.grading = 3}, "grading = 3 is outside [0.05, 1]"));
  EXPECT_TRUE(says({.edge_scar = 0.6}, "accepted"));
}
