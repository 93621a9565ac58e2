#pragma once
/// What is measured: one row of the table of times.

#include <algorithm>
#include <cardiotwin/kernels/engine.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "core.hpp"

namespace cardiotwin::bench {

enum class Scheme { p1, nodal_gradient, two_stages };
inline constexpr const char* scheme_names[] = {"p1", "nodal-gradient", "2-stages"};

inline std::string name_of(Scheme scheme) { return scheme_names[int(scheme)]; }
inline std::string name_of(kernels::Real real) { return real == kernels::Real::fp32 ? "fp32" : "fp64"; }

struct Case {
  const kernels::ModelInfo* model = nullptr;
  Scheme scheme = Scheme::p1;
  std::string engine;  ///< "avx512", "avx2", "baseline" or "cuda"
  kernels::Real real = kernels::Real::fp32;
  int members = 1;
  int nodes = 100000;  ///< asked for; the lattice has about as many
  int threads = 0;     ///< 0: all

  bool cuda() const { return engine == "cuda"; }
  std::string engine_name() const { return (cuda() ? "" : "cpu/") + engine + "/" + name_of(real); }
};

/// Names the row in the JSON. All threads go as "all", so that machines with different numbers can be compared.
inline std::string key(const Case& c) {
  return c.model->name + " " + name_of(c.scheme) + " " + c.engine_name() + " B=" + std::to_string(c.members) +
         " n=" + std::to_string(c.nodes) + " threads=" + (c.threads ? std::to_string(c.threads) : "all");
}

/// Bytes that one node of one member must move per step where nothing but neighbours' values stays in cache; neighbours
/// lie close in memory, so each value is counted once per pass over the mesh. T is 4 or 8 bytes. After step_args.hpp:
///
///   matrix, per entry   column 4, weight of diffusion and load 4 (fp32: two of 16 bits) or 16 (fp64)
///   matrix, per row     scales of diffusion and load 2 T
///   cells               V and d read and written 4 T; each state read and written 2 T
///
/// Nodal gradients add, per entry, the gradient's pass over columns (4) and weights of gradient and divergence (2 each
/// in fp32, 8 in fp64; the divergence meets its columns while they are in cache); per row both scales and the diagonal
/// 3 T; V and d once more 2 T, p written and read 2 T. A second stage adds the matrix once more, and V and d 6 T: read
/// and written by the stage, read again by the end of the step.
///
/// Members in lockstep share the matrix; on the CPU a few go alone and do not.
/// Left out: stores that first fetch the line they fill, padding, and what slices have (12 B each).
inline double bytes_per_node_step(const Case& c, double entries_per_row) {
  const bool single = c.real == kernels::Real::fp32;
  const double T = single ? 4 : 8, pair = single ? 4 : 16, weight = single ? 2 : 8;
  double matrix = entries_per_row * (4 + pair) + 2 * T;
  double member = 4 * T + 2 * T * double(c.model->states.size());
  if (c.scheme == Scheme::two_stages) matrix *= 2, member += 6 * T;
  if (c.scheme == Scheme::nodal_gradient) matrix += entries_per_row * (4 + 2 * weight) + 3 * T, member += 4 * T;
  return matrix / (c.cuda() || c.members > kernels::alone_on_cpu ? c.members : 1) + member;
}

/// Adds a row that is not there yet.
inline void add(std::vector<Case>& cases, const Case& c) {
  if (std::none_of(cases.begin(), cases.end(), [&](const Case& other) { return key(other) == key(c); })) {
    cases.push_back(c);
  }
}

/// All rows that can be made of these lists.
struct Grid {
  std::vector<const kernels::ModelInfo*> models;
  std::vector<Scheme> schemes = {Scheme::p1};
  std::vector<std::string> engines;
  std::vector<kernels::Real> reals = {kernels::Real::fp32};
  std::vector<int> members = {1};
  std::vector<int> nodes = {100000};
  std::vector<int> threads = {0};

  /// Ensembles choose the instruction set themselves, so members of other CPU engines than `best` are left out.
  void add_to(std::vector<Case>& cases, const std::string& best) const {
    for (const int n : nodes)
      for (const auto scheme : schemes)
        for (const auto* model : models)
          for (const auto& engine : engines)
            for (const auto real : reals)
              for (const int b : members)
                for (const int t : threads)
                  if (b == 1 || engine == best || engine == "cuda") add(cases, {model, scheme, engine, real, b, n, t});
  }
};

}  // namespace cardiotwin::bench
