#include <fmt/core.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <array>
#include <cardiotwin/coordinates.hpp>
#include <cmath>
#include <limits>
#include <numbers>

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

Index nearest_tet(const Mesh& mesh, const Vec3& position) {
  Index best = -1;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t t = 0; t < mesh.tet_count(); ++t) {
    const double squared = (mesh.centroid(t) - position).squaredNorm();
    if (squared < least) least = squared, best = static_cast<Index>(t);
  }
  return best;
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
  if (anatomy.aha.size() != mesh.tet_count()) return {};
  const auto tet = static_cast<std::size_t>(nearest_tet(mesh, position));
  const auto mean = [&](const std::vector<double>& nodal) {
    double sum = 0;
    for (const Index node : mesh.tets()[tet]) sum += nodal[static_cast<std::size_t>(node)] / 4;
    return sum;
  };
  const int aha = anatomy.aha[tet];
  if (anatomy.depth.empty() || !((anatomy.base_centre - anatomy.apex).norm() > 0)) return aha > 0 ? aha_name(aha) : "";
  const Vec3 axis = anatomy.base_centre - anatomy.apex, up = axis.normalized(), from_apex = position - anatomy.apex;
  Place place{.apicobasal = from_apex.dot(up) / axis.norm(),
              .transmural = mean(anatomy.depth),
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
