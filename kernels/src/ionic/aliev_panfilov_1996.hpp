#pragma once
/// Aliev & Panfilov 1996 (doi 10.1016/0960-0779(95)00089-5), two variables.
///
///   u = (V - V_min) / (V_max - V_min)                                        [-]
///   du/dt = (k u (u - a)(1 - u) - u w) / t_scale                             [1/ms]
///   dw/dt = epsilon (-w - k u (u - a - 1)) / t_scale                         [1/ms]
///   epsilon = eps0 + mu1 w / (u + mu2)                                       [-]
///
/// The paper's time unit is 12.9 ms, with V = 100 u - 80 mV.

#include "scheme.hpp"

namespace cardiotwin::kernels::CT_BACKEND {

template <class T>
struct AlievPanfilov1996 {
  enum State { W, state_count };
  enum Parameter { K, A, Eps0, Mu1, Mu2, TScale, VMin, VMax, parameter_count };

  enum ConstantIndex {
    Excitation,
    Threshold,
    Epsilon,
    Gain,
    Offset,
    Floor,
    PerTime,
    Cubic,
    Min,
    Range,
    PerRange,
    constant_count
  };

  static void prepare(const double* p, double* c) {
    c[Cubic] = p[K];
    c[Threshold] = p[A];
    c[Excitation] = 1 + p[A];
    c[Epsilon] = p[Eps0] / p[TScale];
    c[Gain] = p[Mu1] / p[TScale];
    c[Offset] = p[Mu2];
    c[Floor] = 0.5 * p[Mu2];
    c[PerTime] = 1 / p[TScale];
    c[Min] = p[VMin];
    c[Range] = p[VMax] - p[VMin];
    c[PerRange] = 1 / (p[VMax] - p[VMin]);
  }

  /// Stored state = true state - reference.
  CT_HD static constexpr double reference(int) { return 0; }

  template <class States, class Constants, class Scheme>
  CT_HD static T evaluate(T v, States state, Constants c, Scheme to) {
    const T u = (v - c[Min]) * c[PerRange];
    const T w = state[W];
    const T ku = c[Cubic] * u;
    // epsilon has a pole at u = -mu2. Below -mu2 / 2, far under rest, it keeps its value there.
    const T rate = c[Epsilon] + c[Gain] * w / at_least(T(u + c[Offset]), T(c[Floor]));
    to.gate(W, ku * (c[Excitation] - u), at_least(rate, T(0)));
    return c[Range] * c[PerTime] * (ku * (u - c[Threshold]) * (1 - u) - u * w);
  }
};

}  // namespace cardiotwin::kernels::CT_BACKEND
