#pragma once
/// Human Purkinje fibre cell of Stewart et al. 2009 (doi 10.1098/rsta.2008.0283), 19 states and V: the ventricular cell
/// of ten Tusscher & Panfilov 2006 (doi 10.1152/ajpheart.00109.2006) with other conductances, a weaker inward
/// rectifier, a slower transient outward current, and the sustained and pacemaker currents that let it fire by itself.
/// V in mV, time in ms, concentrations in mM, currents in A/F.
///
///   dV/dt = -(I_K1 + I_to + I_sus + I_f + I_Na + I_CaL + I_Ks + I_Kr + I_NaCa + I_NaK + I_pCa + I_pK + I_bNa + I_bCa)
///
/// The stimulus enters V alone, not the potassium balance. Gates with ten Tusscher's kinetics are his functions. K_i,
/// Na_i, Ca_SR and slow gates near 1 are stored as offsets from their initial value, so that fp32 keeps their drift.

#include <cmath>

#include "quotients.hpp"
#include "ten_tusscher_2006.hpp"

namespace cardiotwin::kernels::CT_BACKEND {

template <class T>
struct Stewart2009 {
  using Ventricle = TenTusscher2006<T>;
  using Gate = typename Ventricle::Gate;
  using Shared = typename Ventricle::Shared;

  enum State { Cai, CaSR, CaSS, Nai, Ki, M, H, J, Xr1, Xr2, Xs, R, S, D, F1, F2, FCass, Y, RPrime, state_count };

  enum Parameter {
    GNa,
    GCaL,
    Gto,
    Gsus,
    GfNa,
    GfK,
    GKr,
    GKs,
    GK1,
    GbNa,
    GbCa,
    GpCa,
    GpK,
    PNaK,
    KNaCa,  // sizes of the currents
    VMaxUp,
    VRel,
    VLeak,
    VXfer,  // of the fluxes of calcium
    Ko,
    Cao,
    Nao,  // outside
    parameter_count
  };

  enum ConstantIndex {
    CNa,
    CCaL,
    Cto,
    Csus,
    CfNa,
    CfK,
    CKr,
    CKs,
    CK1,
    CbNa,
    CbCa,
    CpCa,
    CpK,
    CNaK,
    CNaCa,
    CUp,
    CRel,
    CLeak,
    CXfer,
    CaOut,
    NaCaOut,
    LogKo,
    LogNao,
    LogCao,
    LogKsOut,
    constant_count
  };

  static constexpr double gas = 8.314472;                          // J / (mol K)
  static constexpr double temperature = 310;                       // K
  static constexpr double faraday = 96.4853415;                    // C / mmol
  static constexpr double rtf = gas * temperature / faraday;       // mV
  static constexpr double capacitance = 185;                       // pF
  static constexpr double v_c = 16404, v_sr = 1094, v_ss = 54.68;  // um3
  static constexpr double per_c = capacitance / (v_c * faraday);   // A/F -> mM/ms of a single charge
  static constexpr double permeability = 0.03;                     // Na over K in I_Ks

  /// Stored state = true state - reference.
  // clang-format off
  CT_HD static constexpr double reference(int state) {
    switch (state) {
      case CaSR: return 3.141498681386871;
      case Nai: return 8.805053730549863;
      case Ki: return 136.77342684299867;
      case F1: return 0.9689697715029779;
      case F2: return 0.9963284888885274;
      case RPrime: return 0.9840864935775854;
      default: return 0;
    }
  }
  // clang-format on

  static void prepare(const double* p, double* c) {
    const double k_na = 87.5, k_ca = 1.38, k_mk = 1, alpha = 2.5, nao3 = p[Nao] * p[Nao] * p[Nao];
    c[CNa] = p[GNa];
    c[CCaL] = p[GCaL] * 2 * faraday;
    c[Cto] = p[Gto];
    c[Csus] = p[Gsus];
    c[CfNa] = p[GfNa];
    c[CfK] = p[GfK];
    c[CKr] = p[GKr] * std::sqrt(p[Ko] / 5.4);
    c[CKs] = p[GKs];
    c[CK1] = p[GK1];
    c[CbNa] = p[GbNa];
    c[CbCa] = p[GbCa];
    c[CpCa] = p[GpCa];
    c[CpK] = p[GpK];
    c[CNaK] = p[PNaK] * p[Ko] / (p[Ko] + k_mk);
    c[CNaCa] = p[KNaCa] / ((k_na * k_na * k_na + nao3) * (k_ca + p[Cao]));
    c[CUp] = p[VMaxUp];
    c[CRel] = p[VRel];
    c[CLeak] = p[VLeak];
    c[CXfer] = p[VXfer];
    c[CaOut] = p[Cao];
    c[NaCaOut] = nao3 * alpha;
    c[LogKo] = std::log(p[Ko]);
    c[LogNao] = std::log(p[Nao]);
    c[LogCao] = std::log(p[Cao]);
    c[LogKsOut] = std::log(p[Ko] + permeability * p[Nao]);
  }

  CT_HD static T square(T x) { return x * x; }
  /// e to the power of a compile-time constant.
  static consteval T e(double x) { return T(exponential(x)); }

  // Transient outward current.
  CT_HD static Gate gate_r(T v) {
    const T tau = T(10.45) * exp_decaying(square(v + 40) * T(-1 / 1800.0)) + T(7.3);
    const auto inverse = invert(1 + exp_bounded((20 - v) * T(1 / 13.0)), tau);
    return {inverse.a, inverse.b};
  }
  CT_HD static Gate gate_s(const Shared& x) {
    const T step = 1 + e(-40 / 5.0) * x.e5;
    const T bell = T(85) * exp_decaying(square(x.v + 25) * T(-1 / 320.0)) + 42;
    const auto inverse = invert(1 + exp_bounded((x.v + 27) * T(1 / 13.0)), bell * step + 5);
    return {inverse.a, step * inverse.b};
  }
  /// Pacemaker current: rate = (alpha + beta) / 4000.
  CT_HD static Gate gate_y(T v) {
    const T rate = e(-2.9) * exp_bounded(T(-0.04) * v) + e(3.6) * exp_bounded(T(0.11) * v);
    return {1 / (1 + exp_bounded((v + T(80.6)) * T(1 / 6.8))), rate * T(1 / 4000.0)};
  }

  /// Gates whose time constants stay above 2 ms are slow.
  template <class Scheme>
  CT_HD static void gates(const Shared& x, T ca_ss, Scheme to) {
    const auto quick = [&](int s, const Gate& g) { to.gate(s, g.target, g.rate); };
    const auto slow = [&](int s, const Gate& g) { to.slow_gate(s, g.target - T(reference(s)), g.rate); };
    const Gate j = Ventricle::gate_j(x);
    const auto xr = Ventricle::gates_xr(x);
    quick(M, Ventricle::gate_m(x));
    quick(H, Gate{j.target, Ventricle::rate_h(x)});
    quick(J, j);
    quick(Xr1, xr.first);
    quick(Xr2, xr.second);
    quick(D, Ventricle::gate_d(x));
    quick(Y, gate_y(x.v));
    slow(Xs, Ventricle::gate_xs(x));
    slow(R, gate_r(x.v));
    slow(S, gate_s(x));
    slow(F1, Ventricle::gate_f(x));
    slow(F2, Ventricle::gate_f2(x));
    slow(FCass, Ventricle::gate_fcass(ca_ss));
  }

  struct Concentrations {
    T ca_i, ca_sr, ca_ss, na_i, k_i;
  };
  struct Currents {
    T k1, to, sus, f_na, f_k, na, ca_l, ks, kr, na_ca, na_k, p_ca, p_k, b_na, b_ca;  // [A/F]
    CT_HD T potassium() const { return k1 + to + sus + f_k + kr + ks + p_k - 2 * na_k; }
    CT_HD T sodium() const { return na + b_na + f_na + 3 * (na_k + na_ca); }
    CT_HD T calcium() const { return b_ca + p_ca - 2 * na_ca; }  // across the membrane of the bulk
    CT_HD T sum() const { return potassium() + sodium() + calcium() + ca_l; }
  };

  template <class States>
  CT_HD static T full(States w, int s) {
    return w[s] + T(reference(s));
  }
  template <class States>
  CT_HD static Concentrations concentrations(States w) {
    return {w[Cai], full(w, CaSR), w[CaSS], full(w, Nai), full(w, Ki)};
  }

  /// I_CaL = g d f1 f2 fcass 2 F B(x) (0.25 Ca_SS e^x - Ca_o), x = 2 (V - 15) F / (R T).
  template <class Constants>
  CT_HD static T l_type(T v, T ca_ss, T open, Constants c) {
    const T x = (v - 15) * T(2 / rtf);
    const T less_one = exp_less_one(select(x == 0, T(1e-18), x));
    const T quotient = select(x == 0, T(1), x / less_one);
    return c[CCaL] * open * quotient * (T(0.25) * ca_ss * (1 + less_one) - c[CaOut]);
  }

  /// I_K1 = g (V - 8 - E_K) / (1 + exp((V + 75.44) / 10)), I_sus = g (V - E_K) / (1 + exp((5 - V) / 17)), I_pK = g (V -
  /// E_K) / (1 + exp((25 - V) / 5.98)).
  template <class States, class Constants>
  CT_HD static void potassium(T v, T above_k, States w, Constants c, Currents& i) {
    const auto inverse = invert(1 + exp_bounded((v + T(75.44)) * T(0.1)), 1 + exp_bounded((5 - v) * T(1 / 17.0)),
                                1 + exp_bounded((25 - v) * T(1 / 5.98)));
    i.k1 = c[CK1] * (above_k - 8) * inverse.a;
    i.sus = c[Csus] * above_k * inverse.b;
    i.p_k = c[CpK] * above_k * inverse.c;
    i.to = c[Cto] * w[R] * w[S] * above_k;
    i.f_k = c[CfK] * w[Y] * above_k;
    i.kr = c[CKr] * w[Xr1] * w[Xr2] * above_k;
  }

  /// As in ten Tusscher's cell: powers of q = exp(-0.05 V F / (R T)); I_NaCa is expanded by q^7.
  template <class Constants>
  CT_HD static void exchangers(T v, const Concentrations& n, Constants c, Currents& i) {
    const T q = exp_bounded(v * T(-0.05 / rtf)), q2 = q * q, q4 = q2 * q2, q7 = q4 * q2 * q, q20 = square(q4 * q4 * q2);
    const T na3 = n.na_i * n.na_i * n.na_i;
    const auto inverse = invert(q7 + T(0.1) * q20, (n.na_i + 40) * (1 + T(0.1245) * q2 + T(0.0353) * q20));
    i.na_ca = c[CNaCa] * (na3 * c[CaOut] - n.ca_i * c[NaCaOut] * q20) * inverse.a;
    i.na_k = c[CNaK] * n.na_i * inverse.b;
  }

  /// All but I_pCa, which shares its division with the uptake.
  template <class States, class Constants>
  CT_HD static Currents currents(T v, T near, States w, const Concentrations& n, Constants c) {
    const T above_na = v - T(rtf) * (c[LogNao] - log(n.na_i));
    const T above_ca = v - T(rtf / 2) * (c[LogCao] - log(n.ca_i));
    const T above_ks = v - T(rtf) * (c[LogKsOut] - log(n.k_i + T(permeability) * n.na_i));
    Currents i;
    i.na = c[CNa] * w[M] * w[M] * w[M] * w[H] * w[J] * above_na;
    i.ca_l = l_type(near, n.ca_ss, w[D] * full(w, F1) * full(w, F2) * w[FCass], c);
    i.ks = c[CKs] * w[Xs] * w[Xs] * above_ks;
    i.f_na = c[CfNa] * w[Y] * above_na;
    i.b_na = c[CbNa] * above_na;
    i.b_ca = c[CbCa] * above_ca;
    potassium(near, v - T(rtf) * (c[LogKo] - log(n.k_i)), w, c, i);
    exchangers(near, n, c, i);
    return i;
  }

  /// d/dt of the calcium concentrations [mM/ms] and of R' [1/ms].
  struct Flow {
    T ca_i, ca_sr, ca_ss, r_prime;
  };

  /// Calcium handling of ten Tusscher & Panfilov 2006. Fraction of calcium that stays free beside a buffer of total B:
  /// 1 / (1 + B K / (K + Ca)^2) = s / (s + B K) with s = (K + Ca)^2.
  template <class Constants>
  CT_HD static Flow flow(const Concentrations& n, T r_prime, Constants c, Currents& i) {
    const T sr2 = square(n.ca_sr), ss2 = square(n.ca_ss), ca2 = square(n.ca_i);
    const T buffer_i = square(n.ca_i + T(0.001)), buffer_sr = square(n.ca_sr + T(0.3)),
            buffer_ss = square(n.ca_ss + T(0.00025));
    const auto by_i = invert(ca2 + T(0.00025 * 0.00025), buffer_i + T(0.2 * 0.001), n.ca_i + T(0.0005));
    const auto by_sr = invert(sr2 + T(1.5 * 1.5), buffer_sr + T(10 * 0.3));
    const T kcasr = T(2.5) - T(1.5) * sr2 * by_sr.a;
    const T k1 = T(0.15) * ss2;  // times kcasr
    const auto by_ss = invert(T(0.06) * kcasr + k1, buffer_ss + T(0.4 * 0.00025));
    i.p_ca = c[CpCa] * n.ca_i * by_i.c;
    const T release = c[CRel] * k1 * r_prime * by_ss.a * (n.ca_sr - n.ca_ss);
    const T uptake = c[CUp] * ca2 * by_i.a, leak = c[CLeak] * (n.ca_sr - n.ca_i);
    const T transfer = c[CXfer] * (n.ca_ss - n.ca_i);
    Flow f;
    f.ca_i = buffer_i * by_i.b * ((leak - uptake) * T(v_sr / v_c) + transfer - i.calcium() * T(per_c / 2));
    f.ca_sr = buffer_sr * by_sr.b * (uptake - release - leak);
    f.ca_ss = buffer_ss * by_ss.b *
              (release * T(v_sr / v_ss) - transfer * T(v_c / v_ss) - i.ca_l * T(per_c / 2 * v_c / v_ss));
    f.r_prime = T(0.005) * (1 - r_prime) - T(0.045) * kcasr * n.ca_ss * r_prime;
    return f;
  }

  template <class States, class Constants, class Scheme>
  CT_HD static T evaluate(T v, States w, Constants c, Scheme to) {
    const Concentrations n = concentrations(w);
    const Shared x(v);
    Currents i = currents(v, x.v, w, n, c);
    const Flow f = flow(n, full(w, RPrime), c, i);
    gates(x, n.ca_ss, to);
    to.change(Cai, f.ca_i);
    to.change(CaSR, f.ca_sr);
    to.change(CaSS, f.ca_ss);
    to.change(Nai, -i.sodium() * T(per_c));
    to.change(Ki, -i.potassium() * T(per_c));
    to.change(RPrime, f.r_prime);
    return -i.sum();
  }
};

}  // namespace cardiotwin::kernels::CT_BACKEND
