// A heart's trunk, or its bath.

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cmath>

#include "mesher_sizes.hpp"
#include "torso_parts.hpp"

namespace cardiotwin::meshes {
namespace {

constexpr Label torso_label = 1, lungs_label = 2, blood_label = 3, bath_label = 1;
constexpr double skin_margin = 10;  // [mm]

int thread_count(int wanted) { return wanted > 0 ? wanted : omp_get_max_threads(); }

void require(const char* name, double value, double least, double most, const char* unit = "mm") {
  if (value >= least && value <= most) return;
  throw InputError(fmt::format("Torso: {} = {:.4g} {} is outside [{:.4g}, {:.4g}]", name, value, unit, least, most));
}

void require_heart(const Anatomy& heart) {
  if (heart.mesh.tet_count() == 0) throw InputError("Torso: the heart has no tets to be put into a torso");
}

/// The edge at the heart.
double require_options(const TorsoOptions& o, const Anatomy& heart) {
  require_heart(heart);
  require("width", o.width, 100, 800), require("depth", o.depth, 100, 800), require("height", o.height, 100, 1000);
  for (const auto& [name, value] :
       {std::pair("heart_left", o.heart_left), {"heart_front", o.heart_front}, {"heart_up", o.heart_up}})
    require(name, value, -500, 500);
  require("heart_margin", o.heart_margin, 1, 50), require("chest_wall", o.chest_wall, 0, 100);
  require("growth", o.growth, 0.05, 1, "mm per mm");
  if (o.threads < 0) throw InputError(fmt::format("Torso: threads = {} must not be negative", o.threads));
  const double edge = o.heart_edge == 0 ? quality(heart.mesh).mean_edge : o.heart_edge;
  require("heart_edge", edge, 0.1, 20);
  if (!(o.outer_edge >= edge && o.outer_edge <= 30))
    throw InputError(fmt::format("Torso: outer_edge = {:.4g} mm is outside [{:.4g}, 30], from the edge at the heart on",
                                 o.outer_edge, edge));
  return edge;
}

void require_within(const Anatomy& heart, const Placed& placed, const Trunk& trunk, const TorsoOptions& o) {
  double least = INFINITY;
  Vec3 where = Vec3::Zero();
  for (const Vec3& p : heart.mesh.points()) {
    const double depth = trunk.depth(placed.in_body(p));
    if (depth < least) least = depth, where = p;
  }
  if (least >= skin_margin) return;
  throw InputError(
      fmt::format("Torso: the heart must lie {:.0f} mm below the skin of its trunk of {:.0f} x {:.0f} x {:.0f} "
                  "mm, but at ({:.1f}, {:.1f}, {:.1f}) it is {:.1f} mm {} it; choose a larger trunk, another "
                  "place (heart_left, heart_front, heart_up) or another frame",
                  skin_margin, o.width, o.depth, o.height, where.x(), where.y(), where.z(), std::abs(least),
                  least < 0 ? "outside" : "below"));
}

/// A grid over the box [-half, half] about `middle`, with two voxels to spare.
Grid grid_over(const Vec3& half, const Vec3& middle, const Mat3& axes, double spacing) {
  Grid grid;
  grid.spacing.setConstant(spacing), grid.direction = axes;
  for (int d = 0; d < 3; ++d) grid.size[d] = 2 * (static_cast<int>(std::ceil(half[d] / spacing)) + 2) + 1;
  grid.origin = middle - axes * (0.5 * spacing * Vec3(grid.size[0] - 1, grid.size[1] - 1, grid.size[2] - 1));
  return grid;
}

/// `value` of points from the grid's middle along its axes: the same whatever the grid's place, to the last bit.
template <class Value>
Image sampled(const Grid& grid, int threads, const Value& value) {
  Image image{grid, std::vector<float>(grid.count())};
  const Vec3 middle = 0.5 * Vec3(grid.size[0] - 1, grid.size[1] - 1, grid.size[2] - 1);
#pragma omp parallel for schedule(static) num_threads(threads)
  for (int k = 0; k < grid.size[2]; ++k) {
    for (int j = 0; j < grid.size[1]; ++j) {
      for (int i = 0; i < grid.size[0]; ++i)
        image.values[grid.offset(i, j, k)] =
            static_cast<float>(value(grid.spacing.cwiseProduct(Vec3(i, j, k) - middle)));
    }
  }
  return image;
}

/// Those of the heart in all voxels around its tets' boxes, so that between voxels, too, nothing larger is asked for
/// where muscle is; from there they grow.
Image edges_around(const Anatomy& heart, const Image& inside, double edge, const TorsoOptions& o) {
  constexpr double slack = 1e-6;  // [voxels]; rounding must not decide over nodes in the planes of voxels
  const Grid& grid = inside.grid;
  Image edges{grid, std::vector<float>(grid.count(), static_cast<float>(o.outer_edge))};
  for (const Tet& t : heart.mesh.tets()) {
    Vec3 low = grid.index(heart.mesh.points()[t[0]]), high = low;
    for (const Index node : t) {
      const Vec3 at = grid.index(heart.mesh.points()[node]);
      low = low.cwiseMin(at), high = high.cwiseMax(at);
    }
    const Eigen::Array3i first = (low.array() - slack).floor().cast<int>(),
                         last = (high.array() + slack).ceil().cast<int>();
    for (int k = first.z(); k <= last.z(); ++k)
      for (int j = first.y(); j <= last.y(); ++j)
        for (int i = first.x(); i <= last.x(); ++i) edges.values[grid.offset(i, j, k)] = static_cast<float>(edge);
  }
  return stuffing::limit_growth(inside, edges, o.outer_edge, o.growth);
}

/// What is in each tet where it is not muscle.
class Labeller {
 public:
  Labeller(const HeartSpace& heart, const Trunk& trunk, const Placed& placed, const TorsoOptions& o)
      : heart_(heart), trunk_(trunk), placed_(placed), options_(o), lungs_(lungs(o)) {}

  std::vector<Label> run(const stuffing::Draft& draft, int threads) const {
    std::vector<Medium> medium(draft.points.size());
    for_each(medium.size(), threads, [&](std::size_t n) { medium[n] = heart_.at(draft.points[n]); });
    std::vector<Label> labels(draft.tets.size());
    for_each(labels.size(), threads, [&](std::size_t t) { labels[t] = label(draft, draft.tets[t], medium); });
    keep_lungs_off(draft, labels, threads);
    return labels;
  }

 private:
  template <class Body>
  static void for_each(std::size_t count, int threads, const Body& body) {
    const auto last = static_cast<std::ptrdiff_t>(count);
#pragma omp parallel for schedule(dynamic, 1024) num_threads(threads)
    for (std::ptrdiff_t i = 0; i < last; ++i) body(static_cast<std::size_t>(i));
  }

  /// The corners say it, but where some are in blood and others beyond the heart: of a heart of 1.5 mm in tets of 1 or
  /// 3 mm they are right in all but a few tets of 10 000.
  Label label(const stuffing::Draft& draft, const Tet& tet, const std::vector<Medium>& medium) const {
    const std::array<Medium, 4> corner{medium[tet[0]], medium[tet[1]], medium[tet[2]], medium[tet[3]]};
    const auto in_blood = std::ranges::count(corner, Medium::blood),
               beyond = std::ranges::count(corner, Medium::outside);
    if (beyond == 0) return in_blood > 0 ? blood_label : torso_label;
    if (in_blood == 0) return beyond == 4 && in_lung(draft, tet) ? lungs_label : torso_label;
    const auto more = blood_over_rest(draft, tet);
    return more > 0 || (more == 0 && in_blood > beyond) ? blood_label : torso_label;
  }
  /// At the points of the rule of degree 2, by which conductivities are integrated.
  int blood_over_rest(const stuffing::Draft& draft, const Tet& tet) const {
    constexpr double near = 0.58541020, far = 0.13819660;
    int more = 0;
    for (int q = 0; q < 4; ++q) {
      Vec3 p = Vec3::Zero();
      for (int k = 0; k < 4; ++k) p += (k == q ? near : far) * draft.points[tet[k]];
      const Medium there = heart_.at(p);
      more += there == Medium::blood ? 1 : there == Medium::outside ? -1 : 0;
    }
    return more;
  }

  bool in_lung(const stuffing::Draft& draft, const Tet& tet) const {
    if (!options_.lungs) return false;
    Vec3 p = Vec3::Zero();
    for (const Index n : tet) p += draft.points[n] / 4;
    p = placed_.in_body(p);
    return (lungs_[0].holds(p) || lungs_[1].holds(p)) && trunk_.depth(p) >= options_.chest_wall;
  }
  void keep_lungs_off(const stuffing::Draft& draft, std::vector<Label>& labels, int threads) const {
    std::vector<std::uint8_t> close(draft.points.size(), 0);
    for (std::size_t t = 0; t < labels.size(); ++t)
      if (labels[t] == lungs_label)
        for (const Index n : draft.tets[t]) close[n] = 1;
    for_each(close.size(), threads,
             [&](std::size_t n) { close[n] = close[n] && heart_.within(draft.points[n], options_.heart_margin); });
    for (std::size_t t = 0; t < labels.size(); ++t)
      if (labels[t] == lungs_label && std::ranges::any_of(draft.tets[t], [&](Index n) { return close[n] != 0; }))
        labels[t] = torso_label;
  }

  const HeartSpace& heart_;
  const Trunk& trunk_;
  const Placed& placed_;
  const TorsoOptions& options_;
  std::array<Ellipsoid, 2> lungs_;
};

/// Names and conductivities of the labels that occur.
void name_regions(Torso& torso, const std::map<Label, std::string>& names) {
  for (const auto& [label, name] : names) {
    if (std::ranges::find(torso.mesh.labels(), label) == torso.mesh.labels().end()) continue;
    torso.regions[label] = name;
    torso.conductivity[name] = Torso::library().at(name);
  }
}

void tell(const Torso& torso, const Monitor& monitor) {
  std::map<Label, double> volume;
  for (std::size_t t = 0; t < torso.mesh.tet_count(); ++t) volume[torso.mesh.labels()[t]] += torso.mesh.volume(t);
  std::string parts;
  for (const auto& [label, name] : torso.regions)
    parts += fmt::format("{}{} {:.3g} ml", parts.empty() ? "" : ", ", name, volume[label] / 1000);
  monitor.tell(fmt::format("torso: {} nodes, {} tets; {}", torso.mesh.node_count(), torso.mesh.tet_count(), parts));
}

}  // namespace

BuiltTorso build_torso(const Anatomy& heart, const TorsoOptions& options, const Monitor& monitor) {
  const double edge = require_options(options, heart);
  const int threads = thread_count(options.threads);
  const Placed placed(heart, options);
  const Trunk trunk(options);
  require_within(heart, placed, trunk, options);
  monitor.report("torso", 0.0), monitor.poll();

  constexpr double spacing = 3;  // [mm]; the skin, curved by 30 mm at least, is met within 0.04 mm
  const Image inside = sampled(grid_over(trunk.half(), placed.middle, placed.body, spacing), threads,
                               [&](const Vec3& p) { return trunk.depth(p); });
  const int levels = static_cast<int>(std::lround(std::log2(options.outer_edge / edge)));
  stuffing::Draft draft =
      lattice_mesh(inside, edges_around(heart, inside, edge, options), edge, levels, threads, monitor);
  monitor.report("torso: lungs and blood", 0.75), monitor.poll();
  const HeartSpace space(heart, options.blood, monitor);
  auto labels = Labeller(space, trunk, placed, options).run(draft, threads);

  BuiltTorso built{.torso = {}, .electrodes = {}, .body = placed.body, .middle = placed.middle};
  built.torso.mesh = Mesh(std::move(draft.points), std::move(draft.tets), std::move(labels));
  name_regions(built.torso, {{torso_label, "torso"}, {lungs_label, "lungs"}, {blood_label, "blood"}});
  built.torso.statement = fmt::format(
      "a parametric trunk of {:.0f} x {:.0f} x {:.0f} mm{}{} in the {}, no patient's; edges of {:.2f} mm at the heart, "
      "{:.2f} mm far away",
      options.width, options.depth, options.height, options.lungs ? " with lungs" : "",
      space.has_blood() ? fmt::format(" {} blood in the heart's cavities", options.lungs ? "and" : "with") : "",
      options.frame == BodyFrame::scanner ? "scanner's axes" : "axes of an average adult about the heart", edge,
      std::ldexp(edge, levels));
  built.electrodes = standard_electrodes(heart, built.torso, options);
  tell(built.torso, monitor);
  monitor.report("torso", 1.0);
  return built;
}

Torso build_bath(const Anatomy& heart, double margin, double edge, const Monitor& monitor) {
  require_heart(heart);
  require("margin", margin, 1, 200), require("edge", edge, 0.1, 20);
  if (edge > margin)  // chords of the rounded corners would come near the heart
    throw InputError(fmt::format(
        "Torso: edge = {:.4g} mm is above the bath's margin of {:.4g} mm; choose a smaller edge", edge, margin));
  Vec3 low = heart.mesh.points()[0], high = low;
  for (const Vec3& p : heart.mesh.points()) low = low.cwiseMin(p), high = high.cwiseMax(p);
  const Vec3 box = 0.5 * (high - low), half = box + Vec3::Constant(margin);
  const double spacing = std::max(0.5 * std::min(edge, margin), half.maxCoeff() / 150);
  const int threads = omp_get_max_threads();
  const Image inside = sampled(grid_over(half, 0.5 * (low + high), Mat3::Identity(), spacing), threads,
                               [&](const Vec3& p) { return margin - (p.cwiseAbs() - box).cwiseMax(0.0).norm(); });
  const Image edges{inside.grid, std::vector<float>(inside.grid.count(), static_cast<float>(edge))};
  stuffing::Draft draft = lattice_mesh(inside, edges, edge, 0, threads, monitor);
  Torso bath;
  std::vector<Label> labels(draft.tets.size(), bath_label);
  bath.mesh = Mesh(std::move(draft.points), std::move(draft.tets), std::move(labels));
  name_regions(bath, {{bath_label, "bath"}});
  bath.statement = fmt::format("a bath within {:.3g} mm of the heart's box, edges of {:.2f} mm", margin, edge);
  tell(bath, monitor);
  return bath;
}

}  // namespace cardiotwin::meshes
