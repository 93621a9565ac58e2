#pragma once
/// The VTKHDF UnstructuredGrid layout (https://docs.vtk.org/en/latest/design_documents/VTKFileFormats.html), one part.

#include <cardiotwin/mesh.hpp>

#include "hdf5.hpp"

namespace cardiotwin::vtkhdf {

/// Makes the group "/VTKHDF" with points, tets, labels (cell data "region") and empty PointData and CellData.
/// A file without time steps is written as version 1.0, which the oldest readers know; steps need 2.0.
hdf5::Handle write_grid(hid_t file, const Mesh&, bool transient = false);

/// The mesh back; throws FileError or InputError.
Mesh read_grid(hid_t file);

/// Vectors are stored as rows of three.
std::span<const double> flat(std::span<const Vec3>);
std::vector<Vec3> read_vectors(hid_t parent, const char* path);

}  // namespace cardiotwin::vtkhdf
