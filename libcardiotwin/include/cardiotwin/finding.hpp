#pragma once
/// What was found out about data or a model, and whether it may be trusted.

#include <string>
#include <vector>

namespace cardiotwin {

enum class Severity { info, warning, severe };
const char* name_of(Severity);  ///< "warning"

struct Finding {
  Severity severity;
  std::string text;  ///< one sentence: what, number, cure
  bool operator==(const Finding&) const = default;
};

/// A JSON array of {"severity", "text"}, and back; throws InputError for anything else.
std::string to_json(const std::vector<Finding>&);
std::vector<Finding> findings_from_json(const std::string&);

}  // namespace cardiotwin
