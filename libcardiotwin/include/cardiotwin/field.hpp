#pragma once
/// Points, and values that live on a mesh.

#include <Eigen/Core>
#include <string>
#include <vector>

namespace cardiotwin {

using Vec3 = Eigen::Vector3d;  ///< position [mm] in scanner coordinates (LPS), or a direction
using Mat3 = Eigen::Matrix3d;

enum class Location { node, tet };

/// A named field with a unit: `components` values per node or tet, component fastest. NaN means "no value here"
/// (a node that was never activated, the core of a scar).
struct Map {
  std::string name = {};
  std::string unit = {};
  Location at = Location::node;
  int components = 1;
  std::vector<double> values = {};
};

}  // namespace cardiotwin
