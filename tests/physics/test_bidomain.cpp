// The bidomain in the library: where it must be the monodomain, where it must not, and what it costs to solve for phi
// only now and then.
#include <gtest/gtest.h>

#include <cardiotwin/ensemble.hpp>
#include <cardiotwin/simulation.hpp>
#include <cmath>
#include <numbers>

#include "support/activation.hpp"
#include "support/blocks.hpp"
#include "support/record_table.hpp"

namespace cardiotwin {
namespace {

using test::largest_difference, test::lats;

// 8 x 4 x 2 mm whose fibres turn by 60 degrees from its lower to its upper face.
Twin slab(Tissue tissue, double h = 0.5) {
  Twin twin = test::block_twin(box_mesh({8, 4, 2}, h), std::move(tissue));
  for (std::size_t t = 0; t < twin.anatomy.mesh.tet_count(); ++t) {
    const double angle = std::numbers::pi / 6 * twin.anatomy.mesh.centroid(t).z();
    twin.anatomy.fibers.f[t] = Vec3(std::cos(angle), std::sin(angle), 0);
    twin.anatomy.fibers.s[t] = Vec3(-std::sin(angle), std::cos(angle), 0);
  }
  return twin;
}

// Ratios of intra- to extracellular conductivity; the monodomain's is half the harmonic mean of both.
Tissue tissue(double along_ratio, double across_ratio) {
  Tissue t = Tissue::library("post-infarct");
  for (auto& [name, region] : t.regions) {
    region.intracellular = {.along = 0.4, .across = 0.1};
    region.extracellular = {.along = 0.4 / along_ratio, .across = 0.1 / across_ratio};
    region.conductivity = {.along = 0.4 / (1 + along_ratio), .across = 0.1 / (1 + across_ratio)};
  }
  return t;
}

SimulationOptions bidomain(Stiffness stiffness = Stiffness::nodal_gradient) {
  return {.dt = 0.05, .stiffness = stiffness, .model = TissueModel::bidomain};
}

/// A box that reaches `margin` mm beyond the slab, on a lattice of its own.
std::shared_ptr<const Torso> bath(double margin, double h = 0.5, double sigma = 1.0) {
  const Mesh box = box_mesh(Vec3(8, 4, 2) + 2 * margin * Vec3::Ones(), h);
  std::vector<Vec3> points;
  for (const Vec3& p : box.points()) points.push_back(p - margin * Vec3::Ones());
  auto torso = std::make_shared<Torso>();
  torso->mesh = Mesh(points, {box.tets().begin(), box.tets().end()}, {box.labels().begin(), box.labels().end()});
  torso->regions = {{1, "bath"}};
  torso->conductivity = {{"bath", sigma}};
  return torso;
}

// Monodomain and bidomain are one where sigma_i / sigma_e is the same along every axis; phi is then a fixed share of V.
TEST(Bidomain, EqualRatiosAreTheMonodomain) {
  const Twin equal = slab(tissue(0.5, 0.5)), unequal = slab(tissue(0.3, 1.0));
  for (const auto stiffness : {Stiffness::p1, Stiffness::nodal_gradient}) {
    const auto options = bidomain(stiffness);
    const SimulationOptions monodomain{.dt = options.dt, .stiffness = stiffness};
    EXPECT_LT(largest_difference(lats(equal, options), lats(equal, monodomain)), 0.01);  // 0.1 is asked for
    EXPECT_GT(largest_difference(lats(unequal, options), lats(unequal, monodomain)), 0.1);
  }
  Simulation sim(equal, bidomain());
  sim.add(test::pulse_at_low_end(equal.anatomy.mesh));
  sim.run(6);
  const auto v = sim.voltage(), phi = sim.potential();
  // phi = -sigma_i / (sigma_i + sigma_e) V + const
  double mean_v = 0;
  const auto share = [&] {
    double vv = 0, vp = 0, mean = 0;
    for (const double x : v) mean += x / double(v.size());
    for (std::size_t i = 0; i < v.size(); ++i) vv += (v[i] - mean) * (v[i] - mean), vp += (v[i] - mean) * phi[i];
    mean_v = mean;
    return vp / vv;
  }();
  EXPECT_NEAR(share, -1.0 / 3, 1e-4);
  double offset = 0;
  for (std::size_t i = 0; i < v.size(); ++i) offset += (phi[i] - share * (v[i] - mean_v)) / double(v.size());
  for (std::size_t i = 0; i < v.size(); ++i) ASSERT_NEAR(phi[i], share * (v[i] - mean_v) + offset, 0.02) << i;
  EXPECT_GT(sim.elliptic_work().solves, 60);
  EXPECT_LT(double(sim.elliptic_work().iterations) / double(sim.elliptic_work().solves), 8);
}

// The splitting's error in time: against a solve in every step.
TEST(Bidomain, SolvesNowAndThenCostLittleAccuracy) {
  Twin twin = slab(tissue(0.27, 0.08));
  std::vector<std::string> rows;
  for (const auto& torso : {std::shared_ptr<const Torso>(), bath(1.5)}) {
    SimulationOptions options = bidomain();
    options.dt = 0.0125, options.bidomain.torso = torso;
    const auto at = [&](double interval) {
      options.bidomain.interval = interval;
      return lats(twin, options);
    };
    const auto reference = at(0.0125);
    const double half = largest_difference(at(0.05), reference), whole = largest_difference(at(0.1), reference),
                 twice = largest_difference(at(0.2), reference);
    rows.push_back(fmt::format("{} | {:.4f} | {:.4f} | {:.4f}", torso ? "in a bath" : "alone", half, whole, twice));
    EXPECT_LT(whole, 0.1);
    EXPECT_LT(half, 0.7 * whole + 1e-3);
    EXPECT_LT(whole, 0.7 * twice + 1e-3);
    EXPECT_GT(twice, 2 * half);  // the interval is heeded
  }
  test::record_table("muscle | interval 0.05 ms | 0.1 | 0.2: largest difference of LAT [ms]", rows);
}

// A bath carries current past the surface, where the wave runs ahead of the core (Henriquez 1993, Crit Rev Biomed Eng
// 21:1).
TEST(Bidomain, TheWaveLeadsWhereABathTouchesTheMuscle) {
  Twin twin = test::block_twin(box_mesh({8, 4, 2}, 0.25), tissue(0.27, 0.08));
  SimulationOptions options = bidomain();
  const auto lead = [&] {
    const auto lat = lats(twin, options, 25);
    double middle = 0, surface = 0;
    for (std::size_t i = 0; i < twin.anatomy.mesh.node_count(); ++i) {
      const Vec3& p = twin.anatomy.mesh.points()[i];
      if (std::abs(p.x() - 6.5) > 1e-6 || std::abs(p.y() - 2) > 1e-6) continue;
      if (std::abs(p.z() - 1) < 1e-6) middle = lat[i];
      if (p.z() < 1e-6) surface = lat[i];
    }
    return middle - surface;
  };
  const double alone = lead();
  options.bidomain.torso = bath(1.5);
  const double in_bath = lead();
  test::record_table("muscle | the surface leads the middle by [ms]",
                     {fmt::format("alone | {:.4f}", alone), fmt::format("in a bath | {:.4f}", in_bath)});
  EXPECT_NEAR(alone, 0, 0.02);  // the tets of a box are not symmetric
  EXPECT_GT(in_bath - alone, 0.04);
}

// Cathode on a sheet with unequal ratios (Sepulveda, Roth & Wikswo 1989, doi 10.1016/S0006-3495(89)82897-8):
// depolarised under it, wider across the fibres than along them, and hyperpolarised beside it along the fibres.
TEST(Bidomain, VirtualElectrodesAroundACathode) {
  const double h = 0.25;
  const Twin twin = test::block_twin(box_mesh({16, 16, h}, h), tissue(0.27, 0.08));
  SimulationOptions options = bidomain(Stiffness::p1);
  for (const double x : {0.0, 16.0})
    for (const double y : {0.0, 16.0}) options.bidomain.grounds.push_back({.position = {x, y, 0}, .radius = 0.3});
  const auto v_at_end = [&](double current) {
    Simulation sim(twin, options);
    sim.add(Protocol{.stimuli = {},
                     .currents = {{.position = {8, 8, 0}, .radius = 0.3, .duration = 2, .current = current}}});
    sim.run(2);
    return sim.voltage();
  };
  const auto cathode = v_at_end(-3), anode = v_at_end(3);
  const double rest = ionic_model(twin.tissue.model).rest;
  const auto at = [&](const std::vector<double>& v, double x, double y) {
    for (std::size_t i = 0; i < v.size(); ++i)
      if ((twin.anatomy.mesh.points()[i] - Vec3(x, y, 0)).norm() < 1e-6) return v[i] - rest;
    ADD_FAILURE() << "no node at " << x << ", " << y;
    return 0.0;
  };
  EXPECT_GT(at(cathode, 8, 8), 2);
  EXPECT_GT(at(cathode, 8, 9.5), 0.04);   // across the fibres: still depolarised
  EXPECT_LT(at(cathode, 9.5, 8), -0.04);  // along them: a virtual anode
  EXPECT_LT(at(cathode, 6.5, 8), -0.04);
  EXPECT_LT(at(anode, 8, 8), -2);
  EXPECT_GT(at(anode, 9.5, 8), 0.04);
  // With equal ratios there are none.
  Twin equal = twin;
  equal.tissue = tissue(0.27, 0.27);
  Simulation sim(equal, options);
  sim.add(Protocol{.stimuli = {}, .currents = {{.position = {8, 8, 0}, .radius = 0.3, .duration = 2, .current = -3}}});
  sim.run(2);
  EXPECT_GT(at(sim.voltage(), 9.5, 8), -0.01);
  std::vector<std::string> rows;
  for (const double r : {0.0, 0.5, 1.0, 1.5, 2.0, 3.0})
    rows.push_back(fmt::format("{:g} | {:.2f} | {:.2f}", r, at(cathode, 8 + r, 8), at(cathode, 8, 8 + r)));
  test::record_table("distance [mm] | V - rest along the fibres [mV] | across them", rows);
}

TEST(Bidomain, MembersOfAnEnsembleAreRunsAlone) {
  const Twin twin = slab(tissue(0.27, 0.08), 0.5);
  const SimulationOptions options = bidomain();
  Ensemble ensemble(twin, options, 3);
  std::vector<std::vector<double>> together(3);
  ensemble.for_each(3, [&](std::size_t k, Simulation& sim) {
    sim.add(test::pulse_at_low_end(twin.anatomy.mesh, 1.0, 2.0 * double(k)));
    sim.run(15);
    together[k] = sim.potential();
  });
  Simulation alone(twin, options);
  alone.add(test::pulse_at_low_end(twin.anatomy.mesh, 1.0, 2.0));
  alone.run(15);
  EXPECT_EQ(together[1], alone.potential());
}

// A lesion conducts outside the cells only: as core does.
TEST(Bidomain, LesionsAreTissueThatDoesNotConduct) {
  Twin twin = slab(tissue(0.27, 0.08));
  SimulationOptions options = bidomain();
  options.lesions = {{.position = {5, 2, 1}, .radius = 1.2}};
  Simulation sim(twin, options);
  sim.add(test::pulse_at_low_end(twin.anatomy.mesh));
  sim.run(10);
  const auto centre =
      test::nodes_where(twin.anatomy.mesh, [](const Vec3& p) { return (p - Vec3(5, 2, 1)).norm() < 0.3; });
  ASSERT_FALSE(centre.empty());
  const auto v = sim.voltage(), phi = sim.potential();
  for (const Index i : centre) EXPECT_TRUE(std::isnan(v[i]) && std::isfinite(phi[i])) << i;
}

TEST(Bidomain, RefusesWhatCannotBe) {
  const Twin twin = slab(tissue(0.27, 0.08));
  const auto says = [](const std::string& part, const auto& f) {
    EXPECT_NE(test::message(f).find(part), std::string::npos) << test::message(f);
  };
  auto options = bidomain();
  Simulation sim(twin, options), monodomain(twin, {});
  const ElectrodeCurrent in{.position = {4, 2, 1}, .radius = 0.6, .start = 10, .duration = 2, .current = 500};
  says("between 10 and 11 ms the electrodes add up to 500 uA, and nothing is grounded",
       [&] { sim.add({.stimuli = {}, .currents = {in}}); });
  auto out = in;
  out.current = -400, out.position.x() = 1;
  says("add up to 100 uA", [&] { sim.add({.stimuli = {}, .currents = {in, out}}); });
  out.current = -500;
  sim.add({.stimuli = {}, .currents = {in, out}});
  out.position.x() = 40;
  says("mm from all that conducts", [&] { sim.add({.stimuli = {}, .currents = {in, out}}); });
  says("which a monodomain has not", [&] { monodomain.add({.stimuli = {}, .currents = {in}}); });
  says("no extracellular potential", [&] { monodomain.potential(); });
  says("have no lesions", [&] { sim.vary({.lesions = {{.position = {5, 2, 1}, .radius = 1}}}); });
  options.bidomain.interval = -1;
  says("interval = -1 ms must be positive", [&] { Simulation{twin, options}; });
  options = bidomain();
  options.bidomain.torso = bath(-0.5);
  says("does not enclose the heart", [&] { Simulation{twin, options}; });
  auto poor = std::make_shared<Torso>(*bath(1));
  poor->conductivity["bath"] = 0;
  options.bidomain.torso = poor;
  says("conductivity", [&] { Simulation{twin, options}; });
  auto broken = std::make_shared<Torso>(*bath(1));
  std::vector<Vec3> points(broken->mesh.points().begin(), broken->mesh.points().end());
  std::vector<Tet> tets(broken->mesh.tets().begin(), broken->mesh.tets().end());
  const auto n = static_cast<Index>(points.size());
  for (const Vec3& p : {Vec3(50, 0, 0), Vec3(60, 0, 0), Vec3(50, 10, 0), Vec3(50, 0, 10)}) points.push_back(p);
  tets.push_back({n, n + 1, n + 2, n + 3});
  broken->mesh = Mesh(points, tets, std::vector<Label>(tets.size(), 1));
  options.bidomain.torso = broken;
  says("falls into 2 pieces", [&] { Simulation{twin, options}; });
}

}  // namespace
}  // namespace cardiotwin
