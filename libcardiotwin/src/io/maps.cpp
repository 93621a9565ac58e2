#include <fmt/format.h>

#include <array>
#include <cardiotwin/error.hpp>
#include <cardiotwin/io.hpp>
#include <nlohmann/json.hpp>

#include "container.hpp"

namespace cardiotwin {
namespace {

constexpr std::string_view kind = "maps";
constexpr int format = 1;

std::string group_name(std::size_t i) { return fmt::format("{:06d}", i); }

void write_map(hid_t parent, const Map& map) {
  hdf5::write_text(parent, "name", map.name);
  hdf5::write_text(parent, "unit", map.unit);
  hdf5::write_text(parent, "at", map.at == Location::node ? "node" : "tet");
  hdf5::write<std::int32_t>(parent, "components", std::array{map.components});
  hdf5::write<double>(parent, "values", map.values);
}

Map read_map(hid_t parent) {
  Map map;
  map.name = hdf5::read_text(parent, "name");
  map.unit = hdf5::read_text(parent, "unit");
  const auto at = hdf5::read_text(parent, "at");
  const auto components = hdf5::read<std::int32_t>(parent, "components");
  map.values = hdf5::read<double>(parent, "values");
  if ((at != "node" && at != "tet") || components.size() != 1 || components[0] < 1 ||
      map.values.size() % static_cast<std::size_t>(components[0]) != 0) {
    throw FileError(fmt::format("map \"{}\" is inconsistent", map.name));
  }
  map.at = at == "node" ? Location::node : Location::tet;
  map.components = components[0];
  return map;
}

}  // namespace

void save_maps(const std::filesystem::path& h5, const std::vector<Map>& maps) {
  container::write(h5, kind, format, [&](hid_t file) {
    const auto all = hdf5::create_group(file, "maps");
    for (std::size_t i = 0; i < maps.size(); ++i) write_map(hdf5::create_group(all, group_name(i).c_str()), maps[i]);
  });
}

std::vector<Map> load_maps(const std::filesystem::path& h5) {
  std::vector<Map> maps;
  container::read(h5, kind, format, [&](hid_t file) {
    while (hdf5::exists(file, ("maps/" + group_name(maps.size())).c_str())) {
      const auto path = "maps/" + group_name(maps.size());
      maps.push_back(
          read_map(hdf5::Handle(H5Gopen2(file, path.c_str(), H5P_DEFAULT), H5Gclose, "HDF5: opening a group")));
    }
  });
  return maps;
}

}  // namespace cardiotwin
