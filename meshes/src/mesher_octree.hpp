#pragma once
/// A body-centred lattice of varying size: the centres and corners of the leaves of a balanced octree (Labelle &
/// Shewchuk 2007, doi 10.1145/1275808.1276448).

#include <array>
#include <cardiotwin/mesh.hpp>
#include <cardiotwin/meshes/image.hpp>
#include <cstdint>
#include <functional>
#include <vector>

#include "mesher_field.hpp"

namespace cardiotwin::meshes::stuffing {

/// Octants, refined where asked for, and further until leaves that touch, be it in a corner, differ by no more than one
/// level. Only roots near the tissue exist.
class Octree {
 public:
  using Place = std::array<int, 3>;  ///< in octants of its own level
  struct Octant {
    Place at{};
    Index child = -1;  ///< first of eight, -1 for a leaf
    int level = 0;     ///< 0 is a root
  };

  /// `cell` [mm] is the size of an octant of the finest level, `levels`; voxel 0 of the image lies on a corner.
  /// `cell_wanted(point)` [mm] says how large octants may be, within a factor sqrt 2.
  Octree(const Image& inside, double cell, int levels, const std::function<double(const Vec3&)>& cell_wanted);

  int levels() const { return levels_; }
  double cell() const { return cell_; }
  /// In the order in which neighbours are close.
  const std::vector<Index>& leaves() const { return leaves_; }
  const Octant& operator[](Index octant) const { return octants_[octant]; }
  /// The octant there, or the larger leaf that covers it; -1 where there is none.
  Index find(const Place&, int level) const;

 private:
  void place_roots(const Image& inside);
  void refine(Index octant);
  void balance();
  void collect(Index octant);

  double cell_;
  int levels_;
  Place low_{}, size_{};  // roots, from voxel 0
  std::vector<Index> roots_;
  std::vector<Octant> octants_;
  std::vector<Index> leaves_;
};

/// Its vertices and tets. Between leaves of one size lie the tets of the body-centred lattice, halved where smaller
/// leaves halve the edge they share; a leaf beside a larger one has half pyramids over its face, cut by the diagonal
/// that starts in the middle of the larger face, and the larger one has the same triangles on its side.
struct GradedLattice {
  double half = 0;                        ///< half the finest cell [mm]
  std::vector<std::array<int, 3>> place;  ///< of the vertices, in halves of the finest cell from voxel 0
  std::vector<float> size;                ///< edge of the smallest leaf that a vertex belongs to [mm]
  std::vector<Tet> tets;                  ///< of positive volume
  Vec3 position(Index v) const { return half * Vec3(place[v][0], place[v][1], place[v][2]); }
};
GradedLattice make_graded_lattice(const Octree&);

}  // namespace cardiotwin::meshes::stuffing
