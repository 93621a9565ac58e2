#include "eikonal_start.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

namespace cardiotwin {
namespace {

// A straight way's time counts up to so many edges, from a position up to 2 mm at least: there the front has become
// flat enough for the mesh. Over one edge more the time is stretched, at last to twice: a node that comes within reach
// of a source that moves then does so at a time the mesh betters, and no time jumps.
constexpr double straight_edges = 2, straight_least = 2;

/// A straight way's beginning. Fibres and edge there are the mean of the corners', each weighted by the position, so
/// that they change continuously when the position moves from tet to tet.
struct Origin {
  Vec3 point;
  Label region;
  std::vector<Index> corner;
  std::vector<double> weight;
  std::vector<Vec3> slope;  ///< of the weights [1/mm]
  double radius = 0;
  double least = 0;  ///< of the straight part [mm]
  double edge = 0;   ///< [mm]
  Vec3 edge_slope = Vec3::Zero();
  Mat3 fibers = Mat3::Zero();
  double straight() const { return std::max(least, straight_edges * edge); }
  Vec3 straight_slope() const { return (straight_edges * edge > least ? straight_edges : 0.0) * edge_slope; }
  double reach() const { return radius + straight() + edge; }
};

class Starts {
 public:
  Starts(const EikonalHeart& heart, const std::array<Velocity, 256>& velocity) : heart_(heart), velocity_(velocity) {}

  void from_position(Index source, const ActivationSource& s, Index tet) {
    const Tet& corners = heart_.mesh.tets()[tet];
    const auto points = heart_.mesh.points();
    Mat3 edges;
    for (int k = 0; k < 3; ++k) edges.col(k) = points[corners[k + 1]] - points[corners[0]];
    const Mat3 inverse = edges.inverse();
    const Vec3 at = inverse * (*s.position - points[corners[0]]);
    std::vector<double> weight{1 - at.sum(), at[0], at[1], at[2]};
    std::vector<Vec3> slope{-inverse.colwise().sum().transpose()};
    for (int k = 0; k < 3; ++k) slope.push_back(inverse.row(k).transpose());
    if (*std::min_element(weight.begin(), weight.end()) < -1e-6) {  // outside: fibres as on the surface
      for (double& w : weight) w = std::max(w, 0.0);
      const double sum = std::accumulate(weight.begin(), weight.end(), 0.0);
      for (double& w : weight) w /= sum;
      slope.assign(4, Vec3::Zero());
    }
    spread(source, s.time,
           origin(*s.position, heart_.mesh.labels()[tet], {corners.begin(), corners.end()}, weight, slope, s.radius,
                  straight_least));
  }

  void from_nodes(Index source, const ActivationSource& s) {
    for (const Index node : std::set<Index>(s.nodes.begin(), s.nodes.end())) {
      std::set<Label> regions;
      for (const Index t : heart_.tets_at(node))
        if (const Label label = heart_.mesh.labels()[t]; velocity_[label].along > 0) regions.insert(label);
      for (const Label region : regions)
        spread(source, s.time, origin(heart_.mesh.points()[node], region, {node}, {1.0}, {Vec3::Zero()}, 0, 0));
    }
  }

  std::vector<EikonalStart> result() const {
    std::vector<EikonalStart> all;
    for (const auto& [node, start] : earliest_) all.push_back(start);
    return all;
  }

 private:
  /// The mean of f f^T over the region's tets at a node.
  const Mat3& fibers_at(Index node, Label region) {
    const auto [place, is_new] = fibers_.try_emplace({node, region}, Mat3::Zero());
    if (is_new) {
      double count = 0;
      for (const Index t : heart_.tets_at(node)) {
        if (heart_.mesh.labels()[t] != region) continue;
        place->second += heart_.fiber[t] * heart_.fiber[t].transpose(), ++count;
      }
      place->second /= std::max(count, 1.0);
    }
    return place->second;
  }

  Origin origin(const Vec3& point, Label region, std::vector<Index> corner, std::vector<double> weight,
                std::vector<Vec3> slope, double radius, double least) {
    Origin from{point, region, std::move(corner), std::move(weight), std::move(slope), radius, least};
    for (std::size_t k = 0; k < from.corner.size(); ++k) {
      const double edge = heart_.mean_edge_at({&from.corner[k], 1});
      from.edge += from.weight[k] * edge, from.edge_slope += edge * from.slope[k];
      from.fibers += from.weight[k] * fibers_at(from.corner[k], region);
    }
    return from;
  }

  /// To the nodes within reach that hang together in the origin's region.
  void spread(Index source, double time, const Origin& from) {
    const double reach = from.reach();
    std::set<Index> seen, reached(from.corner.begin(), from.corner.end());
    std::vector<Index> queue(from.corner.begin(), from.corner.end());
    while (!queue.empty()) {
      const Index node = queue.back();
      queue.pop_back();
      for (const Index t : heart_.tets_at(node)) {
        if (heart_.mesh.labels()[t] != from.region || !seen.insert(t).second) continue;
        for (const Index corner : heart_.mesh.tets()[t]) {
          if ((heart_.mesh.points()[corner] - from.point).norm() <= reach && reached.insert(corner).second)
            queue.push_back(corner);
        }
      }
    }
    for (const Index node : reached) keep(straight(source, time, from, node));
  }

  /// With e from the origin, A the mean of the fibres' f f^T at both ends and a = e . A e:
  /// t^2 = a / v_along^2 + (e^2 - a) / v_across^2; a ball's surface is |e| - radius away, as part of the way.
  EikonalStart straight(Index source, double time, const Origin& from, Index node) {
    EikonalStart start{.node = node, .source = source, .region = from.region, .time = time};
    const Vec3 e = heart_.mesh.points()[node] - from.point;
    const double length = e.norm();
    if (length <= from.radius || length == 0) return start;
    const Velocity& v = velocity_[from.region];
    const Mat3 fibers = 0.5 * (from.fibers + fibers_at(node, from.region));
    const double a = e.dot(fibers * e), slow = 1 / (v.across * v.across), gain = 1 / (v.along * v.along) - slow;
    const double whole = std::sqrt(slow * e.squaredNorm() + gain * a), part = 1 - from.radius / length;
    Vec3 whole_slope = -(slow * e + gain * (fibers * e)) / whole;
    for (std::size_t k = 0; k < from.corner.size(); ++k)
      whole_slope += 0.25 * gain / whole * e.dot(fibers_at(from.corner[k], from.region) * e) * from.slope[k];
    const Vec3 part_slope = -from.radius / (length * length * length) * e;
    const double beyond = std::max(0.0, (length - from.radius - from.straight()) / from.edge);
    const Vec3 beyond_slope = -(e / length + from.straight_slope() + beyond * from.edge_slope) / from.edge;
    const double stretch = 1 + beyond * beyond;
    const Vec3 stretch_slope = 2 * beyond * beyond_slope;
    start.time += stretch * part * whole;
    start.per_along = -stretch * part * a / (v.along * v.along * v.along * whole);
    start.per_across = -stretch * part * (e.squaredNorm() - a) / (v.across * v.across * v.across * whole);
    start.per_position = stretch * part * whole_slope + stretch * whole * part_slope + part * whole * stretch_slope;
    return start;
  }

  void keep(const EikonalStart& start) {
    const auto [place, is_new] = earliest_.try_emplace(start.node, start);
    if (!is_new && start.time < place->second.time) place->second = start;
  }

  const EikonalHeart& heart_;
  const std::array<Velocity, 256>& velocity_;
  std::map<std::pair<Index, Label>, Mat3> fibers_;
  std::map<Index, EikonalStart> earliest_;
};

}  // namespace

EikonalHeart::EikonalHeart(const Anatomy& anatomy)
    : mesh(anatomy.mesh), fiber(anatomy.fibers.f), regions(anatomy.regions), star_start(mesh.node_count() + 1, 0) {
  for (const Tet& tet : mesh.tets())
    for (const Index node : tet) ++star_start[node + 1];
  std::partial_sum(star_start.begin(), star_start.end(), star_start.begin());
  std::vector<Index> next(star_start.begin(), star_start.end() - 1);
  star.resize(4 * mesh.tet_count());
  for (std::size_t t = 0; t < mesh.tet_count(); ++t)
    for (const Index node : mesh.tets()[t]) star[next[node]++] = static_cast<Index>(t);
}

double EikonalHeart::mean_edge_at(std::span<const Index> nodes) const {
  double sum = 0, count = 0;
  for (const Index node : nodes) {
    for (const Index t : tets_at(node)) {
      const Tet& tet = mesh.tets()[t];
      for (int i = 0; i < 4; ++i)
        for (int j = i + 1; j < 4; ++j) sum += (mesh.points()[tet[i]] - mesh.points()[tet[j]]).norm(), ++count;
    }
  }
  return count > 0 ? sum / count : 0;
}

std::vector<EikonalStart> eikonal_starts(const EikonalHeart& heart, const std::array<Velocity, 256>& velocity,
                                         const std::vector<ActivationSource>& sources,
                                         const std::vector<Index>& holding) {
  Starts starts(heart, velocity);
  for (std::size_t s = 0; s < sources.size(); ++s) {
    const auto number = static_cast<Index>(s);
    holding[s] >= 0 ? starts.from_position(number, sources[s], holding[s]) : starts.from_nodes(number, sources[s]);
  }
  return starts.result();
}

}  // namespace cardiotwin
