#pragma once
// The NIfTI-1 format (nifti.nimh.nih.gov/nifti-1), single file. Read here and not through ITK, because ITK 5.2 refuses
// files whose sform has unit columns while pixdim holds the spacing (all of the EMIDEC challenge) and skips the checks
// below.

#include "image_stream.hpp"

namespace cardiotwin::meshes::nifti {

/// One of the two ways a header places voxels: position = matrix * index + shift, RAS, in the header's units.
struct Form {
  int code = 0;  ///< 0: absent
  Mat3 matrix = Mat3::Identity();
  Vec3 shift = Vec3::Zero();
};

struct Header {
  bool swapped = false;  ///< stored in the other byte order
  std::array<int, 3> size{};
  Number type{};
  std::size_t data_offset = 352;
  double slope = 1, intercept = 0;
  Vec3 pixdim = Vec3::Ones();
  double unit = 1;  ///< [mm]
  bool unit_known = true;
  Form sform, qform;
};

inline constexpr std::size_t header_bytes = 348;

/// Checks the header of an image of so many values a voxel; `name` begins the sentence of every error. Throws FileError
/// (not NIfTI) or InputError.
Header parse(const std::vector<unsigned char>& bytes, const std::string& name, int components = 1);
/// Chooses between sform, qform and pixdim and turns RAS into LPS [mm]; warns where they contradict each other.
Grid grid_of(const Header&, const std::string& name, const std::string& short_name, const Monitor&);
/// Header of a file in mm with sform and qform set, followed by the four bytes that say there is no extension.
std::vector<unsigned char> compose(const Grid&, Number);

}  // namespace cardiotwin::meshes::nifti
