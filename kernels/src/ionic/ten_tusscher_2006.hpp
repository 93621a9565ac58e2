#pragma once
/// Human ventricular cell of ten Tusscher & Panfilov 2006 (doi 10.1152/ajpheart.00109.2006), 18 states and V, after ten
/// Tusscher et al. 2004 (doi 10.1152/ajpheart.00794.2003). V in mV, time in ms, concentrations in mM, currents in A/F.
///
///   dV/dt = -(I_Na + I_CaL + I_to + I_Ks + I_Kr + I_K1 + I_NaCa + I_NaK + I_pCa + I_pK + I_bNa + I_bCa)
///
/// The stimulus enters V alone, not the potassium balance. Gates follow Rush & Larsen 1978, concentrations forward
/// Euler.
///
/// Written for speed without changing the equations: rates instead of time constants, so that 1/tau needs no division;
/// one exponential for those that are powers of one another (exp(-V/60) to exp(-V/5)); a quotient of a sum of fractions
/// instead of the fractions; one division for two quotients. K_i, Na_i and Ca_SR are stored as offsets from their
/// initial value: in fp32 their slow drift would otherwise be lost in the last digit (K_i moves by 1e-7 mM in a step).

#include <cmath>

#include "scheme.hpp"

namespace cardiotwin::kernels::CT_BACKEND {

template <class T>
struct TenTusscher2006 {
  enum State { Cai, CaSR, CaSS, Nai, Ki, M, H, J, Xr1, Xr2, Xs, R, S, D, F, F2, FCass, RPrime, state_count };

  enum Parameter {
    GNa,
    GCaL,
    Gto,
    GKr,
    GKs,
    GK1,
    GbNa,
    GbCa,
    GpCa,
    GpK,
    PNaK,
    KNaCa,  // sizes of the currents
    Ko,
    Cao,
    Nao,       // outside
    EndoGate,  // 1: s gate of endocardial cells
    ScaleNa,
    ScaleCaL,
    ScaleKr,
    ScaleKs,
    ScaleK1,  // remodelling
    parameter_count
  };

  enum ConstantIndex {
    CNa,
    CCaL,
    Cto,
    CKr,
    CKs,
    CK1,
    CbNa,
    CbCa,
    CpCa,
    CpK,
    CNaK,
    CNaCa,
    CaOut,
    LogKo,
    LogNao,
    LogCao,
    LogKsOut,
    NaCaIn,
    NaCaOut,
    SShift,
    SHeight,
    SCentre,
    SPerWidth,
    SStep,
    SFloor,
    constant_count
  };

  // Physical constants rounded as in the curated models this one is verified against (all digits move E_K by 0.006 %),
  // and their cell size.
  static constexpr double gas = 8314;                         // mJ / (mol K)
  static constexpr double temperature = 310;                  // K
  static constexpr double faraday = 96485;                    // C / mol
  static constexpr double rtf = gas * temperature / faraday;  // mV
  static constexpr double capacitance = 0.185;                // uF: with volumes in 1000 um3, I Cm / (V F) is mM / ms
  static constexpr double v_c = 0.016404, v_sr = 0.001094, v_ss = 0.00005468;
  static constexpr double permeability = 0.03;  // Na over K in I_Ks

  /// Stored state = true state - reference.
  CT_HD static constexpr double reference(int state) {
    return state == CaSR ? 3.64 : state == Nai ? 8.604 : state == Ki ? 136.89 : 0.0;
  }

  static void prepare(const double* p, double* c) {
    const double root = std::sqrt(p[Ko] / 5.4);
    c[CNa] = p[GNa] * p[ScaleNa];
    c[CCaL] = p[GCaL] * p[ScaleCaL] * 2 * faraday;
    c[Cto] = p[Gto];
    c[CKr] = p[GKr] * p[ScaleKr] * root;
    c[CKs] = p[GKs] * p[ScaleKs];
    c[CK1] = p[GK1] * p[ScaleK1] * root;
    c[CbNa] = p[GbNa];
    c[CbCa] = p[GbCa];
    c[CpCa] = p[GpCa];
    c[CpK] = p[GpK];
    c[CNaK] = p[PNaK] * p[Ko] / (p[Ko] + 1);  // K_mK = 1 mM
    const double k_na = 87.5, k_ca = 1.38, nao3 = p[Nao] * p[Nao] * p[Nao];
    c[CNaCa] = p[KNaCa] / ((k_na * k_na * k_na + nao3) * (k_ca + p[Cao]));
    c[NaCaIn] = p[Cao];
    c[NaCaOut] = nao3 * 2.5;  // alpha = 2.5
    c[CaOut] = p[Cao];
    c[LogKo] = std::log(p[Ko]);
    c[LogNao] = std::log(p[Nao]);
    c[LogCao] = std::log(p[Cao]);
    c[LogKsOut] = std::log(p[Ko] + permeability * p[Nao]);
    const bool endo = p[EndoGate] >= 0.5;
    c[SShift] = std::exp((endo ? 28.0 : 20.0) / 5);
    c[SHeight] = endo ? 1000 : 85;
    c[SCentre] = endo ? 67 : 45;
    c[SPerWidth] = endo ? 1.0 / 1000 : 1.0 / 320;
    c[SStep] = endo ? 0 : 5;
    c[SFloor] = endo ? 8 : 3;
  }

  /// Exponentials of V that several rates share. Rates are those of the nearest V within +-200 mV (no cell leaves this
  /// range), which bounds every exponent.
  struct Shared {
    T v, e5, e10, e20, e7, n5, n10, n20, n15, n14, n7, n6;
    CT_HD explicit Shared(T voltage) : v(at_most(at_least(voltage, T(-200)), T(200))) {
      const T n60 = exp_bounded(v * T(-1 / 60.0)), n30 = n60 * n60;
      n20 = n30 * n60;
      n15 = n30 * n30;
      n6 = n15 * n15 * n30;
      n10 = n20 * n20;
      n5 = n10 * n10;
      n14 = exp_bounded(v * T(-1 / 14.0));
      n7 = n14 * n14;
      const auto inverse = invert(n20, n7);
      e20 = inverse.a, e7 = inverse.b;
      e10 = e20 * e20;
      e5 = e10 * e10;
    }
  };

  /// dw/dt = (target - w) rate.
  struct Gate {
    T target, rate;
  };

  CT_HD static T square(T x) { return x * x; }
  /// e to the power of a compile-time constant.
  static consteval T e(double x) { return T(exponential(x)); }

  // Fast sodium current. tau_m = alpha beta; alpha = 1 / a, beta = 0.1 / b + 0.1 / b2.
  CT_HD static Gate gate_m(const Shared& x) {
    const T a = 1 + e(-60 / 5.0) * x.n5;
    const T b = 1 + e(35 / 5.0) * x.e5, b2 = 1 + exp_bounded((x.v - 50) * T(1 / 200.0));
    const T inf = 1 + exp_bounded((T(-56.86) - x.v) * T(1 / 9.03));
    const auto inverse = invert(square(inf), b + b2);
    return {inverse.a, 10 * a * b * b2 * inverse.b};
  }
  CT_HD static T rate_h(const Shared& x) {
    const bool low = x.v < -40;
    const T ea = exp_bounded(select(low, (x.v + 80) * T(-1 / 6.8), (x.v + T(10.66)) * T(-1 / 11.1)));
    const T eb = T(2.7) * exp_bounded(T(0.079) * x.v) + T(310000) * exp_bounded(T(0.3485) * x.v);
    return select(low, T(0.057) * ea + eb, T(0.77 / 0.13) / (1 + ea));
  }
  /// h and j have the same target.
  CT_HD static Gate gate_j(const Shared& x) {
    const bool low = x.v < -40;
    const T up =
        (T(-25428) * exp_bounded(T(0.2444) * x.v) - T(6.948e-6) * exp_bounded(T(-0.04391) * x.v)) * (x.v + T(37.78));
    const T alpha = select(low, up, T(0));
    const T alpha_below = select(low, 1 + exp_bounded(T(0.311) * (x.v + T(79.23))), T(1));
    const T beta = select(low, T(0.02424), T(0.6)) * exp_bounded(x.v * select(low, T(-0.01052), T(0.057)));
    const T beta_below = 1 + exp_bounded(select(low, T(-0.1378) * (x.v + T(40.14)), T(-0.1) * (x.v + 32)));
    const T inf = 1 + exp_bounded((x.v + T(71.55)) * T(1 / 7.43));
    const auto inverse = invert(square(inf), alpha_below * beta_below);
    return {inverse.a, (alpha * beta_below + beta * alpha_below) * inverse.b};
  }

  // Delayed rectifiers.
  struct Pair {
    Gate first, second;
  };
  CT_HD static Pair gates_xr(const Shared& x) {
    const T a1 = 1 + e(-45 / 10.0) * x.n10, b1 = 1 + exp_bounded((x.v + 30) * T(1 / 11.5));
    const T a2 = 1 + e(-60 / 20.0) * x.n20, b2 = 1 + e(-60 / 20.0) * x.e20;
    const auto inverse = invert(1 + e(-26 / 7.0) * x.n7, 1 + exp_bounded((x.v + 88) * T(1 / 24.0)));
    return {{inverse.a, a1 * b1 * T(1 / 2700.0)}, {inverse.b, a2 * b2 * T(1 / 3.36)}};
  }
  CT_HD static Gate gate_xs(const Shared& x) {
    const T a = sqrt(1 + e(5 / 6.0) * x.n6), b = 1 + exp_bounded((x.v - 35) * T(1 / 15.0));
    const auto inverse = invert(1 + e(-5 / 14.0) * x.n14, 1400 + 80 * a * b);
    return {inverse.a, a * b * inverse.b};
  }

  // Transient outward current.
  CT_HD static Gate gate_r(const Shared& x) {
    const T tau = T(9.5) * exp_decaying(square(x.v + 40) * T(-1 / 1800.0)) + T(0.8);
    const auto inverse = invert(1 + e(20 / 6.0) * x.n6, tau);
    return {inverse.a, inverse.b};
  }
  template <class Constants>
  CT_HD static Gate gate_s(const Shared& x, Constants c) {
    const T bell = c[SHeight] * exp_decaying(-square(x.v + c[SCentre]) * c[SPerWidth]);
    const T step = 1 + e(-20 / 5.0) * x.e5;
    const auto inverse = invert(1 + c[SShift] * x.e5, (bell + c[SFloor]) * step + c[SStep]);
    return {inverse.a, step * inverse.b};
  }

  // L-type calcium current. tau_d = (1.4 / a + 0.25) 1.4 / b + 1 / g.
  CT_HD static Gate gate_d(const Shared& x) {
    const T a = 1 + exp_bounded((-35 - x.v) * T(1 / 13.0)), b = 1 + e(5 / 5.0) * x.e5, g = 1 + e(50 / 20.0) * x.n20;
    const auto inverse = invert(1 + e(-8 / 7.5) * x.n15 * x.n15, T(1.4) * (T(1.4) + T(0.25) * a) * g + a * b);
    return {inverse.a, a * b * g * inverse.b};
  }
  /// tau_f = bell + 200 / a + 180 / b + 20, tau_f2 = bell + 31 / a + 80 / b.
  CT_HD static Gate gate_f(const Shared& x) {
    const T a = 1 + e(13 / 10.0) * x.n10, b = 1 + e(30 / 10.0) * x.e10, ab = a * b;
    const T bell = T(1102.5) * exp_decaying(square(x.v + 27) * T(-1 / 225.0)) + 20;
    const auto inverse = invert(1 + e(20 / 7.0) * x.e7, bell * ab + 200 * b + 180 * a);
    return {inverse.a, ab * inverse.b};
  }
  CT_HD static Gate gate_f2(const Shared& x) {
    const T a = 1 + e(25 / 10.0) * x.n10, b = 1 + e(30 / 10.0) * x.e10, ab = a * b;
    const T bell = T(562) * exp_decaying(square(x.v + 27) * T(-1 / 240.0));
    const auto inverse = invert(1 + e(35 / 7.0) * x.e7, bell * ab + 31 * b + 80 * a);
    return {T(0.67) * inverse.a + T(0.33), ab * inverse.b};
  }
  CT_HD static Gate gate_fcass(T ca_ss) {
    const T q = 1 + square(ca_ss * 20);  // 0.05 mM
    const auto inverse = invert(q, 80 + 2 * q);
    return {T(0.6) * inverse.a + T(0.4), q * inverse.b};
  }

  /// Gates whose time constants stay above 0.8 (r), 2 (f_cass), 3 (s), 20 (f), 31 (f2) and 80 ms (x_s) are slow.
  template <class Constants, class Scheme>
  CT_HD static void gates(const Shared& x, T ca_ss, Constants c, Scheme to) {
    const auto quick = [&](int s, const Gate& g) { to.gate(s, g.target, g.rate); };
    const auto slow = [&](int s, const Gate& g) { to.slow_gate(s, g.target, g.rate); };
    const Gate j = gate_j(x);
    const Pair xr = gates_xr(x);
    quick(M, gate_m(x));
    quick(H, Gate{j.target, rate_h(x)});
    quick(J, j);
    quick(Xr1, xr.first);
    quick(Xr2, xr.second);
    quick(D, gate_d(x));
    slow(Xs, gate_xs(x));
    slow(R, gate_r(x));
    slow(S, gate_s(x, c));
    slow(F, gate_f(x));
    slow(F2, gate_f2(x));
    slow(FCass, gate_fcass(ca_ss));
  }

  struct Concentrations {
    T ca_i, ca_sr, ca_ss, na_i, k_i;
  };
  struct Currents {
    T na, ca_l, to, ks, kr, k1, na_ca, na_k, p_ca, p_k, b_na, b_ca;  // [A/F]
    CT_HD T sum() const { return na + ca_l + to + ks + kr + k1 + na_ca + na_k + p_ca + p_k + b_na + b_ca; }
  };

  template <class States>
  CT_HD static Concentrations concentrations(States w) {
    return {w[Cai], w[CaSR] + T(reference(CaSR)), w[CaSS], w[Nai] + T(reference(Nai)), w[Ki] + T(reference(Ki))};
  }

  /// I_CaL = g d f f2 fcass 2 F [x / (e^x - 1)] (0.25 Ca_SS e^x - Ca_o), x = 2 (V - 15) F / (R T). The bracket is
  /// replaced by its series near x = 0, where the quotient is 0 / 0.
  template <class Constants>
  CT_HD static T l_type(T v, T ca_ss, T open, Constants c) {
    const T x = (v - 15) * T(2 / rtf), x2 = x * x;
    const T ex = exp_bounded(x);
    const T series =
        1 - x / 2 + x2 * (T(1 / 12.0) - x2 * (T(1 / 720.0) - x2 * (T(1 / 30240.0) - x2 * T(1 / 1209600.0))));
    const bool near = x2 < T(0.16);
    const T bracket = select(near, series, x / select(near, T(1), ex - 1));
    return c[CCaL] * open * bracket * (T(0.25) * ca_ss * ex - c[CaOut]);
  }

  /// I_K1 = g x_inf (V - E_K), x_inf = alpha / (alpha + beta); with y = V - E_K and q = exp(-y / 50):
  /// alpha = 0.1 / (1 + exp(0.06 (y - 200))), beta = (3 exp(0.0002 (y + 100)) + exp(0.1 (y - 10))) / (1 + exp(-0.5 y)).
  /// Shares its division with I_pK = g (V - E_K) / (1 + exp((25 - V) / 5.98)).
  template <class Constants>
  CT_HD static void rectifiers(T v, T y, Constants c, Currents& i) {
    const T q = exp_bounded(y * T(-0.02)), q2 = q * q, q3 = q2 * q, q5 = q2 * q3, q10 = q5 * q5, q25 = q10 * q10 * q5;
    const T z = T(0.0002) * (y + 100);  // within +-0.06: the series is exact to rounding
    const T weak = 3 * (1 + z * (1 + z * (T(1 / 2.0) + z * (T(1 / 6.0) + z * (T(1 / 24.0) + z * T(1 / 120.0))))));
    const T a = T(0.1) * q3 * (1 + q25) * q5;
    const T b = (weak * q5 + e(-1)) * (q3 + e(-12));
    const auto inverse = invert(a + b, 1 + exp_bounded((25 - v) * T(1 / 5.98)));
    i.k1 = c[CK1] * y * a * inverse.a;
    i.p_k = c[CpK] * y * inverse.b;
  }

  /// I_NaCa and I_NaK; both depend on V through powers of q = exp(-0.05 V F / (R T)). In I_NaCa, with gamma = 0.35,
  /// numerator and denominator are multiplied by exp(-gamma V F / (R T)) = q^7.
  template <class Constants>
  CT_HD static void exchangers(T v, const Concentrations& n, Constants c, Currents& i) {
    const T q = exp_bounded(v * T(-0.05 / rtf)), q2 = q * q, q4 = q2 * q2, q7 = q4 * q2 * q, q20 = square(q4 * q4 * q2);
    const T na3 = n.na_i * n.na_i * n.na_i;
    const auto inverse = invert(q7 + T(0.1) * q20, (n.na_i + 40) * (1 + T(0.1245) * q2 + T(0.0353) * q20));
    i.na_ca = c[CNaCa] * (na3 * c[NaCaIn] - n.ca_i * c[NaCaOut] * q20) * inverse.a;
    i.na_k = c[CNaK] * n.na_i * inverse.b;
  }

  template <class States, class Constants>
  CT_HD static Currents currents(T v, States w, const Concentrations& n, Constants c) {
    const T log_k = log(n.k_i), log_na = log(n.na_i);
    const T near = at_most(at_least(v, T(-200)), T(200));  // bounds the exponents, as in Shared
    const T above_k = v - T(rtf) * (c[LogKo] - log_k);
    const T above_na = v - T(rtf) * (c[LogNao] - log_na);
    const T above_ca = v - T(rtf / 2) * (c[LogCao] - log(n.ca_i));
    const T above_ks = v - T(rtf) * (c[LogKsOut] - log(n.k_i + T(permeability) * n.na_i));
    Currents i;
    i.na = c[CNa] * w[M] * w[M] * w[M] * w[H] * w[J] * above_na;
    i.ca_l = l_type(near, n.ca_ss, w[D] * w[F] * w[F2] * w[FCass], c);
    i.to = c[Cto] * w[R] * w[S] * above_k;
    i.ks = c[CKs] * w[Xs] * w[Xs] * above_ks;
    i.kr = c[CKr] * w[Xr1] * w[Xr2] * above_k;
    rectifiers(near, at_most(at_least(above_k, T(-300)), T(300)), c, i);
    exchangers(near, n, c, i);
    i.b_na = c[CbNa] * above_na;
    i.b_ca = c[CbCa] * above_ca;
    return i;
  }

  /// d/dt of the concentrations [mM/ms] and of R' [1/ms].
  struct Flow {
    T ca_i, ca_sr, ca_ss, na_i, k_i, r_prime;
  };

  /// Uptake, buffering and the sarcolemmal pump I_pCa, whose three quotients in Ca_i share a division; then release
  /// from the reticulum and diffusion out of the subspace. Fraction of calcium that stays free beside a buffer: 1 / (1
  /// + B K / (K + Ca)^2) = s / (s + B K) with s = (K + Ca)^2.
  template <class Constants>
  CT_HD static Flow flow(const Concentrations& n, T r_prime, Constants c, Currents& i) {
    constexpr double per_c = capacitance / (v_c * faraday);  // A/F -> mM/ms of a single charge
    const T sr2 = square(n.ca_sr), ss2 = square(n.ca_ss), ca2 = square(n.ca_i);
    const T buffer_i = square(n.ca_i + T(0.001)), buffer_sr = square(n.ca_sr + T(0.3)),
            buffer_ss = square(n.ca_ss + T(0.00025));
    const auto by_i = invert(ca2 + T(0.00025 * 0.00025), buffer_i + T(0.2 * 0.001), n.ca_i + T(0.0005));
    const auto by_sr = invert(sr2 + T(1.5 * 1.5), buffer_sr + T(10 * 0.3));
    const T kcasr = T(2.5) - T(1.5) * sr2 * by_sr.a;  // max_sr, max_sr - min_sr, EC
    const T k1 = T(0.15) * ss2;                       // times kcasr
    const auto by_ss = invert(T(0.06) * kcasr + k1, buffer_ss + T(0.4 * 0.00025));
    i.p_ca = c[CpCa] * n.ca_i * by_i.c;
    const T release = T(0.102) * k1 * r_prime * by_ss.a * (n.ca_sr - n.ca_ss);
    const T uptake = T(0.006375) * ca2 * by_i.a;
    const T leak = T(0.00036) * (n.ca_sr - n.ca_i);
    const T transfer = T(0.0038) * (n.ca_ss - n.ca_i);
    Flow f;
    f.ca_i = buffer_i * by_i.b *
             ((leak - uptake) * T(v_sr / v_c) + transfer - (i.b_ca + i.p_ca - 2 * i.na_ca) * T(per_c / 2));
    f.ca_sr = buffer_sr * by_sr.b * (uptake - release - leak);
    f.ca_ss = buffer_ss * by_ss.b *
              (release * T(v_sr / v_ss) - transfer * T(v_c / v_ss) - i.ca_l * T(per_c / 2 * v_c / v_ss));
    f.na_i = -(i.na + i.b_na + 3 * i.na_k + 3 * i.na_ca) * T(per_c);
    f.k_i = -(i.k1 + i.to + i.kr + i.ks - 2 * i.na_k + i.p_k) * T(per_c);
    f.r_prime = T(0.005) * (1 - r_prime) - T(0.045) * kcasr * n.ca_ss * r_prime;
    return f;
  }

  template <class States, class Constants, class Scheme>
  CT_HD static T evaluate(T v, States w, Constants c, Scheme to) {
    const Concentrations n = concentrations(w);
    Currents i = currents(v, w, n, c);
    const Flow f = flow(n, w[RPrime], c, i);
    gates(Shared(v), n.ca_ss, c, to);
    to.change(CaSR, f.ca_sr);
    to.change(CaSS, f.ca_ss);
    to.change(Cai, f.ca_i);
    to.change(Nai, f.na_i);
    to.change(Ki, f.k_i);
    to.change(RPrime, f.r_prime);
    return -i.sum();
  }
};

}  // namespace cardiotwin::kernels::CT_BACKEND
