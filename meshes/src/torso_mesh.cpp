// A mesh whose tets grow away from the heart, by the steps of the graded mesher without its limits.

#include <fmt/format.h>

#include <cardiotwin/error.hpp>
#include <cmath>

#include "mesher_graded.hpp"
#include "mesher_smooth.hpp"
#include "torso_parts.hpp"

namespace cardiotwin::meshes {
namespace {

constexpr double tets_per_cell = 12;
constexpr double most_tets = 1.5e9;    // that can be numbered
constexpr int sweeps = 5, layers = 3;  // of smoothing, as MesherOptions

double tets_for(const Image& inside, const Image& edges, double finest) {
  double sum = 0;
  for (std::size_t v = 0; v < edges.values.size(); ++v)
    if (inside.values[v] > 0) sum += std::pow(bcc_cell_per_edge * std::max<double>(finest, edges.values[v]), -3);
  return tets_per_cell * sum * inside.grid.spacing.prod();
}

}  // namespace

stuffing::Draft lattice_mesh(const Image& inside, const Image& edges, double finest, int levels, int threads,
                             const Monitor& monitor) {
  using namespace stuffing;
  if (const double tets = tets_for(inside, edges, finest); tets > most_tets)
    throw InputError(
        fmt::format("Torso: edges of {:.3g} mm would take about {:.2g} tets, more than the {:.2g} that can "
                    "be numbered; choose larger edges or a faster growth",
                    finest, tets, most_tets));
  const Field field(inside), wanted(edges);
  const double largest = std::ldexp(finest, levels);
  Draft draft;
  {
    GradedLattice lattice;
    {
      const Octree tree(inside, finest * bcc_cell_per_edge, levels, [&](const Vec3& p) {
        const double edge = wanted(p);
        return bcc_cell_per_edge * (edge > 0 ? edge : largest);
      });
      monitor.report("mesh: lattice", 0.05), monitor.poll();
      lattice = make_graded_lattice(tree);
    }
    LatticeReport report;
    draft = cut_lattice(decide(std::move(lattice), field, threads, report, monitor));
  }
  smooth(draft, field, finest, sweeps, layers, threads, monitor);
  for (Vec3& p : draft.points) p = inside.grid.origin + inside.grid.direction * p;
  return draft;
}

}  // namespace cardiotwin::meshes
