#include <fmt/core.h>

#include <cardiotwin/error.hpp>
#include <cardiotwin/meshes/vector_image.hpp>
#include <cmath>
#include <memory>

#include "image_io_nifti.hpp"

namespace cardiotwin::meshes {
namespace {

bool is_nifti(const std::filesystem::path& path) {
  const auto name = path.filename().string();
  return name.ends_with(".nii") || name.ends_with(".nii.gz");
}

}  // namespace

VectorImage read_vector_image(const std::filesystem::path& path, VectorAxes axes, const Monitor& monitor) {
  const std::string name = "fibres " + path.string();
  if (!is_nifti(path))
    throw InputError(name + " is no NIfTI image of vectors; save it as NIfTI-1 (.nii.gz) with three values a voxel");
  Stream stream(path, name);
  std::vector<unsigned char> bytes;
  stream.read(bytes, nifti::header_bytes);
  const nifti::Header header = nifti::parse(bytes, name, 3);
  VectorImage image;
  image.grid = nifti::grid_of(header, name, path.filename().string(), monitor);
  stream.read(bytes, header.data_offset - bytes.size());
  // The components follow one another as whole volumes: to the reader of voxels, a stack three times as high.
  Grid stack = image.grid;
  stack.size[2] *= 3;
  const std::size_t count = image.grid.count();
  std::size_t at = 0;
  const Sink sink{.begin = [&](const Grid&) { image.values.assign(count, Vec3::Zero()); },
                  .take =
                      [&](std::span<const double> values) {
                        for (const double value : values) {
                          image.values[at % count][static_cast<Eigen::Index>(at / count)] = value;
                          ++at;
                        }
                      }};
  read_voxels(stream, stack, {header.type, header.swapped, header.slope, header.intercept}, sink, monitor);
  // A NIfTI's world is right, anterior, superior.
  const Mat3 turn = axes == VectorAxes::voxel ? image.grid.direction : Mat3(Vec3(-1, -1, 1).asDiagonal());
  for (Vec3& v : image.values) v = v.allFinite() ? Vec3(turn * v) : Vec3::Zero();
  return image;
}

FiberSource fiber_source(VectorImage image) {
  const auto shared = std::make_shared<const VectorImage>(std::move(image));
  return [shared](const Vec3& position) -> Mat3 {
    const Grid& grid = shared->grid;
    const Vec3 index = grid.index(position);
    Mat3 tensor = Mat3::Zero();
    for (int corner = 0; corner < 8; ++corner) {
      std::array<int, 3> voxel;
      double weight = 1;
      bool inside = true;
      for (int k = 0; k < 3; ++k) {
        const double low = std::floor(index[k]), share = index[k] - low;
        const bool upper = corner >> k & 1;
        inside = inside && low + upper >= 0 && low + upper < grid.size[k];
        voxel[k] = inside ? static_cast<int>(low) + upper : 0;
        weight *= upper ? share : 1 - share;
      }
      if (!inside) continue;
      const Vec3& v = shared->values[grid.offset(voxel[0], voxel[1], voxel[2])];
      if (v.norm() > 1e-6) tensor += weight * v.normalized() * v.normalized().transpose();
    }
    return tensor;
  };
}

FiberSource read_fibers(const std::filesystem::path& path, VectorAxes axes, const Monitor& monitor) {
  if (is_nifti(path)) return fiber_source(read_vector_image(path, axes, monitor));
  try {
    return cardiotwin::fiber_source(load_mesh(path, {}, monitor));
  } catch (const FileError&) {
    throw;
  } catch (const InputError& error) {
    throw InputError(fmt::format("fibres {}: {}", path.string(), error.what()));
  }
}

std::vector<std::filesystem::path> fiber_files(const std::filesystem::path& path) {
  return is_nifti(path) ? std::vector{path} : mesh_files(path);
}

}  // namespace cardiotwin::meshes
