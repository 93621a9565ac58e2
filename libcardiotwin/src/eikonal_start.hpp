#pragma once
/// How a wave starts, private to the physics room: times near a source, and their derivatives.

#include <array>
#include <cardiotwin/eikonal.hpp>
#include <vector>

namespace cardiotwin {

/// What an eikonal computation keeps of a heart.
struct EikonalHeart {
  explicit EikonalHeart(const Anatomy&);

  std::span<const Index> tets_at(Index node) const {
    return {star.data() + star_start[node], static_cast<std::size_t>(star_start[node + 1] - star_start[node])};
  }
  double mean_edge_at(std::span<const Index> nodes) const;  ///< of the tets there [mm]

  Mesh mesh;
  std::vector<Vec3> fiber;
  std::map<Label, std::string> regions;
  std::vector<Index> star_start, star;
};

/// The wave is at a node at `time`, along the straight way from a source; with what that changes by.
struct EikonalStart {
  Index node = 0, source = 0;
  Label region = 0;
  double time = 0;                       ///< [ms]
  Vec3 per_position = Vec3::Zero();      ///< [ms/mm]
  double per_along = 0, per_across = 0;  ///< [ms per m/s]
};

/// The earliest start of each node near the sources, by ascending node. `velocity` per label, 0 where nothing conducts;
/// `holding` per source: the tet that holds its position, -1 for one of nodes.
std::vector<EikonalStart> eikonal_starts(const EikonalHeart&, const std::array<Velocity, 256>& velocity,
                                         const std::vector<ActivationSource>&, const std::vector<Index>& holding);

}  // namespace cardiotwin
