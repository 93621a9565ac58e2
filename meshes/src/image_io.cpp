#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cardiotwin/io.hpp>
#include <cardiotwin/meshes/image.hpp>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>

#include "image_io_nifti.hpp"

namespace cardiotwin::meshes {
namespace fs = std::filesystem;
namespace nifti {

Stream::Stream(const fs::path& path, std::string name) : name_(std::move(name)) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (!fs::exists(status)) throw FileError(name_ + " does not exist; check the path");
  if (!fs::is_regular_file(status)) throw FileError(name_ + " is not a file; give one .nii or .nii.gz");
  file_bytes_ = fs::file_size(path, error);
  std::ifstream in(path, std::ios::binary);
  if (!in) throw FileError(name_ + " cannot be opened; check its permissions");
  std::array<char, 2> magic{};
  in.read(magic.data(), 2);
  compressed_ = in.gcount() == 2 && magic[0] == '\x1f' && magic[1] == '\x8b';
  if (path.extension() == ".gz" && !compressed_) {
    throw FileError(name_ + " is named .gz but is not gzip-compressed; compress it or rename it");
  }
  file_ = gzopen(path.c_str(), "rb");
  if (!file_) throw FileError(name_ + " cannot be opened; check its permissions");
  gzbuffer(static_cast<gzFile>(file_), 1 << 18);
}

Stream::~Stream() {
  if (file_) gzclose(static_cast<gzFile>(file_));
}

std::size_t Stream::plausible_bytes() const { return compressed_ ? file_bytes_ * 1032 + 1024 : file_bytes_; }

void Stream::read(std::vector<unsigned char>& to, std::size_t bytes) {
  constexpr std::size_t chunk = 1 << 24;
  while (bytes > 0) {
    const std::size_t want = std::min(bytes, chunk), had = to.size();
    to.resize(had + want);
    const int got = gzread(static_cast<gzFile>(file_), to.data() + had, unsigned(want));
    to.resize(had + std::size_t(std::max(got, 0)));
    int code = Z_OK;
    gzerror(static_cast<gzFile>(file_), &code);
    if (got < 0 || (code != Z_OK && code != Z_BUF_ERROR)) {
      throw FileError(name_ + " is damaged: its compressed data fail their checks; copy it again from the source");
    }
    if (std::size_t(got) < want) return;
    bytes -= want;
  }
}

void Stream::drain(std::size_t bytes) {
  std::vector<unsigned char> rest;
  for (std::size_t done = 0; done < bytes; done += 1 << 20) {
    rest.clear();
    read(rest, 1 << 20);
    int code = Z_OK;
    gzerror(static_cast<gzFile>(file_), &code);
    if (code == Z_BUF_ERROR)
      throw FileError(name_ + " is truncated: its compressed data end early; copy it again from the source");
    if (rest.size() < 1 << 20) return;
  }
}

}  // namespace nifti

namespace {

template <class T>
void convert(const unsigned char* from, bool swapped, double slope, double intercept, std::vector<double>& to) {
  for (std::size_t i = 0; i < to.size(); ++i, from += sizeof(T)) {
    std::array<unsigned char, sizeof(T)> raw;
    std::memcpy(raw.data(), from, sizeof(T));
    if (swapped) std::reverse(raw.begin(), raw.end());
    to[i] = slope * double(std::bit_cast<T>(raw)) + intercept;
  }
}

void convert(const nifti::Header& header, const unsigned char* from, std::vector<double>& to) {
  const auto as = [&]<class T>(T) { convert<T>(from, header.swapped, header.slope, header.intercept, to); };
  switch (header.type) {
    case nifti::Type::uint8:
      return as(std::uint8_t{});
    case nifti::Type::int8:
      return as(std::int8_t{});
    case nifti::Type::int16:
      return as(std::int16_t{});
    case nifti::Type::uint16:
      return as(std::uint16_t{});
    case nifti::Type::int32:
      return as(std::int32_t{});
    case nifti::Type::uint32:
      return as(std::uint32_t{});
    case nifti::Type::int64:
      return as(std::int64_t{});
    case nifti::Type::uint64:
      return as(std::uint64_t{});
    case nifti::Type::float32:
      return as(float{});
    case nifti::Type::float64:
      return as(double{});
  }
}

// Reads any image; `keep(i, value)` receives every voxel in order, `i` fastest.
template <class T, class Keep>
Volume<T> read_volume(const fs::path& path, const std::string& name, const Monitor& monitor, Keep&& keep) {
  nifti::Stream stream(path, name);
  std::vector<unsigned char> bytes;
  stream.read(bytes, nifti::header_bytes);
  const nifti::Header header = nifti::parse(bytes, name);
  Volume<T> volume;
  volume.grid = nifti::grid_of(header, name, path.filename().string(), monitor);
  const std::size_t count = volume.grid.count(), size = std::size_t(nifti::bytes_of(header.type));
  const auto truncated = [&](std::size_t found) {
    throw FileError(fmt::format(
        "{} is truncated: its header promises {} bytes of voxels, the file holds {}; copy it again from the source",
        name, count * size, found));
  };
  if (count * size > stream.plausible_bytes()) truncated(stream.plausible_bytes());
  stream.read(bytes, header.data_offset - bytes.size());
  if (bytes.size() < header.data_offset) truncated(0);
  std::vector<double> slab;
  const std::size_t slab_count = std::size_t(volume.grid.size[0]) * volume.grid.size[1];
  for (std::size_t done = 0; done < count; done += slab_count) {
    monitor.poll();
    bytes.clear();
    stream.read(bytes, slab_count * size);
    if (bytes.size() < slab_count * size) truncated(done * size + bytes.size());
    slab.resize(slab_count);
    convert(header, bytes.data(), slab);
    for (std::size_t i = 0; i < slab_count; ++i) volume.values.push_back(keep(done + i, slab[i]));
  }
  stream.drain(std::size_t(1) << 26);
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
void write_volume(const fs::path& path, const Volume<T>& volume, nifti::Type type) {
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

Image read_image(const fs::path& path, const Monitor& monitor) {
  std::size_t first = 0, bad = 0;
  auto image = read_volume<float>(path, "image " + path.string(), monitor, [&](std::size_t i, double value) {
    if (!(std::abs(value) <= std::numeric_limits<float>::max()) && bad++ == 0) first = i;
    return bad ? 0.f : float(value);
  });
  if (bad > 0) {
    throw InputError(fmt::format(
        "image {} must hold finite numbers, but {} voxels are NaN or infinite, the first at {}; replace them",
        path.string(), bad, voxel(first, image.grid)));
  }
  return image;
}

Labels read_labels(const fs::path& path, const Monitor& monitor) {
  std::size_t first = 0, bad = 0;
  double what = 0;
  auto labels = read_volume<std::uint8_t>(path, "labels " + path.string(), monitor, [&](std::size_t i, double value) {
    const double whole = std::round(value);
    const bool fits = whole >= 0 && whole <= 255 && std::abs(value - whole) < 1e-4;
    if (!fits && bad++ == 0) first = i, what = value;
    return fits ? std::uint8_t(whole) : std::uint8_t(0);
  });
  if (bad > 0) {
    throw InputError(
        fmt::format("labels {} must hold whole numbers from 0 to 255, but {} voxels do not, the first at {} with value "
                    "{:g}; is this the image?",
                    path.string(), bad, voxel(first, labels.grid), what));
  }
  return labels;
}

void write_image(const fs::path& path, const Image& image) { write_volume(path, image, nifti::Type::float32); }
void write_labels(const fs::path& path, const Labels& labels) { write_volume(path, labels, nifti::Type::uint8); }

}  // namespace cardiotwin::meshes
