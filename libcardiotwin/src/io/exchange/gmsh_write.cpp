// Gmsh's .msh as text, 4.1 and 2.2. A region or surface tag is a physical group; a node set is a named physical group
// of points; fibres and sheets are fields over elements, which are numbered lines, triangles, tets, points.

#include <fmt/format.h>

#include <iterator>
#include <set>

#include "formats.hpp"

namespace cardiotwin::exchange {
namespace {

using fmt::format_to;

Tag tag_of(const std::vector<Tag>& tags, std::size_t e) { return tags.empty() ? 0 : tags[e]; }

void add_header(std::string& out, const char* version, const ForeignMesh& mesh) {
  out += fmt::format("$MeshFormat\n{} 0 8\n$EndMeshFormat\n$Comments\n{}\n$EndComments\n", version, signature());
  if (mesh.tag_names.empty() && mesh.node_sets.empty()) return;
  out += fmt::format("$PhysicalNames\n{}\n", mesh.tag_names.size() + mesh.node_sets.size());
  for (std::size_t s = 0; s < mesh.node_sets.size(); ++s)
    format_to(std::back_inserter(out), "0 {} \"{}\"\n", s + 1, one_line(mesh.node_sets[s].name));
  for (const auto& [tag, name] : mesh.tag_names)
    format_to(std::back_inserter(out), "3 {} \"{}\"\n", tag, one_line(name));
  out += "$EndPhysicalNames\n";
}

// Rows without data before and after those with: meshio takes only fields that cover every element.
struct Span {
  std::size_t before, after;
};

void add_field(std::string& out, const char* section, const std::string& name, int width,
               std::span<const double> values, const Span& none) {
  const auto columns = static_cast<std::size_t>(width);
  const auto rows = values.size() / columns;
  std::string empty;
  for (std::size_t k = 0; k < columns; ++k) empty += " nan";
  const auto total = none.before + rows + none.after;
  out += fmt::format("${}\n1\n\"{}\"\n1\n0\n3\n0\n{}\n{}\n", section, one_line(name), width, total);
  for (std::size_t i = 0; i < total; ++i) {
    format_to(std::back_inserter(out), "{}", i + 1);
    if (i < none.before || i >= none.before + rows) {
      out += empty;
    } else {
      for (std::size_t k = 0; k < columns; ++k)
        format_to(std::back_inserter(out), " {}", values[(i - none.before) * columns + k]);
    }
    out += '\n';
  }
  out += fmt::format("$End{}\n", section);
}

void add_fields(std::string& out, const ForeignMesh& mesh) {
  std::size_t points = 0;
  for (const auto& set : mesh.node_sets) points += set.nodes.size();
  const Span around_triangles{mesh.lines.size(), mesh.tets.size() + points};
  const Span around_tets{mesh.lines.size() + mesh.triangles.size(), points};
  const auto add_directions = [&](const char* name, const std::vector<Vec3>& directions) {
    if (directions.empty()) return;
    add_field(out, "ElementData", name, 3, {directions.front().data(), 3 * directions.size()}, around_tets);
  };
  add_directions("fiber", mesh.fibers), add_directions("sheet", mesh.sheets);
  for (const auto& f : mesh.node_fields) add_field(out, "NodeData", f.name, f.components, f.values, {0, 0});
  for (const auto& f : mesh.tet_fields) add_field(out, "ElementData", f.name, f.components, f.values, around_tets);
  for (const auto& f : mesh.triangle_fields)
    add_field(out, "ElementData", f.name, f.components, f.values, around_triangles);
}

template <std::size_t N>
void add_element(std::string& out, std::size_t number, const std::string& head, const std::array<Index, N>& nodes) {
  format_to(std::back_inserter(out), "{}{}", number, head);
  for (const Index node : nodes) format_to(std::back_inserter(out), " {}", node + 1);
  out += '\n';
}

// One entity per dimension and tag; of points, one per node set.
struct Entities {
  std::vector<std::set<Tag>> tags{4};
  std::size_t number(int dimension, Tag tag) const {
    const auto& all = tags[static_cast<std::size_t>(dimension)];
    return static_cast<std::size_t>(std::distance(all.begin(), all.find(tag))) + 1;
  }
};

Entities entities_of(const ForeignMesh& mesh) {
  Entities entities;
  const auto collect = [&](std::size_t dimension, std::size_t count, const std::vector<Tag>& tags) {
    for (std::size_t e = 0; e < count; ++e) entities.tags[dimension].insert(tag_of(tags, e));
  };
  for (std::size_t s = 0; s < mesh.node_sets.size(); ++s) entities.tags[0].insert(static_cast<Tag>(s + 1));
  collect(1, mesh.lines.size(), mesh.line_tags);
  collect(2, mesh.triangles.size(), mesh.triangle_tags);
  collect(3, mesh.tets.size(), mesh.tet_tags);
  return entities;
}

void add_entities(std::string& out, const ForeignMesh& mesh, const Entities& entities) {
  Vec3 low = Vec3::Zero(), high = Vec3::Zero();
  if (!mesh.points.empty()) low = high = mesh.points.front();
  for (const auto& p : mesh.points) low = low.cwiseMin(p), high = high.cwiseMax(p);
  out += "$Entities\n";
  for (std::size_t d = 0; d < 4; ++d)
    format_to(std::back_inserter(out), "{}{}", entities.tags[d].size(), d < 3 ? ' ' : '\n');
  for (std::size_t d = 0; d < 4; ++d) {
    std::size_t number = 1;
    for (const Tag tag : entities.tags[d]) {
      format_to(std::back_inserter(out), "{} {} {} {}", number++, low.x(), low.y(), low.z());
      if (d > 0) format_to(std::back_inserter(out), " {} {} {}", high.x(), high.y(), high.z());
      format_to(std::back_inserter(out), " 1 {}{}\n", tag, d > 0 ? " 0" : "");
    }
  }
  out += "$EndEntities\n";
}

void add_nodes(std::string& out, const ForeignMesh& mesh) {
  const int dimension = !mesh.tets.empty() ? 3 : !mesh.triangles.empty() ? 2 : !mesh.lines.empty() ? 1 : 0;
  const auto count = mesh.points.size();
  out += fmt::format("$Nodes\n{} {} 1 {}\n", count > 0 ? 1 : 0, count, count);
  if (count > 0) out += fmt::format("{} 1 0 {}\n", dimension, count);
  for (std::size_t i = 0; i < count; ++i) format_to(std::back_inserter(out), "{}\n", i + 1);
  for (const auto& p : mesh.points) format_to(std::back_inserter(out), "{} {} {}\n", p.x(), p.y(), p.z());
  out += "$EndNodes\n";
}

template <std::size_t N>
void add_blocks(std::string& out, int dimension, int type, const Entities& entities,
                const std::vector<std::array<Index, N>>& elements, const std::vector<Tag>& tags, std::size_t first) {
  std::map<Tag, std::vector<std::size_t>> by_tag;
  for (std::size_t e = 0; e < elements.size(); ++e) by_tag[tag_of(tags, e)].push_back(e);
  for (const auto& [tag, members] : by_tag) {
    out += fmt::format("{} {} {} {}\n", dimension, entities.number(dimension, tag), type, members.size());
    for (const auto e : members) add_element(out, first + e, "", elements[e]);
  }
}

}  // namespace

std::string write_gmsh(const ForeignMesh& mesh) {
  std::string out;
  add_header(out, "4.1", mesh);
  const auto entities = entities_of(mesh);
  add_entities(out, mesh, entities);
  add_nodes(out, mesh);
  std::size_t blocks = 0, points = 0;
  for (const auto& tags : entities.tags) blocks += tags.size();
  for (const auto& set : mesh.node_sets) points += set.nodes.size();
  const std::size_t solid = mesh.lines.size() + mesh.triangles.size() + mesh.tets.size(), total = solid + points;
  out += fmt::format("$Elements\n{} {} 1 {}\n", blocks, total, total);
  add_blocks(out, 1, 1, entities, mesh.lines, mesh.line_tags, 1);
  add_blocks(out, 2, 2, entities, mesh.triangles, mesh.triangle_tags, mesh.lines.size() + 1);
  add_blocks(out, 3, 4, entities, mesh.tets, mesh.tet_tags, mesh.lines.size() + mesh.triangles.size() + 1);
  std::size_t number = solid;
  for (std::size_t s = 0; s < mesh.node_sets.size(); ++s) {
    out += fmt::format("0 {} 15 {}\n", s + 1, mesh.node_sets[s].nodes.size());
    for (const Index node : mesh.node_sets[s].nodes) add_element(out, ++number, "", std::array{node});
  }
  out += "$EndElements\n";
  add_fields(out, mesh);
  return out;
}

std::string write_gmsh2(const ForeignMesh& mesh) {
  std::string out;
  add_header(out, "2.2", mesh);
  out += fmt::format("$Nodes\n{}\n", mesh.points.size());
  for (std::size_t i = 0; i < mesh.points.size(); ++i) {
    const auto& p = mesh.points[i];
    format_to(std::back_inserter(out), "{} {} {} {}\n", i + 1, p.x(), p.y(), p.z());
  }
  std::size_t points = 0, number = 0;
  for (const auto& set : mesh.node_sets) points += set.nodes.size();
  out +=
      fmt::format("$EndNodes\n$Elements\n{}\n", mesh.lines.size() + mesh.triangles.size() + mesh.tets.size() + points);
  const auto add = [&](int type, const auto& elements, const std::vector<Tag>& tags) {
    for (std::size_t e = 0; e < elements.size(); ++e)
      add_element(out, ++number, fmt::format(" {} 2 {} {}", type, tag_of(tags, e), tag_of(tags, e)), elements[e]);
  };
  add(1, mesh.lines, mesh.line_tags), add(2, mesh.triangles, mesh.triangle_tags), add(4, mesh.tets, mesh.tet_tags);
  for (std::size_t s = 0; s < mesh.node_sets.size(); ++s)
    for (const Index node : mesh.node_sets[s].nodes)
      add_element(out, ++number, fmt::format(" 15 2 {} {}", s + 1, s + 1), std::array{node});
  out += "$EndElements\n";
  add_fields(out, mesh);
  return out;
}

}  // namespace cardiotwin::exchange
