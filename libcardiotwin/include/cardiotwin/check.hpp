#pragma once
/// Is this twin fit for a study?

#include <cardiotwin/calibration.hpp>
#include <cardiotwin/twin.hpp>
#include <string>
#include <vector>

namespace cardiotwin {

enum class Severity { info, warning, severe };

struct Finding {
  Severity severity;
  std::string text;  ///< one sentence: what, number, cure
};

struct CheckReport {
  std::map<std::string, double> volumes;        ///< region name -> [ml]
  double muscle_volume = 0, cavity_volume = 0;  ///< [ml]; cavity bounded by the endocardium and fans across its rims
  double scar_mass = 0;                         ///< core + border zone + channel [g], density 1.05 g/ml
  double wall_min = 0, wall_mean = 0, wall_max = 0;  ///< wall thickness [mm], 1/99 percentiles for min/max
  MeshQuality mesh;
  double stable_dt = 0;                    ///< [ms]
  std::vector<CalibratedAxis> velocities;  ///< expected velocity and error per conducting region and axis
  std::vector<Finding> findings;
  bool fit() const;  ///< no severe finding
};

/// `limit`: largest accepted relative velocity error in any direction measured.
CheckReport check(const Twin&, const SimulationOptions& = {}, double limit = 0.1, const Monitor& = {});
std::string to_json(const CheckReport&);

}  // namespace cardiotwin
