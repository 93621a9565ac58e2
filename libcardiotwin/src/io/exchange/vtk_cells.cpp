#include "vtk_cells.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cardiotwin/error.hpp>
#include <charconv>
#include <cmath>
#include <span>

namespace cardiotwin::exchange {
namespace {

// Names under which programs of the field keep tags and directions; ours first.
constexpr std::string_view tag_names[] = {"region",  "elemTag", "elemtag",       "tag",       "tags",
                                          "surface", "class",   "gmsh:physical", "attribute", "material"};
constexpr std::string_view fiber_names[] = {"fiber", "fibers", "fibre", "fibres", "f0", "fiber_direction"};
constexpr std::string_view sheet_names[] = {"sheet", "sheets", "s0", "sheet_direction"};
constexpr std::string_view set_prefix = "nodes of ", name_prefix = "tag ";

// A cell of the file and what it became; a polygon becomes several triangles.
struct Origin {
  std::vector<std::size_t> tets, triangles, lines;  // the cell each one comes from
};

[[noreturn]] void fail(const std::string& what) { throw InputError(what); }

Origin take_cells(const VtkData& data, ForeignMesh& mesh, const Monitor& monitor) {
  Origin origin;
  std::map<int, std::size_t> passed_over;
  if (data.offsets.size() != data.types.size())
    fail(fmt::format("there are {} cells, but {} cell types", data.offsets.size(), data.types.size()));
  std::int64_t begin = 0;
  const auto points = static_cast<std::int64_t>(data.points.size());
  for (std::size_t c = 0; c < data.types.size(); ++c) {
    const auto end = data.offsets[c];
    if (end < begin || end > static_cast<std::int64_t>(data.connectivity.size()))
      fail(fmt::format("cell {} ends at {} of {} node numbers", c, end, data.connectivity.size()));
    const std::span nodes(data.connectivity.data() + begin, static_cast<std::size_t>(end - begin));
    begin = end;
    for (const auto node : nodes)
      if (node < 0 || node >= points)
        fail(fmt::format("cell {} names node {}, but there are only {} points", c, node, points));
    const auto at = [&](std::size_t k) { return static_cast<Index>(nodes[k]); };
    const int type = data.types[c];
    if (type == 10 && nodes.size() == 4) {
      mesh.tets.push_back({at(0), at(1), at(2), at(3)}), origin.tets.push_back(c);
    } else if ((type == 5 && nodes.size() == 3) || ((type == 7 || type == 9) && nodes.size() >= 3)) {
      for (std::size_t k = 2; k < nodes.size(); ++k)
        mesh.triangles.push_back({at(0), at(k - 1), at(k)}), origin.triangles.push_back(c);
    } else if ((type == 3 || type == 4) && nodes.size() >= 2) {
      for (std::size_t k = 1; k < nodes.size(); ++k)
        mesh.lines.push_back({at(k - 1), at(k)}), origin.lines.push_back(c);
    } else if (type == 10 || type == 5) {
      fail(fmt::format("cell {} of type {} has {} nodes", c, type, nodes.size()));
    } else {
      ++passed_over[type];
    }
  }
  for (const auto& [type, count] : passed_over)
    monitor.warn(
        fmt::format("{} cells of VTK's type {} are passed over; only tets, polygons and lines are read", count, type));
  return origin;
}

bool whole_numbers(const Array& array) {
  return array.components == 1 && std::all_of(array.values.begin(), array.values.end(), [](double v) {
           return std::abs(v) < 2147483648.0 && v == std::floor(v);
         });
}

// The first array of one of these names that is fit; it leaves the list.
template <class Fit>
std::optional<Array> take_named(std::vector<Array>& arrays, std::span<const std::string_view> names, const Fit& fit) {
  for (const auto name : names) {
    const auto found = std::find_if(arrays.begin(), arrays.end(),
                                    [&](const Array& array) { return array.name == name && fit(array); });
    if (found == arrays.end()) continue;
    Array array = std::move(*found);
    arrays.erase(found);
    return array;
  }
  return std::nullopt;
}

void take_tags(std::vector<Array>& cells, const Origin& origin, ForeignMesh& mesh) {
  const auto array = take_named(cells, tag_names, whole_numbers);
  if (!array) return;
  const auto pick = [&](const std::vector<std::size_t>& from, std::vector<Tag>& tags) {
    for (const auto cell : from) tags.push_back(static_cast<Tag>(array->values[cell]));
  };
  pick(origin.tets, mesh.tet_tags), pick(origin.triangles, mesh.triangle_tags), pick(origin.lines, mesh.line_tags);
}

void take_directions(std::vector<Array>& cells, const Origin& origin, std::span<const std::string_view> names,
                     std::vector<Vec3>& directions) {
  if (origin.tets.empty()) return;
  const auto array = take_named(cells, names, [](const Array& a) { return a.components == 3; });
  if (!array) return;
  for (const auto cell : origin.tets)
    directions.emplace_back(array->values[3 * cell], array->values[3 * cell + 1], array->values[3 * cell + 2]);
}

// The part of a cell array that lies on these cells; nothing where it says nothing there.
void add_part(const Array& array, const std::vector<std::size_t>& cells, std::vector<Field>& fields) {
  if (cells.empty()) return;
  const auto width = static_cast<std::size_t>(array.components);
  Field field{array.name, array.components, {}};
  field.values.reserve(cells.size() * width);
  bool any = false;
  for (const auto cell : cells) {
    for (std::size_t k = 0; k < width; ++k) {
      field.values.push_back(array.values[cell * width + k]);
      any |= !std::isnan(field.values.back());
    }
  }
  if (any) fields.push_back(std::move(field));
}

void take_field_data(const std::vector<Array>& arrays, ForeignMesh& mesh) {
  for (const auto& array : arrays) {
    if (!whole_numbers(array)) continue;
    if (array.name.starts_with(set_prefix)) {
      NodeSet set{array.name.substr(set_prefix.size()), {}};
      for (const double value : array.values) set.nodes.push_back(static_cast<Index>(value));
      mesh.node_sets.push_back(std::move(set));
    } else if (array.name.starts_with(name_prefix) && array.name.find(": ") != std::string::npos) {
      const char* first = array.name.data() + name_prefix.size();
      const auto colon = array.name.find(": ");
      Tag tag = 0;
      const auto [end, error] = std::from_chars(first, array.name.data() + colon, tag);
      if (error == std::errc() && end == array.name.data() + colon) mesh.tag_names[tag] = array.name.substr(colon + 2);
    }
  }
}

void require_places(const std::vector<Array>& arrays, std::size_t places, const char* what) {
  for (const auto& array : arrays) {
    const auto width = static_cast<std::size_t>(array.components);
    if (array.components < 1 || array.values.size() / width != places || array.values.size() % width != 0)
      fail(fmt::format("the array \"{}\" has {} values of {} components for {} {}", array.name, array.values.size(),
                       array.components, places, what));
  }
}

// A field of tets or triangles as part of one array over all cells, NaN elsewhere.
void add_cells(std::vector<Array>& arrays, const Field& field, std::size_t first, std::size_t cells) {
  const auto width = static_cast<std::size_t>(field.components);
  auto found = std::find_if(arrays.begin(), arrays.end(), [&](const Array& array) {
    return array.name == field.name && array.components == field.components;
  });
  if (found == arrays.end())
    found = arrays.insert(found, {field.name, field.components, std::vector<double>(cells * width, NAN)});
  std::copy(field.values.begin(), field.values.end(),
            found->values.begin() + static_cast<std::ptrdiff_t>(first * width));
}

}  // namespace

std::string coded_name(std::string_view name, bool blanks) {
  std::string out;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    const bool coded =
        byte < 32 || std::string_view("%\"<>&").find(c) != std::string_view::npos || (blanks && c == ' ');
    out += coded ? fmt::format("%{:02X}", byte) : std::string(1, c);
  }
  return out;
}

std::string plain_name(std::string_view name) {
  std::string out;
  for (std::size_t k = 0; k < name.size(); ++k) {
    unsigned code = 0;
    const char* first = name.data() + k + 1;
    if (name[k] == '%' && k + 2 < name.size() && std::from_chars(first, first + 2, code, 16).ptr == first + 2) {
      out += static_cast<char>(code), k += 2;
    } else {
      out += name[k];
    }
  }
  return out;
}

ForeignMesh from_vtk(VtkData data, const Monitor& monitor) {
  ForeignMesh mesh;
  const auto origin = take_cells(data, mesh, monitor);
  require_places(data.point_data, data.points.size(), "points");
  require_places(data.cell_data, data.types.size(), "cells");
  take_tags(data.cell_data, origin, mesh);
  take_directions(data.cell_data, origin, fiber_names, mesh.fibers);
  if (!mesh.fibers.empty()) take_directions(data.cell_data, origin, sheet_names, mesh.sheets);
  take_field_data(data.field_data, mesh);
  for (const auto& array : data.cell_data) {
    add_part(array, origin.tets, mesh.tet_fields);
    add_part(array, origin.triangles, mesh.triangle_fields);
  }
  for (auto& array : data.point_data)
    mesh.node_fields.push_back({std::move(array.name), array.components, std::move(array.values)});
  mesh.points = std::move(data.points);
  return mesh;
}

VtkData to_vtk(const ForeignMesh& mesh) {
  VtkData data;
  data.points = mesh.points;
  const auto add = [&](int type, const auto& elements) {
    for (const auto& element : elements) {
      data.connectivity.insert(data.connectivity.end(), element.begin(), element.end());
      data.offsets.push_back(static_cast<std::int64_t>(data.connectivity.size()));
      data.types.push_back(type);
    }
  };
  add(10, mesh.tets), add(5, mesh.triangles), add(3, mesh.lines);
  const auto cells = data.types.size();
  if (!mesh.tet_tags.empty() || !mesh.triangle_tags.empty() || !mesh.line_tags.empty()) {
    Array tags{"region", 1, std::vector<double>(cells, 0.0)};
    std::size_t at = 0;
    const auto put = [&](const std::vector<Tag>& part, std::size_t count) {
      for (std::size_t e = 0; e < part.size(); ++e) tags.values[at + e] = part[e];
      at += count;
    };
    put(mesh.tet_tags, mesh.tets.size()), put(mesh.triangle_tags, mesh.triangles.size());
    put(mesh.line_tags, mesh.lines.size());
    data.cell_data.push_back(std::move(tags));
  }
  const auto add_directions = [&](const char* name, const std::vector<Vec3>& directions) {
    if (directions.empty()) return;
    Array array{name, 3, std::vector<double>(3 * cells, 0.0)};
    for (std::size_t t = 0; t < directions.size(); ++t)
      for (std::size_t k = 0; k < 3; ++k) array.values[3 * t + k] = directions[t][static_cast<Eigen::Index>(k)];
    data.cell_data.push_back(std::move(array));
  };
  add_directions("fiber", mesh.fibers), add_directions("sheet", mesh.sheets);
  for (const auto& field : mesh.tet_fields) add_cells(data.cell_data, field, 0, cells);
  for (const auto& field : mesh.triangle_fields) add_cells(data.cell_data, field, mesh.tets.size(), cells);
  for (const auto& field : mesh.node_fields) data.point_data.push_back({field.name, field.components, field.values});
  for (const auto& set : mesh.node_sets)
    data.field_data.push_back({std::string(set_prefix) + set.name, 1, {set.nodes.begin(), set.nodes.end()}});
  for (const auto& [tag, name] : mesh.tag_names)
    data.field_data.push_back({fmt::format("{}{}: {}", name_prefix, tag, name), 1, {double(tag)}});
  return data;
}

}  // namespace cardiotwin::exchange
