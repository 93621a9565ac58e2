#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>

#include "dicom.hpp"
#include "image_stream.hpp"

namespace cardiotwin::meshes::dicom {
namespace {

std::string text(const Item& data, std::uint32_t tag) {
  const auto at = data.find(tag);
  if (at == data.end()) return {};
  std::string value = at->second.value;
  value.erase(value.find_last_not_of(std::string(" \0", 2)) + 1);
  value.erase(0, value.find_first_not_of(' '));
  return value;
}

std::vector<double> decimals(const Item& data, std::uint32_t tag, const char* field, const std::string& name) {
  auto value = text(data, tag);
  std::ranges::replace_if(
      value, [](char c) { return c == '\\' || c == '+'; }, ' ');
  return numbers(value, field, name);
}

// The first item of a sequence, nothing if there is none.
const Item* item(const Item& data, std::uint32_t sequence) {
  const auto at = data.find(sequence);
  return at == data.end() || at->second.items.empty() ? nullptr : &at->second.items.front();
}

// Place and scale of a slice where they stand in one data set; those absent stay as they are.
void read_place(const Item& data, Frame& frame, const std::string& name) {
  if (const auto v = decimals(data, tag::position, "image position", name); v.size() == 3)
    frame.position = {v[0], v[1], v[2]};
  if (const auto v = decimals(data, tag::orientation, "image orientation", name); v.size() == 6)
    frame.row = {v[0], v[1], v[2]}, frame.column = {v[3], v[4], v[5]};
  if (const auto v = decimals(data, tag::pixel_spacing, "pixel spacing", name); v.size() == 2)
    frame.between_rows = v[0], frame.between_columns = v[1];
  if (const auto v = decimals(data, tag::thickness, "slice thickness", name); v.size() == 1 && v[0] > 0)
    frame.thickness = v[0];
  if (const auto v = decimals(data, tag::slope, "rescale slope", name); v.size() == 1) frame.slope = v[0];
  if (const auto v = decimals(data, tag::intercept, "rescale intercept", name); v.size() == 1) frame.intercept = v[0];
}

// One item of the functional groups: each group is a sequence of one.
void read_groups(const Item& groups, Frame& frame, const std::string& name) {
  for (const auto group : {tag::position_group, tag::orientation_group, tag::measures_group, tag::scale_group}) {
    if (const Item* data = item(groups, group)) read_place(*data, frame, name);
  }
}

bool has_place(const Frame& frame) {
  return frame.row.norm() > 0.5 && frame.column.norm() > 0.5 && frame.between_rows > 0;
}

void read_frames(const Item& data, File& file, const std::string& name) {
  const auto count = decimals(data, tag::frame_count, "number of frames", name);
  const double frames = count.empty() ? 1 : count[0];
  Frame shared;
  read_place(data, shared, name);
  const bool placed = data.contains(tag::position) && has_place(shared);
  const auto list = data.find(tag::frame_groups);
  const std::size_t listed = list == data.end() ? 0 : list->second.items.size();
  if (listed == 0) {
    file.frames = {shared};
    if (!placed) file.refusal = "the place of the slices (position, orientation, pixel spacing) is not stated";
    if (frames > 1) file.refusal = "one file holds several frames without a position each";
    return;
  }
  if (double(listed) != frames)
    throw FileError(name + " is damaged: the number of frames contradicts their list; copy it again");
  if (const Item* groups = item(data, tag::shared_groups)) read_groups(*groups, shared, name);
  for (const Item& groups : list->second.items) {
    Frame frame = shared;
    read_groups(groups, frame, name);
    const Item* position = item(groups, tag::position_group);
    if (!has_place(frame) || !position || !position->contains(tag::position))
      file.refusal = "the place of the slices is not stated for every frame";
    file.frames.push_back(frame);
  }
}

// The description of a series helps the user to choose; people also write names there.
std::string description(const Item& data) {
  std::string shown = text(data, tag::description);
  for (char& c : shown) c = c >= ' ' && c <= '~' ? c : '?';
  shown = shown.substr(0, 64);
  for (const auto tag : {tag::patient_name, tag::patient_id, tag::birth_date, tag::accession}) {
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

std::string refusal_of_pixels(const Item& data, int samples, const File& file) {
  const auto colours = text(data, tag::photometric);
  if (samples > 1 || colours.starts_with("RGB") || colours.starts_with("YBR") || colours.starts_with("PALETTE"))
    return "the images are in colour";
  if (colours == "MONOCHROME1") return "the images are stored inverted (MONOCHROME1)";
  if (file.bits != 8 && file.bits != 16 && file.bits != 32)
    return fmt::format("pixels have {} bits, not 8, 16 or 32", file.bits);
  if (file.stored_bits < 1 || file.stored_bits > file.bits) return "the bits stored a pixel contradict those allocated";
  return {};
}

bool is_raw(const std::string& syntax) {
  return syntax == implicit_little || syntax == explicit_little || syntax == explicit_big;
}

// Stored bits to numbers: unused high bits may hold overlays.
std::int64_t stored_value(const char* from, const File& file) {
  std::uint64_t raw = 0;
  std::memcpy(&raw, from, std::size_t(file.bits) / 8);
  raw &= (std::uint64_t(1) << file.stored_bits) - 1;
  if (file.is_signed && raw >> (file.stored_bits - 1) & 1)
    return std::int64_t(raw) - (std::int64_t(1) << file.stored_bits);
  return std::int64_t(raw);
}

// Bytes of the file; the parser has seen that they are there.
std::vector<unsigned char> stretch(std::ifstream& in, const Stretch& part) {
  std::vector<unsigned char> bytes(part.length);
  in.clear(), in.seekg(std::streamoff(part.first));
  in.read(reinterpret_cast<char*>(bytes.data()), std::streamsize(bytes.size()));
  bytes.resize(std::size_t(in.gcount()));
  return bytes;
}

// Little-endian pixels of all frames.
bool unpack(const File& file, std::vector<char>& to) {
  std::ifstream in(file.path, std::ios::binary);
  const std::size_t slice = std::size_t(file.rows) * file.columns, bytes = std::size_t(file.bits) / 8;
  if (is_raw(file.syntax)) {
    const auto all = stretch(in, file.pixels.front());
    if (all.size() < to.size()) return false;
    std::memcpy(to.data(), all.data(), to.size());
    if (!file.big_endian) return true;
    for (std::size_t i = 0; i < to.size(); i += bytes) std::reverse(&to[i], &to[i] + bytes);
    return true;
  }
  // A single frame may come in several fragments; of many frames each is one.
  if (file.frames.size() != 1 && file.pixels.size() != file.frames.size()) return false;
  for (std::size_t f = 0; f < file.frames.size(); ++f) {
    auto frame = stretch(in, file.pixels[f]);
    for (std::size_t more = 1; file.frames.size() == 1 && more < file.pixels.size(); ++more) {
      const auto next = stretch(in, file.pixels[more]);
      frame.insert(frame.end(), next.begin(), next.end());
    }
    const std::span place(&to[f * slice * bytes], slice * bytes);
    if (file.syntax == run_lengths
            ? !unpack_rle(frame, slice, int(bytes), reinterpret_cast<unsigned char*>(place.data()))
            : !unpack_jpeg(file, frame, place))
      return false;
  }
  return true;
}

}  // namespace

std::optional<File> read_header(const std::filesystem::path& path, const std::string& name) {
  Content content = parse(path);
  if (content.syntax == "1.2.840.10008.1.2.1.99") throw InputError(name + " is deflated DICOM; export it uncompressed");
  const auto damaged = [&] {
    return FileError(name + " is damaged or truncated DICOM; copy it again from the source");
  };
  if (!content.whole) throw damaged();
  const Item& data = content.data;
  const auto whole = [&](std::uint32_t tag) {
    const auto at = data.find(tag);
    if (at == data.end() || at->second.value.size() < 2) return 0;
    const auto low = static_cast<unsigned char>(at->second.value[content.big_endian ? 1 : 0]),
               high = static_cast<unsigned char>(at->second.value[content.big_endian ? 0 : 1]);
    return high << 8 | low;
  };
  File file;
  file.path = path;
  file.rows = whole(tag::rows), file.columns = whole(tag::columns);
  if (file.rows == 0 || file.columns == 0) return {};  // a report, a directory
  file.bits = whole(tag::bits), file.stored_bits = whole(tag::stored_bits), file.is_signed = whole(tag::is_signed) == 1;
  file.big_endian = content.big_endian, file.syntax = content.syntax, file.pixels = content.pixels;
  file.series = text(data, tag::series_uid);
  if (const auto number = decimals(data, tag::series_number, "series number", name);
      number.size() == 1 && std::abs(number[0]) < 1e9)
    file.number = int(number[0]);
  file.description = description(data);
  file.kind = text(data, tag::image_type);
  read_frames(data, file, name);
  if (const auto why = refusal_of_pixels(data, whole(tag::samples), file); !why.empty()) file.refusal = why;
  if (!file.refusal.empty()) return file;
  if (file.pixels.empty()) throw damaged();
  const double promised = double(file.rows) * file.columns * double(file.frames.size()) * file.bits / 8;
  // Compressed slices may be nearly empty, hence the floor.
  const double most = is_raw(file.syntax) ? double(file.pixels.front().length)
                                          : std::max(16.0 * double(std::filesystem::file_size(path)), 67e6);
  if (promised > most) throw damaged();
  return file;
}

std::vector<double> read_pixels(const File& file, const std::string& name) {
  const std::size_t slice = std::size_t(file.rows) * file.columns, bytes = std::size_t(file.bits) / 8;
  std::vector<char> buffer(slice * file.frames.size() * bytes);
  if (!unpack(file, buffer)) {
    throw FileError(name +
                    ": the pixels of a DICOM file are damaged or stored in a way that cannot be read; export it "
                    "uncompressed");
  }
  std::vector<double> values;
  values.reserve(slice * file.frames.size());
  for (std::size_t i = 0; i < slice * file.frames.size(); ++i) {
    const Frame& frame = file.frames[i / slice];
    values.push_back(frame.slope * double(stored_value(&buffer[i * bytes], file)) + frame.intercept);
  }
  return values;
}

}  // namespace cardiotwin::meshes::dicom
