// The N-version benchmark, Niederer et al. 2011 (doi 10.1098/rsta.2011.0139): a slab of 20 x 7 x 3 mm, fibres along its
// length, ten Tusscher-Panfilov 2006 epi, stimulated in a corner cube of 1.5 mm. Prints when the corners, the centre
// and the diagonal from P1 to P8 are activated (V = 0 mV), for every edge and time step given.

#include <fmt/core.h>

#include <Eigen/LU>
#include <algorithm>
#include <cardiotwin/simulation.hpp>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cpu_variants.hpp"
#include "support/machine.hpp"
#include "support/runner.hpp"

using namespace cardiotwin;

namespace {

constexpr const char* usage = R"(The N-version slab: activation times at P1 to P9 and along the diagonal.

  --h MM,...       node spacing [0.5,0.2,0.1]
  --dt MS,...      time step [0.05,0.01,0.005]; every spacing is run with every step
  --stiffness S    p1 or nodal-gradient [p1]
  --load G         0 lumped ... 1 fully consistent ionic load [0.5: nearest to the limit at spacings that resolve the
                   front; the library's 2/3 suits spacings of about the front's width]
  --cuda           on CUDA device 0
  --out STEM       also write STEM.md and STEM.json
)";

struct Options {
  std::vector<double> spacings = {0.5, 0.2, 0.1}, steps = {0.05, 0.01, 0.005};
  Stiffness stiffness = Stiffness::p1;
  double load = 0.5;
  bool cuda = false;
  std::string out;
};

double number(const std::string& text) {
  std::size_t used = 0;
  double value = NAN;
  try {
    value = std::stod(text, &used);
  } catch (const std::logic_error&) {
  }
  if (used == 0 || used != text.size()) throw InputError("\"" + text + "\" is no number");
  return value;
}

std::vector<double> numbers(const std::string& list) {
  std::vector<double> result;
  std::istringstream in(list);
  for (std::string word; std::getline(in, word, ',');) {
    result.push_back(number(word));
    if (!(result.back() > 0)) throw InputError("\"" + word + "\" is not above 0");
  }
  return result;
}

Options read_options(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--cuda") {
      o.cuda = true;
      continue;
    }
    if (i + 1 == argc) throw InputError(name + " needs a value");
    const std::string value = argv[++i];
    if (name == "--h") {
      o.spacings = numbers(value);
    } else if (name == "--dt") {
      o.steps = numbers(value);
    } else if (name == "--stiffness") {
      if (value != "p1" && value != "nodal-gradient") throw InputError("stiffness is p1 or nodal-gradient");
      o.stiffness = value == "p1" ? Stiffness::p1 : Stiffness::nodal_gradient;
    } else if (name == "--load") {
      o.load = number(value);
    } else if (name == "--out") {
      o.out = value;
    } else {
      throw InputError("unknown option " + name);
    }
  }
  return o;
}

const Vec3 slab(20, 7, 3);

struct Point {
  std::string name;
  Vec3 where;
};

/// P1 to P9 of the paper, then the diagonal.
std::vector<Point> points() {
  std::vector<Point> result;
  for (int corner = 0; corner < 8; ++corner) {
    const Vec3 share(corner >> 1 & 1, corner & 1, corner >> 2);
    result.push_back({fmt::format("P{}", corner + 1), slab.cwiseProduct(share)});
  }
  result.push_back({"P9", slab / 2});
  for (int k = 0; k <= 10; ++k) result.push_back({fmt::format("diagonal {:.1f}", k / 10.0), slab * (k / 10.0)});
  return result;
}

Twin make_twin(double spacing) {
  Twin twin;
  twin.anatomy.mesh = box_mesh(slab, spacing);
  twin.anatomy.fibers = uniform_fibers(twin.anatomy.mesh, Vec3::UnitX());
  twin.anatomy.regions = {{region::healthy, "healthy"}};
  twin.tissue = Tissue::library("healthy-tt2006");
  twin.tissue["healthy"].conductivity = {.along = 0.1334, .across = 0.0176};
  return twin;
}

Protocol corner_cube(const Mesh& mesh) {
  Stimulus stimulus{.duration = 2, .amplitude = 50 / 1.4};  // 50 mA/cm3 over beta Cm
  for (std::size_t i = 0; i < mesh.node_count(); ++i) {
    if (mesh.points()[i].maxCoeff() <= 1.5 + 1e-9) stimulus.nodes.push_back(Index(i));
  }
  return {{stimulus}};
}

/// Nodal values at a point, linear in the tet that holds it (the one it is deepest in).
double interpolate(const Mesh& mesh, const std::vector<double>& values, const Vec3& where) {
  double deepest = -INFINITY, result = NAN;
  for (const Tet& tet : mesh.tets()) {
    const Vec3& origin = mesh.points()[std::size_t(tet[0])];
    Mat3 edges;
    for (int k = 0; k < 3; ++k) edges.col(k) = mesh.points()[std::size_t(tet[std::size_t(k) + 1])] - origin;
    if ((where - origin).norm() > 2 * edges.cwiseAbs().maxCoeff()) continue;
    const Vec3 share = edges.inverse() * (where - origin);
    const double depth = std::min(share.minCoeff(), 1 - share.sum());
    if (depth <= deepest) continue;
    deepest = depth;
    result = (1 - share.sum()) * values[std::size_t(tet[0])];
    for (int k = 0; k < 3; ++k) result += share[k] * values[std::size_t(tet[std::size_t(k) + 1])];
  }
  return result;
}

struct Run {
  double spacing, dt, last, wall, ns;
  std::size_t nodes;
  int stages;
  std::vector<double> times;  ///< as points()
};

/// Until every node is activated.
Run simulate(const Options& o, const Twin& twin, double spacing, double dt) {
  constexpr double patience = 400, part = 2;  // [ms]
  const Mesh& mesh = twin.anatomy.mesh;
  Simulation sim(twin, {.dt = dt,
                        .backend = o.cuda ? Backend::cuda() : Backend::cpu(),
                        .ionic_load = o.load,
                        .stiffness = o.stiffness,
                        .activation_threshold = 0});
  sim.add(corner_cube(mesh));
  const auto& map = sim.add(ActivationMap{});
  const auto waiting = [&] {
    const auto& lat = map.map().values;
    return std::count_if(lat.begin(), lat.end(), [](double t) { return std::isnan(t); });
  };
  Run run{.spacing = spacing, .dt = dt, .nodes = mesh.node_count(), .stages = sim.stages()};
  run.wall = bench::seconds([&] {
    do {
      sim.run(part);
      std::fprintf(stderr, "h %g mm, dt %g ms: %.0f ms, %.0f %% activated\n", spacing, dt, sim.time(),
                   100 * (1 - double(waiting()) / double(run.nodes)));
    } while (waiting() > 0 && sim.time() < patience);
  });
  if (waiting() > 0) throw NumericalError(fmt::format("{} nodes were not activated by {} ms", waiting(), patience));
  run.ns = run.wall * 1e9 / double(run.nodes) / (sim.time() / dt);
  const auto& lat = map.map().values;
  run.last = *std::max_element(lat.begin(), lat.end());
  for (const auto& point : points()) run.times.push_back(interpolate(mesh, lat, point.where));
  return run;
}

std::string markdown(const Options& o, const std::vector<Run>& runs) {
  std::string text = fmt::format(
      "# N-version slab\n\nActivation times [ms], V = 0 mV; stiffness {}, ionic load {:.3g}, {}, commit {}.\n\n",
      o.stiffness == Stiffness::p1 ? "p1" : "nodal-gradient", o.load, o.cuda ? "CUDA" : "CPU", bench::commit);
  const auto row = [&](const std::string& first, const auto& cell) {
    text += fmt::format("| {} |", first);
    for (const Run& run : runs) text += fmt::format(" {} |", cell(run));
    text += "\n";
  };
  row("h [mm]", [](const Run& run) { return fmt::format("{:g}", run.spacing); });
  row("---", [](const Run&) { return std::string("---"); });
  row("dt [ms]", [](const Run& run) { return fmt::format("{:g}", run.dt); });
  const auto all = points();
  for (std::size_t k = 0; k < all.size(); ++k) {
    const Vec3& p = all[k].where;
    row(fmt::format("{} ({:g}, {:g}, {:g})", all[k].name, p.x(), p.y(), p.z()),
        [k](const Run& run) { return fmt::format("{:.2f}", run.times[k]); });
  }
  row("last node", [](const Run& run) { return fmt::format("{:.2f}", run.last); });
  row("nodes", [](const Run& run) { return std::to_string(run.nodes); });
  row("stages", [](const Run& run) { return std::to_string(run.stages); });
  row("wall [s]", [](const Run& run) { return fmt::format("{:.2f}", run.wall); });
  row("ns per node-step", [](const Run& run) { return fmt::format("{:.2f}", run.ns); });
  return text;
}

nlohmann::ordered_json json(const Options& o, const std::vector<Run>& runs) {
  nlohmann::ordered_json result;
  result["about"] = bench::about_this_run(kernels::cpu_variants().front().name);
  result["stiffness"] = o.stiffness == Stiffness::p1 ? "p1" : "nodal-gradient";
  result["ionic_load"] = o.load;
  result["backend"] = o.cuda ? "cuda" : "cpu";
  for (const auto& point : points()) {
    result["points"].push_back({{"name", point.name}, {"mm", {point.where.x(), point.where.y(), point.where.z()}}});
  }
  for (const Run& run : runs) {
    result["runs"].push_back({{"h_mm", run.spacing},
                              {"dt_ms", run.dt},
                              {"nodes", run.nodes},
                              {"stages", run.stages},
                              {"activation_ms", run.times},
                              {"last_node_ms", run.last},
                              {"wall_s", run.wall},
                              {"ns_per_node_step", run.ns}});
  }
  return result;
}

void write(const std::string& path, const std::string& text) {
  std::ofstream out(path);
  out << text;
  if (!out.flush()) throw FileError("cannot write " + path);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string(argv[1]) == "--help") {
    std::cout << usage;
    return 0;
  }
  try {
    const Options o = read_options(argc, argv);
    std::vector<Run> runs;
    for (const double spacing : o.spacings) {
      const Twin twin = make_twin(spacing);
      for (const double dt : o.steps) runs.push_back(simulate(o, twin, spacing, dt));
    }
    const std::string table = markdown(o, runs);
    std::cout << table;
    if (o.out.empty()) return 0;
    write(o.out + ".md", table);
    write(o.out + ".json", json(o, runs).dump(2) + "\n");
  } catch (const std::exception& error) {
    std::cerr << "benchmark_niederer: " << error.what() << "\n";
    return 1;
  }
}
