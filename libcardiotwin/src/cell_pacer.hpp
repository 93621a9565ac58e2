#pragma once
/// Cells side by side with pulses of their own, and what is measured of their beats; private to the physics room.

#include <cardiotwin/cell.hpp>
#include <cardiotwin/kernels/engine.hpp>
#include <functional>
#include <span>
#include <vector>

namespace cardiotwin {

struct PacerPlan {
  std::vector<std::vector<double>> pulses;             ///< starts [ms], ascending, per cell; one list: the same for all
  std::vector<double> amplitude;                       ///< per cell [A/F]; one: the same for all
  double duration = 1;                                 ///< [ms]
  double end = 0;                                      ///< [ms]
  double rest = NAN;                                   ///< of all beats, instead of the lowest V of the beat before
  double trace_from = INFINITY, trace_interval = 0.5;  ///< of the first cell

  const std::vector<double>& pulses_of(std::size_t cell) const { return pulses[pulses.size() == 1 ? 0 : cell]; }
  double amplitude_of(std::size_t cell) const { return amplitude[amplitude.size() == 1 ? 0 : cell]; }
};

using BeatSink = std::function<void(std::size_t cell, std::size_t beat, const CellBeat&)>;

/// Advances `cells`, of one model, to the end of the plan; `beat` is called as each beat ends, `alive(done)` now and
/// then with the share done; it may throw. One thread.
CellTrace run_plan(std::vector<Cell>& cells, const PacerPlan&, double dt, Precision, const BeatSink& beat,
                   const std::function<void(double done)>& alive = {});

/// Throws InputError where it cannot be paced so. An amplitude of NaN becomes twice the threshold.
CellPacing settled_pacing(const Cell&, CellPacing, const CellOptions&);
double step_of(const Cell&, const CellOptions&);

/// The pulses of a train.
inline std::vector<double> train(double interval, int beats) {
  std::vector<double> starts;
  for (int k = 0; k < beats; ++k) starts.push_back(k * interval);
  return starts;
}

}  // namespace cardiotwin
