// What the bidomain costs beside the monodomain, and the elliptic solver beside hypre's BoomerAMG on the same matrix.
#include <fmt/format.h>

#include <cardiotwin/cardiotwin.hpp>
#include <cardiotwin/kernels/elliptic.hpp>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "../libcardiotwin/src/conductor.hpp"
#include "../libcardiotwin/src/operators.hpp"
#ifdef CARDIOTWIN_HYPRE
#include "support/hypre.hpp"
#endif

using namespace cardiotwin;

namespace {

double seconds_of(const auto& f) {
  const auto before = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
}

/// A cube of the mesher's lattice with about so many nodes, a wave from its low end, fibres that turn across it.
Twin cube(double nodes, double edge) {
  const double cell = edge * bcc_cell_per_edge, side = cell * std::cbrt(nodes / 2);
  Twin twin;
  twin.anatomy.mesh = lattice_block(Vec3::Constant(side), edge);
  twin.anatomy.fibers = uniform_fibers(twin.anatomy.mesh, Vec3::UnitX());
  twin.anatomy.regions = {{region::healthy, "healthy"}};
  twin.tissue = Tissue::library("healthy-tt2006");
  for (std::size_t t = 0; t < twin.anatomy.mesh.tet_count(); ++t) {
    const double angle = 2 * twin.anatomy.mesh.centroid(t).z() / side - 1;
    twin.anatomy.fibers.f[t] = Vec3(std::cos(angle), std::sin(angle), 0);
    twin.anatomy.fibers.s[t] = Vec3(-std::sin(angle), std::cos(angle), 0);
  }
  return twin;
}

Protocol pulse(const Mesh& mesh) {
  Stimulus s;
  for (std::size_t i = 0; i < mesh.node_count(); ++i)
    if (mesh.points()[i].x() < 2) s.nodes.push_back(static_cast<Index>(i));
  return {.stimuli = {s}};
}

/// Seconds per simulated ms once the wave is under way.
double cost(const Twin& twin, const SimulationOptions& options, double duration, std::string& solves) {
  Simulation sim(twin, options);
  sim.add(pulse(twin.anatomy.mesh));
  sim.run(5);
  const auto before = sim.elliptic_work();
  const double seconds = seconds_of([&] { sim.run(duration); });
  const auto after = sim.elliptic_work();
  if (const auto count = after.solves - before.solves; count > 0)
    solves =
        fmt::format("{:.2f}", static_cast<double>(after.iterations - before.iterations) / static_cast<double>(count));
  return seconds / duration;
}

void run_rows(double nodes, double duration) {
  const Twin twin = cube(nodes, 0.35);
  for (const auto stiffness : {Stiffness::p1, Stiffness::nodal_gradient}) {
    SimulationOptions options{.dt = 0.02, .stiffness = stiffness};
    std::string solves;
    const double mono = cost(twin, options, duration, solves);
    options.model = TissueModel::bidomain;
    const double bi = cost(twin, options, duration, solves);
    fmt::print("| {} | {} | {:.3f} | {:.3f} | {:.2f} | {} |\n", twin.anatomy.mesh.node_count(),
               stiffness_name(stiffness), mono, bi, bi / mono, solves);
    std::fflush(stdout);
  }
}

void solver_rows(double nodes) {
  const Twin twin = cube(nodes, 0.35);
  const ActivePart part = active_part(twin);
  const ConductorSpace space(twin, part, nullptr);
  const Operators operators = assemble_operators(part, twin.tissue, {});
  const auto rows = bidomain_rows(part, twin.tissue, operators.capacity);
  const auto matrix = space.matrix(twin, rows.stiffness);
  // V of a wave: what the solver meets.
  std::vector<double> v(part.points.size()), b(v.size()), flow(v.size());
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = -85 + 100 / (1 + std::exp(3 * (part.points[i].norm() - 12)));
  rows.stiffness.multiply(v, flow);
  const auto& p = space.interpolation();
  for (std::size_t i = 0; i < v.size(); ++i) b[p.column[p.row_start[i]]] = -flow[i];
  std::shared_ptr<const kernels::Multigrid> grid;
  const double setup = seconds_of([&] { grid = std::make_shared<const kernels::Multigrid>(matrix); });
  std::string residuals;
  for (const auto real : {kernels::Real::fp32, kernels::Real::fp64}) {
    const auto solver = kernels::make_elliptic_solver(grid, 1, real, {});
    std::vector<double> x(b.size(), 0.0);
    kernels::Solved solved;
    solver->solve(b, x, 1e-8);
    std::fill(x.begin(), x.end(), 0.0);
    const double seconds = seconds_of([&] { solved = solver->solve(b, x, 1e-8)[0]; });
    fmt::print("| {} | ours, {} | {:.2f} | {:.3f} | {} | {:.1f} | {:.2f} |\n", matrix.rows(),
               real == kernels::Real::fp32 ? "fp32 matrix" : "fp64 matrix", setup, seconds, solved.iterations,
               1e9 * seconds / static_cast<double>(solved.iterations) / static_cast<double>(matrix.rows()),
               grid->operator_complexity());
  }
#ifdef CARDIOTWIN_HYPRE
  const auto other = bench::boomer_amg(matrix, b, 1e-8);
  fmt::print("| {} | BoomerAMG | {:.2f} | {:.3f} | {} | {:.1f} | |\n", matrix.rows(), other.setup, other.solve,
             other.iterations, 1e9 * other.solve / other.iterations / static_cast<double>(matrix.rows()));
#endif
  std::fflush(stdout);
}

}  // namespace

int main(int count, char** words) {
  const bool brief = count == 2 && std::strcmp(words[1], "--short") == 0;
  if (count > 1 && !brief) return fmt::print(stderr, "usage: benchmark_bidomain [--short]\n"), 2;
  fmt::print(
      "| nodes | diffusion | monodomain [s/ms] | bidomain [s/ms] | ratio | iterations per solve "
      "|\n|--|--|--|--|--|--|\n");
  run_rows(0.3e6, brief ? 2 : 10);
  if (!brief) run_rows(1e6, 5);
  fmt::print(
      "\n| rows | solver | set-up [s] | solve to 1e-8 [s] | iterations | ns per row and iteration | complexity |\n"
      "|--|--|--|--|--|--|--|\n");
  solver_rows(0.3e6);
  if (!brief) solver_rows(1e6);
}
