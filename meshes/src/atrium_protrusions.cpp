#include <fmt/format.h>

#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cmath>

#include "atrium_parts.hpp"

namespace cardiotwin::meshes {
namespace {

constexpr double shallow = 3;          // [mm] beyond the rolling ball that any corner may reach
constexpr double least_depth = 5;      // [mm] of a vein or an appendage
constexpr double least_volume = 0.15;  // [ml]
constexpr double least_branch = 4;     // [mm] of a branch beyond its parting

// Distance from the surface of what a ball of half the cavity's inner radius can reach, where that ball cannot [mm].
std::vector<float> depth_beyond_ball(const Labels& cavity, double smallest) {
  const Grid& g = cavity.grid;
  const double half = 0.5 * g.spacing.x();
  Mask outside(cavity.values.size());
  for (std::size_t v = 0; v < outside.size(); ++v) outside[v] = cavity.values[v] != lv_cavity;
  const auto to_outside = nearest_of(g, outside);
  const double inner =
      std::sqrt(double(*std::max_element(to_outside.squared.begin(), to_outside.squared.end()))) - half;
  if (!(inner >= smallest)) {
    throw InputError(
        fmt::format("labels: a left-atrial cavity holds a ball of {:g} mm radius at least, but the largest in this one "
                    "has {:.1f} mm; is this label the cavity?",
                    smallest, inner));
  }
  const double radius = std::clamp(0.5 * inner, 5.0, 11.0);
  const auto reach = float((radius + half) * (radius + half));
  Mask centres(outside.size());
  for (std::size_t v = 0; v < centres.size(); ++v) centres[v] = to_outside.squared[v] >= reach;
  keep_largest_piece(g, centres, Neighbours::corners);
  const auto to_centre = nearest_of(g, centres);
  std::vector<float> depth(outside.size(), 0.0f);
  for (std::size_t v = 0; v < depth.size(); ++v) {
    if (!outside[v]) depth[v] = std::max(0.0f, std::sqrt(to_centre.squared[v]) - float(radius));
  }
  return depth;
}

struct Branch {
  std::vector<std::size_t> voxels;
  int family;
  double parting;
};

// Pieces of `voxels` deeper than `level` that reach far enough beyond it.
std::vector<Branch> pieces_beyond(const Grid& g, const std::vector<float>& depth,
                                  const std::vector<std::size_t>& voxels, double level, double reach, int family) {
  Mask deep(depth.size(), 0);
  for (const std::size_t v : voxels) deep[v] = depth[v] > level;
  const auto pieces = voxel_pieces(g, deep, Neighbours::corners);
  std::vector<Branch> found(pieces.size.size());
  for (const std::size_t v : voxels)
    if (pieces.of[v] >= 0) found[std::size_t(pieces.of[v])].voxels.push_back(v);
  std::erase_if(found, [&](const Branch& b) {
    float far = 0;
    for (const std::size_t v : b.voxels) far = std::max(far, depth[v]);
    return far < level + reach || double(b.voxels.size()) * ml_per_voxel(g) < least_volume;
  });
  for (std::size_t k = 0; k < found.size(); ++k)
    found[k].family = family < 0 ? int(k) : family, found[k].parting = family < 0 ? 0 : level;
  return found;
}

// A common trunk parts into the veins it carries.
void part(const Grid& g, const std::vector<float>& depth, Branch branch, std::vector<Branch>& done) {
  float far = 0;
  for (const std::size_t v : branch.voxels) far = std::max(far, depth[v]);
  for (double level = std::max(branch.parting, shallow) + 1; level + least_branch < far; level += 1) {
    auto parts = pieces_beyond(g, depth, branch.voxels, level, least_branch, branch.family);
    if (parts.size() < 2) continue;
    for (auto& each : parts) part(g, depth, std::move(each), done);
    return;
  }
  done.push_back(std::move(branch));
}

Vec3 position_of(const Grid& g, std::size_t v) {
  const std::size_t nx = g.size[0], ny = g.size[1];
  return g.position(Vec3(double(v % nx), double(v / nx % ny), double(v / nx / ny)));
}

Vec3 mean_position(const Grid& g, const std::vector<std::size_t>& voxels, const std::vector<float>& depth, double from,
                   double to) {
  Vec3 sum = Vec3::Zero();
  double count = 0;
  for (const std::size_t v : voxels)
    if (depth[v] >= from && depth[v] <= to) sum += position_of(g, v), ++count;
  return count > 0 ? Vec3(sum / count) : position_of(g, voxels.front());
}

Protrusion protrusion_of(const Grid& g, const std::vector<float>& depth, const Branch& branch) {
  double near = INFINITY, far = 0;
  for (const std::size_t v : branch.voxels)
    near = std::min(near, double(depth[v])), far = std::max(far, double(depth[v]));
  const auto mean = [&](double from, double to) {
    return mean_position(g, branch.voxels, depth, std::lerp(near, far, from) - 1e-3, std::lerp(near, far, to) + 1e-3);
  };
  Protrusion p{.family = branch.family, .parting = branch.parting};
  p.base = mean_position(g, branch.voxels, depth, near - 1e-3, near + 2);
  p.tip = mean(0.9, 1);
  p.direction = (mean(0.6, 1) - mean(0, 0.4)).normalized();
  return p;
}

}  // namespace

Protrusions protrusions_of(const Labels& cavity, double smallest) {
  const Grid& g = cavity.grid;
  const auto depth = depth_beyond_ball(cavity, smallest);
  std::vector<std::size_t> all;
  for (std::size_t v = 0; v < depth.size(); ++v)
    if (depth[v] > shallow) all.push_back(v);
  std::vector<Branch> branches;
  for (auto& each : pieces_beyond(g, depth, all, shallow, least_depth - shallow, -1))
    part(g, depth, std::move(each), branches);

  Protrusions found{.of = std::vector<int>(depth.size(), 0), .parts = {}, .centre = Vec3::Zero()};
  Mask seeds(depth.size(), 0);
  for (std::size_t k = 0; k < branches.size(); ++k) {
    found.parts.push_back(protrusion_of(g, depth, branches[k]));
    for (const std::size_t v : branches[k].voxels) seeds[v] = 1, found.of[v] = int(k) + 1;
  }
  // What lies between a protrusion and the ball belongs to the protrusion, and a trunk to its nearest branch.
  const auto nearest = nearest_of(g, seeds);
  double count = 0;
  std::vector<int> of = found.of;
  for (std::size_t v = 0; v < depth.size(); ++v) {
    if (cavity.values[v] != lv_cavity) continue;
    if (depth[v] > 0.5f && nearest.voxel[v] >= 0 && nearest.squared[v] <= 2.25f * shallow * shallow)
      of[v] = found.of[std::size_t(nearest.voxel[v])];
    else if (depth[v] > shallow && nearest.voxel[v] >= 0 && nearest.squared[v] <= 400)
      of[v] = found.of[std::size_t(nearest.voxel[v])];
    if (of[v] == 0) found.centre += position_of(g, v), ++count;
  }
  found.of = std::move(of);
  found.centre /= count;
  return found;
}

}  // namespace cardiotwin::meshes
