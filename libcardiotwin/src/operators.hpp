#pragma once
/// Monodomain operators on the active part, as the engine wants them; private to the physics room.

#include <cardiotwin/kernels/engine.hpp>
#include <cardiotwin/simulation.hpp>

#include "active.hpp"
#include "fem.hpp"

namespace cardiotwin {

/// What of the options decides the operators.
struct Scheme {
  double ionic_load = 2.0 / 3.0;  ///< g
  Stiffness stiffness = Stiffness::p1;
  /// Largest bound a row may have [1/ms] before its node is given more capacity; 0: from the median row.
  double ceiling = 0;
};

/// Rows hold off-diagonal entries only.
///
/// P1: K_ij = sum_T V grad_i . sigma grad_j leaks along-fibre diffusion into waves across the fibre: on long edges its
/// weights are negative, and a wave across the fibre runs up to a third faster or slower with the direction of the
/// lattice. Nodal gradients (Stiffness::nodal_gradient):
///
///   K = K_P1(sigma_t) + B^T diag(C) B,  (B V)_i = f_i . sum_T V_T grad V / sum_T V_T,  C_i = sum_T V_T / 4 (sigma_l -
///   sigma_t)
///
/// over the tets T around node i with mean fibre f_i. Symmetric, positive semi-definite, conservative, no leak for any
/// linear V; what B cannot see, zig-zags along the fibre, K_P1(sigma_t) damps.
struct Operators {
  std::vector<Index> row_start, column;
  std::vector<double> diffusion;       ///< a_ij = -K_ij / (beta Cm M_L,i) [1/ms], of K_P1
  std::vector<double> load;            ///< m_ij = g M_ij / M_L,i [-]
  std::vector<double> gradient;        ///< C_i b_ij; empty with P1 alone
  std::vector<double> divergence;      ///< -b_ji / (beta Cm M_L,i)
  std::vector<double> own_divergence;  ///< the same of the diagonal
  std::vector<double> capacity;        ///< beta Cm M_L,i [uF], with what was added
  bool nodal = false;                  ///< has them
  double stable_dt = 0;                ///< forward-Euler limit [ms]
  double ceiling = 0;                  ///< as in Scheme, for assembling a part again
  Index limiting_node = 0;             ///< engine node whose row sets the limit
  double added_capacity = 0;           ///< share of the membrane capacity added by capacity scaling
};

/// Where the mesher cut or snapped tets small, a handful of nodes carry almost no muscle and would force the time step
/// of the whole heart down by a factor of ten or more. Selective capacity scaling, the "mass scaling" of explicit
/// dynamics (Olovsson, Simonsson & Unosson 2005, doi 10.1002/nme.1293), gives such a node more capacity, until its own
/// limit is this share of the median node's, or that of the upper quartile of some region where that is shorter, as
/// in the fine part of a graded mesh. The total added is a fraction of a percent and is reported.
inline constexpr double capacity_scaling_floor = 0.3;

inline Scheme scheme_of(const SimulationOptions& o) { return {.ionic_load = o.ionic_load, .stiffness = o.stiffness}; }

/// [S/m]
Mat3 tensor(const Conductivity&, const Vec3& fiber);

/// Bound of every row on the diffusion operator's spectrum [1/ms], see assemble_operators.
std::vector<double> row_bounds(const Operators&);

/// The coarsest whole part of 1 ms that `model` resolves and that stays below 0.7 of `stable_dt` [ms].
double coarsest_dt(std::string_view model, double stable_dt);

/// stable_dt = 2 / lambda, where lambda bounds the diffusion operator's spectrum by rows: for P1 Gershgorin's max_i
/// sum_j (a_ij + |a_ij|) (rows sum to zero), for nodal gradients in addition sum_j |h_ij| sum_k |g_jk|. Never too
/// large, exact on regular lattices with isotropic conductivity, too small by some ten per cent where it is
/// anisotropic. The load term does not move the limit: its eigenvalues lie in [-0.8 g, 0] and it acts on the reaction's
/// increments, which the margin of 0.8 covers while dt times the steepest slope of dV/dt over V stays below 0.35.
Operators assemble_operators(const ActivePart&, const Tissue&, const Scheme&);

/// What the bidomain needs on the pattern of the operators, all of linear elements; see kernels::Conductor.
struct BidomainRows {
  std::vector<double> intracellular, beyond, carried;
  fem::Matrix stiffness;  ///< K of the intracellular space as measured [mS], its diagonal included
};
BidomainRows bidomain_rows(const ActivePart&, const Tissue&, const std::vector<double>& capacity);

/// A lesion takes the tets whose centroids it holds.
bool in_lesion(const ActivePart&, std::size_t tet, const std::vector<Lesion>&);

/// What a run with these lesions has of its own on the operators of the whole part.
kernels::Variation rows_beside_lesions(const ActivePart&, const Operators&, const Tissue&, const Scheme&,
                                       const std::vector<Lesion>&);

}  // namespace cardiotwin
