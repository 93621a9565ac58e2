#include "tissue_json.hpp"

#include <fmt/format.h>

#include <cardiotwin/error.hpp>
#include <cardiotwin/units.hpp>
#include <nlohmann/json.hpp>

namespace cardiotwin {

std::string to_json(const Tissue& tissue) {
  using Json = nlohmann::ordered_json;
  Json regions = Json::object();
  for (const auto& [name, region] : tissue.regions) {
    Json one;
    one["conducts"] = region.conducts;
    one["along"] = format_quantity(region.conductivity.along, "S/m");
    one["across"] = format_quantity(region.conductivity.across, "S/m");
    one["intracellular_along"] = format_quantity(region.intracellular.along, "S/m");
    one["intracellular_across"] = format_quantity(region.intracellular.across, "S/m");
    one["extracellular_along"] = format_quantity(region.extracellular.along, "S/m");
    one["extracellular_across"] = format_quantity(region.extracellular.across, "S/m");
    one["wanted_along"] = format_quantity(region.wanted.along, "m/s");
    one["wanted_across"] = format_quantity(region.wanted.across, "m/s");
    if (region.calibrated_edge > 0) one["calibrated_edge"] = format_quantity(region.calibrated_edge, "mm");
    one["variant"] = region.variant;
    one["parameters"] = region.parameters;  // in the model's own units
    regions[name] = std::move(one);
  }
  Json root;
  root["model"] = tissue.model;
  root["beta"] = format_quantity(tissue.beta, "/mm");
  root["capacitance"] = format_quantity(tissue.capacitance, "uF/mm2");
  root["calibrated_edge"] = format_quantity(tissue.calibrated_edge, "mm");
  root["calibrated_load"] = tissue.calibrated_load;
  root["calibrated_stiffness"] = stiffness_name(tissue.calibrated_stiffness);
  root["calibrated_dt"] = format_quantity(tissue.calibrated_dt, "ms");
  root["regions"] = std::move(regions);
  return root.dump(2);
}

Tissue tissue_from_json(const std::string& text) {
  try {
    const auto root = nlohmann::json::parse(text);
    const auto quantity = [](const nlohmann::json& object, const char* key, Dimension expected) {
      return parse_quantity(object.at(key).get<std::string>(), expected);
    };
    Tissue tissue;
    root.at("model").get_to(tissue.model);
    tissue.beta = quantity(root, "beta", dimension::per_length);
    tissue.capacitance = quantity(root, "capacitance", dimension::capacitance_per_area);
    tissue.calibrated_edge = quantity(root, "calibrated_edge", dimension::length);
    root.at("calibrated_load").get_to(tissue.calibrated_load);
    tissue.calibrated_dt = quantity(root, "calibrated_dt", dimension::time);
    if (root.contains("calibrated_stiffness"))  // older twins do not say
      tissue.calibrated_stiffness = stiffness_of(root.at("calibrated_stiffness").get<std::string>());
    for (const auto& [name, one] : root.at("regions").items()) {
      auto& region = tissue.regions[name];
      one.at("conducts").get_to(region.conducts);
      region.conductivity = {quantity(one, "along", dimension::conductivity),
                             quantity(one, "across", dimension::conductivity)};
      if (one.contains("intracellular_along")) {  // older twins have the defaults
        region.intracellular = {quantity(one, "intracellular_along", dimension::conductivity),
                                quantity(one, "intracellular_across", dimension::conductivity)};
        region.extracellular = {quantity(one, "extracellular_along", dimension::conductivity),
                                quantity(one, "extracellular_across", dimension::conductivity)};
      }
      region.wanted = {quantity(one, "wanted_along", dimension::velocity),
                       quantity(one, "wanted_across", dimension::velocity)};
      if (one.contains("calibrated_edge"))  // nor do older twins say this
        region.calibrated_edge = quantity(one, "calibrated_edge", dimension::length);
      one.at("variant").get_to(region.variant);
      one.at("parameters").get_to(region.parameters);
    }
    return tissue;
  } catch (const nlohmann::json::exception& error) {
    throw InputError(fmt::format("tissue is not in cardiotwin's form: {}", error.what()));
  }
}

}  // namespace cardiotwin
