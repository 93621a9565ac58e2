// Gmsh's .msh, read: 2.2 as text, 4.1 as text and binary (https://gmsh.info/doc/texinfo/gmsh.html#MSH-file-format).

#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>

#include "formats.hpp"
#include "text.hpp"

namespace cardiotwin::exchange {
namespace {

static_assert(std::endian::native == std::endian::little, "binary files are little-endian");

constexpr int nodes_of_type[] = {0, 2,  3,  4,  4, 8,  6,  5,  3,  6,  9, 10, 27, 18, 14, 1,
                                 8, 20, 15, 13, 9, 10, 12, 15, 15, 21, 4, 5,  6,  20, 35, 56};

// Where an element type is linear or has our corners first, which kind it is.
enum class Kind { point, line, triangle, tet, other };
Kind kind_of(int type) {
  switch (type) {
    case 15:
      return Kind::point;
    case 1:
    case 8:
      return Kind::line;
    case 2:
    case 9:
      return Kind::triangle;
    case 4:
    case 11:
      return Kind::tet;
    default:
      return Kind::other;
  }
}

// The numbers a file gives its nodes or elements, and the place of each in our lists.
class Numbers {
 public:
  void add(std::int64_t number) { numbers_.push_back(number); }
  std::size_t size() const { return numbers_.size(); }
  bool ascending() const { return std::is_sorted(numbers_.begin(), numbers_.end()); }
  std::int64_t operator[](std::size_t i) const { return numbers_[i]; }
  void sort_once() {
    order_.clear();
    if (ascending()) return;
    order_.resize(numbers_.size());
    std::iota(order_.begin(), order_.end(), Index(0));
    std::stable_sort(order_.begin(), order_.end(), [&](Index a, Index b) { return at(a) < at(b); });
  }
  const std::vector<Index>& order() const { return order_; }
  /// -1 where there is none.
  Index find(std::int64_t number) const {
    if (order_.empty()) {
      if (numbers_.empty()) return -1;
      // The usual case: without gaps. Unsigned, because numbers may lie further apart than a signed one can say.
      const auto guess = static_cast<std::uint64_t>(number) - static_cast<std::uint64_t>(numbers_.front());
      if (guess < numbers_.size() && numbers_[guess] == number) return static_cast<Index>(guess);
      const auto found = std::lower_bound(numbers_.begin(), numbers_.end(), number);
      return found == numbers_.end() || *found != number ? -1 : static_cast<Index>(found - numbers_.begin());
    }
    const auto found = std::lower_bound(order_.begin(), order_.end(), number,
                                        [&](Index place, std::int64_t value) { return at(place) < value; });
    return found == order_.end() || at(*found) != number ? -1 : *found;
  }

 private:
  std::int64_t at(Index place) const { return numbers_[static_cast<std::size_t>(place)]; }
  std::vector<std::int64_t> numbers_;
  std::vector<Index> order_;
};

class Reader {
 public:
  Reader(std::string_view bytes, const Monitor& monitor) : text_(bytes), monitor_(monitor) {}
  ForeignMesh read();

 private:
  template <class T>
  T get(const char* what) {
    if (!binary_) return text_.number<T>(what);
    T value;
    std::memcpy(&value, text_.raw(sizeof(T), what).data(), sizeof(T));
    return value;
  }
  std::size_t get_count(const char* what, std::size_t least_text, std::size_t least_binary) {
    const auto value = get<std::uint64_t>(what);
    const auto least = binary_ ? least_binary : least_text;
    if (value > text_.left() / least + 1)
      text_.fail(fmt::format("{} {} are announced, but only {} bytes are left", value, what, text_.left()));
    return value;
  }
  void read_format();
  void read_names();
  void read_entities();
  void read_nodes();
  void read_nodes2();
  void read_elements();
  void read_elements2();
  void read_data(bool at_nodes);
  void add_element(int type, std::int64_t number, Tag tag, bool physical, const std::int64_t* nodes);
  Index node(std::int64_t number) const;
  template <std::size_t N>
  void in_order(std::vector<std::array<Index, N>>& elements, std::vector<Tag>& tags, Numbers& numbers);
  void end_section(const std::string& name);
  void add_field(const std::string& name, int width, const std::vector<std::pair<std::int64_t, std::size_t>>& rows,
                 const std::vector<double>& values, const Numbers& numbers, std::vector<Field>& fields);
  void take_fibers();

  Text text_;
  const Monitor& monitor_;
  bool binary_ = false, old_ = false, elements_read_ = false;
  ForeignMesh mesh_;
  Numbers nodes_, lines_, triangles_, tets_;
  std::map<std::pair<int, Tag>, std::string> names_;
  std::map<std::pair<int, Tag>, Tag> physical_;  // of an entity (dimension, number)
  std::map<Tag, NodeSet> sets_;
  std::map<int, std::size_t> passed_over_;
  std::size_t corners_ = 0, groups_ = 0;
};

void Reader::read_format() {
  const auto version = text_.number<double>("the version");
  if (version != 2.2 && version != 4.1)
    text_.fail(fmt::format("version {} is not read; save the mesh as 4.1 or 2.2", version));
  old_ = version == 2.2;
  binary_ = text_.number<int>("the file type") != 0;
  const auto size = text_.number<int>("the data size");
  text_.line();
  if (!binary_) return;
  if (old_) text_.fail("binary files of version 2.2 are not read; save the mesh as 4.1 or as text");
  if (size != 8 || get<std::int32_t>("the byte order") != 1)
    text_.fail("binary files must have 8-byte sizes and little-endian numbers; save the mesh as text");
}

void Reader::read_names() {
  const auto count = text_.count("physical names", 6);
  for (std::size_t i = 0; i < count; ++i) {
    const auto dimension = text_.number<int>("a dimension");
    const auto tag = text_.number<Tag>("a physical tag");
    const auto line = text_.line();
    if (line.size() < 2 || line.front() != '"' || line.back() != '"')
      text_.fail("a physical name must stand in quotes");
    names_[{dimension, tag}] = std::string(line.substr(1, line.size() - 2));
  }
}

void Reader::read_entities() {
  std::size_t counts[4];
  for (auto& count : counts) count = get_count("entities", 8, 36);
  for (int dimension = 0; dimension < 4; ++dimension) {
    for (std::size_t e = 0; e < counts[dimension]; ++e) {
      const auto number = get<std::int32_t>("an entity");
      for (int k = 0; k < (dimension == 0 ? 3 : 6); ++k) get<double>("a coordinate");
      const auto tags = get_count("physical tags", 2, 4);
      for (std::size_t k = 0; k < tags; ++k) {
        const auto tag = get<std::int32_t>("a physical tag");
        if (k == 0) physical_[{dimension, number}] = tag;
      }
      if (tags > 1) ++groups_;
      if (dimension == 0) continue;
      const auto bounds = get_count("bounding entities", 2, 4);
      for (std::size_t k = 0; k < bounds; ++k) get<std::int32_t>("a bounding entity");
    }
  }
}

void Reader::read_nodes2() {
  const auto count = text_.count("nodes", 8);
  mesh_.points.resize(count);
  for (auto& p : mesh_.points) {
    nodes_.add(text_.number<std::int64_t>("a node's number"));
    for (int k = 0; k < 3; ++k) p[k] = text_.number<double>("a coordinate");
  }
}

void Reader::read_nodes() {
  const auto blocks = get_count("blocks of nodes", 8, 20);
  const auto total = get_count("nodes", 8, 32);
  get<std::uint64_t>("the least node"), get<std::uint64_t>("the greatest node");
  mesh_.points.reserve(total);
  for (std::size_t b = 0; b < blocks; ++b) {
    const auto dimension = get<std::int32_t>("a dimension");
    get<std::int32_t>("an entity");
    const bool parametric = get<std::int32_t>("the parametric flag") != 0;
    const auto count = get_count("nodes of a block", 8, 32);
    for (std::size_t i = 0; i < count; ++i) nodes_.add(get<std::int64_t>("a node's number"));
    for (std::size_t i = 0; i < count; ++i) {
      auto& p = mesh_.points.emplace_back();
      for (int k = 0; k < 3; ++k) p[k] = get<double>("a coordinate");
      for (int k = 0; parametric && k < dimension && k < 3; ++k) get<double>("a parameter");
    }
  }
}

Index Reader::node(std::int64_t number) const {
  const Index place = nodes_.find(number);
  if (place < 0) text_.fail(fmt::format("an element names node {}, which is not in the file", number));
  return place;
}

void Reader::add_element(int type, std::int64_t number, Tag tag, bool physical, const std::int64_t* nodes) {
  const Kind kind = kind_of(type);
  if (type == 8 || type == 9 || type == 11) ++corners_;
  const auto add = [&](auto& elements, std::vector<Tag>& tags, Numbers& numbers) {
    auto& element = elements.emplace_back();
    for (std::size_t k = 0; k < element.size(); ++k) element[k] = node(nodes[k]);
    tags.push_back(tag), numbers.add(number);
  };
  if (kind == Kind::tet) add(mesh_.tets, mesh_.tet_tags, tets_);
  if (kind == Kind::triangle) add(mesh_.triangles, mesh_.triangle_tags, triangles_);
  if (kind == Kind::line) add(mesh_.lines, mesh_.line_tags, lines_);
  if (kind == Kind::point && physical) sets_[tag].nodes.push_back(node(nodes[0]));
  if (kind == Kind::other) ++passed_over_[type];
}

void Reader::read_elements2() {
  const auto count = text_.count("elements", 7);
  for (std::size_t e = 0; e < count; ++e) {
    const auto number = text_.number<std::int64_t>("an element's number");
    const auto type = text_.number<int>("an element type");
    const auto tags = text_.number<int>("the number of tags");
    Tag tag[2] = {0, 0};  // physical, then elementary
    for (int k = 0; k < tags; ++k) {
      const auto value = text_.number<Tag>("a tag");
      if (k < 2) tag[k] = value;
    }
    const Kind kind = kind_of(type);
    const int needed = kind == Kind::tet        ? 4
                       : kind == Kind::triangle ? 3
                       : kind == Kind::line     ? 2
                                                : kind == Kind::point;
    std::int64_t nodes[4] = {};
    for (int k = 0; k < needed; ++k) nodes[k] = text_.number<std::int64_t>("a node");
    text_.line();
    add_element(type, number, tag[0] != 0 ? tag[0] : tag[1], tag[0] != 0, nodes);
  }
}

void Reader::read_elements() {
  const auto blocks = get_count("blocks of elements", 8, 20);
  get_count("elements", 4, 16);
  get<std::uint64_t>("the least element"), get<std::uint64_t>("the greatest element");
  for (std::size_t b = 0; b < blocks; ++b) {
    const auto dimension = get<std::int32_t>("a dimension");
    const auto entity = get<std::int32_t>("an entity");
    const auto type = get<std::int32_t>("an element type");
    const auto count = get_count("elements of a block", 4, 16);
    if (type < 1 || type > 31) text_.fail(fmt::format("element type {} is unknown", type));
    const auto found = physical_.find({dimension, entity});
    const bool physical = found != physical_.end();
    for (std::size_t e = 0; e < count; ++e) {
      const auto number = get<std::int64_t>("an element's number");
      std::int64_t nodes[4] = {};
      for (int k = 0; k < nodes_of_type[type]; ++k) {
        const auto value = get<std::int64_t>("a node");
        if (k < 4) nodes[k] = value;
      }
      add_element(type, number, physical ? found->second : entity, physical, nodes);
    }
  }
}

// Elements in the order of their numbers: files of version 4 group them by region.
template <std::size_t N>
void Reader::in_order(std::vector<std::array<Index, N>>& elements, std::vector<Tag>& tags, Numbers& numbers) {
  numbers.sort_once();
  if (numbers.order().empty()) return;
  std::vector<std::array<Index, N>> sorted;
  std::vector<Tag> sorted_tags;
  Numbers sorted_numbers;
  for (const Index place : numbers.order()) {
    const auto i = static_cast<std::size_t>(place);
    sorted.push_back(elements[i]), sorted_tags.push_back(tags[i]), sorted_numbers.add(numbers[i]);
  }
  elements = std::move(sorted), tags = std::move(sorted_tags), numbers = std::move(sorted_numbers);
}

void Reader::read_data(bool at_nodes) {
  std::string name = "field";
  const auto strings = text_.count("texts", 2);
  text_.line();
  for (std::size_t k = 0; k < strings; ++k) {
    const auto line = text_.line();
    if (k == 0) name = line.size() >= 2 && line.front() == '"' ? std::string(line.substr(1, line.size() - 2)) : line;
  }
  const auto reals = text_.count("real tags", 2);
  for (std::size_t k = 0; k < reals; ++k) text_.number<double>("a real tag");
  const auto integers = text_.count("integer tags", 2);
  std::int64_t tags[3] = {0, 0, 0};  // time step, components, rows
  for (std::size_t k = 0; k < integers; ++k) {
    const auto value = text_.number<std::int64_t>("an integer tag");
    if (k < 3) tags[k] = value;
  }
  text_.line();
  if (tags[1] < 1 || tags[1] > 9) text_.fail(fmt::format("a field has {} components; must be 1 to 9", tags[1]));
  const auto width = static_cast<std::size_t>(tags[1]);
  const auto least = binary_ ? 4 + 8 * width : 2 + 2 * width;
  if (tags[2] < 0 || static_cast<std::size_t>(tags[2]) > text_.left() / least + 1)
    text_.fail(fmt::format("{} rows of a field are announced, but only {} bytes are left", tags[2], text_.left()));
  std::vector<std::pair<std::int64_t, std::size_t>> rows;
  std::vector<double> values;
  rows.reserve(static_cast<std::size_t>(tags[2])), values.reserve(static_cast<std::size_t>(tags[2]) * width);
  for (std::int64_t i = 0; i < tags[2]; ++i) {
    rows.emplace_back(get<std::int32_t>("a number"), values.size());
    for (std::size_t k = 0; k < width; ++k) values.push_back(get<double>("a value"));
  }
  if (at_nodes) return add_field(name, tags[1], rows, values, nodes_, mesh_.node_fields);
  add_field(name, tags[1], rows, values, tets_, mesh_.tet_fields);
  add_field(name, tags[1], rows, values, triangles_, mesh_.triangle_fields);
}

// A field of a few places only would take far more memory than its text: it is passed over.
void Reader::add_field(const std::string& name, int width,
                       const std::vector<std::pair<std::int64_t, std::size_t>>& rows, const std::vector<double>& values,
                       const Numbers& numbers, std::vector<Field>& fields) {
  std::size_t found = 0;
  for (const auto& [number, at] : rows) found += numbers.find(number) >= 0;
  if (found == 0) return;
  if (4 * found < numbers.size())
    return monitor_.warn(
        fmt::format("the field \"{}\" covers only {} of {} places: passed over", name, found, numbers.size()));
  const auto columns = static_cast<std::size_t>(width);
  Field field{name, width, std::vector<double>(numbers.size() * columns, NAN)};
  for (const auto& [number, at] : rows) {
    const Index place = numbers.find(number);
    for (std::size_t k = 0; place >= 0 && k < columns; ++k)
      field.values[static_cast<std::size_t>(place) * columns + k] = values[at + k];
  }
  const bool any = std::any_of(field.values.begin(), field.values.end(), [](double v) { return !std::isnan(v); });
  if (any) fields.push_back(std::move(field));
}

void Reader::end_section(const std::string& name) {
  if (binary_ && name != "PhysicalNames") text_.line();
  const auto word = text_.word();
  if (word != "$End" + name)
    text_.fail(fmt::format("\"$End{}\" should stand here, not \"{}\"", name, word.substr(0, 20)));
}

// Fibres and sheets travel as fields of three components over tets.
void Reader::take_fibers() {
  for (auto [name, directions] : {std::pair("fiber", &mesh_.fibers), std::pair("sheet", &mesh_.sheets)}) {
    const auto found =
        std::find_if(mesh_.tet_fields.begin(), mesh_.tet_fields.end(),
                     [&, n = name](const Field& field) { return field.name == n && field.components == 3; });
    if (found == mesh_.tet_fields.end() || (directions == &mesh_.sheets && mesh_.fibers.empty())) continue;
    for (std::size_t t = 0; t < mesh_.tets.size(); ++t)
      directions->emplace_back(found->values[3 * t], found->values[3 * t + 1], found->values[3 * t + 2]);
    mesh_.tet_fields.erase(found);
  }
}

ForeignMesh Reader::read() {
  if (text_.word() != "$MeshFormat") text_.fail("the file does not begin with $MeshFormat");
  read_format();
  end_section("MeshFormat");
  while (!text_.at_end()) {
    const std::string section(text_.word());
    text_.line();
    if (section.size() < 2 || section.front() != '$')
      text_.fail(fmt::format("a section such as $Nodes should begin here, not \"{}\"", section.substr(0, 20)));
    const auto name = section.substr(1);
    if (name == "Nodes" || name == "Elements") {
      if (name == "Nodes" ? nodes_.size() > 0 : elements_read_) text_.fail("the section " + section + " comes twice");
    }
    if (name == "PhysicalNames") {
      read_names();
    } else if (name == "Entities" && !old_) {
      read_entities();
    } else if (name == "Nodes") {
      old_ ? read_nodes2() : read_nodes();
      nodes_.sort_once();
    } else if (name == "Elements") {
      old_ ? read_elements2() : read_elements();
      elements_read_ = true;
      in_order(mesh_.tets, mesh_.tet_tags, tets_), in_order(mesh_.triangles, mesh_.triangle_tags, triangles_);
      in_order(mesh_.lines, mesh_.line_tags, lines_);
    } else if (name == "NodeData" || name == "ElementData") {
      read_data(name == "NodeData");
    } else {
      if (!text_.skip_past("$End" + name)) text_.fail("the section " + section + " has no end");
      continue;
    }
    end_section(name);
  }
  for (auto& [tag, set] : sets_) {
    const auto found = names_.find({0, tag});
    set.name = found != names_.end() ? found->second : fmt::format("points_{}", tag);
    mesh_.node_sets.push_back(std::move(set));
  }
  for (const auto& [key, name] : names_)
    if (key.first == 3) mesh_.tag_names[key.second] = name;
  take_fibers();
  for (const auto& [type, count] : passed_over_)
    monitor_.warn(fmt::format(
        "{} elements of Gmsh's type {} are passed over; only tets, triangles, lines and points are read", count, type));
  if (corners_ > 0) monitor_.warn(fmt::format("{} elements of second order are read as their corners", corners_));
  if (groups_ > 0)
    monitor_.warn(fmt::format("{} entities are in several physical groups; the first one is taken", groups_));
  return std::move(mesh_);
}

}  // namespace

ForeignMesh read_gmsh(std::string_view bytes, const Monitor& monitor) { return Reader(bytes, monitor).read(); }

}  // namespace cardiotwin::exchange
