#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cardiotwin/meshes/labels.hpp>
#include <charconv>

#include "image_ops.hpp"

namespace cardiotwin::meshes {
namespace {

struct Words {
  const char *key, *name;
};
constexpr std::array<Words, meaning_count> words_of{{{"background", "background"},
                                                     {"lv_blood", "LV cavity"},
                                                     {"myocardium", "myocardium"},
                                                     {"scar", "infarct"},
                                                     {"no_reflow", "no-reflow"},
                                                     {"rv_blood", "RV cavity"},
                                                     {"oedema", "oedema"},
                                                     {"la_blood", "left-atrial cavity"}}};

// In the order of guessing: the first that fits is taken.
const std::vector<Convention>& table() {
  using enum Meaning;
  static const std::vector<Convention> all{
      {"emidec", {{1, lv_blood}, {2, myocardium}, {3, scar}, {4, no_reflow}}, "EMIDEC"},
      {"phantom", {{1, lv_blood}, {2, myocardium}, {3, scar}, {4, no_reflow}, {5, rv_blood}}, "phantom"},
      {"acdc", {{1, rv_blood}, {2, myocardium}, {3, lv_blood}}, "ACDC"},
      {"myops", {{200, myocardium}, {500, lv_blood}, {600, rv_blood}, {1220, oedema}, {2221, scar}}, "MyoPS"},
      {"lasc", {{1, la_blood}, {255, la_blood}}, "LASC"},
      {"atrium", {{1, lv_blood}, {2, myocardium}, {3, scar}, {5, rv_blood}, {7, la_blood}}, "atrial phantom"}};
  return all;
}

std::map<int, std::size_t> counts(const LabelValues& labels) {
  std::map<int, std::size_t> count;
  for (const auto value : labels.values) {
    if (++count[value]; count.size() > 4096) break;  // an image, not labels
  }
  return count;
}

std::string listed(const std::map<int, std::size_t>& count) {
  std::string text;
  int shown = 0;
  for (const auto& [value, voxels] : count) {
    if (++shown > 12) return text + ", ...";
    text += fmt::format("{}{} ({} voxels)", text.empty() ? "" : ", ", value, voxels);
  }
  return text;
}

bool has_all(const Convention& convention, const std::map<int, std::size_t>& count) {
  return std::ranges::all_of(
      count, [&](const auto& found) { return found.first == 0 || convention.meaning.contains(found.first); });
}

// The cavity of a ventricle is enclosed by muscle; of labels without either, the values alone decide.
bool fits(const LabelValues& labels, const Convention& convention, const std::map<int, std::size_t>& count) {
  if (!has_all(convention, count)) return false;
  const auto shows = [&](Meaning what) {
    return std::ranges::any_of(count, [&](const auto& found) {
      const auto at = convention.meaning.find(found.first);
      return at != convention.meaning.end() && at->second == what;
    });
  };
  if (convention.name == "lasc") return count.size() <= (count.contains(0) ? 2u : 1u);  // 0/1 or 0/255
  if (!shows(Meaning::myocardium) && !shows(Meaning::scar)) return false;
  if (!shows(Meaning::lv_blood) || shows(Meaning::la_blood)) return true;
  Labels own{labels.grid, {}};
  for (const auto value : labels.values) {
    const auto at = convention.meaning.find(value);
    own.values.push_back(at == convention.meaning.end()
                             ? 0
                             : std::uint8_t(at->second == Meaning::oedema ? Meaning::myocardium : at->second));
  }
  return enclosed_share(own) >= 0.5;
}

std::string all_names() {
  std::string text;
  for (const auto& each : table()) {
    text += fmt::format("{}{} (", text.empty() ? "" : ", ", each.source);
    bool first = true;
    for (const auto& [value, meaning] : each.meaning) {
      text += fmt::format("{}{} {}", first ? "" : ", ", value, name_of(meaning));
      first = false;
    }
    text += ")";
  }
  return text;
}

}  // namespace

const char* key_of(Meaning meaning) { return words_of[std::size_t(meaning)].key; }
const char* name_of(Meaning meaning) { return words_of[std::size_t(meaning)].name; }

std::span<const Convention> conventions() { return table(); }

Convention convention_of(const std::string& text) {
  std::vector<std::string> known;
  for (const auto& each : table()) {
    if (each.name == text) return each;
    known.push_back(each.name);
  }
  if (text.find('=') == std::string::npos) {
    known.push_back("guess");
    throw InputError(
        fmt::format("convention \"{}\" is unknown{}, or give a mapping such as \"1=lv_blood,2=myocardium,3=scar\"",
                    text, suggestion(text, known)));
  }
  Convention own{.name = text, .source = "given"};
  std::vector<std::string> keys;
  for (const auto& words : words_of) keys.emplace_back(words.key);
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find(',', at), text.size());
    const std::string pair = text.substr(at, end - at);
    at = end + 1;
    const auto middle = pair.find('=');
    const auto trimmed = [](std::string word) {
      std::erase(word, ' ');
      return word;
    };
    const std::string number = trimmed(pair.substr(0, middle)),
                      key = middle == std::string::npos ? "" : trimmed(pair.substr(middle + 1));
    int value = 0;
    const auto [rest, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (number.empty() || error != std::errc() || rest != number.data() + number.size())
      throw InputError(fmt::format("\"{}\" in the mapping of labels is not of the form 2=myocardium", pair));
    const auto found = std::ranges::find(keys, key);
    if (found == keys.end())
      throw InputError(fmt::format("\"{}\" in the mapping of labels is no meaning{}", key, suggestion(key, keys)));
    if (!own.meaning.try_emplace(value, Meaning(found - keys.begin())).second)
      throw InputError(fmt::format("the label {} is given twice in the mapping of labels", value));
  }
  return own;
}

Convention guess_convention(const LabelValues& labels) {
  const auto count = counts(labels);
  for (const auto& each : table()) {
    if (fits(labels, each, count)) return each;
  }
  for (const auto& each : table()) {
    if (each.name != "lasc" && has_all(each, count)) return each;  // the checks that follow say what is missing
  }
  throw InputError(
      fmt::format("labels: the values must be those of {}, but found {}; say what they mean, for example "
                  "--convention \"1=lv_blood,2=myocardium,3=scar\"",
                  all_names(), listed(count)));
}

Labels meanings(const LabelValues& labels, const Convention& convention) {
  if (const auto count = counts(labels); !has_all(convention, count)) {
    std::string values;
    for (const auto& [value, meaning] : convention.meaning)
      values += fmt::format("{}{} {}", values.empty() ? "" : ", ", value, name_of(meaning));
    throw InputError(fmt::format(
        "labels: the values must be those of the convention {} ({}), but found {}; choose another --convention",
        convention.source == "given" ? "given" : convention.source, values, listed(count)));
  }
  Labels out{labels.grid, {}};
  out.values.reserve(labels.values.size());
  for (const auto value : labels.values) {
    const auto at = convention.meaning.find(value);
    out.values.push_back(at == convention.meaning.end() ? 0 : std::uint8_t(at->second));
  }
  return out;
}

}  // namespace cardiotwin::meshes
