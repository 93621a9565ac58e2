// Where the body is, and the shapes in it.

#include <Eigen/Geometry>
#include <cardiotwin/error.hpp>
#include <cmath>
#include <numbers>

#include "torso_parts.hpp"

namespace cardiotwin::meshes {
namespace {

constexpr double across = 2.5, along = 5;  // exponents of the trunk

// Columns: the first direction, the second made normal to it, and their cross product.
Mat3 triad(const Vec3& first, const Vec3& second) {
  Mat3 axes;
  axes.col(0) = first.normalized();
  axes.col(1) = (second - second.dot(axes.col(0)) * axes.col(0)).normalized();
  axes.col(2) = axes.col(0).cross(axes.col(1));
  return axes;
}

}  // namespace

// With R = (|x/a|^n + |y/b|^n)^(1/n) and F = (R^m + |z/c|^m)^(1/m) the skin is F = 1, and (1 - F) / |grad F| is the
// depth to first order.
double Trunk::depth(const Vec3& p) const {
  const Vec3 s = p.cwiseAbs().cwiseQuotient(half_);
  const double r = std::pow(std::pow(s.x(), across) + std::pow(s.y(), across), 1 / across);
  const double f = std::pow(std::pow(r, along) + std::pow(s.z(), along), 1 / along);
  if (f < 1e-6) return half_.minCoeff();
  const double of_r = std::pow(r / f, along - 1);
  Vec3 slope(0, 0, std::pow(s.z() / f, along - 1));
  if (r > 0) slope.x() = of_r * std::pow(s.x() / r, across - 1), slope.y() = of_r * std::pow(s.y() / r, across - 1);
  return (1 - f) / slope.cwiseQuotient(half_).norm();
}

std::array<Ellipsoid, 2> lungs(const TorsoOptions& o) {
  const Vec3 trunk(o.width, o.depth, o.height);
  const Vec3 half = 0.5 * Vec3(0.34, 0.68, 0.53).cwiseProduct(trunk);
  return {Ellipsoid{Vec3(-0.265, 0.025, 0.17).cwiseProduct(trunk), half},
          Ellipsoid{Vec3(0.265, 0.025, 0.17).cwiseProduct(trunk), half}};
}

Vec3 centroid(const Mesh& mesh) {
  Vec3 sum = Vec3::Zero();
  double volume = 0;
  for (std::size_t t = 0; t < mesh.tet_count(); ++t) sum += mesh.volume(t) * mesh.centroid(t), volume += mesh.volume(t);
  return sum / volume;
}

// Of an atrium the axis is that from the ends of the veins to the mitral valve, which points the same way as that from
// the ventricles' base to their apex.
Mat3 body_axes(const Anatomy& heart, BodyFrame frame) {
  if (frame == BodyFrame::scanner) return Mat3::Identity();
  const Vec3 up = heart.base_centre - heart.apex;
  const Vec3 axis = heart.chamber == Chamber::left_atrium ? up : Vec3(-up);
  if (!(axis.norm() > 1) || !(axis.normalized().cross(heart.septum).norm() > 0.1))
    throw InputError(
        "Torso: the body cannot be turned to the heart, which has no long axis or no septum beside it; use the "
        "scanner's axes, or build the heart with a septum");
  constexpr double degree = std::numbers::pi / 180;
  const Mat3 typical = triad({1, -std::tan(46 * degree), -std::tan(38 * degree)}, {-1, -1, 0});
  return triad(axis, heart.septum) * typical.transpose();
}

Placed::Placed(const Anatomy& heart, const TorsoOptions& o)
    : body(body_axes(heart, o.frame)),
      middle(centroid(heart.mesh) - body * Vec3(o.heart_left, -o.heart_front, o.heart_up)) {}

}  // namespace cardiotwin::meshes
