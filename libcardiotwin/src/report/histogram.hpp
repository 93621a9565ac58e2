#pragma once
/// How the mesh's dihedral angles are spread, as inline SVG.

#include "report/html.hpp"
#include "report/study.hpp"

namespace cardiotwin::report {

/// A bar for each 10 degrees, as `check` counted them; empty for a study whose check did not.
Html dihedral_histogram(const Json& check);

}  // namespace cardiotwin::report
