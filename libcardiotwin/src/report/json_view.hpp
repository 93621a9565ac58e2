#pragma once
/// Reading JSON of several ages without throwing, and showing it to a person.

#include <cmath>
#include <initializer_list>
#include <string>

#include "report/html.hpp"
#include "report/study.hpp"

namespace cardiotwin::report {

/// The first of `keys` that `object` has; an empty object where it has none.
const Json& member(const Json& object, std::initializer_list<const char*> keys);
inline const Json& member(const Json& object, const char* key) { return member(object, {key}); }
double number_in(const Json& object, std::initializer_list<const char*> keys);  ///< NaN where there is none
std::string text_in(const Json& object, const char* key);                       ///< "" where there is none

/// "core_volume_ml" -> "core volume [ml]".
std::string readable(const std::string& key);
/// A number with at most five significant digits, text as it is, true as "yes", arrays joined.
std::string shown(const Json& value);
/// Every leaf of `object` as a fact, nested names joined by a colon.
void add_facts(Facts& facts, const Json& object, const std::string& prefix = "");

}  // namespace cardiotwin::report
