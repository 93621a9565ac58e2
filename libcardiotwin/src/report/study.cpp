#include "report/study.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cardiotwin/io.hpp>

#include "plan_store.hpp"
#include "report/html.hpp"
#include "report/json_view.hpp"

namespace cardiotwin::report {
namespace {

Json parse_object(const std::string& text, const std::string& who, const char* cure) {
  const auto json = Json::parse(text, nullptr, false);
  if (!json.is_object()) throw FileError(fmt::format("{} is damaged: it is not a JSON object; {}.", who, cure));
  return json;
}

}  // namespace

Study load_study(const std::filesystem::path& folder) {
  const auto name = folder.string();
  if (!std::filesystem::exists(folder / "study.json"))
    throw InputError(
        fmt::format("Study \"{}\": study.json is missing, so this is not a study folder; "
                    "give the one that `cardiotwin plan ... --out <folder>` wrote.",
                    name));
  if (!std::filesystem::exists(folder / "plan.json"))
    throw InputError(
        fmt::format("Study \"{0}\" is not finished: plan.json is missing; "
                    "the same `cardiotwin plan` command with --out {0} resumes it.",
                    name));
  const auto head = parse_object(read_text(folder / "study.json"), fmt::format("Study \"{}\": study.json", name),
                                 "run the plan again in a new folder");
  Study study;
  study.twin = Twin::load(folder / "heart.twin");
  study.plan = load_plan(folder);
  study.options = member(head, "options");
  study.check = member(head, "check");
  study.fit = !member(head, "fit").is_boolean() || member(head, "fit").get<bool>();
  study.twin_sha256 = text_in(head, "twin_sha256");
  // The page must not show another heart than the one that was paced.
  if (!study.twin_sha256.empty() && study.twin_sha256 != study::twin_digest(study.twin))
    throw InputError(
        fmt::format("Study \"{}\": its heart.twin is not the twin it was run on; put the twin back or run the plan in "
                    "a new folder.",
                    name));
  study.version = text_in(head, "version");
  const auto& provenance = member(head, {"provenance", "twin_provenance"});
  study.provenance = provenance.empty() ? study.twin.provenance : provenance_from_json(provenance.dump());
  if (!study.twin.measurements.empty())
    study.measurements = parse_object(
        study.twin.measurements, fmt::format("Study \"{}\": the twin's measurements", name), "build the twin again");
  return study;
}

std::string aha_label(int segment) {
  return segment >= 1 && segment <= 17 ? fmt::format("{} {}", segment, aha_name(segment)) : aha_name(0);
}

std::string place_name(const Anatomy& anatomy, const Vec3& position, int segment) {
  if (anatomy.chamber == Chamber::ventricles || anatomy.sites.empty()) return aha_name(segment);
  return "near " + nearest_site(anatomy, position);
}

std::string place_label(const Anatomy& anatomy, const Vec3& position, int segment) {
  return anatomy.chamber == Chamber::ventricles ? aha_label(segment) : place_name(anatomy, position, segment);
}

int segment_of(const Anatomy& anatomy, std::size_t tet) {
  const int aha = tet < anatomy.aha.size() ? anatomy.aha[tet] : 0;
  return aha <= 17 ? aha : 0;
}

namespace {

void count_in(SegmentVolume& segment, const Mesh& mesh, std::size_t tet) {
  const double volume = mesh.volume(tet);
  const Label label = mesh.labels()[tet];
  segment.muscle += volume;
  if (label == region::core) segment.core += volume;
  if (label == region::border_zone) segment.border_zone += volume;
  if (label == region::channel) segment.channel += volume;
}

}  // namespace

std::array<SegmentVolume, 18> segment_volumes(const Anatomy& anatomy) {
  std::array<SegmentVolume, 18> segments;
  for (std::size_t t = 0; t < anatomy.mesh.tet_count(); ++t) {
    count_in(segments[0], anatomy.mesh, t);
    if (const int aha = segment_of(anatomy, t)) count_in(segments[static_cast<std::size_t>(aha)], anatomy.mesh, t);
  }
  return segments;
}

std::vector<SegmentVolume> volumes_by_site(const Anatomy& anatomy) {
  std::vector<SegmentVolume> volumes(anatomy.sites.size());
  for (std::size_t t = 0; t < anatomy.mesh.tet_count() && !volumes.empty(); ++t) {
    const Vec3 centre = anatomy.mesh.centroid(t);
    std::size_t nearest = 0;
    for (std::size_t k = 1; k < volumes.size(); ++k) {
      if ((anatomy.sites[k].position - centre).squaredNorm() < (anatomy.sites[nearest].position - centre).squaredNorm())
        nearest = k;
    }
    count_in(volumes[nearest], anatomy.mesh, t);
  }
  return volumes;
}

double ablated_volume(const Study& study) {
  const auto& mesh = study.twin.anatomy.mesh;
  double volume = 0;
  for (std::size_t t = 0; t < mesh.tet_count(); ++t) {
    if (mesh.labels()[t] == region::core) continue;
    const Vec3 centre = mesh.centroid(t);
    const auto covers = [&](const Target& target) {
      return (centre - target.lesion.position).squaredNorm() <= target.lesion.radius * target.lesion.radius;
    };
    if (std::ranges::any_of(study.plan.targets, covers)) volume += mesh.volume(t);
  }
  return volume;
}

bool was_paced(const SiteResult& result) { return !result.outcome.starts_with("not paced"); }

std::vector<RoundTally> rounds(const Plan& plan) {
  std::vector<RoundTally> tally;
  for (const auto& r : plan.results) {
    if (r.round < 0) continue;
    tally.resize(std::max(tally.size(), static_cast<std::size_t>(r.round) + 1));
    auto& round = tally[static_cast<std::size_t>(r.round)];
    ++(was_paced(r) ? round.paced : round.unpaced);
    round.inducible += r.inducible;
  }
  return tally;
}

std::vector<std::string> paced_sites(const Plan& plan) {
  std::vector<std::string> sites;
  for (const auto& r : plan.results)
    if (std::ranges::find(sites, r.site) == sites.end()) sites.push_back(r.site);
  return sites;
}

const SiteResult* result(const Plan& plan, const std::string& site, int round) {
  for (const auto& r : plan.results)
    if (r.round == round && r.site == site) return &r;
  return nullptr;
}

std::string headline(const Study& study) {
  const auto& plan = study.plan;
  const auto tally = rounds(plan);
  const RoundTally first = tally.empty() ? RoundTally{} : tally.front();
  const auto sites = count(static_cast<std::size_t>(first.paced), "pacing site");
  const auto unpaced = first.unpaced == 0 ? std::string()
                                          : fmt::format(" {} could not be paced.",
                                                        count(static_cast<std::size_t>(first.unpaced), "site"));
  if (!plan.inducible_before)
    return fmt::format("No re-entrant tachycardia could be induced from any of {}: no ablation target is proposed.{}",
                       sites, unpaced);
  const auto start = fmt::format("Re-entrant tachycardia is inducible from {} of {}", first.inducible, sites);
  if (plan.targets.empty()) return start + "; no ablation target was found." + unpaced;
  const auto targets = count(plan.targets.size(), "ablation target");
  const auto verb = plan.targets.size() == 1 ? "makes" : "make";
  if (!plan.inducible_after)
    return fmt::format("{}; {} {} it non-inducible from all of them.{}", start, targets, verb, unpaced);
  return fmt::format("{}; after {} it is still inducible from {} of {}.{}", start, targets, tally.back().inducible,
                     tally.back().paced, unpaced);
}

std::vector<std::string> warnings(const Study& study) {
  std::vector<std::string> all;
  const auto add = [&](const std::string& text) {
    if (!text.empty() && std::ranges::find(all, text) == all.end()) all.push_back(text);
  };
  if (!study.fit)
    add("The twin did not pass its check and was studied nevertheless: its conduction may be an artefact of the mesh.");
  for (const auto& finding : member(study.check, "findings")) {
    if (text_in(finding, "severity") != "info") add(text_in(finding, "text"));
  }
  for (const auto& step : study.twin.provenance.steps)
    for (const auto& warning : step.warnings) add(warning);
  for (const auto& step : study.provenance.steps)
    for (const auto& warning : step.warnings) add(warning);
  return all;
}

}  // namespace cardiotwin::report
