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

/// Angles [degrees] of Bayer et al. 2012 (doi 10.1007/s10439-012-0593-5): helix alpha, sheet beta.
struct FiberAngles {
  double alpha_endo = 60, alpha_epi = -60, beta_endo = -65, beta_epi = 25;
};

/// Nodes of the boundary parts on which the Laplace problems of the rule are posed.
struct FiberBoundary {
  std::vector<Index> endo, epi, base, apex;
};

struct RuleBasedFibers {
  Fibers fibers;
  std::vector<double> depth;   ///< per node, 0 endo .. 1 epi, linear along the wall
  std::vector<double> height;  ///< per node, 0 apex .. 1 base
};

/// Laplace-Dirichlet rule-based fibres for a left ventricle (Bayer et al. 2012), the helix angle linear in depth.
/// Throws InputError if a boundary part is empty, NumericalError if a Laplace solve does not converge.
RuleBasedFibers rule_based_fibers(const Mesh&, const FiberBoundary&, const FiberAngles& = {}, const Monitor& = {});

}  // namespace cardiotwin
