// Electrodes of a twelve-lead ECG, where rays from within the trunk leave it.

#include <fmt/format.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cmath>
#include <numbers>

#include "torso_parts.hpp"

namespace cardiotwin::meshes {
namespace {

constexpr double beside_sternum = 25, one_space = 30;     // [mm]
constexpr double axillary = 25 * std::numbers::pi / 180;  // of V5 before V6
constexpr double midclavicular = 0.25;                    // of the width
constexpr double arm_beside = 1.0 / 3, arm_above = 0.4;   // of width and height
constexpr double leg_beside = 0.3, leg_below = 0.38;

const Vec3 forward(0, -1, 0);

/// The skin of a mesh.
class Skin {
 public:
  explicit Skin(const Mesh& mesh) : points_(mesh.points()), faces_(boundary_faces(mesh)) {}

  /// Where the ray leaves for the last time; a ray through an edge meets both triangles (Moeller & Trumbore 1997,
  /// doi 10.1080/10867651.1997.10487468).
  bool leaves(const Vec3& from, const Vec3& along, Vec3& at) const {
    constexpr double slack = 1e-9;
    double farthest = 0;
    for (const auto& face : faces_) {
      const Vec3& a = points_[face.nodes[0]];
      const Vec3 ab = points_[face.nodes[1]] - a, ac = points_[face.nodes[2]] - a, cross = along.cross(ac);
      const double det = ab.dot(cross);
      if (std::abs(det) < 1e-12) continue;
      const Vec3 to = from - a, turned = to.cross(ab);
      const double u = to.dot(cross) / det, v = along.dot(turned) / det;
      if (u < -slack || v < -slack || u + v > 1 + slack) continue;
      farthest = std::max(farthest, ac.dot(turned) / det);
    }
    at = from + farthest * along;
    return farthest > 0;
  }

 private:
  std::span<const Vec3> points_;
  std::vector<BoundaryFace> faces_;
};

}  // namespace

std::vector<Electrode> standard_electrodes(const Anatomy& heart, const Torso& torso, const TorsoOptions& o) {
  const Placed placed(heart, o);
  const Skin skin(torso.mesh);
  const auto on_skin = [&](const char* name, const Vec3& from, const Vec3& along) {
    Vec3 at;
    if (!skin.leaves(placed.in_heart(from), placed.body * along, at))
      throw InputError(
          fmt::format("Torso: the ray for electrode {} meets no surface; the torso does not lie around this "
                      "heart as the options say: give electrodes by their positions",
                      name));
    return Electrode{name, at};
  };
  const double fourth = o.heart_up, fifth = fourth - one_space;
  const Vec3 arm(arm_beside * o.width, 0, arm_above * o.height), leg(leg_beside * o.width, 0, -leg_below * o.height);
  const Vec3 mirror(-1, 1, 1);
  const Electrode v1 = on_skin("V1", {-beside_sternum, 0, fourth}, forward),
                  v2 = on_skin("V2", {beside_sternum, 0, fourth}, forward),
                  v4 = on_skin("V4", {midclavicular * o.width, 0, fifth}, forward);
  const Vec3 between = placed.in_body(0.5 * (v2.position + v4.position));
  const Vec3 axis(0, 0, between.z());
  return {on_skin("RA", arm.cwiseProduct(mirror), forward),
          on_skin("LA", arm, forward),
          on_skin("RL", leg.cwiseProduct(mirror), forward),
          on_skin("LL", leg, forward),
          v1,
          v2,
          on_skin("V3", axis, (between - axis).normalized()),
          v4,
          on_skin("V5", {0, 0, fifth}, {std::cos(axillary), -std::sin(axillary), 0}),
          on_skin("V6", {0, 0, fifth}, {1, 0, 0})};
}

ForeignMesh to_foreign(const Torso& torso, const std::vector<Electrode>& electrodes) {
  ForeignMesh file;
  const auto points = torso.mesh.points();
  file.points.assign(points.begin(), points.end());
  file.tets.assign(torso.mesh.tets().begin(), torso.mesh.tets().end());
  file.tet_tags.assign(torso.mesh.labels().begin(), torso.mesh.labels().end());
  for (const auto& [label, name] : torso.regions) file.tag_names[label] = name;
  for (const auto& [name, position] : electrodes) {
    const auto nearest = std::min_element(points.begin(), points.end(), [&](const Vec3& a, const Vec3& b) {
      return (a - position).squaredNorm() < (b - position).squaredNorm();
    });
    file.node_sets.push_back({name, {static_cast<Index>(nearest - points.begin())}});
  }
  return file;
}

std::string electrode_rows(const std::vector<Electrode>& electrodes) {
  std::string rows = "name,x_mm,y_mm,z_mm\n";
  for (const auto& [name, p] : electrodes) rows += fmt::format("{},{:.3f},{:.3f},{:.3f}\n", name, p.x(), p.y(), p.z());
  return rows;
}

}  // namespace cardiotwin::meshes
