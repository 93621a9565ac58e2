#pragma once
/// Moving nodes without ever making the mesh worse.

#include <cardiotwin/log.hpp>
#include <vector>

#include "mesher_lattice.hpp"

namespace cardiotwin::meshes::stuffing {

/// The nodes that may move, their tets, and an order in which they can move in parallel: nodes of one colour share no
/// tet, so the result does not depend on the number of threads.
struct Stars {
  std::vector<Index> start;  ///< per active node, into `tet`
  std::vector<Index> tet;
  std::vector<Index> node;          ///< active nodes, by colour
  std::vector<std::size_t> colour;  ///< start of each colour in `node`
};

/// Nodes up to `layers` edges away from the marked ones (those included).
std::vector<std::uint8_t> grow(const Draft&, std::vector<std::uint8_t> marked, int layers);
Stars make_stars(const Draft&, const std::vector<std::uint8_t>& active);

/// Worst squared sine of each tet.
std::vector<float> tet_quality(const Draft&, int threads);

/// Worst squared sine of the star of active node `slot` with the node at `p`, each tet written to `each`; stops early,
/// returning something not above `floor`, as soon as a tet is not above `floor`.
double star_quality(const Draft&, const Stars&, std::size_t slot, const Vec3& p, double floor, float* each);

/// `p` moved onto the zero of the field along its gradient, no step longer than `reach`.
Vec3 project(const Field&, Vec3 p, double reach);

/// Surface nodes slide along the surface, others move to the middle of their star; only improvements are kept.
void smooth(Draft&, const Field&, double edge, int sweeps, int layers, int threads, const Monitor&);

}  // namespace cardiotwin::meshes::stuffing
