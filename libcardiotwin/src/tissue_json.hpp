#pragma once
/// Tissue as JSON with units as text; private to the library.

#include <cardiotwin/tissue.hpp>
#include <string>

namespace cardiotwin {

std::string to_json(const Tissue&);
/// Throws InputError.
Tissue tissue_from_json(const std::string&);

}  // namespace cardiotwin
