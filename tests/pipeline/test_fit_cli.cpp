// Velocities fitted to an activation map as a user of the command line meets them.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cardiotwin/cardiotwin.hpp>
#include <cardiotwin/random.hpp>
#include <cmath>

#include "shell.hpp"

using namespace cardiotwin;
using test::bytes_of, test::cardiotwin_in, test::contains, test::expect_refused, test::Folder;

namespace {

/// 36 x 30 x 8 mm with fibres along x, believed to be slower than it is.
Twin slab() {
  Twin twin;
  Anatomy& a = twin.anatomy;
  a.mesh = lattice_block({36, 30, 8}, 1.6);
  a.fibers = uniform_fibers(a.mesh);
  a.regions = {{region::healthy, "healthy"}};
  for (const auto& face : boundary_faces(a.mesh)) a.surface.push_back({face.nodes, face.tet, Surface::epi});
  for (const auto& p : a.mesh.points()) a.depth.push_back(p.z() / 8), a.height.push_back(0);
  a.aha.assign(a.mesh.tet_count(), 7);
  a.sites = {make_site(a, "low", {3, 4, 4}), make_site(a, "high", {33, 25, 4}), make_site(a, "side", {33, 3, 4})};
  twin.tissue = Tissue::library("post-infarct");
  twin.tissue["healthy"].wanted = {.along = 0.55, .across = 0.3};
  return twin;
}

/// LATs of an eikonal beat from "low" on the surface, in coordinates `unit` mm long.
std::string map_of(const Twin& twin, double unit, const char* name) {
  const auto lat =
      Eikonal(twin.anatomy).activation({{"healthy", {0.65, 0.34}}}, {{.nodes = twin.anatomy.site("low").nodes}});
  std::string text = fmt::format("x [{0}],y [{0}],z [{0}],LAT [ms]\n", name);
  Random random(3);
  for (const auto& face : boundary_faces(twin.anatomy.mesh)) {
    if (random.uniform() > 0.2) continue;
    const Vec3 p = twin.anatomy.mesh.points()[face.nodes[0]] / unit;
    text += fmt::format("{},{},{},{}\n", p.x(), p.y(), p.z(), lat[face.nodes[0]] - 20 + random.normal());
  }
  return text;
}

}  // namespace

TEST(FitCli, CalibrateFitsVelocitiesToAMap) {
  const Folder folder;
  const Twin twin = slab();
  twin.save(folder / "heart.twin");
  write_text(folder / "map.csv", map_of(twin, 10, "cm"));
  const std::string common = "calibrate heart.twin --lat map.csv --lat-noise 1 --frame heart --seed 4 ";
  const auto run = cardiotwin_in(folder, common + "--paced low --fit-out fit --out fitted.twin");
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_TRUE(contains(run.out, "healthy velocity along [m/s]")) << run.out;
  EXPECT_TRUE(contains(run.out, "simulated LATs are")) << run.out;
  for (const char* file : {"lat.vtu", "points.csv", "posterior.json"})
    EXPECT_TRUE(std::filesystem::exists(folder / "fit" / file)) << file;
  EXPECT_TRUE(contains(bytes_of(folder / "fit" / "points.csv"), "Research use only"));

  const Twin fitted = Twin::load(folder / "fitted.twin");
  const Posterior posterior = posterior_from_json(fitted.posterior);
  EXPECT_EQ(posterior.samples.rows(), 64);
  const auto along = Eigen::Index(posterior.index("healthy velocity along")),
             across = Eigen::Index(posterior.index("healthy velocity across"));
  EXPECT_NEAR(posterior.mean()[along] / 0.65, 1, 0.02);
  EXPECT_NEAR(posterior.mean()[across] / 0.34, 1, 0.02);
  const auto& step = fitted.provenance.steps.back();
  EXPECT_EQ(step.seed, 4u);
  EXPECT_EQ(step.inputs.count("lat 1"), 1u);
  // Fronts are curved: plane waves must be faster for the beat to take as long.
  EXPECT_GT(fitted.tissue["healthy"].wanted.along, posterior.mean()[along]);

  // The same bits again; velocities set by hand afterwards have no posterior.
  ASSERT_EQ(cardiotwin_in(folder, common + "--paced low --out again.twin").code, 0);
  EXPECT_EQ(Twin::load(folder / "again.twin").posterior, fitted.posterior);
  ASSERT_EQ(cardiotwin_in(folder, "calibrate again.twin --cv healthy=0.6,0.3").code, 0);
  EXPECT_TRUE(Twin::load(folder / "again.twin").posterior.empty());
}

TEST(FitCli, BadMapsAreRefused) {
  const Folder folder;
  const Twin twin = slab();
  twin.save(folder / "heart.twin");
  write_text(folder / "map.csv", map_of(twin, 1, "mm"));
  write_text(folder / "metres.csv", map_of(twin, 1000, "mm"));
  write_text(folder / "equal.csv", "x [mm],y [mm],z [mm],LAT [ms]\n0,0,0,7\n30,0,0,7\n30,25,0,7\n0,25,5,7\n");
  const std::string common = "calibrate heart.twin --frame heart ";
  expect_refused(folder, common + "--lat none.csv", "none.csv");
  expect_refused(folder, common + "--lat metres.csv", "in m they would span");
  expect_refused(folder, common + "--lat equal.csv", "LAT");
  expect_refused(folder, common + "--lat map.csv --paced nowhere", "there is no site \"nowhere\"");
  expect_refused(folder, common + "--lat map.csv --paced low,high", "2 sites for 1 maps");
  expect_refused(folder, common + "--lat map.csv --landmarks low=0.1,90,0", "must be a position in the map");
}
