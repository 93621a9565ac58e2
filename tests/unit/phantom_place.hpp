#pragma once
/// Where a point of the phantom's left ventricle is, by its ellipsoids: the truth that coordinates are held against.

#include <Eigen/Geometry>
#include <algorithm>
#include <cardiotwin/coordinates.hpp>
#include <cardiotwin/meshes/phantom.hpp>
#include <cmath>
#include <numbers>

namespace cardiotwin::tests {

/// Layers of the wall are ellipsoids whose semi-axes differ by the wall; the apicobasal coordinate is the share of the
/// layer's own meridian from pole to base.
class PhantomPlaces {
 public:
  explicit PhantomPlaces(const meshes::PhantomOptions& o) : o_(o) {
    const auto turn = [&](int axis) {
      return Eigen::AngleAxisd(o.rotation_degrees[axis] * std::numbers::pi / 180, Vec3::Unit(axis));
    };
    turn_ = (turn(2) * turn(1) * turn(0)).toRotationMatrix();
  }

  Place place(const Vec3& scanner) const {
    const Vec3 p = turn_.transpose() * (scanner - o_.translation);
    double low = -5, high = o_.wall + 5;  // of the depth below the epicardium at which the layer passes through p
    for (int i = 0; i < 50; ++i) {
      const double w = (low + high) / 2, a = o_.semi_axis_long - w, b = o_.semi_axis_short - w;
      ((p.x() * p.x() + p.y() * p.y()) / (b * b) + p.z() * p.z() / (a * a) > 1 ? high : low) = w;
    }
    const double w = std::clamp(low, 0.0, o_.wall);
    const double phi = std::asin(std::clamp(p.z() / (o_.semi_axis_long - w), -1.0, 1.0));
    const double degrees = std::atan2(p.y(), p.x()) * 180 / std::numbers::pi;
    return {.apicobasal = std::min(1.0, arc(w, phi) / arc(w, top(w))),
            .rotational = degrees < 0 ? degrees + 360 : degrees,
            .transmural = 1 - w / o_.wall};
  }

  Vec3 position(const Place& place) const {
    const double w = (1 - place.transmural) * o_.wall, wanted = place.apicobasal * arc(w, top(w));
    double low = -std::numbers::pi / 2, high = top(w);
    for (int i = 0; i < 40; ++i) {
      const double phi = (low + high) / 2;
      (arc(w, phi) > wanted ? high : low) = phi;
    }
    const double radius = (o_.semi_axis_short - w) * std::cos(low), theta = place.rotational * std::numbers::pi / 180;
    return turn_ * Vec3(radius * std::cos(theta), radius * std::sin(theta), (o_.semi_axis_long - w) * std::sin(low)) +
           o_.translation;
  }

 private:
  double top(double w) const { return std::asin(o_.base_height / (o_.semi_axis_long - w)); }
  double arc(double w, double phi) const {
    constexpr int steps = 32;
    const double from = -std::numbers::pi / 2, step = (phi - from) / steps;
    double length = 0;
    for (int i = 0; i < steps; ++i) {
      const double at = from + (i + 0.5) * step;
      length += step * std::sqrt(std::pow((o_.semi_axis_long - w) * std::cos(at), 2) +
                                 std::pow((o_.semi_axis_short - w) * std::sin(at), 2));
    }
    return length;
  }

  meshes::PhantomOptions o_;
  Mat3 turn_;
};

}  // namespace cardiotwin::tests
