#pragma once
// The geometry of the phantom in the heart's own frame: long axis z from apex to base, x towards the septum, y towards
// the anterior wall (so angles from the septum towards the anterior wall are counter-clockwise seen from the base).

#include <cardiotwin/meshes/phantom.hpp>
#include <numbers>
#include <vector>

namespace cardiotwin::meshes {

enum class Stuff { background, lv_blood, rv_blood, healthy, border_zone, core, channel, no_reflow };

/// A place in the wall: arc length from the apex along the mid-wall meridian [mm], angle from the septum, depth 0
/// (endo) to 1 (epi).
struct WallPlace {
  double s = 0, theta = 0, depth = 0;
};

/// Wall between two ellipsoids whose semi-axes differ by the wall thickness.
class Ventricle {
 public:
  explicit Ventricle(const PhantomOptions&);

  bool in_cavity(const Vec3&) const;      ///< blood: not in a papillary muscle or trabecula
  bool in_epicardium(const Vec3&) const;  ///< wall or cavity
  bool in_right_ventricle(const Vec3&) const;
  /// True only if no surface passes within `reach` [mm] of the point.
  bool far_from_surfaces(const Vec3&, double reach) const;
  /// Of a point in the wall (others get the depth of the nearer surface); Newton on the ellipsoids between endo- and
  /// epicardium.
  WallPlace place(const Vec3&) const;
  Vec3 position(const WallPlace&) const;

  double arc_of_height(double z) const;  ///< arc length at which the mid-wall reaches z
  double mid_radius(double s) const;     ///< of the mid-wall, about the long axis [mm]
  double base_arc() const { return arc_of_height(base_); }
  double right_reach() const;  ///< largest x of the right ventricle

 private:
  bool in_endocardium(const Vec3&) const;  ///< blood and what stands in it
  /// About how far from papillary muscles and trabeculae; negative inside [mm].
  double distance_to_trabeculae(const Vec3&) const;
  double angle_of_arc(double s) const;
  double arc_of_angle(double phi) const;

  double long_, short_, wall_, base_;
  bool papillary_;
  std::vector<double> arc_;  // at equidistant parametric angles from the apex (-90 degrees) to +90
};

/// Infarct core, its rim, the surviving channel and the no-reflow pocket, in wall coordinates.
class Infarct {
 public:
  /// Throws InputError where the scar does not fit the ventricle or the channel leaves the scar.
  Infarct(const Ventricle&, const PhantomOptions&);

  Stuff stuff(const WallPlace&) const;
  /// Can anything but healthy muscle lie within `reach` [mm] along the wall?
  bool near(const WallPlace& at, double reach) const { return distance_to_core(at.s, at.theta) < border_zone_ + reach; }
  /// Entrance (apical end) first, about 1 mm apart, in the heart's frame.
  std::vector<Vec3> centre_line() const;

 private:
  /// A rectangle on the wall: half_s along the meridian; across either a half width [mm] or a half angle [rad].
  struct Piece {
    double s, half_s, theta, half_angle, half_width, rounding;
  };
  void add_segment(int segment, double apex_z, double base_z);
  void check_channel() const;
  void place_pocket(std::uint64_t seed);
  double distance_to_piece(const Piece&, double s, double theta) const;
  double distance_to_core(double s, double theta) const;     ///< along the wall, negative inside [mm]
  double distance_to_channel(double s, double theta) const;  ///< to its centre line [mm]
  double channel_angle(double s) const;                      ///< theta of the centre line

  const Ventricle& ventricle_;
  std::vector<Piece> pieces_;
  double wall_, transmurality_, border_zone_, channel_half_width_, tilt_, bend_;
  double low_ = 0, high_ = 0, theta_ = 0;  // ends of the core along the meridian, angle of its middle
  bool channel_, pocket_ = false;
  WallPlace pocket_centre_;
  double pocket_radius_ = 0;
};

inline constexpr double degree = std::numbers::pi / 180;
double wrap_angle(double radians);  ///< into (-pi, pi]

}  // namespace cardiotwin::meshes
