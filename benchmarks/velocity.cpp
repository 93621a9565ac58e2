// What velocities a mesh of a given edge can carry, with either stiffness: fits tissue on lattice blocks of several
// edges and prints Markdown. `cardiotwin check` measures the same for a twin's own tissue and edge.
//   benchmark_velocity > benchmarks/results/velocity_by_edge.md
#include <fmt/core.h>

#include <cardiotwin/calibration.hpp>

using namespace cardiotwin;

namespace {

constexpr double limit = 0.1;
SimulationOptions options(Stiffness stiffness, double edge) {
  return {.dt = edge < 0.5 ? 0.02 : 0.05, .stiffness = stiffness};
}
constexpr Stiffness both[] = {Stiffness::p1, Stiffness::nodal_gradient};
const std::vector<double> edges = {0.8, 1.0, 1.2, 1.5};

Twin cube(const Tissue& tissue, double edge) {
  Twin twin;
  twin.anatomy.mesh = lattice_block(Vec3::Constant(16 * edge), edge);
  twin.anatomy.fibers = uniform_fibers(twin.anatomy.mesh);
  twin.anatomy.regions[region::healthy] = "healthy";
  twin.tissue = tissue;
  return twin;
}

std::string percent(double value, double wanted) { return fmt::format("{:+.1f} %", 100 * (value / wanted - 1)); }

void library_table() {
  fmt::print(
      "## The library's \"post-infarct\", P1\n\n"
      "| edge [mm] | region | axis | wanted [m/s] | sigma before [S/m] | fitted [S/m] | mean | slowest | fastest | "
      "within {:.0f} % |\n"
      "|---|---|---|---|---|---|---|---|---|---|\n",
      100 * limit);
  for (const double edge : edges) {
    const Calibration fit =
        calibrate(cube(Tissue::library("post-infarct"), edge), {}, options(Stiffness::p1, edge), limit);
    for (const auto& row : fit.axes)
      fmt::print("| {:.1f} | {} | {} | {:.2f} | {:.4f} | {:.4f} | {} | {} | {} | {} |\n", edge, row.region,
                 row.axis == Axis::along ? "along" : "across", row.wanted, row.before, row.conductivity,
                 percent(row.reached.mean, row.wanted), percent(row.reached.low, row.wanted),
                 percent(row.reached.high, row.wanted), row.within_limit ? "yes" : row.why);
  }
}

std::string spread(const std::string& library, double across, double edge, Stiffness stiffness) {
  Tissue tissue = Tissue::library(library);
  std::erase_if(tissue.regions, [](const auto& entry) { return entry.first != "healthy"; });
  tissue["healthy"].wanted = {.along = 0.6, .across = across};
  const CalibratedAxis row = calibrate(cube(tissue, edge), {}, options(stiffness, edge), limit).axes.back();
  return fmt::format("{} ... {}{}", percent(row.reached.low, across), percent(row.reached.high, across),
                     row.reached.blocked ? fmt::format(", {} blocked", row.reached.blocked) : "");
}

/// Slowest and fastest direction across the fibre, after the fit: a line per velocity wanted, a column per edge.
void anisotropy_table(const std::string& library, const std::vector<double>& wanted, const std::vector<double>& at) {
  for (const Stiffness stiffness : both) {
    fmt::print("\n### {}, {}\n\n| wanted across [m/s] |", library, stiffness_name(stiffness));
    for (const double edge : at) fmt::print(" {:.2f} mm |", edge);
    fmt::print("\n|---|");
    for (std::size_t k = 0; k < at.size(); ++k) fmt::print("---|");
    for (const double across : wanted) {
      fmt::print("\n| {:.2f} |", across);
      for (const double edge : at) fmt::print(" {} |", spread(library, across, edge, stiffness));
    }
    fmt::print("\n");
  }
}

}  // namespace

int main() {
  fmt::print(
      "# Conduction velocity by mean edge\n\n"
      "Plane waves on the mesher's body-centred lattice, dt 0.05 ms (0.02 below 0.5 mm), fp32, ionic load "
      "2/3. Made by\n"
      "`benchmark_velocity > benchmarks/results/velocity_by_edge.md`. Directions: the fibre along (100), (110), (111), "
      "(521), (543) of the\n"
      "lattice; two waves across each.\n\n");
  library_table();
  fmt::print("\n## How slow healthy muscle may be across its fibres (0.60 m/s along)\n");
  anisotropy_table("post-infarct", {0.40, 0.30, 0.20}, {0.35, 0.5, 0.7, 1.0, 1.5});
  anisotropy_table("healthy-tt2006", {0.40, 0.30}, {0.35, 0.5, 0.7});
}
