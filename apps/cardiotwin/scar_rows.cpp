#include "scar_rows.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cardiotwin/error.hpp>
#include <cardiotwin/units.hpp>
#include <charconv>

namespace cardiotwin::app {
namespace {

using meshes::RemoteOptions, meshes::ScarMethod;

constexpr ScarMethod methods[] = {ScarMethod::p99, ScarMethod::n_sd, ScarMethod::fwhm, ScarMethod::iir,
                                  ScarMethod::labels};

void set_method(ScarMethod& method, const std::string& text) {
  std::vector<std::string> known;
  for (const auto each : methods) {
    if (text == key_of(each)) return void(method = each);
    known.emplace_back(key_of(each));
  }
  throw InputError(fmt::format("\"{}\" is no method{}", text, suggestion(text, known)));
}

RemoteOptions remote_of(const std::string& text) {
  using From = RemoteOptions::From;
  if (text == "mode") return {};
  if (text == "auto") return {.from = From::arc};
  if (!text.starts_with("aha:")) return {.from = From::file, .file = text};
  RemoteOptions remote{.from = From::segments};
  for (const auto& word : split(text.substr(4))) {
    int segment = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), segment);
    if (error != std::errc() || end != word.data() + word.size() || segment < 1 || segment > 17)
      throw InputError(fmt::format("\"{}\" is not an AHA segment from 1 to 17", word));
    remote.segments.push_back(segment);
  }
  if (remote.segments.empty()) throw InputError("aha: needs segments, as in aha:4,5,10");
  return remote;
}

std::string text_of(const RemoteOptions& remote) {
  switch (remote.from) {
    case RemoteOptions::From::mode:
      return "mode";
    case RemoteOptions::From::arc:
      return "auto";
    case RemoteOptions::From::segments:
      return fmt::format("aha:{}", fmt::join(remote.segments, ","));
    case RemoteOptions::From::file:
      return remote.file.string();
  }
  return "";
}

}  // namespace

void add_scar_rows(Options& rows, meshes::ScarOptions& scar, RemoteOptions& remote) {
  std::string names;
  for (const auto each : methods) names += (names.empty() ? "" : " | ") + std::string(key_of(each));
  rows.custom(
      "scar_method", names, [&scar](const std::string& text) { set_method(scar.method, text); },
      [&scar] { return key_of(scar.method); }, "how scar is told from healthy muscle");
  rows.number("core", scar.core, 0, 1, "p99: core from this share of the way from healthy mean to maximum");
  rows.number("border_zone", scar.border_zone, 0, 1, "p99: border zone from this share");
  rows.number("half", scar.half, 0.1, 1, "fwhm: core from this share of the same way");
  rows.number("n_sd", scar.n_sd, 0.5, 20, "n-sd: core above healthy mean plus so many standard deviations");
  rows.number("n_sd_border_zone", scar.n_sd_border_zone, 0.5, 20, "n-sd, fwhm: border zone above so many");
  rows.number("iir_core", scar.iir_core, 0.1, 5,
              "iir: dense fibrosis from this ratio to blood (1.32; 1.61 for voltage below 0.1 mV)");
  rows.number("iir_border_zone", scar.iir_border_zone, 0.1, 5,
              "iir: fibrosis from this ratio (1.20 limits healthy volunteers; 0.97 for voltage below 0.5 mV)");
  rows.custom(
      "remote", "mode | auto | aha:4,5,10 | FILE", [&remote](const std::string& text) { remote = remote_of(text); },
      [&remote] { return text_of(remote); },
      "healthy mean and spread: of the most frequent muscle, of the longest arcs without enhancement, of AHA segments, "
      "or of what a label file marks");
  rows.custom(
      "min_volume", "ml",
      [&scar](const std::string& text) {
        const bool bare = text.find_first_not_of("0123456789.eE+- ") == std::string::npos;
        const double ml = parse_quantity(bare ? text + " ml" : text, dimension::volume) / units::ml;
        if (!(ml >= 0 && ml <= 100)) throw InputError(fmt::format("{:g} ml is outside [0, 100] ml", ml));
        scar.min_volume = ml;
      },
      [&scar] { return fmt::format("{} ml", scar.min_volume); }, "smaller islands of scar are noise");
  rows.quantity("channel_closing", scar.channel_closing, "mm", 0, 30,
                "border zone that core closed by this radius covers is a channel");
}

}  // namespace cardiotwin::app
