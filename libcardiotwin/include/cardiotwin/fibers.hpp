#pragma once
/// Muscle fibres: an orthonormal frame per tet, and the rules that lay it.

#include <cardiotwin/log.hpp>
#include <cardiotwin/mesh.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cardiotwin {

/// Unit vectors per tet: f along the fibre, s across it within the sheet, n normal to the sheet.
struct Fibers {
  std::vector<Vec3> f, s, n;
};

/// All frames aligned with the axes: f = x, s = y, n = z; or f along `direction`.
Fibers uniform_fibers(const Mesh&, const Vec3& direction = Vec3::UnitX());

/// Frames with the given fibres (unit vectors, one per tet): s is what `towards` leaves beside f, n = f x s.
Fibers frames_along(std::vector<Vec3> f, const std::vector<Vec3>& towards);

enum class FiberRule {
  bayer,  ///< Bayer et al. 2012 (doi 10.1007/s10439-012-0593-5): across the septum the helix turns at one rate
  doste   ///< Doste et al. 2019 (doi 10.1002/cnm.3185): the left ventricle's fibres fill two thirds of the septum, the
          ///< right one's the rest, circumferential where they meet; outflow tracts have angles of their own
};
/// "bayer", "doste"; the other way throws InputError for an unknown name.
std::string fiber_rule_name(FiberRule);
FiberRule fiber_rule_of(std::string_view name);

/// Rule and angles [degrees]: helix alpha, from the circumferential direction towards the base; sheet beta, from the
/// wall's normal. Those of the right ventricle hold in its own wall, and alpha_endo_rv on its side of the septum too;
/// those of the outflow tracts (doste) at their rings.
struct FiberAngles {
  FiberRule rule = FiberRule::bayer;
  double alpha_endo = 60, alpha_epi = -60, beta_endo = -65, beta_epi = 25;
  double alpha_endo_rv = 60, alpha_epi_rv = -60;
  double alpha_endo_outflow = 90, alpha_epi_outflow = 0;

  /// Those of the paper. Doste et al. 2019 have no sheet angle (0 here), and a transverse one that is not laid.
  static FiberAngles of(FiberRule);
};

/// Nodes of the boundary parts on which the Laplace problems of the rule are posed. `endo` is the left ventricle's;
/// `endo_rv` is empty for a left ventricle alone. `outflow`: rings of the aortic and pulmonary valves, may be empty.
/// `upward`: from apex to base, for a block cut from a wall; then its `base`, `apex` and `outflow` are not looked at.
struct FiberBoundary {
  std::vector<Index> endo, epi, base, apex, endo_rv = {}, outflow = {};
  std::optional<Vec3> upward = {};
};

struct RuleBasedFibers {
  Fibers fibers;
  /// Per node, linear along the wall. Left ventricle: 0 endo .. 1 epicardium or the septum's right side; wall of the
  /// right ventricle: 0 its endocardium .. 1 epi.
  std::vector<double> depth;
  std::vector<double> height;  ///< per node, 0 apex .. 1 base
  std::vector<double> right;   ///< per node, 0 left ventricle .. 1 right; empty for a left ventricle alone
};

/// Laplace-Dirichlet rule-based fibres of a left ventricle or of both, the helix angle linear in depth. Each ventricle
/// is one wall around its cavity, the septum the left one's. Fibres that are oblique on all three surfaces cannot run
/// on smoothly where three walls meet (once around the insertion the axis turns by half a turn). So the right wall
/// begins there as the left one's outer layer, and its endocardium reaches its own angle over some wall thicknesses:
/// neighbours run alike everywhere but at the apex and the valves. Without `outflow` rings doste's rule is laid without
/// outflow tracts, with a warning.
/// Throws InputError if a boundary part is empty, NumericalError if a Laplace solve does not converge.
RuleBasedFibers rule_based_fibers(const Mesh&, const FiberBoundary&, const FiberAngles& = {}, const Monitor& = {});

}  // namespace cardiotwin
