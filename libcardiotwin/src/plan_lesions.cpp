#include "plan_lesions.hpp"

#include <Eigen/LU>
#include <algorithm>
#include <cmath>

#include "reentry_graph.hpp"

namespace cardiotwin::study {
namespace {

constexpr double front_half_width = 4;  // [ms], of the wavefront that stands for the isthmus' cross-section
constexpr double averaging_radius = 4;  // [mm] around the isthmus' centre
constexpr double reach = 25;            // [mm] from the isthmus' centre
constexpr double left_open = 0.05;  // share of the cross-section that may stay uncovered: corners too thin to conduct
constexpr int most_balls = 4;

struct Patch {
  Vec3 point;
  double volume;
};

bool within(const Vec3& point, const std::vector<Lesion>& lesions) {
  return std::any_of(lesions.begin(), lesions.end(),
                     [&](const Lesion& l) { return (point - l.position).norm() < l.radius; });
}

/// The wavefront through the isthmus' centre: nodes activated together with the one nearest to it, and joined to it.
std::vector<Patch> cross_section(const Anatomy& anatomy, const Circuit& circuit, const std::vector<Lesion>& existing) {
  const ActivationHistory history{.end = circuit.cycle_length, .depth = 2, .lat = [&] {
                                    std::vector<double> lat;
                                    for (const double value : circuit.lat.values) lat.insert(lat.end(), {value, NAN});
                                    return lat;
                                  }()};
  const reentry::ActivationGraph graph(anatomy, history);
  Index seed = -1;
  double nearest = INFINITY;
  for (Index i = 0; i < Index(graph.size()); ++i)
    if (const double d = (graph.point(i) - circuit.isthmus).norm(); graph.volume(i) > 0 && d < nearest)
      nearest = d, seed = i;
  if (seed < 0) return {};
  // When the wave is at the centre itself: around it LATs are averaged, so that it does not matter which node is
  // nearest.
  const auto later = [&](Index i) {  // than the seed, on a circle of one cycle
    return std::remainder(graph.lat(i, 0) - graph.lat(seed, 0), circuit.cycle_length);
  };
  double sum = 0, weight = 0;
  for (Index i = 0; i < Index(graph.size()); ++i) {
    const double share = 1 - (graph.point(i) - circuit.isthmus).norm() / averaging_radius;
    if (!(share > 0 && graph.volume(i) > 0 && std::isfinite(later(i)))) continue;
    sum += graph.volume(i) * share * later(i);
    weight += graph.volume(i) * share;
  }
  const double passage = weight > 0 ? sum / weight : 0;
  const auto together = [&](Index i) {
    return std::abs(std::remainder(later(i) - passage, circuit.cycle_length)) <= front_half_width &&
           (graph.point(i) - circuit.isthmus).norm() <= reach;
  };
  std::vector<char> seen(graph.size(), 0);
  std::vector<Index> members{seed};
  seen[seed] = 1;
  std::vector<Patch> patches;
  for (std::size_t next = 0; next < members.size(); ++next) {
    const Index i = members[next];
    if (!within(graph.point(i), existing)) patches.push_back({graph.point(i), graph.volume(i)});
    for (const Index j : graph.neighbours(i))
      if (!seen[j] && together(j)) {
        seen[j] = 1;
        members.push_back(j);
      }
  }
  return patches;
}

/// `count` centres by Lloyd's iteration from farthest-point starts: deterministic, and the balls overlap as little as
/// they can.
std::vector<Vec3> centres(const std::vector<Patch>& patches, int count) {
  Vec3 mean = Vec3::Zero();
  double volume = 0;
  for (const auto& patch : patches) mean += patch.volume * patch.point, volume += patch.volume;
  mean /= volume;
  std::vector<Vec3> at;
  const auto nearest = [&](const Vec3& point) {
    return std::min_element(
               at.begin(), at.end(),
               [&](const Vec3& a, const Vec3& b) { return (a - point).squaredNorm() < (b - point).squaredNorm(); }) -
           at.begin();
  };
  if (count == 1) return {mean};
  at.push_back(std::max_element(patches.begin(), patches.end(), [&](const Patch& a, const Patch& b) {
                 return (a.point - mean).squaredNorm() < (b.point - mean).squaredNorm();
               })->point);
  while (int(at.size()) < count)
    at.push_back(std::max_element(patches.begin(), patches.end(), [&](const Patch& a, const Patch& b) {
                   return (a.point - at[nearest(a.point)]).squaredNorm() <
                          (b.point - at[nearest(b.point)]).squaredNorm();
                 })->point);
  for (int sweep = 0; sweep < 20; ++sweep) {
    std::vector<Vec3> sum(at.size(), Vec3::Zero());
    std::vector<double> weight(at.size(), 0);
    for (const auto& patch : patches) {
      const auto k = nearest(patch.point);
      sum[k] += patch.volume * patch.point;
      weight[k] += patch.volume;
    }
    for (std::size_t k = 0; k < at.size(); ++k)
      if (weight[k] > 0) at[k] = sum[k] / weight[k];
  }
  return at;
}

}  // namespace

std::vector<Lesion> lesions_across(const Anatomy& anatomy, const Circuit& circuit, double radius,
                                   const std::vector<Lesion>& existing) {
  const auto patches = cross_section(anatomy, circuit, existing);
  std::vector<Lesion> lesions;
  if (patches.empty()) return lesions;
  for (int count = 1; count <= most_balls; ++count) {
    lesions.clear();
    for (const Vec3& centre : centres(patches, count)) lesions.push_back({.position = centre, .radius = radius});
    double open = 0, all = 0;
    for (const auto& patch : patches) {
      all += patch.volume;
      if (!within(patch.point, lesions)) open += patch.volume;
    }
    if (open <= left_open * all) break;
  }
  return lesions;
}

double wall_thickness(const Anatomy& anatomy, const Vec3& place, double radius) {
  const Mesh& mesh = anatomy.mesh;
  if (anatomy.depth.size() != mesh.node_count()) return 0;
  double slope = 0, weight = 0;
  for (std::size_t t = 0; t < mesh.tet_count(); ++t) {
    if ((mesh.centroid(t) - place).norm() > radius) continue;
    const Tet& tet = mesh.tets()[t];
    Mat3 edges;
    Vec3 rise;
    for (int k = 0; k < 3; ++k) {
      edges.row(k) = (mesh.points()[tet[k + 1]] - mesh.points()[tet[0]]).transpose();
      rise[k] = anatomy.depth[tet[k + 1]] - anatomy.depth[tet[0]];
    }
    slope += mesh.volume(t) * (edges.inverse() * rise).norm();
    weight += mesh.volume(t);
  }
  return slope > 0 ? weight / slope : 0;
}

double ablated_volume(const Anatomy& anatomy, const std::vector<Lesion>& lesions) {
  double volume = 0;
  for (std::size_t t = 0; t < anatomy.mesh.tet_count(); ++t)
    if (anatomy.mesh.labels()[t] != region::core && within(anatomy.mesh.centroid(t), lesions))
      volume += anatomy.mesh.volume(t) / 1000;
  return volume;
}

}  // namespace cardiotwin::study
