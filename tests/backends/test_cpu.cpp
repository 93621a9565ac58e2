// What only the CPU engine promises: the same bits for any number of threads, the same results from every instruction
// set.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "../../kernels/src/cpu_variants.hpp"
#include "problems.hpp"

namespace cardiotwin::test {
namespace {

using kernels::Real;

class CpuTest : public ::testing::TestWithParam<std::tuple<const char*, Real>> {
 protected:
  static kernels::Problem problem() {
    const std::string model = std::get<0>(GetParam());
    const std::vector<std::string> variants = model == "tentusscher-2006"
                                                  ? std::vector<std::string>{"epi", "mid", "border_zone"}
                                                  : std::vector<std::string>{"healthy", "border_zone", "channel"};
    return random_graph(model, std::get<1>(GetParam()), 1200, variants);
  }
  static void run(kernels::Engine& e) {
    e.set_pulses({pulse(80, 0, 2, 60)});
    e.advance(1500);
  }
};

INSTANTIATE_TEST_SUITE_P(Models, CpuTest,
                         ::testing::Combine(::testing::Values("mitchell-schaeffer-modified", "tentusscher-2006"),
                                            ::testing::Values(Real::fp32, Real::fp64)),
                         [](const auto& tested) {
                           const std::string model = std::get<0>(tested.param);
                           return model.substr(0, model.find('-')) +
                                  (std::get<1>(tested.param) == Real::fp32 ? "_fp32" : "_fp64");
                         });

TEST_P(CpuTest, AnyNumberOfThreadsGivesTheSameBits) {
  const auto p = problem();
  auto one = kernels::make_engine(p, {.index = 1});
  run(*one);
  for (const int threads : {2, 3}) {
    auto several = kernels::make_engine(p, {.index = threads});
    run(*several);
    EXPECT_EQ(several->save(), one->save()) << threads << " threads";
  }
}

/// The step takes denormals for zero, whoever calls it goes on as before.
TEST_P(CpuTest, TheCallersArithmeticStaysAsItWas) {
  const auto e = kernels::make_engine(problem(), {.index = 2});
  run(*e);
  volatile double smallest = std::numeric_limits<double>::min();
  EXPECT_GT(smallest / 4, 0);
}

/// Instruction sets differ by fused multiply-adds, that is by a rounding per operation. During the upstroke such a
/// difference grows by the ratio of the slope of V there (some 300 mV/ms) to a shift in time.
TEST_P(CpuTest, InstructionSetsAgree) {
  const auto p = problem();
  const bool fp64 = p.real == Real::fp64;
  std::vector<double> first(p.nodes()), v(p.nodes()), first_lat(p.nodes() * 8), lat(p.nodes() * 8);
  const auto variants = kernels::cpu_variants();
  ASSERT_FALSE(variants.empty());
  EXPECT_STREQ(variants.back().name, "baseline");
  for (const auto& variant : variants) {
    auto e = kernels::make_cpu_engine(p, 1, variant);
    EXPECT_NE(e->name().find(variant.name), std::string::npos);
    run(*e);
    e->voltage(v);
    e->activations(lat);
    if (&variant == &variants.front()) {
      first = v;
      first_lat = lat;
      int activated = 0;
      for (std::size_t i = 0; i < p.nodes(); ++i) activated += !std::isnan(lat[8 * i]);
      EXPECT_GT(activated, 300);
      continue;
    }
    for (std::size_t i = 0; i < p.nodes(); ++i) {
      EXPECT_NEAR(v[i], first[i], fp64 ? 1e-6 : 1.0) << variant.name << " node " << i;
      ASSERT_EQ(std::isnan(lat[8 * i]), std::isnan(first_lat[8 * i])) << variant.name << " node " << i;
      if (!std::isnan(lat[8 * i])) {
        EXPECT_NEAR(lat[8 * i], first_lat[8 * i], fp64 ? 1e-9 : 0.01) << variant.name << " node " << i;
      }
    }
  }
}

}  // namespace
}  // namespace cardiotwin::test
