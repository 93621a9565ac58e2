#include "mesher_sizes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cardiotwin/error.hpp>
#include <cmath>
#include <set>

namespace cardiotwin::meshes::stuffing {

Sizes fit_sizes(const Image& inside, const Image& edges) {
  constexpr int parts = 1024;  // of an octave: 0.07 % of an edge
  Sizes sizes{.shortest = INFINITY};
  std::set<int> phases;
  for (std::size_t v = 0; v < edges.values.size(); ++v) {
    if (!(inside.values[v] > 0)) continue;
    const double edge = edges.values[v];
    if (!(edge >= 0.0999 && edge <= 5.0001))  // single precision
      throw InputError(fmt::format("mesher: an edge of {:.4g} mm is asked for in the tissue, outside [0.1, 5]", edge));
    sizes.shortest = std::min(sizes.shortest, edge), sizes.longest = std::max(sizes.longest, edge);
    const long octaves = std::lround(parts * std::log2(edge));
    phases.insert(static_cast<int>((octaves % parts + parts) % parts));
  }
  int gap = parts - *phases.rbegin() + *phases.begin(), from = *phases.begin(), to = *phases.rbegin();
  for (auto p = phases.begin(); std::next(p) != phases.end(); ++p) {
    if (const int next = *std::next(p); next - *p > gap) gap = next - *p, from = next, to = *p + parts;
  }
  const double phase = 0.5 * (from + to) / parts;
  const double lowest = std::round(std::log2(sizes.shortest) - phase);
  sizes.finest = std::exp2(lowest + phase);
  sizes.levels = static_cast<int>(std::round(std::log2(sizes.longest) - phase) - lowest);
  return sizes;
}

Image limit_growth(const Image& inside, const Image& edges, double longest, double rate) {
  Image limited = edges;
  const Grid& grid = edges.grid;
  for (std::size_t v = 0; v < limited.values.size(); ++v) {
    if (!(inside.values[v] > 0)) limited.values[v] = static_cast<float>(longest);
  }
  struct Step {
    int i, j, k;
    float growth;
  };
  std::vector<Step> steps;  // to the 13 neighbours that come before a voxel in memory
  for (int k = -1; k <= 0; ++k) {
    for (int j = -1; j <= 1; ++j) {
      for (int i = -1; i <= 1; ++i) {
        if (k == 0 && (j > 0 || (j == 0 && i >= 0))) continue;
        const double length = grid.spacing.cwiseProduct(Vec3(i, j, k)).norm();
        steps.push_back({i, j, k, static_cast<float>(rate * length)});
      }
    }
  }
  const auto& n = grid.size;
  const auto pass = [&](int way) {
    for (int c = 0; c < n[2]; ++c) {
      for (int b = 0; b < n[1]; ++b) {
        for (int a = 0; a < n[0]; ++a) {
          const int i = way > 0 ? a : n[0] - 1 - a, j = way > 0 ? b : n[1] - 1 - b, k = way > 0 ? c : n[2] - 1 - c;
          float& own = limited.values[grid.offset(i, j, k)];
          for (const Step& s : steps) {
            const int x = i + way * s.i, y = j + way * s.j, z = k + way * s.k;
            if (x < 0 || y < 0 || z < 0 || x >= n[0] || y >= n[1] || z >= n[2]) continue;
            own = std::min(own, limited.values[grid.offset(x, y, z)] + s.growth);
          }
        }
      }
    }
  };
  pass(1), pass(-1);
  return limited;
}

}  // namespace cardiotwin::meshes::stuffing
