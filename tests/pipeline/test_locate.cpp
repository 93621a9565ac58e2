// Places by the command line: locate, and sites at positions and at coordinates.
#include <gtest/gtest.h>

#include <cardiotwin/coordinates.hpp>
#include <cardiotwin/exchange.hpp>
#include <cardiotwin/meshes/build.hpp>
#include <cardiotwin/meshes/phantom.hpp>
#include <cardiotwin/provenance.hpp>
#include <nlohmann/json.hpp>

#include "shell.hpp"

using namespace cardiotwin;
using test::cardiotwin_in, test::contains, test::expect_refused;
using test::Folder, test::write_bytes;

namespace {

Twin ventricle(double size, const Vec3& shift) {
  meshes::PhantomOptions options;
  options.scar = false, options.pixel = options.slice = 3, options.translation = shift;
  options.semi_axis_long *= size, options.semi_axis_short *= size, options.wall *= size, options.base_height *= size;
  const auto phantom = meshes::make_phantom(options);
  return meshes::build_twin(phantom.image, phantom.labels, {.edge = 4});
}

/// A folder with two hearts, the second one a fifth smaller and elsewhere.
const Folder& hearts() {
  static const Folder folder;
  static const bool made = [] {
    ventricle(1, Vec3::Zero()).save(folder / "heart.twin");
    ventricle(0.8, {100, 0, 0}).save(folder / "small.twin");
    return true;
  }();
  EXPECT_TRUE(made);
  return folder;
}

nlohmann::json json_of(const std::string& arguments) {
  const auto run = cardiotwin_in(hearts(), arguments + " --json");
  EXPECT_EQ(run.code, 0) << run.err;
  return nlohmann::json::parse(run.out);
}

}  // namespace

TEST(Locate, SaysWhereAPointIs) {
  const auto run = cardiotwin_in(hearts(), "locate heart.twin --at 0,27.5,-5mm --rings");
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_TRUE(contains(run.out, "mid anterior, mid-wall, LV (AHA 7)") || contains(run.out, "basal anterior"))
      << run.out;
  EXPECT_TRUE(contains(run.out, "ring mitral_aortic"));
  EXPECT_TRUE(contains(run.out, research_use_only));
}

TEST(Locate, PointsPlacesAndTheOtherHeartAgree) {
  write_bytes(hearts() / "points.csv", "\xEF\xBB\xBFname;x;y;z\r\nfirst;0;27.5;-10\r\n");
  const auto json = json_of("locate heart.twin --points points.csv --at -27.5,0,-10 --to small.twin");
  EXPECT_EQ(json.at("note"), research_use_only);
  const auto& places = json.at("places");
  ASSERT_EQ(places.size(), 2u);
  EXPECT_EQ(places[0].at("name"), "first");
  EXPECT_NEAR(places[0].at("rotational_degrees").get<double>(), 90, 3);
  EXPECT_NEAR(places[1].at("rotational_degrees").get<double>(), 180, 3);
  // The other heart is the same, 0.8 times as large: 1.5 mm is a third of the edge.
  const auto there = places[0].at("mapped").at("position_mm_lps");
  EXPECT_NEAR(there[0].get<double>(), 100, 1.5);
  EXPECT_NEAR(there[1].get<double>(), 22, 1.5);
  EXPECT_NEAR(there[2].get<double>(), -8, 2.5);
  // And the place that was said leads back to the point.
  const auto back = json_of("locate heart.twin --place " + places[0].at("apicobasal").dump() + "," +
                            places[0].at("rotational_degrees").dump() + "," + places[0].at("transmural").dump());
  for (std::size_t k = 0; k < 3; ++k)
    EXPECT_NEAR(back.at("places")[0].at("position_mm_lps")[k].get<double>(),
                places[0].at("position_mm_lps")[k].get<double>(), 1e-6);
}

TEST(Locate, WithoutPointsItNamesTheSitesAndWritesTheFields) {
  const auto json = json_of("locate heart.twin --out heart.vtu");
  EXPECT_GE(json.at("places").size(), 18u);
  const auto file = load_mesh(hearts() / "heart.vtu");
  for (const char* name : {"transmural", "apicobasal", "rotational", "rotational_cos", "transventricular"}) {
    EXPECT_TRUE(std::any_of(file.node_fields.begin(), file.node_fields.end(), [&](const Field& field) {
      return field.name == name;
    })) << name;
  }
  json_of("locate heart.twin --to small.twin --fields heart.vtu --out carried.vtu");
  const auto carried = load_mesh(hearts() / "carried.vtu");
  const auto field = [&](const std::string& name) {
    for (const auto& each : carried.node_fields)
      if (each.name == name) return each.values;
    return std::vector<double>();
  };
  const auto own = field("apicobasal"), from = field("apicobasal carried");
  ASSERT_EQ(own.size(), from.size());
  ASSERT_FALSE(own.empty());
  for (std::size_t i = 0; i < own.size(); ++i) EXPECT_NEAR(own[i], from[i], 0.02);  // coordinates mean the same place
}

TEST(Locate, BadWordsAreRefused) {
  expect_refused(hearts(), "locate heart.twin --at 1,2", "must be x,y,z");
  expect_refused(hearts(), "locate heart.twin --place 0.5,10", "apicobasal,rotational,transmural");
  expect_refused(hearts(), "locate heart.twin --place 5,10,0", "[0, 1]");
  expect_refused(hearts(), "locate heart.twin --place 0.5,10,0,rv", "this heart has none");
  expect_refused(hearts(), "locate heart.twin --fields heart.vtu", "--to");
  write_bytes(hearts() / "bad.csv", "x,y,z\n1,2,three\n");
  expect_refused(hearts(), "locate heart.twin --points bad.csv", "row 2");
  write_bytes(hearts() / "empty.csv", "x,y,z\n");
  expect_refused(hearts(), "locate heart.twin --points empty.csv", "holds no point");
  test::small_twin().save(hearts() / "block.twin");
  EXPECT_EQ(cardiotwin_in(hearts(), "locate none.twin").code, 2);
}

TEST(Locate, SimulatePacesWhereItIsTold) {
  const auto run = cardiotwin_in(
      hearts(), "simulate heart.twin --site \"catheter=0,24,-10 mm\" --s1 300x1 --duration 5 --out at_point");
  EXPECT_EQ(run.code, 0) << run.err;
  const auto place =
      cardiotwin_in(hearts(), "simulate heart.twin --site catheter=0.6,90,0 --s1 300x1 --duration 5 --out at_place");
  EXPECT_EQ(place.code, 0) << place.err;
  for (const char* word : {"0 nodes", " 0 of"}) {
    EXPECT_FALSE(contains(place.out, word)) << place.out;
  }
  expect_refused(hearts(), "simulate heart.twin --site far=0,240,0mm", "mm from the muscle");
  expect_refused(hearts(), "simulate heart.twin --site aha7=0.5,90,0", "already");
  expect_refused(hearts(), "simulate heart.twin --site new=12,90,0", "behind a position write mm");
}

TEST(Locate, AConvertedMeshGetsItsSites) {
  EXPECT_EQ(cardiotwin_in(hearts(), "convert heart.twin plain.vtk").code, 0);
  const auto run = cardiotwin_in(
      hearts(), "convert plain.vtk plain.twin --regions 1=healthy --site \"a=0,24,-10mm\" --site \"b=0,-24,-10 mm\"");
  EXPECT_EQ(run.code, 0) << run.err;
  const auto plain = Anatomy::load(hearts() / "plain.twin");
  EXPECT_NEAR(plain.site("a").position.y(), 24, 1e-9);
  EXPECT_NEAR(plain.site("b").position.y(), -24, 1e-9);
  const auto untagged = cardiotwin_in(hearts(), "convert plain.vtk other.twin --regions 1=healthy --site a=0.5,90,0");
  EXPECT_EQ(untagged.code, 2);
  EXPECT_TRUE(contains(untagged.err, "tag the surface")) << untagged.err;
  EXPECT_FALSE(std::filesystem::exists(hearts() / "other.twin"));
  // With its surface tagged and the septum named it gets segments and standard sites, too.
  EXPECT_EQ(cardiotwin_in(hearts(), "convert heart.twin tagged.msh").code, 0);
  const auto tagged = cardiotwin_in(hearts(),
                                    "convert tagged.msh tagged.twin --regions 1=healthy --surfaces "
                                    "1=endo,2=epi,3=base --septum 40,0,0mm --site a=0.6,90,0");
  EXPECT_EQ(tagged.code, 0) << tagged.err;
  const auto whole = Anatomy::load(hearts() / "tagged.twin");
  const auto original = Anatomy::load(hearts() / "heart.twin");
  for (const char* name : {"aha7", "aha10", "rv_apex"})
    EXPECT_LT((whole.site(name).position - original.site(name).position).norm(), 4) << name;
  EXPECT_NEAR(whole.site("a").position.y(), 21.6, 1.5);  // the cavity's radius there; edges of 4 mm
}
