#include "memory.hpp"

#include <cstdio>

namespace cardiotwin::kernels {
namespace {

/// Left alone: the driver rounds every allocation up to its pages, and stimuli and lesions come later.
constexpr std::size_t reserve = 128'000'000;

std::string gigabytes(std::size_t bytes) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.3g GB", double(bytes) / 1e9);
  return text;
}

}  // namespace

std::string lack_of_memory(const CoreBytes& core, int members, std::size_t nodes, std::size_t free) {
  const std::size_t needed = core.of(members), usable = free > reserve ? free - reserve : 0;
  if (needed <= usable) return {};
  std::string text = members == 1 ? "one member on " : std::to_string(members) + " members on ";
  text += std::to_string(nodes) + " nodes would take " + gigabytes(needed) + " of its memory, of which " +
          gigabytes(usable) + " can be had; ";
  // An ensemble on a device has the lanes of a full one or of one member, so other numbers would not help.
  if (members > 1 && core.of(1) <= usable) text += "one member at a time would fit, or ";
  return text + "about " + std::to_string(std::size_t(double(nodes) * double(usable) / double(needed))) +
         " nodes would fit";
}

}  // namespace cardiotwin::kernels
