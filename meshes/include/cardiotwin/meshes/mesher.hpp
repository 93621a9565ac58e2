#pragma once
/// Labelled tetrahedra from smooth indicator fields: isosurface stuffing on a body-centred cubic lattice
/// (Labelle & Shewchuk 2007, doi 10.1145/1275808.1276448), guarded smoothing, interface snapping.

#include <cardiotwin/log.hpp>
#include <cardiotwin/mesh.hpp>
#include <cardiotwin/meshes/image.hpp>
#include <vector>

namespace cardiotwin::meshes {

struct MesherOptions {
  double edge = 1.0;      ///< mean edge [mm]
  double grading = 0.25;  ///< how fast graded edges may grow [mm per mm]
  int smoothing = 5;      ///< sweeps of the outer layers
  bool snap = true;       ///< move interior interfaces onto the label surface
  int threads = 0;        ///< the result does not depend on it
};

/// `inside` > 0 in tissue, < 0 outside, in mm (a signed distance or anything Lipschitz near its zero), sampled
/// trilinearly. `labels` gives, per voxel of its own grid, the region inside the tissue (nearest non-zero voxel is used
/// at the rim). Throws InputError if there is no tissue, if it touches the grid's edge, or if edge is outside [0.1, 5]
/// mm.
Mesh stuff(const Image& inside, const Labels& labels, const MesherOptions&, const Monitor& = {});

/// Graded: `edges`, on the grid of `inside`, says which mean edge [mm] is wanted in each voxel of the tissue, in place
/// of options.edge. The lattice's sizes double from one to the next (the leaves of a balanced octree), so two edges are
/// met within 19 %, three within 26 %, and which ones are made is told. Where one size does, the result is that of the
/// uniform mesher. Throws InputError as above, for a wanted edge outside [0.1, 5] mm, or for a grading outside [0.05,
/// 1].
Mesh stuff(const Image& inside, const Labels& labels, const Image& edges, const MesherOptions&, const Monitor& = {});

}  // namespace cardiotwin::meshes
