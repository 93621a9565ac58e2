#pragma once
#include <cardiotwin/coordinates.hpp>
#include <cardiotwin/log.hpp>
#include <optional>

#include "options.hpp"

namespace cardiotwin::app {

/// A pacing site that was asked for: at a point, or at a place in the ventricles.
struct WantedSite {
  std::string name;
  std::optional<Vec3> position;
  Place place;
  std::string text;  ///< as it was written, behind the name
};

/// "a=1,2,3 mm,b=0.5,90,0" -> two sites. Throws InputError.
std::vector<WantedSite> read_sites(const std::string&);
/// "0.5, 90, 0[, lv|rv]" -> a place; throws InputError.
Place read_place(const std::vector<std::string>& words);

/// The row `--site NAME=...`, shared by the verbs that make or take sites.
void add_site_row(Options&, std::vector<WantedSite>&, const std::string& doc);

/// Adds them to the anatomy. Throws InputError for a name that is taken, or a point farther than 20 mm from the muscle.
void place_sites(Anatomy&, const std::vector<WantedSite>&, double radius, const Monitor&);

}  // namespace cardiotwin::app
