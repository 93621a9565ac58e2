#include <fmt/format.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cardiotwin/atrium.hpp>
#include <cardiotwin/error.hpp>
#include <cmath>

#include "atrium.hpp"

namespace cardiotwin::meshes {
namespace {

constexpr double rim_rounding = 1.25;  // [mm] below the cut that smoothing may round

struct Facet {
  Vec3 centre, normal;
};
Facet facet(const Mesh& mesh, const Triangle& n) {
  const Vec3 a = mesh.points()[n[0]], b = mesh.points()[n[1]], c = mesh.points()[n[2]];
  return {(a + b + c) / 3, (b - a).cross(c - a).normalized()};
}

// The opening at whose cut a face lies, -1 for none.
int opening_at(const AtrialShape& shape, const Facet& f) {
  const int part = shape.part_at(f.centre);
  for (std::size_t k = 0; k < shape.openings.size(); ++k) {
    const Opening& o = shape.openings[k];
    const double height = o.plane.height(f.centre);
    if (o.part != part || height < -rim_rounding || f.normal.dot(o.plane.normal) < 0.75) continue;
    if ((f.centre - o.plane.centre - height * o.plane.normal).norm() < 1.3 * o.radius + 8) return int(k);
  }
  return -1;
}

void sort_unique(std::vector<Index>& nodes) {
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
}

// Nodes of the surface around the body's outermost point in a direction, where there is no vein to begin from.
std::vector<Index> pole(const Anatomy& a, const AtrialShape& shape, const Vec3& direction) {
  constexpr double disc = 6;
  Vec3 top = shape.centre;
  double height = -INFINITY;
  for (const auto& face : a.surface) {
    const Vec3 c = facet(a.mesh, face.nodes).centre;
    if (shape.part_at(c) == 0 && c.dot(direction) > height) height = c.dot(direction), top = c;
  }
  std::vector<Index> nodes;
  for (const auto& face : a.surface)
    for (const Index n : face.nodes)
      if ((a.mesh.points()[n] - top).norm() < disc) nodes.push_back(n);
  sort_unique(nodes);
  return nodes;
}

AtrialBoundary boundary_of(const Anatomy& a, const AtrialShape& shape, double wall) {
  AtrialBoundary b;
  for (const auto& face : a.surface) {
    auto* nodes = face.tag == Surface::endo ? &b.endo : face.tag == Surface::epi ? &b.epi : nullptr;
    if (nodes) nodes->insert(nodes->end(), face.nodes.begin(), face.nodes.end());
    if (!nodes || !shape.appendage_tip) continue;
    for (const Index n : face.nodes)
      if ((a.mesh.points()[n] - *shape.appendage_tip).norm() < wall + 4) b.appendage.push_back(n);
  }
  for (const Ring& ring : a.rings) {
    auto& nodes = ring.name == "mitral" ? b.mitral : ring.name[0] == 'l' ? b.left_veins : b.right_veins;
    nodes.insert(nodes.end(), ring.nodes.begin(), ring.nodes.end());
  }
  if (b.left_veins.empty()) b.left_veins = pole(a, shape, Vec3(0.85, 0.45, 0.25));
  if (b.right_veins.empty()) b.right_veins = pole(a, shape, Vec3(-0.85, 0.45, 0.25));
  for (auto* nodes : {&b.endo, &b.epi, &b.appendage, &b.left_veins, &b.right_veins}) sort_unique(*nodes);
  return b;
}

// The middle of the wall's parts as seen from the middle of the body, in LPS, and the outer rear side of the valve,
// where the coronary sinus runs.
std::vector<std::pair<std::string, Vec3>> wanted_sites(const Anatomy& a, const AtrialShape& shape) {
  auto wanted = shape.ostia;
  const std::vector<std::pair<const char*, Vec3>> directions{
      {"roof", {0, 0.2, 1}},     {"posterior", {0, 1, 0.1}},  {"anterior", {-0.3, -1, 0.4}},
      {"septum", {-1, -0.5, 0}}, {"lateral", {1, 0.1, -0.3}}, {"inferior", {-0.2, 0.5, -1}}};
  for (const auto& [name, direction] : directions) {
    double best = -INFINITY;
    Vec3 place = shape.centre;
    for (const auto& face : a.surface) {
      if (face.tag != Surface::endo) continue;
      const Vec3 c = facet(a.mesh, face.nodes).centre;
      if (shape.part_at(c) != 0) continue;
      if (const double along = (c - shape.centre).normalized().dot(direction); along > best) best = along, place = c;
    }
    wanted.emplace_back(name, place);
  }
  const Opening& valve = shape.openings.front();
  const Vec3 rear(0.7, 0.7, 0), &n = valve.plane.normal;
  wanted.emplace_back("mitral", valve.plane.centre + valve.radius * (rear - rear.dot(n) * n).normalized() - 4 * n);
  return wanted;
}

}  // namespace

AtrialSurface atrial_surface(const Mesh& mesh, const AtrialWall& wall, const AtrialShape& shape) {
  const Grid& g = wall.labels.grid;
  Mask cavity(g.count()), outside(g.count());
  for (std::size_t v = 0; v < cavity.size(); ++v)
    cavity[v] = wall.labels.values[v] == lv_cavity, outside[v] = wall.labels.values[v] == background && !wall.beyond[v];
  const auto to_cavity = nearest_of(g, cavity), to_outside = nearest_of(g, outside);
  AtrialSurface surface;
  for (const Opening& o : shape.openings) surface.rings.push_back({o.name, o.plane.centre, o.plane.normal, {}});
  std::size_t endo = 0, epi = 0;
  for (const auto& face : boundary_faces(mesh)) {
    const Facet f = facet(mesh, face.nodes);
    Surface tag = Surface::base;
    if (const int opening = opening_at(shape, f); opening >= 0) {
      auto& nodes = surface.rings[std::size_t(opening)].nodes;
      nodes.insert(nodes.end(), face.nodes.begin(), face.nodes.end());
    } else {
      const auto [i, j, k] = nearest_voxel(g, f.centre);
      const std::size_t v =
          g.offset(std::clamp(i, 0, g.size[0] - 1), std::clamp(j, 0, g.size[1] - 1), std::clamp(k, 0, g.size[2] - 1));
      tag = to_cavity.squared[v] < to_outside.squared[v] ? Surface::endo : Surface::epi;
      ++(tag == Surface::endo ? endo : epi);
    }
    surface.faces.push_back({face.nodes, face.tet, tag});
  }
  if (endo == 0 || epi == 0)
    throw InputError("Surface: the atrium has no endocardium or no epicardium; check that the label is its cavity");
  for (auto& ring : surface.rings) {
    sort_unique(ring.nodes);
    if (ring.nodes.empty()) {
      throw InputError(
          fmt::format("Surface: the opening \"{}\" at ({:.1f}, {:.1f}, {:.1f}) mm is closed in the mesh; build with a "
                      "smaller --edge, or correct the labels there",
                      ring.name, ring.centre.x(), ring.centre.y(), ring.centre.z()));
    }
  }
  return surface;
}

Anatomy atrial_anatomy(Mesh mesh, const AtrialWall& wall, const AtrialShape& shape, double site_radius,
                       const Monitor& monitor) {
  Anatomy a;
  a.chamber = Chamber::left_atrium;
  a.mesh = std::move(mesh);
  a.regions = {{region::healthy, "healthy"},
               {region::border_zone, "border_zone"},
               {region::core, "core"},
               {region::channel, "channel"}};
  auto surface = atrial_surface(a.mesh, wall, shape);
  a.surface = std::move(surface.faces), a.rings = std::move(surface.rings);
  auto laid = atrial_fibers(a.mesh, boundary_of(a, shape, wall.thickness), {}, monitor);
  a.fibers = std::move(laid.fibers), a.depth = std::move(laid.depth), a.height = std::move(laid.height);
  a.aha.assign(a.mesh.tet_count(), 0);
  a.base_centre = a.rings.front().centre;
  a.apex = a.rings.size() > 1 ? Vec3(Vec3::Zero()) : Vec3(2 * shape.centre - a.base_centre);
  for (std::size_t k = 1; k < a.rings.size(); ++k) a.apex += a.rings[k].centre / double(a.rings.size() - 1);
  const Vec3 axis = (a.base_centre - a.apex).normalized(), right(-0.8, -0.6, 0);
  a.septum = (right - right.dot(axis) * axis).normalized();
  a.sites = endocardial_sites(a, wanted_sites(a, shape), site_radius);
  return a;
}

}  // namespace cardiotwin::meshes
