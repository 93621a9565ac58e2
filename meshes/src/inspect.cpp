#include <fmt/format.h>

#include <algorithm>
#include <cardiotwin/meshes/assess.hpp>
#include <cardiotwin/meshes/inspect.hpp>
#include <cardiotwin/provenance.hpp>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>
#include <numeric>

#include "image_ops.hpp"
#include "voxels.hpp"

namespace cardiotwin::meshes {
namespace {

double degrees_between(const Vec3& a, const Vec3& b) {  // without regard to sign
  return std::acos(std::min(1.0, std::abs(a.normalized().dot(b.normalized())))) * 180 / std::numbers::pi;
}

// From base to apex: to the left, forward and down.
const Vec3 long_axis(0.70, -0.52, -0.49);

std::string view_of(const Grid& grid) {
  const Vec3 normal = grid.direction.col(2);
  // A cardiac stack is planned along the heart; thick slices on the scanner's very axes lost that on the way.
  const bool thick = grid.spacing[2] > 2 * std::max(grid.spacing[0], grid.spacing[1]);
  if (thick && (grid.direction.cwiseAbs().array() > 1 - 1e-6).count() == 3)
    return "orientation probably lost (the axes are exactly the scanner's)";
  const std::array<std::pair<Vec3, const char*>, 3> planes{
      {{Vec3::UnitZ(), "axial"}, {Vec3::UnitY(), "coronal"}, {Vec3::UnitX(), "sagittal"}}};
  for (const auto& [axis, name] : planes) {
    if (degrees_between(normal, axis) < 15) return name;
  }
  return degrees_between(normal, long_axis) < 35 ? "short axis" : "oblique";
}

// A ventricle tapers: the end with less of it is the apex.
std::string order_of_labels(const Inspection& found) {
  std::vector<double> area(std::size_t(found.grid.size[2]), 0);
  for (const auto& label : found.labels) {
    const bool left = label.meaning == Meaning::lv_blood || label.meaning == Meaning::myocardium ||
                      label.meaning == Meaning::scar || label.meaning == Meaning::no_reflow ||
                      label.meaning == Meaning::oedema;
    for (std::size_t k = 0; left && k < area.size(); ++k) area[k] += label.per_slice[k];
  }
  std::erase(area, 0.0);
  const auto third = std::max<std::ptrdiff_t>(1, std::ptrdiff_t(area.size() / 3));
  if (area.size() < 3) return {};
  const double first = std::accumulate(area.begin(), area.begin() + third, 0.0),
               last = std::accumulate(area.end() - third, area.end(), 0.0);
  if (std::abs(first - last) < 0.1 * (first + last)) return {};
  return first > last ? "base to apex" : "apex to base";
}

std::vector<LabelSummary> summaries(const Labels& labels) {
  std::array<LabelSummary, meaning_count> all;
  for (std::size_t m = 0; m < meaning_count; ++m)
    all[m] = {.meaning = Meaning(m), .per_slice = std::vector<double>(std::size_t(labels.grid.size[2]), 0)};
  for_each_voxel(labels.grid, [&](int, int, int k, std::size_t v) {
    LabelSummary& label = all[labels.values[v]];
    ++label.voxels, label.volume += ml_per_voxel(labels.grid),
        label.per_slice[std::size_t(k)] += ml_per_voxel(labels.grid);
  });
  std::vector<LabelSummary> found;
  for (std::size_t m = 1; m < meaning_count; ++m) {
    if (all[m].voxels > 0) found.push_back(std::move(all[m]));
  }
  return found;
}

// "2-5, 7" of the slices that carry something, counted from 1.
std::string slices_of(const std::vector<double>& per_slice) {
  std::string text;
  for (std::size_t k = 0; k < per_slice.size(); ++k) {
    if (per_slice[k] == 0) continue;
    std::size_t last = k;
    while (last + 1 < per_slice.size() && per_slice[last + 1] > 0) ++last;
    text += fmt::format("{}{}", text.empty() ? "" : ", ",
                        k == last ? fmt::format("{}", k + 1) : fmt::format("{}-{}", k + 1, last + 1));
    k = last;
  }
  return text;
}

std::optional<double> gap_of(const Inspection& found) {
  if (!found.source.slice_thickness) return {};
  const double gap = found.grid.spacing[2] - *found.source.slice_thickness;
  return std::abs(gap) < 0.01 * found.grid.spacing[2] ? 0 : std::round(gap * 1e4) / 1e4;
}

// "short axis, 12 slices of 8 mm with 2 mm gaps, base to apex"
std::string stack_in_words(const Inspection& found) {
  std::string text = fmt::format("{}, {} slices ", found.view, found.grid.size[2]);
  if (const auto gap = gap_of(found)) {
    text += fmt::format("of {:.4g} mm ", *found.source.slice_thickness);
    text += *gap > 0   ? fmt::format("with {:.3g} mm gaps", *gap)
            : *gap < 0 ? fmt::format("overlapping by {:.3g} mm", -*gap)
                       : "without gaps";
  } else {
    text += fmt::format("every {:.4g} mm (the file does not state their thickness)", found.grid.spacing[2]);
  }
  if (!found.order.empty()) text += fmt::format(", {}{}", found.order, found.order_by_labels ? " by the labels" : "");
  return text;
}

}  // namespace

Inspection inspect(const Image& image, const ImageSource& source, const std::optional<Labels>& labels,
                   const std::string& convention) {
  Inspection found{.source = source, .grid = image.grid};
  const Vec3 normal = image.grid.direction.col(2);
  found.view = view_of(image.grid);
  if (labels) {
    require_same_grid(image.grid, labels->grid);
    found.convention = convention;
    found.labels = summaries(*labels);
    found.order = order_of_labels(found);
    found.order_by_labels = !found.order.empty();
    const auto shows = [&](Meaning what) {
      return std::ranges::find(labels->values, std::uint8_t(what)) != labels->values.end();
    };
    if (shows(Meaning::lv_blood) && (shows(Meaning::myocardium) || shows(Meaning::scar)))
      found.findings = assess(image, own_labels(*labels), {.slice_thickness = source.slice_thickness});
  }
  if (found.order.empty() && found.view == "short axis")
    found.order = normal.dot(long_axis) > 0 ? "base to apex" : "apex to base";
  auto sorted = image.values;
  std::ranges::sort(sorted);
  const auto at = [&](double share) { return sorted[std::size_t(share * double(sorted.size() - 1))]; };
  found.low = at(0), found.dark = at(0.01), found.bright = at(0.99), found.high = at(1);
  return found;
}

std::string in_words(const Inspection& found) {
  const auto& g = found.grid;
  const auto vector = [](const Vec3& v) { return fmt::format("({:.4g}, {:.4g}, {:.4g})", v[0], v[1], v[2]); };
  std::string text =
      fmt::format("  format       {}{}\n", found.source.format,
                  found.source.files.size() > 1 ? fmt::format(", {} files", found.source.files.size()) : "");
  text += fmt::format("  size         {} x {} pixels, {} slices\n", g.size[0], g.size[1], g.size[2]);
  text += fmt::format(
      "  spacing      pixels {:.4g} x {:.4g} mm, slices {:.4g} mm apart; {:.0f} x {:.0f} x {:.0f} mm in all\n",
      g.spacing[0], g.spacing[1], g.spacing[2], g.spacing[0] * g.size[0], g.spacing[1] * g.size[1],
      g.spacing[2] * g.size[2]);
  text += fmt::format("  stack        {}\n", stack_in_words(found));
  text += fmt::format("  position     first voxel at {} mm, slices along {} (left, posterior, superior)\n",
                      vector(g.origin), vector(g.direction.col(2)));
  text += fmt::format("  intensities  {:.5g} to {:.5g}, 98 % of them within {:.5g} to {:.5g}\n", found.low, found.high,
                      found.dark, found.bright);
  if (!found.convention.empty()) text += fmt::format("  labels       {}\n", found.convention);
  for (const auto& label : found.labels) {
    text += fmt::format("    {:<20} {:7.1f} ml  slices {:<12} {}\n", name_of(label.meaning), label.volume,
                        slices_of(label.per_slice), colour_of(label.meaning));
  }
  for (const auto& finding : found.findings)
    text += fmt::format("  {:<12} {}\n", finding.severity == Severity::info ? "quality" : name_of(finding.severity),
                        finding.text);
  return text + research_use_only;
}

std::string to_json(const Inspection& found) {
  using Json = nlohmann::ordered_json;
  const auto list = [](const Vec3& v) { return Json{v[0], v[1], v[2]}; };
  const auto& g = found.grid;
  Json json{{"notice", research_use_only},
            {"version", version()},
            {"format", found.source.format},
            {"files", found.source.files.size()},
            {"sha256", sha256_of(found.source)},
            {"size", g.size},
            {"spacing_mm", list(g.spacing)},
            {"origin_lps_mm", list(g.origin)},
            {"direction_columns", {list(g.direction.col(0)), list(g.direction.col(1)), list(g.direction.col(2))}},
            {"slice_thickness_mm", nullptr},
            {"slice_gap_mm", nullptr},
            {"view", found.view},
            {"order", nullptr},
            {"stack", stack_in_words(found)},
            {"intensity", {{"min", found.low}, {"p1", found.dark}, {"p99", found.bright}, {"max", found.high}}}};
  if (const auto gap = gap_of(found))
    json["slice_thickness_mm"] = *found.source.slice_thickness, json["slice_gap_mm"] = *gap;
  if (!found.order.empty()) json["order"] = found.order;
  if (found.convention.empty()) return json.dump(2);
  json["convention"] = found.convention;
  json["labels"] = Json::array();
  for (const auto& label : found.labels) {
    json["labels"].push_back({{"meaning", key_of(label.meaning)},
                              {"voxels", label.voxels},
                              {"volume_ml", label.volume},
                              {"slices", slices_of(label.per_slice)},
                              {"per_slice_ml", label.per_slice}});
  }
  json["findings"] = Json::parse(to_json(found.findings));
  return json.dump(2);
}

}  // namespace cardiotwin::meshes
