#pragma once
/// Human atrial cell of Grandi et al. 2011 (doi 10.1161/CIRCRESAHA.111.253955), 39 states and V. V in mV, time in ms,
/// concentrations in mM, currents in A/F. Calcium and sodium live in the junctional cleft (jn), below the sarcolemma
/// (sl) and in the bulk (i); 11 % of most membrane, and 90 % of its L-type channels, faces the cleft.
///
///   dV/dt = -(I_Na + I_NaL + I_NaB + I_NaK + I_Kr + I_Ks + I_Kp + I_to + I_Kur + I_K1 + I_ClCa + I_ClB + I_CaL +
///             I_NaCa + I_pCa + I_CaB)
///
/// K_i is constant, as in the published code. Atrial fibrillation, the right atrium and drugs change parameters only.
///
/// Calcium in the cleft and below the sarcolemma is stiff (6 us) and follows its slow buffers: it relaxes by
/// generalised Rush-Larsen. Calcium of the reticulum and calsequestrin trade within 4 us, both with large stores: their
/// exchange is damped, so that none is lost. What drifts slowly is stored as an offset from its initial value, so that
/// fp32 keeps the drift.

#include <cmath>

#include "courtemanche_1998.hpp"
#include "ten_tusscher_2006.hpp"

namespace cardiotwin::kernels::CT_BACKEND {

template <class T>
struct Grandi2011 {
  // clang-format off
  enum State {
    M, H, J, D, F, FCaJn, FCaSl, ToX, ToY, KrX, KsX, KurR, KurS, Ml, Hl,  // gates
    RyrR, RyrO, RyrI,
    NaBJn, NaBSl, TnCL, TnCHCa, TnCHMg, CaM, MyoCa, MyoMg, Srb, SllJn, SllSl, SlhJn, SlhSl, Csqn,  // bound
    CaSr, NaJn, NaSl, Nai, CaJn, CaSl, Cai,  // free
    state_count
  };
  enum Parameter {
    GNa, GNaL, GNaB, INaKMax, GKr, GKs, GKp, Gto, GKur, GK1, GClCa, GClB, PCa, INcxMax, IpCaMax, GCaB,  // currents
    VMaxUp, Ks, KoCa, KLeak,  // reticulum
    Ko, Nao, Cao, Clo, Ki, Cli,  // fixed concentrations, outside and inside
    parameter_count
  };
  /// The first constants are the parameters, with factors that depend on the outside only.
  enum ConstantIndex {
    CalNa = parameter_count, CalK, Nao3, Ncx0, Ncx1, Ncx2, Sigma, EK, ECl, LogNao, LogCao, LogKsOut,
    constant_count
  };
  // clang-format on

  static constexpr double faraday = 96485;                                           // C / mol
  static constexpr double rtf = 8314 * 310.0 / faraday;                              // mV
  static constexpr double capacitance = 1.1e-10;                                     // F
  static constexpr double v_cell = 3.141592653589793 * 10.25 * 10.25 * 100 * 1e-15;  // l
  static constexpr double v_myo = 0.65 * v_cell, v_sr = 0.035 * v_cell, v_sl = 0.02 * v_cell, v_jn = 0.000539 * v_cell;
  static constexpr double per_jn = capacitance / (v_jn * faraday);  // A/F -> mM/ms of a single charge
  static constexpr double per_sl = capacitance / (v_sl * faraday);
  static constexpr double in_jn = 0.11, in_sl = 1 - in_jn;                      // parts of the membrane
  static constexpr double cal_jn = 0.9, cal_sl = 1 - cal_jn;                    // and of its L-type channels
  static constexpr double na_jn_sl = 3 / 1.6382e14, na_sl_myo = 3 / 1.8308e12;  // l/ms
  static constexpr double ca_jn_sl = 1 / 1.2134e12, ca_sl_myo = 1 / 2.6851e11;
  static constexpr double km_cai = 0.00359, km_cao = 1.3, km_nai = 12.29, km_nao = 87.5;  // mM, of the exchanger
  static constexpr double permeability = 0.01833;                                         // Na over K in I_Ks

  /// Stored state = true state - reference.
  // clang-format off
  CT_HD static constexpr double reference(int state) {
    switch (state) {
      case KurS: return 0.9591102127213815;
      case Hl: return 0.04008924304971395;
      case NaBJn: return 3.623111545107403;
      case NaBSl: return 0.7906131540796548;
      case TnCL: return 0.01819864287165711;
      case TnCHCa: return 0.12781967199972402;
      case TnCHMg: return 0.005714597822421038;
      case MyoCa: return 0.0039351264243143785;
      case MyoMg: return 0.13555220024738818;
      case Srb: return 0.004427724661896799;
      case SllJn: return 0.013518833043475616;
      case SllSl: return 0.021256779345693314;
      case SlhJn: return 0.10349263460109785;
      case SlhSl: return 0.18994121040015313;
      case Csqn: return 1.13519943043508;
      case CaSr: return 0.5037409019833684;
      case NaJn: return 9.19564401547437;
      case NaSl: return 9.196013593322895;
      case Nai: return 9.196189440095104;
      default: return 0;
    }
  }
  // clang-format on

  static void prepare(const double* p, double* c) {
    const auto cube = [](double x) { return x * x * x; };
    const double root = std::sqrt(p[Ko] / 5.4), k_mko = 1.5;
    for (int k = 0; k < parameter_count; ++k) c[k] = p[k];
    c[INaKMax] *= p[Ko] / (p[Ko] + k_mko);
    c[GKr] *= root;
    c[GK1] *= root;
    // 0.45 cm2/uF, activity coefficients 0.341 and 0.75; permeability to Na and K in fixed proportion to that of Ca.
    c[PCa] *= 2 * faraday * 0.45 * 0.341;
    c[CalNa] = p[PCa] * (0.75e-8 / 2.7e-4) * faraday * 0.45 * 0.75;
    c[CalK] = p[PCa] * (1.35e-7 / 2.7e-4) * faraday * 0.45 * 0.75;
    c[Nao3] = cube(p[Nao]);
    c[Ncx0] = km_cai * cube(p[Nao]);
    c[Ncx1] = km_cai * cube(p[Nao] / km_nai) + km_cao + p[Cao];
    c[Ncx2] = cube(km_nao) + cube(p[Nao]);
    c[Sigma] = 0.0365 * (std::exp(p[Nao] / 67.3) - 1) / 7;
    c[EK] = rtf * std::log(p[Ko] / p[Ki]);
    c[ECl] = rtf * std::log(p[Cli] / p[Clo]);
    c[LogNao] = std::log(p[Nao]);
    c[LogCao] = std::log(p[Cao]);
    c[LogKsOut] = std::log(p[Ko] + permeability * p[Nao]);
  }

  /// dw/dt = (target - w) rate.
  struct Gate {
    T target, rate;
  };
  struct Pair {
    Gate first, second;
  };

  CT_HD static T square(T x) { return x * x; }
  /// exp(-((V + shift) / width)^2)
  CT_HD static T bell(T v, double shift, double width) { return exp_decaying(-square((v + T(shift)) * T(1 / width))); }
  /// 1 + exp((V + shift) / width)
  CT_HD static T step(T v, double shift, double width) { return 1 + exp_bounded((v + T(shift)) * T(1 / width)); }

  CT_HD static Gate gate_m(T v) {
    const T tau = T(0.1292) * bell(v, 45.79, 15.54) + T(0.06487) * bell(v, -4.823, 51.12);
    const auto inverse = invert(square(step(v, 56.86, -9.03)), tau);
    return {inverse.a, inverse.b};
  }

  /// 1 / tau_d = 0.035 y (1 + E) / (1 - E) with y = V + 9, E = exp(-y / 6).
  CT_HD static Pair gates_calcium(T v) {
    const T x = (v + 9) * T(1 / 6.0);
    const auto inverse = invert(1 + exp_bounded(-x), step(v, 30, 7), step(v, -50, -20));
    return {{inverse.a, T(0.035 * 6) * (x + 2 * bernoulli(x))},
            {inverse.b + T(0.2) * inverse.c, T(0.0197) * bell(v, 25, 1 / 0.0337) + T(0.02)}};
  }

  /// tau_xr = 550 / a 6 / b + 230 / c.
  CT_HD static Gate gate_kr(T v) {
    const T ab = step(v, 22, -9) * step(v, 11, 9), c = step(v, 40, 20);
    const auto inverse = invert(3300 * c + 230 * ab, step(v, 10, -5));
    return {inverse.b, ab * c * inverse.a};
  }
  CT_HD static Gate gate_ks(T v) { return {1 / step(v, 3.8, -14.25), T(1 / 990.1) * step(v, 2.436, -14.12)}; }

  CT_HD static Pair gates_to(T v) {
    const auto target = invert(step(v, 1, -11), step(v, 40.5, 11.5));
    const auto rate = invert(T(3.5) * bell(v, 0, 30) + T(1.5), T(25.635) * bell(v, 52.45, 15.8827) + T(24.14));
    return {{target.a, rate.a}, {target.b, rate.b}};
  }
  /// tau_r = 9 / a + 0.5, tau_s = 590 / b + 3050.
  CT_HD static Pair gates_kur(T v) {
    const T a = step(v, 5, 12), b = step(v, 60, 10);
    const auto target = invert(step(v, 6, -8.6), step(v, 7.5, 10));
    const auto rate = invert(9 + T(0.5) * a, 590 + 3050 * b);
    return {{target.a, a * rate.a}, {target.b, b * rate.b}};
  }

  /// h and j of I_Na are ten Tusscher's, m of I_NaL is Courtemanche's. The inactivation by calcium has rates linear in
  /// calcium, at most 0.2 / ms.
  template <class Scheme>
  CT_HD static void gates(T voltage, T f_jn, T f_sl, Scheme to) {
    const typename TenTusscher2006<T>::Shared x(voltage);  // bounds V
    const auto sodium = TenTusscher2006<T>::gate_j(x);
    const auto late = Courtemanche1998<T>::gate_m(x.v);
    const auto quick = [&](int s, const Gate& g) { to.gate(s, g.target, g.rate); };
    const auto slow = [&](int s, const Gate& g) { to.slow_gate(s, g.target - T(reference(s)), g.rate); };
    const Pair calcium = gates_calcium(x.v), outward = gates_to(x.v), ultrarapid = gates_kur(x.v);
    quick(M, gate_m(x.v));
    quick(H, Gate{sodium.target, TenTusscher2006<T>::rate_h(x)});
    quick(J, Gate{sodium.target, sodium.rate});
    quick(D, calcium.first);
    slow(F, calcium.second);
    to.change(FCaJn, f_jn);
    to.change(FCaSl, f_sl);
    slow(ToX, outward.first);
    slow(ToY, outward.second);
    quick(KrX, gate_kr(x.v));
    quick(KsX, gate_ks(x.v));
    quick(KurR, ultrarapid.first);
    slow(KurS, ultrarapid.second);
    quick(Ml, Gate{late.target, late.rate});
    slow(Hl, Gate{1 / step(x.v, 91, 6.1), T(1 / 600.0)});
  }

  /// Concentrations, and logarithms that several currents need.
  struct Concentrations {
    T na_jn, na_sl, na_i, ca_jn, ca_sl, ca_i, ca_sr, log_jn, log_sl;
  };
  /// [A/F], by ion and compartment.
  struct Currents {
    T na_jn, na_sl, ca_jn, ca_sl, k, cl;
    CT_HD T sum() const { return na_jn + na_sl + ca_jn + ca_sl + k + cl; }
  };

  template <class States>
  CT_HD static T full(States w, int s) {
    return w[s] + T(reference(s));
  }
  template <class States>
  CT_HD static Concentrations concentrations(States w) {
    return {full(w, NaJn), full(w, NaSl), full(w, Nai), w[CaJn],     w[CaSl],
            w[Cai],        full(w, CaSr), log(w[CaJn]), log(w[CaSl])};
  }

  /// I_Na, I_NaL, I_NaB, and I_CaB and I_pCa with its Hill coefficient 1.6.
  template <class States, class Constants>
  CT_HD static void leaks(T v, States w, const Concentrations& n, Constants c, Currents& i) {
    const T na = c[GNa] * w[M] * w[M] * w[M] * w[H] * w[J] + c[GNaL] * w[Ml] * w[Ml] * w[Ml] * full(w, Hl) + c[GNaB];
    i.na_jn = T(in_jn) * na * (v - T(rtf) * (c[LogNao] - log(n.na_jn)));
    i.na_sl = T(in_sl) * na * (v - T(rtf) * (c[LogNao] - log(n.na_sl)));
    constexpr double log_half = -7.600902459542082;  // ln 0.5e-3
    const auto pump =
        invert(1 + exp_bounded(T(1.6) * (T(log_half) - n.log_jn)), 1 + exp_bounded(T(1.6) * (T(log_half) - n.log_sl)));
    i.ca_jn = T(in_jn) * (c[IpCaMax] * pump.a + c[GCaB] * (v - T(rtf / 2) * (c[LogCao] - n.log_jn)));
    i.ca_sl = T(in_sl) * (c[IpCaMax] * pump.b + c[GCaB] * (v - T(rtf / 2) * (c[LogCao] - n.log_sl)));
  }

  /// I_K1 = g (V - E_K) a / (a + b); with y = V - E_K: a = 1.02 / (1 + exp(0.2385 (y - 59.215))), b = (0.49124
  /// exp(0.08032 (y + 5.476)) + exp(0.06175 (y - 594.31))) / (1 + exp(-0.5143 (y + 4.753))). Below y = -150 a / (a + b)
  /// is 1 to all digits.
  template <class Constants>
  CT_HD static T rectifier(T above_k, Constants c) {
    const T y = at_most(at_least(above_k, T(-150)), T(300));
    const T a = T(1.02) * (1 + exp_decaying(T(-0.5143) * (y + T(4.753))));
    const T b = (T(0.49124) * exp_bounded(T(0.08032) * (y + T(5.476))) + exp_bounded(T(0.06175) * (y - T(594.31)))) *
                (1 + exp_bounded(T(0.2385) * (y - T(59.215))));
    return c[GK1] * above_k * a / (a + b);
  }

  template <class States, class Constants>
  CT_HD static void potassium_chloride(T v, T near, States w, const Concentrations& n, Constants c, Currents& i) {
    const T above_k = v - c[EK], above_cl = v - c[ECl];
    const T above_ks = v - T(rtf) * (c[LogKsOut] - log(c[Ki] + T(permeability) * n.na_i));
    const auto inverse = invert(step(near, 74, 24), step(near, -7.488 * 5.98, -5.98));
    i.k = rectifier(above_k, c) + c[GKs] * w[KsX] * w[KsX] * above_ks +
          (c[GKr] * w[KrX] * inverse.a + c[GKp] * inverse.b + c[Gto] * w[ToX] * w[ToY] +
           c[GKur] * w[KurR] * full(w, KurS)) *
              above_k;
    const auto open = invert(n.ca_jn + T(0.1), n.ca_sl + T(0.1));
    i.cl = (c[GClB] + c[GClCa] * (T(in_jn) * n.ca_jn * open.a + T(in_sl) * n.ca_sl * open.b)) * above_cl;
  }

  /// I_CaL = d f (1 - f_Ca) P z B(z x) (gamma_i [X]_i e^(z x) - gamma_o [X]_o) F, x = V F / (R T), for Ca, Na and K.
  /// B(2 x) = 2 B(x) / (e^x + 1).
  template <class States, class Constants>
  CT_HD static void l_type(T v, States w, const Concentrations& n, Constants c, Currents& i) {
    const T x = v * T(1 / rtf), y = select(x == 0, T(1e-18), x);
    const T less_one = exp_less_one(y), ex = 1 + less_one, ex2 = ex * ex;
    const auto inverse = invert(less_one, ex + 1);
    const T b = y * inverse.a, b2 = 2 * b * inverse.b;
    const T open = w[D] * w[F], jn = T(cal_jn) * open * (1 - w[FCaJn]), sl = T(cal_sl) * open * (1 - w[FCaSl]);
    i.ca_jn += jn * c[PCa] * b2 * (n.ca_jn * ex2 - c[Cao]);
    i.ca_sl += sl * c[PCa] * b2 * (n.ca_sl * ex2 - c[Cao]);
    i.na_jn += jn * c[CalNa] * b * (n.na_jn * ex - c[Nao]);
    i.na_sl += sl * c[CalNa] * b * (n.na_sl * ex - c[Nao]);
    i.k += (jn + sl) * c[CalK] * b * (c[Ki] * ex - c[Ko]);
  }

  /// Denominator of I_NaCa but for its voltage dependence, and activation Ca^2 / (Ca^2 + 0.384e-3^2).
  template <class Constants>
  CT_HD static T exchanger_below(T na3, T ca, Constants c) {
    return (c[Ncx0] + na3 * c[Ncx1] + ca * (c[Ncx2] + ca * T(km_nao * km_nao * km_nao / km_cai))) *
           (ca * ca + T(0.000384 * 0.000384));
  }

  /// I_NaCa and I_NaK depend on V through powers of q = exp(-0.05 V F / (R T)); I_NaCa, with nu = 0.35, is expanded by
  /// q^7. I_NaK saturates with Na^4 and carries two K in for three Na out.
  template <class Constants>
  CT_HD static void exchangers(T v, const Concentrations& n, Constants c, Currents& i) {
    const T q = exp_bounded(v * T(-0.05 / rtf)), q2 = q * q, q4 = q2 * q2, q7 = q4 * q2 * q, q20 = square(q4 * q4 * q2);
    const T jn3 = n.na_jn * n.na_jn * n.na_jn, sl3 = n.na_sl * n.na_sl * n.na_sl;
    const auto below = invert(exchanger_below(jn3, n.ca_jn, c), exchanger_below(sl3, n.ca_sl, c), q7 + T(0.27) * q20);
    const T size = c[INcxMax] * below.c;
    const T ncx_jn = T(in_jn) * size * square(n.ca_jn) * (jn3 * c[Cao] - q20 * c[Nao3] * n.ca_jn) * below.a;
    const T ncx_sl = T(in_sl) * size * square(n.ca_sl) * (sl3 * c[Cao] - q20 * c[Nao3] * n.ca_sl) * below.b;
    constexpr double half = 11.0 * 11 * 11 * 11;
    const T jn4 = jn3 * n.na_jn, sl4 = sl3 * n.na_sl;
    const auto pump = invert(jn4 + T(half), sl4 + T(half), 1 + T(0.1245) * q2 + c[Sigma] * q20);
    const T pump_jn = T(in_jn) * c[INaKMax] * pump.c * jn4 * pump.a,
            pump_sl = T(in_sl) * c[INaKMax] * pump.c * sl4 * pump.b;
    i.na_jn += 3 * (ncx_jn + pump_jn);
    i.na_sl += 3 * (ncx_sl + pump_sl);
    i.ca_jn -= 2 * ncx_jn;
    i.ca_sl -= 2 * ncx_sl;
    i.k -= 2 * (pump_jn + pump_sl);
  }

  /// Fluxes of the reticulum [mM/ms]: release and uptake per volume of the reticulum, leak per volume of the bulk.
  struct Reticulum {
    T release, uptake, leak;
  };

  /// Ryanodine receptor: r <-> o by calcium of the cleft, r -> RI and o -> i by more of it. The more the reticulum
  /// holds, the easier it opens: k_CaSR = 15 - 14 / (1 + (0.45 / Ca_sr)^2.5).
  template <class States, class Constants, class Scheme>
  CT_HD static Reticulum reticulum(States w, const Concentrations& n, Constants c, Scheme to) {
    constexpr double half = 0.13584112963311223;                                            // 0.45^2.5
    constexpr double hill = 1.787, log_f = -7.393888290157756, log_r = 0.5306282510621704;  // ln of 0.615e-3 and 1.7 mM
    const T sr = square(n.ca_sr) * sqrt(n.ca_sr);
    const T k_ca = 15 - 14 * sr / (sr + T(half));
    const T inward = exp_bounded(T(hill) * (log(n.ca_i) - T(log_f)));
    const T outward = exp_bounded(T(hill) * (log(n.ca_sr) - T(log_r)));
    const auto inverse = invert(k_ca, 1 + inward + outward);
    const T opening = c[KoCa] * inverse.a * square(n.ca_jn), closing = T(0.5) * k_ca * n.ca_jn;
    const T r = w[RyrR], o = w[RyrO], i = w[RyrI], ri = 1 - r - o - i;
    const T r_ri = closing * r - T(0.005) * ri, r_o = opening * r - T(0.06) * o;
    const T o_i = closing * o - T(0.005) * i, i_ri = T(0.06) * i - opening * ri;
    const T above = n.ca_sr - n.ca_jn;
    to.change(RyrR, -r_ri - r_o);
    to.change(RyrO, r_o - o_i);
    to.change(RyrI, o_i - i_ri);
    return {c[Ks] * o * above, c[VMaxUp] * (inward - outward) * inverse.b, c[KLeak] * above};
  }

  /// Binding to a buffer: d bound / dt = on x (total - bound) - off bound. Returns it.
  template <class States, class Scheme>
  CT_HD static T bind(int s, T x, double on, double off, double total, States w, Scheme to) {
    const T bound = full(w, s), d = T(on) * x * (T(total) - bound) - T(off) * bound;
    to.change(s, d);
    return d;
  }
  /// Two ions, Ca and Mg (1 mM), compete for `total` sites.
  template <class States, class Scheme>
  CT_HD static T bind_two(int ca, int mg, T x, double on_ca, double off_ca, double on_mg, double off_mg, double total,
                          States w, Scheme to) {
    const T with_ca = full(w, ca), with_mg = full(w, mg), vacant = T(total) - with_ca - with_mg;
    const T d_ca = T(on_ca) * x * vacant - T(off_ca) * with_ca, d_mg = T(on_mg) * vacant - T(off_mg) * with_mg;
    to.change(ca, d_ca);
    to.change(mg, d_mg);
    return d_ca + d_mg;
  }
  /// Into troponin, calmodulin, myosin and the reticulum's membrane [mM/ms]. The published code counts the magnesium
  /// that leaves as calcium; so does this.
  template <class States, class Scheme>
  CT_HD static T cytosolic_buffers(T ca, States w, Scheme to) {
    return bind(TnCL, ca, 32.7, 0.0196, 0.07, w, to) +
           bind_two(TnCHCa, TnCHMg, ca, 2.37, 0.000032, 0.003, 0.00333, 0.14, w, to) +
           bind(CaM, ca, 34, 0.238, 0.024, w, to) +
           bind_two(MyoCa, MyoMg, ca, 13.8, 0.00046, 0.0157, 0.000057, 0.14, w, to) +
           bind(Srb, ca, 100, 0.06, 0.0171, w, to);
  }

  template <class States, class Scheme>
  CT_HD static void sodium(const Concentrations& n, const Currents& i, States w, Scheme to) {
    const T out = T(na_jn_sl) * (n.na_jn - n.na_sl), in = T(na_sl_myo) * (n.na_sl - n.na_i);  // l mM/ms
    const T bound_jn = bind(NaBJn, n.na_jn, 0.0001, 0.001, 7.561, w, to);
    const T bound_sl = bind(NaBSl, n.na_sl, 0.0001, 0.001, 1.65, w, to);
    to.change(NaJn, -i.na_jn * T(per_jn) - out * T(1 / v_jn) - bound_jn);
    to.change(NaSl, -i.na_sl * T(per_sl) + (out - in) * T(1 / v_sl) - bound_sl);
    to.change(Nai, in * T(1 / v_myo));
  }

  /// Fast calcium. Slopes: diffusion, release and binding to free sites of the membrane's buffers.
  template <class States, class Constants, class Scheme>
  CT_HD static void calcium(const Concentrations& n, const Currents& i, States w, Constants c, Scheme to) {
    constexpr double low_jn = 0.00046 * v_myo / v_jn, high_jn = 0.000165 * v_myo / v_jn;  // sites [mM]
    constexpr double low_sl = 0.0374 * v_myo / v_sl, high_sl = 0.0134 * v_myo / v_sl;
    constexpr double csqn = 0.14 * v_myo / v_sr, on_csqn = 100, off_csqn = 65, on = 100;
    const T bound = full(w, Csqn), vacant = T(csqn) - bound;
    const T free_jn = T(low_jn + high_jn) - full(w, SllJn) - full(w, SlhJn);
    const T free_sl = T(low_sl + high_sl) - full(w, SllSl) - full(w, SlhSl);
    const T slope_jn = T(ca_jn_sl / v_jn) + T(on) * free_jn + T(v_sr / v_jn) * c[Ks] * w[RyrO];
    const T slope_sl = T((ca_jn_sl + ca_sl_myo) / v_sl) + T(on) * free_sl;
    const T out = T(ca_jn_sl) * (n.ca_jn - n.ca_sl), in = T(ca_sl_myo) * (n.ca_sl - n.ca_i);  // l mM/ms
    const Reticulum sr = reticulum(w, n, c, to);
    const T bound_jn = bind(SllJn, n.ca_jn, on, 1.3, low_jn, w, to) + bind(SlhJn, n.ca_jn, on, 0.03, high_jn, w, to);
    const T bound_sl = bind(SllSl, n.ca_sl, on, 1.3, low_sl, w, to) + bind(SlhSl, n.ca_sl, on, 0.03, high_sl, w, to);
    const T bound_sr = (T(on_csqn) * n.ca_sr * vacant - T(off_csqn) * bound) *
                       to.damped(T(on_csqn) * (vacant + n.ca_sr) + T(off_csqn));
    to.relax(CaJn,
             -i.ca_jn * T(per_jn / 2) - out * T(1 / v_jn) - bound_jn + sr.release * T(v_sr / v_jn) +
                 sr.leak * T(v_myo / v_jn),
             slope_jn);
    to.relax(CaSl, -i.ca_sl * T(per_sl / 2) + (out - in) * T(1 / v_sl) - bound_sl, slope_sl);
    to.change(Csqn, bound_sr);
    to.change(CaSr, sr.uptake - sr.release - sr.leak * T(v_myo / v_sr) - bound_sr);
    to.change(Cai, in * T(1 / v_myo) - sr.uptake * T(v_sr / v_myo) - cytosolic_buffers(n.ca_i, w, to));
  }

  template <class States, class Constants, class Scheme>
  CT_HD static T evaluate(T v, States w, Constants c, Scheme to) {
    const T near = at_most(at_least(v, T(-200)), T(200));
    const Concentrations n = concentrations(w);
    Currents i;
    leaks(v, w, n, c, i);
    potassium_chloride(v, near, w, n, c, i);
    l_type(near, w, n, c, i);
    exchangers(near, n, c, i);
    const T jn = w[FCaJn], sl = w[FCaSl];
    gates(v, T(1.7) * n.ca_jn * (1 - jn) - T(0.0119) * jn, T(1.7) * n.ca_sl * (1 - sl) - T(0.0119) * sl, to);
    sodium(n, i, w, to);
    calcium(n, i, w, c, to);
    return -i.sum();
  }
};

}  // namespace cardiotwin::kernels::CT_BACKEND
