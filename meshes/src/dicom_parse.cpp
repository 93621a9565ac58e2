#include <algorithm>
#include <array>
#include <fstream>

#include "dicom.hpp"

// The structure of DICOM files (PS3.5, section 7): elements of tag, type and length, nested in items of sequences.
// Parsed here because GDCM, as Debian builds it, ends the program where a damaged file fails one of its assertions.

namespace cardiotwin::meshes::dicom {
namespace {

constexpr std::uint32_t undefined = 0xffffffff, item_begin = 0xfffee000, item_end = 0xfffee00d,
                        sequence_end = 0xfffee0dd;

// All that is kept; the rest, and with it most that identifies a patient, is passed over.
bool is_wanted(std::uint32_t tag) {
  for (const auto wanted :
       {tag::image_type,  tag::accession,     tag::description,    tag::patient_name,      tag::patient_id,
        tag::birth_date,  tag::thickness,     tag::series_uid,     tag::series_number,     tag::position,
        tag::orientation, tag::samples,       tag::photometric,    tag::frame_count,       tag::rows,
        tag::columns,     tag::pixel_spacing, tag::bits,           tag::stored_bits,       tag::is_signed,
        tag::intercept,   tag::slope,         tag::position_group, tag::orientation_group, tag::measures_group,
        tag::scale_group, tag::shared_groups, tag::frame_groups}) {
    if (wanted == tag) return true;
  }
  return false;
}

bool is_sequence(std::uint32_t tag) {
  return tag == tag::position_group || tag == tag::orientation_group || tag == tag::measures_group ||
         tag == tag::scale_group || tag == tag::shared_groups || tag == tag::frame_groups;
}

class Parser {
 public:
  explicit Parser(const std::filesystem::path& path) : in_(path, std::ios::binary) {
    std::error_code error;
    end_ = std::filesystem::file_size(path, error);
    if (error) end_ = 0;
  }

  Content run() {
    std::string head(132, '\0');
    const bool preamble = bytes(head.data(), 132) && head.compare(128, 4, "DICM") == 0;
    go(preamble ? 132 : 0);
    if (!meta()) return {};
    auto& syntax = content_.syntax;
    syntax = trimmed(syntax);
    if (syntax.empty()) syntax = looks_explicit() ? explicit_little : implicit_little;
    if (syntax == "1.2.840.10008.1.2.1.99") return std::move(content_);  // deflated
    explicit_ = syntax != implicit_little;
    content_.big_endian = big_ = syntax == explicit_big;
    content_.whole = elements(content_.data, end_, 0, false);
    return std::move(content_);
  }

 private:
  struct Header {
    std::uint32_t tag = 0, length = 0;
    std::array<char, 2> type{};
    bool is(const char* name) const { return type[0] == name[0] && type[1] == name[1]; }
  };

  bool bytes(char* to, std::size_t n) {
    in_.read(to, std::streamsize(n));
    at_ += std::uint64_t(in_.gcount());
    return std::size_t(in_.gcount()) == n;
  }
  bool u16(std::uint32_t& value) {
    std::array<char, 2> b{};
    if (!bytes(b.data(), 2)) return false;
    const auto first = static_cast<unsigned char>(b[0]), second = static_cast<unsigned char>(b[1]);
    value = big_ ? std::uint32_t(first << 8 | second) : std::uint32_t(second << 8 | first);
    return true;
  }
  bool u32(std::uint32_t& value) {
    std::uint32_t a = 0, b = 0;
    if (!u16(a) || !u16(b)) return false;
    value = big_ ? a << 16 | b : b << 16 | a;
    return true;
  }
  bool tag(std::uint32_t& value) {
    std::uint32_t group = 0, element = 0;
    if (!u16(group) || !u16(element)) return false;
    value = group << 16 | element;
    return true;
  }
  void go(std::uint64_t to) {
    in_.clear();
    if (to >= at_ && to - at_ < 4096) {
      in_.ignore(std::streamsize(to - at_));
    } else {
      in_.seekg(std::streamoff(to));
    }
    at_ = to;
  }
  bool looks_explicit() {
    const auto before = at_;
    std::array<char, 6> head{};
    const bool there = bytes(head.data(), 6);
    in_.clear(), in_.seekg(std::streamoff(before)), at_ = before;
    return there && std::isupper(static_cast<unsigned char>(head[4])) &&
           std::isupper(static_cast<unsigned char>(head[5]));
  }

  // The file's own group, always explicit and little-endian.
  bool meta() {
    explicit_ = true;
    for (;;) {
      const auto before = at_;
      Header e;
      std::uint32_t group = 0;
      const bool more = u16(group);
      in_.clear(), in_.seekg(std::streamoff(before)), at_ = before;
      if (!more || group != 2) return true;
      if (!header(e) || e.length > end_ - at_) return false;
      const auto next = at_ + e.length;
      if (e.tag == 0x00020010 && !value(e, content_.syntax)) return false;
      go(next);
    }
  }
  // Text is padded to even length.
  static std::string trimmed(std::string text) {
    text.erase(text.find_last_not_of(std::string(" \0", 2)) + 1);
    return text;
  }

  bool header(Header& e) {
    if (!tag(e.tag)) return false;
    if (e.tag >> 16 == 0xfffe || !explicit_) return u32(e.length);
    if (!bytes(e.type.data(), 2)) return false;
    for (const char c : e.type) {
      if (!std::isupper(static_cast<unsigned char>(c))) return false;
    }
    for (const char* name : {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"}) {
      std::uint32_t reserved = 0;
      if (e.is(name)) return u16(reserved) && u32(e.length);
    }
    return u16(e.length);
  }

  bool value(const Header& e, std::string& to) {
    if (e.length > 1 << 16) return false;
    to.resize(e.length);
    if (!bytes(to.data(), e.length)) return false;
    return true;
  }

  // Elements up to `limit`, or to the end mark of an item of unknown length.
  bool elements(Item& to, std::uint64_t limit, int depth, bool until_mark) {
    if (depth > 16) return false;
    while (at_ < limit) {
      Header e;
      if (!header(e)) return false;
      if (e.tag == item_end) return until_mark && e.length == 0;
      if (e.tag >> 16 == 0xfffe) return false;
      Element own;
      if (e.tag == tag::pixels && depth == 0) {
        if (!pixels(e)) return false;
        continue;
      }
      if (e.length == undefined) {
        const bool was = explicit_;
        if (e.is("UN")) explicit_ = false;
        if (!items(own, limit, depth, true)) return false;
        explicit_ = was;
      } else {
        if (e.length > limit - at_) return false;
        const auto next = at_ + e.length;
        if (is_sequence(e.tag) && !items(own, next, depth, false)) return false;
        if (!is_sequence(e.tag) && is_wanted(e.tag) && !value(e, own.value)) return false;
        go(next);
      }
      if (is_wanted(e.tag)) to[e.tag] = std::move(own);
    }
    return at_ == limit && !until_mark;
  }

  bool items(Element& to, std::uint64_t limit, int depth, bool until_mark) {
    while (at_ < limit) {
      Header e;
      if (!tag(e.tag) || !u32(e.length)) return false;
      if (e.tag == sequence_end) return until_mark;
      if (e.tag != item_begin) return false;
      const bool open = e.length == undefined;
      if (!open && e.length > limit - at_) return false;
      Item own;
      if (!elements(own, open ? limit : at_ + e.length, depth + 1, open)) return false;
      to.items.push_back(std::move(own));
    }
    return at_ == limit && !until_mark;
  }

  // One stretch of the file, or compressed in fragments of which the first is a table.
  bool pixels(const Header& e) {
    if (e.length != undefined) {
      if (e.length > end_ - at_) return false;
      content_.pixels = {{at_, e.length}};
      go(at_ + e.length);
      return true;
    }
    for (bool first = true; at_ < end_; first = false) {
      Header part;
      if (!tag(part.tag) || !u32(part.length)) return false;
      if (part.tag == sequence_end) return true;
      if (part.tag != item_begin || part.length > end_ - at_) return false;
      if (!first) content_.pixels.push_back({at_, part.length});
      go(at_ + part.length);
    }
    return false;
  }

  std::ifstream in_;
  std::uint64_t at_ = 0, end_ = 0;
  bool explicit_ = true, big_ = false;
  Content content_;
};

}  // namespace

bool begins_dicom(const std::string& head) {
  if (head.size() >= 132 && head.compare(128, 4, "DICM") == 0) return true;
  // Older files lack the preamble and begin with an element of the identifying groups.
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(head[i]); };
  if (head.size() < 132 || (byte(0) != 2 && byte(0) != 8) || byte(1) != 0 || byte(2) > 0x20 || byte(3) != 0)
    return false;
  return (std::isupper(byte(4)) && std::isupper(byte(5))) ||
         (byte(5) == 0 && byte(6) == 0 && byte(7) == 0 && byte(4) > 0);
}

Content parse(const std::filesystem::path& path) { return Parser(path).run(); }

}  // namespace cardiotwin::meshes::dicom
