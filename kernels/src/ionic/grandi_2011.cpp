#include "grandi_2011.hpp"

#include "entry.hpp"

namespace cardiotwin::kernels {

ModelEntry grandi_2011() {
  ModelInfo m;
  m.name = "grandi-2011";
  m.doi = "10.1161/CIRCRESAHA.111.253955";
  m.states = {{"m", "", 0.01833549348457854},         {"h", "", 0.32205870158907807},
              {"j", "", 0.2644582371979522},          {"d", "", 2.108738079798681e-05},
              {"f", "", 0.9984320845043367},          {"f_CaB_jn", "", 0.04472993108772906},
              {"f_CaB_sl", "", 0.03252509834190349},  {"x_to", "", 0.0013585243560895477},
              {"y_to", "", 0.9466453314072352},       {"x_Kr", "", 0.001028045358206021},
              {"x_Ks", "", 0.007406668125396018},     {"r_Kur", "", 0.0003858682064661021},
              {"s_Kur", "", 0.9591102127213815},      {"m_L", "", 0.009929117113413915},
              {"h_L", "", 0.04008924304971395},       {"RyR_r", "", 0.8041089496549195},
              {"RyR_o", "", 2.0165468054497164e-06},  {"RyR_i", "", 4.91249867226344e-07},
              {"Na_Bj", "mM", 3.623111545107403},     {"Na_Bsl", "mM", 0.7906131540796548},
              {"TnC_L", "mM", 0.01819864287165711},   {"TnC_HC", "mM", 0.12781967199972402},
              {"TnC_HM", "mM", 0.005714597822421038}, {"CaM", "mM", 0.0006970067965185458},
              {"Myo_C", "mM", 0.0039351264243143785}, {"Myo_M", "mM", 0.13555220024738818},
              {"SR_B", "mM", 0.004427724661896799},   {"SLL_j", "mM", 0.013518833043475616},
              {"SLL_sl", "mM", 0.021256779345693314}, {"SLH_j", "mM", 0.10349263460109785},
              {"SLH_sl", "mM", 0.18994121040015313},  {"Csqn_b", "mM", 1.13519943043508},
              {"Ca_sr", "mM", 0.5037409019833684},    {"Na_j", "mM", 9.19564401547437},
              {"Na_sl", "mM", 9.196013593322895},     {"Na_i", "mM", 9.196189440095104},
              {"Ca_j", "mM", 0.00032470455100763984}, {"Ca_sl", "mM", 0.00023136596362747928},
              {"Ca_i", "mM", 0.000209248177200287}};
  m.parameters = {
      {"g_Na", "nS/pF", 23, 0, 100, "fast sodium current"},
      {"g_NaL", "nS/pF", 0, 0, 0.1, "late sodium current; AF 0.0025"},
      {"g_NaB", "nS/pF", 0.000597, 0, 0.01, "background sodium current"},
      {"I_NaK_max", "pA/pF", 1.26, 0, 10, "sodium-potassium pump"},
      {"g_Kr", "nS/pF", 0.035, 0, 1, "rapid delayed rectifier"},
      {"g_Ks", "nS/pF", 0.0035, 0, 0.5, "slow delayed rectifier; doubled in AF"},
      {"g_Kp", "nS/pF", 0.002, 0, 0.1, "plateau potassium current"},
      {"g_to", "nS/pF", 0.165, 0, 2, "transient outward current; 30 % of it in AF"},
      {"g_Kur", "nS/pF", 0.045, 0, 1, "ultrarapid delayed rectifier; halved in AF, 1.2 times in the right atrium"},
      {"g_K1", "nS/pF", 0.0525, 0, 1, "inward rectifier; doubled in AF"},
      {"g_ClCa", "nS/pF", 0.0548, 0, 1, "chloride current that calcium opens"},
      {"g_ClB", "nS/pF", 0.009, 0, 0.1, "background chloride current"},
      {"P_Ca", "cm/s", 2.7e-4, 0, 5e-3, "L-type calcium current, its parts of Na and K in proportion; halved in AF"},
      {"I_NCX_max", "pA/pF", 3.15, 0, 50, "sodium-calcium exchanger; 1.4 times in AF"},
      {"I_pCa_max", "pA/pF", 0.0471, 0, 1, "sarcolemmal calcium pump"},
      {"g_CaB", "nS/pF", 6.0643e-4, 0, 0.01, "background calcium current"},
      {"V_max_SRCaP", "mM/ms", 0.0053114, 0, 0.05, "calcium uptake into the reticulum"},
      {"k_s", "1/ms", 25, 0, 200, "calcium release from the reticulum"},
      {"k_oCa", "1/(mM2 ms)", 10, 0, 200, "opening of ryanodine receptors; tripled in AF"},
      {"k_leak", "1/ms", 5.348e-6, 0, 1e-4, "calcium leak from the reticulum; 1.25 times in AF"},
      {"K_o", "mM", 5.4, 1, 20, "extracellular potassium"},
      {"Na_o", "mM", 140, 50, 200, "extracellular sodium"},
      {"Ca_o", "mM", 1.8, 0.1, 10, "extracellular calcium"},
      {"Cl_o", "mM", 150, 50, 250, "extracellular chloride"},
      {"K_i", "mM", 120, 80, 180, "intracellular potassium, constant in this model"},
      {"Cl_i", "mM", 15, 5, 60, "intracellular chloride, constant in this model"},
  };
  m.variants = {
      {"sinus",
       m.doi,
       {{"g_Na", 23},
        {"g_NaL", 0},
        {"g_Ks", 0.0035},
        {"g_to", 0.165},
        {"g_Kur", 0.045},
        {"g_K1", 0.0525},
        {"P_Ca", 2.7e-4},
        {"I_NCX_max", 3.15},
        {"k_oCa", 10},
        {"k_leak", 5.348e-6}},
       {}},
      {"af",
       m.doi,
       {{"g_Na", 20.7},
        {"g_NaL", 0.0025},
        {"g_Ks", 0.007},
        {"g_to", 0.0495},
        {"g_Kur", 0.0225},
        {"g_K1", 0.105},
        {"P_Ca", 1.35e-4},
        {"I_NCX_max", 4.41},
        {"k_oCa", 30},
        {"k_leak", 6.685e-6}},
       {}},
  };
  m.rest = -73.60126892720459;
  m.peak = 8;
  m.coarsest_dt = 0.1;  // upstroke about 1.5 ms; gates are stepped exponentially, fast calcium too
  m.activation_threshold = -30;
  m.repolarization_level = -65.5;
  return {m, operations_of<host::Grandi2011<double>>()};
}

}  // namespace cardiotwin::kernels
