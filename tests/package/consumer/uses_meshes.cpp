#include <cardiotwin/meshes/phantom.hpp>
#include <cstdio>

int main() {
  const auto phantom = cardiotwin::meshes::make_phantom({.pixel = 4, .slice = 8});
  std::printf("muscle %.1f ml\n", phantom.truth.muscle_volume);
  return phantom.truth.muscle_volume > 50 ? 0 : 1;
}
