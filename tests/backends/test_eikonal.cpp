// The eikonal solver: against exact plane waves, an independent local minimum, finite differences, and itself with
// other threads and backends.
#include <gtest/gtest.h>

#include <algorithm>
#include <cardiotwin/kernels/eikonal.hpp>
#include <cmath>
#include <limits>
#include <numeric>

#include "says.hpp"
#include "tet_blocks.hpp"

namespace cardiotwin::kernels {
namespace {

using test::TetBlock;
using Vector = std::vector<double>;

constexpr double infinity = std::numeric_limits<double>::infinity();

std::unique_ptr<EikonalSolver> solver_of(const TetBlock& block, const Vector& metric, const Device& device = {}) {
  auto solver = make_eikonal_solver(block.points, block.tets, device);
  solver->set_metric(metric);
  return solver;
}

Vector times_of(EikonalSolver& solver, const TetBlock& block, const std::vector<EikonalSeed>& seeds) {
  Vector times(block.nodes());
  solver.solve(seeds, times);
  return times;
}

double dot(const Vector& a, const Vector& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

Vector random_vector(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  Vector result(n);
  for (double& x : result) x = 2 * test::uniform(random) - 1;
  return result;
}

/// |x|_G
double length(const double* g, const std::array<double, 3>& x) {
  return std::sqrt(g[0] * x[0] * x[0] + g[1] * x[1] * x[1] + g[2] * x[2] * x[2] +
                   2 * (g[3] * x[0] * x[1] + g[4] * x[0] * x[2] + g[5] * x[1] * x[2]));
}

class EikonalTest : public testing::TestWithParam<Device> {
 protected:
  void SetUp() override {
    if (GetParam().kind == Device::Kind::cuda)
      if (const auto reason = cuda_unavailable(0); !reason.empty()) GTEST_SKIP() << reason;
  }
};
constexpr Device tested_devices[] = {
    {Device::Kind::cpu, 1}, {Device::Kind::cpu, 3}, {Device::Kind::checked, 0}, {Device::Kind::cuda, 0}};
constexpr const char* device_names[] = {"cpu1", "cpu3", "checked", "cuda"};
INSTANTIATE_TEST_SUITE_P(Devices, EikonalTest, testing::ValuesIn(tested_devices),
                         [](const auto& tested) { return device_names[tested.index]; });

// T is linear and enters by three sides, where it is given: every node has it to rounding.
TEST_P(EikonalTest, PlaneWaveIsExact) {
  const TetBlock block = test::tet_block(9, 0.15, 1);
  const std::array<double, 3> fiber{2, 1, 2}, v{3, 2, 1};  // v: the way the wave runs; grad T = G v / |v|_G
  const auto g = test::metric_of(fiber, 0.6, 0.25);
  Vector metric;
  for (std::size_t t = 0; t < block.tet_count(); ++t) metric.insert(metric.end(), g.begin(), g.end());
  const double norm = length(g.data(), v);
  const std::array<double, 3> slope{(g[0] * v[0] + g[3] * v[1] + g[4] * v[2]) / norm,
                                    (g[3] * v[0] + g[1] * v[1] + g[5] * v[2]) / norm,
                                    (g[4] * v[0] + g[5] * v[1] + g[2] * v[2]) / norm};
  Vector exact;
  std::vector<EikonalSeed> seeds;
  for (std::size_t i = 0; i < block.nodes(); ++i) {
    const double* p = block.point(i);
    exact.push_back(7 + slope[0] * p[0] + slope[1] * p[1] + slope[2] * p[2]);
    if (p[0] == 0 || p[1] == 0 || p[2] == 0) seeds.push_back({std::int32_t(i), exact.back()});
  }
  EXPECT_LT(seeds.size(), block.nodes() / 3);
  const auto solver = solver_of(block, metric, GetParam());
  const auto times = times_of(*solver, block, seeds);
  const double last = *std::max_element(exact.begin(), exact.end());
  for (std::size_t i = 0; i < exact.size(); ++i) ASSERT_NEAR(times[i], exact[i], 1e-12 * last) << i;
}

/// The least of T(y) + |x - y|_G over a face, by nested section of an interval: independent of any formula.
double least_over_face(const Vector& t, const TetBlock& block, const double* g, std::size_t node,
                       const std::array<std::size_t, 3>& face) {
  const double* x = block.point(node);
  const auto value = [&](double a, double b) {  // weights (1 - a) (1 - b), (1 - a) b, a
    const std::array<double, 3> weight{(1 - a) * (1 - b), (1 - a) * b, a};
    std::array<double, 3> e{x[0], x[1], x[2]};
    double time = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      time += weight[k] * t[face[k]];
      for (std::size_t i = 0; i < 3; ++i) e[i] -= weight[k] * block.point(face[k])[i];
    }
    return time + length(g, e);
  };
  const auto least = [](const auto& f) {
    double low = 0, high = 1;
    for (int k = 0; k < 45; ++k) {
      const double p = low + (high - low) / 3, q = high - (high - low) / 3;
      f(p) < f(q) ? high = q : low = p;
    }
    return std::min({f(0.5 * (low + high)), f(0.0), f(1.0)});
  };
  return least([&](double a) { return least([&](double b) { return value(a, b); }); });
}

TEST_P(EikonalTest, EveryNodeHasTheLeastTimeItsTetsOffer) {
  const TetBlock block = test::tet_block(4, 0.2, 2);
  for (const double ratio : {1.0, 4.0}) {
    const auto metric = test::random_metric(block, ratio, 3);
    const std::vector<EikonalSeed> seeds{{7, 1.5}, {93, -0.5}, {100, 1e3}};
    const auto solver = solver_of(block, metric, GetParam());
    const auto t = times_of(*solver, block, seeds);
    Vector offered(block.nodes(), infinity);
    for (const auto& seed : seeds) offered[std::size_t(seed.node)] = seed.time;
    for (std::size_t k = 0; k < block.tets.size(); ++k) {
      const std::size_t tet = k / 4;
      const auto node = std::size_t(block.tets[k]);
      std::array<std::size_t, 3> face;
      for (std::size_t i = 0; i < 3; ++i) face[i] = std::size_t(block.tets[4 * tet + (k + 1 + i) % 4]);
      offered[node] = std::min(offered[node], least_over_face(t, block, &metric[6 * tet], node, face));
    }
    // The section finds the place to 1e-8, the time to its square.
    for (std::size_t i = 0; i < t.size(); ++i) ASSERT_NEAR(t[i], offered[i], 1e-10) << i << ", ratio " << ratio;
    EXPECT_LT(t[100], 100);  // a late seed gives nothing
  }
}

TEST_P(EikonalTest, DerivativesAreThoseOfFiniteDifferences) {
  const TetBlock block = test::tet_block(6, 0.2, 4);
  for (const double ratio : {1.0, 2.5}) {
    const auto metric = test::random_metric(block, ratio, 5);
    const std::vector<EikonalSeed> seeds{{0, 0}, {171, 2}, {300, 1}};
    const auto cost = random_vector(block.nodes(), 6);
    const auto solver = solver_of(block, metric, GetParam());
    const auto times = times_of(*solver, block, seeds);
    const auto dependence = solver->dependence();
    const auto carried = carried_back(block.tets, times, dependence, cost);
    const auto by_metric = metric_gradient(metric, dependence, carried);

    const double step = 1e-5;
    for (std::size_t s = 0; s < seeds.size(); ++s) {
      double j[2];
      for (const int side : {0, 1}) {
        auto moved = seeds;
        moved[s].time += side ? step : -step;
        j[side] = dot(cost, times_of(*solver, block, moved));
      }
      const double exact = carried[std::size_t(seeds[s].node)];
      EXPECT_NEAR((j[1] - j[0]) / (2 * step), exact, 1e-5 * (1 + std::abs(exact))) << s;
      EXPECT_EQ(dependence.tet[std::size_t(seeds[s].node)], -1);
    }
    for (unsigned direction = 0; direction < 4; ++direction) {
      const auto change = random_vector(metric.size(), 10 + direction);
      double j[2];
      for (const int side : {0, 1}) {
        auto moved = metric;
        for (std::size_t k = 0; k < metric.size(); ++k) moved[k] += (side ? step : -step) * change[k];
        solver->set_metric(moved);
        j[side] = dot(cost, times_of(*solver, block, seeds));
      }
      const double exact = dot(by_metric, change);
      EXPECT_NEAR((j[1] - j[0]) / (2 * step), exact, 1e-5 * (1 + std::abs(exact))) << direction;
    }
  }
}

// Seeds that all start later by one move every time by one, whatever goes round in circles; and times that all scale
// with the metric's root give 2 G . dJ/dG = J.
TEST_P(EikonalTest, DerivativesKeepWhatMustHold) {
  const TetBlock block = test::tet_block(8, 0.25, 7);
  const auto metric = test::random_metric(block, 5, 8);
  const std::vector<EikonalSeed> seeds{{40, 0}, {555, 0}};
  const auto solver = solver_of(block, metric, GetParam());
  const auto times = times_of(*solver, block, seeds);
  const auto dependence = solver->dependence();
  int later = 0;
  for (std::size_t i = 0; i < block.nodes(); ++i)
    for (std::size_t c = 0; c < 4 && dependence.tet[i] >= 0; ++c)
      later += dependence.weight[4 * i + c] > 0 &&
               times[std::size_t(block.tets[4 * std::size_t(dependence.tet[i]) + c])] >= times[i];
  EXPECT_GT(later, 10);  // obtuse tets: nodes depend on later ones
  const auto cost = random_vector(block.nodes(), 9);
  const auto carried = carried_back(block.tets, times, dependence, cost);
  EXPECT_NEAR(carried[40] + carried[555], std::accumulate(cost.begin(), cost.end(), 0.0), 1e-11);
  EXPECT_NEAR(2 * dot(metric, metric_gradient(metric, dependence, carried)), dot(cost, times), 1e-9);
}

/// By how much any node's time differs from the least its tets offer, relative.
double residual(const TetBlock& block, const Vector& metric, const Vector& times, const Dependence& dependence) {
  double largest = 0;
  for (std::size_t i = 0; i < block.nodes(); ++i) {
    if (dependence.tet[i] < 0) continue;
    const auto tet = std::size_t(dependence.tet[i]);
    const double* e = &dependence.displacement[3 * i];
    double time = length(&metric[6 * tet], {e[0], e[1], e[2]});
    for (std::size_t c = 0; c < 4; ++c)
      time += dependence.weight[4 * i + c] * times[std::size_t(block.tets[4 * tet + c])];
    largest = std::max(largest, std::abs(time / times[i] - 1));
  }
  return largest;
}

// Nodes that depend on each other, some with a product of weights near 1: sweeps alone need 110 expansions per node.
TEST_P(EikonalTest, CirclesAreSolved) {
  const TetBlock block = test::tet_block(20, 0.2, 18);
  const auto metric = test::random_metric(block, 4, 19);
  const std::vector<EikonalSeed> seeds{{0, 0}, {4630, 3}, {9251, 5}};
  const auto solver = solver_of(block, metric, GetParam());
  Vector times(block.nodes());
  const EikonalWork work = solver->solve(seeds, times);
  EXPECT_GT(double(work.expansions), 4 * double(block.nodes()));  // else there was nothing to solve
  EXPECT_LT(double(work.expansions), 20 * double(block.nodes()));
  const auto dependence = solver->dependence();
  EXPECT_LT(residual(block, metric, times, dependence), 1e-12);
  const auto cost = random_vector(block.nodes(), 21);
  // J is homogeneous in the metric's root and the seeds' times together.
  auto at_once = seeds;
  for (auto& seed : at_once) seed.time = 0;
  const auto from_zero = times_of(*solver, block, at_once);
  const auto carried = carried_back(block.tets, from_zero, solver->dependence(), cost);
  EXPECT_NEAR(2 * dot(metric, metric_gradient(metric, solver->dependence(), carried)), dot(cost, from_zero), 1e-8);
}

TEST_P(EikonalTest, NothingPassesWhereNothingConducts) {
  const TetBlock block = test::tet_block(8, 0, 0);
  auto metric = test::random_metric(block, 2, 11);
  // A wall of one layer of cubes at x in [4, 5], without and with a hole.
  const auto in_wall = [&](std::size_t t) {
    double x = 0;
    for (std::size_t c = 0; c < 4; ++c) x += block.point(std::size_t(block.tets[4 * t + c]))[0] / 4;
    return x > 4 && x < 5;
  };
  const auto whole = metric;
  for (std::size_t t = 0; t < block.tet_count(); ++t)
    if (in_wall(t)) metric[6 * t] = NAN;
  const auto solver = solver_of(block, metric, GetParam());
  const std::vector<EikonalSeed> seeds{{0, 0}};
  const auto blocked = times_of(*solver, block, seeds);
  for (std::size_t i = 0; i < block.nodes(); ++i) EXPECT_EQ(std::isinf(blocked[i]), block.point(i)[0] > 4.5) << i;
  const auto dependence = solver->dependence();
  for (std::size_t i = 0; i < block.nodes(); ++i) EXPECT_EQ(dependence.tet[i] >= 0, i > 0 && block.point(i)[0] < 4.5);
  Vector cost(block.nodes(), 0.0);
  cost[1] = 1;
  EXPECT_EQ(carried_back(block.tets, blocked, dependence, cost)[0], 1);
  cost[8] = 1;  // at x = 8
  test::says("gradient at node 8", [&] { carried_back(block.tets, blocked, dependence, cost); });

  for (std::size_t t = 0; t < block.tet_count(); ++t) {
    const double* p = block.point(std::size_t(block.tets[4 * t]));
    if (p[1] >= 7 && p[2] >= 7) std::copy_n(&whole[6 * t], 6, &metric[6 * t]);
  }
  solver->set_metric(metric);
  const auto around = times_of(*solver, block, seeds);
  solver->set_metric(whole);
  const auto open = times_of(*solver, block, seeds);
  for (std::size_t i = 0; i < block.nodes(); ++i) {
    EXPECT_TRUE(std::isfinite(around[i]));
    EXPECT_GE(around[i], open[i] * (1 - 1e-12));
  }
  EXPECT_GT(around[8], 1.5 * open[8]);
}

// A solver that has solved for something else gives what a new one gives.
TEST_P(EikonalTest, KeepsNothingOfTheSolveBefore) {
  const TetBlock block = test::tet_block(7, 0.2, 12);
  const auto one = test::random_metric(block, 2, 13), two = test::random_metric(block, 3, 14);
  const auto solver = solver_of(block, one, GetParam());
  times_of(*solver, block, {{3, 0}});
  solver->set_metric(two);
  times_of(*solver, block, {{500, 4}});
  EXPECT_EQ(times_of(*solver, block, {{9, 1}, {77, 0}}),
            times_of(*solver_of(block, two, GetParam()), block, {{9, 1}, {77, 0}}));
}

// Renumbering nodes and tets must not matter but for rounding.
TEST_P(EikonalTest, NumberingDoesNotMatter) {
  const TetBlock block = test::tet_block(6, 0.2, 15);
  const auto metric = test::random_metric(block, 3, 16);
  std::mt19937 random(17);
  std::vector<std::int32_t> node(block.nodes()), tet(block.tet_count());
  std::iota(node.begin(), node.end(), 0), std::iota(tet.begin(), tet.end(), 0);
  std::shuffle(node.begin(), node.end(), random), std::shuffle(tet.begin(), tet.end(), random);
  TetBlock other = block;
  Vector moved(metric.size());
  for (std::size_t i = 0; i < block.nodes(); ++i)
    std::copy_n(block.point(i), 3, &other.points[3 * std::size_t(node[i])]);
  for (std::size_t t = 0; t < block.tet_count(); ++t) {
    const auto to = std::size_t(tet[t]);
    for (std::size_t c = 0; c < 4; ++c)  // another corner first
      other.tets[4 * to + c] = node[std::size_t(block.tets[4 * t + (c + t) % 4])];
    std::copy_n(&metric[6 * t], 6, &moved[6 * to]);
  }
  const auto a = times_of(*solver_of(block, metric, GetParam()), block, {{20, 0}});
  const auto solver = solver_of(other, moved, GetParam());
  const auto b = times_of(*solver, other, {{node[20], 0}});
  const auto dependence = solver->dependence();
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto j = std::size_t(node[i]);
    ASSERT_NEAR(a[i], b[j], 1e-12 * a[i]);
  }
  EXPECT_LT(residual(other, moved, b, dependence), 1e-12);
}

TEST(Eikonal, ThreadsDoNotChangeABit) {
  const TetBlock block = test::tet_block(32, 0.2, 18);
  const auto metric = test::random_metric(block, 2.5, 19);
  const std::vector<EikonalSeed> seeds{{0, 0}, {17000, 3}, {35000, 5}};
  Vector first;
  EikonalWork work;
  for (const int threads : {1, 2, 5}) {
    const auto solver = solver_of(block, metric, {Device::Kind::cpu, threads});
    for (int again = 0; again < 2; ++again) {
      Vector times(block.nodes());
      const auto done = solver->solve(seeds, times);
      if (first.empty()) first = times, work = done;
      EXPECT_EQ(times, first) << threads;
      EXPECT_EQ(done.sweeps, work.sweeps);
      EXPECT_EQ(done.expansions, work.expansions);
    }
  }
  // Nodes wait until they are early enough, so most tell their tets once.
  EXPECT_LT(double(work.expansions), 3 * double(block.nodes()));
}

TEST(Eikonal, SaysWhatIsWrong) {
  using test::says;
  const TetBlock block = test::tet_block(2, 0, 0);
  auto metric = test::random_metric(block, 2, 20);
  const auto make = [&](const Vector& points, const std::vector<std::int32_t>& tets) {
    make_eikonal_solver(points, tets, {});
  };
  says("threes and tets in fours", [&] { make({0, 1}, {0, 1, 2, 3}); });
  says("at least one of each", [&] { make({}, {}); });
  says("tet 1 has node 27 of 27", [&] { make(block.points, {0, 1, 2, 3, 4, 5, 6, 27}); });
  auto points = block.points;
  points[4] = NAN;
  says("point is not finite", [&] { make(points, block.tets); });
  const auto solver = make_eikonal_solver(block.points, block.tets, {});
  Vector times(block.nodes());
  const std::vector<EikonalSeed> seed{{0, 0}};
  says("has no metric", [&] { solver->solve(seed, times); });
  says("the metric needs 288 numbers, got 2", [&] { solver->set_metric(Vector(2)); });
  solver->set_metric(metric);
  says("nothing is solved", [&] { solver->dependence(); });
  says("no seed", [&] { solver->solve({}, times); });
  says("seed at node 27, the mesh has 27", [&] { solver->solve(std::vector<EikonalSeed>{{27, 0}}, times); });
  says("time is not finite", [&] { solver->solve(std::vector<EikonalSeed>{{1, NAN}}, times); });
  Vector few(3);
  says("times need room for 27 numbers, got 3", [&] { solver->solve(seed, few); });
  solver->solve(seed, times);
  says("the gradient needs 27 numbers", [&] { carried_back(block.tets, times, solver->dependence(), few); });
  if (const auto reason = cuda_unavailable(99); !reason.empty())
    says(reason, [&] { make_eikonal_solver(block.points, block.tets, {Device::Kind::cuda, 99}); });
}

}  // namespace
}  // namespace cardiotwin::kernels
