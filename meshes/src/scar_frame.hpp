#pragma once
/// Where the heart lies in an image, before there is a mesh; private to the picture room.

#include <cardiotwin/aha.hpp>

#include "build_parts.hpp"

namespace cardiotwin::meshes {

/// Muscle and cavity between the slices, and the frame of the AHA segments in them, found as `build` does.
struct HeartFrame {
  FineLabels fine;
  LongAxis axis;
};
/// `spacing` of the fine grid [mm], or the image's where that is smaller. Throws InputError as base_plane and
/// find_septum do.
HeartFrame heart_frame(const Labels& canonical, double spacing, const std::optional<Vec3>& septum, const Monitor&);

}  // namespace cardiotwin::meshes
