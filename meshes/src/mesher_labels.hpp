#pragma once
/// Which region a point of the tissue belongs to, from voxel labels turned into smooth fields.

#include <array>
#include <cardiotwin/mesh.hpp>
#include <cardiotwin/meshes/image.hpp>
#include <vector>

#include "mesher_lattice.hpp"

namespace cardiotwin::meshes::stuffing {

/// One smooth field per label: voxels without a label take the nearest one, the indicator of each label is blurred by a
/// Gaussian of 0.8 voxels and sampled trilinearly; the largest field wins. Where fields are equal is the label surface.
class Regions {
 public:
  /// `image` is the frame in which points are given. Throws InputError where no voxel has a label.
  Regions(const Labels&, const Grid& image, int threads);

  Label at(const Vec3& p) const;
  bool single() const { return names_.size() < 2; }
  /// Field of `a` minus field of `b`, and its gradient [1/mm].
  double difference(Label a, Label b, const Vec3& p, Vec3& gradient) const;

 private:
  struct Cell {
    std::size_t offset;
    std::array<double, 3> t;
  };
  Cell locate(const Vec3& p) const;
  std::array<std::size_t, 8> corners(const Cell&) const;

  std::array<int, 3> size_{};
  Mat3 turn_;  ///< frame of the image [mm] to voxels of the labels
  Vec3 shift_;
  std::vector<Label> names_;
  std::array<int, 256> slot_{};
  std::vector<std::vector<float>> fields_;
  std::vector<Label> pure_;  ///< per voxel: the label, where no other is felt; else 0
};

}  // namespace cardiotwin::meshes::stuffing
