#pragma once
/// Rows that name the tags of foreign files.

#include <cardiotwin/exchange.hpp>

#include "options.hpp"

namespace cardiotwin::app {

/// "1=healthy,2=core": what each tag of the file is called.
void add_tags_row(Options&, const std::string& key, std::map<Tag, std::string>& names, const std::string& doc);
/// "1=base,2=epi,3=endo,4=endo_rv".
void add_surfaces_row(Options&, const std::string& key, std::map<Tag, Surface>& surfaces, const std::string& doc);
/// What one unit of the file is: "auto", "um", "mm", "cm" or "m"; auto is kept as an empty text.
void add_unit_row(Options&, std::string& unit);

}  // namespace cardiotwin::app
