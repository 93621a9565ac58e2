#include "operators.hpp"

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

}  // namespace

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

  double largest = 0;
  for (Index i = 0; i < nodes; ++i) {
    double row = 0;  // diagonal (= minus the sum of the others, as rows of K sum to zero) plus the disc's radius
    for (Index k = result.row_start[i]; k < result.row_start[i + 1]; ++k)
      row += result.diffusion[k] + std::abs(result.diffusion[k]);
    if (row > largest) largest = row, result.limiting_node = i;
  }
  result.stable_dt = largest > 0 ? 2.0 / largest : INFINITY;
  return result;
}

}  // namespace cardiotwin
