#include "problem.hpp"

#include <cmath>

namespace cardiotwin {

kernels::Problem problem_without_matrix(const Tissue& tissue, const std::vector<std::string>& regions,
                                        const SimulationOptions& options) {
  const IonicModel& model = ionic_model(tissue.model);
  kernels::Problem problem;
  problem.model = &model;
  problem.real = options.precision == Precision::fp32 ? kernels::Real::fp32 : kernels::Real::fp64;
  problem.dt = options.dt;
  problem.activation_threshold =
      std::isnan(options.activation_threshold) ? model.activation_threshold : options.activation_threshold;
  problem.repolarization_level = model.repolarization_level;
  problem.activation_depth = Simulation::activation_depth;
  for (const auto& name : regions) {
    const RegionTissue& region = tissue[name];
    problem.parameters.push_back(ionic_parameters(model, region.variant, region.parameters));
    problem.initial_voltage.push_back(model.rest);
    problem.initial_states.push_back(ionic_initial_states(model, region.variant));
  }
  return problem;
}

}  // namespace cardiotwin
