#pragma once
/// The readers and writers of foreign meshes: bytes in, a mesh out, and back. They know no paths, so that a fuzzer can
/// feed them; errors name the line or the array, the caller adds the file.

#include <cardiotwin/error.hpp>
#include <cardiotwin/exchange.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cardiotwin::exchange {

/// What a format can carry, beside points.
namespace part {
inline constexpr unsigned tets = 1, tet_tags = 2, fibers = 4, sheets = 8, triangles = 16, triangle_tags = 32,
                          lines = 64, line_tags = 128, node_sets = 256, node_fields = 512, tet_fields = 1024,
                          triangle_fields = 2048, tag_names = 4096;
inline constexpr unsigned all = 8191;
}  // namespace part

/// Extension (or rest of the name) and content of the files one mesh becomes.
using Files = std::vector<std::pair<std::string, std::string>>;

struct OpencarpBytes {
  std::string_view points, elements;
  std::optional<std::string_view> fibers = {};
  std::vector<std::pair<std::string, std::string_view>> node_sets = {};
};
ForeignMesh read_opencarp(const OpencarpBytes&, const Monitor&);
NodeSet read_vtx(std::string name, std::string_view bytes);
Files write_opencarp(const ForeignMesh&);

struct TetgenBytes {
  std::string_view nodes, elements;
  std::optional<std::string_view> faces = {}, edges = {};
};
ForeignMesh read_tetgen(const TetgenBytes&, const Monitor&);
Files write_tetgen(const ForeignMesh&);

ForeignMesh read_gmsh(std::string_view, const Monitor&);
std::string write_gmsh(const ForeignMesh&);   ///< 4.1
std::string write_gmsh2(const ForeignMesh&);  ///< 2.2

ForeignMesh read_vtk_xml(std::string_view, const Monitor&);  ///< VTU and VTP
std::string write_vtu(const ForeignMesh&);
std::string write_vtp(const ForeignMesh&);
ForeignMesh read_vtk_legacy(std::string_view, const Monitor&);
std::string write_vtk_legacy(const ForeignMesh&);

ForeignMesh read_ply(std::string_view, const Monitor&);
std::string write_ply(const ForeignMesh&);
ForeignMesh read_stl(std::string_view, const Monitor&);
std::string write_stl(const ForeignMesh&);
ForeignMesh read_carto(std::string_view, const Monitor&);
std::string write_carto(const ForeignMesh&);

/// Calls read(); its InputError then begins with the name of the file it came from, such as ".elem".
template <class Read>
void within(const std::string& file, const Read& read) {
  try {
    read();
  } catch (const InputError& error) {
    throw InputError(file + " " + error.what());
  }
}

/// Fields of one component each, with names of one word, for formats that have only such: "v" of three becomes v_1,
/// v_2, v_3.
std::vector<Field> scalar_fields(const std::vector<Field>&);

/// A name without line ends and other control characters, for formats where they would end it.
std::string one_line(std::string_view name);

/// Program, version and "research use only" in one line, for wherever a format takes a remark.
std::string signature();

}  // namespace cardiotwin::exchange
