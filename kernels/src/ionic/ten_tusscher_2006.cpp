#include "ten_tusscher_2006.hpp"

#include "entry.hpp"

namespace cardiotwin::kernels {

ModelEntry ten_tusscher_2006() {
  ModelInfo m;
  m.name = "tentusscher-2006";
  m.doi = "10.1152/ajpheart.00109.2006";
  m.states = {{"Ca_i", "mM", 0.000126}, {"Ca_SR", "mM", 3.64},  {"Ca_SS", "mM", 0.00036}, {"Na_i", "mM", 8.604},
              {"K_i", "mM", 136.89},    {"m", "", 0.00172},     {"h", "", 0.7444},        {"j", "", 0.7045},
              {"x_r1", "", 0.00621},    {"x_r2", "", 0.4712},   {"x_s", "", 0.0095},      {"r", "", 2.42e-8},
              {"s", "", 0.999998},      {"d", "", 3.373e-5},    {"f", "", 0.7888},        {"f_2", "", 0.9755},
              {"f_cass", "", 0.9953},   {"R_prime", "", 0.9073}};
  m.parameters = {
      {"g_Na", "nS/pF", 14.838, 0, 100, "fast sodium current"},
      {"g_CaL", "cm3/(uF s)", 3.98e-5, 0, 1e-3, "L-type calcium current"},
      {"g_to", "nS/pF", 0.294, 0, 5, "transient outward current; epi and mid 0.294, endo 0.073"},
      {"g_Kr", "nS/pF", 0.153, 0, 5, "rapid delayed rectifier"},
      {"g_Ks", "nS/pF", 0.392, 0, 5, "slow delayed rectifier; epi and endo 0.392, mid 0.098"},
      {"g_K1", "nS/pF", 5.405, 0, 50, "inward rectifier"},
      {"g_bNa", "nS/pF", 0.00029, 0, 0.01, "background sodium current"},
      {"g_bCa", "nS/pF", 0.000592, 0, 0.01, "background calcium current"},
      {"g_pCa", "pA/pF", 0.1238, 0, 5, "sarcolemmal calcium pump"},
      {"g_pK", "nS/pF", 0.0146, 0, 1, "plateau potassium current"},
      {"P_NaK", "pA/pF", 2.724, 0, 20, "sodium-potassium pump"},
      {"k_NaCa", "pA/pF", 1000, 0, 1e4, "sodium-calcium exchanger"},
      {"K_o", "mM", 5.4, 1, 20, "extracellular potassium"},
      {"Ca_o", "mM", 2, 0.1, 10, "extracellular calcium"},
      {"Na_o", "mM", 140, 50, 200, "extracellular sodium"},
      {"endo_s_gate", "", 0, 0, 1, "1: the s gate of endocardial cells, 0: of epicardial and M cells"},
      {"scale_Na", "", 1, 0, 5, "remodelling factor of I_Na"},
      {"scale_CaL", "", 1, 0, 5, "remodelling factor of I_CaL"},
      {"scale_Kr", "", 1, 0, 5, "remodelling factor of I_Kr"},
      {"scale_Ks", "", 1, 0, 5, "remodelling factor of I_Ks"},
      {"scale_K1", "", 1, 0, 5, "remodelling factor of I_K1"},
  };
  m.variants = {
      {"epi", m.doi, {{"g_to", 0.294}, {"g_Ks", 0.392}, {"endo_s_gate", 0}}, {}},
      {"endo", m.doi, {{"g_to", 0.073}, {"g_Ks", 0.392}, {"endo_s_gate", 1}}, {}},
      {"mid", m.doi, {{"g_to", 0.294}, {"g_Ks", 0.098}, {"endo_s_gate", 0}}, {}},
      {"border_zone",
       "infarct border zone of 10.1038/ncomms11437, on epi",
       {{"scale_Na", 0.38}, {"scale_CaL", 0.31}, {"scale_Kr", 0.30}, {"scale_Ks", 0.20}},
       {}},
  };
  m.rest = -85.23;
  m.peak = 36;
  m.coarsest_dt = 0.1;  // upstroke under 1 ms; gates are stepped exponentially
  m.activation_threshold = -30;
  m.repolarization_level = -73;
  return {m, operations_of<host::TenTusscher2006<double>>()};
}

}  // namespace cardiotwin::kernels
