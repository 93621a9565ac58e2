#include "dicom.hpp"

// Run lengths (PS3.5, annex G): decoded here because GDCM 3.0.21 crashes on damaged ones.

namespace cardiotwin::meshes::dicom {
namespace {

// One byte of every pixel, written `stride` apart.
bool unpack(std::span<const unsigned char> from, std::size_t count, unsigned char* to, std::size_t stride) {
  std::size_t done = 0;
  for (std::size_t at = 0; done < count && at + 1 < from.size();) {
    const int code = static_cast<signed char>(from[at++]);
    if (code == -128) continue;
    const std::size_t length = code >= 0 ? std::size_t(code) + 1 : std::size_t(1 - code);
    if (length > count - done || (code >= 0 && length > from.size() - at)) return false;
    for (std::size_t i = 0; i < length; ++i) to[stride * done++] = from[code >= 0 ? at + i : at];
    at += code >= 0 ? length : 1;
  }
  return done == count;
}

}  // namespace

bool unpack_rle(std::span<const unsigned char> frame, std::size_t pixels, int bytes, unsigned char* to) {
  if (frame.size() < 64) return false;
  const auto number = [&](std::size_t i) {
    return frame[4 * i] | std::size_t(frame[4 * i + 1]) << 8 | std::size_t(frame[4 * i + 2]) << 16 |
           std::size_t(frame[4 * i + 3]) << 24;
  };
  if (number(0) != std::size_t(bytes)) return false;
  for (int segment = 0; segment < bytes; ++segment) {
    const std::size_t first = number(std::size_t(segment) + 1);
    const std::size_t last = segment + 1 < bytes ? number(std::size_t(segment) + 2) : frame.size();
    if (first < 64 || last < first || last > frame.size()) return false;
    // Segments begin with the most significant byte, pixels in memory with the least.
    if (!unpack(frame.subspan(first, last - first), pixels, to + (bytes - 1 - segment), std::size_t(bytes)))
      return false;
  }
  return true;
}

}  // namespace cardiotwin::meshes::dicom
