// cardiotwin check: is this twin fit for a study, and why not.

#include <fmt/format.h>

#include <algorithm>
#include <cardiotwin/check.hpp>
#include <cardiotwin/plan.hpp>

#include "job.hpp"
#include "tables.hpp"

namespace cardiotwin::app {

std::string velocity_table(const std::vector<CalibratedAxis>& axes) {
  std::string out = "  region           axis     wanted   mean      low - high  [m/s]     sigma [S/m]\n";
  for (const auto& a : axes) {
    out += fmt::format("  {:<16} {:<7} {:7.3f} {:7.3f}   {:7.3f} - {:.3f}   {:>14.5f}{}\n", a.region,
                       a.axis == Axis::along ? "along" : "across", a.wanted, a.reached.mean, a.reached.low,
                       a.reached.high, a.conductivity, a.within_limit ? "" : "  !");
    if (!a.why.empty()) out += fmt::format("    {}\n", a.why);
  }
  out.pop_back();
  return out;
}

namespace {

// Share of the dihedral angles in each 20 degrees [%].
std::string histogram(const MeshQuality& mesh) {
  std::size_t all = 0;
  for (const std::size_t n : mesh.dihedral_histogram) all += n;
  std::string angles = "dihedral angles [degrees]", shares = "                      [%]";
  for (std::size_t bin = 0; bin < mesh.dihedral_histogram.size(); bin += 2) {
    const auto n = static_cast<double>(mesh.dihedral_histogram[bin] + mesh.dihedral_histogram[bin + 1]);
    angles += fmt::format(" {:>7}", fmt::format("{}-{}", 10 * bin, 10 * bin + 20));
    shares += fmt::format(" {:7.2f}", 100 * n / static_cast<double>(std::max<std::size_t>(all, 1)));
  }
  return angles + "\n" + shares + "\n";
}

}  // namespace

std::string check_table(const CheckReport& report) {
  std::string out = "volumes [ml]";
  for (const auto& [region, volume] : report.volumes) out += fmt::format("  {} {:.1f}", region, volume);
  out += fmt::format("\n  muscle {:.1f}, cavity {:.1f}, scar mass {:.1f} g\n", report.muscle_volume,
                     report.cavity_volume, report.scar_mass);
  const auto deepest = std::max_element(report.transmurality.begin() + 1, report.transmurality.end(),
                                        [](const auto& a, const auto& b) { return a.max < b.max; });
  if (deepest->max > 0) {
    out += fmt::format("transmurality  deepest in AHA {}: {:.0f} % of the wall, {:.0f} % on average there\n",
                       deepest - report.transmurality.begin(), 100 * deepest->max, 100 * deepest->mean);
  }
  const auto range = [](const WallThickness& wall) {
    return fmt::format("{:.1f} to {:.1f}, mean {:.1f}", wall.min, wall.max, wall.mean);
  };
  out += fmt::format("wall [mm]  {}\n", range(report.wall));
  if (report.right_wall.max > 0) {
    out += fmt::format("right ventricle  cavity {:.1f} ml, free wall [mm] {}\n", report.right_cavity_volume,
                       range(report.right_wall));
  }
  out += fmt::format(
      "mesh  edge {:.2f} mm ({:.2f} to {:.2f}), dihedral {:.1f} to {:.1f} degrees, time-step limit {:.3f} ms\n",
      report.mesh.mean_edge, report.mesh.min_edge, report.mesh.max_edge, report.mesh.min_dihedral,
      report.mesh.max_dihedral, report.stable_dt);
  for (const auto& [region, e] : report.edges)
    out +=
        fmt::format("  {:<12} edge {:.2f} mm ({:.2f} to {:.2f} in nine tenths of it)\n", region, e.mean, e.low, e.high);
  out += histogram(report.mesh) + "expected velocities on this spacing\n" + velocity_table(report.velocities) + "\n";
  for (const auto& v : report.edge_velocities)
    out += fmt::format("  {:<12} {:<7} {:.3f} m/s where edges are shortest, {:.3f} where longest\n", v.region,
                       v.axis == Axis::along ? "along" : "across", v.at_low.mean, v.at_high.mean);
  for (const auto& finding : report.findings) {
    const char* mark = finding.severity == Severity::severe    ? "SEVERE "
                       : finding.severity == Severity::warning ? "warning "
                                                               : "";
    out += fmt::format("{}{}\n", mark, finding.text);
  }
  out += report.fit() ? "fit for a study" : "NOT fit for a study";
  return out;
}

namespace {

struct CheckJob {
  Options options{"check"};
  std::filesystem::path twin;
  SimulationOptions simulation;
  double limit = 0.1;
  bool json = false;

  void declare() {
    simulation.dt = 0;
    simulation.precision = PlanOptions{}.precision;
    options.path("twin", twin, "the twin to check"), options.positional(), options.required();
    options.time_step("dt", simulation.dt, "time step of the study; auto: as `plan` chooses it");
    options.number("limit", limit, 0.001, 1, "largest accepted relative velocity error");
    options.flag("json", json, "print JSON", true);
  }

  static std::string left() { return "nothing was written, so the same command begins anew"; }

  void run() {
    const Twin patient = Twin::load(twin);
    simulation.stiffness = natural_stiffness(patient);
    if (simulation.dt == 0) simulation.dt = natural_dt(patient, simulation.stiffness);
    const auto report = check(patient, simulation, limit, console());
    say(json ? to_json(report) : check_table(report));
  }
};

}  // namespace

void add_check(CLI::App& app) {
  add_verb<CheckJob>(
      app, "check",
      "Volumes, wall, mesh, time step, expected velocity errors; says whether the twin is fit for a study.", "a .twin",
      "a table, or JSON, on stdout");
}

}  // namespace cardiotwin::app
