#pragma once
/// Small pieces that all our writing through VTK shares.

#include <vtkCommand.h>
#include <vtkErrorCode.h>
#include <vtkExecutive.h>
#include <vtkFieldData.h>
#include <vtkIntArray.h>
#include <vtkNew.h>
#include <vtkPoints.h>
#include <vtkXMLWriter.h>

#include <cardiotwin/error.hpp>
#include <cardiotwin/field.hpp>
#include <cardiotwin/provenance.hpp>
#include <span>
#include <string>

namespace cardiotwin::vtk {

/// VTK reports through its own window unless someone listens; the library prints nothing.
class Silence : public vtkCommand {
 public:
  static Silence* New() { return new Silence; }
  void Execute(vtkObject*, unsigned long, void*) override {}
};

inline vtkNew<vtkPoints> make_points(std::span<const Vec3> points) {
  vtkNew<vtkPoints> out;
  out->SetDataTypeToDouble();
  out->SetNumberOfPoints(static_cast<vtkIdType>(points.size()));
  for (std::size_t i = 0; i < points.size(); ++i) out->SetPoint(static_cast<vtkIdType>(i), points[i].data());
  return out;
}

inline void add_integers(vtkFieldData& target, const std::string& name, std::span<const int> values) {
  vtkNew<vtkIntArray> array;
  array->SetName(name.c_str());
  array->SetNumberOfTuples(static_cast<vtkIdType>(values.size()));
  std::copy(values.begin(), values.end(), array->GetPointer(0));
  target.AddArray(array);
}

/// The notice and the writer as the names of arrays of one number: meshio and others cannot read arrays of text.
inline void sign(vtkFieldData& target) {
  add_integers(target, std::string("notice: ") + research_use_only, std::array{1});
  add_integers(target, "writer: cardiotwin " + version(), std::array{1});
}

/// Appended, compressed; throws FileError with VTK's reason.
inline void write(vtkXMLWriter& writer) {
  vtkNew<Silence> silence;
  for (vtkObject* speaker : {static_cast<vtkObject*>(&writer), static_cast<vtkObject*>(writer.GetExecutive())}) {
    speaker->AddObserver(vtkCommand::ErrorEvent, silence);
    speaker->AddObserver(vtkCommand::WarningEvent, silence);
  }
  writer.SetDataModeToAppended();
  writer.EncodeAppendedDataOff();
  writer.SetCompressorTypeToZLib();
  if (writer.Write() != 1 || writer.GetErrorCode() != vtkErrorCode::NoError)
    throw FileError(vtkErrorCode::GetStringFromErrorCode(writer.GetErrorCode()));
}

}  // namespace cardiotwin::vtk
