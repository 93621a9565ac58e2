// Around the heart: a parametric trunk with lungs and blood, a bath, a torso read from a file.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cardiotwin/meshes/torso.hpp>
#include <cmath>
#include <functional>
#include <map>
#include <numbers>

#include "../../libcardiotwin/src/tet_tree.hpp"
#include "../../meshes/src/torso_parts.hpp"
#include "../small_twin.hpp"
#include "mesher_cases.hpp"
#include "torso_cases.hpp"

using namespace cardiotwin;
using namespace cardiotwin::meshes;
using namespace cardiotwin::torso_cases;
using cardiotwin::tests::Ear;

namespace {

/// [ml]
double volume(const Torso& torso, const std::string& region) {
  double sum = 0;
  for (std::size_t t = 0; t < torso.mesh.tet_count(); ++t)
    if (torso.regions.at(torso.mesh.labels()[t]) == region) sum += torso.mesh.volume(t);
  return sum / 1000;
}
std::string region_at(const Torso& torso, const TetTree& tree, const Vec3& p) {
  return torso.regions.at(torso.mesh.labels()[tree.nearest(p).tet]);
}

double trunk_volume(double width, double depth, double height) {
  const auto g = [](double x) { return std::tgamma(x); };
  const double n = 2.5, m = 5, x = 1 / m, y = 2 / m + 1;
  const double ellipse = g(1 + 1 / n) * g(1 + 1 / n) / g(1 + 2 / n);  // of the rectangle around it
  const double ends = g(x) * g(y) / g(x + y) / m;                     // of the cylinder
  return width * depth * height * ellipse * ends / 1000;
}

/// Mean edge of a tet as the lattice counts it.
double edge_of(const Mesh& mesh, std::size_t tet) {
  const Tet& t = mesh.tets()[tet];
  double sum = 0;
  for (int a = 0; a < 4; ++a)
    for (int b = a + 1; b < 4; ++b) sum += (mesh.points()[t[a]] - mesh.points()[t[b]]).norm();
  return sum / 6 * 0.92344 / ((2 + 2 * std::sqrt(3.0)) / 6);
}

void expect_refused(const std::function<void()>& action, const std::string& part) {
  try {
    action();
    ADD_FAILURE() << "accepted: " << part;
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

}  // namespace

TEST(Torso, TrunkAndLungsHaveTheVolumesOfTheirShapes) {
  const auto built = build_torso(tube(), {.heart_edge = 3, .outer_edge = 12});
  EXPECT_NEAR(volume(built.torso, "torso") + volume(built.torso, "lungs") + volume(built.torso, "blood"),
              trunk_volume(320, 220, 450), 0.004 * trunk_volume(320, 220, 450));
  // The right lung is whole: 2033 ml; tets belong to it by their middle, so its volume is met within a layer's noise.
  double right = 0, left = 0;
  for (std::size_t t = 0; t < built.torso.mesh.tet_count(); ++t) {
    if (built.torso.regions.at(built.torso.mesh.labels()[t]) != "lungs") continue;
    (built.torso.mesh.centroid(t).x() < built.middle.x() ? right : left) += built.torso.mesh.volume(t) / 1000;
  }
  const double whole = 4 * std::numbers::pi / 3 * 0.125 * (0.34 * 320) * (0.68 * 220) * (0.53 * 450) / 1000;
  EXPECT_NEAR(right / whole, 1, 0.02);
  EXPECT_LT(left, right);  // the heart lies in its way
  EXPECT_GT(left, 0.9 * right);
}

TEST(Torso, IsOneClosedPieceOfGoodTets) {
  const Mesh& mesh = around_ventricle().torso.mesh;
  const auto wrong = tests::faults(mesh);
  EXPECT_TRUE(wrong.none()) << wrong.crowded_faces << " " << wrong.open_edges << " " << wrong.pinched_nodes;
  EXPECT_EQ(wrong.euler, 2);
  EXPECT_GT(quality(mesh).min_dihedral, 15);  // 19 to 26 reached
  EXPECT_LT(quality(mesh).max_dihedral, 155);
  around_ventricle().torso.validate();
}

TEST(Torso, HoldsEveryNodeOfTheHeart) {
  const TetTree tree(around_ventricle().torso.mesh);
  double farthest = 0;
  for (const Vec3& p : ventricle().mesh.points()) farthest = std::max(farthest, tree.nearest(p).squared);
  EXPECT_EQ(farthest, 0);
}

TEST(Torso, BloodBesideTheMuscleIsThePhantomsCavity) {
  const Torso& torso = around_ventricle().torso;
  const TetTree tree(torso.mesh), muscle(ventricle().mesh);
  std::size_t blood = 0;
  const double step = 1.5;
  for (double z = -80; z < 30; z += step)
    for (double y = -40; y < 40; y += step)
      for (double x = -40; x < 40; x += step) {
        const Vec3 p(x + 0.13, y + 0.07, z + 0.31);
        blood += muscle.nearest(p).squared > 0 && region_at(torso, tree, p) == "blood";
      }
  // Ellipsoid of semi-axes 71 and 23 mm from its pole to z = 10 mm.
  const double a = phantom_shape.semi_axis_long - phantom_shape.wall,
               b = phantom_shape.semi_axis_short - phantom_shape.wall, top = phantom_shape.base_height;
  const double truth = std::numbers::pi * b * b * (top + 2 * a / 3 - top * top * top / (3 * a * a)) / 1000;
  EXPECT_NEAR(double(blood) * step * step * step / 1000 / truth, 1, 0.04);
  EXPECT_GE(volume(torso, "blood"), double(blood) * step * step * step / 1000);  // cut tets are blood as a whole
}

TEST(Torso, LabelsSayWhatIsBesideTheMuscle) {
  const auto& built = around_ventricle();
  const TetTree tree(built.torso.mesh);
  const auto at = [&](const Vec3& p) { return region_at(built.torso, tree, p); };
  EXPECT_EQ(at({0, 0, -30}), "blood");
  EXPECT_EQ(at({0, 0, 5}), "blood");    // below the lid at 10 mm
  EXPECT_EQ(at({0, 0, 15}), "torso");   // beyond
  EXPECT_EQ(at({0, 0, -85}), "torso");  // beyond the apex
  EXPECT_EQ(at({35, 0, -20}), "torso");
  const auto in_body = [&](double left, double front, double up) {
    return Vec3(built.middle + built.body * Vec3(left, -front, up));
  };
  EXPECT_EQ(at(in_body(-85, -5, 76)), "lungs");
  EXPECT_EQ(at(in_body(95, -20, 90)), "lungs");
  EXPECT_EQ(at(in_body(0, 0, -150)), "torso");
  EXPECT_EQ(at(in_body(0, 100, 60)), "torso");

  double nearest = 1e9;  // of the lungs
  const Mesh& mesh = built.torso.mesh;
  std::vector<std::uint8_t> lung(mesh.node_count(), 0);
  for (std::size_t t = 0; t < mesh.tet_count(); ++t)
    if (built.torso.regions.at(mesh.labels()[t]) == "lungs")
      for (const Index n : mesh.tets()[t]) lung[n] = 1;
  const TetTree muscle(ventricle().mesh);
  for (std::size_t n = 0; n < mesh.node_count(); ++n)
    if (lung[n]) nearest = std::min(nearest, muscle.nearest(mesh.points()[n]).squared);
  EXPECT_GE(std::sqrt(nearest), 6 - 1e-9);
}

TEST(Torso, WithoutEndocardiumThereIsNoBloodAndThatIsSaid) {
  Anatomy heart = tube();
  heart.surface.clear();
  Ear ear;
  const auto built = build_torso(heart, coarse(), ear.monitor);
  ASSERT_EQ(ear.warnings.size(), 1u);
  EXPECT_NE(ear.warnings[0].find("no face of the heart is tagged as endocardium"), std::string::npos);
  EXPECT_EQ(volume(built.torso, "blood"), 0);
  EXPECT_EQ(built.torso.conductivity.count("blood"), 0u);
  auto options = coarse();
  options.blood = options.lungs = false;
  const auto bare = build_torso(heart, options, ear.monitor);
  EXPECT_EQ(ear.warnings.size(), 1u);
  EXPECT_EQ(bare.torso.regions, (std::map<Label, std::string>{{1, "torso"}}));
}

TEST(Torso, EdgesAreThoseAskedForAtTheHeartAndGrowAwayFromIt) {
  const Mesh& mesh = around_ventricle().torso.mesh;  // 3 mm, 0.25 mm per mm, 15 mm: 3, 6 and 12 mm are made
  const TetTree muscle(ventricle().mesh);
  double at_heart = 0, volume_at_heart = 0, far = 0, volume_far = 0;
  for (std::size_t t = 0; t < mesh.tet_count(); t += 7) {
    const double away = std::sqrt(muscle.nearest(mesh.centroid(t)).squared), edge = edge_of(mesh, t),
                 v = mesh.volume(t);
    if (away == 0) {
      EXPECT_NEAR(edge, 3, 0.02);
      at_heart += v * edge, volume_at_heart += v;
    }
    if (away > 80) far += v * edge, volume_far += v;
    // Voxels of 3 mm around the heart's tets count as heart; 0.9 of a cell is the reach of an octant, sqrt 2 the phase
    // of sizes that double, 1.08 the chamfer's, 1.17 tets at unlike neighbours.
    EXPECT_LT(edge, 1.17 * std::numbers::sqrt2 * (3 + 1.08 * 0.25 * (away + 0.9 * edge))) << away;
  }
  EXPECT_NEAR(at_heart / volume_at_heart, 3, 0.01);
  EXPECT_NEAR(far / volume_far, 12, 0.8);  // 15 within sqrt 2; the skin cuts cells
  const auto own = build_torso(tube(), {.growth = 0.5, .outer_edge = 30});
  EXPECT_NE(own.torso.statement.find(fmt::format("edges of {:.2f} mm at the heart", quality(tube().mesh).mean_edge)),
            std::string::npos)
      << own.torso.statement;
}

TEST(Torso, ThreadsDoNotChangeABit) {
  auto options = coarse(in_heart);
  options.threads = 1;
  const auto one = build_torso(tube(), options);
  options.threads = 2;
  const auto two = build_torso(tube(), options);
  EXPECT_TRUE(std::ranges::equal(one.torso.mesh.points(), two.torso.mesh.points()));
  EXPECT_TRUE(std::ranges::equal(one.torso.mesh.tets(), two.torso.mesh.tets()));
  EXPECT_TRUE(std::ranges::equal(one.torso.mesh.labels(), two.torso.mesh.labels()));
}

TEST(Torso, SaysWhatItCannotBuild) {
  const auto refused = [&](const std::string& part, const std::function<void(TorsoOptions&)>& change,
                           const Anatomy& heart = tube()) {
    expect_refused(
        [&] {
          TorsoOptions options = coarse();
          change(options);
          build_torso(heart, options);
        },
        part);
  };
  refused("width = 90 mm is outside [100, 800]", [](auto& o) { o.width = 90; });
  refused("depth = nan mm is outside", [](auto& o) { o.depth = NAN; });
  refused("height = 2000 mm is outside [100, 1000]", [](auto& o) { o.height = 2000; });
  refused("heart_up = 900 mm is outside", [](auto& o) { o.heart_up = 900; });
  refused("heart_edge = 0.05 mm is outside [0.1, 20]", [](auto& o) { o.heart_edge = 0.05; });
  refused("outer_edge = 2 mm is outside [4, 30]", [](auto& o) { o.outer_edge = 2; });
  refused("outer_edge = 40 mm is outside [4, 30]", [](auto& o) { o.outer_edge = 40; });
  refused("growth = 2 mm per mm is outside [0.05, 1]", [](auto& o) { o.growth = 2; });
  refused("heart_margin = 0 mm is outside [1, 50]", [](auto& o) { o.heart_margin = 0; });
  refused("chest_wall = -1 mm is outside [0, 100]", [](auto& o) { o.chest_wall = -1; });
  refused("threads = -2 must not be negative", [](auto& o) { o.threads = -2; });
  refused("mm below it; choose a larger trunk", [](auto& o) { o.heart_front = 84; });
  refused("mm outside it; choose a larger trunk", [](auto& o) { o.heart_left = 170; });
  refused("choose larger edges or a faster growth", [](auto& o) { o.heart_edge = o.outer_edge = 0.1; });
  Anatomy lost = tube();
  lost.septum.setZero();
  refused(
      "no long axis or no septum", [](auto& o) { o.frame = in_heart; }, lost);
  refused(
      "the heart has no tets", [](auto&) {}, Anatomy());
  expect_refused([] { build_bath(tube(), 0.5, 1); }, "margin = 0.5 mm is outside [1, 200]");
  expect_refused([] { build_bath(tube(), 5, 30); }, "edge = 30 mm is outside [0.1, 20]");
  expect_refused([] { build_bath(tube(), 5, 6); }, "above the bath's margin of 5 mm");
  expect_refused([] { build_bath(Anatomy(), 5, 1); }, "the heart has no tets");
  TorsoOptions elsewhere = coarse();
  elsewhere.heart_up = -200;
  expect_refused([&] { standard_electrodes(tube(), build_bath(tube(), 10, 5), elsewhere); },
                 "electrode V1 meets no surface");
}

TEST(Torso, StopsWhenAsked) {
  Monitor monitor;
  monitor.cancelled = [] { return true; };
  EXPECT_THROW(build_torso(tube(), coarse(), monitor), Interrupted);
}

TEST(Bath, CoversAllWithinItsMargin) {
  const Torso bath = build_bath(tube(), 8, 2.5);
  bath.validate();
  EXPECT_EQ(bath.regions, (std::map<Label, std::string>{{1, "bath"}}));
  EXPECT_EQ(bath.conductivity.at("bath"), 1.4);
  const double a = 40, b = 40, c = 30, m = 8, pi = std::numbers::pi;  // the box of the tube, rounded
  const double truth = a * b * c + 2 * m * (a * b + b * c + c * a) + pi * m * m * (a + b + c) + 4 * pi / 3 * m * m * m;
  EXPECT_NEAR(quality(bath.mesh).volume / truth, 1, 0.01);
  EXPECT_GT(quality(bath.mesh).min_dihedral, 12);
  EXPECT_TRUE(tests::faults(bath.mesh).none());
  EXPECT_NEAR(edge_statistics(bath.mesh).at(1).mean, 2.5, 0.1);
  const TetTree tree(bath.mesh);
  for (const Vec3& p : tube().mesh.points()) ASSERT_EQ(tree.nearest(p).squared, 0);

  Anatomy block;  // with nodes in the corners of the box
  block.mesh = box_mesh({20, 12, 6}, 2);
  for (const double margin : {1.0, 3.0, 7.0}) {
    const Torso coarsest = build_bath(block, margin, margin);
    const TetTree held(coarsest.mesh);
    for (const Vec3& p : block.mesh.points()) ASSERT_EQ(held.nearest(p).squared, 0) << margin;
  }
}

TEST(Enclosure, CountsRaysThroughEdgesAndNodesRight) {
  // A box of whole millimetres, asked for points in the planes of its nodes and edges.
  const Mesh box = box_mesh({6, 5, 4}, 1.0);
  std::vector<Triangle> faces;
  for (const auto& face : boundary_faces(box)) faces.push_back(face.nodes);
  const Enclosure inside(box.points(), faces);
  for (double x = -1; x <= 7; x += 0.5)
    for (double y = -1; y <= 6; y += 0.5)
      for (double z = -1; z <= 5; z += 0.5) {
        const bool in = x > 0 && x < 6 && y > 0 && y < 5 && z > 0 && z < 4;
        const bool out = x < 0 || x > 6 || y < 0 || y > 5 || z < 0 || z > 4;
        if (!in && !out) continue;  // on the surface
        ASSERT_EQ(inside.holds({x, y, z}), in) << x << " " << y << " " << z;
      }
}

TEST(Enclosure, CapsCloseEveryOpening) {
  // The box without its top and without one triangle of its bottom, beside which the opening touches itself in a node.
  const Mesh box = box_mesh({4, 4, 4}, 1.0);
  std::vector<Vec3> points(box.points().begin(), box.points().end());
  std::vector<Triangle> open;
  int bottom = 0;
  for (const auto& face : boundary_faces(box)) {
    const auto at = [&](double z) {
      return std::ranges::all_of(face.nodes, [&](Index n) { return points[n].z() == z; });
    };
    if (at(4) || (at(0) && (bottom++ == 5 || bottom == 9))) continue;
    open.push_back(face.nodes);
  }
  const auto lids = caps(points, open);
  open.insert(open.end(), lids.begin(), lids.end());
  const Enclosure inside(points, open);
  for (double x = -0.7; x < 5; x += 0.4)
    for (double z = -0.7; z < 5; z += 0.4)
      ASSERT_EQ(inside.holds({x, 1.9, z}), x > 0 && x < 4 && z > 0 && z < 4) << x << " " << z;
  EXPECT_TRUE(caps(points, open).empty());
}

TEST(LoadTorso, GoesRoundThroughAFile) {
  const test::Folder folder;
  const auto built = build_torso(tube(), coarse());
  save_mesh(folder / "torso.vtu", to_foreign(built.torso, built.electrodes));
  const Torso back = load_torso(folder / "torso.vtu", {{"torso", 0.3}});
  EXPECT_TRUE(std::ranges::equal(back.mesh.points(), built.torso.mesh.points()));
  EXPECT_TRUE(std::ranges::equal(back.mesh.tets(), built.torso.mesh.tets()));
  EXPECT_TRUE(std::ranges::equal(back.mesh.labels(), built.torso.mesh.labels()));
  EXPECT_EQ(back.regions, built.torso.regions);
  EXPECT_EQ(back.conductivity, (std::map<std::string, double>{{"torso", 0.3}, {"lungs", 0.0389}, {"blood", 0.7}}));
  EXPECT_NE(back.statement.find("torso.vtu"), std::string::npos);
  const auto again = standard_electrodes(tube(), back, coarse());
  for (std::size_t e = 0; e < 10; ++e) EXPECT_EQ(again[e].position, built.electrodes[e].position);
}

TEST(LoadTorso, MendsWhatFilesLeaveAndNamesNumberedRegions) {
  const test::Folder folder;
  ForeignMesh file;
  file.points = {{9, 9, 9}, {0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {0, 0, -1}};
  file.tets = {{1, 3, 2, 4}, {1, 3, 2, 5}};  // the first is inverted
  file.tet_tags = {40, -3};
  save_mesh(folder / "two.vtu", file);
  const Torso torso = load_torso(folder / "two.vtu", {{"region_40", 0.2}, {"region_-3", 0.1}});
  EXPECT_EQ(torso.mesh.node_count(), 5u);
  EXPECT_EQ(torso.mesh.tet_count(), 2u);
  EXPECT_EQ(torso.regions, (std::map<Label, std::string>{{1, "region_-3"}, {2, "region_40"}}));
  EXPECT_EQ(torso.mesh.labels()[0], 2);
  file.tet_tags.clear();
  save_mesh(folder / "plain.vtu", file);
  EXPECT_EQ(load_torso(folder / "plain.vtu").conductivity, (std::map<std::string, double>{{"torso", 0.22}}));
}

TEST(LoadTorso, SaysWhatIsWrongWithAFile) {
  const test::Folder folder;
  ForeignMesh file;
  file.points = {{0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {0, 0, -1}};
  file.tets = {{0, 1, 2, 3}, {0, 2, 1, 4}};
  file.tet_tags = {1, 2};
  file.tag_names = {{1, "liver"}, {2, "bones"}};
  save_mesh(folder / "organs.vtu", file);
  const auto load = [&](const char* name, const std::map<std::string, double>& given) {
    return [=, &folder] { load_torso(folder / name, given); };
  };
  expect_refused(load("organs.vtu", {}), R"(no conductivity is known of its regions "bones", "liver")");
  expect_refused(load("organs.vtu", {{"bones", 0.02}}), R"(no conductivity is known of its region "liver")");
  expect_refused(load("organs.vtu", {{"bones", 0.02}, {"livre", 0.1}}), R"(did you mean "liver"?)");
  expect_refused(load("organs.vtu", {{"bones", 0.02}, {"liver", 100}}),
                 "conductivity = 100 S/m is outside [0.0001, 10]");
  EXPECT_NO_THROW(load_torso(folder / "organs.vtu", {{"bones", 0.02}, {"liver", 0.1}}));

  const Mesh box = box_mesh({4, 4, 4}, 1.0);
  ForeignMesh many;
  many.points.assign(box.points().begin(), box.points().end()), many.tets.assign(box.tets().begin(), box.tets().end());
  for (std::size_t t = 0; t < many.tets.size(); ++t) many.tet_tags.push_back(static_cast<Tag>(t));
  save_mesh(folder / "many.vtu", many);
  expect_refused(load("many.vtu", {}), "have 384 tags, but a torso has at most 255 regions");
  many.tet_tags.clear(), many.tets.clear(), many.triangles = {{0, 1, 5}};
  save_mesh(folder / "skin.vtp", many);
  expect_refused(load("skin.vtp", {}), "a torso is a volume, not a surface");
  expect_refused(load("absent.vtu", {}), "absent.vtu");
}

TEST(Torso, KnowsItsRegionsConductivities) {
  const auto& library = Torso::library();
  EXPECT_EQ(library,
            (std::map<std::string, double>{{"torso", 0.22}, {"lungs", 0.0389}, {"blood", 0.7}, {"bath", 1.4}}));
  Torso torso{.mesh = box_mesh({1, 1, 1}, 1.0)};
  expect_refused([&] { torso.validate(); }, "label 1, which no region names");
  torso.regions = {{1, "torso"}};
  expect_refused([&] { torso.validate(); }, R"("torso" has no conductivity)");
  for (const double wrong : {0.0, 11.0, double(NAN)}) {
    torso.conductivity["torso"] = wrong;
    expect_refused([&] { torso.validate(); }, "S/m is outside [0.0001, 10]");
  }
  torso.conductivity["torso"] = 0.22;
  torso.validate();
  expect_refused([] { Torso().validate(); }, "no tets");
}
