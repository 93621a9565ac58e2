#pragma once
/// Activation maps on the command line: read, brought onto the heart, and what a fit to them says.

#include <cardiotwin/activation_fit.hpp>

#include "options.hpp"
#include "site_rows.hpp"

namespace cardiotwin::app {

struct LatRows {
  std::vector<std::string> files, paced;
  std::vector<WantedSite> landmarks;
  std::string surface = "all", frame = "auto";
  bool scale = false;
  double noise = 3, far = 10;
  ActivationFitOptions fit;
};

void add_lat_rows(Options&, LatRows&);

/// The maps laid on the heart, each placed by the landmarks, then by the surface; says how. `hashes` gets the files'.
/// Throws InputError.
std::vector<MappedBeat> load_beats(const Anatomy&, const LatRows&, const Monitor&,
                                   std::map<std::string, std::string>& hashes);

/// A line per parameter: before, after, interval, what the data say.
std::string posterior_table(const ActivationFit&);

/// lat.vtu, points.csv (measured beside modelled) and posterior.json.
void write_fit(const std::filesystem::path& folder, const Twin&, std::span<const MappedBeat>, const ActivationFit&);

}  // namespace cardiotwin::app
