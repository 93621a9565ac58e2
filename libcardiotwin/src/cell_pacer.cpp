#include "cell_pacer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cardiotwin/error.hpp>

namespace cardiotwin {
namespace {

constexpr double latency = 60;                // [ms] between a pulse and what it brought about, at most
constexpr double least_drive = 1;             // [mV/ms] of the membrane itself in a beat that is captured
constexpr double survival = 5;                // [ms] a captured beat is above the threshold so long after
constexpr double fine_after_pulse = 20;       // [ms] every step is looked at; the upstroke is in there
constexpr double coarse_interval = 0.2;       // [ms] between looks elsewhere: crossings are interpolated, to 0.01 ms
constexpr double levels[] = {0.7, 0.5, 0.1};  // of the amplitude, above rest: APD30, 50, 90

/// Follows V of one cell, beat by beat, from sample to sample.
class Meter {
 public:
  Meter(const IonicModel& model, const PacerPlan& plan, std::size_t cell, double voltage)
      : threshold_(model.activation_threshold),
        plan_(&plan),
        pulses_(&plan.pulses_of(cell)),
        amplitude_(plan.amplitude_of(cell)),
        lowest_(voltage) {}

  /// V went from v0 to v1; no pulse begins after t0 and before t1, but for the step in which it falls.
  template <class Ended>
  void look(double t0, double v0, double t1, double v1, const Ended& ended) {
    if (next_ < pulses_->size() && (*pulses_)[next_] < t1 - 1e-9) {
      finish(ended);
      begin(v0);
    }
    lowest_ = std::min(lowest_, v1);
    if (next_ == 0) return;
    if (v0 < threshold_ && v1 >= threshold_) {
      ++beat_.activations;
      if (beat_.activations == 1) activated_ = t1;
    }
    if (repolarized_) return;
    const double slope = (v1 - v0) / (t1 - t0) - stimulus(t0, t1);
    if (!(slope <= beat_.max_slope)) beat_.max_slope = slope, beat_.upstroke = 0.5 * (t0 + t1);
    if (v1 > beat_.peak || v0 > beat_.peak) beat_.peak = std::max(v0, v1), fell_.fill(NAN);
    if (beat_.activations == 0) return;
    if (!judged_ && t1 >= std::max(activated_, beat_.start + plan_->duration) + survival - 1e-9) {
      judged_ = true;
      beat_.captured = v1 >= threshold_ && activated_ <= beat_.start + latency && beat_.max_slope >= least_drive;
    }
    fall(t0, v0, t1, v1);
  }

  template <class Ended>
  void finish(const Ended& ended) {
    if (next_ == 0) return;
    beat_.apd90 = repolarized_ ? fell_[2] - beat_.upstroke : NAN;
    beat_.apd30 = repolarized_ ? fell_[0] - beat_.upstroke : NAN;
    beat_.apd50 = repolarized_ ? fell_[1] - beat_.upstroke : NAN;
    if (!beat_.captured) beat_.apd30 = beat_.apd50 = beat_.apd90 = NAN;
    ended(next_ - 1, beat_);
  }

 private:
  void begin(double v) {
    beat_ = {};
    beat_.start = (*pulses_)[next_++];
    beat_.rest = std::isnan(plan_->rest) ? lowest_ : plan_->rest;
    beat_.peak = lowest_ = v;
    fell_.fill(NAN);
    judged_ = repolarized_ = false;
  }

  /// Mean of the pulse over [t0, t1].
  double stimulus(double t0, double t1) const {
    const double on = std::min(t1, beat_.start + plan_->duration) - std::max(t0, beat_.start);
    return on > 0 ? amplitude_ * on / (t1 - t0) : 0;
  }

  void fall(double t0, double v0, double t1, double v1) {
    for (std::size_t k = 0; k < fell_.size(); ++k) {
      const double level = beat_.rest + levels[k] * (beat_.peak - beat_.rest);
      if (v0 >= level && v1 < level) fell_[k] = t0 + (v0 - level) / (v0 - v1) * (t1 - t0);
    }
    repolarized_ = !std::isnan(fell_[2]);
  }

  double threshold_;
  const PacerPlan* plan_;
  const std::vector<double>* pulses_;
  double amplitude_;
  double lowest_;         // V since the beat began
  std::size_t next_ = 0;  // pulse
  CellBeat beat_;
  double activated_ = NAN;
  std::array<double, 3> fell_{};  // when, below which level; of the present peak
  bool judged_ = false, repolarized_ = false;
};

kernels::Problem problem_of(const std::vector<Cell>& cells, double dt, Precision precision) {
  kernels::Problem p;
  p.model = cells.front().model;
  p.real = precision == Precision::fp32 ? kernels::Real::fp32 : kernels::Real::fp64;
  p.dt = dt;
  p.activation_threshold = p.model->activation_threshold;
  p.repolarization_level = p.model->repolarization_level;
  p.activation_depth = 1;
  p.row_start.assign(cells.size() + 1, 0);
  for (const Cell& cell : cells) {
    p.parameter_set.push_back(static_cast<std::int32_t>(p.parameters.size()));
    p.parameters.push_back(cell.parameters);
    p.initial_voltage.push_back(cell.voltage);
    p.initial_states.push_back(cell.states);
  }
  return p;
}

std::vector<kernels::Pulse> pulses_of(const PacerPlan& plan, std::size_t cells) {
  std::vector<kernels::Pulse> pulses;
  if (plan.pulses.size() == 1 && plan.amplitude.size() == 1) {
    std::vector<std::int32_t> all(cells);
    for (std::size_t i = 0; i < cells; ++i) all[i] = static_cast<std::int32_t>(i);
    for (const double start : plan.pulses[0]) pulses.push_back({all, start, plan.duration, plan.amplitude[0]});
    return pulses;
  }
  for (std::size_t i = 0; i < cells; ++i) {
    for (const double start : plan.pulses_of(i))
      pulses.push_back({{static_cast<std::int32_t>(i)}, start, plan.duration, plan.amplitude_of(i)});
  }
  return pulses;
}

/// The steps after which V is looked at: all of those soon after a pulse, some of the others, those of the trace.
class Looks {
 public:
  Looks(const PacerPlan& plan, double dt)
      : dt_(dt),
        coarse_(std::max(1L, std::lround(coarse_interval / dt))),
        fine_(std::lround((plan.duration + fine_after_pulse) / dt)),
        end_(std::lround(plan.end / dt)),
        trace_step_(std::max(1L, std::lround(plan.trace_interval / dt))),
        next_trace_(std::isfinite(plan.trace_from) ? std::lround(plan.trace_from / dt) : end_ + 1) {
    for (const auto& list : plan.pulses) {
      for (const double start : list) starts_.push_back(static_cast<long>(std::floor(start / dt + 1e-6)));
    }
    std::sort(starts_.begin(), starts_.end());
  }

  long end() const { return end_; }
  bool traced(long step) const { return step == next_trace_; }
  void take_trace() { next_trace_ += trace_step_; }

  long after(long step) {
    while (at_ < starts_.size() && starts_[at_] <= step) fine_until_ = starts_[at_++] + fine_;
    long next = step < fine_until_ ? step + 1 : step + coarse_;
    if (at_ < starts_.size()) next = std::min(next, starts_[at_]);
    if (next_trace_ > step) next = std::min(next, next_trace_);
    return std::min(next, end_);
  }

 private:
  double dt_;
  long coarse_, fine_, end_, trace_step_, next_trace_, fine_until_ = 0;
  std::vector<long> starts_;
  std::size_t at_ = 0;
};

void require_finite(const std::vector<double>& v, const std::vector<Cell>& cells, double time) {
  for (std::size_t i = 0; i < v.size(); ++i) {
    if (!std::isfinite(v[i]))
      throw NumericalError(
          fmt::format("Cell of \"{}\": V is not finite at {:g} ms; a shorter --dt or milder "
                      "parameters may help",
                      cells[i].model->name, time));
  }
}

}  // namespace

CellTrace run_plan(std::vector<Cell>& cells, const PacerPlan& plan, double dt, Precision precision,
                   const BeatSink& beat, const std::function<void(double)>& alive) {
  const std::size_t n = cells.size(), states = cells.front().states.size();
  const auto engine = kernels::make_engine(problem_of(cells, dt, precision), {.index = 1});
  engine->set_pulses(pulses_of(plan, n));
  std::vector<Meter> meters;
  std::vector<double> before, now(n), w(n * states);
  for (std::size_t i = 0; i < n; ++i) {
    meters.emplace_back(*cells[i].model, plan, i, cells[i].voltage);
    before.push_back(cells[i].voltage);
  }
  CellTrace trace;
  const auto sample = [&](double time, double v) {
    engine->states(w);
    trace.time.push_back(time);
    trace.voltage.push_back(v);
    trace.states.insert(trace.states.end(), w.begin(), w.begin() + static_cast<std::ptrdiff_t>(states));
  };
  Looks looks(plan, dt);
  constexpr int looks_per_report = 256;
  int looked = 0;
  for (long step = 0; step < looks.end();) {
    if (looks.traced(step)) sample(static_cast<double>(step) * dt, before[0]), looks.take_trace();
    const long next = looks.after(step);
    engine->advance(next - step);
    engine->voltage(now);
    const double t0 = static_cast<double>(step) * dt, t1 = static_cast<double>(next) * dt;
    for (std::size_t i = 0; i < n; ++i)
      meters[i].look(t0, before[i], t1, now[i], [&](std::size_t k, const CellBeat& b) { beat(i, k, b); });
    std::swap(before, now);
    step = next;
    if (++looked % looks_per_report == 0 || step == looks.end()) {
      require_finite(before, cells, t1);
      if (alive) alive(static_cast<double>(step) / static_cast<double>(looks.end()));
    }
  }
  if (looks.traced(looks.end())) sample(static_cast<double>(looks.end()) * dt, before[0]);
  engine->states(w);
  for (std::size_t i = 0; i < n; ++i) {
    meters[i].finish([&](std::size_t k, const CellBeat& b) { beat(i, k, b); });
    cells[i].voltage = before[i];
    cells[i].states.assign(w.begin() + static_cast<std::ptrdiff_t>(i * states),
                           w.begin() + static_cast<std::ptrdiff_t>((i + 1) * states));
  }
  return trace;
}

}  // namespace cardiotwin
