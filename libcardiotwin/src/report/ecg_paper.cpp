#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cardiotwin/ecg_paper.hpp>
#include <cardiotwin/error.hpp>
#include <cardiotwin/provenance.hpp>
#include <cmath>
#include <sstream>
#include <string_view>

#include "report/html.hpp"

namespace cardiotwin {
namespace {

using namespace report;

// All lengths are millimetres of paper.
constexpr double speed = 0.025;                           // [mm/ms]: 25 mm/s
constexpr double longest = 10000, longest_column = 2500;  // [ms] shown
constexpr double box = 5;                                 // between bold lines
constexpr double margin = 5, calibration = 2 * box;       // left of the traces: blank paper, the pulse
constexpr double name_band = box, tallest = 8 * box;      // of a row: for names, in all
constexpr double narrowest = 20 * box;                    // for the traces, so that the words below fit
constexpr double largest_value = 1e6;                     // [mV] beyond which it is no potential of a heart

double boxes(double length) { return box * std::ceil(length / box - 1e-9); }

// [mV] of the calibration pulse: 1, or the power of ten that is tall enough to see.
double pulse(double gain) { return gain > 2.4 ? 1 : std::pow(10, std::ceil(std::log10(2.5 / gain) - 1e-9)); }

// A stretch of one channel.
struct Trace {
  std::size_t channel;
  double begin, end;  // [ms]
  double x;           // of begin, from the first trace's
  double zero = 0;    // [mV] on the row's line
};

struct Row {
  std::vector<Trace> traces;
  double low = 0, high = 0;  // [mV] reached by any of them

  double above(double gain) const { return name_band + boxes(gain * std::max(high, pulse(gain))); }
  double height(double gain) const { return above(gain) + std::max(box, boxes(-gain * low)); }
};

struct Sheet {
  std::vector<Row> rows;
  double width = narrowest;  // of the traces
  std::string columns = {};  // in words: what they show
};

bool is_twelve_leads(const Ecg& ecg, const std::array<const char*, 12>& leads) {
  return ecg.names.size() == leads.size() && std::ranges::all_of(leads, [&](const char* lead) {
           return std::ranges::find(ecg.names, lead) != ecg.names.end();
         });
}

Sheet twelve_lead_sheet(const Ecg& ecg, const std::array<const char*, 12>& leads) {
  const double begin = ecg.times.front(), duration = static_cast<double>(ecg.samples()) * ecg.interval();
  const bool runs_on = duration >= 4000;                             // at least a second in each column
  const double whole = 200 * std::floor(duration / 4 / 200 + 1e-6);  // boxes
  const double column = std::min(longest_column, runs_on && duration < longest - 1e-6 ? whole : duration);
  const double pitch = runs_on ? speed * column : std::max(narrowest / 4, boxes(speed * column + box / 2));
  Sheet sheet{.rows = std::vector<Row>(4), .width = boxes(4 * pitch)};
  for (std::size_t k = 0; k < leads.size(); ++k) {
    const std::size_t place = k / 3, row = k % 3;  // column by column
    const double from = begin + (runs_on ? static_cast<double>(place) * column : 0);
    sheet.rows[row].traces.push_back({ecg.index(leads[k]), from, from + column, static_cast<double>(place) * pitch});
  }
  sheet.rows[3].traces.push_back({ecg.index("II"), begin, begin + std::min(duration, sheet.width / speed), 0});
  sheet.columns = runs_on ? fmt::format("Columns follow one another, {:g} s each.", column / 1000)
                          : fmt::format("All columns show the same {:.2g} s.", column / 1000);
  return sheet;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

Sheet stacked_sheet(const Ecg& ecg) {
  const double begin = ecg.times.front(), duration = std::min(longest, ecg.times.back() - begin);
  Sheet sheet{.rows = {},
              .width = std::max(narrowest, boxes(speed * duration)),
              .columns = "Each channel is drawn about its median."};
  for (std::size_t c = 0; c < ecg.names.size(); ++c)
    sheet.rows.push_back({.traces = {{c, begin, begin + duration, 0, median(ecg.channel(ecg.names[c]))}}});
  return sheet;
}

// Samples of a trace: first, and one past the last.
std::pair<std::size_t, std::size_t> samples_of(const Trace& trace, const Ecg& ecg) {
  constexpr double rounding = 1e-6;  // [ms]
  const auto first = std::ranges::lower_bound(ecg.times, trace.begin - rounding);
  const auto past = std::ranges::upper_bound(ecg.times, trace.end + rounding);
  return {static_cast<std::size_t>(first - ecg.times.begin()), static_cast<std::size_t>(past - ecg.times.begin())};
}

void measure_rows(Sheet& sheet, const Ecg& ecg) {
  for (Row& row : sheet.rows) {
    for (const Trace& trace : row.traces) {
      const auto [first, past] = samples_of(trace, ecg);
      for (std::size_t k = first; k < past; ++k) {
        row.low = std::min(row.low, ecg.at(k, trace.channel) - trace.zero);
        row.high = std::max(row.high, ecg.at(k, trace.channel) - trace.zero);
      }
    }
  }
}

// 20, 10, 5, 2.5, 1, 0.5, 0.25, 0.1 ...
double next_smaller(double gain) {
  const double leading = gain / std::pow(10, std::floor(std::log10(gain) + 1e-9));
  return leading > 2.25 && leading < 2.75 ? gain / 2.5 : gain / 2;
}

double fitting_gain(const Sheet& sheet, double gain) {
  const auto fits = [&](const Row& row) { return row.height(gain) <= tallest; };
  while (!std::ranges::all_of(sheet.rows, fits)) gain = next_smaller(gain);
  return gain;
}

struct Point {
  double x, y;
};

// Fewer points, with all those left out within a hair of the line: from the last point kept it goes on as long as one
// slope passes through the gates that stand around all points since.
std::vector<Point> thinned(const std::vector<Point>& points) {
  constexpr double hair = 0.01;
  std::vector<Point> kept;
  double low = -INFINITY, high = INFINITY;  // slopes that pass
  for (std::size_t k = 0; k < points.size(); ++k) {
    const Point& p = points[k];
    if (kept.empty()) {
      kept.push_back(p);
      continue;
    }
    const double slope = (p.y - kept.back().y) / (p.x - kept.back().x);
    if (slope < low || slope > high) {
      kept.push_back(points[k - 1]);
      low = -INFINITY, high = INFINITY;
    }
    const double run = p.x - kept.back().x, rise = p.y - kept.back().y;
    low = std::max(low, (rise - hair) / run), high = std::min(high, (rise + hair) / run);
  }
  if (points.size() > 1) kept.push_back(points.back());
  return kept;
}

std::string trace_path(const Trace& trace, const Ecg& ecg, double left, double line, double gain) {
  const auto [first, past] = samples_of(trace, ecg);
  std::vector<Point> points;
  for (std::size_t k = first; k < past; ++k)
    points.push_back(
        {left + trace.x + speed * (ecg.times[k] - trace.begin), line - gain * (ecg.at(k, trace.channel) - trace.zero)});
  std::string path;
  for (const Point& p : thinned(points)) path += fmt::format("{}{:.2f} {:.2f}", path.empty() ? "M" : "L", p.x, p.y);
  return path;
}

// Pulse, traces and names of a row whose zero is at `line`; `top` is its upper edge.
std::string row_svg(const Row& row, const Ecg& ecg, double top, double gain) {
  const double line = top + row.above(gain), left = margin + calibration;
  std::string path =
      fmt::format("M{} {}h2.5v{:.4g}h5v{:.4g}h2.5", margin, line, -gain * pulse(gain), gain * pulse(gain));
  std::string names;
  for (const Trace& trace : row.traces) {
    path += trace_path(trace, ecg, left, line, gain);
    if (trace.x > 0) path += fmt::format("M{0:.2f} {1:.2f}v-2M{0:.2f} {2:.2f}v2", left + trace.x, line - 1, line + 1);
    names += fmt::format("<text x=\"{:.2f}\" y=\"{:.2f}\" font-size=\"3.5\" font-weight=\"700\">{}</text>\n",
                         left + trace.x + 1, top + 4, escape(ecg.names[trace.channel]));
  }
  return fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"#000\" stroke-width=\"0.25\" stroke-linejoin=\"round\"/>\n",
                     path) +
         names;
}

// Lines every millimetre, those between boxes bold.
std::string grid_svg(double top, double width, double height) {
  std::string fine, bold;
  for (int k = 0; k <= std::lround(width); ++k)
    (k % 5 ? fine : bold) += fmt::format("M{} {}v{}", margin + k, top, height);
  for (int k = 0; k <= std::lround(height); ++k)
    (k % 5 ? fine : bold) += fmt::format("M{} {}h{}", margin, top + k, width);
  return fmt::format(
      "<g fill=\"none\"><path d=\"{}\" stroke=\"#f7cdcd\" stroke-width=\"0.1\"/>\n"
      "<path d=\"{}\" stroke=\"#e59a9a\" stroke-width=\"0.2\"/></g>\n",
      fine, bold);
}

struct Words {
  std::string text;
  double size;
  int weight = 400;
};

std::size_t letters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));  // of UTF-8
}

// At spaces, into lines of at most so many letters; a longer word has a line of its own.
std::vector<std::string> wrapped(const std::string& text, std::size_t most) {
  std::vector<std::string> lines;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (lines.empty() || letters(lines.back()) + 1 + letters(word) > most) {
      lines.push_back(word);
    } else {
      lines.back() += " " + word;
    }
  }
  return lines;
}

// One below the other from `y` on, which they move down; a word smaller where it would not fit into `width`.
std::string words_svg(const std::vector<Words>& paragraphs, double width, double& y) {
  constexpr double letter = 0.56;  // mean width of a letter in its size
  std::string svg;
  for (const auto& [text, size, weight] : paragraphs) {
    for (const auto& line : wrapped(text, static_cast<std::size_t>(width / (letter * size)))) {
      const double fitting = std::min(size, width / (letter * static_cast<double>(letters(line))));
      y += 1.4 * size;
      svg += fmt::format("<text x=\"{}\" y=\"{:.2f}\" font-size=\"{:.3g}\" font-weight=\"{}\">{}</text>\n", margin,
                         y - 0.4 * size, fitting, weight, escape(line));
    }
  }
  return svg;
}

std::vector<Words> heading(const EcgPaper& options) {
  const auto& m = options.measures;
  std::vector<std::string> measures;
  const auto add = [&](const char* name, double value, int digits, const char* unit) {
    if (std::isfinite(value)) measures.push_back(fmt::format("{} {}{}", name, fixed(value, digits), unit));
  };
  add("QRS", m.qrs_duration, 0, " ms");
  add("QT", m.qt, 0, " ms");
  add("QRS axis", m.qrs_axis, 0, "\u00b0");
  add("largest QRS", m.qrs_amplitude, 2, " mV");
  std::vector<Words> lines;
  if (!options.title.empty()) lines.push_back({options.title, 4.5, 700});
  if (!options.note.empty()) lines.push_back({options.note, 3});
  if (!measures.empty()) lines.push_back({join(measures), 3});
  return lines;
}

std::vector<Words> caption(const Sheet& sheet, const Ecg& ecg, double gain, double wanted) {
  std::string scale = fmt::format("25 mm/s, {:.3g} mm/mV", gain);
  if (gain < wanted) scale += fmt::format(" ({:g} mm/mV would not fit)", wanted);
  scale += fmt::format(", pulse {:.3g} mV", pulse(gain));
  std::string shown = sheet.columns;
  double end = ecg.times.front();
  for (const Row& row : sheet.rows)
    for (const Trace& trace : row.traces) end = std::max(end, trace.end);
  const double seconds = (end - ecg.times.front()) / 1000, all = (ecg.times.back() - ecg.times.front()) / 1000;
  if (seconds < all - 1e-9) shown += fmt::format(" Of {:.3g} s, the first {:.3g} s are shown.", all, seconds);
  return {{scale, 3, 700}, {shown, 3}, {research_use_only, 3, 700}};
}

void require_drawable(const Ecg& ecg, double gain) {
  ecg.validate();
  if (ecg.samples() < 2) throw InputError("ECG paper: one sample makes no trace; at least two are needed");
  const double largest = std::abs(*std::ranges::max_element(ecg.values, {}, [](double v) { return std::abs(v); }));
  if (largest > largest_value)
    throw InputError(fmt::format("ECG paper: {:g} mV is more than the {:g} mV that can be drawn; is it in mV?", largest,
                                 largest_value));
  if (constexpr std::array gains{20.0, 10.0, 5.0, 2.5}; std::ranges::find(gains, gain) == gains.end())
    throw InputError(fmt::format("ECG paper: a gain of {:g} mm/mV is not usual; use 20, 10, 5 or 2.5", gain));
}

}  // namespace

std::string ecg_paper(const Ecg& leads, const EcgPaper& options) {
  constexpr std::array twelve{"I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"};
  require_drawable(leads, options.gain);
  Sheet sheet = is_twelve_leads(leads, twelve) ? twelve_lead_sheet(leads, twelve) : stacked_sheet(leads);
  measure_rows(sheet, leads);
  const double gain = fitting_gain(sheet, options.gain), width = calibration + sheet.width;
  double y = margin;
  const std::string above = words_svg(heading(options), width, y);
  y = std::ceil(y + 1);
  std::string rows;
  const double top = y;
  for (const Row& row : sheet.rows) {
    rows += row_svg(row, leads, y, gain);
    y += row.height(gain);
  }
  const std::string grid = grid_svg(top, width, y - top);
  y += 1;
  const std::string below = words_svg(caption(sheet, leads, gain, options.gain), width, y);
  const double page_width = width + 2 * margin, page_height = std::ceil(y + margin);
  return fmt::format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}mm\" height=\"{1}mm\" viewBox=\"0 0 {0} {1}\" "
             "role=\"img\" font-family=\"Helvetica, Arial, sans-serif\" fill=\"#17202c\">\n<title>{2}</title>\n"
             "<rect width=\"{0}\" height=\"{1}\" fill=\"#fff\"/>\n",
             page_width, page_height, escape(options.title.empty() ? "Electrocardiogram" : options.title)) +
         above + grid + rows + below + "</svg>\n";
}

}  // namespace cardiotwin
