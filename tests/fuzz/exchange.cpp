// What a fuzzer feeds to the readers of foreign meshes: any bytes are refused with an InputError or give a mesh that is
// sound, and what was accepted can be written and read again. One target per reader (CARDIOTWIN_FUZZ_READER).

#include "exchange.hpp"

#include <cardiotwin/error.hpp>
#include <cstdlib>
#include <map>

#include "io/exchange/formats.hpp"

namespace cardiotwin::fuzz {
namespace {

using namespace exchange;

// The files of one mesh, one after the other.
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

}  // namespace

bool knows(std::string_view reader) { return readers.contains(reader); }

void feed(std::string_view reader, std::string_view bytes) {
  const auto& [read, write] = readers.at(reader);
  ForeignMesh mesh;
  std::string written;
  try {
    mesh = read(bytes, {});
    mesh.validate();
    if (!write || mesh.points.empty()) return;
    written = write(mesh);
  } catch (const InputError&) {
    return;
  }
  auto again = read(written, {});
  again.validate();
  if (again.tets.size() != mesh.tets.size()) std::abort();
}

}  // namespace cardiotwin::fuzz

#ifdef CARDIOTWIN_FUZZ_READER
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  cardiotwin::fuzz::feed(CARDIOTWIN_FUZZ_READER, {reinterpret_cast<const char*>(data), size});
  return 0;
}
#endif
