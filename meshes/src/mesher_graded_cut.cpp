#include <Eigen/Geometry>
#include <algorithm>
#include <tuple>

#include "mesher_graded.hpp"
#include "mesher_quality.hpp"
#include "mesher_stencil.hpp"

namespace cardiotwin::meshes::stuffing {
namespace {

constexpr std::ptrdiff_t block = 4096;  // tets

/// How an outside vertex m ranks the vertices p, q inside around it: the first of two starts the diagonal in the face
/// p q m. By the length of their edges to m, either way; or the one that gives the shorter diagonal, which is not
/// always a ranking.
enum class Rank : std::uint8_t { short_first, long_first, short_diagonal };

class Cutter {
 public:
  explicit Cutter(const GradedCut& cut) : cut_(cut), tets_(cut.lattice.tets) {}

  Draft run() {
    number_nodes();
    rank_.assign(cut_.sign.size(), Rank::short_first);
    for (int round = 0; round < 2; ++round) choose_ranks();
    write_tets();
    return std::move(draft_);
  }

 private:
  /// One lattice tet, for the stencil.
  struct Corners {
    const Cutter& cutter;
    const Tet& tet;
    Index alone = -1;  ///< a vertex whose rank is tried
    Rank tried = Rank::short_first;

    Index node(int x) const { return cutter.node_[tet[x]]; }
    Index cut(int in, int out) const { return cutter.cut_node_[cutter.cut_.find(tet[in], tet[out])]; }
    bool from_first(int p, int q, int m) const {
      const Rank rank = tet[m] == alone ? tried : cutter.rank_[tet[m]];
      return cutter.comes_first(rank, tet[p], tet[q], tet[m]);
    }
  };

  bool comes_first(Rank rank, Index p, Index q, Index m) const {
    const auto& points = draft_.points;
    const Vec3 &cut_p = points[cut_node_[cut_.find(p, m)]], &cut_q = points[cut_node_[cut_.find(q, m)]];
    if (rank == Rank::short_diagonal) {
      const double first = (points[node_[p]] - cut_q).squaredNorm(), second = (points[node_[q]] - cut_p).squaredNorm();
      return first != second ? first < second : p < q;
    }
    const Vec3 outside = cut_.lattice.position(m);
    const auto key = [&](Index v, const Vec3& at) {
      return std::tuple((points[node_[v]] - outside).squaredNorm(), -(at - outside).squaredNorm(), v);
    };
    return (key(p, cut_p) < key(q, cut_q)) == (rank == Rank::short_first);
  }

  void number_nodes() {
    const auto count = static_cast<Index>(cut_.sign.size());
    std::vector<std::uint8_t> used(count, 0);  // zero vertices of tets that stay
    for (const Tet& t : tets_) {
      if (std::ranges::none_of(t, [&](Index v) { return cut_.sign[v] == Sign::inside; })) continue;
      for (const Index v : t) used[v] = 1;
    }
    node_.assign(count, -1);
    cut_node_.assign(cut_.crossing.size(), -1);
    const auto add = [&](const Vec3& p, bool surface, float edge) {
      draft_.points.push_back(p), draft_.surface.push_back(surface), draft_.edge.push_back(edge);
      return static_cast<Index>(draft_.points.size() - 1);
    };
    for (Index v = 0; v < count; ++v) {
      if (cut_.sign[v] == Sign::outside || !used[v]) continue;
      const bool zero = is_zero(cut_.sign[v]);
      node_[v] = add(cut_.position(v), zero, cut_.lattice.size[v]);
      if (zero) continue;
      for (Index c = cut_.row[v]; c < cut_.row[v + 1]; ++c) {
        const auto& crossing = cut_.crossing[c];
        if (cut_.sign[crossing.outside] != Sign::outside) continue;
        const float edge = std::min(cut_.lattice.size[v], cut_.lattice.size[crossing.outside]);
        cut_node_[c] = add(cut_.at(crossing), true, edge);
      }
    }
  }

  /// For each outside vertex next to the tissue, the rank that leaves the best worst angle around it, the others
  /// keeping theirs; all at once, so the result does not depend on the number of threads.
  void choose_ranks() {
    auto next = rank_;
    const auto count = static_cast<std::ptrdiff_t>(cut_.sign.size());
#pragma omp parallel for schedule(dynamic, 4096) num_threads(cut_.threads)
    for (std::ptrdiff_t v = 0; v < count; ++v) {
      const auto m = static_cast<Index>(v);
      if (cut_.sign[m] != Sign::outside || cut_.star_of(m).empty()) continue;
      double best = worst_with(m, rank_[m]);
      for (const Rank rank : {Rank::short_first, Rank::long_first, Rank::short_diagonal}) {
        if (rank == rank_[m]) continue;
        if (const double worst = worst_with(m, rank); worst > best) best = worst, next[m] = rank;
      }
    }
    rank_.swap(next);
  }
  /// Squared sine of the worst angle around an outside vertex; -1 where its rank is none.
  double worst_with(Index m, Rank rank) const {
    double worst = 1;
    for (const Index t : cut_.star_of(m)) {
      const Tet& tet = tets_[t];
      const auto sign = cut_.signs(tet);
      if (count_tets(sign) < 2) continue;  // no diagonal
      if (rank == Rank::short_diagonal && is_cyclic(tet, m)) return -1;
      std::array<Tet, 3> made;
      const Corners corners{*this, tet, m, rank};
      const int n = Stencil(corners, draft_.points).write(sign, made.data());
      for (int k = 0; k < n; ++k) worst = std::min(worst, quality(made[k]));
    }
    return worst;
  }
  bool is_cyclic(const Tet& tet, Index m) const {
    std::array<Index, 3> v{};
    int n = 0;
    for (const Index w : tet) {
      if (w == m) continue;
      if (cut_.sign[w] != Sign::inside) return false;
      v[n++] = w;
    }
    const bool ab = comes_first(Rank::short_diagonal, v[0], v[1], m),
               bc = comes_first(Rank::short_diagonal, v[1], v[2], m),
               ca = comes_first(Rank::short_diagonal, v[2], v[0], m);
    return ab == bc && bc == ca;
  }
  double quality(const Tet& t) const {
    const auto& p = draft_.points;
    return worst_sine2(p[t[0]], p[t[1]], p[t[2]], p[t[3]]);
  }

  void write_tets() {
    const auto count = static_cast<std::ptrdiff_t>(tets_.size()), blocks = (count + block - 1) / block;
    std::vector<std::size_t> next(blocks + 1, 0);
    const auto for_block = [&](std::ptrdiff_t b, const auto& body) {
      for (std::ptrdiff_t t = b * block; t < std::min(count, (b + 1) * block); ++t) body(tets_[t]);
    };
#pragma omp parallel for schedule(dynamic) num_threads(cut_.threads)
    for (std::ptrdiff_t b = 0; b < blocks; ++b) {
      for_block(b, [&](const Tet& t) { next[b + 1] += count_tets(cut_.signs(t)); });
    }
    for (std::ptrdiff_t b = 0; b < blocks; ++b) next[b + 1] += next[b];
    draft_.tets.resize(next.back());
#pragma omp parallel for schedule(dynamic) num_threads(cut_.threads)
    for (std::ptrdiff_t b = 0; b < blocks; ++b) {
      Tet* out = draft_.tets.data() + next[b];
      for_block(b, [&](const Tet& t) {
        const Corners corners{*this, t};
        out += Stencil(corners, draft_.points).write(cut_.signs(t), out);
      });
    }
  }

  const GradedCut& cut_;
  const std::vector<Tet>& tets_;
  std::vector<Index> node_, cut_node_;  // per vertex, per crossing
  std::vector<Rank> rank_;
  Draft draft_;
};

}  // namespace

Draft cut_lattice(const GradedCut& cut) { return Cutter(cut).run(); }

}  // namespace cardiotwin::meshes::stuffing
