// cardiotwin plan: induce, find circuits, ablate, pace again. cardiotwin report: the page and the files of a finished
// study.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cardiotwin/io.hpp>
#include <cardiotwin/plan.hpp>
#include <cardiotwin/report.hpp>

#include "ecg_rows.hpp"
#include "job.hpp"
#include "plan_rows.hpp"
#include "site_rows.hpp"
#include "tables.hpp"

namespace cardiotwin::app {

void add_plan_rows(Options& rows, PlanOptions& p) {
  rows.custom(
      "sites", "aha17 | NAME,...",
      [&p](const std::string& text) {
        p.sites = split(text);
        if (p.sites == std::vector<std::string>{"aha17"}) p.sites.clear();  // all seventeen
      },
      [&p] { return p.sites.empty() ? std::string("aha17") : fmt::format("{}", fmt::join(p.sites, ",")); },
      "pacing sites; aha17 alone means all seventeen segments, of an atrium all sites");
  rows.quantity("s1", p.s1, "ms", 200, 2000, "basic interval");
  rows.integer("s1_beats", p.s1_beats, 1, 100, "beats at the basic interval");
  rows.integer("extra_stimuli", p.extra_stimuli, 0, 3,
               "extra-stimuli S2 to S4, each at the shortest capturing interval");
  rows.quantity("step", p.step, "ms", 2, 50, "resolution of that interval");
  rows.quantity("sustained", p.sustained, "ms", 300, 10000, "activity so long after the last stimulus is sustained");
  rows.quantity("followed", p.followed, "ms", 300, 20000,
                "a tachycardia is followed until so long after the last stimulus");
  rows.quantity("lesion_radius", p.lesion_radius, "mm", 1, 15, "of a lesion");
  rows.integer("max_rounds", p.max_rounds, 1, 20, "rounds of ablating and pacing again");
  rows.number("velocity_limit", p.velocity_limit, 0.01, 1, "largest accepted relative velocity error");
  rows.flag("accept_unfit", p.accept_unfit, "study a twin that `check` finds unfit");
  rows.time_step("dt", p.dt, "time step; auto: the one the twin was calibrated for, else the coarsest it allows");
  rows.custom(
      "backend", "NAME", [&p](const std::string& text) { p.backend = Backend::named(text); },
      [&p] { return p.backend.name(); }, "cpu, or cuda or cuda:1 where there is a GPU");
  rows.seed("seed", p.seed, "recorded with the result");
}

std::string plan_table(const Plan& plan) {
  std::string out = "  round  site      outcome\n";
  for (const auto& r : plan.results) out += fmt::format("  {:>5}  {:<8}  {}\n", r.round, r.site, r.outcome);
  for (const auto& t : plan.targets) {
    const auto& p = t.lesion.position;
    const auto place = t.place.empty() ? std::string() : ", " + t.place;
    const auto segment = t.aha > 0 ? fmt::format(", AHA {}", t.aha) : std::string();
    out += fmt::format("target {}: ({:.1f}, {:.1f}, {:.1f}) mm LPS, radius {:.1f} mm{}{}: {}\n", t.rank, p[0], p[1],
                       p[2], t.lesion.radius, place, segment, t.evidence);
  }
  return out + plan.conclusion;
}

namespace {

struct PlanJob {
  Options options{"plan"};
  PlanOptions plan;
  std::filesystem::path twin, out = "study";
  std::vector<WantedSite> sites;
  EcgRows ecg{.torso = "trunk"};
  bool resume = false, json = false;

  void declare() {
    options.path("twin", twin, "the twin to study"), options.positional(), options.required();
    options.path("out", out, "folder of the study; one that was interrupted is resumed");
    add_plan_rows(options, plan);
    add_site_row(options, sites, "a site that the twin lacks, paced with the others");
    add_torso_rows(options, ecg,
                   "what surrounds the heart in the twelve-lead ECG of each circuit: trunk (parametric, with lungs and "
                   "blood), none (no ECG), or a mesh file with --electrodes");
    options.flag("resume", resume, "insist that there is an interrupted study to resume", true);
    options.flag("json", json, "print plan.json", true);
  }

  std::string left() const {
    return fmt::format("what was finished is kept in {}, and the same command goes on from there", out.string());
  }

  void add_sites(Anatomy& anatomy) {
    if (sites.empty()) return;
    constexpr double radius = 3;  // [mm], as of standard sites
    if (plan.sites.empty()) {
      for (const auto& site : anatomy.sites)
        if (site.name.starts_with("aha")) plan.sites.push_back(site.name);
    }
    place_sites(anatomy, sites, radius, console());
    for (const auto& site : sites)
      if (std::ranges::find(plan.sites, site.name) == plan.sites.end()) plan.sites.push_back(site.name);
  }

  void run() {
    if (resume && !std::filesystem::exists(out / "study.json")) {
      throw InputError(fmt::format("--resume: {} holds no study; leave --resume out to begin one", out.string()));
    }
    Twin patient = Twin::load(twin);
    add_sites(patient.anatomy);
    plan.leads = twelve_lead_fields(patient, ecg, console());
    const Plan result = run_study(patient, out, plan, console());
    say(json ? read_text(out / "plan.json")
             : plan_table(result) + fmt::format("\nnext: cardiotwin report {}", out.string()));
  }
};

struct ReportJob {
  Options options{"report"};
  std::filesystem::path study;

  void declare() {
    options.path("study", study, "folder of a finished study"), options.positional(), options.required();
  }

  static std::string left() { return "the study is untouched, so the same command begins anew"; }

  void run() {
    write_report(study, console());
    say(fmt::format("{}\n{}\n{}", (study / "report.html").string(), (study / "targets.json").string(),
                    (study / "targets.csv").string()));
  }
};

}  // namespace

void add_plan(CLI::App& app) {
  add_verb<PlanJob>(
      app, "plan", "Paces the twin, finds the circuits of what it induces, places lesions, paces again, ranks targets.",
      "a .twin", "a study: study.json, heart.twin, runs/, circuits.h5 and plan.json in --out");
}

void add_report(CLI::App& app) {
  add_verb<ReportJob>(app, "report", "Writes the report of a finished study.", "the folder of a finished study",
                      "report.html, targets.json, targets.csv, surface.vtu and volume.vtu in that folder");
}

}  // namespace cardiotwin::app
