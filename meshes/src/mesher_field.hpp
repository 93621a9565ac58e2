#pragma once
/// Trilinear sampling in the image's own frame: positions are index times spacing [mm], so that the lattice, and with
/// it the mesh, moves and turns exactly with the image.

#include <algorithm>
#include <array>
#include <cardiotwin/meshes/image.hpp>

namespace cardiotwin::meshes::stuffing {

class Field {
 public:
  explicit Field(const Image& image)
      : values_(image.values.data()), size_(image.grid.size), inverse_(image.grid.spacing.cwiseInverse()) {}

  /// Value at `p` [mm]; beyond the grid it is outside the tissue, hence negative.
  double operator()(const Vec3& p) const {
    Cell c;
    if (!locate(p, c)) return -1.0;
    const auto v = corners(c);
    const auto [x, y, z] = c.t;
    const double y0 = lerp(lerp(v[0], v[1], x), lerp(v[2], v[3], x), y);
    const double y1 = lerp(lerp(v[4], v[5], x), lerp(v[6], v[7], x), y);
    return lerp(y0, y1, z);
  }

  /// Value and its gradient [1/mm]; zero gradient beyond the grid.
  double operator()(const Vec3& p, Vec3& gradient) const {
    Cell c;
    gradient.setZero();
    if (!locate(p, c)) return -1.0;
    const auto v = corners(c);
    const auto [x, y, z] = c.t;
    std::array<double, 4> along_x, slope;
    for (int m = 0; m < 4; ++m) along_x[m] = lerp(v[2 * m], v[2 * m + 1], x), slope[m] = v[2 * m + 1] - v[2 * m];
    const double y0 = lerp(along_x[0], along_x[1], y), y1 = lerp(along_x[2], along_x[3], y);
    gradient = Vec3(lerp(lerp(slope[0], slope[1], y), lerp(slope[2], slope[3], y), z),
                    lerp(along_x[1] - along_x[0], along_x[3] - along_x[2], z), y1 - y0)
                   .cwiseProduct(inverse_);
    return lerp(y0, y1, z);
  }

 private:
  struct Cell {
    std::size_t offset;
    std::array<double, 3> t;
  };
  static double lerp(double a, double b, double t) { return a + t * (b - a); }

  bool locate(const Vec3& p, Cell& c) const {
    std::array<int, 3> at{};
    for (int d = 0; d < 3; ++d) {
      const double x = p[d] * inverse_[d];
      if (!(x >= 0) || !(x <= size_[d] - 1)) return false;
      at[d] = std::clamp(static_cast<int>(x), 0, size_[d] - 2);
      c.t[d] = x - at[d];
    }
    c.offset = (std::size_t(at[2]) * size_[1] + at[1]) * size_[0] + at[0];
    return true;
  }
  std::array<double, 8> corners(const Cell& c) const {
    const float* p = values_ + c.offset;
    const std::size_t dy = size_[0], dz = dy * size_[1];
    return {p[0], p[1], p[dy], p[dy + 1], p[dz], p[dz + 1], p[dz + dy], p[dz + dy + 1]};
  }

  const float* values_;
  std::array<int, 3> size_;
  Vec3 inverse_;
};

}  // namespace cardiotwin::meshes::stuffing
