// PLY, text and binary (http://paulbourke.net/dataformats/ply/). Written little-endian: points and node fields, faces
// with their tag and fields.

#include <bit>
#include <cmath>
#include <cstring>
#include <iterator>

#include "text.hpp"
#include "vtk_cells.hpp"

namespace cardiotwin::exchange {
namespace {

struct Type {
  std::string_view name, other;
  char kind;  // i signed, u unsigned, f floating point
  std::size_t size;
};
constexpr Type types[] = {{"char", "int8", 'i', 1},     {"uchar", "uint8", 'u', 1},   {"short", "int16", 'i', 2},
                          {"ushort", "uint16", 'u', 2}, {"int", "int32", 'i', 4},     {"uint", "uint32", 'u', 4},
                          {"float", "float32", 'f', 4}, {"double", "float64", 'f', 8}};

struct Property {
  std::string name;
  const Type* type = nullptr;
  const Type* length = nullptr;  // of lists
};

struct Element {
  std::string name;
  std::size_t count = 0;
  std::vector<Property> properties;
};

enum class Encoding { text, little, big };

class Reader {
 public:
  Reader(std::string_view bytes, const Monitor& monitor) : text_(bytes), monitor_(monitor) {}
  ForeignMesh read() {
    read_header();
    for (const auto& element : elements_) read_element(element);
    data_.types.assign(data_.offsets.size(), 7);
    return from_vtk(std::move(data_), monitor_);
  }

 private:
  const Type& type() {
    const auto name = text_.word();
    const auto* found = std::find_if(std::begin(types), std::end(types),
                                     [&](const Type& t) { return t.name == name || t.other == name; });
    if (found == std::end(types)) text_.fail(fmt::format("\"{}\" is no type of a property", name.substr(0, 20)));
    return *found;
  }
  void read_header();
  void read_element(const Element&);
  double value(const Type&);
  std::size_t least_bytes(const Element&) const;

  Text text_;
  const Monitor& monitor_;
  Encoding encoding_ = Encoding::text;
  std::vector<Element> elements_;
  VtkData data_;
};

void Reader::read_header() {
  if (text_.line() != "ply") text_.fail("the file does not begin with \"ply\"");
  for (auto word = text_.word(); word != "end_header"; word = text_.word()) {
    if (word == "format") {
      const auto name = text_.word();
      if (name != "ascii" && name != "binary_little_endian" && name != "binary_big_endian")
        text_.fail(fmt::format("format \"{}\" is unknown", name.substr(0, 30)));
      encoding_ = name == "ascii" ? Encoding::text : name == "binary_big_endian" ? Encoding::big : Encoding::little;
    } else if (word == "element") {
      elements_.push_back({std::string(text_.word()), text_.count("elements", 1), {}});
    } else if (word == "property") {
      if (elements_.empty()) text_.fail("a property stands before the first element");
      Property property;
      Text ahead = text_;
      if (ahead.word() == "list") text_.word(), property.length = &type();
      property.type = &type();
      property.name = text_.word();
      elements_.back().properties.push_back(std::move(property));
    } else if (word != "comment" && word != "obj_info") {
      text_.fail(fmt::format("\"{}\" does not belong into a header", word.substr(0, 20)));
    }
    text_.line();
  }
  text_.line();
}

double Reader::value(const Type& type) {
  if (encoding_ == Encoding::text) return text_.number<double>("a value");
  const auto raw = text_.raw(type.size, "a value");
  std::uint64_t bits = 0;
  for (std::size_t k = 0; k < type.size; ++k)
    bits = bits << 8 | static_cast<unsigned char>(raw[encoding_ == Encoding::big ? k : type.size - 1 - k]);
  if (type.kind == 'f')
    return type.size == 4 ? std::bit_cast<float>(static_cast<std::uint32_t>(bits)) : std::bit_cast<double>(bits);
  if (type.kind == 'u') return static_cast<double>(bits);
  const auto shift = 64 - 8 * type.size;
  return static_cast<double>(static_cast<std::int64_t>(bits << shift) >> shift);
}

std::size_t Reader::least_bytes(const Element& element) const {
  std::size_t bytes = 0;
  for (const auto& p : element.properties)
    bytes += encoding_ == Encoding::text ? 2 : (p.length ? p.length : p.type)->size;
  return bytes;
}

void Reader::read_element(const Element& element) {
  const auto least = least_bytes(element);
  if (element.count > 0 && (least == 0 || element.count > text_.left() / least + 1))
    text_.fail(fmt::format("{} elements of type {} are announced, but only {} bytes are left", element.count,
                           element.name, text_.left()));
  const bool vertex = element.name == "vertex", face = element.name == "face";
  std::vector<Array> arrays;
  std::vector<int> axis;  // 0..2 for x, y, z; else -1
  for (const auto& p : element.properties) {
    axis.push_back(vertex && p.name.size() == 1 && p.name[0] >= 'x' && p.name[0] <= 'z' ? p.name[0] - 'x' : -1);
    arrays.push_back({p.name, 1, {}});
  }
  const auto index = [&](double v) {
    if (!(v >= 0 && v < 2147483648.0) || v != std::floor(v)) text_.fail(fmt::format("{} is no node number", v));
    return static_cast<std::int64_t>(v);
  };
  for (std::size_t e = 0; e < element.count; ++e) {
    Vec3 point = Vec3::Zero();
    for (std::size_t k = 0; k < element.properties.size(); ++k) {
      const auto& p = element.properties[k];
      const bool nodes = face && (p.name == "vertex_indices" || p.name == "vertex_index");
      if (p.length) {
        for (auto left = index(value(*p.length)); left > 0; --left) {
          const double v = value(*p.type);
          if (nodes) data_.connectivity.push_back(index(v));
        }
        if (nodes) data_.offsets.push_back(static_cast<std::int64_t>(data_.connectivity.size()));
        continue;
      }
      const double v = value(*p.type);
      if (axis[k] >= 0) point[axis[k]] = v;
      if (axis[k] < 0 && (vertex || face)) arrays[k].values.push_back(v);
    }
    if (vertex) data_.points.push_back(point);
  }
  std::erase_if(arrays, [](const Array& array) { return array.values.empty(); });
  if (vertex) data_.point_data = std::move(arrays);
  if (face) data_.cell_data = std::move(arrays);
}

template <class T>
void put(std::string& out, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}

}  // namespace

ForeignMesh read_ply(std::string_view bytes, const Monitor& monitor) { return Reader(bytes, monitor).read(); }

std::string write_ply(const ForeignMesh& mesh) {
  const auto node = scalar_fields(mesh.node_fields), face = scalar_fields(mesh.triangle_fields);
  std::string out = fmt::format("ply\nformat binary_little_endian 1.0\ncomment {}\nelement vertex {}\n", signature(),
                                mesh.points.size());
  for (const char axis : {'x', 'y', 'z'}) out += fmt::format("property double {}\n", axis);
  for (const auto& field : node) out += fmt::format("property double {}\n", field.name);
  out += fmt::format("element face {}\nproperty list uchar int vertex_indices\n", mesh.triangles.size());
  if (!mesh.triangle_tags.empty()) out += "property int region\n";
  for (const auto& field : face) out += fmt::format("property double {}\n", field.name);
  out += "end_header\n";
  for (std::size_t i = 0; i < mesh.points.size(); ++i) {
    for (const double x : mesh.points[i]) put(out, x);
    for (const auto& field : node) put(out, field.values[i]);
  }
  for (std::size_t t = 0; t < mesh.triangles.size(); ++t) {
    put(out, std::uint8_t(3));
    for (const Index n : mesh.triangles[t]) put(out, n);
    if (!mesh.triangle_tags.empty()) put(out, mesh.triangle_tags[t]);
    for (const auto& field : face) put(out, field.values[t]);
  }
  return out;
}

}  // namespace cardiotwin::exchange
