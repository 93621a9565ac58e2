#pragma once
/// What the page's WebGL draws, as JSON: numbers quantised, arrays in base64.

#include <cstdint>
#include <span>
#include <string>

#include "report/study.hpp"
#include "report/surface.hpp"

namespace cardiotwin::report {

std::string base64(std::span<const std::uint8_t>);

/// Positions to 1/65535 of the heart's extent (about 2 um), LATs to 1/65534 of a cycle (about 6 us), little-endian;
/// 65535 marks a vertex that is not active. Sites, targets, circuits' paths with their LAT as plain numbers.
Json scene_json(const Study&, const DisplaySurface&);

/// The most vertices that keep the page under about 3 MB with that many circuits, and indices in 16 bits.
std::size_t vertex_limit(std::size_t circuits);

}  // namespace cardiotwin::report
