#pragma once
#include <cstddef>
#include <string_view>
#include <vector>

namespace cardiotwin::fuzz {

/// Feeds the reader of that name, one of those of meshes or of images; false where there is none. Throws or aborts
/// where the reader breaks its promise.
bool feed_mesh(std::string_view reader, std::string_view bytes);
bool feed_image(std::string_view reader, std::string_view bytes);

/// Several files in one: cut at lines of "%%", into at most `most`.
std::vector<std::string_view> split(std::string_view bytes, std::size_t most);

}  // namespace cardiotwin::fuzz
