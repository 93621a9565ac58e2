#pragma once
#include <cardiotwin/purkinje.hpp>

#include "options.hpp"

namespace cardiotwin::app {

/// Rows of how a Purkinje tree grows and conducts.
void add_purkinje_rows(Options&, PurkinjeOptions&);

}  // namespace cardiotwin::app
