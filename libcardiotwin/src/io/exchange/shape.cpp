#include "shape.hpp"

#include <fmt/format.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cardiotwin/error.hpp>
#include <map>

namespace cardiotwin {
namespace {

template <class List>
void require_length(const char* what, const List& list, std::size_t wanted, const char* per) {
  if (!list.empty() && list.size() != wanted)
    throw InputError(fmt::format("there are {} {} for {} {}", list.size(), what, wanted, per));
}

template <std::size_t N>
void require_nodes(const char* what, const std::vector<std::array<Index, N>>& elements, std::size_t points) {
  for (std::size_t e = 0; e < elements.size(); ++e) {
    for (const Index node : elements[e]) {
      if (node < 0 || static_cast<std::size_t>(node) >= points)
        throw InputError(fmt::format("{} {} names node {}, but there are only {} points", what, e, node, points));
    }
  }
}

void require_fields(const char* what, const std::vector<Field>& fields, std::size_t places) {
  for (const auto& field : fields) {
    if (field.components < 1 || field.values.size() / static_cast<std::size_t>(field.components) != places ||
        field.values.size() % static_cast<std::size_t>(field.components) != 0)
      throw InputError(fmt::format("the field \"{}\" has {} values of {} components for {} {}", field.name,
                                   field.values.size(), field.components, places, what));
  }
}

void require_finite(const char* what, const std::vector<Vec3>& vectors) {
  for (std::size_t i = 0; i < vectors.size(); ++i)
    if (!vectors[i].allFinite()) throw InputError(fmt::format("{} {} is not finite", what, i));
}

}  // namespace

void ForeignMesh::validate() const {
  require_length("region tags", tet_tags, tets.size(), "tets");
  require_length("fibres", fibers, tets.size(), "tets");
  require_length("sheets", sheets, tets.size(), "tets");
  require_length("surface tags", triangle_tags, triangles.size(), "triangles");
  require_length("line tags", line_tags, lines.size(), "lines");
  if (!sheets.empty() && fibers.empty()) throw InputError("there are sheets, but no fibres");
  require_nodes("tet", tets, points.size());
  require_nodes("triangle", triangles, points.size());
  require_nodes("line", lines, points.size());
  for (const auto& set : node_sets) {
    for (const Index node : set.nodes) {
      if (node < 0 || static_cast<std::size_t>(node) >= points.size())
        throw InputError(
            fmt::format("node set \"{}\" names node {}, but there are only {} points", set.name, node, points.size()));
    }
  }
  require_fields("nodes", node_fields, points.size());
  require_fields("tets", tet_fields, tets.size());
  require_fields("triangles", triangle_fields, triangles.size());
  require_finite("point", points);
  require_finite("the fibre of tet", fibers);
  require_finite("the sheet of tet", sheets);
}

namespace exchange {

Repaired repair(const ForeignMesh& file, std::vector<Label> labels) {
  Repaired result;
  result.place.assign(file.points.size(), -1);
  for (const auto& tet : file.tets)
    for (const Index node : tet) result.place[static_cast<std::size_t>(node)] = 0;
  std::vector<Vec3> points;
  for (std::size_t i = 0; i < file.points.size(); ++i) {
    if (result.place[i] < 0) {
      ++result.dropped;
      continue;
    }
    result.place[i] = static_cast<Index>(points.size());
    points.push_back(file.points[i]);
  }
  auto tets = file.tets;
  for (auto& tet : tets) {
    const auto at = [&](int k) -> const Vec3& { return file.points[static_cast<std::size_t>(tet[k])]; };
    if ((at(1) - at(0)).dot((at(2) - at(0)).cross(at(3) - at(0))) < 0) std::swap(tet[2], tet[3]), ++result.turned;
    for (Index& node : tet) node = result.place[static_cast<std::size_t>(node)];
  }
  result.mesh = Mesh(std::move(points), std::move(tets), std::move(labels));
  return result;
}

void add_boundary(ForeignMesh& file) {
  const auto repaired = repair(file, std::vector<Label>(file.tets.size(), 0));
  std::vector<Index> back(repaired.mesh.node_count());
  for (std::size_t i = 0; i < repaired.place.size(); ++i)
    if (repaired.place[i] >= 0) back[static_cast<std::size_t>(repaired.place[i])] = static_cast<Index>(i);
  file.triangle_tags.clear(), file.triangle_fields.clear(), file.triangles.clear();
  for (const auto& face : boundary_faces(repaired.mesh)) {
    const auto& n = face.nodes;
    file.triangles.push_back({back[static_cast<std::size_t>(n[0])], back[static_cast<std::size_t>(n[1])],
                              back[static_cast<std::size_t>(n[2])]});
  }
}

void triangles_to_node_sets(ForeignMesh& mesh) {
  const std::map<Tag, std::string> names{{1, "endo"}, {2, "epi"}, {3, "base"}, {4, "endo_rv"}};
  std::map<Tag, std::vector<Index>> nodes;
  for (std::size_t t = 0; t < mesh.triangles.size(); ++t) {
    auto& set = nodes[mesh.triangle_tags.empty() ? 0 : mesh.triangle_tags[t]];
    set.insert(set.end(), mesh.triangles[t].begin(), mesh.triangles[t].end());
  }
  for (auto& [tag, set] : nodes) {
    std::sort(set.begin(), set.end());
    set.erase(std::unique(set.begin(), set.end()), set.end());
    const auto name = names.find(tag);
    mesh.node_sets.push_back({name != names.end() ? name->second : fmt::format("surface_{}", tag), std::move(set)});
  }
  mesh.triangles.clear(), mesh.triangle_tags.clear(), mesh.triangle_fields.clear();
}

void drop_unused_points(ForeignMesh& mesh) {
  std::vector<Index> place(mesh.points.size(), -1);
  const auto mark = [&](const auto& elements) {
    for (const auto& element : elements)
      for (const Index node : element) place[static_cast<std::size_t>(node)] = 0;
  };
  mark(mesh.tets), mark(mesh.triangles), mark(mesh.lines);
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < place.size(); ++i)
    if (place[i] == 0) place[i] = static_cast<Index>(kept.size()), kept.push_back(i);
  if (kept.size() == place.size()) return;
  const auto renumber = [&](auto& elements) {
    for (auto& element : elements)
      for (Index& node : element) node = place[static_cast<std::size_t>(node)];
  };
  renumber(mesh.tets), renumber(mesh.triangles), renumber(mesh.lines);
  for (auto& set : mesh.node_sets) {
    for (Index& node : set.nodes) node = place[static_cast<std::size_t>(node)];
    std::erase(set.nodes, -1);
  }
  for (auto& field : mesh.node_fields) {
    const auto width = static_cast<std::size_t>(field.components);
    for (std::size_t k = 0; k < kept.size(); ++k)
      for (std::size_t c = 0; c < width; ++c) field.values[k * width + c] = field.values[kept[k] * width + c];
    field.values.resize(kept.size() * width);
  }
  for (std::size_t k = 0; k < kept.size(); ++k) mesh.points[k] = mesh.points[kept[k]];
  mesh.points.resize(kept.size());
}

}  // namespace exchange
}  // namespace cardiotwin
