#include <gtest/gtest.h>

#include <algorithm>
#include <cardiotwin/kernels/engine.hpp>
#include <cardiotwin/kernels/ionic.hpp>
#include <cmath>
#include <map>
#include <set>

#include "../../kernels/src/ionic/quotients.hpp"

namespace cardiotwin::kernels {
namespace {

const ModelInfo& model(const char* name) {
  const auto* m = find_model(name);
  if (!m) throw std::runtime_error(name);
  return *m;
}

std::vector<double> parameters(const ModelInfo& m, const std::string& variant = "") {
  std::map<std::string, double> changed;
  for (const auto& v : m.variants) {
    if (v.name == variant) changed.insert(v.values.begin(), v.values.end());
  }
  std::vector<double> result;
  for (const auto& p : m.parameters) result.push_back(changed.contains(p.name) ? changed[p.name] : p.value);
  return result;
}

std::vector<double> initial(const ModelInfo& m) {
  std::vector<double> result;
  for (const auto& s : m.states) result.push_back(s.initial);
  return result;
}

/// Uncoupled cells, one per parameter list, advanced by the engine.
std::unique_ptr<Engine> cells(const ModelInfo& m, const std::vector<std::vector<double>>& sets, double dt) {
  Problem p;
  p.model = &m;
  p.dt = dt;
  p.activation_threshold = m.activation_threshold;
  p.repolarization_level = m.repolarization_level;
  p.row_start.assign(sets.size() + 1, 0);
  for (std::size_t i = 0; i < sets.size(); ++i) p.parameter_set.push_back(std::int32_t(i));
  p.parameters = sets;
  p.initial_voltage.assign(sets.size(), m.rest);
  p.initial_states.assign(sets.size(), initial(m));
  return make_engine(p, {.index = 1});
}

Pulse pulse_on_all(std::size_t cells, double start, double duration, double amplitude) {
  Pulse s;
  for (std::size_t i = 0; i < cells; ++i) s.nodes.push_back(std::int32_t(i));
  s.start = start;
  s.duration = duration;
  s.amplitude = amplitude;
  return s;
}

struct Trace {
  std::vector<double> t, v;

  /// Time V spends above `level`, by linear interpolation; the trace holds one action potential.
  double time_above(double level) const {
    double first = NAN, last = NAN;
    for (std::size_t k = 1; k < t.size(); ++k) {
      if ((v[k - 1] < level) == (v[k] < level)) continue;
      const double at = t[k - 1] + (level - v[k - 1]) / (v[k] - v[k - 1]) * (t[k] - t[k - 1]);
      if (std::isnan(first)) first = at;
      last = at;
    }
    return last - first;
  }
};

/// V of every cell every `every` ms over the next `duration` ms.
std::vector<Trace> record(Engine& e, std::size_t cells, double dt, double duration, double every) {
  std::vector<Trace> traces(cells);
  std::vector<double> v(cells);
  const auto stride = std::llround(every / dt), samples = std::llround(duration / every);
  for (long long k = 0; k <= samples; ++k) {
    e.voltage(v);
    for (std::size_t i = 0; i < cells; ++i) {
      traces[i].t.push_back(double(k) * every);
      traces[i].v.push_back(v[i]);
    }
    if (k < samples) e.advance(stride);
  }
  return traces;
}

// ---- What every model says about itself -----------------------------------------------------------------------------

class EveryModel : public ::testing::TestWithParam<std::string> {
 protected:
  const ModelInfo& m = model(GetParam().c_str());
};
INSTANTIATE_TEST_SUITE_P(Models, EveryModel, ::testing::ValuesIn([] {
                           std::vector<std::string> names;
                           for (const auto& m : models()) names.push_back(m.name);
                           return names;
                         }()),
                         [](const auto& tested) {
                           auto name = tested.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST_P(EveryModel, DescriptionIsComplete) {
  EXPECT_EQ(m.doi.substr(0, 3), "10.");
  EXPECT_LT(m.rest, m.repolarization_level);
  EXPECT_LT(m.repolarization_level, m.activation_threshold);
  EXPECT_LT(m.activation_threshold, m.peak);
  std::set<std::string> names;
  for (const auto& p : m.parameters) {
    EXPECT_TRUE(names.insert(p.name).second) << p.name;
    EXPECT_LE(p.low, p.value) << p.name;
    EXPECT_LE(p.value, p.high) << p.name;
    EXPECT_FALSE(p.doc.empty()) << p.name;
  }
  for (const auto& v : m.variants) {
    EXPECT_FALSE(v.source.empty()) << v.name;
    for (const auto& [name, value] : v.values) EXPECT_TRUE(names.contains(name)) << v.name << " sets " << name;
  }
}

TEST_P(EveryModel, RestIsSteady) {
  if (m.name == "stewart-2009") GTEST_SKIP() << "a pacemaker has no rest";
  auto e = cells(m, {parameters(m)}, 0.02);
  e->advance(50 * 500);  // the published initial state is near, not exactly at, the unpaced rest
  EXPECT_NEAR(e->max_voltage(), m.rest, 1.0);
  std::vector<double> lat(8);
  e->activations(lat);
  EXPECT_TRUE(std::isnan(lat[0]));
}

/// One step of the engine is first order in dt: halving dt halves the distance to a fine solution. The distance is
/// taken at times when V moves slowly, so that it measures the whole course and not the timing of the upstroke alone.
TEST_P(EveryModel, HalvingDtHalvesTheError) {
  // Models of a few switched variables: a switch falls on a whole step, which makes the error jump between steps that
  // are near each other; it shrinks with dt all the same.
  const bool switched = m.name == "mitchell-schaeffer" || m.name == "bueno-orovio-2008";
  const auto run = [&](double dt) {
    auto e = cells(m, {parameters(m)}, dt);
    e->set_pulses({pulse_on_all(1, 1, 1, 60)});
    return record(*e, 1, dt, 250, 10)[0].v;
  };
  const auto fine = run(0.00125);
  const auto error = [&](double dt) {
    const auto v = run(dt);
    double sum = 0;
    for (std::size_t k = 0; k < v.size(); ++k) sum += std::abs(v[k] - fine[k]);
    return sum;
  };
  // Against a solution of dt / 8 instead of the exact one the ratio of a first-order scheme is (1 - 1/16) / (1/2 -
  // 1/16) = 2.14.
  if (switched) {
    EXPECT_LT(error(0.02), 0.3 * error(0.2));
    return;
  }
  EXPECT_GE(std::log2(error(0.02) / error(0.01)), 0.9);
  // A release that sets in at a threshold does so at a whole step, which adds some scatter.
  EXPECT_LE(std::log2(error(0.02) / error(0.01)), 1.4);
}

TEST_P(EveryModel, RightHandSideIsWhatTheStepFollows) {
  const auto p = parameters(m);
  std::vector<double> d(m.states.size()), after(1);
  const double dt = 1e-6, v = -20;
  Problem problem;
  problem.model = &m;
  problem.dt = dt;
  problem.row_start = {0, 0};
  problem.parameter_set = {0};
  problem.parameters = {p};
  problem.initial_voltage = {v};
  problem.initial_states = {initial(m)};
  auto e = make_engine(problem, {.index = 1});
  e->advance(1);
  e->voltage(after);
  const double slope = right_hand_side(m, p, v, initial(m), d);
  EXPECT_NEAR((after[0] - v) / dt, slope, 1e-6 * std::abs(slope) + 1e-7);
}

TEST(Ionic, UnknownNamesAndSizesAreRejected) {
  EXPECT_EQ(find_model("hodgkin-huxley"), nullptr);
  const auto& m = model("mitchell-schaeffer-modified");
  std::vector<double> d(1);
  EXPECT_THROW(right_hand_side(m, std::vector<double>(3), 0, initial(m), d), std::invalid_argument);
}

// ---- ten Tusscher & Panfilov 2006 -----------------------------------------------------------------------------------

/// APD90 of the 100th beat at 1000 ms as published codes of this model give it [ms]; the border zone is the same with
/// its currents scaled. They differ among each other by about 1 ms, by stimulus and number of beats.
TEST(TenTusscher2006, ActionPotentialDurationsAreThePublishedOnes) {
  const auto& m = model("tentusscher-2006");
  const std::vector<std::pair<std::string, double>> expected = {
      {"epi", 302.9}, {"endo", 302.6}, {"mid", 402.8}, {"border_zone", 369.8}};
  std::vector<std::vector<double>> sets;
  for (const auto& [type, apd] : expected) sets.push_back(parameters(m, type));
  std::vector<Pulse> pulses;
  for (int beat = 0; beat < 100; ++beat) pulses.push_back(pulse_on_all(4, beat * 1000.0 + 10, 0.5, 94));
  auto e = cells(m, sets, 0.02);
  e->set_pulses(pulses);
  e->advance(99 * 50000);
  const auto traces = record(*e, 4, 0.02, 999, 0.5);
  for (std::size_t i = 0; i < 4; ++i) {
    const double rest = traces[i].v.front(), peak = *std::max_element(traces[i].v.begin(), traces[i].v.end());
    EXPECT_NEAR(traces[i].time_above(rest + 0.1 * (peak - rest)), expected[i].second, 2.0) << expected[i].first;
  }
}

/// x / (exp(x) - 1) to the last digits on both sides of x = 0 and at it.
template <class T>
void expect_bernoulli(double tolerance) {
  EXPECT_EQ(host::bernoulli(T(0)), T(1));
  EXPECT_EQ(host::bernoulli(T(-0.0)), T(1));
  for (double size = 1e-12; size < 60; size *= 1.01) {
    for (const T x : {T(size), T(-size)}) {
      const double expected = double(x) / std::expm1(double(x));
      ASSERT_NEAR(host::bernoulli(x), expected, tolerance * expected) << x;
    }
  }
}

TEST(Ionic, QuotientsAreSmoothThroughTheirSingularity) {
  expect_bernoulli<double>(1e-15);
  expect_bernoulli<float>(4e-7);
}

// ---- Other detailed cells: what they are for -----------------------------------------------------------------------

/// Remodelling by atrial fibrillation shortens the action potential (Courtemanche et al. 1999, doi
/// 10.1016/S0008-6363(99)00034-6).
TEST(Courtemanche1998, AtrialFibrillationShortensTheActionPotential) {
  const auto& m = model("courtemanche-1998");
  auto e = cells(m, {parameters(m, "sinus"), parameters(m, "af")}, 0.02);
  e->set_pulses({pulse_on_all(2, 10, 0.5, 92.36)});
  const auto traces = record(*e, 2, 0.02, 500, 0.5);
  EXPECT_LT(traces[1].time_above(-71.5), 0.8 * traces[0].time_above(-71.5));
}

/// The Purkinje fibre fires by itself, some 50 times a minute. Block of the pacemaker current slows it.
TEST(Stewart2009, FiresByItself) {
  const auto& m = model("stewart-2009");
  auto blocked = parameters(m);
  for (std::size_t k = 0; k < blocked.size(); ++k) {
    if (m.parameters[k].name.starts_with("g_f")) blocked[k] *= 0.9;
  }
  auto e = cells(m, {parameters(m), blocked}, 0.02);
  e->advance(4000 * 50);
  std::vector<double> times(16);  // of the latest eight activations each, latest first
  e->activations(times);
  const double interval = times[0] - times[1];
  EXPECT_GT(interval, 1000);
  EXPECT_LT(interval, 1500);
  EXPECT_GT(times[8] - times[9], interval);
}

// ---- Modified Mitchell-Schaeffer -----------------------------------------------------------------------------------

struct MitchellSchaefferCell {
  double tau_in = 0.3, tau_out = 6, tau_open = 90, tau_close = 120, v_gate = 0.13;
  std::vector<double> values() const { return {tau_in, tau_out, tau_open, tau_close, v_gate, -80, 20}; }
  double gate_voltage() const { return -80 + 100 * v_gate; }
};

/// Times V crosses the gate's threshold after pulses at `starts`.
std::vector<double> gate_crossings(const MitchellSchaefferCell& c, const std::vector<double>& starts, double until) {
  const double dt = 0.005;
  auto e = cells(model("mitchell-schaeffer-modified"), {c.values()}, dt);
  std::vector<Pulse> pulses;
  for (const double t : starts) pulses.push_back(pulse_on_all(1, t, 0.5, 80));
  e->set_pulses(pulses);
  const auto trace = record(*e, 1, dt, until, 0.05)[0];
  std::vector<double> times;
  const double level = c.gate_voltage();
  for (std::size_t k = 1; k < trace.t.size(); ++k) {
    const double a = trace.v[k - 1], b = trace.v[k];
    if ((a < level) != (b < level)) times.push_back(trace.t[k - 1] + (level - a) / (b - a) * 0.05);
  }
  return times;
}

/// Leading order in small tau_in, tau_out: on the plateau J_in = J_out, so h (u - v_gate)(1 - u) / tau_in = (1 - h) /
/// tau_out. The largest value of (u - v_gate)(1 - u) is ((1 - v_gate) / 2)^2, so the plateau ends where h / (1 - h)
/// falls to r = 4 tau_in / (tau_out (1 - v_gate)^2), that is at h_min = r / (1 + r). Meanwhile h = h0 exp(-t /
/// tau_close), which gives APD = tau_close ln(h0 / h_min). The passage through the fold adds a time that shrinks as the
/// fast times' power 2/3.
TEST(MitchellSchaeffer, DurationTendsToTheAnalyticOne) {
  const auto excess = [](double scale) {
    MitchellSchaefferCell c;
    c.tau_in *= scale;
    c.tau_out *= scale;
    const double r = 4 * c.tau_in / (c.tau_out * (1 - c.v_gate) * (1 - c.v_gate));
    const auto t = gate_crossings(c, {1}, 400);
    EXPECT_EQ(t.size(), 2u);
    return t.at(1) - t.at(0) - c.tau_close * std::log((1 + r) / r);
  };
  const double whole = excess(1), quarter = excess(0.25);
  EXPECT_GT(whole, 0);
  EXPECT_LT(whole, 40) << "of 188 ms";
  EXPECT_GT(quarter, 0);
  EXPECT_NEAR(std::log(whole / quarter) / std::log(4), 2.0 / 3, 0.2);
}

/// Restitution is exact in this model: while u > v_gate the gate falls as h0 exp(-t / tau_close), while u < v_gate it
/// recovers as 1 - (1 - h) exp(-t / tau_open), whatever u does. Only the h at which the plateau ends differs a little
/// between beats.
TEST(MitchellSchaeffer, RestitutionFollowsTheGate) {
  const MitchellSchaefferCell c;
  const auto first = gate_crossings(c, {1}, 400);
  const double apd1 = first.at(1) - first.at(0);
  const double h_end = std::exp(-apd1 / c.tau_close);
  for (const double interval : {60.0, 120.0, 300.0}) {
    const auto t = gate_crossings(c, {1, first.at(1) + interval}, 900);
    ASSERT_EQ(t.size(), 4u) << interval;
    const double rest = t[2] - t[1];
    const double h0 = 1 - (1 - h_end) * std::exp(-rest / c.tau_open);
    EXPECT_NEAR(t[3] - t[2], c.tau_close * std::log(h0 / h_end), 1.0) << "diastolic interval " << rest;
  }
}

/// What the modification is for: below v_gate the cell always returns to rest, whatever its parameters and its gate.
TEST(MitchellSchaeffer, NoParametersMakeItAPacemaker) {
  const auto& m = model("mitchell-schaeffer-modified");
  std::vector<double> d(1);
  for (const double tau_in : {0.01, 0.3, 10.0}) {
    for (const double tau_out : {0.5, 6.0, 100.0}) {
      for (const double h : {0.0, 0.2, 0.999}) {
        for (const double u : {0.001, 0.05, 0.129}) {
          const MitchellSchaefferCell c{tau_in, tau_out, 90, 120, 0.13};
          EXPECT_LT(right_hand_side(m, c.values(), -80 + 100 * u, std::vector<double>{h}, d), 0);
        }
      }
    }
  }
}

}  // namespace
}  // namespace cardiotwin::kernels
