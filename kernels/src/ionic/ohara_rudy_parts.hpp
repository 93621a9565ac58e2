#pragma once
/// What the O'Hara-Rudy human ventricular cell (2011, doi 10.1371/journal.pcbi.1002061) and its successor ToR-ORd
/// (2019, doi 10.7554/eLife.48890) have in common: geometry, CaMKII, the gates of I_to, I_NaL, I_CaL and I_Ks,
/// exchanger, pump, and the reticulum. V in mV, time in ms, concentrations in mM, currents in A/F, rates in 1/ms.
///
/// Time constants of the form tau = a + 1 / s are written as the rate s / (a s + 1), one division instead of two.
/// Exponents are bounded for |V| <= 200 mV; no cell leaves this range.

#include "scheme.hpp"

namespace cardiotwin::kernels::CT_BACKEND {

template <class T>
struct OHaraRudyParts {
  static constexpr double gas = 8314;       // mJ / (mol K)
  static constexpr double kelvin = 310;     // K
  static constexpr double faraday = 96485;  // C / mol
  static constexpr double rtf = gas * kelvin / faraday, frt = faraday / (gas * kelvin);

  // A cylinder of length 0.01 and radius 0.0011 cm, with pi as the published code has it; areas in cm2, volumes in uL.
  static constexpr double length = 0.01, radius = 0.0011, pi = 3.14;
  static constexpr double v_cell = 1000 * pi * radius * radius * length;
  static constexpr double capacitive_area = 2 * (2 * pi * radius * radius + 2 * pi * radius * length);
  static constexpr double v_myo = 0.68 * v_cell, v_nsr = 0.0552 * v_cell, v_jsr = 0.0048 * v_cell, v_ss = 0.02 * v_cell;
  static constexpr double per_myo = capacitive_area / (faraday * v_myo);  // A/F -> mM/ms of a single charge, 1 uF/cm2
  static constexpr double per_ss = capacitive_area / (faraday * v_ss);

  static constexpr double permeability_ks = 0.01833;  // Na over K in I_Ks
  static constexpr double half_ks = 3.8e-5;           // mM: Ca_i of half the calcium effect on I_Ks

  CT_HD static T square(T x) { return x * x; }
  CT_HD static T cube(T x) { return x * x * x; }
  /// e to the power of a compile-time constant.
  static consteval T e(double x) { return T(exponential(x)); }
  CT_HD static T within(T x, double bound) { return at_most(at_least(x, T(-bound)), T(bound)); }
  /// 1 / (1 + exp x) for |x| < 87.
  CT_HD static T falling(T x) { return 1 / (1 + exp_bounded(x)); }

  // ---- Fluxes through a membrane in a constant field (Goldman, Hodgkin, Katz) ---------------------------------------

  /// With y = V F / (R T): e^y, y / (e^y - 1) and 2 y / (e^2y - 1). The first quotient is replaced by its series near
  /// y = 0, where it is 0 / 0; the second is the first times 2 / (e^y + 1).
  struct Field {
    T y, ey, e2y, one, two;
    CT_HD explicit Field(T v) : y(v * T(frt)) {
      const T y2 = y * y;
      ey = exp_bounded(y);
      e2y = ey * ey;
      const T series =
          1 - y / 2 + y2 * (T(1 / 12.0) - y2 * (T(1 / 720.0) - y2 * (T(1 / 30240.0) - y2 * T(1 / 1209600.0))));
      const bool near = y2 < T(0.09);
      const auto inverse = invert(select(near, T(1), ey - 1), ey + 1);
      one = select(near, series, y * inverse.a);
      two = 2 * one * inverse.b;
    }
    /// Current of 1 L/(ms F) of permeability to a single charge, of concentration `in` and `out`.
    CT_HD T monovalent(T in, T out) const { return T(faraday) * one * (in * ey - out); }
    CT_HD T divalent(T in, T out) const { return T(2 * faraday) * two * (in * e2y - out); }
  };

  // ---- CaMKII -------------------------------------------------------------------------------------------------------

  struct Camk {
    T bound, active, fraction;
    CT_HD Camk(T trapped, T ca_ss) {
      bound = T(0.05) * (1 - trapped) * ca_ss / (ca_ss + T(0.0015));
      active = bound + trapped;
      fraction = active / (active + T(0.15));
    }
    CT_HD T change(T trapped) const { return T(0.05) * bound * active - T(0.00068) * trapped; }
    /// Mean of what unphosphorylated and phosphorylated channels do.
    CT_HD T mix(T plain, T phosphorylated) const { return plain + fraction * (phosphorylated - plain); }
  };

  // ---- Late sodium current ------------------------------------------------------------------------------------------

  /// m_L (with the rate of I_Na's m), h_L and h_L of phosphorylated channels, states `first` to `first` + 2.
  template <class Scheme>
  CT_HD static void late_gates(T v, T rate_m, int first, Scheme to) {
    const auto inf = invert(1 + exp_bounded((v + T(42.85)) * T(-1 / 5.264)), T(1));
    const T h = exp_bounded((v + T(87.61)) * T(1 / 7.488));
    const auto inf_h = invert(1 + h, 1 + e(6.2 / 7.488) * h);
    to.gate(first, inf.a, rate_m);
    to.slow_gate(first + 1, inf_h.a, T(1 / 200.0));
    to.slow_gate(first + 2, inf_h.b, T(1 / 600.0));
  }

  // ---- Transient outward current ------------------------------------------------------------------------------------

  /// Open fraction from the states a, i_f, i_s and their phosphorylated counterparts, `first` to `first` + 5.
  template <class States>
  CT_HD static T transient_open(T v, States w, int first, const Camk& camk) {
    const T fast = falling((v - T(213.6)) * T(1 / 151.2));
    const T i = w[first + 2] + fast * (w[first + 1] - w[first + 2]);
    const T ip = w[first + 5] + fast * (w[first + 4] - w[first + 5]);
    return camk.mix(w[first] * i, w[first + 3] * ip);
  }

  /// `epi` is 0.95 where inactivation is that of epicardial cells, 0 elsewhere: delta_epi = 1 - epi / (1 + exp((V + 70)
  /// / 5)).
  template <class Scheme>
  CT_HD static void transient_gates(T v, T epi, int first, Scheme to) {
    const T q = exp_bounded(v * T(1 / 29.3814));
    const auto part = invert(q + e(18.4099 / 29.3814), 1 + e(100 / 29.3814) * q);
    const T rate_a = T(1 / (1.2089 * 1.0515)) * q * part.a + T(3.5 / 1.0515) * part.b;
    const T a = exp_bounded((v - T(14.34)) * T(-1 / 14.82));
    const auto inf_a = invert(1 + a, 1 + e(10 / 14.82) * a);
    const T inf_i = falling((v + T(43.94)) * T(1 / 5.711));
    const T step = 1 + exp_bounded(at_most((v + 70) * T(1 / 5.0), T(30)));  // beyond 30 the epicardial part is < 1e-13
    const T per_delta = step / (step - epi);
    const T f = T(0.3933) * exp_bounded((v + 100) * T(-1 / 100.0)) + T(0.08004) * exp_bounded((v + 50) * T(1 / 16.59));
    const T s = T(0.001416) * exp_bounded((v + T(96.52)) * T(-1 / 59.05)) +
                T(1.78e-8) * exp_bounded((v + T(114.1)) * T(1 / 8.079));
    const auto tau = invert(T(4.562) * f + 1, T(23.62) * s + 1);
    const T fast = f * tau.a * per_delta, slow = s * tau.b * per_delta;
    const T p = per_slowing(v);
    to.gate(first, inf_a.a, rate_a);
    to.gate(first + 1, inf_i, fast);
    to.slow_gate(first + 2, inf_i, slow);
    to.gate(first + 3, inf_a.b, rate_a);
    to.gate(first + 4, inf_i, fast * p);
    to.slow_gate(first + 5, inf_i, slow * p);
  }

  /// 1 / (dti_develop dti_recover), by which phosphorylation changes the rates of inactivation of I_to. The second
  /// exponential of dti_develop = 1.354 + 1e-4 / (exp((V - 167.4) / 15.89) + exp((12.23 - V) / 0.2154)) covers hundreds
  /// of decades; beyond exp(60) the quotient is nothing beside 1.354, below exp(-60) it is the first alone.
  CT_HD static T per_slowing(T v) {
    const T s = exp_bounded((v - T(167.4)) * T(1 / 15.89)) + exp_bounded(within((T(12.23) - v) * T(1 / 0.2154), 60));
    const T r = 1 + exp_bounded((v + 70) * T(1 / 20.0));
    return s * r / ((T(1.354) * s + T(1e-4)) * (r - T(0.5)));
  }

  // ---- L-type calcium channel ---------------------------------------------------------------------------------------

  struct Inactivation {
    T f, fca, fp, fcap;  ///< without and with calcium, plain and phosphorylated
  };
  /// From the states f_f, f_s, f_ca,f, f_ca,s (`first` to `first` + 3) and the two phosphorylated fast ones from `p`
  /// on.
  template <class States>
  CT_HD static Inactivation inactivation(T v, States w, int first, int p) {
    const T fast_ca = T(0.3) + T(0.6) * falling((v - 10) * T(1 / 10.0));
    const T slow = T(0.4) * w[first + 1], slow_ca = (1 - fast_ca) * w[first + 3];
    return {T(0.6) * w[first] + slow, fast_ca * w[first + 2] + slow_ca, T(0.6) * w[p] + slow,
            fast_ca * w[p + 1] + slow_ca};
  }
  /// Fraction of channels that conduct, 1.1 times for phosphorylated ones. n: fraction in calcium-dependent mode.
  CT_HD static T l_type_open(T d, T n, T j, const Inactivation& i, const Camk& camk) {
    const T plain = i.f + n * (j * i.fca - i.f), phosphorylated = i.fp + n * (j * i.fcap - i.fp);
    return d * camk.mix(plain, T(1.1) * phosphorylated);
  }

  CT_HD static T rate_d(T v) {
    const T s = exp_bounded(T(-0.05) * (v + 6)) + exp_bounded(T(0.09) * (v + 14));
    return s / (T(0.6) * s + 1);
  }
  /// Voltage-dependent inactivation; states as in `inactivation`. tau_fs = 1000 + 1 / (3.5e-5 (z^-3 + z^2)) with z =
  /// exp((V + 5) / 12).
  template <class Scheme>
  CT_HD static void inactivation_gates(T v, T inf, int first, int p, Scheme to) {
    const T a = exp_bounded((v + 20) * T(1 / 10.0)), b = exp_bounded((v - 4) * T(1 / 7.0));
    const T a2 = T(0.0045) * (a * a + 1), b2 = T(0.04) * (b * b + 1);
    const T z = exp_bounded((v + 5) * T(1 / 12.0)), z3 = z * z * z, z5 = T(3.5e-5) * (1 + z3 * z * z);
    const T c = T(0.00012) * (exp_bounded(v * T(-1 / 3.0)) + exp_bounded(v * T(1 / 7.0)));
    const T fast = a2 / (7 * a2 + a), fast_ca = b2 / (7 * b2 + b);
    to.slow_gate(first, inf, fast);
    to.slow_gate(first + 1, inf, z5 / (1000 * z5 + z3));
    to.slow_gate(first + 2, inf, fast_ca);
    to.slow_gate(first + 3, inf, c / (100 * c + 1));
    to.slow_gate(p, inf, fast * T(1 / 2.5));
    to.slow_gate(p + 1, inf, fast_ca * T(1 / 2.5));
  }
  /// dn/dt = a k - n j with a = 1 / (k / j + (1 + K_mn / Ca)^4), K_mn = 0.002 mM: a gate whose rate is j (<= 1/ms).
  template <class Scheme>
  CT_HD static void calcium_mode(int state, T ca, T j, double k, Scheme to) {
    const T x = square(square(1 + T(0.002) / ca));
    to.slow_gate(state, T(k) / (T(k) + j * x), j);
  }

  // ---- Slow delayed rectifier ---------------------------------------------------------------------------------------

  /// 1 + 0.6 / (1 + (3.8e-5 mM / Ca_i)^1.4).
  CT_HD static T calcium_effect_ks(T ca_i) {
    const T ratio = T(1.4) * (T(-10.177924398237888) - log(ca_i));  // ln of 3.8e-5
    return 1 + T(0.6) * falling(within(ratio, 80));
  }
  template <class Scheme>
  CT_HD static void slow_rectifier_gates(T v, int first, Scheme to) {
    const T inf = falling((v + T(11.6)) * T(-1 / 8.932));
    const T s =
        T(2.326e-4) * exp_bounded((v + T(48.28)) * T(1 / 17.8)) + T(0.001292) * exp_bounded((v + 210) * T(-1 / 230.0));
    const T rate =
        T(0.01) * exp_bounded((v - 50) * T(1 / 20.0)) + T(0.0193) * exp_bounded((v + T(66.54)) * T(-1 / 31.0));
    to.slow_gate(first, inf, s / (T(817.3) * s + 1));
    to.slow_gate(first + 1, inf, rate);
  }

  // ---- Sodium-calcium exchanger -------------------------------------------------------------------------------------

  /// Four states in a cycle with the rates k1 ... k8 of the paper (here in 1/ms): 1 -> 2 by k1, back by k2, 2 <-> 3 by
  /// k3 and k4, 3 <-> 4 by k5 and k6, 4 <-> 1 by k7 and k8. All edges carry the same net flux, and with it the
  /// published J_Na + 2 J_Ca = 3 (E4 k7 - E1 k8) + E3 k4'' - E2 k3'' + 2 (E2 k2 - E1 k1) becomes
  ///
  ///   (k1 k5 k7 k3' - k2 k6 k8 k4' + (k1 (k6 + k7) + k6 k8)(k3' k4'' - k4' k3'')) / (x1 + x2 + x3 + x4),
  ///
  /// without the differences of nearly equal terms that would cost fp32 its digits.
  struct ExchangerOutside {
    T hna, per_hca, k3p, k3pp, k8;
  };
  static constexpr double k_off = 5, k_on = 1500, w_na = 60, w_ca = 60, w_naca = 5;  // 1/ms; k_on per mM
  static constexpr double k_na1 = 15, k_na2 = 5, k_na3 = 88.12, k_asymmetry = 12.5;  // mM
  /// Parameters alone: h10, k1 and w_na h11 of the paper.
  static constexpr double exchanger_h10(double na_o) { return k_asymmetry + 1 + na_o / k_na1 * (1 + na_o / k_na2); }
  static constexpr double exchanger_k1(double na_o, double ca_o) { return ca_o * k_on / exchanger_h10(na_o); }
  static constexpr double exchanger_k8(double na_o) {
    return w_na * na_o * na_o / (exchanger_h10(na_o) * k_na1 * k_na2);
  }

  CT_HD static ExchangerOutside exchanger_outside(T y, T na_o, T k8) {
    const T hna = exp_bounded(T(0.5224) * y), per_hca = exp_bounded(T(-0.167) * y);
    const T a = na_o * T(1 / k_na3);
    const T r = 1 / (hna + a * (hna + 1)), h8 = a * r;
    return {hna, per_hca, T(w_ca) * hna * r, T(w_naca) * h8, k8 * h8};
  }
  /// The quotient above times the allosteric factor Ca^2 / (Ca^2 + (150 nM)^2) [1/ms].
  CT_HD static T exchanger(const ExchangerOutside& o, T na, T ca, T k1) {
    const T b = na * T(1 / k_na3) * o.hna;
    const auto h = invert(1 + na * T(1 / k_na3) + b, 1 + na * T(1 / k_na1) * (1 + na * T(1 / k_na2)));
    const T h2 = b * h.a, ca2 = ca * ca;
    const T k2 = T(k_off), k5 = T(k_off);
    const T k4p = T(w_ca) * o.per_hca * h.a, k4pp = T(w_naca) * h2;
    const T k6 = T(k_on) * ca * h.b, k7 = T(w_na / (k_na1 * k_na2)) * na * na * h.b * h2;
    const T k3 = o.k3p + o.k3pp, k4 = k4p + k4pp;
    const T sum = k2 * k4 * (k7 + k6) + k5 * k7 * (k2 + k3) + k1 * k7 * (k4 + k5) + k4 * k6 * (k1 + o.k8) +
                  k1 * k3 * (k7 + k6) + o.k8 * k6 * (k2 + k3) + k2 * o.k8 * (k4 + k5) + k3 * k5 * (k1 + o.k8);
    const T net =
        k1 * k5 * k7 * o.k3p - k2 * k6 * o.k8 * k4p + (k1 * (k6 + k7) + k6 * o.k8) * (o.k3p * k4pp - k4p * o.k3pp);
    return net * ca2 / (sum * (ca2 + T(150e-6 * 150e-6)));
  }

  // ---- Sodium-potassium pump ----------------------------------------------------------------------------------------

  /// Four states in a cycle (Smith & Crampin 2004, doi 10.1016/j.pbiomolbio.2004.01.010); rates in 1/ms, `Protons` in
  /// mM. 3 (E1 a3 - E2 b3) + 2 (E4 b1 - E3 a1) is the cycle's net flux a1 a2 a3 a4 - b1 b2 b3 b4 over x1 + x2 + x3 +
  /// x4. As published in 2011, x1 has the path b2 b3 b4 where the cycle's states give b1 b3 b4; then E1 a3 - E2 b3 has
  /// (b2 - b1) a3 b3 b4 besides. `Published` keeps it.
  static constexpr double mg_adp = 0.05, mg_atp = 9.8, k_mgatp = 1.698e-7;  // mM
  static constexpr double a2 = 0.6872, b1 = 0.1824 * mg_adp;
  static constexpr double a4 = 0.639 * (mg_atp / k_mgatp) / (1 + mg_atp / k_mgatp);
  template <bool Published>
  CT_HD static T pump(T y, T na_i, T k_i, T na_o, T k_o, double protons) {
    const T n = na_i * T(1 / 9.073) * exp_bounded(y * T(0.155 / 3)), n1 = 1 + n;
    const T m = na_o * T(1 / 27.78) * exp_bounded(y * T(-1.155 / 3)), m1 = 1 + m;
    const T k = k_i * T(1 / 0.5), q = k_o * T(1 / 0.3582);
    const auto by = invert(cube(n1) + k * (k + 2), cube(m1) + q * (q + 2));
    const T phosphate = 1 + T(protons / 1.698e-7) + na_i * T(1 / 224.0) + k_i * T(1 / 292.0);
    const T a1 = T(0.9495) * cube(n) * by.a, a3 = T(1.899) * q * q * by.b;
    const T b2 = T(0.0394) * cube(m) * by.b, b4 = T(0.040) * k * k * by.a;
    const T b3 = T(79.3 * protons * 4.2 / (1 + mg_atp / k_mgatp)) / phosphate;
    const T x1 = T(a4 * a2) * a1 + b3 * b4 * (Published ? b2 : T(b1)) + T(a2) * b3 * (b4 + a1);
    const T x2 = T(b1) * b4 * (b2 + a3) + T(a2) * a3 * (a1 + b4);
    const T x3 = T(a2 * a4) * a3 + T(b1) * b2 * (b3 + T(a4)) + T(a4 * b1) * a3;
    const T x4 = b4 * b3 * b2 + a1 * (T(a4) * (a3 + b2) + b3 * b2);
    const T cycle = T(a2 * a4) * a1 * a3 - T(b1) * b2 * b3 * b4;
    const T odd = Published ? 3 * a3 * b3 * b4 * (b2 - T(b1)) : T(0);
    return (cycle + odd) / (x1 + x2 + x3 + x4);
  }

  // ---- Reticulum and buffers ----------------------------------------------------------------------------------------

  /// Release of plain and phosphorylated channels, states `first` and `first` + 1: both tend to a tau / 2 times the
  /// calcium current into the subspace, at a rate that grows as the store empties. tau = 4.75 ms, 5/4 of it when
  /// phosphorylated; published with a least time constant of 0.001 ms.
  template <class Scheme>
  CT_HD static void release_gates(T ca_l, T ca_jsr, double half, T gain, int first, Scheme to) {
    const T x = T(half) / ca_jsr, x8 = square(square(square(x)));
    const T inf = T(-0.5 * 4.75) * gain * ca_l / (1 + x8);
    const T rate = (1 + T(0.0123) / ca_jsr) * T(1 / 4.75);
    to.gate(first, inf, at_most(rate, T(1000)));
    to.gate(first + 1, T(1.25) * inf, at_most(T(rate * T(0.8)), T(1000)));
  }
  /// At which rate release empties the junctional store [1/ms] once less than about 0.1 mM is left, 0 before. In
  /// mid-wall cells release goes on until the store is all but empty; then a plain step takes out more than there is.
  /// Damped by this rate the store decays exponentially instead, and what leaves it still arrives in the subspace.
  CT_HD static T depletion(T release, T ca_jsr, T free) {
    return free * at_least(release, T(0)) * T(0.01) / (ca_jsr * (T(0.01) + square(ca_jsr)));
  }
  /// Uptake [mM/ms] for a maximal rate of 1 mM/ms.
  CT_HD static T uptake(T ca_i, const Camk& camk) {
    const auto by = invert(ca_i + T(0.00092), ca_i + T(0.00075));
    return ca_i * camk.mix(by.a, T(2.75) * by.b);
  }
  /// Fraction of calcium that stays free beside two buffers: 1 / (1 + b1 / (k1 + Ca)^2 + b2 / (k2 + Ca)^2), b: total
  /// times k.
  CT_HD static T free_fraction(T ca, T b_first, double k_first, T b_second, double k_second) {
    const T s = square(ca + T(k_first)), t = square(ca + T(k_second)), st = s * t;
    return st / (st + b_first * t + b_second * s);
  }
  CT_HD static T free_myo(T ca, T calmodulin) {
    return free_fraction(ca, calmodulin * T(0.00238), 0.00238, T(0.07 * 0.0005), 0.0005);
  }
  CT_HD static T free_ss(T ca) { return free_fraction(ca, T(0.047 * 0.00087), 0.00087, T(1.124 * 0.0087), 0.0087); }
  CT_HD static T free_jsr(T ca) {
    const T s = square(ca + T(0.8));
    return s / (s + T(10 * 0.8));
  }
};

}  // namespace cardiotwin::kernels::CT_BACKEND
