#include <fmt/format.h>
#include <vtkCellData.h>
#include <vtkDataArray.h>
#include <vtkDoubleArray.h>
#include <vtkIdTypeArray.h>
#include <vtkInformation.h>
#include <vtkInformationStringKey.h>
#include <vtkNew.h>
#include <vtkPointData.h>
#include <vtkUnsignedCharArray.h>
#include <vtkUnstructuredGrid.h>
#include <vtkXMLUnstructuredGridWriter.h>

#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cardiotwin/io.hpp>
#include <span>

#include "vtk_arrays.hpp"

namespace cardiotwin {
namespace {

template <class Cell>
void set_cells(vtkUnstructuredGrid& grid, int type, std::span<const Cell> cells) {
  vtkNew<vtkCellArray> array;
  constexpr auto size = static_cast<vtkIdType>(std::tuple_size_v<Cell>);
  array->AllocateExact(static_cast<vtkIdType>(cells.size()), size * static_cast<vtkIdType>(cells.size()));
  for (const auto& cell : cells) {
    array->InsertNextCell(size);
    for (const Index node : cell) array->InsertCellPoint(node);
  }
  grid.SetCells(type, array);
}

void add(vtkFieldData& target, const std::string& name, std::span<const std::uint8_t> values) {
  vtkNew<vtkUnsignedCharArray> array;
  array->SetName(name.c_str());
  array->SetNumberOfTuples(static_cast<vtkIdType>(values.size()));
  std::copy(values.begin(), values.end(), array->GetPointer(0));
  target.AddArray(array);
}

void add(vtkFieldData& target, const std::string& name, std::span<const double> values, int components = 1,
         const std::string& unit = {}) {
  vtkNew<vtkDoubleArray> array;
  array->SetName(name.c_str());
  array->SetNumberOfComponents(components);
  array->SetNumberOfTuples(static_cast<vtkIdType>(values.size()) / components);
  std::copy(values.begin(), values.end(), array->GetPointer(0));
  if (!unit.empty()) array->GetInformation()->Set(vtkDataArray::UNITS_LABEL(), unit.c_str());
  target.AddArray(array);
}

void add(vtkFieldData& target, const std::string& name, std::span<const Vec3> vectors) {
  add(target, name, {reinterpret_cast<const double*>(vectors.data()), 3 * vectors.size()}, 3);
}

void require_fit(const Map& map, const Mesh& mesh) {
  const auto places = map.at == Location::node ? mesh.node_count() : mesh.tet_count();
  if (map.components >= 1 && map.values.size() == places * static_cast<std::size_t>(map.components)) return;
  throw InputError(fmt::format("map \"{}\" has {} values, but the mesh has {} {} of {} components", map.name,
                               map.values.size(), places, map.at == Location::node ? "nodes" : "tets", map.components));
}

void add_maps(vtkUnstructuredGrid& grid, const Mesh& mesh, const std::vector<Map>& maps) {
  for (const auto& map : maps) {
    require_fit(map, mesh);
    vtkFieldData* target = grid.GetPointData();
    if (map.at == Location::tet) target = grid.GetCellData();
    add(*target, map.name, map.values, map.components, map.unit);
  }
}

vtkNew<vtkUnstructuredGrid> make_grid(const Mesh& mesh) {
  vtkNew<vtkUnstructuredGrid> grid;
  grid->SetPoints(vtk::make_points(mesh.points()));
  set_cells(*grid, VTK_TETRA, mesh.tets());
  add(*grid->GetCellData(), "region", mesh.labels());
  return grid;
}

void write(const std::filesystem::path& vtu, vtkUnstructuredGrid& grid) {
  vtk::sign(*grid.GetFieldData());
  write_atomically(vtu, [&](const std::filesystem::path& file) {
    vtkNew<vtkXMLUnstructuredGridWriter> writer;
    writer->SetFileName(file.c_str());
    writer->SetInputData(&grid);
    vtk::write(*writer);
  });
}

}  // namespace

void save(const std::filesystem::path& vtu, const Mesh& mesh, const std::vector<Map>& maps) {
  const auto grid = make_grid(mesh);
  add_maps(*grid, mesh, maps);
  write(vtu, *grid);
}

void save(const std::filesystem::path& vtu, const Anatomy& anatomy, const std::vector<Map>& maps) {
  const auto grid = make_grid(anatomy.mesh);
  vtkFieldData &cells = *grid->GetCellData(), &points = *grid->GetPointData();
  if (!anatomy.aha.empty()) add(cells, "aha", anatomy.aha);
  add(cells, "fiber", anatomy.fibers.f);
  add(cells, "sheet", anatomy.fibers.s);
  add(cells, "normal", anatomy.fibers.n);
  if (!anatomy.depth.empty()) add(points, "depth", anatomy.depth);
  if (!anatomy.right.empty()) add(points, "right", anatomy.right);
  if (!anatomy.height.empty()) add(points, "height", anatomy.height);
  add_maps(*grid, anatomy.mesh, anatomy.maps);
  add_maps(*grid, anatomy.mesh, maps);
  write(vtu, *grid);
}

void save_surface(const std::filesystem::path& vtu, const Anatomy& anatomy, const std::vector<Map>& node_maps) {
  const auto& mesh = anatomy.mesh;
  std::vector<Index> place(mesh.node_count(), -1), nodes;  // node of the mesh -> point of the surface, and back
  for (const auto& face : anatomy.surface) {
    for (const Index node : face.nodes) place[static_cast<std::size_t>(node)] = 0;
  }
  std::vector<Vec3> points;
  for (std::size_t i = 0; i < place.size(); ++i) {
    if (place[i] < 0) continue;
    place[i] = static_cast<Index>(nodes.size());
    nodes.push_back(static_cast<Index>(i));
    points.push_back(mesh.points()[i]);
  }
  std::vector<Triangle> triangles;
  std::vector<std::uint8_t> tags;
  for (const auto& face : anatomy.surface) {
    Triangle triangle;
    for (std::size_t k = 0; k < 3; ++k) triangle[k] = place[static_cast<std::size_t>(face.nodes[k])];
    triangles.push_back(triangle);
    tags.push_back(static_cast<std::uint8_t>(face.tag));
  }

  vtkNew<vtkUnstructuredGrid> grid;
  grid->SetPoints(vtk::make_points(points));
  set_cells<Triangle>(*grid, VTK_TRIANGLE, triangles);
  add(*grid->GetCellData(), "surface", tags);
  for (const auto& map : node_maps) {
    require_fit(map, mesh);
    if (map.at != Location::node) throw InputError(fmt::format("map \"{}\" lies on tets, not on nodes", map.name));
    const auto width = static_cast<std::size_t>(map.components);
    std::vector<double> values;
    for (const Index node : nodes) {
      const auto from = map.values.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(node) * width);
      values.insert(values.end(), from, from + map.components);
    }
    add(*grid->GetPointData(), map.name, values, map.components, map.unit);
  }
  write(vtu, *grid);
}

}  // namespace cardiotwin
