// The engine: ns per node-step for each model, scheme, backend, precision and number of members; what share of the
// memory's bandwidth that is; wall seconds per simulated second; scaling over threads; memory per node and member.
// Stands on the kernels alone. `benchmark_engine --help` lists the options.

#include <cstdio>
#include <iostream>

#include "support/cases.hpp"
#include "support/device.hpp"
#include "support/figures.hpp"
#include "support/lattice.hpp"
#include "support/machine.hpp"
#include "support/options.hpp"
#include "support/runner.hpp"

using namespace cardiotwin;
using namespace cardiotwin::bench;

namespace {

// Sections of the JSON.
constexpr const char* time_section = "ns_per_node_step";
constexpr const char* median_section = "ns_per_node_step_median";
constexpr const char* bandwidth_section = "bandwidth_GB_per_s";
constexpr const char* share_section = "share_of_bandwidth";
constexpr const char* second_section = "seconds_per_simulated_second";
constexpr const char* memory_section = "bytes_per_node_and_member";

struct Session {
  Options options;
  Figures now, baseline;
  double host_bandwidth = 0, device_bandwidth = 0;  ///< [B/s]
  ProblemMaker problem;
  std::map<std::string, Samples> samples;

  /// "1.02x", or "-" where the baseline has no such row.
  std::string ratio(const char* section, const std::string& key) const {
    const auto was = baseline.sections.find(section);
    if (was == baseline.sections.end() || !was->second.count(key)) return "-";
    char text[32];
    std::snprintf(text, sizeof text, "%.2fx", now.sections.at(section).at(key) / was->second.at(key));
    return text;
  }
};

void measure_bandwidth(Session& s, bool cuda) {
  auto& section = s.now.sections[bandwidth_section];
  const auto host = memory_bandwidth(int(std::thread::hardware_concurrency()));
  section["copy"] = host.copy / 1e9;
  section["triad"] = host.triad / 1e9;
  s.host_bandwidth = std::max(host.copy, host.triad);
  if (!cuda) return;
  s.device_bandwidth = device_bandwidth();
  section["device copy"] = s.device_bandwidth / 1e9;
}

/// First of all, while the process is small.
void measure_memory(Session& s, const std::vector<Case>& cases) {
  for (const auto& c : cases) {
    std::fprintf(stderr, "memory: %s\n", key(c).c_str());
    const auto& problem = s.problem(c);
    const auto used = [&] { return c.cuda() ? device_bytes_used() : resident_bytes(); };
    if (c.cuda()) Runner(problem, c).advance(1);  // what the driver loads at first use is nobody's
    const double before = used();
    Runner runner(problem, c);
    runner.advance(1);
    s.now.sections[memory_section][key(c)] = (used() - before) / double(problem.nodes()) / c.members;
  }
}

/// All cases in turn, several times over.
void measure_times(Session& s, const std::vector<Case>& cases) {
  for (int pass = 0; pass < s.options.passes; ++pass) {
    int done = 0;
    for (const auto& c : cases) {
      const auto& problem = s.problem(c);
      auto& samples = s.samples[key(c)];
      take_samples(problem, c, s.options.repeat, samples);
      const double entries = double(problem.column.size()) / double(problem.nodes());
      s.now.sections[share_section][key(c)] = bytes_per_node_step(c, entries) / (samples.least() * 1e-9) /
                                              (c.cuda() ? s.device_bandwidth : s.host_bandwidth);
      std::fprintf(stderr, "pass %d/%d, row %d/%zu: %s %.2f ns\n", pass + 1, s.options.passes, ++done, cases.size(),
                   key(c).c_str(), samples.least());
    }
  }
  for (const auto& [row, samples] : s.samples) {
    s.now.sections[time_section][row] = samples.least();
    s.now.sections[median_section][row] = samples.median();
  }
}

void print_about(const Session& s) {
  for (const auto& [what, text] : s.now.about) {
    std::printf("%-16s %s\n", what.c_str(), text.c_str());
    const auto was = s.baseline.about.find(what);
    if (was != s.baseline.about.end() && was->second != text)
      std::printf("%-16s %s (baseline)\n", "", was->second.c_str());
  }
  for (const auto& [what, value] : s.now.sections.at(bandwidth_section))
    std::printf("%-16s %.1f GB/s %s\n", "bandwidth", value, what.c_str());
}

void print_times(const Session& s, const std::vector<Case>& cases) {
  std::printf("\nTime of a step [ns per node, member and step; the least of several, and the median]\n");
  std::printf("%-28s %-14s %-16s %3s %8s %8s %8s %13s %10s %9s\n", "model", "scheme", "engine", "B", "nodes", "least",
              "median", "node-steps/s", "bandwidth", "baseline");
  for (const auto& c : cases) {
    const auto row = key(c);
    const double ns = s.samples.at(row).least();
    std::printf("%-28s %-14s %-16s %3d %8d %8.2f %8.2f %13.3g %8.0f %% %9s\n", c.model->name.c_str(),
                name_of(c.scheme).c_str(), c.engine_name().c_str(), c.members, c.nodes, ns, s.samples.at(row).median(),
                1e9 / ns, 100 * s.now.sections.at(share_section).at(row), s.ratio(time_section, row).c_str());
  }
}

/// Alone, in the explicit scheme.
void print_seconds(Session& s, const std::vector<Case>& cases) {
  constexpr double dt = 0.02;  // [ms]
  constexpr int nodes = 300000;
  bool any = false;
  for (const auto& c : cases) {
    if (c.members > 1 || c.scheme != Scheme::p1 || c.nodes != nodes || c.threads != 0) continue;
    if (!any) std::printf("\nWall seconds per simulated second, %d nodes, dt = %g ms\n", nodes, dt);
    any = true;
    const double wall = s.samples.at(key(c)).least() * 1e-9 * nodes * 1000 / dt;
    s.now.sections[second_section][key(c)] = wall;
    std::printf("%-28s %-16s %8.1f\n", c.model->name.c_str(), c.engine_name().c_str(), wall);
  }
}

void print_scaling(const Session& s, const std::vector<Case>& cases) {
  std::printf("\nStrong scaling over threads\n%-28s %8s %7s %8s %8s %10s\n", "model", "nodes", "threads", "ns",
              "speed-up", "efficiency");
  double alone = 0;
  const Case* before = nullptr;
  for (const auto& c : cases) {  // the same model on the same nodes together
    const int threads = c.threads ? c.threads : int(std::thread::hardware_concurrency());
    const double ns = s.samples.at(key(c)).least();
    if (!before || c.model != before->model || c.nodes != before->nodes) alone = ns * threads;
    before = &c;
    std::printf("%-28s %8d %7d %8.2f %8.2f %8.0f %%\n", c.model->name.c_str(), c.nodes, threads, ns, alone / ns,
                100 * alone / ns / threads);
  }
}

void print_memory(const Session& s, const std::vector<Case>& cases) {
  std::printf("\nMemory [bytes per node and member]\n%-28s %-14s %-16s %3s %8s %9s %9s\n", "model", "scheme", "engine",
              "B", "nodes", "bytes", "baseline");
  for (const auto& c : cases) {
    std::printf("%-28s %-14s %-16s %3d %8d %9.0f %9s\n", c.model->name.c_str(), name_of(c.scheme).c_str(),
                c.engine_name().c_str(), c.members, c.nodes, s.now.sections.at(memory_section).at(key(c)),
                s.ratio(memory_section, key(c)).c_str());
  }
}

void print_comparison(const Session& s) {
  std::printf("\nAgainst the baseline, now / then (below 1 is better)\n");
  for (const char* name : {time_section, memory_section}) {
    const auto now = s.now.sections.find(name), was = s.baseline.sections.find(name);
    if (now == s.now.sections.end() || was == s.baseline.sections.end()) continue;
    const auto both = compare(now->second, was->second);
    if (both.count == 0) continue;
    std::printf("%-28s %3d rows, mean %.3f, worst %.3f: %s\n", name, both.count, both.mean, both.worst,
                both.worst_key.c_str());
  }
}

void run(Session& s) {
  const Options& o = s.options;
  const auto timed = o.part("time") ? time_cases(o) : std::vector<Case>{};
  const auto scaling = o.part("scaling") ? scaling_cases(o) : std::vector<Case>{};
  const auto memory = o.part("memory") ? memory_cases(o) : std::vector<Case>{};
  auto all = timed;
  for (const auto& c : scaling) add(all, c);
  if (all.empty() && memory.empty())
    throw std::runtime_error("no such row; ensembles run on " + best_engine() + " or cuda");
  s.now.about = about_this_run(best_engine());
  const bool cuda = std::count(o.grid.engines.begin(), o.grid.engines.end(), "cuda") > 0;
  if (cuda) {
    if (const auto why = kernels::cuda_unavailable(0); !why.empty()) throw std::runtime_error(why);
    s.now.about["device"] = device_name();
  }
  measure_memory(s, memory);
  measure_bandwidth(s, cuda);
  measure_times(s, all);
  print_about(s);
  if (!timed.empty()) print_times(s, timed), print_seconds(s, timed);
  if (!scaling.empty()) print_scaling(s, scaling);
  if (!memory.empty()) print_memory(s, memory);
  if (!o.baseline.empty()) print_comparison(s);
  if (o.json.empty()) return;
  std::ofstream out(o.json);
  write(s.now, out);
  if (!out.flush()) throw std::runtime_error("cannot write " + o.json);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string(argv[1]) == "--help") {
    std::cout << usage;
    return 0;
  }
  try {
    Session session;
    session.options = read_options(argc, argv);
    if (!session.options.baseline.empty()) session.baseline = read_figures(session.options.baseline);
    run(session);
  } catch (const std::exception& error) {
    std::cerr << "benchmark_engine: " << error.what() << "\n";
    return 1;
  }
}
