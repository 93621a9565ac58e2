// The table of formats, and what is common to all: finding the files, checking what they hold, saying what is lost.

#include <fmt/format.h>

#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cardiotwin/io.hpp>
#include <functional>

#include "formats.hpp"
#include "shape.hpp"

namespace cardiotwin {
namespace exchange {

namespace {

namespace fs = std::filesystem;

struct Format {
  std::string name, title;
  std::vector<std::string> extensions;
  unsigned carries;
  std::string unit;
  std::function<ForeignMesh(const fs::path& base, const fs::path& path, const Monitor&)> load;
  std::function<Files(const ForeignMesh&)> write;
  bool many_files = false;  // its files share a base name
};

std::string read_whole(const fs::path& path) {
  std::error_code error;
  if (fs::exists(path, error) && !fs::is_regular_file(path, error))
    throw FileError(fmt::format("{} is not a plain file", path.string()));
  return read_text(path);
}

std::optional<std::string> read_if_there(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) return std::nullopt;
  return read_whole(path);
}

fs::path with(const fs::path& base, std::string_view extension) { return base.string() + std::string(extension); }

// Node sets beside the mesh: BASE.vtx and BASE.NAME.vtx, in the order of their names.
std::map<std::string, fs::path> sets_beside(const fs::path& base) {
  std::map<std::string, fs::path> found;
  const auto stem = base.filename().string();
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(base.has_parent_path() ? base.parent_path() : ".", error)) {
    const auto name = entry.path().filename().string();
    if (entry.path().extension() != ".vtx" || !entry.is_regular_file(error)) continue;
    if (name == stem + ".vtx") found[stem] = entry.path();
    if (name.starts_with(stem + ".") && name.size() > stem.size() + 5)
      found[name.substr(stem.size() + 1, name.size() - stem.size() - 5)] = entry.path();
  }
  return found;
}

ForeignMesh load_opencarp(const fs::path& base, const fs::path&, const Monitor& monitor) {
  const auto points = read_whole(with(base, ".pts")), elements = read_whole(with(base, ".elem"));
  const auto fibers = read_if_there(with(base, ".lon"));
  std::map<std::string, std::string> sets;
  for (const auto& [name, path] : sets_beside(base)) sets[name] = read_whole(path);
  OpencarpBytes bytes{.points = points, .elements = elements};
  if (fibers) bytes.fibers = *fibers;
  for (const auto& [name, text] : sets) bytes.node_sets.emplace_back(name, text);
  return read_opencarp(bytes, monitor);
}

ForeignMesh load_tetgen(const fs::path& base, const fs::path&, const Monitor& monitor) {
  const auto nodes = read_whole(with(base, ".node")), elements = read_whole(with(base, ".ele"));
  const auto faces = read_if_there(with(base, ".face")), edges = read_if_there(with(base, ".edge"));
  TetgenBytes bytes{.nodes = nodes, .elements = elements};
  if (faces) bytes.faces = *faces;
  if (edges) bytes.edges = *edges;
  return read_tetgen(bytes, monitor);
}

// A format of one file, from its reader and writer of bytes.
Format single(std::string name, std::string title, std::vector<std::string> extensions, unsigned carries,
              ForeignMesh (*read)(std::string_view, const Monitor&), std::string (*write)(const ForeignMesh&)) {
  return {.name = std::move(name),
          .title = std::move(title),
          .extensions = std::move(extensions),
          .carries = carries,
          .unit = "mm",
          .load = [read](const fs::path&, const fs::path& path,
                         const Monitor& monitor) { return read(read_whole(path), monitor); },
          .write =
              [write](const ForeignMesh& mesh) {
                return Files{{"", write(mesh)}};
              }};
}

const std::vector<Format>& formats() {
  using namespace part;
  constexpr unsigned elements = tets | tet_tags | triangles | triangle_tags | lines | line_tags;
  constexpr unsigned surface = triangles | triangle_tags | node_fields;
  static const std::vector<Format> table = {
      {"opencarp",
       "openCARP",
       {".pts", ".elem", ".lon", ".vtx"},
       elements | fibers | sheets | node_sets,
       "um",
       load_opencarp,
       write_opencarp,
       true},
      {"tetgen",
       "TetGen",
       {".node", ".ele", ".face", ".edge"},
       elements | node_fields | tet_fields,
       "mm",
       load_tetgen,
       write_tetgen,
       true},
      single("gmsh", "Gmsh", {".msh"}, all, read_gmsh, write_gmsh),
      single("gmsh2", "Gmsh", {".msh"}, all, read_gmsh, write_gmsh2),
      single("vtu", "VTU", {".vtu"}, all, read_vtk_xml, write_vtu),
      single("vtp", "VTP", {".vtp"}, surface | lines | line_tags | node_sets | triangle_fields, read_vtk_xml,
             write_vtp),
      single("vtk", "Legacy VTK", {".vtk"}, all, read_vtk_legacy, write_vtk_legacy),
      single("ply", "PLY", {".ply"}, surface | triangle_fields, read_ply, write_ply),
      single("stl", "STL", {".stl"}, triangles, read_stl, write_stl),
      single("carto", "CARTO", {".mesh"}, surface, read_carto, write_carto),
  };
  return table;
}

const Format* by_extension(const fs::path& path) {
  for (const auto& format : formats()) {
    if (std::find(format.extensions.begin(), format.extensions.end(), path.extension()) != format.extensions.end())
      return &format;
  }
  return nullptr;
}

[[noreturn]] void refuse_extension(const fs::path& path) {
  std::vector<std::string> known;
  for (const auto& format : formats()) known.insert(known.end(), format.extensions.begin(), format.extensions.end());
  known.erase(std::unique(known.begin(), known.end()), known.end());  // .msh stands for both versions
  throw InputError(fmt::format("{}: no mesh format has the extension \"{}\"{}", path.string(),
                               path.extension().string(), suggestion(path.extension().string(), known)));
}

// The format of a file to read, and for formats of many files their common base name.
std::pair<const Format*, fs::path> find_format(const fs::path& path) {
  std::error_code error;
  if (const auto* format = by_extension(path)) {
    fs::path base = path;
    base.replace_extension();
    const auto first = format->extensions.front();
    if (path.extension() == ".vtx" && !fs::exists(with(base, first), error)) base.replace_extension();  // BASE.NAME.vtx
    return {format, base};
  }
  for (const auto& format : formats()) {
    if (format.many_files && fs::exists(with(path, format.extensions.front()), error)) return {&format, path};
  }
  if (!fs::exists(path, error)) throw FileError(fmt::format("{} does not exist", path.string()));
  refuse_extension(path);
}

// By name, else by extension; a name without extension is openCARP's base.
const Format& format_to_write(const fs::path& path, const std::string& name) {
  if (name.empty()) {
    if (const auto* format = by_extension(path)) return *format;
    if (path.has_extension()) refuse_extension(path);
    return formats().front();
  }
  for (const auto& format : formats())
    if (format.name == name) return format;
  throw InputError(fmt::format("Mesh format \"{}\" is unknown{}", name, suggestion(name, mesh_formats())));
}

// One unit of the file in mm, as a product or a quotient: 1000 um are exactly 1 mm, but 0.001 is no binary number.
void scale(ForeignMesh& mesh, const std::string& unit) {
  if (unit == "mm") return;
  const std::vector<std::string> known = {"um", "mm", "cm", "m"};
  if (std::find(known.begin(), known.end(), unit) == known.end())
    throw InputError(fmt::format("\"{}\" is no unit of length of a mesh{}", unit, suggestion(unit, known)));
  for (auto& p : mesh.points) {
    if (unit == "um") p /= 1000;
    if (unit == "cm") p *= 10;
    if (unit == "m") p *= 1000;
  }
}

struct PartName {
  unsigned bit;
  const char* name;
  bool present;
};

std::vector<PartName> parts_of(const ForeignMesh& m) {
  const auto several = [](const std::vector<Tag>& tags) {
    return std::any_of(tags.begin(), tags.end(), [&](Tag t) { return t != 0; });
  };
  return {{part::tets, "tets", !m.tets.empty()},
          {part::tet_tags, "region tags", several(m.tet_tags)},
          {part::fibers, "fibres", !m.fibers.empty()},
          {part::sheets, "sheets", !m.sheets.empty()},
          {part::triangles, "triangles", !m.triangles.empty()},
          {part::triangle_tags, "surface tags", several(m.triangle_tags)},
          {part::lines, "lines", !m.lines.empty()},
          {part::line_tags, "line tags", several(m.line_tags)},
          {part::node_sets, "node sets", !m.node_sets.empty()},
          {part::node_fields, "node fields", !m.node_fields.empty()},
          {part::tet_fields, "tet fields", !m.tet_fields.empty()},
          {part::triangle_fields, "triangle fields", !m.triangle_fields.empty()},
          {part::tag_names, "names of regions", !m.tag_names.empty()}};
}

// Drops what the format cannot carry, and says so in one sentence.
ForeignMesh fit(ForeignMesh mesh, const Format& format, const Monitor& monitor) {
  if (!(format.carries & part::tets)) {
    if (mesh.triangles.empty() && !mesh.tets.empty()) add_boundary(mesh);
    if (mesh.triangles.empty())
      throw InputError(fmt::format("{} holds surfaces, but there are no triangles", format.title));
  }
  if (format.name == "opencarp" && mesh.triangles_are_boundary && !mesh.triangles.empty()) {
    triangles_to_node_sets(mesh);
    monitor.warn(
        "openCARP would simulate the boundary's triangles as tissue: written as node sets endo, epi, base, endo_rv");
  }
  std::string lost;
  for (const auto& [bit, name, present] : parts_of(mesh)) {
    if (present && !(format.carries & bit)) lost += (lost.empty() ? "" : ", ") + std::string(name);
  }
  if (!lost.empty()) monitor.warn(fmt::format("{} keeps no {}: left out", format.title, lost));
  const auto keep = [&](unsigned bit, auto& list) {
    if (!(format.carries & bit)) list.clear();
  };
  keep(part::tets, mesh.tets), keep(part::tet_tags, mesh.tet_tags), keep(part::fibers, mesh.fibers);
  keep(part::sheets, mesh.sheets), keep(part::triangles, mesh.triangles), keep(part::lines, mesh.lines);
  keep(part::triangle_tags, mesh.triangle_tags), keep(part::line_tags, mesh.line_tags);
  keep(part::node_sets, mesh.node_sets), keep(part::node_fields, mesh.node_fields);
  keep(part::tet_fields, mesh.tet_fields), keep(part::triangle_fields, mesh.triangle_fields);
  keep(part::tag_names, mesh.tag_names);
  if (mesh.tets.empty()) drop_unused_points(mesh);
  return mesh;
}

}  // namespace
}  // namespace exchange

std::vector<std::string> mesh_formats() {
  std::vector<std::string> names;
  for (const auto& format : exchange::formats()) names.push_back(format.name);
  return names;
}

ForeignMesh load_mesh(const std::filesystem::path& path, const MeshFileOptions& options, const Monitor& monitor) {
  const auto [format, base] = exchange::find_format(path);
  try {
    ForeignMesh mesh = format->load(base, path, monitor);
    for (const auto& file : options.node_sets)
      mesh.node_sets.push_back(exchange::read_vtx(file.stem().string(), exchange::read_whole(file)));
    mesh.validate();
    exchange::scale(mesh, options.unit.empty() ? format->unit : options.unit);
    return mesh;
  } catch (const FileError&) {
    throw;
  } catch (const InputError& error) {
    throw FileError(fmt::format("{}: {}", path.string(), error.what()));
  }
}

std::vector<std::filesystem::path> mesh_files(const std::filesystem::path& path) {
  const auto [format, base] = exchange::find_format(path);
  if (!format->many_files) return {path};
  std::vector<std::filesystem::path> files;
  for (const auto& extension : format->extensions) {
    const auto file = exchange::with(base, extension);
    if (extension != ".vtx" && std::filesystem::exists(file)) files.push_back(file);
  }
  if (format->extensions.back() == ".vtx")
    for (const auto& [name, file] : exchange::sets_beside(base)) files.push_back(file);
  return files;
}

void require_mesh_writable(const std::filesystem::path& path, const std::string& name) {
  exchange::format_to_write(path, name);
  require_writable(path);
}

void save_mesh(const std::filesystem::path& path, const ForeignMesh& mesh, const std::string& name,
               const Monitor& monitor) {
  mesh.validate();
  const auto& format = exchange::format_to_write(path, name);
  auto base = path;
  if (format.many_files && exchange::by_extension(path) == &format) base.replace_extension();
  const auto files = format.write(exchange::fit(mesh, format, monitor));
  std::vector<std::pair<std::filesystem::path, std::string_view>> whole;
  for (const auto& [rest, text] : files) whole.emplace_back(exchange::with(base, rest), text);
  write_texts(whole);
}

}  // namespace cardiotwin
