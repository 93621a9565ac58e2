#pragma once
/// Monodomain operators on the active part, as the engine wants them; private to the physics room.

#include "active.hpp"
#include "fem.hpp"

namespace cardiotwin {

/// Rows hold off-diagonal entries only.
struct Operators {
  std::vector<Index> row_start, column;
  std::vector<double> diffusion;  ///< a_ij = -K_ij / (beta Cm M_L,i) [1/ms]
  std::vector<double> load;       ///< m_ij = g M_ij / M_L,i [-]
  double stable_dt = 0;           ///< forward-Euler limit [ms]
  Index limiting_node = 0;        ///< engine node whose row sets the limit
  double added_capacity = 0;      ///< share of the membrane capacity added by capacity scaling
};

/// Where the mesher cut or snapped tets small, a handful of nodes carry almost no muscle and would force the time step
/// of the whole heart down by a factor of ten or more. Selective capacity scaling, the "mass scaling" of explicit
/// dynamics (Olovsson, Simonsson & Unosson 2005, doi 10.1002/nme.1293), gives such a node more capacity, until its own
/// limit is this share of the median node's. The total added is a fraction of a percent and is reported.
inline constexpr double capacity_scaling_floor = 0.3;

/// stable_dt = 2 / lambda, where lambda = max_i sum_j (a_ij + |a_ij|) is Gershgorin's bound on the diffusion operator's
/// spectrum (rows sum to zero): never too large, exact on regular lattices with isotropic conductivity, too small by
/// some ten per cent where it is anisotropic. The load term does not move the limit: its eigenvalues lie in [-0.8 g, 0]
/// and it acts on the reaction's increments, which the margin of 0.8 covers while dt times the steepest slope of dV/dt
/// over V stays below 0.35.
/// The coarsest whole part of 1 ms that `model` resolves and that stays below 0.7 of `stable_dt` [ms].
double coarsest_dt(std::string_view model, double stable_dt);

Operators assemble_operators(const ActivePart&, const Tissue&, const Fibers&, double ionic_load);

}  // namespace cardiotwin
