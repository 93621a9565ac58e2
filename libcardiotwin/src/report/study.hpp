#pragma once
/// What a report is made of: read once, checked, and the plain facts drawn from it.

#include <array>
#include <cardiotwin/coordinates.hpp>
#include <cardiotwin/plan.hpp>
#include <cardiotwin/twin.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace cardiotwin::report {

using Json = nlohmann::ordered_json;

struct Study {
  Twin twin;
  Plan plan;
  Json options = Json::object(), check = Json::object(),
       measurements = Json::object();  ///< empty where the study has none
  Provenance provenance;
  std::string twin_sha256, version;
  bool fit = true;  ///< the twin passed its check
};

/// Throws InputError: not a study, not finished (says how to resume it), damaged, or its twin is another one.
Study load_study(const std::filesystem::path& folder);

std::string aha_label(int segment);  ///< "7 mid anterior"
/// The segment, or of an atrium, which has none, the nearest site: "near lspv".
std::string place_name(const Anatomy&, const Vec3& position, int segment);   ///< "mid anterior"
std::string place_label(const Anatomy&, const Vec3& position, int segment);  ///< "7 mid anterior"

int segment_of(const Anatomy&, std::size_t tet);  ///< 1..17, 0 where the anatomy has no segments

/// Muscle of one AHA segment by tissue [mm3]; index 0 sums up the whole heart.
struct SegmentVolume {
  double muscle = 0, core = 0, border_zone = 0, channel = 0;
  double scar_share() const { return muscle > 0 ? (core + border_zone + channel) / muscle : 0; }
};
std::array<SegmentVolume, 18> segment_volumes(const Anatomy&);
/// The same of the muscle that lies nearest to each site, in the order of the sites.
std::vector<SegmentVolume> volumes_by_site(const Anatomy&);

/// Muscle (core left out) inside the targets' lesions [mm3].
double ablated_volume(const Study&);

struct RoundTally {
  int paced = 0, inducible = 0, unpaced = 0;
};
bool was_paced(const SiteResult&);                                          ///< false where the site could not be paced
std::vector<RoundTally> rounds(const Plan&);                                ///< index: round
std::vector<std::string> paced_sites(const Plan&);                          ///< in the order of pacing, each once
const SiteResult* result(const Plan&, const std::string& site, int round);  ///< nullptr where not paced

/// The report's first sentence.
std::string headline(const Study&);
/// Doubts from the check and from every step of the provenance, each once, in order.
std::vector<std::string> warnings(const Study&);

}  // namespace cardiotwin::report
