#pragma once
/// Images in scanner space: NIfTI-1, NRRD, MetaImage and DICOM, told apart by their content, never by their name.

#include <array>
#include <cardiotwin/field.hpp>
#include <cardiotwin/log.hpp>
#include <filesystem>
#include <optional>
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
using Labels = Volume<std::uint8_t>;       ///< our own (labels.hpp)
using LabelValues = Volume<std::int32_t>;  ///< as a file holds them, of any convention

struct ReadOptions {
  std::optional<int> series;  ///< number of the DICOM series, where there are several
};

/// What was read besides the voxels. Holds nothing of the patient.
struct ImageSource {
  std::string format;                        ///< "NIfTI-1", "NRRD", "MetaImage", "DICOM"
  std::vector<std::filesystem::path> files;  ///< all that were read, those of slices in the order of their position
  std::optional<double> slice_thickness;     ///< [mm], where the file says
};

/// 3-D image in LPS and mm, scaled by the header's slope and intercept. `path` is a file, or for DICOM the folder of a
/// series (or one of its files, for those beside it). Warns where a header leaves or contradicts something, saying what
/// is assumed. Throws FileError (missing, truncated, damaged, no image) or InputError: not one 3-D stack of single real
/// numbers; singular or sheared axes; NaN or infinity; more than 2^28 voxels; DICOM of several series, with slices
/// missing, unevenly spaced, twice at one place or turned against each other. DICOM slices go along row x column, by
/// position. No text of a file's header or name gets into a message but the description of a DICOM series.
Image read_image(const std::filesystem::path& path, const Monitor& = {}, const ReadOptions& = {},
                 ImageSource* = nullptr);
/// Labels, read as read_image reads images; values must be whole numbers of 32 bits, whatever the stored type.
LabelValues read_labels(const std::filesystem::path& path, const Monitor& = {}, const ReadOptions& = {},
                        ImageSource* = nullptr);
/// SHA-256 of the file read; of several, of their hashes (hex) in the order of `files`.
std::string sha256_of(const ImageSource&);

void write_image(const std::filesystem::path&, const Image&);  ///< `.nii.gz`, atomically; throws FileError
void write_labels(const std::filesystem::path&, const Labels&);

/// Throws InputError naming the difference unless both grids are the same within 1e-3 voxels.
void require_same_grid(const Grid& image, const Grid& labels);

}  // namespace cardiotwin::meshes
