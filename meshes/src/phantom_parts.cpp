#include "phantom_parts.hpp"

#include <fmt/format.h>

#include <Eigen/Geometry>
#include <cardiotwin/error.hpp>
#include <cardiotwin/random.hpp>
#include <cmath>
#include <numbers>

namespace cardiotwin::meshes {

void require_between(double value, const char* what, double low, double high, const char* unit) {
  if (!(value >= low && value <= high)) {
    throw InputError(
        fmt::format("phantom: {} must lie in [{:g}, {:g}]{}, but it is {:g}", what, low, high, unit, value));
  }
}

Mat3 rotation_of(const Vec3& degrees) {
  const auto turn = [&](int axis) {
    return Eigen::AngleAxisd(degrees[axis] * (std::numbers::pi / 180), Vec3::Unit(axis));
  };
  return (turn(2) * turn(1) * turn(0)).toRotationMatrix();
}

void add_noise(Image& image, std::uint64_t seed, double sigma, double offset) {
  Random random(seed);
  for (float& value : image.values) {
    const double real = value + sigma * random.normal(), imaginary = sigma * random.normal();
    value = float(offset + std::sqrt(real * real + imaginary * imaginary));
  }
}

nlohmann::ordered_json point_json(const Vec3& v) {
  auto list = nlohmann::ordered_json::array();
  for (int i = 0; i < 3; ++i) list.push_back(std::round(v[i] * 1e6) / 1e6 + 0.0);
  return list;
}

nlohmann::ordered_json channel_json(const std::vector<Vec3>& line, double width) {
  if (line.empty()) return nullptr;
  auto points = nlohmann::ordered_json::array();
  double length = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    points.push_back(point_json(line[i]));
    if (i > 0) length += (line[i] - line[i - 1]).norm();
  }
  return {{"entrance", point_json(line.front())},
          {"exit", point_json(line.back())},
          {"width_mm", width},
          {"length_mm", length},
          {"centre_line", points}};
}

}  // namespace cardiotwin::meshes
