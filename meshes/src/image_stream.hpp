#pragma once
// Bytes of image files, checked as they come: no count from a header is ever trusted.

#include <cardiotwin/meshes/image.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace cardiotwin::meshes {

/// A file read in order. `name` begins the sentence of every error.
class Stream {
 public:
  Stream(const std::filesystem::path&, std::string name);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  const std::string& name() const { return name_; }
  /// The first bytes (at most 512), inflated if the file is gzip; does not move on.
  const std::string& head() const { return head_; }
  std::size_t file_bytes() const { return file_bytes_; }
  bool gzip() const { return gzip_; }  ///< the whole file
  /// One line of text without its end; fewer than 64 kB. False at the end of the file.
  bool line(std::string&);
  /// From the present place on, the file is a gzip or zlib stream.
  void inflate();
  /// Moves on to a place in the file as it lies on disk.
  void seek(std::size_t byte);

  /// Appends up to `bytes` bytes; fewer only at the end of the file. Throws FileError for a damaged stream.
  void read(std::vector<unsigned char>& to, std::size_t bytes);
  /// Reads to the end so that the checksum of a compressed file is verified, but gives up silently after `bytes`.
  void drain(std::size_t bytes);
  /// The most that can follow: deflate cannot compress better than 1032 : 1.
  std::size_t plausible_bytes() const;

 private:
  struct Inflater;
  std::size_t read_plain(unsigned char* to, std::size_t bytes);
  std::size_t read_inflated(unsigned char* to, std::size_t bytes);

  std::string name_, head_;
  std::size_t file_bytes_ = 0;
  bool gzip_ = false;
  std::ifstream file_;
  std::unique_ptr<Inflater> inflater_;
};

enum class Number { uint8, int8, int16, uint16, int32, uint32, int64, uint64, float32, float64 };
std::size_t bytes_of(Number);

/// How voxels lie in a file.
struct Encoding {
  Number type = Number::uint8;
  bool swapped = false;  ///< stored in the other byte order
  double slope = 1, intercept = 0;
};

/// Receives an image: its place, then all voxels in order, i fastest, in pieces.
struct Sink {
  std::function<void(const Grid&)> begin;
  std::function<void(std::span<const double>)> take;
};

/// Voxels of `grid` from the stream's place on, slice by slice. Throws FileError if they are not all there.
void read_voxels(Stream&, const Grid&, const Encoding&, const Sink&, const Monitor&);
/// The same numbers from memory.
void convert(const unsigned char* from, const Encoding&, std::span<double> to);

/// Throws InputError unless the size is that of a 3-D stack of 2 to 2^28 voxels, and the voxels 0.01 to 100 mm.
void require_size(const std::array<double, 3>& size, const std::string& name);
void require_spacing(const Vec3& spacing, const std::string& name);
/// Grid from the affine (mm, LPS): columns are the steps along i, j, k. Throws InputError for singular or sheared ones.
Grid grid_of(const std::array<int, 3>& size, const Mat3& steps, const Vec3& origin, const std::string& name);

/// The data file that a text header names. Throws FileError unless it lies beside the header.
std::filesystem::path beside(const std::filesystem::path& header, const std::string& data, const std::string& name);
/// "key: value" (or with another separator) taken apart and trimmed; an empty key if there is no `separator`.
std::pair<std::string, std::string> key_and_value(const std::string& line, const std::string& separator);
/// Words between blanks. Numbers; throws FileError naming the field where one is none.
std::vector<std::string> words(const std::string&);
std::vector<double> numbers(const std::string& text, const std::string& field, const std::string& name);
std::string lower(std::string);

/// Readers of the formats; each fills `source` and feeds the sink.
void read_nifti(Stream&, const std::filesystem::path&, const Sink&, ImageSource&, const Monitor&);
void read_nrrd(Stream&, const std::filesystem::path&, const Sink&, ImageSource&, const Monitor&);
void read_meta(Stream&, const std::filesystem::path&, const Sink&, ImageSource&, const Monitor&);
void read_dicom(const std::filesystem::path&, const std::string& name, const ReadOptions&, const Sink&, ImageSource&,
                const Monitor&);

}  // namespace cardiotwin::meshes
