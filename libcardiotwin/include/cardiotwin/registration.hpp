#pragma once
/// Measured points brought onto a heart: by landmarks, then to its surface.

#include <array>
#include <cardiotwin/anatomy.hpp>
#include <cardiotwin/finding.hpp>
#include <optional>
#include <span>
#include <vector>

namespace cardiotwin {

/// A rotation, one scale, a shift.
struct Placement {
  Mat3 rotation = Mat3::Identity();
  Vec3 translation = Vec3::Zero();  ///< [mm]
  double scale = 1;

  Vec3 apply(const Vec3& p) const { return scale * (rotation * p) + translation; }
  std::vector<Vec3> apply(std::span<const Vec3>) const;
  Placement inverse() const;
  /// Throws InputError unless all is finite, the rotation one (to 1e-6), the scale positive.
  void validate() const;
};

struct LandmarkPlacement {
  Placement placement;
  double rms = 0;                      ///< [mm] between the pairs, once placed
  std::vector<double> distances = {};  ///< [mm] of each pair
  std::vector<Finding> findings = {};  ///< where the pairs disagree by more than 8 mm, and which one is odd
};

/// The placement that brings `from` nearest to `to`, pair by pair, in the sense of least squares (Umeyama 1991, doi
/// 10.1109/34.88573); without scale it is 1. Both in mm. Throws InputError for fewer than three pairs, lists of unequal
/// length, points that are not finite or (nearly) on one line, and where the scale between them is that of another unit
/// (10, 1000 or their inverses, to a fifth).
LandmarkPlacement place_by_landmarks(std::span<const Vec3> from, std::span<const Vec3> to, bool with_scale = false);

/// Triangles of a mesh's boundary that a catheter can have touched.
struct MappedSurface {
  std::span<const Vec3> points;     ///< of the whole mesh [mm]; a view, the mesh must outlive it
  std::vector<Triangle> triangles;  ///< of node numbers
};

/// The faces with one of these tags, all where none is given. Throws InputError where the anatomy has none of a tag.
MappedSurface mapped_surface(const Anatomy&, const std::vector<Surface>& tags = {});

struct SurfaceOptions {
  bool with_scale = false;
  double least_scale = 0.8, most_scale = 1.25;  ///< of the result
  double beyond = 0;     ///< [mm] by which the map goes on past the surface's rims, where the heart's mesh was cut
  double far = 10;       ///< [mm] points farther than that from the surface, once placed, are set aside
  double astray = 50;    ///< [mm] a given start whose median distance is larger is refused
  int most_steps = 200;  ///< of each refinement; 0: where the start puts them they stay
};

struct SurfacePlacement {
  Placement placement;
  double rms = 0;     ///< [mm] to the surface, of the points kept
  double median = 0;  ///< [mm] to the surface, of all points
  double moved = 0;   ///< [mm] root mean square from where the start put the points; 0 without a start
  /// Standard deviation [mm] of the movement that the surface holds least, by the Fisher information of the likelihood;
  /// 0 where there is no noise.
  double loosest = 0;
  std::vector<double> distances = {};  ///< [mm] to the surface, per point
  std::vector<std::size_t> kept = {};  ///< points within `far`, ascending
  std::size_t set_aside = 0;           ///< the others
  std::vector<Finding> findings = {};
};

/// Points onto a surface by iterated closest points (Besl & McKay 1992, doi 10.1109/34.121791), each step a
/// Gauss-Newton one on the distances to triangles, weighted by Tukey's biweight of their median so that stray points do
/// not pull. From `start`, as from landmarks; without, from all turns that match the principal axes, the best of which
/// may be a wrong one where the surface looks alike from several sides: that is said. What the surface leaves open
/// (turning about an axis of symmetry) stays as the start has it. The same for heart and points moved together, to
/// rounding. Throws InputError for fewer than 10 points, ones not finite, a surface without triangles, bounds of scale
/// that do not hold 1, a start that is astray, and where it fails: median distance above `far`, or more than half of
/// the points set aside; NumericalError where the steps do not come to rest.
SurfacePlacement place_on_surface(std::span<const Vec3> points, const MappedSurface&,
                                  const std::optional<Placement>& start = {}, const SurfaceOptions& = {});

/// Where values of the mesh's nodes are read: at each point's foot on the surface, between a triangle's corners.
struct MeasuredSites {
  std::vector<std::size_t> points = {};             ///< which measured point each one is
  std::vector<std::array<Index, 3>> nodes = {};     ///< of the mesh
  std::vector<std::array<double, 3>> weights = {};  ///< not negative, sum 1

  std::size_t size() const { return nodes.size(); }
  /// A field of the mesh's nodes at each site; NaN where a node that counts is NaN. Throws InputError for a field that
  /// is too short.
  std::vector<double> values(std::span<const double> field) const;
};

/// The feet of the points that were kept. `points` as given to place_on_surface. Throws InputError where the lists do
/// not fit together.
MeasuredSites sites_on(const MappedSurface&, std::span<const Vec3> points, const SurfacePlacement&);

}  // namespace cardiotwin
