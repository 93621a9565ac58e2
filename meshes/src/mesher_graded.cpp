#include "mesher_graded.hpp"

#include <Eigen/Geometry>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "mesher_quality.hpp"

namespace cardiotwin::meshes::stuffing {
namespace {

// Crossings closer to a vertex than this share of the edge pull the vertex onto the surface: the paper's for the edges
// along an axis and for those between centre and corner (table 1), and between them for edges across a face.
constexpr double long_threshold = 0.24999, short_threshold = 0.41189, diagonal_threshold = 0.3;
constexpr double least_sine2 = 0.0076;  // of 5 degrees: warps leave no lattice tet below

double threshold(const GradedLattice& lattice, Index a, Index b) {
  int along = 0;
  for (int d = 0; d < 3; ++d) along += lattice.place[a][d] != lattice.place[b][d];
  return along == 1 ? long_threshold : along == 3 ? short_threshold : diagonal_threshold;
}

/// Sets that are joined one by one.
class Joined {
 public:
  explicit Joined(std::size_t count) : up_(count) { std::iota(up_.begin(), up_.end(), 0); }
  Index of(Index a) {
    while (up_[a] != a) a = up_[a] = up_[up_[a]];
    return a;
  }
  void join(Index a, Index b) {
    a = of(a), b = of(b);
    if (a != b) up_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<Index> up_;
};

/// The triangles opposite a vertex in its tets, on vertices numbered from 0.
struct Link {
  std::vector<Index> vertex;
  std::vector<Triangle> triangle;

  Link(const GradedCut& cut, Index v) {
    for (const Index t : cut.star_of(v)) {
      Triangle corners{};
      int n = 0;
      for (const Index w : cut.lattice.tets[t]) {
        if (w == v) continue;
        const auto known = std::ranges::find(vertex, w);
        corners[n++] = static_cast<Index>(known - vertex.begin());
        if (known == vertex.end()) vertex.push_back(w);
      }
      triangle.push_back(corners);
    }
  }
};

/// True if the tissue around a zero vertex is a half ball (or a whole one, or nothing): on the link of the vertex both
/// the tissue and what is left must be connected. Otherwise surfaces would meet in the vertex or along one of its
/// edges.
bool is_manifold(const GradedCut& cut, Index v) {
  const Link link(cut, v);
  const auto nodes = static_cast<Index>(link.vertex.size()), triangles = static_cast<Index>(link.triangle.size());
  const auto is = [&](Index w, Sign s) { return cut.sign[link.vertex[w]] == s; };
  Joined parts(std::size_t(nodes) + triangles);
  std::vector<Index> empty;  // triangles without tissue
  bool open = false;
  for (Index t = 0; t < triangles; ++t) {
    const Triangle& c = link.triangle[t];
    bool kept = false;
    for (const Index w : c) kept |= is(w, Sign::inside), open |= is(w, Sign::outside);
    // Triangles around one inside vertex are joined by tissue, those around one outside vertex by what is left.
    for (const Sign s : {Sign::inside, Sign::outside}) {
      for (int m = 0; m < 3; ++m) {
        if (is(c[m], s) && is(c[(m + 1) % 3], s)) parts.join(c[m], c[(m + 1) % 3]);
      }
    }
    if (kept) continue;
    for (const Index w : c) {
      if (is(w, Sign::outside)) parts.join(w, nodes + t);
    }
    for (const Index other : empty) {
      int shared = 0;
      for (const Index w : link.triangle[other]) shared += std::ranges::find(c, w) != c.end();
      if (shared == 2) parts.join(nodes + t, nodes + other);
    }
    empty.push_back(t);
  }
  int tissue = 0, gaps = 0;
  for (Index w = 0; w < nodes; ++w) {
    tissue += is(w, Sign::inside) && parts.of(w) == w;
    gaps += is(w, Sign::outside) && parts.of(w) == w;
  }
  for (const Index t : empty) gaps += parts.of(nodes + t) == nodes + t;
  if (tissue == 0 || (!open && empty.empty())) return true;
  return tissue == 1 && gaps == 1;
}

void sign_vertices(GradedCut& cut, const Field& field) {
  const auto count = static_cast<std::ptrdiff_t>(cut.lattice.place.size());
  cut.sign.assign(count, Sign::outside);
#pragma omp parallel for schedule(static) num_threads(cut.threads)
  for (std::ptrdiff_t v = 0; v < count; ++v) {
    if (field(cut.lattice.position(static_cast<Index>(v))) > 0) cut.sign[v] = Sign::inside;
  }
  // Far from the tissue nothing is cut: only tets that touch one with a vertex inside are needed.
  std::vector<std::uint8_t> near(count, 0);
  const auto inside = [&](Index v) { return cut.sign[v] == Sign::inside; };
  for (const Tet& t : cut.lattice.tets) {
    if (std::ranges::any_of(t, inside)) {
      for (const Index v : t) near[v] = 1;
    }
  }
  std::erase_if(cut.lattice.tets,
                [&](const Tet& t) { return std::ranges::none_of(t, [&](Index v) { return near[v]; }); });
}

void find_crossings(GradedCut& cut, const Field& field) {
  std::vector<std::uint64_t> keys;
  for (const Tet& t : cut.lattice.tets) {
    for (const Index a : t) {
      if (cut.sign[a] != Sign::inside) continue;
      for (const Index b : t) {
        if (cut.sign[b] == Sign::outside) keys.push_back(std::uint64_t(a) << 32 | std::uint32_t(b));
      }
    }
  }
  std::ranges::sort(keys);
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  const auto count = static_cast<std::ptrdiff_t>(keys.size());
  cut.crossing.resize(count);
#pragma omp parallel for schedule(static) num_threads(cut.threads)
  for (std::ptrdiff_t c = 0; c < count; ++c) {
    const auto a = static_cast<Index>(keys[c] >> 32), b = static_cast<Index>(keys[c] & 0xffffffffu);
    const Vec3 from = cut.lattice.position(a), edge = cut.lattice.position(b) - from;
    // Bisection: the value at the middle decides, so a field that is only Lipschitz is enough.
    double in = 0, out = 1;
    for (int halving = 0; halving < 14; ++halving) {
      const double middle = 0.5 * (in + out);
      (field(from + middle * edge) > 0 ? in : out) = middle;
    }
    cut.crossing[c] = {a, b, static_cast<float>(0.5 * (in + out))};
  }
  cut.row.assign(cut.sign.size() + 1, 0);
  for (const auto& c : cut.crossing) ++cut.row[c.inside + 1];
  std::partial_sum(cut.row.begin(), cut.row.end(), cut.row.begin());
}

void warp_vertices(GradedCut& cut) {
  cut.warp.assign(cut.sign.size(), -1);
  std::vector<float> nearest(cut.sign.size(), INFINITY);
  for (std::size_t c = 0; c < cut.crossing.size(); ++c) {
    const auto [a, b, share] = cut.crossing[c];
    const double limit = threshold(cut.lattice, a, b);
    const auto length = static_cast<float>((cut.lattice.position(b) - cut.lattice.position(a)).norm());
    const auto consider = [&](Index v, float part) {
      if (part >= limit || part * length >= nearest[v]) return;
      nearest[v] = part * length, cut.warp[v] = static_cast<Index>(c);
    };
    consider(a, share), consider(b, 1 - share);
  }
  for (std::size_t v = 0; v < cut.sign.size(); ++v) {
    if (cut.warp[v] >= 0) cut.sign[v] = cut.sign[v] == Sign::inside ? Sign::zero_from_inside : Sign::zero_from_outside;
  }
}

void make_stars(GradedCut& cut) {
  const auto& tets = cut.lattice.tets;
  std::vector<std::uint8_t> beside(cut.sign.size(), 0);
  for (const auto& c : cut.crossing) beside[c.inside] = beside[c.outside] = 1;
  cut.star_row.assign(cut.sign.size() + 1, 0);
  for (const Tet& t : tets) {
    for (const Index v : t) cut.star_row[v + 1] += beside[v];
  }
  std::partial_sum(cut.star_row.begin(), cut.star_row.end(), cut.star_row.begin());
  cut.star.resize(cut.star_row.back());
  auto next = cut.star_row;
  for (std::size_t t = 0; t < tets.size(); ++t) {
    for (const Index v : tets[t]) {
      if (beside[v]) cut.star[next[v]++] = static_cast<Index>(t);
    }
  }
}

/// A zero vertex is in the way where surfaces would touch in it, or where a tet of its star, which counts if it has a
/// vertex inside, would be inverted or flat.
bool is_in_the_way(const GradedCut& cut, Index v) {
  if (!is_manifold(cut, v)) return true;
  for (const Index t : cut.star_of(v)) {
    const Tet& tet = cut.lattice.tets[t];
    if (std::ranges::none_of(tet, [&](Index w) { return cut.sign[w] == Sign::inside; })) continue;
    if (worst_sine2(cut.position(tet[0]), cut.position(tet[1]), cut.position(tet[2]), cut.position(tet[3])) <
        least_sine2)
      return true;
  }
  return false;
}

/// Puts such vertices back to where they came from. Their crossings are then held at the shortest distance the stencils
/// allow. Ends because every round leaves fewer zero vertices, and a lattice without any gives a manifold of good tets.
void repair(GradedCut& cut) {
  std::vector<Index> zero, bad;
  for (std::size_t v = 0; v < cut.sign.size(); ++v) {
    if (is_zero(cut.sign[v])) zero.push_back(static_cast<Index>(v));
  }
  do {
    std::vector<std::uint8_t> wrong(zero.size(), 0);
    const auto count = static_cast<std::ptrdiff_t>(zero.size());
#pragma omp parallel for schedule(dynamic, 1024) num_threads(cut.threads)
    for (std::ptrdiff_t z = 0; z < count; ++z) wrong[z] = is_in_the_way(cut, zero[z]);
    bad.clear();
    std::vector<Index> left;
    for (std::size_t z = 0; z < zero.size(); ++z) (wrong[z] ? bad : left).push_back(zero[z]);
    for (const Index v : bad) cut.sign[v] = cut.sign[v] == Sign::zero_from_inside ? Sign::inside : Sign::outside;
    zero.swap(left);
  } while (!bad.empty());
}

/// Turns all but the largest component (by inside vertices) into outside.
void keep_largest_component(GradedCut& cut, LatticeReport& report) {
  Joined pieces(cut.sign.size());
  const auto inside = [&](Index v) { return cut.sign[v] == Sign::inside; };
  for (const Tet& t : cut.lattice.tets) {
    const auto first = std::ranges::find_if(t, inside);
    if (first == t.end()) continue;
    for (const Index v : t) {
      if (cut.sign[v] != Sign::outside) pieces.join(*first, v);
    }
  }
  std::vector<std::size_t> weight(cut.sign.size(), 0);
  std::size_t all = 0;
  for (std::size_t v = 0; v < cut.sign.size(); ++v) {
    if (inside(static_cast<Index>(v))) ++weight[pieces.of(static_cast<Index>(v))], ++all;
  }
  if (all == 0) return;
  const auto best = static_cast<Index>(std::ranges::max_element(weight) - weight.begin());
  for (std::size_t v = 0; v < cut.sign.size(); ++v) {
    if (pieces.of(static_cast<Index>(v)) != best) cut.sign[v] = Sign::outside;
  }
  report.components = static_cast<int>(std::ranges::count_if(weight, [](std::size_t w) { return w > 0; }));
  report.inside = weight[best];
  report.dropped = 1.0 - double(weight[best]) / double(all);
}

/// Share of the inside vertices next to the surface that are alone between two surfaces: their neighbours not inside
/// fall into two groups that do not touch.
double thin_share(const GradedCut& cut) {
  std::size_t near = 0, thin = 0;
  const auto count = static_cast<std::ptrdiff_t>(cut.sign.size());
#pragma omp parallel for schedule(dynamic, 4096) num_threads(cut.threads) reduction(+ : near, thin)
  for (std::ptrdiff_t v = 0; v < count; ++v) {
    if (cut.sign[v] != Sign::inside || cut.star_row[v] == cut.star_row[v + 1]) continue;
    const Link link(cut, static_cast<Index>(v));
    const auto out = [&](Index w) { return cut.sign[link.vertex[w]] != Sign::inside; };
    Joined groups(link.vertex.size());
    for (const Triangle& c : link.triangle) {
      for (int m = 0; m < 3; ++m) {
        if (out(c[m]) && out(c[(m + 1) % 3])) groups.join(c[m], c[(m + 1) % 3]);
      }
    }
    int parts = 0;
    for (Index w = 0; w < static_cast<Index>(link.vertex.size()); ++w) parts += out(w) && groups.of(w) == w;
    near += parts > 0, thin += parts > 1;
  }
  return near ? double(thin) / double(near) : 0;
}

}  // namespace

Index GradedCut::find(Index inside, Index outside) const {
  Index c = row[inside];
  while (crossing[c].outside != outside) ++c;
  return c;
}

Vec3 GradedCut::at(const Crossing& c) const {
  const Vec3 from = lattice.position(c.inside), to = lattice.position(c.outside);
  double share = c.share;
  if (sign[c.inside] == Sign::inside && sign[c.outside] == Sign::outside) {
    const double least = threshold(lattice, c.inside, c.outside);
    share = std::clamp(share, least, 1 - least);
  }
  return from + share * (to - from);
}

Vec3 GradedCut::position(Index v) const { return is_zero(sign[v]) ? at(crossing[warp[v]]) : lattice.position(v); }

GradedCut decide(GradedLattice&& lattice, const Field& field, int threads, LatticeReport& report,
                 const Monitor& monitor) {
  GradedCut cut{.lattice = std::move(lattice), .threads = threads};
  sign_vertices(cut, field);
  monitor.report("mesh: lattice", 0.15), monitor.poll();
  find_crossings(cut, field);
  warp_vertices(cut);
  make_stars(cut);
  repair(cut);
  keep_largest_component(cut, report);
  if (report.inside == 0) {
    throw InputError(
        "mesher: the tissue is too thin for tets, no lattice vertex lies inside it; choose a smaller edge");
  }
  report.thin = thin_share(cut);
  monitor.report("mesh: lattice", 0.2), monitor.poll();
  return cut;
}

}  // namespace cardiotwin::meshes::stuffing
