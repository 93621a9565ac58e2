#pragma once
/// Labels of the tets, and interfaces between labels that follow the label surface rather than the lattice.

#include "mesher_labels.hpp"
#include "mesher_smooth.hpp"

namespace cardiotwin::meshes::stuffing {

/// Label of each tet, taken at its centroid.
std::vector<Label> label_tets(const Draft&, const Regions&, int threads);

/// Moves the nodes between labels onto the label surface as far as the tets around them allow.
void snap_interfaces(Draft&, std::vector<Label>&, const Field&, const Regions&, double edge, int threads,
                     const Monitor&);

}  // namespace cardiotwin::meshes::stuffing
