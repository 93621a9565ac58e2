#include <fmt/format.h>
#include <omp.h>

#include <Eigen/Geometry>
#include <cardiotwin/meshes/mesher.hpp>
#include <cmath>

#include "mesher_graded.hpp"
#include "mesher_labels.hpp"
#include "mesher_lattice.hpp"
#include "mesher_sizes.hpp"
#include "mesher_smooth.hpp"
#include "mesher_snap.hpp"

namespace cardiotwin::meshes {
namespace {

using namespace stuffing;

constexpr double tets_per_cell = 12;

void require_shape(const Grid& grid, std::size_t values, const char* who) {
  if (grid.count() == values && grid.size[0] > 0 && grid.size[1] > 0 && grid.size[2] > 0) return;
  throw InputError(fmt::format("mesher: {} must hold one value per voxel, but a grid of {} x {} x {} comes with {}",
                               who, grid.size[0], grid.size[1], grid.size[2], values));
}

/// Volume of {inside > 0} [mm3]; cells of eight voxels that the surface crosses are sampled 5 x 5 x 5.
double tissue_volume(const Image& inside, const Field& field, int threads) {
  const Grid& grid = inside.grid;
  const std::size_t dy = grid.size[0], dz = dy * grid.size[1];
  constexpr int fine = 5;
  std::vector<double> slab(grid.size[2], 0.0);
#pragma omp parallel for schedule(dynamic) num_threads(threads)
  for (int k = 0; k < grid.size[2] - 1; ++k) {
    std::size_t whole = 0, part = 0;
    for (int j = 0; j < grid.size[1] - 1; ++j) {
      for (int i = 0; i < grid.size[0] - 1; ++i) {
        const float* v = inside.values.data() + grid.offset(i, j, k);
        int in = 0;
        for (const std::size_t o : {std::size_t(0), std::size_t(1), dy, dy + 1, dz, dz + 1, dz + dy, dz + dy + 1})
          in += v[o] > 0;
        whole += in == 8;
        if (in == 0 || in == 8) continue;
        for (int s = 0; s < fine * fine * fine; ++s) {
          const Vec3 at(i + (s % fine + 0.5) / fine, j + (s / fine % fine + 0.5) / fine,
                        k + (s / (fine * fine) + 0.5) / fine);
          part += field(at.cwiseProduct(grid.spacing)) > 0;
        }
      }
    }
    slab[k] = whole + double(part) / (fine * fine * fine);
  }
  double sum = 0;
  for (const double s : slab) sum += s;
  return sum * grid.spacing.prod();
}

void check(const Image& inside, const Labels& labels, const MesherOptions& options) {
  if (!(options.edge >= 0.1 && options.edge <= 5)) {
    throw InputError(fmt::format("mesher: edge = {:.4g} mm is outside [0.1, 5]", options.edge));
  }
  if (options.smoothing < 0 || options.smoothing > 1000) {
    throw InputError(fmt::format("mesher: smoothing = {} sweeps is outside [0, 1000]", options.smoothing));
  }
  require_shape(inside.grid, inside.values.size(), "the tissue image");
  require_shape(labels.grid, labels.values.size(), "the label image");
  const auto& n = inside.grid.size;
  bool any = false;
  for (int k = 0; k < n[2]; ++k) {
    for (int j = 0; j < n[1]; ++j) {
      for (int i = 0; i < n[0]; ++i) {
        const float v = inside.values[inside.grid.offset(i, j, k)];
        if (!std::isfinite(v))
          throw InputError(fmt::format("mesher: the tissue image is not finite at voxel ({}, {}, {})", i, j, k));
        if (!(v > 0)) continue;
        any = true;
        if (i == 0 || j == 0 || k == 0 || i == n[0] - 1 || j == n[1] - 1 || k == n[2] - 1) {
          throw InputError(
              fmt::format("mesher: the tissue touches the edge of the image at voxel ({}, {}, {}); pad the image by "
                          "one voxel of background",
                          i, j, k));
        }
      }
    }
  }
  if (!any) throw InputError("mesher: there is no tissue, no voxel of the image is above 0");
}

double draft_volume(const Draft& draft) {
  double sum = 0;
  for (const Tet& t : draft.tets) {
    const Vec3& a = draft.points[t[0]];
    sum += (draft.points[t[1]] - a).cross(draft.points[t[2]] - a).dot(draft.points[t[3]] - a);
  }
  return sum / 6;
}

/// Says what was lost; throws InputError where little is left.
void judge(const LatticeReport& report, double mesh_volume, double tissue_volume, double edge, const Monitor& monitor) {
  if (report.dropped > 1e-3) {
    monitor.warn(fmt::format(
        "mesher: {:.2g} % of the tissue is not connected to its largest piece and was left out ({} pieces in all)",
        100 * report.dropped, report.components));
  }
  if (report.thin > 0.05) {
    monitor.warn(fmt::format(
        "mesher: {:.2g} % of the wall is thinner than two edges of {:.3g} mm and may have holes; choose a smaller edge",
        100 * report.thin, edge));
  }
  const double change = mesh_volume / tissue_volume - 1;
  if (report.dropped > 1e-3 || std::abs(change) < 0.02) return;
  if (change < -0.5) {
    throw InputError(
        fmt::format("mesher: edge = {:.3g} mm is too large for this tissue, {:.2g} % of its volume fall through the "
                    "lattice; choose a "
                    "smaller edge",
                    edge, -100 * change));
  }
  monitor.warn(
      fmt::format("mesher: the mesh has {:+.2g} % of the tissue's volume; choose a smaller edge", 100 * change));
}

/// Says which edges are made of those asked for.
void tell_sizes(const Sizes& sizes, double finest, const Monitor& monitor) {
  if (sizes.shortest == sizes.longest) return;
  std::string made = fmt::format("{:.2f}", finest);
  for (int level = 1; level <= sizes.levels; ++level)
    made += fmt::format("{}{:.2f}", level < sizes.levels ? ", " : " and ", std::ldexp(finest, level));
  monitor.tell(
      fmt::format("mesh: edges of {} mm for those of {:.2f} to {:.2f} mm asked for, because a lattice's sizes double",
                  made, sizes.shortest, sizes.longest));
}

/// About how many tets edges of these lengths take.
double tets_for(const Image& inside, const Image& edges) {
  double sum = 0;
  for (std::size_t v = 0; v < edges.values.size(); ++v) {
    if (inside.values[v] > 0) sum += std::pow(bcc_cell_per_edge * edges.values[v], -3);
  }
  return tets_per_cell * sum * inside.grid.spacing.prod();
}

/// From the image's frame to scanner coordinates.
Mesh to_scanner(Draft&& draft, std::vector<Label> labels, const Grid& grid) {
  for (Vec3& p : draft.points) p = grid.origin + grid.direction * p;
  if (grid.direction.determinant() < 0) {
    for (Tet& t : draft.tets) std::swap(t[2], t[3]);
  }
  return Mesh(std::move(draft.points), std::move(draft.tets), std::move(labels));
}

void require_tets(double tets, double edge) {
  if (tets <= 1.5e9) return;
  throw InputError(
      fmt::format("mesher: edge = {:.3g} mm would take about {:.2g} tets, more than the 1.5e9 that can be numbered; "
                  "choose a larger edge",
                  edge, tets));
}

/// What both lattices have in common once they are cut.
Mesh finish(Draft&& draft, const Image& inside, const Labels& labels, const MesherOptions& options, const Field& field,
            int threads, const Monitor& monitor) {
  const Regions regions(labels, inside.grid, threads);
  smooth(draft, field, options.edge, options.smoothing, 3, threads, monitor);
  auto label = label_tets(draft, regions, threads);
  if (options.snap) snap_interfaces(draft, label, field, regions, options.edge, threads, monitor);
  monitor.report("mesh", 1.0);
  return to_scanner(std::move(draft), std::move(label), inside.grid);
}

int thread_count(const MesherOptions& options) { return options.threads > 0 ? options.threads : omp_get_max_threads(); }

}  // namespace

Mesh stuff(const Image& inside, const Labels& labels, const MesherOptions& options, const Monitor& monitor) {
  check(inside, labels, options);
  const int threads = thread_count(options);
  const double cell = options.edge * bcc_cell_per_edge;
  const Field field(inside);
  const double volume = tissue_volume(inside, field, threads);
  require_tets(tets_per_cell * volume / (cell * cell * cell), options.edge);
  Draft draft;
  {
    LatticeReport report;
    const Lattice lattice = make_lattice(inside, field, cell, threads, report, monitor);
    draft = cut_lattice(lattice, field);
    judge(report, draft_volume(draft), volume, options.edge, monitor);
  }
  return finish(std::move(draft), inside, labels, options, field, threads, monitor);
}

Mesh stuff(const Image& inside, const Labels& labels, const Image& edges, const MesherOptions& options,
           const Monitor& monitor) {
  check(inside, labels, options);
  require_shape(edges.grid, edges.values.size(), "the image of edges");
  require_same_grid(inside.grid, edges.grid);
  if (!(options.grading >= 0.05 && options.grading <= 1))
    throw InputError(fmt::format("mesher: grading = {:.4g} mm per mm is outside [0.05, 1]", options.grading));
  const Sizes sizes = fit_sizes(inside, edges);
  MesherOptions finest = options;
  finest.edge = sizes.shortest == sizes.longest ? sizes.shortest : sizes.finest;
  tell_sizes(sizes, finest.edge, monitor);
  if (sizes.levels == 0) return stuff(inside, labels, finest, monitor);

  const int threads = thread_count(options);
  const Field field(inside);
  const double volume = tissue_volume(inside, field, threads);
  Draft draft;
  {
    GradedLattice lattice;
    {
      const Image limited = limit_growth(inside, edges, sizes.longest, options.grading);
      require_tets(tets_for(inside, limited), finest.edge);
      const Field wanted(limited);
      const Octree tree(inside, sizes.finest * bcc_cell_per_edge, sizes.levels, [&](const Vec3& p) {
        const double edge = wanted(p);
        return bcc_cell_per_edge * (edge > 0 ? edge : sizes.longest);
      });
      monitor.report("mesh: lattice", 0.05), monitor.poll();
      lattice = make_graded_lattice(tree);
    }
    monitor.report("mesh: lattice", 0.1), monitor.poll();
    LatticeReport report;
    const GradedCut cut = decide(std::move(lattice), field, threads, report, monitor);
    draft = cut_lattice(cut);
    judge(report, draft_volume(draft), volume, finest.edge, monitor);
  }
  return finish(std::move(draft), inside, labels, finest, field, threads, monitor);
}

}  // namespace cardiotwin::meshes
