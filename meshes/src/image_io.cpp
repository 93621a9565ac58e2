#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cardiotwin/io.hpp>
#include <cardiotwin/meshes/image.hpp>
#include <cardiotwin/provenance.hpp>
#include <cmath>
#include <limits>

#include "dicom.hpp"
#include "image_io_nifti.hpp"

namespace cardiotwin::meshes {
namespace fs = std::filesystem;
namespace {

// Text fields "key = value" at the beginning, one of them the number of axes: MetaImage has no magic number.
bool is_meta(const std::string& head) {
  for (const char* key : {"NDims", "ObjectType", "Comment"}) {
    if (head.starts_with(key)) return head.find("NDims") != std::string::npos || head.size() == 512;
  }
  return false;
}

// Reads any image; `keep(i, value)` receives every voxel in order, `i` fastest.
template <class T, class Keep>
Volume<T> read_volume(const fs::path& path, const std::string& name, const Monitor& monitor, const ReadOptions& options,
                      ImageSource* source, Keep&& keep) {
  Volume<T> volume;
  const Sink sink{.begin = [&](const Grid& grid) { volume.grid = grid; },
                  .take =
                      [&](std::span<const double> values) {
                        for (const double value : values) volume.values.push_back(keep(volume.values.size(), value));
                      }};
  ImageSource own;
  ImageSource& from = source ? *source : own;
  from = {.format = {}, .files = {path}, .slice_thickness = {}};
  std::error_code error;
  if (fs::is_directory(path, error)) {
    read_dicom(path, name, options, sink, from, monitor);
    return volume;
  }
  Stream stream(path, name);
  if (dicom::begins_dicom(stream.head())) {
    read_dicom(path, name, options, sink, from, monitor);
  } else if (stream.head().starts_with("NRRD000")) {
    read_nrrd(stream, path, sink, from, monitor);
  } else if (is_meta(stream.head())) {
    read_meta(stream, path, sink, from, monitor);
  } else {
    read_nifti(stream, path, sink, from, monitor);
  }
  return volume;
}

std::string voxel(std::size_t i, const Grid& grid) {
  const std::size_t nx = grid.size[0], ny = grid.size[1];
  return fmt::format("({}, {}, {})", i % nx, i / nx % ny, i / (nx * ny));
}

// Deflated with a gzip header that carries neither time nor name: the same image gives the same bytes.
std::vector<unsigned char> compress(const std::vector<unsigned char>& header, const void* data,
                                    std::size_t data_bytes) {
  z_stream z{};
  if (deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw NumericalError("gzip: cannot allocate its tables");
  std::vector<unsigned char> out(deflateBound(&z, uLong(header.size() + data_bytes)) + 64);
  z.next_out = out.data(), z.avail_out = uInt(out.size());
  z.next_in = const_cast<unsigned char*>(header.data()), z.avail_in = uInt(header.size());
  deflate(&z, Z_NO_FLUSH);
  z.next_in = static_cast<unsigned char*>(const_cast<void*>(data)), z.avail_in = uInt(data_bytes);
  const int code = deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  if (code != Z_STREAM_END) throw NumericalError("gzip: compression did not finish");
  return out;
}

template <class T>
void write_volume(const fs::path& path, const Volume<T>& volume, Number type) {
  const std::string name = path.filename().string();
  if (!name.ends_with(".nii.gz")) throw InputError(fmt::format("image {} must be named .nii.gz", path.string()));
  const auto& n = volume.grid.size;
  if (std::min({n[0], n[1], n[2]}) < 1 || std::max({n[0], n[1], n[2]}) > 32767 ||
      volume.values.size() != volume.grid.count() ||
      volume.values.size() * sizeof(T) > std::numeric_limits<uInt>::max()) {
    throw InputError(fmt::format("image {}: {} x {} x {} voxels with {} values cannot be written as NIfTI-1",
                                 path.string(), n[0], n[1], n[2], volume.values.size()));
  }
  const auto bytes =
      compress(nifti::compose(volume.grid, type), volume.values.data(), volume.values.size() * sizeof(T));
  write_text(path, std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

}  // namespace

Image read_image(const fs::path& path, const Monitor& monitor, const ReadOptions& options, ImageSource* source) {
  std::size_t first = 0, bad = 0;
  const std::string name = "image " + path.string();
  auto image = read_volume<float>(path, name, monitor, options, source, [&](std::size_t i, double value) {
    if (!(std::abs(value) <= std::numeric_limits<float>::max()) && bad++ == 0) first = i;
    return bad ? 0.f : float(value);
  });
  if (bad > 0) {
    throw InputError(
        fmt::format("{} must hold finite numbers, but {} voxels are NaN or infinite, the first at {}; replace them",
                    name, bad, voxel(first, image.grid)));
  }
  return image;
}

LabelValues read_labels(const fs::path& path, const Monitor& monitor, const ReadOptions& options, ImageSource* source) {
  constexpr double most = std::numeric_limits<std::int32_t>::max();
  std::size_t first = 0, bad = 0;
  double what = 0;
  const std::string name = "labels " + path.string();
  auto labels = read_volume<std::int32_t>(path, name, monitor, options, source, [&](std::size_t i, double value) {
    const double whole = std::round(value);
    const bool fits = std::abs(whole) <= most && std::abs(value - whole) < 1e-4;
    if (!fits && bad++ == 0) first = i, what = value;
    return fits ? std::int32_t(whole) : 0;
  });
  if (bad > 0) {
    throw InputError(
        fmt::format("{} must hold whole numbers, but {} voxels do not, the first at {} with value {:g}; is this the "
                    "image?",
                    name, bad, voxel(first, labels.grid), what));
  }
  return labels;
}

std::string sha256_of(const ImageSource& source) {
  if (source.files.size() == 1) return sha256_of_file(source.files.front());
  std::string all;
  for (const auto& file : source.files) all += sha256_of_file(file);
  return sha256(std::as_bytes(std::span(all)));
}

void write_image(const fs::path& path, const Image& image) { write_volume(path, image, Number::float32); }
void write_labels(const fs::path& path, const Labels& labels) { write_volume(path, labels, Number::uint8); }

}  // namespace cardiotwin::meshes
