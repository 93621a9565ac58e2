#pragma once
// What the phantoms share.

#include <cardiotwin/meshes/image.hpp>
#include <cstdint>
#include <nlohmann/json.hpp>

namespace cardiotwin::meshes {

/// Throws InputError "phantom: WHAT must lie in [low, high], but it is value".
void require_between(double value, const char* what, double low, double high, const char* unit = " mm");

/// Turns about x, y, z in that order.
Mat3 rotation_of(const Vec3& degrees);

/// Rician noise (the magnitude of a complex signal with equal Gaussian noise in both parts), then the offset, as a
/// phase-sensitive reconstruction does.
void add_noise(Image&, std::uint64_t seed, double sigma, double offset);

/// Rounded to a nanometre, so that the text is short and -0 does not occur.
nlohmann::ordered_json point_json(const Vec3&);
/// Entrance, exit, width, length and centre line of a channel; null for an empty line.
nlohmann::ordered_json channel_json(const std::vector<Vec3>& line, double width);

}  // namespace cardiotwin::meshes
