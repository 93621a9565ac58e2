// One body per feature, run on every backend and precision; where a device is missing the test says why it was skipped.
#include <gtest/gtest.h>

#include <cmath>

#include "problems.hpp"
#include "reference.hpp"

namespace cardiotwin::test {
namespace {

using kernels::Device;
using kernels::Real;

constexpr const char* mms = "mitchell-schaeffer-modified";

struct Backend {
  const char* name;
  bool cuda;
  Real real;
};

class EngineTest : public ::testing::TestWithParam<Backend> {
 protected:
  void SetUp() override {
    if (GetParam().cuda) {
      if (const auto reason = kernels::cuda_unavailable(0); !reason.empty()) GTEST_SKIP() << reason;
    }
  }
  static Real real() { return GetParam().real; }
  static std::unique_ptr<kernels::Engine> make(const kernels::Problem& p, int threads = 2) {
    return kernels::make_engine(p, GetParam().cuda ? Device{true, 0} : Device{false, threads});
  }
  static std::vector<double> voltage(const kernels::Engine& e, const kernels::Problem& p) {
    std::vector<double> v(p.nodes());
    e.voltage(v);
    return v;
  }
  static std::vector<double> latest(const kernels::Engine& e, const kernels::Problem& p) {
    const auto depth = std::size_t(p.activation_depth);
    std::vector<double> all(p.nodes() * depth), first;
    e.activations(all);
    for (std::size_t i = 0; i < p.nodes(); ++i) first.push_back(all[i * depth]);
    return first;
  }
};

INSTANTIATE_TEST_SUITE_P(Backends, EngineTest,
                         ::testing::Values(Backend{"cpu_fp32", false, Real::fp32},
                                           Backend{"cpu_fp64", false, Real::fp64},
                                           Backend{"cuda_fp32", true, Real::fp32},
                                           Backend{"cuda_fp64", true, Real::fp64}),
                         [](const auto& tested) { return std::string(tested.param.name); });

void expect_follows_reference(const kernels::Problem& p, kernels::Engine& e, int stimulated, double ms) {
  e.set_pulses({pulse(stimulated, 0, 2, 40)});
  ReferenceEngine reference(p);
  const auto steps = std::int64_t(std::lround(ms / p.dt)), on = std::int64_t(std::lround(2 / p.dt));
  for (std::int64_t k = 0; k < steps; ++k) {
    std::vector<double> stimulus(p.nodes(), 0.0);
    if (k < on) std::fill_n(stimulus.begin(), stimulated, 40.0);
    reference.advance(stimulus);
  }
  e.advance(steps);
  std::vector<double> v(p.nodes()), lat(p.nodes() * std::size_t(p.activation_depth));
  e.voltage(v);
  e.activations(lat);
  // fp64 differs by the order of a few roundings, amplified over the upstroke; fp32 shifts the front by some 0.01 ms,
  // and the upstroke is about 30 mV/ms.
  const bool fp64 = p.real == Real::fp64;
  int activated = 0;
  for (std::size_t i = 0; i < p.nodes(); ++i) {
    EXPECT_NEAR(v[i], reference.v[i], fp64 ? 1e-7 : 0.3) << "node " << i;
    const double a = lat[i * std::size_t(p.activation_depth)], b = reference.lat[i];
    ASSERT_EQ(std::isnan(a), std::isnan(b)) << "node " << i;
    if (std::isnan(b)) continue;
    EXPECT_NEAR(a, b, fp64 ? 1e-8 : 0.05) << "node " << i;
    ++activated;
  }
  EXPECT_GT(activated, int(p.nodes()) / 2);
}

TEST_P(EngineTest, CableFollowsTheScalarReference) {
  const auto p = cable(mms, real(), 150, 1.0);
  expect_follows_reference(p, *make(p), 6, 120);
}

TEST_P(EngineTest, RandomGraphWithMixedCellsFollowsTheScalarReference) {
  const auto p = random_graph(mms, real(), 700, {"healthy", "border_zone", "channel"});
  expect_follows_reference(p, *make(p), 60, 150);
}

TEST_P(EngineTest, RestStaysAtRest) {
  const auto p = random_graph(mms, real(), 300, {"healthy", "channel"});
  auto e = make(p);
  e->advance(5000);
  EXPECT_EQ(e->max_voltage(), p.model->rest);
  for (const double t : latest(*e, p)) EXPECT_TRUE(std::isnan(t));
}

}  // namespace
}  // namespace cardiotwin::test
