#pragma once
/// A cursor over the text of a file that believes nothing: every number is checked, every count held against the bytes
/// that are left.

#include <fmt/format.h>

#include <algorithm>
#include <cardiotwin/error.hpp>
#include <charconv>
#include <concepts>
#include <string>
#include <string_view>

namespace cardiotwin::exchange {

class Text {
 public:
  /// From `comment` to the end of a line is passed over; 0: the format has no comments.
  explicit Text(std::string_view bytes, char comment = 0) : bytes_(bytes), comment_(comment) {}

  std::size_t left() const { return bytes_.size() - at_; }
  std::size_t position() const { return at_; }
  /// Passes over blanks, line ends and comments.
  bool at_end() {
    skip(true);
    return at_ == bytes_.size();
  }
  /// True if nothing but blanks and comments is left on this line.
  bool line_ends() {
    skip(false);
    return at_ == bytes_.size() || bytes_[at_] == '\n';
  }
  /// The next word, on whatever line it is; empty at the end.
  std::string_view word() {
    skip(true);
    const auto from = at_;
    while (at_ < bytes_.size() && !is_blank(bytes_[at_]) && bytes_[at_] != '\n') ++at_;
    return bytes_.substr(from, at_ - from);
  }
  /// What is left of this line, without its end; the cursor goes to the next.
  std::string_view line() {
    const auto end = std::min(bytes_.find('\n', at_), bytes_.size());
    auto text = bytes_.substr(at_, end - at_);
    at_ = std::min(end + 1, bytes_.size());
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    return text;
  }
  /// The next byte; 0 at the end.
  char peek() const { return at_ < bytes_.size() ? bytes_[at_] : '\0'; }
  /// Goes behind the next occurrence of `mark`; false where there is none.
  bool skip_past(std::string_view mark) {
    const auto found = bytes_.find(mark, at_);
    if (found == std::string_view::npos) return false;
    at_ = found + mark.size();
    return true;
  }
  /// The next `length` bytes as they are.
  std::string_view raw(std::size_t length, std::string_view what) {
    if (length > left()) fail(fmt::format("{} bytes of {} are announced, but {} are left", length, what, left()));
    const auto bytes = bytes_.substr(at_, length);
    at_ += length;
    return bytes;
  }
  template <class T>
  T number(std::string_view what) {
    skip(true);
    if (at_ < bytes_.size() && bytes_[at_] == '+') ++at_;
    const char *first = bytes_.data() + at_, *last = bytes_.data() + bytes_.size();
    T value{};
    const auto [end, error] = std::from_chars(first, last, value);
    if (error != std::errc() || (end != last && !is_blank(*end) && *end != '\n' && *end != comment_)) {
      if (first == last) fail(fmt::format("the file ends where {} should be", what));
      const auto shown = word().substr(0, 20);
      fail(fmt::format("{} should be {}, not \"{}\"", what, std::integral<T> ? "a whole number" : "a number", shown));
    }
    at_ = static_cast<std::size_t>(end - bytes_.data());
    return value;
  }
  /// A count of things that take at least `least` bytes each; refused where the file is too short to hold them.
  std::size_t count(std::string_view what, std::size_t least) {
    const auto value = number<std::int64_t>(fmt::format("the number of {}", what));
    if (value < 0 || static_cast<std::size_t>(value) > left() / least + 1)
      fail(fmt::format("{} {} are announced, but only {} bytes are left", value, what, left()));
    return static_cast<std::size_t>(value);
  }
  [[noreturn]] void fail(const std::string& what) const {
    const auto lines = std::count(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(at_), '\n');
    throw InputError(fmt::format("line {}: {}", lines + 1, what));
  }

  static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f' || c == '\0'; }

 private:
  void skip(bool over_lines) {
    for (; at_ < bytes_.size(); ++at_) {
      const char c = bytes_[at_];
      if (comment_ && c == comment_) {
        at_ = std::min(bytes_.find('\n', at_), bytes_.size());
        if (at_ == bytes_.size()) return;
      }
      if (bytes_[at_] == '\n' ? !over_lines : !is_blank(bytes_[at_])) return;
    }
  }

  std::string_view bytes_;
  std::size_t at_ = 0;
  char comment_;
};

}  // namespace cardiotwin::exchange
