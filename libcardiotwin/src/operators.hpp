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
};

/// stable_dt = 2 / lambda with Gershgorin's bound lambda = max_i sum_j (|a_ij| + a_ij) + ... of the diffusion operator,
/// so it is never too large: exact on regular lattices with isotropic conductivity, up to some 30 % too small where it
/// is anisotropic. The load term does not move it: its eigenvalues lie in [-0.8 g, 0], and it acts on the small
/// increments of the reaction.
Operators assemble_operators(const ActivePart&, const Tissue&, const Fibers&, double ionic_load);

}  // namespace cardiotwin
