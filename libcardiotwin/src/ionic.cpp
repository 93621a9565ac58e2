#include <fmt/core.h>

#include <cardiotwin/error.hpp>
#include <cardiotwin/ionic.hpp>

namespace cardiotwin {

const IonicModel& ionic_model(std::string_view name) {
  if (const IonicModel* model = kernels::find_model(name)) return *model;
  const auto known = ionic_model_names();
  throw InputError(fmt::format("Ionic model \"{}\" is unknown{}", name, suggestion(name, known)));
}

std::vector<std::string> ionic_model_names() {
  std::vector<std::string> names;
  for (const IonicModel& model : kernels::models()) names.push_back(model.name);
  return names;
}

std::size_t parameter_index(const IonicModel& model, std::string_view name) {
  std::vector<std::string> known;
  for (const auto& p : model.parameters) {
    if (p.name == name) return known.size();
    known.push_back(p.name);
  }
  throw InputError(
      fmt::format("Ionic model \"{}\" has no parameter \"{}\"{}", model.name, name, suggestion(name, known)));
}

namespace {

const kernels::Variant& find_variant(const IonicModel& model, std::string_view name) {
  std::vector<std::string> known;
  for (const auto& variant : model.variants) {
    if (variant.name == name) return variant;
    known.push_back(variant.name);
  }
  if (known.empty()) throw InputError(fmt::format("Ionic model \"{}\" has no variants, not \"{}\"", model.name, name));
  throw InputError(
      fmt::format("Ionic model \"{}\" has no variant \"{}\"{}", model.name, name, suggestion(name, known)));
}

}  // namespace

std::vector<double> ionic_initial_states(const IonicModel& model, std::string_view variant) {
  if (!variant.empty()) {
    if (const auto& own = find_variant(model, variant).initial; !own.empty()) return own;
  }
  std::vector<double> states;
  for (const auto& state : model.states) states.push_back(state.initial);
  return states;
}

std::vector<double> ionic_parameters(const IonicModel& model, std::string_view variant,
                                     const std::map<std::string, double>& overrides) {
  std::vector<double> values;
  for (const auto& p : model.parameters) values.push_back(p.value);
  if (!variant.empty())
    for (const auto& [name, value] : find_variant(model, variant).values) values[parameter_index(model, name)] = value;
  return with_parameters(model, std::move(values), overrides);
}

std::vector<double> with_parameters(const IonicModel& model, std::vector<double> values,
                                    const std::map<std::string, double>& overrides) {
  for (const auto& [name, value] : overrides) {
    const std::size_t at = parameter_index(model, name);
    const auto& info = model.parameters[at];
    if (!(value >= info.low && value <= info.high))
      throw InputError(fmt::format("Ionic model \"{}\": {} = {} {} is outside [{}, {}]", model.name, name, value,
                                   info.unit, info.low, info.high));
    values[at] = value;
  }
  return values;
}

}  // namespace cardiotwin
