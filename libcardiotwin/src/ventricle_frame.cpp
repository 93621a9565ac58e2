#include "ventricle_frame.hpp"

#include <fmt/core.h>

#include <Eigen/Geometry>
#include <Eigen/LU>
#include <algorithm>
#include <array>
#include <cardiotwin/error.hpp>
#include <cardiotwin/valves.hpp>
#include <cmath>
#include <limits>
#include <numbers>

namespace cardiotwin {
namespace {

constexpr double degrees = 180 / std::numbers::pi;
constexpr int levels = 24;                // slices of the long axis
constexpr double cap_share = 0.03;        // of the long axis that makes the tip of a surface
constexpr double narrowest_septum = 0.6;  // of its widest angle, below which it tapers towards the right apex

double area_of(std::span<const Vec3> x, const Triangle& n) {
  return (x[n[1]] - x[n[0]]).cross(x[n[2]] - x[n[0]]).norm() / 2;
}

Vec3 centre_of(std::span<const Vec3> x, const Triangle& n) { return (x[n[0]] + x[n[1]] + x[n[2]]) / 3; }

Vec3 mean_of(std::span<const Vec3> x, const std::vector<Triangle>& triangles) {
  Vec3 sum = Vec3::Zero();
  double area = 0;
  for (const auto& n : triangles) sum += area_of(x, n) * centre_of(x, n), area += area_of(x, n);
  return sum / std::max(area, 1e-300);
}

// Mean of the part of a surface that lies lowest along `up`: the pole of a rounded one, wherever its nodes are.
Vec3 tip_of(std::span<const Vec3> x, const std::vector<Triangle>& triangles, const Vec3& up, double depth) {
  double low = std::numeric_limits<double>::infinity();
  for (const auto& n : triangles) low = std::min(low, up.dot(centre_of(x, n)));
  std::vector<Triangle> cap;
  for (const auto& n : triangles)
    if (up.dot(centre_of(x, n)) <= low + depth) cap.push_back(n);
  return mean_of(x, cap);
}

// Three-point mean, the ends kept.
template <class Get>
void smooth(std::size_t count, const Get& get) {
  for (int pass = 0; pass < 2; ++pass) {
    auto before = get(0);
    for (std::size_t i = 1; i + 1 < count; ++i) {
      const auto here = get(i);
      get(i) = (before + 2 * here + get(i + 1)) / 4;
      before = here;
    }
  }
}

// The two entries of an ascending list around `height`, and the second one's share; constant beyond both ends.
template <class Entry>
double bracket(const std::vector<Entry>& list, double height, const Entry*& low, const Entry*& high) {
  const auto above =
      std::upper_bound(list.begin(), list.end(), height, [](double h, const Entry& e) { return h < e.height; });
  low = above == list.begin() ? &list.front() : &*(above - 1);
  high = above == list.end() ? &list.back() : &*above;
  return low == high ? 0.0 : std::clamp((height - low->height) / (high->height - low->height), 0.0, 1.0);
}

}  // namespace

std::vector<Triangle> triangles_of(const Anatomy& anatomy, Surface tag) {
  std::vector<Triangle> triangles;
  for (const auto& face : anatomy.surface)
    if (face.tag == tag) triangles.push_back(face.nodes);
  return triangles;
}

Landmarks landmarks(const Anatomy& anatomy) {
  Landmarks marks{anatomy.apex, anatomy.base_centre, anatomy.septum};
  const auto points = anatomy.mesh.points();
  if (!((marks.base_centre - marks.apex).norm() > 1)) {
    const auto epi = triangles_of(anatomy, Surface::epi);
    if (epi.empty()) throw InputError("Landmarks: no face is tagged as epicardium; tag the surface first");
    Vec3 centre = Vec3::Zero(), normal = Vec3::Zero();
    double perimeter = 0;
    for (const auto& ring : valve_rings(anatomy)) {
      if (ring.endocardium != Surface::endo) continue;
      centre += ring.perimeter * ring.centre, normal += ring.area * ring.normal, perimeter += ring.perimeter;
    }
    if (!(perimeter > 0))
      throw InputError("Landmarks: the endocardium meets the base along no closed line; tag the surface first");
    marks.base_centre = centre / perimeter;
    double lowest = 0;
    for (const auto& n : epi) {
      for (const Index node : n) {
        const double h = (points[node] - marks.base_centre).dot(normal);
        if (h < lowest) lowest = h, marks.apex = points[node];
      }
    }
  }
  const auto right = triangles_of(anatomy, Surface::endo_rv);
  if (!(marks.septum.norm() > 0.5) && !right.empty()) {
    const Vec3 up = (marks.base_centre - marks.apex).normalized(), towards = mean_of(points, right) - marks.apex;
    marks.septum = (towards - towards.dot(up) * up).normalized();
  }
  return marks;
}

VentricleFrame::VentricleFrame(const Anatomy& anatomy, const std::vector<Triangle>& epi,
                               const std::vector<Sample>& mid_wall) {
  const auto marks = landmarks(anatomy);
  const Vec3 axis = marks.base_centre - marks.apex;
  length_ = axis.norm();
  if (!(length_ > 1)) throw InputError("Coordinates: apex and base centre coincide; tag the surface first");
  apex_ = marks.apex, up_ = axis / length_;
  const Vec3 towards = marks.septum - marks.septum.dot(up_) * up_;
  if (!(towards.norm() > 0.05 * marks.septum.norm()) || !(marks.septum.norm() > 0))
    throw InputError(
        "Coordinates: the septum's direction is unknown or lies along the long axis; name a point towards the septum");
  septal_ = towards.normalized();
  anterior_ = up_.cross(septal_);  // as for AHA segments
  find_apex(anatomy, epi);
  find_centre_line(anatomy.mesh.points(), mid_wall);
}

void VentricleFrame::find_apex(const Anatomy& anatomy, const std::vector<Triangle>& epi) {
  const auto points = anatomy.mesh.points();
  apex_epi_ = tip_of(points, epi, up_, cap_share * length_);
  apex_endo_ = tip_of(points, triangles_of(anatomy, Surface::endo), up_, cap_share * length_);
}

double VentricleFrame::distance_to_apex(const Vec3& p) const {
  const Vec3 along = apex_endo_ - apex_epi_;
  const double s = std::clamp((p - apex_epi_).dot(along) / std::max(along.squaredNorm(), 1e-12), 0.0, 1.0);
  return (p - apex_epi_ - s * along).norm();
}

// A circle through the middle of the wall, slice by slice, where the slice is a closed ring: a cut that is not
// perpendicular to the axis leaves open ones above. The fit is the algebraic one: linear, and exact for a circle.
void VentricleFrame::find_centre_line(std::span<const Vec3> points, const std::vector<Sample>& mid_wall) {
  constexpr int sectors = 12;
  line_ = {{height(apex_epi_), across(apex_epi_)}};
  if (height(apex_endo_) > line_.front().height + 0.5) line_.push_back({height(apex_endo_), across(apex_endo_)});
  std::vector<std::vector<Sample>> slices(levels);
  for (const auto& sample : mid_wall) {
    const int level = static_cast<int>(std::floor(height(points[sample.node]) / length_ * levels));
    if (level >= 0 && level < levels) slices[static_cast<std::size_t>(level)].push_back(sample);
  }
  const std::size_t first = line_.size();
  for (const auto& slice : slices) {
    Eigen::Matrix3d normal = Eigen::Matrix3d::Zero();
    Vec3 right = Vec3::Zero();
    Vec2 mean = Vec2::Zero();
    double weight = 0, level = 0;
    for (const auto& [node, w] : slice) {
      const Vec2 p = across(points[node]);
      const Vec3 row(p.x(), p.y(), 1);
      normal += w * row * row.transpose(), right += w * p.squaredNorm() * row;
      mean += w * p, weight += w, level += w * height(points[node]);
    }
    if (!(weight > 0)) continue;
    mean /= weight, level /= weight;
    std::array<bool, sectors> seen{};
    for (const auto& [node, w] : slice) {
      const Vec2 p = across(points[node]) - mean;
      const double turn = std::atan2(p.y(), p.x()) / (2 * std::numbers::pi) + 0.5;
      seen[std::min(static_cast<std::size_t>(turn * sectors), std::size_t{sectors - 1})] = true;
    }
    if (std::find(seen.begin(), seen.end(), false) != seen.end() || !(level > line_.back().height + 0.5)) continue;
    const Vec3 circle = normal.fullPivLu().solve(right);  // x^2 + y^2 = 2 cx x + 2 cy y + rest
    line_.push_back({level, circle.head<2>() / 2});
  }
  if (line_.size() > first)
    smooth(line_.size() - first, [&](std::size_t i) -> Vec2& { return line_[first + i].centre; });
}

VentricleFrame::Vec2 VentricleFrame::centre(double height) const {
  const Knot *low = nullptr, *high = nullptr;
  const double share = bracket(line_, height, low, high);
  return (1 - share) * low->centre + share * high->centre;
}

double VentricleFrame::angle(const Vec3& p) const {
  const Vec2 r = across(p) - centre(height(p));
  return degrees * std::atan2(r.y(), r.x());
}

// Slice by slice the mean angle of the seam on either side. Towards the right apex both sides meet, and the septum
// would be squeezed to nothing: from where it is clearly narrower the angles above are kept.
void VentricleFrame::anchor(std::span<const Vec3> points, const std::vector<Sample>& seam) {
  struct Side {
    double weight = 0, angle = 0;
    double mean() const { return angle / weight; }
  };
  std::vector<std::array<Side, 2>> slices(levels);
  for (const auto& [node, w] : seam) {
    const int level = std::clamp(static_cast<int>(height(points[node]) / length_ * levels), 0, levels - 1);
    const double a = angle(points[node]);
    auto& side = slices[static_cast<std::size_t>(level)][a < 0];
    side.weight += w, side.angle += w * a;
  }
  std::vector<Insertion> all;
  double widest = 0;
  for (std::size_t i = 0; i < slices.size(); ++i) {
    const auto& [front, back] = slices[i];
    if (!(front.weight > 0 && back.weight > 0)) continue;
    all.push_back({(static_cast<double>(i) + 0.5) * length_ / levels, front.mean(), back.mean()});
    widest = std::max(widest, front.mean() - back.mean());
  }
  if (!(widest > 20))
    throw InputError(fmt::format(
        "Coordinates: the right ventricle's wall meets the left one's over only {:.0f} degrees, so anterior and "
        "inferior insertion cannot be told apart; check the septum's direction and the tags of the surface",
        widest));
  while (all.front().anterior - all.front().inferior < narrowest_septum * widest) all.erase(all.begin());
  smooth(all.size(), [&](std::size_t i) -> double& { return all[i].anterior; });
  smooth(all.size(), [&](std::size_t i) -> double& { return all[i].inferior; });
  insertions_ = std::move(all);
}

double VentricleFrame::rotational(const Vec3& p) const {
  double turned = angle(p);
  if (!insertions_.empty()) {
    const Insertion *low = nullptr, *high = nullptr;
    const double share = bracket(insertions_, height(p), low, high);
    const double front = std::lerp(low->anterior, high->anterior, share),
                 back = std::lerp(low->inferior, high->inferior, share);
    if (turned >= back && turned <= front) {
      turned = -60 + 120 * (turned - back) / (front - back);
    } else {
      if (turned < back) turned += 360;
      turned = 60 + 240 * (turned - front) / (360 + back - front);
    }
  }
  turned = std::fmod(turned + 360, 360);
  return turned < 360 ? turned : 0;
}

}  // namespace cardiotwin
