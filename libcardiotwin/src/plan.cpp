// The pacing study: induce from every site, close the isthmus of every circuit found, pace again, drop lesions that are
// not needed. Every run depends on the twin, the options, its site and its lesions alone, and is kept on disk when
// done: an interrupted study walks the same way again, reading what is there.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cardiotwin/check.hpp>
#include <cardiotwin/plan.hpp>
#include <cmath>
#include <optional>
#include <set>

#include "plan_crew.hpp"
#include "plan_lesions.hpp"
#include "plan_store.hpp"
#include "plan_words.hpp"

namespace cardiotwin {
namespace {

using study::Paced;
using study::Placed;

constexpr double checking_share = 0.05;  // of the whole study's time, roughly

void require(bool holds, const std::string& message) {
  if (!holds) throw InputError("PlanOptions: " + message);
}

void validate(const PlanOptions& o, const std::string& model) {
  const auto multiple = [&](double time) { return std::abs(time / o.dt - std::round(time / o.dt)) < 1e-6; };
  require(o.dt > 0, fmt::format("dt = {} ms must be positive", o.dt));
  const double coarsest = ionic_model(model).coarsest_dt;
  require(o.dt <= coarsest,
          fmt::format("dt = {} ms is too coarse for \"{}\" (at most {} ms); use 0.05 ms", o.dt, model, coarsest));
  require(o.s1 >= 200 && o.s1 <= 2000, fmt::format("s1 = {} ms is outside [200, 2000]", o.s1));
  require(o.s1_beats >= 1 && o.s1_beats <= 100, fmt::format("s1_beats = {} is outside [1, 100]", o.s1_beats));
  require(o.extra_stimuli >= 0 && o.extra_stimuli <= 3,
          fmt::format("extra_stimuli = {} is outside [0, 3]", o.extra_stimuli));
  require(o.step >= 2 && o.step <= 50, fmt::format("step = {} ms is outside [2, 50]", o.step));
  require(multiple(o.step) && multiple(o.s1) && multiple(10.0),
          fmt::format("step = {} ms, s1 = {} ms and 10 ms must be multiples of dt = {} ms", o.step, o.s1, o.dt));
  require(o.sustained >= 300 && o.sustained <= o.followed && o.followed <= 20000,
          fmt::format("sustained = {} ms and followed = {} ms must satisfy 300 <= sustained <= followed <= 20000",
                      o.sustained, o.followed));
  require(o.lesion_radius >= 1 && o.lesion_radius <= 15,
          fmt::format("lesion_radius = {} mm is outside [1, 15]", o.lesion_radius));
  require(o.max_rounds >= 0 && o.max_rounds <= 20, fmt::format("max_rounds = {} is outside [0, 20]", o.max_rounds));
  require(o.velocity_limit > 0, fmt::format("velocity_limit = {} must be positive", o.velocity_limit));
}

void validate_leads(const LeadFields& leads, const Twin& twin) {
  for (const char* name : {"RA", "LA", "LL", "V1", "V2", "V3", "V4", "V5", "V6"})
    require(std::ranges::find(leads.names, name) != leads.names.end(),
            fmt::format("leads lack electrode \"{}\"; the twelve leads need RA, LA, LL, V1 ... V6", name));
  const std::size_t nodes = twin.anatomy.mesh.node_count();
  for (const auto& weights : leads.weights)
    require(weights.size() == nodes,
            fmt::format("leads are of a heart of {} nodes and this one has {}; make them of this twin", weights.size(),
                        nodes));
}

std::vector<std::string> sites_of(const Twin& twin, const PlanOptions& options) {
  std::vector<std::string> names;
  for (const auto& name : options.sites) {
    twin.anatomy.site(name);  // throws for an unknown one
    require(std::find(names.begin(), names.end(), name) == names.end(),
            fmt::format("site \"{}\" is named twice", name));
    names.push_back(name);
  }
  if (!names.empty()) return names;
  const bool any = twin.anatomy.chamber == Chamber::left_atrium;
  for (const auto& site : twin.anatomy.sites)
    if (any || site.name.starts_with("aha")) names.push_back(site.name);
  require(!names.empty(), "the twin has no AHA sites; name the sites to pace");
  return names;
}

class Study {
 public:
  Study(const Twin& twin, const std::filesystem::path& folder, const PlanOptions& options, const Monitor& monitor)
      : twin_(twin),
        options_(options),
        monitor_(monitor),
        sites_(sites_of(twin, options)),
        store_(folder, twin, options, sites_, [this] { return gate(); }) {}

  Plan run();

 private:
  struct Found {
    int index;
    Circuit circuit;  ///< as it ran with the lesions present
  };

  study::Gate gate();
  SimulationOptions simulation_options(const std::vector<Lesion>&) const;
  std::vector<Lesion> lesions(std::size_t without = SIZE_MAX) const;
  std::vector<Paced> pace(const std::string& prefix, const std::vector<std::string>& sites, const std::vector<Lesion>&);
  int number(const Circuit&, const std::string& site);
  std::optional<Found> record(int round, const Paced&);
  std::vector<Found> pace_sites(int round, const std::vector<std::string>& sites);
  std::vector<std::string> order(const std::vector<int>& circuits_first) const;
  bool place(const std::vector<Found>&);
  void treat(std::vector<Found>);
  void prune();

  const Twin& twin_;
  const PlanOptions& options_;
  const Monitor& monitor_;
  const std::vector<std::string> sites_;
  double shown_ = 0;  ///< progress; before the store, which runs the check
  const study::Store store_;
  study::Crew crew_{twin_, options_};
  std::vector<Placed> placed_;
  Plan plan_;
  int round_ = 0;
  std::size_t runs_done_ = 0;
  std::size_t runs_expected_ = 2 * sites_.size();  ///< before and after lesions
};

SimulationOptions Study::simulation_options(const std::vector<Lesion>& present) const {
  SimulationOptions simulation;
  simulation.dt = options_.dt;
  simulation.backend = options_.backend;
  simulation.precision = options_.precision;
  simulation.lesions = present;
  // Conductivities fitted for one ionic load give their velocities with that load only.
  if (twin_.tissue.calibrated_edge > 0) simulation.ionic_load = twin_.tissue.calibrated_load;
  simulation.stiffness = natural_stiffness(twin_);
  return simulation;
}

/// A twin whose velocities are artefacts of its mesh would be studied in vain.
study::Gate Study::gate() {
  Monitor checking = monitor_;
  checking.progress = [this](std::string_view what, double done) {
    shown_ = std::max(shown_, checking_share * done);
    monitor_.report(what, shown_);
  };
  const CheckReport report = check(twin_, simulation_options({}), options_.velocity_limit, checking);
  if (!report.fit() && !options_.accept_unfit) {
    std::vector<std::string> reasons;
    for (const auto& finding : report.findings)
      if (finding.severity == Severity::severe) reasons.push_back(finding.text);
    throw InputError(
        fmt::format("the twin is not fit for a study: {} (calibrate or rebuild it, or accept it as it is with "
                    "accept_unfit)",
                    fmt::join(reasons, "; ")));
  }
  return {to_json(report), report.fit()};
}

std::vector<Lesion> Study::lesions(std::size_t without) const {
  std::vector<Lesion> list;
  for (std::size_t i = 0; i < placed_.size(); ++i)
    if (i != without) list.push_back(placed_[i].lesion);
  return list;
}

/// Runs done before are read, the others simulated and kept. Either way results come from the files, so that both ways
/// agree to the last bit.
std::vector<Paced> Study::pace(const std::string& prefix, const std::vector<std::string>& sites,
                               const std::vector<Lesion>& present) {
  const std::string what = present.empty()
                               ? "pacing"
                               : fmt::format("pacing with {} lesion{}", present.size(), present.size() == 1 ? "" : "s");
  const auto run = [&](const std::string& site) {
    return study::Run{.name = prefix + "_" + site, .site = site, .lesions = present};
  };
  const auto tell = [&](const Paced& paced) {
    monitor_.tell(fmt::format("{} {}: {}", what, paced.result.site, paced.result.outcome));
  };
  std::vector<std::optional<Paced>> paced(sites.size());
  std::vector<std::string> open;
  std::vector<std::size_t> open_index;
  for (std::size_t i = 0; i < sites.size(); ++i) {
    if ((paced[i] = store_.load(run(sites[i]), monitor_))) {
      ++runs_done_;
      tell(*paced[i]);
    } else {
      open.push_back(sites[i]);
      open_index.push_back(i);
    }
  }
  const std::size_t before = runs_done_;
  const auto show = [&](double runs) {
    const double share = (double(before) + runs) / double(std::max(runs_expected_, before + open.size()));
    shown_ = std::max(shown_, checking_share + (1 - checking_share) * share);
    monitor_.report(what, shown_);
  };
  const auto finished = [&](std::size_t k, Paced fresh) {
    store_.save(run(open[k]), fresh);
    auto& kept = paced[open_index[k]] = store_.load(run(open[k]), monitor_);
    if (!kept) throw FileError(fmt::format("the run of {} could not be read back; check the disk", open[k]));
    ++runs_done_;
    tell(*kept);
  };
  show(0);
  monitor_.poll();
  if (!open.empty()) crew_.pace(open, simulation_options(present), monitor_, {.progress = show, .finished = finished});
  std::vector<Paced> all;
  for (auto& one : paced) all.push_back(std::move(*one));
  return all;
}

int Study::number(const Circuit& circuit, const std::string& site) {
  std::size_t index = 0;
  while (index < plan_.circuits.size() && !same_circuit(plan_.circuits[index], circuit)) ++index;
  if (index == plan_.circuits.size()) {
    plan_.circuits.push_back(circuit);
    plan_.circuit_sites.emplace_back();
  }
  auto& sites = plan_.circuit_sites[index];
  if (std::find(sites.begin(), sites.end(), site) == sites.end()) sites.push_back(site);
  return int(index);
}

std::optional<Study::Found> Study::record(int round, const Paced& paced) {
  SiteResult result = paced.result;
  result.round = round;
  std::optional<Found> found;
  if (paced.circuit) {
    result.circuit = number(*paced.circuit, result.site);
    found = Found{result.circuit, *paced.circuit};
  }
  plan_.results.push_back(std::move(result));
  return found;
}

std::vector<Study::Found> Study::pace_sites(int round, const std::vector<std::string>& sites) {
  std::vector<Found> found;
  for (const auto& paced : pace(fmt::format("round{}", round), sites, lesions())) {
    auto one = record(round, paced);
    const auto known = [&](const Found& f) { return f.index == one->index; };
    if (one && std::none_of(found.begin(), found.end(), known)) found.push_back(std::move(*one));
  }
  return found;
}

/// Sites that induced the given circuits, then those that induced any, then the rest.
std::vector<std::string> Study::order(const std::vector<int>& circuits_first) const {
  std::vector<std::string> list;
  const auto add = [&](const std::string& site) {
    if (std::find(list.begin(), list.end(), site) == list.end()) list.push_back(site);
  };
  for (const int c : circuits_first)
    for (const auto& site : plan_.circuit_sites[c]) add(site);
  for (const auto& sites : plan_.circuit_sites)
    for (const auto& site : sites) add(site);
  for (const auto& site : sites_) add(site);
  return list;
}

/// Lesions for circuits that no lesion of this round closes yet; false where there is nothing left to ablate.
bool Study::place(const std::vector<Found>& found) {
  const std::size_t before = placed_.size();
  for (const auto& [index, circuit] : found) {
    bool closed = false;
    for (std::size_t i = before; i < placed_.size(); ++i) {
      const auto on_line = [&](const Vec3& p) {
        return (p - placed_[i].lesion.position).norm() < placed_[i].lesion.radius;
      };
      if (std::none_of(circuit.isthmus_line.begin(), circuit.isthmus_line.end(), on_line)) continue;
      placed_[i].circuits.push_back(index);
      closed = true;
    }
    if (closed) continue;  // pacing again will tell
    for (const auto& lesion : study::lesions_across(twin_.anatomy, circuit, options_.lesion_radius, lesions()))
      placed_.push_back({.lesion = lesion, .circuits = {index}});
  }
  return placed_.size() > before;
}

void Study::treat(std::vector<Found> open) {
  plan_.inducible_after = true;
  while (round_ < options_.max_rounds) {
    // The circuit induced from most sites is closed first: its lesion may close others.
    std::stable_sort(open.begin(), open.end(), [&](const Found& a, const Found& b) {
      return plan_.circuit_sites[a.index].size() > plan_.circuit_sites[b.index].size();
    });
    if (!place(open)) return;
    ++round_;
    runs_expected_ = std::max(runs_expected_, runs_done_ + sites_.size());
    const auto all = order({});
    std::set<std::string> induced;
    for (const auto& sites : plan_.circuit_sites) induced.insert(sites.begin(), sites.end());
    const auto middle = all.begin() + std::ptrdiff_t(induced.size());
    open = pace_sites(round_, {all.begin(), middle});
    if (open.empty()) open = pace_sites(round_, {middle, all.end()});
    if (open.empty()) {
      plan_.inducible_after = false;
      return;
    }
  }
}

/// Each of several lesions is left out in turn, the least first; what is not needed is dropped.
void Study::prune() {
  for (std::size_t i = placed_.size(); i-- > 0 && placed_.size() > 1;) {
    const auto sites = order(placed_[i].circuits);
    runs_expected_ = std::max(runs_expected_, runs_done_ + sites.size());
    // A few at once, which an ensemble does cheaply; what lies behind the first that induces does not count.
    constexpr std::size_t at_once = 4;
    std::vector<Paced> runs;
    while (runs.size() < sites.size() && (runs.empty() || !runs.back().circuit)) {
      const auto first = sites.begin() + std::ptrdiff_t(runs.size());
      const auto count = std::min(at_once, sites.size() - runs.size());
      for (auto& paced :
           pace(fmt::format("round{}_without{}", round_, i), {first, first + std::ptrdiff_t(count)}, lesions(i))) {
        runs.push_back(std::move(paced));
        if (runs.back().circuit) break;
      }
    }
    placed_[i].tested = true;
    placed_[i].necessary = runs.back().circuit.has_value();
    if (placed_[i].necessary) {
      placed_[i].missed_from = runs.back().result.site;
      continue;
    }
    placed_.erase(placed_.begin() + std::ptrdiff_t(i));
    ++round_;
    for (const auto& run : runs) record(round_, run);
  }
}

Plan Study::run() {
  const auto found = pace_sites(0, sites_);
  plan_.inducible_before = !found.empty();
  if (plan_.inducible_before) {
    treat(found);
    if (!plan_.inducible_after) prune();
  }
  plan_.targets = study::ranked_targets(twin_.anatomy, plan_, placed_);
  plan_.conclusion = study::conclusion(plan_, sites_.size(), options_.extra_stimuli,
                                       study::ablated_volume(twin_.anatomy, lesions()), store_.fit());
  monitor_.report("study complete", 1.0);
  monitor_.tell(plan_.conclusion);
  return plan_;
}

}  // namespace

Plan run_study(const Twin& twin, const std::filesystem::path& folder, const PlanOptions& wanted,
               const Monitor& monitor) {
  twin.anatomy.validate();
  PlanOptions options = wanted;
  if (options.dt == 0) options.dt = natural_dt(twin);
  validate(options, twin.tissue.model);
  if (options.leads) validate_leads(*options.leads, twin);
  Study study(twin, folder, options, monitor);
  const Plan plan = study.run();
  save_plan(plan, folder);
  return plan;
}

}  // namespace cardiotwin
