#include <fmt/format.h>

#include <array>
#include <cardiotwin/error.hpp>
#include <cardiotwin/finding.hpp>
#include <nlohmann/json.hpp>

namespace cardiotwin {
namespace {

constexpr std::array all{Severity::info, Severity::warning, Severity::severe};

Severity severity_of(const std::string& name) {
  for (const auto severity : all) {
    if (name == name_of(severity)) return severity;
  }
  throw InputError(fmt::format("findings: \"{}\" is no severity; known: info, warning, severe", name));
}

}  // namespace

const char* name_of(Severity severity) {
  return severity == Severity::info ? "info" : severity == Severity::warning ? "warning" : "severe";
}

std::string to_json(const std::vector<Finding>& findings) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& f : findings) list.push_back({{"severity", name_of(f.severity)}, {"text", f.text}});
  return list.dump();
}

std::vector<Finding> findings_from_json(const std::string& text) {
  try {
    std::vector<Finding> findings;
    for (const auto& one : nlohmann::json::parse(text))
      findings.push_back({severity_of(one.at("severity")), one.at("text").get<std::string>()});
    return findings;
  } catch (const nlohmann::json::exception& error) {
    throw InputError(fmt::format("findings are not in cardiotwin's form: {}", error.what()));
  }
}

}  // namespace cardiotwin
