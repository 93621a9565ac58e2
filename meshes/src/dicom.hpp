#pragma once
// DICOM files as a stack of slices needs them. Only dicom_file.cpp knows the library behind.

#include <cardiotwin/meshes/image.hpp>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace cardiotwin::meshes::dicom {

struct Frame {
  Vec3 position = Vec3::Zero();                    ///< of the first pixel's centre [mm, LPS]
  Vec3 row = Vec3::Zero(), column = Vec3::Zero();  ///< along a row, along a column
  double between_rows = 0, between_columns = 0;    ///< [mm]
  std::optional<double> thickness;                 ///< [mm]
  double slope = 1, intercept = 0;
};

struct File {
  std::filesystem::path path;
  std::string series;         ///< identifies it; never shown
  std::optional<int> number;  ///< of the series
  std::string description;    ///< printable, without the patient's name or number
  std::string kind;           ///< image type, to tell magnitude from phase; never shown
  int rows = 0, columns = 0;
  std::vector<Frame> frames;
  std::string refusal;  ///< why it cannot be a slice, as the end of a sentence; empty if it can
};

/// Do these first bytes (132 are enough) begin a DICOM file?
bool begins_dicom(const std::string& head);
/// Everything but the pixels; nothing for DICOM files that hold no image. Throws FileError (as `name`) for damage.
std::optional<File> read_header(const std::filesystem::path&, const std::string& name);
/// Pixels of all frames, rescaled, in the order of `frames`. Throws FileError.
std::vector<double> read_pixels(const File&, const std::string& name);

/// Lengths as the file states them, checked against its size, so that no library allocates by them.
struct Walk {
  bool whole = false;     ///< every element lies inside the file
  bool deflated = false;  ///< lengths cannot be checked
  bool raw = false;       ///< pixels are not compressed
  std::size_t pixel_bytes = 0;
};
Walk walk(const std::filesystem::path&);

/// A stack: frames in the order of their position along the normal.
struct Stack {
  struct Slice {
    std::size_t file, frame;
  };
  std::vector<Slice> slices;
  Grid grid;
  std::optional<double> thickness;
};
/// Throws InputError where the frames are no evenly spaced stack of parallel slices.
Stack stack_of(std::span<const File>, const std::string& name);

}  // namespace cardiotwin::meshes::dicom
