#pragma once
/// What several verbs print.

#include <string>
#include <vector>

#include <cardiotwin/check.hpp>
#include <cardiotwin/plan.hpp>

namespace cardiotwin::app {

std::string velocity_table(const std::vector<CalibratedAxis>&);
std::string check_table(const CheckReport&);
std::string plan_table(const Plan&);

}  // namespace cardiotwin::app
