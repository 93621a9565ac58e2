#include "operators.hpp"

#include <algorithm>
#include <cardiotwin/ionic.hpp>
#include <cmath>

namespace cardiotwin {
namespace {

fem::Matrix monodomain_stiffness(const fem::Elements& e, const fem::Stars& stars, const ActivePart& part,
                                 const Tissue& tissue, const Fibers& fibers) {
  std::vector<Conductivity> sigma;
  for (const auto& name : part.region_names) sigma.push_back(tissue[name].conductivity);
  return fem::stiffness(e, stars, [&](std::size_t t) -> Mat3 {
    const Conductivity& s = sigma[part.tet_region[t]];
    const Vec3& f = fibers.f[part.mesh_tet[t]];
    return s.across * Mat3::Identity() + (s.along - s.across) * f * f.transpose();
  });
}

/// Gershgorin bound of row i: its diagonal (minus the sum of the others, as rows of K sum to zero) plus the disc's
/// radius.
double row_bound(const Operators& o, Index i) {
  double bound = 0;
  for (Index k = o.row_start[i]; k < o.row_start[i + 1]; ++k) bound += o.diffusion[k] + std::abs(o.diffusion[k]);
  return bound;
}

/// Limits every row's bound to that of the median row over capacity_scaling_floor; sets stable_dt and what was added.
void scale_capacity(const std::vector<double>& lumped, Operators& o) {
  const auto nodes = static_cast<Index>(lumped.size());
  std::vector<double> bound(nodes);
  for (Index i = 0; i < nodes; ++i) bound[i] = row_bound(o, i);
  std::vector<double> sorted = bound;
  std::nth_element(sorted.begin(), sorted.begin() + nodes / 2, sorted.end());
  const double ceiling = sorted[nodes / 2] / capacity_scaling_floor;

  double total = 0, added = 0, largest = 0;
  for (Index i = 0; i < nodes; ++i) {
    total += lumped[i];
    if (bound[i] > ceiling) {
      const double factor = ceiling / bound[i];
      for (Index k = o.row_start[i]; k < o.row_start[i + 1]; ++k) o.diffusion[k] *= factor, o.load[k] *= factor;
      added += lumped[i] * (1 / factor - 1);
      bound[i] = ceiling;
    }
    if (bound[i] > largest) largest = bound[i], o.limiting_node = i;
  }
  o.stable_dt = largest > 0 ? 2.0 / largest : INFINITY;
  o.added_capacity = total > 0 ? added / total : 0;
}

}  // namespace

double coarsest_dt(std::string_view model, double stable_dt) {
  const double most = std::min(0.8 * ionic_model(model).coarsest_dt, 0.7 * stable_dt);
  for (const double parts : {5.0, 8.0, 10.0, 16.0, 20.0, 25.0, 32.0, 40.0, 50.0, 80.0, 100.0}) {
    if (1 / parts <= most * (1 + 1e-9)) return 1 / parts;
  }
  return 1 / std::ceil(1 / most);
}

Operators assemble_operators(const ActivePart& part, const Tissue& tissue, const Fibers& fibers, double ionic_load) {
  const fem::Elements elements(part.points, part.tets);
  const fem::Stars stars = fem::stars(elements);
  const std::vector<double> lumped = fem::lumped_mass(elements);
  const auto nodes = static_cast<Index>(part.points.size());
  Operators result;

  const auto keep_off_diagonal = [&](const fem::Matrix& m, std::vector<double>& out, double scale) {
    out.resize(m.column.size() - nodes);
#pragma omp parallel for schedule(static) if (nodes > fem::small)
    for (Index i = 0; i < nodes; ++i) {
      Index to = m.start[i] - i;  // every row above has lost its diagonal
      for (Index k = m.start[i]; k < m.start[i + 1]; ++k)
        if (m.column[k] != i) out[to++] = scale * m.value[k] / lumped[i];
    }
  };
  {
    const fem::Matrix k = monodomain_stiffness(elements, stars, part, tissue, fibers);
    keep_off_diagonal(k, result.diffusion, -1.0 / (tissue.beta * tissue.capacitance));
    result.row_start.resize(nodes + 1);
    for (Index i = 0; i <= nodes; ++i) result.row_start[i] = k.start[i] - i;
    result.column.resize(result.diffusion.size());
    for (Index i = 0, to = 0; i < nodes; ++i)
      for (Index e = k.start[i]; e < k.start[i + 1]; ++e)
        if (k.column[e] != i) result.column[to++] = k.column[e];
  }
  if (ionic_load > 0) {
    keep_off_diagonal(fem::consistent_mass(elements, stars), result.load, ionic_load);
  } else {
    result.load.assign(result.diffusion.size(), 0.0);
  }

  scale_capacity(lumped, result);
  return result;
}

}  // namespace cardiotwin
