#pragma once
/// The AHA 17-segment bull's-eye (doi 10.1161/hc0402.102975) as inline SVG.

#include "report/html.hpp"
#include "report/study.hpp"

namespace cardiotwin::report {

/// Where a point of the wall lies on the bull's-eye, in a circle of radius 1: apex in the centre, anterior wall up,
/// septum left.
struct BullseyePoint {
  double x = 0, y = 0;  ///< x to the right, y downwards
};

/// Rim and rings follow the segments the anatomy was cut into, so that a point of segment 7 always lands in segment 7.
class Bullseye {
 public:
  explicit Bullseye(const Anatomy&);
  BullseyePoint place(const Vec3& position, int segment) const;
  BullseyePoint place(const Vec3& position) const;  ///< in the segment of the nearest tet

 private:
  const Anatomy& anatomy_;
  std::array<double, 4> low_{}, high_{};  // height reached by each ring: 0 apex, 1 apical, 2 mid, 3 basal
};

/// Scar share per segment, targets and paced sites marked.
Html bullseye_svg(const Study&);

}  // namespace cardiotwin::report
