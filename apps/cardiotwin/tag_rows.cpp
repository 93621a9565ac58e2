#include "tag_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cardiotwin/error.hpp>
#include <charconv>

namespace cardiotwin::app {
namespace {

const std::map<std::string, Surface> surface_names{
    {"endo", Surface::endo}, {"epi", Surface::epi}, {"base", Surface::base}, {"endo_rv", Surface::endo_rv}};

std::map<Tag, std::string> read_tags(const std::string& text) {
  std::map<Tag, std::string> names;
  for (const auto& word : split(text)) {
    const auto equal = word.find('=');
    Tag tag = 0;
    const char* last = word.data() + std::min(equal, word.size());
    const auto [end, error] = std::from_chars(word.data(), last, tag);
    if (equal == std::string::npos || equal + 1 == word.size() || error != std::errc() || end != last)
      throw InputError(fmt::format("\"{}\" must read TAG=NAME such as 1=healthy", word));
    names[tag] = word.substr(equal + 1);
  }
  return names;
}

std::string show_tags(const std::map<Tag, std::string>& names) {
  std::string text;
  for (const auto& [tag, name] : names) text += fmt::format("{}{}={}", text.empty() ? "" : ",", tag, name);
  return text;
}

}  // namespace

void add_tags_row(Options& options, const std::string& key, std::map<Tag, std::string>& names, const std::string& doc) {
  options.custom(
      key, "TAG=NAME,...", [&names](const std::string& text) { names = read_tags(text); },
      [&names] { return show_tags(names); }, doc);
}

void add_surfaces_row(Options& options, const std::string& key, std::map<Tag, Surface>& surfaces,
                      const std::string& doc) {
  options.custom(
      key, "TAG=endo|epi|base|endo_rv,TAG=",
      [&surfaces](const std::string& text) {
        surfaces.clear();
        for (const auto& [tag, name] : read_tags(text)) {
          const auto found = surface_names.find(name);
          if (found == surface_names.end())
            throw InputError(fmt::format("\"{}\" is no surface; known: endo, epi, base, endo_rv", name));
          surfaces[tag] = found->second;
        }
      },
      [&surfaces] {
        std::map<Tag, std::string> names;
        for (const auto& [tag, surface] : surfaces)
          for (const auto& [name, known] : surface_names)
            if (known == surface) names[tag] = name;
        return show_tags(names);
      },
      doc);
}

void add_unit_row(Options& options, std::string& unit) {
  options.custom(
      "unit", "auto|um|mm|cm|m",
      [&unit](const std::string& text) {
        if (text != "auto" && text != "um" && text != "mm" && text != "cm" && text != "m")
          throw InputError(fmt::format("\"{}\" is no unit of length here; known: auto, um, mm, cm, m", text));
        unit = text == "auto" ? "" : text;
      },
      [&unit] { return unit.empty() ? "auto" : unit; },
      "what one unit of the mesh read is; auto: um for openCARP, else mm");
}

}  // namespace cardiotwin::app
