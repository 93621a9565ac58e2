#pragma once
/// The left ventricle's own frame, in which AHA segments are cut (doi 10.1161/hc0402.102975).

#include <cardiotwin/anatomy.hpp>
#include <cstdint>

namespace cardiotwin {

/// Height along the axis from apex to base, angle from the septum's middle towards the anterior wall, which lies along
/// axis x septum.
class LongAxis {
 public:
  /// Of an anatomy with a tagged surface; the cavity begins at the lowest endocardial node. Throws InputError without
  /// endocardium, for an axis of no length, or a septum along it.
  explicit LongAxis(const Anatomy&);
  /// The cavity reaches from `cavity_low` to the base [mm above the apex]. Throws InputError as above.
  LongAxis(const Vec3& apex, const Vec3& base_centre, const Vec3& septum, double cavity_low);

  const Vec3& apex() const { return apex_; }
  const Vec3& up() const { return up_; }          ///< unit vector from apex to base
  const Vec3& septal() const { return septal_; }  ///< unit vector across the axis towards the septum's middle
  const Vec3& anterior() const { return anterior_; }
  double cavity_low() const { return low_; }
  double cavity_high() const { return high_; }

  double height(const Vec3& p) const { return (p - apex_).dot(up_); }
  double angle(const Vec3& p) const;  ///< degrees in [0, 360)
  /// Share of the cavity's length: 0 at its apex, 1 at the base.
  double share(const Vec3& p) const { return (height(p) - low_) / (high_ - low_); }
  /// 1 to 17.
  std::uint8_t segment(const Vec3& p) const;

 private:
  Vec3 apex_, up_, septal_, anterior_;
  double low_ = 0, high_ = 0;
};

}  // namespace cardiotwin
