#pragma once
/// The engine benchmark's command line, and the rows it stands for.

#include <algorithm>
#include <cardiotwin/kernels/ensemble.hpp>
#include <cstdlib>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "cases.hpp"
#include "cpu_variants.hpp"

namespace cardiotwin::bench {

inline constexpr const char* usage = R"(Time of the fused step, and what follows from it.

  benchmark_engine                a choice of rows that takes ten to fifteen minutes on two cores
  benchmark_engine --short        every model alone, two of them in lockstep, memory: a quarter of a minute per pass
  benchmark_engine [LISTS]        every combination of what the lists name; a list left out is its first entry here

    --models M,...      tentusscher-2006; or all
    --schemes S,...     p1, nodal-gradient, 2-stages
    --engines E,...     the processor's best of avx512, avx2, baseline; or cuda (also --cuda)
    --precisions P,...  fp32, fp64
    --members B,...     1; ensembles take the best engine or cuda
    --nodes N,...       100000
    --threads T,...     all

    --parts P,...   time, scaling, memory: what is printed; with lists: time
    --passes N      the rows are gone through so often, so that no busy minute spoils one [3]
    --repeat N      samples of 0.1 s per row and pass [5]
    --json FILE     write figures, machine and commit
    --baseline FILE compare with what --json wrote before
)";

inline std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> result;
  std::istringstream in(list);
  for (std::string word; std::getline(in, word, ',');) result.push_back(word);
  return result;
}

inline int positive(const std::string& text) {
  char* end = nullptr;
  const long value = std::strtol(text.c_str(), &end, 10);
  if (*end != '\0' || value < 1 || value > 100000000) throw std::runtime_error("\"" + text + "\" is no number above 0");
  return int(value);
}

/// Every word of the list by `make`.
template <class Make>
auto each(const std::string& list, const Make& make) {
  std::vector<decltype(make(list))> result;
  for (const auto& word : split(list)) result.push_back(make(word));
  return result;
}

inline const kernels::ModelInfo* model_of(const std::string& name) {
  if (const auto* model = kernels::find_model(name)) return model;
  std::string known;
  for (const auto& model : kernels::models()) known += " " + model.name;
  throw std::runtime_error("no model \"" + name + "\"; there are" + known);
}

inline std::vector<const kernels::ModelInfo*> all_models() {
  std::vector<const kernels::ModelInfo*> result;
  for (const auto& model : kernels::models()) result.push_back(&model);
  return result;
}

inline Scheme scheme_of(const std::string& name) {
  for (const auto scheme : {Scheme::p1, Scheme::nodal_gradient, Scheme::two_stages}) {
    if (name_of(scheme) == name) return scheme;
  }
  throw std::runtime_error("no scheme \"" + name + "\"; there are p1, nodal-gradient, 2-stages");
}

inline kernels::Real real_of(const std::string& name) {
  if (name != "fp32" && name != "fp64") throw std::runtime_error("precision \"" + name + "\" is neither fp32 nor fp64");
  return name == "fp32" ? kernels::Real::fp32 : kernels::Real::fp64;
}

struct Options {
  Grid grid;            ///< what the lists say
  bool chosen = false;  ///< any list was given
  bool brief = false;   ///< --short
  std::set<std::string> parts;
  int passes = 3, repeat = 5;
  std::string json, baseline;

  bool part(const std::string& name) const { return parts.count(name) > 0; }
};

inline std::string best_engine() { return kernels::cpu_variants().front().name; }

/// Returns false for a list it does not know.
inline bool read_list(Grid& grid, const std::string& name, const std::string& value) {
  if (name == "--models") {
    grid.models = value == "all" ? all_models() : each(value, model_of);
  } else if (name == "--schemes") {
    grid.schemes = each(value, scheme_of);
  } else if (name == "--engines") {
    grid.engines = split(value);
  } else if (name == "--precisions") {
    grid.reals = each(value, real_of);
  } else if (name == "--members") {
    grid.members = each(value, positive);
  } else if (name == "--nodes") {
    grid.nodes = each(value, positive);
  } else if (name == "--threads") {
    grid.threads = each(value, [](const std::string& t) { return t == "all" ? 0 : positive(t); });
  } else {
    return false;
  }
  return true;
}

/// Throws std::runtime_error.
inline Options read_options(int argc, char** argv) {
  Options o;
  o.grid.models = {model_of("tentusscher-2006")};
  o.grid.engines = {best_engine()};
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--cuda") {
      o.grid.engines = {"cuda"};
      continue;
    }
    if (name == "--short") {
      o.brief = true;
      continue;
    }
    if (i + 1 == argc) throw std::runtime_error(name + " needs a value");
    const std::string value = argv[++i];
    if (read_list(o.grid, name, value)) {
      o.chosen = true;
    } else if (name == "--parts") {
      for (const auto& part : split(value)) o.parts.insert(part);
    } else if (name == "--passes") {
      o.passes = positive(value);
    } else if (name == "--repeat") {
      o.repeat = positive(value);
    } else if (name == "--json") {
      o.json = value;
    } else if (name == "--baseline") {
      o.baseline = value;
    } else {
      throw std::runtime_error("unknown option " + name);
    }
  }
  for (const int members : o.grid.members) {
    if (members > kernels::ensemble_limit()) {
      throw std::runtime_error("at most " + std::to_string(kernels::ensemble_limit()) + " members");
    }
  }
  if (o.parts.empty()) {
    o.parts = {"time"};
    if (!o.chosen) o.parts.insert("memory");
    if (!o.chosen && !o.brief) o.parts.insert("scaling");
  }
  return o;
}

inline std::vector<const kernels::ModelInfo*> two_models() {
  return {model_of("mitchell-schaeffer-modified"), model_of("tentusscher-2006")};
}

/// 1, 8, 16, 32 members as far as ensembles go.
inline std::vector<int> member_counts() {
  std::vector<int> result;
  for (const int b : {1, 8, 16, 32}) {
    if (b <= kernels::ensemble_limit()) result.push_back(b);
  }
  return result;
}

/// The table of times where no list says otherwise: every model small, alone and in lockstep, and at 0.3 M nodes; then
/// two models, the lightest and the usual one, along every other axis.
inline std::vector<Case> default_time_cases(const std::vector<std::string>& engines) {
  const std::string best = best_engine();
  const std::vector<kernels::Real> both = {kernels::Real::fp32, kernels::Real::fp64};
  const std::vector<int> few_and_many = {1, 16};
  std::vector<Case> cases;
  const auto add_grid = [&](const Grid& grid) { grid.add_to(cases, best); };
  add_grid({.models = all_models(), .engines = engines, .members = few_and_many});
  add_grid({.models = all_models(), .engines = engines, .nodes = {300000}});
  Grid axis{.models = two_models(), .engines = engines, .members = member_counts(), .nodes = {100000, 300000, 1000000}};
  add_grid(axis);
  axis.members = few_and_many;
  axis.nodes = {100000};
  axis.schemes = {Scheme::p1, Scheme::nodal_gradient, Scheme::two_stages};
  add_grid(axis);
  axis.schemes = {Scheme::p1};
  axis.reals = both;
  add_grid(axis);
  if (engines.front() == "cuda") return cases;
  axis.members = {1};
  axis.engines.clear();
  for (const auto& variant : kernels::cpu_variants()) axis.engines.push_back(variant.name);
  add_grid(axis);
  return cases;
}

inline std::vector<Case> time_cases(const Options& o) {
  if (!o.chosen && !o.brief) return default_time_cases(o.grid.engines);
  std::vector<Case> cases;
  if (o.chosen) {
    o.grid.add_to(cases, best_engine());
  } else {
    Grid{.models = all_models(), .engines = o.grid.engines}.add_to(cases, best_engine());
    Grid{.models = two_models(), .engines = o.grid.engines, .members = {16}}.add_to(cases, best_engine());
  }
  return cases;
}

/// Threads 1, 2, 4, ... and all of them.
inline std::vector<Case> scaling_cases(const Options& o) {
  std::vector<Case> cases;
  if (o.grid.engines.front() == "cuda") return cases;
  Grid grid{
      .models = o.chosen ? o.grid.models : two_models(), .engines = {best_engine()}, .nodes = {300000}, .threads = {}};
  if (o.chosen) grid.nodes = o.grid.nodes;
  const int all = int(std::thread::hardware_concurrency());
  for (int t = 1; t < all; t *= 2) grid.threads.push_back(t);
  grid.threads.push_back(0);
  grid.add_to(cases, best_engine());
  return cases;
}

/// What one member and what many in lockstep need. A GPU hands out memory in blocks of 2 MiB, so it is given more
/// nodes.
inline std::vector<Case> memory_cases(const Options& o) {
  Grid grid{.models = o.chosen ? o.grid.models : two_models(), .engines = o.grid.engines, .members = {1, 16}};
  if (o.grid.engines.front() == "cuda") grid.nodes = {1000000};
  if (o.chosen) grid.nodes = o.grid.nodes, grid.schemes = o.grid.schemes;
  std::vector<Case> cases;
  grid.add_to(cases, best_engine());
  return cases;
}

}  // namespace cardiotwin::bench
