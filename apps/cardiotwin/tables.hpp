#pragma once
/// What several verbs print.

#include <cardiotwin/check.hpp>
#include <cardiotwin/plan.hpp>
#include <string>
#include <vector>

namespace cardiotwin::app {

std::string velocity_table(const std::vector<CalibratedAxis>&);
std::string check_table(const CheckReport&);
std::string plan_table(const Plan&);

}  // namespace cardiotwin::app
