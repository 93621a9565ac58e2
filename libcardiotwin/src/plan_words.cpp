#include "plan_words.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cardiotwin/coordinates.hpp>
#include <cmath>
#include <set>

#include "plan_lesions.hpp"
#include "reentry_graph.hpp"

namespace cardiotwin::study {
namespace {

std::set<std::string> inducible_sites(const Plan& plan) {
  std::set<std::string> sites;
  for (const auto& result : plan.results)
    if (result.inducible) sites.insert(result.site);
  return sites;
}

std::string counted(std::size_t count, const std::string& noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string cycles(const Plan& plan, const std::vector<int>& circuits) {
  std::vector<std::string> texts;
  for (const int c : circuits) texts.push_back(fmt::format("{:.0f} ms", plan.circuits[c].cycle_length));
  return fmt::format("{}", fmt::join(texts, ", "));
}

int last_round(const Plan& plan) {
  int last = 0;
  for (const auto& result : plan.results) last = std::max(last, result.round);
  return last;
}

std::string evidence(const Plan& plan, const Placed& placed, const Target& target, std::size_t lesions,
                     std::size_t inducible) {
  std::string text = fmt::format("Closes the isthmus of the re-entry of {}, induced from {} of {} ({})",
                                 cycles(plan, target.circuits), target.induced_from.size(),
                                 counted(inducible, "inducible site"), fmt::join(target.induced_from, ", "));
  if (lesions == 1)
    text +=
        plan.inducible_after ? "; pacing still induces with it" : "; with it pacing from every site induces nothing";
  else if (plan.inducible_after)
    text += fmt::format("; pacing still induces with all {} lesions", lesions);
  else if (!placed.tested)
    text += fmt::format(
        "; with all {} lesions pacing from every site induces nothing, and without this one it was not tried", lesions);
  else
    text += fmt::format(
        "; without it pacing from {} induces again, with all {} lesions pacing from every site induces nothing",
        placed.missed_from, lesions);
  return text + ".";
}

/// Sites that need a word of their own: not paced, or active long without a circuit.
std::string reservations(const Plan& plan) {
  std::vector<std::string> unpaced, open;
  const int last = last_round(plan);
  for (const auto& result : plan.results) {
    if (result.round == 0 && result.outcome.starts_with("not paced")) unpaced.push_back(result.site);
    const bool shown = result.round == 0 || result.round == last;
    if (shown && result.outcome.find("no closed circuit") != std::string::npos) open.push_back(result.site);
  }
  std::sort(open.begin(), open.end());
  open.erase(std::unique(open.begin(), open.end()), open.end());
  std::string text;
  if (!unpaced.empty())
    text += fmt::format(" {} could not be paced ({}).", counted(unpaced.size(), "site"), fmt::join(unpaced, ", "));
  if (!open.empty())
    text += fmt::format(" From {} ({}) activity went on without a closed circuit, which does not count as tachycardia.",
                        counted(open.size(), "site"), fmt::join(open, ", "));
  return text;
}

}  // namespace

std::vector<Target> ranked_targets(const Anatomy& anatomy, const Plan& plan, const std::vector<Placed>& lesions) {
  const auto inducible = inducible_sites(plan);
  std::vector<Target> targets;
  for (const auto& placed : lesions) {
    Target target;
    target.lesion = placed.lesion;
    target.depth = wall_thickness(anatomy, placed.lesion.position, placed.lesion.radius);
    target.aha = reentry::segment_at(anatomy, placed.lesion.position);
    target.place = place_words(anatomy, placed.lesion.position);
    target.circuits = placed.circuits;
    std::set<std::string> sites;
    for (const int c : placed.circuits) sites.insert(plan.circuit_sites[c].begin(), plan.circuit_sites[c].end());
    for (const auto& result : plan.results)  // in the order in which they were paced
      if (sites.erase(result.site) > 0) target.induced_from.push_back(result.site);
    target.share = inducible.empty() ? 0 : double(target.induced_from.size()) / double(inducible.size());
    target.necessary = placed.necessary;
    target.evidence = evidence(plan, placed, target, lesions.size(), inducible.size());
    targets.push_back(std::move(target));
  }
  // Of several across one isthmus the one nearest to the wave's own line comes first.
  const auto off_line = [&](const Target& target) {
    double least = INFINITY;
    for (const int c : target.circuits)
      for (const Vec3& p : plan.circuits[c].isthmus_line) least = std::min(least, (p - target.lesion.position).norm());
    return least;
  };
  std::stable_sort(targets.begin(), targets.end(), [&](const Target& a, const Target& b) {
    if (a.share != b.share) return a.share > b.share;
    if (a.necessary != b.necessary) return a.necessary;
    return off_line(a) < off_line(b);
  });
  for (std::size_t i = 0; i < targets.size(); ++i) targets[i].rank = int(i) + 1;
  return targets;
}

std::string conclusion(const Plan& plan, std::size_t sites, int extra_stimuli, double ablated, bool fit) {
  std::string text;
  if (!plan.inducible_before) {
    text = fmt::format(
        "Not inducible: pacing from {} with up to {} started no re-entry whose closed circuit could be traced, so "
        "there is no target.",
        counted(sites, "site"),
        extra_stimuli == 1 ? "1 extra-stimulus" : fmt::format("{} extra-stimuli", extra_stimuli));
  } else {
    const auto first = std::count_if(plan.results.begin(), plan.results.end(),
                                     [](const SiteResult& r) { return r.round == 0 && r.inducible; });
    std::vector<int> all(plan.circuits.size());
    for (std::size_t c = 0; c < all.size(); ++c) all[c] = int(c);
    text = fmt::format("Inducible from {} of {}: {} ({}).", first, counted(sites, "site"),
                       counted(plan.circuits.size(), "circuit"), cycles(plan, all));
    const std::string lesions =
        fmt::format("{} ({:.1f} ml of muscle)", counted(plan.targets.size(), "lesion"), ablated);
    if (plan.targets.empty()) {
      text += " No lesion could be placed; it remains inducible.";
    } else if (!plan.inducible_after) {
      text += fmt::format(" After {} pacing from all {} induces nothing.", lesions, counted(sites, "site"));
    } else {
      const int last = last_round(plan);
      std::vector<std::string> remaining;
      for (const auto& result : plan.results)
        if (result.round == last && result.inducible) remaining.push_back(result.site);
      text += fmt::format(" It remains inducible after {} in {}, from {}: the targets are not sufficient.", lesions,
                          counted(std::size_t(last), "round"), fmt::join(remaining, ", "));
    }
  }
  text += reservations(plan);
  if (!fit)
    text +=
        " The twin did not pass its check and was studied nevertheless: its conduction may be an artefact of the mesh.";
  return text;
}

}  // namespace cardiotwin::study
