#pragma once
/// Mitchell & Schaeffer 2003 (doi 10.1016/S0092-8240(03)00041-7), two variables.
///
///   u = (V - V_min) / (V_max - V_min)                                        [-]
///   du/dt = J_in + J_out + J_stim
///   J_in  = h u^2 (1 - u) / tau_in                                           [1/ms]
///   J_out = -u / tau_out                                                     [1/ms]
///   dh/dt = (1 - h) / tau_open  where u < u_gate,   -h / tau_close  elsewhere [1/ms]
///
/// The excitation threshold of a recovered cell is the smaller root of u (1 - u) = tau_in / tau_out, not u_gate; the
/// modified model (mitchell_schaeffer_modified.hpp) moves it there.

#include "scheme.hpp"

namespace cardiotwin::kernels::CT_BACKEND {

template <class T>
struct MitchellSchaeffer2003 {
  enum State { H, state_count };
  enum Parameter { TauIn, TauOut, TauOpen, TauClose, UGate, VMin, VMax, parameter_count };

  enum ConstantIndex { PerTauIn, PerTauOut, PerTauOpen, PerTauClose, Gate, Min, Range, PerRange, constant_count };

  static void prepare(const double* p, double* c) {
    c[PerTauIn] = 1 / p[TauIn];
    c[PerTauOut] = 1 / p[TauOut];
    c[PerTauOpen] = 1 / p[TauOpen];
    c[PerTauClose] = 1 / p[TauClose];
    c[Gate] = p[UGate];
    c[Min] = p[VMin];
    c[Range] = p[VMax] - p[VMin];
    c[PerRange] = 1 / (p[VMax] - p[VMin]);
  }

  /// Stored state = true state - reference.
  CT_HD static constexpr double reference(int) { return 0; }

  template <class States, class Constants, class Scheme>
  CT_HD static T evaluate(T v, States w, Constants c, Scheme to) {
    const T u = (v - c[Min]) * c[PerRange];
    const T in = w[H] * u * (1 - u) * c[PerTauIn];  // over u
    const bool open = u < c[Gate];
    to.slow_gate(H, select(open, T(1), T(0)), select(open, T(c[PerTauOpen]), T(c[PerTauClose])));
    return c[Range] * u * (in - c[PerTauOut]);
  }
};

}  // namespace cardiotwin::kernels::CT_BACKEND
