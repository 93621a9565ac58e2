#include <algorithm>
#include <cardiotwin/error.hpp>
#include <vector>

namespace cardiotwin {
namespace {

// Edits (insert, delete, replace) between two words; O(|a| |b|).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = above;
    }
  }
  return row.back();
}

}  // namespace

std::string suggestion(std::string_view given, std::span<const std::string> known) {
  const std::string* best = nullptr;
  std::size_t distance = std::max<std::size_t>(2, given.size() / 3) + 1;
  for (const auto& word : known) {
    if (const auto d = edit_distance(given, word); d < distance) distance = d, best = &word;
  }
  if (best) return "; did you mean \"" + *best + "\"?";
  std::string all = "; known: ";
  for (std::size_t i = 0; i < known.size(); ++i) all += (i ? ", " : "") + known[i];
  return all;
}

}  // namespace cardiotwin
