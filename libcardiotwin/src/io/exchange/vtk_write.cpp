// VTU and VTP through VTK.

#include <vtkCellArray.h>
#include <vtkCellData.h>
#include <vtkDoubleArray.h>
#include <vtkIntArray.h>
#include <vtkPointData.h>
#include <vtkPolyData.h>
#include <vtkUnsignedCharArray.h>
#include <vtkUnstructuredGrid.h>
#include <vtkXMLPolyDataWriter.h>
#include <vtkXMLUnstructuredGridWriter.h>

#include <algorithm>

#include "../vtk_arrays.hpp"
#include "vtk_cells.hpp"

namespace cardiotwin::exchange {
namespace {

void add(vtkFieldData& target, const std::vector<Array>& arrays, bool integers) {
  for (const auto& array : arrays) {
    if (integers || array.name == "region") {
      vtk::add_integers(target, coded_name(array.name, false),
                        std::vector<int>(array.values.begin(), array.values.end()));
      continue;
    }
    vtkNew<vtkDoubleArray> out;
    out->SetName(coded_name(array.name, false).c_str());
    out->SetNumberOfComponents(array.components);
    out->SetNumberOfTuples(static_cast<vtkIdType>(array.values.size()) / array.components);
    std::copy(array.values.begin(), array.values.end(), out->GetPointer(0));
    target.AddArray(out);
  }
}

// The cells of one type, or all of them for -1.
vtkNew<vtkCellArray> make_cells(const VtkData& data, int type) {
  vtkNew<vtkCellArray> cells;
  std::int64_t begin = 0;
  for (std::size_t c = 0; c < data.types.size(); ++c) {
    if (type < 0 || data.types[c] == type) {
      cells->InsertNextCell(static_cast<int>(data.offsets[c] - begin));
      for (auto k = begin; k < data.offsets[c]; ++k)
        cells->InsertCellPoint(data.connectivity[static_cast<std::size_t>(k)]);
    }
    begin = data.offsets[c];
  }
  return cells;
}

template <class Writer, class Set>
std::string write_set(const VtkData& data, Set& set) {
  set.SetPoints(vtk::make_points(data.points));
  add(*set.GetPointData(), data.point_data, false);
  add(*set.GetCellData(), data.cell_data, false);
  add(*set.GetFieldData(), data.field_data, true);
  vtk::sign(*set.GetFieldData());
  vtkNew<Writer> writer;
  writer->SetInputData(&set);
  writer->WriteToOutputStringOn();
  vtk::write(*writer);
  return writer->GetOutputString();
}

}  // namespace

std::string write_vtu(const ForeignMesh& mesh) {
  const auto data = to_vtk(mesh);
  vtkNew<vtkUnstructuredGrid> grid;
  vtkNew<vtkUnsignedCharArray> types;
  for (const int type : data.types) types->InsertNextValue(static_cast<unsigned char>(type));
  grid->SetCells(types, make_cells(data, -1));
  return write_set<vtkXMLUnstructuredGridWriter>(data, *grid);
}

std::string write_vtp(const ForeignMesh& mesh) {
  auto turned = mesh;  // poly data keep lines before polygons
  turned.tets.clear();
  auto data = to_vtk(turned);
  const auto shift = static_cast<std::ptrdiff_t>(mesh.triangles.size());
  for (auto& array : data.cell_data)
    std::rotate(array.values.begin(), array.values.begin() + shift * array.components, array.values.end());
  vtkNew<vtkPolyData> surface;
  surface->SetLines(make_cells(data, 3));
  surface->SetPolys(make_cells(data, 5));
  return write_set<vtkXMLPolyDataWriter>(data, *surface);
}

}  // namespace cardiotwin::exchange
