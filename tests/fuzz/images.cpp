// The readers of images: any bytes are refused with an InputError or FileError, or give as many finite voxels as the
// grid has.

#include <unistd.h>

#include <cardiotwin/error.hpp>
#include <cardiotwin/meshes/image.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "readers.hpp"

namespace cardiotwin::fuzz {
namespace {

namespace fs = std::filesystem;

// A folder of this process, in memory where there is such a file system.
const fs::path& folder() {
  static const struct Folder {
    fs::path path;
    Folder() {
      std::string name = (fs::is_directory("/dev/shm") ? "/dev/shm" : fs::temp_directory_path().string());
      name += "/cardiotwin-fuzz-XXXXXX";
      if (!mkdtemp(name.data())) std::abort();
      path = name;
    }
    ~Folder() {
      std::error_code ignored;
      fs::remove_all(path, ignored);
    }
  } own;
  return own.path;
}

void write(const fs::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), std::streamsize(bytes.size()));
}

void read(const fs::path& path) {
  try {
    const auto image = meshes::read_image(path);
    if (image.values.size() != image.grid.count() || image.values.empty()) std::abort();
    for (const float value : image.values) {
      if (!std::isfinite(value)) std::abort();
    }
    if (!image.grid.direction.allFinite() || !image.grid.origin.allFinite()) std::abort();
  } catch (const InputError&) {
  } catch (const FileError&) {
  }
}

}  // namespace

bool feed_image(std::string_view reader, std::string_view bytes) {
  if (reader == "dicom") {
    // The files of a series are told by their content; those left over from the input before are overwritten.
    const auto files = split(bytes, 4);
    for (std::size_t i = 0; i < 4; ++i) {
      const auto path = folder() / std::to_string(i);
      if (i < files.size())
        write(path, files[i]);
      else
        fs::remove(path);
    }
    read(folder());
    return true;
  }
  if (reader != "nifti" && reader != "nrrd" && reader != "metaimage") return false;
  // Headers may name a file beside them: "v.raw" is the second part.
  const auto files = split(bytes, 2);
  const auto path = folder() / "image";
  write(path, files[0]);
  if (files.size() > 1)
    write(folder() / "v.raw", files[1]);
  else
    fs::remove(folder() / "v.raw");
  read(path);
  fs::remove(path), fs::remove(folder() / "v.raw");
  return true;
}

}  // namespace cardiotwin::fuzz
