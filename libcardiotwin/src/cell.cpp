// Pacing of cells alone, their thresholds, and drugs.
#include <fmt/format.h>

#include <algorithm>
#include <cardiotwin/cell.hpp>
#include <cardiotwin/error.hpp>

#include "cell_pacer.hpp"

namespace cardiotwin {

Cell make_cell(std::string_view name, std::string_view variant, const std::map<std::string, double>& values,
               const std::map<std::string, double>& factors) {
  const IonicModel& model = ionic_model(name);
  Cell cell{.model = &model,
            .parameters = ionic_parameters(model, variant, values),
            .voltage = model.rest,
            .states = ionic_initial_states(model, variant)};
  std::map<std::string, double> scaled;
  for (const auto& [parameter, factor] : factors) {
    if (!(factor >= 0) || !std::isfinite(factor))
      throw InputError(fmt::format("Ionic model \"{}\": the factor {} of {} must be a number of at least 0", name,
                                   factor, parameter));
    scaled[parameter] = cell.parameters[parameter_index(model, parameter)] * factor;
  }
  cell.parameters = with_parameters(model, std::move(cell.parameters), scaled);
  return cell;
}

double accurate_dt(const IonicModel& model) {
  // Steps are 1 / (whole number) of a millisecond, so that sampling at whole fractions of it falls on steps.
  const double wanted = std::min(0.02, model.coarsest_dt / 4);
  return 1 / std::ceil(1 / wanted - 1e-9);
}

double step_of(const Cell& cell, const CellOptions& options) {
  if (options.dt == 0) return accurate_dt(*cell.model);
  if (!(options.dt > 0) || options.dt > cell.model->coarsest_dt)
    throw InputError(
        fmt::format("Cell of \"{}\": dt = {:g} ms is outside (0, {:g}] ms, what the model resolves; leave "
                    "it out for {:g} ms",
                    cell.model->name, options.dt, cell.model->coarsest_dt, accurate_dt(*cell.model)));
  return options.dt;
}

namespace {

constexpr double least_charge = 1, largest_charge = 200;  // amplitude times duration [mV]
constexpr double threshold_precision = 0.002;
constexpr std::size_t lanes = 16;  // what one slice of the engine computes at once

/// Which of so many amplitudes capture.
std::vector<bool> capturing(const Cell& cell, const std::vector<double>& amplitudes, double duration, double dt,
                            Precision precision) {
  std::vector<Cell> cells(amplitudes.size(), cell);
  std::vector<bool> captured(amplitudes.size(), false);
  constexpr double patience = 60;  // [ms] latency near the threshold
  run_plan(cells, {.pulses = {{0}}, .amplitude = amplitudes, .duration = duration, .end = duration + patience}, dt,
           precision, [&](std::size_t i, std::size_t, const CellBeat& beat) { captured[i] = beat.captured; });
  return captured;
}

void require_pacing(const Cell& cell, const CellPacing& p) {
  const auto refuse = [&](const std::string& why) {
    throw InputError(fmt::format("Pacing of \"{}\": {}", cell.model->name, why));
  };
  if (!(p.duration > 0) || !std::isfinite(p.duration))
    refuse(fmt::format("a pulse of {} ms must be longer than 0", p.duration));
  if (!(p.bcl > p.duration) || !std::isfinite(p.bcl))
    refuse(
        fmt::format("the basic cycle length of {:g} ms must be longer than the pulse of {:g} ms; lengthen the one "
                    "or shorten the other",
                    p.bcl, p.duration));
  if (p.beats < 1) refuse(fmt::format("{} beats are too few; give 1 or more", p.beats));
  if (!std::isnan(p.amplitude) && !(p.amplitude >= 0 && p.amplitude * p.duration <= 10 * largest_charge))
    refuse(fmt::format("{:g} A/F for {:g} ms must be a charge of 0 to {:g} mV", p.amplitude, p.duration,
                       10 * largest_charge));
}

}  // namespace

double capture_threshold(const Cell& cell, double duration, const CellOptions& options) {
  const double dt = step_of(cell, options);
  double low = least_charge / duration, high = largest_charge / duration;
  bool known = false;
  while (!known || high > low * (1 + threshold_precision)) {
    std::vector<double> amplitudes;
    const double ratio = std::pow(high / low, 1.0 / (lanes - 1));
    for (std::size_t k = 0; k < lanes; ++k) amplitudes.push_back(low * std::pow(ratio, static_cast<double>(k)));
    const auto captured = capturing(cell, amplitudes, duration, dt, options.precision);
    const auto first = static_cast<std::size_t>(std::find(captured.begin(), captured.end(), true) - captured.begin());
    if (first == lanes) return known ? high : NAN;
    if (first == 0) return amplitudes[0];
    low = amplitudes[first - 1], high = amplitudes[first];
    known = true;
  }
  return high;
}

CellPacing settled_pacing(const Cell& cell, CellPacing pacing, const CellOptions& options) {
  require_pacing(cell, pacing);
  if (!std::isnan(pacing.amplitude)) return pacing;
  const double threshold = capture_threshold(cell, pacing.duration, options);
  if (std::isnan(threshold))
    throw InputError(
        fmt::format("Pacing of \"{}\": no pulse of {:g} ms with a charge up to {:g} mV captures; give an "
                    "amplitude to pace the cell all the same",
                    cell.model->name, pacing.duration, largest_charge));
  pacing.amplitude = 2 * threshold;
  return pacing;
}

std::vector<CellRun> pace_cells(std::span<const Cell> given, const CellPacing& wanted, const CellOptions& options,
                                const CellSampling& sampling, const Monitor& monitor) {
  if (given.empty()) return {};
  const CellPacing pacing = settled_pacing(given.front(), wanted, options);
  const double dt = step_of(given.front(), options);
  PacerPlan plan{.pulses = {train(pacing.bcl, pacing.beats)},
                 .amplitude = {pacing.amplitude},
                 .duration = pacing.duration,
                 .end = pacing.bcl * pacing.beats};
  if (sampling.beats > 0) {
    plan.trace_from = pacing.bcl * std::max(0, pacing.beats - sampling.beats);
    plan.trace_interval = sampling.interval;
  }
  std::vector<Cell> cells(given.begin(), given.end());
  std::vector<CellRun> runs(cells.size());
  const auto keep = [&](std::size_t cell, std::size_t, const CellBeat& beat) { runs[cell].beats.push_back(beat); };
  auto trace = run_plan(cells, plan, dt, options.precision, keep, [&](double done) {
    monitor.poll();
    monitor.report("pacing", done);
  });
  for (std::size_t i = 0; i < runs.size(); ++i) runs[i].end = std::move(cells[i]), runs[i].amplitude = pacing.amplitude;
  if (!trace.time.empty()) {
    const double begin = trace.time.front();
    for (double& time : trace.time) time -= begin;
  }
  runs.front().trace = std::move(trace);
  return runs;
}

CellRun pace_cell(const Cell& cell, const CellPacing& pacing, const CellOptions& options, const CellSampling& sampling,
                  const Monitor& monitor) {
  return std::move(pace_cells(std::span(&cell, 1), pacing, options, sampling, monitor).front());
}

int spontaneous_beats(const Cell& cell, double duration, const CellOptions& options) {
  std::vector<Cell> cells{cell};
  int beats = 0;
  run_plan(cells, {.pulses = {{0}}, .amplitude = {0}, .end = duration}, step_of(cell, options), options.precision,
           [&](std::size_t, std::size_t, const CellBeat& beat) { beats = beat.activations; });
  return beats;
}

double unblocked(const DrugEffect& effect, double concentration) {
  return concentration > 0 ? 1 / (1 + std::pow(concentration / effect.ic50, effect.hill)) : 1;
}

Cell with_drug(const Cell& cell, std::span<const DrugEffect> effects, double concentration) {
  if (!(concentration >= 0) || !std::isfinite(concentration))
    throw InputError(fmt::format("Drug: a concentration of {:g} mM must be a number of at least 0", concentration));
  Cell changed = cell;
  for (const auto& effect : effects) {
    if (!(effect.ic50 > 0) || !std::isfinite(effect.ic50))
      throw InputError(fmt::format("Drug, {}: an IC50 of {:g} mM must be above 0", effect.parameter, effect.ic50));
    if (!(effect.hill > 0) || !std::isfinite(effect.hill))
      throw InputError(
          fmt::format("Drug, {}: a Hill coefficient of {:g} must be above 0", effect.parameter, effect.hill));
    changed.parameters[parameter_index(*cell.model, effect.parameter)] *= unblocked(effect, concentration);
  }
  return changed;
}

}  // namespace cardiotwin
