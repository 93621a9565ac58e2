// Between foreign meshes and our own anatomy.

#include <fmt/format.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cardiotwin/fiber_sources.hpp>
#include <cmath>
#include <set>

#include "shape.hpp"

namespace cardiotwin {
namespace {

using exchange::Repaired;

const std::map<std::string, Label> known_regions{{"healthy", region::healthy},
                                                 {"border_zone", region::border_zone},
                                                 {"core", region::core},
                                                 {"channel", region::channel},
                                                 {"fast_endocardium", region::fast_endocardium}};

struct Labels {
  std::vector<Label> of_tet;
  std::map<Label, std::string> names;
};

// Which region each tag of the file is; asked of the user where the file does not say.
std::map<Tag, std::string> region_names(const ForeignMesh& file, const std::set<Tag>& tags,
                                        const AnatomyOptions& options, const Monitor& monitor) {
  auto names = options.regions.empty() ? file.tag_names : options.regions;
  if (names.empty() && tags.size() == 1) {
    names[*tags.begin()] = "healthy";
    monitor.warn("the file names no region: all tissue is taken as healthy");
  }
  std::string unnamed, example;
  for (const Tag tag : tags) {
    if (!names.contains(tag)) unnamed += fmt::format("{}{}", unnamed.empty() ? "" : ", ", tag);
  }
  if (unnamed.size() > 60) unnamed = unnamed.substr(0, 60) + "...";
  if (!unnamed.empty())
    throw InputError(fmt::format(
        "no region is named for tag {} of the file; name every tag, as in --regions 1=healthy,2=border_zone,3=core",
        unnamed));
  std::erase_if(names, [&](const auto& entry) { return !tags.contains(entry.first); });
  return names;
}

Labels make_labels(const ForeignMesh& file, const AnatomyOptions& options, const Monitor& monitor) {
  const auto tag_of = [&](std::size_t t) { return file.tet_tags.empty() ? Tag(0) : file.tet_tags[t]; };
  std::set<Tag> tags;
  for (std::size_t t = 0; t < file.tets.size(); ++t)
    if (t == 0 || tag_of(t) != tag_of(t - 1)) tags.insert(tag_of(t));
  Labels labels;
  std::map<Tag, Label> label_of;
  std::map<std::string, Label> given;
  int next = 6;  // after the labels that have a fixed meaning
  for (const auto& [tag, name] : region_names(file, tags, options, monitor)) {
    if (!given.contains(name)) {
      const auto known = known_regions.find(name);
      if (known == known_regions.end() && next > 255)
        throw InputError("there are more than 250 regions; give several tags the same region");
      given[name] = known != known_regions.end() ? known->second : static_cast<Label>(next++);
      labels.names[given[name]] = name;
    }
    label_of[tag] = given[name];
  }
  labels.of_tet.reserve(file.tets.size());
  for (std::size_t t = 0; t < file.tets.size(); ++t) labels.of_tet.push_back(label_of.at(tag_of(t)));
  return labels;
}

// Orthonormal frames from what the file gives; where it gives no fibre, along x.
Fibers make_fibers(const ForeignMesh& file, const Mesh& mesh, const Monitor& monitor) {
  Fibers fibers = uniform_fibers(mesh);
  if (file.fibers.empty()) {
    monitor.warn("the file has no fibres: they are laid along x until a rule lays them (--lay-fibers)");
    return fibers;
  }
  std::size_t missing = 0;
  for (std::size_t t = 0; t < file.fibers.size(); ++t) {
    const double length = file.fibers[t].norm();
    if (!(length > 1e-6) || !std::isfinite(length)) {
      ++missing;
      continue;
    }
    const Vec3 f = file.fibers[t] / length;
    Vec3 s = file.sheets.empty() ? Vec3::Zero() : file.sheets[t];
    s -= s.dot(f) * f;
    if (!(s.norm() > 1e-6) || !std::isfinite(s.norm())) {
      s = std::abs(f.y()) < 0.9 ? Vec3::UnitY() : Vec3::UnitZ();
      s -= s.dot(f) * f;
    }
    fibers.f[t] = f, fibers.s[t] = s.normalized(), fibers.n[t] = f.cross(fibers.s[t]);
  }
  if (missing > 0) monitor.warn(fmt::format("{} tets have no fibre in the file: theirs are laid along x", missing));
  return fibers;
}

std::vector<SurfaceFace> make_surface(const ForeignMesh& file, const Repaired& repaired,
                                      const AnatomyOptions& options) {
  if (options.surfaces.empty()) return {};
  if (file.triangle_tags.empty()) throw InputError("the file has no tagged triangles, so its surfaces cannot be named");
  std::vector<std::pair<Triangle, Surface>> tagged;
  for (std::size_t i = 0; i < file.triangles.size(); ++i) {
    const auto found = options.surfaces.find(file.triangle_tags[i]);
    if (found == options.surfaces.end()) continue;
    Triangle nodes;
    for (std::size_t k = 0; k < 3; ++k) nodes[k] = repaired.place[static_cast<std::size_t>(file.triangles[i][k])];
    std::sort(nodes.begin(), nodes.end());
    tagged.emplace_back(nodes, found->second);
  }
  std::sort(tagged.begin(), tagged.end());
  std::vector<SurfaceFace> surface;
  std::size_t missing = 0;
  for (const auto& face : boundary_faces(repaired.mesh)) {
    Triangle nodes = face.nodes;
    std::sort(nodes.begin(), nodes.end());
    const auto found = std::lower_bound(tagged.begin(), tagged.end(), nodes,
                                        [](const auto& entry, const Triangle& key) { return entry.first < key; });
    if (found == tagged.end() || found->first != nodes)
      ++missing;
    else
      surface.push_back({face.nodes, face.tet, found->second});
  }
  if (missing > 0)
    throw InputError(
        fmt::format("{} of {} boundary faces have no triangle of a named surface in the file; name every tag, or none",
                    missing, missing + surface.size()));
  return surface;
}

void add_sites(const ForeignMesh& file, const Repaired& repaired, Anatomy& anatomy, const Monitor& monitor) {
  for (const auto& set : file.node_sets) {
    Site site{.name = set.name, .position = Vec3::Zero()};
    for (const Index node : set.nodes)
      if (const Index place = repaired.place[static_cast<std::size_t>(node)]; place >= 0) site.nodes.push_back(place);
    std::sort(site.nodes.begin(), site.nodes.end());
    site.nodes.erase(std::unique(site.nodes.begin(), site.nodes.end()), site.nodes.end());
    if (site.nodes.empty()) {
      monitor.warn(fmt::format("the node set \"{}\" has no node on a tet: no site is made of it", set.name));
      continue;
    }
    for (const Index node : site.nodes)
      site.position += repaired.mesh.points()[static_cast<std::size_t>(node)] / static_cast<double>(site.nodes.size());
    anatomy.sites.push_back(std::move(site));
  }
}

const Field* find(const std::vector<Field>& fields, const char* name) {
  for (const auto& field : fields)
    if (field.name == name && field.components == 1) return &field;
  return nullptr;
}

// Depth, height and segments that one of our own files carried.
void add_coordinates(const ForeignMesh& file, const Repaired& repaired, Anatomy& anatomy) {
  const auto nodal = [&](const char* name, std::vector<double>& values) {
    const auto* field = find(file.node_fields, name);
    if (!field) return;
    values.resize(repaired.mesh.node_count());
    for (std::size_t i = 0; i < repaired.place.size(); ++i)
      if (repaired.place[i] >= 0) values[static_cast<std::size_t>(repaired.place[i])] = field->values[i];
    if (!std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); })) values.clear();
  };
  nodal("depth", anatomy.depth), nodal("height", anatomy.height), nodal("right", anatomy.right);
  if (const auto* aha = find(file.tet_fields, "aha")) {
    const bool sound = std::all_of(aha->values.begin(), aha->values.end(),
                                   [](double v) { return v >= 0 && v <= 17 && v == std::floor(v); });
    if (sound)
      for (const double v : aha->values) anatomy.aha.push_back(static_cast<std::uint8_t>(v));
  }
}

}  // namespace

ForeignMesh to_foreign(const Anatomy& anatomy) {
  ForeignMesh file;
  const Mesh& mesh = anatomy.mesh;
  file.points.assign(mesh.points().begin(), mesh.points().end());
  file.tets.assign(mesh.tets().begin(), mesh.tets().end());
  file.tet_tags.assign(mesh.labels().begin(), mesh.labels().end());
  file.fibers = anatomy.fibers.f, file.sheets = anatomy.fibers.s;
  for (const auto& face : anatomy.surface) {
    file.triangles.push_back(face.nodes);
    file.triangle_tags.push_back(static_cast<Tag>(face.tag));
  }
  file.triangles_are_boundary = true;
  for (const auto& site : anatomy.sites) file.node_sets.push_back({site.name, site.nodes});
  if (!anatomy.depth.empty()) file.node_fields.push_back({"depth", 1, anatomy.depth});
  if (!anatomy.height.empty()) file.node_fields.push_back({"height", 1, anatomy.height});
  if (!anatomy.right.empty()) file.node_fields.push_back({"right", 1, anatomy.right});
  if (!anatomy.aha.empty()) file.tet_fields.push_back({"aha", 1, {anatomy.aha.begin(), anatomy.aha.end()}});
  for (const auto& map : anatomy.maps)
    (map.at == Location::node ? file.node_fields : file.tet_fields).push_back({map.name, map.components, map.values});
  for (const auto& [label, name] : anatomy.regions) file.tag_names[label] = name;
  return file;
}

void tag_sides(ForeignMesh& file) {
  file.validate();
  if (file.tets.empty()) throw InputError("the file holds no tets, and only a block of them has sides");
  exchange::add_boundary(file);
  for (const Triangle& n : file.triangles) {
    const Vec3 &a = file.points[n[0]], &b = file.points[n[1]], &c = file.points[n[2]];
    const Vec3 outward = (b - a).cross(c - a);
    int axis = 0;
    outward.cwiseAbs().maxCoeff(&axis);
    file.triangle_tags.push_back(2 * axis + (outward[axis] > 0 ? 2 : 1));
  }
}

Anatomy to_anatomy(const ForeignMesh& file, const AnatomyOptions& options, const Monitor& monitor) {
  file.validate();
  if (file.tets.empty()) throw InputError("the file holds no tets, and only a volume can be simulated");
  auto labels = make_labels(file, options, monitor);
  auto repaired = exchange::repair(file, std::move(labels.of_tet));
  if (repaired.turned > 0) monitor.warn(fmt::format("{} inverted tets were turned round", repaired.turned));
  if (repaired.dropped > 0) monitor.warn(fmt::format("{} nodes that no tet uses were dropped", repaired.dropped));
  Anatomy anatomy;
  anatomy.fibers = options.lay_fibers ? uniform_fibers(repaired.mesh) : make_fibers(file, repaired.mesh, monitor);
  anatomy.regions = std::move(labels.names);
  anatomy.surface = make_surface(file, repaired, options);
  add_sites(file, repaired, anatomy, monitor);
  add_coordinates(file, repaired, anatomy);
  if (anatomy.surface.empty() || anatomy.aha.empty())
    monitor.warn("the anatomy has no tagged surface or no AHA segments: it can be simulated, but a study needs them");
  anatomy.mesh = std::move(repaired.mesh);
  if (options.lay_fibers) lay_fibers(anatomy, *options.lay_fibers, monitor, options.upward);
  anatomy.validate();
  return anatomy;
}

}  // namespace cardiotwin
