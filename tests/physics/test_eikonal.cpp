// Eikonal times against exact distances, and against the reaction-diffusion they stand for.
#include <gtest/gtest.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cardiotwin/calibration.hpp>
#include <cardiotwin/eikonal.hpp>
#include <cardiotwin/simulation.hpp>
#include <cmath>
#include <numbers>

#include "support/activation.hpp"
#include "support/record_table.hpp"

namespace cardiotwin {
namespace {

struct Errors {
  double mean = 0, largest = 0;  ///< [ms]
};

/// In a ball of 6 mm cut from the lattice around a source in its middle: against |x - p|_G.
Errors errors_in_ball(double edge, const Velocity& v) {
  constexpr double radius = 6;
  const Vec3 middle = Vec3::Constant(1.1 * radius), f = Vec3(2, -1, 3).normalized();
  Mesh box = lattice_block(2 * middle, edge);
  box =
      test::relabel(box, [&](const Vec3& c) { return (c - middle).norm() < radius ? region::healthy : region::core; });
  const Anatomy a = test::block_twin(std::move(box), {}, f).anatomy;
  const auto times = Eikonal(a).activation({{"healthy", v}}, {{.position = middle}});
  Errors errors;
  double count = 0;
  for (std::size_t i = 0; i < times.size(); ++i) {
    const Vec3 e = a.mesh.points()[i] - middle;
    if (e.norm() > radius - edge) continue;  // the surface is ragged, ways in it are not straight
    const double along = e.dot(f);
    const double exact =
        std::sqrt(along * along / (v.along * v.along) + (e.squaredNorm() - along * along) / (v.across * v.across));
    EXPECT_GE(times[i], exact * (1 - 1e-12));  // interpolation of a convex function is never early
    errors.mean += times[i] - exact, ++count;
    errors.largest = std::max(errors.largest, times[i] - exact);
  }
  errors.mean /= count;
  return errors;
}

// Linear interpolation on faces of size h across a front of radius r is off by h^2 / r per edge travelled, so by
// h log(r / r0) in all: of first order, as the ball where ways are straight has r0 = 2 mm whatever h is.
TEST(Eikonal, ConvergesToTheDistanceWithFirstOrder) {
  std::vector<std::string> rows;
  for (const auto& v : {Velocity{0.6, 0.6}, Velocity{0.6, 0.3}, Velocity{0.6, 0.2}}) {
    Errors before;
    for (const double edge : {1.0, 0.5, 0.25}) {
      const Errors now = errors_in_ball(edge, v);
      const double last = 6 / v.across;
      std::string orders = " | ";
      if (before.mean > 0) {
        const double mean = std::log2(before.mean / now.mean), largest = std::log2(before.largest / now.largest);
        orders = fmt::format("{:.2f} | {:.2f}", mean, largest);
        EXPECT_GT(mean, 0.9) << edge << " mm, " << v.across << " m/s";
        EXPECT_LT(mean, 1.15) << edge << " mm, " << v.across << " m/s";
        EXPECT_GT(largest, 0.7) << edge << " mm, " << v.across << " m/s";
      }
      rows.push_back(fmt::format("{:g} : {:g} | {} | {:.2f} | {:.2f} | {}", v.along, v.across, edge,
                                 100 * now.mean / last, 100 * now.largest / last, orders));
      before = now;
    }
    EXPECT_LT(before.mean, 0.01 * 6 / v.across);
  }
  test::record_table(
      "velocities [m/s] | edge [mm] | mean error, of the latest time [%] | largest [%] | order of the mean | of the "
      "largest",
      rows);
}

/// A slab of 24 x 12 x 5 mm whose fibres turn by 60 degrees through it; `slow`: border zone where y > 6.
Twin turning_slab(double edge, bool slow) {
  Twin twin = test::block_twin(lattice_block({24, 12, 5}, edge), Tissue::library("post-infarct"));
  Anatomy& a = twin.anatomy;
  a.mesh =
      test::relabel(a.mesh, [&](const Vec3& c) { return slow && c.y() > 6 ? region::border_zone : region::healthy; });
  for (std::size_t t = 0; t < a.mesh.tet_count(); ++t) {
    const double angle = (a.mesh.centroid(t).z() / 5 - 0.5) * std::numbers::pi / 3;
    const Mat3 turn = Eigen::AngleAxis<double>(angle, Vec3::UnitZ()).toRotationMatrix();
    a.fibers.f[t] = turn.col(0), a.fibers.s[t] = turn.col(1), a.fibers.n[t] = turn.col(2);
  }
  return twin;
}

struct Difference {
  double mean = 0, largest = 0;  ///< eikonal - simulated, of the latest LAT
};

/// The wave is handed over where it has come 4 mm, so that what the stimulus does takes no part; nor does the last 2.5
/// mm, where V meets its own reflection and the wave arrives some 1.5 ms early.
Difference compare(const Twin& twin, const std::vector<double>& simulated, const std::map<std::string, Velocity>& v) {
  const Mesh& mesh = twin.anatomy.mesh;
  std::vector<ActivationSource> sources;
  for (const Index node : test::nodes_where(mesh, [](const Vec3& p) { return p.x() > 3.5 && p.x() < 4.5; }))
    sources.push_back({.nodes = {node}, .time = simulated[node]});
  const auto times = Eikonal(twin.anatomy).activation(v, sources);
  Difference result;
  double count = 0, last = 0;
  for (std::size_t i = 0; i < times.size(); ++i) {
    EXPECT_FALSE(std::isnan(simulated[i])) << i;
    last = std::max(last, simulated[i]);
    if (mesh.points()[i].x() < 4.5 || mesh.points()[i].x() > 21.5) continue;
    result.largest = std::max(result.largest, std::abs(times[i] - simulated[i]));
    result.mean += times[i] - simulated[i], ++count;
  }
  result.mean /= count * last, result.largest /= last;
  return result;
}

// With the velocities that are measured of the very tissue. Where a slow region is dragged along by a fast one, the
// front between them is curved, which slows it: the eikonal equation has no such term.
TEST(Eikonal, ArrivesWhenTheReactionDiffusionDoes) {
  std::vector<std::string> rows;
  const double edge = 0.5;
  const SimulationOptions options{.dt = 0.05};
  for (const bool slow : {false, true}) {
    const Twin twin = turning_slab(edge, slow);
    std::map<std::string, Velocity> velocities;
    for (const std::string name : {"healthy", "border_zone"}) {
      if (name == "border_zone" && !slow) continue;
      velocities[name] = {measure_velocity(twin.tissue, name, Axis::along, edge, options).mean,
                          measure_velocity(twin.tissue, name, Axis::across, edge, options).mean};
      ASSERT_GT(velocities[name].across, 0);
    }
    const auto simulated = test::lats(twin, options, 90);
    const Difference right = compare(twin, simulated, velocities);
    EXPECT_LT(right.largest, slow ? 0.08 : 0.03);
    EXPECT_LT(std::abs(right.mean), 0.015);
    velocities["healthy"].along *= 1.1;  // the comparison must notice
    const Difference wrong = compare(twin, simulated, velocities);
    EXPECT_GT(wrong.largest, right.largest + 0.02);
    for (const auto& [what, d] : {std::pair{"as measured", right}, {"healthy along 10 % faster", wrong}})
      rows.push_back(fmt::format("{} | {} | {:.2f} | {:.2f}", slow ? "healthy and border zone" : "healthy", what,
                                 100 * d.mean, 100 * d.largest));
  }
  test::record_table("slab | velocities | mean difference, of the latest LAT [%] | largest [%]", rows);
}

}  // namespace
}  // namespace cardiotwin
