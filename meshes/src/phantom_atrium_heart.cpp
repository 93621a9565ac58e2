#include <Eigen/Geometry>
#include <algorithm>
#include <cmath>
#include <numbers>

#include "phantom_atrium.hpp"

namespace cardiotwin::meshes {
namespace {

constexpr double nowhere = 1e6;  // [mm]
constexpr double fillet = 3;     // [mm] over which two parts of the cavity blend

// Smallest of two distances, rounded where they are about equal (polynomial of degree two).
double blended(double a, double b, double width) {
  const double h = std::max(width - std::abs(a - b), 0.0) / width;
  return std::min(a, b) - 0.25 * width * h * h;
}

}  // namespace

Atrium::Atrium(const AtriumPhantomOptions& o)
    : scale_(o.width / 54),
      wall_(o.wall),
      lv_reach_(12 * scale_),
      radii_(27 * scale_, 21 * scale_, 24 * scale_),
      valve_normal_(Vec3(0.55, -0.60, -0.58).normalized()),
      valve_height_(17 * scale_),
      options_(o) {
  const double length = o.vein_length;
  if (o.veins == "trunk") {
    // Two branches that part beyond the ostium.
    add_vein("lspv", {8, 5, 3}, {0.88, 0.36, 0.30}, 6.5, length + 6);
    add_vein("lipv", {8, 5, 1}, {0.88, 0.42, -0.20}, 6.0, length + 6);
  } else {
    add_vein("lspv", {12, 3, 10}, {0.85, 0.28, 0.42}, 6.5, length);
    if (o.veins != "three") add_vein("lipv", {12, 6, -5}, {0.85, 0.47, -0.15}, 6.0, length);
  }
  const bool five = o.veins == "five";
  add_vein("rspv", {-12, 1, five ? 13. : 10.}, {-0.85, 0.12, 0.42}, five ? 5.5 : 6.5, length);
  if (five) add_vein("rmpv", {-12, 5, 1}, {-0.92, 0.35, 0.08}, 4.5, length);
  add_vein("ripv", {-12, 6, five ? -9. : -5.}, {-0.85, 0.47, five ? -0.28 : -0.15}, five ? 5.5 : 6.0, length);
  // The appendage: balls that shrink along a bent line.
  constexpr int balls = 24;
  const Vec3 from(17, -9, 4), over(34, -16, 4), to(42, -24, 14);
  for (int i = 0; o.appendage && i <= balls; ++i) {
    const double t = double(i) / balls;
    const Vec3 centre = (1 - t) * (1 - t) * from + 2 * t * (1 - t) * over + t * t * to;
    appendage_.emplace_back(scale_ * centre, scale_ * std::lerp(8.0, 4.5, t));
  }
}

void Atrium::add_vein(const char* name, const Vec3& start, const Vec3& direction, double radius, double length) {
  VeinTube vein{name, scale_ * start, direction.normalized(), scale_ * radius, 0};
  double inside = 0, outside = 100 * scale_;
  for (int i = 0; i < 60; ++i) {
    const double middle = (inside + outside) / 2;
    (body(vein.start + middle * vein.direction) < 0 ? inside : outside) = middle;
  }
  vein.end = inside + length;
  veins_.push_back(vein);
}

double Atrium::body(const Vec3& p) const {
  const Vec3 q = p.cwiseQuotient(radii_);
  const double scaled = q.norm(), slope = q.cwiseQuotient(radii_).norm();
  return slope > 0 ? scaled * (scaled - 1) / slope : -radii_.minCoeff();
}

// Beyond the plane of an opening its own part of the cavity, and the wall around it, are gone.
Atrium::Place Atrium::place(const Vec3& p) const {
  Place at{nowhere, nowhere};
  const auto add = [&](double distance, double beyond) {
    if (distance < wall_ + fillet) at.cut = std::min(at.cut, std::abs(beyond));
    if (beyond <= 0) at.distance = blended(at.distance, distance, fillet);
  };
  add(body(p), p.dot(valve_normal_) - valve_height_);
  for (const VeinTube& v : veins_) {
    const double along = (p - v.start).dot(v.direction);
    if (along > 0) add((p - v.start - along * v.direction).norm() - v.radius, along - v.end);
  }
  double tip = nowhere;
  for (const auto& [centre, radius] : appendage_) tip = std::min(tip, (p - centre).norm() - radius);
  add(tip, -nowhere);
  return at;
}

AtrialStuff Atrium::stuff(const Vec3& p) const {
  const double distance = place(p).distance;
  if (distance < 0) return AtrialStuff::blood;
  if (distance < wall_) return wall_stuff(p);
  const double beyond = p.dot(valve_normal_) - valve_height_;
  // The left ventricle's inflow: what the body would be beyond the valve, drawn out.
  const bool inflow = beyond > 0 && beyond < lv_reach_ && body(p - beyond * valve_normal_) < 0;
  return inflow ? AtrialStuff::lv_blood : AtrialStuff::background;
}

AtrialStuff Atrium::wall_stuff(const Vec3& p) const {
  if (!options_.scar) return AtrialStuff::healthy;
  if (p.y() > 0) {
    const double beside = std::abs(p.x()) - options_.scar_width / 2, above = std::abs(p.z()) - options_.scar_height / 2;
    if (beside <= 0 && above <= 0) {
      const bool gap = options_.channel && std::abs(p.x() - 2) < options_.channel_width / 2;
      return gap ? AtrialStuff::channel : AtrialStuff::dense;
    }
    if (std::hypot(std::max(beside, 0.0), std::max(above, 0.0)) < options_.border_zone) return AtrialStuff::fibrosis;
    return AtrialStuff::healthy;
  }
  const bool patch = std::hypot(p.x() + 8 * scale_, p.z() - 5 * scale_) < options_.fibrosis_radius;
  return patch ? AtrialStuff::fibrosis : AtrialStuff::healthy;
}

// Kinds of wall change within it, so a wall is never uniform. The ellipsoid's distance changes by a little more than 1
// per mm in places.
bool Atrium::uniform_within(const Vec3& p, double within) const {
  const double reach = 1.5 * within;
  const Place at = place(p);
  if (at.cut < reach) return false;
  if (at.distance < 0) return at.distance < -reach;
  const double beyond = p.dot(valve_normal_) - valve_height_;
  return at.distance > wall_ + reach &&
         (beyond < -reach || beyond > lv_reach_ + reach || body(p - beyond * valve_normal_) > reach);
}

PhantomOpening Atrium::mitral() const {
  // The section is no circle: its middle and its area by squares of a quarter of a millimetre.
  const Vec3 u = valve_normal_.unitOrthogonal(), v = valve_normal_.cross(u), at = valve_height_ * valve_normal_;
  constexpr double step = 0.25;
  const int reach = int(40 * scale_ / step);
  Vec3 sum = Vec3::Zero();
  double count = 0;
  for (int i = -reach; i <= reach; ++i) {
    for (int j = -reach; j <= reach; ++j) {
      const Vec3 p = at + step * (i * u + j * v);
      if (body(p) < 0) sum += p, ++count;
    }
  }
  return {"mitral", sum / count, valve_normal_, step * std::sqrt(count / std::numbers::pi)};
}

std::vector<Vec3> Atrium::channel_line() const {
  std::vector<Vec3> line;
  if (!options_.scar || !options_.channel) return line;
  const int steps = std::max(2, int(std::lround(options_.scar_height)));
  for (int i = 0; i <= steps; ++i) {
    const double z = options_.scar_height * (double(i) / steps - 0.5);
    double inside = 0, outside = 60 * scale_;
    for (int k = 0; k < 50; ++k) {
      const double middle = (inside + outside) / 2;
      (body({2, middle, z}) < wall_ / 2 ? inside : outside) = middle;
    }
    line.emplace_back(2, inside, z);
  }
  return line;
}

Vec3 Atrium::low() const {
  Vec3 corner = -radii_;
  for (const VeinTube& v : veins_) corner = corner.cwiseMin(v.start + v.end * v.direction - Vec3::Constant(v.radius));
  for (const auto& [centre, radius] : appendage_) corner = corner.cwiseMin(centre - Vec3::Constant(radius));
  return corner - Vec3::Constant(wall_);
}

Vec3 Atrium::high() const {
  Vec3 corner = radii_;
  for (const VeinTube& v : veins_) corner = corner.cwiseMax(v.start + v.end * v.direction + Vec3::Constant(v.radius));
  for (const auto& [centre, radius] : appendage_) corner = corner.cwiseMax(centre + Vec3::Constant(radius));
  return corner + Vec3::Constant(wall_);
}

}  // namespace cardiotwin::meshes
