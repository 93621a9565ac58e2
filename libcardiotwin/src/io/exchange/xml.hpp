#pragma once
/// As much XML as VTK's files need: tags with attributes, and the text between. No entities beyond the predefined ones,
/// no nesting kept: the caller knows which tags it waits for.

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cardiotwin::exchange {

struct XmlTag {
  std::string_view name;  ///< empty at the end of the file
  bool closing = false, empty = false;
  std::vector<std::pair<std::string_view, std::string_view>> attributes;

  std::string text(std::string_view key) const {
    for (const auto& [name_, value] : attributes)
      if (name_ == key) return plain(value);
    return {};
  }
  std::size_t count(std::string_view key, std::size_t otherwise) const {
    const auto value = text(key);
    const auto digits = value.substr(std::min(value.find_first_not_of(" \t\r\n"), value.size()));
    std::size_t number = otherwise;
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return number;
  }

 private:
  static std::string plain(std::string_view value) {
    constexpr std::pair<std::string_view, char> entities[] = {
        {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}, {"&amp;", '&'}};
    std::string out;
    for (std::size_t at = 0; at < value.size();) {
      const auto rest = value.substr(at);
      const auto* found = std::find_if(std::begin(entities), std::end(entities),
                                       [&](const auto& entity) { return rest.starts_with(entity.first); });
      out += found == std::end(entities) ? rest.front() : found->second;
      at += found == std::end(entities) ? 1 : found->first.size();
    }
    return out;
  }
};

class Xml {
 public:
  explicit Xml(std::string_view bytes) : bytes_(bytes) {}
  void end_at(std::size_t position) { bytes_ = bytes_.substr(0, position); }

  /// The next tag; comments and declarations are passed over.
  XmlTag next() {
    while (true) {
      at_ = std::min(bytes_.find('<', at_), bytes_.size());
      if (at_ == bytes_.size()) return {};
      const bool comment = bytes_.substr(at_).starts_with("<!--");
      if (!comment && at_ + 1 < bytes_.size() && bytes_[at_ + 1] != '?' && bytes_[at_ + 1] != '!') return tag();
      const std::string_view close = comment ? "-->" : ">";
      const auto end = bytes_.find(close, at_);
      at_ = end == std::string_view::npos ? bytes_.size() : end + close.size();
    }
  }
  /// The text of the element just opened, up to and past its closing tag; that of elements within it is left out.
  std::string_view content() {
    std::string_view text;
    for (int depth = 1; depth > 0;) {
      const auto end = std::min(bytes_.find('<', at_), bytes_.size());
      const auto piece = bytes_.substr(at_, end - at_);
      if (depth == 1 && piece.find_first_not_of(" \t\r\n") != std::string_view::npos && piece.size() > text.size())
        text = piece;
      const auto inner = next();
      if (inner.name.empty()) return text;
      if (!inner.empty) depth += inner.closing ? -1 : 1;
    }
    return text;
  }

 private:
  XmlTag tag() {
    XmlTag tag;
    ++at_;
    if (peek() == '/') tag.closing = true, ++at_;
    tag.name = word("/> \t\r\n");
    while (at_ < bytes_.size()) {
      at_ = std::min(bytes_.find_first_not_of(" \t\r\n", at_), bytes_.size());
      if (peek() == '>') break;
      if (peek() == '/') {
        tag.empty = true, ++at_;
        continue;
      }
      const auto key = word("=/> \t\r\n");
      if (peek() != '=') {
        if (key.empty()) at_ = std::min(at_ + 1, bytes_.size());
        continue;
      }
      ++at_;
      const char quote = peek();
      if (quote != '"' && quote != '\'') continue;
      ++at_;
      const auto end = std::min(bytes_.find(quote, at_), bytes_.size());
      tag.attributes.emplace_back(key, bytes_.substr(at_, end - at_));
      at_ = std::min(end + 1, bytes_.size());
    }
    if (at_ < bytes_.size()) ++at_;
    if (tag.name.empty()) tag.name = "?";
    return tag;
  }
  char peek() const { return at_ < bytes_.size() ? bytes_[at_] : '\0'; }
  std::string_view word(std::string_view ends) {
    const auto end = std::min(bytes_.find_first_of(ends, at_), bytes_.size());
    const auto text = bytes_.substr(at_, end - at_);
    at_ = end;
    return text;
  }

  std::string_view bytes_;
  std::size_t at_ = 0;
};

}  // namespace cardiotwin::exchange
