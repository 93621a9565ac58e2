#pragma once
/// Lengths of the paths along which a function falls, private to the physics room.

#include <vector>

#include "fem.hpp"

namespace cardiotwin {

/// Per node the length of the path of steepest descent of `u` [mm] to where `given` is a number, plus that number;
/// `given` is NaN elsewhere. Pits of `u` are filled first, so that every path ends at a given node.
/// The paths are those on which Yezzi and Prince 2003 (doi 10.1109/TMI.2003.817775) measure thickness; here each step
/// is taken across one tet to the opposite side, whose own lengths are interpolated. Throws NumericalError where a node
/// hangs together with no given one.
std::vector<double> descent_length(const fem::Elements&, const std::vector<double>& u,
                                   const std::vector<double>& given);

}  // namespace cardiotwin
