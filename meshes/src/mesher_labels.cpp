#include "mesher_labels.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace cardiotwin::meshes::stuffing {
namespace {

constexpr double blur = 0.8;  // voxels
constexpr int reach = 3;      // voxels, of the blur
// A Gaussian of variance s^2 shrinks a ball of radius R by s^2 / R. (1 + c) G - c G * G has variance (1 - c) s^2, which
// c makes cancel the variance 1/6 voxel^2 that trilinear sampling adds.
constexpr double sharpen = 1 + 1.0 / 6 / (blur * blur);

/// Calls body(first voxel, stride, length) for every line of the grid along `axis`.
template <class Body>
void for_lines(const std::array<int, 3>& n, int axis, int threads, const Body& body) {
  const std::array<std::size_t, 3> stride{1, std::size_t(n[0]), std::size_t(n[0]) * n[1]};
  const int u = (axis + 1) % 3, w = (axis + 2) % 3;
#pragma omp parallel for schedule(static) num_threads(threads)
  for (int b = 0; b < n[w]; ++b) {
    for (int a = 0; a < n[u]; ++a) body(a * stride[u] + b * stride[w], stride[axis], n[axis]);
  }
}

/// One axis of the exact distance transform (Felzenszwalb & Huttenlocher 2012, doi 10.4086/toc.2012.v008a019), which
/// also carries the label of the nearest voxel along. Squared distances in mm2.
void spread_line(std::vector<double>& distance, std::vector<Label>& label, std::size_t first, std::size_t stride, int n,
                 double spacing) {
  constexpr double none = std::numeric_limits<double>::infinity();
  std::vector<double> height, from(n + 1);
  std::vector<Label> owner;
  std::vector<int> centre;
  for (int i = 0; i < n; ++i) {
    const double h = distance[first + i * stride];
    if (h == none) continue;
    double start = -none;
    while (!centre.empty()) {  // the parabola of i meets the last one at `start`
      const double p = centre.back() * spacing, q = i * spacing;
      start = ((h + q * q) - (height.back() + p * p)) / (2 * (q - p));
      if (start > from[centre.size() - 1]) break;
      centre.pop_back(), height.pop_back(), owner.pop_back();
      start = -none;
    }
    from[centre.size()] = start;
    centre.push_back(i), height.push_back(h), owner.push_back(label[first + i * stride]);
  }
  if (centre.empty()) return;
  std::size_t s = 0;
  for (int i = 0; i < n; ++i) {
    while (s + 1 < centre.size() && from[s + 1] < i * spacing) ++s;
    const double off = (i - centre[s]) * spacing;
    distance[first + i * stride] = height[s] + off * off;
    label[first + i * stride] = owner[s];
  }
}

/// Gives every voxel without a label that of the nearest voxel with one.
void fill(std::vector<Label>& label, const Grid& grid, int threads) {
  std::vector<double> distance(label.size());
  for (std::size_t v = 0; v < label.size(); ++v) distance[v] = label[v] ? 0 : std::numeric_limits<double>::infinity();
  for (int axis = 0; axis < 3; ++axis) {
    for_lines(grid.size, axis, threads, [&](std::size_t first, std::size_t stride, int n) {
      spread_line(distance, label, first, stride, n, grid.spacing[axis]);
    });
  }
}

void blur_axis(std::vector<float>& values, const std::array<int, 3>& size, int axis, int threads) {
  std::array<float, 2 * reach + 1> weight;
  double sum = 0;
  for (int m = -reach; m <= reach; ++m) sum += std::exp(-0.5 * m * m / (blur * blur));
  for (int m = -reach; m <= reach; ++m)
    weight[m + reach] = static_cast<float>(std::exp(-0.5 * m * m / (blur * blur)) / sum);
  for_lines(size, axis, threads, [&](std::size_t first, std::size_t stride, int n) {
    std::vector<float> line(n + 2 * reach);
    for (int i = 0; i < n + 2 * reach; ++i) line[i] = values[first + std::clamp(i - reach, 0, n - 1) * stride];
    for (int i = 0; i < n; ++i) {
      float v = 0;
      for (int m = 0; m <= 2 * reach; ++m) v += weight[m] * line[i + m];
      values[first + i * stride] = v;
    }
  });
}

/// Rounded so that a frame that was moved or turned together with its labels gives the same bits.
double rounded(double x, double unit) { return std::round(x / unit) * unit; }

}  // namespace

Regions::Regions(const Labels& labels, const Grid& image, int threads) : size_(labels.grid.size) {
  const Grid& own = labels.grid;
  turn_ = own.spacing.cwiseInverse().asDiagonal() * own.direction.transpose() * image.direction;
  shift_ = own.index(image.origin);
  turn_ = turn_.unaryExpr([](double x) { return rounded(x, 0x1p-36); });
  shift_ = shift_.unaryExpr([](double x) { return rounded(x, 0x1p-24); });

  auto filled = labels.values;
  std::array<bool, 256> present{};
  for (const Label l : filled) present[l] = true;
  for (int l = 1; l < 256; ++l) {
    if (present[l]) slot_[l] = static_cast<int>(names_.size()), names_.push_back(static_cast<Label>(l));
  }
  if (names_.empty()) throw InputError("mesher: labels must name the region of at least one voxel, but all are 0");
  if (single()) return;
  fill(filled, own, threads);
  pure_.assign(filled.size(), 0);
  const auto count = static_cast<std::ptrdiff_t>(filled.size());
  for (const Label l : names_) {
    auto& field = fields_.emplace_back(filled.size());
#pragma omp parallel for num_threads(threads)
    for (std::ptrdiff_t v = 0; v < count; ++v) field[v] = filled[v] == l ? 1.0f : 0.0f;
    for (int axis = 0; axis < 3; ++axis) blur_axis(field, size_, axis, threads);
    auto twice = field;
    for (int axis = 0; axis < 3; ++axis) blur_axis(twice, size_, axis, threads);
#pragma omp parallel for num_threads(threads)
    for (std::ptrdiff_t v = 0; v < count; ++v) {
      field[v] = static_cast<float>((1 + sharpen) * field[v] - sharpen * twice[v]);
      if (std::abs(field[v] - 1) < 1e-5f) pure_[v] = l;
    }
  }
}

Regions::Cell Regions::locate(const Vec3& p) const {
  const Vec3 index = turn_ * p + shift_;
  std::array<int, 3> at{};
  Cell c;
  for (int d = 0; d < 3; ++d) {
    const double x = std::clamp(index[d], 0.0, double(size_[d] - 1));
    at[d] = std::clamp(static_cast<int>(x), 0, std::max(size_[d] - 2, 0));
    c.t[d] = x - at[d];
  }
  c.offset = (std::size_t(at[2]) * size_[1] + at[1]) * size_[0] + at[0];
  return c;
}

std::array<std::size_t, 8> Regions::corners(const Cell& c) const {
  const std::size_t dx = size_[0] > 1 ? 1 : 0, dy = size_[1] > 1 ? size_[0] : 0,
                    dz = size_[2] > 1 ? std::size_t(size_[0]) * size_[1] : 0;
  const std::size_t o = c.offset;
  return {o, o + dx, o + dy, o + dx + dy, o + dz, o + dx + dz, o + dy + dz, o + dx + dy + dz};
}

Label Regions::at(const Vec3& p) const {
  if (single()) return names_.front();
  const Cell c = locate(p);
  const auto corner = corners(c);
  const Label first = pure_[corner[0]];
  bool same = first != 0;
  for (const auto o : corner) same &= pure_[o] == first;
  if (same) return first;
  const auto [x, y, z] = c.t;
  Label best = names_.front();
  double largest = -1;
  for (std::size_t l = 0; l < names_.size(); ++l) {
    const auto& f = fields_[l];
    double value = 0;
    for (int m = 0; m < 8; ++m) {
      value += (m & 1 ? x : 1 - x) * (m & 2 ? y : 1 - y) * (m & 4 ? z : 1 - z) * f[corner[m]];
    }
    if (value > largest) largest = value, best = names_[l];
  }
  return best;
}

double Regions::difference(Label a, Label b, const Vec3& p, Vec3& gradient) const {
  const Cell c = locate(p);
  const auto corner = corners(c);
  const auto [x, y, z] = c.t;
  const auto &fa = fields_[slot_[a]], &fb = fields_[slot_[b]];
  double value = 0;
  Vec3 slope = Vec3::Zero();
  for (int m = 0; m < 8; ++m) {
    const double v = double(fa[corner[m]]) - fb[corner[m]];
    const double wx = m & 1 ? x : 1 - x, wy = m & 2 ? y : 1 - y, wz = m & 4 ? z : 1 - z;
    value += wx * wy * wz * v;
    slope += v * Vec3((m & 1 ? 1 : -1) * wy * wz, (m & 2 ? 1 : -1) * wx * wz, (m & 4 ? 1 : -1) * wx * wy);
  }
  gradient = turn_.transpose() * slope;
  return value;
}

}  // namespace cardiotwin::meshes::stuffing
