#pragma once
/// Images in scanner space. NIfTI-1 files (.nii, .nii.gz) are read by our own reader: ITK 5.2 refuses files whose sform
/// has unit columns while pixdim holds the spacing, as in the EMIDEC challenge, and trusts counts of damaged headers.

#include <array>
#include <cardiotwin/field.hpp>
#include <cardiotwin/log.hpp>
#include <filesystem>
#include <string>
#include <vector>

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
  Vec3 index(const Vec3& position) const {
    return (direction.transpose() * (position - origin)).cwiseQuotient(spacing);
  }
};

template <class T>
struct Volume {
  Grid grid;
  std::vector<T> values;  ///< i fastest
};
using Image = Volume<float>;
using Labels = Volume<std::uint8_t>;

/// 3-D image, scaled by the header's slope and intercept; the unit of length is taken from the header, mm where unknown
/// (warned). Throws FileError (missing, truncated, damaged, not NIfTI) or InputError (4-D, singular or sheared affine,
/// NaN or infinity, more than 2^28 voxels). The sform is used before the qform before pixdim alone; warns where they
/// disagree, saying which is used.
Image read_image(const std::filesystem::path&, const Monitor& = {});
/// As above; values must be whole numbers from 0 to 255, whatever the stored type.
Labels read_labels(const std::filesystem::path&, const Monitor& = {});
void write_image(const std::filesystem::path&, const Image&);  ///< `.nii.gz`, atomically; throws FileError
void write_labels(const std::filesystem::path&, const Labels&);

/// Throws InputError naming the difference unless both grids are the same within 1e-3 voxels.
void require_same_grid(const Grid& image, const Grid& labels);

}  // namespace cardiotwin::meshes
