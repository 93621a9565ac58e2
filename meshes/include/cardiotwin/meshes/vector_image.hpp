#pragma once
/// Images of vectors, such as the fibre directions of a diffusion-tensor MRI.

#include <cardiotwin/fiber_sources.hpp>
#include <cardiotwin/meshes/image.hpp>

namespace cardiotwin::meshes {

/// What the three components of a voxel lie along.
enum class VectorAxes {
  scanner,  ///< the file's world axes, as for its positions
  voxel     ///< the image's own i, j, k
};

using VectorImage = Volume<Vec3>;

/// NIfTI-1 of three values a voxel (4-D with three frames, or 5-D), vectors turned to LPS; NaN becomes zero, "no
/// vector". Throws as read_image does, and InputError for other formats or numbers of values.
VectorImage read_vector_image(const std::filesystem::path&, VectorAxes = VectorAxes::scanner, const Monitor& = {});

/// Trilinear between voxels, without sign; zero outside the image.
FiberSource fiber_source(VectorImage);

/// Fibres of any file: an image (.nii, .nii.gz), else a mesh that load_mesh reads.
FiberSource read_fibers(const std::filesystem::path&, VectorAxes = VectorAxes::scanner, const Monitor& = {});
/// All files it reads for this path.
std::vector<std::filesystem::path> fiber_files(const std::filesystem::path&);

}  // namespace cardiotwin::meshes
