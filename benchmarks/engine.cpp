// Time of the fused step per node, for each model, precision and instruction set, on a body-centred cubic lattice (the
// mesher's own: 14 neighbours) that does not fit the caches.
//
//   engine [--nodes N] [--threads N] [--repeat N] [--model NAME] [--json FILE] [--baseline FILE] [--cuda]
//
// Each figure is the fastest of `repeat` runs: on a shared machine the others measure the neighbours.

#include <algorithm>
#include <cardiotwin/kernels/engine.hpp>
#include <cardiotwin/kernels/ensemble.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "cpu_variants.hpp"

using namespace cardiotwin::kernels;

namespace {

struct Options {
  int nodes = 200000, threads = int(std::thread::hardware_concurrency()), repeat = 100;
  std::string model, json, baseline;
  bool cuda = false;
};

Options parse(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; ++i) {
    const std::string key = argv[i];
    if (key == "--cuda") {
      o.cuda = true;
      continue;
    }
    if (i + 1 == argc) {
      std::fprintf(stderr, "%s needs a value\n", key.c_str());
      std::exit(2);
    }
    const std::string value = argv[++i];
    if (key == "--nodes")
      o.nodes = std::stoi(value);
    else if (key == "--threads")
      o.threads = std::stoi(value);
    else if (key == "--repeat")
      o.repeat = std::stoi(value);
    else if (key == "--model")
      o.model = value;
    else if (key == "--json")
      o.json = value;
    else if (key == "--baseline")
      o.baseline = value;
    else {
      std::fprintf(stderr, "unknown option %s\n", key.c_str());
      std::exit(2);
    }
  }
  return o;
}

/// Two interleaved cubic lattices, `side` cells along each edge, in blocks of 8 x 8 x 8 cells so that neighbours lie
/// close in memory, as a space-filling curve would have it.
Problem lattice(const ModelInfo& model, Real real, int nodes, bool load) {
  const int side = std::max(8, int(std::lround(std::cbrt(nodes / 2.0) / 8)) * 8), blocks = side / 8;
  const auto id = [&](int s, int x, int y, int z) {
    const int block = ((x / 8) * blocks + y / 8) * blocks + z / 8;
    return (((block * 8 + x % 8) * 8 + y % 8) * 8 + z % 8) * 2 + s;
  };
  const std::size_t n = 2 * std::size_t(side) * std::size_t(side) * std::size_t(side);
  std::vector<std::vector<std::int32_t>> rows(n);
  for (int x = 0; x < side; ++x) {
    for (int y = 0; y < side; ++y) {
      for (int z = 0; z < side; ++z) {
        for (int s = 0; s < 2; ++s) {
          auto& row = rows[std::size_t(id(s, x, y, z))];
          const auto add = [&](int t, int a, int b, int c) {
            if (std::min({a, b, c}) >= 0 && std::max({a, b, c}) < side) row.push_back(id(t, a, b, c));
          };
          for (int corner = 0; corner < 8; ++corner) {
            const int back = s - 1;  // the other lattice's corners around this point
            add(1 - s, x + back + (corner & 1), y + back + (corner >> 1 & 1), z + back + (corner >> 2));
          }
          for (const int step : {-1, 1}) {
            add(s, x + step, y, z);
            add(s, x, y + step, z);
            add(s, x, y, z + step);
          }
          std::sort(row.begin(), row.end());
        }
      }
    }
  }
  Problem p;
  p.model = &model;
  p.real = real;
  p.activation_threshold = model.activation_threshold;
  p.repolarization_level = model.repolarization_level;
  p.row_start = {0};
  for (const auto& row : rows) {
    for (const auto j : row) {
      p.column.push_back(j);
      p.diffusion.push_back(0.08 + 0.001 * double(j % 7));
      p.load.push_back(load ? 0.02 : 0.0);
    }
    p.row_start.push_back(std::int32_t(p.column.size()));
  }
  p.parameter_set.assign(n, 0);
  p.parameters.emplace_back();
  for (const auto& q : model.parameters) p.parameters[0].push_back(q.value);
  p.initial_states.emplace_back();
  for (const auto& q : model.states) p.initial_states[0].push_back(q.initial);
  p.initial_voltage = {model.rest};
  return p;
}

/// Fastest run [ns per node and step], while a wave crosses the lattice.
double time_step(Engine& e, const Problem& p, int repeat) {
  Pulse corner;
  for (std::int32_t i = 0; i < std::int32_t(p.nodes() / 20); ++i) corner.nodes.push_back(i);
  corner.duration = 2;
  corner.amplitude = 60;
  e.set_pulses({corner});
  e.advance(150);
  const int steps = std::max(1, int(3e5 / double(p.nodes())));  // short runs escape interruption
  double best = INFINITY;
  for (int r = 0; r < repeat; ++r) {
    const auto start = std::chrono::steady_clock::now();
    e.advance(steps);
    const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - start;
    best = std::min(best, taken.count() / steps / double(p.nodes()));
  }
  return best;
}

/// The same per member of an ensemble.
double time_ensemble(const Problem& p, int members, int threads, int repeat) {
  const int steps = std::max(1, int(3e5 / double(p.nodes())));
  auto ensemble = make_ensemble(p, members, {false, threads});
  Pulse corner;
  for (std::int32_t i = 0; i < std::int32_t(p.nodes() / 20); ++i) corner.nodes.push_back(i);
  corner.duration = 2;
  corner.amplitude = 60;
  for (int m = 0; m < members; ++m) {
    ensemble->member(m).set_pulses({corner});
    ensemble->begin_work(m);
  }
  double best = INFINITY;
  const auto drive = [&](int m) {
    Engine& e = ensemble->member(m);
    e.advance(150);
    for (int r = 0; r < repeat; ++r) {
      const auto start = std::chrono::steady_clock::now();
      e.advance(steps);
      const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - start;
      if (m == 0) best = std::min(best, taken.count() / steps / double(p.nodes()) / members);
    }
    ensemble->end_work(m);
  };
  {
    std::vector<std::jthread> drivers;
    for (int m = 0; m < members; ++m) drivers.emplace_back(drive, m);
  }
  return best;
}

std::map<std::string, double> read_baseline(const std::string& path) {
  if (path.empty()) return {};
  const auto json = nlohmann::json::parse(std::ifstream(path));
  return json.at("ns_per_node_step").get<std::map<std::string, double>>();
}

}  // namespace

int main(int argc, char** argv) {
  const Options o = parse(argc, argv);
  const auto baseline = read_baseline(o.baseline);
  std::map<std::string, double> results;
  std::printf("%-30s %-18s %-5s %10s %12s %9s\n", "model", "engine", "load", "ns/node", "node-steps/s", "baseline");
  const auto row = [&](const ModelInfo& model, const std::string& engine, bool load, double ns) {
    const std::string key = model.name + " " + engine + (load ? " load" : " plain");
    results[key] = ns;
    const auto was = baseline.find(key);
    std::printf("%-30s %-18s %-5s %10.2f %12.3g ", model.name.c_str(), engine.c_str(), load ? "yes" : "no", ns,
                1e9 / ns);
    was == baseline.end() ? std::printf("%9s\n", "-") : std::printf("%8.2fx\n", ns / was->second);
    std::fflush(stdout);
  };
  const auto report = [&](const ModelInfo& model, Engine& e, const Problem& p, bool load) {
    row(model, e.name(), load, time_step(e, p, o.repeat));
  };
  for (const auto& model : models()) {
    if (!o.model.empty() && model.name != o.model) continue;
    for (const Real real : {Real::fp32, Real::fp64}) {
      for (const bool load : {true, false}) {
        const auto p = lattice(model, real, o.nodes, load);
        if (o.cuda) {
          report(model, *make_engine(p, {true, 0}), p, load);
          continue;
        }
        for (const auto& variant : cpu_variants()) report(model, *make_cpu_engine(p, o.threads, variant), p, load);
        for (const int members : {8, 16}) {
          row(model, "cpu x " + std::to_string(members) + (real == Real::fp32 ? "/fp32" : "/fp64"), load,
              time_ensemble(p, members, o.threads, std::min(o.repeat, 10)));
        }
      }
    }
  }
  if (!o.json.empty()) {
    nlohmann::json out;
    out["nodes"] = o.nodes;
    out["threads"] = o.threads;
    out["ns_per_node_step"] = results;
    std::ofstream(o.json) << out.dump(2) << "\n";
  }
}
