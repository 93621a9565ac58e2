// The bidomain problems of Pathmanathan & Gray 2014 (doi 10.1002/cnm.2615), stepped as the engine does: the
// monodomain's fused step, and between elliptic solves a source that makes up the difference.
//
//   sigma_e = sigma_i (1 - k) / k,  k = 1 / sqrt 2,  b = (1 - k) times that of the monodomain
//   V = sqrt(1 + t) F,  phi = -k V + const
//
// In a bath (x < 0 and x > 1) V + phi must have no flux through the interface, though current passes: with u3 = -c x
//
//   V = U + u3,  phi = -k U + c x in the muscle,  U = sqrt(1 + t) F
//   phi = -k U(edge, y) + c (edge + sigma_e,x / sigma_b (x - edge)) beyond its edges at x = 0 and 1
//
// is exact: continuous, with the same current c sigma_e,x on both sides. In the bath it needs the volume current
// -sigma_b k (2 pi)^2 U(edge, y), which adds up to nothing, and c sigma_e,x through its ends.
#include <gtest/gtest.h>

#include <cardiotwin/kernels/elliptic.hpp>

#include "../../libcardiotwin/src/conductor.hpp"
#include "../../libcardiotwin/src/fem.hpp"
#include "pathmanathan_gray.hpp"
#include "support/record_table.hpp"

namespace cardiotwin {
namespace {

using namespace pathmanathan_gray;

const double k = 1 / std::sqrt(2.0);
const Vec3 sigma_i = Vec3(1.1, 1.2, 0.3) / (pi * pi), sigma_e = sigma_i * ((1 - k) / k);
constexpr double bath_conductivity = 0.4, slope = 0.3;  // sigma_b, c

struct Errors {
  double v, phi;
};

/// The muscle [0, 1]^d and where asked for half a unit of bath on either side, on one mesh of plates.
class Problem {
 public:
  Problem(int dimensions, int cells, bool bath)
      : exact_{dimensions}, cells_(cells), bath_(bath), mesh_(make_mesh(dimensions, cells, bath)) {
    const fem::Stars stars = fem::stars(mesh_);
    stiffness_ = fem::stiffness(mesh_, stars, [&](std::size_t t) { return tensor(t, sigma_i, 0); });
    const fem::Matrix all =
        fem::stiffness(mesh_, stars, [&](std::size_t t) { return tensor(t, sigma_i + sigma_e, bath_conductivity); });
    grid_ = std::make_shared<const kernels::Multigrid>(to_sparse(all));
    solver_ = kernels::make_elliptic_solver(grid_, 1, kernels::Real::fp64, {});
    lumped_.assign(mesh_.node_count(), 0.0);
    for (std::size_t t = 0; t < mesh_.tet_count(); ++t)
      for (const Index node : mesh_.tets()[t])
        if (muscle(t)) lumped_[node] += mesh_.volume(t) / 4;
    mass_ = fem::pattern(mesh_, stars);
    fem::assemble(mesh_, stars, mass_, [&](std::size_t t, int corner, double* row) {
      for (int b = 0; b < 4; ++b) row[b] = muscle(t) ? mesh_.volume(t) / (b == corner ? 10 : 20) : 0.0;
    });
    make_currents();
    phi_.assign(mesh_.node_count(), 0.0);
    for (const Vec3& p : mesh_.points()) v_.push_back(exact_v(p, 0));
  }

  /// Largest errors of five moments, with dt = h^2 / `steps_per_unit` and a solve every `interval` steps.
  Errors run(int interval, double steps_per_unit = 0.2) {
    const int steps = int(steps_per_unit * cells_ * cells_);
    const double dt = 1.0 / steps;
    const std::size_t n = v_.size();
    Cells cells(mesh_.points(), exact_, 1 - k);
    std::vector<double> flow(n), source(n, 0.0), d(n, 0.0), md(n), ones(n);
    Errors worst{0, 0};
    for (int step = 0; step <= steps; ++step) {
      const double time = step * dt;
      if (step % interval == 0 || step % (steps / 5) == 0) solve(time, source);
      if (step > 0 && step % (steps / 5) == 0) worst = larger(worst, errors(time));
      // Monodomain: K (1 - k), as sigma_i sigma_e / (sigma_i + sigma_e) = (1 - k) sigma_i.
      stiffness_.multiply(v_, flow), mass_.multiply(d, md);
      for (std::size_t i = 0; i < n; ++i) {
        if (lumped_[i] == 0) continue;
        const double diffused = v_[i] - dt * (1 - k) * flow[i] / (chi * capacitance * lumped_[i]) + dt * source[i] +
                                2.0 / 3 * (md[i] / lumped_[i] - d[i]);
        const double u3 = bath_ ? -slope * mesh_.points()[i].x() : 0.0;
        d[i] = -dt * cells.step(i, diffused - u3, dt) / capacitance;
        v_[i] = diffused + d[i];
      }
    }
    return worst;
  }

 private:
  static Mesh make_mesh(int dimensions, int cells, bool bath) {
    const double h = 1.0 / cells;
    const Mesh box = box_mesh({bath ? 2.0 : 1.0, dimensions > 1 ? 1.0 : h, dimensions > 2 ? 1.0 : h}, h);
    std::vector<Vec3> points;
    std::vector<Label> labels;
    for (const Vec3& p : box.points()) points.push_back(bath ? Vec3(p - Vec3(0.5, 0, 0)) : p);
    for (std::size_t t = 0; t < box.tet_count(); ++t) {
      const double x = box.centroid(t).x() - (bath ? 0.5 : 0);
      labels.push_back(x > 0 && x < 1 ? 1 : 2);
    }
    return {points, {box.tets().begin(), box.tets().end()}, labels};
  }
  bool muscle(std::size_t t) const { return mesh_.labels()[t] == 1; }
  Mat3 tensor(std::size_t t, const Vec3& inside, double outside) const {
    return muscle(t) ? Mat3(inside.asDiagonal()) : Mat3(outside * Mat3::Identity());
  }

  double u(const Vec3& p, double time) const { return std::sqrt(1 + time) * exact_.f(p); }
  double exact_v(const Vec3& p, double time) const { return u(p, time) - (bath_ ? slope * p.x() : 0); }
  double exact_phi(const Vec3& p, double time) const {
    if (!bath_) return -k * u(p, time);
    const double edge = std::clamp(p.x(), 0.0, 1.0);
    return -k * u({edge, p.y(), p.z()}, time) + slope * (edge + sigma_e.x() / bath_conductivity * (p.x() - edge));
  }

  /// Per node and sqrt(1 + t) what flows in the bath's volume, and what flows through its ends.
  void make_currents() {
    volume_current_.assign(mesh_.node_count(), 0.0), end_current_ = volume_current_;
    for (std::size_t t = 0; t < mesh_.tet_count(); ++t) {
      if (muscle(t)) continue;
      for (const Index node : mesh_.tets()[t]) {
        const Vec3& p = mesh_.points()[node];
        const Vec3 edge(std::clamp(p.x(), 0.0, 1.0), p.y(), p.z());
        volume_current_[node] -= mesh_.volume(t) / 4 * bath_conductivity * k * 4 * pi * pi * exact_.f(edge);
      }
    }
    if (!bath_) return;
    for (const BoundaryFace& face : boundary_faces(mesh_)) {
      double x = 0;
      for (const Index node : face.nodes) x += mesh_.points()[node].x() / 3;
      const double sign = x > 1.499 ? 1 : x < -0.499 ? -1 : 0;
      const auto& p = mesh_.points();
      const double area = (p[face.nodes[1]] - p[face.nodes[0]]).cross(p[face.nodes[2]] - p[face.nodes[0]]).norm() / 2;
      for (const Index node : face.nodes) end_current_[node] += sign * area / 3 * slope * sigma_e.x();
    }
  }

  /// phi from V, and s = -(K (V + phi) - (1 - k) K V) / (chi Cm M).
  void solve(double time, std::vector<double>& source) {
    const std::size_t n = v_.size();
    std::vector<double> flow(n), carried(n), b(n);
    stiffness_.multiply(v_, flow);
    for (std::size_t i = 0; i < n; ++i) b[i] = -flow[i] + std::sqrt(1 + time) * volume_current_[i] + end_current_[i];
    iterations_ += solver_->solve(b, phi_, 1e-7)[0].iterations;
    stiffness_.multiply(phi_, carried);
    for (std::size_t i = 0; i < n; ++i)
      source[i] = lumped_[i] > 0 ? -(k * flow[i] + carried[i]) / (chi * capacitance * lumped_[i]) : 0.0;
  }

  Errors errors(double time) const {
    // phi up to a constant: both with mean 0.
    std::vector<double> off(phi_.size());
    double mean = 0, total = 0;
    for (std::size_t t = 0; t < mesh_.tet_count(); ++t) {
      for (const Index node : mesh_.tets()[t])
        mean += mesh_.volume(t) / 4 * (phi_[node] - exact_phi(mesh_.points()[node], time));
      total += mesh_.volume(t);
    }
    for (std::size_t i = 0; i < off.size(); ++i) off[i] = phi_[i] - mean / total;
    return {l2_error(
                mesh_, v_, [&](const Vec3& p) { return exact_v(p, time); }, [&](std::size_t t) { return muscle(t); }),
            l2_error(mesh_, off, [&](const Vec3& p) { return exact_phi(p, time); })};
  }
  static Errors larger(const Errors& a, const Errors& b) { return {std::max(a.v, b.v), std::max(a.phi, b.phi)}; }

  Exact exact_;
  int cells_;
  bool bath_;
  Mesh mesh_;
  fem::Matrix stiffness_, mass_;
  std::shared_ptr<const kernels::Multigrid> grid_;
  std::unique_ptr<kernels::EllipticSolver> solver_;
  std::vector<double> lumped_, v_, phi_, volume_current_, end_current_;
  int iterations_ = 0;
};

std::string row(const char* name, const std::vector<Errors>& errors, double ratio) {
  std::string text = name;
  for (const Errors& e : errors) text += fmt::format(" | {:.5f} / {:.5f}", e.v, e.phi);
  const auto &a = errors[errors.size() - 2], &b = errors.back();
  return text + fmt::format(" | {:.2f} / {:.2f}", order(a.v, b.v, ratio), order(a.phi, b.phi, ratio));
}

TEST(PathmanathanGrayBidomain, on_a_square) {
  std::vector<Errors> errors;
  for (const int cells : {10, 20, 40, 80}) errors.push_back(Problem(2, cells, false).run(5));
  test::record_table("error of V / phi | h = 0.1 | 0.05 | 0.025 | 0.0125 | order", {row("square", errors, 2)});
  for (std::size_t e = 2; e < errors.size(); ++e) {
    EXPECT_GT(order(errors[e - 1].v, errors[e].v), 1.9);
    EXPECT_GT(order(errors[e - 1].phi, errors[e].phi), 1.9);
  }
}

// Here sigma_i = 2.4 sigma_e, and where a bath carries the current the step must be stable for sigma_i alone, with a
// solve in each; see kernels::Conductor.
TEST(PathmanathanGrayBidomain, on_a_square_in_a_bath) {
  std::vector<Errors> errors;
  for (const int cells : {20, 40, 80}) errors.push_back(Problem(2, cells, true).run(1, 0.5));
  test::record_table("error of V / phi | h = 0.05 | 0.025 | 0.0125 | order", {row("square in a bath", errors, 2)});
  for (std::size_t e = 1; e < errors.size(); ++e) {
    EXPECT_GT(order(errors[e - 1].v, errors[e].v), 1.9);
    EXPECT_GT(order(errors[e - 1].phi, errors[e].phi), 1.9);
  }
}

// Errors of a public code: V 0.1168, 0.0326, 0.00837, phi 0.0825, 0.0230, 0.00592 at h = 0.1, 0.05, 0.025.
TEST(PathmanathanGrayBidomain, in_a_cube) {
  const Errors published[] = {{0.1168, 0.0825}, {0.0326, 0.0230}, {0.00837, 0.00592}};
  std::vector<Errors> errors;
  for (const int cells : {10, 20, 40, 60}) errors.push_back(Problem(3, cells, false).run(cells * cells / 50));
  test::record_table(
      "error of V / phi | h = 0.1 | 0.05 | 0.025 | 0.0167 | order",
      {"public code | 0.1168 / 0.0825 | 0.0326 / 0.0230 | 0.00837 / 0.00592 | | ", row("cube", errors, 1.5)});
  for (int e = 0; e < 3; ++e) {
    EXPECT_LT(errors[e].v, 1.2 * published[e].v);
    EXPECT_LT(errors[e].phi, 1.2 * published[e].phi);
  }
  EXPECT_GT(order(errors[2].v, errors[3].v, 1.5), 1.9);
  EXPECT_GT(order(errors[2].phi, errors[3].phi, 1.5), 1.9);
}

}  // namespace
}  // namespace cardiotwin
