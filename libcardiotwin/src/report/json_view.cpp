#include "report/json_view.hpp"

#include <fmt/format.h>

#include <array>

namespace cardiotwin::report {

const Json& member(const Json& object, std::initializer_list<const char*> keys) {
  static const Json nothing = Json::object();
  if (object.is_object())
    for (const char* key : keys)
      if (const auto found = object.find(key); found != object.end() && !found->is_null()) return *found;
  return nothing;
}

double number_in(const Json& object, std::initializer_list<const char*> keys) {
  const auto& value = member(object, keys);
  return value.is_number() ? value.get<double>() : NAN;
}

std::string text_in(const Json& object, const char* key) {
  const auto& value = member(object, {key});
  return value.is_string() ? value.get<std::string>() : "";
}

std::string readable(const std::string& key) {
  struct Unit {
    const char *suffix, *shown;
  };
  static constexpr std::array<Unit, 11> units{{{"_mm_lps", "mm, LPS"},
                                               {"_mm3", "mm3"},
                                               {"_mm2", "mm2"},
                                               {"_m_per_s", "m/s"},
                                               {"_S_per_m", "S/m"},
                                               {"_degrees", "degrees"},
                                               {"_percent", "%"},
                                               {"_mm", "mm"},
                                               {"_ml", "ml"},
                                               {"_ms", "ms"},
                                               {"_g", "g"}}};
  std::string name = key, unit;
  for (const auto& u : units) {
    if (!key.ends_with(u.suffix)) continue;
    name = key.substr(0, key.size() - std::string_view(u.suffix).size());
    unit = fmt::format(" [{}]", u.shown);
    break;
  }
  for (auto& c : name)
    if (c == '_') c = ' ';
  return name + unit;
}

std::string shown(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_number_integer()) return value.dump();
  if (value.is_number()) return fmt::format("{:.5g}", value.get<double>());
  if (value.is_null()) return "\u2013";
  std::string all;
  for (const auto& item : value) all += (all.empty() ? "" : ", ") + shown(item);
  return all.empty() ? "none" : all;
}

void add_facts(Facts& facts, const Json& object, const std::string& prefix) {
  for (const auto& [key, value] : object.items()) {
    const auto name = prefix.empty() ? readable(key) : prefix + ": " + readable(key);
    if (value.is_object() && !value.empty())
      add_facts(facts, value, name);
    else
      facts.add(name, shown(value));
  }
}

}  // namespace cardiotwin::report
