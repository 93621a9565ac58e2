// Finding the circuit of a sustained re-entry.
//
//   1. Cycle length: median over the muscle of the last interval between activations.
//   2. Proof: the wave is walked backwards from the last activation, node to earliest neighbour. In a re-entry the walk
//      comes back to where it was one cycle length before; from a focus or a stimulus it ends there. No closed path, no
//      circuit.
//   3. Isthmus: along the closed path, the size of the wavefront the path runs through (muscle activated per ms and
//      connected to the path). Where it is small, the wave is confined: diastole on the surface ECG. Following the
//      path's own wavefront rather than all of the muscle's keeps late-activated muscle elsewhere from hiding the
//      entrance.
//   4. Centre, exit, entrance and centre line: centroids of that wavefront.
//
// Muscle is weighted by volume, so mesh density does not matter.

#include <algorithm>
#include <cardiotwin/reentry.hpp>
#include <cmath>
#include <numbers>
#include <numeric>

#include "reentry_graph.hpp"

namespace cardiotwin {
namespace {

using reentry::ActivationGraph;
using reentry::Visit;

constexpr double shortest_cycle = 60;  // [ms]; shorter intervals are one wave counted twice
constexpr double smallest_loop = 8;    // [mm]; a path that never leaves such a ball circles nothing
constexpr double rate_window = 5;      // [ms], half width of a wavefront on the path
constexpr double centre_window = 10;   // [ms], half width at the isthmus' centre
constexpr double end_window = 3;       // [ms], half width at its entrance and exit

struct Weighted {
  double value, weight;
};

/// Value below which `share` of the weight lies.
double weighted_quantile(std::vector<Weighted>& items, double share) {
  std::sort(items.begin(), items.end(), [](const Weighted& a, const Weighted& b) { return a.value < b.value; });
  double total = 0;
  for (const auto& item : items) total += item.weight;
  double sum = 0;
  for (const auto& item : items)
    if ((sum += item.weight) >= share * total) return item.value;
  return items.back().value;
}

struct Cycle {
  double length = 0, spread = 0, correlation = 0;
};

/// Median, relative interquartile range, and correlation of the two latest times over muscle that still takes part.
std::optional<Cycle> measure_cycle(const ActivationGraph& graph, double last) {
  std::vector<Weighted> intervals;
  double weight = 0, total = 0, mean_a = 0, mean_b = 0;
  const auto takes_part = [&](Index i) {
    const double a = graph.lat(i, 0), b = graph.lat(i, 1);
    return graph.volume(i) > 0 && std::isfinite(b) && last - a < 1.5 * (a - b);
  };
  for (Index i = 0; i < Index(graph.size()); ++i) {
    total += graph.volume(i);
    if (!takes_part(i)) continue;
    const double w = graph.volume(i), a = graph.lat(i, 0), b = graph.lat(i, 1);
    intervals.push_back({a - b, w});
    weight += w, mean_a += w * a, mean_b += w * b;
  }
  if (weight <= 0.1 * total) return {};
  mean_a /= weight, mean_b /= weight;
  double aa = 0, ab = 0, bb = 0;
  for (Index i = 0; i < Index(graph.size()); ++i) {
    if (!takes_part(i)) continue;
    const double w = graph.volume(i), a = graph.lat(i, 0) - mean_a, b = graph.lat(i, 1) - mean_b;
    aa += w * a * a, ab += w * a * b, bb += w * b * b;
  }
  Cycle cycle;
  cycle.length = weighted_quantile(intervals, 0.5);
  if (cycle.length < shortest_cycle) return {};
  cycle.spread = (weighted_quantile(intervals, 0.75) - weighted_quantile(intervals, 0.25)) / cycle.length;
  cycle.correlation = aa > 0 && bb > 0 ? ab / std::sqrt(aa * bb) : 0;
  return cycle;
}

/// A walk backwards in time, as places between its visits.
class Walk {
 public:
  Walk(const ActivationGraph& graph, std::vector<Visit> visits) : graph_(graph), visits_(std::move(visits)) {}
  double first() const { return visits_.back().time; }
  double last() const { return visits_.front().time; }
  /// Index of the latest visit at or before `time`.
  std::size_t at(double time) const {
    const auto found =
        std::partition_point(visits_.begin(), visits_.end(), [&](const Visit& v) { return v.time > time; });
    return std::min<std::size_t>(found - visits_.begin(), visits_.size() - 1);
  }
  Vec3 place(double time) const {
    const std::size_t i = at(time);
    const Vec3& here = graph_.point(visits_[i].node);
    if (i == 0) return here;
    const double span = visits_[i - 1].time - visits_[i].time;
    return here + (graph_.point(visits_[i - 1].node) - here) * std::clamp((time - visits_[i].time) / span, 0.0, 1.0);
  }
  /// The visit nearest in time.
  const Visit& nearest(double time) const {
    const std::size_t i = at(time);
    return i > 0 && visits_[i - 1].time - time < time - visits_[i].time ? visits_[i - 1] : visits_[i];
  }
  const std::vector<Visit>& visits() const { return visits_; }

 private:
  const ActivationGraph& graph_;
  std::vector<Visit> visits_;
};

/// One turn of the walk: it closes between `end` - cycle and `end`.
struct Turn {
  double end = 0, closure = 0;
};

/// The turn that closes best; none where the walk is shorter than a cycle, closes nowhere, or stays in one place.
std::optional<Turn> closed_turn(const Walk& walk, double cycle, double limit) {
  std::optional<Turn> best;
  // The walk may start off the circuit, in muscle that is only passed by; it joins within a cycle.
  const double earliest = std::max(walk.first() + cycle, walk.last() - 1.5 * cycle);
  for (double end = walk.last(); end >= earliest; end -= 5) {
    const double closure = (walk.place(end) - walk.place(end - cycle)).norm();
    if (!best || closure < best->closure - 1e-6) best = Turn{end, closure};
  }
  if (!best || best->closure > limit) return {};
  const Vec3 start = walk.place(best->end);
  double reach = 0;
  for (double time = best->end - cycle; time < best->end; time += 5)
    reach = std::max(reach, (walk.place(time) - start).norm());
  return reach >= smallest_loop ? best : std::nullopt;
}

/// Wavefronts within one turn, on a circle of time.
class Fronts {
 public:
  Fronts(const ActivationGraph& graph, const Walk& walk, const Turn& turn, double cycle)
      : graph_(graph), walk_(walk), turn_(turn), cycle_(cycle), phase_(graph.size(), NAN), mark_(graph.size(), 0) {
    for (Index i = 0; i < Index(graph.size()); ++i) {
      if (graph.volume(i) == 0) continue;
      const double lat = graph.lat_before(i, turn.end + 1e-9);
      if (!(lat > turn.end - cycle)) continue;
      phase_[i] = wrap(lat - (turn.end - cycle));
      total_ += graph.volume(i);
    }
  }

  /// A time [ms] counted from the start of the turn, brought into [0, cycle).
  double wrap(double time) const {
    const double turns = time / cycle_;
    return std::clamp((turns - std::floor(turns)) * cycle_, 0.0, std::nextafter(cycle_, 0.0));
  }
  double phase(Index node) const { return phase_[node]; }  ///< activation within the turn [ms], NaN if none
  double mean_rate() const { return total_ / cycle_; }     ///< [mm3/ms]

  struct Front {
    double volume = 0;
    Vec3 centroid = Vec3::Zero();
  };

  /// Muscle activated within `half` of `time` into the turn and connected, within that, to the path.
  Front at(double time, double half) {
    const double centre = wrap(time);
    const Index seed = walk_.nearest(turn_.end - cycle_ + centre).node;
    const auto inside = [&](Index node) {
      const double d = std::abs(phase_[node] - centre);
      return std::min(d, cycle_ - d) <= half;  // false for NaN
    };
    Front front;
    ++stamp_;
    std::vector<Index> members{seed};
    mark_[seed] = stamp_;
    for (std::size_t next = 0; next < members.size(); ++next)
      for (const Index j : graph_.neighbours(members[next]))
        if (mark_[j] != stamp_ && inside(j)) {
          mark_[j] = stamp_;
          members.push_back(j);
        }
    for (const Index i : members) {
      front.volume += graph_.volume(i);
      front.centroid += graph_.volume(i) * graph_.point(i);
    }
    front.centroid /= front.volume;
    return front;
  }

 private:
  const ActivationGraph& graph_;
  const Walk& walk_;
  const Turn turn_;
  const double cycle_;
  std::vector<double> phase_;
  std::vector<int> mark_;
  int stamp_ = 0;
  double total_ = 0;
};

struct Interval {
  double start = 0, end = 0;  ///< [ms] into the turn; end may exceed the cycle
};

/// Longest run of true on a circle: first bin and length (all of it where every bin is true).
std::pair<int, int> longest_run(const std::vector<bool>& flags) {
  const int n = int(flags.size());
  if (std::all_of(flags.begin(), flags.end(), [](bool f) { return f; })) return {0, n};
  int best_start = 0, best = 0;
  for (int start = 0; start < n; ++start) {
    if (!flags[start] || flags[(start + n - 1) % n]) continue;
    int length = 0;
    while (flags[(start + length) % n]) ++length;
    if (length > best) best = length, best_start = start;
  }
  return {best_start, best};
}

/// When the path runs through confined muscle.
Interval isthmus_interval(Fronts& fronts, double cycle, const CircuitOptions& options) {
  const int bins = std::max(8, int(std::lround(cycle / options.bin)));
  const double width = cycle / bins;
  std::vector<double> raw(bins), rate(bins);
  for (int b = 0; b < bins; ++b) raw[b] = fronts.at((b + 0.5) * width, rate_window).volume / (2 * rate_window);
  for (int b = 0; b < bins; ++b) rate[b] = (raw[(b + bins - 1) % bins] + raw[b] + raw[(b + 1) % bins]) / 3;

  std::vector<bool> slow(bins);
  for (int b = 0; b < bins; ++b) slow[b] = rate[b] < options.diastole_rate * fronts.mean_rate();
  auto [start, length] = longest_run(slow);
  if (length == 0 || length == bins) {
    // No confinement stands out: the fifth of the cycle with the smallest wavefronts.
    length = std::max(1, bins / 5);
    double least = INFINITY;
    for (int first = 0; first < bins; ++first) {
      double sum = 0;
      for (int k = 0; k < length; ++k) sum += rate[(first + k) % bins];
      if (sum < least) least = sum, start = first;
    }
    return {start * width, (start + length) * width};
  }
  std::vector<double> run(length);
  for (int k = 0; k < length; ++k) run[k] = rate[(start + k) % bins];
  std::vector<double> sorted = run;
  std::nth_element(sorted.begin(), sorted.begin() + length / 2, sorted.end());
  const double ceiling = 2 * sorted[length / 2];
  int best_first = 0, best = 0;
  for (int first = 0; first < length;) {
    int last = first;
    while (last < length && run[last] <= ceiling) ++last;
    if (last - first > best) best = last - first, best_first = first;
    first = last + 1;
  }
  // The ends lie where the rate crosses the level, between two bins: whole bins would move the target by 1 to 2 mm for
  // the least change of the input.
  const double level = std::min(ceiling, options.diastole_rate * fronts.mean_rate());
  const auto crossing = [&](int inside, int outside) {
    const double in = rate[(inside + bins) % bins], out = rate[(outside + bins) % bins];
    const double share = out > in ? std::clamp((level - in) / (out - in), 0.0, 1.0) : 0.5;
    return (inside + 0.5 + share * (outside - inside)) * width;
  };
  const int first = start + best_first, last = first + best - 1;
  return {crossing(first, first - 1), crossing(last, last + 1)};
}

void locate_isthmus(const Anatomy& anatomy, const ActivationGraph& graph, Fronts& fronts, const CircuitOptions& options,
                    Circuit& circuit) {
  const double cycle = circuit.cycle_length;
  const Interval interval = isthmus_interval(fronts, cycle, options);
  circuit.isthmus = fronts.at((interval.start + interval.end) / 2, centre_window).centroid;
  circuit.entrance = fronts.at(interval.start, end_window).centroid;
  circuit.exit = fronts.at(interval.end, end_window).centroid;
  const int steps = std::max(1, int(std::lround((interval.end - interval.start) / options.bin)));
  for (int k = 0; k <= steps; ++k) {
    const double time = interval.start + (interval.end - interval.start) * k / steps;
    circuit.isthmus_line.push_back(fronts.at(time, rate_window).centroid);
  }
  circuit.aha_isthmus = reentry::segment_at(anatomy, circuit.isthmus);
  circuit.aha_exit = reentry::segment_at(anatomy, circuit.exit);
  circuit.lat = {.name = "LAT", .unit = "ms", .values = std::vector<double>(graph.size(), NAN)};
  const double exit = fronts.wrap(interval.end);
  for (Index i = 0; i < Index(graph.size()); ++i)
    if (std::isfinite(fronts.phase(i))) {
      const double time = fronts.phase(i) - exit;
      circuit.lat.values[i] = time < 0 ? time + cycle : time;
    }
}

}  // namespace

std::optional<Circuit> find_circuit(const Anatomy& anatomy, const ActivationHistory& history,
                                    const CircuitOptions& options) {
  const ActivationGraph graph(anatomy, history);
  const auto latest = graph.latest();
  if (!latest) return {};
  const auto cycle = measure_cycle(graph, latest->time);
  if (!cycle || history.end - latest->time > cycle->length) return {};  // it stopped more than a turn ago

  const Walk walk(graph, graph.trace_back(*latest, latest->time - 2.6 * cycle->length));
  const auto turn = closed_turn(walk, cycle->length, options.closure_limit);
  if (!turn) return {};

  Circuit circuit;
  circuit.cycle_length = cycle->length;
  circuit.cycle_spread = cycle->spread;
  circuit.map_correlation = cycle->correlation;
  circuit.monomorphic = cycle->spread < 0.1 && cycle->correlation > 0.9;
  circuit.closure = turn->closure;
  for (auto visit = walk.visits().rbegin(); visit != walk.visits().rend(); ++visit)
    if (visit->time >= turn->end - cycle->length && visit->time <= turn->end)
      circuit.path.push_back(graph.point(visit->node));
  Fronts fronts(graph, walk, *turn, cycle->length);
  locate_isthmus(anatomy, graph, fronts, options, circuit);
  return circuit;
}

// Activation maps live on a circle of one cycle, so they are compared by the length of the mean phase difference
// vector: 1 where one map is the other shifted in time, near 0 where they have nothing in common.
bool same_circuit(const Circuit& a, const Circuit& b) {
  if ((a.exit - b.exit).norm() >= 10) return false;
  if (std::abs(a.cycle_length - b.cycle_length) >= 0.1 * std::max(a.cycle_length, b.cycle_length)) return false;
  if (a.lat.values.size() != b.lat.values.size()) return false;
  double cosine = 0, sine = 0;
  std::size_t both = 0, either = 0;
  for (std::size_t i = 0; i < a.lat.values.size(); ++i) {
    const bool in_a = std::isfinite(a.lat.values[i]), in_b = std::isfinite(b.lat.values[i]);
    either += in_a || in_b;
    if (!in_a || !in_b) continue;
    ++both;
    const double shift = 2 * std::numbers::pi * (a.lat.values[i] / a.cycle_length - b.lat.values[i] / b.cycle_length);
    cosine += std::cos(shift);
    sine += std::sin(shift);
  }
  return both > 0 && 2 * both >= either && std::hypot(cosine, sine) > 0.9 * double(both);
}

}  // namespace cardiotwin
