#include "phantom_heart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cardiotwin/random.hpp>
#include <cmath>
#include <limits>

namespace cardiotwin::meshes {
namespace {
using std::numbers::pi;
constexpr int arc_steps = 4096;
double square(double x) { return x * x; }
}  // namespace

double wrap_angle(double radians) {
  const double turned = std::fmod(radians, 2 * pi);
  return turned > pi ? turned - 2 * pi : turned <= -pi ? turned + 2 * pi : turned;
}

Ventricle::Ventricle(const PhantomOptions& options)
    : long_(options.semi_axis_long),
      short_(options.semi_axis_short),
      wall_(options.wall),
      base_(options.base_height),
      papillary_(options.papillary) {
  const double a = long_ - wall_ / 2, b = short_ - wall_ / 2, step = pi / arc_steps;
  const auto speed = [&](double phi) { return std::sqrt(square(a * std::cos(phi)) + square(b * std::sin(phi))); };
  arc_.resize(arc_steps + 1, 0);
  for (int i = 0; i < arc_steps; ++i) {  // Simpson's rule per step
    const double phi = -pi / 2 + i * step;
    arc_[i + 1] = arc_[i] + step / 6 * (speed(phi) + 4 * speed(phi + step / 2) + speed(phi + step));
  }
}

bool Ventricle::in_cavity(const Vec3& p) const {
  return in_endocardium(p) && !(papillary_ && distance_to_trabeculae(p) < 0);
}

bool Ventricle::in_endocardium(const Vec3& p) const {
  return p[2] <= base_ && square(p[2] / (long_ - wall_)) + (square(p[0]) + square(p[1])) / square(short_ - wall_) < 1;
}

// Two rods rise from the wall, anterolateral and posteromedial, and lean away from it; ridges run along the meridians
// of the apical half, highest in its middle.
double Ventricle::distance_to_trabeculae(const Vec3& p) const {
  const double a = long_ - wall_, b = short_ - wall_, thickness = 0.2 * b;
  double nearest = std::numeric_limits<double>::infinity();
  for (const double theta : {150.0 * degree, 230.0 * degree}) {
    const auto at = [&](double radius, double z) {
      return Vec3(radius * std::cos(theta), radius * std::sin(theta), z);
    };
    const Vec3 root = at(b * std::sqrt(1 - square(0.55)), -0.55 * a), tip = at(0.5 * b, base_ - 0.3 * a);
    const double s = std::clamp((p - root).dot(tip - root) / (tip - root).squaredNorm(), 0.0, 1.0);
    nearest = std::min(nearest, (p - root - s * (tip - root)).norm() - thickness);
  }
  constexpr int ridges = 9;
  const double z = p[2] / a, height = 0.13 * b * std::clamp(4 * (z + 0.85) * (-0.25 - z) / square(0.6), 0.0, 1.0);
  const double inside = b * (1 - p.cwiseQuotient(Vec3(b, b, a)).norm()), theta = std::atan2(p[1], p[0]);
  return std::min(nearest, inside - height * square(std::max(0.0, std::cos(ridges * theta))));
}

bool Ventricle::in_epicardium(const Vec3& p) const {
  return p[2] <= base_ && square(p[2] / long_) + (square(p[0]) + square(p[1])) / square(short_) < 1;
}

// An ellipsoid shifted towards the septum and standing on the base; what the left ventricle leaves of it is a crescent.
bool Ventricle::in_right_ventricle(const Vec3& p) const {
  if (p[2] > base_ || p[0] < 0 || in_epicardium(p)) return false;
  return square((p[0] - 0.55 * short_) / (1.2 * short_)) + square(p[1] / (0.95 * short_)) +
             square((p[2] - base_) / (0.8 * long_)) <
         1;
}

// |(x/a, y/b, z/c)| changes by at most 1/min(a, b, c) per mm.
bool Ventricle::far_from_surfaces(const Vec3& p, double reach) const {
  const auto far = [&](const Vec3& q, const Vec3& axes) {
    return std::abs(q.cwiseQuotient(axes).norm() - 1) * axes.minCoeff() > reach;
  };
  const double a = long_ - wall_, b = short_ - wall_;
  if (papillary_ && in_endocardium(p)) return false;
  return std::abs(p[2] - base_) > reach && far(p, {b, b, a}) && far(p, {short_, short_, long_}) &&
         (p[0] < -reach || far(p - Vec3(0.55 * short_, 0, base_), {1.2 * short_, 0.95 * short_, 0.8 * long_}));
}

double Ventricle::right_reach() const { return 1.75 * short_; }

WallPlace Ventricle::place(const Vec3& p) const {
  // Find w with rho^2/(B-w)^2 + z^2/(A-w)^2 = 1. Convex and rising in w, so Newton from w = wall descends without
  // overshoot.
  const double rho2 = square(p[0]) + square(p[1]), z2 = square(p[2]);
  double w = wall_;
  for (int i = 0; i < 30; ++i) {
    const double b = short_ - w, a = long_ - w;
    const double value = rho2 / (b * b) + z2 / (a * a) - 1, slope = 2 * (rho2 / (b * b * b) + z2 / (a * a * a));
    if (value < 0) break;  // in the cavity, or converged
    const double move = value / slope;
    w -= move;
    if (std::abs(move) < 1e-7 * wall_) break;
  }
  w = std::clamp(w, 0.0, wall_);
  const double phi = std::asin(std::clamp(p[2] / (long_ - w), -1.0, 1.0));
  return {arc_of_angle(phi), std::atan2(p[1], p[0]), 1 - w / wall_};
}

Vec3 Ventricle::position(const WallPlace& at) const {
  const double w = (1 - at.depth) * wall_, phi = angle_of_arc(at.s), radius = (short_ - w) * std::cos(phi);
  return {radius * std::cos(at.theta), radius * std::sin(at.theta), (long_ - w) * std::sin(phi)};
}

double Ventricle::arc_of_angle(double phi) const {
  const double x = std::clamp((phi + pi / 2) / pi, 0.0, 1.0) * arc_steps;
  const int i = std::min(int(x), arc_steps - 1);
  return arc_[i] + (x - i) * (arc_[i + 1] - arc_[i]);
}

double Ventricle::angle_of_arc(double s) const {
  const auto next = std::upper_bound(arc_.begin() + 1, arc_.end() - 1, s);
  const double share = std::clamp((s - *(next - 1)) / (*next - *(next - 1)), 0.0, 1.0);
  return -pi / 2 + pi / arc_steps * (double(next - 1 - arc_.begin()) + share);
}

double Ventricle::arc_of_height(double z) const {
  return arc_of_angle(std::asin(std::clamp(z / (long_ - wall_ / 2), -1.0, 1.0)));
}

double Ventricle::mid_radius(double s) const { return (short_ - wall_ / 2) * std::cos(angle_of_arc(s)); }

Infarct::Infarct(const Ventricle& ventricle, const PhantomOptions& options)
    : ventricle_(ventricle),
      wall_(options.wall),
      transmurality_(options.transmurality),
      border_zone_(options.border_zone),
      channel_half_width_(options.channel_width / 2),
      tilt_(std::tan(options.channel_tilt * degree)),
      bend_(options.channel_bend),
      theta_(wrap_angle(options.scar_angle * degree)),
      channel_(options.channel) {
  if (options.scar_segments.empty()) {
    const double s = ventricle.arc_of_height(options.scar_height), half_s = options.scar_length / 2,
                 half_width = options.scar_width / 2;
    if (s - half_s < 0 || s + half_s > ventricle.base_arc()) {
      throw InputError(
          fmt::format("phantom: a scar of length {:g} mm at height {:g} mm reaches beyond the {}; shorten or move it",
                      options.scar_length, options.scar_height, s - half_s < 0 ? "apex" : "base"));
    }
    if (const double round = 2 * pi * ventricle.mid_radius(s); options.scar_width > round) {
      throw InputError(fmt::format("phantom: scar width {:g} mm is more than the circumference {:.0f} mm there",
                                   options.scar_width, round));
    }
    pieces_.push_back({s, half_s, theta_, 0, half_width, 0.5 * std::min(half_s, half_width)});
  } else {
    for (int segment : options.scar_segments)
      add_segment(segment, options.wall - options.semi_axis_long, options.base_height);
    double x = 0, y = 0;
    for (const Piece& p : pieces_) x += std::cos(p.theta), y += std::sin(p.theta);
    theta_ = std::hypot(x, y) > 0.3 ? std::atan2(y, x) : pieces_.front().theta;
  }
  low_ = pieces_.front().s, high_ = low_;
  for (const Piece& p : pieces_) low_ = std::min(low_, p.s - p.half_s), high_ = std::max(high_, p.s + p.half_s);
  if (channel_) check_channel();
  if (options.no_reflow) place_pocket(options.seed);
}

// The 17 segments of the AHA (Cerqueira 2002, doi 10.1161/hc0402.102975): thirds of the cavity's length, six, six and
// four sectors, and the apical cap beyond the cavity.
void Infarct::add_segment(int segment, double apex_z, double base_z) {
  const auto z = [&](double third) { return ventricle_.arc_of_height(apex_z + third / 3 * (base_z - apex_z)); };
  const auto add = [&](double from, double to, double angle, double half) {
    pieces_.push_back({(from + to) / 2, (to - from) / 2, wrap_angle(angle * degree), half * degree, 0, 0});
  };
  if (segment <= 6)
    add(z(2), z(3), 90 - 60 * (segment - 1), 30);
  else if (segment <= 12)
    add(z(1), z(2), 90 - 60 * (segment - 7), 30);
  else if (segment <= 16)
    add(z(0), z(1), 90 - 90 * (segment - 13), 45);
  else
    add(0, z(0), 0, 180);
}

double Infarct::distance_to_piece(const Piece& p, double s, double theta) const {
  const double radius = ventricle_.mid_radius(s), off = std::abs(wrap_angle(theta - p.theta));
  const double across = p.half_width > 0 ? radius * off - p.half_width : radius * (off - p.half_angle);
  const double x = std::abs(s - p.s) - p.half_s + p.rounding, y = across + p.rounding;
  return std::hypot(std::max(x, 0.0), std::max(y, 0.0)) + std::min(std::max(x, y), 0.0) - p.rounding;
}

double Infarct::distance_to_core(double s, double theta) const {
  double nearest = distance_to_piece(pieces_.front(), s, theta);
  for (std::size_t i = 1; i < pieces_.size(); ++i) nearest = std::min(nearest, distance_to_piece(pieces_[i], s, theta));
  return nearest;
}

double Infarct::channel_angle(double s) const {
  const double u = s - (low_ + high_) / 2, share = u / ((high_ - low_) / 2);
  return theta_ + (u * tilt_ + bend_ * (1 - share * share)) / std::max(ventricle_.mid_radius(s), 1.0);
}

double Infarct::distance_to_channel(double s, double theta) const {
  const double u = s - (low_ + high_) / 2, half = (high_ - low_) / 2;
  const double slope = tilt_ - 2 * bend_ * u / (half * half);
  const double across = wrap_angle(theta - channel_angle(s)) * ventricle_.mid_radius(s);
  return std::abs(across) / std::sqrt(1 + slope * slope);
}

void Infarct::check_channel() const {
  for (int i = 1; i < 100; ++i) {
    const double s = low_ + i / 100. * (high_ - low_), theta = channel_angle(s);
    if (distance_to_core(s, theta) > 1e-6) {
      throw InputError(
          "phantom: the channel must run inside the scar from end to end, but its course leaves it; reduce its tilt or "
          "bend, "
          "or give segments that form one column");
    }
  }
}

// The widest place of the core beside the channel; where several are as good, the seed decides.
void Infarct::place_pocket(std::uint64_t seed) {
  Random random(seed ^ 0x6e6f7265666c6f77u);
  double best = 0;
  for (double s = low_; s <= high_; s += 1) {
    const double step = 1 / std::max(ventricle_.mid_radius(s), 1.0);
    for (double theta = -pi; theta < pi; theta += step) {
      double room = -distance_to_core(s, theta);
      if (channel_) room = std::min(room, distance_to_channel(s, theta) - channel_half_width_);
      if (room <= 0) continue;
      room *= 0.9 + 0.1 * random.uniform();
      if (room > best) best = room, pocket_centre_ = {s, theta, 0.5 * transmurality_};
    }
  }
  pocket_radius_ = std::min(6.0, 0.6 * best);
  pocket_ = pocket_radius_ >= 1.5;
}

Stuff Infarct::stuff(const WallPlace& at) const {
  const double along = distance_to_core(at.s, at.theta), deep = (at.depth - transmurality_) * wall_;
  if (std::max(along, deep) > 1e-9) {
    return std::hypot(std::max(along, 0.0), std::max(deep, 0.0)) < border_zone_ ? Stuff::border_zone : Stuff::healthy;
  }
  if (channel_ && distance_to_channel(at.s, at.theta) < channel_half_width_) return Stuff::channel;
  if (pocket_) {
    const double u = at.s - pocket_centre_.s,
                 v = wrap_angle(at.theta - pocket_centre_.theta) * ventricle_.mid_radius(at.s);
    const double w = (at.depth - pocket_centre_.depth) * wall_ / (0.3 * transmurality_ * wall_);
    if ((u * u + v * v) / square(pocket_radius_) + w * w < 1) return Stuff::no_reflow;
  }
  return Stuff::core;
}

std::vector<Vec3> Infarct::centre_line() const {
  std::vector<Vec3> line;
  if (!channel_) return line;
  const int steps = std::max(2, int(std::lround(high_ - low_)));
  for (int i = 0; i <= steps; ++i) {
    const double s = low_ + (high_ - low_) * i / steps;
    line.push_back(ventricle_.position({s, channel_angle(s), transmurality_ / 2}));
  }
  return line;
}

}  // namespace cardiotwin::meshes
