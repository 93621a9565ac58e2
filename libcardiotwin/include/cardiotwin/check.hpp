#pragma once
/// Is this twin fit for a study?

#include <cardiotwin/calibration.hpp>
#include <cardiotwin/transmurality.hpp>
#include <cardiotwin/twin.hpp>
#include <string>
#include <vector>

namespace cardiotwin {

/// Velocities where a region's edges are shortest and longest (EdgeStatistics): what a fit at their mean leaves there.
struct EdgeVelocities {
  std::string region;
  Axis axis;
  VelocityMeasurement at_low, at_high;
};

/// Thickness of a wall [mm], 1st and 99th percentile for min and max; all 0 where it was not measured.
struct WallThickness {
  double min = 0, mean = 0, max = 0;
};

struct CheckReport {
  std::map<std::string, double> volumes;              ///< region name -> [ml]
  double muscle_volume = 0;                           ///< [ml]
  double cavity_volume = 0, right_cavity_volume = 0;  ///< [ml]; bounded by the endocardium and fans across its rims
  double scar_mass = 0;                               ///< core + border zone + channel [g], density 1.05 g/ml
  WallThickness wall, right_wall;               ///< septum with the left; the right one is its ventricle's free wall
  std::array<Transmurality, 18> transmurality;  ///< per AHA segment, [0] the whole heart
  MeshQuality mesh;
  std::map<std::string, EdgeStatistics> edges;  ///< by region name
  double stable_dt = 0;                         ///< [ms]
  std::vector<CalibratedAxis> velocities;       ///< expected velocity and error per conducting region and axis
  std::vector<EdgeVelocities> edge_velocities;  ///< of regions whose edges vary, as those of a graded mesh
  std::vector<Finding> findings;
  bool fit() const;  ///< no severe finding
};

/// What the twin's image and labels left in doubt (`Twin::findings`) is repeated in the findings.
/// `limit`: largest accepted relative velocity error in any direction measured.
CheckReport check(const Twin&, const SimulationOptions& = {}, double limit = 0.1, const Monitor& = {});
std::string to_json(const CheckReport&);

}  // namespace cardiotwin
