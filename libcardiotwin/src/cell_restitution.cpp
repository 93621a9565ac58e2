// Restitution of one cell: S1S2 with all S2 side by side, and dynamic.
#include <fmt/format.h>

#include <algorithm>
#include <cardiotwin/error.hpp>
#include <utility>

#include "cell_pacer.hpp"

namespace cardiotwin {
namespace {

std::vector<double> intervals_of(const RestitutionOptions& o, const CellPacing& pacing) {
  if (!(o.from >= o.to && o.to > pacing.duration && o.by > 0) || !std::isfinite(o.from))
    throw InputError(
        fmt::format("Restitution: intervals from {:g} down to {:g} by {:g} ms must descend by a positive step and stay "
                    "longer than the pulse of {:g} ms",
                    o.from, o.to, o.by, pacing.duration));
  constexpr double most = 2000;
  if ((o.from - o.to) / o.by > most)
    throw InputError(
        fmt::format("Restitution: {:g} ms from {:g} to {:g} by {:g} ms are more than {:g} intervals; "
                    "lengthen the step",
                    o.from - o.to, o.from, o.to, o.by, most));
  std::vector<double> intervals;
  for (int k = 0; o.from - k * o.by > o.to - 1e-9; ++k) intervals.push_back(o.from - k * o.by);
  return intervals;
}

/// Slopes between neighbours of nearly the same DI would be noise.
void find_max_slope(Restitution& r) {
  constexpr double least_step = 1;  // [ms]
  std::vector<std::pair<double, double>> curve;
  for (const auto& p : r.points) {
    if (p.captured && std::isfinite(p.di) && std::isfinite(p.apd)) curve.emplace_back(p.di, p.apd);
  }
  std::sort(curve.begin(), curve.end());
  for (std::size_t a = 0, b = 1; b < curve.size(); ++b) {
    const double step = curve[b].first - curve[a].first;
    if (step < least_step) continue;
    const double slope = (curve[b].second - curve[a].second) / step;
    if (!(slope <= r.max_slope)) r.max_slope = slope, r.max_slope_di = 0.5 * (curve[a].first + curve[b].first);
    a = b;
  }
}

/// The S2 of every coupling, each from `cell`, which gets its last S1 at time 0.
class Extra {
 public:
  Extra(const Cell& cell, const CellPacing& pacing, double rest, double dt, Precision precision)
      : cell_(cell), pacing_(pacing), rest_(rest), dt_(dt), precision_(precision) {}

  std::vector<RestitutionPoint> at(const std::vector<double>& couplings, const Monitor& monitor) const {
    if (couplings.empty()) return {};
    // Whichever is longest has an S1 beat that nothing cuts short: it says when the S1 is repolarised.
    const double longest = std::max(couplings.front(), pacing_.bcl);
    PacerPlan plan{.pulses = {},
                   .amplitude = {pacing_.amplitude},
                   .duration = pacing_.duration,
                   .end = longest + std::max(pacing_.bcl, 1000.0),
                   .rest = rest_};
    for (const double c : couplings) plan.pulses.push_back({0, c});
    plan.pulses.push_back({0, longest});
    std::vector<Cell> cells(plan.pulses.size(), cell_);
    std::vector<CellBeat> s1(cells.size()), s2(cells.size());
    run_plan(
        cells, plan, dt_, precision_,
        [&](std::size_t cell, std::size_t beat, const CellBeat& b) { (beat == 0 ? s1 : s2)[cell] = b; },
        [&](double done) {
          monitor.poll();
          monitor.report("S2 at all couplings", done);
        });
    std::vector<RestitutionPoint> points;
    constexpr double whole_response = 0.8;
    const double least_peak = rest_ + whole_response * (s1.back().peak - rest_);
    for (std::size_t i = 0; i < couplings.size(); ++i) {
      const bool captured = s2[i].captured && s2[i].peak >= least_peak;
      points.push_back(
          {couplings[i], couplings[i] - s1.back().repolarized(), captured ? s2[i].apd90 : NAN, s2[i].peak, captured});
    }
    return points;
  }

 private:
  const Cell& cell_;
  const CellPacing& pacing_;
  double rest_, dt_;
  Precision precision_;
};

}  // namespace

Restitution s1s2_restitution(const Cell& cell, const CellPacing& wanted, const RestitutionOptions& options,
                             const CellOptions& run, const Monitor& monitor) {
  const CellPacing pacing = settled_pacing(cell, wanted, run);
  const auto couplings = intervals_of(options, pacing);
  const double dt = step_of(cell, run);
  Cell trained = cell;
  double rest = cell.voltage;
  if (pacing.beats > 1) {
    CellPacing before = pacing;
    before.beats -= 1;
    auto train = pace_cell(cell, before, run, {}, monitor);
    trained = std::move(train.end);
    rest = train.beats.back().rest;
  }
  const Extra extra(trained, pacing, rest, dt, run.precision);
  Restitution result;
  result.amplitude = pacing.amplitude;
  result.points = extra.at(couplings, monitor);

  // The refractory period to 1 ms: between the first coupling that fails, going down, and the one before it.
  const auto failing = std::find_if(result.points.begin(), result.points.end(), [](auto& p) { return !p.captured; });
  // What a stimulus does before that, on a membrane half repolarised, is no action potential of its own.
  for (auto p = failing; p != result.points.end(); ++p) p->captured = false, p->apd = NAN;
  if (failing != result.points.begin() && failing != result.points.end()) {
    std::vector<double> between;
    for (double c = std::ceil(std::prev(failing)->interval) - 1; c > failing->interval; --c) between.push_back(c);
    const auto refined = extra.at(between, monitor);
    result.erp = failing->interval;
    const auto first = std::find_if(refined.begin(), refined.end(), [](auto& p) { return !p.captured; });
    if (first != refined.end()) result.erp = first->interval;
    result.points.insert(failing, refined.begin(), first);
  }
  find_max_slope(result);
  return result;
}

Restitution dynamic_restitution(const Cell& cell, const CellPacing& wanted, const RestitutionOptions& options,
                                const CellOptions& run, const Monitor& monitor) {
  CellPacing pacing = wanted;
  pacing.bcl = options.from;
  pacing = settled_pacing(cell, pacing, run);
  const auto intervals = intervals_of(options, pacing);
  constexpr int fewest = 3;  // two action potentials, and the one before them
  if (pacing.beats < fewest)
    throw InputError(
        fmt::format("Restitution: {} beats at each cycle length are too few; give {} or more", pacing.beats, fewest));
  const double dt = step_of(cell, run);
  std::vector<Cell> cells{cell};
  Restitution result;
  result.amplitude = pacing.amplitude;
  double rest = NAN;
  for (std::size_t k = 0; k < intervals.size(); ++k) {
    std::vector<CellBeat> beats;
    run_plan(
        cells,
        {.pulses = {train(intervals[k], pacing.beats)},
         .amplitude = {pacing.amplitude},
         .duration = pacing.duration,
         .end = intervals[k] * pacing.beats,
         .rest = rest},
        dt, run.precision, [&](std::size_t, std::size_t, const CellBeat& b) { beats.push_back(b); },
        [&](double done) {
          monitor.poll();
          monitor.report(fmt::format("pacing at {:g} ms", intervals[k]),
                         (static_cast<double>(k) + done) / static_cast<double>(intervals.size()));
        });
    if (std::isnan(rest)) rest = beats.back().rest;
    const std::size_t n = beats.size();
    bool captured = true;
    for (const std::size_t b : {n - 2, n - 1}) {
      captured = captured && beats[b].captured;
      result.points.push_back({intervals[k], beats[b].start - beats[b - 1].repolarized(), beats[b].apd90, beats[b].peak,
                               beats[b].captured});
    }
    if (!captured) {
      result.erp = intervals[k];
      break;
    }
  }
  find_max_slope(result);
  return result;
}

}  // namespace cardiotwin
