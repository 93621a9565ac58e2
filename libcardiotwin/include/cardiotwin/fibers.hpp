#pragma once
/// Muscle fibres: an orthonormal frame per tet, and the rule that lays it.

#include <cardiotwin/log.hpp>
#include <cardiotwin/mesh.hpp>
#include <vector>

namespace cardiotwin {

/// Unit vectors per tet: f along the fibre, s across it within the sheet, n normal to the sheet.
struct Fibers {
  std::vector<Vec3> f, s, n;
};

/// All frames aligned with the axes: f = x, s = y, n = z; or f along `direction`.
Fibers uniform_fibers(const Mesh&, const Vec3& direction = Vec3::UnitX());

/// Angles [degrees] of Bayer et al. 2012 (doi 10.1007/s10439-012-0593-5): helix alpha, sheet beta. Those of the right
/// ventricle hold in its own wall, and alpha_endo_rv on its side of the septum too.
struct FiberAngles {
  double alpha_endo = 60, alpha_epi = -60, beta_endo = -65, beta_epi = 25;
  double alpha_endo_rv = 60, alpha_epi_rv = -60;
};

/// Nodes of the boundary parts on which the Laplace problems of the rule are posed. `endo` is the left ventricle's;
/// `endo_rv` is empty for a left ventricle alone.
struct FiberBoundary {
  std::vector<Index> endo, epi, base, apex, endo_rv = {};
};

struct RuleBasedFibers {
  Fibers fibers;
  /// Per node, linear along the wall. Left ventricle: 0 endo .. 1 epicardium or the septum's right side; wall of the
  /// right ventricle: 0 its endocardium .. 1 epi.
  std::vector<double> depth;
  std::vector<double> height;  ///< per node, 0 apex .. 1 base
  std::vector<double> right;   ///< per node, 0 left ventricle .. 1 right; empty for a left ventricle alone
};

/// Laplace-Dirichlet rule-based fibres (Bayer et al. 2012) of a left ventricle or of both, the helix angle linear in
/// depth. Each ventricle is laid as one wall around its cavity, the septum with the left; where the right one's wall
/// meets it both are blended.
/// Throws InputError if a boundary part is empty, NumericalError if a Laplace solve does not converge.
RuleBasedFibers rule_based_fibers(const Mesh&, const FiberBoundary&, const FiberAngles& = {}, const Monitor& = {});

}  // namespace cardiotwin
