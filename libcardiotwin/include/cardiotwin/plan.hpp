#pragma once
/// The pacing study: induce, find circuits, ablate, pace again, rank.

#include <cardiotwin/reentry.hpp>
#include <cardiotwin/simulation.hpp>
#include <cardiotwin/volume_conductor.hpp>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace cardiotwin {

struct PlanOptions {
  std::vector<std::string> sites;  ///< names of sites; empty: all of the twin's AHA sites, of an atrium all
  double s1 = 600;                 ///< [ms]
  int s1_beats = 2;
  int extra_stimuli = 3;        ///< S2..S4, each at the shortest capturing interval
  double step = 10;             ///< resolution of the coupling interval [ms]
  double sustained = 1000;      ///< activity this long after the last stimulus is sustained [ms]
  double followed = 1600;       ///< and is followed until then [ms]
  double lesion_radius = 5;     ///< [mm]
  int max_rounds = 4;           ///< of ablate-and-pace-again
  double velocity_limit = 0.1;  ///< refuses a twin whose expected velocity error is larger ...
  bool accept_unfit = false;    ///< ... unless told otherwise
  double dt = 0;                ///< [ms]; 0: natural_dt of the twin
  Precision precision = Precision::fp32;
  Backend backend = Backend::cpu();
  std::uint64_t seed = 1;
  /// Of RA, LA, LL, V1 ... V6 on this twin: the twelve leads of each circuit are recorded (none: they are not).
  std::shared_ptr<const LeadFields> leads = {};
};

/// What pacing one site did.
struct SiteResult {
  std::string site;
  int round = 0;  ///< 0: before any lesion
  bool inducible = false;
  std::vector<double> coupling = {};  ///< intervals of S2, S3, S4 used [ms]
  double active_after = 0;            ///< last activity after the last stimulus [ms]
  int circuit = -1;                   ///< index into Plan::circuits, -1 where no closed circuit
  std::string outcome = {};           ///< one clause for a person: "no re-entry", "re-entry of 362 ms", ...
};

/// A proposed ablation.
struct Target {
  int rank = 0;
  Lesion lesion;
  double depth = 0;  ///< wall thickness there, the depth a transmural lesion needs [mm]
  int aha = 0;
  std::string place = {};                      ///< in words: "mid anterior, mid-wall, LV"; may be empty
  std::vector<int> circuits = {};              ///< addressed
  std::vector<std::string> induced_from = {};  ///< sites from which those circuits were induced
  double share = 0;                            ///< of inducible sites whose circuit it addresses
  bool necessary = true;                       ///< pacing again was negative only with it
  std::string evidence = {};                   ///< one sentence
};

struct Plan {
  std::vector<SiteResult> results;                      ///< all rounds
  std::vector<Circuit> circuits;                        ///< distinct ones
  std::vector<std::vector<std::string>> circuit_sites;  ///< which sites induced each
  std::vector<Target> targets;                          ///< ranked; empty where nothing was inducible
  bool inducible_before = false, inducible_after = false;
  std::string conclusion;  ///< one paragraph for a person
};

/// Runs or resumes the study in `folder`. Layout: `study.json` (effective options, twin hash, version, provenance, and
/// under "check" the CheckReport as JSON), `heart.twin` (the twin studied), `runs/*.json` (one per site and round,
/// written when finished), `circuits.h5` (LAT maps), `circuit_N_ecg.csv` (where `leads` are given), `plan.json` (when
/// complete). An existing folder of the same twin
/// and options is resumed; of another one is refused with InputError. Same input, same backend: same bytes.
Plan run_study(const Twin&, const std::filesystem::path& folder, const PlanOptions& = {}, const Monitor& = {});

/// Writes plan.json, circuits.h5 and the circuits' ECGs of a study (whole or not at all); throws FileError.
void save_plan(const Plan&, const std::filesystem::path& folder);

/// The plan of a finished study; throws FileError.
Plan load_plan(const std::filesystem::path& folder);

}  // namespace cardiotwin
