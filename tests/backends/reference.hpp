#pragma once
/// The fused step of engine.hpp written a second time, as plainly as possible: fp64, node by node, no layout. The
/// reaction is the modified Mitchell-Schaeffer model written out (doi 10.1016/j.mbs.2016.08.010).

#include <cardiotwin/kernels/engine.hpp>
#include <cmath>
#include <vector>

namespace cardiotwin::test {

struct ReferenceEngine {
  const kernels::Problem& p;
  std::vector<double> v, d, h;
  std::vector<double> lat;  ///< latest upward crossing per node, NaN where none
  std::vector<double> source;  ///< what dV/dt gains per node [mV/ms]; empty: nothing
  std::int64_t step = 0;

  explicit ReferenceEngine(const kernels::Problem& problem) : p(problem), d(p.nodes(), 0.0), lat(p.nodes(), NAN) {
    for (const auto set : p.parameter_set) {
      v.push_back(p.initial_voltage[set]);
      h.push_back(p.initial_states[set][0]);
    }
  }

  /// stimulus: mV/ms per node during this step.
  void advance(const std::vector<double>& stimulus) {
    auto v_next = v, d_next = d;
    std::vector<double> along(p.gradient.empty() ? 0 : p.nodes(), 0.0);
    for (std::size_t i = 0; i < along.size(); ++i) {
      for (auto k = std::size_t(p.row_start[i]); k < std::size_t(p.row_start[i + 1]); ++k) {
        along[i] += p.gradient[k] * (v[std::size_t(p.column[k])] - v[i]);
      }
    }
    for (std::size_t i = 0; i < p.nodes(); ++i) {
      double change = 0;
      for (auto k = std::size_t(p.row_start[i]); k < std::size_t(p.row_start[i + 1]); ++k) {
        const auto j = std::size_t(p.column[k]);
        change += p.dt * p.diffusion[k] * (v[j] - v[i]) + p.load[k] * (d[j] - d[i]);
        if (!along.empty()) change += p.dt * p.divergence[k] * along[j];
      }
      if (!along.empty()) change += p.dt * p.own_divergence[i] * along[i];
      if (!source.empty()) change += p.dt * source[i];
      d_next[i] = react(v[i] + change, h[i], p.parameters[p.parameter_set[i]]) + p.dt * stimulus[i];
      v_next[i] = v[i] + change + d_next[i];
      if (v[i] < p.activation_threshold && v_next[i] >= p.activation_threshold) {
        lat[i] = (double(step) + (p.activation_threshold - v[i]) / (v_next[i] - v[i])) * p.dt;
      }
    }
    v = v_next;
    d = d_next;
    ++step;
  }

  double react(double voltage, double& gate, const std::vector<double>& q) const {
    const double tau_in = q[0], tau_out = q[1], tau_open = q[2], tau_close = q[3], v_gate = q[4], v_min = q[5],
                 v_max = q[6];
    const double u = (voltage - v_min) / (v_max - v_min);
    const double du = gate * u * (u - v_gate) * (1 - u) / tau_in - (1 - gate) * u / tau_out;
    gate = u < v_gate ? 1 - (1 - gate) * std::exp(-p.dt / tau_open) : gate * std::exp(-p.dt / tau_close);
    return p.dt * (v_max - v_min) * du;
  }
};

}  // namespace cardiotwin::test
