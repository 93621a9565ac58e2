#pragma once
#include <cardiotwin/calibration.hpp>
#include <optional>

namespace cardiotwin::app {

/// Calibrates `twin` in place and notes the step in its provenance. Without a stiffness: as calibrate_within chooses.
Calibration calibrate_twin(Twin&, const std::map<std::string, Velocity>& wanted, SimulationOptions,
                           std::optional<Stiffness>, double limit, const std::map<std::string, std::string>& options);

/// Gives the twin the fitted tissue and notes the step in its provenance.
void note_calibration(Twin&, const Calibration&, const SimulationOptions&,
                      const std::map<std::string, std::string>& options);

}  // namespace cardiotwin::app
