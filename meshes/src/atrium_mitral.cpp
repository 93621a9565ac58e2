#include <fmt/format.h>

#include <Eigen/Eigenvalues>
#include <Eigen/Geometry>
#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cmath>
#include <numbers>

#include "atrium_parts.hpp"

namespace cardiotwin::meshes {
namespace {

constexpr double flat = 2.2;         // [mm] within which a part of the surface counts as flat
constexpr double least_valve = 0.2;  // of the area of a cube as large as the body
constexpr double deepest_cut = 12;   // [mm] below the outermost point
constexpr double valve_reach = 22;   // [mm] around a given point

struct Body {
  std::vector<Vec3> voxels, surface;
  double voxel;            // [mm]
  double least_valve = 0;  // [mm2]
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
  body.least_valve = least_valve * std::pow(double(body.voxels.size()), 2.0 / 3.0) * body.voxel * body.voxel;
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

// How far the body reaches from its centre in a direction [mm].
double reach_of(const Body& body, const Vec3& centre, const Vec3& n) {
  double top = 0;
  for (const Vec3& p : body.surface) top = std::max(top, (p - centre).dot(n));
  return top;
}

struct Slab {
  double low = 0, score = -INFINITY;  // along the direction
};

// The slab of surface across a direction that looks most like a cut: the surface beside it drops away at once, as that
// of a dome or of a flat wall with rounded edges does not; 1 would be a disc alone. Beyond `least` along the direction.
Slab best_slab(const Body& body, const Vec3& n, double least, const Vec3* point) {
  const double bin = flat / 2;
  std::vector<double> count;
  for (const Vec3& p : body.surface) {
    if (point && (p - *point).norm() > valve_reach) continue;
    // Spread over a voxel, for layers of voxels across the direction are no cuts.
    for (const double part : {-0.375, -0.125, 0.125, 0.375}) {
      const double height = p.dot(n) - least + part * body.voxel;
      if (height < 0) continue;
      const auto at = std::size_t(height / bin);
      if (at >= count.size()) count.resize(at + 1, 0.0);
      count[at] += 0.25;
    }
  }
  const auto area = [&](std::size_t from) {
    const double voxels = (from < count.size() ? count[from] : 0) + (from + 1 < count.size() ? count[from + 1] : 0);
    return voxels * body.voxel * body.voxel;
  };
  Slab best;
  for (std::size_t k = 2; k < count.size(); ++k) {
    if (area(k) < body.least_valve) continue;
    const double score = 1 - (2 * area(k - 2) + area(k + 2)) / area(k);
    if (score > best.score) best = {least + double(k) * bin, score};
  }
  return best;
}

// The surface within a slab that begins at `low` along a direction.
std::vector<Vec3> slab_points(const Body& body, const Vec3& n, double low, const Vec3* point) {
  std::vector<Vec3> points;
  for (const Vec3& p : body.surface) {
    const double height = p.dot(n) - low;
    if (height >= 0 && height < flat && !(point && (p - *point).norm() > valve_reach)) points.push_back(p);
  }
  return points;
}

// How far the middle of the points lies from a place [mm].
double off_centre(const std::vector<Vec3>& points, const Vec3& place) {
  Vec3 sum = Vec3::Zero();
  for (const Vec3& p : points) sum += p;
  return (sum / double(points.size()) - place).norm();
}

// Of directions about the axis the one across which a slab of the body's surface looks most like a cut; the farther off
// the axis, or its middle off a given point, the less it counts. A plane through that slab.
Plane flattest(const Body& body, const Vec3& centre, const Vec3& axis, double angle, const Vec3* point) {
  Vec3 normal = Vec3::Zero();
  Slab best;
  for (const Vec3& n : cone(axis, angle)) {
    const double least = point ? point->dot(n) - 3 - flat : centre.dot(n) + 0.3 * reach_of(body, centre, n);
    Slab slab = best_slab(body, n, least, point);
    slab.score -= 1 - n.dot(axis) * n.dot(axis);
    if (point && std::isfinite(slab.score)) slab.score -= off_centre(slab_points(body, n, slab.low, point), *point) / 5;
    if (slab.score > best.score) best = slab, normal = n;
  }
  const auto points = slab_points(body, normal, best.low, point);
  if (normal.isZero() || points.size() < 10) return {Vec3::Zero(), Vec3::Zero()};
  return fitted(points, normal);
}

// The cut near a plane: from a little outside of it inwards until the section is as large as a valve's and no more the
// cap of a dome.
Opening cut_of(const Body& body, const Plane& plane) {
  constexpr double step = 0.5, thick = 1.5, outside = 4;
  std::vector<Vec3> near;
  double top = -INFINITY;
  for (const Vec3& p : body.voxels) {
    const double height = plane.height(p);
    if ((p - plane.centre - height * plane.normal).norm() > valve_reach || height > outside) continue;
    near.push_back(p), top = std::max(top, height);
  }
  const auto section = [&](double height, Vec3* centre) {
    double count = 0;
    Vec3 sum = Vec3::Zero();
    for (const Vec3& p : near)
      if (std::abs(plane.height(p) - height) < thick / 2) sum += p, ++count;
    if (centre && count > 0) *centre = sum / count;
    return count * std::pow(body.voxel, 3) / thick;
  };
  double height = top + body.voxel / 2 - thick / 2;
  for (; height > top - deepest_cut; height -= step) {
    const double here = section(height, nullptr);
    if (here >= body.least_valve && here >= 0.7 * section(height - 2, nullptr)) break;
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
    plane = flattest(body, found.centre, (*given - found.centre).normalized(), 60 * degree, &*given);
  } else {
    source = "guessed";
    const Vec3 usual = Vec3(0.55, -0.60, -0.58).normalized();  // left, front, down
    plane = flattest(body, found.centre, usual, 50 * degree, nullptr);
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
    monitor.warn("the mitral valve was guessed as the flattest part that faces left, front and down, at " + place +
                 "; name a point at its centre with --mitral where that is wrong");
  return opening;
}

}  // namespace cardiotwin::meshes
