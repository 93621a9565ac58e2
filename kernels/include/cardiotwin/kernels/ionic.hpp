#pragma once
/// What an ionic model says about itself. The equations stand in the model's own header, as a functor that every
/// backend compiles.

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cardiotwin::kernels {

struct ParameterInfo {
  std::string name;  ///< as in the paper
  std::string unit;
  double value;      ///< default
  double low, high;  ///< accepted range
  std::string doc;
};

struct StateInfo {
  std::string name;
  std::string unit;
  double initial;
};

/// A named set of parameter values ("epi", "border_zone") with the initial state that belongs to it (empty: default).
struct Variant {
  std::string name;
  std::string source;  ///< DOI or reason
  std::vector<std::pair<std::string, double>> values;
  std::vector<double> initial;
};

struct ModelInfo {
  std::string name;
  std::string doi;
  std::vector<StateInfo> states;  ///< without V
  std::vector<ParameterInfo> parameters;
  std::vector<Variant> variants;
  double rest = 0, peak = 0;        ///< typical V [mV]
  double coarsest_dt = 0;           ///< [ms] about a fifteenth of the upstroke; larger steps smear it
  double activation_threshold = 0;  ///< [mV], upward crossing is an activation
  double repolarization_level = 0;  ///< [mV], downward crossing is repolarisation (90 %)
};

std::span<const ModelInfo> models();
/// nullptr where there is none of that name.
const ModelInfo* find_model(std::string_view name);

/// Right-hand side in fp64, for tests and for a cell alone: dV/dt [mV/ms] without stimulus, and the states' derivatives
/// per ms. `parameters` in the model's order; `states` and `derivatives` have states.size() entries.
double right_hand_side(const ModelInfo&, std::span<const double> parameters, double voltage,
                       std::span<const double> states, std::span<double> derivatives);

}  // namespace cardiotwin::kernels
