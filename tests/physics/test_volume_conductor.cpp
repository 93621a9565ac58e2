// Potentials around a heart against closed forms, and lead fields against the full bidomain in a torso.
#include <gtest/gtest.h>

#include <cardiotwin/volume_conductor.hpp>
#include <cmath>
#include <numbers>

#include "support/blocks.hpp"
#include "support/record_table.hpp"

namespace cardiotwin {
namespace {

constexpr double pi = std::numbers::pi;

Tissue tissue(double intracellular, double extracellular) {
  Tissue t = Tissue::library("healthy-tt2006");
  t.regions["healthy"].intracellular = {.along = intracellular, .across = intracellular};
  t.regions["healthy"].extracellular = {.along = extracellular, .across = extracellular};
  return t;
}

Twin moved(Twin twin, const Vec3& by) {
  std::vector<Vec3> points;
  for (const Vec3& p : twin.anatomy.mesh.points()) points.push_back(p + by);
  const auto tets = twin.anatomy.mesh.tets();
  const auto labels = twin.anatomy.mesh.labels();
  twin.anatomy.mesh = Mesh(points, {tets.begin(), tets.end()}, {labels.begin(), labels.end()});
  return twin;
}

/// A cube of muscle of 6 mm around `centre`.
Twin cube(const Vec3& centre, double intracellular = 0.1, double extracellular = 0.1) {
  return moved(test::block_twin(box_mesh({6, 6, 6}, 1), tissue(intracellular, extracellular)), centre - Vec3(3, 3, 3));
}

/// V that rises along `direction`: the cube is then a dipole of -sigma_i grad V times its volume [uA mm].
std::vector<double> ramp(const Twin& twin, const Vec3& direction) {
  std::vector<double> v;
  for (const Vec3& p : twin.anatomy.mesh.points()) v.push_back(10 * direction.dot(p));
  return v;
}
Vec3 dipole(const Vec3& direction) { return -0.1 * 10 * 216 * direction; }

/// A ball of radius 40 mm: a grid of so many cells across, pushed out to it.
std::shared_ptr<const Torso> ball(int cells, double sigma) {
  constexpr double radius = 40;
  const Mesh box = box_mesh(Vec3(2, 2, 2), 2.0 / cells);
  std::vector<Vec3> points;
  for (const Vec3& q : box.points()) {
    const Vec3 p = q - Vec3::Ones();
    const double largest = p.cwiseAbs().maxCoeff();
    points.push_back(largest > 0 ? Vec3(radius * largest / p.norm() * p) : p);
  }
  auto torso = std::make_shared<Torso>();
  torso->mesh = Mesh(points, {box.tets().begin(), box.tets().end()}, {box.labels().begin(), box.labels().end()});
  torso->regions = {{1, "torso"}};
  torso->conductivity = {{"torso", sigma}};
  return torso;
}

std::vector<Electrode> on_sphere(double radius) {
  std::vector<Electrode> result;
  for (const double polar : {0.3, 0.9, 1.5, 2.2, 2.9})
    for (const double turn : {0.1, 2.0, 4.4})
      result.push_back(
          {fmt::format("{:g} {:g}", polar, turn),
           radius * Vec3(std::sin(polar) * std::cos(turn), std::sin(polar) * std::sin(turn), std::cos(polar))});
  return result;
}

/// On the surface of a sphere for a dipole p on the z axis at a distance f from the centre, as a series of Legendre
/// functions (e.g. Yao 2000, doi 10.1109/10.871416): radial 1/(4 pi s R^2) sum (2n+1) (f/R)^(n-1) P_n p_z, tangential
/// the same with P_n^1 (2n+1)/n p_x cos(turn).
double in_sphere(const Vec3& position, const Vec3& p, double f, double sigma) {
  const double radius = position.norm(), x = position.z() / radius, rho = std::sqrt(1 - x * x);
  const double turn = std::atan2(position.y(), position.x());
  double before = 1, now = x, sum = 0, power = 1;  // P_0, P_1
  double d_before = 0, d_now = 1;                  // their derivatives
  for (int n = 1; n < 200; ++n) {
    sum += power * (2 * n + 1) * (now * p.z() + d_now * rho / n * (p.x() * std::cos(turn) + p.y() * std::sin(turn)));
    const double next = ((2 * n + 1) * x * now - n * before) / (n + 1);
    const double d_next = d_before + (2 * n + 1) * now;
    before = now, now = next, d_before = d_now, d_now = d_next;
    power *= f / radius;
  }
  return sum / (4 * pi * sigma * radius * radius);
}

/// Largest difference over the largest value, both without their means.
double relative_error(std::vector<double> a, std::vector<double> b) {
  double worst = 0, size = 0, mean_a = 0, mean_b = 0;
  EXPECT_EQ(a.size(), b.size());
  for (const double value : a) EXPECT_TRUE(std::isfinite(value));  // std::max would not see NaN
  for (std::size_t i = 0; i < a.size(); ++i) mean_a += a[i] / double(a.size()), mean_b += b[i] / double(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    worst = std::max(worst, std::abs(a[i] - mean_a - (b[i] - mean_b)));
    size = std::max(size, std::abs(b[i] - mean_b));
  }
  return worst / size;
}

TEST(VolumeConductor, DipoleInAnUnboundedMedium) {
  const Twin twin = cube(Vec3::Zero());
  const auto electrodes = on_sphere(40);
  const auto leads = unbounded_lead_fields(twin, electrodes, 0.2);
  for (const Vec3& direction : {Vec3(1, 0, 0), Vec3(0.3, -0.5, 0.8)}) {
    std::vector<double> exact;
    for (const Electrode& e : electrodes)
      exact.push_back(dipole(direction).dot(e.position) / (4 * pi * 0.2 * std::pow(e.position.norm(), 3)));
    EXPECT_LT(relative_error(leads.potentials(ramp(twin, direction)), exact), 1e-3);
    const auto p = dipole_fields(twin).potentials(ramp(twin, direction));
    EXPECT_LT((Vec3(p[0], p[1], p[2]) - dipole(direction)).norm(), 1e-6 * dipole(direction).norm());
  }
}

// Muscle and torso conduct alike, so the sphere is homogeneous. A grid of 44 cells across: tets of 1.8 mm edge.
TEST(VolumeConductor, DipoleInASphere) {
  std::vector<std::string> rows;
  for (const double f : {0.0, 12.0}) {
    const Twin twin = cube({0, 0, f});
    const auto electrodes = on_sphere(40);
    const auto torso = ball(44, 0.2);
    const VolumeConductor conductor(twin, torso);
    const auto leads = conductor.lead_fields(electrodes);
    for (const Vec3& direction : {Vec3(0, 0, 1), Vec3(1, 0, 0), Vec3(0.6, 0.7, -0.4)}) {
      std::vector<double> exact;
      for (const Electrode& e : electrodes) exact.push_back(in_sphere(e.position, dipole(direction), f, 0.2));
      const auto v = ramp(twin, direction);
      const double error = relative_error(leads.potentials(v), exact);
      EXPECT_LT(error, 0.01) << f << " " << direction.transpose();
      rows.push_back(
          fmt::format("{:g} | {:g} {:g} {:g} | {:.4f}", f, direction.x(), direction.y(), direction.z(), error));
      // The same by solving for phi everywhere.
      const auto phi = conductor.potential(v);
      PotentialProbe probe(torso->mesh, electrodes, 1);
      probe.sample_potential(0, phi);
      EXPECT_LT(relative_error(probe.electrodes().values, leads.potentials(v)), 1e-5);
    }
  }
  test::record_table("distance from the centre [mm] | direction | largest error, relative", rows);
}

// What users of other codes have met: heart and torso exchanged, intra- and extracellular exchanged.
TEST(VolumeConductor, ExchangedConductivitiesAreFoundOut) {
  const auto electrodes = on_sphere(40);
  std::vector<double> exact;
  for (const Electrode& e : electrodes) exact.push_back(in_sphere(e.position, dipole({0, 0, 1}), 20, 0.2));
  const auto error = [&](double intracellular, double extracellular, double around) {
    const Twin twin = cube({0, 0, 20}, intracellular, extracellular);
    return relative_error(
        VolumeConductor(twin, ball(24, around)).lead_fields(electrodes).potentials(ramp(twin, {0, 0, 1})), exact);
  };
  EXPECT_LT(error(0.1, 0.1, 0.2), 0.02);
  EXPECT_GT(error(0.1, 0.2, 0.1), 0.3);
  EXPECT_GT(error(0.05, 0.15, 0.2), 0.3);
}

/// A box of its own grid, partly lung.
std::shared_ptr<const Torso> box_torso() {
  const Mesh box = box_mesh({30, 30, 30}, 1.4);
  std::vector<Vec3> points;
  std::vector<Label> labels;
  for (const Vec3& p : box.points()) points.push_back(p - Vec3(10, 10, 10));
  for (std::size_t t = 0; t < box.tet_count(); ++t) labels.push_back(box.centroid(t).x() < 6 ? 2 : 1);
  auto torso = std::make_shared<Torso>();
  torso->mesh = Mesh(points, {box.tets().begin(), box.tets().end()}, labels);
  torso->regions = {{1, "torso"}, {2, "lungs"}};
  torso->conductivity = {{"torso", 0.22}, {"lungs", 0.0389}};
  return torso;
}

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  double ab = 0, aa = 0, bb = 0, mean_a = 0, mean_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) mean_a += a[i] / double(a.size()), mean_b += b[i] / double(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - mean_a) * (b[i] - mean_b);
    aa += (a[i] - mean_a) * (a[i] - mean_a), bb += (b[i] - mean_b) * (b[i] - mean_b);
  }
  return ab / std::sqrt(aa * bb);
}

double amplitude(const std::vector<double>& a) {
  return *std::max_element(a.begin(), a.end()) - *std::min_element(a.begin(), a.end());
}

// Lead fields against a bidomain that carries its torso along: for its own V they must give what it has; for that of a
// monodomain the rest is what the torso does to the wave, which runs faster where the torso touches the muscle (Bishop
// & Plank 2011, doi 10.1109/TBME.2011.2148718).
TEST(VolumeConductor, LeadFieldsAreWhatTheWholeBidomainShows) {
  const Twin twin = test::block_twin(box_mesh({10, 10, 10}, 0.5), Tissue::library("post-infarct"));
  const auto torso = box_torso();
  const std::vector<Electrode> electrodes{{"left", {20, 5, 5}},
                                          {"right", {-10, 5, 5}},
                                          {"front", {5, -10, 5}},
                                          {"above", {5, 5, 20}},
                                          {"far", {19, 19, 19}}};
  const auto leads = std::make_shared<const LeadFields>(VolumeConductor(twin, torso).lead_fields(electrodes));
  SimulationOptions options{.dt = 0.05};
  Simulation monodomain(twin, options);
  options.model = TissueModel::bidomain, options.bidomain.torso = torso;
  Simulation bidomain(twin, options);
  auto& by_leads = monodomain.add(EcgRecorder(leads, 0.5));
  auto& same_v = bidomain.add(EcgRecorder(leads, 0.5));
  auto& whole = bidomain.add(PotentialProbe(torso->mesh, electrodes, 0.5));
  for (Simulation* sim : {&monodomain, &bidomain}) {
    Protocol protocol;
    protocol.stimuli.push_back({.nodes = test::nodes_where(twin.anatomy.mesh, [](const Vec3& p) {
                                  return (p - Vec3(3, 4, 5)).norm() < 1.6;
                                })});
    sim->add(protocol);
    sim->run(40);
  }
  std::vector<std::string> rows;
  for (std::size_t e = 0; e + 1 < electrodes.size(); ++e) {
    // Leads against the last electrode.
    const auto lead = [&](const Ecg& ecg) {
      auto a = ecg.channel(electrodes[e].name);
      const auto b = ecg.channel("far");
      for (std::size_t i = 0; i < a.size(); ++i) a[i] -= b[i];
      return a;
    };
    const auto reference = lead(whole.electrodes()), mono = lead(by_leads.electrodes()),
               same = lead(same_v.electrodes());
    EXPECT_GT(correlation(same, reference), 0.9999) << electrodes[e].name;
    EXPECT_NEAR(amplitude(same) / amplitude(reference), 1, 0.002) << electrodes[e].name;
    EXPECT_GT(correlation(mono, reference), 0.99) << electrodes[e].name;
    EXPECT_NEAR(amplitude(mono) / amplitude(reference), 1, 0.05) << electrodes[e].name;
    rows.push_back(fmt::format("{} | {:.6f} | {:.4f} | {:.4f} | {:.4f}", electrodes[e].name,
                               correlation(same, reference), amplitude(same) / amplitude(reference),
                               correlation(mono, reference), amplitude(mono) / amplitude(reference)));
  }
  test::record_table(
      "electrode | with the bidomain's V: correlation | ratio of amplitudes | with the monodomain's V: correlation | "
      "ratio of amplitudes",
      rows);
}

TEST(VolumeConductor, RefusesWhatCannotBe) {
  const Twin twin = cube(Vec3::Zero());
  const auto says = [](const std::string& part, const auto& f) {
    EXPECT_NE(test::message(f).find(part), std::string::npos) << test::message(f);
  };
  const VolumeConductor conductor(twin, ball(8, 0.2));
  says("deep in the muscle", [&] { conductor.lead_fields({{"tip", {0.2, 0, 0}}}); });
  says("deep in the muscle", [&] { unbounded_lead_fields(twin, {{"tip", {0.2, 0, 0}}}, 0.2); });
  says("Electrode \"V1\" at (70.0, 0.0, 0.0) mm lies 30.0 mm outside the torso", [&] {
    conductor.lead_fields({{"V1", {70, 0, 0}}});
  });
  says("mm outside the heart, and no torso is given", [&] { VolumeConductor(twin).lead_fields({{"V1", {70, 0, 0}}}); });
  says("conductivity = 0 S/m", [&] { unbounded_lead_fields(twin, {{"V1", {70, 0, 0}}}, 0); });
  says("does not enclose the heart", [&] { VolumeConductor(cube({39, 0, 0}), ball(8, 0.2)); });
  says("V has 2 numbers", [&] { conductor.potential(std::vector<double>(2, 0.0)); });
  says("is not finite", [&] { conductor.potential(std::vector<double>(343, NAN)); });
}

}  // namespace
}  // namespace cardiotwin
