#pragma once
/// From the edges that are asked for to those that an octree, whose sizes double, can give.

#include <cardiotwin/meshes/image.hpp>
#include <vector>

namespace cardiotwin::meshes::stuffing {

struct Sizes {
  double finest = 0;  ///< mean edge of the smallest octants [mm]; those above them are 2, 4, ... times as long
  int levels = 0;     ///< sizes above the finest
  double shortest = 0, longest = 0;  ///< that are asked for in the tissue [mm]
};

/// The lattice nearest to the edges asked for in the tissue: the phase of its powers of two lies as far as it can from
/// the largest gap between theirs. Two edges are then met within 19 %, three within 26 %. Throws InputError for an edge
/// outside [0.1, 5] mm in the tissue.
Sizes fit_sizes(const Image& inside, const Image& edges);

/// The largest edges below `edges` that grow by no more than `rate` per mm, by a chamfer of 26 neighbours (steps of
/// length 1, sqrt 2, sqrt 3, at most 8 % above the true distance). Outside the tissue nothing is asked for.
Image limit_growth(const Image& inside, const Image& edges, double longest, double rate);

}  // namespace cardiotwin::meshes::stuffing
