#include "vtkhdf.hpp"

#include <fmt/format.h>

#include <array>
#include <cardiotwin/error.hpp>
#include <cstring>

namespace cardiotwin::vtkhdf {

static_assert(sizeof(Vec3) == 3 * sizeof(double) && sizeof(Tet) == 4 * sizeof(Index));

std::span<const double> flat(std::span<const Vec3> vectors) {
  return {reinterpret_cast<const double*>(vectors.data()), 3 * vectors.size()};
}

std::vector<Vec3> read_vectors(hid_t parent, const char* path) {
  const auto values = hdf5::read<double>(parent, path, 3);
  std::vector<Vec3> vectors(values.size() / 3);
  if (!values.empty()) std::memcpy(static_cast<void*>(vectors.data()), values.data(), values.size() * sizeof(double));
  return vectors;
}

hdf5::Handle write_grid(hid_t file, const Mesh& mesh, bool transient) {
  constexpr std::uint8_t vtk_tetra = 10;
  const auto count = mesh.tet_count();
  auto group = hdf5::create_group(file, "VTKHDF");
  hdf5::write_attribute(group, "Version", std::array<std::int64_t, 2>{transient ? 2 : 1, 0});
  hdf5::write_attribute(group, "Type", "UnstructuredGrid");
  const auto one = [&](const char* name, std::size_t value) {
    hdf5::write<std::int64_t>(group, name, std::array{static_cast<std::int64_t>(value)});
  };
  one("NumberOfPoints", mesh.node_count());
  one("NumberOfCells", count);
  one("NumberOfConnectivityIds", 4 * count);
  hdf5::write(group, "Points", flat(mesh.points()), 3);
  // VTK 9.1 wants node numbers and offsets of one type, and reads offsets as 64-bit.
  const hsize_t entries = 4 * count;
  hdf5::write_raw(group, "Connectivity", hdf5::native_type<Index>(), H5T_NATIVE_INT64, {&entries, 1},
                  mesh.tets().data());
  std::vector<std::int64_t> offsets(count + 1);
  for (std::size_t i = 0; i <= count; ++i) offsets[i] = static_cast<std::int64_t>(4 * i);
  hdf5::write<std::int64_t>(group, "Offsets", offsets);
  hdf5::write<std::uint8_t>(group, "Types", std::vector<std::uint8_t>(count, vtk_tetra));
  hdf5::create_group(group, "PointData");
  hdf5::create_group(group, "CellData");
  hdf5::write(group, "CellData/region", mesh.labels());
  return group;
}

Mesh read_grid(hid_t file) {
  const auto connectivity = hdf5::read<Index>(file, "VTKHDF/Connectivity");
  if (connectivity.size() % 4 != 0) throw FileError("its cells are not tetrahedra");
  std::vector<Tet> tets(connectivity.size() / 4);
  if (!tets.empty()) std::memcpy(tets.data(), connectivity.data(), connectivity.size() * sizeof(Index));
  return {read_vectors(file, "VTKHDF/Points"), std::move(tets), hdf5::read<Label>(file, "VTKHDF/CellData/region")};
}

}  // namespace cardiotwin::vtkhdf
