// openCARP: .pts, .elem, .lon, .vtx (https://opencarp.org/manual/opencarp-manual-latest.pdf, "File formats").

#include <cctype>
#include <iterator>

#include "formats.hpp"
#include "text.hpp"

namespace cardiotwin::exchange {
namespace {

using fmt::format_to;

struct Kind {
  std::string_view name;
  int nodes;
};
constexpr Kind kinds[] = {{"Tt", 4}, {"Tr", 3}, {"Ln", 2}, {"Cx", 2}, {"Qd", 4}, {"Py", 5}, {"Pr", 6}, {"Hx", 8}};

std::vector<Vec3> read_points(std::string_view bytes) {
  Text text(bytes);
  std::vector<Vec3> points(text.count("points", 6));
  for (auto& p : points) {
    for (int k = 0; k < 3; ++k) p[k] = text.number<double>("a coordinate");
  }
  return points;
}

// Elements in the order of the file: which of them are tets is needed for the fibres, one line per element.
struct Elements {
  std::vector<bool> is_tet;
  std::map<std::string, std::size_t> passed_over;
};

template <std::size_t N>
void read_element(Text& text, std::vector<std::array<Index, N>>& elements, std::vector<Tag>& tags, bool& tagged) {
  auto& nodes = elements.emplace_back();
  for (auto& node : nodes) node = text.number<Index>("a node");
  const bool has_tag = !text.line_ends();
  tags.push_back(has_tag ? text.number<Tag>("a region tag") : 0);
  tagged |= has_tag;
}

Elements read_elements(std::string_view bytes, ForeignMesh& mesh) {
  Text text(bytes);
  const auto count = text.count("elements", 7);
  Elements elements;
  elements.is_tet.reserve(count);
  bool tagged = false;
  for (std::size_t e = 0; e < count; ++e) {
    const auto name = text.word();
    const auto* kind = std::find_if(std::begin(kinds), std::end(kinds), [&](const Kind& k) { return k.name == name; });
    if (kind == std::end(kinds)) {
      if (name.empty()) text.fail(fmt::format("the file ends after {} of {} elements", e, count));
      text.fail(fmt::format("\"{}\" is no type of element; known: Tt, Tr, Ln, Cx, Qd, Py, Pr, Hx", name.substr(0, 20)));
    }
    elements.is_tet.push_back(name == "Tt");
    if (name == "Tt") {
      read_element(text, mesh.tets, mesh.tet_tags, tagged);
    } else if (name == "Tr") {
      read_element(text, mesh.triangles, mesh.triangle_tags, tagged);
    } else if (kind->nodes == 2) {
      read_element(text, mesh.lines, mesh.line_tags, tagged);
    } else {
      ++elements.passed_over[std::string(name)];
    }
    text.line();
  }
  if (!tagged) mesh.tet_tags.clear(), mesh.triangle_tags.clear(), mesh.line_tags.clear();
  return elements;
}

// With a first line that says 1 or 2 directions, or without: then the columns of the first line say it.
void read_fibers(std::string_view bytes, const Elements& elements, ForeignMesh& mesh) {
  Text text(bytes), ahead(bytes);
  if (ahead.at_end()) text.fail("no direction in the file");
  int columns = 0;
  for (; !ahead.line_ends(); ++columns) ahead.word();
  int directions = columns / 3;
  if (columns == 1) {
    directions = text.number<int>("the number of directions");
  } else if (columns % 3 != 0) {
    text.fail(fmt::format("{} columns are neither a fibre (3) nor a fibre and a sheet (6)", columns));
  }
  if (directions != 1 && directions != 2)
    text.fail(fmt::format("{} directions per element; must be 1 or 2", directions));
  if (elements.is_tet.size() > text.left() / 6 + 1)
    text.fail(fmt::format("too short for the directions of {} elements", elements.is_tet.size()));
  mesh.fibers.reserve(mesh.tets.size());
  if (directions == 2) mesh.sheets.reserve(mesh.tets.size());
  for (const bool is_tet : elements.is_tet) {
    Vec3 direction[2];
    for (int d = 0; d < directions; ++d) {
      for (int k = 0; k < 3; ++k) direction[d][k] = text.number<double>("a direction");
    }
    if (!is_tet) continue;
    mesh.fibers.push_back(direction[0]);
    if (directions == 2) mesh.sheets.push_back(direction[1]);
  }
}

template <std::size_t N>
void write_elements(std::string& out, const char* kind, const std::vector<std::array<Index, N>>& elements,
                    const std::vector<Tag>& tags, bool tagged) {
  for (std::size_t e = 0; e < elements.size(); ++e) {
    out += kind;
    for (const Index node : elements[e]) format_to(std::back_inserter(out), " {}", node);
    if (tagged) format_to(std::back_inserter(out), " {}", tags.empty() ? 0 : tags[e]);
    out += '\n';
  }
}

std::string write_fibers(const ForeignMesh& mesh) {
  const bool two = !mesh.sheets.empty();
  std::string out = two ? "2\n" : "1\n";
  const auto add = [&](const Vec3& v, char end) {
    format_to(std::back_inserter(out), "{} {} {}{}", v.x(), v.y(), v.z(), end);
  };
  for (std::size_t t = 0; t < mesh.tets.size(); ++t) {
    add(mesh.fibers[t], two ? ' ' : '\n');
    if (two) add(mesh.sheets[t], '\n');
  }
  // One line per element, whatever its kind; zero is openCARP's "no fibre".
  for (std::size_t e = 0; e < mesh.triangles.size() + mesh.lines.size(); ++e) out += two ? "0 0 0 0 0 0\n" : "0 0 0\n";
  return out;
}

}  // namespace

namespace {

// A set's name becomes part of a file's: letters and digits only, lest it lead into another folder, and no two alike.
std::string file_name(const std::string& name, std::map<std::string, int>& used) {
  std::string plain = name.empty() ? "set" : name;
  const auto odd = [](unsigned char c) { return !std::isalnum(c) && c != '_' && c != '-' && c != '.'; };
  std::replace_if(plain.begin(), plain.end(), odd, '_');
  std::string unique = plain;
  for (int& count = used[plain]; ++count > 1 && used.contains(unique);) unique = fmt::format("{}_{}", plain, count);
  used.try_emplace(unique, 1);
  return fmt::format(".{}.vtx", unique);
}

}  // namespace

NodeSet read_vtx(std::string name, std::string_view bytes) {
  Text text(bytes);
  NodeSet set{std::move(name), {}};
  const auto count = text.count("nodes", 2);
  Text ahead = text;
  if (const auto word = ahead.word(); word == "intra" || word == "extra") text.word();
  set.nodes.reserve(count);
  for (std::size_t i = 0; i < count; ++i) set.nodes.push_back(text.number<Index>("a node"));
  return set;
}

ForeignMesh read_opencarp(const OpencarpBytes& files, const Monitor& monitor) {
  ForeignMesh mesh;
  Elements elements;
  within(".pts", [&] { mesh.points = read_points(files.points); });
  within(".elem", [&] { elements = read_elements(files.elements, mesh); });
  if (files.fibers) within(".lon", [&] { read_fibers(*files.fibers, elements, mesh); });
  for (const auto& set : files.node_sets)
    within(set.first + ".vtx", [&] { mesh.node_sets.push_back(read_vtx(set.first, set.second)); });
  for (const auto& [name, count] : elements.passed_over)
    monitor.warn(fmt::format("{} elements of type {} are passed over; only Tt, Tr and Ln are read", count, name));
  return mesh;
}

Files write_opencarp(const ForeignMesh& mesh) {
  Files files;
  std::string out = fmt::format("{}\n", mesh.points.size());
  for (const auto& p : mesh.points)
    format_to(std::back_inserter(out), "{} {} {}\n", 1000 * p.x(), 1000 * p.y(), 1000 * p.z());
  files.emplace_back(".pts", std::move(out));
  out = fmt::format("{}\n", mesh.tets.size() + mesh.triangles.size() + mesh.lines.size());
  const bool tagged = !mesh.tet_tags.empty() || !mesh.triangle_tags.empty() || !mesh.line_tags.empty();
  write_elements(out, "Tt", mesh.tets, mesh.tet_tags, tagged);
  write_elements(out, "Tr", mesh.triangles, mesh.triangle_tags, tagged);
  write_elements(out, "Ln", mesh.lines, mesh.line_tags, tagged);
  files.emplace_back(".elem", std::move(out));
  if (!mesh.fibers.empty()) files.emplace_back(".lon", write_fibers(mesh));
  std::map<std::string, int> used;
  for (const auto& set : mesh.node_sets) {
    out = fmt::format("{}\nextra\n", set.nodes.size());
    for (const Index node : set.nodes) format_to(std::back_inserter(out), "{}\n", node);
    files.emplace_back(file_name(set.name, used), std::move(out));
  }
  return files;
}

}  // namespace cardiotwin::exchange
