#pragma once
/// Images in scanner space. Files are read by ITK, the one library found to keep the geometry of every format.

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include <cardiotwin/field.hpp>
#include <cardiotwin/log.hpp>

namespace cardiotwin::meshes {

/// Where voxels are: position = origin + direction * diag(spacing) * index, LPS [mm].
struct Grid {
  std::array<int, 3> size{};
  Vec3 spacing = Vec3::Ones();
  Vec3 origin = Vec3::Zero();
  Mat3 direction = Mat3::Identity();  ///< orthonormal columns

  std::size_t count() const { return std::size_t(size[0]) * size[1] * size[2]; }
  std::size_t offset(int i, int j, int k) const { return (std::size_t(k) * size[1] + j) * size[0] + i; }
  Vec3 position(const Vec3& index) const { return origin + direction * spacing.cwiseProduct(index); }
  Vec3 index(const Vec3& position) const { return (direction.transpose() * (position - origin)).cwiseQuotient(spacing); }
};

template <class T>
struct Volume {
  Grid grid;
  std::vector<T> values;  ///< i fastest
};
using Image = Volume<float>;
using Labels = Volume<std::uint8_t>;

/// 3-D image; throws FileError (missing, truncated, not an image) or InputError (4-D, singular affine, NaN or infinity).
/// Warns where sform and qform disagree and says which is used.
Image read_image(const std::filesystem::path&, const Monitor& = {});
/// As above; values must be small non-negative integers whatever the stored type.
Labels read_labels(const std::filesystem::path&, const Monitor& = {});
void write_image(const std::filesystem::path&, const Image&);   ///< `.nii.gz`, atomically; throws FileError
void write_labels(const std::filesystem::path&, const Labels&);

/// Throws InputError naming the difference unless both grids are the same within 1e-3 voxels.
void require_same_grid(const Grid& image, const Grid& labels);

}  // namespace cardiotwin::meshes
