#pragma once
/// What a benchmark found: named sections of "key": number, and words about where it ran. Written as JSON with one
/// entry a line, so that reading a baseline back takes no library.

#include <cmath>
#include <fstream>
#include <iomanip>
#include <map>
#include <ostream>
#include <stdexcept>
#include <string>

namespace cardiotwin::bench {

using Section = std::map<std::string, double>;

struct Figures {
  std::map<std::string, std::string> about;
  std::map<std::string, Section> sections;
};

/// Names of processors and compilers need no more than this.
inline std::string without_quotes(std::string text) {
  for (char& c : text) {
    if (c == '"' || c == '\\' || c < ' ') c = '\'';
  }
  return text;
}

inline void write(const Figures& figures, std::ostream& out) {
  const auto section = [&](const std::string& name, const auto& entries, const auto& value) {
    out << "  \"" << name << "\": {";
    const char* separator = "\n";
    for (const auto& [key, x] : entries) {
      out << separator << "    \"" << without_quotes(key) << "\": ";
      value(x);
      separator = ",\n";
    }
    out << "\n  }";
  };
  out << "{\n" << std::setprecision(5);
  section("about", figures.about, [&](const std::string& text) { out << '"' << without_quotes(text) << '"'; });
  for (const auto& [name, entries] : figures.sections) {
    out << ",\n";
    section(name, entries, [&](double x) { out << x; });
  }
  out << "\n}\n";
}

/// Reads what `write` wrote, not JSON at large. Throws std::runtime_error.
inline Figures read_figures(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot read " + path);
  Figures result;
  std::string section;
  for (std::string line; std::getline(in, line);) {
    const auto open = line.find('"'), close = line.find("\": ", open + 1);
    if (open == std::string::npos || close == std::string::npos) continue;
    const std::string key = line.substr(open + 1, close - open - 1);
    std::string value = line.substr(close + 3);
    if (!value.empty() && value.back() == ',') value.pop_back();
    if (value == "{") {
      section = key;
    } else if (section == "about") {
      result.about[key] = value.size() >= 2 ? value.substr(1, value.size() - 2) : "";
    } else {
      try {
        result.sections[section][key] = std::stod(value);
      } catch (const std::logic_error&) {
        throw std::runtime_error(path + ": \"" + key + "\": " + value + " is no number");
      }
    }
  }
  return result;
}

/// now / was over the keys that both have.
struct Comparison {
  int count = 0;
  double mean = 1;  ///< geometric
  double worst = 0;
  std::string worst_key;
};

inline Comparison compare(const Section& now, const Section& was) {
  Comparison result;
  double sum = 0;
  for (const auto& [key, value] : now) {
    const auto old = was.find(key);
    if (old == was.end() || !(old->second > 0)) continue;
    const double ratio = value / old->second;
    ++result.count;
    sum += std::log(ratio);
    if (ratio > result.worst) result.worst = ratio, result.worst_key = key;
  }
  if (result.count > 0) result.mean = std::exp(sum / result.count);
  return result;
}

}  // namespace cardiotwin::bench
