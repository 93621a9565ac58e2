#pragma once
/// Markup that cannot carry foreign code: plain text becomes Html only through `text`, which escapes it.

#include <concepts>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cardiotwin::report {

/// Markup that is already safe to insert.
struct Html {
  std::string code;
  Html& operator+=(const Html& other) { return code += other.code, *this; }
  friend Html operator+(Html a, const Html& b) { return std::move(a += b); }
  bool empty() const { return code.empty(); }
};

/// `plain` with the five characters that mean something to HTML replaced and control characters dropped.
std::string escape(std::string_view plain);
inline Html text(std::string_view plain) { return {escape(plain)}; }

/// <name class="cls">inside</name>; `name` and `cls` are the program's own words.
Html tag(std::string_view name, const Html& inside, std::string_view cls = "");

/// `value` with `digits` decimals; an en dash where it is not finite. Never "-0.0".
std::string fixed(double value, int digits);
/// "3 sites", "1 site".
std::string count(std::size_t n, std::string_view singular, std::string_view plural = "");
std::string join(const std::vector<std::string>& words, std::string_view between = ", ");

struct Cell {
  Html inside;
  const char* cls = "";
  int span = 1;
};
inline Cell words(std::string_view plain, const char* cls = "") { return {text(plain), cls}; }
inline Cell figure(double value, int digits) { return {text(fixed(value, digits)), "num"}; }

/// A table with a heading row; cells are already safe by their type.
class Table {
 public:
  explicit Table(std::string id, std::vector<Cell> headings);
  Table& row(const std::vector<Cell>& cells, const char* cls = "");
  bool empty() const { return rows_ == 0; }
  Html html() const;

 private:
  std::string code_;
  int rows_ = 0;
};

/// Two columns, name and value.
class Facts {
 public:
  void add(std::string_view name, std::string_view value);
  void add(std::string_view name, const Html& value);
  bool empty() const { return code_.empty(); }
  Html html() const;

 private:
  std::string code_;
};

}  // namespace cardiotwin::report
