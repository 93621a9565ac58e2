#pragma once
// What a torso is made of: where the heart is, where its blood is, the shapes of trunk and lungs, and a mesh whose tets
// grow away from the heart.

#include <array>
#include <cardiotwin/meshes/torso.hpp>
#include <cardiotwin/surface_distance.hpp>
#include <memory>
#include <span>
#include <vector>

#include "mesher_lattice.hpp"

namespace cardiotwin::meshes {

/// Is a point within a closed surface? Rays along three axes that lie askew to the coordinates are counted, each with
/// the triangles in bins of the plane across it.
class Enclosure {
 public:
  /// Orientation does not matter; each edge must be one of an even number of triangles.
  Enclosure(std::span<const Vec3> points, std::span<const Triangle> triangles);
  bool holds(const Vec3&) const;  ///< safe from several threads

 private:
  struct Bins {
    double cell = 1;
    int width = 1, height = 1;
    std::vector<Index> start, triangle;  // compressed rows
  };
  Bins binned(int axis) const;
  bool odd(int axis, const Vec3& turned) const;  // triangles beyond the point
  bool crosses(const Triangle&, int axis, const Vec3& turned) const;

  std::vector<Vec3> points_;  // turned
  std::vector<Triangle> triangles_;
  Vec3 low_, high_;
  std::array<Bins, 3> bins_;
};

/// Triangles that close a surface: each line of edges that an odd number of its triangles have is fanned to its middle,
/// which is added to the points.
std::vector<Triangle> caps(std::vector<Vec3>& points, std::span<const Triangle> surface);

enum class Medium { outside, muscle, blood };

/// Where muscle and blood are. Keeps no view of the anatomy.
class HeartSpace {
 public:
  HeartSpace(const Anatomy&, bool blood, const Monitor&);
  HeartSpace(const HeartSpace&) = delete;
  HeartSpace& operator=(const HeartSpace&) = delete;

  Medium at(const Vec3&) const;
  /// Of a point outside: are muscle or caps nearer than `reach` [mm]?
  bool within(const Vec3&, double reach) const;
  bool has_blood() const { return !cavities_.empty(); }

 private:
  std::vector<Vec3> points_;
  Vec3 low_, high_;
  std::vector<Enclosure> muscle_, cavities_;
  std::unique_ptr<SurfaceDistance> surface_;
};

/// A superellipsoid about the origin of the body's axes (TorsoOptions).
class Trunk {
 public:
  explicit Trunk(const TorsoOptions& o) : half_(0.5 * Vec3(o.width, o.depth, o.height)) {}
  /// Below the skin, negative outside; exact to first order near the skin [mm].
  double depth(const Vec3&) const;
  const Vec3& half() const { return half_; }

 private:
  Vec3 half_;
};

struct Ellipsoid {
  Vec3 centre, half;
  bool holds(const Vec3& p) const { return (p - centre).cwiseQuotient(half).squaredNorm() < 1; }
};
/// The right one first, in the body's axes from the trunk's middle.
std::array<Ellipsoid, 2> lungs(const TorsoOptions&);

/// Centroid of the volume.
Vec3 centroid(const Mesh&);
/// From the body's axes about the trunk's middle to the heart's coordinates and back.
struct Placed {
  Mat3 body;
  Vec3 middle;
  Placed(const Anatomy&, const TorsoOptions&);
  Vec3 in_body(const Vec3& p) const { return body.transpose() * (p - middle); }
  Vec3 in_heart(const Vec3& q) const { return middle + body * q; }
};

/// Points and tets of {inside > 0}, in scanner coordinates: a graded lattice of edges `finest` times 1, 2, ...
/// 2^levels, met within sqrt 2 of those asked for [mm, on the grid of `inside`]. Throws InputError where that takes
/// more tets than can be numbered.
stuffing::Draft lattice_mesh(const Image& inside, const Image& edges, double finest, int levels, int threads,
                             const Monitor&);

}  // namespace cardiotwin::meshes
