#include <fmt/core.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cardiotwin/fibers.hpp>
#include <cmath>
#include <numbers>

#include "fem.hpp"
#include "fibers_parts.hpp"

namespace cardiotwin {

using namespace rules;

namespace {

constexpr double degree = std::numbers::pi / 180.0;

// Where nodes lie in the walls.
struct Walls {
  std::vector<double> left, right;       // depth in the wall of each ventricle
  std::vector<double> right_of_septum;   // of the left one's outer surface: 0 epicardium .. 1 right endocardium
  std::vector<double> belongs_to_right;  // 0 left ventricle and septum .. 1 the right one's own wall
};

// The right one's own wall is thinner than its points are far from the left cavity; the septum is not. In between both
// rules hold about as well, and their directions agree on the epicardium and on the right endocardium.
Walls walls_of(const Mesh& mesh, const FiberBoundary& boundary) {
  const auto faces = boundary_faces(mesh);
  const auto to_left = distance_to(mesh, faces, boundary.endo, "endocardium");
  const auto to_epi = distance_to(mesh, faces, boundary.epi, "epicardium");
  const std::size_t count = mesh.node_count();
  Walls walls{.left = std::vector<double>(count), .right = {}, .right_of_septum = {}, .belongs_to_right = {}};
  if (boundary.endo_rv.empty()) {
    for (std::size_t i = 0; i < count; ++i) walls.left[i] = share(to_left[i], to_epi[i]);
    return walls;
  }
  const auto to_right = distance_to(mesh, faces, boundary.endo_rv, "right endocardium");
  walls.right.resize(count), walls.right_of_septum.resize(count), walls.belongs_to_right.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    walls.left[i] = share(to_left[i], std::min(to_epi[i], to_right[i]));
    walls.right[i] = share(to_right[i], to_epi[i]);
    walls.right_of_septum[i] = share(to_epi[i], to_right[i]);
    constexpr double from = 0.8, to = 1.6;
    const double x = std::clamp((to_left[i] / (to_right[i] + to_epi[i] + 1e-12) - from) / (to - from), 0.0, 1.0);
    walls.belongs_to_right[i] = x * x * (3 - 2 * x);
  }
  return walls;
}

struct Frame {
  Vec3 f, s, n;
};

// Bayer's frame turned by the angles [degrees]. e2 is transmural (outward), e1 apicobasal, e0 = e1 x e2
// circumferential: the helix angle turns f from e0 towards e1 about e2, the sheet angle turns s from e2 towards the
// cross-fibre direction about f. One wall has one frame, so the angles themselves are linear in depth and no two frames
// need blending.
Frame turned_frame(const Vec3& e1, const Vec3& e2, double helix, double sheet) {
  const double alpha = degree * helix, beta = degree * sheet;
  const Vec3 e0 = e1.cross(e2);
  Frame frame;
  frame.f = (std::cos(alpha) * e0 + std::sin(alpha) * e1).normalized();
  const Vec3 across = e2.cross(frame.f);
  frame.s = std::cos(beta) * e2 + std::sin(beta) * across;
  frame.s = (frame.s - frame.s.dot(frame.f) * frame.f).normalized();
  frame.n = frame.f.cross(frame.s);
  return frame;
}

Frame frame_along(const Vec3& f, const Vec3& towards_s) {
  Frame frame{.f = f.normalized(), .s = {}, .n = {}};
  frame.s = towards_s - towards_s.dot(frame.f) * frame.f;
  if (frame.s.norm() < 1e-3) frame.s = perpendicular(frame.f);
  frame.s.normalize();
  frame.n = frame.f.cross(frame.s);
  return frame;
}

Vec3 turned_to(const Vec3& side, const Vec3& v) { return side.dot(v) < 0 ? Vec3(-v) : v; }

// Where two walls meet: directions have no sign, so the weaker turns to the stronger's side before they are mixed.
Frame mixed(const Frame& a, const Frame& b, double share_of_b) {
  if (share_of_b > 0.5) return mixed(b, a, 1 - share_of_b);
  const auto mix = [&](const Vec3& x, const Vec3& y) -> Vec3 {
    return (1 - share_of_b) * x + share_of_b * turned_to(x, y);
  };
  return frame_along(mix(a.f, b.f), mix(a.s, b.s));
}

// Where the rules of two walls disagree by a right angle, mixing jumps. Tets that lie across such a jump take the mean
// of their neighbours, which spreads it over several; the apex and the valves keep theirs, as they must.
void spread_jumps(const Mesh& mesh, const std::vector<double>& height, Fibers& fibers) {
  constexpr int sweeps = 30;
  const double allowed = std::cos(20 * degree);
  const auto neighbours = face_neighbours(mesh);
  const auto spared = [&](std::size_t t) {
    const double h = mean_of(height, mesh.tets()[t]);
    return h < 0.1 || h > 0.95;
  };
  for (int sweep = 0; sweep < sweeps; ++sweep) {
    std::vector<std::pair<std::size_t, Frame>> moved;
    for (std::size_t t = 0; t < neighbours.size(); ++t) {
      const Vec3 &f = fibers.f[t], &s = fibers.s[t];
      const auto jumps = [&](Index n) { return n >= 0 && std::abs(fibers.f[std::size_t(n)].dot(f)) < allowed; };
      if (std::none_of(neighbours[t].begin(), neighbours[t].end(), jumps) || spared(t)) continue;
      Vec3 sum = f, sheet = s;
      for (const Index n : neighbours[t]) {
        if (n >= 0) sum += turned_to(f, fibers.f[std::size_t(n)]), sheet += turned_to(s, fibers.s[std::size_t(n)]);
      }
      moved.emplace_back(t, frame_along(sum, sheet));
    }
    if (moved.empty()) return;
    for (const auto& [t, frame] : moved) fibers.f[t] = frame.f, fibers.s[t] = frame.s, fibers.n[t] = frame.n;
  }
}

// Axes of one ventricle's wall. The transmural direction is kept and the apicobasal one projected onto the wall (the
// paper does it the other way round, which tilts fibres out of the wall near the apex, where both gradients are
// parallel).
struct Axes {
  std::vector<Vec3> e1, e2;
};
Axes wall_axes(const Mesh& mesh, const std::vector<Vec3>& apicobasal, const std::vector<Vec3>& transmural) {
  Axes axes;
  axes.e2 = directions(
      mesh, transmural, 0.0, [](std::size_t, const Vec3& v) { return v; },
      [](std::size_t) -> Vec3 { return Vec3::UnitZ(); });
  const auto& e2 = axes.e2;
  axes.e1 = directions(
      mesh, apicobasal, 0.05, [&](std::size_t t, const Vec3& v) -> Vec3 { return v - v.dot(e2[t]) * e2[t]; },
      [&](std::size_t t) { return perpendicular(e2[t]); });
  return axes;
}

std::vector<Index> joined(const std::vector<Index>& a, const std::vector<Index>& b) {
  std::vector<Index> both(a);
  both.insert(both.end(), b.begin(), b.end());
  return both;
}

}  // namespace

Fibers uniform_fibers(const Mesh& mesh, const Vec3& direction) {
  if (!direction.allFinite() || !(direction.norm() > 1e-12)) {
    throw InputError("Fibres: the direction must be a finite vector that is not zero");
  }
  const Vec3 f = direction.normalized();
  // Along x the other two are y and z; any other f turns those two with it as little as possible.
  const Vec3 axis = std::abs(f.y()) < 0.9 ? Vec3::UnitY() : Vec3::UnitZ();
  const Vec3 s = (axis - axis.dot(f) * f).normalized();
  const auto count = mesh.tet_count();
  return {std::vector<Vec3>(count, f), std::vector<Vec3>(count, s), std::vector<Vec3>(count, f.cross(s))};
}

RuleBasedFibers rule_based_fibers(const Mesh& mesh, const FiberBoundary& boundary, const FiberAngles& angles,
                                  const Monitor& monitor) {
  require_nodes(boundary.endo, "endocardium", mesh.node_count());
  require_nodes(boundary.epi, "epicardium", mesh.node_count());
  require_nodes(boundary.base, "base", mesh.node_count());
  require_nodes(boundary.apex, "apex", mesh.node_count());
  const bool two = !boundary.endo_rv.empty();
  if (two) require_nodes(boundary.endo_rv, "right endocardium", mesh.node_count());
  RuleBasedFibers result;
  monitor.report("fibres: wall depth", 0.0);
  Walls walls = walls_of(mesh, boundary);
  monitor.poll();

  monitor.report("fibres: transmural direction", 0.2);
  const auto stiffness = fem::stiffness(mesh);
  const auto across = [&](const std::vector<Index>& inner, const std::vector<Index>& other,
                          const std::vector<double>& guess) {
    return recovered_gradient(mesh, laplace(stiffness, inner, joined(boundary.epi, other), guess));
  };
  const auto across_left = across(boundary.endo, boundary.endo_rv, walls.left);
  monitor.poll();
  const auto across_right = two ? across(boundary.endo_rv, boundary.endo, walls.right) : std::vector<Vec3>();
  monitor.poll();

  monitor.report("fibres: apicobasal direction", 0.5);
  result.height = laplace(stiffness, boundary.apex, boundary.base, std::vector<double>(mesh.node_count(), 0.5));
  for (double& h : result.height) h = std::clamp(h, 0.0, 1.0);
  const auto apicobasal = recovered_gradient(mesh, result.height);
  monitor.poll();

  monitor.report("fibres: frames", 0.9);
  const Axes left = wall_axes(mesh, apicobasal, across_left);
  const Axes right = two ? wall_axes(mesh, apicobasal, across_right) : Axes();
  auto& [f, s, n] = result.fibers;
  f.resize(mesh.tet_count()), s.resize(mesh.tet_count()), n.resize(mesh.tet_count());
  for (std::size_t t = 0; t < mesh.tet_count(); ++t) {
    const Tet& tet = mesh.tets()[t];
    const double depth = mean_of(walls.left, tet);
    // Seen from the left the septum's right side is turned round, and so are its angles.
    const double septal = two ? mean_of(walls.right_of_septum, tet) : 0;
    const double alpha_outer = std::lerp(angles.alpha_epi, -angles.alpha_endo_rv, septal),
                 beta_outer = std::lerp(angles.beta_epi, -angles.beta_endo, septal);
    Frame frame = turned_frame(left.e1[t], left.e2[t], std::lerp(angles.alpha_endo, alpha_outer, depth),
                               std::lerp(angles.beta_endo, beta_outer, depth));
    if (const double of_right = two ? mean_of(walls.belongs_to_right, tet) : 0; of_right > 0) {
      const double d = mean_of(walls.right, tet);
      frame = mixed(frame,
                    turned_frame(right.e1[t], right.e2[t], std::lerp(angles.alpha_endo_rv, angles.alpha_epi_rv, d),
                                 std::lerp(angles.beta_endo, angles.beta_epi, d)),
                    of_right);
    }
    f[t] = frame.f, s[t] = frame.s, n[t] = frame.n;
  }
  if (two) spread_jumps(mesh, result.height, result.fibers);
  result.depth = std::move(walls.left);
  for (std::size_t i = 0; two && i < result.depth.size(); ++i) {
    if (walls.belongs_to_right[i] > 0.5) result.depth[i] = walls.right[i];
  }
  result.right = std::move(walls.belongs_to_right);
  monitor.report("fibres", 1.0);
  return result;
}

}  // namespace cardiotwin
