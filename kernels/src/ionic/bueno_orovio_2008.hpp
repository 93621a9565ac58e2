#pragma once
/// Minimal human ventricular model of Bueno-Orovio, Cherry & Fenton 2008 (doi 10.1016/j.jtbi.2008.03.029), four
/// variables. H is the Heaviside step, S(x) = (1 + tanh x) / 2 = 1 / (1 + exp(-2 x)).
///
///   u = (V - V_min) / V_scale                                                         [-]
///   du/dt = -(J_fi + J_so + J_si)                                                     [1/ms]
///   J_fi = -v H(u - theta_v) (u - theta_v)(u_u - u) / tau_fi
///   J_so = (u - u_o) H(theta_w - u) / tau_o + H(u - theta_w) / tau_so
///   J_si = -H(u - theta_w) w s / tau_si
///   dv/dt = (v_inf - v) / tau_v_minus  where u < theta_v,   -v / tau_v_plus  elsewhere
///   dw/dt = (w_inf - w) / tau_w_minus  where u < theta_w,   -w / tau_w_plus  elsewhere
///   ds/dt = (S(k_s (u - u_s)) - s) / tau_s
///   v_inf = H(theta_v_minus - u),   w_inf = 1 - u / tau_w_inf  where u < theta_o,   w_inf_star  elsewhere
///   tau_v_minus, tau_o and tau_s jump at theta_v_minus, theta_o and theta_w from their first value to the second;
///   tau_w_minus and tau_so pass from theirs by S(k_w_minus (u - u_w_minus)) and S(k_so (u - u_so)).

#include "scheme.hpp"

namespace cardiotwin::kernels::CT_BACKEND {

template <class T>
struct BuenoOrovio2008 {
  enum State { V, W, S, state_count };

  enum Parameter {
    Uo,
    Uu,
    ThetaV,
    ThetaW,
    ThetaVMinus,
    ThetaO,
    TauV1Minus,
    TauV2Minus,
    TauVPlus,
    TauW1Minus,
    TauW2Minus,
    KWMinus,
    UWMinus,
    TauWPlus,
    TauFi,
    TauO1,
    TauO2,
    TauSo1,
    TauSo2,
    KSo,
    USo,
    TauS1,
    TauS2,
    KS,
    US,
    TauSi,
    TauWInf,
    WInfStar,
    VMin,
    VScale,
    parameter_count
  };

  /// Rest, the potentials at which something switches, rates [1/ms], and slopes of the sigmoids' exponents.
  enum ConstantIndex {
    Rest,
    Top,
    StepV,
    StepW,
    StepVMinus,
    StepO,
    RateV1,
    RateV2,
    RateV,
    TauW1,
    TauWStep,
    SlopeW,
    CentreW,
    RateW,
    RateFi,
    RateO1,
    RateO2,
    TauSo,
    TauSoStep,
    SlopeSo,
    CentreSo,
    RateS1,
    RateS2,
    SlopeS,
    CentreS,
    RateSi,
    PerTauWInf,
    WStar,
    Min,
    Scale,
    PerScale,
    constant_count
  };

  static void prepare(const double* p, double* c) {
    c[Rest] = p[Uo];
    c[Top] = p[Uu];
    c[StepV] = p[ThetaV];
    c[StepW] = p[ThetaW];
    c[StepVMinus] = p[ThetaVMinus];
    c[StepO] = p[ThetaO];
    c[RateV1] = 1 / p[TauV1Minus];
    c[RateV2] = 1 / p[TauV2Minus];
    c[RateV] = 1 / p[TauVPlus];
    c[TauW1] = p[TauW1Minus];
    c[TauWStep] = p[TauW2Minus] - p[TauW1Minus];
    c[SlopeW] = -2 * p[KWMinus];
    c[CentreW] = p[UWMinus];
    c[RateW] = 1 / p[TauWPlus];
    c[RateFi] = 1 / p[TauFi];
    c[RateO1] = 1 / p[TauO1];
    c[RateO2] = 1 / p[TauO2];
    c[TauSo] = p[TauSo1];
    c[TauSoStep] = p[TauSo2] - p[TauSo1];
    c[SlopeSo] = -2 * p[KSo];
    c[CentreSo] = p[USo];
    c[RateS1] = 1 / p[TauS1];
    c[RateS2] = 1 / p[TauS2];
    c[SlopeS] = -2 * p[KS];
    c[CentreS] = p[US];
    c[RateSi] = 1 / p[TauSi];
    c[PerTauWInf] = 1 / p[TauWInf];
    c[WStar] = p[WInfStar];
    c[Min] = p[VMin];
    c[Scale] = p[VScale];
    c[PerScale] = 1 / p[VScale];
  }

  /// Stored state = true state - reference.
  CT_HD static constexpr double reference(int) { return 0; }

  /// 1 / (1 + exp x); beyond +-60 it is 0 or 1 within rounding in fp32, and within 1e-26 in fp64.
  CT_HD static T sigmoid(T x) { return 1 / (1 + exp_bounded(at_most(at_least(x, T(-60)), T(60)))); }

  /// What v tends to where it closes. From zero itself it would get lost, within a plateau, in numbers too small to be
  /// normal, which processors treat a hundred times slower.
  static constexpr double shut = sizeof(T) == 4 ? 1e-30 : 1e-290;

  template <class Constants, class Scheme>
  CT_HD static void gates(T u, Constants c, Scheme to) {
    const bool over_v = u >= c[StepV], over_w = u >= c[StepW], over_minus = u >= c[StepVMinus], over_o = u >= c[StepO];
    const T v_inf = select(over_v | over_minus, T(shut), T(1));
    const T v_rate = select(over_v, T(c[RateV]), select(over_minus, T(c[RateV2]), T(c[RateV1])));
    const T w_inf = select(over_o, T(c[WStar]), T(1 - u * c[PerTauWInf]));
    const T tau_w = c[TauW1] + c[TauWStep] * sigmoid(c[SlopeW] * (u - c[CentreW]));
    const T s_inf = sigmoid(c[SlopeS] * (u - c[CentreS]));
    to.gate(V, v_inf, v_rate);
    to.gate(W, select(over_w, T(0), w_inf), select(over_w, T(c[RateW]), T(1 / tau_w)));
    to.gate(S, s_inf, select(over_w, T(c[RateS2]), T(c[RateS1])));
  }

  template <class States, class Constants, class Scheme>
  CT_HD static T evaluate(T v, States w, Constants c, Scheme to) {
    const T u = (v - c[Min]) * c[PerScale];
    const bool over_v = u >= c[StepV], over_w = u >= c[StepW], over_o = u >= c[StepO];
    const T fast = select(over_v, T(w[V] * (u - c[StepV]) * (c[Top] - u) * c[RateFi]), T(0));
    const T tau_so = c[TauSo] + c[TauSoStep] * sigmoid(c[SlopeSo] * (u - c[CentreSo]));
    const T leak = (u - c[Rest]) * select(over_o, T(c[RateO2]), T(c[RateO1]));
    const T slow = select(over_w, T(1 / tau_so - w[W] * w[S] * c[RateSi]), leak);
    gates(u, c, to);
    return c[Scale] * (fast - slow);
  }
};

}  // namespace cardiotwin::kernels::CT_BACKEND
