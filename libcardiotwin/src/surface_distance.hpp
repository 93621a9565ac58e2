#pragma once
/// Distance of points to a triangulated surface, private to the physics room.

#include <cardiotwin/mesh.hpp>
#include <span>
#include <vector>

namespace cardiotwin {

/// A tree of boxes over triangles; a query visits O(log triangles) of them.
class SurfaceDistance {
 public:
  /// Keeps a view of `points`, which must outlive it; throws InputError if there is no triangle.
  SurfaceDistance(std::span<const Vec3> points, std::vector<Triangle> triangles);
  /// Distance to the nearest point of the surface [mm]; safe to call from several threads.
  double operator()(const Vec3& point) const;

  /// The nearest point of the surface and the triangle it lies on; of several the first found.
  struct Foot {
    Vec3 point = Vec3::Zero();
    Triangle triangle{};
  };
  Foot nearest(const Vec3& point) const;

 private:
  struct Box {
    Box(Index begin, Index end) : first(begin), last(end) {}
    Vec3 low = Vec3::Zero(), high = Vec3::Zero();
    Index first, last;  // its triangles
    Index left = -1;    // children are left and left + 1; -1 for a leaf
  };
  void split(Index box);
  template <class Visit>
  void visit_near(const Vec3& point, double& best, const Visit& visit) const;

  std::span<const Vec3> points_;
  std::vector<Triangle> triangles_;
  std::vector<Box> boxes_;
};

}  // namespace cardiotwin
