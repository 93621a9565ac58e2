#pragma once
/// Modified Mitchell-Schaeffer model (Corrado & Niederer 2016, doi 10.1016/j.mbs.2016.08.010), two variables.
///
///   u = (V - V_min) / (V_max - V_min)                                        [-]
///   du/dt = J_in - J_out + J_stim
///   J_in  = h u (u - v_gate)(1 - u) / tau_in                                 [1/ms]
///   J_out = (1 - h) u / tau_out                                              [1/ms]
///   dh/dt = (1 - h) / tau_open  where u < v_gate,   -h / tau_close  elsewhere [1/ms]
///
/// What was modified: Mitchell & Schaeffer 2003 (doi 10.1016/S0092-8240(03)00041-7) have J_in = h u^2 (1 - u) / tau_in
/// and J_out = u / tau_out. There J_in > J_out is possible at any small u > 0 once h has recovered, so for some
/// parameters rest loses its stability and the cell, or a slow creeping wave in tissue, fires by itself. The factor (u
/// - v_gate) makes J_in outward below v_gate, and (1 - h) lets no outward current oppose a fully recovered cell, so the
/// threshold of a rested cell is v_gate exactly and rest is stable for every choice of parameters.

#include "scheme.hpp"

namespace cardiotwin::kernels::CT_BACKEND {

template <class T>
struct MitchellSchaefferModified {
  enum State { H, state_count };
  enum Parameter { TauIn, TauOut, TauOpen, TauClose, VGate, VMin, VMax, parameter_count };

  enum ConstantIndex { PerTauIn, PerTauOut, PerTauOpen, PerTauClose, Gate, Min, Range, PerRange, constant_count };

  static void prepare(const double* p, double* c) {
    c[PerTauIn] = 1 / p[TauIn];
    c[PerTauOut] = 1 / p[TauOut];
    c[PerTauOpen] = 1 / p[TauOpen];
    c[PerTauClose] = 1 / p[TauClose];
    c[Gate] = p[VGate];
    c[Min] = p[VMin];
    c[Range] = p[VMax] - p[VMin];
    c[PerRange] = 1 / (p[VMax] - p[VMin]);
  }

  /// Stored state = true state - reference.
  CT_HD static constexpr double reference(int) { return 0; }

  template <class States, class Constants, class Scheme>
  CT_HD static T evaluate(T v, States w, Constants c, Scheme to) {
    const T u = (v - c[Min]) * c[PerRange];
    const T h = w[H];
    const bool open = u < c[Gate];
    to.slow_gate(H, select(open, T(1), T(0)), select(open, T(c[PerTauOpen]), T(c[PerTauClose])));
    const T in = h * (u - c[Gate]) * (1 - u) * c[PerTauIn];
    const T out = (1 - h) * c[PerTauOut];
    return c[Range] * u * (in - out);
  }
};

}  // namespace cardiotwin::kernels::CT_BACKEND
