#include <algorithm>
#include <cmath>

#include "build_parts.hpp"

namespace cardiotwin::meshes {
namespace {

constexpr double smallest_channel = 0.1;  // [ml]

struct Box {
  std::array<int, 3> low, high;
  bool empty = true;
};

// Bounding box of the core, widened by `margin` [mm] and cut at the grid.
Box box_of_core(const Labels& regions, double margin) {
  const Grid& g = regions.grid;
  Box box{.low = g.size, .high = {-1, -1, -1}};
  for_each_voxel(g, [&](int i, int j, int k, std::size_t v) {
    if (regions.values[v] != region::core) return;
    box.empty = false;
    const std::array<int, 3> at{i, j, k};
    for (int a = 0; a < 3; ++a) box.low[a] = std::min(box.low[a], at[a]), box.high[a] = std::max(box.high[a], at[a]);
  });
  for (int a = 0; a < 3; ++a) {
    const int reach = static_cast<int>(std::ceil(margin / g.spacing[a]));
    box.low[a] = std::max(0, box.low[a] - reach), box.high[a] = std::min(g.size[a] - 1, box.high[a] + reach);
  }
  return box;
}

// Voxels within `radius` of the closed core: dilate, then take back what lies within `radius` of the dilation's
// outside.
Mask closed(const Grid& g, const Mask& core, double radius) {
  const auto square = static_cast<float>(radius * radius);
  const auto to_core = nearest_of(g, core);
  Mask outside(core.size());
  for (std::size_t v = 0; v < core.size(); ++v) outside[v] = to_core.squared[v] > square;
  const auto to_outside = nearest_of(g, outside);
  Mask result(core.size());
  for (std::size_t v = 0; v < core.size(); ++v) result[v] = to_outside.squared[v] > square;
  return result;
}

}  // namespace

double mark_channel(Labels& regions, double radius) {
  const Box box = box_of_core(regions, 3 * radius);
  if (box.empty || !(radius > 0)) return 0;
  Labels part = crop(regions, box.low, box.high);
  const Grid& g = part.grid;

  // Beyond the wall, the nearest muscle voxel says whether there is core next to it; only a ball's diameter matters.
  Mask tissue(part.values.size());
  for (std::size_t v = 0; v < tissue.size(); ++v) tissue[v] = part.values[v] != 0;
  const auto to_tissue = nearest_of(g, tissue);
  const auto reach = static_cast<float>(4 * radius * radius);
  Mask core(part.values.size());
  for (std::size_t v = 0; v < core.size(); ++v) {
    core[v] = to_tissue.squared[v] <= reach && part.values[to_tissue.voxel[v]] == region::core;
  }
  const Mask inside = closed(g, core, radius);

  Mask channel(part.values.size());
  for (std::size_t v = 0; v < channel.size(); ++v)
    channel[v] = inside[v] && tissue[v] && part.values[v] != region::core;
  const auto pieces = voxel_pieces(g, channel, Neighbours::faces);
  double volume = 0;
  for_each_voxel(g, [&](int i, int j, int k, std::size_t v) {
    if (pieces.of[v] < 0 || pieces.size[pieces.of[v]] * ml_per_voxel(g) < smallest_channel) return;
    regions.values[regions.grid.offset(i + box.low[0], j + box.low[1], k + box.low[2])] = region::channel;
    volume += ml_per_voxel(g);
  });
  return volume;
}

}  // namespace cardiotwin::meshes
