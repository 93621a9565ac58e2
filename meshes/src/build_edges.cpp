#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cardiotwin/error.hpp>
#include <set>

#include "build_parts.hpp"

namespace cardiotwin::meshes {
namespace {

double edge_in(Label label, const BuildOptions& options) {
  const auto name = region_names().find(label);
  if (name == region_names().end()) return options.edge;
  if (const auto own = options.edges.find(name->second); own != options.edges.end()) return own->second;
  return label == region::healthy || options.edge_scar == 0 ? options.edge : options.edge_scar;
}

}  // namespace

const std::map<Label, std::string>& region_names() {
  static const std::map<Label, std::string> names{{region::healthy, "healthy"},
                                                  {region::border_zone, "border_zone"},
                                                  {region::core, "core"},
                                                  {region::channel, "channel"}};
  return names;
}

EdgeRange edge_range(const BuildOptions& options) {
  EdgeRange range{options.edge, options.edge};
  for (const auto& [label, name] : region_names()) {
    const double edge = edge_in(label, options);
    range.shortest = std::min(range.shortest, edge), range.longest = std::max(range.longest, edge);
  }
  return range;
}

Image wanted_edges(const Labels& regions, const BuildOptions& options) {
  std::array<float, 256> edge;
  for (int label = 0; label < 256; ++label)
    edge[label] = static_cast<float>(edge_in(static_cast<Label>(label), options));
  Image wanted{.grid = regions.grid, .values = std::vector<float>(regions.values.size())};
  std::set<float> finer;
  for (std::size_t v = 0; v < wanted.values.size(); ++v) {
    wanted.values[v] = edge[regions.values[v]];
    if (regions.values[v]) finer.insert(wanted.values[v]);
  }
  if (finer.size() < 2) return wanted;
  finer.erase(std::prev(finer.end()));  // the coarsest reaches nowhere
  const auto reach = static_cast<float>(options.edge_margin * options.edge_margin);
  Mask own(wanted.values.size());
  for (const float fine : finer) {
    for (std::size_t v = 0; v < own.size(); ++v) own[v] = regions.values[v] && edge[regions.values[v]] == fine;
    const auto nearest = nearest_of(regions.grid, own);
    for (std::size_t v = 0; v < own.size(); ++v) {
      if (nearest.squared[v] <= reach) wanted.values[v] = std::min(wanted.values[v], fine);
    }
  }
  return wanted;
}

void require_edges(const BuildOptions& options) {
  const auto require = [](bool ok, const std::string& name, double value, const char* rule) {
    if (!ok) throw InputError(fmt::format("Build: {} = {} is outside {}", name, value, rule));
  };
  const auto edge = [&](const std::string& name, double value) {
    require(value >= 0.1 && value <= 5, name, value, "[0.1, 5] mm");
  };
  edge("edge", options.edge);
  if (options.edge_scar != 0) edge("edge in scar", options.edge_scar);
  std::vector<std::string> known;
  for (const auto& [label, name] : region_names()) known.push_back(name);
  for (const auto& [name, value] : options.edges) {
    if (std::ranges::find(known, name) == known.end())
      throw InputError(
          fmt::format("Build: there is no region \"{}\" to have an edge{}", name, suggestion(name, known)));
    edge("edge in " + name, value);
  }
  require(options.edge_margin >= 0 && options.edge_margin <= 20, "margin of finer edges", options.edge_margin,
          "[0, 20] mm");
  require(options.grading >= 0.05 && options.grading <= 1, "grading", options.grading, "[0.05, 1] mm per mm");
}

}  // namespace cardiotwin::meshes
