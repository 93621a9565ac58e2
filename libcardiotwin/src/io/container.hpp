#pragma once
/// An HDF5 file behind a 512-byte text header: kind, format version, size and SHA-256 of everything after the header.
/// The header is checked before HDF5 sees the file, so a damaged one gives one clear error instead of undefined reads.

#include <filesystem>
#include <functional>
#include <string_view>

#include "hdf5.hpp"

namespace cardiotwin::container {

inline constexpr hsize_t header_size = 512;

/// Writes atomically what `fill` puts into the open HDF5 file.
void write(const std::filesystem::path&, std::string_view kind, int format, const std::function<void(hid_t)>& fill);

/// Checks the header and hands the open file to `take`. Throws FileError: missing, not of this kind, written by a newer
/// version, truncated, damaged; InputErrors and FileErrors from `take` are told as faults of this file.
void read(const std::filesystem::path&, std::string_view kind, int format, const std::function<void(hid_t)>& take);

}  // namespace cardiotwin::container
