#include <fmt/format.h>

#include <cardiotwin/error.hpp>
#include <cardiotwin/twin.hpp>
#include <nlohmann/json.hpp>

#include "../tissue_json.hpp"
#include "container.hpp"
#include "vtkhdf.hpp"

// Groups of a `.twin`: /VTKHDF holds what a viewer can draw, /cardiotwin all the rest.

namespace cardiotwin {
namespace {

constexpr std::string_view kind = "twin";
constexpr int format = 1;

void write_fields(hid_t file, const Anatomy& anatomy) {
  const auto grid = vtkhdf::write_grid(file, anatomy.mesh);
  const auto& fibers = anatomy.fibers;
  hdf5::write(grid, "CellData/fiber", vtkhdf::flat(fibers.f), 3);
  hdf5::write(grid, "CellData/sheet", vtkhdf::flat(fibers.s), 3);
  hdf5::write(grid, "CellData/normal", vtkhdf::flat(fibers.n), 3);
  // A block of tissue has no wall and no segments; viewers refuse arrays of another length, so those are left out.
  if (!anatomy.aha.empty()) hdf5::write<std::uint8_t>(grid, "CellData/aha", anatomy.aha);
  if (!anatomy.depth.empty()) hdf5::write<double>(grid, "PointData/depth", anatomy.depth);
  if (!anatomy.right.empty()) hdf5::write<double>(grid, "PointData/right", anatomy.right);
  if (!anatomy.height.empty()) hdf5::write<double>(grid, "PointData/height", anatomy.height);
}

// Further fields are drawn with the rest; what they are called and measured in stands in a list.
void write_maps(hid_t file, const std::vector<Map>& maps) {
  if (maps.empty()) return;
  auto list = nlohmann::ordered_json::array();
  for (const auto& map : maps) {
    const std::string where = map.at == Location::node ? "PointData" : "CellData";
    const auto columns = static_cast<hsize_t>(map.components);
    hdf5::write<double>(file, ("VTKHDF/" + where + "/" + map.name).c_str(), map.values, columns > 1 ? columns : 0);
    list.push_back({{"name", map.name}, {"unit", map.unit}, {"at", where}, {"components", map.components}});
  }
  hdf5::write_text(file, "cardiotwin/maps", list.dump());
}

std::vector<Map> read_maps(hid_t file) {
  std::vector<Map> maps;
  if (!hdf5::exists(file, "cardiotwin/maps")) return maps;
  for (const auto& entry : nlohmann::json::parse(hdf5::read_text(file, "cardiotwin/maps"))) {
    Map map{.name = entry.at("name").get<std::string>(),
            .unit = entry.at("unit").get<std::string>(),
            .components = entry.at("components").get<int>()};
    const auto where = entry.at("at").get<std::string>();
    map.at = where == "PointData" ? Location::node : Location::tet;
    const auto columns = static_cast<hsize_t>(map.components);
    map.values = hdf5::read<double>(file, ("VTKHDF/" + where + "/" + map.name).c_str(), columns > 1 ? columns : 0);
    maps.push_back(std::move(map));
  }
  return maps;
}

void write_surface(hid_t file, const std::vector<SurfaceFace>& surface) {
  const auto group = hdf5::create_group(file, "cardiotwin/surface");
  std::vector<Index> nodes, tets;
  std::vector<std::uint8_t> tags;
  for (const auto& face : surface) {
    nodes.insert(nodes.end(), face.nodes.begin(), face.nodes.end());
    tets.push_back(face.tet);
    tags.push_back(static_cast<std::uint8_t>(face.tag));
  }
  hdf5::write<Index>(group, "nodes", nodes, 3);
  hdf5::write<Index>(group, "tet", tets);
  hdf5::write<std::uint8_t>(group, "tag", tags);
}

void write_sites(hid_t file, const std::vector<Site>& sites) {
  const auto group = hdf5::create_group(file, "cardiotwin/sites");
  auto names = nlohmann::json::array();
  std::vector<Vec3> positions;
  std::vector<Index> nodes;
  std::vector<std::int64_t> start{0};
  for (const auto& site : sites) {
    names.push_back(site.name);
    positions.push_back(site.position);
    nodes.insert(nodes.end(), site.nodes.begin(), site.nodes.end());
    start.push_back(static_cast<std::int64_t>(nodes.size()));
  }
  hdf5::write_text(group, "names", names.dump());
  hdf5::write(group, "position", vtkhdf::flat(positions), 3);
  hdf5::write<Index>(group, "nodes", nodes);
  hdf5::write<std::int64_t>(group, "start", start);
}

void write_rings(hid_t file, const std::vector<Ring>& rings) {
  const auto group = hdf5::create_group(file, "cardiotwin/rings");
  auto names = nlohmann::json::array();
  std::vector<Vec3> centres, normals;
  std::vector<Index> nodes;
  std::vector<std::int64_t> start{0};
  for (const auto& ring : rings) {
    names.push_back(ring.name);
    centres.push_back(ring.centre), normals.push_back(ring.normal);
    nodes.insert(nodes.end(), ring.nodes.begin(), ring.nodes.end());
    start.push_back(static_cast<std::int64_t>(nodes.size()));
  }
  hdf5::write_text(group, "names", names.dump());
  hdf5::write(group, "centre", vtkhdf::flat(centres), 3);
  hdf5::write(group, "normal", vtkhdf::flat(normals), 3);
  hdf5::write<Index>(group, "nodes", nodes);
  hdf5::write<std::int64_t>(group, "start", start);
}

constexpr const char* left_atrium = "left atrium";

void write_anatomy(hid_t file, const Anatomy& anatomy) {
  write_fields(file, anatomy);
  write_surface(file, anatomy.surface);
  write_sites(file, anatomy.sites);
  write_maps(file, anatomy.maps);
  if (!anatomy.rings.empty()) write_rings(file, anatomy.rings);
  // Files without it hold ventricles.
  if (anatomy.chamber == Chamber::left_atrium) hdf5::write_text(file, "cardiotwin/chamber", left_atrium);
  nlohmann::ordered_json regions = nlohmann::ordered_json::object();
  for (const auto& [label, name] : anatomy.regions) regions[std::to_string(label)] = name;
  hdf5::write_text(file, "cardiotwin/regions", regions.dump());
  const std::vector<Vec3> landmarks{anatomy.apex, anatomy.base_centre, anatomy.septum};
  hdf5::write(file, "cardiotwin/landmarks", vtkhdf::flat(landmarks), 3);  // apex, base centre [mm]; septum direction
}

std::vector<SurfaceFace> read_surface(hid_t file) {
  const auto nodes = hdf5::read<Index>(file, "cardiotwin/surface/nodes", 3);
  const auto tets = hdf5::read<Index>(file, "cardiotwin/surface/tet");
  const auto tags = hdf5::read<std::uint8_t>(file, "cardiotwin/surface/tag");
  if (nodes.size() != 3 * tets.size() || tags.size() != tets.size())
    throw FileError("its surface lists differ in length");
  std::vector<SurfaceFace> surface(tets.size());
  for (std::size_t i = 0; i < surface.size(); ++i) {
    if (tags[i] < 1 || tags[i] > 4) throw FileError(fmt::format("its surface has the unknown tag {}", tags[i]));
    surface[i] = {{nodes[3 * i], nodes[3 * i + 1], nodes[3 * i + 2]}, tets[i], static_cast<Surface>(tags[i])};
  }
  return surface;
}

std::vector<Site> read_sites(hid_t file) {
  const auto names =
      nlohmann::json::parse(hdf5::read_text(file, "cardiotwin/sites/names")).get<std::vector<std::string>>();
  const auto positions = vtkhdf::read_vectors(file, "cardiotwin/sites/position");
  const auto nodes = hdf5::read<Index>(file, "cardiotwin/sites/nodes");
  const auto start = hdf5::read<std::int64_t>(file, "cardiotwin/sites/start");
  if (positions.size() != names.size() || start.size() != names.size() + 1)
    throw FileError("its site lists differ in length");
  std::vector<Site> sites;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (start[i] < 0 || start[i + 1] < start[i] || start[i + 1] > static_cast<std::int64_t>(nodes.size())) {
      throw FileError(fmt::format("its site \"{}\" has no valid range of nodes", names[i]));
    }
    sites.push_back({names[i], positions[i], {nodes.begin() + start[i], nodes.begin() + start[i + 1]}});
  }
  return sites;
}

std::vector<Ring> read_rings(hid_t file) {
  if (!hdf5::exists(file, "cardiotwin/rings")) return {};
  const auto names =
      nlohmann::json::parse(hdf5::read_text(file, "cardiotwin/rings/names")).get<std::vector<std::string>>();
  const auto centres = vtkhdf::read_vectors(file, "cardiotwin/rings/centre"),
             normals = vtkhdf::read_vectors(file, "cardiotwin/rings/normal");
  const auto nodes = hdf5::read<Index>(file, "cardiotwin/rings/nodes");
  const auto start = hdf5::read<std::int64_t>(file, "cardiotwin/rings/start");
  if (centres.size() != names.size() || normals.size() != names.size() || start.size() != names.size() + 1)
    throw FileError("its ring lists differ in length");
  std::vector<Ring> rings;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (start[i] < 0 || start[i + 1] < start[i] || start[i + 1] > static_cast<std::int64_t>(nodes.size()))
      throw FileError(fmt::format("its ring \"{}\" has no valid range of nodes", names[i]));
    rings.push_back({names[i], centres[i], normals[i], {nodes.begin() + start[i], nodes.begin() + start[i + 1]}});
  }
  return rings;
}

Chamber read_chamber(hid_t file) {
  if (!hdf5::exists(file, "cardiotwin/chamber")) return Chamber::ventricles;
  const auto name = hdf5::read_text(file, "cardiotwin/chamber");
  if (name != left_atrium) throw FileError(fmt::format("its chamber \"{}\" is unknown to this version", name));
  return Chamber::left_atrium;
}

template <class T>
void read_if_present(hid_t file, const char* path, std::vector<T>& values) {
  if (hdf5::exists(file, path)) values = hdf5::read<T>(file, path);
}

Anatomy read_anatomy(hid_t file) {
  Anatomy anatomy;
  anatomy.mesh = vtkhdf::read_grid(file);
  anatomy.fibers = {vtkhdf::read_vectors(file, "VTKHDF/CellData/fiber"),
                    vtkhdf::read_vectors(file, "VTKHDF/CellData/sheet"),
                    vtkhdf::read_vectors(file, "VTKHDF/CellData/normal")};
  read_if_present(file, "VTKHDF/CellData/aha", anatomy.aha);
  read_if_present(file, "VTKHDF/PointData/depth", anatomy.depth);
  read_if_present(file, "VTKHDF/PointData/right", anatomy.right);
  read_if_present(file, "VTKHDF/PointData/height", anatomy.height);
  anatomy.maps = read_maps(file);
  anatomy.surface = read_surface(file);
  anatomy.sites = read_sites(file);
  anatomy.rings = read_rings(file);
  anatomy.chamber = read_chamber(file);
  const auto regions = nlohmann::json::parse(hdf5::read_text(file, "cardiotwin/regions"));
  for (const auto& [label, name] : regions.items()) {
    anatomy.regions[static_cast<Label>(std::stoi(label))] = name.get<std::string>();
  }
  const auto landmarks = vtkhdf::read_vectors(file, "cardiotwin/landmarks");
  if (landmarks.size() != 3) throw FileError("it lacks its landmarks");
  anatomy.apex = landmarks[0], anatomy.base_centre = landmarks[1], anatomy.septum = landmarks[2];
  anatomy.validate();
  return anatomy;
}

// Runs `take` on the checked, open file; anything its contents provoke becomes a FileError that names it.
void read_twin(const std::filesystem::path& path, const std::function<void(hid_t)>& take) {
  container::read(path, kind, format, [&](hid_t file) {
    try {
      take(file);
    } catch (const nlohmann::json::exception& error) {
      throw FileError(error.what());
    } catch (const std::logic_error& error) {  // std::stoi
      throw FileError(fmt::format("a label is not a number ({})", error.what()));
    }
  });
}

}  // namespace

void Twin::save(const std::filesystem::path& path) const {
  container::write(path, kind, format, [&](hid_t file) {
    write_anatomy(file, anatomy);
    hdf5::write_text(file, "cardiotwin/tissue", to_json(tissue));
    hdf5::write_text(file, "cardiotwin/measurements", measurements);
    if (!posterior.empty()) hdf5::write_text(file, "cardiotwin/posterior", posterior);
    if (!findings.empty()) hdf5::write_text(file, "cardiotwin/findings", to_json(findings));
    hdf5::write_text(file, "cardiotwin/provenance", to_json(provenance));
  });
}

Twin Twin::load(const std::filesystem::path& path) {
  Twin twin;
  read_twin(path, [&](hid_t file) {
    twin.anatomy = read_anatomy(file);
    twin.tissue = tissue_from_json(hdf5::read_text(file, "cardiotwin/tissue"));
    twin.measurements = hdf5::read_text(file, "cardiotwin/measurements");
    if (hdf5::exists(file, "cardiotwin/posterior"))
      twin.posterior = hdf5::read_text(file, "cardiotwin/posterior");
    if (hdf5::exists(file, "cardiotwin/findings"))
      twin.findings = findings_from_json(hdf5::read_text(file, "cardiotwin/findings"));
    twin.provenance = provenance_from_json(hdf5::read_text(file, "cardiotwin/provenance"));
  });
  return twin;
}

Anatomy Anatomy::load(const std::filesystem::path& path) {
  Anatomy anatomy;
  read_twin(path, [&](hid_t file) { anatomy = read_anatomy(file); });
  return anatomy;
}

}  // namespace cardiotwin
