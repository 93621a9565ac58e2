// Velocities and origins fitted to maps of hearts whose truth is known.
#include <gtest/gtest.h>

#include <cardiotwin/activation_fit.hpp>
#include <cardiotwin/error.hpp>
#include <cardiotwin/random.hpp>
#include <cmath>

#include "../unit/report_fixture.hpp"
#include "support/record_table.hpp"

namespace cardiotwin {
namespace {

/// A ventricle without scar: fibres at +60 degrees on the endocardium, -60 on the epicardium.
Twin heart(int refined = 1) {
  const fixture::Shell shell{.layers = 3 * refined, .rows = 16 * refined, .columns = 40 * refined};
  Twin twin = fixture::shell_twin(shell, false);
  Anatomy& a = twin.anatomy;
  const Vec3 axis = shell.rotation().col(2), middle = shell.placed(Vec3::Zero());
  for (std::size_t t = 0; t < a.mesh.tet_count(); ++t) {
    double depth = 0;
    for (const Index n : a.mesh.tets()[t]) depth += a.depth[n] / 4;
    const Vec3 p = a.mesh.centroid(t) - middle, out = p - axis * p.dot(axis);
    const Vec3 around = axis.cross(out).normalized();
    const double helix = fixture::pi / 3 * (1 - 2 * depth);
    a.fibers.f[t] = (std::cos(helix) * around + std::sin(helix) * axis).normalized();
    a.fibers.s[t] = out.normalized();
    a.fibers.n[t] = a.fibers.f[t].cross(a.fibers.s[t]);
  }
  twin.tissue["healthy"].wanted = {.along = 0.6, .across = 0.25};
  return twin;
}

/// Points of a catheter on the endocardium and the epicardium, with the mesh's times there and noise.
MappedBeat mapped(const Twin& twin, const std::vector<double>& lat, int points, double noise, double zero,
                  std::uint64_t seed) {
  const auto surface = mapped_surface(twin.anatomy, {Surface::endo, Surface::epi});
  Random random(seed);
  MappedBeat beat;
  beat.map.noise = noise;
  for (int k = 0; k < points; ++k) {
    const auto& triangle = surface.triangles[std::size_t(random.uniform() * double(surface.triangles.size()))];
    double u = random.uniform(), v = random.uniform();
    if (u + v > 1) u = 1 - u, v = 1 - v;
    const std::array<double, 3> weights{1 - u - v, u, v};
    Vec3 p = Vec3::Zero();
    double t = 0;
    for (int c = 0; c < 3; ++c) {
      const auto node = std::size_t(triangle[std::size_t(c)]);
      p += weights[std::size_t(c)] * twin.anatomy.mesh.points()[node], t += weights[std::size_t(c)] * lat[node];
    }
    beat.map.points.push_back(p), beat.map.lat.push_back(t + zero + noise * random.normal());
  }
  return beat;
}

/// The same points on another mesh of the heart, as registration would lay them there.
MappedBeat laid_on(const Twin& twin, MappedBeat beat, std::string origin) {
  const auto surface = mapped_surface(twin.anatomy, {Surface::endo, Surface::epi});
  SurfacePlacement placement;
  for (std::size_t k = 0; k < beat.map.size(); ++k) placement.kept.push_back(k);
  placement.distances.assign(beat.map.size(), 0.0);
  beat.sites = sites_on(surface, beat.map.points, placement);
  beat.origin = std::move(origin);
  return beat;
}

std::vector<double> beat_from(const Twin& twin, const std::string& site, Velocity v) {
  return Eikonal(twin.anatomy).activation({{"healthy", v}}, {{.nodes = twin.anatomy.site(site).nodes}});
}

// The maps are of a mesh twice as fine, so that the fit's own error of discretisation is seen, too.
TEST(ActivationFit, VelocitiesOfAKnownBeat) {
  const Twin coarse = heart(2), fine = heart(3);
  const Velocity truth{.along = 0.72, .across = 0.31};
  const auto lat = beat_from(fine, "aha7", truth), free_of_noise = beat_from(coarse, "aha7", truth);
  std::vector<std::string> rows;
  for (const int points : {64, 300, 1500}) {
    const auto beat = laid_on(coarse, mapped(fine, lat, points, 3, -40, 5), "aha7");
    const auto fit = fit_activation(coarse, {&beat, 1});
    const Velocity v = fit.velocities.at("healthy");
    EXPECT_NEAR(v.along / truth.along, 1, 0.05) << points;
    EXPECT_NEAR(v.across / truth.across, 1, 0.05) << points;
    EXPECT_LT(fit.fitted.rms, 1.3 * 3) << points;
    EXPECT_LT(fit.held_out.rms, (points > 100 ? 1.3 : 2.0) * 3) << points;
    EXPECT_EQ(fit.identifiability.undetermined.size(), 0u);
    EXPECT_GT(fit.predictive_p, 0.01);
    rows.push_back(fmt::format("{} | {:.3f} | {:.3f} | {:.2f} | {:.2f} | {}", points, v.along, v.across, fit.fitted.rms,
                               fit.held_out.rms, fit.forward_runs));
  }
  test::record_table(
      "points | along, 0.72 [m/s] | across, 0.31 [m/s] | LAT error, fitted [ms] | held out [ms] | forward runs", rows);
}

TEST(ActivationFit, IntervalsHoldTheTruthAsOftenAsTheySay) {
  const Twin twin = heart();
  constexpr int replicates = 50;
  const MappedBeat any = laid_on(twin, mapped(twin, beat_from(twin, "aha10", {0.6, 0.25}), 64, 3, 0, 1), "aha10");
  const ParameterSpace space = activation_parameters(twin, {&any, 1});
  const Eigen::MatrixXd truths = space.sample(replicates, 11);
  std::vector<Posterior> posteriors;
  int inside = 0, all = 0;
  for (int r = 0; r < replicates; ++r) {
    const Velocity truth{truths(r, 0), truths(r, 1)};
    const auto beat = laid_on(
        twin, mapped(twin, beat_from(twin, "aha10", truth), 64, 3, truths(r, 2), 100 + std::uint64_t(r)), "aha10");
    posteriors.push_back(fit_activation(twin, {&beat, 1}, {.held_out = 0, .noise = Noise::gaussian}).posterior);
    const Eigen::MatrixXd interval = posteriors.back().interval(0.9);
    for (int p = 0; p < 2; ++p, ++all) inside += interval(p, 0) <= truths(r, p) && truths(r, p) <= interval(p, 1);
  }
  EXPECT_GE(double(inside) / all, 0.80);
  EXPECT_LE(double(inside) / all, 0.97);
  std::vector<std::string> rows;
  for (const auto& c : simulation_based_calibration(truths, posteriors)) {
    EXPECT_TRUE(c.calibrated) << c.sentence;
    rows.push_back(fmt::format("{} | {:.2f} | {:.2f} | {:.2f}", c.name, c.inside_50, c.inside_90, c.p_value));
  }
  test::record_table("parameter | truths in the 50 % interval | in the 90 % interval | p of the ranks", rows);
}

TEST(ActivationFit, AnOriginThatIsNotKnownIsFound) {
  const Twin twin = heart();
  const Velocity truth{.along = 0.66, .across = 0.28};
  for (const char* site : {"aha3", "aha10"}) {
    const auto beat = laid_on(twin, mapped(twin, beat_from(twin, site, truth), 300, 3, 25, 3), "");
    const auto fit = fit_activation(twin, {&beat, 1});
    EXPECT_LT((fit.origins[0] - twin.anatomy.site(site).position).norm(), 5) << site;
    EXPECT_NEAR(fit.velocities.at("healthy").along / truth.along, 1, 0.05) << site;
    EXPECT_NEAR(fit.velocities.at("healthy").across / truth.across, 1, 0.05) << site;
    EXPECT_LT(fit.held_out.rms, 1.3 * 3);
  }
}

// All is activated along the fibres' plane: nothing is said of the velocity a region has where no point lies behind it.
TEST(ActivationFit, WhatTheMapDoesNotDetermineIsNamed) {
  Twin twin = heart();
  std::vector<Label> labels(twin.anatomy.mesh.tet_count(), region::healthy);
  const Vec3 lowest = twin.anatomy.apex;
  for (std::size_t t = 0; t < labels.size(); ++t)
    if ((twin.anatomy.mesh.centroid(t) - lowest).norm() < 12) labels[t] = region::border_zone;
  twin.anatomy.mesh = Mesh({twin.anatomy.mesh.points().begin(), twin.anatomy.mesh.points().end()},
                           {twin.anatomy.mesh.tets().begin(), twin.anatomy.mesh.tets().end()}, labels);
  const auto velocities = wanted_velocities(twin.tissue);
  std::map<std::string, Velocity> given{{"healthy", {0.6, 0.25}}, {"border_zone", velocities.at("border_zone")}};
  const auto lat = Eikonal(twin.anatomy).activation(given, {{.nodes = twin.anatomy.site("aha1").nodes}});
  auto beat = mapped(twin, lat, 400, 3, 0, 9);
  for (std::size_t k = beat.map.size(); k-- > 0;)
    if ((beat.map.points[k] - lowest).norm() < 16)
      beat.map.points.erase(beat.map.points.begin() + std::ptrdiff_t(k)),
          beat.map.lat.erase(beat.map.lat.begin() + std::ptrdiff_t(k));
  beat = laid_on(twin, beat, "aha1");
  const auto fit = fit_activation(twin, {&beat, 1});
  ASSERT_FALSE(fit.identifiability.undetermined.empty());
  for (const auto& name : fit.identifiability.undetermined) EXPECT_EQ(name.rfind("border_zone", 0), 0u) << name;
  EXPECT_FALSE(fit.findings.empty());
}

// The map is of a simulation, whose front is curved: plane waves of the velocities fitted to it would make one that is
// too slow.
TEST(ActivationFit, TheCalibratedTwinSimulatesTheMap) {
  Twin twin;
  twin.anatomy.mesh = lattice_block({30, 22, 5}, 1.0);
  twin.anatomy.fibers = uniform_fibers(twin.anatomy.mesh);
  twin.anatomy.regions = {{region::healthy, "healthy"}};
  for (const auto& face : boundary_faces(twin.anatomy.mesh))
    twin.anatomy.surface.push_back({face.nodes, face.tet, Surface::epi});
  twin.anatomy.sites = {make_site(twin.anatomy, "corner", {4, 4, 2})};
  twin.tissue = Tissue::library("post-infarct");
  twin.tissue["healthy"].wanted = {.along = 0.7, .across = 0.3};
  Twin truth = twin;
  truth.tissue = calibrate(twin, {}).tissue;
  Simulation sim(truth, {.dt = truth.tissue.calibrated_dt});
  const auto& lat = sim.add(ActivationMap{});
  sim.add(Protocol::s1s2(twin.anatomy.site("corner"), {.beats = 1}));
  sim.run(150);
  const auto surface = mapped_surface(twin.anatomy);
  MappedBeat beat{.map = {}, .sites = {}, .origin = "corner"};
  Random random(2);
  SurfacePlacement placement;
  const auto times = lat.map().values;
  for (int k = 0; k < 300; ++k) {
    const auto node =
        std::size_t(surface.triangles[std::size_t(random.uniform() * double(surface.triangles.size()))][0]);
    placement.kept.push_back(std::size_t(k));
    beat.map.points.push_back(twin.anatomy.mesh.points()[node]), beat.map.lat.push_back(times[node] + random.normal());
  }
  placement.distances.assign(300, 0.0);
  beat.map.noise = 1;
  beat.sites = sites_on(surface, beat.map.points, placement);
  twin.tissue["healthy"].wanted = {.along = 0.55, .across = 0.25};  // what is believed before
  const auto fit = fit_activation(twin, {&beat, 1});
  const auto reached = calibrate_to_maps(twin, {&beat, 1}, fit, {.dt = 0}, Stiffness::nodal_gradient);
  EXPECT_LT(reached.after.rms, 1.25);  // 1 ms of it is noise
  EXPECT_LT(reached.after.rms, reached.before.rms);
  const Velocity wanted = reached.calibration.tissue["healthy"].wanted;
  EXPECT_NEAR(wanted.along / 0.7, 1, 0.03);
  EXPECT_NEAR(wanted.across / 0.3, 1, 0.05);
  test::record_table(
      "velocity [m/s] | truth, of plane waves | fitted to the map | calibrated",
      {fmt::format("along | 0.7 | {:.3f} | {:.3f}", fit.velocities.at("healthy").along, wanted.along),
       fmt::format("across | 0.3 | {:.3f} | {:.3f}", fit.velocities.at("healthy").across, wanted.across)});
}

TEST(ActivationFit, TheSameSeedGivesTheSameBits) {
  const Twin twin = heart();
  const auto beat = laid_on(twin, mapped(twin, beat_from(twin, "aha7", {0.6, 0.25}), 80, 3, 0, 1), "aha7");
  const auto one = fit_activation(twin, {&beat, 1}), two = fit_activation(twin, {&beat, 1});
  EXPECT_EQ(one.posterior.samples, two.posterior.samples);
  EXPECT_NE(one.posterior.samples, fit_activation(twin, {&beat, 1}, {.seed = 2}).posterior.samples);
}

TEST(ActivationFit, MapsThatContradictTheModelAreNoticed) {
  const Twin twin = heart();
  auto beat = laid_on(twin, mapped(twin, beat_from(twin, "aha7", {0.6, 0.25}), 400, 3, 0, 1), "aha7");
  Random random(4);
  for (double& t : beat.map.lat) t = 60 * random.uniform();  // of no wave at all
  const auto fit = fit_activation(twin, {&beat, 1});
  EXPECT_GT(fit.noise, 8);
  bool said = false;
  for (const auto& finding : fit.findings) said |= finding.text.find("noise are stated") != std::string::npos;
  EXPECT_TRUE(said);
}

TEST(ActivationFit, BadInputIsRefused) {
  const Twin twin = heart();
  const auto beat = laid_on(twin, mapped(twin, beat_from(twin, "aha7", {0.6, 0.25}), 80, 3, 0, 1), "aha7");
  const auto says = [&](const std::string& word, const auto& call) {
    try {
      call();
      ADD_FAILURE() << "accepted: " << word;
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    }
  };
  says("none", [&] { fit_activation(twin, {}); });
  says("aha99", [&] {
    auto other = beat;
    other.origin = "aha99";
    fit_activation(twin, {&other, 1});
  });
  says("parameters", [&] {
    auto few = beat;
    few.sites.points.resize(2), few.sites.nodes.resize(2), few.sites.weights.resize(2);
    fit_activation(twin, {&few, 1});
  });
  says("LAT", [&] {
    auto equal = beat;
    std::fill(equal.map.lat.begin(), equal.map.lat.end(), 12.0);
    fit_activation(twin, {&equal, 1});
  });
  says("held_out", [&] { fit_activation(twin, {&beat, 1}, {.held_out = 0.9}); });
  says("wanted", [&] {
    Twin without = twin;
    without.tissue["healthy"].wanted = {};
    fit_activation(without, {&beat, 1});
  });
}

TEST(ActivationFit, ItCanBeInterrupted) {
  const Twin twin = heart();
  const auto beat = laid_on(twin, mapped(twin, beat_from(twin, "aha7", {0.6, 0.25}), 80, 3, 0, 1), "");
  Monitor monitor;
  int polls = 0;
  monitor.cancelled = [&] { return ++polls > 5; };
  EXPECT_THROW(fit_activation(twin, {&beat, 1}, {}, monitor), Interrupted);
}

}  // namespace
}  // namespace cardiotwin
