#pragma once
/// Tables as text: lines, cells, headings with units. Private to the physics room.

#include <fmt/format.h>

#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cardiotwin/units.hpp>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cardiotwin::csv {

[[noreturn]] inline void refuse(std::string_view who, std::size_t line, std::string_view why) {
  throw InputError(fmt::format("{}, line {}: {}", who, line, why));
}

inline std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// What a message shows of a cell, however long it is.
inline std::string shown(std::string_view cell) { return std::string(cell.substr(0, 40)); }

/// Calls row(text, line) for every line that is neither empty nor a remark; gives back how many lines there are.
template <class Row>
std::size_t each_row(std::string_view text, const Row& row) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // the byte order mark of some spreadsheets
  std::size_t line = 0;
  while (!text.empty()) {
    ++line;
    const auto end = std::min(text.find('\n'), text.size());
    const auto content = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!content.empty() && content.front() != '#') row(content, line);
  }
  return std::max<std::size_t>(line, 1);
}

/// Commas inside quotation marks belong to the cell, two quotation marks there are one (RFC 4180). Nothing is made of
/// a line with more than `most` cells.
inline std::vector<std::string> cells_of(std::string_view row, std::size_t most, std::string_view who,
                                         std::size_t line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (std::size_t k = 0; k < row.size(); ++k) {
    if (row[k] == '"') {
      const bool doubled = quoted && k + 1 < row.size() && row[k + 1] == '"';
      if (doubled) cells.back() += row[k++];
      if (!doubled) quoted = !quoted;
    } else if (row[k] == ',' && !quoted) {
      if (cells.size() == most) refuse(who, line, fmt::format("it has more than {} cells", most));
      cells.emplace_back();
    } else {
      cells.back() += row[k];
    }
  }
  if (quoted) refuse(who, line, "a quotation mark is not closed");
  for (auto& cell : cells) cell = std::string(trimmed(cell));
  return cells;
}

struct Heading {
  std::string name;
  std::string unit;  ///< empty where there are no brackets
};

/// "bipolar [mV]" taken apart.
inline Heading heading_of(std::string_view cell) {
  const auto bracket = cell.rfind('[');
  if (bracket == std::string_view::npos || cell.back() != ']') return {std::string(cell), {}};
  return {std::string(trimmed(cell.substr(0, bracket))),
          std::string(trimmed(cell.substr(bracket + 1, cell.size() - bracket - 2)))};
}

/// A unit's value in house units; nullopt where it is unknown or of another dimension.
inline std::optional<double> scale_of(std::string_view unit, Dimension expected) {
  try {
    const auto [scale, dimension] = parse_unit(unit);
    if (dimension == expected) return scale;
  } catch (const InputError&) {  // which does not know the line
  }
  return {};
}

/// The whole cell as a number, which may be nan or inf; nullopt for anything else.
inline std::optional<double> number_of(std::string_view cell) {
  cell.remove_prefix(cell.starts_with('+') ? 1 : 0);
  double value = 0;
  const auto [rest, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc{} || rest != cell.data() + cell.size()) return {};
  return value;
}

}  // namespace cardiotwin::csv
