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
  Device device;
  Real real;
};

class EngineTest : public ::testing::TestWithParam<Backend> {
 protected:
  void SetUp() override {
    if (GetParam().device.kind == Device::Kind::cuda) {
      if (const auto reason = kernels::cuda_unavailable(0); !reason.empty()) GTEST_SKIP() << reason;
    }
  }
  static Real real() { return GetParam().real; }
  static std::unique_ptr<kernels::Engine> make(const kernels::Problem& p, int threads = 2) {
    Device device = GetParam().device;
    if (device.kind != Device::Kind::cuda) device.index = threads;
    return kernels::make_engine(p, device);
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
                         ::testing::Values(Backend{"cpu_fp32", {}, Real::fp32}, Backend{"cpu_fp64", {}, Real::fp64},
                                           Backend{"checked_fp32", {Device::Kind::checked}, Real::fp32},
                                           Backend{"checked_fp64", {Device::Kind::checked}, Real::fp64},
                                           Backend{"cuda_fp32", {Device::Kind::cuda}, Real::fp32},
                                           Backend{"cuda_fp64", {Device::Kind::cuda}, Real::fp64}),
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

TEST_P(EngineTest, NodalGradientsFollowTheScalarReference) {
  auto p = random_graph(mms, real(), 500, {"healthy", "border_zone", "channel"});
  add_gradient(p);
  expect_follows_reference(p, *make(p), 40, 25);
}

/// Stages of diffusion carry a step that runs away without them, and the wave keeps its times.
TEST_P(EngineTest, StagesCarryLongSteps) {
  const double rate = 30;  // explicit limit 2 / (4 rate) = 0.017 ms
  const auto run = [&](double dt, int stages) {
    auto p = cable(mms, real(), 120, rate, dt, 0.0);
    p.stages = stages;
    auto e = make(p);
    e->set_pulses({pulse(20, 0, 2, 60)});
    e->advance(std::llround(40 / dt));
    const auto lat = latest(*e, p);
    return std::isfinite(e->max_voltage()) ? lat[110] : NAN;
  };
  const double reference = run(0.005, 1);
  EXPECT_GT(reference, 3);
  EXPECT_NEAR(run(0.04, 2), reference, 0.03 * reference);
  EXPECT_NEAR(run(0.08, 3), reference, 0.05 * reference);
  const double alone = run(0.04, 1);
  EXPECT_TRUE(std::isnan(alone) || std::abs(alone - reference) > 0.2 * reference) << alone;
}

TEST_P(EngineTest, RestStaysAtRest) {
  const auto p = random_graph(mms, real(), 300, {"healthy", "channel"});
  auto e = make(p);
  e->advance(5000);
  EXPECT_EQ(e->max_voltage(), p.model->rest);
  for (const double t : latest(*e, p)) EXPECT_TRUE(std::isnan(t));
}

// ---- Time, pulses and what is noted
// ----------------------------------------------------------------------------------

/// Cells that keep V where a pulse takes it (tau_in and tau_out without end) and do not feel their neighbours.
kernels::Problem passive_cells(Real real, int n) {
  auto p = cable(mms, real, n, 0, 0.02, 0);
  p.parameters[0][0] = p.parameters[0][1] = 1e9;
  return p;
}

/// One passive step from rest shows the increment of V alone: with dt 0.02 ms and 10 mV/ms over k steps V rises by 0.2
/// k mV. 0.06 / 0.02 is not 3 in binary, so edges that drifted would show as one step more or less.
TEST_P(EngineTest, PulseEdgesFallOnSteps) {
  auto p = passive_cells(real(), 3);
  auto e = make(p);
  e->set_pulses({pulse(1, 100.06, 0.06, 10)});
  e->advance(5003);
  EXPECT_EQ(e->max_voltage(), p.model->rest);
  e->advance(1);
  EXPECT_NEAR(e->max_voltage(), p.model->rest + 0.2, 1e-4);
  e->advance(2);
  EXPECT_NEAR(e->max_voltage(), p.model->rest + 0.6, 1e-3);
  const double top = e->max_voltage();
  e->advance(5);
  EXPECT_LE(e->max_voltage(), top);
  EXPECT_EQ(voltage(*e, p)[1], p.model->rest) << "an uncoupled neighbour is not stimulated";
}

/// A pulse of 0.05 ms is two and a half steps of 0.02 ms; its charge is delivered all the same.
TEST_P(EngineTest, PulsesBetweenStepsKeepTheirCharge) {
  const auto charge = [&](double start, double duration, bool biphasic) {
    const auto p = passive_cells(real(), 1);
    auto s = pulse(1, start, duration, 1);
    s.biphasic = biphasic;
    auto e = make(p);
    e->set_pulses({s});
    e->advance(20);
    return e->max_voltage() - p.model->rest;
  };
  EXPECT_NEAR(charge(0.01, 0.05, false), 0.05, 1e-4);
  EXPECT_NEAR(charge(0.013, 0.05, false), 0.05, 1e-4);
  EXPECT_NEAR(charge(0.0, 0.004, false), 0.004, 2e-5);
  EXPECT_NEAR(charge(0.03, 0.1, true), 0.0, 1e-4);
}

TEST_P(EngineTest, OverlappingPulsesAddAndRepeatedNodesCountTwice) {
  auto p = cable(mms, real(), 1, 0);
  auto e = make(p);
  auto twice = pulse(1, 0, 0.02, 1);
  twice.nodes = {0, 0};
  e->set_pulses({twice, pulse(1, 0, 1, 3)});
  e->advance(1);
  EXPECT_NEAR(e->max_voltage(), p.model->rest + 0.02 * 5, 1e-5);
}

TEST_P(EngineTest, ActivationsAreKeptLatestFirst) {
  auto p = cable(mms, real(), 40, 1.0);
  p.activation_depth = 3;
  auto e = make(p);
  std::vector<kernels::Pulse> pulses;
  const std::vector<double> starts = {0, 400, 800, 1200, 1600};
  for (const double t : starts) pulses.push_back(pulse(4, t, 2, 40));
  e->set_pulses(pulses);
  e->advance(std::llround(600 / p.dt));
  std::vector<double> lat(p.nodes() * 3), repolarization(p.nodes());
  e->activations(lat);
  EXPECT_TRUE(std::isnan(lat[2])) << "two beats so far";
  EXPECT_GT(lat[0], 400);
  EXPECT_LT(lat[1], 100);
  e->advance(std::llround(1400 / p.dt));
  e->activations(lat);
  e->repolarizations(repolarization);
  for (std::size_t i = 0; i < p.nodes(); ++i) {
    for (std::size_t k = 0; k < 3; ++k) {
      EXPECT_GE(lat[3 * i + k], starts[4 - k]) << "node " << i;
      EXPECT_LT(lat[3 * i + k], starts[4 - k] + 60) << "node " << i;
    }
    // The last beat lasts some 170 ms with this model's parameters.
    EXPECT_GT(repolarization[i] - lat[3 * i], 100) << "node " << i;
    EXPECT_LT(repolarization[i] - lat[3 * i], 220) << "node " << i;
  }
}

/// A pulse too weak to excite crosses the repolarisation level twice; that is no repolarisation.
TEST_P(EngineTest, RepolarizationFollowsAnActivation) {
  const auto p = cable(mms, real(), 1, 0);
  auto e = make(p);
  e->set_pulses({pulse(1, 0, 1, 12)});
  e->advance(25);
  ASSERT_GT(e->max_voltage(), p.repolarization_level - 5);
  e->advance(5000);
  std::vector<double> t(1);
  e->repolarizations(t);
  EXPECT_TRUE(std::isnan(t[0]));
}

TEST_P(EngineTest, NotANumberIsNoticed) {
  auto p = cable(mms, real(), 20, 1.0);
  for (auto& a : p.diffusion) a = 200;  // far beyond the stability limit of 1 / (2 dt) = 25 per ms
  auto e = make(p);
  e->set_pulses({pulse(2, 0, 2, 40)});
  e->advance(20000);
  EXPECT_TRUE(std::isnan(e->max_voltage()));
}

TEST_P(EngineTest, NodesThatDieNoLongerHaveTheLargestVoltage) {
  const auto p = cable(mms, real(), 100, 0, 0.02, 0);  // uncoupled
  auto e = make(p);
  e->set_pulses({pulse(1, 0, 2, 20)});
  e->advance(100);
  ASSERT_GT(e->max_voltage(), p.model->rest + 20);
  e->vary({.dead = {0}});
  EXPECT_NEAR(e->max_voltage(), p.model->rest, 1e-3);
}

// ---- Bits
// ------------------------------------------------------------------------------------------------------------

/// A problem large enough for several threads, with mixed slices, and two beats.
kernels::Problem busy(const char* model, Real real) {
  return random_graph(model, real, 900,
                      model == std::string(mms) ? std::vector<std::string>{"healthy", "channel"}
                                                : std::vector<std::string>{"epi", "border_zone"});
}
std::vector<kernels::Pulse> two_beats() { return {pulse(60, 0, 2, 60), pulse(60, 25, 2, 60)}; }

TEST_P(EngineTest, RestoredAndBranchedRunsKeepTheirBits) {
  for (const auto* model : {mms, "tentusscher-2006"}) {
    const auto p = busy(model, real());
    auto whole = make(p), first = make(p), second = make(p);
    for (auto* e : {whole.get(), first.get(), second.get()}) e->set_pulses(two_beats());
    whole->advance(2000);
    first->advance(1283);  // in the middle of the second pulse
    const auto saved = first->save();
    first->advance(717);
    EXPECT_EQ(first->save(), whole->save()) << "stopping changes nothing";
    second->restore(saved);
    EXPECT_EQ(second->step_count(), 1283);
    EXPECT_EQ(second->save(), saved);
    second->advance(717);
    EXPECT_EQ(second->save(), whole->save()) << "a restored run goes on as the saved one";
    // A branch: soon after, because in fp32 the plateau forgets what led to it.
    first->restore(saved);
    first->advance(20);
    second->restore(saved);
    second->set_pulses({});
    second->advance(20);
    EXPECT_NE(second->save(), first->save()) << "a branch without the second pulse differs";
    second->reset();
    second->set_pulses(two_beats());
    second->advance(2000);
    EXPECT_EQ(second->save(), whole->save()) << "reset starts over";
  }
}

/// On a GPU many steps at once of a small mesh are recorded ones, with or without stages.
TEST_P(EngineTest, StepsOneByOneAreThoseTakenTogether) {
  for (const int stages : {1, 4}) {
    auto p = busy(mms, real());
    p.stages = stages;
    auto together = make(p), single = make(p);
    for (auto* e : {together.get(), single.get()}) e->set_pulses({pulse(60, 0, 2, 60)});
    for (const int steps : {1, 150, 201, 64}) {
      together->advance(steps);
      for (int k = 0; k < steps; ++k) single->advance(1);
      EXPECT_EQ(together->save(), single->save()) << stages << " stages";
      EXPECT_EQ(together->max_voltage(), single->max_voltage());
    }
    std::vector<double> lat(p.nodes() * std::size_t(p.activation_depth));
    together->activations(lat);
    EXPECT_FALSE(std::isnan(lat[0])) << "a moment was noted";
  }
}

/// States come out in the units they went in, and a run that starts from them goes on as the one they are of.
TEST_P(EngineTest, StatesAreInTrueUnits) {
  for (const auto* model : {mms, "tentusscher-2006"}) {
    auto p = busy(model, real());
    const auto count = p.model->states.size();
    auto e = make(p);
    std::vector<double> w(p.nodes() * count);
    e->states(w);
    for (std::size_t i = 0; i < p.nodes(); ++i) {
      const auto& initial = p.initial_states[std::size_t(p.parameter_set[i])];
      // fp32 stores offsets from a reference, so 137 mM keeps its seventh digit.
      for (std::size_t s = 0; s < count; ++s)
        ASSERT_NEAR(w[i * count + s], initial[s], (real() == Real::fp64 ? 1e-14 : 1e-6) * (1 + initial[s]))
            << i << " " << s;
    }
    e->set_pulses(two_beats());
    e->advance(1500);
    e->states(w);
    // Every node a set of its own, more of them than fit a byte, beginning where that run is now.
    const auto v = voltage(*e, p);
    auto onward = p;
    onward.parameters.clear(), onward.initial_states.clear(), onward.initial_voltage = v;
    for (std::size_t i = 0; i < p.nodes(); ++i) {
      onward.parameters.push_back(p.parameters[std::size_t(p.parameter_set[i])]);
      onward.initial_states.emplace_back(w.begin() + std::ptrdiff_t(i * count),
                                         w.begin() + std::ptrdiff_t((i + 1) * count));
      onward.parameter_set[i] = std::int32_t(i);
    }
    std::fill(onward.load.begin(), onward.load.end(), 0.0);  // the load remembers the last reaction, which is no state
    auto same = p;
    same.load = onward.load;
    auto first = make(same), second = make(onward);
    first->restore(e->save());
    first->advance(100), second->advance(100);
    const auto a = voltage(*first, p), b = voltage(*second, p);
    for (std::size_t i = 0; i < p.nodes(); ++i) ASSERT_NEAR(a[i], b[i], real() == Real::fp64 ? 1e-8 : 0.05) << i;
    EXPECT_THROW(e->states(std::span(w).first(w.size() - 1)), std::invalid_argument);
  }
}

TEST_P(EngineTest, WhatDoesNotFitIsRejected) {
  const auto p = cable(mms, real(), 30, 1.0);
  const auto other = cable(mms, real(), 31, 1.0);
  auto e = make(p);
  EXPECT_THROW(e->restore(make(other)->save()), std::invalid_argument);
  EXPECT_THROW(e->set_pulses({pulse(31, 0, 1, 1)}), std::invalid_argument);
  EXPECT_THROW(e->advance(-1), std::invalid_argument);
  std::vector<double> small(3);
  EXPECT_THROW(e->voltage(small), std::invalid_argument);
  auto broken = p;
  broken.column[3] = 30;
  EXPECT_THROW(make(broken), std::invalid_argument);
  broken = p;
  broken.load.pop_back();
  EXPECT_THROW(make(broken), std::invalid_argument);
  broken = p;
  broken.parameters[0].pop_back();
  EXPECT_THROW(make(broken), std::invalid_argument);
}

// ---- fp32 against fp64
// -----------------------------------------------------------------------------------------------

TEST_P(EngineTest, ActivationTimesAgreeWithDoublePrecision) {
  if (real() == Real::fp64) GTEST_SKIP() << "this is the reference";
  for (const auto* model : {mms, "tentusscher-2006"}) {
    const auto run = [&](Real precision) {
      auto p = cable(model, precision, 200, 1.5);
      auto e = precision == Real::fp64 ? kernels::make_engine(p, {.index = 1}) : make(p);
      e->set_pulses({pulse(8, 0, 2, 60)});
      e->advance(std::llround(250 / p.dt));
      return latest(*e, p);
    };
    const auto single = run(Real::fp32), exact = run(Real::fp64);
    for (std::size_t i = 0; i < exact.size(); ++i) {
      ASSERT_FALSE(std::isnan(exact[i])) << model << " node " << i;
      EXPECT_NEAR(single[i], exact[i], 0.05) << model << " node " << i;
    }
  }
}

}  // namespace
}  // namespace cardiotwin::test
