// The analysis of scar in words, as JSON, CSV and as a picture.

#include <fmt/format.h>

#include <algorithm>
#include <cardiotwin/meshes/scar_analysis.hpp>
#include <cardiotwin/provenance.hpp>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

namespace cardiotwin::meshes {
namespace {

using Json = nlohmann::ordered_json;

const char* unit_of(ScarMethod method) {
  switch (method) {
    case ScarMethod::n_sd:
      return "standard deviations above the healthy mean";
    case ScarMethod::iir:
      return "ratio to blood";
    case ScarMethod::fwhm:
      return "core: share of the way from healthy mean to maximum; border zone: standard deviations";
    case ScarMethod::p99:
    case ScarMethod::labels:
      break;
  }
  return "share of the way from healthy mean to 99th percentile";
}

// The point with the largest of what `value` gives, none where it gives nothing.
const SweepPoint* best_of(const ScarAnalysis& a, std::optional<double> SweepPoint::*value) {
  const auto best = std::max_element(a.sweep.begin(), a.sweep.end(), [&](const SweepPoint& x, const SweepPoint& y) {
    return (x.*value).value_or(-1) < (y.*value).value_or(-1);
  });
  return best == a.sweep.end() || !(*best.*value) ? nullptr : &*best;
}

Json json_of(const SweepPoint& p) {
  Json json{{"factor", p.factor},
            {"limit_core", p.limit_core},
            {"limit_border_zone", p.limit_border_zone},
            {"threshold_core", p.threshold_core},
            {"threshold_border_zone", p.threshold_border_zone},
            {"core_ml", p.core},
            {"border_zone_ml", p.border_zone},
            {"channel_ml", p.channel},
            {"scar_ml", p.scar()},
            {"core_ml_per_percent", p.core_slope},
            {"border_zone_ml_per_percent", p.border_zone_slope},
            {"channel_ml_per_percent", p.channel_slope},
            {"scar_ml_per_percent", p.scar_slope()}};
  if (p.dice) json["dice"] = *p.dice, json["dice_bare_threshold"] = *p.dice_bare;
  return json;
}

Json json_of(const ScarStatistics& s) {
  return {{"healthy_mean", s.healthy_mean},
          {"healthy_sd", s.healthy_sd},
          {"blood_mean", s.blood_mean},
          {"noise", s.noise},
          {"offset", s.offset},
          {"p99", s.p99},
          {"p99_inner_wall", s.p99_inner},
          {"threshold_core", s.threshold_core},
          {"threshold_border_zone", s.threshold_border_zone},
          {"remote_volume_ml", s.remote_volume},
          {"scar_volume_ml", s.scar_volume},
          {"core_volume_ml", s.core_volume},
          {"no_reflow_volume_ml", s.no_reflow_volume}};
}

}  // namespace

std::string in_words(const ScarAnalysis& a) {
  const auto& s = a.statistics;
  const auto& p = a.sweep[a.chosen];
  std::string text = fmt::format("  healthy      {:.1f} +- {:.1f} ({}), blood {:.1f}, noise {:.1f}{}\n", s.healthy_mean,
                                 s.healthy_sd, a.options.remote ? "remote region" : "most frequent muscle",
                                 s.blood_mean, s.noise, s.offset > 0 ? fmt::format(", offset {:.0f}", s.offset) : "");
  text += fmt::format("  thresholds   core {:.1f}, border zone {:.1f} ({})\n", s.threshold_core,
                      s.threshold_border_zone, key_of(a.options.method));
  text +=
      fmt::format("  scar         {:.1f} ml: core {:.1f}, border zone {:.1f}, channel {:.1f}; {:.0f} % of the muscle\n",
                  p.scar(), p.core, p.border_zone, p.channel, 100 * a.scar[0] / std::max(a.muscle[0], 1e-9));
  text +=
      fmt::format("  sensitivity  10 % higher limits change scar by {:+.1f} ml, core by {:+.1f}, channel by {:+.1f}\n",
                  10 * p.scar_slope(), 10 * p.core_slope, 10 * p.channel_slope);
  const auto *ours = best_of(a, &SweepPoint::dice), *bare = best_of(a, &SweepPoint::dice_bare);
  if (ours && bare && p.dice) {
    text += fmt::format(
        "  expert       {:.1f} ml labelled; Dice {:.3f}, at best {:.3f} (limits times {:.2f}); a bare threshold at "
        "best "
        "{:.3f}\n",
        a.labelled_infarct, *p.dice, *ours->dice, ours->factor, *bare->dice_bare);
  }
  text += "  AHA segment      muscle      scar   transmurality: mean    max\n";
  for (std::size_t k = 1; k <= 17; ++k) {
    if (a.muscle[k] == 0) continue;
    text += fmt::format("  {:>11} {:8.1f} ml {:6.1f} ml {:>18.0f} % {:4.0f} %\n", k, a.muscle[k], a.scar[k],
                        100 * a.transmurality[k].mean, 100 * a.transmurality[k].max);
  }
  return text + "  " + research_use_only;
}

std::string to_json(const ScarAnalysis& a, const std::map<std::string, std::string>& inputs) {
  Json json{{"notice", research_use_only},
            {"version", version()},
            {"inputs", inputs},
            {"method", key_of(a.options.method)},
            {"unit_of_limits", unit_of(a.options.method)},
            {"healthy_from", a.options.remote ? "remote region" : "mode"},
            {"statistics", json_of(a.statistics)},
            {"labelled_infarct_ml", a.labelled_infarct},
            {"chosen", json_of(a.sweep[a.chosen])},
            {"segments", Json::array()},
            {"sweep", Json::array()}};
  for (std::size_t k = 1; k <= 17; ++k) {
    if (a.muscle[k] == 0) continue;
    json["segments"].push_back({{"aha", k},
                                {"muscle_ml", a.muscle[k]},
                                {"scar_ml", a.scar[k]},
                                {"transmurality_mean", a.transmurality[k].mean},
                                {"transmurality_max", a.transmurality[k].max}});
  }
  for (const auto& point : a.sweep) json["sweep"].push_back(json_of(point));
  return json.dump(2);
}

std::string sweep_csv(const ScarAnalysis& a) {
  std::string csv = fmt::format("# {}\n# limits: {}\n", research_use_only, unit_of(a.options.method));
  bool heading = true;
  for (const auto& point : a.sweep) {
    std::string names, row;
    const Json json = json_of(point);
    for (const auto& [name, value] : json.items()) {
      names += (names.empty() ? "" : ",") + name;
      row += fmt::format("{}{:.6g}", row.empty() ? "" : ",", value.get<double>());
    }
    csv += (heading ? names + "\n" : "") + row + "\n";
    heading = false;
  }
  return csv;
}

std::string segments_csv(const ScarAnalysis& a) {
  std::string csv =
      fmt::format("# {}\naha,muscle_ml,scar_ml,transmurality_mean,transmurality_max\n", research_use_only);
  for (std::size_t k = 1; k <= 17; ++k) {
    if (a.muscle[k] > 0)
      csv += fmt::format("{},{:.4f},{:.4f},{:.4f},{:.4f}\n", k, a.muscle[k], a.scar[k], a.transmurality[k].mean,
                         a.transmurality[k].max);
  }
  return csv;
}

namespace {

struct Curve {
  const char *name, *colour;
  std::function<double(const SweepPoint&)> value;
};

// A step of 1, 2 or 5 times a power of ten that divides `range` into about five.
double tick_of(double range) {
  const double raw = range / 5, power = std::pow(10, std::floor(std::log10(raw)));
  return power * (raw < 1.5 * power ? 1 : raw < 3.5 * power ? 2 : raw < 7.5 * power ? 5 : 10);
}

// One diagram of the sweep, 640 x 230, its upper left corner at y = `top`.
std::string panel(const ScarAnalysis& a, const std::string& title, const std::vector<Curve>& curves, double top) {
  constexpr double left = 60, width = 470, height = 170;
  double low = 0, high = 0;
  for (const auto& curve : curves) {
    for (const auto& p : a.sweep) low = std::min(low, curve.value(p)), high = std::max(high, curve.value(p));
  }
  if (!(high - low > 1e-9)) high = low + 1;
  const double tick = tick_of(high - low);
  low = tick * std::floor(low / tick + 1e-9), high = tick * std::ceil(high / tick - 1e-9);
  const double first = a.sweep.front().factor, last = std::max(a.sweep.back().factor, first + 1e-9);
  const auto x = [&](double factor) { return left + width * (factor - first) / (last - first); };
  const auto y = [&](double value) { return top + 30 + height * (high - value) / (high - low); };
  std::string svg = fmt::format("<text x=\"{}\" y=\"{}\" font-weight=\"bold\">{}</text>\n", left, top + 18, title);
  for (double value = low; value < high + tick / 2; value += tick) {
    svg += fmt::format(
        "<line x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\" stroke=\"#ddd\"/><text x=\"{3}\" y=\"{4:.1f}\" "
        "text-anchor=\"end\">{5:.4g}</text>\n",
        left, left + width, y(value), left - 6, y(value) + 4, std::abs(value) < tick / 2 ? 0.0 : value);
  }
  const double step = tick_of(last - first);
  for (double factor = step * std::ceil(first / step - 1e-9); factor < last + 1e-9; factor += step)
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{:.3g}</text>\n", x(factor),
                       top + 30 + height + 16, factor);
  svg += fmt::format(
      "<line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\" stroke=\"#888\" stroke-dasharray=\"4 3\"/>\n", x(1),
      top + 30, top + 30 + height);
  double legend = top + 44;
  for (const auto& curve : curves) {
    std::string line;
    for (const auto& p : a.sweep) line += fmt::format("{:.1f},{:.1f} ", x(p.factor), y(curve.value(p)));
    line.pop_back();
    svg +=
        fmt::format("<polyline fill=\"none\" stroke=\"{0}\" stroke-width=\"2\" points=\"{1}\"/>\n", curve.colour, line);
    svg += fmt::format(
        "<line x1=\"{0}\" x2=\"{1}\" y1=\"{2}\" y2=\"{2}\" stroke=\"{3}\" stroke-width=\"2\"/><text x=\"{4}\" "
        "y=\"{5}\">{6}</text>\n",
        left + width + 10, left + width + 28, legend, curve.colour, left + width + 33, legend + 4, curve.name);
    legend += 18;
  }
  return svg;
}

}  // namespace

std::string sweep_svg(const ScarAnalysis& a) {
  const char *scar = "#17202c", *core = "#c0281c", *rim = "#d08a00", *channel = "#2266cc";
  std::string body = panel(a, "Volume [ml]",
                           {{"scar", scar, [](const SweepPoint& p) { return p.scar(); }},
                            {"core", core, [](const SweepPoint& p) { return p.core; }},
                            {"border zone", rim, [](const SweepPoint& p) { return p.border_zone; }},
                            {"channel", channel, [](const SweepPoint& p) { return p.channel; }}},
                           0);
  body += panel(a, "Change of volume [ml per % of the limits]",
                {{"scar", scar, [](const SweepPoint& p) { return p.scar_slope(); }},
                 {"core", core, [](const SweepPoint& p) { return p.core_slope; }},
                 {"border zone", rim, [](const SweepPoint& p) { return p.border_zone_slope; }},
                 {"channel", channel, [](const SweepPoint& p) { return p.channel_slope; }}},
                230);
  double bottom = 460;
  if (a.sweep[a.chosen].dice) {
    body += panel(a, "Dice against the labelled infarct",
                  {{"scar", scar, [](const SweepPoint& p) { return p.dice.value_or(0); }},
                   {"bare threshold", rim, [](const SweepPoint& p) { return p.dice_bare.value_or(0); }}},
                  bottom);
    bottom += 230;
  }
  const auto& p = a.sweep[a.chosen];
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 690 {0}\" font-family=\"sans-serif\" "
      "font-size=\"12\">\n<rect width=\"690\" height=\"{0}\" fill=\"#fff\"/>\n{1}<text x=\"60\" y=\"{2}\">Factor on "
      "both "
      "limits; dashed: the one chosen (method {3}, core {4:.4g}, border zone {5:.4g})</text>\n<text x=\"60\" "
      "y=\"{6}\">{7}</text>\n</svg>\n",
      bottom + 60, body, bottom + 20, key_of(a.options.method), p.limit_core, p.limit_border_zone, bottom + 42,
      research_use_only);
}

}  // namespace cardiotwin::meshes
