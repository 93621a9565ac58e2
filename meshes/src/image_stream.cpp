#include "image_stream.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <Eigen/LU>
#include <Eigen/SVD>
#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

namespace cardiotwin::meshes {
namespace fs = std::filesystem;

struct Stream::Inflater {
  z_stream z{};
  std::vector<unsigned char> in = std::vector<unsigned char>(1 << 16);
  bool ended = false, started = false;  // ended: the last member is complete

  Inflater() {
    if (inflateInit2(&z, 15 + 32) != Z_OK) throw NumericalError("gzip: cannot allocate its tables");
  }
  ~Inflater() { inflateEnd(&z); }
};

Stream::Stream(const fs::path& path, std::string name) : name_(std::move(name)) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (!fs::exists(status)) throw FileError(name_ + " does not exist; check the path");
  if (!fs::is_regular_file(status)) throw FileError(name_ + " is not a file; give an image");
  file_bytes_ = fs::file_size(path, error);
  file_.open(path, std::ios::binary);
  if (!file_) throw FileError(name_ + " cannot be opened; check its permissions");
  head_.resize(512);
  head_.resize(read_plain(reinterpret_cast<unsigned char*>(head_.data()), head_.size()));
  seek(0);
  gzip_ = head_.starts_with("\x1f\x8b");
  if (path.extension() == ".gz" && !gzip_)
    throw FileError(name_ + " is named .gz but is not gzip-compressed; compress it or rename it");
  if (!gzip_) return;
  inflate();
  head_.resize(512);
  head_.resize(read_inflated(reinterpret_cast<unsigned char*>(head_.data()), head_.size()));
  seek(0), inflate();
}

Stream::~Stream() = default;

void Stream::inflate() { inflater_ = std::make_unique<Inflater>(); }

void Stream::seek(std::size_t byte) {
  file_.clear();
  file_.seekg(std::streamoff(byte));
  inflater_.reset();
}

bool Stream::line(std::string& text) {
  constexpr std::size_t longest = 1 << 16;
  text.clear();
  unsigned char c = 0;
  std::size_t got = 0;
  while ((got = read_plain(&c, 1)) == 1 && c != '\n' && text.size() < longest) text.push_back(char(c));
  while (!text.empty() && (text.back() == '\r' || text.back() == ' ')) text.pop_back();
  return got == 1 || !text.empty();
}

std::size_t Stream::plausible_bytes() const { return inflater_ ? file_bytes_ * 1032 + 1024 : file_bytes_; }

std::size_t Stream::read_plain(unsigned char* to, std::size_t bytes) {
  file_.read(reinterpret_cast<char*>(to), std::streamsize(bytes));
  return std::size_t(file_.gcount());
}

std::size_t Stream::read_inflated(unsigned char* to, std::size_t bytes) {
  auto& [z, in, ended, started] = *inflater_;
  z.next_out = to, z.avail_out = uInt(bytes);
  while (z.avail_out > 0) {
    if (z.avail_in == 0) {
      z.avail_in = uInt(read_plain(in.data(), in.size()));
      z.next_in = in.data();
      if (z.avail_in == 0) break;
    }
    // A gzip file may have several members; what follows the last and is none is ignored, as gzip does.
    if (ended && *z.next_in != 0x1f) break;
    if (ended) inflateReset(&z), ended = false;
    started = true;
    const int code = ::inflate(&z, Z_NO_FLUSH);
    if (code == Z_STREAM_END) {
      ended = true;
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      throw FileError(name_ + " is damaged: its compressed data fail their checks; copy it again from the source");
    }
  }
  return bytes - z.avail_out;
}

void Stream::read(std::vector<unsigned char>& to, std::size_t bytes) {
  constexpr std::size_t chunk = 1 << 18;  // what a header promises is believed no further than this
  while (bytes > 0) {
    const std::size_t want = std::min(bytes, chunk), had = to.size();
    to.resize(had + want);
    const std::size_t got = inflater_ ? read_inflated(to.data() + had, want) : read_plain(to.data() + had, want);
    to.resize(had + got);
    if (got < want) return;
    bytes -= want;
  }
}

void Stream::drain(std::size_t bytes) {
  if (!inflater_) return;
  std::vector<unsigned char> rest;
  for (std::size_t done = 0; done < bytes; done += 1 << 20) {
    rest.clear();
    read(rest, 1 << 20);
    if (rest.size() == 1 << 20) continue;
    if (!inflater_->ended)
      throw FileError(name_ + " is truncated: its compressed data end early; copy it again from the source");
    return;
  }
}

std::size_t bytes_of(Number type) {
  switch (type) {
    case Number::uint8:
    case Number::int8:
      return 1;
    case Number::int16:
    case Number::uint16:
      return 2;
    case Number::int32:
    case Number::uint32:
    case Number::float32:
      return 4;
    case Number::int64:
    case Number::uint64:
    case Number::float64:
      return 8;
  }
  return 0;
}

namespace {

template <class T>
void convert_as(const unsigned char* from, const Encoding& how, std::span<double> to) {
  for (std::size_t i = 0; i < to.size(); ++i, from += sizeof(T)) {
    std::array<unsigned char, sizeof(T)> raw;
    std::memcpy(raw.data(), from, sizeof(T));
    if (how.swapped) std::reverse(raw.begin(), raw.end());
    to[i] = how.slope * double(std::bit_cast<T>(raw)) + how.intercept;
  }
}

}  // namespace

void convert(const unsigned char* from, const Encoding& how, std::span<double> to) {
  const auto as = [&]<class T>(T) { convert_as<T>(from, how, to); };
  switch (how.type) {
    case Number::uint8:
      return as(std::uint8_t{});
    case Number::int8:
      return as(std::int8_t{});
    case Number::int16:
      return as(std::int16_t{});
    case Number::uint16:
      return as(std::uint16_t{});
    case Number::int32:
      return as(std::int32_t{});
    case Number::uint32:
      return as(std::uint32_t{});
    case Number::int64:
      return as(std::int64_t{});
    case Number::uint64:
      return as(std::uint64_t{});
    case Number::float32:
      return as(float{});
    case Number::float64:
      return as(double{});
  }
}

void read_voxels(Stream& stream, const Grid& grid, const Encoding& how, const Sink& sink, const Monitor& monitor) {
  const std::size_t count = grid.count(), size = bytes_of(how.type);
  const auto truncated = [&](std::size_t found) {
    throw FileError(fmt::format(
        "{} is truncated: its header promises {} bytes of voxels, the file holds {}; copy it again from the source",
        stream.name(), count * size, found));
  };
  if (count * size > stream.plausible_bytes()) truncated(stream.plausible_bytes());
  sink.begin(grid);
  const std::size_t slab_count = std::size_t(grid.size[0]) * grid.size[1];
  std::vector<unsigned char> bytes;
  std::vector<double> slab;
  for (std::size_t done = 0; done < count; done += slab_count) {
    monitor.poll();
    bytes.clear();
    stream.read(bytes, slab_count * size);
    if (bytes.size() < slab_count * size) truncated(done * size + bytes.size());
    slab.resize(slab_count);
    convert(bytes.data(), how, slab);
    sink.take(slab);
  }
  stream.drain(std::size_t(1) << 26);
}

void require_size(const std::array<double, 3>& n, const std::string& name) {
  const auto counts = [](double value) { return value >= 2 && value == std::floor(value); };
  if (!(counts(n[0]) && counts(n[1]) && counts(n[2]))) {
    throw InputError(
        fmt::format("{} must be a 3-D stack with at least 2 voxels along each axis, but its header says {} x {} x {}",
                    name, n[0], n[1], n[2]));
  }
  if (constexpr double most = 1 << 28; !(n[0] * n[1] * n[2] <= most)) {
    throw InputError(
        fmt::format("{} must have at most {:.0f} voxels, but its header says {} x {} x {}; crop it to the heart", name,
                    most, n[0], n[1], n[2]));
  }
}

void require_spacing(const Vec3& spacing, const std::string& name) {
  for (int i = 0; i < 3; ++i) {
    if (!(spacing[i] >= 0.01 && spacing[i] <= 100)) {
      throw InputError(
          fmt::format("{}: the voxel size along axis {} must lie in [0.01, 100] mm, but it is {:g}; correct the header",
                      name, i + 1, spacing[i]));
    }
  }
}

Grid grid_of(const std::array<int, 3>& size, const Mat3& steps, const Vec3& origin, const std::string& name) {
  const Vec3 norms = steps.colwise().norm();
  if (!steps.allFinite() || !origin.allFinite())
    throw InputError(name + ": the position of the voxels must be given by finite numbers; correct the header");
  require_spacing(norms, name);
  const Mat3 axes = steps * norms.cwiseInverse().asDiagonal();
  if (!(axes.transpose() * axes).isApprox(Mat3::Identity(), 1e-3)) {
    throw InputError(name +
                     ": the axes of the voxels must be at right angles, but they are sheared; resample the image");
  }
  // The nearest orthonormal matrix removes the rounding of text headers.
  const Eigen::JacobiSVD<Mat3> svd(axes, Eigen::ComputeFullU | Eigen::ComputeFullV);
  return {.size = size, .spacing = norms, .origin = origin, .direction = svd.matrixU() * svd.matrixV().transpose()};
}

fs::path beside(const fs::path& header, const std::string& data, const std::string& name) {
  const fs::path given(data);
  if (data.empty() || given.is_absolute() || std::ranges::find(given, "..") != given.end()) {
    throw FileError(name + ": the header must name a data file in its own folder; put both together and correct it");
  }
  const auto path = header.parent_path() / given;
  std::error_code error;
  // Its name is not quoted: it may hold the patient's.
  if (!fs::is_regular_file(path, error))
    throw FileError(name + ": the data file that its header names does not lie beside it; copy both");
  return path;
}

std::pair<std::string, std::string> key_and_value(const std::string& line, const std::string& separator) {
  const auto at = line.find(separator);
  if (at == std::string::npos) return {};
  const auto trimmed = [](std::string text) {
    text.erase(0, text.find_first_not_of(" \t"));
    text.erase(text.find_last_not_of(" \t") + 1);
    return text;
  };
  return {trimmed(line.substr(0, at)), trimmed(line.substr(at + separator.size()))};
}

std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> all;
  for (std::size_t at = 0; (at = text.find_first_not_of(" \t", at)) != std::string::npos;) {
    const auto end = std::min(text.find_first_of(" \t", at), text.size());
    all.push_back(text.substr(at, end - at));
    at = end;
  }
  return all;
}

std::vector<double> numbers(const std::string& text, const std::string& field, const std::string& name) {
  std::vector<double> all;
  for (const auto& word : words(text)) {
    double value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc() || end != word.data() + word.size())
      throw FileError(fmt::format("{}: the header is damaged, its field \"{}\" must hold numbers", name, field));
    all.push_back(value);
  }
  return all;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return char(std::tolower(c)); });
  return text;
}

}  // namespace cardiotwin::meshes
