#pragma once
/// A fast-conducting layer under the endocardium, the simplest stand-in for the Purkinje network.

#include <cardiotwin/log.hpp>
#include <cardiotwin/twin.hpp>

namespace cardiotwin {

/// Healthy tets whose centroid lies within `depth` [mm] of the left or right endocardium become region
/// "fast_endocardium" of anatomy and tissue; scar of any kind stays what it is. Returns its volume [ml]. Warns where
/// the layer is thinner than an edge, as it then has gaps. Throws InputError for a depth outside (0, 10] mm, or an
/// endocardium that is not tagged.
double mark_fast_endocardium(Twin&, double depth, const Monitor& = {});

}  // namespace cardiotwin
