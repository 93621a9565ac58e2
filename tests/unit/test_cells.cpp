// Every detailed cell against the reference cells of the shared folder: the derivatives at six points, and the first
// and the hundredth beat at 1000 ms. The cells of one model are advanced side by side.
#include <gtest/gtest.h>

#include <algorithm>
#include <cardiotwin/kernels/engine.hpp>
#include <cardiotwin/kernels/ionic.hpp>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "support/record_table.hpp"

namespace cardiotwin::kernels {
namespace {

struct ReferenceCell {
  std::string file, variant;
};

/// The reference cells of a model, each with the variant that it is.
const std::map<std::string, std::vector<ReferenceCell>> reference_cells = {
    {"tentusscher-2006",
     {{"tentusscher_panfilov_2006_endo", "endo"},
      {"tentusscher_panfilov_2006_epi", "epi"},
      {"tentusscher_panfilov_2006_mid", "mid"}}},
    {"ohara-rudy-2011",
     {{"ohara_rudy_2011_endo", "endo"}, {"ohara_rudy_2011_epi", "epi"}, {"ohara_rudy_2011_mid", "mid"}}},
    {"tor-ord-dyncl", {{"tor_ord_dyncl_endo", "endo"}, {"tor_ord_dyncl_epi", "epi"}, {"tor_ord_dyncl_mid", "mid"}}},
    {"courtemanche-1998", {{"courtemanche_1998", "sinus"}}},
    {"grandi-2011", {{"grandi_2011_la_sinus", "sinus"}, {"grandi_2011_la_af", "af"}}},
    {"stewart-2009", {{"stewart_2009_purkinje", "purkinje"}}},
};

const std::vector<std::string>& model_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> result;
    for (const auto& [name, cells] : reference_cells) result.push_back(name);
    return result;
  }();
  return names;
}

/// V [mV] every 0.5 ms of one beat.
struct Trace {
  std::vector<double> v;

  double rest() const { return v.front(); }
  double peak() const { return *std::max_element(v.begin(), v.end()); }
  /// Where the action potential of this trace is 90 % repolarised.
  double level_90() const { return rest() + 0.1 * (peak() - rest()); }
  /// Time from the first to the last crossing of `level`, by linear interpolation.
  double time_above(double level) const {
    double first = NAN, last = NAN;
    for (std::size_t k = 1; k < v.size(); ++k) {
      if ((v[k - 1] < level) == (v[k] < level)) continue;
      const double at = 0.5 * (double(k - 1) + (level - v[k - 1]) / (v[k] - v[k - 1]));
      if (std::isnan(first)) first = at;
      last = at;
    }
    return last - first;
  }
};

/// One reference cell and the model's parameters that make it.
struct Cell {
  std::string name;
  std::vector<double> parameters;
  nlohmann::json reference;

  double initial_voltage() const { return reference["initial"][0]; }
  std::vector<double> initial_states() const {
    const std::vector<double> all = reference["initial"];
    return {all.begin() + 1, all.end()};
  }
  Trace beat(const char* number) const { return {reference["beats"][number]["v_mV"].get<std::vector<double>>()}; }
};

/// The model with its reference cells; none of them where the shared folder is not there.
class CellModel : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    m = find_model(GetParam());
    ASSERT_NE(m, nullptr) << "there is no model of this name";
    for (const auto& [file, variant] : reference_cells.at(GetParam())) {
      const auto path = std::filesystem::path(CARDIOTWIN_SHARED) / "reference" / "cells" / (file + ".json");
      if (!std::filesystem::exists(path)) GTEST_SKIP() << "the shared reference cell " << file << " is not there";
      cells.push_back({file, parameters_of(variant), nlohmann::json::parse(std::ifstream(path))});
    }
  }

  std::vector<double> parameters_of(const std::string& variant) const {
    const auto found =
        std::find_if(m->variants.begin(), m->variants.end(), [&](const Variant& v) { return v.name == variant; });
    EXPECT_NE(found, m->variants.end()) << "no variant " << variant;
    std::map<std::string, double> changed;
    if (found != m->variants.end()) changed.insert(found->values.begin(), found->values.end());
    std::vector<double> result;
    for (const auto& p : m->parameters) result.push_back(changed.contains(p.name) ? changed[p.name] : p.value);
    return result;
  }

  /// The cells, not coupled to each other.
  std::unique_ptr<Engine> engine(double dt, Real real = Real::fp64) const {
    Problem p;
    p.model = m;
    p.real = real;
    p.dt = dt;
    p.activation_threshold = m->activation_threshold;
    p.repolarization_level = m->repolarization_level;
    p.row_start.assign(cells.size() + 1, 0);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      p.parameter_set.push_back(std::int32_t(i));
      p.parameters.push_back(cells[i].parameters);
      p.initial_voltage.push_back(cells[i].initial_voltage());
      p.initial_states.push_back(cells[i].initial_states());
    }
    return make_engine(p, {.index = 1});
  }

  /// The reference's stimulus in `beats` beats at 1000 ms, the first of which begins at `start`.
  void pace(Engine& e, int beats, double start = 0) const {
    const auto& stimulus = cells.front().reference["stimulus"];
    std::vector<Pulse> pulses;
    for (int beat = 0; beat < beats; ++beat) {
      Pulse p;
      for (std::size_t i = 0; i < cells.size(); ++i) p.nodes.push_back(std::int32_t(i));
      p.start = start + beat * stimulus["cycle_length_ms"].get<double>() + stimulus["offset_ms"].get<double>();
      p.duration = stimulus["duration_ms"];
      p.amplitude = -stimulus["amplitude_A_per_F"].get<double>();  // there depolarising is negative
      pulses.push_back(p);
    }
    e.set_pulses(pulses);
  }

  /// The next beat of every cell.
  std::vector<Trace> record(Engine& e, double dt) const {
    std::vector<Trace> traces(cells.size());
    std::vector<double> v(cells.size());
    for (int k = 0; k < 2000; ++k) {
      e.voltage(v);
      for (std::size_t i = 0; i < v.size(); ++i) traces[i].v.push_back(v[i]);
      e.advance(std::llround(0.5 / dt));
    }
    return traces;
  }

  /// V within 1 mV plus what V moves in `delay` ms, and APD90 within 1 ms. While V jumps by hundreds of mV/ms a delay
  /// of a fraction of a step is worth more than 1 mV: the 6 ms from the stimulus on are left out.
  void expect_beat(const Trace& ours, const Trace& expected, double delay, const std::string& what) const {
    const auto samples = std::size_t(2 * delay);  // of 0.5 ms
    const auto& v = expected.v;
    for (std::size_t k = 0; k < v.size(); ++k) {
      const double t = 0.5 * double(k);
      if (t >= 10 && t <= 16) continue;
      double allowed = 1;
      if (k >= samples && k + samples < v.size()) {
        allowed += std::max(std::abs(v[k + samples] - v[k]), std::abs(v[k] - v[k - samples]));
      }
      ASSERT_NEAR(ours.v[k], v[k], allowed) << what << " at t = " << t;
    }
    const double level = expected.level_90();
    // ToR-ORd feels most that its reference counts the stimulus as potassium: with dt 0.005 throughout, epi and mid are
    // 0.4 and 1.0 ms off after 100 beats, with 0.02 on the way 1.3 and 1.35.
    const double off = m->name == "tor-ord-dyncl" && delay > 0 ? 1.5 : 1.0;
    EXPECT_NEAR(ours.time_above(level), expected.time_above(level), off) << what;
  }

  const ModelInfo* m = nullptr;
  std::vector<Cell> cells;
};

INSTANTIATE_TEST_SUITE_P(Models, CellModel, ::testing::ValuesIn(model_names()), [](const auto& tested) {
  auto name = tested.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST_P(CellModel, DerivativesAreTheReferences) {
  std::vector<std::string> rows;
  for (const auto& cell : cells) {
    double worst = 0;
    for (const auto& point : cell.reference["rhs"]) {
      const std::vector<double> state = point["state"], expected = point["derivative_per_ms"];
      ASSERT_EQ(state.size(), m->states.size() + 1) << cell.name;
      std::vector<double> d(m->states.size());
      const double dv = right_hand_side(*m, cell.parameters, state[0], std::span(state).subspan(1), d);
      // Relative to the largest term: the currents that cancel in dV/dt are of order 1 A/F, and a gate or concentration
      // x moves by terms of order x per ms and more.
      EXPECT_NEAR(dv, expected[0], 1e-9 * std::max(1.0, std::abs(expected[0]))) << cell.name;
      for (std::size_t k = 0; k < d.size(); ++k) {
        EXPECT_NEAR(d[k], expected[k + 1], 1e-9 * std::abs(expected[k + 1]) + 1e-13 * std::abs(state[k + 1]) + 1e-100)
            << cell.name << " " << m->states[k].name << " at V = " << state[0];
        if (expected[k + 1] != 0) worst = std::max(worst, std::abs(d[k] / expected[k + 1] - 1));
      }
    }
    rows.push_back(fmt::format("{} | {:.1e}", cell.name, worst));
  }
  test::record_table("cell | largest relative difference of a state's derivative", rows);
}

TEST_P(CellModel, FirstBeatFollowsTheReference) {
  const double dt = 0.005;
  const auto e = engine(dt);
  pace(*e, 1);
  const auto traces = record(*e, dt);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    expect_beat(traces[i], cells[i].beat("1"), 0, cells[i].name + ", beat 1");
  }
}

/// 98 beats at dt 0.02 ms bring the slow concentrations to where they belong; the two last beats are taken up from
/// there at 0.005 ms, fine enough to be compared with an exact solution. The beats at 0.02 ms go on as well, in both
/// precisions: what fp32 loses of the slow drift in 100 beats must not show in the action potential. Some references
/// count the stimulus as potassium, ours never does: after 100 beats K_i differs by 0.3 mM, and V by up to 1.3 mV (0.7
/// when the stimulus is counted).
TEST_P(CellModel, HundredthBeatFollowsTheReferenceInBothPrecisions) {
  const double coarse = 0.02, fine = 0.005;
  const auto steps = [](int beats, double dt) { return std::llround(beats * 1000 / dt); };
  const auto exact = engine(coarse), single = engine(coarse, Real::fp32), last = engine(fine);
  pace(*exact, 100);
  pace(*single, 100);
  exact->advance(steps(98, coarse));
  single->advance(steps(99, coarse));

  last->restore(exact->save());
  pace(*last, 2, double(last->step_count()) * fine);  // time is the number of steps times dt
  last->advance(steps(1, fine));
  const auto traces = record(*last, fine);
  exact->advance(steps(1, coarse));
  const auto in_double = record(*exact, coarse), in_single = record(*single, coarse);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const auto expected = cells[i].beat("100");
    expect_beat(traces[i], expected, 1, cells[i].name + ", beat 100");
    const double level = expected.level_90();
    EXPECT_NEAR(in_single[i].time_above(level), in_double[i].time_above(level), 0.5) << cells[i].name;
    EXPECT_NEAR(in_single[i].rest(), in_double[i].rest(), 0.05) << cells[i].name;
  }
}

/// Engine::save of one node in fp64: six words of shape, the step, V and its increment, then the states as they are
/// stored.
std::vector<double> stored_states(const Engine& e, std::size_t count) {
  const auto bytes = e.save();
  std::vector<double> result(count);
  std::memcpy(result.data(), bytes.data() + 9 * sizeof(double), count * sizeof(double));
  return result;
}

/// Gates are fractions and concentrations positive throughout a beat, also with the longest step a model allows.
TEST_P(CellModel, StatesStayInBounds) {
  const auto all = cells;
  for (const auto& cell : all) {
    cells = {cell};
    for (const double dt : {0.02, std::min(0.1, m->coarsest_dt)}) {
      const auto e = engine(dt);
      pace(*e, 1);
      const auto initial = cell.initial_states();
      const auto at_start = stored_states(*e, initial.size());  // some are stored as offsets
      for (int ms = 1; ms <= 500; ++ms) {
        e->advance(std::llround(1 / dt));
        const auto stored = stored_states(*e, initial.size());
        for (std::size_t s = 0; s < stored.size(); ++s) {
          const double value = stored[s] + (initial[s] - at_start[s]);
          const auto& [name, unit, unused] = m->states[s];
          if (unit == "mM") {
            ASSERT_GT(value, 0) << cell.name << " " << name << " after " << ms << " ms, dt " << dt;
            ASSERT_LT(value, 250) << cell.name << " " << name << " after " << ms << " ms, dt " << dt;
          } else if (unit.empty()) {
            ASSERT_GE(value, -1e-12) << cell.name << " " << name << " after " << ms << " ms, dt " << dt;
            ASSERT_LE(value, 1 + 1e-3) << cell.name << " " << name << " after " << ms << " ms, dt " << dt;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace cardiotwin::kernels
