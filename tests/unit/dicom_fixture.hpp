#pragma once
// Stacks as DICOM files, written with the library itself. Every field that identifies a patient holds a marker.

#include <fmt/format.h>
#include <gdcmImageChangeTransferSyntax.h>
#include <gdcmImageReader.h>
#include <gdcmImageWriter.h>
#include <gdcmSequenceOfItems.h>
#include <gdcmWriter.h>

#include <cardiotwin/meshes/image.hpp>
#include <cmath>
#include <cstring>
#include <functional>

namespace cardiotwin::test {

inline const std::string marker = "ZZMARKER";

class DataSet {
 public:
  gdcm::DataSet data;

  void text(gdcm::Tag tag, gdcm::VR::VRType type, std::string value) {
    if (value.size() % 2) value += type == gdcm::VR::UI ? '\0' : ' ';
    bytes(tag, type, value);
  }
  void number(gdcm::Tag tag, std::uint16_t value) {
    bytes(tag, gdcm::VR::US, std::string(reinterpret_cast<const char*>(&value), 2));
  }
  void decimals(gdcm::Tag tag, const std::vector<double>& values) {
    std::string all;
    for (const double value : values) all += fmt::format("{}{:.12g}", all.empty() ? "" : "\\", value);
    text(tag, gdcm::VR::DS, all);
  }
  void bytes(gdcm::Tag tag, gdcm::VR::VRType type, const std::string& value) {
    gdcm::DataElement element(tag);
    element.SetVR(type);
    element.SetByteValue(value.data(), std::uint32_t(value.size()));
    data.Replace(element);
  }
  void items(gdcm::Tag tag, const std::vector<DataSet>& sets) {
    const gdcm::SmartPointer<gdcm::SequenceOfItems> sequence = new gdcm::SequenceOfItems;
    sequence->SetLengthToUndefined();
    for (const auto& set : sets) {
      gdcm::Item item;
      item.SetVLToUndefined();
      item.SetNestedDataSet(set.data);
      sequence->AddItem(item);
    }
    gdcm::DataElement element(tag);
    element.SetVR(gdcm::VR::SQ);
    element.SetValue(*sequence);
    element.SetVLToUndefined();
    data.Replace(element);
  }
};

struct DicomSeries {
  int number = 3;
  std::string description = "LGE PSIR", uid = "1.2.826.3";
  double slope = 1, intercept = 0;
  gdcm::TransferSyntax::TSType syntax = gdcm::TransferSyntax::ExplicitVRLittleEndian;
  std::function<void(DataSet&, int slice)> change = {};  ///< the last word on each file
};

inline void save(const std::filesystem::path& path, const DataSet& set, gdcm::TransferSyntax::TSType syntax) {
  gdcm::Writer writer;
  writer.SetFileName(path.c_str());
  writer.GetFile().GetHeader().SetDataSetTransferSyntax(syntax);
  writer.GetFile().GetDataSet() = set.data;
  if (!writer.Write()) throw std::runtime_error("the DICOM file could not be written");
}

inline DataSet dicom_base(const meshes::Grid& g, const DicomSeries& series, const std::string& sop_class,
                          const std::string& own) {
  using gdcm::VR;
  DataSet set;
  set.text({0x0008, 0x0016}, VR::UI, sop_class);
  set.text({0x0008, 0x0018}, VR::UI, series.uid + "." + own);
  set.text({0x0008, 0x0050}, VR::SH, marker + "acc");
  set.text({0x0008, 0x0060}, VR::CS, "MR");
  set.text({0x0008, 0x103e}, VR::LO, series.description);
  set.text({0x0010, 0x0010}, VR::PN, marker + "^Anna");
  set.text({0x0010, 0x0020}, VR::LO, marker + "17");
  set.text({0x0010, 0x0030}, VR::DA, "19510203");
  set.text({0x0020, 0x000d}, VR::UI, "1.2.826.1");
  set.text({0x0020, 0x000e}, VR::UI, series.uid);
  set.text({0x0020, 0x0011}, VR::IS, fmt::format("{}", series.number));
  set.number({0x0028, 0x0002}, 1);
  set.text({0x0028, 0x0004}, VR::CS, "MONOCHROME2");
  set.number({0x0028, 0x0010}, std::uint16_t(g.size[1])), set.number({0x0028, 0x0011}, std::uint16_t(g.size[0]));
  set.number({0x0028, 0x0100}, 16), set.number({0x0028, 0x0101}, 16), set.number({0x0028, 0x0102}, 15),
      set.number({0x0028, 0x0103}, 1);
  return set;
}

inline std::vector<double> list(const Vec3& v) { return {v[0], v[1], v[2]}; }
inline std::vector<double> axes_of(const meshes::Grid& g) {
  std::vector<double> all = list(g.direction.col(0));
  for (const double v : list(g.direction.col(1))) all.push_back(v);
  return all;
}
inline std::string pixels_of(const meshes::Image& image, int slice, const DicomSeries& series) {
  std::string bytes;
  const std::size_t count = std::size_t(image.grid.size[0]) * image.grid.size[1];
  for (std::size_t i = 0; i < count; ++i) {
    const auto value =
        std::int16_t(std::lround((image.values[std::size_t(slice) * count + i] - series.intercept) / series.slope));
    bytes.append(reinterpret_cast<const char*>(&value), 2);
  }
  return bytes;
}

/// One file a slice, named so that neither their order nor that of the numbers inside is that of the slices.
inline void write_dicom(const std::filesystem::path& folder, const meshes::Image& image,
                        const DicomSeries& series = {}) {
  std::filesystem::create_directories(folder);
  const auto& g = image.grid;
  for (int k = 0; k < g.size[2]; ++k) {
    DataSet set = dicom_base(g, series, "1.2.840.10008.5.1.4.1.1.4", fmt::format("{}", k + 1));
    set.text({0x0020, 0x0013}, gdcm::VR::IS, fmt::format("{}", k * 7 % 11));
    set.decimals({0x0020, 0x0032}, list(g.position(Vec3(0, 0, k))));
    set.decimals({0x0020, 0x0037}, axes_of(g));
    set.decimals({0x0028, 0x0030}, {g.spacing[1], g.spacing[0]});
    set.decimals({0x0018, 0x0050}, {8});
    set.decimals({0x0028, 0x1052}, {series.intercept}), set.decimals({0x0028, 0x1053}, {series.slope});
    set.bytes({0x7fe0, 0x0010}, gdcm::VR::OW, pixels_of(image, k, series));
    if (series.change) series.change(set, k);
    save(folder / fmt::format("{}_{}_{}.dcm", marker, series.number, k * 5 % 13), set, series.syntax);
  }
}

/// The files of a folder, their pixels compressed, into another.
inline void compress_dicom(const std::filesystem::path& from, const std::filesystem::path& to,
                           gdcm::TransferSyntax::TSType syntax) {
  std::filesystem::create_directories(to);
  for (const auto& entry : std::filesystem::directory_iterator(from)) {
    gdcm::ImageReader reader;
    reader.SetFileName(entry.path().c_str());
    gdcm::ImageChangeTransferSyntax change;
    change.SetTransferSyntax(syntax);
    if (!reader.Read()) throw std::runtime_error("the DICOM file could not be read back");
    change.SetInput(reader.GetImage());
    if (!change.Change()) throw std::runtime_error("the DICOM image could not be compressed");
    gdcm::ImageWriter writer;
    writer.SetFileName((to / entry.path().filename()).c_str());
    writer.SetFile(reader.GetFile());
    writer.SetImage(change.GetOutput());
    if (!writer.Write()) throw std::runtime_error("the DICOM file could not be written");
  }
}

/// All slices in one file, out of order, places in the functional groups.
inline void write_enhanced(const std::filesystem::path& file, const meshes::Image& image,
                           const DicomSeries& series = {}) {
  const auto& g = image.grid;
  DataSet set = dicom_base(g, series, "1.2.840.10008.5.1.4.1.1.4.1", "1"), orientation, measures, shared;
  orientation.decimals({0x0020, 0x0037}, axes_of(g));
  measures.decimals({0x0028, 0x0030}, {g.spacing[1], g.spacing[0]}), measures.decimals({0x0018, 0x0050}, {8});
  shared.items({0x0020, 0x9116}, {orientation}), shared.items({0x0028, 0x9110}, {measures});
  std::vector<DataSet> frames;
  std::string pixels;
  for (int n = 0; n < g.size[2]; ++n) {
    const int k = (n * 2 + 1) % g.size[2];  // an odd number of slices
    DataSet position, scale, frame;
    position.decimals({0x0020, 0x0032}, list(g.position(Vec3(0, 0, k))));
    scale.decimals({0x0028, 0x1052}, {series.intercept}), scale.decimals({0x0028, 0x1053}, {series.slope});
    frame.items({0x0020, 0x9113}, {position}), frame.items({0x0028, 0x9145}, {scale});
    frames.push_back(frame);
    pixels += pixels_of(image, k, series);
  }
  set.text({0x0028, 0x0008}, gdcm::VR::IS, fmt::format("{}", g.size[2]));
  set.items({0x5200, 0x9229}, {shared}), set.items({0x5200, 0x9230}, frames);
  set.bytes({0x7fe0, 0x0010}, gdcm::VR::OW, pixels);
  if (series.change) series.change(set, 0);
  save(file, set, series.syntax);
}

}  // namespace cardiotwin::test
