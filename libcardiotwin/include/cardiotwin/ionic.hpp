#pragma once
/// Ionic models as the physics room sees them: names, parameters, bounds. Their equations live in `kernels`.

#include <cardiotwin/kernels/ionic.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace cardiotwin {

/// Description of a model: kernels::ModelInfo (name, DOI, states, parameters with unit, default, bounds, variants).
using IonicModel = kernels::ModelInfo;

/// The named model; throws InputError with the nearest known name.
const IonicModel& ionic_model(std::string_view name);
std::vector<std::string> ionic_model_names();

/// Place of a parameter in the model's order; throws InputError with the nearest known name.
std::size_t parameter_index(const IonicModel& model, std::string_view name);

/// The states a cell of `variant` (may be empty) begins with. Throws InputError for an unknown variant.
std::vector<double> ionic_initial_states(const IonicModel& model, std::string_view variant);

/// All parameters of `model` in its order: defaults, then those of `variant` (may be empty), then `overrides`.
/// Throws InputError for an unknown variant or parameter (with the nearest name) or a value out of bounds.
std::vector<double> ionic_parameters(const IonicModel& model, std::string_view variant,
                                     const std::map<std::string, double>& overrides);

/// `values`, all parameters in the model's order, with those named in `overrides` replaced. Throws as above.
std::vector<double> with_parameters(const IonicModel& model, std::vector<double> values,
                                    const std::map<std::string, double>& overrides);

}  // namespace cardiotwin
