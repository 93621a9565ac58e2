#include "image_ops.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace cardiotwin::meshes {
namespace {

constexpr double far_away = 1e20;

// Lower envelope of parabolas: out[q] = min over p of (spacing (q - p))^2 + in[p].
struct LineTransform {
  std::vector<double> in, out, edge;
  std::vector<int> vertex;

  explicit LineTransform(int n) : in(n), out(n), edge(n + 1), vertex(n) {}

  void run(double spacing) {
    const int n = int(in.size());
    const double s2 = spacing * spacing;
    int k = -1;
    for (int q = 0; q < n; ++q) {
      if (in[q] >= far_away) continue;
      double cross = -std::numeric_limits<double>::infinity();
      while (k >= 0) {
        const int p = vertex[k];
        cross = ((in[q] + s2 * q * q) - (in[p] + s2 * p * p)) / (2 * s2 * (q - p));
        if (cross > edge[k]) break;
        --k;
        cross = -std::numeric_limits<double>::infinity();
      }
      vertex[++k] = q;
      edge[k] = cross;
    }
    if (k < 0) return std::fill(out.begin(), out.end(), far_away);
    edge[k + 1] = std::numeric_limits<double>::infinity();
    for (int q = 0, at = 0; q < n; ++q) {
      while (edge[at + 1] < q) ++at;
      out[q] = s2 * (q - vertex[at]) * (q - vertex[at]) + in[vertex[at]];
    }
  }
};

// Squared distance to the nearest pixel whose mask equals `target`.
std::vector<double> squared_distance(const Mask& mask, bool target, int nx, int ny, double dx, double dy) {
  std::vector<double> field(mask.size());
  LineTransform row(nx), column(ny);
  for (int j = 0; j < ny; ++j) {
    for (int i = 0; i < nx; ++i) row.in[i] = (mask[std::size_t(j) * nx + i] != 0) == target ? 0 : far_away;
    row.run(dx);
    std::copy(row.out.begin(), row.out.end(), field.begin() + std::ptrdiff_t(j) * nx);
  }
  for (int i = 0; i < nx; ++i) {
    for (int j = 0; j < ny; ++j) column.in[j] = field[std::size_t(j) * nx + i];
    column.run(dy);
    for (int j = 0; j < ny; ++j) field[std::size_t(j) * nx + i] = column.out[j];
  }
  return field;
}

}  // namespace

int Components::largest() const {
  return count.empty() ? -1 : int(std::max_element(count.begin(), count.end()) - count.begin());
}

Components components(const Grid& grid, const Mask& mask) {
  Components parts;
  parts.of.assign(mask.size(), -1);
  std::vector<std::size_t> stack;
  for (std::size_t seed = 0; seed < mask.size(); ++seed) {
    if (!mask[seed] || parts.of[seed] >= 0) continue;
    const auto part = std::int32_t(parts.count.size());
    parts.count.push_back(0);
    parts.of[seed] = part;
    stack.push_back(seed);
    while (!stack.empty()) {
      const std::size_t at = stack.back();
      stack.pop_back();
      ++parts.count.back();
      for_faces(grid, at, [&](std::size_t next, int) {
        if (mask[next] && parts.of[next] < 0) parts.of[next] = part, stack.push_back(next);
      });
    }
  }
  return parts;
}

double enclosed_share(const Labels& labels) {
  std::size_t muscle = 0, other = 0;
  for (std::size_t at = 0; at < labels.values.size(); ++at) {
    if (labels.values[at] != 1) continue;
    for_faces(labels.grid, at, [&](std::size_t next, int axis) {
      if (axis == 2 || labels.values[next] == 1) return;
      ++(is_muscle(labels.values[next]) ? muscle : other);
    });
  }
  return muscle + other == 0 ? 0 : double(muscle) / double(muscle + other);
}

std::vector<float> signed_distance(const Mask& mask, int nx, int ny, double dx, double dy) {
  const auto to_inside = squared_distance(mask, true, nx, ny, dx, dy),
             to_outside = squared_distance(mask, false, nx, ny, dx, dy);
  std::vector<float> distance(mask.size());
  const double half = 0.25 * (dx + dy);
  for (std::size_t i = 0; i < mask.size(); ++i) {
    const double inside = std::sqrt(to_outside[i]) - half, outside = std::sqrt(to_inside[i]) - half;
    distance[i] =
        to_inside[i] >= far_away ? -std::numeric_limits<float>::infinity() : float(mask[i] ? inside : -outside);
  }
  return distance;
}

}  // namespace cardiotwin::meshes
