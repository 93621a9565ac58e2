#include "report/html.hpp"

#include <fmt/format.h>

#include <cmath>

namespace cardiotwin::report {

std::string escape(std::string_view plain) {
  std::string safe;
  safe.reserve(plain.size());
  for (const char c : plain) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      case '\'':
        safe += "&#39;";
        break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') safe += c;
    }
  }
  return safe;
}

Html tag(std::string_view name, const Html& inside, std::string_view cls) {
  if (cls.empty()) return {fmt::format("<{0}>{1}</{0}>", name, inside.code)};
  return {fmt::format("<{0} class=\"{2}\">{1}</{0}>", name, inside.code, cls)};
}

std::string fixed(double value, int digits) {
  if (!std::isfinite(value)) return "\u2013";
  auto figures = fmt::format("{:.{}f}", value, digits);
  if (figures.front() == '-' && figures.find_first_not_of("-0.") == std::string::npos) figures.erase(0, 1);
  return figures;
}

std::string count(std::size_t n, std::string_view singular, std::string_view plural) {
  if (n == 1) return fmt::format("1 {}", singular);
  return plural.empty() ? fmt::format("{} {}s", n, singular) : fmt::format("{} {}", n, plural);
}

std::string join(const std::vector<std::string>& words, std::string_view between) {
  std::string all;
  for (std::size_t i = 0; i < words.size(); ++i) all += (i ? std::string(between) : "") + words[i];
  return all;
}

namespace {

std::string cell_code(const Cell& cell, std::string_view name) {
  std::string attributes;
  if (*cell.cls) attributes += fmt::format(" class=\"{}\"", cell.cls);
  if (cell.span > 1) attributes += fmt::format(" colspan=\"{}\"", cell.span);
  if (name == "th") attributes += " scope=\"col\"";
  return fmt::format("<{0}{1}>{2}</{0}>", name, attributes, cell.inside.code);
}

}  // namespace

Table::Table(std::string id, std::vector<Cell> headings) {
  code_ = fmt::format("<div class=\"scroll\"><table id=\"{}\"><thead><tr>", id);
  for (const auto& heading : headings) code_ += cell_code(heading, "th");
  code_ += "</tr></thead><tbody>\n";
}

Table& Table::row(const std::vector<Cell>& cells, const char* cls) {
  code_ += *cls ? fmt::format("<tr class=\"{}\">", cls) : "<tr>";
  for (const auto& cell : cells) code_ += cell_code(cell, "td");
  code_ += "</tr>\n";
  ++rows_;
  return *this;
}

Html Table::html() const { return {code_ + "</tbody></table></div>\n"}; }

void Facts::add(std::string_view name, std::string_view value) { add(name, text(value)); }

void Facts::add(std::string_view name, const Html& value) {
  code_ += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", escape(name), value.code);
}

Html Facts::html() const { return {"<dl class=\"facts\">\n" + code_ + "</dl>\n"}; }

}  // namespace cardiotwin::report
