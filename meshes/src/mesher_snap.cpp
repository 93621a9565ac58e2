#include "mesher_snap.hpp"

#include <Eigen/Geometry>
#include <algorithm>
#include <array>

namespace cardiotwin::meshes::stuffing {
namespace {

// No move may leave a dihedral angle below 15 degrees (or above 165), unless the star was worse before.
constexpr float snap_floor = 0.067f;   // sin^2 of 15 degrees
constexpr float good_enough = 0.41f;   // sin^2 of 40 degrees
constexpr int rounds = 3, sweeps = 3;  // labels are taken anew after every round

/// The labels that meet in a node; `second` is 0 where there is one, `more` says that there are three or more.
struct Meeting {
  Label first = 0, second = 0;
  bool more = false;
  void add(Label l) {
    if (first == 0) first = l;
    if (l == first || l == second) return;
    if (second == 0)
      second = l;
    else
      more = true;
  }
};

std::vector<Meeting> meetings(const Draft& draft, const std::vector<Label>& label) {
  std::vector<Meeting> result(draft.points.size());
  for (std::size_t t = 0; t < draft.tets.size(); ++t) {
    for (const Index n : draft.tets[t]) result[n].add(label[t]);
  }
  return result;
}

/// Step to where the fields of both labels are equal, along their difference's gradient; on the outer surface, along
/// it.
Vec3 step_to_interface(const Regions& regions, const Field& field, const Meeting& labels, const Vec3& p, bool surface,
                       double limit) {
  Vec3 gradient, normal;
  const double value = regions.difference(labels.first, labels.second, p, gradient);
  if (surface) {
    field(p, normal);
    if (const double n = normal.norm(); n > 0) gradient -= gradient.dot(normal) / (n * n) * normal;
  }
  const double slope = gradient.squaredNorm();
  if (!(slope * limit * limit > 1e-4)) return Vec3::Zero();
  Vec3 step = -(value / slope) * gradient;
  if (const double length = step.norm(); length > limit) step *= limit / length;
  return step;
}

/// Gives tets that stick out of their region, with three or four faces to one other label, that label: a spike cannot
/// be flattened without crushing it.
void remove_spikes(const Draft& draft, std::vector<Label>& label) {
  const auto meeting = meetings(draft, label);
  struct Face {
    Triangle nodes;
    Index tet;
    bool operator<(const Face& o) const { return nodes != o.nodes ? nodes < o.nodes : tet < o.tet; }
  };
  std::vector<Face> faces;
  for (std::size_t t = 0; t < draft.tets.size(); ++t) {
    int between = 0;
    for (const Index n : draft.tets[t]) between += meeting[n].second != 0;
    if (between < 3) continue;
    for (int skip = 0; skip < 4; ++skip) {
      Triangle nodes{};
      for (int c = 0, m = 0; c < 4; ++c) {
        if (c != skip) nodes[m++] = draft.tets[t][c];
      }
      std::ranges::sort(nodes);
      faces.push_back({nodes, static_cast<Index>(t)});
    }
  }
  std::ranges::sort(faces, std::less<>{});
  std::vector<std::pair<Index, Label>> across;  // tet, label on the other side of one of its faces
  for (std::size_t f = 0; f + 1 < faces.size(); ++f) {
    if (faces[f].nodes != faces[f + 1].nodes) continue;
    const Index a = faces[f].tet, b = faces[f + 1].tet;
    if (label[a] != label[b]) across.emplace_back(a, label[b]), across.emplace_back(b, label[a]);
  }
  std::ranges::sort(across);
  for (std::size_t i = 0; i + 2 < across.size(); ++i) {
    if (across[i] == across[i + 2]) label[across[i].first] = across[i].second;
  }
}

}  // namespace

std::vector<Label> label_tets(const Draft& draft, const Regions& regions, int threads) {
  std::vector<Label> label(draft.tets.size());
  const auto count = static_cast<std::ptrdiff_t>(label.size());
#pragma omp parallel for num_threads(threads)
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    const Tet& t = draft.tets[i];
    label[i] = regions.at(0.25 * (draft.points[t[0]] + draft.points[t[1]] + draft.points[t[2]] + draft.points[t[3]]));
  }
  return label;
}

void snap_interfaces(Draft& draft, std::vector<Label>& label, const Field& field, const Regions& regions, double edge,
                     int threads, const Monitor& monitor) {
  if (regions.single()) return;
  for (int round = 0; round < rounds; ++round) {
    remove_spikes(draft, label);
    const auto meeting = meetings(draft, label);
    std::vector<std::uint8_t> active(draft.points.size());
    for (std::size_t n = 0; n < active.size(); ++n) active[n] = meeting[n].second != 0;
    Mover mover(draft, grow(draft, active, 1), threads);
    for (int sweep = 0; sweep < sweeps; ++sweep) {
      mover.sweep([&](std::size_t slot, Index node, float worst) {
        const Meeting& labels = meeting[node];
        const Vec3 from = draft.points[node];
        const bool surface = draft.surface[node];
        if (labels.second == 0) {
          if (!surface && worst < good_enough) mover.move(slot, mover.centre(slot), worst);
          return;
        }
        if (labels.more) return;
        const double reach = 0.4 * (draft.edge.empty() ? edge : draft.edge[node]);
        const Vec3 step = step_to_interface(regions, field, labels, from, surface, reach);
        for (double share = 1; share > 0.2; share *= 0.5) {
          Vec3 goal = from + share * step;
          if (surface) goal = project(field, goal, reach);
          if (mover.move(slot, goal, std::min(worst, snap_floor))) break;
        }
      });
    }
    label = label_tets(draft, regions, threads);
    monitor.report("mesh: interfaces", 0.75 + 0.2 * (round + 1) / rounds), monitor.poll();
  }
  remove_spikes(draft, label);
}

}  // namespace cardiotwin::meshes::stuffing
