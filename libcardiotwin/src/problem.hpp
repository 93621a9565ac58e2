#pragma once
/// A tissue as the engine wants it; private to the physics room.

#include <cardiotwin/kernels/engine.hpp>
#include <cardiotwin/simulation.hpp>

namespace cardiotwin {

/// Model, time step, levels and one parameter set per region; parameter_set and the matrix are left empty.
kernels::Problem problem_without_matrix(const Tissue&, const std::vector<std::string>& regions,
                                        const SimulationOptions&);

}  // namespace cardiotwin
