#include <fmt/core.h>

#include <Eigen/Eigenvalues>
#include <Eigen/Geometry>
#include <algorithm>
#include <array>
#include <cardiotwin/error.hpp>
#include <cardiotwin/meshes/build.hpp>
#include <cmath>
#include <limits>
#include <map>

#include "build_parts.hpp"

namespace cardiotwin::meshes {
namespace {

constexpr double small_piece = 0.02;   // share of all faces below which a piece is taken for a tagging fault
constexpr double smallest_valve = 50;  // [mm2] of blood against background below which a mask counts as closed

constexpr std::uint8_t undecided = 0;
constexpr std::uint8_t endo = static_cast<std::uint8_t>(Surface::endo), epi = static_cast<std::uint8_t>(Surface::epi),
                       base = static_cast<std::uint8_t>(Surface::base),
                       endo_rv = static_cast<std::uint8_t>(Surface::endo_rv);
constexpr std::size_t tags = 5;

// What a face looks onto: the first label other than muscle along its outward normal, from half a millimetre (or voxel)
// to 1.7.
std::uint8_t outlook(const Labels& labels, const Vec3& from, const Vec3& normal, Chambers chambers) {
  const double unit = std::max(1.0, labels.grid.spacing.minCoeff());
  for (const double step : {0.5, 0.8, 1.1, 1.4, 1.7}) {
    const std::uint8_t label = label_at(labels, from + step * unit * normal);
    if (label == lv_cavity) return endo;
    if (label == rv_cavity) return chambers == Chambers::both_ventricles ? endo_rv : epi;
    if (label == background) return epi;
  }
  return undecided;
}

// Faces on the other side of the three edges of each face, -1 where there is none.
std::vector<std::array<Index, 3>> neighbours_of(const std::vector<BoundaryFace>& faces) {
  struct Edge {
    Index low, high, face, side;
    bool operator<(const Edge& o) const { return std::tie(low, high, face) < std::tie(o.low, o.high, o.face); }
  };
  std::vector<Edge> edges;
  edges.reserve(3 * faces.size());
  for (std::size_t f = 0; f < faces.size(); ++f) {
    for (Index side = 0; side < 3; ++side) {
      const Index a = faces[f].nodes[side], b = faces[f].nodes[(side + 1) % 3];
      edges.push_back({std::min(a, b), std::max(a, b), static_cast<Index>(f), side});
    }
  }
  std::sort(edges.begin(), edges.end());
  std::vector<std::array<Index, 3>> neighbours(faces.size(), {-1, -1, -1});
  for (std::size_t e = 0; e + 1 < edges.size(); ++e) {
    if (edges[e].low != edges[e + 1].low || edges[e].high != edges[e + 1].high) continue;
    neighbours[edges[e].face][edges[e].side] = edges[e + 1].face;
    neighbours[edges[e + 1].face][edges[e + 1].side] = edges[e].face;
  }
  return neighbours;
}

struct Piece {
  std::uint8_t tag;
  std::vector<Index> faces;
};

// Pieces of equal tag, connected through edges, in the order of their first face.
std::vector<Piece> pieces_of(const std::vector<std::uint8_t>& tag,
                             const std::vector<std::array<Index, 3>>& neighbours) {
  std::vector<Piece> pieces;
  std::vector<std::uint8_t> seen(tag.size(), 0);
  for (std::size_t first = 0; first < tag.size(); ++first) {
    if (seen[first]) continue;
    Piece piece{tag[first], {static_cast<Index>(first)}};
    seen[first] = 1;
    for (std::size_t at = 0; at < piece.faces.size(); ++at) {
      for (const Index next : neighbours[piece.faces[at]]) {
        if (next < 0 || seen[next] || tag[next] != piece.tag) continue;
        seen[next] = 1;
        piece.faces.push_back(next);
      }
    }
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

// Small pieces (and undecided ones of any size) take the tag they share most edges with; repeated, smallest first,
// until none is left.
void absorb_small_pieces(std::vector<std::uint8_t>& tag, const std::vector<std::array<Index, 3>>& neighbours) {
  const auto limit = static_cast<std::size_t>(small_piece * tag.size());
  for (int round = 0; round < 100; ++round) {
    auto pieces = pieces_of(tag, neighbours);
    std::array<std::size_t, tags> largest{};
    for (const auto& piece : pieces) largest[piece.tag] = std::max(largest[piece.tag], piece.faces.size());
    std::erase_if(pieces, [&](const Piece& p) {
      return p.tag != undecided && (p.faces.size() > limit || p.faces.size() == largest[p.tag]);
    });
    std::stable_sort(pieces.begin(), pieces.end(),
                     [](const Piece& a, const Piece& b) { return a.faces.size() < b.faces.size(); });
    bool changed = false;
    for (const auto& piece : pieces) {
      std::array<std::size_t, tags> shared{};
      for (const Index face : piece.faces) {
        for (const Index next : neighbours[face]) {
          if (next >= 0 && tag[next] != piece.tag) ++shared[tag[next]];
        }
      }
      shared[undecided] = 0;
      const auto best = static_cast<std::uint8_t>(std::max_element(shared.begin(), shared.end()) - shared.begin());
      if (shared[best] == 0) continue;
      for (const Index face : piece.faces) tag[face] = best;
      changed = true;
    }
    if (!changed) return;
  }
}

void require_whole(const std::vector<std::uint8_t>& tag, const std::vector<std::array<Index, 3>>& neighbours,
                   Chambers chambers) {
  std::map<std::uint8_t, std::vector<std::size_t>> sizes;
  for (const auto& piece : pieces_of(tag, neighbours)) sizes[piece.tag].push_back(piece.faces.size());
  const auto refuse_empty = [&](std::uint8_t which, const char* text) {
    if (!sizes.contains(which)) throw InputError(text);
  };
  refuse_empty(endo,
               "Surface: no boundary face looks onto the LV cavity; check that label 1 fills the inside of the muscle");
  refuse_empty(epi, "Surface: no boundary face looks outwards; check that the labels and the mesh belong together");
  refuse_empty(base,
               "Surface: no boundary face lies in the valve plane; the muscle must be open at the base, with the "
               "cavity reaching out of it");
  if (chambers == Chambers::both_ventricles) {
    refuse_empty(endo_rv,
                 "Surface: no boundary face looks onto the RV cavity; label it (5), or build the left ventricle alone");
  }
  for (const auto& [which, name] :
       {std::pair(endo, "endocardium"), std::pair(epi, "epicardium"), std::pair(endo_rv, "right endocardium")}) {
    auto& parts = sizes[which];
    if (parts.size() < 2) continue;
    std::sort(parts.rbegin(), parts.rend());
    throw InputError(fmt::format(
        "Surface: the {} falls into {} pieces ({:.1f} % of the faces are in the second); fill the gaps in the "
        "muscle and cavity labels",
        name, parts.size(), 100.0 * parts[1] / tag.size()));
  }
}

}  // namespace

// The plane through the blood voxels that touch background: the cut through the ventricle at its base. Only their
// largest connected patch counts, so that a pinhole in the wall does not tilt it.
Plane base_plane(const Labels& labels) {
  const Grid& g = labels.grid;
  std::vector<std::uint8_t> valve(g.count(), 0);
  Vec3 blood = Vec3::Zero();
  std::size_t blood_count = 0;
  for_each_voxel(g, [&](int i, int j, int k, std::size_t v) {
    if (labels.values[v] != lv_cavity) return;
    blood += g.position(Vec3(i, j, k)), ++blood_count;
    for (const auto& step : face_steps) {
      if (label_at(labels, i + step[0], j + step[1], k + step[2]) == background) valve[v] = 1;
    }
  });
  if (blood_count == 0)
    throw InputError("Surface: the labels have no LV cavity (label 1); supply one to tell endo- from epicardium");
  keep_largest_piece(g, valve, Neighbours::corners);

  std::vector<Vec3> points;
  for_each_voxel(g, [&](int i, int j, int k, std::size_t v) {
    if (valve[v]) points.push_back(g.position(Vec3(i, j, k)));
  });
  const double voxel = std::cbrt(g.spacing.prod());
  if (points.size() * voxel * voxel < smallest_valve) {
    throw InputError(
        fmt::format("Surface: the LV cavity touches background on only {:.0f} mm2, so the base cannot be found; the "
                    "muscle label must be open at the valve plane: delete the muscle that covers the cavity there",
                    points.size() * voxel * voxel));
  }
  Plane plane{.centre = Vec3::Zero(), .normal = Vec3::Zero()};
  for (const Vec3& p : points) plane.centre += p / static_cast<double>(points.size());
  Mat3 scatter = Mat3::Zero();
  for (const Vec3& p : points) scatter += (p - plane.centre) * (p - plane.centre).transpose();
  plane.normal = Eigen::SelfAdjointEigenSolver<Mat3>(scatter).eigenvectors().col(0);  // of the smallest eigenvalue
  if (plane.normal.dot(plane.centre - blood / static_cast<double>(blood_count)) < 0) plane.normal = -plane.normal;
  // Voxel centres lie half a voxel inside the cut.
  plane.centre += 0.5 * (g.direction.transpose() * plane.normal).cwiseAbs().dot(g.spacing) * plane.normal;
  return plane;
}

TaggedSurface tag_surface(const Mesh& mesh, const Labels& canonical, Chambers chambers) {
  const auto plane = base_plane(canonical);
  const auto faces = boundary_faces(mesh);
  const auto points = mesh.points();
  std::vector<std::uint8_t> tag(faces.size());
  for (std::size_t f = 0; f < faces.size(); ++f) {
    const auto& n = faces[f].nodes;
    const Vec3 centre = (points[n[0]] + points[n[1]] + points[n[2]]) / 3.0;
    const Vec3 scaled = (points[n[1]] - points[n[0]]).cross(points[n[2]] - points[n[0]]);
    const Vec3 normal = scaled.normalized();
    tag[f] = outlook(canonical, centre, normal, chambers);
    // The rim of the cut is rounded by the smoothing of the tissue, over about two voxels or one face.
    const double near = std::max({3.0, 2 * canonical.grid.spacing.minCoeff(), std::sqrt(scaled.norm())});
    if (tag[f] != endo && tag[f] != endo_rv && normal.dot(plane.normal) > 0.5 && plane.height(centre) > -near)
      tag[f] = base;
  }
  return finish_surface(mesh, faces, std::move(tag), plane, chambers);
}

TaggedSurface finish_surface(const Mesh& mesh, const std::vector<BoundaryFace>& faces, std::vector<std::uint8_t> tag,
                             const Plane& plane, Chambers chambers) {
  const auto neighbours = neighbours_of(faces);
  absorb_small_pieces(tag, neighbours);
  require_whole(tag, neighbours, chambers);

  TaggedSurface surface{.faces = {}, .base_centre = plane.centre, .base_normal = plane.normal, .apex = Vec3::Zero()};
  double lowest = std::numeric_limits<double>::infinity();
  for (std::size_t f = 0; f < faces.size(); ++f) {
    surface.faces.push_back({faces[f].nodes, faces[f].tet, static_cast<Surface>(tag[f])});
    if (tag[f] != epi) continue;
    for (const Index node : faces[f].nodes) {
      const Vec3& point = mesh.points()[node];
      if (const double h = plane.height(point); h < lowest) lowest = h, surface.apex = point;
    }
  }
  return surface;
}

}  // namespace cardiotwin::meshes
