#pragma once
// The NIfTI-1 format (nifti.nimh.nih.gov/nifti-1), single file. Read here and not through ITK, because ITK 5.2 refuses
// files whose sform has unit columns while pixdim holds the spacing (all of the EMIDEC challenge) and skips the checks
// below.

#include <cardiotwin/meshes/image.hpp>
#include <filesystem>
#include <string>
#include <vector>

namespace cardiotwin::meshes::nifti {

enum class Type : std::int16_t {
  uint8 = 2,
  int16 = 4,
  int32 = 8,
  float32 = 16,
  float64 = 64,
  int8 = 256,
  uint16 = 512,
  uint32 = 768,
  int64 = 1024,
  uint64 = 1280
};
/// Bytes per voxel; 0 for a type that is not one real number.
int bytes_of(Type);

/// One of the two ways a header places voxels: position = matrix * index + shift, RAS, in the header's units.
struct Form {
  int code = 0;  ///< 0: absent
  Mat3 matrix = Mat3::Identity();
  Vec3 shift = Vec3::Zero();
};

struct Header {
  bool swapped = false;  ///< stored in the other byte order
  std::array<int, 3> size{};
  Type type{};
  std::size_t data_offset = 352;
  double slope = 1, intercept = 0;
  Vec3 pixdim = Vec3::Ones();
  double unit = 1;  ///< [mm]
  bool unit_known = true;
  Form sform, qform;
};

inline constexpr std::size_t header_bytes = 348;

/// Checks the header; `name` begins the sentence of every error. Throws FileError (not NIfTI) or InputError.
Header parse(const std::vector<unsigned char>& bytes, const std::string& name);
/// Chooses between sform, qform and pixdim and turns RAS into LPS [mm]; warns where they contradict each other.
Grid grid_of(const Header&, const std::string& name, const std::string& short_name, const Monitor&);
/// Header of a file in mm with sform and qform set, followed by the four bytes that say there is no extension.
std::vector<unsigned char> compose(const Grid&, Type);

/// Plain or gzip-compressed bytes read in order, checked as they come: no count from a header is ever trusted.
class Stream {
 public:
  Stream(const std::filesystem::path&, std::string name);  ///< `name` begins the sentence of every error
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Appends up to `bytes` bytes; fewer only at the end of the file. Throws FileError for a damaged stream.
  void read(std::vector<unsigned char>& to, std::size_t bytes);
  /// Reads to the end so that the checksum of a compressed file is verified, but gives up silently after `bytes`.
  void drain(std::size_t bytes);
  /// The most the file can hold: deflate cannot compress better than 1032 : 1.
  std::size_t plausible_bytes() const;

 private:
  std::string name_;
  std::size_t file_bytes_ = 0;
  bool compressed_ = false;
  void* file_ = nullptr;  // gzFile
};

}  // namespace cardiotwin::meshes::nifti
