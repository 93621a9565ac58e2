// The models' descriptions and their right-hand sides for one cell.
#include <cardiotwin/kernels/ionic.hpp>
#include <stdexcept>

#include "ionic/entry.hpp"

namespace cardiotwin::kernels {

#define CT_MODEL(function, functor) ModelEntry function();
#include "ionic/models.inc"
#undef CT_MODEL

namespace {

const std::vector<ModelEntry>& entries() {
  static const std::vector<ModelEntry> all = [] {
    std::vector<ModelEntry> result;
#define CT_MODEL(function, functor) result.push_back(function());
#include "ionic/models.inc"
#undef CT_MODEL
    for (std::size_t i = 0; i < result.size(); ++i) result[i].operations.index = int(i);
    return result;
  }();
  return all;
}

}  // namespace

std::span<const ModelInfo> models() {
  static const std::vector<ModelInfo> all = [] {
    std::vector<ModelInfo> result;
    for (const auto& entry : entries()) result.push_back(entry.info);
    return result;
  }();
  return all;
}

const ModelInfo* find_model(std::string_view name) {
  for (const auto& model : models()) {
    if (model.name == name) return &model;
  }
  return nullptr;
}

const ModelOperations& operations(const ModelInfo& model) {
  for (const auto& entry : entries()) {
    if (entry.info.name == model.name) return entry.operations;
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
  ops.prepare(parameters.data(), constants.data());
  for (std::size_t s = 0; s < stored.size(); ++s) stored[s] -= ops.reference(int(s));
  return ops.rhs(voltage, stored.data(), constants.data(), derivatives.data());
}

}  // namespace cardiotwin::kernels
