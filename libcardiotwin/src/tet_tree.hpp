#pragma once
/// Point location in tets, private to the physics room.

#include <array>
#include <cardiotwin/mesh.hpp>
#include <span>
#include <vector>

namespace cardiotwin {

/// A tree of boxes over tets, which may be flat or turned inside out: those of a mesh seen in other coordinates are.
class TetTree {
 public:
  /// `which` of `tets`. Keeps views of points and tets, which must outlive it.
  TetTree(std::span<const Vec3> points, std::span<const Tet> tets, std::vector<Index> which);
  /// All tets.
  TetTree(std::span<const Vec3> points, std::span<const Tet> tets);
  /// Of a mesh, which must outlive it.
  explicit TetTree(const Mesh& mesh) : TetTree(mesh.points(), mesh.tets()) {}

  struct Hit {
    Index tet = -1;
    std::array<double, 4> weight{};  ///< of its corners, not negative, sum 1
    double squared = 0;              ///< distance, 0 inside [mm2]
  };
  /// A tet that holds the point, else the nearest one; -1 of an empty tree. Safe to call from several threads.
  Hit nearest(const Vec3& point) const;
  bool empty() const { return which_.empty(); }

 private:
  struct Box {
    Vec3 low, high;
    Index first, last;  // its tets
    Index left = -1;    // children are left and left + 1; -1 for a leaf
  };
  void split(Index box);

  std::span<const Vec3> points_;
  std::span<const Tet> tets_;
  std::vector<Index> which_;
  std::vector<Box> boxes_;
};

}  // namespace cardiotwin
