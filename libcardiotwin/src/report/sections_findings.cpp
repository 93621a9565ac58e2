// What was found: targets, inducibility, circuits.
#include <fmt/format.h>

#include <algorithm>

#include "report/files.hpp"
#include "report/scene.hpp"
#include "report/sections.hpp"

namespace cardiotwin::report {
namespace {

Html key_figure(const std::string& value, std::string_view meaning) {
  return tag("li", tag("b", text(value)) + tag("span", text(meaning)));
}

std::string circuit_names(const std::vector<int>& circuits) {
  std::vector<std::string> names;
  for (const int c : circuits) names.push_back(fmt::format("{}", c + 1));
  return names.empty() ? "\u2013" : join(names);
}

std::string cycle_lengths(const Plan& plan) {
  std::vector<std::string> all;
  for (const auto& circuit : plan.circuits) all.push_back(fixed(circuit.cycle_length, 0));
  if (all.size() > 3) all.resize(3), all.push_back("\u2026");
  return join(all, ", ") + " ms";
}

// The segment as in the bull's eye, and below it where in the wall.
Html place(const Target& target) {
  const auto comma = target.place.find(", ");
  const Html segment = text(aha_label(target.aha));
  if (target.aha == 0 && !target.place.empty()) return text(target.place);
  return comma == std::string::npos ? segment : segment + tag("span", text(target.place.substr(comma + 2)), "small");
}

bool has_segments(const Study& study) { return study.twin.anatomy.chamber == Chamber::ventricles; }

std::string of(const RoundTally& tally) { return fmt::format("{} of {}", tally.inducible, tally.paced); }

}  // namespace

Html key_figures(const Study& study) {
  const auto& plan = study.plan;
  const auto tally = rounds(plan);
  const auto whole = segment_volumes(study.twin.anatomy)[0];
  Html list;
  if (!tally.empty())
    list += key_figure(of(tally.front()), plan.targets.empty() ? "sites inducible" : "sites inducible before");
  if (tally.size() > 1) list += key_figure(of(tally.back()), "sites inducible after");
  if (!plan.circuits.empty())
    list += key_figure(cycle_lengths(plan), plan.circuits.size() == 1 ? "cycle length" : "cycle lengths");
  list += key_figure(fmt::format("{} ml", fixed((whole.core + whole.border_zone + whole.channel) / 1000, 1)),
                     fmt::format("scar and border zone, {} % of the muscle", fixed(100 * whole.scar_share(), 0)));
  if (!plan.targets.empty())
    list += key_figure(fmt::format("{} ml", fixed(ablated_volume(study) / 1000, 1)), "muscle ablated");
  return tag("ul", list, "key");
}

Html targets_section(const Study& study) {
  const auto& plan = study.plan;
  if (plan.targets.empty()) return {};
  Table table("targets-table", {words("Rank"), words("x [mm]", "num"), words("y [mm]", "num"), words("z [mm]", "num"),
                                words("Radius [mm]", "num"), words("Depth [mm]", "num"),
                                words(has_segments(study) ? "AHA segment and layer" : "Place"), words("Circuits"),
                                words("Share of sites", "num")});
  for (const auto& t : plan.targets) {
    const Html rank{
        fmt::format("<button type=\"button\" class=\"rank\" data-target=\"{0}\" title=\"Turn the heart to target "
                    "{0}\">{0}</button>",
                    t.rank)};
    table.row({{rank},
               figure(t.lesion.position.x(), 1),
               figure(t.lesion.position.y(), 1),
               figure(t.lesion.position.z(), 1),
               figure(t.lesion.radius, 1),
               figure(t.depth, 1),
               {place(t)},
               words(circuit_names(t.circuits)),
               words(fixed(100 * t.share, 0) + " %", "num")},
              "lead");
    Html more = text(t.evidence);
    if (!t.induced_from.empty()) more += text(" Induced from " + join(t.induced_from) + ".");
    if (!t.necessary) more += text(" ") + tag("span", text("not strictly necessary"), "badge warn");
    table.row({words(""), {more, "", 8}}, "more");
  }
  const Html heading{
      "<div class=\"heading\"><h2>Ablation targets</h2><button type=\"button\" data-copy=\"targets-table\">Copy "
      "table</button></div>"};
  return tag("section",
             heading + table.html() +
                 tag("p",
                     text("Centres in scanner coordinates, LPS: x to the patient's left, y to the back, z to the head. "
                          "Depth: wall thickness "
                          "there, the depth a transmural lesion needs. Share: of the inducible sites, those whose "
                          "circuit it addresses. Also in targets.csv and targets.json beside this page."),
                     "note"));
}

namespace {

// Filled: inducible; empty: not; half: activity without a closed circuit, which is no proof of tachycardia.
Html outcome(const SiteResult* r) {
  if (!r) return text("not paced");
  std::vector<std::string> intervals;
  for (const double ms : r->coupling) intervals.push_back(fixed(ms, 0));
  const bool open = !r->inducible && r->outcome.find("no closed circuit") != std::string::npos;
  const auto mark = !was_paced(*r) ? "\u2013 " : r->inducible ? "\u25cf " : open ? "\u25d0 " : "\u25cb ";
  const auto words = r->outcome.empty() ? std::string(r->inducible ? "inducible" : "not inducible") : r->outcome;
  const auto circuit = r->circuit >= 0 ? fmt::format(", circuit {}", r->circuit + 1) : "";
  Html cell = tag("span", text(mark + words + circuit), r->inducible || open ? "outcome yes" : "outcome no");
  if (!intervals.empty()) cell += tag("span", text("coupling " + join(intervals, " / ") + " ms"), "small");
  return cell;
}

}  // namespace

Html inducibility_section(const Study& study) {
  const auto& plan = study.plan;
  const auto tally = rounds(plan);
  std::vector<Cell> headings{words("Paced from")};
  for (std::size_t r = 0; r < tally.size(); ++r) {
    const auto name = r == 0              ? std::string(tally.size() > 1 ? "Before ablation" : "Outcome")
                      : tally.size() == 2 ? std::string("After ablation")
                                          : fmt::format("After round {}", r);
    headings.push_back({text(name) + tag("span", text(of(tally[r]) + " inducible"), "small")});
  }
  Table table("sites-table", headings);
  for (const auto& site : paced_sites(plan)) {
    std::vector<Cell> cells{words(site, "keep")};
    for (std::size_t r = 0; r < tally.size(); ++r) cells.push_back({outcome(result(plan, site, static_cast<int>(r)))});
    table.row(cells);
  }
  const auto title = tally.size() > 1 ? "Inducibility before and after" : "Inducibility, site by site";
  return tag("section", tag("h2", text(title)) + table.html() +
                            tag("p",
                                text("Inducible: sustained activity after the last extra-stimulus and a closed circuit "
                                     "traced as proof. Coupling "
                                     "intervals of S2 / S3 / S4."),
                                "note"));
}

namespace {

// An interval is "monomorphic" by rule; the figures behind it stand beside it.
std::vector<Cell> circuit_row(const Study& study, std::size_t i) {
  const auto& plan = study.plan;
  const auto& c = plan.circuits[i];
  const Html kind =
      c.monomorphic ? tag("span", text("monomorphic"), "badge no") : tag("span", text("not monomorphic"), "badge warn");
  const auto at = [&](const Vec3& p, int segment) {
    return text(place_label(study.twin.anatomy, p, segment)) +
           tag("span", text(fmt::format("{}, {}, {}", fixed(p.x(), 1), fixed(p.y(), 1), fixed(p.z(), 1))), "small");
  };
  std::vector<int> targets;
  std::vector<std::string> ranks;
  for (const auto& t : plan.targets)
    if (std::ranges::find(t.circuits, static_cast<int>(i)) != t.circuits.end()) ranks.push_back(std::to_string(t.rank));
  const auto sites = i < plan.circuit_sites.size() ? plan.circuit_sites[i] : std::vector<std::string>{};
  return {words(std::to_string(i + 1)),
          figure(c.cycle_length, 0),
          words(fixed(100 * c.cycle_spread, 1) + " %", "num"),
          {kind + tag("span", text("map correlation " + fixed(c.map_correlation, 2)), "small")},
          {at(c.isthmus, c.aha_isthmus)},
          {at(c.exit, c.aha_exit)},
          figure(c.closure, 1),
          words(ranks.empty() ? "none" : join(ranks)),
          words(join(sites))};
}

}  // namespace

Html circuits_section(const Study& study) {
  const auto& plan = study.plan;
  if (plan.circuits.empty()) return {};
  Table table("circuits-table",
              {words("Circuit"), words("Cycle length [ms]", "num"), words("Spread", "num"), words("Kind"),
               words(has_segments(study) ? "Isthmus: segment, centre [mm, LPS]" : "Isthmus: centre [mm, LPS]"),
               words(has_segments(study) ? "Exit: segment, place [mm, LPS]" : "Exit: place [mm, LPS]"),
               words("Closure [mm]", "num"), words("Targets"), words("Induced from")});
  for (std::size_t i = 0; i < plan.circuits.size(); ++i) table.row(circuit_row(study, i));
  return tag("section", tag("h2", text("Circuits")) + table.html() +
                            tag("p",
                                text("Closure: the distance between the ends of the path traced back over one cycle; "
                                     "small means the circuit is proven. "
                                     "Spread: relative interquartile range of the cycle lengths. Monomorphic: spread "
                                     "under 10 % and successive "
                                     "activation maps correlate above 0.9."),
                                "note"));
}

Html ecg_section(const Study& study) {
  Html figures;
  for (std::size_t i = 0; i < study.plan.circuits.size(); ++i) {
    const std::string svg = circuit_ecg(study, i);
    if (svg.empty()) continue;
    // As a picture of its own: no style of the page reaches it, nor do its names clash with another's.
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(svg.data());
    figures +=
        Html{fmt::format("<figure class=\"ecg\"><img alt=\"Twelve-lead ECG of circuit {}\" "
                         "src=\"data:image/svg+xml;base64,{}\"></figure>",
                         i + 1, base64({bytes, svg.size()}))};
  }
  if (figures.empty()) return {};
  return tag("section",
             tag("h2", text("ECG of each circuit")) + figures +
                 tag("p",
                     text("To be held against the clinical tachycardia's. Simulated with the electrodes and the torso "
                          "named above it, which are not the patient's unless they were given: each lead's "
                          "polarity and the axis mean more than millivolts. Also in circuit_N_ecg.svg, at true size, "
                          "and circuit_N_ecg.csv beside this page."),
                     "note"));
}

Html circuit_controls(const Study& study) {
  const auto& circuits = study.plan.circuits;
  if (circuits.empty()) return {};
  Html choice;
  if (circuits.size() > 1) {
    Html options;
    for (std::size_t i = 0; i < circuits.size(); ++i)
      options +=
          Html{fmt::format("<option value=\"{}\">{} ({} ms)</option>", i, i + 1, fixed(circuits[i].cycle_length, 0))};
    choice = {"<label>Circuit <select id=\"circuit\">" + options.code + "</select></label>"};
  }
  return {"<div class=\"row\">" + choice.code +
          "<label><input type=\"radio\" name=\"colour\" value=\"0\" checked> Tissue</label>"
          "<label><input type=\"radio\" name=\"colour\" value=\"1\"> Activation time</label></div>"
          "<div class=\"row\"><label><input type=\"checkbox\" id=\"wave\" checked> Wavefront</label>"
          "<button type=\"button\" id=\"play\">Play</button>"
          "<input type=\"range\" class=\"timeline\" id=\"time\" min=\"0\" max=\"1000\" value=\"0\" aria-label=\"Time "
          "within the cycle\">"
          "<span id=\"clock\"></span></div>"};
}

Html show_boxes(const Study& study) {
  std::string code;
  const auto box = [&](const char* what, const char* label) {
    code += fmt::format("<label><input type=\"checkbox\" data-show=\"{}\" checked> {}</label>", what, label);
  };
  if (!study.plan.circuits.empty()) box("path", "Circuit and isthmus");
  if (!study.plan.targets.empty()) box("targets", "Targets"), box("lesions", "Lesions (true size)");
  box("sites", "Pacing sites");
  return {code};
}

Html legend_extra(const Study& study) {
  std::string code;
  if (study.twin.anatomy.regions.contains(region::fast_endocardium))
    code += "<span>(the fast endocardial layer is shown as healthy)</span>";
  if (!study.plan.circuits.empty())
    code +=
        "<span><i class=\"sw path\"></i>circuit</span><span><i class=\"sw isthmus\"></i>isthmus, cone at the "
        "exit</span>";
  if (!study.plan.targets.empty()) code += "<span><i class=\"sw target\"></i>target</span>";
  code +=
      "<span><i class=\"sw dot yes\"></i>site, inducible</span><span><i class=\"sw dot quiet\"></i>site, not "
      "inducible</span>";
  return {code};
}

}  // namespace cardiotwin::report
