#pragma once
/// Isosurface stuffing on a body-centred lattice of varying size. The steps are those of the uniform lattice
/// (mesher_lattice.hpp), on explicit tets. The paper proves its angles for surface cells of one size only; here the
/// surface may cross cells of any size, so warps that would spoil a tet are taken back, and the smoothing that follows
/// mends the rest.

#include <span>

#include "mesher_lattice.hpp"
#include "mesher_octree.hpp"

namespace cardiotwin::meshes::stuffing {

/// A lattice and what was decided on it.
struct GradedCut {
  /// Where the surface crosses an edge.
  struct Crossing {
    Index inside, outside;  ///< as the vertices were before any was warped
    float share;            ///< of the way, from the inside
  };

  GradedLattice lattice;
  std::vector<Sign> sign;
  std::vector<Crossing> crossing;     ///< by inside, then outside vertex
  std::vector<Index> row;             ///< per vertex: its first crossing as the inside one; one more at the end
  std::vector<Index> warp;            ///< per vertex: the crossing onto which it moves, -1 where none is near
  std::vector<Index> star_row, star;  ///< tets of the vertices near the surface, as compressed rows
  int threads = 1;

  std::span<const Index> star_of(Index v) const {
    return {star.data() + star_row[v], static_cast<std::size_t>(star_row[v + 1] - star_row[v])};
  }
  /// The crossing from an inside to an outside vertex.
  Index find(Index inside, Index outside) const;
  Vec3 at(const Crossing&) const;
  /// A zero vertex on the surface, any other in its place.
  Vec3 position(Index v) const;
  std::array<Sign, 4> signs(const Tet& t) const { return {sign[t[0]], sign[t[1]], sign[t[2]], sign[t[3]]}; }
};

/// Signs, warps, repaired pinches, largest component. Throws InputError where no lattice vertex is inside.
GradedCut decide(GradedLattice&&, const Field&, int threads, LatticeReport&, const Monitor&);

/// Tets of the lattice, cut along the surface; the draft's `edge` is filled.
Draft cut_lattice(const GradedCut&);

}  // namespace cardiotwin::meshes::stuffing
