#include "voxels.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace cardiotwin::meshes {

VoxelPieces voxel_pieces(const Grid& grid, const Mask& mask, Neighbours neighbours) {
  std::vector<std::int32_t> of(mask.size(), -1);
  std::vector<std::size_t> size, stack;
  const int sx = grid.size[0], sy = grid.size[1];
  const auto flood = [&](std::size_t seed) {
    const auto number = static_cast<std::int32_t>(size.size());
    size.push_back(0);
    stack.assign(1, seed);
    of[seed] = number;
    while (!stack.empty()) {
      const std::size_t v = stack.back();
      stack.pop_back();
      ++size[number];
      const int i = static_cast<int>(v % sx), j = static_cast<int>(v / sx % sy), k = static_cast<int>(v / sx / sy);
      for (int c = -1; c <= 1; ++c) {
        for (int b = -1; b <= 1; ++b) {
          for (int a = -1; a <= 1; ++a) {
            if (neighbours == Neighbours::faces && std::abs(a) + std::abs(b) + std::abs(c) != 1) continue;
            if (!holds(grid, i + a, j + b, k + c)) continue;
            const std::size_t next = grid.offset(i + a, j + b, k + c);
            if (!mask[next] || of[next] >= 0) continue;
            of[next] = number;
            stack.push_back(next);
          }
        }
      }
    }
  };
  for (std::size_t v = 0; v < mask.size(); ++v) {
    if (mask[v] && of[v] < 0) flood(v);
  }
  std::vector<std::int32_t> order(size.size()), rank(size.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) { return size[a] > size[b]; });
  VoxelPieces pieces{.of = std::move(of), .size = {}};
  for (const auto old : order) {
    rank[old] = static_cast<std::int32_t>(pieces.size.size());
    pieces.size.push_back(size[old]);
  }
  for (auto& number : pieces.of) {
    if (number >= 0) number = rank[number];
  }
  return pieces;
}

std::size_t keep_largest_piece(const Grid& grid, Mask& mask, Neighbours neighbours) {
  const auto pieces = voxel_pieces(grid, mask, neighbours);
  for (std::size_t v = 0; v < mask.size(); ++v) mask[v] = pieces.of[v] == 0;
  return std::accumulate(pieces.size.begin(), pieces.size.end(), std::size_t{0}) -
         (pieces.size.empty() ? 0 : pieces.size[0]);
}

namespace {

// One line of the distance transform: lower envelope of the parabolas value[q] + (step (x - q))^2.
struct Line {
  std::vector<float> value;
  std::vector<std::int32_t> source;
  std::vector<int> hull;
  std::vector<double> from;  // where each parabola of the hull begins to be the lowest
  std::vector<float> out;
  std::vector<std::int32_t> out_source;

  explicit Line(int n) : value(n), source(n), hull(n), from(n), out(n), out_source(n) {}

  void transform(double step) {
    const int n = static_cast<int>(value.size());
    const double square = step * step;
    int last = -1;
    for (int q = 0; q < n; ++q) {
      if (source[q] < 0) continue;
      double begin = -std::numeric_limits<double>::infinity();
      while (last >= 0) {
        const int p = hull[last];
        begin = ((value[q] + square * q * q) - (value[p] + square * p * p)) / (2 * square * (q - p));
        if (begin > from[last]) break;
        --last;
      }
      ++last;
      hull[last] = q;
      from[last] = last == 0 ? -std::numeric_limits<double>::infinity() : begin;
    }
    if (last < 0) return;
    int at = 0;
    for (int x = 0; x < n; ++x) {
      while (at < last && from[at + 1] <= x) ++at;
      const int q = hull[at];
      out[x] = static_cast<float>(value[q] + square * (x - q) * (x - q));
      out_source[x] = source[q];
    }
    value.swap(out);
    source.swap(out_source);
  }
};

// Calls f(first offset, stride, length) for every line of the grid along `axis`, lines spread over threads.
template <class MakeState, class F>
void for_each_line(const Grid& g, int axis, const MakeState& make_state, const F& f) {
  const std::size_t strides[3] = {1, std::size_t(g.size[0]), std::size_t(g.size[0]) * g.size[1]};
  const int a = axis == 0 ? 1 : 0, b = axis == 2 ? 1 : 2;
  const int lines = g.size[a] * g.size[b];
#pragma omp parallel
  {
    auto state = make_state();
#pragma omp for schedule(static)
    for (int line = 0; line < lines; ++line) {
      f(state, line % g.size[a] * strides[a] + line / g.size[a] * strides[b], strides[axis], g.size[axis]);
    }
  }
}

}  // namespace

Nearest nearest_of(const Grid& grid, const Mask& mask) {
  Nearest nearest;
  nearest.squared.assign(mask.size(), std::numeric_limits<float>::infinity());
  nearest.voxel.assign(mask.size(), -1);
  for (std::size_t v = 0; v < mask.size(); ++v) {
    if (mask[v]) nearest.squared[v] = 0, nearest.voxel[v] = static_cast<std::int32_t>(v);
  }
  for (int axis = 0; axis < 3; ++axis) {
    for_each_line(
        grid, axis, [&] { return Line(grid.size[axis]); },
        [&](Line& line, std::size_t first, std::size_t stride, int length) {
          for (int x = 0; x < length; ++x) {
            line.value[x] = nearest.squared[first + x * stride];
            line.source[x] = nearest.voxel[first + x * stride];
          }
          line.transform(grid.spacing[axis]);
          for (int x = 0; x < length; ++x) {
            nearest.squared[first + x * stride] = line.value[x];
            nearest.voxel[first + x * stride] = line.source[x];
          }
        });
  }
  return nearest;
}

Labels crop(const Labels& labels, const std::array<int, 3>& low, const std::array<int, 3>& high) {
  Labels part;
  part.grid = labels.grid;
  part.grid.origin = labels.grid.position(Vec3(low[0], low[1], low[2]));
  for (int a = 0; a < 3; ++a) part.grid.size[a] = high[a] - low[a] + 1;
  part.values.resize(part.grid.count());
  for_each_voxel(part.grid, [&](int i, int j, int k, std::size_t v) {
    part.values[v] = labels.values[labels.grid.offset(i + low[0], j + low[1], k + low[2])];
  });
  return part;
}

void smooth(Image& image, double sigma) {
  for (int axis = 0; axis < 3; ++axis) {
    const double step = image.grid.spacing[axis];
    const int reach = static_cast<int>(std::ceil(4 * sigma / step));
    std::vector<float> weight(2 * reach + 1);
    double sum = 0;
    for (int x = -reach; x <= reach; ++x) sum += std::exp(-0.5 * std::pow(x * step / sigma, 2));
    for (int x = -reach; x <= reach; ++x) {
      weight[x + reach] = static_cast<float>(std::exp(-0.5 * std::pow(x * step / sigma, 2)) / sum);
    }
    for_each_line(
        image.grid, axis, [&] { return std::vector<float>(image.grid.size[axis] + 2 * reach, 0.0f); },
        [&](std::vector<float>& padded, std::size_t first, std::size_t stride, int length) {
          for (int x = 0; x < length; ++x) padded[x + reach] = image.values[first + x * stride];
          for (int x = 0; x < length; ++x) {
            float value = 0;
            for (int w = 0; w <= 2 * reach; ++w) value += weight[w] * padded[x + w];
            image.values[first + x * stride] = value;
          }
        });
  }
}

}  // namespace cardiotwin::meshes
