#include "operators.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cardiotwin/ionic.hpp>
#include <cmath>

namespace cardiotwin {
namespace {

/// What assembly knows of the part.
struct Assembly {
  const ActivePart& part;
  const fem::Elements elements;
  const fem::Stars stars;
  std::vector<Conductivity> sigma;  ///< per region

  Assembly(const ActivePart& p, const Tissue& tissue)
      : part(p), elements(p.points, p.tets), stars(fem::stars(elements)) {
    for (const auto& name : p.region_names) sigma.push_back(tissue[name].conductivity);
  }
  const Conductivity& conductivity(std::size_t t) const { return sigma[part.tet_region[t]]; }
  Index nodes() const { return static_cast<Index>(part.points.size()); }
};

fem::Matrix p1_stiffness(const Assembly& a, bool along_too) {
  return fem::stiffness(a.elements, a.stars, [&](std::size_t t) -> Mat3 {
    const Conductivity& s = a.conductivity(t);
    return along_too ? tensor(s, a.part.fiber[t]) : Mat3(s.across * Mat3::Identity());
  });
}

/// Mean fibre around a node: the main axis of the sum of V (sigma_l - sigma_t) f f^T, which does not care for the signs
/// that fibres happen to have.
Vec3 nodal_fiber(const Assembly& a, Index i) {
  Mat3 sum = Mat3::Zero();
  for (Index k = a.stars.start[i]; k < a.stars.start[i + 1]; ++k) {
    const auto t = static_cast<std::size_t>(a.stars.tet[k]);
    const Conductivity& s = a.conductivity(t);
    sum += fem::gradients(a.elements, t).volume * (s.along - s.across) * a.part.fiber[t] * a.part.fiber[t].transpose();
  }
  const Eigen::SelfAdjointEigenSolver<Mat3> solver(sum);
  const Vec3 axis = solver.eigenvectors().col(2);
  return axis.dot(Vec3(0.83, 0.51, 0.22)) < 0 ? Vec3(-axis) : axis;  // the same sign wherever the fibre is the same
}

/// B of operators.hpp on the pattern of the stiffness, its diagonal included, and C.
struct NodalGradient {
  fem::Matrix b;
  std::vector<double> weight;  ///< C_i [mS mm2]
};

NodalGradient nodal_gradient(const Assembly& a, const fem::Matrix& like) {
  NodalGradient result{.b = like, .weight = std::vector<double>(a.part.points.size())};
  std::fill(result.b.value.begin(), result.b.value.end(), 0.0);
#pragma omp parallel for schedule(static) if (a.nodes() > fem::small)
  for (Index i = 0; i < a.nodes(); ++i) {
    const Vec3 fiber = nodal_fiber(a, i);
    double volume = 0, weight = 0;
    const Index first = result.b.start[i], last = result.b.start[i + 1];
    for (Index k = a.stars.start[i]; k < a.stars.start[i + 1]; ++k) {
      const auto t = static_cast<std::size_t>(a.stars.tet[k]);
      const fem::Gradients g = fem::gradients(a.elements, t);
      const Conductivity& s = a.conductivity(t);
      volume += g.volume;
      weight += g.volume / 4 * (s.along - s.across);
      for (int corner = 0; corner < 4; ++corner) {
        const auto at = std::lower_bound(result.b.column.begin() + first, result.b.column.begin() + last,
                                         a.elements.tets[t][corner]);
        result.b.value[at - result.b.column.begin()] += fiber.dot(g.scaled[corner]) / 6;
      }
    }
    for (Index k = first; k < last; ++k) result.b.value[k] /= volume;
    result.weight[i] = weight;
  }
  return result;
}

void keep_pattern(const fem::Matrix& m, Operators& o) {
  const auto nodes = static_cast<Index>(m.rows());
  o.row_start.resize(nodes + 1);
  for (Index i = 0; i <= nodes; ++i) o.row_start[i] = m.start[i] - i;  // every row above has lost its diagonal
  o.column.resize(m.column.size() - nodes);
  for (Index i = 0, to = 0; i < nodes; ++i)
    for (Index k = m.start[i]; k < m.start[i + 1]; ++k)
      if (m.column[k] != i) o.column[to++] = m.column[k];
}

/// out = f(row, place in m) off the diagonal.
template <class F>
std::vector<double> off_diagonal(const fem::Matrix& m, const F& f) {
  const auto nodes = static_cast<Index>(m.rows());
  std::vector<double> out(m.column.size() - nodes);
#pragma omp parallel for schedule(static) if (nodes > fem::small)
  for (Index i = 0; i < nodes; ++i) {
    Index to = m.start[i] - i;
    for (Index k = m.start[i]; k < m.start[i + 1]; ++k)
      if (m.column[k] != i) out[to++] = f(i, k);
  }
  return out;
}

void add_nodal_gradient(const Assembly& a, const fem::Matrix& like, const std::vector<double>& capacity, Operators& o) {
  const NodalGradient n = nodal_gradient(a, like);
  o.gradient = off_diagonal(n.b, [&](Index i, Index k) { return n.weight[i] * n.b.value[k]; });
  o.divergence = off_diagonal(n.b, [&](Index i, Index k) { return -n.b.at(n.b.column[k], i) / capacity[i]; });
  o.own_divergence.resize(a.part.points.size());
  for (Index i = 0; i < a.nodes(); ++i) o.own_divergence[i] = -n.b.at(i, i) / capacity[i];
}

/// That of the median row over capacity_scaling_floor, but not below the upper quartile of any region: where a mesh is
/// fine in a part of the heart, all its nodes are far above the median, and none of them is small for its place.
double natural_ceiling(std::vector<double> bound, const ActivePart& part) {
  const auto quantile = [](std::vector<double>& values, std::size_t at) {
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
    return values[at];
  };
  double ceiling = 0;
  for (std::size_t r = 0; r < part.region_names.size(); ++r) {
    std::vector<double> own;
    for (std::size_t i = 0; i < bound.size(); ++i) {
      if (part.region[i] == r) own.push_back(bound[i]);
    }
    if (!own.empty()) ceiling = std::max(ceiling, quantile(own, own.size() - 1 - own.size() / 4));
  }
  return std::max(ceiling, quantile(bound, bound.size() / 2) / capacity_scaling_floor);
}

/// Limits every row's bound to the ceiling, natural_ceiling where it is 0; sets stable_dt and what was added.
void scale_capacity(const std::vector<double>& lumped, const ActivePart& part, double ceiling, Operators& o) {
  const auto nodes = static_cast<Index>(lumped.size());
  std::vector<double> bound = row_bounds(o);
  if (ceiling == 0) ceiling = natural_ceiling(bound, part);
  o.ceiling = ceiling;
  double total = 0, added = 0, largest = 0;
  for (Index i = 0; i < nodes; ++i) {
    total += lumped[i];
    if (bound[i] > ceiling) {
      const double factor = ceiling / bound[i];
      for (Index k = o.row_start[i]; k < o.row_start[i + 1]; ++k) {
        o.diffusion[k] *= factor, o.load[k] *= factor;
        if (!o.divergence.empty()) o.divergence[k] *= factor;
      }
      if (!o.own_divergence.empty()) o.own_divergence[i] *= factor;
      o.capacity[i] /= factor;
      added += lumped[i] * (1 / factor - 1);
      bound[i] = ceiling;
    }
    if (bound[i] > largest) largest = bound[i], o.limiting_node = i;
  }
  o.stable_dt = largest > 0 ? 2.0 / largest : INFINITY;
  o.added_capacity = total > 0 ? added / total : 0;
}

}  // namespace

Mat3 tensor(const Conductivity& s, const Vec3& fiber) {
  return s.across * Mat3::Identity() + (s.along - s.across) * fiber * fiber.transpose();
}

BidomainRows bidomain_rows(const ActivePart& part, const Tissue& tissue, const std::vector<double>& capacity) {
  Assembly a(part, tissue);
  const fem::Matrix monodomain = p1_stiffness(a, true);
  // The intracellular conductivity that moves V as the monodomain's does along each axis.
  for (std::size_t r = 0; r < a.sigma.size(); ++r) {
    const RegionTissue& region = tissue[part.region_names[r]];
    a.sigma[r].along *= 1 + region.intracellular.along / region.extracellular.along;
    a.sigma[r].across *= 1 + region.intracellular.across / region.extracellular.across;
  }
  const fem::Matrix moving = p1_stiffness(a, true);
  for (std::size_t r = 0; r < a.sigma.size(); ++r) a.sigma[r] = tissue[part.region_names[r]].intracellular;
  BidomainRows result{.intracellular = {}, .beyond = {}, .carried = {}, .stiffness = p1_stiffness(a, true)};
  result.intracellular = off_diagonal(result.stiffness, [&](Index, Index k) { return -result.stiffness.value[k]; });
  result.carried = off_diagonal(moving, [&](Index i, Index k) { return -moving.value[k] / capacity[i]; });
  result.beyond =
      off_diagonal(moving, [&](Index i, Index k) { return (monodomain.value[k] - moving.value[k]) / capacity[i]; });
  return result;
}

std::vector<double> row_bounds(const Operators& o) {
  const auto nodes = static_cast<Index>(o.row_start.size()) - 1;
  std::vector<double> bound(nodes, 0.0), flow(o.gradient.empty() ? 0 : nodes);
  for (Index i = 0; i < nodes; ++i)
    for (Index k = o.row_start[i]; k < o.row_start[i + 1]; ++k) bound[i] += o.diffusion[k] + std::abs(o.diffusion[k]);
  if (flow.empty()) return bound;
  for (Index i = 0; i < nodes; ++i) {
    double own = 0, sum = 0;
    for (Index k = o.row_start[i]; k < o.row_start[i + 1]; ++k) own -= o.gradient[k], sum += std::abs(o.gradient[k]);
    flow[i] = sum + std::abs(own);
  }
  for (Index i = 0; i < nodes; ++i) {
    bound[i] += std::abs(o.own_divergence[i]) * flow[i];
    for (Index k = o.row_start[i]; k < o.row_start[i + 1]; ++k)
      bound[i] += std::abs(o.divergence[k]) * flow[o.column[k]];
  }
  return bound;
}

double coarsest_dt(std::string_view model, double stable_dt) {
  const double most = std::min(0.8 * ionic_model(model).coarsest_dt, 0.7 * stable_dt);
  for (const double parts : {5.0, 8.0, 10.0, 16.0, 20.0, 25.0, 32.0, 40.0, 50.0, 80.0, 100.0}) {
    if (1 / parts <= most * (1 + 1e-9)) return 1 / parts;
  }
  return 1 / std::ceil(1 / most);
}

Operators assemble_operators(const ActivePart& part, const Tissue& tissue, const Scheme& scheme) {
  const Assembly a(part, tissue);
  const std::vector<double> lumped = fem::lumped_mass(a.elements);
  std::vector<double> capacity;  // [uF]
  for (const double m : lumped) capacity.push_back(tissue.beta * tissue.capacitance * m);
  // Where all tissue is isotropic there is nothing for nodal gradients to do.
  const bool anisotropic =
      std::any_of(a.sigma.begin(), a.sigma.end(), [](const Conductivity& s) { return s.along != s.across; });
  const bool nodal = scheme.stiffness == Stiffness::nodal_gradient && anisotropic;
  Operators result;
  result.capacity = capacity;
  {
    const fem::Matrix k = p1_stiffness(a, !nodal);
    keep_pattern(k, result);
    result.diffusion = off_diagonal(k, [&](Index i, Index at) { return -k.value[at] / capacity[i]; });
    result.nodal = nodal;
    if (nodal) add_nodal_gradient(a, k, capacity, result);
  }
  if (scheme.ionic_load > 0) {
    const fem::Matrix m = fem::consistent_mass(a.elements, a.stars);
    result.load = off_diagonal(m, [&](Index i, Index at) { return scheme.ionic_load * m.value[at] / lumped[i]; });
  } else {
    result.load.assign(result.diffusion.size(), 0.0);
  }
  scale_capacity(lumped, part, scheme.ceiling, result);
  return result;
}

}  // namespace cardiotwin
