// Fibres, the fast endocardium and the Purkinje tree as a user of the command line meets them.
#include <gtest/gtest.h>

#include <cardiotwin/exchange.hpp>
#include <cardiotwin/twin.hpp>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "shell.hpp"
#include "unit/tube_anatomy.hpp"

using namespace cardiotwin;
using test::bytes_of, test::cardiotwin_in, test::contains, test::Folder;

// A healthy phantom with both ventricles, all the way; the mesh is as coarse as it can be.
TEST(FibersCli, ASinusBeatFromImageToActivation) {
  const Folder folder;
  ASSERT_EQ(cardiotwin_in(folder, "phantom --no-scar --pixel 2.5 --slice 2.5 --out ph").code, 0);
  const std::string images =
      "build --image ph/lge.nii.gz --labels ph/labels.nii.gz --chambers both --rv-wall 6 --edge 3 ";
  const auto built = cardiotwin_in(folder, images + "--fiber-rule doste --fast-endocardium 3mm --out both.twin");
  ASSERT_EQ(built.code, 0) << built.err;
  EXPECT_TRUE(contains(built.out, "fast_endocardium")) << built.out;
  EXPECT_TRUE(contains(built.err, "no rings of outflow tracts"));
  const auto twin = Twin::load(folder / "both.twin");
  EXPECT_EQ(twin.provenance.steps.back().options.at("fibers.rule"), "doste");
  EXPECT_EQ(twin.provenance.steps.back().options.at("fibers.alpha_endo_rv"), "90 deg");
  EXPECT_TRUE(twin.tissue.regions.contains("fast_endocardium"));

  const auto run =
      cardiotwin_in(folder, "simulate both.twin --purkinje --purkinje-seed 3 --s1 600x1 --duration 110 --out run");
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_TRUE(contains(run.err, "to the muscle only, not back")) << run.err;
  EXPECT_TRUE(contains(run.out, "the first beat activates the muscle from ")) << run.out;
  const auto tree = load_mesh(folder / "run/purkinje.vtu");
  EXPECT_GT(tree.lines.size(), 1000u);
  const auto last = nlohmann::json::parse(bytes_of(folder / "run/provenance.json"))["steps"].back();
  EXPECT_EQ(last["seed"], 3);

  // Its own fibres through a file are the same fibres.
  ASSERT_EQ(cardiotwin_in(folder, "convert both.twin own.vtu").code, 0);
  const auto again = cardiotwin_in(folder, images + "--fibers own.vtu --out again.twin");
  ASSERT_EQ(again.code, 0) << again.err;
  const auto from_file = Twin::load(folder / "again.twin");
  EXPECT_GT(nlohmann::json::parse(from_file.measurements)["fibers_from_file"], 0.95);
  double worst = 0, mean = 0;
  const auto& f = twin.anatomy.fibers.f;
  for (std::size_t t = 0; t < f.size(); ++t) {
    const double off = 1 - std::abs(f[t].dot(from_file.anatomy.fibers.f[t]));
    worst = std::max(worst, off), mean += off / static_cast<double>(f.size());
  }
  EXPECT_LT(mean, 1 - std::cos(15 * 3.14159 / 180)) << worst;  // smoothed over an edge of a wall of two
}

TEST(FibersCli, AMeshWithoutFibersGetsThemByRule) {
  const Folder folder;
  auto tube = to_foreign(tests::tube_anatomy());
  tube.fibers.clear(), tube.sheets.clear();
  save_mesh(folder / "tube.vtu", tube);
  const std::string regions = "convert tube.vtu out.twin --regions 1=healthy ";
  const auto untagged = cardiotwin_in(folder, regions + "--lay-fibers");
  EXPECT_EQ(untagged.code, 2);
  EXPECT_TRUE(contains(untagged.err, "--lay-fibers needs --surfaces")) << untagged.err;
  const auto laid = cardiotwin_in(folder, regions + "--surfaces 1=endo,2=epi,3=base --lay-fibers");
  EXPECT_EQ(laid.code, 0) << laid.err;
  const auto twin = Twin::load(folder / "out.twin");
  EXPECT_FALSE(twin.anatomy.height.empty());
  EXPECT_EQ(twin.provenance.steps.back().options.at("lay_fibers"), "true");
  const auto mesh = cardiotwin_in(folder, "convert tube.vtu out.msh --lay-fibers");
  EXPECT_EQ(mesh.code, 2);
  EXPECT_TRUE(contains(mesh.err, "makes a twin")) << mesh.out;
}

TEST(FibersCli, ABlockInAnotherUnitGetsFibersAndBeats) {
  const Folder folder;
  ForeignMesh file;
  const Mesh block = box_mesh({12, 4, 6}, 1.0);
  for (const Vec3& p : block.points()) file.points.push_back(p / 10);
  file.tets.assign(block.tets().begin(), block.tets().end());
  save_mesh(folder / "block.node", file);
  const std::string convert =
      "convert block.node block.twin --block --surfaces 1=base,2=base,3=base,4=base,5=endo,6=epi ";
  const auto small = cardiotwin_in(folder, convert);
  EXPECT_TRUE(contains(small.err, "measures 1.2 x 0.4 x 0.6 mm; if it should not, name its --unit")) << small.err;
  EXPECT_TRUE(contains(cardiotwin_in(folder, convert + "--upward 1,0,0").err, "name --lay-fibers, too"));
  const auto made = cardiotwin_in(
      folder, convert + "--unit cm --lay-fibers --upward 1,0,0 --site \"corner=0,0,0 mm\" --site-radius 2");
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_FALSE(contains(made.err, "measures")) << made.err;
  const auto run = cardiotwin_in(folder, "simulate block.twin --site corner --s1 600x1 --duration 100 --out run");
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_TRUE(contains(run.out, "455 of 455 conducting nodes activated")) << run.out;
  EXPECT_EQ(cardiotwin_in(folder, "convert block.twin again.twin --block").code, 2);
}

TEST(FibersCli, ATreeThatDoesNotFitIsRefused) {
  const Folder folder;
  test::small_twin().save(folder / "small.twin");
  const auto run = cardiotwin_in(folder, "simulate small.twin --purkinje --out run");
  EXPECT_EQ(run.code, 2);
  EXPECT_TRUE(contains(run.err, "does not fit on the left endocardium")) << run.err;
  EXPECT_EQ(folder.entries(), 1u);  // the twin
}
