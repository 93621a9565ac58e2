#pragma once
/// Distance of points to a triangulated surface.

#include <cardiotwin/mesh.hpp>
#include <span>
#include <vector>

namespace cardiotwin {

/// A tree of boxes over triangles; a query visits O(log triangles) of them, and is safe from several threads.
class SurfaceDistance {
 public:
  /// Keeps a view of `points`, which must outlive it; throws InputError if there is no triangle.
  SurfaceDistance(std::span<const Vec3> points, std::vector<Triangle> triangles);

  struct Nearest {
    double distance = 0;        ///< [mm]
    Index triangle = 0;         ///< as given to the constructor; of several at the same distance always the same
    Vec3 point = Vec3::Zero();  ///< on it
  };
  Nearest nearest(const Vec3& point) const;
  /// Distance to the nearest point of the surface [mm].
  double operator()(const Vec3& point) const { return nearest_triangle(point).distance; }
  const Triangle& triangle(Index i) const { return triangles_[i]; }

 private:
  struct Box {
    Box(Index begin, Index end) : first(begin), last(end) {}
    Vec3 low = Vec3::Zero(), high = Vec3::Zero();
    Index first, last;  // its triangles, as places in order_
    Index left = -1;    // children are left and left + 1; -1 for a leaf
  };
  void split(Index box);
  Nearest nearest_triangle(const Vec3& point) const;  // without the point

  std::span<const Vec3> points_;
  std::vector<Triangle> triangles_;
  std::vector<Index> order_;  // triangles, those of a box together
  std::vector<Box> boxes_;
};

}  // namespace cardiotwin
