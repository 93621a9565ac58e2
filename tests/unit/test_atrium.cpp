// A left atrium, from the phantom's labels to a twin.
#include <gtest/gtest.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cardiotwin/atrium.hpp>
#include <cardiotwin/check.hpp>
#include <cardiotwin/coordinates.hpp>
#include <cardiotwin/error.hpp>
#include <cardiotwin/meshes/phantom_atrium.hpp>
#include <cmath>
#include <filesystem>
#include <numbers>
#include <set>

#include "../../meshes/src/atrium.hpp"

using namespace cardiotwin;
using namespace cardiotwin::meshes;

namespace {

// Small and thick-walled, so that three elements cross the wall of a mesh that is built in seconds.
AtriumPhantomOptions small() {
  AtriumPhantomOptions options;
  options.width = 40, options.wall = 3, options.voxel = 1.25, options.vein_length = 10;
  options.scar_width = 24, options.scar_height = 14, options.fibrosis_radius = 0;
  return options;
}

const AtriumPhantom& phantom() {
  static const AtriumPhantom made = make_atrium_phantom(small());
  return made;
}

BuildOptions of_atrium() {
  BuildOptions options;
  options.chambers = Chambers::left_atrium, options.la_wall = 3;
  options.scar.min_volume = 0.1;
  return options;
}

const Twin& twin() {
  static const Twin built = build_twin(phantom().image, phantom().labels, of_atrium());
  return built;
}
const Anatomy& heart() { return twin().anatomy; }

struct Told {
  std::vector<std::string> warnings, lines;
  Monitor monitor;
  Told() {
    monitor.warning = [this](std::string_view text) { warnings.emplace_back(text); };
    monitor.note = [this](std::string_view text) { lines.emplace_back(text); };
  }
  bool warned(const std::string& part) const {
    return std::any_of(warnings.begin(), warnings.end(),
                       [&](const auto& text) { return text.find(part) != std::string::npos; });
  }
};

AtrialShape shape_of(const AtriumPhantom& made, Told& told, const std::optional<Vec3>& mitral = {}) {
  const auto& labels = made.labels;
  const auto given = atrial_labels({labels.grid, {labels.values.begin(), labels.values.end()}}, "guess", told.monitor);
  return atrial_shape(given, mitral, told.monitor);
}

const PhantomOpening& true_opening(const AtriumPhantom& made, const std::string& name) {
  for (const auto& opening : made.truth.openings)
    if (opening.name == name) return opening;
  throw InputError("the phantom has no " + name);
}

std::set<std::string> names_of(const AtrialShape& shape) {
  std::set<std::string> names;
  for (const auto& opening : shape.openings) names.insert(opening.name);
  return names;
}

double label_volume(const Labels& labels, int which) {
  return double(std::count(labels.values.begin(), labels.values.end(), which)) * labels.grid.spacing.prod() / 1000;
}

double degrees_between(const Vec3& a, const Vec3& b) {
  return std::acos(std::clamp(a.normalized().dot(b.normalized()), -1.0, 1.0)) * 180 / std::numbers::pi;
}

}  // namespace

TEST(AtriumPhantom, LabelsHaveTheVolumesOfTheTruth) {
  const auto& truth = phantom().truth;
  EXPECT_NEAR(label_volume(phantom().labels, 1), truth.cavity_volume, 0.01 * truth.cavity_volume);  // majority vote
  AtriumPhantomOptions options = small();
  options.wall_labels = true;
  const AtriumPhantom walled = make_atrium_phantom(options);
  EXPECT_NEAR(label_volume(walled.labels, 7), truth.cavity_volume, 0.01 * truth.cavity_volume);
  const double wall = label_volume(walled.labels, 2) + label_volume(walled.labels, 3);
  EXPECT_NEAR(wall, truth.wall_volume, 0.03 * truth.wall_volume);
  // A box of scar width x height less the gap, as thick as the wall, which is curved there.
  EXPECT_NEAR(truth.dense_volume, (24 - 5) * 14 * 3 / 1000., 0.25 * truth.dense_volume);
  EXPECT_NEAR(truth.channel_volume, 5 * 14 * 3 / 1000., 0.15 * truth.channel_volume);
}

TEST(AtriumPhantom, TurningAndMovingChangesOnlyTheAffine) {
  AtriumPhantomOptions options = small();
  options.rotation_degrees = {10, -15, 20}, options.translation = {40, -30, 90};
  const AtriumPhantom turned = make_atrium_phantom(options);
  EXPECT_EQ(turned.image.values, phantom().image.values);
  EXPECT_EQ(turned.labels.values, phantom().labels.values);
  const Vec3 before = phantom().labels.grid.index(phantom().truth.openings[2].centre);
  EXPECT_LT((turned.labels.grid.index(turned.truth.openings[2].centre) - before).norm(), 1e-9);
}

TEST(AtrialShape, OpeningsAreThoseOfThePhantom) {
  Told told;
  const AtrialShape shape = shape_of(phantom(), told);
  ASSERT_EQ(names_of(shape), (std::set<std::string>{"mitral", "lspv", "lipv", "rspv", "ripv"}));
  for (const auto& found : shape.openings) {
    const auto& truth = true_opening(phantom(), found.name);
    // Voxels of 1.25 mm; the plane lies up to a slab of 1.9 mm inside a vein's end.
    EXPECT_LT((found.plane.centre - truth.centre).norm(), 2.6) << found.name;
    EXPECT_LT(degrees_between(found.plane.normal, truth.normal), 12) << found.name;
    EXPECT_NEAR(found.radius, truth.radius, 0.12 * truth.radius + 0.3) << found.name;
  }
  ASSERT_TRUE(shape.appendage_tip);
  // Its last ball is at (42, -24, 14) mm in an atrium 54 mm wide, 4.5 mm thick.
  EXPECT_LT((*shape.appendage_tip - 40. / 54 * Vec3(42, -24, 14)).norm(), 5);
  EXPECT_TRUE(told.warned("mitral valve was guessed"));
  EXPECT_EQ(told.warnings.size(), 1u);
}

TEST(AtrialShape, VeinsAreFoundWhateverTheirNumber) {
  const std::vector<std::pair<std::string, std::set<std::string>>> patterns{
      {"three", {"mitral", "lcpv", "rspv", "ripv"}},
      {"trunk", {"mitral", "lspv", "lipv", "rspv", "ripv"}},
      {"five", {"mitral", "lspv", "lipv", "rspv", "rmpv", "ripv"}}};
  for (const auto& [veins, names] : patterns) {
    AtriumPhantomOptions options = small();
    options.veins = veins, options.scar = false;
    Told told;
    const AtrialShape shape = shape_of(make_atrium_phantom(options), told);
    EXPECT_EQ(names_of(shape), names) << veins;
    EXPECT_TRUE(shape.appendage_tip) << veins;
  }
}

TEST(AtrialShape, ATurnedImageHasTheSameOpenings) {
  AtriumPhantomOptions options = small();
  options.rotation_degrees = {10, -15, 20}, options.translation = {40, -30, 90};
  const AtriumPhantom turned = make_atrium_phantom(options);
  Told told;
  const AtrialShape still = shape_of(phantom(), told, true_opening(phantom(), "mitral").centre),
                    moved = shape_of(turned, told, true_opening(turned, "mitral").centre);
  ASSERT_EQ(moved.openings.size(), still.openings.size());
  for (std::size_t k = 0; k < still.openings.size(); ++k) {
    EXPECT_EQ(moved.openings[k].name, still.openings[k].name);
    const Vec3 a = phantom().image.grid.index(still.openings[k].plane.centre),
               b = turned.image.grid.index(moved.openings[k].plane.centre);
    // Veins do not know how the patient lies; the valve is looked for in another spread of directions.
    EXPECT_LT((a - b).norm() * 1.25, k == 0 ? 1.0 : 1e-6) << still.openings[k].name;
  }
}

TEST(AtrialShape, TheValveIsWhereTheVentricleOrTheUserSays) {
  AtriumPhantomOptions options = small();
  options.wall_labels = true, options.scar = false;
  const AtriumPhantom walled = make_atrium_phantom(options);
  const auto& truth = true_opening(walled, "mitral");
  Told told;
  const AtrialShape by_contact = shape_of(walled, told);
  EXPECT_STREQ(by_contact.mitral_source, "left ventricle");
  EXPECT_TRUE(told.warnings.empty());
  const AtrialShape given = shape_of(phantom(), told, truth.centre + Vec3(2, 1, -1));  // not quite the centre
  EXPECT_STREQ(given.mitral_source, "given");
  EXPECT_TRUE(told.warnings.empty());
  for (const auto* shape : {&by_contact, &given}) {
    const Opening& found = shape->openings.front();
    EXPECT_LT((found.plane.centre - truth.centre).norm(), 2.6) << shape->mitral_source;
    EXPECT_LT(degrees_between(found.plane.normal, truth.normal), 12) << shape->mitral_source;
  }
  EXPECT_THROW(shape_of(phantom(), told, phantom().truth.openings[0].centre * 0.02), InputError);
}

TEST(AtrialShape, StubsTooShortAreSaidAloud) {
  AtriumPhantomOptions options = small();
  options.vein_length = 2, options.scar = false;
  Told told;
  const AtrialShape shape = shape_of(make_atrium_phantom(options), told);
  EXPECT_EQ(shape.openings.size(), 1u);
  EXPECT_TRUE(told.warned("no pulmonary vein was found"));
}

TEST(Atrium, LabelsWithoutItsCavityAreRefusedInASentence) {
  Labels labels = phantom().labels;
  for (auto& v : labels.values) v = v ? 2 : 0;
  try {
    build_twin(phantom().image, labels, of_atrium());
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("left atrium needs the label of its cavity"), std::string::npos)
        << error.what();
  }
}

TEST(Atrium, WallIsAsThickAsAskedForAndOpenAtEveryRing) {
  const Anatomy& a = heart();
  EXPECT_NO_THROW(a.validate());
  EXPECT_EQ(a.chamber, Chamber::left_atrium);
  const CheckReport report = check(twin());
  // Gaussian and lattice round a little of a wall of 3 mm away; where a vein leaves it is thicker.
  EXPECT_NEAR(report.wall.mean, 3, 0.25);
  EXPECT_GT(report.wall.min, 1.7);  // at the valve's rim, which is cut at a slant
  // Cut half a slab inside the ends of the veins and a voxel inside the valve.
  EXPECT_NEAR(report.cavity_volume, phantom().truth.cavity_volume, 0.06 * phantom().truth.cavity_volume);
  EXPECT_NEAR(report.muscle_volume, phantom().truth.wall_volume, 0.1 * phantom().truth.wall_volume);
  ASSERT_EQ(a.rings.size(), 5u);
  EXPECT_EQ(a.rings.front().name, "mitral");
  for (const Ring& ring : a.rings) {
    const auto& truth = true_opening(phantom(), ring.name);
    std::vector<double> radius;
    for (const Index n : ring.nodes) {
      const Vec3 r = a.mesh.points()[std::size_t(n)] - ring.centre;
      EXPECT_LT(std::abs(r.dot(ring.normal)), 2.5) << ring.name;  // the rounding of the rim
      radius.push_back((r - r.dot(ring.normal) * ring.normal).norm());
    }
    ASSERT_GT(radius.size(), 20u) << ring.name;
    const auto [low, high] = std::minmax_element(radius.begin(), radius.end());
    EXPECT_GT(*low, 0.5 * truth.radius) << ring.name;  // nothing closes it
    EXPECT_LT(*high, 1.5 * truth.radius + 4) << ring.name;
  }
}

// Steps along edges from the endocardium to each node of the epicardium.
TEST(Atrium, ThreeElementsCarryTheWall) {
  const Anatomy& a = heart();
  const auto adjacency = node_adjacency(a.mesh);
  std::vector<int> steps(a.mesh.node_count(), -1);
  std::vector<Index> front;
  std::set<Index> outer;
  for (const auto& face : a.surface) {
    for (const Index n : face.nodes) {
      if (face.tag == Surface::epi) outer.insert(n);
      if (face.tag == Surface::endo && steps[std::size_t(n)] < 0) steps[std::size_t(n)] = 0, front.push_back(n);
    }
  }
  for (const auto& face : a.surface)
    if (face.tag == Surface::base)
      for (const Index n : face.nodes) outer.erase(n);
  for (std::size_t i = 0; i < front.size(); ++i)
    for (const Index next : adjacency.of(std::size_t(front[i])))
      if (steps[std::size_t(next)] < 0)
        steps[std::size_t(next)] = steps[std::size_t(front[i])] + 1, front.push_back(next);
  const auto thin = std::count_if(outer.begin(), outer.end(), [&](Index n) { return steps[std::size_t(n)] < 3; });
  ASSERT_GT(outer.size(), 1000u);
  EXPECT_LT(double(thin), 0.02 * double(outer.size()));  // but for the valve's rim, which is cut at a slant
}

TEST(Atrium, FibresRunInTheWallAndAroundItsOpenings) {
  const Anatomy& a = heart();
  const auto& [f, s, n] = a.fibers;
  for (std::size_t t = 0; t < f.size(); ++t) {
    ASSERT_NEAR(f[t].squaredNorm(), 1, 1e-9);
    ASSERT_NEAR(f[t].dot(s[t]), 0, 1e-9);
    ASSERT_LT((f[t].cross(s[t]) - n[t]).norm(), 1e-9);
  }
  std::vector<double> lift;
  for (const auto& face : a.surface) {
    if (face.tag == Surface::base) continue;
    const auto& p = a.mesh.points();
    const Vec3 normal = (p[face.nodes[1]] - p[face.nodes[0]]).cross(p[face.nodes[2]] - p[face.nodes[0]]).normalized();
    lift.push_back(std::asin(std::abs(f[std::size_t(face.tet)].dot(normal))) * 180 / std::numbers::pi);
  }
  std::nth_element(lift.begin(), lift.begin() + lift.size() / 2, lift.end());
  EXPECT_LT(lift[lift.size() / 2], 8);  // single faces of 0.9 mm scatter about the surface
  for (const Ring& ring : a.rings) {
    double along = 0, count = 0;
    for (std::size_t t = 0; t < f.size(); ++t) {
      const Vec3 r = a.mesh.centroid(t) - ring.centre;
      if (std::abs(r.dot(ring.normal)) > 3 || r.norm() > 16) continue;
      along += f[t].dot(ring.normal) * f[t].dot(ring.normal), ++count;
    }
    ASSERT_GT(count, 100) << ring.name;
    EXPECT_LT(along / count, 0.15) << ring.name;  // circular: 0, at random: 1/3
  }
}

TEST(Atrium, DepthAndHeightSpanTheWallFromVeinsToValve) {
  const Anatomy& a = heart();
  const auto [shallow, deep] = std::minmax_element(a.depth.begin(), a.depth.end());
  EXPECT_NEAR(*shallow, 0, 1e-9);
  EXPECT_NEAR(*deep, 1, 1e-9);
  for (const Ring& ring : a.rings)
    for (const Index n : ring.nodes) EXPECT_NEAR(a.height[std::size_t(n)], ring.name == "mitral" ? 1 : 0, 1e-9);
  EXPECT_TRUE(std::all_of(a.aha.begin(), a.aha.end(), [](auto segment) { return segment == 0; }));
}

TEST(Atrium, SitesCanBePacedAndLieWhereTheirNamesSay) {
  const Anatomy& a = heart();
  for (const char* name : {"lspv", "lipv", "rspv", "ripv", "laa", "roof", "posterior", "anterior", "septum", "lateral",
                           "inferior", "mitral"})
    EXPECT_NO_THROW(a.site(name)) << name;
  EXPECT_GT(a.site("lateral").position.x(), a.site("septum").position.x() + 20);
  EXPECT_GT(a.site("posterior").position.y(), a.site("anterior").position.y() + 15);
  EXPECT_GT(a.site("roof").position.z(), a.site("inferior").position.z() + 15);
  EXPECT_GT(a.site("lspv").position.z(), a.site("lipv").position.z());
  EXPECT_LT(a.site("rspv").position.x(), a.site("lspv").position.x());
  std::vector<std::uint8_t> dead(a.mesh.node_count(), 1);
  for (std::size_t t = 0; t < a.mesh.tet_count(); ++t)
    if (a.mesh.labels()[t] != region::core)
      for (const Index n : a.mesh.tets()[t]) dead[std::size_t(n)] = 0;
  for (const Site& site : a.sites)
    for (const Index n : site.nodes) EXPECT_FALSE(dead[std::size_t(n)]) << site.name;
  EXPECT_EQ(nearest_site(a, a.site("roof").position + Vec3(0, 0, 2)), "roof");
}

TEST(Atrium, ScarIsFoundInAWallThatOnlyWasGrown) {
  std::map<Label, double> volume;
  for (std::size_t t = 0; t < heart().mesh.tet_count(); ++t)
    volume[heart().mesh.labels()[t]] += heart().mesh.volume(t) / 1000;
  const auto& truth = phantom().truth;
  // Voxels of 1.25 mm, of which two or three cross the wall: half of it is partly blood or fat.
  EXPECT_NEAR(volume[region::core], truth.dense_volume, 0.35 * truth.dense_volume);
  // The gap stays open, and is known as a channel.
  const Label label = heart().label("core");
  std::size_t in_gap = 0, dead = 0;
  for (std::size_t t = 0; t < heart().mesh.tet_count(); ++t) {
    const Vec3 c = heart().mesh.centroid(t);
    if (c.y() < 0 || std::abs(c.x() - 2) > 1 || std::abs(c.z()) > 6) continue;
    ++in_gap, dead += heart().mesh.labels()[t] == label;
  }
  ASSERT_GT(in_gap, 50u);
  EXPECT_LT(double(dead), 0.2 * double(in_gap));
  EXPECT_GT(volume[region::channel], 0.3 * truth.channel_volume);
}

TEST(Atrium, TheRatioToBloodFindsFibrosisAndDenseScar) {
  auto finer = small();
  finer.voxel = 1, finer.fibrosis_radius = 8;
  const auto made = make_atrium_phantom(finer);
  auto options = of_atrium();
  options.scar.method = ScarMethod::iir;  // with the published 1.20 and 1.32
  const auto built = build_twin(made.image, made.labels, options);
  std::map<std::string, double> volume;
  const auto& mesh = built.anatomy.mesh;
  for (std::size_t t = 0; t < mesh.tet_count(); ++t)
    volume[built.anatomy.regions.at(mesh.labels()[t])] += mesh.volume(t) / 1000;
  const auto& truth = made.truth;
  EXPECT_NEAR(volume["core"], truth.dense_volume, 0.25 * truth.dense_volume);
  // A voxel partly of blood or fat is darker than the fibrosis it shows, and most voxels of a thin wall are.
  EXPECT_GT(volume["border_zone"], 0.25 * truth.fibrosis_volume);
  EXPECT_LT(volume["border_zone"], truth.fibrosis_volume);
}

TEST(Atrium, AFinerEdgeIsTakenForAThinWallAndSaid) {
  const auto& step = twin().provenance.steps.front();
  EXPECT_EQ(step.options.at("edge"), "0.9 mm");  // 0.3 of 3 mm, where 1 mm was asked for
  EXPECT_EQ(step.options.at("chambers"), "left-atrium");
  EXPECT_EQ(twin().tissue.model, Tissue::library("fibrotic-atrium").model);
  EXPECT_FALSE(step.options.contains("fibers.alpha_endo"));
}

TEST(Atrium, VentricularCoordinatesAreRefused) { EXPECT_THROW(ventricular_coordinates(heart()), InputError); }

TEST(Atrium, ATwinOnDiskKeepsChamberAndRings) {
  const auto folder = std::filesystem::temp_directory_path() / "cardiotwin-atrium";
  std::filesystem::create_directories(folder);
  twin().save(folder / "atrium.twin");
  const Anatomy read = Anatomy::load(folder / "atrium.twin");
  std::filesystem::remove_all(folder);
  EXPECT_EQ(read.chamber, Chamber::left_atrium);
  ASSERT_EQ(read.rings.size(), heart().rings.size());
  for (std::size_t k = 0; k < read.rings.size(); ++k) {
    EXPECT_EQ(read.rings[k].name, heart().rings[k].name);
    EXPECT_EQ(read.rings[k].nodes, heart().rings[k].nodes);
    EXPECT_EQ(read.rings[k].centre, heart().rings[k].centre);
    EXPECT_EQ(read.rings[k].normal, heart().rings[k].normal);
  }
}

TEST(AtrialFibers, ThresholdsOutOfOrderAndMissingPartsAreRefused) {
  const Mesh box = box_mesh({4, 4, 2}, 1);
  EXPECT_THROW(atrial_fibers(box, {}), InputError);
  const std::vector<Index> some{0, 1, 2};
  EXPECT_THROW(atrial_fibers(box, {some, some, some, some, some}, {.left_veins = 0.9, .right_veins = 0.1}), InputError);
}
