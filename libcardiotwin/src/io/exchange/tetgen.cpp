// TetGen's .node, .ele, .face and .edge (https://wias-berlin.de/software/tetgen/fformats.html): text with comments,
// counted from 0 or 1; and the binary variant of Chaste's TrianglesMeshWriter: a header line that ends in BIN, then
// doubles (nodes), 32-bit node numbers from 0 and doubles (elements), without item numbers.

#include <bit>
#include <cmath>
#include <cstring>
#include <iterator>

#include "formats.hpp"
#include "text.hpp"

namespace cardiotwin::exchange {
namespace {

static_assert(std::endian::native == std::endian::little, "binary files are little-endian");

// One file of rows: node numbers or coordinates, then attributes and markers as doubles.
struct Table {
  bool binary = false;
  std::size_t rows = 0;
  int columns = 0, attributes = 0;  // a marker counts as the last attribute
  Index first = 0;                  // number of the first row, 0 or 1
};

// `header` numbers follow the count: how many there are differs from file to file.
Table read_header(Text& text, const char* what, int header, int* numbers) {
  Table table;
  const auto rows = text.number<std::int64_t>(fmt::format("the number of {}", what));
  for (int k = 0; k < header && !text.line_ends(); ++k) {
    Text ahead = text;
    if (ahead.word() == "BIN") break;
    numbers[k] = text.number<int>("a number of the header");
    if (numbers[k] < 0 || numbers[k] > 1000) text.fail(fmt::format("{} is no sound number of columns", numbers[k]));
  }
  if (!text.line_ends()) table.binary = text.word() == "BIN";
  text.line();
  if (rows < 0 || static_cast<std::size_t>(rows) > text.left())
    text.fail(fmt::format("{} {} are announced, but only {} bytes are left", rows, what, text.left()));
  table.rows = static_cast<std::size_t>(rows);
  return table;
}

void require_room(Text& text, const Table& table, const char* what, std::size_t binary_bytes) {
  const auto items = static_cast<std::size_t>(table.columns + table.attributes);
  const auto least = table.binary ? binary_bytes : 2 * (items + 1);
  if (least > 0 && table.rows > text.left() / least + 1)
    text.fail(fmt::format("{} {} are announced, but only {} bytes are left", table.rows, what, text.left()));
}

template <class T>
T take(Text& text, const Table& table, const char* what) {
  if (!table.binary) return text.number<T>(what);
  T value;
  std::memcpy(&value, text.raw(sizeof(T), what).data(), sizeof(T));
  return value;
}

// Passes over a row's number; the first one says whether the file counts from 0 or 1.
void take_number(Text& text, Table& table, std::size_t row) {
  if (table.binary) return;
  const auto number = text.number<std::int64_t>("an item number");
  if (row == 0) {
    if (number != 0 && number != 1) text.fail(fmt::format("items are counted from {}; must be 0 or 1", number));
    table.first = static_cast<Index>(number);
  } else if (number != static_cast<std::int64_t>(row) + table.first) {
    text.fail(fmt::format("item {} stands where {} should", number, row + static_cast<std::size_t>(table.first)));
  }
}

std::vector<Field> make_fields(const Table& table) {
  std::vector<Field> fields(static_cast<std::size_t>(table.attributes));
  for (auto& field : fields) field.values.reserve(table.rows);
  return fields;
}

Index read_nodes(std::string_view bytes, ForeignMesh& mesh) {
  Text text(bytes, '#');
  int numbers[3] = {3, 0, 0};
  Table table = read_header(text, "nodes", 3, numbers);
  if (numbers[0] != 3) text.fail(fmt::format("nodes have {} coordinates; must be 3", numbers[0]));
  if (numbers[2] > 1) text.fail(fmt::format("nodes have {} boundary markers; must be 0 or 1", numbers[2]));
  table.columns = 3, table.attributes = numbers[1] + numbers[2];
  require_room(text, table, "nodes", 8 * static_cast<std::size_t>(3 + table.attributes));
  mesh.points.resize(table.rows);
  auto fields = make_fields(table);
  for (std::size_t i = 0; i < table.rows; ++i) {
    take_number(text, table, i);
    for (int k = 0; k < 3; ++k) mesh.points[i][k] = take<double>(text, table, "a coordinate");
    for (auto& field : fields) field.values.push_back(take<double>(text, table, "an attribute"));
  }
  for (std::size_t a = 0; a < fields.size(); ++a) {
    const bool marker = numbers[2] == 1 && a + 1 == fields.size();
    fields[a].name = marker ? "marker" : fmt::format("attribute {}", a + 1);
  }
  mesh.node_fields = std::move(fields);
  return table.first;
}

template <std::size_t N>
void read_rows(Text& text, Table& table, Index base, std::vector<std::array<Index, N>>& rows,
               std::vector<Field>& fields) {
  rows.resize(table.rows);
  fields = make_fields(table);
  for (std::size_t e = 0; e < table.rows; ++e) {
    take_number(text, table, e);
    for (int k = 0; k < table.columns; ++k) {
      const auto node = take<Index>(text, table, "a node");
      // An item number of a far-off base would wrap round; it is refused with all others out of range.
      if (k < static_cast<int>(N)) rows[e][static_cast<std::size_t>(k)] = node < base ? -1 : node - base;
    }
    for (auto& field : fields) field.values.push_back(take<double>(text, table, "an attribute"));
  }
}

// A column of whole numbers is a list of tags; then it leaves the fields.
std::vector<Tag> take_tags(std::vector<Field>& fields) {
  if (fields.empty()) return {};
  std::vector<Tag> tags;
  tags.reserve(fields.front().values.size());
  for (const double value : fields.front().values) {
    if (!(std::abs(value) < 2147483648.0) || value != std::floor(value)) return {};
    tags.push_back(static_cast<Tag>(value));
  }
  fields.erase(fields.begin());
  return tags;
}

void read_tets(std::string_view bytes, Index base, ForeignMesh& mesh, const Monitor& monitor) {
  Text text(bytes, '#');
  int numbers[2] = {4, 0};
  Table table = read_header(text, "tets", 2, numbers);
  if (numbers[0] != 4 && numbers[0] != 10) text.fail(fmt::format("tets have {} nodes; must be 4 or 10", numbers[0]));
  table.columns = numbers[0], table.attributes = numbers[1];
  require_room(text, table, "tets",
               4 * static_cast<std::size_t>(table.columns) + 8 * static_cast<std::size_t>(table.attributes));
  read_rows(text, table, base, mesh.tets, mesh.tet_fields);
  mesh.tet_tags = take_tags(mesh.tet_fields);
  for (std::size_t a = 0; a < mesh.tet_fields.size(); ++a)
    mesh.tet_fields[a].name = fmt::format("attribute {}", a + (mesh.tet_tags.empty() ? 1 : 2));
  if (numbers[0] == 10) monitor.warn("tets of 10 nodes are read as their 4 corners");
}

template <std::size_t N>
void read_parts(std::string_view bytes, const char* what, Index base, std::vector<std::array<Index, N>>& parts,
                std::vector<Tag>& tags) {
  Text text(bytes, '#');
  int numbers[1] = {0};
  Table table = read_header(text, what, 1, numbers);
  if (numbers[0] > 1) text.fail(fmt::format("{} boundary markers; must be 0 or 1", numbers[0]));
  table.columns = static_cast<int>(N), table.attributes = numbers[0];
  require_room(text, table, what, 4 * N + 8 * static_cast<std::size_t>(table.attributes));
  std::vector<Field> fields;
  read_rows(text, table, base, parts, fields);
  tags = take_tags(fields);
}

template <std::size_t N>
std::string write_parts(const std::vector<std::array<Index, N>>& parts, const std::vector<Tag>& tags) {
  std::string out = fmt::format("# {}\n{} {}\n", signature(), parts.size(), tags.empty() ? 0 : 1);
  for (std::size_t e = 0; e < parts.size(); ++e) {
    fmt::format_to(std::back_inserter(out), "{}", e);
    for (const Index node : parts[e]) fmt::format_to(std::back_inserter(out), " {}", node);
    if (!tags.empty()) fmt::format_to(std::back_inserter(out), " {}", tags[e]);
    out += '\n';
  }
  return out;
}

int total_components(const std::vector<Field>& fields) {
  int total = 0;
  for (const auto& field : fields) total += field.components;
  return total;
}

void add_values(std::string& out, const std::vector<Field>& fields, std::size_t row) {
  for (const auto& field : fields) {
    const auto width = static_cast<std::size_t>(field.components);
    for (std::size_t k = 0; k < width; ++k)
      fmt::format_to(std::back_inserter(out), " {}", field.values[row * width + k]);
  }
}

}  // namespace

ForeignMesh read_tetgen(const TetgenBytes& files, const Monitor& monitor) {
  ForeignMesh mesh;
  Index base = 0;
  within(".node", [&] { base = read_nodes(files.nodes, mesh); });
  within(".ele", [&] { read_tets(files.elements, base, mesh, monitor); });
  if (files.faces)
    within(".face", [&] { read_parts(*files.faces, "faces", base, mesh.triangles, mesh.triangle_tags); });
  if (files.edges) within(".edge", [&] { read_parts(*files.edges, "edges", base, mesh.lines, mesh.line_tags); });
  return mesh;
}

Files write_tetgen(const ForeignMesh& mesh) {
  Files files;
  std::string out =
      fmt::format("# {}\n{} 3 {} 0\n", signature(), mesh.points.size(), total_components(mesh.node_fields));
  for (std::size_t i = 0; i < mesh.points.size(); ++i) {
    const auto& p = mesh.points[i];
    fmt::format_to(std::back_inserter(out), "{} {} {} {}", i, p.x(), p.y(), p.z());
    add_values(out, mesh.node_fields, i);
    out += '\n';
  }
  files.emplace_back(".node", std::move(out));
  const bool tagged = !mesh.tet_tags.empty();
  out = fmt::format("# {}\n{} 4 {}\n", signature(), mesh.tets.size(),
                    (tagged ? 1 : 0) + total_components(mesh.tet_fields));
  for (std::size_t t = 0; t < mesh.tets.size(); ++t) {
    const auto& n = mesh.tets[t];
    fmt::format_to(std::back_inserter(out), "{} {} {} {} {}", t, n[0], n[1], n[2], n[3]);
    if (tagged) fmt::format_to(std::back_inserter(out), " {}", mesh.tet_tags[t]);
    add_values(out, mesh.tet_fields, t);
    out += '\n';
  }
  files.emplace_back(".ele", std::move(out));
  if (!mesh.triangles.empty()) files.emplace_back(".face", write_parts(mesh.triangles, mesh.triangle_tags));
  if (!mesh.lines.empty()) files.emplace_back(".edge", write_parts(mesh.lines, mesh.line_tags));
  return files;
}

}  // namespace cardiotwin::exchange
