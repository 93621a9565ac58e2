#pragma once
/// The files for programs and mapping systems.

#include <string>

#include "report/study.hpp"

namespace cardiotwin::report {

std::string targets_json(const Study&);
std::string targets_csv(const Study&);
std::string page(const Study&);

}  // namespace cardiotwin::report
