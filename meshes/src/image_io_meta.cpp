// The MetaImage format (itk.org/Wiki/ITK/MetaIO/Documentation): .mha, or a .mhd header beside its data. Space is LPS,
// mm.

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <map>

#include "image_stream.hpp"

namespace cardiotwin::meshes {
namespace {

using Fields = std::map<std::string, std::string>;

const std::map<std::string, Number> types{
    {"MET_CHAR", Number::int8},         {"MET_UCHAR", Number::uint8},   {"MET_SHORT", Number::int16},
    {"MET_USHORT", Number::uint16},     {"MET_INT", Number::int32},     {"MET_UINT", Number::uint32},
    {"MET_LONG", Number::int32},        {"MET_ULONG", Number::uint32},  {"MET_LONG_LONG", Number::int64},
    {"MET_ULONG_LONG", Number::uint64}, {"MET_FLOAT", Number::float32}, {"MET_DOUBLE", Number::float64}};

// The field of the data file is the last one; voxels may follow at once.
Fields read_fields(Stream& stream) {
  Fields fields;
  std::string line;
  for (int lines = 0; stream.line(line); ++lines) {
    if (lines > 4096) break;
    const auto [key, value] = key_and_value(line, "=");
    if (!key.empty()) fields.try_emplace(key, value);
    if (key == "ElementDataFile") return fields;
  }
  throw FileError(stream.name() + " is truncated: its header does not name the data; copy it again from the source");
}

std::string field(const Fields& fields, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    if (const auto found = fields.find(key); found != fields.end()) return found->second;
  }
  return {};
}

bool is_true(const std::string& value) { return value.starts_with("T") || value.starts_with("t") || value == "1"; }

std::vector<double> list(const Fields& fields, std::initializer_list<const char*> keys, std::size_t count,
                         const std::string& name) {
  auto all = numbers(field(fields, keys), *keys.begin(), name);
  if (!all.empty() && all.size() != count)
    throw FileError(
        fmt::format("{}: the header is damaged, its field \"{}\" must hold {} numbers", name, *keys.begin(), count));
  return all;
}

Grid read_grid(const Fields& fields, const std::string& name, const Monitor& monitor) {
  const auto axes = list(fields, {"NDims"}, 1, name);
  if (axes.empty()) throw FileError(name + ": the header is damaged, it does not say how many axes there are");
  if (axes[0] != 3)
    throw InputError(
        fmt::format("{} must be one 3-D image, but it has {:g} axes; extract one frame first", name, axes[0]));
  const auto channels = list(fields, {"ElementNumberOfChannels"}, 1, name);
  if (!channels.empty() && channels[0] != 1)
    throw InputError(name + ": voxels must be single real numbers, but there are several values a voxel; extract one");
  const auto n = list(fields, {"DimSize"}, 3, name);
  if (n.empty()) throw FileError(name + ": the header is damaged, it does not say how many voxels there are");
  require_size({n[0], n[1], n[2]}, name);
  const auto spacing = list(fields, {"ElementSpacing", "ElementSize"}, 3, name);
  if (spacing.empty())
    throw InputError(name + ": the header must give the voxel size (\"ElementSpacing\"); export it again");
  const auto turn = list(fields, {"TransformMatrix", "Rotation", "Orientation"}, 9, name);
  const auto origin = list(fields, {"Offset", "Position", "Origin"}, 3, name);
  if (turn.empty() || origin.empty()) {
    monitor.warn(name +
                 ": the header gives no orientation or origin; axes left, posterior, superior from 0 are taken, so "
                 "positions are not those of the scanner");
  }
  Mat3 direction = Mat3::Identity();
  if (!turn.empty()) direction = Eigen::Map<const Mat3>(turn.data());  // three numbers an axis
  if (const Vec3 norms = direction.colwise().norm(); !((norms - Vec3::Ones()).norm() < 1e-3))
    throw InputError(name + ": the axes of the voxels must be unit vectors at right angles; correct the header");
  return grid_of({int(n[0]), int(n[1]), int(n[2])}, direction * Vec3(spacing[0], spacing[1], spacing[2]).asDiagonal(),
                 origin.empty() ? Vec3::Zero() : Vec3(origin[0], origin[1], origin[2]), name);
}

Encoding read_encoding(const Fields& fields, const std::string& name) {
  const auto known = types.find(field(fields, {"ElementType"}));
  if (known == types.end())
    throw InputError(name + ": voxels must be single real numbers of a known type; convert to MET_FLOAT");
  if (const auto binary = field(fields, {"BinaryData"}); !binary.empty() && !is_true(binary))
    throw InputError(name + ": voxels must be stored as binary data, not as text; save it again");
  Encoding how{.type = known->second};
  const bool big = is_true(field(fields, {"BinaryDataByteOrderMSB", "ElementByteOrderMSB"}));
  how.swapped = big != (std::endian::native == std::endian::big);
  if (const auto slope = list(fields, {"ElementToIntensityFunctionSlope"}, 1, name); !slope.empty())
    how.slope = slope[0];
  if (const auto offset = list(fields, {"ElementToIntensityFunctionOffset"}, 1, name); !offset.empty())
    how.intercept = offset[0];
  return how;
}

}  // namespace

void read_meta(Stream& stream, const std::filesystem::path& path, const Sink& sink, ImageSource& source,
               const Monitor& monitor) {
  const std::string& name = stream.name();
  if (stream.gzip()) throw InputError(name + " is a MetaImage compressed as a whole; unpack it with gunzip");
  source.format = "MetaImage";
  const Fields fields = read_fields(stream);
  const Grid grid = read_grid(fields, name, monitor);
  const Encoding how = read_encoding(fields, name);
  const bool compressed = is_true(field(fields, {"CompressedData"}));
  const std::string data = field(fields, {"ElementDataFile"});
  const auto read_from = [&](Stream& voxels) {
    const auto skip = list(fields, {"HeaderSize"}, 1, name);
    const std::size_t promised = grid.count() * bytes_of(how.type);
    if (!skip.empty() && skip[0] > 0 && skip[0] <= double(voxels.file_bytes())) voxels.seek(std::size_t(skip[0]));
    if (!skip.empty() && skip[0] == -1 && promised <= voxels.file_bytes()) voxels.seek(voxels.file_bytes() - promised);
    if (compressed) voxels.inflate();
    read_voxels(voxels, grid, how, sink, monitor);
  };
  if (data == "LOCAL" || data == "Local" || data == "local") return read_from(stream);
  if (data.starts_with("LIST") || data.find('%') != std::string::npos)
    throw InputError(name + ": voxels must lie in one data file, but the header lists several; save it as one .mha");
  source.files.push_back(beside(path, data, name));
  Stream voxels(source.files.back(), name);
  voxels.seek(0);
  read_from(voxels);
}

}  // namespace cardiotwin::meshes
