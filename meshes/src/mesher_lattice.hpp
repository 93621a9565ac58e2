#pragma once
/// The body-centred cubic lattice of isosurface stuffing (Labelle & Shewchuk 2007, doi 10.1145/1275808.1276448) and
/// what is decided on it: which vertices are inside, which are warped onto the surface, and which tets are kept.

#include <array>
#include <cardiotwin/log.hpp>
#include <cardiotwin/mesh.hpp>
#include <cstdint>
#include <vector>

#include "mesher_field.hpp"

namespace cardiotwin::meshes::stuffing {

/// State of a lattice vertex. A warped vertex lies on the surface and remembers the side it came from.
enum class Sign : std::uint8_t { outside = 0, inside = 1, zero_from_outside = 2, zero_from_inside = 3 };
inline bool is_zero(Sign s) { return s >= Sign::zero_from_outside; }

/// The 14 edges of a vertex: 0-5 long (+x -x +y -y +z -z), 6-13 short, bit d of (e - 6) set where component d is
/// positive. Both sublattices see their neighbours in the same directions.
inline constexpr int edges = 14;
inline int opposite(int e) { return e < 6 ? e ^ 1 : 6 + ((e - 6) ^ 7); }

/// The 24 tets of a vertex, each as the edges of the vertex to its other corners: one long, two short.
std::array<std::array<int, 3>, 24> tets_of_vertex();

/// Flat arrays over the box around the tissue. Vertex 2c is the low corner of cell c, vertex 2c + 1 its centre; the two
/// outermost layers of cells are outside by construction, so that neighbours need no bounds check.
struct Lattice {
  using Vertex = std::ptrdiff_t;

  double cell = 0;                                  ///< [mm]
  std::array<int, 3> low{}, size{};                 ///< first cell, in cells from voxel 0; cells stored per axis
  std::array<std::array<Vertex, edges>, 2> step{};  ///< from corner / centre to the neighbour along an edge
  std::vector<Sign> sign;
  std::vector<std::uint8_t> warp;  ///< edge along which a zero vertex moved
  int threads = 1;

  Vertex vertex(int i, int j, int k) const { return 2 * ((Vertex(k) * size[1] + j) * size[0] + i); }
  Vertex neighbour(Vertex v, int e) const { return v + step[v & 1][e]; }
  /// Of the sum of the cell's numbers: neighbours along long edges differ in it.
  int parity(Vertex v) const {
    const Vertex c = v / 2;
    return static_cast<int>((c % size[0] + c / size[0] % size[1] + c / (Vertex(size[0]) * size[1])) & 1);
  }
  /// Position before warping [mm].
  Vec3 position(Vertex v) const;
  static Vec3 direction(int e);  ///< in cells
  /// Share of the way from the inside vertex to its outside neighbour at which the surface is crossed.
  double crossing(const Field&, const Vec3& from, int e) const;
  /// Where the surface crosses edge `e` of the inside vertex `v`, kept within the range the stencils allow.
  Vec3 cut(const Field&, Vertex v, int e) const;
  /// Where a zero vertex lies now.
  Vec3 warped(const Field&, Vertex v) const;
};

struct LatticeReport {
  std::size_t inside = 0;  ///< vertices
  double dropped = 0;      ///< share of them in components other than the largest
  int components = 0;
  double thin = 0;  ///< share of the vertices next to the surface that are alone between two surfaces
};

/// Signs, warps, repaired pinches, largest component. Throws InputError where no lattice vertex is inside.
Lattice make_lattice(const Image& inside, const Field&, double cell, int threads, LatticeReport&, const Monitor&);

/// A mesh in the making, in the image's frame [mm].
struct Draft {
  std::vector<Vec3> points;
  std::vector<Tet> tets;
  std::vector<std::uint8_t> surface;  ///< per node: 1 on the outer surface
  std::vector<float> edge;            ///< per node: that of the lattice there [mm]; empty where there is one only
};

/// Tets of the lattice, cut along the surface. Nodes and tets come brick by brick, so neighbours are close in memory.
Draft cut_lattice(const Lattice&, const Field&);

}  // namespace cardiotwin::meshes::stuffing
