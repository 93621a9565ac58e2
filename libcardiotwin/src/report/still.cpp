#include <fmt/format.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cmath>

#include "report/html.hpp"
#include "report/surface.hpp"

namespace cardiotwin::report {
namespace {

struct Corner {
  double x, y;
  Shares tissue;
};
using Polygon = std::vector<Corner>;

struct Facet {
  double depth;  // along `back`, far first
  int shade;     // 0..15
  Polygon triangle;
};

constexpr std::array<std::array<double, 3>, 4> tissue_colours{
    {{226, 187, 174}, {240, 165, 48}, {78, 84, 96}, {84, 182, 214}}};
constexpr std::size_t border_zone = 1, core = 2, channel = 3;

std::string colour_of(std::size_t tissue, int shade) {
  const auto& c = tissue_colours[tissue];
  const double light = 0.5 + 0.55 * shade / 15.0;
  const auto part = [&](std::size_t k) { return static_cast<int>(std::min(255.0, c[k] * light)); };
  return fmt::format("#{:02x}{:02x}{:02x}", part(0), part(1), part(2));
}

struct Camera {
  Vec3 right, up, back, centre;
  double scale;
  Corner project(const Vec3& p, const Shares& tissue = {}) const {
    const Vec3 q = p - centre;
    return {500 + scale * q.dot(right), 500 - scale * q.dot(up), tissue};
  }
};

Camera camera_for(const DisplaySurface& surface, const Vec3& back, const Vec3& up) {
  Vec3 low = surface.points.front(), high = low;
  for (const auto& p : surface.points) low = low.cwiseMin(p), high = high.cwiseMax(p);
  Camera camera;
  camera.centre = (low + high) / 2;
  camera.back = back.normalized();
  camera.right = up.cross(camera.back).normalized();
  camera.up = camera.back.cross(camera.right);
  double reach = 1e-9;
  for (const auto& p : surface.points) {
    const Vec3 q = p - camera.centre;
    reach = std::max({reach, std::abs(q.dot(camera.right)), std::abs(q.dot(camera.up))});
  }
  camera.scale = 470 / reach;
  return camera;
}

std::vector<Vec3> vertex_normals(const DisplaySurface& surface) {
  std::vector<Vec3> normals(surface.points.size(), Vec3::Zero());
  for (const auto& t : surface.triangles) {
    const Vec3& a = surface.points[t[0]];
    const Vec3 normal = (surface.points[t[1]] - a).cross(surface.points[t[2]] - a);  // length: twice the area
    for (const auto v : t) normals[v] += normal;
  }
  for (auto& n : normals) n = n.norm() > 0 ? Vec3(n.normalized()) : Vec3::UnitZ();
  return normals;
}

// The part of a convex polygon where `f`, linear in the shares, is positive (Sutherland & Hodgman 1974).
template <class F>
Polygon clipped(const Polygon& polygon, F f) {
  Polygon part;
  for (std::size_t i = 0; i < polygon.size(); ++i) {
    const auto &a = polygon[i], &b = polygon[(i + 1) % polygon.size()];
    const double fa = f(a.tissue), fb = f(b.tissue);
    if (fa > 0) part.push_back(a);
    if ((fa > 0) == (fb > 0)) continue;
    const double s = fa / (fa - fb);
    Corner cut{a.x + s * (b.x - a.x), a.y + s * (b.y - a.y), {}};
    for (std::size_t k = 0; k < 4; ++k)
      cut.tissue[k] = static_cast<float>(a.tissue[k] + s * (b.tissue[k] - a.tissue[k]));
    part.push_back(cut);
  }
  return part;
}

void draw(std::string& svg, const Polygon& polygon, std::size_t tissue, int shade) {
  if (polygon.size() < 3) return;
  const auto colour = colour_of(tissue, shade);
  svg += fmt::format("<path fill=\"{0}\" stroke=\"{0}\" d=\"", colour);
  for (std::size_t i = 0; i < polygon.size(); ++i)
    svg += fmt::format("{}{} {}", i ? 'L' : 'M', std::lround(polygon[i].x), std::lround(polygon[i].y));
  svg += "z\"/>";
}

// Muscle below, then the scar's parts cut along their own outlines, by the rule the page's shader follows.
void draw_facet(std::string& svg, const Facet& facet) {
  const auto scar = clipped(facet.triangle, [](const Shares& t) { return 0.5 - t[0]; });
  if (scar.size() < 3 || std::ranges::any_of(facet.triangle, [](const Corner& c) { return c.tissue[0] >= 0.5F; }))
    draw(svg, facet.triangle, 0, facet.shade);
  // A rim hidden under the core would show through the seams between triangles.
  const auto rim = [](const Corner& c) { return c.tissue[border_zone] >= std::max(c.tissue[core], c.tissue[channel]); };
  if (std::ranges::any_of(scar, rim)) draw(svg, scar, border_zone, facet.shade);
  for (const auto& [tissue, other] : {std::pair{core, channel}, std::pair{channel, core}}) {
    const auto over_rim = clipped(scar, [&](const Shares& t) { return t[tissue] - t[border_zone]; });
    draw(svg, clipped(over_rim, [&](const Shares& t) { return t[tissue] - t[other]; }), tissue, facet.shade);
  }
}

std::vector<Facet> visible_facets(const DisplaySurface& surface, const Camera& camera) {
  const auto normals = vertex_normals(surface);
  const Vec3 lamp = (camera.back + 0.35 * camera.up - 0.25 * camera.right).normalized();
  std::vector<Facet> facets;
  for (const auto& t : surface.triangles) {
    const Vec3 &a = surface.points[t[0]], &b = surface.points[t[1]], &c = surface.points[t[2]];
    if (!((b - a).cross(c - a).dot(camera.back) > 0)) continue;
    const double light = (normals[t[0]] + normals[t[1]] + normals[t[2]]).normalized().dot(lamp);
    Facet facet{(a + b + c).dot(camera.back), static_cast<int>(std::lround(15 * std::max(0.0, light))), {}};
    for (const auto v : t) facet.triangle.push_back(camera.project(surface.points[v], surface.tissue[v]));
    facets.push_back(std::move(facet));
  }
  std::ranges::stable_sort(facets, {}, &Facet::depth);
  return facets;
}

}  // namespace

std::string still_svg(const DisplaySurface& surface, const Vec3& back, const Vec3& up, const std::vector<Pin>& pins,
                      const std::string& title) {
  if (surface.points.empty()) return "";
  const auto camera = camera_for(surface, back, up);
  auto svg = fmt::format(
      "<svg class=\"still\" viewBox=\"0 0 1000 1000\" role=\"img\" aria-label=\"{}\">"
      "<g stroke-width=\"1.5\" stroke-linejoin=\"round\">",
      escape(title));
  for (const auto& facet : visible_facets(surface, camera)) draw_facet(svg, facet);
  svg += "</g>";
  for (const auto& pin : pins) {
    const auto at = camera.project(pin.position);
    svg += fmt::format(
        "<circle cx=\"{0:.0f}\" cy=\"{1:.0f}\" r=\"30\" class=\"pin-disc\"/>"
        "<text x=\"{0:.0f}\" y=\"{2:.0f}\" class=\"pin-text\">{3}</text>",
        at.x, at.y, at.y + 13, escape(pin.label));
  }
  return svg + "</svg>";
}

}  // namespace cardiotwin::report
