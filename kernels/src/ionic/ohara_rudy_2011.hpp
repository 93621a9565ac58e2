#pragma once
/// Human ventricular cell of O'Hara, Virag, Varro & Rudy 2011 (doi 10.1371/journal.pcbi.1002061), 40 states and V. V in
/// mV, time in ms, concentrations in mM, currents in A/F.
///
///   dV/dt = -(I_Na + I_NaL + I_to + I_CaL + I_CaNa + I_CaK + I_Kr + I_Ks + I_K1 + I_NaCa,i + I_NaCa,ss + I_NaK + I_Nab
///             + I_Cab + I_Kb + I_pCa)
///
/// The stimulus enters V alone, not the potassium balance. Concentrations whose drift is small beside their value are
/// stored as offsets from their initial value: in fp32 the drift would otherwise be lost in the last digit.

#include <cmath>

#include "ohara_rudy_parts.hpp"

namespace cardiotwin::kernels::CT_BACKEND {

template <class T>
struct OHaraRudy2011 : OHaraRudyParts<T> {
  using Parts = OHaraRudyParts<T>;
  using Camk = typename Parts::Camk;
  using Field = typename Parts::Field;

  // clang-format off
  enum State {
    Nai, Nass, Ki, Kss, Cai, Cass, CaNsr, CaJsr,
    M, Hf, Hs, J, Hsp, Jp, ML, HL, HLp, A, If, Is, Ap, Ifp, Isp,
    D, Ff, Fs, Fcaf, Fcas, Jca, Ffp, Fcafp, Nca, Xrf, Xrs, Xs1, Xs2, Xk1, RelNp, RelP, CamkTrapped, state_count
  };
  enum Parameter {
    GNa, GNaL, Gto, PCa, GKr, GKs, GK1, GNaCa, PNaK, GKb, PNab, PCab, GpCa, JUp, ScaleRel,  // sizes
    CmdnMax, DeltaEpi,  // what else cell types differ in
    Ko, Nao, Cao,       // outside
    parameter_count
  };
  enum ConstantIndex {
    CNa, CNaL, Cto, CCa, CKr, CKs, CK1, CNaCaI, CNaCaSS, CNaK, CKb, CNab, CCab, CpCa, CUp, CRel, Cmdn, Epi,
    OutK, OutNa, OutCa, LogKo, LogNao, LogKs, ExchangeK1, ExchangeK8, ShiftK1, SlopeK1, ShiftR,
    constant_count
  };
  // clang-format on

  /// Stored state = true state - reference.
  CT_HD static constexpr double reference(int state) {
    return state == Nai || state == Nass      ? 7.0
           : state == Ki || state == Kss      ? 145.0
           : state == CaNsr || state == CaJsr ? 1.2
                                              : 0.0;
  }

  static void prepare(const double* p, double* c) {
    c[CNa] = p[GNa];
    c[CNaL] = p[GNaL];
    c[Cto] = p[Gto];
    c[CCa] = p[PCa];
    c[CKr] = p[GKr] * std::sqrt(p[Ko] / 5.4);
    c[CKs] = p[GKs];
    c[CK1] = p[GK1] * std::sqrt(p[Ko]);
    c[CNaCaI] = 0.8 * p[GNaCa] * 1000;  // rates of the exchanger and the pump are per ms here, per s in the paper
    c[CNaCaSS] = 0.2 * p[GNaCa] * 1000;
    c[CNaK] = p[PNaK] * 1000;
    c[CKb] = p[GKb];
    c[CNab] = p[PNab];
    c[CCab] = p[PCab];
    c[CpCa] = p[GpCa];
    c[CUp] = p[JUp];
    c[CRel] = p[ScaleRel];
    c[Cmdn] = p[CmdnMax];
    c[Epi] = 0.95 * p[DeltaEpi];
    c[OutK] = p[Ko];
    c[OutNa] = p[Nao];
    c[OutCa] = p[Cao];
    c[LogKo] = std::log(p[Ko]);
    c[LogNao] = std::log(p[Nao]);
    c[LogKs] = std::log(p[Ko] + Parts::permeability_ks * p[Nao]);
    c[ExchangeK1] = Parts::exchanger_k1(p[Nao], p[Cao]);
    c[ExchangeK8] = Parts::exchanger_k8(p[Nao]);
    c[ShiftK1] = 2.5538 * p[Ko] + 144.59;
    c[SlopeK1] = -1 / (1.5692 * p[Ko] + 3.8115);
    c[ShiftR] = 105.8 - 2.6 * p[Ko];
  }

  // ---- Gates --------------------------------------------------------------------------------------------------------

  template <class Scheme>
  CT_HD static void sodium_gates(T v, Scheme to) {
    const T rate_m =
        T(6.765) * exp_bounded((v + T(11.64)) * T(1 / 34.77)) + T(8.552) * exp_bounded((v + T(77.42)) * T(-1 / 5.955));
    const T m = 1 / (1 + exp_bounded((v + T(39.57)) * T(-1 / 9.871)));
    const T h = exp_bounded((v + T(82.9)) * T(1 / 6.086));
    const auto inf = invert(1 + h, 1 + Parts::e(6.2 / 6.086) * h);  // plain and phosphorylated
    const T fast = T(1.432e-5) * exp_bounded((v + T(1.196)) * T(-1 / 6.285)) +
                   T(6.149) * exp_bounded((v + T(0.5096)) * T(1 / 20.27));
    const T slow = T(0.009794) * exp_bounded((v + T(17.95)) * T(-1 / 28.05)) +
                   T(0.3343) * exp_bounded((v + T(5.73)) * T(1 / 56.66));
    const T j = T(0.02136) * exp_bounded((v + T(100.6)) * T(-1 / 8.281)) +
                T(0.3052) * exp_bounded((v + T(0.9941)) * T(1 / 38.45));
    const T rate_j = j / (T(2.038) * j + 1);
    to.gate(M, m, rate_m);
    to.gate(Hf, inf.a, fast);
    to.gate(Hs, inf.a, slow);
    to.slow_gate(J, inf.a, rate_j);
    to.gate(Hsp, inf.b, slow * T(1 / 3.0));
    to.slow_gate(Jp, inf.a, rate_j * T(1 / 1.46));
    Parts::late_gates(v, rate_m, ML, to);
  }

  template <class Scheme>
  CT_HD static void rapid_rectifier_gates(T v, Scheme to) {
    const T inf = Parts::falling((v + T(8.337)) * T(-1 / 6.789));
    const T f = T(0.36520) * exp_bounded((v - T(31.66)) * T(1 / 3.869)) +
                T(4.123e-5) * exp_bounded((v - T(47.78)) * T(-1 / 20.38));
    const T s = T(0.06629) * exp_bounded((v - T(34.70)) * T(1 / 7.355)) +
                T(1.128e-5) * exp_bounded((v - T(29.74)) * T(-1 / 25.94));
    to.slow_gate(Xrf, inf, f / (T(12.98) * f + 1));
    to.slow_gate(Xrs, inf, s / (T(1.865) * s + 1));
  }

  template <class Constants, class Scheme>
  CT_HD static void inward_rectifier_gate(T v, Constants c, Scheme to) {
    const T rate = exp_bounded((v + T(127.2)) * T(-1 / 20.36)) + exp_bounded((v + T(236.8)) * T(1 / 69.33));
    to.slow_gate(Xk1, Parts::falling((v + c[ShiftK1]) * c[SlopeK1]), rate * T(1 / 122.2));
  }

  /// All gates that depend on V, and the calcium-dependent mode of the L-type channel.
  template <class States, class Constants, class Scheme>
  CT_HD static void gates(T v, T ca_ss, States w, Constants c, Scheme to) {
    const T f_inf = Parts::falling((v + T(19.58)) * T(1 / 3.696));
    const T d_inf = Parts::falling((v + T(3.94)) * T(-1 / 4.23));
    sodium_gates(v, to);
    Parts::transient_gates(v, c[Epi], A, to);
    to.gate(D, d_inf, Parts::rate_d(v));
    Parts::inactivation_gates(v, f_inf, Ff, Ffp, to);
    Parts::calcium_mode(Nca, ca_ss, w[Jca], 1000, to);
    to.slow_gate(Jca, f_inf, T(1 / 75.0));
    rapid_rectifier_gates(v, to);
    Parts::slow_rectifier_gates(v, Xs1, to);
    inward_rectifier_gate(v, c, to);
  }

  // ---- Currents -----------------------------------------------------------------------------------------------------

  struct Concentrations {
    T na_i, na_ss, k_i, k_ss, ca_i, ca_ss, ca_nsr, ca_jsr;
  };
  template <class States>
  CT_HD static Concentrations concentrations(States w) {
    return {w[Nai] + T(reference(Nai)),
            w[Nass] + T(reference(Nass)),
            w[Ki] + T(reference(Ki)),
            w[Kss] + T(reference(Kss)),
            w[Cai],
            w[Cass],
            w[CaNsr] + T(reference(CaNsr)),
            w[CaJsr] + T(reference(CaJsr))};
  }
  struct Currents {
    T na, na_l, to, ca_l, ca_na, ca_k, kr, ks, k1, na_ca, na_ca_ss, na_k, b_na, b_ca, b_k, p_ca;  // [A/F]
    CT_HD T sum() const {
      return na + na_l + to + ca_l + ca_na + ca_k + kr + ks + k1 + na_ca + na_ca_ss + na_k + b_na + b_ca + b_k + p_ca;
    }
  };

  template <class States>
  CT_HD static T sodium_open(States w, const Camk& camk) {
    const T h = T(0.99) * w[Hf] + T(0.01) * w[Hs], hp = T(0.99) * w[Hf] + T(0.01) * w[Hsp];
    return Parts::cube(w[M]) * camk.mix(h * w[J], hp * w[Jp]);
  }

  /// Potassium currents; `above` is V - E_K. The instantaneous inactivations of I_Kr are two sigmoids.
  template <class States, class Constants>
  CT_HD static void potassium_currents(T v, T above, States w, const Camk& camk, Constants c, Currents& i) {
    const auto by_r = invert(1 + exp_bounded((v + 55) * T(1 / 75.0)), 1 + exp_bounded((v - 10) * T(1 / 30.0)),
                             1 + exp_bounded((v + T(54.81)) * T(1 / 38.21)));
    const T by_k1 = Parts::falling((v + c[ShiftR]) * T(1 / 9.493));
    const T x = w[Xrs] + by_r.c * (w[Xrf] - w[Xrs]);
    i.to = c[Cto] * Parts::transient_open(v, w, A, camk) * above;
    i.kr = c[CKr] * x * by_r.a * by_r.b * above;
    i.k1 = c[CK1] * by_k1 * w[Xk1] * above;
    i.b_k = c[CKb] * Parts::falling((v - T(14.48)) * T(-1 / 18.34)) * above;
  }

  template <class States, class Constants>
  CT_HD static void l_type_and_background(T v, States w, const Concentrations& n, const Camk& camk, Constants c,
                                          Currents& i) {
    const Field field(v);
    const T open = c[CCa] * Parts::l_type_open(w[D], w[Nca], w[Jca], Parts::inactivation(v, w, Ff, Ffp), camk);
    i.ca_l = open * field.divalent(n.ca_ss, T(0.341) * c[OutCa]);
    i.ca_na = T(0.00125) * open * field.monovalent(T(0.75) * n.na_ss, T(0.75) * c[OutNa]);
    i.ca_k = T(3.574e-4) * open * field.monovalent(T(0.75) * n.k_ss, T(0.75) * c[OutK]);
    i.b_na = c[CNab] * field.monovalent(n.na_i, c[OutNa]);
    i.b_ca = c[CCab] * field.divalent(n.ca_i, T(0.341) * c[OutCa]);
    i.p_ca = c[CpCa] * n.ca_i / (T(0.0005) + n.ca_i);
  }

  /// V bounded for what depends on it exponentially; driving forces follow V itself.
  template <class States, class Constants>
  CT_HD static Currents currents(T v, T bounded, States w, const Concentrations& n, const Camk& camk, Constants c) {
    constexpr double rtf = Parts::rtf;
    const T above_na = v - T(rtf) * (c[LogNao] - log(n.na_i));
    const T above_k = v - T(rtf) * (c[LogKo] - log(n.k_i));
    const T above_ks = v - T(rtf) * (c[LogKs] - log(n.k_i + T(Parts::permeability_ks) * n.na_i));
    const T y = bounded * T(Parts::frt);
    Currents i;
    i.na = c[CNa] * sodium_open(w, camk) * above_na;
    i.na_l = c[CNaL] * w[ML] * camk.mix(w[HL], w[HLp]) * above_na;
    potassium_currents(bounded, above_k, w, camk, c, i);
    i.ks = c[CKs] * Parts::calcium_effect_ks(n.ca_i) * w[Xs1] * w[Xs2] * above_ks;
    l_type_and_background(bounded, w, n, camk, c, i);
    const auto outside = Parts::exchanger_outside(y, c[OutNa], c[ExchangeK8]);
    i.na_ca = c[CNaCaI] * Parts::exchanger(outside, n.na_i, n.ca_i, c[ExchangeK1]);
    i.na_ca_ss = c[CNaCaSS] * Parts::exchanger(outside, n.na_ss, n.ca_ss, c[ExchangeK1]);
    i.na_k = c[CNaK] * Parts::template pump<true>(y, n.na_i, n.k_i, c[OutNa], c[OutK], 1e-7);
    return i;
  }

  // ---- Concentrations -----------------------------------------------------------------------------------------------

  template <class States, class Scheme>
  CT_HD static void sodium_and_potassium(States w, const Currents& i, Scheme to) {
    constexpr double per_myo = Parts::per_myo, per_ss = Parts::per_ss, ss_myo = Parts::v_ss / Parts::v_myo;
    // Both compartments are stored relative to the same value, so their difference keeps its digits.
    const T na = (w[Nass] - w[Nai]) * T(0.5), k = (w[Kss] - w[Ki]) * T(0.5);
    to.change(Nai, na * T(ss_myo) - (i.na + i.na_l + i.b_na + 3 * (i.na_ca + i.na_k)) * T(per_myo));
    to.change(Nass, -na - (i.ca_na + 3 * i.na_ca_ss) * T(per_ss));
    to.change(Ki, k * T(ss_myo) - (i.to + i.kr + i.ks + i.k1 + i.b_k - 2 * i.na_k) * T(per_myo));
    to.change(Kss, -k - i.ca_k * T(per_ss));
  }

  template <class States, class Constants, class Scheme>
  CT_HD static void calcium(States w, const Concentrations& n, const Currents& i, const Camk& camk, Constants c,
                            Scheme to) {
    constexpr double nsr_myo = Parts::v_nsr / Parts::v_myo, ss_myo = Parts::v_ss / Parts::v_myo;
    const T full = camk.mix(w[RelNp], w[RelP]), free_jsr = Parts::free_jsr(n.ca_jsr);
    const T release = full * to.damped(Parts::depletion(full, n.ca_jsr, free_jsr));
    const T uptake = c[CUp] * Parts::uptake(n.ca_i, camk) - T(0.0039375 / 15) * n.ca_nsr;
    const T refill = (w[CaNsr] - w[CaJsr]) * T(1 / 100.0), out_of_ss = (n.ca_ss - n.ca_i) * T(1 / 0.2);
    const T free_ss = Parts::free_ss(n.ca_ss);
    Parts::release_gates(i.ca_l, n.ca_jsr, 1.5, c[CRel], RelNp, to);
    to.change(Cai, Parts::free_myo(n.ca_i, c[Cmdn]) * (out_of_ss * T(ss_myo) - uptake * T(nsr_myo) -
                                                       (i.p_ca + i.b_ca - 2 * i.na_ca) * T(Parts::per_myo / 2)));
    to.relax(Cass,
             free_ss * (release * T(Parts::v_jsr / Parts::v_ss) - out_of_ss -
                        (i.ca_l - 2 * i.na_ca_ss) * T(Parts::per_ss / 2)),
             free_ss * T(1 / 0.2));
    to.change(CaNsr, uptake - refill * T(Parts::v_jsr / Parts::v_nsr));
    to.change(CaJsr, free_jsr * (refill - release));
    to.change(CamkTrapped, camk.change(w[CamkTrapped]));
  }

  template <class States, class Constants, class Scheme>
  CT_HD static T evaluate(T v, States w, Constants c, Scheme to) {
    const T bounded = Parts::within(v, 200);
    const Concentrations n = concentrations(w);
    const Camk camk(w[CamkTrapped], n.ca_ss);
    const Currents i = currents(v, bounded, w, n, camk, c);
    calcium(w, n, i, camk, c, to);
    sodium_and_potassium(w, i, to);
    gates(bounded, n.ca_ss, w, c, to);
    return -i.sum();
  }
};

}  // namespace cardiotwin::kernels::CT_BACKEND
