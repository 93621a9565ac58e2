// CARTO 3's .mesh: a triangle surface with columns per vertex, -10000 = no data. Group ids are triangle tags and, where
// they say more than 0, the node field GroupID. Normals are computed anew.

#include <Eigen/Geometry>
#include <cmath>
#include <iterator>

#include "formats.hpp"
#include "shape.hpp"
#include "text.hpp"

namespace cardiotwin::exchange {
namespace {

using fmt::format_to;

constexpr double no_data = -10000;
constexpr std::string_view columns[] = {"Unipolar", "Bipolar", "LAT", "Impedance", "A1",   "A2", "A2-A1",
                                        "SCI",      "ICL",     "ACL", "Force",     "Paso", "uBi"};
constexpr std::string_view flags[] = {"Scar", "EML"};  // of the section of attributes

std::vector<std::string> words(std::string_view line) {
  std::vector<std::string> all;
  Text text(line);
  while (!text.at_end()) all.emplace_back(text.word());
  return all;
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : text_(bytes) {}
  ForeignMesh read();

 private:
  template <class Row>
  std::string read_rows(const Row& row);
  void read_general();
  void read_vertices();
  void read_triangles();
  void read_columns(std::vector<std::string> names);
  void require_count(std::int64_t announced, std::size_t found, const char* what);

  Text text_;
  ForeignMesh mesh_;
  std::int64_t vertices_ = -1, triangles_ = -1;
  std::vector<std::string> names_;
};

// Rows "number = values" up to the next section; gives back the first remark, in which attributes are named.
template <class Row>
std::string Reader::read_rows(const Row& row) {
  std::string remark;
  for (std::int64_t expected = 0; !text_.at_end() && text_.peek() != '[';) {
    if (text_.peek() == ';') {
      const auto line = text_.line();
      if (remark.empty()) remark = line.substr(1);
      continue;
    }
    const auto number = text_.number<std::int64_t>("a row's number");
    if (number != expected++) text_.fail(fmt::format("row {} stands where {} should", number, expected - 1));
    if (text_.word() != "=") text_.fail("\"=\" should stand here");
    row(remark);
  }
  return remark;
}

void Reader::read_general() {
  while (!text_.at_end() && text_.peek() != '[') {
    const auto line = text_.line();
    const auto equal = line.find('=');
    if (line.starts_with(';') || equal == std::string_view::npos) continue;
    const auto key = words(line.substr(0, equal));
    const auto values = words(line.substr(equal + 1));
    if (key.size() != 1 || values.empty()) continue;
    Text value(values.front());
    if (key[0] == "NumVertex") vertices_ = value.number<std::int64_t>("NumVertex");
    if (key[0] == "NumTriangle") triangles_ = value.number<std::int64_t>("NumTriangle");
    if (key[0] == "ColorsNames") names_ = values;
  }
}

void Reader::require_count(std::int64_t announced, std::size_t found, const char* what) {
  if (announced >= 0 && static_cast<std::size_t>(announced) != found)
    text_.fail(fmt::format("{} {} are announced, but there are {}", announced, what, found));
}

void Reader::read_vertices() {
  Field group{"GroupID", 1, {}};
  bool any = false;
  read_rows([&](const std::string&) {
    auto& p = mesh_.points.emplace_back();
    for (int k = 0; k < 3; ++k) p[k] = text_.number<double>("a coordinate");
    for (int k = 0; k < 3; ++k) text_.number<double>("a normal");
    group.values.push_back(text_.number<Tag>("a group"));
    any |= group.values.back() != 0;
  });
  require_count(vertices_, mesh_.points.size(), "vertices");
  if (any) mesh_.node_fields.push_back(std::move(group));
}

void Reader::read_triangles() {
  read_rows([&](const std::string&) {
    auto& t = mesh_.triangles.emplace_back();
    for (auto& node : t) node = text_.number<Index>("a vertex");
    for (int k = 0; k < 3; ++k) text_.number<double>("a normal");
    mesh_.triangle_tags.push_back(text_.number<Tag>("a group"));
  });
  require_count(triangles_, mesh_.triangles.size(), "triangles");
  const auto& tags = mesh_.triangle_tags;
  if (std::count(tags.begin(), tags.end(), 0) == std::ssize(tags)) mesh_.triangle_tags.clear();  // CARTO's "no group"
}

// Columns per vertex; without names in the head, those of the section's remark.
void Reader::read_columns(std::vector<std::string> names) {
  std::vector<Field> fields;
  std::size_t rows = 0;
  read_rows([&](const std::string& remark) {
    if (rows++ == 0) {
      if (names.empty()) names = words(remark);
      for (Text ahead = text_; !ahead.line_ends(); ahead.word()) {
        const auto k = fields.size();
        fields.push_back({k < names.size() ? names[k] : fmt::format("column {}", k + 1), 1, {}});
      }
    }
    for (auto& field : fields) {
      const double value = text_.number<double>("a value");
      field.values.push_back(value == no_data ? NAN : value);
    }
  });
  if (rows > 0) require_count(static_cast<std::int64_t>(mesh_.points.size()), rows, "rows of values");
  for (auto& field : fields) mesh_.node_fields.push_back(std::move(field));
}

ForeignMesh Reader::read() {
  if (!text_.line().starts_with("#TriangulatedMeshVersion2.0"))
    text_.fail("the file does not begin with \"#TriangulatedMeshVersion2.0\"");
  bool general = false, colors = false;
  while (!text_.at_end()) {
    const auto section = text_.line();
    if (section == "[GeneralAttributes]") read_general(), general = true;
    if (section == "[VerticesSection]") read_vertices();
    if (section == "[TrianglesSection]") read_triangles();
    if (section == "[VerticesColorsSection]") read_columns(names_), colors = true;
    if (section == "[VerticesAttributesSection]") read_columns({});
  }
  if (!general) text_.fail("the section [GeneralAttributes] is missing");
  require_count(vertices_, mesh_.points.size(), "vertices");
  require_count(triangles_, mesh_.triangles.size(), "triangles");
  if (!names_.empty() && !mesh_.points.empty() && !colors) text_.fail("the section [VerticesColorsSection] is missing");
  return std::move(mesh_);
}

bool is_flag(const Field& field) {
  return std::find(std::begin(flags), std::end(flags), field.name) != std::end(flags);
}

// Area-weighted, outward as the triangles are.
std::vector<Vec3> normals_of(const ForeignMesh& mesh, std::vector<Vec3>& of_triangles) {
  std::vector<Vec3> normals(mesh.points.size(), Vec3::Zero());
  for (const auto& t : mesh.triangles) {
    const auto at = [&](std::size_t k) -> const Vec3& { return mesh.points[static_cast<std::size_t>(t[k])]; };
    const Vec3 normal = (at(1) - at(0)).cross(at(2) - at(0));
    for (const Index node : t) normals[static_cast<std::size_t>(node)] += normal;
    of_triangles.push_back(normal.norm() > 0 ? Vec3(normal.normalized()) : Vec3::Zero());
  }
  for (auto& n : normals)
    if (n.norm() > 0) n.normalize();
  return normals;
}

void add_columns(std::string& out, const std::vector<const Field*>& fields, std::size_t rows, bool whole) {
  for (std::size_t i = 0; i < rows; ++i) {
    format_to(std::back_inserter(out), "{:8} =", i);
    for (const auto* field : fields) {
      const double value = field->values[i];
      if (whole)
        format_to(std::back_inserter(out), " {:8.0f}", std::isnan(value) ? 0.0 : value);
      else
        format_to(std::back_inserter(out), " {:14.6f}", std::isnan(value) ? no_data : value);
    }
    out += "\r\n";
  }
  out += "\r\n";
}

}  // namespace

ForeignMesh read_carto(std::string_view bytes, const Monitor&) { return Reader(bytes).read(); }

// Lines end as CARTO's own do, and each section begins with a remark and an empty line: readers rely on both.
std::string write_carto(const ForeignMesh& mesh) {
  const auto all = scalar_fields(mesh.node_fields);
  std::vector<const Field*> colors, attributes;
  const Field* group = nullptr;
  std::string ids, names;
  std::size_t extra = std::size(columns);
  for (const auto& field : all) {
    if (field.name == "GroupID") {
      group = &field;
    } else if (is_flag(field)) {
      attributes.push_back(&field);
    } else {
      const auto* known = std::find(std::begin(columns), std::end(columns), field.name);
      ids += fmt::format(" {}", known != std::end(columns) ? static_cast<std::size_t>(known - columns) : extra++);
      names += " " + field.name;
      colors.push_back(&field);
    }
  }
  std::string out = fmt::format(
      "#TriangulatedMeshVersion2.0\r\n; {}\r\n\r\n[GeneralAttributes]\r\nMeshID                 = 0\r\n"
      "MeshName               =\r\nNumVertex              = {}\r\nNumTriangle            = {}\r\n"
      "TopologyStatus         = 0\r\nMeshColor              = 0.0 1.0 0.0 1.0\r\n"
      "Matrix                 = 1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1\r\nNumVertexColors        = {}\r\n",
      signature(), mesh.points.size(), mesh.triangles.size(), colors.size());
  if (!colors.empty()) out += fmt::format("ColorsIDs              ={}\r\nColorsNames            ={}\r\n", ids, names);
  std::vector<Vec3> triangle_normals;
  const auto normals = normals_of(mesh, triangle_normals);
  out += "\r\n[VerticesSection]\r\n;  X  Y  Z  NormalX  NormalY  NormalZ  GroupID\r\n\r\n";
  for (std::size_t i = 0; i < mesh.points.size(); ++i) {
    const auto &p = mesh.points[i], &n = normals[i];
    format_to(std::back_inserter(out), "{:8} = {:14.6f} {:14.6f} {:14.6f} {:8.5f} {:8.5f} {:8.5f} {:8.0f}\r\n", i,
              p.x(), p.y(), p.z(), n.x(), n.y(), n.z(), group ? group->values[i] : 0.0);
  }
  out += "\r\n[TrianglesSection]\r\n;  Vertex0  Vertex1  Vertex2  NormalX  NormalY  NormalZ  GroupID\r\n\r\n";
  for (std::size_t t = 0; t < mesh.triangles.size(); ++t) {
    const auto& v = mesh.triangles[t];
    const auto& n = triangle_normals[t];
    format_to(std::back_inserter(out), "{:8} = {:8} {:8} {:8} {:8.5f} {:8.5f} {:8.5f} {:8}\r\n", t, v[0], v[1], v[2],
              n.x(), n.y(), n.z(), mesh.triangle_tags.empty() ? 0 : mesh.triangle_tags[t]);
  }
  out += "\r\n";
  if (!colors.empty()) {
    out += fmt::format("[VerticesColorsSection]\r\n; {}\r\n\r\n", names);
    add_columns(out, colors, mesh.points.size(), false);
  }
  if (!attributes.empty()) {
    out += "[VerticesAttributesSection]\r\n;";
    for (const auto* field : attributes) out += " " + field->name;
    out += "\r\n\r\n";
    add_columns(out, attributes, mesh.points.size(), true);
  }
  return out;
}

}  // namespace cardiotwin::exchange
