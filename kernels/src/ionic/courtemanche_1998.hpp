#pragma once
/// Human atrial cell of Courtemanche, Ramirez & Nattel 1998 (doi 10.1152/ajpheart.1998.275.1.H301), 20 states and V. V
/// in mV, time in ms, concentrations in mM, currents in A/F.
///
///   dV/dt = -(I_Na + I_K1 + I_to + I_Kur + I_Kr + I_Ks + I_CaL + I_pCa + I_NaK + I_NaCa + I_bNa + I_bCa)
///
/// The stimulus enters V alone, not the potassium balance. Digits beyond the paper's (g_Kr, g_Ks, I_NaK_max, g_bNa) are
/// those of the curated models this one is verified against, and so is the sign of beta_ui, a misprint in the paper.
///
/// Concentrations and gates that move little in a step, or start near 1 with time constants of seconds, are stored as
/// offsets from their initial value: in fp32 their slow drift would otherwise be lost in the last digit.

#include <cmath>

#include "quotients.hpp"
#include "scheme.hpp"

namespace cardiotwin::kernels::CT_BACKEND {

template <class T>
struct Courtemanche1998 {
  enum State { Nai, Ki, Cai, CaUp, CaRel, M, H, J, Oa, Oi, Ua, Ui, Xr, Xs, D, F, FCa, RelU, RelV, RelW, state_count };

  enum Parameter {
    GNa,
    GK1,
    Gto,
    GKur,
    GKr,
    GKs,
    GCaL,
    GbNa,
    GbCa,
    INaKMax,
    INaCaMax,
    IpCaMax,  // sizes of the currents
    KRel,
    IUpMax,
    TauTr,  // of the fluxes of the reticulum
    Ko,
    Cao,
    Nao,  // outside
    parameter_count
  };

  enum ConstantIndex {
    CNa,
    CK1,
    Cto,
    CKur,
    CKr,
    CKs,
    CCaL,
    CbNa,
    CbCa,
    CNaK,
    CNaCa,
    CpCa,
    CRel,
    CUp,
    CLeak,
    PerTr,
    CaOut,
    NaCaOut,
    Sigma,
    LogKo,
    LogNao,
    LogCao,
    constant_count
  };

  static constexpr double gas = 8.3143;                       // J / (mol K)
  static constexpr double temperature = 310;                  // K
  static constexpr double faraday = 96.4867;                  // C / mmol
  static constexpr double rtf = gas * temperature / faraday;  // mV
  static constexpr double capacitance = 100;                  // pF
  static constexpr double v_cell = 20100;                     // um3
  static constexpr double v_i = 0.68 * v_cell, v_up = 0.0552 * v_cell, v_rel = 0.0048 * v_cell;
  static constexpr double per_c = capacitance / (v_i * faraday);  // A/F -> mM/ms of a single charge
  static constexpr double q10 = 3;                                // of the kinetics of I_to and I_Kur
  static constexpr double e_cal = 65;                             // mV, where I_CaL changes sign

  /// Stored state = true state - reference.
  // clang-format off
  CT_HD static constexpr double reference(int state) {
    switch (state) {
      case Nai: return 13.816974630536796;
      case Ki: return 136.35522990215443;
      case CaUp: return 1.5466811919909536;
      case CaRel: return 1.076507405803549;
      case Oi: return 0.9993428653330555;
      case Ui: return 0.9914689627530661;
      case F: return 0.9519077881681546;
      default: return 0;
    }
  }
  // clang-format on

  static void prepare(const double* p, double* c) {
    const double nao3 = p[Nao] * p[Nao] * p[Nao], k_na = 87.5, k_ca = 1.38, k_ko = 1.5, ca_up_max = 15;
    c[CNa] = p[GNa];
    c[CK1] = p[GK1];
    c[Cto] = p[Gto];
    c[CKur] = p[GKur];
    c[CKr] = p[GKr];
    c[CKs] = p[GKs];
    c[CCaL] = p[GCaL];
    c[CbNa] = p[GbNa];
    c[CbCa] = p[GbCa];
    c[CpCa] = p[IpCaMax];
    c[CNaK] = p[INaKMax] * p[Ko] / (p[Ko] + k_ko);
    c[CNaCa] = p[INaCaMax] / ((k_na * k_na * k_na + nao3) * (k_ca + p[Cao]));
    c[CRel] = p[KRel];
    c[CUp] = p[IUpMax];
    c[CLeak] = p[IUpMax] / ca_up_max;
    c[PerTr] = 1 / p[TauTr];
    c[CaOut] = p[Cao];
    c[NaCaOut] = nao3;
    c[Sigma] = 0.0365 * (std::exp(p[Nao] / 67.3) - 1) / 7;
    c[LogKo] = std::log(p[Ko]);
    c[LogNao] = std::log(p[Nao]);
    c[LogCao] = std::log(p[Cao]);
  }

  /// dw/dt = (target - w) rate.
  struct Gate {
    T target, rate;
  };
  struct Pair {
    Gate first, second;
  };

  CT_HD static T square(T x) { return x * x; }
  /// e to the power of a compile-time constant.
  static consteval T e(double x) { return T(exponential(x)); }

  // Fast sodium current: gates given by opening and closing rates, target = alpha / (alpha + beta), rate = alpha +
  // beta.
  CT_HD static Gate gate_m(T v) {
    const T alpha = T(3.2) * bernoulli(T(-0.1) * (v + T(47.13)));
    const T rate = alpha + T(0.08) * exp_bounded(v * T(-1 / 11.0));
    return {alpha / rate, rate};
  }
  /// Above -40 mV alpha = 0 and beta = 1 / (0.13 (1 + ea)).
  CT_HD static Gate gate_h(T v) {
    const bool low = v < -40;
    const T ea = exp_bounded(select(low, (v + 80) * T(-1 / 6.8), (v + T(10.66)) * T(-1 / 11.1)));
    const T beta = T(3.56) * exp_bounded(T(0.079) * v) + T(3.1e5) * exp_bounded(T(0.35) * v);
    const T alpha = select(low, T(0.135) * ea, T(0));
    const T sum = select(low, alpha + beta, T(1));
    const auto inverse = invert(sum, select(low, T(1), T(0.13) * (1 + ea)));
    return {alpha * inverse.a, sum * inverse.b};
  }
  CT_HD static Gate gate_j(T v) {
    const bool low = v < -40;
    const T up =
        (T(-127140) * exp_bounded(T(0.2444) * v) - T(3.474e-5) * exp_bounded(T(-0.04391) * v)) * (v + T(37.78));
    const T alpha = select(low, up, T(0));
    const T alpha_below = select(low, 1 + exp_bounded(T(0.311) * (v + T(79.23))), T(1));
    const T beta = select(low, T(0.1212), T(0.3)) * exp_bounded(v * select(low, T(-0.01052), T(-2.535e-7)));
    const T beta_below = 1 + exp_bounded(select(low, T(-0.1378) * (v + T(40.14)), T(-0.1) * (v + 32)));
    const T opening = alpha * beta_below, sum = opening + beta * alpha_below;
    const auto inverse = invert(sum, alpha_below * beta_below);
    return {opening * inverse.a, sum * inverse.b};
  }

  /// Activation of I_to and of I_Kur, which share their rate: q10 0.65 (1 / a + 1 / b). e17 = exp(v / 17).
  CT_HD static Pair gates_activation(T v, T e17) {
    const T a = exp_bounded((v + 10) * T(-1 / 8.5)) + exp_bounded((v - 30) * T(-1 / 59.0));
    const T b = T(2.5) + e(82 / 17.0) * e17;
    const auto inverse =
        invert(a * b, 1 + exp_bounded((v + T(20.47)) * T(-1 / 17.54)), 1 + exp_bounded((v + T(30.3)) * T(-1 / 9.6)));
    const T rate = T(0.65 * q10) * (a + b) * inverse.a;
    return {{inverse.b, rate}, {inverse.c, rate}};
  }
  CT_HD static Gate gate_oi(T v) {
    const T a = T(18.53) + exp_bounded((v + T(113.7)) * T(1 / 10.95));
    const T b = T(35.56) + exp_bounded((v + T(1.26)) * T(-1 / 7.44));
    const auto inverse = invert(a * b, 1 + exp_bounded((v + T(43.1)) * T(1 / 5.3)));
    return {inverse.b, T(q10) * (a + b) * inverse.a};
  }
  CT_HD static Gate gate_ui(T v) {
    const T a = 21 + exp_bounded((v - 185) * T(-1 / 28.0));
    const auto inverse = invert(a, 1 + exp_bounded((v - T(99.45)) * T(1 / 27.48)));
    return {inverse.b, T(q10) * (inverse.a + exp_bounded((v - 158) * T(1 / 16.0)))};
  }

  // Delayed rectifiers.
  CT_HD static Gate gate_xr(T v) {
    const T alpha = T(0.0003 * 5) * bernoulli((v + T(14.1)) * T(-1 / 5.0));
    const T beta = T(7.3898e-5 * 5.1237) * bernoulli((v - T(3.3328)) * T(1 / 5.1237));
    return {1 / (1 + exp_bounded((v + T(14.1)) * T(-1 / 6.5))), alpha + beta};
  }
  CT_HD static Gate gate_xs(T v) {
    const T y = v - T(19.9);
    const T alpha = T(4e-5 * 17) * bernoulli(y * T(-1 / 17.0)), beta = T(3.5e-5 * 9) * bernoulli(y * T(1 / 9.0));
    return {1 / sqrt(1 + exp_bounded(y * T(-1 / 12.7))), 2 * (alpha + beta)};
  }

  /// L-type calcium current. 1 / tau_d = 0.035 y (1 + E) / (1 - E) with y = V + 10, E = exp(-y / 6.24).
  CT_HD static Pair gates_calcium(T v) {
    const T y = v + 10, x = y * T(1 / 6.24);
    const auto inverse = invert(1 + exp_bounded(y * T(-1 / 8.0)), 1 + exp_bounded((v + 28) * T(1 / 6.9)));
    const T bell = exp_bounded(square(y) * T(-0.0337 * 0.0337));
    return {{inverse.a, T(0.035 * 6.24) * (x + 2 * bernoulli(x))}, {inverse.b, T(0.0197 / 9) * bell + T(0.02 / 9)}};
  }

  /// Gates of release. They follow the calcium flux into the cell z [-], which is scaled so that u opens at z = 0 and v
  /// closes at z = -200, within a few units: the exponents are bounded so that u and v never become denormal.
  CT_HD static Pair gates_flux(T z) {
    constexpr T most = T(0.7) * Reduced<T>::highest;
    const auto bounded = [](T x) { return exp_bounded(at_most(at_least(x, -most), most)); };
    const auto inverse = invert(1 + bounded(-z), 1 + bounded(z + 200));
    return {{inverse.a, T(1 / 8.0)}, {inverse.b, 1 / (T(1.91) + T(2.09) * inverse.a)}};
  }
  /// 1 / tau_w = y (1 + 0.3 E) / (6 (1 - E)) with y = V - 7.9, E = exp(-y / 5).
  CT_HD static Gate gate_w(T v, T e17) {
    const T x = (v - T(7.9)) * T(1 / 5.0);
    return {1 / (1 + e(-40 / 17.0) * e17), T(5 / 6.0) * (x + T(1.3) * bernoulli(x))};
  }

  /// Gates whose time constants stay above 2 ms are slow.
  template <class Scheme>
  CT_HD static void gates(T voltage, T z, T fca, Scheme to) {
    const T v = at_most(at_least(voltage, T(-200)), T(200));  // bounds the exponents; no cell leaves this range
    const T e17 = exp_bounded(v * T(1 / 17.0));
    const auto quick = [&](int s, const Gate& g) { to.gate(s, g.target - T(reference(s)), g.rate); };
    const auto slow = [&](int s, const Gate& g) { to.slow_gate(s, g.target - T(reference(s)), g.rate); };
    const Pair activation = gates_activation(v, e17), calcium = gates_calcium(v), release = gates_flux(z);
    quick(M, gate_m(v));
    quick(H, gate_h(v));
    quick(J, gate_j(v));
    quick(Oa, activation.first);
    slow(Oi, gate_oi(v));
    quick(Ua, activation.second);
    quick(Ui, gate_ui(v));
    slow(Xr, gate_xr(v));
    slow(Xs, gate_xs(v));
    quick(D, calcium.first);
    slow(F, calcium.second);
    slow(FCa, Gate{fca, T(1 / 2.0)});
    slow(RelU, release.first);
    slow(RelV, release.second);
    quick(RelW, gate_w(v, e17));
  }

  struct Concentrations {
    T na_i, k_i, ca_i, ca_up, ca_rel;
  };
  struct Currents {
    T na, k1, to, kur, kr, ks, ca_l, p_ca, na_k, na_ca, b_na, b_ca;  // [A/F]
    CT_HD T sum() const { return na + k1 + to + kur + kr + ks + ca_l + p_ca + na_k + na_ca + b_na + b_ca; }
  };

  template <class States>
  CT_HD static T full(States w, int s) {
    return w[s] + T(reference(s));
  }
  template <class States>
  CT_HD static Concentrations concentrations(States w) {
    return {full(w, Nai), full(w, Ki), w[Cai], full(w, CaUp), full(w, CaRel)};
  }

  /// Potassium currents. I_Kur = g (1 + 10 / (1 + exp((15 - V) / 13))) u_a^3 u_i (V - E_K), and so on.
  template <class States, class Constants>
  CT_HD static void potassium(T v, T above_k, States w, Constants c, Currents& i) {
    const auto inverse = invert(1 + exp_bounded(T(0.07) * (v + 80)), 1 + exp_bounded((v - 15) * T(-1 / 13.0)),
                                1 + exp_bounded((v + 15) * T(1 / 22.4)));
    i.k1 = c[CK1] * above_k * inverse.a;
    i.to = c[Cto] * w[Oa] * w[Oa] * w[Oa] * full(w, Oi) * above_k;
    i.kur = c[CKur] * (1 + 10 * inverse.b) * w[Ua] * w[Ua] * w[Ua] * full(w, Ui) * above_k;
    i.kr = c[CKr] * w[Xr] * above_k * inverse.c;
    i.ks = c[CKs] * w[Xs] * w[Xs] * above_k;
  }

  /// I_NaCa and I_NaK; both depend on V through powers of q = exp(-0.05 V F / (R T)). In I_NaCa, with gamma = 0.35,
  /// numerator and denominator are multiplied by exp(-gamma V F / (R T)) = q^7. I_NaK saturates with Na_i^1.5.
  template <class Constants>
  CT_HD static void exchangers(T v, const Concentrations& n, Constants c, Currents& i) {
    const T q = exp_bounded(v * T(-0.05 / rtf)), q2 = q * q, q4 = q2 * q2, q7 = q4 * q2 * q, q20 = square(q4 * q4 * q2);
    const T na3 = n.na_i * n.na_i * n.na_i, na32 = n.na_i * sqrt(n.na_i);
    constexpr double half = 31.622776601683793;  // 10^1.5
    const auto inverse = invert(q7 + T(0.1) * q20, (na32 + T(half)) * (1 + T(0.1245) * q2 + c[Sigma] * q20));
    i.na_ca = c[CNaCa] * (na3 * c[CaOut] - n.ca_i * c[NaCaOut] * q20) * inverse.a;
    i.na_k = c[CNaK] * na32 * inverse.b;
  }

  /// All but I_pCa, which shares its division with the uptake.
  template <class States, class Constants>
  CT_HD static Currents currents(T v, States w, const Concentrations& n, Constants c) {
    const T near = at_most(at_least(v, T(-200)), T(200));
    const T above_na = v - T(rtf) * (c[LogNao] - log(n.na_i));
    const T above_ca = v - T(rtf / 2) * (c[LogCao] - log(n.ca_i));
    Currents i;
    i.na = c[CNa] * w[M] * w[M] * w[M] * w[H] * w[J] * above_na;
    i.ca_l = c[CCaL] * w[D] * full(w, F) * w[FCa] * (v - T(e_cal));
    i.b_na = c[CbNa] * above_na;
    i.b_ca = c[CbCa] * above_ca;
    potassium(near, v - T(rtf) * (c[LogKo] - log(n.k_i)), w, c, i);
    exchangers(near, n, c, i);
    return i;
  }

  /// d/dt of the concentrations [mM/ms], the signal of release z and the target of f_Ca [-].
  struct Flow {
    T na_i, k_i, ca_i, ca_up, ca_rel, z, f_ca;
  };

  /// Fraction of calcium that stays free beside buffers of total B and affinity K: 1 / (1 + sum B K / (K + Ca)^2);
  /// troponin 0.07, 0.0005 mM, calmodulin 0.05, 0.00238 mM, in the release compartment calsequestrin 10, 0.8 mM.
  template <class States, class Constants>
  CT_HD static Flow flow(const Concentrations& n, States w, Constants c, Currents& i) {
    const auto by_i = invert(n.ca_i + T(0.00092), n.ca_i + T(0.0005), n.ca_i + T(0.00035));
    const T troponin = square(n.ca_i + T(0.0005)), calmodulin = square(n.ca_i + T(0.00238)),
            both = troponin * calmodulin;
    const T calsequestrin = square(n.ca_rel + T(0.8));
    const auto free =
        invert(both + T(0.07 * 0.0005) * calmodulin + T(0.05 * 0.00238) * troponin, calsequestrin + T(10 * 0.8));
    i.p_ca = c[CpCa] * n.ca_i * by_i.b;
    const T uptake = c[CUp] * n.ca_i * by_i.a, leak = c[CLeak] * n.ca_up, transfer = (n.ca_up - n.ca_rel) * c[PerTr];
    const T u = at_least(w[RelU], T(1e-15));  // its square stays a normal number
    const T release = c[CRel] * u * u * w[RelV] * w[RelW] * (n.ca_rel - n.ca_i);
    Flow f;
    f.na_i = -(i.na + i.b_na + 3 * (i.na_k + i.na_ca)) * T(per_c);
    f.k_i = -(i.k1 + i.to + i.kur + i.kr + i.ks - 2 * i.na_k) * T(per_c);
    f.ca_i = both * free.a *
             ((2 * i.na_ca - i.p_ca - i.ca_l - i.b_ca) * T(per_c / 2) + (leak - uptake) * T(v_up / v_i) +
              release * T(v_rel / v_i));
    f.ca_up = uptake - leak - transfer * T(v_rel / v_up);
    f.ca_rel = calsequestrin * free.b * (transfer - release);
    // F_n of the paper, 1e-12 V_rel I_rel - 5e-13 (0.5 I_CaL - 0.2 I_NaCa) C_m / F, over 13.67e-16, less 250.
    f.z = T(1e-12 * v_rel / 13.67e-16) * release -
          T(5e-13 * capacitance / (faraday * 13.67e-16)) * (T(0.5) * i.ca_l - T(0.2) * i.na_ca) - 250;
    f.f_ca = T(0.00035) * by_i.c;
    return f;
  }

  template <class States, class Constants, class Scheme>
  CT_HD static T evaluate(T v, States w, Constants c, Scheme to) {
    const Concentrations n = concentrations(w);
    Currents i = currents(v, w, n, c);
    const Flow f = flow(n, w, c, i);
    gates(v, f.z, f.f_ca, to);
    to.change(Nai, f.na_i);
    to.change(Ki, f.k_i);
    to.change(Cai, f.ca_i);
    to.change(CaUp, f.ca_up);
    to.change(CaRel, f.ca_rel);
    return -i.sum();
  }
};

}  // namespace cardiotwin::kernels::CT_BACKEND
