#pragma once
/// Conductivities that give the wanted conduction velocities on a mesh's own spacing and scheme.

#include <cardiotwin/log.hpp>
#include <cardiotwin/simulation.hpp>
#include <cardiotwin/twin.hpp>
#include <map>
#include <string>
#include <vector>

namespace cardiotwin {

/// What a plane wave does on the mesher's lattice, measured in several directions relative to it.
struct VelocityMeasurement {
  double mean = 0;           ///< [m/s]; 0 where every direction blocked
  double low = 0, high = 0;  ///< extremes over the directions [m/s]
  int blocked = 0;           ///< directions in which the wave died
};
enum class Axis { along, across };

/// Plane-wave velocity along or across the fibre for one region of `tissue` on the mesher's lattice of mean edge `edge`
/// [mm], as `options` steps it (dt, precision, ionic load; always on the CPU). Directions of the fibre relative to the
/// lattice: (100), (110), (111), (521), (543); across it two waves for each. The lattice is unbounded: planes of equal
/// nodes form a chain, so no ragged sides enter and one measurement costs some 40 ms of one core. Throws InputError
/// where dt is above 0.8 of the limit there.
VelocityMeasurement measure_velocity(const Tissue& tissue, const std::string& region, Axis, double edge,
                                     const SimulationOptions& options);

struct CalibratedAxis {
  std::string region;
  Axis axis;
  double wanted = 0;        ///< [m/s]
  double edge = 0;          ///< mean edge of the region [mm]
  double before = 0;        ///< [S/m]
  double conductivity = 0;  ///< fitted [S/m]
  VelocityMeasurement reached;
  bool within_limit = false;  ///< mean and both extremes within the limit of the wanted velocity
  std::string why;            ///< empty, or why the wanted velocity cannot be reached or trusted
};

struct Calibration {
  Tissue tissue;  ///< with fitted conductivities, `wanted`, and all that is called calibrated_ set
  std::vector<CalibratedAxis> axes;
};

/// Fits sigma per conducting region, at the mean edge of its own tets (edge_statistics), and axis such that the mean
/// velocity over the directions is the wanted one to 0.2 % (`wanted` by region name; a region not named keeps
/// RegionTissue::wanted). Never returns a conductivity that `options.dt` cannot step on the twin's mesh. A region
/// wanted equally fast along and across stays isotropic, one that the mesh lacks is left as it is. options.dt == 0: the
/// coarsest step that the fitted tissue allows is chosen, as natural_dt would. Throws InputError for an unknown region,
/// a velocity outside [0.02, 3] m/s, no velocity to aim at, or a dt too large for this mesh.
Calibration calibrate(const Twin&, const std::map<std::string, Velocity>& wanted, const SimulationOptions& = {},
                      double limit = 0.1, const Monitor& = {});

/// The same with plain P1 where that keeps every region within the limit, else with nodal gradients, whose steps cost
/// more; options.stiffness is not looked at.
Calibration calibrate_within(const Twin&, const std::map<std::string, Velocity>& wanted, SimulationOptions = {},
                             double limit = 0.1, const Monitor& = {});

}  // namespace cardiotwin
