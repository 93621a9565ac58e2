// What velocities a mesh of a given edge can carry: fits "post-infarct" on lattice blocks of several edges and prints
// Markdown.
//   benchmark_velocity > benchmarks/results/velocity_by_edge.md
#include <fmt/core.h>

#include <cardiotwin/calibration.hpp>

using namespace cardiotwin;

namespace {

constexpr double limit = 0.1;
const SimulationOptions options{.dt = 0.05};
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
      "## The library's \"post-infarct\"\n\n"
      "| edge [mm] | region | axis | wanted [m/s] | sigma before [S/m] | fitted [S/m] | mean | slowest | fastest | "
      "within {:.0f} % |\n"
      "|---|---|---|---|---|---|---|---|---|---|\n",
      100 * limit);
  for (const double edge : edges) {
    const Calibration fit = calibrate(cube(Tissue::library("post-infarct"), edge), {}, options, limit);
    for (const auto& row : fit.axes)
      fmt::print("| {:.1f} | {} | {} | {:.2f} | {:.4f} | {:.4f} | {} | {} | {} | {} |\n", edge, row.region,
                 row.axis == Axis::along ? "along" : "across", row.wanted, row.before, row.conductivity,
                 percent(row.reached.mean, row.wanted), percent(row.reached.low, row.wanted),
                 percent(row.reached.high, row.wanted), row.within_limit ? "yes" : row.why);
  }
}

void anisotropy_table() {
  fmt::print(
      "\n## How slow healthy muscle may be across its fibres (0.60 m/s along)\n\n"
      "Slowest and fastest direction across the fibre, after the fit.\n\n| wanted across [m/s] |");
  for (const double edge : edges) fmt::print(" {:.1f} mm |", edge);
  fmt::print("\n|---|---|---|---|---|\n");
  for (const double across : {0.45, 0.40, 0.35, 0.30, 0.25, 0.20}) {
    fmt::print("| {:.2f} |", across);
    for (const double edge : edges) {
      Tissue tissue = Tissue::library("post-infarct");
      std::erase_if(tissue.regions, [](const auto& entry) { return entry.first != "healthy"; });
      tissue["healthy"].wanted.across = across;
      const CalibratedAxis row = calibrate(cube(tissue, edge), {}, options, limit).axes.back();
      fmt::print(" {} ... {} |", percent(row.reached.low, across), percent(row.reached.high, across));
    }
    fmt::print("\n");
  }
}

}  // namespace

int main() {
  fmt::print(
      "# Conduction velocity by mean edge\n\n"
      "Modified Mitchell-Schaeffer, plane waves on the mesher's body-centred lattice, dt {:g} ms, fp64, ionic load "
      "2/3. Made by\n"
      "`benchmark_velocity > benchmarks/results/velocity_by_edge.md`. Directions: the fibre along (100), (110), (111), "
      "(521), (543) of the\n"
      "lattice; two waves across each.\n\n",
      options.dt);
  library_table();
  anisotropy_table();
}
