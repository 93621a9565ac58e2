#include "stewart_2009.hpp"

#include "entry.hpp"

namespace cardiotwin::kernels {

ModelEntry stewart_2009() {
  ModelInfo m;
  m.name = "stewart-2009";
  m.doi = "10.1098/rsta.2008.0283";
  m.states = {
      {"Ca_i", "mM", 0.000102363913704158}, {"Ca_SR", "mM", 3.141498681386871}, {"Ca_SS", "mM", 0.0003812502455276172},
      {"Na_i", "mM", 8.805053730549863},    {"K_i", "mM", 136.77342684299867},  {"m", "", 0.028329347320328366},
      {"h", "", 0.251110676365191},         {"j", "", 0.26568042280998555},     {"x_r1", "", 0.013462800907035123},
      {"x_r2", "", 0.3326973795771557},     {"x_s", "", 0.008401270071653854},  {"r", "", 0.0008842900837400649},
      {"s", "", 0.9687497543336633},        {"d", "", 0.00021629084283003862},  {"f_1", "", 0.9689697715029779},
      {"f_2", "", 0.9963284888885274},      {"f_cass", "", 0.9999352887662061}, {"y", "", 0.03840524872304444},
      {"R_prime", "", 0.9840864935775854}};
  m.parameters = {
      {"g_Na", "nS/pF", 130.5744, 0, 500, "fast sodium current"},
      {"g_CaL", "L/(F s)", 0.0398, 0, 1, "L-type calcium current"},
      {"g_to", "nS/pF", 0.08184, 0, 5, "transient outward current"},
      {"g_sus", "nS/pF", 0.0227, 0, 1, "sustained potassium current"},
      {"g_fNa", "nS/pF", 0.0145654, 0, 0.5, "sodium part of the pacemaker current"},
      {"g_fK", "nS/pF", 0.0234346, 0, 0.5, "potassium part of the pacemaker current"},
      {"g_Kr", "nS/pF", 0.0918, 0, 5, "rapid delayed rectifier"},
      {"g_Ks", "nS/pF", 0.2352, 0, 5, "slow delayed rectifier"},
      {"g_K1", "nS/pF", 0.065, 0, 5, "inward rectifier"},
      {"g_bNa", "nS/pF", 0.00029, 0, 0.01, "background sodium current"},
      {"g_bCa", "nS/pF", 0.000592, 0, 0.01, "background calcium current"},
      {"g_pCa", "pA/pF", 0.1238, 0, 5, "sarcolemmal calcium pump"},
      {"g_pK", "nS/pF", 0.0146, 0, 1, "plateau potassium current"},
      {"P_NaK", "pA/pF", 2.724, 0, 20, "sodium-potassium pump"},
      {"K_NaCa", "pA/pF", 1000, 0, 1e4, "sodium-calcium exchanger"},
      {"V_maxup", "mM/ms", 0.006375, 0, 0.1, "calcium uptake into the reticulum"},
      {"V_rel", "1/ms", 0.102, 0, 2, "calcium release from the reticulum"},
      {"V_leak", "1/ms", 0.00036, 0, 0.01, "calcium leak from the reticulum"},
      {"V_xfer", "1/ms", 0.0038, 0, 0.1, "diffusion of calcium from the subspace into the bulk"},
      {"K_o", "mM", 5.4, 1, 20, "extracellular potassium"},
      {"Ca_o", "mM", 2, 0.1, 10, "extracellular calcium"},
      {"Na_o", "mM", 140, 50, 200, "extracellular sodium"},
  };
  m.variants = {{"purkinje", m.doi, {}, {}}};
  m.rest = -71.28643849947525;  // early in diastole: it depolarises by itself from there
  m.peak = 36;
  m.coarsest_dt = 0.1;  // upstroke under 1 ms; gates are stepped exponentially
  m.activation_threshold = -30;
  m.repolarization_level = -60.3;
  return {m, operations_of<host::Stewart2009<double>>()};
}

}  // namespace cardiotwin::kernels
