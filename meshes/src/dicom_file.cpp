// The only file that knows GDCM: headers and pixels of DICOM files, compressed ones too.

#include <fmt/format.h>
#include <gdcmImageReader.h>
#include <gdcmReader.h>
#include <gdcmSequenceOfItems.h>
#include <gdcmTrace.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "dicom.hpp"
#include "image_stream.hpp"

namespace cardiotwin::meshes::dicom {
namespace {

using gdcm::DataSet, gdcm::Tag;

// The library would print warnings, with the file's contents in them.
void hush() {
  static const bool once = [] {
    gdcm::Trace::DebugOff(), gdcm::Trace::WarningOff(), gdcm::Trace::ErrorOff();
    return true;
  }();
  (void)once;
}

std::string text(const DataSet& data, Tag tag) {
  if (!data.FindDataElement(tag)) return {};
  const auto* bytes = data.GetDataElement(tag).GetByteValue();
  if (!bytes || !bytes->GetPointer()) return {};
  std::string value(bytes->GetPointer(), std::size_t(bytes->GetLength()));
  value.erase(value.find_last_not_of(std::string(" \0", 2)) + 1);
  value.erase(0, value.find_first_not_of(' '));
  return value;
}

std::vector<double> decimals(const DataSet& data, Tag tag, const char* field, const std::string& name) {
  auto value = text(data, tag);
  std::ranges::replace(value, '\\', ' ');
  std::ranges::replace(value, '+', ' ');
  return numbers(value, field, name);
}

int whole(const DataSet& data, Tag tag) {  // US
  if (!data.FindDataElement(tag)) return 0;
  const auto* bytes = data.GetDataElement(tag).GetByteValue();
  if (!bytes || bytes->GetLength() < 2) return 0;
  std::uint16_t value = 0;
  std::memcpy(&value, bytes->GetPointer(), 2);
  return value;
}

// Contents of a sequence's item; nothing if there is no such sequence.
std::optional<DataSet> item(const DataSet& data, Tag sequence, std::size_t number = 0) {
  if (!data.FindDataElement(sequence)) return {};
  const auto items = data.GetDataElement(sequence).GetValueAsSQ();
  if (!items || items->GetNumberOfItems() <= number) return {};
  return items->GetItem(number + 1).GetNestedDataSet();
}

std::size_t item_count(const DataSet& data, Tag sequence) {
  if (!data.FindDataElement(sequence)) return 0;
  const auto items = data.GetDataElement(sequence).GetValueAsSQ();
  return items ? items->GetNumberOfItems() : 0;
}

// Place and scale of a slice where they stand in one data set; those absent stay as they are.
void read_place(const DataSet& data, Frame& frame, const std::string& name) {
  if (const auto v = decimals(data, {0x0020, 0x0032}, "image position", name); v.size() == 3)
    frame.position = {v[0], v[1], v[2]};
  if (const auto v = decimals(data, {0x0020, 0x0037}, "image orientation", name); v.size() == 6)
    frame.row = {v[0], v[1], v[2]}, frame.column = {v[3], v[4], v[5]};
  if (const auto v = decimals(data, {0x0028, 0x0030}, "pixel spacing", name); v.size() == 2)
    frame.between_rows = v[0], frame.between_columns = v[1];
  if (const auto v = decimals(data, {0x0018, 0x0050}, "slice thickness", name); v.size() == 1 && v[0] > 0)
    frame.thickness = v[0];
  if (const auto v = decimals(data, {0x0028, 0x1053}, "rescale slope", name); v.size() == 1) frame.slope = v[0];
  if (const auto v = decimals(data, {0x0028, 0x1052}, "rescale intercept", name); v.size() == 1) frame.intercept = v[0];
}

// One item of the functional groups: each group is a sequence of one.
void read_groups(const DataSet& groups, Frame& frame, const std::string& name) {
  constexpr std::array<std::pair<int, int>, 4> places{
      {{0x0020, 0x9113}, {0x0020, 0x9116}, {0x0028, 0x9110}, {0x0028, 0x9145}}};
  for (const auto& [group, element] : places) {
    if (const auto data = item(groups, Tag(std::uint16_t(group), std::uint16_t(element))))
      read_place(*data, frame, name);
  }
}

bool has_place(const Frame& frame) {
  return frame.row.norm() > 0.5 && frame.column.norm() > 0.5 && frame.between_rows > 0;
}

void read_frames(const DataSet& data, File& file, const std::string& name) {
  const auto count = decimals(data, {0x0028, 0x0008}, "number of frames", name);
  const double frames = count.empty() ? 1 : count[0];
  Frame shared;
  read_place(data, shared, name);
  const bool placed = data.FindDataElement(Tag(0x0020, 0x0032)) && has_place(shared);
  const std::size_t listed = item_count(data, {0x5200, 0x9230});
  if (listed == 0) {
    file.frames = {shared};
    if (!placed) file.refusal = "the place of the slices (position, orientation, pixel spacing) is not stated";
    if (frames > 1) file.refusal = "one file holds several frames without a position each";
    return;
  }
  if (double(listed) != frames)
    throw FileError(name + " is damaged: the number of frames contradicts their list; copy it again");
  if (const auto groups = item(data, {0x5200, 0x9229})) read_groups(*groups, shared, name);
  const auto items = data.GetDataElement(Tag(0x5200, 0x9230)).GetValueAsSQ();
  for (std::size_t i = 0; i < listed; ++i) {
    Frame frame = shared;
    const DataSet& groups = items->GetItem(i + 1).GetNestedDataSet();
    read_groups(groups, frame, name);
    const auto position = item(groups, {0x0020, 0x9113});
    if (!has_place(frame) || !position) file.refusal = "the place of the slices is not stated for every frame";
    file.frames.push_back(frame);
  }
}

// The description of a series helps the user to choose; people also write names there.
std::string description(const DataSet& data) {
  std::string shown = text(data, {0x0008, 0x103e});
  for (char& c : shown) c = c >= ' ' && c <= '~' ? c : '?';
  shown = shown.substr(0, 64);
  for (const Tag& tag : {Tag(0x0010, 0x0010), Tag(0x0010, 0x0020), Tag(0x0010, 0x0030), Tag(0x0008, 0x0050)}) {
    auto own = lower(text(data, tag));
    std::ranges::replace_if(
        own, [](char c) { return c == '^' || c == '=' || c == ','; }, ' ');
    for (const auto& word : words(own)) {
      if (word.size() > 2 && lower(shown).find(word) != std::string::npos)
        return "(withheld: it holds the patient's data)";
    }
  }
  return shown;
}

std::string refusal_of_pixels(const DataSet& data) {
  const auto colours = text(data, {0x0028, 0x0004});
  const int bits = whole(data, {0x0028, 0x0100});
  if (whole(data, {0x0028, 0x0002}) > 1 || colours.starts_with("RGB") || colours.starts_with("YBR") ||
      colours.starts_with("PALETTE"))
    return "the images are in colour";
  if (colours == "MONOCHROME1") return "the images are stored inverted (MONOCHROME1)";
  if (bits != 8 && bits != 16 && bits != 32) return fmt::format("pixels have {} bits, not 8, 16 or 32", bits);
  return {};
}

// Stored bits to numbers: unused high bits may hold overlays.
std::int64_t stored_value(const char* from, int bytes, int stored, bool is_signed) {
  std::uint64_t raw = 0;
  std::memcpy(&raw, from, std::size_t(bytes));
  if (stored < 64) raw &= (std::uint64_t(1) << stored) - 1;
  if (is_signed && raw >> (stored - 1) & 1) return std::int64_t(raw) - (std::int64_t(1) << stored);
  return std::int64_t(raw);
}

}  // namespace

std::optional<File> read_header(const std::filesystem::path& path, const std::string& name) {
  hush();
  const Walk lengths = walk(path);
  if (lengths.deflated) throw InputError(name + " is deflated DICOM; export it uncompressed");
  const auto damaged = [&] {
    return FileError(name + " is damaged or truncated DICOM; copy it again from the source");
  };
  if (!lengths.whole) throw damaged();
  try {
    gdcm::Reader reader;
    reader.SetFileName(path.c_str());
    if (!reader.ReadUpToTag(Tag(0x7fe0, 0x0010))) throw damaged();
    const DataSet& data = reader.GetFile().GetDataSet();
    File file;
    file.path = path;
    file.rows = whole(data, {0x0028, 0x0010}), file.columns = whole(data, {0x0028, 0x0011});
    if (file.rows == 0 || file.columns == 0) return {};  // a report, a directory
    file.series = text(data, {0x0020, 0x000e});
    if (const auto number = decimals(data, {0x0020, 0x0011}, "series number", name);
        number.size() == 1 && std::abs(number[0]) < 1e9)
      file.number = int(number[0]);
    file.description = description(data);
    file.kind = text(data, {0x0008, 0x0008});
    read_frames(data, file, name);
    if (const auto why = refusal_of_pixels(data); !why.empty()) file.refusal = why;
    const double promised =
        double(file.rows) * file.columns * double(file.frames.size()) * whole(data, {0x0028, 0x0100}) / 8;
    // Compressed slices may be nearly empty, hence the floor.
    const double most =
        lengths.raw ? double(lengths.pixel_bytes) : std::max(16.0 * double(std::filesystem::file_size(path)), 67e6);
    if (file.refusal.empty() && promised > most) throw damaged();
    return file;
  } catch (const Error&) {
    throw;
  } catch (const std::exception&) {
    throw damaged();
  }
}

std::vector<double> read_pixels(const File& file, const std::string& name) {
  hush();
  const auto damaged = [&] {
    return FileError(
        name +
        ": the pixels of a DICOM file are damaged or stored in a way that cannot be read; export it uncompressed");
  };
  const std::size_t slice = std::size_t(file.rows) * file.columns;
  std::vector<double> values;
  try {
    gdcm::ImageReader reader;
    reader.SetFileName(file.path.c_str());
    if (!reader.Read()) throw damaged();
    const auto& image = reader.GetImage();
    const auto& format = image.GetPixelFormat();
    const int bytes = format.GetBitsAllocated() / 8, stored = format.GetBitsStored();
    const std::size_t promised = slice * file.frames.size() * std::size_t(bytes);
    if (bytes < 1 || bytes > 4 || stored < 1 || stored > 8 * bytes || image.GetBufferLength() != promised)
      throw damaged();
    std::vector<char> buffer(promised);
    if (!image.GetBuffer(buffer.data())) throw damaged();
    values.reserve(slice * file.frames.size());
    const bool is_signed = format.GetPixelRepresentation() == 1;
    for (std::size_t i = 0; i < slice * file.frames.size(); ++i) {
      const Frame& frame = file.frames[i / slice];
      values.push_back(frame.slope * double(stored_value(&buffer[i * std::size_t(bytes)], bytes, stored, is_signed)) +
                       frame.intercept);
    }
  } catch (const Error&) {
    throw;
  } catch (const std::exception&) {
    throw damaged();
  }
  return values;
}

}  // namespace cardiotwin::meshes::dicom
