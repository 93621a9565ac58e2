#pragma once
/// Meshes of other programs: openCARP, VTK, TetGen, Gmsh, PLY, STL, CARTO 3; read, written, turned into an anatomy and
/// back.

#include <cardiotwin/anatomy.hpp>
#include <cardiotwin/log.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace cardiotwin {

/// Region or surface numbers of foreign files, kept as they are; an anatomy's labels are mapped from them.
using Tag = std::int32_t;

struct NodeSet {
  std::string name;
  std::vector<Index> nodes;
};

/// A named array, `components` values per node, tet or triangle, component fastest; NaN means "no data".
struct Field {
  std::string name = {};
  int components = 1;
  std::vector<double> values = {};
};

/// All that foreign files carry. Lists of tags, fibres and sheets are as long as what they describe, or empty where the
/// file has none.
struct ForeignMesh {
  std::vector<Vec3> points;  ///< [mm]
  std::vector<Tet> tets;     ///< in the file's orientation, which may be inverted
  std::vector<Tag> tet_tags;
  std::vector<Vec3> fibers, sheets;  ///< per tet; zero where the file says "no fibre here"
  std::vector<Triangle> triangles;
  std::vector<Tag> triangle_tags;
  bool triangles_are_boundary = false;  ///< of the tets, no tissue of their own: to openCARP they go as node sets
  std::vector<std::array<Index, 2>> lines;
  std::vector<Tag> line_tags;
  std::vector<NodeSet> node_sets;
  std::vector<Field> node_fields, tet_fields, triangle_fields;
  std::map<Tag, std::string> tag_names;  ///< of tets

  /// Throws InputError for a length that does not fit, an index out of range, a point or fibre that is not finite.
  void validate() const;
};

struct MeshFileOptions {
  /// "um", "mm", "cm" or "m": what one unit of the file is; empty: um for openCARP, mm for all others.
  std::string unit = {};
  /// Further openCARP node sets (.vtx), named by their file.
  std::vector<std::filesystem::path> node_sets = {};
};

/// Names of the formats that can be written: "opencarp", "vtu", "vtk", "tetgen", "gmsh", "gmsh2", "vtp", "ply", "stl",
/// "carto".
std::vector<std::string> mesh_formats();

/// The format by the file's extension, or for openCARP and TetGen by a base name without. What was assumed or passed
/// over is warned of. Throws FileError: missing, damaged, of no known format. Counts and indices in the file are never
/// believed before they are checked: no allocation exceeds a small multiple of the file (of the unpacked data, where it
/// is compressed).
ForeignMesh load_mesh(const std::filesystem::path&, const MeshFileOptions& = {}, const Monitor& = {});

/// The files that load_mesh reads for this path, all of which exist.
std::vector<std::filesystem::path> mesh_files(const std::filesystem::path&);

/// Writes whole files or none; `format` one of mesh_formats(), empty: by extension. What the format cannot carry is
/// left out and said as a warning. A surface format gets the triangles, or the boundary of the tets where there are
/// none. Throws InputError, FileError.
void save_mesh(const std::filesystem::path&, const ForeignMesh&, const std::string& format = {}, const Monitor& = {});

/// Throws what save_mesh would for this name and format, before long work.
void require_mesh_writable(const std::filesystem::path&, const std::string& format = {});

/// Mesh, fibres, labels as tags, tagged boundary as triangles, sites as node sets; depth, height and segments as
/// fields.
ForeignMesh to_foreign(const Anatomy&);

/// For a block cut from a wall: gives it the boundary triangles of its tets, tagged by the side they face most, 1 -x,
/// 2 +x, 3 -y, 4 +y, 5 -z, 6 +z. Throws InputError without tets.
void tag_sides(ForeignMesh&);

struct AnatomyOptions {
  std::map<Tag, std::string> regions;  ///< tag -> region; empty: the file's own names, or all healthy if it has no tags
  std::map<Tag, Surface> surfaces;     ///< triangle tag -> surface; empty: the anatomy has no tagged surface
  std::optional<FiberAngles> lay_fibers = {};  ///< by this rule (fiber_sources.hpp), whatever the file has
  std::optional<Vec3> upward = {};             ///< for that, from apex to base, where the mesh has neither
};

/// Inverted tets are turned round, nodes no tet uses dropped, missing fibres laid along x, each with a warning; node
/// sets become sites. Throws InputError: no tets, a tag without region, a flat tet.
Anatomy to_anatomy(const ForeignMesh&, const AnatomyOptions&, const Monitor& = {});

}  // namespace cardiotwin
