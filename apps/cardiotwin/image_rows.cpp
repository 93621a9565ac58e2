#include "image_rows.hpp"

#include <fmt/format.h>

#include <cardiotwin/error.hpp>
#include <charconv>

namespace cardiotwin::app {

void add_series_row(Options& rows, const std::string& key, meshes::ReadOptions& read, const std::string& what) {
  rows.custom(
      key, "NUMBER",
      [&read](const std::string& text) {
        int number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error != std::errc() || end != text.data() + text.size())
          throw InputError(fmt::format("\"{}\" is not the number of a series", text));
        read.series = number;
      },
      [&read] { return read.series ? fmt::format("{}", *read.series) : std::string(); },
      "which DICOM series of " + what + ", where there are several");
}

void add_convention_row(Options& rows, std::string& convention) {
  std::string names = "guess";
  for (const auto& each : meshes::conventions()) names += " | " + each.name;
  rows.custom(
      "convention", names + " | 1=lv_blood,2=myocardium",
      [&convention](const std::string& text) {
        if (text != "guess") meshes::convention_of(text);
        convention = text;
      },
      [&convention] { return convention; }, "what the labels mean");
}

}  // namespace cardiotwin::app
