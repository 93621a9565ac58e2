#pragma once
/// Hearts that tests of coordinates share; each is built once a process.

#include <cardiotwin/coordinates.hpp>
#include <cardiotwin/meshes/build.hpp>
#include <cardiotwin/meshes/phantom.hpp>

#include "phantom_place.hpp"

namespace cardiotwin::tests {

inline meshes::PhantomOptions small_phantom() {
  meshes::PhantomOptions options;
  options.scar = false, options.pixel = 1.6, options.slice = 2;
  return options;
}

struct Heart {
  Heart(const meshes::PhantomOptions& options, meshes::Chambers chambers, double edge)
      : truth(options), anatomy(built(options, chambers, edge)), atlas(anatomy) {}
  Heart(const Heart&) = delete;
  Heart& operator=(const Heart&) = delete;

  PhantomPlaces truth;
  Anatomy anatomy;
  Atlas atlas;

 private:
  static Anatomy built(const meshes::PhantomOptions& options, meshes::Chambers chambers, double edge) {
    const auto phantom = meshes::make_phantom(options);
    return meshes::build_twin(phantom.image, phantom.labels, {.chambers = chambers, .rv_wall = 5, .edge = edge})
        .anatomy;
  }
};

inline const Heart& left_heart() {
  static const Heart heart(small_phantom(), meshes::Chambers::left_ventricle, 2.5);
  return heart;
}
inline const Heart& both_hearts() {
  static const Heart heart(small_phantom(), meshes::Chambers::both_ventricles, 2.5);
  return heart;
}
inline const Heart& papillary_heart() {
  static const Heart heart(
      [] {
        auto options = small_phantom();
        options.papillary = true;
        return options;
      }(),
      meshes::Chambers::left_ventricle, 2.5);
  return heart;
}
/// Smaller, thicker, elsewhere, turned.
inline const Heart& other_heart() {
  static const Heart heart(
      [] {
        auto options = small_phantom();
        options.semi_axis_long = 66, options.semi_axis_short = 29, options.wall = 11, options.base_height = 4;
        options.translation = {30, -50, 80}, options.rotation_degrees = {40, -25, 130};
        return options;
      }(),
      meshes::Chambers::left_ventricle, 2.5);
  return heart;
}

}  // namespace cardiotwin::tests
