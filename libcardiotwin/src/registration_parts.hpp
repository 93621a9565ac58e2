#pragma once
/// What the two ways of fitting points to a surface share; private to the physics room.

#include <cardiotwin/registration.hpp>
#include <span>
#include <vector>

namespace cardiotwin::registration {

/// Turn, shift and growth about the points' centre, each as what it moves at their mean radius [mm].
using Step = Eigen::Matrix<double, 7, 1>;
using Curvature = Eigen::Matrix<double, 7, 7>;

/// A surface to fit to, which need not be one of the mesh.
struct Target {
  std::vector<Vec3> points;
  std::vector<Triangle> triangles;
};

/// The surface with a strip of `width` [mm] along its rims, tangential to it: there the heart is cut, its chamber goes
/// on.
Target extended(const MappedSurface&, double width);

/// The points to place, and how far a step moves them.
class Cloud {
 public:
  explicit Cloud(std::span<const Vec3> points);
  std::span<const Vec3> points() const { return points_; }
  const Vec3& centre() const { return centre_; }
  double radius() const { return radius_; }  ///< root mean square distance from the centre
  /// `p` after a step; scales stay within the bounds.
  Placement advanced(const Placement& p, const Step&, const SurfaceOptions&) const;
  /// How a placed point moves with a step.
  Eigen::Matrix<double, 3, 7> motion(const Placement& p, const Vec3& placed, const SurfaceOptions&) const;

 private:
  std::span<const Vec3> points_;
  Vec3 centre_ = Vec3::Zero();
  double radius_ = 0;
};

/// The step that ends where the picture of second order does; what that leaves open is not moved.
Step newton(Curvature curvature, const Step& slope);

double median_of(std::vector<double> values);
double rms_between(std::span<const Vec3> points, const Placement& a, const Placement& b);

/// Likeliest placement of points that lie anywhere on the surface, but for Gaussian noise and some strays, from one
/// nearby; `noise` [mm] is where that is begun with. Closest points alone would shrink a map: noise drives points to
/// the outside of a convex surface, and seems smaller where the map is. False where the steps do not come to rest.
/// `loosest` becomes the standard deviation [mm] of the movement that the surface holds least.
bool fit_likelihood(Placement&, const Cloud&, const Target&, const SurfaceOptions&, double noise, double& loosest);

}  // namespace cardiotwin::registration
