#include <fmt/core.h>

#include <algorithm>
#include <cardiotwin/anatomy.hpp>
#include <cardiotwin/error.hpp>
#include <cmath>

namespace cardiotwin {

const Site& Anatomy::site(std::string_view name) const {
  std::vector<std::string> known;
  for (const Site& s : sites) {
    if (s.name == name) return s;
    known.push_back(s.name);
  }
  if (known.empty()) throw InputError(fmt::format("Anatomy: there is no site \"{}\"; it has no sites at all", name));
  throw InputError(fmt::format("Anatomy: there is no site \"{}\"{}", name, suggestion(name, known)));
}

Label Anatomy::label(std::string_view region) const {
  std::vector<std::string> known;
  for (const auto& [label, name] : regions) {
    if (name == region) return label;
    known.push_back(name);
  }
  if (known.empty()) throw InputError(fmt::format("Anatomy: there is no region \"{}\"; none is named", region));
  throw InputError(fmt::format("Anatomy: there is no region \"{}\"{}", region, suggestion(region, known)));
}

namespace {

void require_length(const char* what, std::size_t length, std::size_t wanted, const char* per) {
  if (length != wanted)
    throw InputError(fmt::format("Anatomy: {} has {} entries, but the mesh has {} {}", what, length, wanted, per));
}

void require_index(const char* what, Index index, std::size_t limit) {
  if (index < 0 || static_cast<std::size_t>(index) >= limit)
    throw InputError(fmt::format("Anatomy: {} names {}, but there are only {}", what, index, limit));
}

}  // namespace

void Anatomy::validate() const {
  const std::size_t nodes = mesh.node_count(), tets = mesh.tet_count();
  if (tets == 0) throw InputError("Anatomy: the mesh is empty");
  require_length("fibers.f", fibers.f.size(), tets, "tets");
  require_length("fibers.s", fibers.s.size(), tets, "tets");
  require_length("fibers.n", fibers.n.size(), tets, "tets");
  // Depth, height and segments may be absent (a block of tissue has none), but never of another length.
  if (!depth.empty()) require_length("depth", depth.size(), nodes, "nodes");
  if (!right.empty()) require_length("right", right.size(), nodes, "nodes");
  if (!height.empty()) require_length("height", height.size(), nodes, "nodes");
  if (!aha.empty()) require_length("aha", aha.size(), tets, "tets");
  for (std::size_t m = 0; m < maps.size(); ++m) {
    const bool nodal = maps[m].at == Location::node;
    if (maps[m].components < 1) throw InputError(fmt::format("Anatomy: map \"{}\" has no component", maps[m].name));
    require_length(fmt::format("map \"{}\"", maps[m].name).c_str(), maps[m].values.size(),
                   (nodal ? nodes : tets) * std::size_t(maps[m].components), nodal ? "nodes" : "tets");
    const auto same = [&](const Map& other) { return other.name == maps[m].name; };
    if (maps[m].name.empty() || std::any_of(maps.begin(), maps.begin() + std::ptrdiff_t(m), same))
      throw InputError(fmt::format("Anatomy: there are two maps \"{}\", or one without a name", maps[m].name));
  }
  for (std::size_t t = 0; t < tets; ++t) {
    const auto norm_off = [](const Vec3& v) { return !(std::abs(v.squaredNorm() - 1.0) < 1e-6); };
    if (norm_off(fibers.f[t]) || norm_off(fibers.s[t]) || norm_off(fibers.n[t]))
      throw InputError(fmt::format("Anatomy: the fibre frame of tet {} is not made of unit vectors", t));
    if (!regions.contains(mesh.labels()[t]))
      throw InputError(fmt::format("Anatomy: tet {} has label {}, which no region names", t, mesh.labels()[t]));
  }
  for (const SurfaceFace& face : surface) {
    require_index("surface tet", face.tet, tets);
    for (const Index node : face.nodes) require_index("surface node", node, nodes);
  }
  for (const Site& s : sites) {
    if (s.nodes.empty()) throw InputError(fmt::format("Anatomy: site \"{}\" has no nodes", s.name));
    for (const Index node : s.nodes) require_index("site node", node, nodes);
  }
  for (const Ring& r : rings) {
    if (r.nodes.empty()) throw InputError(fmt::format("Anatomy: ring \"{}\" has no nodes", r.name));
    for (const Index node : r.nodes) require_index("ring node", node, nodes);
  }
}

std::string nearest_site(const Anatomy& anatomy, const Vec3& position) {
  const auto nearest = std::min_element(anatomy.sites.begin(), anatomy.sites.end(), [&](const Site& a, const Site& b) {
    return (a.position - position).squaredNorm() < (b.position - position).squaredNorm();
  });
  return nearest == anatomy.sites.end() ? std::string() : nearest->name;
}

Site make_site(const Anatomy& anatomy, std::string name, const Vec3& position, double radius) {
  if (!(radius >= 0) || !position.allFinite())
    throw InputError(fmt::format("Site \"{}\": radius = {} mm at ({}, {}, {}) is no ball", name, radius, position.x(),
                                 position.y(), position.z()));
  std::vector<std::uint8_t> alive(anatomy.mesh.node_count(), 0);
  for (std::size_t t = 0; t < anatomy.mesh.tet_count(); ++t) {
    const auto found = anatomy.regions.find(anatomy.mesh.labels()[t]);
    if (found != anatomy.regions.end() && found->second == "core") continue;
    for (const Index node : anatomy.mesh.tets()[t]) alive[node] = 1;
  }
  Site site{.name = std::move(name), .position = position, .nodes = {}};
  Index nearest = -1;
  double least = INFINITY;
  for (std::size_t i = 0; i < alive.size(); ++i) {
    if (!alive[i]) continue;
    const double distance = (anatomy.mesh.points()[i] - position).norm();
    if (distance <= radius) site.nodes.push_back(static_cast<Index>(i));
    if (distance < least) least = distance, nearest = static_cast<Index>(i);
  }
  if (nearest < 0) throw InputError(fmt::format("Site \"{}\": the anatomy has no living tissue to pace", site.name));
  if (site.nodes.empty()) site.nodes.push_back(nearest);
  return site;
}

}  // namespace cardiotwin
