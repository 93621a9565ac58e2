#pragma once
/// Small problems for the engine tests.

#include <algorithm>
#include <cardiotwin/kernels/engine.hpp>
#include <random>
#include <set>
#include <utility>
#include <vector>

namespace cardiotwin::test {

inline void add_set(kernels::Problem& p, const std::string& variant = "") {
  std::vector<double> values, states;
  for (const auto& parameter : p.model->parameters) values.push_back(parameter.value);
  for (const auto& state : p.model->states) states.push_back(state.initial);
  for (const auto& v : p.model->variants) {
    if (v.name != variant) continue;
    for (const auto& [name, value] : v.values) {
      for (std::size_t k = 0; k < values.size(); ++k) {
        if (p.model->parameters[k].name == name) values[k] = value;
      }
    }
    if (!v.initial.empty()) states = v.initial;
  }
  p.parameters.push_back(values);
  p.initial_states.push_back(states);
  p.initial_voltage.push_back(p.model->rest);
}

inline kernels::Problem empty_problem(const std::string& model, kernels::Real real, double dt) {
  kernels::Problem p;
  p.model = kernels::find_model(model);
  p.real = real;
  p.dt = dt;
  p.activation_threshold = p.model->activation_threshold;
  p.repolarization_level = p.model->repolarization_level;
  p.row_start = {0};
  return p;
}

/// n nodes in a line, neighbours coupled by `rate` [1/ms], partly consistent load.
inline kernels::Problem cable(const std::string& model, kernels::Real real, int n, double rate, double dt = 0.02,
                              double load = 0.1) {
  auto p = empty_problem(model, real, dt);
  for (int i = 0; i < n; ++i) {
    for (const int j : {i - 1, i + 1}) {
      if (j < 0 || j >= n) continue;
      p.column.push_back(j);
      p.diffusion.push_back(rate);
      p.load.push_back(load);
    }
    p.row_start.push_back(std::int32_t(p.column.size()));
  }
  p.parameter_set.assign(std::size_t(n), 0);
  add_set(p);
  return p;
}

/// A connected random graph: a ring with chords of varying weight (some negative, as P1 elements have) and several
/// parameter sets, so that rows have unequal lengths and neighbours differ in cell type.
inline kernels::Problem random_graph(const std::string& model, kernels::Real real, int n,
                                     const std::vector<std::string>& variants, unsigned seed = 7) {
  auto p = empty_problem(model, real, 0.02);
  std::mt19937 random(seed);
  const auto uniform = [&] { return double(random() >> 8) / double(1u << 24); };
  std::vector<std::set<int>> neighbours(static_cast<std::size_t>(n));
  const auto link = [&](int i, int j) {
    if (i == j) return;
    neighbours[std::size_t(i)].insert(j);
    neighbours[std::size_t(j)].insert(i);
  };
  for (int i = 0; i < n; ++i) {
    link(i, (i + 1) % n);
    const int chords = int(random() % 6);
    for (int c = 0; c < chords; ++c) link(i, (i + int(random() % 60)) % n);
  }
  for (int i = 0; i < n; ++i) {
    for (const int j : neighbours[std::size_t(i)]) {
      p.column.push_back(j);
      p.diffusion.push_back(0.4 * uniform() - 0.02);
      p.load.push_back(0.04 * uniform());
    }
    p.row_start.push_back(std::int32_t(p.column.size()));
    p.parameter_set.push_back(std::int32_t(uniform() < 0.7 ? 0 : int(random() % variants.size())));
  }
  for (const auto& v : variants) add_set(p, v);
  return p;
}

/// Diffusion along "fibres" by nodal gradients: B of small random weights, and its transpose, so that the operator is
/// symmetric and dissipates.
inline void add_gradient(kernels::Problem& p, unsigned seed = 3) {
  std::mt19937 random(seed);
  const auto n = p.nodes();
  p.gradient.clear();
  for (std::size_t k = 0; k < p.column.size(); ++k)
    p.gradient.push_back(double(random() >> 8) / double(1u << 24) - 0.5);
  p.divergence.assign(p.column.size(), 0.0);
  p.own_divergence.assign(n, 0.0);
  const double strength = 0.1;  // [1/ms]
  for (std::size_t i = 0; i < n; ++i) {
    for (auto k = std::size_t(p.row_start[i]); k < std::size_t(p.row_start[i + 1]); ++k) {
      const auto j = std::size_t(p.column[k]);
      p.own_divergence[i] += strength * p.gradient[k];  // b_ii = -sum_j b_ij
      for (auto back = std::size_t(p.row_start[j]); back < std::size_t(p.row_start[j + 1]); ++back) {
        if (std::size_t(p.column[back]) == i) p.divergence[k] = -strength * p.gradient[back];
      }
    }
  }
}

inline kernels::Pulse pulse(int nodes, double start, double duration, double amplitude) {
  kernels::Pulse s;
  for (int i = 0; i < nodes; ++i) s.nodes.push_back(i);
  s.start = start;
  s.duration = duration;
  s.amplitude = amplitude;
  return s;
}

}  // namespace cardiotwin::test
