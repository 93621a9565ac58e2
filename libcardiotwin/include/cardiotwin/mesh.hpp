#pragma once
/// Tetrahedral meshes: points, tets, labels; immutable once validated.

#include <array>
#include <cardiotwin/field.hpp>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace cardiotwin {

using Index = std::int32_t;
using Tet = std::array<Index, 4>;
using Triangle = std::array<Index, 3>;
using Label = std::uint8_t;

class Mesh {
 public:
  Mesh() = default;
  /// points [mm], tets as four node numbers with positive volume, one label per tet. Throws InputError, naming the
  /// first offender, for an index out of range, a tet of non-positive volume, a non-finite point, a node that no
  /// tet uses, or unequal lengths.
  Mesh(std::vector<Vec3> points, std::vector<Tet> tets, std::vector<Label> labels);

  std::span<const Vec3> points() const { return points_; }
  std::span<const Tet> tets() const { return tets_; }
  std::span<const Label> labels() const { return labels_; }
  std::size_t node_count() const { return points_.size(); }
  std::size_t tet_count() const { return tets_.size(); }

  double volume(std::size_t tet) const;  ///< [mm3]
  Vec3 centroid(std::size_t tet) const;

 private:
  std::vector<Vec3> points_;
  std::vector<Tet> tets_;
  std::vector<Label> labels_;
};

/// Per tet the one beyond each of its faces, -1 where there is none; face k lies opposite the tet's k-th node.
std::vector<std::array<Index, 4>> face_neighbours(const Mesh&);

/// A face of one tet only, nodes counter-clockwise seen from outside.
struct BoundaryFace {
  Triangle nodes;
  Index tet;
};
std::vector<BoundaryFace> boundary_faces(const Mesh&);

/// Neighbours of each node through an edge, as compressed rows, ascending, without the node itself.
struct Adjacency {
  std::vector<Index> start;  ///< node_count + 1
  std::vector<Index> node;
  std::span<const Index> of(std::size_t i) const {
    return {node.data() + start[i], static_cast<std::size_t>(start[i + 1] - start[i])};
  }
};
Adjacency node_adjacency(const Mesh&);

struct MeshQuality {
  double min_dihedral = 0, max_dihedral = 0;         ///< [degrees]
  double min_edge = 0, mean_edge = 0, max_edge = 0;  ///< [mm]
  double volume = 0;                                 ///< [mm3]
  std::array<std::size_t, 18> dihedral_histogram{};  ///< 10-degree bins
};
MeshQuality quality(const Mesh&);

/// How long the edges of one label's tets are [mm]. Each tet counts by its volume with the mean of its six edges, in
/// the lattice's measure: a tet of the body-centred lattice of mean edge h counts as h.
struct EdgeStatistics {
  double mean = 0, low = 0, high = 0;  ///< low and high: 5 % of the volume lie below and above
};
/// By label.
std::map<Label, EdgeStatistics> edge_statistics(const Mesh&);

/// Box [0, size] of structured tets, six to a cube, node spacing as close to `edge` [mm] as divides the box; label 1.
Mesh box_mesh(const Vec3& size, double edge);

/// Box [0, size] cut from the body-centred cubic lattice the mesher uses, of mean edge `edge` [mm], the lattice turned
/// by `rotation`; every tet wholly inside is kept (so the sides are ragged by up to one cell), label 1.
/// This is the block on which conduction velocity is measured for a given spacing.
Mesh lattice_block(const Vec3& size, double edge, const Mat3& rotation = Mat3::Identity());

/// Cell size of the BCC lattice per mean edge: mean edge = (6 a + 8 (sqrt 3 / 2) a) / 14.
inline constexpr double bcc_cell_per_edge = 1.0 / 0.92344;

}  // namespace cardiotwin
