// The readers of foreign meshes and activation maps: any bytes are refused with an InputError or give a mesh that is
// sound, and what was accepted can be written and read again.

#include <cardiotwin/error.hpp>
#include <cardiotwin/measurements.hpp>
#include <cstdlib>
#include <map>

#include "io/exchange/formats.hpp"
#include "readers.hpp"

namespace cardiotwin::fuzz {
namespace {

using namespace exchange;

ForeignMesh opencarp(std::string_view bytes, const Monitor& monitor) {
  const auto files = split(bytes, 4);
  OpencarpBytes parts{.points = files[0], .elements = files.size() > 1 ? files[1] : ""};
  if (files.size() > 2) parts.fibers = files[2];
  if (files.size() > 3) parts.node_sets.emplace_back("set", files[3]);
  return read_opencarp(parts, monitor);
}

ForeignMesh tetgen(std::string_view bytes, const Monitor& monitor) {
  const auto files = split(bytes, 4);
  TetgenBytes parts{.nodes = files[0], .elements = files.size() > 1 ? files[1] : ""};
  if (files.size() > 2) parts.faces = files[2];
  if (files.size() > 3) parts.edges = files[3];
  return read_tetgen(parts, monitor);
}

struct Pair {
  ForeignMesh (*read)(std::string_view, const Monitor&);
  std::string (*write)(const ForeignMesh&);  // of a format that reads back itself; may be absent
};

const std::map<std::string_view, Pair> readers{{"opencarp", {opencarp, nullptr}},
                                               {"tetgen", {tetgen, nullptr}},
                                               {"gmsh", {read_gmsh, write_gmsh}},
                                               {"vtk_xml", {read_vtk_xml, nullptr}},
                                               {"vtk", {read_vtk_legacy, write_vtk_legacy}},
                                               {"ply", {read_ply, write_ply}},
                                               {"stl", {read_stl, write_stl}},
                                               {"carto", {read_carto, write_carto}}};

// Activation maps, as tables or CARTO's exports.
void feed_lat(std::string_view bytes) {
  LatMap map;
  try {
    map = bytes.starts_with("#Tri") || bytes.starts_with("VERSION_") ? lat_map_from_carto(bytes)
                                                                     : lat_map_from_csv(bytes);
  } catch (const InputError&) {
    return;
  }
  if (lat_map_from_csv(to_csv(map)).size() != map.size()) std::abort();
}

}  // namespace

std::vector<std::string_view> split(std::string_view bytes, std::size_t most) {
  constexpr std::string_view between = "\n%%\n";
  std::vector<std::string_view> files;
  while (files.size() + 1 < most) {
    const auto end = bytes.find(between);
    if (end == std::string_view::npos) break;
    files.push_back(bytes.substr(0, end));
    bytes.remove_prefix(end + between.size());
  }
  files.push_back(bytes);
  return files;
}

bool feed_mesh(std::string_view reader, std::string_view bytes) {
  if (reader == "lat") return feed_lat(bytes), true;
  const auto known = readers.find(reader);
  if (known == readers.end()) return false;
  const auto& [read, write] = known->second;
  ForeignMesh mesh;
  std::string written;
  try {
    mesh = read(bytes, {});
    mesh.validate();
    if (!write || mesh.points.empty()) return true;
    written = write(mesh);
  } catch (const InputError&) {
    return true;
  }
  auto again = read(written, {});
  again.validate();
  if (again.tets.size() != mesh.tets.size()) std::abort();
  return true;
}

}  // namespace cardiotwin::fuzz
