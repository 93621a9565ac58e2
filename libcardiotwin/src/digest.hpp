#pragma once
/// SHA-256 of streams; private to the library.

#include <cstdint>
#include <istream>
#include <string>

namespace cardiotwin {

/// Digest (hex) of everything from the stream's position to its end, and how many bytes that was. Throws FileError if
/// reading fails.
std::string sha256_of_stream(std::istream&, std::uintmax_t* size = nullptr);

}  // namespace cardiotwin
