#include "report/files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cardiotwin/ecg_paper.hpp>

#include "plan_json.hpp"
#include "report/html.hpp"
#include "report/json_view.hpp"

namespace cardiotwin::report {
namespace {

constexpr int schema_version = 1;

// RFC 4180: quoted where it holds a comma, a quote or a line break.
std::string quoted(const std::string& field) {
  if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
  std::string safe = "\"";
  for (const char c : field) safe += c == '"' ? std::string("\"\"") : std::string(1, c);
  return safe + "\"";
}

std::string one_line(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return text;
}

std::string plain(double value, int digits) { return std::isfinite(value) ? fixed(value, digits) : ""; }

}  // namespace

std::string targets_json(const Study& study) {
  const auto& plan = study.plan;
  Json json{{"schema", "cardiotwin-targets"},
            {"schema_version", schema_version},
            {"research_use_only", research_use_only},
            {"version", version()},
            {"study_version", study.version},
            {"twin_sha256", study.twin_sha256},
            {"coordinates", "scanner, LPS: x to the patient's left, y posterior, z superior [mm]"},
            {"headline", headline(study)},
            {"conclusion", plan.conclusion},
            {"inducible_before", plan.inducible_before},
            {"inducible_after", plan.inducible_after}};
  json["targets"] = Json::array();
  for (const auto& target : plan.targets) {
    auto entry = plan_json::target(target);
    entry["aha_name"] = aha_name(target.aha);
    json["targets"].push_back(std::move(entry));
  }
  json["circuits"] = Json::array();
  for (std::size_t i = 0; i < plan.circuits.size(); ++i) {
    auto entry = plan_json::circuit(plan.circuits[i]);
    for (const char* bulky : {"lat", "path_mm_lps"}) entry.erase(bulky);
    entry["induced_from"] = i < plan.circuit_sites.size() ? plan.circuit_sites[i] : std::vector<std::string>{};
    json["circuits"].push_back(std::move(entry));
  }
  json["results"] = Json::array();
  for (const auto& r : plan.results) json["results"].push_back(plan_json::result(r));
  json["warnings"] = warnings(study);
  json["options"] = study.options;
  json["provenance"] = Json::parse(to_json(study.provenance));
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string targets_csv(const Study& study) {
  std::string csv = fmt::format(
      "# {}\n# cardiotwin {}, twin SHA-256 {}\n# {}\n"
      "# Coordinates: scanner, LPS (x to the patient's left, y posterior, z superior), mm\n",
      research_use_only, version(), study.twin_sha256, one_line(headline(study)));
  csv += "rank,x_mm,y_mm,z_mm,radius_mm,depth_mm,aha,aha_name,place,circuits,share,necessary,induced_from,evidence\n";
  for (const auto& t : study.plan.targets) {
    std::vector<std::string> circuits;
    for (const int c : t.circuits) circuits.push_back(std::to_string(c + 1));
    const auto& p = t.lesion.position;
    csv += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n", t.rank, plain(p.x(), 1), plain(p.y(), 1),
                       plain(p.z(), 1), plain(t.lesion.radius, 1), plain(t.depth, 1), t.aha, aha_name(t.aha),
                       quoted(t.place), join(circuits, " "), plain(t.share, 3), t.necessary ? "yes" : "no",
                       quoted(join(t.induced_from, " ")), quoted(one_line(t.evidence)));
  }
  return csv;
}

std::string circuit_ecg(const Study& study, std::size_t i) {
  const auto& circuit = study.plan.circuits[i];
  if (circuit.ecg.samples() < 2) return {};
  const auto around = text_in(member(study.options, "ecg"), "surroundings");
  return ecg_paper(circuit.ecg, {.title = fmt::format("Circuit {}: simulated 12-lead ECG, cycle length {} ms", i + 1,
                                                      fixed(circuit.cycle_length, 0)),
                                 .note = around});
}

}  // namespace cardiotwin::report
