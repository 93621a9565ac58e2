#include "plan_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cardiotwin/io.hpp>
#include <cardiotwin/provenance.hpp>
#include <cmath>
#include <limits>

namespace cardiotwin::plan_json {
namespace {

constexpr int schema_version = 1;

Json positions(const std::vector<Vec3>& points) {
  Json array = Json::array();
  for (const auto& point : points) array.push_back(position(point));
  return array;
}

std::vector<Vec3> positions(const Json& json) {
  std::vector<Vec3> points;
  for (const auto& point : json) points.push_back(position(point));
  return points;
}

Json numbers(const std::vector<double>& values) {
  Json array = Json::array();
  for (const double value : values) array.push_back(number(value));
  return array;
}

std::vector<double> numbers(const Json& json) {
  std::vector<double> values;
  for (const auto& value : json) values.push_back(number(value));
  return values;
}

template <class T, class Write>
Json array_of(const std::vector<T>& items, Write write) {
  Json array = Json::array();
  for (const auto& item : items) array.push_back(write(item));
  return array;
}

}  // namespace

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }
double number(const Json& json) {
  return json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>();
}

Json position(const Vec3& p) { return Json::array({number(p.x()), number(p.y()), number(p.z())}); }
Vec3 position(const Json& json) { return {number(json.at(0)), number(json.at(1)), number(json.at(2))}; }

Json lesion(const Lesion& lesion) {
  return {{"position_mm_lps", position(lesion.position)}, {"radius_mm", number(lesion.radius)}};
}

Lesion lesion(const Json& json) {
  return {.position = position(json.at("position_mm_lps")), .radius = number(json.at("radius_mm"))};
}

Json result(const SiteResult& result) {
  return {{"site", result.site},
          {"round", result.round},
          {"inducible", result.inducible},
          {"coupling_ms", numbers(result.coupling)},
          {"active_after_ms", number(result.active_after)},
          {"circuit", result.circuit},
          {"outcome", result.outcome}};
}

SiteResult result(const Json& json) {
  SiteResult result;
  result.site = json.at("site").get<std::string>();
  result.round = json.at("round").get<int>();
  result.inducible = json.at("inducible").get<bool>();
  result.coupling = numbers(json.at("coupling_ms"));
  result.active_after = number(json.at("active_after_ms"));
  result.circuit = json.at("circuit").get<int>();
  result.outcome = json.at("outcome").get<std::string>();
  return result;
}

Json circuit(const Circuit& circuit) {
  return {{"cycle_length_ms", number(circuit.cycle_length)},
          {"cycle_spread", number(circuit.cycle_spread)},
          {"map_correlation", number(circuit.map_correlation)},
          {"monomorphic", circuit.monomorphic},
          {"isthmus_mm_lps", position(circuit.isthmus)},
          {"entrance_mm_lps", position(circuit.entrance)},
          {"exit_mm_lps", position(circuit.exit)},
          {"aha_isthmus", circuit.aha_isthmus},
          {"aha_exit", circuit.aha_exit},
          {"closure_mm", number(circuit.closure)},
          {"isthmus_line_mm_lps", positions(circuit.isthmus_line)},
          {"path_mm_lps", positions(circuit.path)},
          {"lat", {{"name", circuit.lat.name}, {"unit", circuit.lat.unit}}},
          {"ecg_samples", circuit.ecg.samples()}};
}

Circuit circuit(const Json& json) {
  Circuit circuit;
  circuit.cycle_length = number(json.at("cycle_length_ms"));
  circuit.cycle_spread = number(json.at("cycle_spread"));
  circuit.map_correlation = number(json.at("map_correlation"));
  circuit.monomorphic = json.at("monomorphic").get<bool>();
  circuit.isthmus = position(json.at("isthmus_mm_lps"));
  circuit.entrance = position(json.at("entrance_mm_lps"));
  circuit.exit = position(json.at("exit_mm_lps"));
  circuit.aha_isthmus = json.at("aha_isthmus").get<int>();
  circuit.aha_exit = json.at("aha_exit").get<int>();
  circuit.closure = number(json.at("closure_mm"));
  circuit.isthmus_line = positions(json.at("isthmus_line_mm_lps"));
  circuit.path = positions(json.at("path_mm_lps"));
  circuit.lat.name = json.at("lat").at("name").get<std::string>();
  circuit.lat.unit = json.at("lat").at("unit").get<std::string>();
  circuit.ecg.times.resize(json.value("ecg_samples", std::size_t{0}));  // a study of an earlier program has none
  return circuit;
}

Json target(const Target& target) {
  return {{"rank", target.rank},
          {"lesion", lesion(target.lesion)},
          {"depth_mm", number(target.depth)},
          {"aha", target.aha},
          {"place", target.place},
          {"circuits", target.circuits},
          {"induced_from", target.induced_from},
          {"share", number(target.share)},
          {"necessary", target.necessary},
          {"evidence", target.evidence}};
}

Target target(const Json& json) {
  Target target;
  target.rank = json.at("rank").get<int>();
  target.lesion = lesion(json.at("lesion"));
  target.depth = number(json.at("depth_mm"));
  target.aha = json.at("aha").get<int>();
  target.place = json.value("place", std::string());  // a study of an earlier program has none
  target.circuits = json.at("circuits").get<std::vector<int>>();
  target.induced_from = json.at("induced_from").get<std::vector<std::string>>();
  target.share = number(json.at("share"));
  target.necessary = json.at("necessary").get<bool>();
  target.evidence = json.at("evidence").get<std::string>();
  return target;
}

Json plan(const Plan& plan) {
  return {{"schema", "cardiotwin-plan"},
          {"schema_version", schema_version},
          {"notice", research_use_only},
          {"conclusion", plan.conclusion},
          {"inducible_before", plan.inducible_before},
          {"inducible_after", plan.inducible_after},
          {"targets", array_of(plan.targets, [](const Target& t) { return target(t); })},
          {"circuits", array_of(plan.circuits, [](const Circuit& c) { return circuit(c); })},
          {"circuit_sites", plan.circuit_sites},
          {"results", array_of(plan.results, [](const SiteResult& r) { return result(r); })}};
}

Plan plan(const Json& json) {
  Plan plan;
  plan.conclusion = json.at("conclusion").get<std::string>();
  plan.inducible_before = json.at("inducible_before").get<bool>();
  plan.inducible_after = json.at("inducible_after").get<bool>();
  for (const auto& item : json.at("targets")) plan.targets.push_back(target(item));
  for (const auto& item : json.at("circuits")) plan.circuits.push_back(circuit(item));
  plan.circuit_sites = json.at("circuit_sites").get<std::vector<std::vector<std::string>>>();
  for (const auto& item : json.at("results")) plan.results.push_back(result(item));
  return plan;
}

Json parse_file(const std::filesystem::path& path, std::string_view schema) {
  const std::string text = read_text(path);
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_object())
    throw FileError(fmt::format(
        "\"{}\" is not valid JSON: it is damaged or was cut off; restore it or run the study again", path.string()));
  const std::string found = json.value("schema", std::string());
  if (found != schema)
    throw FileError(fmt::format("\"{}\" has schema \"{}\" where \"{}\" is expected", path.string(), found, schema));
  const int version = json.value("schema_version", 0);
  if (version != schema_version)
    throw FileError(
        fmt::format("\"{}\" has version {} of schema \"{}\" but this program reads version {}; use the "
                    "cardiotwin that wrote it, or run the study again",
                    path.string(), version, schema, schema_version));
  return json;
}

void save_circuit_maps(const std::filesystem::path& h5, const std::vector<Circuit>& circuits) {
  std::vector<Map> maps;
  for (std::size_t i = 0; i < circuits.size(); ++i) {
    maps.push_back(circuits[i].lat);
    maps.back().name = fmt::format("circuit_{}", i);
  }
  save_maps(h5, maps);
}

void load_circuit_maps(const std::filesystem::path& h5, std::vector<Circuit>& circuits) {
  const auto maps = load_maps(h5);
  for (std::size_t i = 0; i < circuits.size(); ++i) {
    const std::string name = fmt::format("circuit_{}", i);
    const auto found = std::find_if(maps.begin(), maps.end(), [&](const Map& map) { return map.name == name; });
    if (found == maps.end())
      throw FileError(
          fmt::format("\"{}\" lacks map \"{}\" of {} circuits: it does not belong to the plan beside it; run "
                      "the study again",
                      h5.string(), name, circuits.size()));
    Map lat = *found;
    lat.name = circuits[i].lat.name;
    lat.unit = circuits[i].lat.unit;
    circuits[i].lat = std::move(lat);
  }
}

void save_ecg(const std::filesystem::path& csv, const Circuit& circuit) {
  if (circuit.ecg.samples() > 0) write_text(csv, to_csv(circuit.ecg));
}

void load_ecg(const std::filesystem::path& csv, Circuit& circuit) {
  const std::size_t samples = circuit.ecg.samples();
  circuit.ecg = {};
  if (samples == 0) return;
  try {
    circuit.ecg = ecg_from_csv(read_text(csv));
  } catch (const InputError& error) {
    throw FileError(fmt::format("\"{}\" is damaged: {}; run the study again", csv.string(), error.what()));
  }
  if (circuit.ecg.samples() != samples)
    throw FileError(fmt::format("\"{}\" has {} samples where {} are expected; run the study again", csv.string(),
                                circuit.ecg.samples(), samples));
}

}  // namespace cardiotwin::plan_json

namespace cardiotwin {
namespace {

std::filesystem::path ecg_file(const std::filesystem::path& folder, std::size_t circuit) {
  return folder / fmt::format("circuit_{}_ecg.csv", circuit + 1);
}

}  // namespace

// circuits.h5 goes first: plan.json is what says that a study is complete.
void save_plan(const Plan& plan, const std::filesystem::path& folder) {
  make_folder(folder);
  if (plan.circuits.empty()) {
    std::error_code ignored;
    std::filesystem::remove(folder / "circuits.h5", ignored);
  } else {
    plan_json::save_circuit_maps(folder / "circuits.h5", plan.circuits);
  }
  for (std::size_t i = 0; i < plan.circuits.size(); ++i) plan_json::save_ecg(ecg_file(folder, i), plan.circuits[i]);
  write_text(folder / "plan.json", plan_json::plan(plan).dump(1) + "\n");
}

Plan load_plan(const std::filesystem::path& folder) {
  const auto path = folder / "plan.json";
  if (!std::filesystem::exists(path))
    throw FileError(
        fmt::format("study \"{}\" has no plan.json: it is not finished, or not a study folder; run "
                    "`cardiotwin plan` on it to finish",
                    folder.string()));
  const auto json = plan_json::parse_file(path, "cardiotwin-plan");
  Plan plan;
  try {
    plan = plan_json::plan(json);
  } catch (const nlohmann::json::exception& error) {
    throw FileError(fmt::format("\"{}\" is not a plan as cardiotwin writes it ({}); run the study again", path.string(),
                                error.what()));
  }
  if (!plan.circuits.empty()) plan_json::load_circuit_maps(folder / "circuits.h5", plan.circuits);
  for (std::size_t i = 0; i < plan.circuits.size(); ++i) plan_json::load_ecg(ecg_file(folder, i), plan.circuits[i]);
  return plan;
}

}  // namespace cardiotwin
