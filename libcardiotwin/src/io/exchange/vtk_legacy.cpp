// Legacy VTK files (https://docs.vtk.org/en/latest/design_documents/VTKFileFormats.html), text and big-endian binary,
// with cells as before and after version 5.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <iterator>

#include "text.hpp"
#include "vtk_cells.hpp"

namespace cardiotwin::exchange {
namespace {

static_assert(std::endian::native == std::endian::little, "binary files are big-endian, and are turned round");

struct Type {
  std::string_view name;
  char kind;  // i signed, u unsigned, f floating point
  std::size_t size;
};
constexpr Type types[] = {{"unsigned_char", 'u', 1}, {"char", 'i', 1},          {"unsigned_short", 'u', 2},
                          {"short", 'i', 2},         {"unsigned_int", 'u', 4},  {"int", 'i', 4},
                          {"unsigned_long", 'u', 8}, {"long", 'i', 8},          {"vtkIdType", 'i', 4},
                          {"float", 'f', 4},         {"double", 'f', 8},        {"vtktypeint64", 'i', 8},
                          {"vtktypeint32", 'i', 4},  {"vtktypeuint64", 'u', 8}, {"vtktypeint8", 'i', 1}};

double from_bytes(const char* at, const Type& type) {
  std::uint64_t bits = 0;
  for (std::size_t k = 0; k < type.size; ++k) bits = bits << 8 | static_cast<unsigned char>(at[k]);
  if (type.kind == 'f')
    return type.size == 4 ? std::bit_cast<float>(static_cast<std::uint32_t>(bits)) : std::bit_cast<double>(bits);
  if (type.kind == 'u') return static_cast<double>(bits);
  const auto shift = 64 - 8 * type.size;
  return static_cast<double>(static_cast<std::int64_t>(bits << shift) >> shift);
}

class Reader {
 public:
  Reader(std::string_view bytes, const Monitor& monitor) : text_(bytes), monitor_(monitor) {}
  ForeignMesh read();

 private:
  const Type& read_type();
  std::vector<double> read_values(std::size_t count, const Type& type, std::string_view what);
  std::vector<std::int64_t> read_integers(std::size_t count, const Type& type, std::string_view what);
  std::size_t read_count(const char* what) { return text_.count(what, 1); }
  void read_points();
  void read_cells(int type);
  void read_types();
  void read_attribute(const std::string& key);
  void read_array(std::string name, std::size_t components, std::size_t tuples, const Type& type);
  void read_field();
  void read_lookup();
  void skip_metadata();

  Text text_;
  const Monitor& monitor_;
  bool binary_ = false, new_cells_ = false;
  VtkData data_;
  std::vector<Array>* target_ = &data_.field_data;
  std::size_t places_ = 0;
};

const Type& Reader::read_type() {
  const auto name = text_.word();
  const auto* type = std::find_if(std::begin(types), std::end(types), [&](const Type& t) { return t.name == name; });
  if (type == std::end(types)) text_.fail(fmt::format("arrays of type \"{}\" are not read", name.substr(0, 20)));
  return *type;
}

std::vector<double> Reader::read_values(std::size_t count, const Type& type, std::string_view what) {
  if (count > text_.left() / (binary_ ? type.size : 2) + 1)
    text_.fail(fmt::format("{} values of {} are announced, but {} bytes are left", count, what, text_.left()));
  std::vector<double> values;
  values.reserve(count);
  if (!binary_) {
    for (std::size_t i = 0; i < count; ++i) values.push_back(text_.number<double>(what));
    return values;
  }
  text_.line();
  const auto bytes = text_.raw(count * type.size, what);
  for (std::size_t i = 0; i < count; ++i) values.push_back(from_bytes(bytes.data() + i * type.size, type));
  return values;
}

std::vector<std::int64_t> Reader::read_integers(std::size_t count, const Type& type, std::string_view what) {
  std::vector<std::int64_t> integers;
  const auto values = read_values(count, type, what);
  integers.reserve(count);
  for (const double value : values) {
    if (!(std::abs(value) < 4e15) || value != std::floor(value)) text_.fail(fmt::format("{} holds {}", what, value));
    integers.push_back(static_cast<std::int64_t>(value));
  }
  return integers;
}

void Reader::read_points() {
  const auto count = read_count("points");
  const auto& type = read_type();
  const auto values = read_values(3 * count, type, "the points");
  data_.points.resize(count);
  for (std::size_t i = 0; i < count; ++i) data_.points[i] = {values[3 * i], values[3 * i + 1], values[3 * i + 2]};
}

// `type` of all cells, or 0 where CELL_TYPES will tell.
void Reader::read_cells(int type) {
  const auto count = read_count("cells"), size = read_count("node numbers");
  const auto base = static_cast<std::int64_t>(data_.connectivity.size());
  if (new_cells_) {
    if (count == 0) return;
    if (text_.word() != "OFFSETS") text_.fail("OFFSETS should stand here");
    const auto offsets = read_integers(count, read_type(), "the offsets");
    if (text_.word() != "CONNECTIVITY") text_.fail("CONNECTIVITY should stand here");
    const auto nodes = read_integers(size, read_type(), "the cells");
    for (std::size_t c = 1; c < count; ++c) data_.offsets.push_back(base + offsets[c]);
    data_.connectivity.insert(data_.connectivity.end(), nodes.begin(), nodes.end());
  } else {
    const auto list = read_integers(size, types[5], "the cells");
    std::size_t at = 0;
    for (std::size_t c = 0; c < count; ++c) {
      if (at >= size || list[at] < 0 || static_cast<std::size_t>(list[at]) > size - at - 1)
        text_.fail(fmt::format("cell {} does not fit into the {} numbers of all cells", c, size));
      const auto nodes = static_cast<std::ptrdiff_t>(list[at++]);
      const auto first = list.begin() + static_cast<std::ptrdiff_t>(at);
      data_.connectivity.insert(data_.connectivity.end(), first, first + nodes);
      data_.offsets.push_back(static_cast<std::int64_t>(data_.connectivity.size()));
      at += static_cast<std::size_t>(nodes);
    }
  }
  if (type != 0) data_.types.resize(data_.offsets.size(), type);
}

void Reader::read_types() {
  const auto count = read_count("cell types");
  for (const auto type : read_integers(count, types[5], "the cell types"))
    data_.types.push_back(static_cast<int>(std::clamp<std::int64_t>(type, 0, 1000)));
}

void Reader::read_array(std::string name, std::size_t components, std::size_t tuples, const Type& type) {
  if (components < 1 || components > 1000) text_.fail(fmt::format("an array has {} components", components));
  if (tuples > text_.left())
    text_.fail(fmt::format("{} rows are announced, but {} bytes are left", tuples, text_.left()));
  auto values = read_values(components * tuples, type, "an array");
  target_->push_back({std::move(name), static_cast<int>(components), std::move(values)});
}

void Reader::read_field() {
  text_.word();
  const auto arrays = text_.count("arrays", 6);
  for (std::size_t a = 0; a < arrays; ++a) {
    auto name = plain_name(text_.word());
    if (name == "METADATA") skip_metadata(), name = plain_name(text_.word());
    const auto components = read_count("components"), tuples = read_count("rows");
    read_array(std::move(name), components, tuples, read_type());
  }
}

// A table of colours: four bytes or numbers per entry, passed over.
void Reader::read_lookup() {
  text_.word();
  const auto size = read_count("colours");
  read_values(4 * size, binary_ ? types[0] : types[10], "the colours");
}

void Reader::skip_metadata() {
  text_.line();
  while (text_.left() > 0 && !text_.line().empty()) continue;
}

void Reader::read_attribute(const std::string& key) {
  const auto name = plain_name(text_.word());
  if (key == "COLOR_SCALARS") {
    const auto components = read_count("components");
    return read_array(name, components, places_, binary_ ? types[0] : types[10]);
  }
  std::size_t components = key == "SCALARS" ? 1 : key == "TENSORS" ? 9 : 3;
  if (key == "TEXTURE_COORDINATES") components = read_count("components");
  const auto& type = read_type();
  if (key == "SCALARS") {
    if (!text_.line_ends()) components = read_count("components");
    if (text_.word() != "LOOKUP_TABLE") text_.fail("LOOKUP_TABLE should stand here");
    text_.word();
  }
  read_array(name, components, places_, type);
}

ForeignMesh Reader::read() {
  const auto first = text_.line();
  if (!first.starts_with("# vtk DataFile Version "))
    text_.fail("the file does not begin with \"# vtk DataFile Version\"");
  new_cells_ = first.substr(23) >= "5";
  text_.line();  // title
  const auto kind = text_.word();
  if (kind != "ASCII" && kind != "BINARY") text_.fail("ASCII or BINARY should stand here");
  binary_ = kind == "BINARY";
  while (!text_.at_end()) {
    const std::string key(text_.word());
    if (key == "DATASET") {
      const auto set = text_.word();
      if (set != "UNSTRUCTURED_GRID" && set != "POLYDATA")
        text_.fail(fmt::format("data sets of type \"{}\" are not read; only UNSTRUCTURED_GRID and POLYDATA",
                               set.substr(0, 40)));
    } else if (key == "POINTS") {
      read_points();
    } else if (key == "CELLS") {
      read_cells(0);
    } else if (key == "CELL_TYPES") {
      read_types();
    } else if (key == "VERTICES" || key == "LINES" || key == "TRIANGLE_STRIPS" || key == "POLYGONS") {
      read_cells(key == "VERTICES" ? 2 : key == "LINES" ? 4 : key == "POLYGONS" ? 7 : 6);
    } else if (key == "POINT_DATA" || key == "CELL_DATA") {
      target_ = key == "POINT_DATA" ? &data_.point_data : &data_.cell_data;
      places_ = read_count("places");
    } else if (key == "FIELD") {
      read_field();
    } else if (key == "METADATA") {
      skip_metadata();
    } else if (key == "LOOKUP_TABLE") {
      read_lookup();
    } else if (key == "SCALARS" || key == "VECTORS" || key == "NORMALS" || key == "TENSORS" || key == "COLOR_SCALARS" ||
               key == "TEXTURE_COORDINATES") {
      read_attribute(key);
    } else {
      text_.fail(fmt::format("\"{}\" is no section of a VTK file", key.substr(0, 20)));
    }
  }
  if (data_.points.empty()) text_.fail("the file has no points");
  return from_vtk(std::move(data_), monitor_);
}

template <class T>
void put(std::string& out, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(std::reverse_iterator(bytes + sizeof(T)), std::reverse_iterator(bytes));
}

// A foreign field may be called "region" and hold anything.
bool is_int(double value) { return value == std::floor(value) && std::abs(value) <= 0x7fffffff; }

void put_arrays(std::string& out, const std::vector<Array>& arrays, bool integers) {
  if (arrays.empty()) return;
  out += fmt::format("FIELD FieldData {}\n", arrays.size());
  for (const auto& array : arrays) {
    const bool as_int =
        (integers || array.name == "region") && std::all_of(array.values.begin(), array.values.end(), is_int);
    out += fmt::format("{} {} {} {}\n", coded_name(array.name, true), array.components,
                       array.values.size() / static_cast<std::size_t>(array.components), as_int ? "int" : "double");
    for (const double value : array.values) as_int ? put(out, static_cast<std::int32_t>(value)) : put(out, value);
    out += '\n';
  }
}

}  // namespace

ForeignMesh read_vtk_legacy(std::string_view bytes, const Monitor& monitor) { return Reader(bytes, monitor).read(); }

std::string write_vtk_legacy(const ForeignMesh& mesh) {
  const auto data = to_vtk(mesh);
  std::string out = fmt::format("# vtk DataFile Version 3.0\n{}\nBINARY\nDATASET UNSTRUCTURED_GRID\n", signature());
  put_arrays(out, data.field_data, true);
  out += fmt::format("POINTS {} double\n", data.points.size());
  for (const auto& p : data.points) put(out, p.x()), put(out, p.y()), put(out, p.z());
  out += fmt::format("\nCELLS {} {}\n", data.types.size(), data.types.size() + data.connectivity.size());
  std::int64_t begin = 0;
  for (const auto end : data.offsets) {
    put(out, static_cast<std::int32_t>(end - begin));
    for (; begin < end; ++begin)
      put(out, static_cast<std::int32_t>(data.connectivity[static_cast<std::size_t>(begin)]));
  }
  out += fmt::format("\nCELL_TYPES {}\n", data.types.size());
  for (const int type : data.types) put(out, static_cast<std::int32_t>(type));
  if (!data.cell_data.empty()) out += fmt::format("\nCELL_DATA {}\n", data.types.size());
  put_arrays(out, data.cell_data, false);
  if (!data.point_data.empty()) out += fmt::format("\nPOINT_DATA {}\n", data.points.size());
  put_arrays(out, data.point_data, false);
  return out;
}

}  // namespace cardiotwin::exchange
