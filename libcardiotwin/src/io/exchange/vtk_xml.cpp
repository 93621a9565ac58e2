// VTU and VTP, read without VTK: its readers believe counts and offsets, and are not to be fed damaged files.
// Text, base64 and appended arrays, raw or zlib-compressed, either byte order.

#include <zlib.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <iterator>

#include "text.hpp"
#include "vtk_cells.hpp"
#include "xml.hpp"

namespace cardiotwin::exchange {
namespace {

// Meshes shrink by 2 to 30; a file that announces more than this is not unpacked.
constexpr std::size_t most_inflation = 256;

enum class Number { none, i8, u8, i16, u16, i32, u32, i64, u64, f32, f64 };

struct NumberType {
  std::string_view name;
  Number number;
  std::size_t size;
};
constexpr NumberType number_types[] = {
    {"Int8", Number::i8, 1},     {"UInt8", Number::u8, 1},   {"Int16", Number::i16, 2}, {"UInt16", Number::u16, 2},
    {"Int32", Number::i32, 4},   {"UInt32", Number::u32, 4}, {"Int64", Number::i64, 8}, {"UInt64", Number::u64, 8},
    {"Float32", Number::f32, 4}, {"Float64", Number::f64, 8}};

[[noreturn]] void fail(const std::string& what) { throw InputError(what); }

template <class T>
T load(const char* at, bool swap) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, at, sizeof(T));
  if (swap) std::reverse(bytes, bytes + sizeof(T));
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

template <class Out>
Out load_as(const char* at, Number number, bool swap) {
  switch (number) {
    case Number::i8:
      return static_cast<Out>(load<std::int8_t>(at, swap));
    case Number::u8:
      return static_cast<Out>(load<std::uint8_t>(at, swap));
    case Number::i16:
      return static_cast<Out>(load<std::int16_t>(at, swap));
    case Number::u16:
      return static_cast<Out>(load<std::uint16_t>(at, swap));
    case Number::i32:
      return static_cast<Out>(load<std::int32_t>(at, swap));
    case Number::u32:
      return static_cast<Out>(load<std::uint32_t>(at, swap));
    case Number::i64:
      return static_cast<Out>(load<std::int64_t>(at, swap));
    case Number::u64:
      return static_cast<Out>(load<std::uint64_t>(at, swap));
    default:
      break;
  }
  const double value = number == Number::f32 ? load<float>(at, swap) : load<double>(at, swap);
  if constexpr (std::integral<Out>) {
    if (!(std::abs(value) < 9e18)) fail("a number of nodes or cells is no whole number");
  }
  return static_cast<Out>(value);
}

// Base64 up to `limit` bytes of result, or all of it; `text` is left behind what was used.
std::string decode_base64(std::string_view& text, std::size_t limit) {
  const auto value = [](char c) {
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+'             ? 62
           : c == '/'             ? 63
                                  : -1;
  };
  std::string out;
  out.reserve(std::min(limit, text.size() / 4 * 3 + 3));
  std::size_t at = 0;
  while (out.size() < limit) {
    std::uint32_t group = 0;
    int letters = 0, padding = 0;
    for (; at < text.size() && letters < 4; ++at) {
      const char c = text[at];
      if (Text::is_blank(c) || c == '\n') continue;
      if (c != '=' && value(c) < 0) fail("an array in base64 holds a letter that is not base64");
      if (c == '=') ++padding;
      group = group << 6 | static_cast<std::uint32_t>(c == '=' ? 0 : value(c));
      ++letters;
    }
    if (letters == 0) break;
    if (letters < 4 || padding > 2) fail("an array in base64 is cut off");
    for (int k = 0; k < 3 - padding; ++k) out += static_cast<char>(group >> (16 - 8 * k) & 255);
    if (padding > 0) break;
  }
  text.remove_prefix(at);
  return out;
}

class Reader {
 public:
  Reader(std::string_view bytes, const Monitor& monitor)
      : bytes_(bytes), xml_(bytes), monitor_(monitor), budget_(most_inflation * bytes.size()) {}
  ForeignMesh read();

 private:
  struct Source {
    std::string name;
    const NumberType* type;
    std::size_t components;
    std::string_view text;  // between the tags, for inline arrays
    std::string format;
    std::size_t offset;
  };
  using Sources = std::vector<Source>;

  void read_header(const XmlTag& file);
  Sources read_sources(std::string_view end);
  void read_piece(const XmlTag& piece);
  void take_points(const Sources&, std::size_t count);
  void take_cells(const Sources&, int type);
  std::string plain(std::string_view text, bool base64);
  std::string unpacked(std::string_view text, bool base64);
  template <class Out>
  std::vector<Out> numbers_of(const Source&);
  void take(const Sources& sources, std::vector<Array>& arrays);
  void spend(std::size_t bytes, std::string_view what);
  std::uint64_t header_number(const char* at) const {
    return wide_ ? load<std::uint64_t>(at, swap_) : load<std::uint32_t>(at, swap_);
  }

  std::string_view bytes_, appended_;
  Xml xml_;
  const Monitor& monitor_;
  std::size_t budget_, borrowed_ = 0;  // bytes that may still be unpacked; bytes of appended data used so far
  bool swap_ = false, wide_ = false, compressed_ = false, appended_base64_ = false, piece_read_ = false;
  VtkData data_;
};

void Reader::read_header(const XmlTag& file) {
  const auto type = file.text("type");
  if (file.name != "VTKFile" || (type != "UnstructuredGrid" && type != "PolyData"))
    fail("it is no VTK file of type UnstructuredGrid or PolyData");
  swap_ = (file.text("byte_order") == "BigEndian") == (std::endian::native == std::endian::little);
  wide_ = file.text("header_type") == "UInt64";
  const auto compressor = file.text("compressor");
  if (!compressor.empty() && compressor != "vtkZLibDataCompressor")
    fail(fmt::format("its compressor {} is not read; save it with zlib or uncompressed", compressor.substr(0, 40)));
  compressed_ = !compressor.empty();
  // Arrays point into data that come last, so those are found first.
  const auto tag = bytes_.find("<AppendedData");
  if (tag == std::string_view::npos) return;
  const auto open = std::min(bytes_.find('>', tag), bytes_.size()), mark = bytes_.find('_', open);
  if (mark == std::string_view::npos) fail("its appended data are cut off");
  appended_base64_ = bytes_.substr(tag, open - tag).find("base64") != std::string_view::npos;
  appended_ = bytes_.substr(mark + 1);
  xml_.end_at(tag);
}

// The arrays up to the closing tag `end`.
Reader::Sources Reader::read_sources(std::string_view end) {
  Sources sources;
  while (true) {
    const auto tag = xml_.next();
    if (tag.closing && tag.name == end) return sources;
    if (tag.name.empty()) fail(fmt::format("the section {} is not closed", end));
    if (tag.closing || (tag.name != "DataArray" && tag.name != "Array")) continue;
    const auto name = tag.text("type");
    const auto* type = std::find_if(std::begin(number_types), std::end(number_types),
                                    [&](const NumberType& t) { return t.name == name; });
    Source source{plain_name(tag.text("Name")), type, tag.count("NumberOfComponents", 1), {}, tag.text("format"),
                  tag.count("offset", 0)};
    if (source.components < 1 || source.components > 1000)
      fail(fmt::format("the array \"{}\" has {} components; must be 1 to 1000", source.name, source.components));
    if (!tag.empty) source.text = xml_.content();
    if (type != std::end(number_types)) sources.push_back(std::move(source));  // texts are passed over
  }
}

void Reader::spend(std::size_t bytes, std::string_view what) {
  if (bytes > budget_) fail(fmt::format("{} announces {} bytes, far more than the file can hold", what, bytes));
  budget_ -= bytes;
}

// A length, then so many bytes; in base64 both are one stream.
std::string Reader::plain(std::string_view text, bool base64) {
  const std::size_t size = wide_ ? 8 : 4;
  auto ahead = text;
  const auto head = base64 ? decode_base64(ahead, size) : std::string(text.substr(0, size));
  if (head.size() < size) fail("an array is cut off");
  const auto length = header_number(head.data());
  if (length > text.size()) fail(fmt::format("an array announces {} bytes, but {} are left", length, text.size()));
  spend(length, "an array");
  std::string out = base64 ? decode_base64(text, size + length) : std::string(text.substr(0, size + length));
  if (out.size() < size + length) fail("an array is cut off");
  borrowed_ += length;
  return out.substr(size, length);
}

// Block count, block size, size of the last, packed sizes; then the blocks. In base64 these are two streams.
std::string Reader::unpacked(std::string_view text, bool base64) {
  const std::size_t size = wide_ ? 8 : 4;
  auto ahead = text;
  auto header = base64 ? decode_base64(ahead, 3 * size) : std::string(text.substr(0, 3 * size));
  if (header.size() < 3 * size) fail("an array is cut off");
  const auto blocks = header_number(header.data()), block = header_number(header.data() + size),
             last = header_number(header.data() + 2 * size);
  if (blocks > text.size() / size)
    fail(fmt::format("an array announces {} blocks, but {} bytes are left", blocks, text.size()));
  const std::size_t whole = (3 + blocks) * size;
  header = base64 ? decode_base64(text, whole) : std::string(text.substr(0, whole));
  if (header.size() < whole) fail("an array is cut off");
  if (!base64) text.remove_prefix(whole);
  std::size_t total = 0;
  for (std::size_t b = 0; b < blocks; ++b) {
    const auto length = header_number(header.data() + (3 + b) * size);
    if (length > text.size() || (total += length) > text.size())
      fail(fmt::format("an array announces {} packed bytes, but {} are left", length, text.size()));
    spend(b + 1 == blocks && last > 0 ? last : block, "a block");
  }
  const auto packed = base64 ? decode_base64(text, total) : std::string(text.substr(0, total));
  if (packed.size() < total) fail("an array is cut off");
  borrowed_ += total;
  std::string out;
  for (std::size_t b = 0, at = 0; b < blocks; ++b) {
    const auto length = header_number(header.data() + (3 + b) * size), before = out.size();
    const auto wanted = b + 1 == blocks && last > 0 ? last : block;
    out.resize(before + wanted);
    auto got = static_cast<uLongf>(wanted);
    const int code = uncompress(reinterpret_cast<Bytef*>(out.data() + before), &got,
                                reinterpret_cast<const Bytef*>(packed.data() + at), static_cast<uLong>(length));
    if (code != Z_OK || got != wanted) fail("a compressed array is damaged");
    at += length;
  }
  return out;
}

template <class Out>
std::vector<Out> Reader::numbers_of(const Source& source) {
  std::vector<Out> numbers;
  if (source.format == "ascii" || source.format.empty()) {
    Text text(source.text);
    numbers.reserve(source.text.size() / 4);
    while (!text.at_end()) {
      if constexpr (std::integral<Out>)
        numbers.push_back(text.number<Out>("a number of an array"));
      else
        numbers.push_back(text.number<double>("a number of an array"));
    }
    return numbers;
  }
  const bool appended = source.format == "appended";
  if (appended && source.offset > appended_.size())
    fail(fmt::format("the array \"{}\" begins behind the end of the file", source.name));
  auto text = appended ? appended_.substr(source.offset) : source.text;
  const bool base64 = !appended || appended_base64_;
  const auto blank = text.find_first_not_of(" \t\r\n");
  if (base64) text.remove_prefix(std::min(blank, text.size()));
  if (text.empty()) return numbers;
  const auto bytes = compressed_ ? unpacked(text, base64) : plain(text, base64);
  // Each array has bytes of its own: sharing them would let a small file grow without end.
  if (borrowed_ > bytes_.size()) fail("its arrays overlap");
  if (bytes.size() % source.type->size != 0) fail(fmt::format("the array \"{}\" ends within a number", source.name));
  numbers.reserve(bytes.size() / source.type->size);
  for (std::size_t at = 0; at < bytes.size(); at += source.type->size)
    numbers.push_back(load_as<Out>(bytes.data() + at, source.type->number, swap_));
  return numbers;
}

void Reader::take(const Sources& sources, std::vector<Array>& arrays) {
  for (const auto& source : sources)
    arrays.push_back({source.name, static_cast<int>(source.components), numbers_of<double>(source)});
}

void Reader::take_points(const Sources& sources, std::size_t count) {
  if (sources.empty()) return;
  const auto values = numbers_of<double>(sources.front());
  if (values.size() / 3 != count || values.size() % 3 != 0)
    fail(fmt::format("{} points are announced, but there are {} coordinates", count, values.size()));
  data_.points.resize(count);
  for (std::size_t i = 0; i < count; ++i) data_.points[i] = {values[3 * i], values[3 * i + 1], values[3 * i + 2]};
}

// `type` of all cells, or 0: the array "types" has it.
void Reader::take_cells(const Sources& sources, int type) {
  const auto base = static_cast<std::int64_t>(data_.connectivity.size());
  const auto before = data_.types.size();
  for (const auto& source : sources) {
    if (source.name == "connectivity") {
      const auto nodes = numbers_of<std::int64_t>(source);
      data_.connectivity.insert(data_.connectivity.end(), nodes.begin(), nodes.end());
    } else if (source.name == "offsets") {
      for (const auto offset : numbers_of<std::int64_t>(source)) {
        if (offset < 0 || offset > static_cast<std::int64_t>(bytes_.size() * most_inflation))
          fail(fmt::format("a cell ends at {}", offset));
        data_.offsets.push_back(base + offset);
      }
    } else if (source.name == "types" && type == 0) {
      for (const auto value : numbers_of<std::int64_t>(source))
        data_.types.push_back(static_cast<int>(std::clamp<std::int64_t>(value, 0, 1000)));
    }
  }
  if (type != 0) data_.types.resize(std::max(before, data_.offsets.size()), type);
}

void Reader::read_piece(const XmlTag& piece) {
  if (std::exchange(piece_read_, true)) fail("it has several pieces; save it as one");
  if (piece.empty) return;
  const auto points = piece.count("NumberOfPoints", 0);
  while (true) {
    const auto tag = xml_.next();
    if (tag.name.empty()) fail("its Piece is not closed");
    if (tag.closing && tag.name == "Piece") return;
    if (tag.closing || tag.empty) continue;
    const std::string name(tag.name);
    const auto sources = read_sources(name);
    if (name == "PointData") take(sources, data_.point_data);
    if (name == "CellData") take(sources, data_.cell_data);
    if (name == "FieldData") take(sources, data_.field_data);
    if (name == "Points") take_points(sources, points);
    if (name == "Cells") take_cells(sources, 0);
    if (name == "Verts") take_cells(sources, 2);
    if (name == "Lines") take_cells(sources, 4);
    if (name == "Strips") take_cells(sources, 6);
    if (name == "Polys") take_cells(sources, 7);
  }
}

ForeignMesh Reader::read() {
  read_header(xml_.next());
  for (auto tag = xml_.next(); !tag.name.empty(); tag = xml_.next()) {
    if (tag.closing || tag.empty) continue;
    if (tag.name == "FieldData") take(read_sources("FieldData"), data_.field_data);
    if (tag.name == "Piece") read_piece(tag);
  }
  if (!piece_read_) fail("it holds no Piece");
  return from_vtk(std::move(data_), monitor_);
}

}  // namespace

ForeignMesh read_vtk_xml(std::string_view bytes, const Monitor& monitor) { return Reader(bytes, monitor).read(); }

}  // namespace cardiotwin::exchange
