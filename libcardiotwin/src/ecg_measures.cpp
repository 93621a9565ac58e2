// What is read off a beat, and how alike two stretches of record are.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cardiotwin/ecg.hpp>
#include <cardiotwin/error.hpp>
#include <numbers>
#include <numeric>
#include <optional>
#include <span>

namespace cardiotwin {
namespace {

using Signal = std::vector<double>;

constexpr double smoothing = 4;  // [ms] over which a slope is the mean one
// Shares of the typical spatial velocity below which the heart is quiet before QRS; the larger ones where noise or P
// keeps it above the smallest. Not of the largest velocity: waves that meet and die make spikes ten times as fast as
// waves that travel.
constexpr std::array quiet_shares{0.05, 0.1, 0.2};
constexpr double quiet = 12;         // [ms] it must stay there, longer than all leads turn together at a peak of QRS
constexpr double longest_qrs = 280;  // [ms]; where leads still move later, that is T
constexpr double falling = 0.85;     // of the velocity is left after `smoothing` where QRS ends, at most
constexpr double fastest_t = 0.7;    // of the largest velocity; faster it is QRS again
constexpr double t_width = 20;       // [ms] a peak of T outlasts on both sides what may ripple
constexpr double least_t = 0.01;     // of the largest root mean square in QRS; below, there is no T
constexpr double flat = 1e-6;        // [mV/ms] below which all is rounding
constexpr double least_net = 0.02;   // of what I and aVF sweep; below, a net area has no direction

// The eight independent leads within the window.
struct Beat {
  Signal times;
  std::array<Signal, 8> leads;  // I, II, V1 ... V6
  double interval;

  std::size_t size() const { return times.size(); }
  // Samples in `ms`, at least one.
  std::size_t count(double ms) const { return static_cast<std::size_t>(std::max(1.0, std::round(ms / interval))); }
};

Beat cut(const Ecg& record, double begin, double end) {
  constexpr std::array names{"I", "II", "V1", "V2", "V3", "V4", "V5", "V6"};
  Beat beat{.times = {}, .leads = {}, .interval = record.interval()};
  std::array<std::size_t, 8> channels;
  std::ranges::transform(names, channels.begin(), [&](const char* name) { return record.index(name); });
  for (std::size_t k = 0; k < record.samples(); ++k) {
    if (record.times[k] < begin || record.times[k] > end) continue;
    beat.times.push_back(record.times[k]);
    for (std::size_t c = 0; c < channels.size(); ++c) beat.leads[c].push_back(record.at(k, channels[c]));
  }
  return beat;
}

// Mean slope [mV/ms] over `smoothing` around sample k: derived and smoothed at once.
double slope(const Beat& beat, const Signal& signal, std::size_t k) {
  const std::size_t half = beat.count(smoothing / 2), low = k - std::min(k, half),
                    high = std::min(k + half, beat.size() - 1);
  return (signal[high] - signal[low]) / (beat.times[high] - beat.times[low]);
}

Signal spatial_velocity(const Beat& beat) {
  Signal velocity(beat.size());
  for (std::size_t k = 0; k < velocity.size(); ++k) {
    double sum = 0;
    for (const auto& lead : beat.leads) sum += std::pow(slope(beat, lead, k), 2);
    velocity[k] = std::sqrt(sum);
  }
  return velocity;
}

// The mean weighted with itself, so that it does not depend on how long the window goes on when nothing moves.
double typical_velocity(const Signal& velocity) {
  return std::inner_product(velocity.begin(), velocity.end(), velocity.begin(), 0.0) /
         std::accumulate(velocity.begin(), velocity.end(), 0.0);
}

Signal root_mean_square(const Beat& beat) {
  Signal result(beat.size());
  for (std::size_t k = 0; k < result.size(); ++k) {
    double sum = 0;
    for (const auto& lead : beat.leads) sum += lead[k] * lead[k];
    result[k] = std::sqrt(sum / static_cast<double>(beat.leads.size()));
  }
  return result;
}

std::size_t first_at(const Beat& beat, double time) {
  return static_cast<std::size_t>(std::ranges::lower_bound(beat.times, time) - beat.times.begin());
}

bool is_largest_around(const Signal& signal, std::size_t k, std::size_t width) {
  const std::size_t first = k - std::min(k, width), past = std::min(k + width + 1, signal.size());
  return signal[k] >= *std::ranges::max_element(std::span(signal).subspan(first, past - first));
}

// Between a sample below and a neighbour not below `limit` [ms].
double crossing(const Beat& beat, const Signal& velocity, std::size_t below, std::size_t above, double limit) {
  const double part = (limit - velocity[below]) / (velocity[above] - velocity[below]);
  return std::lerp(beat.times[below], beat.times[above], part);
}

// When, going from `peak` backwards or forwards, the velocity falls below `limit` and stays there for `quiet` or to the
// end of the window [ms].
double quiet_time(const Beat& beat, const Signal& velocity, std::size_t peak, bool forwards, double limit) {
  const std::size_t ahead = forwards ? beat.size() - 1 - peak : peak;  // samples there are
  const auto sample = [&](std::size_t k) { return forwards ? peak + k : peak - k; };
  std::size_t below = 0;
  for (std::size_t k = 1; k <= ahead; ++k) {
    below = velocity[sample(k)] < limit ? below + 1 : 0;
    if (below > 0 && (below > beat.count(quiet) || k == ahead))
      return crossing(beat, velocity, sample(k - below + 1), sample(k - below), limit);
  }
  return NAN;
}

double find_onset(const Beat& beat, const Signal& velocity, std::size_t peak, double typical) {
  for (const double share : quiet_shares) {
    const double onset = quiet_time(beat, velocity, peak, false, share * typical);
    if (beat.times[peak] - onset <= longest_qrs) return onset;
  }
  return NAN;
}

// Where the velocity, on its fall from sample k, gets below `limit`, or stops falling fast [ms].
double end_of_fall(const Beat& beat, const Signal& velocity, std::size_t k, double limit) {
  const std::size_t first = k;
  while (velocity[k] >= limit &&
         velocity[std::min(k + beat.count(smoothing), beat.size() - 1)] <= falling * velocity[k])
    ++k;
  return k > first && velocity[k] < limit ? crossing(beat, velocity, k, k - 1, limit) : beat.times[k];
}

// How many times as high as at `time` the leads' root mean square gets from then on.
double rise_after(const Beat& beat, const Signal& rms, double time) {
  const auto later = std::span(rms).subspan(std::min(first_at(beat, time), beat.size() - 1));
  return *std::ranges::max_element(later) / later[0];
}

// Where the leads fall quiet, if T is still to come. But the broad QRS of a paced beat or a tachycardia runs into T
// without a pause, and T may be half as fast. Then, between QRS and T's fastest, nothing is as fast as that for long:
// the longest such gap begins where QRS, on its way down, is as fast as T will be, and QRS ends where that fall does.
// Two kinds do not count: within QRS, what follows is too fast for T; at the peak of a T that rises faster than it
// falls, the leads do not rise any more.
double find_end(const Beat& beat, const Signal& velocity, const Signal& rms, std::size_t peak, double typical,
                double onset) {
  const double limit = quiet_shares[0] * typical, calm = quiet_time(beat, velocity, peak, true, limit);
  if (calm - onset <= longest_qrs && rise_after(beat, rms, calm) > 2) return calm;
  std::vector<std::size_t> fastest;  // samples that none later exceeds, last first
  for (std::size_t k = beat.size(); k-- > peak;)
    if (velocity[k] >= (fastest.empty() ? quiet_shares[1] * typical : velocity[fastest.back()])) fastest.push_back(k);
  if (beat.times[fastest.front()] - onset <= longest_qrs) return end_of_fall(beat, velocity, fastest.front(), limit);
  double longest = 0, end = NAN;
  for (std::size_t f = 1; f < fastest.size(); ++f) {
    const double gap = beat.times[fastest[f - 1]] - beat.times[fastest[f]];
    if (gap <= longest || velocity[fastest[f - 1]] > fastest_t * velocity[peak]) continue;
    const double candidate = end_of_fall(beat, velocity, fastest[f], limit);
    if (candidate - onset <= longest_qrs && rise_after(beat, rms, candidate) > 1.1) longest = gap, end = candidate;
  }
  return end;
}

// Every lead less its mean in the quiet before QRS.
void level(Beat& beat, double onset) {
  const std::size_t first = first_at(beat, onset - quiet), end = std::max(first_at(beat, onset), first + 1);
  for (auto& lead : beat.leads) {
    const auto before = std::span(lead).subspan(first, end - first);
    const double mean = std::accumulate(before.begin(), before.end(), 0.0) / static_cast<double>(before.size());
    for (double& value : lead) value -= mean;
  }
}

// From the net areas of I and aVF. In Einthoven's triangle I is the dipole along 0 degrees; aVF along 90 degrees, but
// one limb against the mean of the other two is shorter, sqrt(3)/2 of the distance of two, hence 2/sqrt(3).
double axis(const Beat& beat, std::size_t first, std::size_t end) {
  double left = 0, down = 0, swept = 0;
  for (std::size_t k = first; k < end; ++k) {
    const double one = beat.leads[0][k], two = beat.leads[1][k];
    const double foot = (two - one / 2) * 2 / std::numbers::sqrt3;  // aVF = II - I/2
    left += one, down += foot, swept += std::hypot(one, foot);
  }
  if (!(std::hypot(left, down) > least_net * swept)) return NAN;
  return std::atan2(down, left) * 180 / std::numbers::pi;
}

// Of any of the twelve leads.
double largest_deflection(const Beat& beat, std::size_t first, std::size_t end) {
  const auto over = [&](auto&& lead) {
    double low = INFINITY, high = -INFINITY;
    for (std::size_t k = first; k < end; ++k) low = std::min(low, lead(k)), high = std::max(high, lead(k));
    return high - low;
  };
  const auto& one = beat.leads[0];
  const auto& two = beat.leads[1];
  double largest = std::max({over([&](std::size_t k) { return two[k] - one[k]; }),        // III
                             over([&](std::size_t k) { return (one[k] + two[k]) / 2; }),  // -aVR
                             over([&](std::size_t k) { return one[k] - two[k] / 2; }),    // aVL
                             over([&](std::size_t k) { return two[k] - one[k] / 2; })});  // aVF
  for (const auto& lead : beat.leads) largest = std::max(largest, over([&](std::size_t k) { return lead[k]; }));
  return largest;
}

// Of the maxima after QRS the last that is at least half as high as the highest: the second hump of a biphasic T, but
// no U and no P.
std::optional<std::size_t> t_peak(const Beat& beat, const Signal& rms, std::size_t first) {
  const std::size_t width = beat.count(t_width);
  std::vector<std::size_t> peaks;
  double highest = 0;
  for (std::size_t k = first + width; k + width < beat.size(); ++k) {
    if (!is_largest_around(rms, k, width)) continue;
    peaks.push_back(k);
    highest = std::max(highest, rms[k]);
  }
  std::erase_if(peaks, [&](std::size_t k) { return rms[k] < highest / 2; });
  if (peaks.empty()) return {};
  return peaks.back();
}

// Where the tangent to the steepest descent after T's peak meets the level before QRS [ms] (Postema and Wilde 2014,
// doi 10.2174/1573403X10666140514103612). Down to a fifth of the peak, so that a P or U after it has no say.
double tangent_end(const Beat& beat, const Signal& rms, std::size_t peak) {
  double steepest = 0, end = NAN;
  std::size_t k = peak;
  for (; k < beat.size() && rms[k] > 0.2 * rms[peak]; ++k) {
    const double s = slope(beat, rms, k);
    if (s < steepest) steepest = s, end = beat.times[k] - rms[k] / s;
  }
  const bool whole = k < beat.size() || rms.back() < 0.5 * rms[peak];
  return whole && end <= beat.times.back() ? end : NAN;
}

double find_t_end(const Beat& beat, const Signal& rms, double qrs_onset, double qrs_end) {
  const std::size_t first = first_at(beat, qrs_onset), end = first_at(beat, qrs_end);
  const auto peak = t_peak(beat, rms, end);
  if (!peak || first >= end) return NAN;
  const double in_qrs = *std::ranges::max_element(std::span(rms).subspan(first, end - first));
  return rms[*peak] > least_t * in_qrs ? tangent_end(beat, rms, *peak) : NAN;
}

}  // namespace

EcgMeasures measure_beat(const Ecg& leads, double begin, double end) {
  leads.validate();
  if (!(begin < end)) throw InputError(fmt::format("ECG: a beat cannot be measured from {:g} to {:g} ms", begin, end));
  EcgMeasures found;
  Beat beat = cut(leads, begin, end);
  if (beat.size() < 3) return found;
  const auto velocity = spatial_velocity(beat);
  const auto peak = static_cast<std::size_t>(std::ranges::max_element(velocity) - velocity.begin());
  if (!(velocity[peak] > flat)) return found;
  const double typical = typical_velocity(velocity);
  found.qrs_onset = find_onset(beat, velocity, peak, typical);
  if (std::isnan(found.qrs_onset)) return found;
  level(beat, found.qrs_onset);
  const auto rms = root_mean_square(beat);
  found.qrs_end = find_end(beat, velocity, rms, peak, typical, found.qrs_onset);
  if (std::isnan(found.qrs_end)) return found;
  found.qrs_duration = found.qrs_end - found.qrs_onset;
  const std::size_t first = first_at(beat, found.qrs_onset), past = first_at(beat, found.qrs_end);
  found.qrs_axis = axis(beat, first, past);
  found.qrs_amplitude = largest_deflection(beat, first, past);
  found.t_end = find_t_end(beat, rms, found.qrs_onset, found.qrs_end);
  found.qt = found.t_end - found.qrs_onset;
  return found;
}

namespace {

constexpr double rounding = 1e-6;  // [ms] by which a window may seem to leave the record

// Channels of `b` in the order of a's names.
std::vector<std::size_t> same_channels(const Ecg& a, const Ecg& b) {
  std::vector<std::size_t> channels;
  for (const auto& name : a.names) channels.push_back(b.index(name));
  for (const auto& name : b.names) a.index(name);  // throws
  return channels;
}

bool is_recorded(const Ecg& ecg, double begin, double span) {
  return begin >= ecg.times.front() - rounding && begin + span <= ecg.times.back() + rounding;
}

void require_window(const Ecg& ecg, const char* which, double begin, double span) {
  if (!is_recorded(ecg, begin, span))
    throw InputError(
        fmt::format("ECG: {:g} to {:g} ms of the {} record are to be compared, but it lasts from {:g} to {:g}", begin,
                    begin + span, which, ecg.times.front(), ecg.times.back()));
}

// `count` values of each of the channels, one channel after the other, linear between samples.
Signal resampled(const Ecg& ecg, const std::vector<std::size_t>& channels, double begin, double step,
                 std::size_t count) {
  Signal result(channels.size() * count);
  for (std::size_t k = 0; k < count; ++k) {
    const double time = begin + static_cast<double>(k) * step;
    const auto above = std::clamp<std::ptrdiff_t>(std::ranges::lower_bound(ecg.times, time) - ecg.times.begin(), 1,
                                                  static_cast<std::ptrdiff_t>(ecg.samples()) - 1);
    const auto high = static_cast<std::size_t>(above), low = high - 1;
    const double part = std::clamp((time - ecg.times[low]) / (ecg.times[high] - ecg.times[low]), 0.0, 1.0);
    for (std::size_t c = 0; c < channels.size(); ++c)
      result[c * count + k] = std::lerp(ecg.at(low, channels[c]), ecg.at(high, channels[c]), part);
  }
  return result;
}

// Pearson's; NaN where one of them does not vary beyond rounding.
double correlation(std::span<const double> a, std::span<const double> b) {
  const auto n = static_cast<double>(a.size());
  const double mean_a = std::accumulate(a.begin(), a.end(), 0.0) / n;
  const double mean_b = std::accumulate(b.begin(), b.end(), 0.0) / n;
  double aa = 0, bb = 0, ab = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    const double da = a[k] - mean_a, db = b[k] - mean_b;
    aa += da * da, bb += db * db, ab += da * db;
  }
  const auto is_flat = [&](double squares, double mean) { return !(squares > 1e-20 * n * mean * mean); };
  return is_flat(aa, mean_a) || is_flat(bb, mean_b) ? NAN : std::clamp(ab / std::sqrt(aa * bb), -1.0, 1.0);
}

}  // namespace

EcgMatch compare(const Ecg& a, double begin_a, const Ecg& b, double begin_b, double span, double slack) {
  a.validate(), b.validate();
  const auto channels_b = same_channels(a, b);
  std::vector<std::size_t> channels_a(channels_b.size());
  std::iota(channels_a.begin(), channels_a.end(), std::size_t{0});
  require_window(a, "first", begin_a, span);
  require_window(b, "second", begin_b, span);
  // Sampled as the coarser of the two, shifted by steps of the finer.
  const double step = std::max(a.interval(), b.interval()), fine = std::min(a.interval(), b.interval());
  if (!(span >= 2 * step))
    throw InputError(fmt::format("ECG: a window of {:g} ms holds too few samples to compare; three are needed", span));
  if (!(slack >= 0))
    throw InputError(fmt::format("ECG: a slack of {:g} ms is not possible; 0 ms or more is needed", slack));
  const auto count = static_cast<std::size_t>(span / step + rounding) + 1;
  const auto fixed = resampled(a, channels_a, begin_a, step, count);
  EcgMatch best;
  double highest = -INFINITY;
  Signal moved;
  const auto consider = [&](double shift) {
    if (!is_recorded(b, begin_b + shift, span)) return;
    auto signal = resampled(b, channels_b, begin_b + shift, step, count);
    const double r = correlation(fixed, signal);
    if (!moved.empty() && !(r > highest + 1e-12)) return;  // of equals, the smaller shift
    if (!std::isnan(r)) highest = r;
    best.correlation = r, best.shift = shift, moved = std::move(signal);
  };
  consider(0);
  const double most = std::min(slack, b.times.back() - b.times.front()) + rounding;
  for (double shift = fine; shift <= most; shift += fine) consider(shift), consider(-shift);
  for (std::size_t c = 0; c < channels_a.size(); ++c)
    best.of_channel.push_back(
        correlation(std::span(fixed).subspan(c * count, count), std::span(moved).subspan(c * count, count)));
  return best;
}

}  // namespace cardiotwin
