#pragma once
/// Moving nodes without ever making the mesh worse.

#include <cardiotwin/log.hpp>
#include <span>
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

/// Moves nodes one at a time (in parallel within a colour), knowing at all times how good each tet is.
class Mover {
 public:
  Mover(Draft&, const std::vector<std::uint8_t>& active, int threads);

  /// Runs body(slot, node, worst squared sine of its star) once for every active node.
  template <class Body>
  void sweep(const Body& body) {
    for (std::size_t c = 0; c + 1 < stars_.colour.size(); ++c) {
      const auto first = static_cast<std::ptrdiff_t>(stars_.colour[c]),
                 last = static_cast<std::ptrdiff_t>(stars_.colour[c + 1]);
#pragma omp parallel for schedule(dynamic, 256) num_threads(threads_) if (last - first > 1024)
      for (std::ptrdiff_t slot = first; slot < last; ++slot) body(slot, stars_.node[slot], worst(slot));
    }
  }
  /// Tets around the node of a slot.
  std::span<const Index> star(std::size_t slot) const {
    return {stars_.tet.data() + stars_.start[slot],
            static_cast<std::size_t>(stars_.start[slot + 1] - stars_.start[slot])};
  }
  /// Moves the node of `slot` to `p` if its star then stays better than `floor`; says whether it did.
  bool move(std::size_t slot, const Vec3& p, float floor);
  /// Middle of the star by volume.
  Vec3 centre(std::size_t slot) const;

 private:
  float worst(std::size_t slot) const;

  Draft& draft_;
  Stars stars_;
  std::vector<float> quality_;  ///< squared sine of each tet
  int threads_;
};

/// `p` moved onto the zero of the field along its gradient, no step longer than `reach`.
Vec3 project(const Field&, Vec3 p, double reach);

/// Surface nodes slide along the surface, others move to the middle of their star; only improvements are kept. `edge`
/// is that of a draft which has none of its own.
void smooth(Draft&, const Field&, double edge, int sweeps, int layers, int threads, const Monitor&);

}  // namespace cardiotwin::meshes::stuffing
