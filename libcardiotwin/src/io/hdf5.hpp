#pragma once
/// HDF5 for this room: handles that close themselves, errors as FileError, nothing printed, same data gives same bytes.

#include <hdf5.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace cardiotwin::hdf5 {

/// Keeps the HDF5 library from printing its error stack while this lives.
class Quiet {
 public:
  Quiet() { H5Eget_auto2(H5E_DEFAULT, &report_, &data_), H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }
  ~Quiet() { H5Eset_auto2(H5E_DEFAULT, report_, data_); }
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;

 private:
  H5E_auto2_t report_ = nullptr;
  void* data_ = nullptr;
};

/// Owns one HDF5 identifier.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle() = default;
  /// Throws FileError("`what` failed") where `id` is negative.
  Handle(hid_t id, Close how, const char* what);
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_), std::swap(close_, other.close_);
    return *this;
  }
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  /// Closes now; throws FileError if that fails (a full disk often shows only here).
  void close();
  operator hid_t() const { return id_; }

 private:
  hid_t id_ = -1;
  Close close_ = nullptr;
};

template <class T>
hid_t native_type();
template <>
inline hid_t native_type<double>() {
  return H5T_NATIVE_DOUBLE;
}
template <>
inline hid_t native_type<float>() {
  return H5T_NATIVE_FLOAT;
}
template <>
inline hid_t native_type<std::int32_t>() {
  return H5T_NATIVE_INT32;
}
template <>
inline hid_t native_type<std::int64_t>() {
  return H5T_NATIVE_INT64;
}
template <>
inline hid_t native_type<std::uint8_t>() {
  return H5T_NATIVE_UINT8;
}

/// A new file without time stamps.
Handle create_file(const std::filesystem::path&);
Handle open_file(const std::filesystem::path&, bool writable = false);
/// A new file that lives in memory, behind a user block of `userblock` bytes. HDF5 keeps a file open for ever once the
/// disk was full, so what can be held in memory is built there and written by ourselves.
Handle create_in_memory(hsize_t userblock);
/// The bytes of a file in memory, user block included; valid until it is closed or changed.
std::span<std::byte> image(hid_t file);
/// Takes disk space for the next `bytes` of a file on disk; throws FileError where there is none, before HDF5 has met
/// the full disk.
void reserve(hid_t file, std::size_t bytes);
/// Writes out what HDF5 still holds and gives back space reserved but not used; throws FileError.
void flush(hid_t file);
/// Cuts a file off its disk, so that closing it cannot fail.
void abandon(hid_t file);
/// A group, links in creation order of names, without time stamps; missing parents are made.
Handle create_group(hid_t parent, const char* path);
bool exists(hid_t parent, const char* path);

/// `type` is that of `data`, `stored` that in the file.
void write_raw(hid_t parent, const char* path, hid_t type, hid_t stored, std::span<const hsize_t> shape,
               const void* data);
void write_text(hid_t parent, const char* path, const std::string& text);
void write_attribute(hid_t object, const char* name, const std::string& text);  ///< fixed-length ASCII, as VTKHDF asks
void write_attribute(hid_t object, const char* name, std::span<const std::int64_t> values);

/// An empty list that grows, stored in chunks of `chunk` values.
Handle create_growing(hid_t parent, const char* path, hid_t type, hsize_t chunk);
/// Appends to a growing list that now has `size` values.
void append(hid_t list, hsize_t size, std::span<const float> values);
/// Empties a growing list.
void truncate(hid_t list);

/// `columns` = 0 writes a list, otherwise a table of rows of so many values.
template <class T>
void write(hid_t parent, const char* path, std::span<const T> values, hsize_t columns = 0) {
  const hsize_t shape[2] = {columns ? values.size() / columns : values.size(), columns};
  write_raw(parent, path, native_type<T>(), native_type<T>(), {shape, columns ? 2u : 1u}, values.data());
}

/// Number of values in a dataset after checking its rank (1, or 2 with `columns`); throws FileError.
std::size_t count(hid_t parent, const char* path, hsize_t columns);
void read_raw(hid_t parent, const char* path, hid_t type, void* data);
std::string read_text(hid_t parent, const char* path);
std::string read_text_attribute(hid_t object, const char* name);
std::int64_t read_integer_attribute(hid_t object, const char* name);

template <class T>
std::vector<T> read(hid_t parent, const char* path, hsize_t columns = 0) {
  std::vector<T> values(count(parent, path, columns));
  if (!values.empty()) read_raw(parent, path, native_type<T>(), values.data());
  return values;
}

}  // namespace cardiotwin::hdf5
