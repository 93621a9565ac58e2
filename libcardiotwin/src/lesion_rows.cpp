// Lesions take tets out of a heart. Rather than assemble all anew, the rows that change are assembled on the tets
// around them.
#include <algorithm>

#include "operators.hpp"

namespace cardiotwin {
namespace {

/// Nodes by what lesions do to them.
struct Reach {
  std::vector<std::uint8_t> removed;  ///< per tet
  std::vector<std::uint8_t> changed;  ///< per node: its row does
  std::vector<Index> dead;            ///< no tet is left to them
};

Reach reach_of(const ActivePart& part, const std::vector<Lesion>& lesions, bool one_ring_more) {
  const std::size_t nodes = part.points.size();
  Reach r{.removed = std::vector<std::uint8_t>(part.tets.size(), 0), .changed = {}, .dead = {}};
  std::vector<std::uint8_t> touched(nodes, 0), alive(nodes, 0);
  for (std::size_t t = 0; t < part.tets.size(); ++t) {
    r.removed[t] = in_lesion(part, t, lesions);
    for (const Index node : part.tets[t]) (r.removed[t] ? touched : alive)[node] = 1;
  }
  r.changed = touched;
  if (one_ring_more) {
    for (const Tet& tet : part.tets)
      if (std::any_of(tet.begin(), tet.end(), [&](Index node) { return touched[node]; }))
        for (const Index node : tet) r.changed[node] = 1;
  }
  for (std::size_t i = 0; i < nodes; ++i)
    if (!alive[i]) r.dead.push_back(static_cast<Index>(i)), r.changed[i] = 0;
  return r;
}

/// The tets that are left around the changed nodes and their neighbours, renumbered in the same order.
ActivePart surroundings(const ActivePart& part, const Reach& reach, std::vector<Index>& local) {
  std::vector<std::uint8_t> near = reach.changed;
  for (std::size_t t = 0; t < part.tets.size(); ++t) {
    const Tet& tet = part.tets[t];
    if (!reach.removed[t] && std::any_of(tet.begin(), tet.end(), [&](Index node) { return reach.changed[node]; }))
      for (const Index node : tet) near[node] = 1;
  }
  ActivePart sub;
  sub.region_names = part.region_names;
  local.assign(part.points.size(), -1);
  for (std::size_t t = 0; t < part.tets.size(); ++t) {
    const Tet& tet = part.tets[t];
    if (reach.removed[t] || std::none_of(tet.begin(), tet.end(), [&](Index node) { return near[node]; })) continue;
    sub.tets.push_back(tet);
    sub.tet_region.push_back(part.tet_region[t]);
    sub.fiber.push_back(part.fiber[t]);
    for (const Index node : tet) local[node] = 0;
  }
  for (std::size_t i = 0; i < part.points.size(); ++i) {
    if (local[i] < 0) continue;
    local[i] = static_cast<Index>(sub.points.size());
    sub.points.push_back(part.points[i]);
  }
  for (Tet& tet : sub.tets)
    for (Index& node : tet) node = local[node];
  return sub;
}

}  // namespace

bool in_lesion(const ActivePart& part, std::size_t t, const std::vector<Lesion>& lesions) {
  const Tet& tet = part.tets[t];
  const Vec3 centroid = (part.points[tet[0]] + part.points[tet[1]] + part.points[tet[2]] + part.points[tet[3]]) / 4;
  return std::any_of(lesions.begin(), lesions.end(),
                     [&](const Lesion& l) { return (centroid - l.position).norm() <= l.radius; });
}

kernels::Variation rows_beside_lesions(const ActivePart& part, const Operators& whole, const Tissue& tissue,
                                       const Scheme& scheme, const std::vector<Lesion>& lesions) {
  if (lesions.empty()) return {};
  const bool nodal = whole.nodal;
  const Reach reach = reach_of(part, lesions, nodal);
  kernels::Variation result{.dead = reach.dead};
  std::vector<Index> local;
  const ActivePart sub = surroundings(part, reach, local);
  if (sub.tets.empty()) return result;
  Scheme same = scheme;
  same.ceiling = whole.ceiling;
  const Operators own = assemble_operators(sub, tissue, same);
  for (std::size_t i = 0; i < part.points.size(); ++i) {
    if (!reach.changed[i]) continue;
    kernels::OwnRow row{.node = static_cast<Index>(i)};
    const auto first = own.column.begin() + own.row_start[local[i]],
               last = own.column.begin() + own.row_start[local[i] + 1];
    for (Index k = whole.row_start[i]; k < whole.row_start[i + 1]; ++k) {
      const auto found = std::lower_bound(first, last, local[whole.column[k]]);
      const bool there = found != last && *found == local[whole.column[k]];
      const auto at = static_cast<std::size_t>(found - own.column.begin());
      row.diffusion.push_back(there ? own.diffusion[at] : 0.0);
      row.load.push_back(there ? own.load[at] : 0.0);
      if (!nodal) continue;
      row.gradient.push_back(there && own.nodal ? own.gradient[at] : 0.0);
      row.divergence.push_back(there && own.nodal ? own.divergence[at] : 0.0);
    }
    if (own.nodal) row.own_divergence = own.own_divergence[local[i]];
    result.rows.push_back(std::move(row));
  }
  return result;
}

}  // namespace cardiotwin
