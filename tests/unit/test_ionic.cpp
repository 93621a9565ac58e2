#include <gtest/gtest.h>

#include <algorithm>
#include <cardiotwin/kernels/engine.hpp>
#include <cardiotwin/kernels/ionic.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

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
  for (std::size_t i = 0; i < sets.size(); ++i) p.parameter_set.push_back(std::uint8_t(i));
  p.parameters = sets;
  p.initial_voltage.assign(sets.size(), m.rest);
  p.initial_states.assign(sets.size(), initial(m));
  return make_engine(p, {false, 1});
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
INSTANTIATE_TEST_SUITE_P(Models, EveryModel, ::testing::Values("mitchell-schaeffer-modified", "tentusscher-2006"),
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
  EXPECT_GE(std::log2(error(0.02) / error(0.01)), 0.9);
  EXPECT_LE(std::log2(error(0.02) / error(0.01)), 1.3);
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
  auto e = make_engine(problem, {false, 1});
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

nlohmann::json reference_cell(const std::string& variant) {
  const auto path = std::filesystem::path(CARDIOTWIN_SHARED) / "reference" / "cells" /
                    ("tentusscher_panfilov_2006_" + variant + ".json");
  if (!std::filesystem::exists(path)) return {};
  return nlohmann::json::parse(std::ifstream(path));
}

const std::vector<std::string> cell_types = {"epi", "endo", "mid"};

TEST(TenTusscher2006, DerivativesMatchTheReferencePoints) {
  const auto& m = model("tentusscher-2006");
  for (const auto& type : cell_types) {
    const auto reference = reference_cell(type);
    if (reference.is_null()) GTEST_SKIP() << "the shared reference cells are not there";
    const auto p = parameters(m, type);
    for (const auto& point : reference["rhs"]) {
      const std::vector<double> state = point["state"], expected = point["derivative_per_ms"];
      std::vector<double> d(m.states.size());
      const double dv = right_hand_side(m, p, state[0], std::span(state).subspan(1), d);
      // Relative to the largest term: the currents that cancel in dV/dt are of order 1 A/F, and a gate or concentration
      // x moves by terms of order x per ms.
      EXPECT_NEAR(dv, expected[0], 1e-9 * std::max(1.0, std::abs(expected[0]))) << type;
      for (std::size_t k = 0; k < d.size(); ++k) {
        EXPECT_NEAR(d[k], expected[k + 1], 1e-9 * std::abs(expected[k + 1]) + 1e-14 * state[k + 1])
            << type << " " << m.states[k].name << " at V = " << state[0];
      }
    }
  }
}

/// V within 1 mV and APD90 within 1 ms. Around the upstroke V moves by up to 335 mV/ms, so a delay of a fraction of a
/// step is worth more than 1 mV: the first `skipped` ms from the stimulus on are left out.
void expect_beat(const Trace& trace, const nlohmann::json& beat, double skipped, const std::string& what) {
  const std::vector<double> t = beat["t_ms"], v = beat["v_mV"];
  const Trace expected{t, v};
  for (std::size_t k = 0; k < trace.t.size() && k < t.size(); ++k) {
    ASSERT_NEAR(trace.t[k], t[k], 1e-9);
    if (t[k] >= 10 && t[k] <= 10 + skipped) continue;
    ASSERT_NEAR(trace.v[k], v[k], 1.0) << what << " at t = " << t[k];
  }
  const double level = -85 + 0.1 * 121;
  EXPECT_NEAR(trace.time_above(level), expected.time_above(level), 1.0) << what;
}

/// Beat 1 at dt 0.005 ms and beat 100 at dt 0.02 ms, all three cell types side by side.
TEST(TenTusscher2006, BeatsFollowTheReference) {
  const auto& m = model("tentusscher-2006");
  std::vector<std::vector<double>> sets;
  std::vector<nlohmann::json> references;
  for (const auto& type : cell_types) {
    references.push_back(reference_cell(type));
    if (references.back().is_null()) GTEST_SKIP() << "the shared reference cells are not there";
    sets.push_back(parameters(m, type));
  }
  std::vector<Pulse> pulses;
  for (int beat = 0; beat < 100; ++beat) pulses.push_back(pulse_on_all(3, beat * 1000.0 + 10, 0.5, 94));
  auto fine = cells(m, sets, 0.005);
  fine->set_pulses(pulses);
  const auto first = record(*fine, 3, 0.005, 999, 0.5);
  auto coarse = cells(m, sets, 0.02);
  coarse->set_pulses(pulses);
  coarse->advance(99 * 50000);
  const auto last = record(*coarse, 3, 0.02, 999, 0.5);
  for (std::size_t i = 0; i < 3; ++i) {
    expect_beat(first[i], references[i]["beats"]["1"], 3, cell_types[i] + ", beat 1");
    expect_beat(last[i], references[i]["beats"]["100"], 10, cell_types[i] + ", beat 100");
  }
}

}  // namespace
}  // namespace cardiotwin::kernels
