#include <fmt/core.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <array>
#include <cardiotwin/coordinates.hpp>
#include <cmath>
#include <limits>
#include <numbers>

#include "tet_tree.hpp"

namespace cardiotwin {
namespace {

const char* level_name(double apicobasal) {
  return apicobasal < 1.0 / 3.0 ? "apical" : apicobasal < 2.0 / 3.0 ? "mid" : "basal";
}

// Of the right ventricle's free wall, which has no segments of its own.
const char* side_name(double rotational) {
  return rotational < 140 ? "anterior" : rotational > 220 ? "inferior" : "lateral";
}

const char* layer_name(double transmural, bool septal) {
  if (transmural < 1.0 / 3.0) return septal ? "left side of the septum" : "subendocardial";
  if (transmural > 2.0 / 3.0) return septal ? "right side of the septum" : "subepicardial";
  return "mid-wall";
}

bool is_septal(int aha) { return aha == 2 || aha == 3 || aha == 8 || aha == 9 || aha == 14; }

// In the sector around the septum's middle that anchored coordinates call it, and so without segments.
std::string sector_words(const Place& place) {
  constexpr std::array names{"anteroseptal", "anterior", "anterolateral", "inferolateral", "inferior", "inferoseptal"};
  return fmt::format("{} {}", level_name(place.apicobasal),
                     names[static_cast<std::size_t>(std::clamp(place.rotational / 60, 0.0, 5.0))]);
}

std::size_t nearest_tet(const Mesh& mesh, const Vec3& position) {
  std::size_t best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t t = 0; t < mesh.tet_count(); ++t) {
    const double squared = (mesh.centroid(t) - position).squaredNorm();
    if (squared < least) least = squared, best = t;
  }
  return best;
}

// Interpolated in the tet that holds the position or is nearest to it, one of those around the nearest centroid.
double value_at(const Mesh& mesh, const std::vector<double>& nodal, const Vec3& position, std::size_t nearest) {
  const auto points = mesh.points();
  const Tet& n = mesh.tets()[nearest];
  double reach = (mesh.centroid(nearest) - position).norm();
  for (int k = 1; k < 4; ++k) reach = std::max(reach, 2 * (points[n[k]] - points[n[0]]).norm());
  std::vector<Index> around;
  for (std::size_t t = 0; t < mesh.tet_count(); ++t)
    if ((mesh.centroid(t) - position).norm() <= reach) around.push_back(static_cast<Index>(t));
  const auto hit = TetTree(points, mesh.tets(), std::move(around)).nearest(position);
  double value = 0;
  for (std::size_t k = 0; k < 4; ++k)
    value += hit.weight[k] * nodal[static_cast<std::size_t>(mesh.tets()[static_cast<std::size_t>(hit.tet)][k])];
  return value;
}

}  // namespace

const char* aha_name(int segment) {
  static constexpr std::array names{"unknown",
                                    "basal anterior",
                                    "basal anteroseptal",
                                    "basal inferoseptal",
                                    "basal inferior",
                                    "basal inferolateral",
                                    "basal anterolateral",
                                    "mid anterior",
                                    "mid anteroseptal",
                                    "mid inferoseptal",
                                    "mid inferior",
                                    "mid inferolateral",
                                    "mid anterolateral",
                                    "apical anterior",
                                    "apical septal",
                                    "apical inferior",
                                    "apical lateral",
                                    "apex"};
  return segment >= 1 && segment <= 17 ? names[static_cast<std::size_t>(segment)] : names[0];
}

std::string place_words(const Place& place, int aha) {
  if (place.ventricle == Ventricle::right) {
    return fmt::format("{} {} free wall, {}, RV", level_name(place.apicobasal), side_name(place.rotational),
                       layer_name(place.transmural, false));
  }
  const bool known = aha >= 1 && aha <= 17;
  return fmt::format("{}, {}, LV", known ? std::string(aha_name(aha)) : sector_words(place),
                     layer_name(place.transmural, is_septal(aha)));
}

std::string place_words(const Anatomy& anatomy, const Vec3& position) {
  const Mesh& mesh = anatomy.mesh;
  if (anatomy.chamber == Chamber::left_atrium)
    return anatomy.sites.empty() ? std::string() : "near " + nearest_site(anatomy, position);
  if (anatomy.aha.size() != mesh.tet_count()) return {};
  const auto tet = nearest_tet(mesh, position);
  const int aha = anatomy.aha[tet];
  if (anatomy.depth.empty() || !((anatomy.base_centre - anatomy.apex).norm() > 0)) return aha > 0 ? aha_name(aha) : "";
  const Vec3 axis = anatomy.base_centre - anatomy.apex, up = axis.normalized(), from_apex = position - anatomy.apex;
  Place place{.apicobasal = from_apex.dot(up) / axis.norm(),
              .transmural = value_at(mesh, anatomy.depth, position, tet),
              .ventricle = !anatomy.right.empty() && aha == 0 ? Ventricle::right : Ventricle::left};
  if (place.ventricle == Ventricle::right) {
    // Seen from the left ventricle's axis the right one's free wall spans about 70 degrees to either side.
    constexpr double span = 70;
    const double angle =
        180 / std::numbers::pi * std::atan2(from_apex.dot(up.cross(anatomy.septum)), from_apex.dot(anatomy.septum));
    place.rotational = 180 - 120 * std::clamp(angle / span, -1.0, 1.0);
  }
  return place_words(place, aha);
}

}  // namespace cardiotwin
