#pragma once
/// The files for programs and mapping systems.

#include <string>

#include "report/study.hpp"

namespace cardiotwin::report {

std::string targets_json(const Study&);
std::string targets_csv(const Study&);
std::string page(const Study&);
/// A circuit's twelve leads on paper; empty where it has none.
std::string circuit_ecg(const Study&, std::size_t circuit);

}  // namespace cardiotwin::report
