#pragma once
/// What is done to a foreign mesh whatever its format.

#include <cardiotwin/exchange.hpp>

namespace cardiotwin::exchange {

/// The tets as a Mesh takes them: inverted ones turned round, unused points left out.
struct Repaired {
  Mesh mesh;
  std::vector<Index> place;  ///< point of the file -> node of the mesh, -1 where no tet uses it
  std::size_t turned = 0, dropped = 0;
};
/// `labels`: one per tet. Throws InputError for a flat tet.
Repaired repair(const ForeignMesh&, std::vector<Label> labels);

/// Adds the faces that one tet alone has, as triangles without tags.
void add_boundary(ForeignMesh&);
/// Triangles become node sets by tag: "endo", "epi", "base", else "surface_7".
void triangles_to_node_sets(ForeignMesh&);
/// Keeps the points that a tet, triangle or line uses; fields and node sets follow.
void drop_unused_points(ForeignMesh&);

}  // namespace cardiotwin::exchange
