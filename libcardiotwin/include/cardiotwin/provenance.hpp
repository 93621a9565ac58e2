#pragma once
/// Where a result comes from. Carries no time and no path, so that the same input gives the same bytes.

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace cardiotwin {

inline constexpr const char* research_use_only = "Research use only, not for diagnosis or treatment.";

/// "0.1.0" and, where built from a git checkout, "0.1.0+abc1234".
std::string version();

/// One verb applied to a product.
struct Step {
  std::string verb;  ///< "build", "calibrate", ...
  std::string version;
  std::string backend;  ///< empty where no simulation ran
  std::uint64_t seed = 0;
  std::map<std::string, std::string> options = {};  ///< effective options, as text with units
  std::map<std::string, std::string> inputs = {};   ///< role ("image") -> SHA-256 of the file, hex
  std::vector<std::string> warnings = {};           ///< assumptions and doubts raised on the way
};

struct Provenance {
  std::vector<Step> steps;
};

std::string to_json(const Provenance&);
Provenance provenance_from_json(const std::string&);  ///< throws InputError

std::string sha256(std::span<const std::byte>);
std::string sha256_of_file(const std::filesystem::path&);  ///< throws FileError

}  // namespace cardiotwin
