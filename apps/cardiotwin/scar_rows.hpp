#pragma once
#include <cardiotwin/meshes/scar.hpp>

#include "options.hpp"

namespace cardiotwin::app {

/// Rows of how scar is told from healthy muscle, shared by `build` and `scar`.
void add_scar_rows(Options&, meshes::ScarOptions&, meshes::RemoteOptions&);

}  // namespace cardiotwin::app
