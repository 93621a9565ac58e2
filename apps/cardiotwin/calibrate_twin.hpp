#pragma once
#include <cardiotwin/calibration.hpp>

namespace cardiotwin::app {

/// Calibrates `twin` in place and notes the step in its provenance.
Calibration calibrate_twin(Twin&, const std::map<std::string, Velocity>& wanted, const SimulationOptions&, double limit,
                           const std::map<std::string, std::string>& options);

}  // namespace cardiotwin::app
