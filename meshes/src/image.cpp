#include <fmt/format.h>

#include <cardiotwin/meshes/image.hpp>

#include "voxels.hpp"

namespace cardiotwin::meshes {
namespace {

// The first corner of grids of one size that lies elsewhere in the other, and how far off it is [voxels].
std::pair<Vec3, double> displaced(const Grid& image, const Grid& labels) {
  const Vec3 last(image.size[0] - 1, image.size[1] - 1, image.size[2] - 1);
  for (const Vec3& corner : {Vec3(0, 0, 0), Vec3(last[0], 0, 0), Vec3(0, last[1], 0), Vec3(0, 0, last[2]), last}) {
    const double off = (image.index(labels.position(corner)) - corner).norm();
    if (!(off < 1e-3)) return {corner, off};
  }
  return {Vec3::Zero(), 0};
}

}  // namespace

bool same_grid(const Grid& image, const Grid& labels) {
  return image.size == labels.size && displaced(image, labels).second == 0;
}

void require_same_grid(const Grid& image, const Grid& labels) {
  if (image.size != labels.size) {
    throw InputError(
        fmt::format("labels: the grid must be that of the image, but it has {} x {} x {} voxels and the image {} x {} "
                    "x {}; export both from the same series",
                    labels.size[0], labels.size[1], labels.size[2], image.size[0], image.size[1], image.size[2]));
  }
  if (const auto [corner, off] = displaced(image, labels); off != 0) {
    throw InputError(
        fmt::format("labels: the grid must be that of the image, but voxel ({}, {}, {}) lies {:.3g} voxels away from "
                    "the image's; export both from the same series",
                    corner[0], corner[1], corner[2], off));
  }
}

}  // namespace cardiotwin::meshes
