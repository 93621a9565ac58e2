#pragma once
/// The left ventricle's own frame: long axis, centre line of its wall, angles about it. Private to the physics room.

#include <Eigen/Core>
#include <cardiotwin/coordinates.hpp>
#include <vector>

namespace cardiotwin {

/// Triangles of one tag.
std::vector<Triangle> triangles_of(const Anatomy&, Surface);

/// A node of the wall that votes for the centre line, by its volume.
struct Sample {
  Index node;
  double weight;
};

class VentricleFrame {
 public:
  /// `epi`: the left ventricle's outer surface; `mid_wall`: samples from the middle of its wall. Throws InputError for
  /// an axis of no length or an unknown septum.
  VentricleFrame(const Anatomy&, const std::vector<Triangle>& epi, const std::vector<Sample>& mid_wall);

  /// From then on `rotational` is anchored to where the right ventricle's wall meets the left one's: nodes that both
  /// share.
  void anchor(std::span<const Vec3> points, const std::vector<Sample>& seam);

  double height(const Vec3& p) const { return (p - apex_).dot(up_); }  ///< along the axis from the apex [mm]
  double length() const { return length_; }                            ///< of the axis [mm]
  double angle(const Vec3&) const;       ///< about the centre line, from the septum, degrees in (-180, 180]
  double rotational(const Vec3&) const;  ///< degrees in [0, 360)
  /// To the line through the wall at the apex [mm].
  double distance_to_apex(const Vec3&) const;

 private:
  using Vec2 = Eigen::Vector2d;
  Vec2 across(const Vec3& p) const { return {(p - apex_).dot(septal_), (p - apex_).dot(anterior_)}; }
  Vec2 centre(double height) const;
  void find_apex(const Anatomy&, const std::vector<Triangle>& epi);
  void find_centre_line(std::span<const Vec3> points, const std::vector<Sample>& mid_wall);

  Vec3 apex_, up_, septal_, anterior_;
  double length_ = 0;
  Vec3 apex_endo_, apex_epi_;  // ends of the apical line through the wall
  struct Knot {
    double height;
    Vec2 centre;
  };
  std::vector<Knot> line_;  // ascending; constant beyond both ends
  struct Insertion {
    double height, anterior, inferior;  // angles, inferior negative
  };
  std::vector<Insertion> insertions_;  // ascending; constant beyond both ends
};

}  // namespace cardiotwin
