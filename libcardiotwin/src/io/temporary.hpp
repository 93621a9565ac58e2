#pragma once
#include <filesystem>

namespace cardiotwin {

/// A name for writing `path` aside: in the same folder, so that the rename is atomic; with the same extension, because
/// image writers choose the format by it; hidden and with this process's number, so that a file left behind by a killed
/// process is neither taken for a product nor in the way.
std::filesystem::path temporary_name(const std::filesystem::path& path);

}  // namespace cardiotwin
