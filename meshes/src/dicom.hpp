#pragma once
// DICOM files as a stack of slices needs them. Only dicom_jpeg.cpp knows the library behind.

#include <cardiotwin/meshes/image.hpp>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace cardiotwin::meshes::dicom {

/// Tags of what is read.
namespace tag {
inline constexpr std::uint32_t image_type = 0x00080008, accession = 0x00080050, description = 0x0008103e,
                               patient_name = 0x00100010, patient_id = 0x00100020, birth_date = 0x00100030,
                               thickness = 0x00180050, series_uid = 0x0020000e, series_number = 0x00200011,
                               position = 0x00200032, orientation = 0x00200037, samples = 0x00280002,
                               photometric = 0x00280004, frame_count = 0x00280008, rows = 0x00280010,
                               columns = 0x00280011, pixel_spacing = 0x00280030, bits = 0x00280100,
                               stored_bits = 0x00280101, is_signed = 0x00280103, intercept = 0x00281052,
                               slope = 0x00281053, position_group = 0x00209113, orientation_group = 0x00209116,
                               measures_group = 0x00289110, scale_group = 0x00289145, shared_groups = 0x52009229,
                               frame_groups = 0x52009230, pixels = 0x7fe00010;
}  // namespace tag

inline const std::string implicit_little = "1.2.840.10008.1.2", explicit_little = "1.2.840.10008.1.2.1",
                         explicit_big = "1.2.840.10008.1.2.2", run_lengths = "1.2.840.10008.1.2.5";

struct Element;
using Item = std::map<std::uint32_t, Element>;
struct Element {
  std::string value;  ///< bytes as they lie in the file
  std::vector<Item> items;
};
struct Stretch {
  std::uint64_t first, length;  ///< [bytes] of the file
};
/// The elements we read and where the pixels are. Nothing is allocated by a length that the file does not hold.
struct Content {
  bool whole = false;  ///< every element lies inside the file
  bool big_endian = false;
  std::string syntax;  ///< UID of the transfer syntax
  Item data;
  std::vector<Stretch> pixels;  ///< one, or compressed fragments
};
Content parse(const std::filesystem::path&);

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
  int bits = 0, stored_bits = 0;  ///< of a pixel
  bool is_signed = false, big_endian = false;
  std::string syntax;  ///< UID of the transfer syntax
  std::vector<Stretch> pixels;
  std::vector<Frame> frames;
  std::string refusal;  ///< why it cannot be a slice, as the end of a sentence; empty if it can
};

/// Do these first bytes (132 are enough) begin a DICOM file?
bool begins_dicom(const std::string& head);
/// Everything but the pixels; nothing for DICOM files that hold no image. Throws FileError (as `name`) for damage.
std::optional<File> read_header(const std::filesystem::path&, const std::string& name);
/// Pixels of all frames, rescaled, in the order of `frames`. Throws FileError.
std::vector<double> read_pixels(const File&, const std::string& name);

/// Little-endian pixels of one frame from its run lengths (PS3.5, annex G); false for damaged ones.
bool unpack_rle(std::span<const unsigned char> frame, std::size_t pixels, int bytes, unsigned char* to);
/// Little-endian pixels of one frame of a JPEG kind; false for damaged or unknown ones.
bool unpack_jpeg(const File&, std::span<const unsigned char> frame, std::span<char> to);

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
