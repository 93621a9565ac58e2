#include <fmt/core.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cardiotwin/fibers.hpp>
#include <cardiotwin/surface_distance.hpp>
#include <cmath>
#include <numbers>

#include "fiber_fields.hpp"

namespace cardiotwin {
namespace {

using namespace fiber_fields;

constexpr double degree = std::numbers::pi / 180.0;

void require_boundary(const FiberBoundary& boundary, std::size_t nodes) {
  require_nodes(boundary.endo, "endocardium", nodes);
  require_nodes(boundary.epi, "epicardium", nodes);
  if (boundary.upward) {
    if (!boundary.upward->allFinite() || !(boundary.upward->norm() > 1e-12))
      throw InputError("Fibres: the direction from apex to base must be a finite vector that is not zero");
  } else {
    require_nodes(boundary.base, "base", nodes);
    require_nodes(boundary.apex, "apex", nodes);
  }
  if (!boundary.endo_rv.empty()) require_nodes(boundary.endo_rv, "right endocardium", nodes);
  if (!boundary.outflow.empty()) require_nodes(boundary.outflow, "outflow", nodes);
}

struct Frame {
  Vec3 f, s, n;
};

// The frame turned by the angles [degrees]. e2 is transmural (outward), e1 apicobasal, e0 = e1 x e2 circumferential:
// the helix angle turns f from e0 towards e1 about e2, the sheet angle turns s from e2 towards the cross-fibre
// direction about f.
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

double smooth_step(double x) {
  x = std::clamp(x, 0.0, 1.0);
  return x * x * (3 - 2 * x);
}

// Angles at one tet: all blends are of numbers, so directions never have to be mixed.
class Angles {
 public:
  Angles(const FiberAngles& angles, const Walls& walls, const std::vector<double>& outflow)
      : angles_(angles), walls_(walls), outflow_(outflow) {
    // The right endocardium turns by twice its angle: 120 degrees over two thicknesses of the wall, so that the helix
    // turns no faster along the wall than across it.
    own_angle_after_ = walls.right_thickness * std::max(1.0, std::abs(angles.alpha_endo_rv) / 30);
  }

  // Helix and sheet [degrees].
  std::pair<double, double> at(const Tet& tet) const {
    const FiberAngles a = outflow_.empty() ? angles_ : near_outflow(mean_of(outflow_, tet));
    const double depth = mean_of(walls_.left, tet);
    double helix = std::lerp(a.alpha_endo, a.alpha_epi, depth), sheet = std::lerp(a.beta_endo, a.beta_epi, depth);
    if (walls_.right.empty()) return {helix, sheet};
    const double septal = mean_of(walls_.right_of_septum, tet);
    helix = std::lerp(helix, septal_helix(a, depth), septal);
    sheet = std::lerp(sheet, std::lerp(a.beta_endo, -a.beta_endo, depth), septal);
    const double own = smooth_step(mean_of(walls_.beyond, tet) / own_angle_after_), d = mean_of(walls_.right, tet);
    return {std::lerp(helix, std::lerp(a.alpha_endo_rv, a.alpha_epi_rv, d), own),
            std::lerp(sheet, std::lerp(a.beta_endo, a.beta_epi, d), own)};
  }

 private:
  // Seen from the left the septum's right side is turned round, and so are its angles.
  static double septal_helix(const FiberAngles& a, double depth) {
    if (a.rule == FiberRule::bayer) return std::lerp(a.alpha_endo, -a.alpha_endo_rv, depth);
    constexpr double left_share = 2.0 / 3.0;
    return depth < left_share ? a.alpha_endo * (1 - depth / left_share)
                              : -a.alpha_endo_rv * (depth - left_share) / (1 - left_share);
  }

  FiberAngles near_outflow(double share) const {
    FiberAngles a = angles_;
    a.alpha_endo = std::lerp(a.alpha_endo, a.alpha_endo_outflow, share);
    a.alpha_endo_rv = std::lerp(a.alpha_endo_rv, a.alpha_endo_outflow, share);
    a.alpha_epi = std::lerp(a.alpha_epi, a.alpha_epi_outflow, share);
    a.alpha_epi_rv = std::lerp(a.alpha_epi_rv, a.alpha_epi_outflow, share);
    return a;
  }

  const FiberAngles& angles_;
  const Walls& walls_;
  const std::vector<double>& outflow_;
  double own_angle_after_ = 0;  // beyond the left wall [mm]
};

std::vector<Index> joined(const std::vector<Index>& a, const std::vector<Index>& b) {
  std::vector<Index> both(a);
  both.insert(both.end(), b.begin(), b.end());
  return both;
}

std::vector<Index> without(const std::vector<Index>& nodes, std::vector<Index> removed) {
  std::sort(removed.begin(), removed.end());
  std::vector<Index> rest;
  for (const Index node : nodes)
    if (!std::binary_search(removed.begin(), removed.end(), node)) rest.push_back(node);
  return rest;
}

// Transmural direction per tet.
std::vector<Vec3> transmural(const Mesh& mesh, const FiberBoundary& boundary, const Walls& walls,
                             const fem::Matrix& stiffness, const Monitor& monitor) {
  const auto across = [&](const std::vector<Index>& inner, const std::vector<Index>& other,
                          const std::vector<double>& guess) {
    monitor.poll();
    return nodal_gradient(mesh, laplace(stiffness, inner, joined(boundary.epi, other), guess));
  };
  const auto left = across(boundary.endo, boundary.endo_rv, walls.left);
  if (walls.right.empty()) return per_tet(mesh, left);
  const auto right = across(boundary.endo_rv, boundary.endo, walls.right);
  monitor.poll();
  return per_tet(mesh, joined_directions(stiffness, left, right, walls.beyond, 1.5 * walls.right_thickness));
}

// How far up a node lies between the lowest and the highest.
std::vector<double> height_along(const Mesh& mesh, const Vec3& upward) {
  std::vector<double> height;
  for (const Vec3& p : mesh.points()) height.push_back(p.dot(upward));
  const auto [least, most] = std::minmax_element(height.begin(), height.end());
  const double low = *least, range = *most - *least;
  for (double& h : height) h = (h - low) / range;
  return height;
}

// Apicobasal direction per tet; towards the outflow rings near them, which `outflow` says: 1 there, 0 at base and apex.
std::vector<Vec3> apicobasal(const Mesh& mesh, const FiberBoundary& boundary, const fem::Matrix& stiffness,
                             const std::vector<double>& height, std::vector<double>& outflow) {
  const std::vector<double> guess(mesh.node_count(), 0.5);
  auto direction = nodal_gradient(mesh, height);
  if (boundary.outflow.empty() || boundary.upward) return per_tet(mesh, direction);
  const auto inflow = without(boundary.base, boundary.outflow);
  require_nodes(inflow, "base beside the outflow rings", mesh.node_count());
  outflow = laplace(stiffness, joined(inflow, boundary.apex), boundary.outflow, guess);
  const auto to_inflow = nodal_gradient(mesh, laplace(stiffness, boundary.apex, inflow, guess));
  const auto to_outflow = nodal_gradient(mesh, laplace(stiffness, boundary.apex, boundary.outflow, guess));
  for (std::size_t i = 0; i < direction.size(); ++i) {
    outflow[i] = std::clamp(outflow[i], 0.0, 1.0);
    direction[i] = (1 - outflow[i]) * to_inflow[i] + outflow[i] * to_outflow[i];
  }
  return per_tet(mesh, direction);
}

}  // namespace

std::string fiber_rule_name(FiberRule rule) { return rule == FiberRule::bayer ? "bayer" : "doste"; }

FiberRule fiber_rule_of(std::string_view name) {
  for (const auto rule : {FiberRule::bayer, FiberRule::doste})
    if (name == fiber_rule_name(rule)) return rule;
  const std::vector<std::string> known = {"bayer", "doste"};
  throw InputError(fmt::format("Fibre rule \"{}\" is unknown{}", name, suggestion(name, known)));
}

FiberAngles FiberAngles::of(FiberRule rule) {
  if (rule == FiberRule::bayer) return {};
  return {.rule = rule, .beta_endo = 0, .beta_epi = 0, .alpha_endo_rv = 90, .alpha_epi_rv = -25};
}

Fibers uniform_fibers(const Mesh& mesh, const Vec3& direction) {
  if (!direction.allFinite() || !(direction.norm() > 1e-12)) {
    throw InputError("Fibres: the direction must be a finite vector that is not zero");
  }
  const Vec3 f = direction.normalized();
  // Along x the other two are y and z; any other f turns those two with it as little as possible.
  const Vec3 axis = std::abs(f.y()) < 0.9 ? Vec3::UnitY() : Vec3::UnitZ();
  return frames_along(std::vector<Vec3>(mesh.tet_count(), f), std::vector<Vec3>(mesh.tet_count(), axis));
}

Fibers frames_along(std::vector<Vec3> f, const std::vector<Vec3>& towards) {
  Fibers frames{.f = std::move(f), .s = std::vector<Vec3>(towards.size()), .n = std::vector<Vec3>(towards.size())};
  for (std::size_t t = 0; t < towards.size(); ++t) {
    const Vec3& along = frames.f[t];
    Vec3 s = towards[t] - towards[t].dot(along) * along;
    if (s.norm() < 1e-3) s = perpendicular(along);
    frames.s[t] = s.normalized(), frames.n[t] = along.cross(frames.s[t]);
  }
  return frames;
}

RuleBasedFibers rule_based_fibers(const Mesh& mesh, const FiberBoundary& given, const FiberAngles& angles,
                                  const Monitor& monitor) {
  require_boundary(given, mesh.node_count());
  FiberBoundary boundary = given;
  if (angles.rule == FiberRule::bayer) boundary.outflow.clear();
  if (angles.rule == FiberRule::doste && boundary.outflow.empty())
    monitor.warn("fibres: no rings of outflow tracts are given, so Doste's rule is laid in the ventricles alone");
  RuleBasedFibers result;
  monitor.report("fibres: wall depth", 0.0);
  const auto stiffness = fem::stiffness(mesh);
  Walls walls = walls_of(mesh, boundary, stiffness);
  monitor.poll();

  monitor.report("fibres: apicobasal direction", 0.2);
  result.height = boundary.upward
                      ? height_along(mesh, boundary.upward->normalized())
                      : laplace(stiffness, boundary.apex, boundary.base, std::vector<double>(mesh.node_count(), 0.5));
  for (double& h : result.height) h = std::clamp(h, 0.0, 1.0);
  std::vector<double> outflow;
  const auto upward = apicobasal(mesh, boundary, stiffness, result.height, outflow);
  monitor.poll();

  monitor.report("fibres: transmural direction", 0.5);
  const Axes axes = wall_axes(mesh, upward, transmural(mesh, boundary, walls, stiffness, monitor));
  monitor.report("fibres: frames", 0.9);
  const Angles laid(angles, walls, outflow);
  auto& [f, s, n] = result.fibers;
  for (std::size_t t = 0; t < mesh.tet_count(); ++t) {
    const auto [helix, sheet] = laid.at(mesh.tets()[t]);
    const Frame frame = turned_frame(axes.e1[t], axes.e2[t], helix, sheet);
    f.push_back(frame.f), s.push_back(frame.s), n.push_back(frame.n);
  }
  result.depth = std::move(walls.left);
  for (std::size_t i = 0; i < walls.beyond.size(); ++i) {
    if (walls.beyond[i] > 0) result.depth[i] = walls.right[i];
    result.right.push_back(smooth_step(0.5 + 0.5 * walls.beyond[i] / walls.right_thickness));
  }
  monitor.report("fibres", 1.0);
  return result;
}

}  // namespace cardiotwin
