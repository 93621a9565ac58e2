// What can be wrong with recorded leads, from the leads alone.
//
// The six limb leads are two independent potentials. Whatever they share with the plane that Einthoven and Goldberger
// span is kept; what is left over contradicts them. A hypothesis of what went wrong is believed if it removes that.
#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cardiotwin/error.hpp>
#include <cardiotwin/measurements.hpp>
#include <functional>

namespace cardiotwin {
namespace {

constexpr double flat = 0.02;                              // [mV] from peak to peak: a fifth of a millimetre on paper
constexpr double contradiction = 0.05, resolution = 0.02;  // of the leads' size; [mV]
constexpr double least_p = 0.03;                           // [mV]

const std::vector<std::string> chest{"V1", "V2", "V3", "V4", "V5", "V6"};
// Lead = first * I + second * II.
struct LimbLead {
  const char* name;
  double first, second;
};
constexpr std::array<LimbLead, 6> limb{
    {{"I", 1, 0}, {"II", 0, 1}, {"III", -1, 1}, {"aVR", -0.5, -0.5}, {"aVL", 1, -0.5}, {"aVF", -0.5, 1}}};

bool has(const Ecg& ecg, std::string_view name) { return std::ranges::find(ecg.names, name) != ecg.names.end(); }

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

// Without its level, which each channel of a recorder filters on its own.
Eigen::VectorXd levelled(const Ecg& ecg, std::string_view name) {
  const auto signal = ecg.channel(name);
  const double level = median(signal);
  Eigen::VectorXd out(static_cast<Eigen::Index>(signal.size()));
  for (std::size_t k = 0; k < signal.size(); ++k) out[static_cast<Eigen::Index>(k)] = signal[k] - level;
  return out;
}

// The limb leads that are there: a column of samples and a row of the plane each.
struct Limbs {
  std::vector<std::string> names;
  Eigen::MatrixXd signals;
  Eigen::MatrixX2d plane;

  // Root mean square of what lies outside the plane, and whether that is more than recorders differ by.
  double outside() const {
    const Eigen::MatrixXd inverse = (plane.transpose() * plane).inverse();
    const Eigen::MatrixXd rest = signals - signals * plane * inverse * plane.transpose();
    return std::sqrt(rest.squaredNorm() / static_cast<double>(std::max<Eigen::Index>(1, rest.size())));
  }
  bool agree() const {
    const double size =
        std::sqrt(signals.squaredNorm() / static_cast<double>(std::max<Eigen::Index>(1, signals.size())));
    return outside() <= std::max(contradiction * size, resolution);
  }
  Limbs without(std::size_t lead) const {
    Limbs rest;
    rest.signals.resize(signals.rows(), signals.cols() - 1), rest.plane.resize(plane.rows() - 1, 2);
    for (std::size_t k = 0; k < names.size(); ++k) {
      if (k == lead) continue;
      const auto to = static_cast<Eigen::Index>(rest.names.size()), from = static_cast<Eigen::Index>(k);
      rest.signals.col(to) = signals.col(from), rest.plane.row(to) = plane.row(from);
      rest.names.push_back(names[k]);
    }
    return rest;
  }
};

Limbs limbs_of(const Ecg& ecg) {
  Limbs limbs;
  for (const auto& lead : limb)
    if (has(ecg, lead.name)) limbs.names.emplace_back(lead.name);
  const auto count = static_cast<Eigen::Index>(limbs.names.size());
  limbs.signals.resize(static_cast<Eigen::Index>(ecg.samples()), count), limbs.plane.resize(count, 2);
  for (Eigen::Index k = 0; k < count; ++k) {
    const auto& name = limbs.names[static_cast<std::size_t>(k)];
    const auto* lead = std::ranges::find(limb, name, &LimbLead::name);
    limbs.signals.col(k) = levelled(ecg, name);
    limbs.plane.row(k) << lead->first, lead->second;
  }
  return limbs;
}

std::string either(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t k = 0; k < names.size(); ++k)
    text += (k == 0 ? "" : k + 1 == names.size() ? " or " : ", ") + names[k];
  return text;
}

// Which leads, each turned over alone, reconcile all.
std::vector<std::string> reversed(Limbs limbs) {
  std::vector<std::string> found;
  for (std::size_t k = 0; k < limbs.names.size(); ++k) {
    const auto column = static_cast<Eigen::Index>(k);
    limbs.signals.col(column) *= -1;
    if (limbs.agree()) found.push_back("\"" + limbs.names[k] + "\"");
    limbs.signals.col(column) *= -1;
  }
  return found;
}

std::vector<std::string> exchanged(Limbs limbs) {
  std::vector<std::string> found;
  for (std::size_t a = 0; a < limbs.names.size(); ++a) {
    for (std::size_t b = a + 1; b < limbs.names.size(); ++b) {
      const auto swap = [&] {
        limbs.signals.col(static_cast<Eigen::Index>(a)).swap(limbs.signals.col(static_cast<Eigen::Index>(b)));
      };
      swap();
      if (limbs.agree()) found.push_back(fmt::format("\"{}\" with \"{}\"", limbs.names[a], limbs.names[b]));
      swap();
    }
  }
  return found;
}

std::vector<std::string> odd_ones(const Limbs& limbs) {
  std::vector<std::string> found;
  for (std::size_t k = 0; limbs.names.size() > 3 && k < limbs.names.size(); ++k)
    if (limbs.without(k).agree()) found.push_back("\"" + limbs.names[k] + "\"");
  return found;
}

void find_contradictions(const Ecg& ecg, std::vector<Finding>& findings) {
  const auto limbs = limbs_of(ecg);
  if (limbs.names.size() < 3 || limbs.agree()) return;
  const auto what = fmt::format("The limb leads contradict Einthoven and Goldberger by {:.2g} mV", limbs.outside());
  const auto say = [&](const std::string& why) { findings.push_back({Severity::severe, what + why}); };
  if (const auto leads = reversed(limbs); !leads.empty())
    say(fmt::format("; turned over, {} would agree with the others: invert it.", either(leads)));
  else if (const auto pairs = exchanged(limbs); !pairs.empty())
    say(fmt::format("; exchanging {} would reconcile them: rename the two.", either(pairs)));
  else if (const auto odd = odd_ones(limbs); !odd.empty())
    say(fmt::format("; without {} the others agree: leave it out.", either(odd)));
  else
    say("; at least one is in another unit, filtered otherwise or not what its name says: export them anew.");
}

void find_missing(const Ecg& ecg, std::vector<Finding>& findings) {
  std::vector<std::string> others, known;
  for (const auto& lead : limb) known.emplace_back(lead.name);
  known.insert(known.end(), chest.begin(), chest.end());
  for (const auto& name : ecg.names)
    if (std::ranges::find(known, name) == known.end()) others.push_back(name);
  const auto present =
      static_cast<std::size_t>(std::ranges::count_if(limb, [&](const LimbLead& lead) { return has(ecg, lead.name); }));
  for (const auto& name : known) {
    if (has(ecg, name)) continue;
    const bool of_limbs = std::ranges::find(chest, name) == chest.end();
    const auto named = others.empty() ? std::string() : suggestion(name, others);
    if (of_limbs && present >= 2)
      findings.push_back(
          {Severity::info,
           fmt::format("Lead \"{}\" is missing, but follows from two other limb leads{}.", name, named)});
    else
      findings.push_back({Severity::warning, fmt::format("Lead \"{}\" is missing{}.", name,
                                                         named.empty() ? ": nothing will be fitted to it" : named)});
  }
}

void find_flat(const Ecg& ecg, std::vector<Finding>& findings) {
  for (const auto& name : ecg.names) {
    const auto signal = ecg.channel(name);
    const auto [low, high] = std::ranges::minmax(signal);
    if (high - low < flat)
      findings.push_back(
          {Severity::severe,
           fmt::format("Lead \"{}\" is flat, {:.2g} mV from peak to peak: leave it out, its electrode was "
                       "off or its unit is wrong.",
                       name, high - low)});
  }
}

// Whether a signal goes up farther than down.
bool mainly_positive(const Eigen::VectorXd& signal) { return signal.maxCoeff() > -signal.minCoeff(); }

void find_polarity(const Ecg& ecg, std::vector<Finding>& findings) {
  if (!has(ecg, "I") || !has(ecg, "aVR")) return;
  const auto first = levelled(ecg, "I"), right = levelled(ecg, "aVR");
  if (std::max(first.cwiseAbs().maxCoeff(), right.cwiseAbs().maxCoeff()) < flat) return;
  if (mainly_positive(right) && !mainly_positive(first))
    findings.push_back(
        {Severity::warning,
         "aVR is mainly positive and I mainly negative: the arm electrodes may be exchanged (I turned over, "
         "II with III, aVR with aVL), which no identity can show; true where activation comes from the "
         "left, as in some tachycardias."});
}

Ecg cut(const Ecg& ecg, double begin, double end) {
  Ecg part{.names = ecg.names};
  for (std::size_t k = 0; k < ecg.samples(); ++k) {
    if (ecg.times[k] < begin || ecg.times[k] > end) continue;
    part.times.push_back(ecg.times[k]);
    for (std::size_t c = 0; c < ecg.names.size(); ++c) part.values.push_back(ecg.at(k, c));
  }
  return part;
}

// Of what comes before QRS in I; the atria run from right to left.
void find_p_wave(const Ecg& before, std::vector<Finding>& findings) {
  if (before.samples() < 10 || !has(before, "I")) return;
  const auto first = levelled(before, "I");
  if (-first.minCoeff() > least_p && -first.minCoeff() > 2 * first.maxCoeff())
    findings.push_back({Severity::warning,
                        "P is negative in I: the arm electrodes are probably exchanged, or the atria "
                        "are not in sinus rhythm; compare with an older record."});
}

}  // namespace

std::vector<Finding> check_ecg(const Ecg& leads) {
  leads.validate();
  std::vector<Finding> findings;
  find_missing(leads, findings);
  find_flat(leads, findings);
  find_contradictions(leads, findings);
  find_polarity(leads, findings);
  return findings;
}

std::vector<Finding> check_ecg(const EcgMeasure& measure) {
  Measurements one;
  one.ecgs.push_back(measure);
  one.validate();
  const Ecg beat = cut(measure.leads, measure.begin, measure.end);
  if (beat.samples() < 3)
    throw InputError(fmt::format("ECG: from {:g} to {:g} ms there are {} samples; at least three are needed",
                                 measure.begin, measure.end, beat.samples()));
  auto findings = check_ecg(beat);
  const auto eight = {"I", "II", "V1", "V2", "V3", "V4", "V5", "V6"};
  if (!std::ranges::all_of(eight, [&](const char* name) { return has(beat, name); })) return findings;
  const auto found = measure_beat(beat, measure.begin, measure.end);
  if (std::isnan(found.qrs_onset)) {
    findings.push_back(
        {Severity::severe, "No QRS is found in the window: choose one that holds one beat, quiet before."});
    return findings;
  }
  if (found.qrs_onset - measure.begin < 10)
    findings.push_back(
        {Severity::warning,
         fmt::format("QRS begins {:.3g} ms after the window: begin at least 10 ms earlier, what is quiet "
                     "before gives the level.",
                     found.qrs_onset - measure.begin)});
  if (found.qrs_amplitude < 5 * measure.noise)
    findings.push_back(
        {Severity::severe, fmt::format("QRS is {:.2g} mV high with a noise of {:.2g} mV: average beats, or "
                                       "give the noise as it is.",
                                       found.qrs_amplitude, measure.noise)});
  find_p_wave(cut(beat, measure.begin, found.qrs_onset), findings);
  return findings;
}

}  // namespace cardiotwin
