#pragma once
#include <string_view>

namespace cardiotwin::fuzz {

bool knows(std::string_view reader);
/// Throws or aborts where the reader breaks its promise.
void feed(std::string_view reader, std::string_view bytes);

}  // namespace cardiotwin::fuzz
