#include <algorithm>
#include <array>
#include <fstream>

#include "dicom.hpp"

// The structure of DICOM files (PS3.5, section 7): elements of tag, type and length, nested in items of sequences.

namespace cardiotwin::meshes::dicom {
namespace {

constexpr std::uint32_t undefined = 0xffffffff, item = 0xfffee000, item_end = 0xfffee00d, sequence_end = 0xfffee0dd,
                        pixels = 0x7fe00010, transfer_syntax = 0x00020010;

class Walker {
 public:
  explicit Walker(const std::filesystem::path& path) : in_(path, std::ios::binary) {
    std::error_code error;
    end_ = std::filesystem::file_size(path, error);
    if (error) end_ = 0;
  }

  Walk run() {
    std::string head(132, '\0');
    in_.read(head.data(), 132);
    if (in_.gcount() == 132 && head.compare(128, 4, "DICM") == 0) {
      at_ = 132;
    } else {
      in_.clear(), in_.seekg(0);
    }
    Walk result;
    if (!meta()) return result;
    result.deflated = syntax_ == "1.2.840.10008.1.2.1.99";
    result.raw = syntax_.empty() || syntax_ == "1.2.840.10008.1.2" || syntax_ == "1.2.840.10008.1.2.1" ||
                 syntax_ == "1.2.840.10008.1.2.2";
    explicit_ = syntax_ != "1.2.840.10008.1.2" && !syntax_.empty();
    if (syntax_.empty()) explicit_ = looks_explicit();
    big_ = syntax_ == "1.2.840.10008.1.2.2";
    result.whole = !result.deflated && elements(end_, 0, false);
    result.pixel_bytes = pixel_bytes_;
    return result;
  }

 private:
  struct Element {
    std::uint32_t tag = 0, length = 0;
    std::array<char, 2> type{};
    bool is(const char* name) const { return type[0] == name[0] && type[1] == name[1]; }
  };

  bool bytes(unsigned char* to, std::size_t n) {
    in_.read(reinterpret_cast<char*>(to), std::streamsize(n));
    at_ += std::uint64_t(in_.gcount());
    return std::size_t(in_.gcount()) == n;
  }
  bool u16(std::uint32_t& value) {
    std::array<unsigned char, 2> b{};
    if (!bytes(b.data(), 2)) return false;
    value = big_ ? b[0] << 8 | b[1] : b[1] << 8 | b[0];
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
    if (to - at_ < 4096) {
      in_.ignore(std::streamsize(to - at_));
    } else {
      in_.seekg(std::streamoff(to));
    }
    at_ = to;
  }
  bool looks_explicit() {
    std::array<char, 6> head{};
    in_.read(head.data(), 6);
    in_.clear(), in_.seekg(std::streamoff(at_));
    return std::isupper(head[4]) && std::isupper(head[5]);
  }

  // The file's own group, always explicit and little-endian.
  bool meta() {
    explicit_ = true;
    for (;;) {
      std::array<unsigned char, 2> group{};
      const auto before = at_;
      const bool more = bytes(group.data(), 2);
      in_.clear(), in_.seekg(std::streamoff(before)), at_ = before;
      if (!more || group[0] != 2 || group[1] != 0) return true;
      Element e;
      if (!header(e) || e.length > end_ - at_) return false;
      if (e.tag != transfer_syntax || e.length > 128) {
        go(at_ + e.length);
        continue;
      }
      syntax_.resize(e.length);
      if (!bytes(reinterpret_cast<unsigned char*>(syntax_.data()), e.length)) return false;
      syntax_.erase(std::min(syntax_.find_last_not_of(std::string(" \0", 2)) + 1, syntax_.size()));
    }
  }

  bool header(Element& e) {
    if (!tag(e.tag)) return false;
    if (e.tag >> 16 == 0xfffe || !explicit_) return u32(e.length);
    std::array<unsigned char, 2> type{};
    if (!bytes(type.data(), 2) || !std::isupper(type[0]) || !std::isupper(type[1])) return false;
    e.type = {char(type[0]), char(type[1])};
    for (const char* name : {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"}) {
      std::uint32_t reserved = 0;
      if (e.is(name)) return u16(reserved) && u32(e.length);
    }
    return u16(e.length);
  }

  // Elements up to `limit`, or to the end mark of an item of unknown length.
  bool elements(std::uint64_t limit, int depth, bool until_mark) {
    if (depth > 16) return false;
    while (at_ < limit) {
      Element e;
      if (!header(e)) return false;
      if (e.tag == item_end) return until_mark && e.length == 0;
      if (e.tag >> 16 == 0xfffe) return false;
      if (e.length == undefined) {
        const bool fragments = e.tag == pixels;
        const bool was = explicit_;
        if (e.is("UN")) explicit_ = false;
        const auto before = at_;
        if (!items(limit, depth, true, fragments)) return false;
        explicit_ = was;
        if (fragments && depth == 0) pixel_bytes_ = at_ - before;
        continue;
      }
      if (e.length > limit - at_) return false;
      const auto next = at_ + e.length;
      if (e.tag == pixels && depth == 0) pixel_bytes_ = e.length;
      if (e.is("SQ") || (!explicit_ && e.tag != pixels && begins_item(e.length))) {
        if (!items(next, depth, false, false)) return false;
      }
      go(next);
    }
    return at_ == limit && !until_mark;
  }

  bool begins_item(std::uint32_t length) {
    if (length < 8) return false;
    const auto before = at_;
    std::uint32_t first = 0;
    const bool found = tag(first) && first == item;
    in_.clear(), in_.seekg(std::streamoff(before)), at_ = before;
    return found;
  }

  bool items(std::uint64_t limit, int depth, bool until_mark, bool fragments) {
    while (at_ < limit) {
      Element e;
      if (!tag(e.tag) || !u32(e.length)) return false;
      if (e.tag == sequence_end) return until_mark;
      if (e.tag != item) return false;
      if (e.length == undefined) {
        if (fragments || !elements(limit, depth + 1, true)) return false;
        continue;
      }
      if (e.length > limit - at_) return false;
      const auto next = at_ + e.length;
      if (!fragments && !elements(next, depth + 1, false)) return false;
      go(next);
    }
    return at_ == limit && !until_mark;
  }

  std::ifstream in_;
  std::uint64_t at_ = 0, end_ = 0;
  bool explicit_ = true, big_ = false;
  std::string syntax_;
  std::size_t pixel_bytes_ = 0;
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

Walk walk(const std::filesystem::path& path) { return Walker(path).run(); }

}  // namespace cardiotwin::meshes::dicom
