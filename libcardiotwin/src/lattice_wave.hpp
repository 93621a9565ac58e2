#pragma once
/// Plane waves on the mesher's lattice, private to the physics room.

#include <array>
#include <cardiotwin/simulation.hpp>

namespace cardiotwin {

using LatticeDirection = std::array<int, 3>;  ///< along the cube axes of the body-centred lattice

/// Velocity [m/s] of a plane wave in direction `wave` through an unbounded lattice of mean edge `edge` [mm] whose
/// fibres run along `fiber`; 0 where it dies. In an unbounded lattice every node has the same operator row, so a wave
/// that starts plane stays plane: all nodes of a lattice plane do the same, and the planes form a chain that is coupled
/// with the row's weights. This is the scheme of the real mesh without its surface, at a thousandth of the cost of a
/// bar cut from it.
double lattice_wave_velocity(const Tissue&, const std::string& region, const LatticeDirection& fiber,
                             const LatticeDirection& wave, double edge, const SimulationOptions&);

/// Directions in which a fibre is laid to see how much it matters: along the axes and diagonals, and two generic ones.
inline constexpr std::array<LatticeDirection, 5> lattice_fibers{
    {{1, 0, 0}, {1, 1, 0}, {1, 1, 1}, {5, 2, 1}, {5, 4, 3}}};

/// Least forward-Euler limit [ms] inside such a lattice, over these directions of the fibre.
double lattice_stable_dt(const Tissue&, const std::string& region, double edge, const SimulationOptions&);

}  // namespace cardiotwin
