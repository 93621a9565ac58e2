#include <fmt/core.h>

#include <algorithm>
#include <cardiotwin/coordinates.hpp>
#include <cardiotwin/error.hpp>
#include <cardiotwin/surface_distance.hpp>
#include <cmath>
#include <limits>
#include <numbers>

#include "connected.hpp"
#include "fem.hpp"
#include "fiber_fields.hpp"
#include "trajectory.hpp"
#include "ventricle_frame.hpp"

namespace cardiotwin {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// The tagged boundary: its triangles, its nodes as a mask, and how far every node is from it [mm].
struct Part {
  std::vector<Triangle> triangles;
  std::vector<std::uint8_t> holds;
  std::vector<double> distance;
};

Part part_of(const Anatomy& anatomy, Surface tag, const char* name, bool measured = true) {
  Part part{.triangles = triangles_of(anatomy, tag), .holds = {}, .distance = {}};
  if (part.triangles.empty())
    throw InputError(fmt::format("Coordinates: no face is tagged as {}; tag the surface first", name));
  const auto points = anatomy.mesh.points();
  part.holds.assign(points.size(), 0);
  for (const auto& triangle : part.triangles)
    for (const Index node : triangle) part.holds[node] = 1;
  if (!measured) return part;
  const SurfaceDistance to(points, part.triangles);
  part.distance.resize(points.size());
  const auto count = static_cast<Index>(points.size());
#pragma omp parallel for schedule(dynamic, 1024)
  for (Index i = 0; i < count; ++i) part.distance[i] = part.holds[i] ? 0.0 : to(points[i]);
  return part;
}

struct Surfaces {
  Part endo, epi, base, right;  // `right` without triangles for a left ventricle alone
  bool two = false;
};

Surfaces surfaces_of(const Anatomy& anatomy) {
  Surfaces s{.endo = part_of(anatomy, Surface::endo, "endocardium"),
             .epi = part_of(anatomy, Surface::epi, "epicardium"),
             .base = part_of(anatomy, Surface::base, "base", false),
             .right = {}};
  s.two = std::any_of(anatomy.surface.begin(), anatomy.surface.end(),
                      [](const SurfaceFace& f) { return f.tag == Surface::endo_rv; });
  if (s.two) s.right = part_of(anatomy, Surface::endo_rv, "right endocardium");
  return s;
}

// Tets of the right ventricle's own wall, one piece: by `Anatomy::right`, as AHA segments are, or else by the same rule
// that fibres are laid by: its wall is thinner than its points are far from the left cavity.
std::vector<Ventricle> walls_of(const Anatomy& anatomy, const Surfaces& s) {
  const auto tets = anatomy.mesh.tets();
  std::vector<Ventricle> wall(tets.size(), Ventricle::left);
  if (!s.two) return wall;
  const auto is_right = [&](Index i) {
    if (!anatomy.right.empty()) return anatomy.right[i];
    return s.endo.distance[i] > 1.2 * (s.right.distance[i] + s.epi.distance[i]) ? 1.0 : 0.0;
  };
  std::vector<std::uint8_t> use(tets.size());
  for (std::size_t t = 0; t < tets.size(); ++t) {
    use[t] = is_right(tets[t][0]) + is_right(tets[t][1]) + is_right(tets[t][2]) + is_right(tets[t][3]) > 2;
  }
  const auto pieces = connected_pieces(anatomy.mesh, use);
  if (pieces.volume.empty())
    throw InputError(
        "Coordinates: a right endocardium is tagged, but no wall lies between it and the epicardium; check the tags");
  for (std::size_t t = 0; t < tets.size(); ++t)
    if (pieces.of[t] == 0) wall[t] = Ventricle::right;
  return wall;
}

// Harmonic, 0 and 1 where the masks say so (`one` wins), natural elsewhere.
std::vector<double> between(const fem::Matrix& stiffness, const std::vector<std::uint8_t>& zero,
                             const std::vector<std::uint8_t>& one, std::vector<double> guess) {
  fem::Dirichlet given;
  for (std::size_t i = 0; i < guess.size(); ++i) {
    if (!zero[i] && !one[i]) continue;
    given.nodes.push_back(static_cast<Index>(i));
    given.values.push_back(one[i] ? 1.0 : 0.0);
  }
  return fiber_fields::harmonic(stiffness, given, std::move(guess));
}

// Muscle that stands in the cavity is no part of the wall's thickness. The harmonic function is nearly 0 in it, and in
// a wall around a cavity never much below the share of the distances: their ratio tells one from the other.
std::vector<double> transmural(const fem::Matrix& stiffness, const Part& inner, const std::vector<double>& to_outer,
                               const std::vector<std::uint8_t>& outer) {
  std::vector<double> depth(to_outer.size());
  for (std::size_t i = 0; i < depth.size(); ++i) depth[i] = fiber_fields::share(inner.distance[i], to_outer[i]);
  auto zero = inner.holds;
  for (std::size_t i = 0; i < zero.size(); ++i) zero[i] = zero[i] && !outer[i];
  const auto potential = between(stiffness, zero, outer, depth);
  for (std::size_t i = 0; i < depth.size(); ++i) {
    constexpr double free = 0.3, attached = 0.7;
    if (depth[i] > 0) depth[i] *= std::clamp((potential[i] / depth[i] - free) / (attached - free), 0.0, 1.0);
  }
  return depth;
}

std::vector<std::uint8_t> either(const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b) {
  if (b.empty()) return a;
  std::vector<std::uint8_t> both(a);
  for (std::size_t i = 0; i < both.size(); ++i) both[i] |= b[i];
  return both;
}

// Per node: is it a corner of a tet of the wall?
std::vector<std::uint8_t> corners_of(const Mesh& mesh, const std::vector<Ventricle>& wall, Ventricle which) {
  std::vector<std::uint8_t> corner(mesh.node_count(), 0);
  for (std::size_t t = 0; t < wall.size(); ++t) {
    if (wall[t] != which) continue;
    for (const Index node : mesh.tets()[t]) corner[node] = 1;
  }
  return corner;
}

VentricleFrame frame_of(const Anatomy& anatomy, const Surfaces& s, const Coordinates& c,
                        const std::vector<std::uint8_t>& left, const std::vector<std::uint8_t>& right,
                        const std::vector<double>& weight) {
  std::vector<Sample> middle, seam;
  for (std::size_t i = 0; i < weight.size(); ++i) {
    const auto node = static_cast<Index>(i);
    if (left[i] && !right[i] && c.transmural[i] > 0.3 && c.transmural[i] < 0.7) middle.push_back({node, weight[i]});
    if (left[i] && right[i]) seam.push_back({node, weight[i]});
  }
  std::vector<Triangle> epi;
  for (const auto& face : anatomy.surface)
    if (face.tag == Surface::epi && c.wall[static_cast<std::size_t>(face.tet)] == Ventricle::left)
      epi.push_back(face.nodes);
  if (epi.empty()) throw InputError("Coordinates: the left ventricle has no epicardium; check the tags of the surface");
  VentricleFrame frame(anatomy, epi, middle);
  if (s.two) frame.anchor(anatomy.mesh.points(), seam);
  return frame;
}

// Share of the way from apex to base, and the mean length of that way in the left ventricle.
void add_apicobasal(const Mesh& mesh, const fem::Matrix& stiffness, const VentricleFrame& frame, const Part& base,
                    const std::vector<double>& weight, const std::vector<std::uint8_t>& right, Coordinates& c) {
  const auto points = mesh.points();
  const std::size_t count = points.size();
  double volume = 0, nearest = INFINITY;
  for (std::size_t t = 0; t < mesh.tet_count(); ++t) volume += mesh.volume(t);
  const double edge = std::cbrt(6 * std::numbers::sqrt2 * volume / static_cast<double>(mesh.tet_count()));
  std::vector<double> from_line(count), guess(count);
  for (std::size_t i = 0; i < count; ++i) {
    from_line[i] = frame.distance_to_apex(points[i]);
    nearest = std::min(nearest, from_line[i]);
    guess[i] = std::clamp(frame.height(points[i]) / frame.length(), 0.0, 1.0);
  }
  // Thick enough to hold nodes at every depth; within it distances are measured from the line itself.
  const double radius = std::max(1.25 * edge, 1.25 * nearest);
  std::vector<std::uint8_t> apex(count, 0);
  std::vector<double> at_apex(count, nan), at_base(count, nan);
  for (std::size_t i = 0; i < count; ++i) {
    if (base.holds[i]) at_base[i] = 0;
    if (from_line[i] <= radius && !base.holds[i]) apex[i] = 1, at_apex[i] = from_line[i];
  }
  auto height = between(stiffness, apex, base.holds, std::move(guess));
  const auto to_apex = descent_length(mesh, height, at_apex);
  for (double& h : height) h = -h;
  const auto to_base = descent_length(mesh, height, at_base);
  c.apicobasal.resize(count);
  double sum = 0, all = 0;
  for (std::size_t i = 0; i < count; ++i) {
    c.apicobasal[i] = fiber_fields::share(to_apex[i], to_base[i]);
    if (!right[i]) sum += weight[i] * (to_apex[i] + to_base[i]), all += weight[i];
  }
  c.meridian = sum / all;
}

// A part of a mesh, its nodes numbered anew in ascending order.
struct Submesh {
  std::vector<Vec3> points;
  std::vector<Tet> tets;
  std::vector<Index> node;  // of the whole mesh
  Submesh(const Mesh& mesh, const std::vector<Ventricle>& wall, Ventricle which) {
    std::vector<Index> place(mesh.node_count(), -1);
    const auto corner = corners_of(mesh, wall, which);
    for (std::size_t i = 0; i < corner.size(); ++i) {
      if (!corner[i]) continue;
      place[i] = static_cast<Index>(node.size());
      node.push_back(static_cast<Index>(i));
      points.push_back(mesh.points()[i]);
    }
    for (std::size_t t = 0; t < wall.size(); ++t) {
      const Tet& n = mesh.tets()[t];
      if (wall[t] == which) tets.push_back({place[n[0]], place[n[1]], place[n[2]], place[n[3]]});
    }
  }
};

// The right ventricle's free wall, from where it meets the left one anteriorly to where it does inferiorly.
void add_right_wall(const Mesh& mesh, const std::vector<double>& depth, const std::vector<std::uint8_t>& left,
                    Coordinates& c) {
  const Submesh part(mesh, c.wall, Ventricle::right);
  const fem::Elements elements(part.points, part.tets);
  const std::size_t count = part.node.size();
  std::vector<std::uint8_t> front(count, 0), back(count, 0);
  std::vector<double> guess(count, 0.5), at_front(count, nan), at_back(count, nan);
  for (std::size_t k = 0; k < count; ++k) {
    const Index i = part.node[k];
    if (!left[i]) continue;
    const bool anterior = c.rotational[i] < 180;
    (anterior ? front : back)[k] = 1;
    (anterior ? at_front : at_back)[k] = 0;
  }
  const auto none = [](const std::vector<std::uint8_t>& mask) {
    return std::find(mask.begin(), mask.end(), 1) == mask.end();
  };
  if (none(front) || none(back))
    throw InputError(
        "Coordinates: the right ventricle's wall meets the left one on one side only; check the tags of the surface");
  auto around = between(fem::stiffness(elements), front, back, std::move(guess));
  const auto from_front = descent_length(elements, around, at_front);
  for (double& a : around) a = -a;
  const auto from_back = descent_length(elements, around, at_back);
  for (std::size_t k = 0; k < count; ++k) {
    const Index i = part.node[k];
    const double turned = 60 + 240 * fiber_fields::share(from_front[k], from_back[k]);
    if (left[i]) {
      c.seam.push_back({i, depth[i], turned});
    } else {
      c.transmural[i] = depth[i], c.rotational[i] = turned, c.transventricular[i] = 1;
    }
  }
}

}  // namespace

Coordinates ventricular_coordinates(const Anatomy& anatomy, const Monitor& monitor) {
  if (anatomy.chamber == Chamber::left_atrium)
    throw InputError("Coordinates: they are those of ventricles, and this is a left atrium; name positions in mm");
  const Mesh& mesh = anatomy.mesh;
  const std::size_t count = mesh.node_count();
  monitor.report("coordinates: distances", 0.0);
  const Surfaces s = surfaces_of(anatomy);
  monitor.poll();
  Coordinates c;
  c.wall = walls_of(anatomy, s);
  const auto left = corners_of(mesh, c.wall, Ventricle::left), right = corners_of(mesh, c.wall, Ventricle::right);

  monitor.report("coordinates: transmural", 0.3);
  const auto stiffness = fem::stiffness(mesh);
  std::vector<double> outer = s.epi.distance;
  for (std::size_t i = 0; s.two && i < count; ++i) outer[i] = std::min(outer[i], s.right.distance[i]);
  c.transmural = transmural(stiffness, s.endo, outer, either(s.epi.holds, s.right.holds));
  std::vector<double> of_right;
  if (s.two) of_right = transmural(stiffness, s.right, s.epi.distance, either(s.epi.holds, s.endo.holds));
  monitor.poll();

  monitor.report("coordinates: rotational", 0.5);
  const auto weight = fem::lumped_mass(mesh);
  const VentricleFrame frame = frame_of(anatomy, s, c, left, right, weight);
  c.rotational.resize(count), c.transventricular.assign(count, 0);
  double thickness = 0, volume = 0;
  for (std::size_t i = 0; i < count; ++i) {
    c.rotational[i] = frame.rotational(mesh.points()[i]);
    if (right[i]) continue;
    thickness += weight[i] * (s.endo.distance[i] + outer[i]), volume += weight[i];
  }
  c.wall_thickness = thickness / volume;
  if (s.two) add_right_wall(mesh, of_right, left, c);
  monitor.poll();

  monitor.report("coordinates: apicobasal", 0.7);
  add_apicobasal(mesh, stiffness, frame, s.base, weight, right, c);
  monitor.report("coordinates", 1.0);
  return c;
}

void complete_anatomy(Anatomy& anatomy, double radius, const Monitor& monitor) {
  const auto c = ventricular_coordinates(anatomy, monitor);
  const auto marks = landmarks(anatomy);
  anatomy.apex = marks.apex, anatomy.base_centre = marks.base_centre, anatomy.septum = marks.septum;
  if (anatomy.depth.empty()) anatomy.depth = c.transmural;
  if (anatomy.height.empty()) anatomy.height = c.apicobasal;
  if (anatomy.right.empty() && !c.seam.empty()) {
    // The share of the tets around a node that are the right wall's: 1/2 between the walls, as fibres leave it.
    std::vector<double> around(anatomy.mesh.node_count(), 0);
    anatomy.right.assign(around.size(), 0);
    for (std::size_t t = 0; t < c.wall.size(); ++t) {
      for (const Index node : anatomy.mesh.tets()[t])
        around[node] += 1, anatomy.right[node] += c.wall[t] == Ventricle::right;
    }
    for (std::size_t i = 0; i < around.size(); ++i) anatomy.right[i] /= around[i];
  }
  if (anatomy.aha.empty()) anatomy.aha = aha_segments(anatomy);
  for (auto& site : standard_sites(anatomy, radius)) {
    const bool taken = std::any_of(anatomy.sites.begin(), anatomy.sites.end(),
                                   [&](const Site& present) { return present.name == site.name; });
    if (!taken) anatomy.sites.push_back(std::move(site));
  }
}

std::vector<Map> coordinate_maps(const Coordinates& c) {
  std::vector<double> cosine, sine;
  for (const double degrees : c.rotational) {
    cosine.push_back(std::cos(degrees * std::numbers::pi / 180));
    sine.push_back(std::sin(degrees * std::numbers::pi / 180));
  }
  const auto map = [](const char* name, const char* unit, std::vector<double> values) {
    return Map{.name = name, .unit = unit, .at = Location::node, .components = 1, .values = std::move(values)};
  };
  return {map("transmural", "1", c.transmural),        map("apicobasal", "1", c.apicobasal),
          map("rotational", "degrees", c.rotational),  map("rotational_cos", "1", std::move(cosine)),
          map("rotational_sin", "1", std::move(sine)), map("transventricular", "1", c.transventricular)};
}

}  // namespace cardiotwin
