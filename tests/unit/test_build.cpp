#include <gtest/gtest.h>

#include <Eigen/Geometry>
#include <cardiotwin/error.hpp>
#include <cardiotwin/meshes/build.hpp>
#include <cardiotwin/meshes/phantom.hpp>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

#include "../../meshes/src/build_parts.hpp"
#include "ellipsoid.hpp"

using namespace cardiotwin;
using namespace cardiotwin::meshes;
using cardiotwin::tests::Ellipsoid;

namespace {

// A slab of muscle, 70 x 60 mm wide, 9 mm thick in z, with a core of 40 x 36 mm
// in its middle and `shape` cutting living tissue out of it.
template <class Living>
Labels slab(double transmurality, const Living& living) {
  Labels l;
  l.grid.spacing = Vec3::Constant(0.75);
  l.grid.size = {110, 96, 40};
  l.grid.origin = {-41.2, -35.9, -10.3};
  l.values.resize(l.grid.count());
  for_each_voxel(l.grid, [&](int i, int j, int k, std::size_t v) {
    const Vec3 p = l.grid.position(Vec3(i, j, k));
    if (std::abs(p.x()) > 35 || std::abs(p.y()) > 30 || p.z() < 0 || p.z() > 9) return;
    const bool scar = std::abs(p.x()) < 20 && std::abs(p.y()) < 18 && p.z() < 9 * transmurality;
    const bool rim = std::abs(p.x()) < 24 && std::abs(p.y()) < 22;
    l.values[v] = scar && !living(p) ? region::core : rim ? region::border_zone : region::healthy;
  });
  return l;
}

const auto corridor = [](double width) {
  return [width](const Vec3& p) { return std::abs(p.y() - 2 * std::cos(p.x() / 10)) < width / 2; };
};
const auto nothing = [](const Vec3&) { return false; };

}  // namespace

TEST(Channel, CorridorThroughATransmuralCoreIsOnePieceOpenAtBothEnds) {
  for (const double width : {4.0, 6.0, 9.0}) {
    Labels regions = slab(1.0, corridor(width));
    const double volume = mark_channel(regions, 6);
    EXPECT_NEAR(volume, 40 * width * 9 / 1000, 0.12 * 40 * width * 9 / 1000) << width;
    Mask channel(regions.values.size());
    double left = 0, right = 0;
    for_each_voxel(regions.grid, [&](int i, int j, int k, std::size_t v) {
      channel[v] = regions.values[v] == region::channel;
      if (!channel[v]) return;
      const Vec3 p = regions.grid.position(Vec3(i, j, k));
      left = std::min(left, p.x()), right = std::max(right, p.x());
      EXPECT_TRUE(corridor(width)(p)) << p.transpose();  // no rim around the core
    });
    EXPECT_EQ(voxel_pieces(regions.grid, channel, Neighbours::faces).size.size(), 1u);
    EXPECT_NEAR(left, -20, 2.0);  // the mouths: a ball of 6 mm enters a gap of 6
                                  // mm by 0.8 mm, of 9 mm by 2
    EXPECT_NEAR(right, 20, 2.0);
  }
}

TEST(Channel, RimLivingLayerAndWideGapsAreNoChannel) {
  Labels whole = slab(1.0, nothing);
  EXPECT_EQ(mark_channel(whole, 6), 0);
  Labels layer = slab(0.5,
                      nothing);  // 4.5 mm of living tissue over the scar, thinner than the ball
  EXPECT_EQ(mark_channel(layer, 6), 0);
  Labels wide = slab(1.0, corridor(14));
  EXPECT_EQ(mark_channel(wide, 6), 0);
  Labels off = slab(1.0, corridor(6));
  EXPECT_EQ(mark_channel(off, 0), 0);
  Labels none = slab(0.0, nothing);
  EXPECT_EQ(mark_channel(none, 6), 0);
}

TEST(Channel, CorridorInAScarThatIsNotTransmuralIsFound) {
  Labels regions = slab(0.6, corridor(6));
  const double full = 40 * 6 * 5.4 / 1000;
  const double volume = mark_channel(regions, 6);
  EXPECT_GT(volume, 0.7 * full);  // its roof is living, so a ball dips into it
  EXPECT_LT(volume, 1.05 * full);
}

TEST(Build, LooseMuscleIsLeftOut) {
  const Ellipsoid e;
  Labels labels = e.labels(1.5, 1.5);
  for_each_voxel(labels.grid, [&](int i, int j, int k, std::size_t v) {
    if ((labels.grid.position(Vec3(i, j, k)) - Vec3(24, 24, -38)).norm() < 5) labels.values[v] = muscle;
  });
  EXPECT_EQ(label_at(fine_labels(labels, {.edge = 3.0}, {}).labels, Vec3(24, 24, -38)), background);
}

TEST(Build, SeptumComesFromTheRightVentricleThenTheUserThenAGuess) {
  Labels labels = Ellipsoid{}.labels(2, 2);
  const Vec3 apex(0, 0, -42), base(0, 0, 0);
  std::string warned;
  Monitor monitor;
  monitor.warning = [&](std::string_view text) { warned = text; };
  const auto guessed = find_septum(labels, apex, base, {}, monitor);
  EXPECT_STREQ(guessed.source, "guessed");
  EXPECT_NE(warned.find("guessed"), std::string::npos);
  EXPECT_LT(guessed.direction.x(), -0.7);  // the patient's right
  warned.clear();
  for_each_voxel(labels.grid, [&](int i, int j, int k, std::size_t v) {
    const Vec3 p = labels.grid.position(Vec3(i, j, k));
    if (labels.values[v] == background && p.y() > 15 && std::abs(p.x()) < 10) labels.values[v] = rv_cavity;
  });
  const auto seen = find_septum(labels, apex, base, {}, monitor);
  EXPECT_STREQ(seen.source, "right ventricle");
  EXPECT_GT(seen.direction.y(), 0.99);
  const auto given = find_septum(labels, apex, base, Vec3(30, 0, -10), monitor);
  EXPECT_STREQ(given.source, "given");
  EXPECT_NEAR(given.direction.x(), 1, 1e-12);
  EXPECT_TRUE(warned.empty());
  EXPECT_THROW(find_septum(labels, apex, base, Vec3(0, 0, -10), monitor), InputError);
}

namespace {

// The default phantom, built once at a coarse edge.
struct Built {
  Phantom phantom;
  Twin twin;
};
const BuildOptions coarse{.edge = 3.0};
const Built& built() {
  static const Built b = [] {
    Built x{make_phantom(), {}};
    x.twin = build_twin(x.phantom.image, x.phantom.labels, coarse);
    return x;
  }();
  return b;
}

double volume_of(const Anatomy& a, Label label) {
  double ml = 0;
  for (std::size_t t = 0; t < a.mesh.tet_count(); ++t) {
    if (a.mesh.labels()[t] == label) ml += a.mesh.volume(t) / 1000;
  }
  return ml;
}

}  // namespace

TEST(Build, PhantomBecomesATwinWithItsTruth) {
  const auto& [phantom, twin] = built();
  const Anatomy& a = twin.anatomy;
  const auto& truth = phantom.truth;
  double muscle_ml = 0;
  for (const Label label : {1, 2, 3, 4}) muscle_ml += volume_of(a, label);
  EXPECT_NEAR(muscle_ml, truth.muscle_volume, 0.03 * truth.muscle_volume);
  EXPECT_NEAR(volume_of(a, region::core), truth.core_volume, 0.25 * truth.core_volume);
  EXPECT_NEAR(volume_of(a, region::channel), truth.channel_volume, 0.35 * truth.channel_volume);
  // The channel's tets follow the true line, all of it but the mouths.
  for (std::size_t k = truth.channel.size() / 8; k < truth.channel.size() * 7 / 8; ++k) {
    double nearest = 1e9;
    for (std::size_t t = 0; t < a.mesh.tet_count(); ++t) {
      if (a.mesh.labels()[t] == region::channel)
        nearest = std::min(nearest, (a.mesh.centroid(t) - truth.channel[k]).norm());
    }
    EXPECT_LT(nearest, 3.0) << "point " << k << " of " << truth.channel.size();
  }
  EXPECT_EQ(a.sites.size(), 19u);
  EXPECT_GT(quality(a.mesh).min_dihedral, 10);
  EXPECT_NEAR(quality(a.mesh).mean_edge, 3.0, 0.2);  // cut cells at both surfaces are smaller
  EXPECT_GT(a.septum.x(), 0.99);                     // the phantom's own frame
  EXPECT_NO_THROW(a.validate());
}

TEST(Build, SharesAndDensityGoWithEveryTet) {
  const auto& phantom = built().phantom;
  BuildOptions options = coarse;
  options.fibrosis_density = true;
  options.remote.from = RemoteOptions::From::arc;
  const auto twin = build_twin(phantom.image, phantom.labels, options);
  const Anatomy& a = twin.anatomy;
  ASSERT_EQ(a.maps.size(), 3u);
  EXPECT_TRUE(built().twin.anatomy.maps.empty());
  EXPECT_EQ(twin.provenance.steps[0].options.at("scar.remote"), "auto");
  double core = 0, border_zone = 0, density = 0, labelled = 0, partial = 0;
  for (std::size_t t = 0; t < a.mesh.tet_count(); ++t) {
    for (const auto& map : a.maps) ASSERT_TRUE(map.values[t] >= 0 && map.values[t] <= 1) << map.name;
    const double ml = a.mesh.volume(t) / 1000;
    core += a.maps[0].values[t] * ml, border_zone += a.maps[1].values[t] * ml, density += a.maps[2].values[t] * ml;
    labelled += a.mesh.labels()[t] == region::core ? ml : 0;
    partial += a.maps[0].values[t] > 0.01 && a.maps[0].values[t] < 0.99;
    EXPECT_LE(a.maps[0].values[t] + a.maps[1].values[t], 1 + 1e-9);
  }
  // Shares cut tets at the border of the regions, so they keep the regions' volume better than labels of 3 mm.
  const auto measured = nlohmann::json::parse(twin.measurements);
  EXPECT_NEAR(core, measured["scar"]["core_volume_ml"].get<double>(), 0.07 * core);
  EXPECT_NEAR(core, labelled, 0.25 * labelled);
  EXPECT_GT(partial, 100);
  EXPECT_GT(density, core + 0.5 * border_zone);
  EXPECT_LT(density, core + border_zone + 0.1 * (phantom.truth.muscle_volume - phantom.truth.scar_volume));
}

TEST(Build, WhatTheGateFindsIsToldAndKept) {
  Phantom phantom = built().phantom;
  for (const auto& finding : built().twin.findings) EXPECT_EQ(finding.severity, Severity::info) << finding.text;
  for (std::size_t v = 0; v < phantom.image.values.size(); ++v)
    if (phantom.labels.values[v] == lv_cavity) phantom.image.values[v] -= 200;
  std::string warned;
  Monitor monitor;
  monitor.warning = [&](std::string_view text) { warned += std::string(text) + "\n"; };
  const auto twin = build_twin(phantom.image, phantom.labels, coarse, monitor);
  EXPECT_TRUE(std::ranges::any_of(twin.findings, [](const Finding& f) { return f.severity == Severity::severe; }));
  EXPECT_NE(warned.find("is no brighter than muscle"), std::string::npos) << warned;
}

TEST(Build, ProvenanceHoldsOptionsAndDoubts) {
  const auto& twin = built().twin;
  ASSERT_EQ(twin.provenance.steps.size(), 1u);
  const auto& step = twin.provenance.steps[0];
  EXPECT_EQ(step.verb, "build");
  EXPECT_EQ(step.options.at("edge"), "3 mm");
  const auto measured = nlohmann::json::parse(twin.measurements);
  EXPECT_EQ(measured["septum_source"], "right ventricle");
  EXPECT_GT(measured["channel_volume_ml"].get<double>(), 1);
  // Without the right ventricle the septum is guessed, and that is on record.
  Labels alone = built().phantom.labels;
  for (auto& label : alone.values) label = label == rv_cavity ? background : label;
  const auto guessed = build_twin(built().phantom.image, alone, coarse);
  const auto& warnings = guessed.provenance.steps[0].warnings;
  EXPECT_TRUE(std::any_of(warnings.begin(), warnings.end(),
                          [](const std::string& w) { return w.find("guessed") != std::string::npos; }));
}

// The same voxels with another header are the same heart elsewhere. Sites are nodes: where tets of this symmetric heart
// lie on the line between two segments, rounding decides, and the nearest node may be the next one.
TEST(Build, MovingAndTurningTheImageMovesAndTurnsTheTwin) {
  const auto& [phantom, twin] = built();
  const Mat3 turn = Eigen::AngleAxisd(1.1, Vec3(2, -1, 1).normalized()).toRotationMatrix();
  const Vec3 shift(40, -25, 60);
  Phantom moved = phantom;
  for (Grid* g : {&moved.image.grid, &moved.labels.grid})
    g->origin = turn * g->origin + shift, g->direction = turn * g->direction;
  const auto other = build_twin(moved.image, moved.labels, coarse);
  ASSERT_EQ(other.anatomy.sites.size(), twin.anatomy.sites.size());
  for (std::size_t k = 0; k < other.anatomy.sites.size(); ++k) {
    const Vec3 expected = turn * twin.anatomy.sites[k].position + shift;
    EXPECT_LT((other.anatomy.sites[k].position - expected).norm(), 3.5) << other.anatomy.sites[k].name;
  }
  for (const Label label : {1, 3, 4})
    EXPECT_NEAR(volume_of(other.anatomy, label), volume_of(twin.anatomy, label), 1e-6 * volume_of(twin.anatomy, label));
}

TEST(Build, NoScarAndNoChannelStayWithout) {
  const auto none = make_phantom({.scar = false});
  const auto healthy = build_twin(none.image, none.labels, coarse).anatomy;
  EXPECT_EQ(volume_of(healthy, region::core), 0);
  EXPECT_EQ(volume_of(healthy, region::channel), 0);
  const auto solid = make_phantom({.channel = false});
  const auto scarred = build_twin(solid.image, solid.labels, coarse).anatomy;
  EXPECT_GT(volume_of(scarred, region::core), 5);
  EXPECT_EQ(volume_of(scarred, region::channel), 0);
}

TEST(Build, BadOptionsAreRefusedBeforeAnyWork) {
  const auto& phantom = built().phantom;
  EXPECT_THROW(build_twin(phantom.image, phantom.labels, {.edge = 0.01}), InputError);
  EXPECT_THROW(build_twin(phantom.image, phantom.labels, {.edge = 3, .smoothing = -1}), InputError);
  EXPECT_THROW(build_twin(phantom.image, phantom.labels, {.edge = 3, .tissue = "granite"}), InputError);
  Labels other = phantom.labels;
  other.grid.origin += Vec3(1000, 0, 0);
  EXPECT_THROW(build_twin(phantom.image, other, coarse), InputError);
}

// A real infarct, 13 mm slices, no right ventricle labelled and an orientation
// that was lost: laid out as such views are shown, the patient's right to the
// left and anterior up, which in these files is -x and -y.
TEST(Build, RealInfarctGoesTheWholeWay) {
  const std::filesystem::path folder = std::filesystem::path(CARDIOTWIN_SHARED) / "data" / "lge";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "the real cases are not here: " << folder;
  const auto twin =
      build_twin(folder / "samplePositive_Images.nii.gz", folder / "samplePositive_Contours.nii.gz", coarse);
  const Anatomy& a = twin.anatomy;
  const auto measured = nlohmann::json::parse(twin.measurements);
  EXPECT_NEAR(measured["scar"]["scar_volume_ml"].get<double>(), 20.3, 0.25 * 20.3);
  EXPECT_EQ(twin.provenance.steps[0].inputs.at("image").size(), 64u);
  const auto y = [&](const char* site) { return a.site(site).position.y(); };
  const auto x = [&](const char* site) { return a.site(site).position.x(); };
  EXPECT_LT(y("aha1"), y("aha4") - 20);
  EXPECT_LT(y("aha7"), y("aha10") - 20);
  for (const char* septal : {"aha2", "aha3"}) {
    for (const char* lateral : {"aha5", "aha6"}) EXPECT_LT(x(septal), x(lateral) - 20);
  }
  double scar[18] = {};  // the expert drew the infarct on the lateral side, and
                         // so it must come out
  for (std::size_t t = 0; t < a.mesh.tet_count(); ++t) {
    if (a.mesh.labels()[t] != region::healthy) scar[a.aha[t]] += a.mesh.volume(t);
  }
  const double lateral = scar[5] + scar[6] + scar[11] + scar[12] + scar[16];
  const double septal = scar[2] + scar[3] + scar[8] + scar[9] + scar[14];
  EXPECT_GT(lateral, 2 * septal);
}
