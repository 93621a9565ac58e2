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
  m.activation_threshold = -30;
  m.repolarization_level = -70;
  return m;
}

const std::array<ModelInfo, model_count>& list() {
  static const std::array<ModelInfo, model_count> all = {mitchell_schaeffer()};
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
