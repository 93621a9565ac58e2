#include "ohara_rudy_2011.hpp"

#include "entry.hpp"

namespace cardiotwin::kernels {

ModelEntry ohara_rudy_2011() {
  ModelInfo m;
  m.name = "ohara-rudy-2011";
  m.doi = "10.1371/journal.pcbi.1002061";
  m.states = {{"Na_i", "mM", 7},     {"Na_ss", "mM", 7},       {"K_i", "mM", 145},
              {"K_ss", "mM", 145},   {"Ca_i", "mM", 1e-4},     {"Ca_ss", "mM", 1e-4},
              {"Ca_nsr", "mM", 1.2}, {"Ca_jsr", "mM", 1.2},    {"m", "", 0},
              {"h_f", "", 1},        {"h_s", "", 1},           {"j", "", 1},
              {"h_s_p", "", 1},      {"j_p", "", 1},           {"m_L", "", 0},
              {"h_L", "", 1},        {"h_L_p", "", 1},         {"a", "", 0},
              {"i_f", "", 1},        {"i_s", "", 1},           {"a_p", "", 0},
              {"i_f_p", "", 1},      {"i_s_p", "", 1},         {"d", "", 0.2},
              {"f_f", "", 1},        {"f_s", "", 1},           {"f_ca_f", "", 1},
              {"f_ca_s", "", 1},     {"j_ca", "", 1},          {"f_f_p", "", 1},
              {"f_ca_f_p", "", 1},   {"n", "", 0.2},           {"x_r_f", "", 0},
              {"x_r_s", "", 0},      {"x_s1", "", 0},          {"x_s2", "", 0},
              {"x_K1", "", 1},       {"J_rel_np", "mM/ms", 0}, {"J_rel_p", "mM/ms", 0},
              {"CaMK_trap", "", 0}};
  m.parameters = {
      {"G_Na", "mS/uF", 75, 0, 500, "fast sodium current"},
      {"G_NaL", "mS/uF", 0.0075, 0, 0.2, "late sodium current; epi 0.6 times"},
      {"G_to", "mS/uF", 0.02, 0, 1, "transient outward current; epi and mid 4 times"},
      {"P_Ca", "cm3/(uF s)", 1e-4, 0, 1e-3, "L-type channel (Ca, Na and K); epi 1.2 times, mid 2.5 times"},
      {"G_Kr", "mS/uF", 0.046, 0, 1, "rapid delayed rectifier; epi 1.3 times, mid 0.8 times"},
      {"G_Ks", "mS/uF", 0.0034, 0, 0.1, "slow delayed rectifier; epi 1.4 times"},
      {"G_K1", "mS/uF", 0.1908, 0, 5, "inward rectifier; epi 1.2 times, mid 1.3 times"},
      {"G_NaCa", "C/F", 0.0008, 0, 0.05, "sodium-calcium exchanger; epi 1.1 times, mid 1.4 times"},
      {"P_NaK", "C/F", 30, 0, 300, "sodium-potassium pump; epi 0.9 times, mid 0.7 times"},
      {"G_Kb", "mS/uF", 0.003, 0, 0.1, "background potassium current; epi 0.6 times"},
      {"P_Nab", "cm3/(uF s)", 3.75e-10, 0, 1e-7, "background sodium current"},
      {"P_Cab", "cm3/(uF s)", 2.5e-8, 0, 1e-6, "background calcium current"},
      {"G_pCa", "A/F", 0.0005, 0, 0.1, "sarcolemmal calcium pump"},
      {"J_up", "mM/ms", 0.004375, 0, 0.1, "uptake by SERCA, at most; epi 1.3 times"},
      {"scale_rel", "", 1, 0, 5, "release from the reticulum per calcium current; mid 1.7"},
      {"CMDN", "mM", 0.05, 0, 0.5, "calmodulin; epi 1.3 times"},
      {"delta_epi", "", 0, 0, 1, "1: inactivation of I_to as in epicardial cells, 0: as in the others"},
      {"K_o", "mM", 5.4, 1, 20, "extracellular potassium"},
      {"Na_o", "mM", 140, 50, 200, "extracellular sodium"},
      {"Ca_o", "mM", 1.8, 0.1, 10, "extracellular calcium"},
  };
  // With the state after 100 beats at 1000 ms.
  m.variants = {
      {"endo", m.doi, {}, {7.00677,    7.00685,    144.923,     144.923,     8.48247e-05, 8.37278e-05, 1.58663,
                           1.5423,     0.00734698, 0.697973,    0.697957,    0.697864,    0.454795,    0.697802,
                           0.0001884,  0.500928,   0.269642,    0.00100136,  0.999554,    0.587217,    0.000510219,
                           0.999554,   0.639977,   2.34293e-09, 1,           0.909387,    1,           0.999803,
                           0.999974,   1,          1,           0.00260329,  8.08466e-06, 0.455103,    0.270628,
                           0.00019293, 0.996761,   2.34317e-07, 2.92741e-07, 0.0116638}},
      {"epi",
       m.doi,
       {{"G_NaL", 0.6 * 0.0075},
        {"G_to", 4 * 0.02},
        {"P_Ca", 1.2 * 1e-4},
        {"G_Kr", 1.3 * 0.046},
        {"G_Ks", 1.4 * 0.0034},
        {"G_K1", 1.2 * 0.1908},
        {"G_NaCa", 1.1 * 0.0008},
        {"P_NaK", 0.9 * 30},
        {"G_Kb", 0.6 * 0.003},
        {"J_up", 1.3 * 0.004375},
        {"CMDN", 1.3 * 0.05},
        {"delta_epi", 1}},
       {7.34127,     7.34134,    144.511,  144.511,     7.73307e-05, 7.62462e-05, 2.00889,     1.95874,
        0.00739587,  0.695684,   0.695674, 0.695615,    0.452133,    0.695574,    0.000190775, 0.501151,
        0.27438,     0.00100582, 0.999549, 0.99954,     0.000512493, 0.999549,    0.999547,    2.37974e-09,
        1,           0.918356,   1,        0.999865,    0.999981,    1,           1,           0.00181724,
        8.13145e-06, 0.434189,   0.250716, 0.000194337, 0.996778,    4.62643e-07, 5.78216e-07, 0.015007}},
      {"mid",
       m.doi,
       {{"G_to", 4 * 0.02},
        {"P_Ca", 2.5 * 1e-4},
        {"G_Kr", 0.8 * 0.046},
        {"G_K1", 1.3 * 0.1908},
        {"G_NaCa", 1.4 * 0.0008},
        {"P_NaK", 0.7 * 30},
        {"scale_rel", 1.7}},
       {7.96538,     7.96548,    143.923,  143.923,     8.75733e-05, 8.59102e-05, 1.80964,     1.72102,
        0.00753064,  0.6894,     0.689376, 0.689237,    0.444782,    0.689141,    0.000197395, 0.485045,
        0.245983,    0.00101807, 0.999534, 0.543281,    0.00051874,  0.999534,    0.589511,    2.48298e-09,
        1,           0.864554,   1,        0.999477,    0.999931,    1,           1,           0.00287391,
        8.76911e-06, 0.498504,   0.347584, 0.000198336, 0.996825,    1.40271e-06, 1.75234e-06, 0.022484}},
  };
  m.rest = -87;
  m.peak = 43;
  m.coarsest_dt = 0.05;
  m.activation_threshold = -30;
  m.repolarization_level = -74;
  return {m, operations_of<host::OHaraRudy2011<double>>()};
}

}  // namespace cardiotwin::kernels
