#pragma once
/// What is left of one lattice tet. With inside (+), zero and outside (-) vertices its + part is
///   no -         the whole tet
///   one +        one tet, each - replaced by the cut point on its edge to +
///   ++0-         a pyramid, two tets
///   +++-, ++--   a prism, three tets
/// The quadrilateral in a lattice face p q m (++-) is shared by two tets, so its diagonal must follow from the face
/// alone. The three diagonals of +++- must not form a cycle, which holds whenever each outside vertex m ranks the
/// vertices around it. The free quadrilateral of ++-- takes the shorter diagonal unless the other two force one.

#include <algorithm>

#include "mesher_lattice.hpp"

namespace cardiotwin::meshes::stuffing {

using Signs = std::array<Sign, 4>;

/// Tets that a lattice tet leaves.
inline int count_tets(const Signs& sign) {
  int in = 0, out = 0;
  for (const Sign s : sign) in += s == Sign::inside, out += s == Sign::outside;
  if (in == 0) return 0;
  return out == 0 || in == 1 ? 1 : in == 2 && out == 1 ? 2 : 3;
}

/// Cuts one lattice tet. `Corners` knows its corners 0..3, in the order of a positive volume: node(x) is the number of
/// a corner's node, cut(in, out) that of a cut point, from_first(p, q, m) says whether the diagonal in the face of the
/// + vertices p, q and the - vertex m joins p to the cut on q m.
template <class Corners>
class Stencil {
 public:
  Stencil(const Corners& corners, const std::vector<Vec3>& points) : corners_(corners), points_(points) {}

  /// Writes the tets to `out` and returns how many.
  int write(const Signs& sign, Tet* out) {
    out_ = out, written_ = 0;
    std::array<int, 4> order{};  // + first, then zero, then -
    int n = 0, in = 0, minus = 0;
    for (int x = 0; x < 4; ++x) {
      if (sign[x] == Sign::inside) order[n++] = x, ++in;
    }
    if (in == 0) return 0;
    for (int x = 0; x < 4; ++x) {
      if (is_zero(sign[x])) order[n++] = x;
    }
    for (int x = 0; x < 4; ++x) {
      if (sign[x] == Sign::outside) order[n++] = x, ++minus;
    }
    flip_ = odd(order);
    const auto [a, b, c, d] = order;
    if (minus == 0) {
      emit(node(a), node(b), node(c), node(d));
    } else if (in == 1) {
      emit(node(a), minus == 3 ? cut(a, b) : node(b), minus >= 2 ? cut(a, c) : node(c), cut(a, d));
    } else if (in == 2 && minus == 1) {
      pyramid(a, b, c, d);
    } else if (in == 3) {
      prism_3(a, b, c, d);
    } else {
      prism_2(a, b, c, d);
    }
    return written_;
  }

 private:
  static bool odd(const std::array<int, 4>& order) {
    int inversions = 0;
    for (int x = 0; x < 4; ++x) {
      for (int y = x + 1; y < 4; ++y) inversions += order[x] > order[y];
    }
    return inversions % 2;
  }
  Index node(int x) const { return corners_.node(x); }
  Index cut(int in, int out) const { return corners_.cut(in, out); }
  bool from_first(int p, int q, int m) const { return corners_.from_first(p, q, m); }
  double distance(Index a, Index b) const { return (points_[a] - points_[b]).squaredNorm(); }
  /// `a b c d` is oriented as the lattice tet in the order + 0 -.
  void emit(Index a, Index b, Index c, Index d) { out_[written_++] = flip_ ? Tet{a, b, d, c} : Tet{a, b, c, d}; }

  void pyramid(int p, int q, int z, int m) {
    if (from_first(p, q, m)) {
      emit(node(p), node(q), node(z), cut(q, m));
      emit(node(p), cut(q, m), node(z), cut(p, m));
    } else {
      emit(node(p), node(q), node(z), cut(p, m));
      emit(cut(p, m), node(q), node(z), cut(q, m));
    }
  }
  void prism_3(int p, int q, int r, int m) {
    // Sort so that each diagonal starts in the earlier vertex; possible because the three never form a cycle.
    const auto swap = [&](int& x, int& y) {
      if (!from_first(x, y, m)) std::swap(x, y), flip_ = !flip_;
    };
    swap(p, q), swap(q, r), swap(p, q);
    emit(node(p), node(q), node(r), cut(r, m));
    emit(node(p), node(q), cut(r, m), cut(q, m));
    emit(node(p), cut(q, m), cut(r, m), cut(p, m));
  }
  void prism_2(int p, int q, int m, int n) {
    bool at_m = from_first(p, q, m), at_n = from_first(p, q, n);
    if (!at_m) std::swap(p, q), flip_ = !flip_, at_m = true, at_n = !at_n;
    const Index pm = cut(p, m), pn = cut(p, n), qm = cut(q, m), qn = cut(q, n);
    if (!at_n) {  // p - qm and q - pn leave only pn - qm
      emit(node(p), qm, pm, pn);
      emit(node(p), node(q), qm, pn);
      emit(pn, node(q), qm, qn);
      return;
    }
    emit(node(p), node(q), qm, qn);
    if (distance(pm, qn) < distance(pn, qm)) {
      emit(node(p), qm, pm, qn);
      emit(node(p), qn, pm, pn);
    } else {
      emit(node(p), qm, pm, pn);
      emit(node(p), qm, pn, qn);
    }
  }

  const Corners& corners_;
  const std::vector<Vec3>& points_;
  Tet* out_ = nullptr;
  int written_ = 0;
  bool flip_ = false;
};

}  // namespace cardiotwin::meshes::stuffing
