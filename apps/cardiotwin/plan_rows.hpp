#pragma once
#include <cardiotwin/plan.hpp>

#include "options.hpp"

namespace cardiotwin::app {

/// Rows of a pacing study, shared by `plan` and `demo`.
void add_plan_rows(Options&, PlanOptions&);

}  // namespace cardiotwin::app
