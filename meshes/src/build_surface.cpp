// From a closed surface of the muscle to a twin.

#include <fmt/format.h>

#include <Eigen/Eigenvalues>
#include <Eigen/Geometry>
#include <algorithm>
#include <array>
#include <cardiotwin/error.hpp>
#include <cardiotwin/surface_distance.hpp>
#include <cmath>
#include <limits>
#include <set>

#include "build_parts.hpp"

namespace cardiotwin::meshes {
namespace {

struct ClosedSurface {
  std::vector<Vec3> points;
  std::vector<Triangle> triangles;
  std::vector<Surface> tags;

  bool has(Surface tag) const { return std::find(tags.begin(), tags.end(), tag) != tags.end(); }
};

using Edge = std::pair<Index, Index>;
Edge edge_of(const Triangle& t, int side) {
  const Index a = t[side], b = t[(side + 1) % 3];
  return {std::min(a, b), std::max(a, b)};
}

// The value of each triangle, of which SurfaceOptions::surfaces speaks. A triangle of nodes of two values takes that of
// two of them, one of three values the middle one.
std::vector<double> values_of(const ForeignMesh& file, const std::string& field) {
  const auto of_nodes = [&](const Field& nodal) {
    std::vector<double> values;
    for (const auto& t : file.triangles) {
      std::array<double, 3> three{nodal.values[t[0]], nodal.values[t[1]], nodal.values[t[2]]};
      std::sort(three.begin(), three.end());
      values.push_back(three[1]);
    }
    return values;
  };
  std::vector<const Field*> nodal, own;
  std::string names;
  const auto collect = [&](const std::vector<Field>& fields, std::vector<const Field*>& to) {
    for (const auto& candidate : fields) {
      if (candidate.components != 1) continue;
      names += fmt::format("{}{}", names.empty() ? "" : ", ", candidate.name);
      if (field.empty() || candidate.name == field) to.push_back(&candidate);
    }
  };
  collect(file.node_fields, nodal), collect(file.triangle_fields, own);
  if (field.empty() && !file.triangle_tags.empty()) return {file.triangle_tags.begin(), file.triangle_tags.end()};
  if (nodal.size() + own.size() != 1) {
    throw InputError(fmt::format("one field must tell endo, epi and base apart, {}; name it (--surface-field)",
                                 names.empty() ? "but the file has none" : "and the file has " + names));
  }
  return own.empty() ? of_nodes(*nodal.front()) : own.front()->values;
}

std::vector<Surface> tags_of(const ForeignMesh& file, const SurfaceOptions& options) {
  std::vector<Surface> tags;
  std::set<double> unknown;
  for (const double value : values_of(file, options.field)) {
    const auto found = options.surfaces.find(static_cast<Tag>(value));
    if (found == options.surfaces.end() || value != std::floor(value))
      unknown.insert(value);
    else
      tags.push_back(found->second);
  }
  if (!unknown.empty()) {
    std::string list;
    for (const double value : unknown)
      if (list.size() < 60) list += fmt::format("{}{:g}", list.empty() ? "" : ", ", value);
    throw InputError(
        fmt::format("every triangle must belong to a surface, but {} is not named; name all, as in "
                    "--surface-tags 1=base,2=epi,3=endo,4=endo_rv",
                    list));
  }
  return tags;
}

ClosedSurface closed_surface(const ForeignMesh& file, const SurfaceOptions& options) {
  if (file.triangles.empty()) throw InputError("there are no triangles; a closed surface of the muscle is needed");
  std::vector<Edge> edges;
  for (const auto& t : file.triangles)
    for (int side = 0; side < 3; ++side) edges.push_back(edge_of(t, side));
  std::sort(edges.begin(), edges.end());
  std::size_t open = 0;
  for (std::size_t first = 0, last = 0; first < edges.size(); first = last) {
    while (last < edges.size() && edges[last] == edges[first]) ++last;
    open += last - first != 2;
  }
  if (open > 0) {
    throw InputError(fmt::format(
        "the surface must be closed, each edge between two triangles, but {} edges are not; merge points at the same "
        "place and fill the holes",
        open));
  }
  ClosedSurface surface{file.points, file.triangles, tags_of(file, options)};
  for (const auto& [tag, name] :
       {std::pair(Surface::endo, "endo"), std::pair(Surface::epi, "epi"), std::pair(Surface::base, "base")}) {
    if (!surface.has(tag))
      throw InputError(fmt::format("no triangle is called {}; endo, epi and base are needed (--surface-tags)", name));
  }
  return surface;
}

// Where the row of voxels at (y, z) enters or leaves the surface. Sides are judged in the order of their nodes, so that
// two triangles always agree on the edge between them.
void add_crossings(const ClosedSurface& surface, const Triangle& t, const Grid& grid,
                   std::vector<std::vector<float>>& rows) {
  // Off the lattice by a little, so that no row meets a node exactly.
  const Vec3 shift(0, 0.137e-4, 0.271e-4);
  std::array<Vec3, 3> p;
  for (int k = 0; k < 3; ++k) p[k] = (surface.points[t[k]] - grid.origin).cwiseQuotient(grid.spacing) + shift;
  const Vec3 low = p[0].cwiseMin(p[1]).cwiseMin(p[2]), high = p[0].cwiseMax(p[1]).cwiseMax(p[2]);
  const Vec3 normal = (p[1] - p[0]).cross(p[2] - p[0]);
  if (normal.x() == 0) return;  // seen edge-on
  for (int k = int(std::ceil(low.z())); k <= high.z(); ++k) {
    for (int j = int(std::ceil(low.y())); j <= high.y(); ++j) {
      int left = 0;
      for (int side = 0; side < 3; ++side) {
        const int other = (side + 1) % 3;
        const bool turned = t[side] > t[other];
        const Vec3 &a = p[turned ? other : side], &b = p[turned ? side : other];
        const bool on_left = (b.y() - a.y()) * (k - a.z()) - (b.z() - a.z()) * (j - a.y()) > 0;
        left += on_left != turned;
      }
      if (left != 0 && left != 3) continue;
      const double x = p[0].x() - (normal.y() * (j - p[0].y()) + normal.z() * (k - p[0].z())) / normal.x();
      rows[std::size_t(k) * grid.size[1] + j].push_back(float(x));
    }
  }
}

// Signed distance to the surface, positive inside, exact within `band` of it and cut off beyond [mm].
Image distance_field(const ClosedSurface& surface, double spacing, double margin, const Monitor& monitor) {
  Vec3 low = surface.points[surface.triangles[0][0]], high = low;
  for (const auto& t : surface.triangles)
    for (const Index node : t) low = low.cwiseMin(surface.points[node]), high = high.cwiseMax(surface.points[node]);
  Image field;
  Grid& grid = field.grid;
  grid.spacing.setConstant(spacing);
  grid.origin = low.array() - margin;
  for (int a = 0; a < 3; ++a) {
    const double n = std::ceil((high[a] - low[a] + 2 * margin) / spacing) + 1;
    if (!(n < 2000))
      throw InputError(fmt::format("the surface is {:.0f} mm wide; is its unit right? (--unit)", high[a] - low[a]));
    grid.size[a] = int(n);
  }
  std::vector<std::vector<float>> rows(std::size_t(grid.size[1]) * grid.size[2]);
  for (const auto& t : surface.triangles) add_crossings(surface, t, grid, rows);
  monitor.poll();

  const int reach = 2;
  const auto band = static_cast<float>(reach * spacing);
  Mask near(grid.count(), 0);
  for (const auto& t : surface.triangles) {
    const Vec3 a = grid.index(surface.points[t[0]]), b = grid.index(surface.points[t[1]]),
               c = grid.index(surface.points[t[2]]);
    const Vec3 first = a.cwiseMin(b).cwiseMin(c).array().floor() - reach,
               last = a.cwiseMax(b).cwiseMax(c).array().ceil() + reach;
    for (int k = int(first.z()); k <= int(last.z()); ++k)
      for (int j = int(first.y()); j <= int(last.y()); ++j)
        for (int i = int(first.x()); i <= int(last.x()); ++i)
          if (holds(grid, i, j, k)) near[grid.offset(i, j, k)] = 1;
  }
  const SurfaceDistance distance(surface.points, surface.triangles);
  field.values.resize(grid.count());
#pragma omp parallel for schedule(dynamic)
  for (int k = 0; k < grid.size[2]; ++k) {
    for (int j = 0; j < grid.size[1]; ++j) {
      auto& row = rows[std::size_t(k) * grid.size[1] + j];
      std::sort(row.begin(), row.end());
      std::size_t passed = 0;
      for (int i = 0; i < grid.size[0]; ++i) {
        while (passed < row.size() && row[passed] < float(i)) ++passed;
        const std::size_t v = grid.offset(i, j, k);
        const float size = near[v] ? std::min(band, float(distance(grid.position(Vec3(i, j, k))))) : band;
        field.values[v] = passed % 2 ? size : -size;
      }
    }
  }
  return field;
}

Vec3 centre_of(const ClosedSurface& surface, const Triangle& t) {
  return (surface.points[t[0]] + surface.points[t[1]] + surface.points[t[2]]) / 3;
}

// Mean of a surface's triangles, by area.
Vec3 middle_of(const ClosedSurface& surface, Surface tag) {
  Vec3 sum = Vec3::Zero();
  double area = 0;
  for (std::size_t f = 0; f < surface.triangles.size(); ++f) {
    if (surface.tags[f] != tag) continue;
    const auto& t = surface.triangles[f];
    const Vec3& a = surface.points[t[0]];
    const double own = (surface.points[t[1]] - a).cross(surface.points[t[2]] - a).norm();
    sum += own * centre_of(surface, t), area += own;
  }
  return sum / area;
}

// The plane of the rim where the left endocardium meets the base.
Plane rim_plane(const ClosedSurface& surface) {
  std::set<Edge> of_endo;
  for (std::size_t f = 0; f < surface.triangles.size(); ++f)
    for (int side = 0; side < 3; ++side)
      if (surface.tags[f] == Surface::endo) of_endo.insert(edge_of(surface.triangles[f], side));
  std::vector<std::pair<Vec3, double>> rim;  // middle and length of its edges
  for (std::size_t f = 0; f < surface.triangles.size(); ++f) {
    for (int side = 0; side < 3; ++side) {
      const Edge edge = edge_of(surface.triangles[f], side);
      if (surface.tags[f] != Surface::base || !of_endo.contains(edge)) continue;
      const Vec3 &a = surface.points[edge.first], &b = surface.points[edge.second];
      rim.emplace_back((a + b) / 2, (b - a).norm());
    }
  }
  Plane plane{.centre = Vec3::Zero(), .normal = Vec3::Zero()};
  double length = 0;
  for (const auto& [at, own] : rim) plane.centre += own * at, length += own;
  if (!(length > 20))
    throw InputError(fmt::format("endo meets base along {:.0f} mm only; the base must join endo and epi", length));
  plane.centre /= length;
  Mat3 scatter = Mat3::Zero();
  for (const auto& [at, own] : rim) scatter += own * (at - plane.centre) * (at - plane.centre).transpose();
  plane.normal = Eigen::SelfAdjointEigenSolver<Mat3>(scatter).eigenvectors().col(0);  // of the smallest eigenvalue
  if (plane.normal.dot(plane.centre - middle_of(surface, Surface::endo)) < 0) plane.normal = -plane.normal;
  return plane;
}

TaggedSurface tag_like(const Mesh& mesh, const ClosedSurface& surface, Chambers chambers) {
  const auto faces = boundary_faces(mesh);
  const SurfaceDistance distance(surface.points, surface.triangles);
  std::vector<std::uint8_t> tag(faces.size());
  const auto points = mesh.points();
#pragma omp parallel for schedule(static)
  for (std::size_t f = 0; f < faces.size(); ++f) {
    const auto& n = faces[f].nodes;
    const auto found = distance.nearest((points[n[0]] + points[n[1]] + points[n[2]]) / 3);
    tag[f] = static_cast<std::uint8_t>(surface.tags[found.triangle]);
  }
  return finish_surface(mesh, faces, std::move(tag), rim_plane(surface), chambers);
}

}  // namespace

Twin build_twin_from_surface(const std::filesystem::path& path, const SurfaceOptions& how, const BuildOptions& given,
                             const Monitor& outer) {
  require_options(given);
  Twin twin;
  twin.tissue = Tissue::library(tissue_of(given));
  Step step{.verb = "build", .version = version(), .options = {}, .inputs = {}, .warnings = {}};
  Monitor monitor = outer;
  monitor.warning = [&](std::string_view text) {
    step.warnings.emplace_back(text);
    outer.warn(text);
  };
  monitor.report("build: surface", 0.0);
  ClosedSurface surface;
  try {
    surface = closed_surface(load_mesh(path, {.unit = how.unit}, monitor), how);
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: {}", path.string(), error.what()));
  }
  BuildOptions options = given;
  const bool both = surface.has(Surface::endo_rv);
  options.chambers = both ? Chambers::both_ventricles : Chambers::left_ventricle;
  if (!both && !options.septum) {
    throw InputError(
        fmt::format("{}: without a right endocardium the septum cannot be told; name a point towards it (--septum)",
                    path.string()));
  }
  const FiberSource source = given_fibers(options, monitor);
  monitor.report("build: mesh", 0.2);
  const Image field = distance_field(surface, std::clamp(0.5 * options.edge, 0.2, 1.0), 3 + 2 * options.edge, monitor);
  const Labels healthy{field.grid, std::vector<std::uint8_t>(field.values.size(), region::healthy)};
  Mesh mesh = stuff(field, healthy, {.edge = options.edge}, monitor);
  monitor.report("build: fibres", 0.6);
  auto tagged = tag_like(mesh, surface, options.chambers);
  const Vec3 towards = options.septum ? *options.septum : middle_of(surface, Surface::endo_rv);
  const Septum septum = find_septum({}, tagged.apex, tagged.base_centre, towards, monitor);
  twin.anatomy = make_anatomy(std::move(mesh), std::move(tagged), septum.direction, options, monitor);
  finish_twin(twin, step, source, options, monitor);
  for (const auto& file : mesh_files(path)) step.inputs[file.filename().string()] = sha256_of_file(file);
  step.options = as_text(options);
  twin.provenance.steps.push_back(std::move(step));
  monitor.report("build", 1.0);
  return twin;
}

}  // namespace cardiotwin::meshes
