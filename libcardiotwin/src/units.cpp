#include <fmt/format.h>

#include <array>
#include <cardiotwin/error.hpp>
#include <cardiotwin/units.hpp>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

// Every unit understood here is a power of ten times a product of house units. A quantity is therefore read and written
// by shifting the decimal exponent of its text and rounding once: "1.1 um" is the very double 0.0011, and what is
// written reads back bit for bit in any unit. <charconv> keeps both independent of the locale.

namespace cardiotwin {
namespace {

/// 10^power house units of the given dimension.
struct Scale {
  int power = 0;
  Dimension dimension;
};

struct Symbol {
  std::string_view text;
  Scale scale;
  bool prefixed;  ///< may carry a metric prefix
};

constexpr Dimension conductance{.voltage = -1, .current = 1};
constexpr Dimension charge{.time = 1, .current = 1};
constexpr Dimension capacitance{.time = 1, .voltage = -1, .current = 1};

constexpr std::array symbols{
    Symbol{"m", {3, dimension::length}, true},
    Symbol{"s", {3, dimension::time}, true},
    Symbol{"V", {3, dimension::voltage}, true},
    Symbol{"A", {6, {.current = 1}}, true},
    Symbol{"S", {3, conductance}, true},
    Symbol{"F", {6, capacitance}, true},
    Symbol{"C", {9, charge}, true},
    Symbol{"Hz", {-3, {.time = -1}}, true},
    Symbol{"l", {6, dimension::volume}, true},
    Symbol{"L", {6, dimension::volume}, true},
    Symbol{"ohm", {-3, {.voltage = 1, .current = -1}}, true},
    Symbol{"mol", {9, {.amount = 1}}, true},
    Symbol{"M", {3, dimension::concentration}, false},  // prefixes one by one: "MM" would be mm mistyped
    Symbol{"mM", {0, dimension::concentration}, false},
    Symbol{"uM", {-3, dimension::concentration}, false},
    Symbol{"\u00b5M", {-3, dimension::concentration}, false},
    Symbol{"\u03bcM", {-3, dimension::concentration}, false},
    Symbol{"nM", {-6, dimension::concentration}, false},
    Symbol{"pM", {-9, dimension::concentration}, false},
    Symbol{"%", {-2, dimension::none}, false},
    Symbol{"degrees", {0, dimension::none}, false},
    Symbol{"degree", {0, dimension::none}, false},
    Symbol{"deg", {0, dimension::none}, false},
    Symbol{"\u00b0", {0, dimension::none}, false},
};

constexpr std::array<std::pair<std::string_view, int>, 10> prefixes{{{"M", 6},
                                                                     {"k", 3},
                                                                     {"d", -1},
                                                                     {"c", -2},
                                                                     {"m", -3},
                                                                     {"u", -6},
                                                                     {"\u00b5", -6},
                                                                     {"\u03bc", -6},
                                                                     {"n", -9},
                                                                     {"p", -12}}};

struct Named {
  Dimension dimension;
  std::string_view name;     ///< with its article
  std::string_view example;  ///< an accepted quantity
};

constexpr std::array named{
    Named{dimension::none, "a plain number", "0.5"},
    Named{dimension::length, "a length", "1 mm"},
    Named{{.length = 2}, "an area", "1 mm2"},
    Named{dimension::volume, "a volume", "20 ml"},
    Named{dimension::time, "a time", "600 ms"},
    Named{{.time = -1}, "a frequency", "1 Hz"},
    Named{dimension::voltage, "a voltage", "-85 mV"},
    Named{{.current = 1}, "a current", "1 uA"},
    Named{{.length = -2, .current = 1}, "a current per area", "50 uA/cm2"},
    Named{{.length = -3, .current = 1}, "a current per volume", "50000 uA/cm3"},
    Named{{.amount = 1}, "an amount of substance", "1 nmol"},
    Named{dimension::concentration, "a concentration", "0.3 uM"},
    Named{dimension::velocity, "a velocity", "0.6 m/s"},
    Named{{.length = 2, .time = -1}, "a diffusivity", "0.1 mm2/ms"},
    Named{dimension::per_length, "a reciprocal length", "140 /mm"},
    Named{conductance, "a conductance", "1 mS"},
    Named{{.length = -2, .voltage = -1, .current = 1}, "a conductance per area", "1 mS/cm2"},
    Named{dimension::conductivity, "a conductivity", "0.17 S/m"},
    Named{{.length = 1, .voltage = 1, .current = -1}, "a resistivity", "600 ohm cm"},
    Named{{.voltage = 1, .current = -1}, "a resistance", "1 kohm"},
    Named{charge, "a charge", "1 pC"},
    Named{capacitance, "a capacitance", "1 uF"},
    Named{dimension::capacitance_per_area, "a capacitance per area", "1 uF/cm2"},
    Named{dimension::ionic_current, "an ionic current", "50 A/F"},
};

const Named* find_named(Dimension dimension) {
  for (const auto& entry : named) {
    if (entry.dimension == dimension) return &entry;
  }
  return nullptr;
}

std::string describe(Dimension d) {
  if (const auto* entry = find_named(d)) return std::string(entry->name);
  std::string text = "a quantity of dimension";
  const auto add = [&](std::string_view base, int exponent) {
    if (exponent != 0) text += fmt::format(" {}^{}", base, exponent);
  };
  add("length", d.length), add("time", d.time), add("voltage", d.voltage), add("current", d.current),
      add("amount", d.amount);
  return text;
}

std::string needed(Dimension d) {
  const auto* entry = find_named(d);
  return entry ? fmt::format("{} such as \"{}\"", entry->name, entry->example) : describe(d);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<Scale> lookup(std::string_view symbol) {
  for (const auto& entry : symbols) {
    if (entry.text == symbol) return entry.scale;
  }
  for (const auto& [prefix, power] : prefixes) {
    if (!symbol.starts_with(prefix)) continue;
    for (const auto& entry : symbols) {
      if (entry.prefixed && entry.text == symbol.substr(prefix.size())) {
        return Scale{entry.scale.power + power, entry.scale.dimension};
      }
    }
  }
  return std::nullopt;
}

constexpr std::string_view dot = "\u00b7";
constexpr int largest_exponent = 9;

// One factor: a symbol and its exponent, as in "mm2", "mm^-1", "ms-1"; the text is advanced past it.
std::optional<Scale> take_factor(std::string_view& text) {
  std::size_t end = 0;
  while (end < text.size() && !is_digit(text[end]) && !is_blank(text[end]) && !text.substr(end).starts_with(dot) &&
         std::string_view("/*.^-+()").find(text[end]) == std::string_view::npos) {
    ++end;
  }
  const auto scale = lookup(text.substr(0, end));
  if (!scale) return std::nullopt;
  text.remove_prefix(end);

  int exponent = 1;
  const bool caret = text.starts_with('^');
  if (caret) text.remove_prefix(1);
  if (caret || text.starts_with('-') || (!text.empty() && is_digit(text.front()))) {
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
    if (error != std::errc{} || std::abs(exponent) > largest_exponent) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
  }
  const auto& d = scale->dimension;
  return Scale{
      scale->power * exponent,
      {d.length * exponent, d.time * exponent, d.voltage * exponent, d.current * exponent, d.amount * exponent}};
}

// Products and quotients from left to right; may begin with "/" or "1/". nullopt for anything unknown.
std::optional<Scale> parse_scale(std::string_view text) {
  text = trim(text);
  if (text.starts_with('1')) {
    text = trim(text.substr(1));
    if (!text.starts_with('/')) return std::nullopt;
  }
  Scale total;
  bool first = true;
  while (!text.empty()) {
    int sign = 1;
    const char head = text.front();
    const bool separated = is_blank(head);
    text = trim(text);
    if (text.front() == '/') {
      sign = -1;
      text = trim(text.substr(1));
    } else if (!first && (text.front() == '*' || text.front() == '.')) {
      text = trim(text.substr(1));
    } else if (!first && text.starts_with(dot)) {
      text = trim(text.substr(dot.size()));
    } else if (!first && !separated) {
      return std::nullopt;
    }
    const auto factor = take_factor(text);
    if (!factor) return std::nullopt;
    total.power += sign * factor->power;
    total.dimension.length += sign * factor->dimension.length;
    total.dimension.time += sign * factor->dimension.time;
    total.dimension.voltage += sign * factor->dimension.voltage;
    total.dimension.current += sign * factor->dimension.current;
    total.dimension.amount += sign * factor->dimension.amount;
    first = false;
  }
  return total;
}

/// A decimal number as digits "d.ddd" and a power of ten, both text-exact.
struct Decimal {
  std::string mantissa;
  int exponent = 0;
};

// Reads [sign] digits [. digits] [e [sign] digits] and advances the text past it.
std::optional<Decimal> take_number(std::string_view& text) {
  std::size_t at = 0;
  Decimal number;
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) {
    if (text[at] == '-') number.mantissa = "-";
    ++at;
  }
  const std::size_t begin = at;
  std::size_t digits = 0;
  while (at < text.size() && is_digit(text[at])) ++at, ++digits;
  if (at < text.size() && text[at] == '.') {
    ++at;
    while (at < text.size() && is_digit(text[at])) ++at, ++digits;
  }
  if (digits == 0) return std::nullopt;
  number.mantissa += text.substr(begin, at - begin);
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    std::size_t next = at + 1;
    if (next + 1 < text.size() && text[next] == '+' && is_digit(text[next + 1])) ++next;
    const auto [rest, error] = std::from_chars(text.data() + next, text.data() + text.size(), number.exponent);
    if (error == std::errc::result_out_of_range || std::abs(number.exponent) > 100000) {
      number.exponent = text[next] == '-' ? -100000 : 100000;
    }
    if (rest != text.data() + next) at = static_cast<std::size_t>(rest - text.data());
  }
  text.remove_prefix(at);
  return number;
}

// nullopt where the number overflows or vanishes.
std::optional<double> to_double(const Decimal& number, int power) {
  const std::string text = fmt::format("{}e{}", number.mantissa, number.exponent + power);
  double value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || rest != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace

Unit parse_unit(std::string_view text) {
  const auto scale = parse_scale(text);
  if (!scale) {
    throw InputError(fmt::format(
        R"(unit "{}" is not known; units are products of m, s, V, A, S, F, C, Hz, l, ohm, mol, M with a prefix and )"
        R"(an exponent, such as "S/m", "mm2/ms", "uF/cm2")",
        text));
  }
  const auto value = to_double({"1", 0}, scale->power);
  if (!value) throw InputError(fmt::format("unit \"{}\" is out of range", text));
  return {*value, scale->dimension};
}

double parse_quantity(std::string_view text, Dimension expected) {
  std::string_view rest = trim(text);
  const auto number = take_number(rest);
  if (!number)
    throw InputError(fmt::format("\"{}\" does not begin with a finite number; {} is needed", text, needed(expected)));
  const auto scale = parse_scale(rest);
  if (!scale) {
    throw InputError(
        fmt::format("\"{}\" has the unknown unit \"{}\"; {} is needed", text, trim(rest), needed(expected)));
  }
  if (!(scale->dimension == expected)) {
    if (trim(rest).empty()) throw InputError(fmt::format("\"{}\" has no unit; {} is needed", text, needed(expected)));
    throw InputError(fmt::format("\"{}\" is {}, but {} is needed", text, describe(scale->dimension), needed(expected)));
  }
  const auto value = to_double(*number, scale->power);
  if (!value)
    throw InputError(fmt::format("\"{}\" is too large or too small a number; {} is needed", text, needed(expected)));
  return *value;
}

std::string format_quantity(double house_value, std::string_view unit) {
  const auto scale = parse_scale(unit);
  if (!scale) parse_unit(unit);  // throws, saying why
  if (!std::isfinite(house_value)) throw InputError(fmt::format("{} {} is not a finite quantity", house_value, unit));

  // The shortest decimal of the house value, its exponent shifted to the unit, then laid out with or without an
  // exponent.
  std::array<char, 40> buffer;
  const auto written =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), house_value, std::chars_format::scientific);
  const std::string_view text(buffer.data(), static_cast<std::size_t>(written.ptr - buffer.data()));
  const auto e = text.find('e');
  std::string digits;
  for (const char c : text.substr(0, e)) {
    if (is_digit(c)) digits += c;
  }
  int exponent = 0;
  std::from_chars(text.data() + e + (text[e + 1] == '+' ? 2 : 1), text.data() + text.size(), exponent);
  exponent -= scale->power;
  const int count = static_cast<int>(digits.size());
  std::string out;
  if (house_value == 0) {
    out = "0";
  } else if (exponent < -5 || exponent > 14) {
    out = fmt::format("{}{}{}e{}", digits[0], count > 1 ? "." : "", digits.substr(1), exponent);
  } else if (exponent < 0) {
    out = fmt::format("0.{:0>{}}", digits, count - exponent - 1);
  } else if (exponent >= count - 1) {
    out = fmt::format("{:0<{}}", digits, exponent + 1);
  } else {
    const auto point = static_cast<std::size_t>(exponent) + 1;
    out = fmt::format("{}.{}", digits.substr(0, point), digits.substr(point));
  }
  if (std::signbit(house_value)) out.insert(out.begin(), '-');
  const auto suffix = trim(unit);
  return suffix.empty() ? out : fmt::format("{} {}", out, suffix);
}

}  // namespace cardiotwin
