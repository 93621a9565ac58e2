#include "report/bullseye.hpp"

#include <fmt/format.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cardiotwin/transmurality.hpp>
#include <cmath>
#include <numbers>

namespace cardiotwin::report {
namespace {

constexpr double pi = std::numbers::pi;
constexpr std::array<double, 5> rim{0, 0.24, 0.49, 0.745, 1};  // radii between the rings

int ring_of(int segment) { return segment == 17 ? 0 : segment >= 13 ? 1 : segment >= 7 ? 2 : 3; }

// Start and width of a segment in degrees, counter-clockwise from the right (lateral) on the picture.
std::pair<double, double> wedge(int segment) {
  if (segment == 17) return {0, 360};
  if (segment >= 13) return {45 + 90.0 * (segment - 13), 90};
  return {60 + 60.0 * ((segment - 1) % 6), 60};
}

BullseyePoint polar(double radius, double degrees) {
  return {radius * std::cos(degrees * pi / 180), -radius * std::sin(degrees * pi / 180)};
}

}  // namespace

Bullseye::Bullseye(const Anatomy& anatomy) : anatomy_(anatomy) {
  low_.fill(INFINITY);
  high_.fill(-INFINITY);
  for (std::size_t t = 0; t < anatomy.mesh.tet_count(); ++t) {
    const int segment = segment_of(anatomy, t);
    if (segment == 0 || anatomy.height.empty()) continue;
    const auto ring = static_cast<std::size_t>(ring_of(segment));
    for (const auto node : anatomy.mesh.tets()[t]) {
      const double h = anatomy.height[static_cast<std::size_t>(node)];
      low_[ring] = std::min(low_[ring], h);
      high_[ring] = std::max(high_[ring], h);
    }
  }
}

BullseyePoint Bullseye::place(const Vec3& position, int segment) const {
  if (segment < 1 || segment > 17 || anatomy_.height.empty()) return {};
  const auto points = anatomy_.mesh.points();
  std::size_t nearest = 0;
  for (std::size_t n = 1; n < points.size(); ++n)
    if ((points[n] - position).squaredNorm() < (points[nearest] - position).squaredNorm()) nearest = n;
  const auto ring = static_cast<std::size_t>(ring_of(segment));
  const double span = high_[ring] - low_[ring];
  const double along = span > 0 ? std::clamp((anatomy_.height[nearest] - low_[ring]) / span, 0.0, 1.0) : 0.5;
  const double radius = rim[ring] + (rim[ring + 1] - rim[ring]) * (0.1 + 0.8 * along);
  // Looking from the apex to the base with the septum on the left, axis x septum points up: the anterior wall.
  const Vec3 axis = (anatomy_.base_centre - anatomy_.apex).normalized(), anterior = axis.cross(anatomy_.septum);
  const Vec3 q = position - anatomy_.apex;
  const double degrees = std::atan2(q.dot(anterior), -q.dot(anatomy_.septum)) * 180 / pi;
  const auto [start, width] = wedge(segment);
  const double middle = start + width / 2, off = std::remainder(degrees - middle, 360.0);
  return polar(radius, middle + std::clamp(off, -0.42 * width, 0.42 * width));
}

BullseyePoint Bullseye::place(const Vec3& position) const {
  std::size_t nearest = 0;
  double best = INFINITY;
  for (std::size_t t = 0; t < anatomy_.mesh.tet_count(); ++t)
    if (const double d = (anatomy_.mesh.centroid(t) - position).squaredNorm(); d < best) best = d, nearest = t;
  return place(position, segment_of(anatomy_, nearest));
}

namespace {

constexpr double scale = 200;  // picture units per bull's-eye radius

std::string outline(int segment) {
  const auto ring = static_cast<std::size_t>(ring_of(segment));
  const double inner = rim[ring] * scale, outer = rim[ring + 1] * scale;
  if (segment == 17)
    return fmt::format("M{0:.1f} 0A{0:.1f} {0:.1f} 0 1 0 -{0:.1f} 0A{0:.1f} {0:.1f} 0 1 0 {0:.1f} 0Z", outer);
  const auto [start, width] = wedge(segment);
  const auto a = polar(outer, start), b = polar(outer, start + width), c = polar(inner, start + width),
             d = polar(inner, start);
  return fmt::format(
      "M{:.1f} {:.1f}A{:.1f} {:.1f} 0 0 0 {:.1f} {:.1f}L{:.1f} {:.1f}A{:.1f} {:.1f} 0 0 1 {:.1f} {:.1f}Z", a.x, a.y,
      outer, outer, b.x, b.y, c.x, c.y, inner, inner, d.x, d.y);
}

// White to dark brown, so that it survives grey printing.
std::string shade(double share) {
  const double s = std::clamp(share, 0.0, 1.0);
  const auto mix = [&](double from, double to) {
    return static_cast<int>(std::lround(from + (to - from) * std::sqrt(s)));
  };
  return fmt::format("#{:02x}{:02x}{:02x}", mix(250, 92), mix(247, 46), mix(243, 20));
}

std::string segment_svg(int segment, const SegmentVolume& volume, const Transmurality& depth) {
  const auto [start, width] = wedge(segment);
  const auto ring = static_cast<std::size_t>(ring_of(segment));
  // Beside the middle, which sites and targets tend to occupy.
  const auto at =
      segment == 17 ? BullseyePoint{0, -24} : polar(scale * (rim[ring] + rim[ring + 1]) / 2, start + 0.19 * width);
  const double share = volume.scar_share();
  const char* ink = share > 0.22 ? "#fff" : "#17202c";
  return fmt::format(
      "<path d=\"{}\" fill=\"{}\" stroke=\"#5b6675\"><title>{}: {} % scar, through {} % of the wall on average, {} % "
      "at "
      "most</title></path>"
      "<text x=\"{:.1f}\" y=\"{:.1f}\" fill=\"{}\" font-size=\"11\">{}</text>"
      "<text x=\"{:.1f}\" y=\"{:.1f}\" fill=\"{}\" font-size=\"13\" font-weight=\"600\">{} %</text>",
      outline(segment), shade(share), aha_label(segment), fixed(100 * share, 0), fixed(100 * depth.mean, 0),
      fixed(100 * depth.max, 0), at.x, at.y - 7, ink, segment, at.x, at.y + 6, ink, fixed(100 * share, 0));
}

std::string mark(const BullseyePoint& at, const SiteResult& result, const std::string& name) {
  return fmt::format(
      "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5\" fill=\"{}\" stroke=\"#17202c\"><title>{}: {}</title></circle>",
      scale * at.x, scale * at.y, result.inducible ? "#d95400" : "#fff", escape(name), escape(result.outcome));
}

}  // namespace

Html bullseye_svg(const Study& study) {
  const auto& anatomy = study.twin.anatomy;
  const auto volumes = segment_volumes(anatomy);
  const auto depths = transmurality(anatomy);
  const Bullseye bullseye(anatomy);
  std::string svg =
      "<svg class=\"bull\" viewBox=\"-232 -232 464 464\" role=\"img\" aria-label=\"AHA bull's-eye: scar share of each "
      "segment\">";
  for (int s = 1; s <= 17; ++s)
    svg += segment_svg(s, volumes[static_cast<std::size_t>(s)], depths[static_cast<std::size_t>(s)]);
  svg +=
      "<g fill=\"#536072\" font-size=\"14\"><text x=\"0\" y=\"-217\">anterior</text><text x=\"0\" "
      "y=\"217\">inferior</text>"
      "<text x=\"-217\" y=\"0\" transform=\"rotate(-90 -217 0)\">septum</text><text x=\"217\" y=\"0\" "
      "transform=\"rotate(90 217 0)\">lateral</text></g>";
  for (const auto& site : anatomy.sites)
    if (const auto* before = result(study.plan, site.name, 0))
      svg += mark(bullseye.place(site.position), *before, site.name);
  for (const auto& target : study.plan.targets) {
    const auto at = bullseye.place(target.lesion.position, target.aha);
    svg += fmt::format(
        "<circle cx=\"{0:.1f}\" cy=\"{1:.1f}\" r=\"11\" class=\"pin-disc\" style=\"stroke-width:2\"><title>Target "
        "{2}</title></circle>"
        "<text x=\"{0:.1f}\" y=\"{1:.1f}\" fill=\"#fff\" font-size=\"13\" font-weight=\"700\">{2}</text>",
        scale * at.x, scale * at.y, target.rank);
  }
  return {svg + "</svg>"};
}

}  // namespace cardiotwin::report
