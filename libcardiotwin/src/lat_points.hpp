#pragma once
/// Points of an activation map as a file has them, private to its readers.

#include <cardiotwin/measurements.hpp>
#include <string>

namespace cardiotwin {

class LatPoints {
 public:
  /// NaN is "none"; a point without a LAT or a place is only counted.
  void add(const Vec3& place, double lat, double bipolar, double unipolar);
  /// Repeated points once, voltages only where there are any; throws as LatMap::validate.
  LatMap finish(std::string frame);

 private:
  LatMap map_;
};

}  // namespace cardiotwin
