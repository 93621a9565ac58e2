// Records of potentials: what holds of them, leads made of them, and their table as text.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cardiotwin/ecg.hpp>
#include <cardiotwin/error.hpp>
#include <cardiotwin/provenance.hpp>
#include <cardiotwin/units.hpp>
#include <charconv>
#include <optional>
#include <set>

namespace cardiotwin {
namespace {

// Printable and without blanks around it, so that it survives tables and drawings.
bool is_proper_name(std::string_view name) {
  return !name.empty() && name.front() != ' ' && name.back() != ' ' &&
         std::ranges::none_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

double median_step(const std::vector<double>& times) {
  std::vector<double> steps;
  for (std::size_t k = 1; k < times.size(); ++k) steps.push_back(times[k] - times[k - 1]);
  const auto middle = steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2);
  std::ranges::nth_element(steps, middle);
  return *middle;
}

// First time that is not about one median step after the one before. Times are finite.
std::optional<std::size_t> first_uneven(const std::vector<double>& times) {
  if (times.size() < 2) return {};
  const double step = median_step(times);
  for (std::size_t k = 1; k < times.size(); ++k) {
    const double own = times[k] - times[k - 1];
    if (!(own > 0 && std::abs(own - step) <= 0.1 * step)) return k;
  }
  return {};
}

std::string uneven(const std::vector<double>& times, std::size_t k) {
  return fmt::format("{:g} ms comes after {:g} ms, but times must ascend in even steps (most are {:g} ms); resample it",
                     times[k], times[k - 1], median_step(times));
}

}  // namespace

double Ecg::interval() const {
  return samples() < 2 ? NAN : (times.back() - times.front()) / static_cast<double>(samples() - 1);
}

std::size_t Ecg::index(std::string_view name) const {
  const auto found = std::ranges::find(names, name);
  if (found == names.end())
    throw InputError(fmt::format("ECG: there is no channel \"{}\"{}", name,
                                 names.empty() ? "; it has no channels at all" : suggestion(name, names)));
  return static_cast<std::size_t>(found - names.begin());
}

std::vector<double> Ecg::channel(std::string_view name) const {
  const std::size_t c = index(name);
  if (values.size() != times.size() * names.size()) validate();  // throws, saying what is needed
  std::vector<double> signal(samples());
  for (std::size_t k = 0; k < signal.size(); ++k) signal[k] = at(k, c);
  return signal;
}

void Ecg::validate() const {
  if (names.empty()) throw InputError("ECG: it has no channels; at least one is needed");
  if (times.empty()) throw InputError("ECG: it has no samples; at least one is needed");
  std::set<std::string_view> seen;
  for (const auto& name : names) {
    if (!is_proper_name(name))
      throw InputError(fmt::format(
          "ECG: a channel is named \"{}\"; a name must be printable and neither begin nor end with a blank", name));
    if (!seen.insert(name).second)
      throw InputError(fmt::format("ECG: two channels are named \"{}\"; names must differ", name));
  }
  if (values.size() != times.size() * names.size())
    throw InputError(fmt::format("ECG: {} channels at {} times need {} values, not {}", names.size(), times.size(),
                                 names.size() * times.size(), values.size()));
  for (std::size_t k = 0; k < samples(); ++k)
    if (!std::isfinite(times[k]))
      throw InputError(fmt::format("ECG: time {} is {}; times must be finite", k, times[k]));
  if (const auto k = first_uneven(times)) throw InputError("ECG: " + uneven(times, *k));
  for (std::size_t k = 0; k < samples(); ++k)
    for (std::size_t c = 0; c < names.size(); ++c)
      if (!std::isfinite(at(k, c)))
        throw InputError(
            fmt::format("ECG: \"{}\" is {} at {:g} ms; potentials must be finite", names[c], at(k, c), times[k]));
}

namespace {

// Channels of `given` by the names wanted. Of a missing one only names that are not wanted are suggested.
template <std::size_t n>
std::array<std::size_t, n> pick(const Ecg& given, const std::array<const char*, n>& wanted, std::string_view who,
                                std::string_view all) {
  std::array<std::size_t, n> channels{};
  for (std::size_t w = 0; w < n; ++w) {
    const auto found = std::ranges::find(given.names, wanted[w]);
    if (found == given.names.end()) {
      std::vector<std::string> others;
      for (const auto& name : given.names)
        if (std::ranges::find(wanted, name) == wanted.end()) others.push_back(name);
      throw InputError(fmt::format("{} need {}, but \"{}\" is missing{}", who, all, wanted[w],
                                   others.empty() ? "; record it as well" : suggestion(wanted[w], others)));
    }
    channels[w] = static_cast<std::size_t>(found - given.names.begin());
  }
  return channels;
}

}  // namespace

Ecg twelve_leads(const Ecg& electrodes) {
  electrodes.validate();
  constexpr std::array wanted{"RA", "LA", "LL", "V1", "V2", "V3", "V4", "V5", "V6"};
  const auto channel = pick(electrodes, wanted, "Twelve leads", "the potentials at RA, LA, LL and V1 to V6");
  Ecg leads{.times = electrodes.times,
            .names = {"I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"}};
  leads.values.reserve(leads.times.size() * leads.names.size());
  for (std::size_t k = 0; k < electrodes.samples(); ++k) {
    const double ra = electrodes.at(k, channel[0]), la = electrodes.at(k, channel[1]),
                 ll = electrodes.at(k, channel[2]);
    // Einthoven: between limbs. Goldberger: one limb against the mean of the other two.
    for (const double lead : {la - ra, ll - ra, ll - la, ra - (la + ll) / 2, la - (ra + ll) / 2, ll - (ra + la) / 2})
      leads.values.push_back(lead);
    const double wilson = (ra + la + ll) / 3;  // the central terminal
    for (std::size_t v = 3; v < channel.size(); ++v) leads.values.push_back(electrodes.at(k, channel[v]) - wilson);
  }
  return leads;
}

Ecg vectorcardiogram(const Ecg& leads) {
  leads.validate();
  constexpr std::array wanted{"I", "II", "V1", "V2", "V3", "V4", "V5", "V6"};
  const auto channel = pick(leads, wanted, "Vectorcardiograms", "the leads I, II and V1 to V6");
  // Kors et al. 1990, table 2, columns as `wanted`: least squares against Frank's leads in patients.
  constexpr double regression[3][8] = {{0.38, -0.07, -0.13, 0.05, -0.01, 0.14, 0.06, 0.54},
                                       {-0.07, 0.93, 0.06, -0.02, -0.05, 0.06, -0.17, 0.13},
                                       {0.11, -0.23, -0.43, -0.06, -0.14, -0.20, -0.11, 0.31}};
  Ecg vector{.times = leads.times, .names = {"X", "Y", "Z"}};
  vector.values.reserve(3 * leads.samples());
  for (std::size_t k = 0; k < leads.samples(); ++k) {
    for (const auto& row : regression) {
      double sum = 0;
      for (std::size_t c = 0; c < channel.size(); ++c) sum += row[c] * leads.at(k, channel[c]);
      vector.values.push_back(sum);
    }
  }
  return vector;
}

namespace {

// Six decimals, 1 nV, without zeros at the end; never "-0".
std::string decimal(double value) {
  auto figures = fmt::format("{:.6f}", value);
  figures.erase(figures.find_last_not_of('0') + 1);
  if (figures.back() == '.') figures.pop_back();
  return figures == "-0" ? "0" : figures;
}

std::string quoted_if_needed(const std::string& cell) {
  if (cell.find_first_of(",\"") == std::string::npos) return cell;
  std::string quoted = "\"";
  for (const char c : cell) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

[[noreturn]] void refuse(std::size_t line, std::string_view why) {
  throw InputError(fmt::format("ECG table, line {}: {}", line, why));
}

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\r") - first + 1));
}

// Commas inside quotation marks belong to the cell, two quotation marks there are one (RFC 4180).
std::vector<std::string> cells_of(std::string_view row, std::size_t line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (std::size_t k = 0; k < row.size(); ++k) {
    if (row[k] == '"') {
      const bool doubled = quoted && k + 1 < row.size() && row[k + 1] == '"';
      if (doubled) cells.back() += row[k++];
      if (!doubled) quoted = !quoted;
    } else if (row[k] == ',' && !quoted) {
      cells.emplace_back();
    } else {
      cells.back() += row[k];
    }
  }
  if (quoted) refuse(line, "a quotation mark is not closed");
  for (auto& cell : cells) cell = trimmed(cell);
  return cells;
}

struct Heading {
  std::string name;
  double scale;  // of the column's unit, in house units
};

// nullopt where `unit` is unknown or of another dimension.
std::optional<double> scale_of(std::string_view unit, Dimension expected) {
  try {
    const auto [scale, dimension] = parse_unit(unit);
    if (dimension == expected) return scale;
  } catch (const InputError&) {  // which does not know the line
  }
  return {};
}

Heading heading(const std::string& cell, bool is_time, std::size_t line) {
  const auto bracket = cell.rfind('[');
  if (bracket == std::string::npos || cell.back() != ']')
    refuse(line, fmt::format("the column \"{0}\" names no unit; write \"{0} [{1}]\"", cell, is_time ? "ms" : "mV"));
  const std::string name = trimmed(cell.substr(0, bracket));
  const std::string unit = trimmed(cell.substr(bracket + 1, cell.size() - bracket - 2));
  const auto scale = scale_of(unit, is_time ? dimension::time : dimension::voltage);
  if (is_time && (name != "time" || !scale))
    refuse(line, fmt::format("the first column is \"{}\"; it must be \"time [ms]\", in any unit of time", cell));
  if (!scale)
    refuse(line, fmt::format("the column \"{}\" is in no unit of voltage; write mV, uV or V in brackets", cell));
  return {name, *scale};
}

class Reader {
 public:
  void read(std::string_view row, std::size_t line) {
    if (scales_.empty())
      read_header(cells_of(row, line), line);
    else
      read_sample(cells_of(row, line), line);
  }

  Ecg finish(std::size_t lines) {
    if (scales_.empty()) refuse(lines, "the table ends without a header such as \"time [ms],I [mV],II [mV]\"");
    if (lines_.empty()) refuse(lines, "the table ends without a sample");
    if (const auto k = first_uneven(ecg_.times)) refuse(lines_[*k], uneven(ecg_.times, *k));
    ecg_.validate();
    return std::move(ecg_);
  }

 private:
  void read_header(const std::vector<std::string>& cells, std::size_t line) {
    if (cells.size() < 2)
      refuse(line, fmt::format("the header \"{}\" has one column, but times and at least one channel are needed, "
                               "separated by commas",
                               cells[0]));
    for (const auto& cell : cells) {
      const auto [name, scale] = heading(cell, scales_.empty(), line);
      if (!scales_.empty()) {
        if (!is_proper_name(name)) refuse(line, fmt::format("the column \"{}\" has no printable name", cell));
        if (std::ranges::find(ecg_.names, name) != ecg_.names.end())
          refuse(line, fmt::format("two columns are named \"{}\"; names must differ", name));
        ecg_.names.push_back(name);
      }
      scales_.push_back(scale);
    }
  }

  void read_sample(const std::vector<std::string>& cells, std::size_t line) {
    if (cells.size() != scales_.size())
      refuse(line, fmt::format("it has {} cells where the header has {} columns", cells.size(), scales_.size()));
    for (std::size_t c = 0; c < cells.size(); ++c) {
      const std::string_view cell = cells[c];
      const std::string_view digits = cell.substr(cell.starts_with('+') ? 1 : 0);
      double value = 0;
      const auto [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
      value *= scales_[c];
      if (error != std::errc{} || rest != digits.data() + digits.size() || !std::isfinite(value))
        refuse(line,
               fmt::format("\"{}\" in the column \"{}\" is not a finite number", cell, c ? ecg_.names[c - 1] : "time"));
      (c ? ecg_.values : ecg_.times).push_back(value);
    }
    lines_.push_back(line);
  }

  Ecg ecg_;
  std::vector<double> scales_;      // of the columns, time first
  std::vector<std::size_t> lines_;  // of the samples
};

}  // namespace

std::string to_csv(const Ecg& ecg) {
  ecg.validate();
  std::string text = fmt::format("# {}\ntime [ms]", research_use_only);
  for (const auto& name : ecg.names) text += ',' + quoted_if_needed(name + " [mV]");
  text += '\n';
  for (std::size_t k = 0; k < ecg.samples(); ++k) {
    text += decimal(ecg.times[k]);
    for (std::size_t c = 0; c < ecg.names.size(); ++c) text += ',' + decimal(ecg.at(k, c));
    text += '\n';
  }
  return text;
}

Ecg ecg_from_csv(const std::string& text) {
  std::string_view rest = text;
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);  // the byte order mark of some spreadsheets
  Reader reader;
  std::size_t line = 0;
  while (!rest.empty()) {
    ++line;
    const auto end = std::min(rest.find('\n'), rest.size());
    const std::string row = trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!row.empty() && row.front() != '#') reader.read(row, line);
  }
  return reader.finish(std::max<std::size_t>(line, 1));
}

}  // namespace cardiotwin
