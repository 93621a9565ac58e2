#pragma once
// The geometry of the atrial phantom in its own axes: x to the left, y to the back, z up, as a patient lies.

#include <cardiotwin/meshes/phantom_atrium.hpp>
#include <vector>

namespace cardiotwin::meshes {

enum class AtrialStuff { background, blood, lv_blood, healthy, fibrosis, dense, channel };
inline constexpr int atrial_stuffs = 7;

/// A tube along a line, cut flat at its end.
struct VeinTube {
  const char* name;
  Vec3 start, direction;  ///< a point inside the body, the unit vector out of it
  double radius, end;     ///< [mm]; `end` along the direction, where it is cut
};

class Atrium {
 public:
  explicit Atrium(const AtriumPhantomOptions&);

  AtrialStuff stuff(const Vec3&) const;
  /// True only if no surface passes within `reach` [mm] of the point.
  bool uniform_within(const Vec3&, double reach) const;
  const std::vector<VeinTube>& veins() const { return veins_; }
  PhantomOpening mitral() const;
  std::vector<Vec3> channel_line() const;  ///< about 1 mm apart, lower end first
  Vec3 low() const;                        ///< corners of a box around cavity and wall
  Vec3 high() const;

 private:
  /// Signed distance to the cavity's surface, negative inside [mm]; `cut` is that to the nearest plane of an opening.
  struct Place {
    double distance, cut;
  };
  Place place(const Vec3&) const;
  double body(const Vec3&) const;  ///< to first order, which is 2 % off at the thickness of a wall
  void add_vein(const char* name, const Vec3& start, const Vec3& direction, double radius, double length);
  AtrialStuff wall_stuff(const Vec3&) const;

  double scale_, wall_, lv_reach_;
  Vec3 radii_;  // of the ellipsoid that is the body [mm]
  Vec3 valve_normal_;
  double valve_height_;  // of the mitral plane along its normal
  std::vector<VeinTube> veins_;
  std::vector<std::pair<Vec3, double>> appendage_;  // balls along its axis
  AtriumPhantomOptions options_;
};

}  // namespace cardiotwin::meshes
