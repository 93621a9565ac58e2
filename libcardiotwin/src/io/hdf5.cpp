#include "hdf5.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cardiotwin/error.hpp>
#include <cerrno>
#include <system_error>

namespace cardiotwin::hdf5 {
namespace {

void require(herr_t status, std::string_view what, const char* name) {
  if (status < 0) throw FileError(fmt::format("HDF5: {} \"{}\" failed", what, name));
}

Handle properties(hid_t list_class) { return {H5Pcreate(list_class), H5Pclose, "HDF5: making a property list"}; }

// What is written has a temporary name, what is read does not change: no lock is needed, and network disks often have
// none.
Handle unlocked() {
  auto access = properties(H5P_FILE_ACCESS);
  require(H5Pset_file_locking(access, false, true), "unlocking", "file");
  return access;
}

Handle untimed() {
  auto creation = properties(H5P_FILE_CREATE);
  require(H5Pset_obj_track_times(creation, false), "disabling times of", "file");
  return creation;
}

// Of a file on disk: the default driver gives the address of it.
int descriptor(hid_t file) {
  void* handle = nullptr;
  require(H5Fget_vfd_handle(file, H5P_DEFAULT, &handle), "looking into", "file");
  return *static_cast<int*>(handle);
}

Handle text_type(std::size_t size) {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "HDF5: making a text type");
  require(H5Tset_size(type, std::max<std::size_t>(size, 1)), "sizing", "text");
  require(H5Tset_strpad(type, H5T_STR_NULLPAD), "padding", "text");
  return type;
}

void require_one_text(hid_t type, hid_t space, const char* name) {
  if (H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) || H5Sget_simple_extent_npoints(space) != 1) {
    throw FileError(fmt::format("\"{}\" is not a text", name));
  }
}

Handle open_dataset(hid_t parent, const char* path) {
  if (!exists(parent, path)) throw FileError(fmt::format("it holds no \"{}\"", path));
  return {H5Dopen2(parent, path, H5P_DEFAULT), H5Dclose, "HDF5: opening a dataset"};
}

}  // namespace

Handle::Handle(hid_t id, Close how, const char* what) : id_(id), close_(how) {
  if (id < 0) throw FileError(fmt::format("{} failed", what));
}

void Handle::close() {
  if (id_ < 0) return;
  if (close_(std::exchange(id_, -1)) < 0) throw FileError("HDF5: writing out a file failed");
}

Handle create_file(const std::filesystem::path& path) {
  const auto creation = untimed(), access = unlocked();
  return {H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation, access), H5Fclose, "HDF5: creating a file"};
}

Handle create_in_memory(hsize_t userblock) {
  constexpr std::size_t increment = 16 << 20;
  const auto creation = untimed(), access = properties(H5P_FILE_ACCESS);
  require(H5Pset_userblock(creation, userblock), "reserving the header of", "file");
  require(H5Pset_fapl_core(access, increment, false), "placing in memory the", "file");
  return {H5Fcreate("memory", H5F_ACC_TRUNC, creation, access), H5Fclose, "HDF5: creating a file in memory"};
}

std::span<std::byte> image(hid_t file) {
  require(H5Fflush(file, H5F_SCOPE_GLOBAL), "writing out", "file");
  void* handle = nullptr;  // the memory driver gives the address of its pointer
  require(H5Fget_vfd_handle(file, H5P_DEFAULT, &handle), "looking into", "file");
  // Neither counts the user block nor the memory kept for growing.
  const auto size = H5Fget_file_image(file, nullptr, 0);
  if (size < 0) throw FileError("HDF5: measuring a file in memory failed");
  hsize_t userblock = 0;
  const Handle creation(H5Fget_create_plist(file), H5Pclose, "HDF5: reading a property list");
  require(H5Pget_userblock(creation, &userblock), "reading the header size of", "file");
  return {*static_cast<std::byte**>(handle), static_cast<std::size_t>(size) + userblock};
}

void reserve(hid_t file, std::size_t bytes) {
  constexpr std::size_t bookkeeping = 1 << 20;  // HDF5's own indices
  hsize_t size = 0;
  require(H5Fget_filesize(file, &size), "measuring", "file");
  const int error =
      ::posix_fallocate(descriptor(file), static_cast<off_t>(size), static_cast<off_t>(bytes + bookkeeping));
  if (error != 0) throw FileError(std::generic_category().message(error));
}

void flush(hid_t file) {
  hsize_t size = 0;
  require(H5Fflush(file, H5F_SCOPE_GLOBAL), "writing out", "file");
  require(H5Fget_filesize(file, &size), "measuring", "file");
  if (::ftruncate(descriptor(file), static_cast<off_t>(size)) != 0)
    throw FileError(std::generic_category().message(errno));
}

void abandon(hid_t file) {
  if (file < 0) return;
  const int sink = ::memfd_create("abandoned", MFD_CLOEXEC);
  if (sink < 0) return;
  ::dup2(sink, descriptor(file));
  ::close(sink);
}

Handle open_file(const std::filesystem::path& path, bool writable) {
  const auto access = unlocked();
  return {H5Fopen(path.c_str(), writable ? H5F_ACC_RDWR : H5F_ACC_RDONLY, access), H5Fclose, "HDF5: opening a file"};
}

Handle create_group(hid_t parent, const char* path) {
  const auto link = properties(H5P_LINK_CREATE), creation = properties(H5P_GROUP_CREATE);
  require(H5Pset_create_intermediate_group(link, 1), "making", path);
  require(H5Pset_obj_track_times(creation, false), "disabling times of", path);
  return {H5Gcreate2(parent, path, link, creation, H5P_DEFAULT), H5Gclose, "HDF5: creating a group"};
}

bool exists(hid_t parent, const char* path) {
  const std::string text = path;
  for (auto slash = text.find('/', 1);; slash = text.find('/', slash + 1)) {
    if (H5Lexists(parent, text.substr(0, slash).c_str(), H5P_DEFAULT) <= 0) return false;
    if (slash == std::string::npos) return true;
  }
}

void write_raw(hid_t parent, const char* path, hid_t type, hid_t stored, std::span<const hsize_t> shape,
               const void* data) {
  const Handle space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), H5Sclose,
                     "HDF5: making a shape");
  const auto creation = properties(H5P_DATASET_CREATE);
  require(H5Pset_obj_track_times(creation, false), "disabling times of", path);
  Handle set(H5Dcreate2(parent, path, stored, space, H5P_DEFAULT, creation, H5P_DEFAULT), H5Dclose,
             "HDF5: creating a dataset");
  if (shape[0] > 0) require(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), "writing", path);
  set.close();
}

void write_text(hid_t parent, const char* path, const std::string& text) {
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose, "HDF5: making a shape");
  const auto type = text_type(text.size());
  const auto creation = properties(H5P_DATASET_CREATE);
  require(H5Pset_obj_track_times(creation, false), "disabling times of", path);
  Handle set(H5Dcreate2(parent, path, type, space, H5P_DEFAULT, creation, H5P_DEFAULT), H5Dclose,
             "HDF5: creating a text");
  require(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text.data()), "writing", path);
  set.close();
}

void write_attribute(hid_t object, const char* name, const std::string& text) {
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose, "HDF5: making a shape");
  const auto type = text_type(text.size());
  const Handle attribute(H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
                         "HDF5: creating an attribute");
  require(H5Awrite(attribute, type, text.data()), "writing", name);
}

void write_attribute(hid_t object, const char* name, std::span<const std::int64_t> values) {
  const hsize_t size = values.size();
  const Handle space(size == 1 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &size, nullptr), H5Sclose,
                     "HDF5: making a shape");
  const Handle attribute(H5Acreate2(object, name, H5T_NATIVE_INT64, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
                         "HDF5: creating an attribute");
  require(H5Awrite(attribute, H5T_NATIVE_INT64, values.data()), "writing", name);
}

Handle create_growing(hid_t parent, const char* path, hid_t type, hsize_t chunk) {
  const hsize_t none = 0, unlimited = H5S_UNLIMITED;
  const Handle space(H5Screate_simple(1, &none, &unlimited), H5Sclose, "HDF5: making a shape");
  const auto creation = properties(H5P_DATASET_CREATE);
  require(H5Pset_obj_track_times(creation, false), "disabling times of", path);
  require(H5Pset_chunk(creation, 1, &chunk), "chunking", path);
  return {H5Dcreate2(parent, path, type, space, H5P_DEFAULT, creation, H5P_DEFAULT), H5Dclose,
          "HDF5: creating a dataset"};
}

void append(hid_t list, hsize_t size, std::span<const float> values) {
  const hsize_t added = values.size(), total = size + added;
  require(H5Dset_extent(list, &total), "growing", "list");
  const Handle all(H5Dget_space(list), H5Sclose, "HDF5: reading a shape");
  require(H5Sselect_hyperslab(all, H5S_SELECT_SET, &size, nullptr, &added, nullptr), "selecting in", "list");
  const Handle part(H5Screate_simple(1, &added, nullptr), H5Sclose, "HDF5: making a shape");
  require(H5Dwrite(list, H5T_NATIVE_FLOAT, part, all, H5P_DEFAULT, values.data()), "writing", "list");
}

void truncate(hid_t list) {
  const hsize_t none = 0;
  require(H5Dset_extent(list, &none), "emptying", "list");
}

std::size_t count(hid_t parent, const char* path, hsize_t columns) {
  const auto set = open_dataset(parent, path);
  const Handle space(H5Dget_space(set), H5Sclose, "HDF5: reading a shape");
  hsize_t shape[2] = {0, 0};
  const int rank = H5Sget_simple_extent_ndims(space);
  if (rank != (columns ? 2 : 1)) throw FileError(fmt::format("\"{}\" has rank {}", path, rank));
  require(H5Sget_simple_extent_dims(space, shape, nullptr), "reading the shape of", path);
  if (columns && shape[1] != columns)
    throw FileError(fmt::format("\"{}\" has {} columns, not {}", path, shape[1], columns));
  return columns ? shape[0] * columns : shape[0];
}

void read_raw(hid_t parent, const char* path, hid_t type, void* data) {
  const auto set = open_dataset(parent, path);
  require(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), "reading", path);
}

std::string read_text(hid_t parent, const char* path) {
  const auto set = open_dataset(parent, path);
  const Handle type(H5Dget_type(set), H5Tclose, "HDF5: reading a type");
  const Handle space(H5Dget_space(set), H5Sclose, "HDF5: reading a shape");
  require_one_text(type, space, path);
  std::string text(H5Tget_size(type), '\0');
  require(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text.data()), "reading", path);
  while (!text.empty() && text.back() == '\0') text.pop_back();
  return text;
}

std::string read_text_attribute(hid_t object, const char* name) {
  const Handle attribute(H5Aopen(object, name, H5P_DEFAULT), H5Aclose, "HDF5: opening an attribute");
  const Handle type(H5Aget_type(attribute), H5Tclose, "HDF5: reading a type");
  const Handle space(H5Aget_space(attribute), H5Sclose, "HDF5: reading a shape");
  require_one_text(type, space, name);
  std::string text(H5Tget_size(type), '\0');
  require(H5Aread(attribute, type, text.data()), "reading", name);
  while (!text.empty() && text.back() == '\0') text.pop_back();
  return text;
}

std::int64_t read_integer_attribute(hid_t object, const char* name) {
  const Handle attribute(H5Aopen(object, name, H5P_DEFAULT), H5Aclose, "HDF5: opening an attribute");
  const Handle space(H5Aget_space(attribute), H5Sclose, "HDF5: reading a shape");
  if (H5Sget_simple_extent_npoints(space) != 1) throw FileError(fmt::format("\"{}\" is not one number", name));
  std::int64_t value = 0;
  require(H5Aread(attribute, H5T_NATIVE_INT64, &value), "reading", name);
  return value;
}

}  // namespace cardiotwin::hdf5
