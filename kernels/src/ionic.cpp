// The models' descriptions and their right-hand sides for one cell.
#include <array>
#include <cardiotwin/kernels/ionic.hpp>
#include <stdexcept>

#include "model_list.hpp"
#include "registry.hpp"

namespace cardiotwin::kernels {
namespace {

using host::model_count;

ModelInfo mitchell_schaeffer() {
  ModelInfo m;
  m.name = "mitchell-schaeffer-modified";
  m.doi = "10.1016/j.mbs.2016.08.010";
  m.states = {{"h", "", 1.0}};
  m.parameters = {
      {"tau_in", "ms", 0.3, 0.01, 10, "time scale of the inward current: upstroke"},
      {"tau_out", "ms", 6, 0.5, 100, "time scale of the outward current: repolarisation"},
      {"tau_open", "ms", 90, 1, 2000, "recovery of the gate below v_gate"},
      {"tau_close", "ms", 120, 1, 2000, "inactivation of the gate above v_gate: action potential duration"},
      {"v_gate", "", 0.13, 0.01, 0.5, "excitation threshold, in normalised potential"},
      {"V_min", "mV", -80, -120, -40, "resting potential"},
      {"V_max", "mV", 20, -20, 80, "potential of u = 1"},
  };
  m.variants = {
      {"healthy", "10.1016/j.mbs.2016.08.010", {{"tau_close", 120}}, {}},
      {"border_zone", "longer action potential of the infarct border zone", {{"tau_close", 130}}, {}},
      {"channel", "slow channel through scar: long refractoriness", {{"tau_close", 195}}, {}},
  };
  m.rest = -80;
  m.peak = 17;
  m.coarsest_dt = 0.25;  // upstroke 3.7 ms
  m.activation_threshold = -30;
  m.repolarization_level = -70;
  return m;
}

ModelInfo ten_tusscher() {
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
  return m;
}

const std::array<ModelInfo, model_count>& list() {
  static const std::array<ModelInfo, model_count> all = {mitchell_schaeffer(), ten_tusscher()};
  return all;
}

template <class Model>
ModelOperations make_operations(int index) {
  return {index, Model::constant_count, &Model::prepare, &Model::reference,
          [](double v, const double* w, const double* c, double* d) { return Model::rhs(v, w, c, d); }};
}

}  // namespace

std::span<const ModelInfo> models() { return list(); }

const ModelInfo* find_model(std::string_view name) {
  for (const auto& model : list()) {
    if (model.name == name) return &model;
  }
  return nullptr;
}

const ModelOperations& operations(const ModelInfo& model) {
  static const auto all = [] {
    std::array<ModelOperations, model_count> result;
    for (int i = 0; i < model_count; ++i) {
      result[std::size_t(i)] = host::with_model<double>(i, [i]<class Model>() { return make_operations<Model>(i); });
    }
    return result;
  }();
  for (const auto& candidate : all) {
    if (list()[std::size_t(candidate.index)].name == model.name) return candidate;
  }
  throw std::invalid_argument("ionic model \"" + model.name + "\" is not one of this library's models");
}

double right_hand_side(const ModelInfo& model, std::span<const double> parameters, double voltage,
                       std::span<const double> states, std::span<double> derivatives) {
  const auto& ops = operations(model);
  if (parameters.size() != model.parameters.size() || states.size() != model.states.size() ||
      derivatives.size() != model.states.size()) {
    throw std::invalid_argument("right_hand_side: " + model.name + " has " + std::to_string(model.parameters.size()) +
                                " parameters and " + std::to_string(model.states.size()) + " states");
  }
  std::vector<double> constants(std::size_t(ops.constant_count)), stored(states.begin(), states.end());
  ops.prepare(parameters.data(), 1.0, constants.data());
  for (std::size_t s = 0; s < stored.size(); ++s) stored[s] -= ops.reference(int(s));
  return ops.rhs(voltage, stored.data(), constants.data(), derivatives.data());
}

}  // namespace cardiotwin::kernels
