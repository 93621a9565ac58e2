#pragma once
/// Electrocardiograms: potentials at electrodes over time, the twelve leads made of them, and what is read off.

#include <cardiotwin/field.hpp>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace cardiotwin {

/// Where a potential is taken.
struct Electrode {
  std::string name;  ///< "V1", "LA", ...
  Vec3 position;     ///< [mm, LPS]
};

/// Signals sampled together, evenly: potentials at electrodes, or leads.
struct Ecg {
  std::vector<double> times = {};       ///< [ms]
  std::vector<std::string> names = {};  ///< of the channels
  std::vector<double> values = {};      ///< [mV], time-major, channel fastest

  std::size_t samples() const { return times.size(); }
  /// Mean time between samples [ms]; NaN where there are fewer than two.
  double interval() const;
  double at(std::size_t sample, std::size_t channel) const { return values[sample * names.size() + channel]; }
  /// Which channel has this name; throws InputError with the nearest known name.
  std::size_t index(std::string_view name) const;
  /// All samples of the named channel; throws as index does.
  std::vector<double> channel(std::string_view name) const;
  /// Throws InputError unless the arrays fit together, names differ, values are finite, and times ascend evenly: steps
  /// may be a tenth off, since a recorder whose interval is no multiple of the time step samples at the nearest one.
  void validate() const;
};

/// I, II, III, aVR, aVL, aVF, V1 ... V6 from the potentials at RA, LA, LL, V1 ... V6, wherever their zero is
/// (Einthoven, Goldberger, Wilson; doi 10.1161/CIRCULATIONAHA.106.180200). Throws InputError where one is missing.
Ecg twelve_leads(const Ecg& electrodes);

/// X (left), Y (down), Z (back) from eight of the twelve leads by Kors' regression (Kors et al. 1990,
/// doi 10.1093/oxfordjournals.eurheartj.a059647). Throws InputError where one of I, II, V1 ... V6 is missing.
Ecg vectorcardiogram(const Ecg& leads);

/// What a doctor reads off one beat; NaN where it cannot be.
struct EcgMeasures {
  double qrs_onset = NAN, qrs_end = NAN, t_end = NAN;  ///< [ms]
  double qrs_duration = NAN, qt = NAN;                 ///< [ms]
  double qrs_axis = NAN;                               ///< in the frontal plane [degrees], 0 left, 90 down
  double qrs_amplitude = NAN;                          ///< largest deflection between peaks over the leads [mV]
};

/// Of the one beat within [begin, end] ms, from I, II, V1 ... V6; nothing outside the window is looked at. QRS lasts
/// from when the leads begin to move to when they fall quiet or, where T follows at once, no longer move faster than T
/// will; beyond 280 ms it is not found. T ends where the tangent to its steepest descent meets the level before QRS.
/// Throws InputError for a missing lead, a record that is not valid, or begin not before end.
EcgMeasures measure_beat(const Ecg& leads, double begin, double end);

/// How alike two stretches of record are.
struct EcgMatch {
  double correlation = NAN;             ///< of all channels together; NaN where one of the two is flat
  double shift = 0;                     ///< [ms] by which b lags: a at begin_a matches b at begin_b + shift
  std::vector<double> of_channel = {};  ///< each channel's own at that shift, in the order of a's names
};

/// Pearson's correlation of the channels, all samples of `span` ms from `begin_a` and `begin_b` on taken together, at
/// the shift of at most `slack` ms that makes it largest: 1 for the same morphology. Shifts that would leave b's record
/// are not tried. Intervals may differ, and so may the order of the channels. Throws InputError where a window is not
/// wholly recorded, shorter than two intervals, or one has a channel that the other has not.
EcgMatch compare(const Ecg& a, double begin_a, const Ecg& b, double begin_b, double span, double slack);

/// Comma-separated, "research use only" first, then a header line with units; six decimals of ms and mV.
std::string to_csv(const Ecg&);
/// The same read back, or a table made elsewhere: "time [ms]" and channels such as "V1 [mV]" or "V1 [uV]", commas
/// between, lines that begin with # skipped. Throws InputError, naming the line.
Ecg ecg_from_csv(const std::string&);

}  // namespace cardiotwin
