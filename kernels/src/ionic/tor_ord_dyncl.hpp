#pragma once
/// ToR-ORd human ventricular cell (Tomek et al. 2019, doi 10.7554/eLife.48890) with dynamic chloride (Tomek et al.
/// 2020, doi 10.1101/2020.06.01.127043), 44 states and V. V in mV, time in ms, concentrations in mM, currents in A/F.
///
///   dV/dt = -(I_Na + I_NaL + I_to + I_CaL + I_CaNa + I_CaK + I_Kr + I_Ks + I_K1 + I_NaCa,i + I_NaCa,ss + I_NaK + I_Nab
///             + I_Cab + I_Kb + I_pCa + I_ClCa + I_Clb + I_KATP)
///
/// The pump has the authors' later correction: protons at pH 7 in mM, and the net flux of the cycle. The stimulus
/// enters V alone, not the potassium balance. Concentrations whose drift is small beside their value are stored as
/// offsets from their initial value: in fp32 the drift would otherwise be lost in the last digit.

#include <cmath>

#include "ohara_rudy_parts.hpp"

namespace cardiotwin::kernels::CT_BACKEND {

template <class T>
struct TorOrdDynCl : OHaraRudyParts<T> {
  using Parts = OHaraRudyParts<T>;
  using Camk = typename Parts::Camk;
  using Field = typename Parts::Field;

  // clang-format off
  enum State {
    Nai, Nass, Ki, Kss, Cai, Cass, CaNsr, CaJsr, Cli, Clss,
    M, H, J, Hp, Jp, ML, HL, HLp, A, If, Is, Ap, Ifp, Isp,
    D, Ff, Fs, Fcaf, Fcas, Jca, Ffp, Fcafp, NcaI, NcaSS, C3, C2, C1, O, I, Xs1, Xs2, RelNp, RelP, CamkTrapped, state_count
  };
  enum Parameter {
    GNa, GNaL, Gto, PCa, GKr, GKs, GK1, GNaCa, PNaK, GKb, PNab, PCab, GpCa, GClCa, GClb, GKatp, FKatp, JUp, JRel, // sizes
    ScaleRel, CmdnMax, DeltaEpi,  // what else cell types differ in
    Ko, Nao, Cao, Clo,            // outside
    parameter_count
  };
  enum ConstantIndex {
    CNa, CNaL, Cto, CCa, CKr, CKs, CK1, CNaCaI, CNaCaSS, CNaK, CKb, CNab, CCab, CpCa, CClCa, CClb, CKatp, CUp, CJRel,
    CRel, Cmdn, Epi, OutK, OutNa, ActiveK, ActiveNa, ActiveCa, LogKo, LogNao, LogClo, LogKs, ExchangeK1, ExchangeK8,
    constant_count
  };
  // clang-format on

  /// Stored state = true state - reference.
  CT_HD static constexpr double reference(int state) {
    return state == Nai || state == Nass      ? 12.39736
           : state == Ki || state == Kss      ? 147.7115
           : state == CaNsr || state == CaJsr ? 1.528001
           : state == Cli || state == Clss    ? 29.20698
                                              : 0.0;
  }

  // Debye and Hueckel as extended by Davies: activity of a single charge exp(-A (sqrt I / (1 + sqrt I) - 0.3 I)) at
  // ionic strength I [M]; that of calcium is its fourth power. A = 1.82e6 (74 T)^-1.5 with the dielectric constant 74.
  static constexpr double debye = 1820000 / (22940.0 * 151.45956555593443);

  static double activity(double strength) {
    const double root = std::sqrt(strength);
    return std::exp(-debye * (root / (1 + root) - 0.3 * strength));
  }

  static void prepare(const double* p, double* c) {
    const double root = std::sqrt(p[Ko] / 5);
    c[CNa] = p[GNa];
    c[CNaL] = p[GNaL];
    c[Cto] = p[Gto];
    c[CCa] = p[PCa];
    c[CKr] = p[GKr] * root;
    c[CKs] = p[GKs];
    c[CK1] = p[GK1] * root;
    c[CNaCaI] = 0.65 * p[GNaCa] * 1000;  // rates of the exchanger and the pump are per ms here, per s in the paper
    c[CNaCaSS] = 0.35 * p[GNaCa] * 1000;
    c[CNaK] = p[PNaK] * 1000;
    c[CKb] = p[GKb];
    c[CNab] = p[PNab];
    c[CCab] = p[PCab];
    c[CpCa] = p[GpCa];
    c[CClCa] = p[GClCa];
    c[CClb] = p[GClb];
    c[CKatp] = p[FKatp] * p[GKatp] * std::pow(p[Ko] / 5, 0.24) / 65;  // 1 + (2 mM ATP / 0.25 mM)^2 = 65
    c[CUp] = p[JUp];
    c[CJRel] = p[JRel];
    c[CRel] = p[ScaleRel];
    c[Cmdn] = p[CmdnMax];
    c[Epi] = 0.95 * p[DeltaEpi];
    const double one = activity(0.5e-3 * (p[Nao] + p[Ko] + p[Clo] + 4 * p[Cao])), two = one * one * one * one;
    c[OutK] = p[Ko];
    c[OutNa] = p[Nao];
    c[ActiveK] = one * p[Ko];
    c[ActiveNa] = one * p[Nao];
    c[ActiveCa] = two * p[Cao];
    c[LogKo] = std::log(p[Ko]);
    c[LogNao] = std::log(p[Nao]);
    c[LogClo] = std::log(p[Clo]);
    c[LogKs] = std::log(p[Ko] + Parts::permeability_ks * p[Nao]);
    c[ExchangeK1] = Parts::exchanger_k1(p[Nao], p[Cao]);
    c[ExchangeK8] = Parts::exchanger_k8(p[Nao]);
  }

  // ---- Gates --------------------------------------------------------------------------------------------------------

  /// Rates of h and j, which change their form at -40 mV.
  CT_HD static T rate_h(T v) {
    const bool low = v < -40;
    const T ea = exp_bounded(select(low, (v + 80) * T(-1 / 6.8), (v + T(10.66)) * T(-1 / 11.1)));
    const T eb = T(2.7) * exp_bounded(T(0.079) * v) + T(310000) * exp_bounded(T(0.3485) * v);
    return select(low, T(0.057) * ea + eb, T(0.77 / 0.13) / (1 + ea));
  }
  CT_HD static T rate_j(T v) {
    const bool low = v < -40;
    const T up = (T(-25428) * exp_bounded(T(0.2444) * v) - T(6.948e-6) * exp_bounded(T(-0.04391) * v)) * (v + T(37.78));
    const T alpha = select(low, up / (1 + exp_bounded(T(0.311) * (v + T(79.23)))), T(0));
    const T beta = select(low, T(0.02424), T(0.6)) * exp_bounded(v * select(low, T(-0.01052), T(0.057)));
    const T over = 1 + exp_bounded(select(low, T(-0.1378) * (v + T(40.14)), T(-0.1) * (v + 32)));
    return alpha + beta / over;
  }

  template <class Scheme>
  CT_HD static void sodium_gates(T v, Scheme to) {
    const T tau_m = T(0.1292) * exp_decaying(-Parts::square((v + T(45.79)) * T(1 / 15.54))) +
                    T(0.06487) * exp_bounded(-Parts::square((v - T(4.823)) * T(1 / 51.12)));
    const T rate_m = 1 / tau_m, h_rate = rate_h(v), j_rate = rate_j(v);
    const T m = Parts::falling((v + T(56.86)) * T(-1 / 9.03));
    const T e = exp_bounded((v + T(71.55)) * T(1 / 7.43));
    const auto h = invert(1 + e, 1 + Parts::e(6 / 7.43) * e);  // plain and phosphorylated
    const T inf = h.a * h.a;
    to.gate(M, m * m, rate_m);
    to.gate(H, inf, h_rate);
    to.gate(J, inf, j_rate);
    to.gate(Hp, h.b * h.b, h_rate);
    to.gate(Jp, inf, j_rate * T(1 / 1.46));
    Parts::late_gates(v, rate_m, ML, to);
  }

  /// d_inf is 0 below -40 mV, a Gompertz curve up to 31.4978 mV, 1 above. Zero is a tiny number here: d would otherwise
  /// decay into numbers too small to be normal, which processors treat a hundred times slower.
  static constexpr double least_d = sizeof(T) == 4 ? 1e-25 : 1e-290;
  CT_HD static T d_inf(T v) {
    const T curve = T(1.0763) * exp_decaying(T(-1.007) * exp_bounded(T(-0.0829) * v));
    return select(v < -40, T(least_d), select(v < T(31.4978), curve, T(1)));
  }

  template <class States, class Scheme>
  CT_HD static void l_type_gates(T v, T ca_i, T ca_ss, States w, Scheme to) {
    to.gate(D, d_inf(v), Parts::rate_d(v));
    Parts::inactivation_gates(v, Parts::falling((v + T(19.58)) * T(1 / 3.696)), Ff, Ffp, to);
    const T j = w[Jca];
    Parts::calcium_mode(NcaI, ca_i, j, 500, to);
    Parts::calcium_mode(NcaSS, ca_ss, j, 500, to);
    to.slow_gate(Jca, Parts::falling((v + T(18.08)) * T(1 / 2.7916)), T(1 / 72.5));
  }

  /// Markov chain of I_Kr: C3 <-> C2 <-> C1 <-> O <-> I, and C1 <-> I. At rest C3 and C2 exchange within 0.02 ms, the
  /// others take 1 ms and more.
  template <class States, class Scheme>
  CT_HD static void rapid_rectifier_states(T y, States w, Scheme to) {
    const T alpha = T(0.1161) * exp_bounded(T(0.299) * y), beta = T(0.2442) * exp_bounded(T(-1.604) * y);
    const T alpha_2 = T(0.0578) * exp_bounded(T(0.971) * y), beta_2 = T(0.000349) * exp_bounded(T(-1.062) * y);
    const T alpha_i = T(0.2533) * exp_bounded(T(0.5953) * y), beta_i = T(0.06525) * exp_bounded(T(-0.8209) * y);
    const T alpha_21 = T(5.2e-5) * exp_bounded(T(1.525) * y);
    // The loop C1 - O - I is in balance: beta_21 = beta_2 beta_i alpha_21 / (alpha_2 alpha_i).
    const T beta_21 = T(0.000349 * 0.06525 * 5.2e-5 / (0.0578 * 0.2533)) *
                      exp_bounded(T(-1.062 - 0.8209 + 1.525 - 0.971 - 0.5953) * y);
    const T c3 = w[C3], c2 = w[C2], c1 = w[C1], o = w[O], i = w[I];
    const T from_3 = (alpha * c3 - beta * c2) * to.damped(alpha + beta);
    const T from_2 = T(0.154375) * c2 - T(0.1911) * c1;
    const T to_open = (alpha_2 * c1 - beta_2 * o) * to.damped(alpha_2 + beta_2);
    const T from_open = (alpha_i * o - beta_i * i) * to.damped(alpha_i + beta_i);
    const T around = (alpha_21 * c1 - beta_21 * i) * to.damped(alpha_21 + beta_21);
    to.change(C3, -from_3);
    to.change(C2, from_3 - from_2);
    to.change(C1, from_2 - to_open - around);
    to.change(O, to_open - from_open);
    to.change(I, from_open + around);
  }

  // ---- Currents -----------------------------------------------------------------------------------------------------

  struct Concentrations {
    T na_i, na_ss, k_i, k_ss, ca_i, ca_ss, ca_nsr, ca_jsr, cl_i, cl_ss;
  };
  template <class States>
  CT_HD static Concentrations concentrations(States w) {
    const auto whole = [&](int s) { return w[s] + T(reference(s)); };
    return {whole(Nai), whole(Nass),  whole(Ki),    whole(Kss), w[Cai],
            w[Cass],    whole(CaNsr), whole(CaJsr), whole(Cli), whole(Clss)};
  }
  struct Currents {
    T na, na_l, to, kr, ks, k1, k_atp, na_ca, na_ca_ss, na_k, b_na, b_ca, b_k, p_ca, cl_ca, b_cl;  // [A/F]
    T ca_l_i, ca_na_i, ca_k_i, ca_l_ss, ca_na_ss, ca_k_ss;  // L-type channels of the myoplasm and the subspace
    CT_HD T sum() const {
      return na + na_l + to + kr + ks + k1 + k_atp + na_ca + na_ca_ss + na_k + b_na + b_ca + b_k + p_ca + cl_ca + b_cl +
             (ca_l_i + ca_na_i + ca_k_i + ca_l_ss + ca_na_ss + ca_k_ss);
    }
  };

  /// Activity coefficient of a single charge among the given concentrations [mM].
  CT_HD static T activity_inside(T na, T k, T cl, T ca) {
    const T strength = T(0.0005) * (na + k + cl + 4 * ca), root = sqrt(strength);
    return exp_bounded(T(-debye) * (root / (1 + root) - T(0.3) * strength));
  }

  /// L-type channels, 80 % of them facing the subspace, and the background currents that share their field.
  template <class States, class Constants>
  CT_HD static void l_type_and_background(T v, States w, const Concentrations& n, const Camk& camk, Constants c,
                                          Currents& i) {
    const Field field(v);
    const T y_i = activity_inside(n.na_i, n.k_i, n.cl_i, n.ca_i), y2_i = Parts::square(y_i);
    const T y_ss = activity_inside(n.na_ss, n.k_ss, n.cl_ss, n.ca_ss), y2_ss = Parts::square(y_ss);
    const auto shut = Parts::inactivation(v, w, Ff, Ffp);
    const T in_i = c[CCa] * T(0.2) * Parts::l_type_open(w[D], w[NcaI], w[Jca], shut, camk);
    const T in_ss = c[CCa] * T(0.8) * Parts::l_type_open(w[D], w[NcaSS], w[Jca], shut, camk);
    const T calcium_i = field.divalent(y2_i * y2_i * n.ca_i, c[ActiveCa]);
    i.ca_l_i = in_i * calcium_i;
    i.ca_l_ss = in_ss * field.divalent(y2_ss * y2_ss * n.ca_ss, c[ActiveCa]);
    i.ca_na_i = T(0.00125) * in_i * field.monovalent(y_i * n.na_i, c[ActiveNa]);
    i.ca_na_ss = T(0.00125) * in_ss * field.monovalent(y_ss * n.na_ss, c[ActiveNa]);
    i.ca_k_i = T(3.574e-4) * in_i * field.monovalent(y_i * n.k_i, c[ActiveK]);
    i.ca_k_ss = T(3.574e-4) * in_ss * field.monovalent(y_ss * n.k_ss, c[ActiveK]);
    i.b_na = c[CNab] * field.monovalent(n.na_i, c[OutNa]);
    i.b_ca = c[CCab] * calcium_i;
    i.p_ca = c[CpCa] * n.ca_i / (T(0.0005) + n.ca_i);
  }

  /// I_K1 = g x_inf (V - E_K), x_inf = a / (a + b); with z = V - E_K, a = 4.094 / (1 + exp(0.1217 (z - 49.934))), b =
  /// (15.72 exp(0.0674 (z - 3.257)) + exp(0.0618 (z - 594.31))) / (1 + exp(-0.1629 (z + 14.207))). In b all is divided
  /// by the exponential of its denominator, lest it overflow in fp32.
  CT_HD static T inward_rectifier_open(T z) {
    const T near = Parts::within(z, 300);
    const T a = T(4.094) * Parts::falling(T(0.1217) * (near - T(49.934)));
    const T top = T(15.72) * exp_bounded(T(0.0674) * (near - T(3.257))) + exp_bounded(T(0.0618) * (near - T(594.31)));
    const T b = top * Parts::falling(T(-0.1629) * (near + T(14.207)));
    return a / (a + b);
  }

  /// `above` is V - E_K.
  template <class States, class Constants>
  CT_HD static void potassium_currents(T v, T above, States w, const Camk& camk, Constants c, Currents& i) {
    i.to = c[Cto] * Parts::transient_open(v, w, A, camk) * above;
    i.kr = c[CKr] * w[O] * above;
    i.k1 = c[CK1] * inward_rectifier_open(above) * above;
    i.b_k = c[CKb] * Parts::falling((v - T(10.8968)) * T(-1 / 23.9871)) * above;
    i.k_atp = c[CKatp] * above;
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
    i.na = c[CNa] * Parts::cube(w[M]) * camk.mix(w[H] * w[J], w[Hp] * w[Jp]) * above_na;
    i.na_l = c[CNaL] * w[ML] * camk.mix(w[HL], w[HLp]) * above_na;
    potassium_currents(bounded, above_k, w, camk, c, i);
    i.ks = c[CKs] * Parts::calcium_effect_ks(n.ca_i) * w[Xs1] * w[Xs2] * above_ks;
    l_type_and_background(bounded, w, n, camk, c, i);
    const auto outside = Parts::exchanger_outside(y, c[OutNa], c[ExchangeK8]);
    i.na_ca = c[CNaCaI] * Parts::exchanger(outside, n.na_i, n.ca_i, c[ExchangeK1]);
    i.na_ca_ss = c[CNaCaSS] * Parts::exchanger(outside, n.na_ss, n.ca_ss, c[ExchangeK1]);
    i.na_k = c[CNaK] * Parts::template pump<false>(y, n.na_i, n.k_i, c[OutNa], c[OutK], 1e-4);
    i.cl_ca = c[CClCa] * n.ca_ss / (n.ca_ss + T(0.1)) * (v + T(rtf) * (c[LogClo] - log(n.cl_ss)));
    i.b_cl = c[CClb] * (v + T(rtf) * (c[LogClo] - log(n.cl_i)));
    return i;
  }

  // ---- Concentrations -----------------------------------------------------------------------------------------------

  /// Sodium, potassium and chloride of myoplasm and subspace. Both are stored relative to the same value, so their
  /// difference keeps its digits.
  template <class States, class Scheme>
  CT_HD static void slow_ions(States w, const Currents& i, Scheme to) {
    constexpr double per_myo = Parts::per_myo, per_ss = Parts::per_ss, ss_myo = Parts::v_ss / Parts::v_myo;
    const T na = (w[Nass] - w[Nai]) * T(0.5), k = (w[Kss] - w[Ki]) * T(0.5), cl = (w[Clss] - w[Cli]) * T(0.5);
    to.change(Nai, na * T(ss_myo) - (i.na + i.na_l + i.ca_na_i + i.b_na + 3 * (i.na_ca + i.na_k)) * T(per_myo));
    to.change(Nass, -na - (i.ca_na_ss + 3 * i.na_ca_ss) * T(per_ss));
    to.change(Ki, k * T(ss_myo) - (i.to + i.kr + i.ks + i.k1 + i.b_k + i.k_atp + i.ca_k_i - 2 * i.na_k) * T(per_myo));
    to.change(Kss, -k - i.ca_k_ss * T(per_ss));
    to.change(Cli, cl * T(ss_myo) + i.b_cl * T(per_myo));
    to.change(Clss, -cl + i.cl_ca * T(per_ss));
  }

  template <class States, class Constants, class Scheme>
  CT_HD static void calcium(States w, const Concentrations& n, const Currents& i, const Camk& camk, Constants c,
                            Scheme to) {
    constexpr double nsr_myo = Parts::v_nsr / Parts::v_myo, ss_myo = Parts::v_ss / Parts::v_myo;
    const T full = c[CJRel] * camk.mix(w[RelNp], w[RelP]), free_jsr = Parts::free_jsr(n.ca_jsr);
    const T release = full * to.damped(Parts::depletion(full, n.ca_jsr, free_jsr));
    const T uptake = c[CUp] * Parts::uptake(n.ca_i, camk) - T(0.0048825 / 15) * n.ca_nsr;
    const T refill = (w[CaNsr] - w[CaJsr]) * T(1 / 60.0), out_of_ss = (n.ca_ss - n.ca_i) * T(1 / 0.2);
    const T free_ss = Parts::free_ss(n.ca_ss);
    Parts::release_gates(i.ca_l_ss, n.ca_jsr, 1.7, c[CRel], RelNp, to);
    to.change(Cai,
              Parts::free_myo(n.ca_i, c[Cmdn]) * (out_of_ss * T(ss_myo) - uptake * T(nsr_myo) -
                                                  (i.ca_l_i + i.p_ca + i.b_ca - 2 * i.na_ca) * T(Parts::per_myo / 2)));
    to.relax(Cass,
             free_ss * (release * T(Parts::v_jsr / Parts::v_ss) - out_of_ss -
                        (i.ca_l_ss - 2 * i.na_ca_ss) * T(Parts::per_ss / 2)),
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
    slow_ions(w, i, to);
    sodium_gates(bounded, to);
    Parts::transient_gates(bounded, c[Epi], A, to);
    l_type_gates(bounded, n.ca_i, n.ca_ss, w, to);
    rapid_rectifier_states(bounded * T(Parts::frt), w, to);
    Parts::slow_rectifier_gates(bounded, Xs1, to);
    return -i.sum();
  }
};

}  // namespace cardiotwin::kernels::CT_BACKEND
