#include "mesher_smooth.hpp"

#include <array>

#include "mesher_quality.hpp"

namespace cardiotwin::meshes::stuffing {
namespace {

constexpr std::size_t largest_star = 256;  // tets; stars of the stencils have at most about a hundred
constexpr double good_enough = 0.58;       // sin^2 of 50 degrees: stars better than this are left alone

/// Area-weighted middle of the surface triangles around `node`, moved back onto the zero of the field along its
/// gradient. A tet of the stencils has a surface face exactly where it has a single node inside.
Vec3 surface_centre(const Draft& draft, const Field& field, std::span<const Index> star, Index node, double reach) {
  const Vec3 own = draft.points[node];
  Vec3 sum = Vec3::Zero();
  double weight = 0;
  for (const Index t : star) {
    std::array<Vec3, 3> corner;
    int n = 0;
    for (const Index m : draft.tets[t]) {
      if (draft.surface[m] && n < 3) corner[n++] = draft.points[m];
    }
    if (n != 3) continue;
    const double area = (corner[1] - corner[0]).cross(corner[2] - corner[0]).norm();
    sum += area * (corner[0] + corner[1] + corner[2]);
    weight += area;
  }
  if (!(weight > 0)) return own;
  return project(field, sum / (3 * weight), reach);
}

std::size_t first_free(std::uint64_t used) { return static_cast<std::size_t>(std::countr_one(used)); }

}  // namespace

Vec3 project(const Field& field, Vec3 p, double reach) {
  Vec3 gradient;
  for (int step = 0; step < 3; ++step) {
    const double value = field(p, gradient);
    const double slope = gradient.squaredNorm();
    if (!(slope > 0)) break;
    Vec3 move = -(value / slope) * gradient;
    const double length = move.norm();
    if (length > reach) move *= reach / length;
    p += move;
    if (length < 1e-4 * reach) break;
  }
  return p;
}

std::vector<std::uint8_t> grow(const Draft& draft, std::vector<std::uint8_t> marked, int layers) {
  // `marked` holds the layer number plus one while growing, so that a layer does not feed on itself.
  for (int layer = 1; layer <= layers; ++layer) {
    for (const Tet& t : draft.tets) {
      bool touches = false;
      for (const Index n : t) touches |= marked[n] == layer;
      if (!touches) continue;
      for (const Index n : t) {
        if (!marked[n]) marked[n] = static_cast<std::uint8_t>(layer + 1);
      }
    }
  }
  return marked;
}

Stars make_stars(const Draft& draft, const std::vector<std::uint8_t>& active) {
  const std::size_t nodes = draft.points.size();
  std::vector<Index> count(nodes + 1, 0);
  for (const Tet& t : draft.tets) {
    for (const Index n : t) count[n] += active[n] ? 1 : 0;
  }
  // Compressed rows over all nodes first, to colour in node order.
  std::vector<Index> row(nodes + 1, 0);
  for (std::size_t n = 0; n < nodes; ++n) row[n + 1] = row[n] + count[n];
  std::vector<Index> tets(row[nodes]);
  std::fill(count.begin(), count.end(), 0);
  for (std::size_t t = 0; t < draft.tets.size(); ++t) {
    for (const Index n : draft.tets[t]) {
      if (active[n]) tets[row[n] + count[n]++] = static_cast<Index>(t);
    }
  }
  std::vector<std::uint8_t> colour(nodes, 255);
  std::vector<std::size_t> size;
  for (std::size_t n = 0; n < nodes; ++n) {
    if (!active[n]) continue;
    std::uint64_t used = 0;
    for (Index s = row[n]; s < row[n + 1]; ++s) {
      for (const Index m : draft.tets[tets[s]]) {
        if (colour[m] < 64) used |= std::uint64_t(1) << colour[m];
      }
    }
    colour[n] = static_cast<std::uint8_t>(first_free(used));
    if (colour[n] >= size.size()) size.resize(colour[n] + 1, 0);
    ++size[colour[n]];
  }
  Stars stars;
  stars.colour.assign(1, 0);
  for (const std::size_t s : size) stars.colour.push_back(stars.colour.back() + s);
  stars.node.resize(stars.colour.back());
  auto next = stars.colour;
  for (std::size_t n = 0; n < nodes; ++n) {
    if (active[n]) stars.node[next[colour[n]]++] = static_cast<Index>(n);
  }
  stars.start.assign(1, 0);
  stars.start.reserve(stars.node.size() + 1);
  stars.tet.reserve(tets.size());
  for (const Index n : stars.node) {
    stars.tet.insert(stars.tet.end(), tets.begin() + row[n], tets.begin() + row[n + 1]);
    stars.start.push_back(static_cast<Index>(stars.tet.size()));
  }
  return stars;
}

Mover::Mover(Draft& draft, const std::vector<std::uint8_t>& active, int threads)
    : draft_(draft), stars_(make_stars(draft, active)), quality_(draft.tets.size()), threads_(threads) {
  const auto count = static_cast<std::ptrdiff_t>(quality_.size());
#pragma omp parallel for num_threads(threads)
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    const Tet& t = draft.tets[i];
    quality_[i] =
        static_cast<float>(worst_sine2(draft.points[t[0]], draft.points[t[1]], draft.points[t[2]], draft.points[t[3]]));
  }
}

float Mover::worst(std::size_t slot) const {
  float result = 1;
  for (const Index t : star(slot)) result = std::min(result, quality_[t]);
  return result;
}

bool Mover::move(std::size_t slot, const Vec3& p, float floor) {
  const auto tets = star(slot);
  std::array<float, largest_star> each;
  if (tets.size() > each.size()) return false;
  const Index node = stars_.node[slot];
  for (std::size_t s = 0; s < tets.size(); ++s) {
    const Tet& t = draft_.tets[tets[s]];
    const auto at = [&](int c) -> const Vec3& { return t[c] == node ? p : draft_.points[t[c]]; };
    each[s] = static_cast<float>(worst_sine2(at(0), at(1), at(2), at(3)));
    if (!(each[s] > floor)) return false;
  }
  draft_.points[node] = p;
  for (std::size_t s = 0; s < tets.size(); ++s) quality_[tets[s]] = each[s];
  return true;
}

Vec3 Mover::centre(std::size_t slot) const {
  Vec3 sum = Vec3::Zero();
  double weight = 0;
  for (const Index s : star(slot)) {
    const Tet& t = draft_.tets[s];
    const Vec3 &a = draft_.points[t[0]], &b = draft_.points[t[1]], &c = draft_.points[t[2]], &d = draft_.points[t[3]];
    const double volume = (b - a).cross(c - a).dot(d - a);
    sum += volume * (a + b + c + d);
    weight += volume;
  }
  return sum / (4 * weight);
}

void smooth(Draft& draft, const Field& field, double edge, int sweeps, int layers, int threads,
            const Monitor& monitor) {
  if (sweeps <= 0) return;
  Mover mover(draft, grow(draft, draft.surface, layers), threads);
  const auto reach = [&](Index node) { return 0.5 * (draft.edge.empty() ? edge : draft.edge[node]); };
  for (int sweep = 0; sweep < sweeps; ++sweep) {
    mover.sweep([&](std::size_t slot, Index node, float worst) {
      if (worst > good_enough) return;
      mover.move(
          slot,
          draft.surface[node] ? surface_centre(draft, field, mover.star(slot), node, reach(node)) : mover.centre(slot),
          worst);
    });
    monitor.report("mesh: smoothing", 0.4 + 0.3 * (sweep + 1) / sweeps), monitor.poll();
  }
}

}  // namespace cardiotwin::meshes::stuffing
