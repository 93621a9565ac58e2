/// The tets of the body-centred lattice cut along the surface (mesher_stencil.hpp). In a lattice face p q m (++-) whose
/// edge p q is long, the shorter diagonal is taken. Where p q is short, one of p m and q m is long and the diagonal
/// ends in the cut point on the short one or on the long one; which of the two is decided once per outside vertex m, by
/// the worse angle around m. In +++- both faces with a short p q then agree and the three diagonals never form a cycle,
/// whatever the third does.

#include <Eigen/Geometry>
#include <bit>

#include "mesher_lattice.hpp"
#include "mesher_quality.hpp"
#include "mesher_stencil.hpp"

namespace cardiotwin::meshes::stuffing {
namespace {

using Vertex = Lattice::Vertex;
constexpr int brick = 8;  // cells along the edge of a brick

/// A lattice tet of positive volume, relative to the corner vertex of a cell. `edge[x][y]` is the edge that leads from
/// corner x of the tet to corner y.
struct Shape {
  std::array<Vertex, 4> vertex;
  std::array<std::array<int, 4>, 4> edge;
};
using HalfCells = std::array<int, 3>;

Shape make_shape(const Lattice& lattice, const std::array<HalfCells, 4>& at) {
  Shape shape;
  for (int x = 0; x < 4; ++x) {
    const int centre = at[x][0] & 1;
    Vertex v = centre;
    for (int c = 0; c < 3; ++c) v += (at[x][c] - centre) / 2 * lattice.step[0][2 * c];
    shape.vertex[x] = v;
    for (int y = 0; y < 4; ++y) {
      int bits = 0, axis = -1;
      for (int c = 0; c < 3; ++c) {
        const int step = at[y][c] - at[x][c];
        if (step == 2 || step == -2) axis = 2 * c + (step < 0);
        if (step > 0) bits |= 1 << c;
      }
      shape.edge[x][y] = axis >= 0 ? axis : 6 + bits;
    }
  }
  return shape;
}

/// The 12 tets that a cell owns: between its centre and the next centre along +x, +y, +z, around the shared face.
std::array<Shape, 12> cell_tets(const Lattice& lattice) {
  std::array<Shape, 12> all;
  for (int t = 0; t < 12; ++t) {
    const int d = t / 4, u = (d + 1) % 3, w = (d + 2) % 3;
    std::array<HalfCells, 4> at{};
    at[0] = {1, 1, 1};
    at[1] = at[0], at[1][d] += 2;
    constexpr std::array<std::array<int, 2>, 4> ring{{{0, 0}, {2, 0}, {2, 2}, {0, 2}}};
    for (int m = 0; m < 2; ++m) {
      const auto& r = ring[(t + m) % 4];
      at[2 + m][d] = 2, at[2 + m][u] = r[0], at[2 + m][w] = r[1];
    }
    all[t] = make_shape(lattice, at);
  }
  return all;
}

/// The 24 tets around the corner (0) or the centre (1) of a cell.
std::array<Shape, 24> star_tets(const Lattice& lattice, int type) {
  std::array<Shape, 24> all;
  const auto tets = tets_of_vertex();
  for (int t = 0; t < 24; ++t) {
    std::array<Vec3, 4> p;
    p[0] = Vec3::Constant(type);
    for (int m = 0; m < 3; ++m) p[m + 1] = p[0] + 2 * Lattice::direction(tets[t][m]);
    if ((p[1] - p[0]).cross(p[2] - p[0]).dot(p[3] - p[0]) < 0) std::swap(p[2], p[3]);
    std::array<HalfCells, 4> at;
    for (int x = 0; x < 4; ++x) at[x] = {int(p[x][0]), int(p[x][1]), int(p[x][2])};
    all[t] = make_shape(lattice, at);
  }
  return all;
}

/// Bricks of cells in lexicographic order; runs body(brick number, corner vertex of a cell) over the cells of each.
struct Bricks {
  const Lattice& lattice;
  std::array<int, 3> count{};

  explicit Bricks(const Lattice& l) : lattice(l) {
    for (int d = 0; d < 3; ++d) count[d] = (l.size[d] - 2 + brick - 1) / brick;
  }
  int total() const { return count[0] * count[1] * count[2]; }
  template <class Body>
  void run(const Body& body) const {
#pragma omp parallel for schedule(dynamic, 4) num_threads(lattice.threads)
    for (int b = 0; b < total(); ++b) {
      const int i0 = 1 + b % count[0] * brick, j0 = 1 + b / count[0] % count[1] * brick,
                k0 = 1 + b / (count[0] * count[1]) * brick;
      const int i1 = std::min(i0 + brick, lattice.size[0] - 1), j1 = std::min(j0 + brick, lattice.size[1] - 1),
                k1 = std::min(k0 + brick, lattice.size[2] - 1);
      for (int k = k0; k < k1; ++k) {
        for (int j = j0; j < j1; ++j) {
          for (int i = i0; i < i1; ++i) body(b, lattice.vertex(i, j, k));
        }
      }
    }
  }
};

/// Numbers of the nodes: an inside vertex is followed by the cut points on its edges, so a cut is found by counting
/// bits.
class Numbering {
 public:
  Numbering(const Lattice& lattice, const Bricks& bricks)
      : lattice_(lattice), mask_(lattice.sign.size(), 0), node_(lattice.sign.size(), -1) {
    std::vector<std::size_t> next(bricks.total() + 1, 0);
    bricks.run([&](int b, Vertex corner) {
      for (Vertex v = corner; v < corner + 2; ++v) next[b + 1] += classify(v);
    });
    for (std::size_t b = 1; b < next.size(); ++b) next[b] += next[b - 1];
    count_ = next.back();
    bricks.run([&](int b, Vertex corner) {
      for (Vertex v = corner; v < corner + 2; ++v) {
        const std::size_t own = size(v);
        if (own) node_[v] = static_cast<Index>(next[b]);
        next[b] += own;  // the entry of brick b is no longer needed by others
      }
    });
  }

  std::size_t count() const { return count_; }
  /// True for an outside vertex with a neighbour inside.
  bool beside_cut(Vertex v) const { return lattice_.sign[v] == Sign::outside && mask_[v] == used; }
  std::uint16_t cuts(Vertex v) const { return mask_[v]; }
  Index vertex(Vertex v) const { return node_[v]; }
  Index cut(Vertex v, int e) const { return node_[v] + 1 + std::popcount(std::uint32_t(mask_[v] & ((1u << e) - 1))); }

 private:
  static constexpr std::uint16_t used = 1u << 15;  ///< of a vertex not inside: a neighbour is
  std::size_t classify(Vertex v) {
    const bool in = lattice_.sign[v] == Sign::inside;
    std::uint16_t mask = 0;
    for (int e = 0; e < edges; ++e) {
      const Sign other = lattice_.sign[lattice_.neighbour(v, e)];
      if (in && other == Sign::outside) mask |= 1u << e;
      if (!in && other == Sign::inside) mask = used;
    }
    mask_[v] = mask;
    return size(v);
  }
  std::size_t size(Vertex v) const {
    if (lattice_.sign[v] == Sign::inside) return 1 + std::popcount(mask_[v]);
    return is_zero(lattice_.sign[v]) && mask_[v] == used ? 1 : 0;
  }

  const Lattice& lattice_;
  std::vector<std::uint16_t> mask_;
  std::vector<Index> node_;
  std::size_t count_ = 0;
};

/// Where the diagonal of a face with a short ++ edge ends.
enum class Diagonal : std::uint8_t { on_short_cut, on_long_cut };

Signs signs_of(const Lattice& lattice, const Shape& shape, Vertex corner) {
  Signs sign;
  for (int x = 0; x < 4; ++x) sign[x] = lattice.sign[corner + shape.vertex[x]];
  return sign;
}

/// The corners of one tet of the lattice; `diagonal(v)` is the choice made for outside vertex v.
template <class Choice>
struct Corners {
  const Lattice& lattice;
  const Numbering& numbering;
  const std::vector<Vec3>& points;
  const Choice& diagonal;
  const Shape& shape;
  Vertex corner;

  Vertex at(int x) const { return corner + shape.vertex[x]; }
  Index node(int x) const { return numbering.vertex(at(x)); }
  Index cut(int in, int out) const { return numbering.cut(at(in), shape.edge[in][out]); }
  double distance(Index a, Index b) const { return (points[a] - points[b]).squaredNorm(); }
  bool from_first(int p, int q, int m) const {
    const bool same = (at(p) & 1) == (at(q) & 1);
    if (!same) return ((at(q) & 1) == (at(m) & 1)) == (diagonal(at(m)) == Diagonal::on_long_cut);
    const double first = distance(node(p), cut(q, m)), second = distance(node(q), cut(p, m));
    return first != second ? first < second : at(p) < at(q);
  }
  int write(Tet* out) const { return Stencil(*this, points).write(signs_of(lattice, shape, corner), out); }
};

/// For each outside vertex next to the tissue, the diagonals around it that leave the better worst angle. Starts from
/// the long cuts, the safer choice, and only accepts what improves; vertices of one colour share no tet, so the result
/// does not depend on the number of threads.
std::vector<Diagonal> choose_diagonals(const Lattice& lattice, const Bricks& bricks, const Numbering& numbering,
                                       const std::vector<Vec3>& points) {
  std::vector<Diagonal> choice(lattice.sign.size(), Diagonal::on_long_cut);
  const std::array<std::array<Shape, 24>, 2> stars{star_tets(lattice, 0), star_tets(lattice, 1)};
  const auto worst_with = [&](Vertex v, Diagonal diagonal) {
    const auto chosen = [&](Vertex w) { return w == v ? diagonal : choice[w]; };
    double worst = 1;
    for (const Shape& shape : stars[v & 1]) {
      if (count_tets(signs_of(lattice, shape, v & ~Vertex(1))) < 2) continue;  // no diagonal
      std::array<Tet, 3> tets;
      const int n = Corners{lattice, numbering, points, chosen, shape, v & ~Vertex(1)}.write(tets.data());
      for (int t = 0; t < n; ++t) {
        const auto [a, b, c, d] = tets[t];
        worst = std::min(worst, worst_sine2(points[a], points[b], points[c], points[d]));
      }
    }
    return worst;
  };
  for (int turn = 0; turn < 8; ++turn) {  // two rounds over four colours: corner or centre, odd or even cell
    bricks.run([&](int, Vertex corner) {
      const Vertex v = corner + (turn & 1);
      if (!numbering.beside_cut(v) || lattice.parity(v) != (turn >> 1 & 1)) return;
      const Diagonal other = choice[v] == Diagonal::on_long_cut ? Diagonal::on_short_cut : Diagonal::on_long_cut;
      if (worst_with(v, other) > worst_with(v, choice[v])) choice[v] = other;
    });
  }
  return choice;
}

/// Positions of all nodes, and which of them lie on the surface.
void place_nodes(const Lattice& lattice, const Field& field, const Bricks& bricks, const Numbering& numbering,
                 Draft& draft) {
  draft.points.resize(numbering.count());
  draft.surface.assign(numbering.count(), 0);
  bricks.run([&](int, Vertex corner) {
    for (Vertex v = corner; v < corner + 2; ++v) {
      const Index own = numbering.vertex(v);
      if (own < 0) continue;
      const bool zero = is_zero(lattice.sign[v]);
      draft.points[own] = zero ? lattice.warped(field, v) : lattice.position(v);
      draft.surface[own] = zero;
      if (zero) continue;
      for (std::uint32_t rest = numbering.cuts(v); rest; rest &= rest - 1) {
        const int e = std::countr_zero(rest);
        const Index at = numbering.cut(v, e);
        draft.points[at] = lattice.cut(field, v, e);
        draft.surface[at] = 1;
      }
    }
  });
}

}  // namespace

Draft cut_lattice(const Lattice& lattice, const Field& field) {
  const Bricks bricks(lattice);
  const Numbering numbering(lattice, bricks);
  Draft draft;
  place_nodes(lattice, field, bricks, numbering, draft);
  const auto diagonals = choose_diagonals(lattice, bricks, numbering, draft.points);

  const auto shapes = cell_tets(lattice);
  std::vector<std::size_t> next(bricks.total() + 1, 0);
  bricks.run([&](int b, Vertex corner) {
    for (const auto& shape : shapes) next[b + 1] += count_tets(signs_of(lattice, shape, corner));
  });
  for (std::size_t b = 1; b < next.size(); ++b) next[b] += next[b - 1];
  draft.tets.resize(next.back());
  bricks.run([&](int b, Vertex corner) {
    const auto choice = [&](Vertex v) { return diagonals[v]; };
    for (const auto& shape : shapes) {
      const Corners corners{lattice, numbering, draft.points, choice, shape, corner};
      next[b] += corners.write(draft.tets.data() + next[b]);
    }
  });
  return draft;
}

}  // namespace cardiotwin::meshes::stuffing
