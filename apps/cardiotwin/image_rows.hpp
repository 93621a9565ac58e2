#pragma once
#include <cardiotwin/meshes/labels.hpp>

#include "options.hpp"

namespace cardiotwin::app {

/// Rows of how images are read, shared by `build` and `inspect`.
void add_series_row(Options&, const std::string& key, meshes::ReadOptions&, const std::string& what);
void add_convention_row(Options&, std::string& convention);

}  // namespace cardiotwin::app
