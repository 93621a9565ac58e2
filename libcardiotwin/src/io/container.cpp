#include "container.hpp"

#include <fmt/format.h>

#include <cardiotwin/error.hpp>
#include <cardiotwin/io.hpp>
#include <cardiotwin/provenance.hpp>
#include <charconv>
#include <cstring>
#include <fstream>
#include <system_error>

#include "../digest.hpp"

namespace cardiotwin::container {
namespace {

namespace fs = std::filesystem;

/// SHA-256 and size of what follows the header.
struct Body {
  std::uintmax_t size = 0;
  std::string digest;
};

Body measure(std::istream& in) {
  in.seekg(header_size);
  Body body;
  body.digest = sha256_of_stream(in, &body.size);
  return body;
}

std::string header(std::string_view kind, int format, const Body& body) {
  std::string text = fmt::format("cardiotwin {}\nformat {}\nbytes {}\nsha256 {}\n{}\n", kind, format, body.size,
                                 body.digest, research_use_only);
  text.resize(header_size - 1, ' ');
  return text + "\n";
}

// The number after `key` at the start of a line of the header, or -1.
int number_after(std::string_view text, std::string_view key) {
  const auto at = text.find(key);
  int value = -1;
  if (at != std::string_view::npos) std::from_chars(text.data() + at + key.size(), text.data() + text.size(), value);
  return value;
}

void check_header(const fs::path& path, std::string_view kind, int format) {
  std::error_code error;
  if (!fs::exists(path, error)) throw FileError(fmt::format("{} does not exist", path.string()));
  std::ifstream in(path, std::ios::binary);
  if (!in || !fs::is_regular_file(path, error)) throw FileError(fmt::format("{} cannot be read", path.string()));
  std::string found(header_size, '\0');
  in.read(found.data(), static_cast<std::streamsize>(found.size()));
  const auto got = static_cast<std::size_t>(in.gcount());
  const std::string magic = fmt::format("cardiotwin {}\n", kind);
  if (!std::string_view(found).substr(0, got).starts_with(magic)) {
    throw FileError(fmt::format("{} is not a cardiotwin {} file", path.string(), kind));
  }
  if (const int version = number_after(found, "\nformat "); version > format) {
    throw FileError(
        fmt::format("{} was written by a newer cardiotwin (format {}, this one reads {}): update cardiotwin",
                    path.string(), version, format));
  }
  if (got < header_size) throw FileError(fmt::format("{} is truncated", path.string()));
  const auto body = measure(in);
  if (header(kind, format, body) != found) {
    throw FileError(
        fmt::format("{} is damaged or truncated: its size or SHA-256 is not the one in its header; make it again or "
                    "restore a copy",
                    path.string()));
  }
}

}  // namespace

void write(const fs::path& path, std::string_view kind, int format, const std::function<void(hid_t)>& fill) {
  const hdf5::Quiet quiet;
  const auto file = hdf5::create_in_memory(header_size);
  fill(file);
  const auto image = hdf5::image(file);
  const auto body = image.subspan(header_size);
  const auto text = header(kind, format, {body.size(), sha256(body)});
  std::memcpy(image.data(), text.data(), header_size);
  write_text(path, {reinterpret_cast<const char*>(image.data()), image.size()});
}

void read(const fs::path& path, std::string_view kind, int format, const std::function<void(hid_t)>& take) {
  check_header(path, kind, format);
  const hdf5::Quiet quiet;
  try {
    const auto file = hdf5::open_file(path);
    take(file);
  } catch (const InputError& error) {
    throw FileError(fmt::format("{} is not a sound cardiotwin {} file: {}", path.string(), kind, error.what()));
  }
}

}  // namespace cardiotwin::container
