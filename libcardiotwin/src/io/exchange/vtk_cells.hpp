#pragma once
/// What VTU, VTP and legacy VTK share: cells of many kinds in one list, and arrays whose names say what they are.

#include <string>
#include <string_view>
#include <vector>

#include "formats.hpp"

namespace cardiotwin::exchange {

/// An array as the file has it. On field data: any length.
struct Array {
  std::string name;
  int components = 1;
  std::vector<double> values;
};

/// The contents of a VTK file before it is known which array is what.
struct VtkData {
  std::vector<Vec3> points;
  std::vector<std::int64_t> connectivity, offsets;  ///< offsets: end of each cell
  std::vector<int> types;                           ///< VTK's numbers: 3 line, 5 triangle, 10 tet, ...
  std::vector<Array> point_data, cell_data, field_data;
};

/// Tets, triangles and lines of `data`, polygons as fans of triangles; tags, fibres, node sets and names by array name.
/// Throws InputError for what does not fit.
ForeignMesh from_vtk(VtkData data, const Monitor&);

/// The same in the other direction: tets first, then triangles, then lines.
VtkData to_vtk(const ForeignMesh&);

/// Names carry what would end them as %22; in legacy files blanks, too.
std::string coded_name(std::string_view name, bool blanks);
std::string plain_name(std::string_view name);

}  // namespace cardiotwin::exchange
