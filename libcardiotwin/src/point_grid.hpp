#pragma once
/// Points in cells of a cube grid, for those near a place; private to the physics room.

#include <algorithm>
#include <array>
#include <cardiotwin/field.hpp>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace cardiotwin {

/// Cells are sorted, not hashed: what is visited, and in which order, depends on the points alone.
class PointGrid {
 public:
  PointGrid(std::span<const Vec3> points, double cell) : cell_(cell) {
    for (std::size_t i = 0; i < points.size(); ++i) entries_.push_back({cell_of(points[i]), i});
    std::sort(entries_.begin(), entries_.end());
  }

  /// Calls `visit(i)` for all points within `cell` of `position`, and for some beyond.
  template <class Visit>
  void near(const Vec3& position, const Visit& visit) const {
    const Cell middle = cell_of(position);
    for (std::int64_t i = -1; i <= 1; ++i) {
      for (std::int64_t j = -1; j <= 1; ++j) {
        const Cell from{middle[0] + i, middle[1] + j, middle[2] - 1};
        const Cell last{from[0], from[1], middle[2] + 1};
        for (auto e = std::lower_bound(entries_.begin(), entries_.end(), Entry{from, 0});
             e != entries_.end() && e->cell <= last; ++e)
          visit(e->point);
      }
    }
  }

 private:
  using Cell = std::array<std::int64_t, 3>;
  struct Entry {
    Cell cell;
    std::size_t point;
    auto operator<=>(const Entry&) const = default;
  };
  Cell cell_of(const Vec3& p) const {
    const auto along = [&](int k) {
      return static_cast<std::int64_t>(std::clamp(std::floor(p[k] / cell_), -1e15, 1e15));
    };
    return {along(0), along(1), along(2)};
  }

  double cell_;
  std::vector<Entry> entries_;
};

}  // namespace cardiotwin
