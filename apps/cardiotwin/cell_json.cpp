// What `cardiotwin cell --json` prints. Numbers that there are not become null.
#include <nlohmann/json.hpp>

#include "cell_tables.hpp"

namespace cardiotwin::app {
namespace {

using Json = nlohmann::ordered_json;

Json beat_json(const CellBeat& b) {
  return {{"start_ms", b.start},       {"rest_mV", b.rest},
          {"peak_mV", b.peak},         {"max_slope_mV_per_ms", b.max_slope},
          {"upstroke_ms", b.upstroke}, {"apd30_ms", b.apd30},
          {"apd50_ms", b.apd50},       {"apd90_ms", b.apd90},
          {"captured", b.captured},    {"activations", b.activations}};
}

}  // namespace

Json models_json() {
  Json all = Json::array();
  for (const auto& m : kernels::models()) {
    Json variants = Json::array();
    for (const auto& v : m.variants) variants.push_back({{"name", v.name}, {"source", v.source}});
    all.push_back({{"name", m.name}, {"doi", m.doi}, {"variants", variants}});
  }
  return {{"models", all}};
}

Json parameters_json(const Cell& cell) {
  Json all = Json::array();
  for (std::size_t k = 0; k < cell.parameters.size(); ++k) {
    const auto& p = cell.model->parameters[k];
    all.push_back({{"name", p.name},
                   {"value", cell.parameters[k]},
                   {"unit", p.unit},
                   {"low", p.low},
                   {"high", p.high},
                   {"doc", p.doc}});
  }
  return {{"model", cell.model->name}, {"doi", cell.model->doi}, {"parameters", all}};
}

Json run_json(const CellRun& run) {
  Json beats = Json::array();
  long captured = 0;
  for (const auto& b : run.beats) beats.push_back(beat_json(b)), captured += b.captured;
  const std::size_t n = run.beats.size();
  const double alternans = n > 1 ? run.beats[n - 1].apd90 - run.beats[n - 2].apd90 : NAN;
  return {{"amplitude_A_per_F", run.amplitude},
          {"captured_beats", captured},
          {"alternans_ms", alternans},
          {"last", beat_json(run.beats.back())},
          {"beats", beats}};
}

Json restitution_json(const Restitution& r) {
  Json points = Json::array();
  for (const auto& p : r.points)
    points.push_back({{"interval_ms", p.interval},
                      {"di_ms", p.di},
                      {"apd90_ms", p.apd},
                      {"peak_mV", p.peak},
                      {"captured", p.captured}});
  return {{"amplitude_A_per_F", r.amplitude},
          {"max_slope", r.max_slope},
          {"max_slope_di_ms", r.max_slope_di},
          {"erp_ms", r.erp},
          {"points", points}};
}

Json population_json(const PopulationSummary& s) {
  return {{"amplitude_A_per_F", s.amplitude},
          {"cells", s.cells},
          {"not_captured", s.not_captured},
          {"not_repolarized", s.not_repolarized},
          {"apd90_ms", {{"mean", s.mean}, {"sd", s.sd}, {"p5", s.p5}, {"p50", s.p50}, {"p95", s.p95}}}};
}

}  // namespace cardiotwin::app
