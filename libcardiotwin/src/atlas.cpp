#include <fmt/core.h>

#include <algorithm>
#include <cardiotwin/coordinates.hpp>
#include <cardiotwin/error.hpp>
#include <cmath>
#include <limits>
#include <numbers>

#include "tet_tree.hpp"

namespace cardiotwin {
namespace {

constexpr double degree = std::numbers::pi / 180;

// The chart of a wall: a disc around the apex as in a bull's eye, as thick as the wall, in mm. It has no cut and at the
// apex no pole, so what is linear in a tet of the heart stays linear in the tet's picture.
struct Chart {
  double radius, thickness;
  Vec3 point(double apicobasal, double rotational, double transmural) const {
    const double r = radius * apicobasal;
    return {r * std::cos(rotational * degree), r * std::sin(rotational * degree), thickness * transmural};
  }
  Place place(const Vec3& p, Ventricle ventricle) const {
    double turned = std::atan2(p.y(), p.x()) / degree;
    if (turned < 0) turned += 360;
    return {.apicobasal = std::min(1.0, std::hypot(p.x(), p.y()) / radius),
            .rotational = turned < 360 ? turned : 0,
            .transmural = std::clamp(p.z() / thickness, 0.0, 1.0),
            .ventricle = ventricle};
  }
};

std::vector<Index> tets_of(const std::vector<Ventricle>& wall, Ventricle which) {
  std::vector<Index> tets;
  for (std::size_t t = 0; t < wall.size(); ++t)
    if (wall[t] == which) tets.push_back(static_cast<Index>(t));
  return tets;
}

void require_fit(const Mesh& mesh, const Coordinates& c) {
  for (const auto* values : {&c.transmural, &c.apicobasal, &c.rotational, &c.transventricular}) {
    if (values->size() != mesh.node_count())
      throw InputError(
          fmt::format("Atlas: coordinates of {} nodes do not fit a mesh of {}", values->size(), mesh.node_count()));
  }
  if (c.wall.size() != mesh.tet_count())
    throw InputError(
        fmt::format("Atlas: coordinates of {} tets do not fit a mesh of {}", c.wall.size(), mesh.tet_count()));
  if (!(c.meridian > 0 && c.wall_thickness > 0))
    throw InputError("Atlas: the coordinates lack the lengths of meridian and wall");
}

void require_in_range(const Place& p) {
  const auto require = [](const char* name, double value, double low, double high) {
    if (!(value >= low && value <= high))
      throw InputError(fmt::format("Place: {} = {:g} is outside [{:g}, {:g}]", name, value, low, high));
  };
  require("apicobasal", p.apicobasal, 0, 1), require("transmural", p.transmural, 0, 1);
  require("rotational", p.rotational, -360, 360);
}

}  // namespace

struct Atlas::Impl {
  Impl(const Mesh& m, Coordinates c)
      : mesh(m),
        coordinates(std::move(c)),
        chart{coordinates.meridian, coordinates.wall_thickness},
        left_points(charted()),
        right_points(with_seam()),
        tissue(mesh),
        left(left_points, mesh.tets(), tets_of(coordinates.wall, Ventricle::left)),
        right(right_points, mesh.tets(), tets_of(coordinates.wall, Ventricle::right)) {}

  std::vector<Vec3> charted() const {
    require_fit(mesh, coordinates);
    std::vector<Vec3> points(mesh.node_count());
    for (std::size_t i = 0; i < points.size(); ++i)
      points[i] = chart.point(coordinates.apicobasal[i], coordinates.rotational[i], coordinates.transmural[i]);
    return points;
  }
  std::vector<Vec3> with_seam() const {
    if (coordinates.seam.empty()) return {};
    auto points = left_points;
    for (const auto& s : coordinates.seam)
      points[s.node] = chart.point(coordinates.apicobasal[s.node], s.rotational, s.transmural);
    return points;
  }
  const TetTree& tree(Ventricle v) const { return v == Ventricle::left ? left : right; }
  const std::vector<Vec3>& points(Ventricle v) const { return v == Ventricle::left ? left_points : right_points; }

  Found found(const TetTree::Hit& hit) const {
    Found f{.tet = hit.tet, .weight = hit.weight, .off = std::sqrt(hit.squared)};
    const Ventricle wall = coordinates.wall[static_cast<std::size_t>(hit.tet)];
    const Tet& n = mesh.tets()[static_cast<std::size_t>(hit.tet)];
    Vec3 charted = Vec3::Zero();
    for (std::size_t k = 0; k < 4; ++k) {
      f.position += hit.weight[k] * mesh.points()[n[k]];
      charted += hit.weight[k] * points(wall)[n[k]];
    }
    f.place = chart.place(charted, wall);
    return f;
  }

  const Mesh& mesh;
  Coordinates coordinates;
  Chart chart;
  std::vector<Vec3> left_points, right_points;  // the mesh in either chart; right empty without the ventricle
  TetTree tissue, left, right;
};

Atlas::Atlas(const Mesh& mesh, Coordinates coordinates) : impl_(std::make_unique<Impl>(mesh, std::move(coordinates))) {}
Atlas::Atlas(Atlas&&) noexcept = default;
Atlas::~Atlas() = default;

const Coordinates& Atlas::coordinates() const { return impl_->coordinates; }
const Mesh& Atlas::mesh() const { return impl_->mesh; }
bool Atlas::has(Ventricle v) const { return !impl_->tree(v).empty(); }

Atlas::Found Atlas::at(const Vec3& position) const {
  if (!position.allFinite())
    throw InputError(
        fmt::format("Place: the point ({}, {}, {}) is not finite", position.x(), position.y(), position.z()));
  return impl_->found(impl_->tissue.nearest(position));
}

Atlas::Found Atlas::at(const Place& place) const {
  require_in_range(place);
  if (!has(place.ventricle)) throw InputError("Place: it lies in the right ventricle, but this heart has none");
  return impl_->found(
      impl_->tree(place.ventricle).nearest(impl_->chart.point(place.apicobasal, place.rotational, place.transmural)));
}

Map map_field(const Atlas& from, const Map& map, const Atlas& to, const Monitor& monitor) {
  const Mesh &source = from.mesh(), &target = to.mesh();
  const bool nodal = map.at == Location::node;
  const auto width = static_cast<std::size_t>(std::max(map.components, 0));
  const std::size_t places = nodal ? source.node_count() : source.tet_count();
  if (width < 1 || map.values.size() != width * places)
    throw InputError(fmt::format("map \"{}\" has {} values, but the mesh it is taken from has {} {}", map.name,
                                 map.values.size(), places, nodal ? "nodes" : "tets"));
  Map out{.name = map.name, .unit = map.unit, .at = map.at, .components = map.components, .values = {}};
  const std::size_t wanted = nodal ? target.node_count() : target.tet_count();
  out.values.assign(width * wanted, std::numeric_limits<double>::quiet_NaN());
  const auto& c = to.coordinates();
  constexpr std::size_t block = 65536;  // between two looks at the monitor
  for (std::size_t begin = 0; begin < wanted; begin += block) {
    monitor.report("mapping", static_cast<double>(begin) / static_cast<double>(wanted));
    monitor.poll();
    const auto end = static_cast<Index>(std::min(wanted, begin + block));
#pragma omp parallel for schedule(dynamic, 256)
    for (Index i = static_cast<Index>(begin); i < end; ++i) {
      const auto k = static_cast<std::size_t>(i);
      Place place;
      if (nodal)
        place = {c.apicobasal[k], c.rotational[k], c.transmural[k],
                 c.transventricular[k] > 0.5 ? Ventricle::right : Ventricle::left};
      else
        place = to.at(target.centroid(k)).place;
      if (!from.has(place.ventricle)) continue;
      const auto found = from.at(place);
      const Tet& n = source.tets()[static_cast<std::size_t>(found.tet)];
      for (std::size_t d = 0; d < width; ++d) {
        double value = 0;
        for (std::size_t corner = 0; nodal && corner < 4; ++corner) {
          if (found.weight[corner] > 0)
            value += found.weight[corner] * map.values[static_cast<std::size_t>(n[corner]) * width + d];
        }
        out.values[k * width + d] = nodal ? value : map.values[static_cast<std::size_t>(found.tet) * width + d];
      }
    }
  }
  return out;
}

}  // namespace cardiotwin
