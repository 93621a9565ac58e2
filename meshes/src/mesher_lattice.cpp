#include "mesher_lattice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace cardiotwin::meshes::stuffing {
namespace {

// Cut points closer to a vertex than this share of the edge pull the vertex onto the surface (table 1 of the paper).
constexpr double long_threshold = 0.24999, short_threshold = 0.41189;
double threshold(int e) { return e < 6 ? long_threshold : short_threshold; }

using Vertex = Lattice::Vertex;

/// Runs body(vertex) over all vertices but those of the outermost cells, one slab of cells per task.
template <class Body>
void for_vertices(const Lattice& lattice, const Body& body) {
#pragma omp parallel for schedule(dynamic) num_threads(lattice.threads)
  for (int k = 1; k < lattice.size[2] - 1; ++k) {
    for (int j = 1; j < lattice.size[1] - 1; ++j) {
      const Vertex first = lattice.vertex(1, j, k), last = lattice.vertex(lattice.size[0] - 1, j, k);
      for (Vertex v = first; v < last; ++v) body(v, k);
    }
  }
}

/// The 24 triangles opposite a vertex in its tets, as edges of the vertex: one long, two short. Triangle t shares the
/// edge (a, b) with triangle `across`.
struct Link {
  struct Side {
    int across, a, b;
  };
  std::array<std::array<int, 3>, 24> triangle;
  std::array<std::array<Side, 3>, 24> side;

  Link() : triangle(tets_of_vertex()) {
    const auto has = [&](int s, int e) { return std::ranges::find(triangle[s], e) != triangle[s].end(); };
    for (int t = 0; t < 24; ++t) {
      for (int m = 0; m < 3; ++m) {
        const int a = triangle[t][m], b = triangle[t][(m + 1) % 3];
        for (int s = 0; s < 24; ++s) {
          if (s != t && has(s, a) && has(s, b)) side[t][m] = {s, a, b};
        }
      }
    }
  }
};

/// Parts into which `members` (a bit per triangle) fall when only sides accepted by `joined` connect.
template <class Joined>
int count_parts(const Link& link, std::uint32_t members, const Joined& joined) {
  int parts = 0;
  while (members) {
    ++parts;
    std::uint32_t front = members & (~members + 1);
    members &= ~front;
    while (front) {
      const int t = std::countr_zero(front);
      front &= front - 1;
      for (const auto& side : link.side[t]) {
        if ((members >> side.across & 1) && joined(t, side)) {
          members &= ~(1u << side.across);
          front |= 1u << side.across;
        }
      }
    }
  }
  return parts;
}

/// True if the tissue around a zero vertex is a half ball (or a whole one, or nothing): on the link of the vertex both
/// the tissue and what is left must be connected. Otherwise surfaces would meet in the vertex or along one of its
/// edges.
bool is_manifold(const Lattice& lattice, Vertex v, const Link& link) {
  std::array<Sign, edges> sign;
  for (int e = 0; e < edges; ++e) sign[e] = lattice.sign[lattice.neighbour(v, e)];
  std::uint32_t kept = 0, open = 0;
  for (int t = 0; t < 24; ++t) {
    bool in = false, out = false;
    for (const int e : link.triangle[t]) in |= sign[e] == Sign::inside, out |= sign[e] == Sign::outside;
    kept |= std::uint32_t(in) << t;
    open |= std::uint32_t(out || !in) << t;
  }
  if (kept == 0 || open == 0) return true;
  const auto tissue = [&](int, const Link::Side& s) { return sign[s.a] == Sign::inside || sign[s.b] == Sign::inside; };
  const auto gap = [&](int t, const Link::Side& s) {
    if (sign[s.a] == Sign::outside || sign[s.b] == Sign::outside) return true;
    return is_zero(sign[s.a]) && is_zero(sign[s.b]) && !(kept >> t & 1) && !(kept >> s.across & 1);
  };
  return count_parts(link, kept, tissue) == 1 && count_parts(link, open, gap) == 1;
}

/// Box of lattice cells around all voxels inside, two cells wider than the tissue can reach.
void place(Lattice& lattice, const Image& inside) {
  const auto& n = inside.grid.size;
  std::array<int, 3> low = n, high{-1, -1, -1};
  std::size_t at = 0;
  for (int k = 0; k < n[2]; ++k) {
    for (int j = 0; j < n[1]; ++j) {
      for (int i = 0; i < n[0]; ++i, ++at) {
        if (!(inside.values[at] > 0)) continue;
        const std::array<int, 3> p{i, j, k};
        for (int d = 0; d < 3; ++d) low[d] = std::min(low[d], p[d]), high[d] = std::max(high[d], p[d]);
      }
    }
  }
  for (int d = 0; d < 3; ++d) {
    const double spacing = inside.grid.spacing[d];
    lattice.low[d] = static_cast<int>(std::floor((low[d] - 1) * spacing / lattice.cell)) - 2;
    lattice.size[d] = static_cast<int>(std::ceil((high[d] + 1) * spacing / lattice.cell)) + 2 - lattice.low[d];
  }
  const std::array<Vertex, 3> stride{2, 2 * Vertex(lattice.size[0]), 2 * Vertex(lattice.size[0]) * lattice.size[1]};
  for (int d = 0; d < 3; ++d) {
    for (int type = 0; type < 2; ++type)
      lattice.step[type][2 * d] = stride[d], lattice.step[type][2 * d + 1] = -stride[d];
  }
  for (int bits = 0; bits < 8; ++bits) {
    Vertex to_centre = 1, to_corner = -1;
    for (int d = 0; d < 3; ++d) (bits >> d& 1 ? to_corner += stride[d] : to_centre -= stride[d]);
    lattice.step[0][6 + bits] = to_centre;
    lattice.step[1][6 + bits] = to_corner;
  }
}

/// The edge to the nearest cut that is too close to `v`, or `edges` if there is none.
int nearest_cut(const Lattice& lattice, const Field& field, Vertex v) {
  const Sign own = lattice.sign[v];
  int best = edges;
  double nearest = 1e300;
  for (int e = 0; e < edges; ++e) {
    const Vertex w = lattice.neighbour(v, e);
    if (lattice.sign[w] == own) continue;
    const double share = own == Sign::inside ? lattice.crossing(field, lattice.position(v), e)
                                             : 1 - lattice.crossing(field, lattice.position(w), opposite(e));
    const double distance = share * (e < 6 ? 1.0 : std::sqrt(0.75));
    if (share < threshold(e) && distance < nearest) nearest = distance, best = e;
  }
  return best;
}

void warp_vertices(Lattice& lattice, const Field& field) {
  lattice.warp.assign(lattice.sign.size(), edges);
  for_vertices(lattice,
               [&](Vertex v, int) { lattice.warp[v] = static_cast<std::uint8_t>(nearest_cut(lattice, field, v)); });
  for_vertices(lattice, [&](Vertex v, int) {
    if (lattice.warp[v] == edges) return;
    lattice.sign[v] = lattice.sign[v] == Sign::inside ? Sign::zero_from_inside : Sign::zero_from_outside;
  });
}

/// Puts zero vertices at which surfaces would touch back to where they came from. Their cut points are then held at the
/// shortest distance the stencils allow, so no angle suffers. Ends because every round leaves fewer zero vertices, and
/// a lattice without any gives a manifold.
void repair_pinches(Lattice& lattice) {
  const Link link;
  std::vector<std::vector<Vertex>> zero(lattice.size[2]);
  for_vertices(lattice, [&](Vertex v, int k) {
    if (is_zero(lattice.sign[v])) zero[k].push_back(v);
  });
  for (bool changed = true; changed;) {
    std::vector<std::vector<Vertex>> bad(lattice.size[2]);
#pragma omp parallel for schedule(dynamic) num_threads(lattice.threads)
    for (int k = 0; k < lattice.size[2]; ++k) {
      for (const Vertex v : zero[k]) {
        if (is_zero(lattice.sign[v]) && !is_manifold(lattice, v, link)) bad[k].push_back(v);
      }
    }
    changed = false;
    for (const auto& slab : bad) {
      for (const Vertex v : slab) {
        lattice.sign[v] = lattice.sign[v] == Sign::zero_from_inside ? Sign::inside : Sign::outside;
        changed = true;
      }
    }
  }
}

/// Turns all but the largest component (by inside vertices) into outside.
void keep_largest_component(Lattice& lattice, LatticeReport& report) {
  std::vector<Index> component(lattice.sign.size(), -1);
  std::vector<std::size_t> weight;
  std::vector<Vertex> stack;
  for (Vertex seed = 0; seed < Vertex(lattice.sign.size()); ++seed) {
    if (lattice.sign[seed] != Sign::inside || component[seed] >= 0) continue;
    const auto id = static_cast<Index>(weight.size());
    weight.push_back(0);
    component[seed] = id;
    stack.push_back(seed);
    while (!stack.empty()) {
      const Vertex v = stack.back();
      stack.pop_back();
      const bool in = lattice.sign[v] == Sign::inside;
      weight[id] += in;
      for (int e = 0; e < edges; ++e) {
        const Vertex w = lattice.neighbour(v, e);
        if (component[w] >= 0 || lattice.sign[w] == Sign::outside || !(in || lattice.sign[w] == Sign::inside)) continue;
        component[w] = id;
        stack.push_back(w);
      }
    }
  }
  if (weight.empty()) return;
  const auto best = static_cast<Index>(std::ranges::max_element(weight) - weight.begin());
  std::size_t all = 0;
  for (const auto w : weight) all += w;
  for_vertices(lattice, [&](Vertex v, int) {
    if (component[v] != best) lattice.sign[v] = Sign::outside;
  });
  report.components = static_cast<int>(weight.size());
  report.inside = weight[best];
  report.dropped = 1.0 - double(weight[best]) / double(all);
}

/// Share of the inside vertices next to the surface that are alone between two surfaces: their neighbours not inside
/// fall into two groups that do not touch.
double thin_share(const Lattice& lattice) {
  std::array<std::uint32_t, edges> beside{};  // neighbours that share a triangle of the link
  for (const auto& triangle : tets_of_vertex()) {
    for (const int a : triangle) {
      for (const int b : triangle) beside[a] |= 1u << b;
    }
  }
  std::vector<std::array<std::size_t, 2>> count(lattice.size[2], {0, 0});
  for_vertices(lattice, [&](Vertex v, int k) {
    if (lattice.sign[v] != Sign::inside) return;
    std::uint32_t out = 0;
    for (int e = 0; e < edges; ++e) out |= std::uint32_t(lattice.sign[lattice.neighbour(v, e)] != Sign::inside) << e;
    if (out == 0) return;
    std::uint32_t group = out & (~out + 1);
    for (std::uint32_t last = 0; group != last;) {
      last = group;
      for (std::uint32_t rest = last; rest; rest &= rest - 1) group |= beside[std::countr_zero(rest)] & out;
    }
    ++count[k][0];
    count[k][1] += group != out;
  });
  std::size_t near = 0, thin = 0;
  for (const auto& c : count) near += c[0], thin += c[1];
  return near ? double(thin) / double(near) : 0;
}

}  // namespace

std::array<std::array<int, 3>, 24> tets_of_vertex() {
  std::array<std::array<int, 3>, 24> all;
  int t = 0;
  for (int e = 0; e < 6; ++e) {
    const int d = e / 2, u = (d + 1) % 3, w = (d + 2) % 3, up = e % 2 == 0 ? 1 << d : 0;
    const std::array<int, 4> ring{0, 1 << u, (1 << u) | (1 << w), 1 << w};
    for (int m = 0; m < 4; ++m) all[t++] = {e, 6 + (up | ring[m]), 6 + (up | ring[(m + 1) % 4])};
  }
  return all;
}

Vec3 Lattice::position(Vertex v) const {
  const Vertex c = v / 2;
  const Vec3 corner(double(low[0] + c % size[0]), double(low[1] + c / size[0] % size[1]),
                    double(low[2] + c / (Vertex(size[0]) * size[1])));
  return cell * (corner.array() + (v & 1 ? 0.5 : 0.0)).matrix();
}

Vec3 Lattice::direction(int e) {
  if (e < 6) return (e % 2 ? -1.0 : 1.0) * Vec3::Unit(e / 2);
  const int bits = e - 6;
  return {bits & 1 ? 0.5 : -0.5, bits & 2 ? 0.5 : -0.5, bits & 4 ? 0.5 : -0.5};
}

double Lattice::crossing(const Field& field, const Vec3& from, int e) const {
  // Bisection: the value at the middle decides, so a field that is only Lipschitz is enough.
  const Vec3 edge = cell * direction(e);
  double in = 0, out = 1;
  for (int halving = 0; halving < 14; ++halving) {
    const double middle = 0.5 * (in + out);
    (field(from + middle * edge) > 0 ? in : out) = middle;
  }
  return 0.5 * (in + out);
}

Vec3 Lattice::cut(const Field& field, Vertex v, int e) const {
  const Vec3 from = position(v);
  const double share = std::clamp(crossing(field, from, e), threshold(e), 1 - threshold(e));
  return from + share * cell * direction(e);
}

Vec3 Lattice::warped(const Field& field, Vertex v) const {
  const int e = warp[v];
  if (sign[v] == Sign::zero_from_inside) {
    const Vec3 from = position(v);
    return from + crossing(field, from, e) * cell * direction(e);
  }
  const Vec3 from = position(neighbour(v, e));
  return from + crossing(field, from, opposite(e)) * cell * direction(opposite(e));
}

Lattice make_lattice(const Image& inside, const Field& field, double cell, int threads, LatticeReport& report,
                     const Monitor& monitor) {
  Lattice lattice;
  lattice.cell = cell;
  lattice.threads = threads;
  place(lattice, inside);
  lattice.sign.assign(2 * std::size_t(lattice.size[0]) * lattice.size[1] * lattice.size[2], Sign::outside);
  for_vertices(lattice, [&](Vertex v, int) {
    if (field(lattice.position(v)) > 0) lattice.sign[v] = Sign::inside;
  });
  monitor.report("mesh: lattice", 0.1), monitor.poll();
  warp_vertices(lattice, field);
  repair_pinches(lattice);
  keep_largest_component(lattice, report);
  if (report.inside == 0) {
    throw InputError(
        fmt::format("mesher: the tissue is too thin for tets, no lattice vertex at spacing {:.3g} mm lies inside it; "
                    "choose a smaller edge",
                    cell));
  }
  report.thin = thin_share(lattice);
  monitor.report("mesh: lattice", 0.2), monitor.poll();
  return lattice;
}

}  // namespace cardiotwin::meshes::stuffing
