// The NRRD format (teem.sourceforge.net/nrrd/format.html): .nrrd, or a .nhdr header beside its data.

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>

#include "image_stream.hpp"

namespace cardiotwin::meshes {
namespace {

using Fields = std::map<std::string, std::string>;

const std::map<std::string, Number> types{{"signed char", Number::int8},
                                          {"int8", Number::int8},
                                          {"int8_t", Number::int8},
                                          {"uchar", Number::uint8},
                                          {"unsigned char", Number::uint8},
                                          {"uint8", Number::uint8},
                                          {"uint8_t", Number::uint8},
                                          {"short", Number::int16},
                                          {"short int", Number::int16},
                                          {"signed short", Number::int16},
                                          {"signed short int", Number::int16},
                                          {"int16", Number::int16},
                                          {"int16_t", Number::int16},
                                          {"ushort", Number::uint16},
                                          {"unsigned short", Number::uint16},
                                          {"unsigned short int", Number::uint16},
                                          {"uint16", Number::uint16},
                                          {"uint16_t", Number::uint16},
                                          {"int", Number::int32},
                                          {"signed int", Number::int32},
                                          {"int32", Number::int32},
                                          {"int32_t", Number::int32},
                                          {"uint", Number::uint32},
                                          {"unsigned int", Number::uint32},
                                          {"uint32", Number::uint32},
                                          {"uint32_t", Number::uint32},
                                          {"longlong", Number::int64},
                                          {"long long", Number::int64},
                                          {"int64", Number::int64},
                                          {"int64_t", Number::int64},
                                          {"ulonglong", Number::uint64},
                                          {"unsigned long long", Number::uint64},
                                          {"uint64", Number::uint64},
                                          {"uint64_t", Number::uint64},
                                          {"float", Number::float32},
                                          {"double", Number::float64}};

Fields read_fields(Stream& stream) {
  Fields fields;
  std::string line;
  stream.line(line);  // the magic
  for (int lines = 0; stream.line(line) && !line.empty(); ++lines) {
    if (lines > 4096) throw FileError(stream.name() + ": the header is damaged, it does not end; copy it again");
    if (line.starts_with("#") || line.find(":=") != std::string::npos) continue;  // comments; keys of other programs
    const auto [key, value] = key_and_value(line, ":");
    if (!key.empty()) fields.try_emplace(lower(key), value);
  }
  return fields;
}

std::string field(const Fields& fields, const char* key, const char* other = "") {
  if (const auto found = fields.find(key); found != fields.end()) return found->second;
  if (const auto found = fields.find(other); found != fields.end()) return found->second;
  return {};
}

// Sign of each axis of the header's space in LPS.
Vec3 space_signs(const std::string& space, const std::string& name) {
  if (space == "left-posterior-superior" || space == "lps") return {1, 1, 1};
  if (space == "right-anterior-superior" || space == "ras") return {-1, -1, 1};
  if (space == "left-anterior-superior" || space == "las") return {1, -1, 1};
  throw InputError(name +
                   ": the space must be left-posterior-superior, right-anterior-superior or left-anterior-superior, "
                   "so that voxels have a place in the patient; correct the header");
}

// "(1,0,0) (0,1,0) (0,0,8)": one vector an axis.
std::vector<double> vectors(std::string text, const char* key, std::size_t count, const std::string& name) {
  std::ranges::replace_if(
      text, [](char c) { return c == '(' || c == ')' || c == ','; }, ' ');
  if (text.find("none") != std::string::npos)
    throw InputError(name + " must be one 3-D image of single numbers, but it has several values a voxel; extract one");
  auto all = numbers(text, key, name);
  if (all.size() != count)
    throw FileError(fmt::format("{}: the header is damaged, its field \"{}\" must hold {} numbers", name, key, count));
  return all;
}

std::array<int, 3> read_size(const Fields& fields, const std::string& name) {
  const auto sizes = numbers(field(fields, "sizes"), "sizes", name);
  const auto dimension = numbers(field(fields, "dimension"), "dimension", name);
  if (dimension.size() != 1 || sizes.size() != dimension[0])
    throw FileError(name + ": the header is damaged, its fields \"dimension\" and \"sizes\" must agree");
  if (sizes.size() != 3) {
    throw InputError(fmt::format("{} must be one 3-D image of single numbers, but it has {} axes; extract one frame",
                                 name, sizes.size()));
  }
  const auto kinds = lower(field(fields, "kinds"));
  for (const char* kind : {"vector", "color", "list", "matrix", "complex", "point"}) {
    if (kinds.find(kind) != std::string::npos)
      throw InputError(name +
                       " must be one 3-D image of single numbers, but it has several values a voxel; extract one");
  }
  require_size({sizes[0], sizes[1], sizes[2]}, name);
  return {int(sizes[0]), int(sizes[1]), int(sizes[2])};
}

Grid read_grid(const Fields& fields, const std::string& name, const Monitor& monitor) {
  const auto size = read_size(fields, name);
  const auto directions = field(fields, "space directions");
  if (directions.empty()) {
    auto spacings = numbers(field(fields, "spacings"), "spacings", name);
    if (spacings.size() != 3)
      throw InputError(name + ": the header must say where the voxels are (\"space directions\"); export it again");
    monitor.warn(name +
                 ": the header gives no orientation; axes are taken as left, posterior, superior from voxel 0, so "
                 "positions are not those of the scanner");
    return grid_of(size, Vec3(spacings[0], spacings[1], spacings[2]).asDiagonal(), Vec3::Zero(), name);
  }
  const Vec3 signs = space_signs(lower(field(fields, "space")), name);
  const auto all = vectors(directions, "space directions", 9, name);
  const Mat3 steps = signs.asDiagonal() * Eigen::Map<const Mat3>(all.data());
  Vec3 origin = Vec3::Zero();
  if (const auto text = field(fields, "space origin"); !text.empty()) {
    const auto at = vectors(text, "space origin", 3, name);
    origin = signs.cwiseProduct(Vec3(at[0], at[1], at[2]));
  } else {
    monitor.warn(name + ": the header gives no origin; voxel 0 is put at 0, so positions are not those of the scanner");
  }
  double unit = 1;
  if (const auto units = lower(field(fields, "space units")); !units.empty() && units.find("mm") == std::string::npos)
    unit = units.find("\"m\"") != std::string::npos ? 1e3 : units.find("um") != std::string::npos ? 1e-3 : 1;
  return grid_of(size, steps * unit, origin * unit, name);
}

Encoding read_encoding(const Fields& fields, const std::string& name) {
  const auto known = types.find(lower(field(fields, "type")));
  if (known == types.end())
    throw InputError(name + ": voxels must be single real numbers of a known type; convert to float");
  const std::string endian = lower(field(fields, "endian"));
  if (bytes_of(known->second) > 1 && endian != "little" && endian != "big")
    throw FileError(name + ": the header is damaged, it must say the byte order (\"endian\": little or big)");
  return {.type = known->second, .swapped = (endian == "big") != (std::endian::native == std::endian::big)};
}

// From the header's end to the voxels.
void skip(Stream& stream, const Fields& fields, bool compressed, std::size_t promised) {
  const auto count = [&](const char* key, const char* other) {
    const auto values = numbers(field(fields, key, other), key, stream.name());
    return values.empty() ? 0.0 : values[0];
  };
  const double lines = count("line skip", "lineskip"), bytes = count("byte skip", "byteskip");
  const auto limit = double(stream.file_bytes());
  if (!(lines >= 0 && lines <= limit && bytes >= -1 && bytes <= limit) || (bytes < 0 && compressed))
    throw FileError(stream.name() + ": the header is damaged, it skips more than the file holds");
  std::string line;
  for (double i = 0; i < lines; ++i) stream.line(line);
  if (compressed) stream.inflate();
  std::vector<unsigned char> skipped;
  if (bytes > 0) stream.read(skipped, std::size_t(bytes));
  if (bytes < 0 && promised <= stream.file_bytes()) stream.seek(stream.file_bytes() - promised);  // voxels at the end
}

}  // namespace

void read_nrrd(Stream& stream, const std::filesystem::path& path, const Sink& sink, ImageSource& source,
               const Monitor& monitor) {
  const std::string& name = stream.name();
  if (stream.gzip()) throw InputError(name + " is an NRRD compressed as a whole; unpack it with gunzip");
  source.format = "NRRD";
  const Fields fields = read_fields(stream);
  const Grid grid = read_grid(fields, name, monitor);
  const Encoding how = read_encoding(fields, name);
  const std::string encoding = lower(field(fields, "encoding"));
  const bool compressed = encoding == "gzip" || encoding == "gz";
  if (!compressed && encoding != "raw")
    throw InputError(name + ": the encoding must be raw or gzip; save it as one of those");
  const std::size_t promised = grid.count() * bytes_of(how.type);
  const auto data = field(fields, "data file", "datafile");
  if (data.empty()) {
    skip(stream, fields, compressed, promised);
    return read_voxels(stream, grid, how, sink, monitor);
  }
  if (data.starts_with("LIST") || data.find('%') != std::string::npos)
    throw InputError(name + ": voxels must lie in one data file, but the header lists several; save it as one .nrrd");
  source.files.push_back(beside(path, data, name));
  Stream voxels(source.files.back(), name);
  voxels.seek(0);
  skip(voxels, fields, compressed, promised);
  read_voxels(voxels, grid, how, sink, monitor);
}

}  // namespace cardiotwin::meshes
