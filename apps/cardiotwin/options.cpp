#include "options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <cardiotwin/error.hpp>
#include <cardiotwin/io.hpp>
#include <cardiotwin/units.hpp>
#include <charconv>
#include <cmath>

namespace cardiotwin::app {
namespace {

std::string trimmed(std::string text) {
  const auto blank = " \t\r\n";
  text.erase(0, text.find_first_not_of(blank));
  if (const auto last = text.find_last_not_of(blank); last != std::string::npos) text.erase(last + 1);
  return text;
}

template <class T>
T parse_number(const std::string& text, const char* what) {
  const std::string word = trimmed(text);
  T value{};
  const auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (failed != std::errc{} || end != word.data() + word.size()) {
    throw InputError(fmt::format("\"{}\" is not {}", word, what));
  }
  return value;
}

double parse_finite(const std::string& text) {
  const double value = parse_number<double>(text, "a number");
  if (!std::isfinite(value)) throw InputError(fmt::format("\"{}\" is not a finite number", text));
  return value;
}

bool is_bare_number(const std::string& text) {
  double value{};
  const std::string word = trimmed(text);
  const auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), value);
  return failed == std::errc{} && end == word.data() + word.size();
}

double parse_in_unit(const std::string& text, const std::string& unit, bool bare_numbers) {
  if (is_bare_number(text)) {
    if (!bare_numbers)
      throw InputError(fmt::format("\"{0}\" needs its unit, such as \"{0} {1}\"", trimmed(text), unit));
    return parse_finite(text) * parse_unit(unit).value;
  }
  return parse_quantity(text, parse_unit(unit).dimension);
}

void check_range(double value, double low, double high, const std::string& unit) {
  if (value >= low && value <= high) return;
  const std::string behind = unit.empty() ? "" : " " + unit;
  throw InputError(fmt::format("{:g}{} is outside [{:g}, {:g}]{}", value, behind, low, high, behind));
}

std::string flag_name(std::string key) {
  for (char& c : key) c = c == '_' ? '-' : c;
  return "--" + key;
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

}  // namespace

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  while (start <= text.size()) {
    const auto end = std::min(text.find(separator, start), text.size());
    if (auto word = trimmed(text.substr(start, end - start)); !word.empty()) parts.push_back(std::move(word));
    start = end + 1;
  }
  return parts;
}

Options::Row& Options::add(const std::string& key, const std::string& kind, const std::string& doc,
                           const std::string& range) {
  rows_.push_back(std::make_unique<Row>());
  Row& row = *rows_.back();
  row.key = key, row.kind = kind, row.doc = doc, row.range = range;
  return row;
}

void Options::text(const std::string& key, std::string& value, const std::string& doc,
                   std::vector<std::string> choices) {
  Row& row = add(key, "TEXT", doc, choices.empty() ? "" : fmt::format("{}", fmt::join(choices, " | ")));
  row.set = [&value, choices = std::move(choices)](const std::string& text, bool) {
    if (!choices.empty() && std::find(choices.begin(), choices.end(), text) == choices.end()) {
      throw InputError(fmt::format("\"{}\" is not a choice{}", text, suggestion(text, choices)));
    }
    value = text;
  };
  row.get = [&value] { return value; };
}

void Options::path(const std::string& key, std::filesystem::path& value, const std::string& doc) {
  Row& row = add(key, "PATH", doc);
  row.set = [&value](const std::string& text, bool) {
    if (text.empty()) throw InputError("a path must not be empty");
    value = text;
  };
  row.get = [&value] { return value.string(); };
}

void Options::integer(const std::string& key, int& value, int low, int high, const std::string& doc) {
  Row& row = add(key, "INTEGER", doc, fmt::format("{} to {}", low, high));
  row.is_bare = true;
  row.set = [=, &value](const std::string& text, bool) {
    const int number = parse_number<int>(text, "an integer");
    check_range(number, low, high, "");
    value = number;
  };
  row.get = [&value] { return fmt::format("{}", value); };
}

void Options::seed(const std::string& key, std::uint64_t& value, const std::string& doc) {
  Row& row = add(key, "INTEGER", doc);
  row.is_bare = true;
  row.set = [&value](const std::string& text, bool) {
    value = parse_number<std::uint64_t>(text, "a non-negative integer");
  };
  row.get = [&value] { return fmt::format("{}", value); };
}

void Options::number(const std::string& key, double& value, double low, double high, const std::string& doc) {
  Row& row = add(key, "NUMBER", doc, fmt::format("{:g} to {:g}", low, high));
  row.is_bare = true;
  row.set = [=, &value](const std::string& text, bool) {
    const double number = parse_finite(text);
    check_range(number, low, high, "");
    value = number;
  };
  row.get = [&value] { return fmt::format("{}", value); };
}

void Options::optional_number(const std::string& key, std::optional<double>& value, double low, double high,
                              const std::string& doc) {
  Row& row = add(key, "NUMBER", doc, fmt::format("{:g} to {:g}", low, high));
  row.is_bare = true;
  row.set = [=, &value](const std::string& text, bool) {
    const double number = parse_finite(text);
    check_range(number, low, high, "");
    value = number;
  };
  row.get = [&value] { return value ? fmt::format("{}", *value) : std::string(); };
}

void Options::quantity(const std::string& key, double& value, const std::string& unit, double low, double high,
                       const std::string& doc) {
  Row& row = add(key, unit, doc, fmt::format("{:g} to {:g} {}", low, high, unit));
  row.set = [=, &value](const std::string& text, bool bare_numbers) {
    const double house = parse_in_unit(text, unit, bare_numbers);
    check_range(house / parse_unit(unit).value, low, high, unit);
    value = house;
  };
  row.get = [&value, unit] { return format_quantity(value, unit); };
}

void Options::time_step(const std::string& key, double& value, const std::string& doc) {
  constexpr double shortest = 0.0005, longest = 1;  // [ms]
  Row& row = add(key, "auto | ms", doc, fmt::format("{:g} to {:g} ms", shortest, longest));
  row.set = [=, &value](const std::string& text, bool bare_numbers) {
    if (trimmed(text) == "auto") {
      value = 0;
      return;
    }
    const double step = parse_in_unit(text, "ms", bare_numbers);
    check_range(step, shortest, longest, "ms");
    value = step;
  };
  row.get = [&value] { return value == 0 ? std::string("auto") : format_quantity(value, "ms"); };
}

Vec3 parse_vector(const std::string& text, const std::string& unit, bool bare_numbers) {
  const auto parts = split(text);
  if (parts.size() != 3) throw InputError(fmt::format("\"{}\" must be three values x, y, z", text));
  Vec3 read;
  for (int i = 0; i < 3; ++i) {
    // "10, 20, 30 mm": the unit may stand once, at the end.
    read[i] = parse_in_unit(parts[i], unit, bare_numbers || (i < 2 && !is_bare_number(parts[2])));
  }
  return read;
}

namespace {

std::string format_vector(const Vec3& value, const std::string& unit) {
  return fmt::format("{}, {}, {}", format_quantity(value[0], unit), format_quantity(value[1], unit),
                     format_quantity(value[2], unit));
}

}  // namespace

void Options::vector(const std::string& key, Vec3& value, const std::string& unit, const std::string& doc) {
  Row& row = add(key, "X,Y,Z " + unit, doc);
  row.set = [&value, unit](const std::string& text, bool bare) { value = parse_vector(text, unit, bare); };
  row.get = [&value, unit] { return format_vector(value, unit); };
}

void Options::optional_vector(const std::string& key, std::optional<Vec3>& value, const std::string& unit,
                              const std::string& doc) {
  Row& row = add(key, "X,Y,Z " + unit, doc);
  row.set = [&value, unit](const std::string& text, bool bare) { value = parse_vector(text, unit, bare); };
  row.get = [&value, unit] { return value ? format_vector(*value, unit) : std::string(); };
}

void Options::flag(const std::string& key, bool& value, const std::string& doc, bool flag_only) {
  Row& row = add(key, "", doc);
  row.is_flag = row.is_bare = true;
  row.flag_only = flag_only;
  row.set = [&value](const std::string& text, bool) {
    if (text != "true" && text != "false") throw InputError(fmt::format("\"{}\" is neither true nor false", text));
    value = text == "true";
  };
  row.get = [&value] { return std::string(value ? "true" : "false"); };
}

void Options::list(const std::string& key, std::vector<std::string>& value, const std::string& doc) {
  Row& row = add(key, "A,B,...", doc);
  row.is_list = true;
  row.set = [&value](const std::string& text, bool) { value = split(text); };
  row.get = [&value] { return fmt::format("{}", fmt::join(value, ",")); };
}

void Options::custom(const std::string& key, const std::string& kind, std::function<void(const std::string&)> set,
                     std::function<std::string()> get, const std::string& doc) {
  Row& row = add(key, kind, doc);
  row.is_list = true;
  row.set = [set = std::move(set)](const std::string& text, bool) { set(text); };
  row.get = std::move(get);
}

void Options::positional() { rows_.back()->positional = true; }
void Options::required() { rows_.back()->required = true; }

void Options::bind(CLI::App& command) {
  for (auto& owned : rows_) {
    Row& row = *owned;
    std::string doc = row.range.empty() ? row.doc : row.doc + " (" + row.range + ")";
    if (const auto value = row.get(); !value.empty() && !row.is_flag) doc += " [" + value + "]";
    if (row.is_flag) {
      command.add_flag(flag_name(row.key), row.raised, doc);
      continue;
    }
    auto* option = command.add_option(row.positional ? row.key : flag_name(row.key), row.given, doc);
    option->type_name(row.kind)->expected(1)->take_all();
    if (row.positional) option->allow_extra_args(false);  // the next word belongs to the next row
  }
  command.add_option("--case", case_file_, "case file (TOML) with any of these keys, units as text; flags override it")
      ->type_name("FILE.toml");
  command.add_flag("--template", template_, "print a documented case file with the defaults, and do nothing else");
}

void Options::set(Row& row, const std::string& text, bool bare_numbers) {
  try {
    row.set(text, bare_numbers);
    row.set_by_user = true;
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: {}", row.positional ? row.key : flag_name(row.key), error.what()));
  }
}

bool Options::resolve() {
  if (template_) return true;
  if (!case_file_.empty()) load(case_file_);
  for (auto& row : rows_) {
    if (row->raised) set(*row, "true", true);
    if (row->given.size() > 1 && !row->is_list)
      throw InputError(fmt::format("{} is given {} times; give it once",
                                   row->positional ? row->key : flag_name(row->key), row->given.size()));
    if (!row->given.empty()) set(*row, fmt::format("{}", fmt::join(row->given, ",")), true);
  }
  for (auto& row : rows_) {
    if (row->required && !row->set_by_user) {
      throw InputError(fmt::format("{} must be given: {}", row->positional ? row->key : flag_name(row->key), row->doc));
    }
  }
  return false;
}

namespace {

// A TOML value as the text a row reads. Quantities and texts are strings; numbers and switches stand bare.
std::string value_text(const toml::node& node, bool bare, bool list, const std::string& key) {
  if (const auto* text = node.as_string(); text && !bare) return text->get();
  if (bare && node.is_boolean()) return node.as_boolean()->get() ? "true" : "false";
  if (bare && node.is_integer()) return fmt::format("{}", node.as_integer()->get());
  if (bare && node.is_floating_point()) return fmt::format("{}", node.as_floating_point()->get());
  if (const auto* array = node.as_array(); array && list) {
    std::vector<std::string> parts;
    for (const auto& item : *array) parts.push_back(value_text(item, false, false, key));
    return fmt::format("{}", fmt::join(parts, ","));
  }
  const char* rule = bare   ? "a number or true/false without quotes"
                     : list ? "text or a list of texts"
                            : "text in quotes, with its unit if it has one";
  throw InputError(fmt::format("{} must be {}", key, rule));
}

}  // namespace

void Options::load(const std::filesystem::path& file) {
  const std::string text = read_text(file);
  toml::table table;
  try {
    table = toml::parse(text);
  } catch (const toml::parse_error& error) {
    throw InputError(
        fmt::format("case file {}, line {}: {}", file.string(), error.source().begin.line, error.description()));
  }
  std::vector<std::string> known;
  for (const auto& row : rows_) {
    if (!row->flag_only) known.push_back(row->key);
  }
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    const auto row =
        std::find_if(rows_.begin(), rows_.end(), [&](const auto& r) { return r->key == name && !r->flag_only; });
    try {
      if (row == rows_.end()) throw InputError(fmt::format("unknown key \"{}\"{}", name, suggestion(name, known)));
      set(**row, value_text(node, (*row)->is_bare, (*row)->is_list, name), false);
    } catch (const InputError& error) {
      throw InputError(fmt::format("case file {}, line {}: {}", file.string(), node.source().begin.line, error.what()));
    }
  }
}

std::map<std::string, std::string> Options::effective() const {
  std::map<std::string, std::string> all;
  for (const auto& row : rows_) {
    // Paths differ between machines; what they hold is recorded by its hash.
    if (!row->flag_only && row->kind != "PATH") all[row->key] = row->get();
  }
  return all;
}

std::string Options::toml() const {
  std::string out =
      fmt::format("# cardiotwin {}: case file. Research use only, not for diagnosis or treatment.\n", verb_);
  for (const auto& row : rows_) {
    if (row->flag_only) continue;
    const std::string value = row->get();
    out += fmt::format("\n# {}{}\n", row->doc, row->range.empty() ? "" : " (" + row->range + ")");
    // A key without a value stays a comment: an empty text would be an error when read back.
    out += fmt::format("{}{} = {}\n", value.empty() ? "# " : "", row->key, row->is_bare ? value : quoted(value));
  }
  return out;
}

}  // namespace cardiotwin::app
