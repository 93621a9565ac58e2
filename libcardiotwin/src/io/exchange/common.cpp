#include <fmt/format.h>

#include <algorithm>
#include <cardiotwin/provenance.hpp>
#include <cctype>

#include "formats.hpp"

namespace cardiotwin::exchange {

std::string signature() { return fmt::format("cardiotwin {}. {}", version(), research_use_only); }

std::vector<Field> scalar_fields(const std::vector<Field>& fields) {
  std::vector<Field> scalars;
  for (const auto& field : fields) {
    auto name = field.name.empty() ? "field" : field.name;
    std::replace_if(
        name.begin(), name.end(), [](unsigned char c) { return std::isspace(c); }, '_');
    const auto width = static_cast<std::size_t>(field.components);
    for (std::size_t k = 0; k < width; ++k) {
      Field scalar{width == 1 ? name : fmt::format("{}_{}", name, k + 1), 1, {}};
      for (std::size_t i = k; i < field.values.size(); i += width) scalar.values.push_back(field.values[i]);
      scalars.push_back(std::move(scalar));
    }
  }
  return scalars;
}

std::string one_line(std::string_view name) {
  std::string out(name);
  std::replace_if(
      out.begin(), out.end(), [](unsigned char c) { return std::iscntrl(c); }, ' ');
  return out;
}

}  // namespace cardiotwin::exchange
