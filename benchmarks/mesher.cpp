// Time, memory and quality of the mesher on a life-size ventricle: truncated ellipsoidal shell, epicardial semi-axes 80
// and 32 mm, wall 9 mm, cut 10 mm above its widest part, with a scar and a rim as two further labels.
//
//   mesher [--edge MM]... [--threads N]... [--spacing MM] [--repeat N] [--json FILE] [--baseline FILE]
//          [--coarse MM] [--fine MM]
//
// A second table compares the graded mesh, `fine` in and around the scar and `coarse` elsewhere, with the uniform mesh
// that is as fine everywhere as the graded one is in its scar, both made in the same run.
//
// Each time is the fastest of `repeat` runs: on a shared machine the others measure the neighbours. Peak memory is that
// of the process, image included, so give one edge at a time, or rising sizes, to read it.

#include <sys/resource.h>

#include <algorithm>
#include <cardiotwin/meshes/mesher.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numbers>
#include <string>
#include <thread>
#include <vector>

using namespace cardiotwin;
using namespace cardiotwin::meshes;

namespace {

struct Options {
  std::vector<double> edges;
  std::vector<int> threads;
  double spacing = 1, coarse = 1.5, fine = 0.6;
  int repeat = 1;
  std::string json, baseline;
};

Options parse(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; ++i) {
    const std::string key = argv[i];
    if (i + 1 == argc) {
      std::fprintf(stderr, "%s needs a value\n", key.c_str());
      std::exit(2);
    }
    const std::string value = argv[++i];
    if (key == "--edge")
      o.edges.push_back(std::stod(value));
    else if (key == "--threads")
      o.threads.push_back(std::stoi(value));
    else if (key == "--spacing")
      o.spacing = std::stod(value);
    else if (key == "--coarse")
      o.coarse = std::stod(value);
    else if (key == "--fine")
      o.fine = std::stod(value);
    else if (key == "--repeat")
      o.repeat = std::stoi(value);
    else if (key == "--json")
      o.json = value;
    else if (key == "--baseline")
      o.baseline = value;
    else {
      std::fprintf(stderr, "unknown option %s\n", key.c_str());
      std::exit(2);
    }
  }
  if (o.edges.empty()) o.edges = {2.0, 1.0, 0.55};
  if (o.threads.empty()) o.threads = {int(std::thread::hardware_concurrency())};
  return o;
}

/// Close to the signed distance from an ellipsoid of revolution, positive inside.
double ellipsoid(const Vec3& p, double across, double along) {
  const Vec3 scaled(p[0] / across, p[1] / across, p[2] / along);
  const Vec3 slope(scaled[0] / across, scaled[1] / across, scaled[2] / along);
  return -scaled.norm() * (scaled.norm() - 1) / std::max(slope.norm(), 1e-6);
}

double ventricle(const Vec3& p) { return std::min({ellipsoid(p, 32, 80), -ellipsoid(p, 23, 71), 10 - p[2]}); }

struct Patient {
  Image inside;
  Labels labels;
  std::vector<std::uint8_t> near;  ///< per voxel: in the scar or within about 2 mm of it
};

Patient make_patient(double spacing) {
  Patient patient;
  Grid& grid = patient.inside.grid;
  const int half = int(std::ceil(34 / spacing));
  grid.size = {2 * half + 1, 2 * half + 1, int(std::ceil(96 / spacing))};
  grid.spacing = Vec3::Constant(spacing);
  grid.origin = Vec3(-half * spacing + 0.13, -half * spacing + 0.21, -83);
  patient.labels.grid = grid;
  for (int k = 0; k < grid.size[2]; ++k) {
    for (int j = 0; j < grid.size[1]; ++j) {
      for (int i = 0; i < grid.size[0]; ++i) {
        const Vec3 p = grid.position(Vec3(i, j, k));
        const double value = ventricle(p), angle = std::atan2(p[1], p[0]) * 180 / std::numbers::pi;
        const double away = std::max(std::abs(p[2] + 30) / 22.5, std::abs(angle - 20) / 40);
        patient.inside.values.push_back(float(value));
        patient.labels.values.push_back(value < 0 ? 0 : away < 0.8 ? 3 : away < 1 ? 2 : 1);
        patient.near.push_back(away < 1.09);
      }
    }
  }
  return patient;
}

double peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return double(usage.ru_maxrss) / 1024;
}

/// Fastest of `repeat` runs [s]; the mesh is the last one's.
template <class Make>
double fastest_of(int repeat, Mesh& mesh, const Make& make) {
  double fastest = 1e300;
  for (int run = 0; run < repeat; ++run) {
    const auto start = std::chrono::steady_clock::now();
    mesh = make();
    fastest = std::min(fastest, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return fastest;
}

nlohmann::json measure(const Patient& patient, double edge, int threads, int repeat) {
  Mesh mesh;
  const double fastest = fastest_of(
      repeat, mesh, [&] { return stuff(patient.inside, patient.labels, {.edge = edge, .threads = threads}); });
  const double memory = peak_megabytes();
  const auto shape = quality(mesh);
  const auto rough = quality(stuff(patient.inside, patient.labels, {.edge = edge, .snap = false, .threads = threads}));
  return {{"edge_mm", edge},
          {"threads", threads},
          {"nodes", mesh.node_count()},
          {"tets", mesh.tet_count()},
          {"seconds", fastest},
          {"peak_mb", memory},
          {"mean_edge_mm", shape.mean_edge},
          {"min_dihedral", shape.min_dihedral},
          {"max_dihedral", shape.max_dihedral},
          {"min_dihedral_without_snapping", rough.min_dihedral},
          {"volume_ml", shape.volume / 1000}};
}

nlohmann::json measure_graded(const Patient& patient, const Options& options, int threads) {
  Image edges{patient.inside.grid, {}};
  for (const auto near : patient.near) edges.values.push_back(float(near ? options.fine : options.coarse));
  Mesh graded, uniform;
  const double seconds = fastest_of(options.repeat, graded,
                                    [&] { return stuff(patient.inside, patient.labels, edges, {.threads = threads}); });
  const double scar = edge_statistics(graded).at(3).mean;
  const double alone = fastest_of(options.repeat, uniform, [&] {
    return stuff(patient.inside, patient.labels, {.edge = scar, .threads = threads});
  });
  const auto shape = quality(graded);
  return {{"coarse_mm", options.coarse},
          {"fine_mm", options.fine},
          {"threads", threads},
          {"scar_edge_mm", scar},
          {"healthy_edge_mm", edge_statistics(graded).at(1).mean},
          {"nodes", graded.node_count()},
          {"seconds", seconds},
          {"uniform_nodes", uniform.node_count()},
          {"uniform_seconds", alone},
          {"min_dihedral", shape.min_dihedral},
          {"max_dihedral", shape.max_dihedral}};
}

void print_graded(const nlohmann::json& row) {
  const double nodes = row["nodes"], seconds = row["seconds"], uniform_nodes = row["uniform_nodes"],
               uniform_seconds = row["uniform_seconds"];
  std::printf("%6.2f %6.2f %8d %6.2f %8.2f %9.0f %8.2f %9.0f %8.2f %8.3f %8.3f %8.1f\n", row["coarse_mm"].get<double>(),
              row["fine_mm"].get<double>(), row["threads"].get<int>(), row["scar_edge_mm"].get<double>(),
              row["healthy_edge_mm"].get<double>(), nodes, seconds, uniform_nodes, uniform_seconds,
              nodes / uniform_nodes, seconds / uniform_seconds, row["min_dihedral"].get<double>());
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  const Patient patient = make_patient(options.spacing);
  nlohmann::json baseline, rows = nlohmann::json::array();
  if (!options.baseline.empty()) {
    std::ifstream file(options.baseline);
    if (!file) {
      std::fprintf(stderr, "cannot read %s\n", options.baseline.c_str());
      return 2;
    }
    baseline = nlohmann::json::parse(file);
  }
  std::printf("%6s %8s %9s %10s %8s %12s %9s %16s %9s\n", "edge", "threads", "nodes", "tets", "time", "nodes/s", "peak",
              "least dihedral", "baseline");
  std::printf("%6s %8s %9s %10s %8s %12s %9s %16s %9s\n", "mm", "", "", "", "s", "", "MB", "rough  snapped", "time x");
  for (const double edge : options.edges) {
    for (const int threads : options.threads) {
      auto row = measure(patient, edge, threads, options.repeat);
      std::string ratio = "-";
      for (const auto& old : baseline.is_array() ? baseline : nlohmann::json::array()) {
        if (old.value("edge_mm", 0.0) != row["edge_mm"] || old["threads"] != row["threads"]) continue;
        char text[32];
        std::snprintf(text, sizeof text, "%.2f", row["seconds"].get<double>() / old["seconds"].get<double>());
        ratio = text;
      }
      const double seconds = row["seconds"], nodes = row["nodes"];
      std::printf("%6.2f %8d %9.0f %10.0f %8.2f %12.3g %9.0f %8.1f %7.1f %9s\n", edge, threads, nodes,
                  row["tets"].get<double>(), seconds, nodes / seconds, row["peak_mb"].get<double>(),
                  row["min_dihedral_without_snapping"].get<double>(), row["min_dihedral"].get<double>(), ratio.c_str());
      std::fflush(stdout);
      rows.push_back(std::move(row));
    }
  }
  std::printf("\n%6s %6s %8s %6s %8s %9s %8s %9s %8s %8s %8s %8s\n", "coarse", "fine", "threads", "scar", "healthy",
              "graded", "time", "uniform", "time", "nodes", "time", "least");
  std::printf("%6s %6s %8s %6s %8s %9s %8s %9s %8s %8s %8s %8s\n", "mm", "mm", "", "mm", "mm", "nodes", "s", "nodes",
              "s", "x", "x", "dihedral");
  for (const int threads : options.threads) {
    rows.push_back(measure_graded(patient, options, threads));
    print_graded(rows.back());
  }
  if (!options.json.empty()) std::ofstream(options.json) << rows.dump(2) << "\n";
}
