// The bidomain's second half in the engine: against a plain dense reference, and in ensembles, snapshots and refusals.
#include <gtest/gtest.h>

#include <cardiotwin/kernels/ensemble.hpp>
#include <cmath>
#include <numeric>

#include "problems.hpp"
#include "reference.hpp"
#include "says.hpp"
#include "together.hpp"

namespace cardiotwin::test {
namespace {

using kernels::Conductor;
using kernels::Device;
using kernels::Real;
using kernels::SparseMatrix;

constexpr const char* mms = "mitchell-schaeffer-modified";
constexpr double tight = 1e-11;

using Dense = std::vector<std::vector<double>>;

SparseMatrix sparse(const Dense& dense) {
  SparseMatrix m;
  m.row_start = {0};
  for (const auto& row : dense) {
    for (std::size_t j = 0; j < row.size(); ++j)
      if (row[j] != 0) m.column.push_back(std::int32_t(j)), m.value.push_back(row[j]);
    m.row_start.push_back(std::int32_t(m.column.size()));
  }
  return m;
}

struct Case {
  kernels::Problem problem;
  Dense matrix, interpolation;
};

/// A random graph in a conductor of its own: a row per node in reverse order but for every seventh node, which lies
/// between two rows, and a bath beyond. `beyond` and `carried` are any numbers that keep the step stable.
Case random_case(Real real, int interval, double tolerance = tight) {
  Case c{random_graph(mms, real, 240, {"healthy", "border_zone", "channel"}), {}, {}};
  auto& p = c.problem;
  const std::size_t n = p.nodes(), rows = n + 60;
  std::mt19937 random(11);
  const auto uniform = [&] { return double(random() >> 8) / double(1u << 24); };
  auto conductor = std::make_shared<Conductor>();
  conductor->interval = interval, conductor->tolerance = tolerance;
  c.matrix.assign(rows, std::vector<double>(rows, 0.0));
  const auto link = [&](std::size_t i, std::size_t j, double w) {
    c.matrix[i][j] -= w, c.matrix[j][i] -= w, c.matrix[i][i] += w, c.matrix[j][j] += w;
  };
  for (std::size_t i = 0; i < n; ++i) {
    for (auto k = std::size_t(p.row_start[i]); k < std::size_t(p.row_start[i + 1]); ++k) {
      const auto j = std::size_t(p.column[k]);
      const double w = 0.2 + 0.1 * double((i + j) % 7);  // symmetric
      conductor->intracellular.push_back(w);
      conductor->beyond.push_back(0.03 * uniform()), conductor->carried.push_back(0.08 * w);
      if (i < j) link(n - 1 - i, n - 1 - j, 3 * w);
    }
  }
  for (std::size_t r = n; r < rows; ++r) link(r - 1, r, 1), link(r, r - n, 0.5);
  c.interpolation.assign(n, std::vector<double>(rows, 0.0));
  for (std::size_t i = 0; i < n; ++i) {
    c.interpolation[i][n - 1 - i] = i % 7 ? 1 : 0.75;
    if (i % 7 == 0) c.interpolation[i][(n + i) % rows] += 0.25;
  }
  conductor->matrix = std::make_shared<const kernels::Multigrid>(sparse(c.matrix));
  conductor->interpolation = sparse(c.interpolation);
  p.conductor = conductor;
  return c;
}

/// Solves a singular positive system by Gauss's elimination, row 0 pinned.
std::vector<double> solve_pinned(Dense a, std::vector<double> b) {
  const std::size_t n = b.size();
  std::fill(a[0].begin(), a[0].end(), 0.0), a[0][0] = 1, b[0] = 0;
  for (std::size_t k = 0; k < n; ++k) {
    for (std::size_t i = k + 1; i < n; ++i) {
      const double f = a[i][k] / a[k][k];
      if (f == 0) continue;
      for (std::size_t j = k; j < n; ++j) a[i][j] -= f * a[k][j];
      b[i] -= f * b[k];
    }
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t j = i + 1; j < n; ++j) b[i] -= a[i][j] * b[j];
    b[i] /= a[i][i];
  }
  return b;
}

void subtract_mean(std::vector<double>& x) {
  const double mean = std::accumulate(x.begin(), x.end(), 0.0) / double(x.size());
  for (double& value : x) value -= mean;
}

/// phi and source at V.
struct ConductorReference {
  const Case& c;
  std::vector<double> phi, source;

  explicit ConductorReference(const Case& of) : c(of) {}
  void solve(const std::vector<double>& v, const std::vector<double>& injected) {
    const auto& p = c.problem;
    const auto& k = *p.conductor;
    std::vector<double> b = injected;
    for (std::size_t i = 0; i < p.nodes(); ++i) {
      double flow = 0;
      for (auto e = std::size_t(p.row_start[i]); e < std::size_t(p.row_start[i + 1]); ++e)
        flow += k.intracellular[e] * (v[std::size_t(p.column[e])] - v[i]);
      for (std::size_t r = 0; r < b.size(); ++r) b[r] += c.interpolation[i][r] * flow;
    }
    phi = solve_pinned(c.matrix, b);
    subtract_mean(phi);
    source.assign(p.nodes(), 0.0);
    const auto at = [&](std::size_t i) {
      double sum = 0;
      for (std::size_t r = 0; r < phi.size(); ++r) sum += c.interpolation[i][r] * phi[r];
      return sum;
    };
    std::vector<double> at_node(p.nodes());
    for (std::size_t i = 0; i < p.nodes(); ++i) at_node[i] = at(i);
    for (std::size_t i = 0; i < p.nodes(); ++i)
      for (auto e = std::size_t(p.row_start[i]); e < std::size_t(p.row_start[i + 1]); ++e) {
        const auto j = std::size_t(p.column[e]);
        source[i] += k.beyond[e] * (v[j] - v[i]) + k.carried[e] * (at_node[j] - at_node[i]);
      }
  }
};

kernels::Current current(double start, double duration, double amplitude) {
  return {
      .rows = {3, 4, 200}, .shares = {2.0, -1.5, -0.5}, .start = start, .duration = duration, .amplitude = amplitude};
}

struct Backend {
  const char* name;
  Device device;
  Real real;
};
class ConductorTest : public testing::TestWithParam<Backend> {
 protected:
  void SetUp() override {
    if (GetParam().device.kind != Device::Kind::cuda) return;
    if (const auto reason = kernels::cuda_unavailable(0); !reason.empty()) GTEST_SKIP() << reason;
  }
};
INSTANTIATE_TEST_SUITE_P(Backends, ConductorTest,
                         testing::Values(Backend{"cpu_fp32", {}, Real::fp32}, Backend{"cpu_fp64", {}, Real::fp64},
                                         Backend{"checked_fp64", {Device::Kind::checked}, Real::fp64},
                                         Backend{"cuda_fp32", {Device::Kind::cuda}, Real::fp32},
                                         Backend{"cuda_fp64", {Device::Kind::cuda}, Real::fp64}),
                         [](const auto& tested) { return std::string(tested.param.name); });

/// Solves every five steps and, in between, where the current begins and ends.
TEST_P(ConductorTest, FollowsTheDenseReference) {
  const auto c = random_case(GetParam().real, 5);
  auto e = kernels::make_engine(c.problem, GetParam().device);
  e->set_pulses({pulse(40, 0, 2, 40)});
  e->set_currents({current(0.06, 0.12, 3)});  // steps 3 to 8
  ReferenceEngine reference(c.problem);
  ConductorReference conductor(c);
  const bool fp64 = GetParam().real == Real::fp64;
  std::vector<double> phi(c.matrix.size()), v(c.problem.nodes());
  for (int step = 0; step < 60; ++step) {
    if (step % 5 == 0 || step == 3 || step == 9) {
      std::vector<double> injected(c.matrix.size(), 0.0);
      if (step >= 3 && step < 9) injected[3] = 6, injected[4] = -4.5, injected[200] = -1.5;
      conductor.solve(reference.v, injected);
      reference.source = conductor.source;
    }
    std::vector<double> stimulus(c.problem.nodes(), 0.0);
    std::fill_n(stimulus.begin(), 40, 40.0);
    reference.advance(stimulus);
  }
  conductor.solve(reference.v, std::vector<double>(c.matrix.size(), 0.0));
  e->advance(22), e->advance(38);
  e->potential(phi), e->voltage(v);
  subtract_mean(phi);
  for (std::size_t r = 0; r < phi.size(); ++r) ASSERT_NEAR(phi[r], conductor.phi[r], fp64 ? 1e-7 : 2e-3) << r;
  for (std::size_t i = 0; i < v.size(); ++i) ASSERT_NEAR(v[i], reference.v[i], fp64 ? 1e-7 : 5e-3) << i;
  EXPECT_EQ(e->solves().count, 60 / 5 + 1 + 2);
  double largest = 0;
  for (const double s : conductor.source) largest = std::max(largest, std::abs(s));
  EXPECT_GT(largest, 0.1);  // it matters
}

/// Guesses from three solutions in a row save iterations, and nothing else.
TEST_P(ConductorTest, ExtrapolatesItsGuesses) {
  const auto c = random_case(GetParam().real, 5, 1e-5);
  auto e = kernels::make_engine(c.problem, GetParam().device);
  e->set_pulses({pulse(40, 0, 2, 40)});
  e->advance(250);
  const auto early = e->solves();
  e->advance(250);
  const auto late = e->solves();
  EXPECT_EQ(late.count, 101);
  EXPECT_LT(double(late.iterations - early.iterations) / 50, 5);
}

TEST_P(ConductorTest, GoesOnFromASavedStateBitForBit) {
  const auto c = random_case(GetParam().real, 4, 1e-5);
  const auto make = [&] {
    auto e = kernels::make_engine(c.problem, GetParam().device);
    e->set_pulses({pulse(40, 0, 2, 40)});
    e->set_currents({current(0.3, 0.5, 3)});
    return e;
  };
  for (const std::int64_t at : {0, 7, 20, 32}) {
    auto straight = make(), first = make(), second = make();
    straight->advance(at), straight->advance(90);
    first->advance(at);
    second->advance(13);  // has been elsewhere
    second->restore(first->save());
    second->advance(90);
    EXPECT_TRUE(straight->save() == second->save()) << at;
  }
}

TEST(Conductor, MembersHaveTheBitsOfRunsAlone) {
  for (const Real real : {Real::fp32, Real::fp64}) {
    const auto c = random_case(real, 5, 1e-5);
    const auto drive = [](kernels::Engine& e, int m) {
      e.set_pulses({pulse(20 + 3 * m, 0.1 * m, 2, 60)});
      if (m % 2) e.set_currents({current(0.1 * m, 0.31, 2 + m)});
      e.advance(30 + 7 * m);
      const auto saved = e.save();
      e.advance(31);
      if (m % 3 == 0) e.restore(saved);
      e.advance(60 - m);
    };
    for (const int members : {3, kernels::ensemble_limit()}) {
      auto ensemble = kernels::make_ensemble(c.problem, members, {.index = 1});
      drive_together(*ensemble, drive);
      for (int m = 0; m < members; ++m) {
        auto alone = kernels::make_engine(c.problem, {.index = 1});
        drive(*alone, m);
        EXPECT_TRUE(ensemble->member(m).save() == alone->save()) << "member " << m << " of " << members;
      }
    }
  }
}

TEST(Conductor, RefusesWhatDoesNotFit) {
  auto c = random_case(Real::fp64, 5);
  auto e = kernels::make_engine(c.problem, {});
  says("have no lesions", [&] { e->vary({.dead = {1}}); });
  says("every row needs a share", [&] { e->set_currents({{.rows = {1, 2}, .shares = {1}}}); });
  says("outside [0, 300)", [&] { e->set_currents({{.rows = {300}, .shares = {1}}}); });
  says("monodomain only", [&] { kernels::make_engine(c.problem, {Device::Kind::reference}); });
  auto bare = c.problem;
  bare.conductor = nullptr;
  says("no conductor", [&] { kernels::make_engine(bare, {})->set_currents({}); });
  auto wrong = std::make_shared<Conductor>(*c.problem.conductor);
  wrong->carried.pop_back();
  c.problem.conductor = wrong;
  says("one number per non-zero", [&] { kernels::make_engine(c.problem, {}); });
}

}  // namespace
}  // namespace cardiotwin::test
