#include <fmt/core.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cardiotwin/purkinje.hpp>
#include <cardiotwin/random.hpp>
#include <cardiotwin/surface_distance.hpp>
#include <cmath>
#include <numbers>

namespace cardiotwin {
namespace {

constexpr double degree = std::numbers::pi / 180.0;

void require_options(const PurkinjeOptions& o) {
  const auto require = [](bool ok, const char* name, double value, const char* rule) {
    if (!ok) throw InputError(fmt::format("Purkinje tree: {} = {:g} is outside {}", name, value, rule));
  };
  require(o.segment >= 0.1 && o.segment <= 5, "segment", o.segment, "[0.1, 5] mm");
  require(o.length >= 2 * o.segment && o.length <= 50, "length", o.length, "[2 segments, 50 mm]");
  require(o.spread >= 0 && o.spread <= 1, "spread", o.spread, "[0, 1]");
  require(o.angle >= 5 && o.angle <= 80, "angle", o.angle, "[5, 80] degrees");
  require(o.repulsion >= 0 && o.repulsion <= 2, "repulsion", o.repulsion, "[0, 2]");
  require(o.generations >= 1 && o.generations <= 60, "generations", o.generations, "[1, 60]");
  require(o.trunk >= o.segment && o.trunk <= 100, "trunk", o.trunk, "[1 segment, 100 mm]");
  require(o.fascicle >= o.segment && o.fascicle <= 100, "fascicle", o.fascicle, "[1 segment, 100 mm]");
  require(o.fascicle_angle >= 10 && o.fascicle_angle <= 90, "fascicle_angle", o.fascicle_angle, "[10, 90] degrees");
  require(o.top >= 0.3 && o.top <= 1.5, "top", o.top, "[0.3, 1.5] of the long axis");
  require(o.velocity >= 0.1 && o.velocity <= 10, "velocity", o.velocity, "[0.1, 10] m/s");
  require(o.right_delay >= 0 && o.right_delay <= 200, "right_delay", o.right_delay, "[0, 200] ms");
  require(o.junction_delay >= 0 && o.junction_delay <= 100, "junction_delay", o.junction_delay, "[0, 100] ms");
  require(o.junction_radius >= 0.1 && o.junction_radius <= 10, "junction_radius", o.junction_radius, "[0.1, 10] mm");
}

// Unit vector along `v` within the plane across `normal`.
Vec3 tangent(const Vec3& v, const Vec3& normal) {
  const Vec3 flat = v - v.dot(normal) * normal;
  return flat.norm() > 1e-9 * v.norm() ? flat.normalized() : Vec3::Zero();
}

// A branch that still grows: where it starts and is heading, and how far.
struct Branch {
  Index tip;
  Vec3 direction;  // unit, in the tangent plane
  double length;   // [mm]
  Index mother;    // its number, -1 for the trunk
};

// Grows the tree on one endocardium.
class Growth {
 public:
  Growth(const Anatomy& anatomy, Surface tag, const PurkinjeOptions& options, PurkinjeTree& tree)
      : options_(options),
        points_(anatomy.mesh.points()),
        right_(tag == Surface::endo_rv),
        triangles_(faces(anatomy, tag)),
        surface_(points_, triangles_),
        normal_(points_.size(), Vec3::Zero()),
        tree_(tree),
        first_(tree.points.size()),
        random_(options.seed + (right_ ? 1 : 0)),
        apex_(anatomy.apex),
        axis_(anatomy.base_centre - anatomy.apex),
        parting_(static_cast<int>(std::ceil(1 / (2 * std::sin(options.angle * degree)))) + 2) {
    for (const Triangle& n : triangles_) {
      const Vec3 scaled = (points_[n[1]] - points_[n[0]]).cross(points_[n[2]] - points_[n[0]]);
      for (const Index node : n) normal_[node] += scaled;
    }
  }

  void grow(const Vec3& root, const Vec3& towards, const Monitor& monitor) {
    const auto foot = surface_.nearest(root);
    const Index origin = add(foot.point, -1, -1);
    auto trunk = extended({origin, tangent(towards - foot.point, normal_at(foot.triangle)), options_.trunk, -1});
    if (!trunk)
      throw InputError(
          fmt::format("Purkinje tree: its trunk of {:g} mm does not fit on the {} endocardium; move the root "
                      "away from the edge, towards the septum's middle",
                      options_.trunk, right_ ? "right" : "left"));
    std::vector<Branch> growing;
    for (const double side : {0.0, 1.0, -1.0})
      growing.push_back(child(*trunk, side * options_.fascicle_angle, options_.fascicle));
    for (int generation = 0; generation <= options_.generations && !growing.empty(); ++generation) {
      monitor.poll();
      std::vector<Branch> next;
      for (const Branch& branch : growing) {
        const auto whole = extended(branch);
        if (!whole) continue;
        const double side = random_.uniform() < 0.5 ? 1 : -1;
        for (const double s : {side, -side}) next.push_back(child(*whole, s * options_.angle, drawn_length()));
      }
      growing = std::move(next);
    }
  }

 private:
  static std::vector<Triangle> faces(const Anatomy& anatomy, Surface tag) {
    std::vector<Triangle> triangles;
    for (const auto& face : anatomy.surface)
      if (face.tag == tag) triangles.push_back(face.nodes);
    return triangles;
  }

  Vec3 normal_at(Index triangle) const {
    const Triangle& n = surface_.triangle(triangle);
    return (normal_[n[0]] + normal_[n[1]] + normal_[n[2]]).stableNormalized();
  }

  bool above(const Vec3& point) const { return (point - apex_).dot(axis_) > options_.top * axis_.squaredNorm(); }

  double drawn_length() {
    const double drawn = options_.length * (1 + options_.spread * random_.normal());
    return std::clamp(drawn, std::max(options_.length / 4, 2 * options_.segment), 2 * options_.length);
  }

  Index add(const Vec3& point, Index parent, Index branch) {
    tree_.points.push_back(point), tree_.parent.push_back(parent);
    tree_.right.push_back(right_), tree_.junction.push_back(0);
    branch_of_.push_back(branch);
    return static_cast<Index>(tree_.points.size()) - 1;
  }

  // Of the branch that ended as `mother` says: turned by `angle` [degrees] about the surface's normal.
  Branch child(const Branch& mother, double angle, double length) const {
    const Vec3 normal = normal_at(surface_.nearest(tree_.points[mother.tip]).triangle);
    const Vec3 ahead = tangent(Eigen::AngleAxisd(angle * degree, normal) * mother.direction, normal);
    return {.tip = mother.tip, .direction = ahead, .length = length, .mother = mother.mother};
  }

  // The nearest point of the tree; early in a branch neither its mother nor its sisters count.
  struct Near {
    double distance = INFINITY;
    Vec3 point = Vec3::Zero();
  };
  Near nearest(const Vec3& place, Index branch, int step) const {
    Near near;
    const Index mother = mother_of_[branch];
    for (std::size_t i = 0; i < branch_of_.size(); ++i) {
      const Index other = branch_of_[i];
      if (other == branch) continue;
      if (step <= parting_ && (other == mother || (other >= 0 && mother_of_[other] == mother))) continue;
      const double distance = (tree_.points[first_ + i] - place).squaredNorm();
      if (distance < near.distance) near = {distance, tree_.points[first_ + i]};
    }
    near.distance = std::sqrt(near.distance);
    return near;
  }

  // Grows a branch step by step. What its children start from: the tip, its direction and, as their mother, its number;
  // nothing where it met another branch or the surface's edge.
  std::optional<Branch> extended(const Branch& planned) {
    const auto number = static_cast<Index>(mother_of_.size());
    mother_of_.push_back(planned.mother);
    Branch now = planned;
    now.mother = number;
    const int steps = std::max(1, static_cast<int>(std::lround(planned.length / options_.segment)));
    for (int step = 1; step <= steps; ++step) {
      const Vec3 here = tree_.points[now.tip];
      const Near other = nearest(here, number, step);
      Vec3 way = now.direction;
      if (other.distance > 0 && std::isfinite(other.distance))
        way += options_.repulsion * (here - other.point) / other.distance;
      const Vec3 wanted = here + options_.segment * way.normalized();
      const auto foot = surface_.nearest(wanted);
      const double moved = (foot.point - here).norm();
      if (above(foot.point)) return std::nullopt;
      const bool off_the_edge = (foot.point - wanted).norm() > 0.5 * options_.segment || moved < 0.5 * options_.segment;
      if (off_the_edge || nearest(foot.point, number, step).distance < options_.segment) return std::nullopt;
      now.direction = tangent(foot.point - here, normal_at(foot.triangle));
      now.tip = add(foot.point, now.tip, number);
    }
    return now;
  }

  const PurkinjeOptions& options_;
  std::span<const Vec3> points_;
  bool right_;
  std::vector<Triangle> triangles_;
  SurfaceDistance surface_;
  std::vector<Vec3> normal_;  // per node of the mesh, by area
  PurkinjeTree& tree_;
  std::size_t first_;  // point of this tree
  Random random_;
  Vec3 apex_, axis_;
  int parting_;                   // steps until sisters are farther apart than branches may come
  std::vector<Index> branch_of_;  // per point of this tree, -1 at the root
  std::vector<Index> mother_of_;  // per branch
};

// High on the septum, on its left side.
Vec3 left_root(const Anatomy& anatomy, const PurkinjeOptions& options) {
  const Vec3 axis = anatomy.base_centre - anatomy.apex;
  if (!(axis.norm() > 1e-6) || !(anatomy.septum.norm() > 0.5))
    throw InputError(
        "Purkinje tree: the twin has no long axis or no septum to find the root by; build it from an image, or give a "
        "root");
  const Vec3 middle = anatomy.apex + std::min(0.8, options.top - 0.05) * axis, up = axis.normalized();
  double sum = 0, count = 0;
  for (const auto& face : anatomy.surface) {
    if (face.tag != Surface::endo) continue;
    const Vec3 from = anatomy.mesh.points()[face.nodes[0]] - middle;
    if (std::abs(from.dot(up)) > 0.1 * axis.norm()) continue;
    sum += (from - from.dot(up) * up).norm(), ++count;
  }
  return middle + (count > 0 ? sum / count : 0) * anatomy.septum;
}

}  // namespace

std::size_t PurkinjeTree::junctions() const {
  return static_cast<std::size_t>(std::count(junction.begin(), junction.end(), 1));
}

double PurkinjeTree::length() const {
  double sum = 0;
  for (std::size_t i = 0; i < points.size(); ++i)
    if (parent[i] >= 0) sum += (points[i] - points[parent[i]]).norm();
  return sum;
}

PurkinjeTree grow_purkinje(const Anatomy& anatomy, const PurkinjeOptions& options, const Monitor& monitor) {
  require_options(options);
  const auto has = [&](Surface tag) {
    return std::any_of(anatomy.surface.begin(), anatomy.surface.end(), [&](const auto& f) { return f.tag == tag; });
  };
  if (!has(Surface::endo))
    throw InputError("Purkinje tree: no face is tagged as endocardium; build the twin from an image, or tag it");
  monitor.report("purkinje: left tree", 0.0);
  PurkinjeTree tree;
  Growth(anatomy, Surface::endo, options, tree)
      .grow(options.root_lv ? *options.root_lv : left_root(anatomy, options), anatomy.apex, monitor);
  if (has(Surface::endo_rv)) {
    monitor.report("purkinje: right tree", 0.5);
    Growth(anatomy, Surface::endo_rv, options, tree)
        .grow(options.root_rv ? *options.root_rv : tree.points[0], anatomy.apex, monitor);
  }
  std::vector<std::uint8_t> is_mother(tree.points.size(), 0);
  for (const Index parent : tree.parent)
    if (parent >= 0) is_mother[parent] = 1;
  for (std::size_t i = 0; i < is_mother.size(); ++i) tree.junction[i] = !is_mother[i];
  monitor.report("purkinje", 1.0);
  return tree;
}

}  // namespace cardiotwin
