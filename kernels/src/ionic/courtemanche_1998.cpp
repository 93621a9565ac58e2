#include "courtemanche_1998.hpp"

#include "entry.hpp"

namespace cardiotwin::kernels {

ModelEntry courtemanche_1998() {
  ModelInfo m;
  m.name = "courtemanche-1998";
  m.doi = "10.1152/ajpheart.1998.275.1.H301";
  m.states = {{"Na_i", "mM", 13.816974630536796},
              {"K_i", "mM", 136.35522990215443},
              {"Ca_i", "mM", 0.0001230922478904899},
              {"Ca_up", "mM", 1.5466811919909536},
              {"Ca_rel", "mM", 1.076507405803549},
              {"m", "", 0.0025638522866652607},
              {"h", "", 0.9702989070632702},
              {"j", "", 0.981123905023235},
              {"o_a", "", 0.02917556265571703},
              {"o_i", "", 0.9993428653330555},
              {"u_a", "", 0.004588380382401511},
              {"u_i", "", 0.9914689627530661},
              {"x_r", "", 0.0008338199098840484},
              {"x_s", "", 0.01866831807872847},
              {"d", "", 0.00012423152959371666},
              {"f", "", 0.9519077881681546},
              {"f_Ca", "", 0.7396828384595647},
              {"u", "", 0},  // -2e-40 in the reference, the noise of its solver
              {"v", "", 1},
              {"w", "", 0.9992337992481527}};
  m.parameters = {
      {"g_Na", "nS/pF", 7.8, 0, 50, "fast sodium current"},
      {"g_K1", "nS/pF", 0.09, 0, 1, "inward rectifier"},
      {"g_to", "nS/pF", 0.1652, 0, 2, "transient outward current"},
      {"g_Kur", "nS/pF", 0.005, 0, 0.1, "ultrarapid delayed rectifier at negative V; elevenfold at positive V"},
      {"g_Kr", "nS/pF", 0.029411765, 0, 1, "rapid delayed rectifier"},
      {"g_Ks", "nS/pF", 0.12941176, 0, 2, "slow delayed rectifier"},
      {"g_CaL", "nS/pF", 0.12375, 0, 2, "L-type calcium current"},
      {"g_bNa", "nS/pF", 0.0006744375, 0, 0.01, "background sodium current"},
      {"g_bCa", "nS/pF", 0.001131, 0, 0.02, "background calcium current"},
      {"I_NaK_max", "pA/pF", 0.59933874, 0, 5, "sodium-potassium pump"},
      {"I_NaCa_max", "pA/pF", 1600, 0, 1e4, "sodium-calcium exchanger"},
      {"I_pCa_max", "pA/pF", 0.275, 0, 5, "sarcolemmal calcium pump"},
      {"k_rel", "1/ms", 30, 0, 200, "calcium release from the reticulum"},
      {"I_up_max", "mM/ms", 0.005, 0, 0.05, "calcium uptake into the reticulum; its leak is proportional to it"},
      {"tau_tr", "ms", 180, 10, 2000, "transfer from the uptake to the release compartment"},
      {"K_o", "mM", 5.4, 1, 20, "extracellular potassium"},
      {"Ca_o", "mM", 1.8, 0.1, 10, "extracellular calcium"},
      {"Na_o", "mM", 140, 50, 200, "extracellular sodium"},
  };
  m.variants = {
      {"sinus", m.doi, {{"g_to", 0.1652}, {"g_Kur", 0.005}, {"g_CaL", 0.12375}}, {}},
      // I_to and I_Kur halved, I_CaL reduced by 70 %
      {"af", "10.1016/S0008-6363(99)00034-6", {{"g_to", 0.0826}, {"g_Kur", 0.0025}, {"g_CaL", 0.037125}}, {}},
  };
  m.rest = -81.94633038220411;
  m.peak = 22.6;
  m.coarsest_dt = 0.1;  // upstroke about 1 ms; gates are stepped exponentially
  m.activation_threshold = -30;
  m.repolarization_level = -71.5;
  return {m, operations_of<host::Courtemanche1998<double>>()};
}

}  // namespace cardiotwin::kernels
