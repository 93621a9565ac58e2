// The tables of `cardiotwin cell` for people, and its CSV files.
#include "cell_tables.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cardiotwin/units.hpp>
#include <cmath>

namespace cardiotwin::app {
namespace {

/// A number with so many decimals, or a dash.
std::string shown(double value, int decimals = 1) {
  if (!std::isfinite(value)) return "-";
  const double unit = std::pow(10, -decimals);
  return fmt::format("{:.{}f}", std::abs(value) < 0.5 * unit ? 0.0 : value, decimals);  // never "-0.0"
}

/// A number for a CSV file: nothing where there is none.
std::string field(double value) { return std::isfinite(value) ? fmt::format("{:.10g}", value) : ""; }

std::string title(const CellRequest& r, double amplitude, const std::string& protocol) {
  std::string text = r.variant.empty() ? r.model : fmt::format("{} {}", r.model, r.variant);
  for (const auto& [name, value] : r.set) text += fmt::format(", {} = {}", name, value);
  for (const auto& [name, factor] : r.scale) text += fmt::format(", {} x {}", name, factor);
  if (r.concentrations.size() == 1) text += ", drug at " + format_quantity(r.concentrations[0], "uM");
  const char* chosen = r.twice_threshold ? ", twice the threshold" : "";
  return fmt::format("{}\n  {}, stimulus {:g} ms x {:.4g} A/F{}, dt {:g} ms, {}\n", text, protocol, r.pacing.duration,
                     amplitude, chosen, r.run.dt, r.precision);
}

std::string beats(std::size_t n) { return fmt::format("{} beat{}", n, n == 1 ? "" : "s"); }

constexpr const char* apd_definition =
    "  APDx: from the upstroke (max dV/dt) to x % repolarisation between that beat's peak and rest";

double alternans(const std::vector<CellBeat>& beats) {
  return beats.size() > 1 ? beats.back().apd90 - beats[beats.size() - 2].apd90 : NAN;
}

long captured(const std::vector<CellBeat>& beats) {
  return std::count_if(beats.begin(), beats.end(), [](const auto& b) { return b.captured; });
}

}  // namespace

std::string model_list() {
  std::string text;
  for (const auto& m : kernels::models()) {
    std::vector<std::string> variants;
    for (const auto& v : m.variants) variants.push_back(v.name);
    text += fmt::format("{:<28} doi {:<32} {}\n", m.name, m.doi,
                        variants.empty() ? "no variants" : fmt::format("variants {}", fmt::join(variants, ", ")));
  }
  text.pop_back();
  return text;
}

std::string parameter_table(const Cell& cell) {
  const auto& m = *cell.model;
  std::size_t name = 4, unit = 4;
  for (const auto& p : m.parameters) name = std::max(name, p.name.size()), unit = std::max(unit, p.unit.size());
  std::string text =
      fmt::format("{:<{}}  {:>12}  {:<{}}  {:<18}  meaning\n", "name", name, "value", "unit", unit, "range");
  for (std::size_t k = 0; k < m.parameters.size(); ++k) {
    const auto& p = m.parameters[k];
    text += fmt::format("{:<{}}  {:>12.6g}  {:<{}}  {:<18}  {}\n", p.name, name, cell.parameters[k], p.unit, unit,
                        fmt::format("{:g} to {:g}", p.low, p.high), p.doc);
  }
  return text + fmt::format("{}, doi {}", m.name, m.doi);
}

std::string beat_table(const CellRequest& r, const CellRun& run) {
  const CellBeat& b = run.beats.back();
  std::string text = title(r, run.amplitude, fmt::format("{} at {:g} ms", beats(run.beats.size()), r.pacing.bcl));
  const auto line = [&](const char* name, const std::string& value, const char* unit, const char* note) {
    text += fmt::format("  {:<20} {:>9} {:<6} {}", name, value, unit, note);
    text.erase(text.find_last_not_of(' ') + 1);
    text += "\n";
  };
  line("resting potential", shown(b.rest), "mV", run.beats.size() > 1 ? "lowest of the beat before" : "");
  line("peak", shown(b.peak), "mV", "");
  line("max dV/dt", shown(b.max_slope), "mV/ms", "the membrane's own, without the stimulus");
  line("APD30", shown(b.apd30), "ms", ""), line("APD50", shown(b.apd50), "ms", "");
  line("APD90", shown(b.apd90), "ms", "");
  line("alternans", shown(alternans(run.beats), 2), "ms", "APD90 less that of the beat before");
  line("captured", fmt::format("{}", captured(run.beats)), "", fmt::format("of {}", beats(run.beats.size())).c_str());
  return text + apd_definition;
}

std::string drug_table(const CellRequest& r, const std::vector<CellRun>& runs) {
  std::string text =
      title(r, runs[0].amplitude, fmt::format("{} at {:g} ms each", beats(runs[0].beats.size()), r.pacing.bcl));
  text += "  concentration     APD90    change  alternans  max dV/dt  captured\n";
  for (std::size_t k = 1; k < runs.size(); ++k) {
    const CellBeat &b = runs[k].beats.back(), &free = runs[0].beats.back();
    text +=
        fmt::format("  {:>13} {:>9} {:>9} {:>10} {:>10} {:>9}\n", format_quantity(r.concentrations[k - 1], "uM"),
                    shown(b.apd90), shown(100 * (b.apd90 / free.apd90 - 1)) + " %", shown(alternans(runs[k].beats), 2),
                    shown(b.max_slope), fmt::format("{}/{}", captured(runs[k].beats), runs[k].beats.size()));
  }
  return text + fmt::format("  change: against {} ms without the drug\n", shown(runs[0].beats.back().apd90)) +
         apd_definition;
}

std::string restitution_table(const CellRequest& r, const Restitution& curve) {
  const bool s1s2 = r.restitution == "s1s2";
  std::string text = title(
      r, curve.amplitude,
      s1s2 ? fmt::format("S1S2 after {} at {:g} ms", beats(static_cast<std::size_t>(r.pacing.beats)), r.pacing.bcl)
           : fmt::format("dynamic, {} beats at each cycle length", r.pacing.beats));
  if (s1s2) {
    text += "  coupling        DI     APD90  [ms]  peak [mV]\n";
    for (const auto& p : curve.points) {
      text += fmt::format("  {:>8g} {:>9} {:>9} {:>15}{}\n", p.interval, shown(p.di), shown(p.apd), shown(p.peak),
                          p.captured ? "" : "  not captured, nor are shorter ones");
      if (!p.captured) break;
    }
  } else {
    text += "  cycle length        DI     APD90        DI     APD90  alternans  [ms], last two beats\n";
    for (std::size_t k = 0; k + 1 < curve.points.size(); k += 2) {
      const auto &a = curve.points[k], &b = curve.points[k + 1];
      text += fmt::format("  {:>12g} {:>9} {:>9} {:>9} {:>9} {:>10}{}\n", a.interval, shown(a.di), shown(a.apd),
                          shown(b.di), shown(b.apd), shown(std::abs(b.apd - a.apd), 2),
                          a.captured && b.captured ? "" : "  not all captured");
    }
  }
  text += std::isnan(curve.max_slope) ? "  maximum slope: too few points\n"
                                      : fmt::format("  maximum slope {:.2f} at DI {:.0f} ms, of APD90 over DI\n",
                                                    curve.max_slope, curve.max_slope_di);
  if (std::isnan(curve.erp)) {
    text += s1s2 ? "  every S2 captured; a shorter --to finds the refractory period\n" : "  every beat captured\n";
  } else {
    text += s1s2 ? fmt::format("  effective refractory period {:g} ms: the longest coupling that does not capture\n",
                               curve.erp)
                 : fmt::format("  beats are lost from {:g} ms on\n", curve.erp);
  }
  return text + "  DI: from 90 % repolarisation to the next stimulus\n" + apd_definition;
}

std::string population_table(const CellRequest& r, const PopulationSummary& s, double seconds) {
  std::string text = title(
      r, s.amplitude, fmt::format("{} at {:g} ms each", beats(static_cast<std::size_t>(r.pacing.beats)), r.pacing.bcl));
  text += fmt::format("  {} cells, seed {}: {} varied by {:g}\n", s.cells, r.spread.seed,
                      fmt::join(r.spread.vary, ", "), r.spread.spread);
  text += fmt::format("  APD90 {} ms, sd {}; 5 % {}, 50 % {}, 95 % {}\n", shown(s.mean), shown(s.sd), shown(s.p5),
                      shown(s.p50), shown(s.p95));
  text += fmt::format("  {} not captured, {} not repolarised in the last beat\n", s.not_captured, s.not_repolarized);
  text += fmt::format("  {:.3g} cell-steps in {:.1f} s: {:.1f} ns each\n", s.cell_steps, seconds,
                      1e9 * seconds / s.cell_steps);
  return text + apd_definition;
}

std::string beat_csv(const CellRun& run) {
  std::string text =
      "beat,start_ms,rest_mV,peak_mV,max_slope_mV_per_ms,upstroke_ms,apd30_ms,apd50_ms,apd90_ms,captured,activations\n";
  for (std::size_t k = 0; k < run.beats.size(); ++k) {
    const auto& b = run.beats[k];
    text += fmt::format("{},{},{},{},{},{},{},{},{},{:d},{}\n", k + 1, field(b.start), field(b.rest), field(b.peak),
                        field(b.max_slope), field(b.upstroke), field(b.apd30), field(b.apd50), field(b.apd90),
                        b.captured, b.activations);
  }
  return text;
}

std::string drug_csv(const CellRequest& r, const std::vector<CellRun>& runs) {
  std::string text = "concentration_uM,apd90_ms,change_percent,alternans_ms,max_slope_mV_per_ms,captured\n";
  for (std::size_t k = 1; k < runs.size(); ++k) {
    const CellBeat& b = runs[k].beats.back();
    text += fmt::format("{},{},{},{},{},{}\n", field(r.concentrations[k - 1] / units::uM), field(b.apd90),
                        field(100 * (b.apd90 / runs[0].beats.back().apd90 - 1)), field(alternans(runs[k].beats)),
                        field(b.max_slope), captured(runs[k].beats));
  }
  return text;
}

std::string restitution_csv(const Restitution& curve) {
  std::string text = "interval_ms,di_ms,apd90_ms,peak_mV,captured\n";
  for (const auto& p : curve.points)
    text += fmt::format("{},{},{},{},{:d}\n", field(p.interval), field(p.di), field(p.apd), field(p.peak), p.captured);
  return text;
}

std::string trace_csv(const Cell& cell, const CellTrace& trace) {
  const auto& states = cell.model->states;
  std::string text = "time_ms,V_mV";
  for (const auto& s : states) text += fmt::format(",{}{}{}", s.name, s.unit.empty() ? "" : "_", s.unit);
  for (std::size_t k = 0; k < trace.time.size(); ++k) {
    text += fmt::format("\n{},{}", field(trace.time[k]), field(trace.voltage[k]));
    for (std::size_t s = 0; s < states.size(); ++s) text += ',' + field(trace.states[k * states.size() + s]);
  }
  return text + "\n";
}

std::string population_csv_header(const CellRequest& r) {
  std::string text = "cell";
  for (const auto& name : r.spread.vary) text += fmt::format(",factor_{}", name);
  return text +
         ",rest_mV,peak_mV,max_slope_mV_per_ms,apd30_ms,apd50_ms,apd90_ms,alternans_ms,captured_last,captured_beats\n";
}

std::string population_csv_row(long index, const PopulationCell& cell) {
  std::string text = fmt::format("{}", index);
  for (const double factor : cell.factors) text += ',' + field(factor);
  const auto& b = cell.last;
  return text + fmt::format(",{},{},{},{},{},{},{},{:d},{}\n", field(b.rest), field(b.peak), field(b.max_slope),
                            field(b.apd30), field(b.apd50), field(b.apd90), field(cell.alternans), b.captured,
                            cell.captured);
}

}  // namespace cardiotwin::app
