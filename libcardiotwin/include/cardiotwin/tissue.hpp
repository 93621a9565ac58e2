#pragma once
/// What the regions of a heart are made of.

#include <cardiotwin/field.hpp>
#include <cardiotwin/ionic.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cardiotwin {

/// Transversely isotropic conductivities [S/m = mS/mm]; those the defaults are of: the monodomain's (half the harmonic
/// mean of both spaces').
struct Conductivity {
  double along = 0.1334, across = 0.0176;
};

/// Conduction velocities [m/s = mm/ms].
struct Velocity {
  double along = 0, across = 0;
};

struct RegionTissue {
  bool conducts = true;  ///< false: dead scar; its tets are left out
  Conductivity conductivity;
  /// As measured, of the two spaces; the default is that of the N-version benchmark (Niederer et al. 2011, doi
  /// 10.1098/rsta.2011.0139). Potentials are solved for with these. The bidomain's V moves with `conductivity`, which
  /// may be fitted to a mesh, at their ratio: intracellular conductivity (1 + intracellular / extracellular). Tissue
  /// that does not conduct still has its extracellular space.
  Conductivity intracellular{.along = 0.17, .across = 0.019}, extracellular{.along = 0.62, .across = 0.24};
  Velocity wanted;                           ///< velocity the conductivity is meant to give; 0 where none is known
  double calibrated_edge = 0;                ///< mean edge in the region it was fitted for [mm]; 0: Tissue's own
  std::string variant;                       ///< of the ionic model: "epi", "border_zone", ...
  std::map<std::string, double> parameters;  ///< overrides, in the model's units
};

/// How diffusion is discretised on tets.
enum class Stiffness {
  p1,             ///< linear elements: cheapest; along-fibre diffusion leaks into waves across the fibre
  nodal_gradient  ///< linear elements for the part all directions share, nodal gradients for the rest along the fibre:
                  ///< velocities hardly depend on the direction, and the time step may be larger
};

/// "p1", "nodal-gradient"; the other way throws InputError for an unknown name.
std::string stiffness_name(Stiffness);
Stiffness stiffness_of(std::string_view name);

struct Tissue {
  std::string model = "mitchell-schaeffer-modified";
  double beta = 140.0;        ///< surface-to-volume ratio [1/mm]
  double capacitance = 0.01;  ///< membrane capacitance [uF/mm2]
  std::map<std::string, RegionTissue> regions;
  /// Set by `calibrate`: mean edge of the mesh [mm], ionic load g and time step [ms] the conductivities were fitted
  /// for; 0 where not fitted.
  double calibrated_edge = 0, calibrated_load = 0, calibrated_dt = 0;
  Stiffness calibrated_stiffness = Stiffness::p1;  ///< they were fitted with

  /// The named region; throws InputError with the nearest known name.
  RegionTissue& operator[](std::string_view region);
  const RegionTissue& operator[](std::string_view region) const;

  /// Published tissue: "post-infarct" (modified Mitchell-Schaeffer), "post-infarct-tt2006", "healthy-tt2006"; of
  /// atria "fibrotic-atrium" (modified Mitchell-Schaeffer), "fibrotic-atrium-crn1998".
  /// Sources stand beside the values in tissue.cpp. Throws InputError for an unknown name.
  static Tissue library(std::string_view name);
  static std::vector<std::string> library_names();

  /// Throws InputError for a value out of bounds (conductivity in [1e-4, 10] S/m, beta in [10, 1000] /mm, ...).
  void validate() const;
};

/// Adds the region "fast_endocardium": as "healthy", but 2.5 times as fast along and across. Throws InputError where
/// healthy tissue has no wanted velocity.
void add_fast_endocardium(Tissue&);

/// Ablated tissue: a ball made non-conducting.
struct Lesion {
  Vec3 position;        ///< [mm, LPS]
  double radius = 5.0;  ///< [mm]
};

}  // namespace cardiotwin
