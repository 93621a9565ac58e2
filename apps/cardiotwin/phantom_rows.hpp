#pragma once
#include <cardiotwin/meshes/phantom.hpp>

#include "options.hpp"

namespace cardiotwin::app {

/// Rows of the phantom's shape and image, shared by `phantom` and `demo`.
void add_phantom_rows(Options&, meshes::PhantomOptions&);

}  // namespace cardiotwin::app
