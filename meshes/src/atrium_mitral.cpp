#include <fmt/format.h>

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cmath>
#include <numbers>

#include "atrium_parts.hpp"

namespace cardiotwin::meshes {
namespace {

constexpr double flat = 2;           // [mm] within which a part of the surface counts as flat
constexpr double least_valve = 300;  // [mm2]
constexpr double deepest_cut = 12;   // [mm] below the outermost point
constexpr double valve_reach = 22;   // [mm] around a given point

struct Body {
  std::vector<Vec3> voxels, surface;
  double voxel;  // [mm]
};

Body body_of(const Labels& cavity, const Protrusions& found) {
  Body body{.voxels = {}, .surface = {}, .voxel = cavity.grid.spacing.x()};
  for_each_voxel(cavity.grid, [&](int i, int j, int k, std::size_t v) {
    if (cavity.values[v] != lv_cavity || found.of[v] != 0) return;
    const Vec3 p = cavity.grid.position(Vec3(i, j, k));
    body.voxels.push_back(p);
    for (const auto& s : face_steps) {
      if (label_at(cavity, i + s[0], j + s[1], k + s[2]) != background) continue;
      body.surface.push_back(p);
      return;
    }
  });
  return body;
}

// Unit vectors within `angle` of the axis, evenly spread along a spiral.
std::vector<Vec3> cone(const Vec3& axis, double angle) {
  constexpr int count = 400;
  const double golden = std::numbers::pi * (3 - std::sqrt(5.0)), low = std::cos(angle);
  const Vec3 u = axis.unitOrthogonal(), w = axis.cross(u);
  std::vector<Vec3> all;
  for (int i = 0; i < count; ++i) {
    const double z = 1 - (1 - low) * (i + 0.5) / count, r = std::sqrt(1 - z * z);
    all.push_back(z * axis + r * (std::cos(golden * i) * u + std::sin(golden * i) * w));
  }
  return all;
}

Plane fitted(const std::vector<Vec3>& points, const Vec3& along) {
  Plane plane{Vec3::Zero(), along};
  for (const Vec3& p : points) plane.centre += p / double(points.size());
  Mat3 scatter = Mat3::Zero();
  for (const Vec3& p : points) scatter += (p - plane.centre) * (p - plane.centre).transpose();
  const Vec3 normal = Eigen::SelfAdjointEigenSolver<Mat3>(scatter).eigenvectors().col(0);
  if (std::abs(normal.dot(along)) > 0.9) plane.normal = normal.dot(along) < 0 ? Vec3(-normal) : normal;
  return plane;
}

// The direction of the cone in which most of the surface lies within `flat` of a plane: the outermost one, or the one
// through `point`.
Plane flattest(const Body& body, const std::vector<Vec3>& directions, const Vec3* point) {
  std::vector<Vec3> best, now;
  Vec3 normal = Vec3::Zero();
  for (const Vec3& n : directions) {
    double top = -INFINITY;
    for (const Vec3& p : body.voxels) top = std::max(top, p.dot(n));
    now.clear();
    for (const Vec3& p : body.surface) {
      const bool near = point ? std::abs((p - *point).dot(n)) < 0.75 * flat && (p - *point).norm() < valve_reach
                              : p.dot(n) > top - flat;
      if (near) now.push_back(p);
    }
    if (now.size() > best.size()) best = now, normal = n;
  }
  if (best.size() < 10) return {Vec3::Zero(), Vec3::Zero()};
  return fitted(best, normal);
}

// Area and centre of the body's section, and its cut: from the outermost voxel inwards until the section is as large as
// the flat part of a valve's, not the cap of a dome.
Opening cut_of(const Body& body, const Plane& plane) {
  constexpr double step = 0.5, thick = 1.5;
  double top = -INFINITY;
  for (const Vec3& p : body.voxels)
    if ((p - plane.centre - plane.height(p) * plane.normal).norm() < valve_reach) top = std::max(top, plane.height(p));
  top = std::min(top, deepest_cut / 2) + body.voxel / 2;
  const auto section = [&](double height, Vec3* centre) {
    double count = 0;
    Vec3 sum = Vec3::Zero();
    for (const Vec3& p : body.voxels)
      if (std::abs(plane.height(p) - height) < thick / 2) sum += p, ++count;
    if (centre && count > 0) *centre = sum / count;
    return count * body.voxel * body.voxel * body.voxel / thick;
  };
  double height = top - thick / 2;
  while (height > top - deepest_cut) {
    const double here = section(height, nullptr);
    if (here >= least_valve && here >= 0.8 * section(height - 3, nullptr)) break;
    height -= step;
  }
  Opening opening{.name = "mitral", .plane = plane, .radius = 0, .part = 0};
  const double area = section(height, &opening.plane.centre);
  opening.plane.centre += (height + thick / 2 - body.voxel / 2 - plane.height(opening.plane.centre)) * plane.normal;
  opening.radius = std::sqrt(area / std::numbers::pi);
  return opening;
}

}  // namespace

Opening mitral_of(const Labels& cavity, const Protrusions& found, const std::optional<Plane>& contact,
                  const std::optional<Vec3>& given, const char*& source, const Monitor& monitor) {
  const Body body = body_of(cavity, found);
  Vec3 away = Vec3::Zero();
  for (const auto& p : found.parts) away -= (p.base - found.centre) / double(found.parts.size());
  if (contact && !given) {
    source = "left ventricle";
    return cut_of(body, *contact);
  }
  constexpr double degree = std::numbers::pi / 180;
  Plane plane;
  if (given) {
    source = "given";
    if (!given->allFinite() || !((*given - found.centre).norm() > 5)) {
      throw InputError(
          fmt::format("Mitral valve: the point ({:.1f}, {:.1f}, {:.1f}) lies in the middle of the atrium; name one at "
                      "the valve's centre, in LPS [mm]",
                      (*given)[0], (*given)[1], (*given)[2]));
    }
    plane = flattest(body, cone((*given - found.centre).normalized(), 60 * degree), &*given);
  } else {
    source = "guessed";
    const Vec3 usual = Vec3(0.55, -0.60, -0.58).normalized();  // left, front, down
    const Vec3 axis = usual + (away.norm() > 1 ? Vec3(away.normalized()) : Vec3(Vec3::Zero()));
    plane = flattest(body, cone(axis.norm() > 0.3 ? Vec3(axis.normalized()) : usual, 45 * degree), nullptr);
  }
  if (plane.normal.isZero()) {
    throw InputError(given ? "Mitral valve: the point given is not at the cavity's surface; name one at the valve's "
                             "centre, in LPS [mm]"
                           : "Mitral valve: no part of the cavity's surface looks like it; name a point at the valve's "
                             "centre with --mitral");
  }
  Opening opening = cut_of(body, plane);
  const Vec3& c = opening.plane.centre;
  const auto place =
      fmt::format("({:.1f}, {:.1f}, {:.1f}) mm, a disc of {:.1f} mm radius", c.x(), c.y(), c.z(), opening.radius);
  if (given)
    monitor.tell("mitral valve: cut open at " + place);
  else
    monitor.warn(
        "the mitral valve was guessed as the flattest part that faces left, front and down, away from the veins, at " +
        place + "; name a point at its centre with --mitral where that is wrong");
  return opening;
}

}  // namespace cardiotwin::meshes
