#pragma once
/// One cell of an ionic model, or many, without tissue: pacing, restitution, drugs, populations.
///
/// What is measured of a beat is said at CellBeat. All times in ms, V in mV, currents in A/F = mV/ms.

#include <cardiotwin/ionic.hpp>
#include <cardiotwin/log.hpp>
#include <cardiotwin/simulation.hpp>
#include <cmath>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cardiotwin {

/// A cell in a state: what it needs to go on.
struct Cell {
  const IonicModel* model = nullptr;
  std::vector<double> parameters;  ///< all, in the model's order
  double voltage = 0;              ///< [mV]
  std::vector<double> states;      ///< in the model's order, in their units
};

/// The cell at its published initial state. `values` replace parameters of the variant (empty: the model's defaults),
/// then `factors` multiply. Throws InputError for an unknown name (with the nearest one), a value outside the
/// parameter's range, a factor that is not a number or negative.
Cell make_cell(std::string_view model, std::string_view variant = {}, const std::map<std::string, double>& values = {},
               const std::map<std::string, double>& factors = {});

struct CellOptions {
  double dt = 0;  ///< [ms] 0: accurate_dt
  Precision precision = Precision::fp64;
  int threads = 0;  ///< 0: all cores; no result depends on it
};

/// A step that resolves the model's upstroke well [ms]: a quarter of the coarsest usable one, 0.02 at most.
double accurate_dt(const IonicModel&);

/// Rectangular pulses at interval bcl, the first at time 0.
struct CellPacing {
  double bcl = 1000;       ///< [ms]
  int beats = 100;         ///< at least 1
  double duration = 1;     ///< of each pulse [ms]; shorter than bcl
  double amplitude = NAN;  ///< [A/F] NaN: twice the capture threshold of the cell as it is
};

/// What is measured of one beat: from its pulse to the next, or to the end. NaN where there is none.
struct CellBeat {
  double start = 0;        ///< of the pulse [ms]
  double rest = NAN;       ///< lowest V of the beat before; for the first V at its pulse; in a protocol as said there
  double peak = NAN;       ///< highest V before repolarisation
  double max_slope = NAN;  ///< largest dV/dt less the stimulus: the membrane's own [mV/ms]
  double upstroke = NAN;   ///< when that was [ms]
  /// From the upstroke to the last fall below rest + 70, 50, 10 % of (peak - rest) [ms]; NaN where the beat ends
  /// before.
  double apd30 = NAN, apd50 = NAN, apd90 = NAN;
  /// V rose through the model's activation threshold within 60 ms of the pulse, driven by the membrane itself with 1
  /// mV/ms or more, and was above it still 5 ms later and 5 ms after the pulse.
  bool captured = false;
  int activations = 0;  ///< upward crossings of that threshold: 2 and more where the cell fires by itself
  double repolarized() const { return upstroke + apd90; }  ///< [ms]
};

/// Samples of V and all states.
struct CellTrace {
  std::vector<double> time;     ///< [ms], from the first pulse in it
  std::vector<double> voltage;  ///< per sample [mV]
  std::vector<double> states;   ///< sample * states + state, in their units
};

struct CellRun {
  std::vector<CellBeat> beats;
  CellTrace trace;  ///< of the last beats, if asked for
  Cell end;         ///< the cell when the last cycle is over
  double amplitude = 0;
};

/// What to keep of a run as a trace.
struct CellSampling {
  int beats = 0;          ///< the last ones; 0: none
  double interval = 0.5;  ///< [ms], taken at the nearest steps
};

/// Paces one cell. Throws InputError for pacing that cannot be, NumericalError where V is not finite, Interrupted.
CellRun pace_cell(const Cell&, const CellPacing&, const CellOptions& = {}, const CellSampling& = {},
                  const Monitor& = {});
/// Several cells of one model side by side, with the same pacing; the amplitude, where it is NaN, is the first one's.
std::vector<CellRun> pace_cells(std::span<const Cell>, const CellPacing&, const CellOptions& = {},
                                const CellSampling& = {}, const Monitor& = {});

/// Least amplitude [A/F] of one pulse that captures, to 0.2 %, found by bisection; NaN where none up to 400 mV of
/// charge does.
double capture_threshold(const Cell&, double duration, const CellOptions& = {});
/// How often the cell fires within `duration` ms if it is left alone.
int spontaneous_beats(const Cell&, double duration, const CellOptions& = {});

// ---- Drugs ----------------------------------------------------------------------------------------------------------

/// Simple pore block: a conductance is multiplied by 1 / (1 + (c / ic50)^hill).
struct DrugEffect {
  std::string parameter;
  double ic50 = 1;  ///< [mM]
  double hill = 1;
};

double unblocked(const DrugEffect&, double concentration);
/// The cell at a concentration [mM] of a drug. Throws InputError for an unknown parameter, an IC50 or a Hill
/// coefficient that is not positive, a negative concentration.
Cell with_drug(const Cell&, std::span<const DrugEffect>, double concentration);

// ---- Restitution ----------------------------------------------------------------------------------------------------

/// One action potential and the diastolic interval before it: from 90 % repolarisation to the next pulse.
struct RestitutionPoint {
  double interval = 0;  ///< coupling of the S2, or basic cycle length [ms]
  double di = NAN, apd = NAN;
  double peak = NAN;  ///< [mV]
  /// S1S2: with at least 80 % of the S1's amplitude, so that no partial response counts; once a coupling has failed
  /// none shorter counts.
  bool captured = false;
};

struct Restitution {
  std::vector<RestitutionPoint> points;  ///< intervals descending; dynamic: two a cycle length, the last two beats
  double max_slope = NAN;                ///< of APD90 over DI, between neighbouring points at least 1 ms apart
  double max_slope_di = NAN;             ///< where [ms]
  double erp = NAN;  ///< S1S2: longest coupling that does not capture, to 1 ms; dynamic: longest such cycle length
  double amplitude = 0;
};

struct RestitutionOptions {
  double from = 1000, to = 250, by = 50;  ///< intervals [ms]
};

/// An S2 at each interval after the last of the pacing's pulses (S1), all from the same state. rest of all beats is the
/// lowest V of the last S1 cycle. `pacing.beats` counts the S1.
Restitution s1s2_restitution(const Cell&, const CellPacing&, const RestitutionOptions&, const CellOptions& = {},
                             const Monitor& = {});
/// Pacing at each interval in turn, pacing.beats beats each, without a pause; ends where a beat does not capture.
/// pacing.bcl is not used. rest of all beats is the lowest V of the first cycles.
Restitution dynamic_restitution(const Cell&, const CellPacing&, const RestitutionOptions&, const CellOptions& = {},
                                const Monitor& = {});

// ---- Populations ----------------------------------------------------------------------------------------------------

struct PopulationOptions {
  long cells = 1000;
  double spread = 0.2;            ///< coefficient of variation of the factors, which are log-normal with mean 1
  std::vector<std::string> vary;  ///< parameters; each has a factor of its own
  std::uint64_t seed = 1;
  int block = 512;  ///< cells computed side by side; no result depends on it
};

/// One member, its last beat.
struct PopulationCell {
  std::vector<double> factors;  ///< in the order of `vary`
  CellBeat last;
  double alternans = NAN;  ///< APD90 of the last beat less that of the one before
  int captured = 0;        ///< beats
};

struct PopulationSummary {
  long cells = 0, not_captured = 0, not_repolarized = 0;        ///< of the last beat; each cell counts once
  double mean = NAN, sd = NAN, p5 = NAN, p50 = NAN, p95 = NAN;  ///< APD90 of the others [ms]
  double amplitude = 0;
  double cell_steps = 0;  ///< for a statement of speed
};

/// Paces a population; `row` (may be empty) is called once per cell, in order, from the calling thread. Factors that
/// would leave the parameter's range are drawn again. Memory is bounded by the block, but for 8 B per cell. Throws
/// InputError, NumericalError (a cell whose V is not finite), Interrupted.
PopulationSummary pace_population(const Cell&, const CellPacing&, const PopulationOptions&, const CellOptions& = {},
                                  const Monitor& = {},
                                  const std::function<void(long index, const PopulationCell&)>& row = {});

}  // namespace cardiotwin
