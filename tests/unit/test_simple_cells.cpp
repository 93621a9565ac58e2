// The two-variable cells of Mitchell & Schaeffer and of Aliev & Panfilov, and the minimal model of Bueno-Orovio et al.,
// against what their equations say on paper and against an independent integration of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cardiotwin/kernels/engine.hpp>
#include <cardiotwin/kernels/ionic.hpp>
#include <cmath>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace cardiotwin::kernels {
namespace {

const ModelInfo& model(const char* name) {
  const auto* m = find_model(name);
  if (!m) throw std::runtime_error(name);
  return *m;
}

/// Defaults, then the variant's values, then these.
std::vector<double> parameters(const ModelInfo& m, const std::string& variant = "",
                               std::map<std::string, double> changed = {}) {
  for (const auto& v : m.variants) {
    if (v.name == variant) changed.insert(v.values.begin(), v.values.end());
  }
  std::vector<double> result;
  for (const auto& p : m.parameters) result.push_back(changed.contains(p.name) ? changed[p.name] : p.value);
  return result;
}

struct Slopes {
  double v;  ///< mV/ms
  std::vector<double> states;
};
Slopes slopes(const ModelInfo& m, const std::vector<double>& p, double v, const std::vector<double>& states) {
  Slopes s{0, std::vector<double>(states.size())};
  s.v = right_hand_side(m, p, v, states, s.states);
  return s;
}

struct Trace {
  std::vector<double> t, v;

  std::vector<double> crossings(double level) const {
    std::vector<double> times;
    for (std::size_t k = 1; k < t.size(); ++k) {
      if ((v[k - 1] < level) == (v[k] < level)) continue;
      times.push_back(t[k - 1] + (level - v[k - 1]) / (v[k] - v[k - 1]) * (t[k] - t[k - 1]));
    }
    return times;
  }
  /// From the first upward to the last downward crossing.
  double time_above(double level) const {
    const auto at = crossings(level);
    return at.size() < 2 ? NAN : at.back() - at.front();
  }
};

/// One cell of the engine, stimulated at `starts` with 60 mV/ms for 1 ms; V every 0.1 ms from `from` to `until`.
Trace paced(const ModelInfo& m, const std::vector<double>& p, const std::vector<double>& starts, double from,
            double until, double dt = 0.01) {
  Problem problem;
  problem.model = &m;
  problem.dt = dt;
  problem.activation_threshold = m.activation_threshold;
  problem.repolarization_level = m.repolarization_level;
  problem.row_start = {0, 0};
  problem.parameter_set = {0};
  problem.parameters = {p};
  problem.initial_voltage = {m.rest};
  problem.initial_states = {{}};
  for (const auto& s : m.states) problem.initial_states[0].push_back(s.initial);
  auto e = make_engine(problem, {.index = 1});
  std::vector<Pulse> pulses;
  for (const double start : starts) {
    Pulse pulse;
    pulse.nodes = {0};
    pulse.start = start;
    pulse.duration = 1;
    pulse.amplitude = 60;
    pulses.push_back(pulse);
  }
  e->set_pulses(pulses);
  e->advance(std::llround(from / dt));
  Trace trace;
  std::vector<double> v(1);
  for (double t = from; t < until; t += 0.1) {
    e->voltage(v);
    trace.t.push_back(t);
    trace.v.push_back(v[0]);
    e->advance(std::llround(0.1 / dt));
  }
  return trace;
}

/// Third beat at 1000 ms, stimulated 10 ms after its start.
Trace third_beat(const ModelInfo& m, const std::string& variant = "") {
  return paced(m, parameters(m, variant), {10, 1010, 2010}, 2000, 3000);
}

// ---- Mitchell & Schaeffer 2003 --------------------------------------------------------------------------------------

/// u = 0.5, h = 0.8: J_in = 0.8 * 0.25 * 0.5 / 0.3 = 1/3, J_out = -0.5 / 6 = -1/12, so dV/dt = 100 * 0.25 = 25 mV/ms;
/// dh/dt = -0.8 / 150 above u_gate. Below it, at u = 0.1: dh/dt = 0.2 / 120.
TEST(MitchellSchaeffer2003, DerivativesByHand) {
  const auto& m = model("mitchell-schaeffer");
  const auto up = slopes(m, parameters(m), -30, {0.8});
  EXPECT_NEAR(up.v, 25, 1e-12);
  EXPECT_NEAR(up.states[0], -0.8 / 150, 1e-15);
  const auto down = slopes(m, parameters(m), -70, {0.8});
  EXPECT_NEAR(down.v, 100 * (0.8 * 0.01 * 0.9 / 0.3 - 0.1 / 6), 1e-12);
  EXPECT_NEAR(down.states[0], 0.2 / 120, 1e-15);
}

/// A recovered cell (h = 1) is excited above the smaller root of u (1 - u) = tau_in / tau_out = 0.05, u = 0.0528, and
/// rises to the larger, u = 0.9472.
TEST(MitchellSchaeffer2003, ThresholdAndPlateauAreTheRootsOfTheCubic) {
  const auto& m = model("mitchell-schaeffer");
  const double root = std::sqrt(1 - 4 * 0.05), low = (1 - root) / 2, high = (1 + root) / 2;
  const auto rate = [&](double u) { return slopes(m, parameters(m), -80 + 100 * u, {1}).v; };
  for (const double at : {low, high}) {
    EXPECT_NEAR(rate(at), 0, 1e-12);
    EXPECT_LT(rate(at - 0.001) * rate(at + 0.001), 0);
  }
  EXPECT_LT(rate(low - 0.001), 0);
}

/// The paper's leading-order duration, tau_close ln(1 / h_min) with h_min = 4 tau_in / tau_out, is reached from above
/// as tau_in and tau_out shrink: the passage through the fold adds a time that goes with their power 2/3.
TEST(MitchellSchaeffer2003, DurationTendsToThePapers) {
  const auto& m = model("mitchell-schaeffer");
  const auto excess = [&](double scale) {
    const auto p = parameters(m, "", {{"tau_in", 0.3 * scale}, {"tau_out", 6 * scale}});
    return paced(m, p, {1}, 0, 500, 0.005).time_above(-67) - 150 * std::log(6 / (4 * 0.3));
  };
  const double whole = excess(1), quarter = excess(0.25);
  EXPECT_GT(quarter, 0);
  EXPECT_LT(whole, 60) << "of 241 ms";
  EXPECT_NEAR(std::log(whole / quarter) / std::log(4), 2.0 / 3, 0.2);
}

/// APD90 by an independent integrator (LSODA, relative tolerance 1e-8) of the equations above.
TEST(MitchellSchaeffer2003, ActionPotentialOfAnIndependentIntegration) {
  const auto& m = model("mitchell-schaeffer");
  EXPECT_NEAR(third_beat(m).time_above(-70.5), 287.18, 0.3);
}

// ---- Aliev & Panfilov 1996 ------------------------------------------------------------------------------------------

/// u = 0.5, w = 0.6: k u (u - a)(1 - u) - u w = 8 * 0.5 * 0.35 * 0.5 - 0.3 = 0.4; epsilon = 0.002 + 0.2 * 0.6 / 0.8 =
/// 0.152, and -w - k u (u - a - 1) = -0.6 + 4 * 0.65 = 2. Per ms: over 12.9.
TEST(AlievPanfilov1996, DerivativesByHand) {
  const auto& m = model("aliev-panfilov");
  const auto s = slopes(m, parameters(m), -30, {0.6});
  EXPECT_NEAR(s.v, 100 * 0.4 / 12.9, 1e-12);
  EXPECT_NEAR(s.states[0], 0.152 * 2 / 12.9, 1e-15);
}

/// V rests where u = 0 or w = k (u - a)(1 - u), w where w = k u (1 + a - u).
TEST(AlievPanfilov1996, Nullclines) {
  const auto& m = model("aliev-panfilov");
  for (const double u : {0.2, 0.5, 0.8, 1.0}) {
    const double v = -80 + 100 * u, on_v = 8 * (u - 0.15) * (1 - u), on_w = 8 * u * (1.15 - u);
    EXPECT_NEAR(slopes(m, parameters(m), v, {on_v}).v, 0, 1e-12);
    EXPECT_NEAR(slopes(m, parameters(m), v, {on_w}).states[0], 0, 1e-14);
    EXPECT_LT(slopes(m, parameters(m), v, {on_v + 0.1}).v, 0);
    EXPECT_GT(slopes(m, parameters(m), v, {on_w - 0.1}).states[0], 0);
  }
}

/// The threshold of a rested cell is u = a.
TEST(AlievPanfilov1996, ThresholdIsA) {
  const auto& m = model("aliev-panfilov");
  EXPECT_LT(slopes(m, parameters(m), -80 + 14.9, {0}).v, 0);
  EXPECT_GT(slopes(m, parameters(m), -80 + 15.1, {0}).v, 0);
}

/// The pole of epsilon at u = -mu2 (-110 mV) is out of reach: far below rest, w still relaxes.
TEST(AlievPanfilov1996, NoPoleBelowRest) {
  const auto& m = model("aliev-panfilov");
  for (const double v : {-109.99, -110.0, -110.01, -200.0}) {
    const auto s = slopes(m, parameters(m), v, {0.1});
    EXPECT_LT(s.states[0], 0) << v;
    EXPECT_LT(std::abs(s.states[0]), 10) << v;
  }
}

TEST(AlievPanfilov1996, ActionPotentialOfAnIndependentIntegration) {
  const auto& m = model("aliev-panfilov");
  const auto trace = third_beat(m);
  EXPECT_NEAR(trace.time_above(-70), 272.62, 0.3);
  EXPECT_NEAR(*std::max_element(trace.v.begin(), trace.v.end()), 19.38, 0.1);
}

// ---- Bueno-Orovio, Cherry & Fenton 2008 -----------------------------------------------------------------------------

/// Epicardial cell at u = 1, v = 0.5, w = 0.7, s = 0.4, with the paper's sigmoids as it writes them.
TEST(BuenoOrovio2008, DerivativesByHand) {
  const auto& m = model("bueno-orovio-2008");
  const auto s = slopes(m, parameters(m, "epi"), -84 + 85.7, {0.5, 0.7, 0.4});
  const double j_fi = -0.5 * (1 - 0.3) * (1.55 - 1) / 0.11;
  const double tau_so = 30.0181 + (0.9957 - 30.0181) * (1 + std::tanh(2.0458 * (1 - 0.65))) / 2;
  const double j_si = -0.7 * 0.4 / 1.8875;
  EXPECT_NEAR(s.v, -85.7 * (j_fi + 1 / tau_so + j_si), 1e-10);
  EXPECT_NEAR(s.states[0], -0.5 / 1.4506, 1e-14);
  EXPECT_NEAR(s.states[1], -0.7 / 200, 1e-15);
  EXPECT_NEAR(s.states[2], ((1 + std::tanh(2.0994 * (1 - 0.9087))) / 2 - 0.4) / 16, 1e-14);
}

/// Below all thresholds, and between theta_o = theta_v_minus and theta_w.
TEST(BuenoOrovio2008, DerivativesBelowThreshold) {
  const auto& m = model("bueno-orovio-2008");
  const auto p = parameters(m, "epi");
  for (const double u : {0.004, 0.1}) {
    const bool over = u > 0.006;
    const auto s = slopes(m, p, -84 + 85.7 * u, {0.5, 0.7, 0.1});
    const double tau_w = 60 + (15 - 60) * (1 + std::tanh(65 * (u - 0.03))) / 2;
    EXPECT_NEAR(s.v, -85.7 * u / (over ? 6 : 400), 1e-10);
    EXPECT_NEAR(s.states[0], over ? -0.5 / 1150 : 0.5 / 60, 1e-14);
    EXPECT_NEAR(s.states[1], ((over ? 0.94 : 1 - u / 0.07) - 0.7) / tau_w, 1e-12);
    EXPECT_NEAR(s.states[2], ((1 + std::tanh(2.0994 * (u - 0.9087))) / 2 - 0.1) / 2.7342, 1e-14);
  }
}

/// Excitation: below theta_v a rested cell returns, above it v carries the upstroke.
TEST(BuenoOrovio2008, ThresholdIsThetaV) {
  const auto& m = model("bueno-orovio-2008");
  for (const auto& v : m.variants) {
    const auto p = parameters(m, v.name);
    const double theta = v.name == "pb" ? 0.35 : 0.3;
    EXPECT_LT(slopes(m, p, -84 + 85.7 * (theta - 0.001), {1, 1, 0}).v, 0) << v.name;
    EXPECT_GT(slopes(m, p, -84 + 85.7 * (theta + 0.05), {1, 1, 0}).v, 0) << v.name;
  }
}

/// APD90 [ms] of the third beat at 1000 ms by an independent integrator (LSODA, relative tolerance 1e-8). The paper
/// reports about 270 ms for epicardial and 410 ms for M cells.
TEST(BuenoOrovio2008, ActionPotentialsOfAnIndependentIntegration) {
  const auto& m = model("bueno-orovio-2008");
  const std::map<std::string, double> expected = {
      {"epi", 269.88}, {"endo", 264.21}, {"mid", 416.53}, {"pb", 395.71}, {"tnnp", 294.11}};
  for (const auto& [variant, apd] : expected) {
    EXPECT_NEAR(third_beat(m, variant).time_above(-72), apd, 0.5) << variant;
  }
}

/// Restitution: after a short diastole the action potential is shorter, and the shorter the diastole the shorter it is.
TEST(BuenoOrovio2008, DurationFallsWithTheDiastole) {
  const auto& m = model("bueno-orovio-2008");
  const auto p = parameters(m, "epi");
  double last = 0;
  for (const double second : {330.0, 380.0, 500.0, 1000.0}) {
    const double apd = paced(m, p, {10, 10 + second}, second, second + 600).time_above(-72);
    EXPECT_GT(apd, last + 0.5) << second;
    last = apd;
  }
  EXPECT_NEAR(last, 270, 3);
}

}  // namespace
}  // namespace cardiotwin::kernels
