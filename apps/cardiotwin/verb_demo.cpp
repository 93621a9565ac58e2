// cardiotwin demo: all stages on a synthetic patient. A stage whose product is there is not done again, so an
// interrupted demo goes on where it was; the options must be the same.

#include <fmt/format.h>

#include <cardiotwin/cardiotwin.hpp>
#include <cardiotwin/meshes/build.hpp>
#include <cardiotwin/meshes/phantom.hpp>
#include <nlohmann/json.hpp>

#include "calibrate_twin.hpp"
#include "ecg_rows.hpp"
#include "job.hpp"
#include "phantom_rows.hpp"
#include "plan_rows.hpp"
#include "tables.hpp"

namespace cardiotwin::app {
namespace {

namespace fs = std::filesystem;

struct DemoJob {
  Options options{"demo"};
  fs::path out = "demo";
  meshes::PhantomOptions phantom;
  meshes::BuildOptions build;
  PlanOptions plan;
  bool no_scar = false, no_channel = false;

  void declare() {
    build.edge = 1.5;
    plan.sites = {"aha1", "aha4", "aha7", "aha10", "aha13", "aha15", "aha17"};  // seven of seventeen, for speed
    options.path("out", out, "folder for everything the demo makes");
    options.seed("phantom_seed", phantom.seed, "of the synthetic patient");
    options.flag("no_scar", no_scar, "a healthy ventricle: nothing should be found");
    options.flag("no_channel", no_channel, "an infarct without a surviving channel: nothing should be found");
    options.quantity("edge", build.edge, "mm", 0.3, 5, "mean edge of the tetrahedra");
    add_phantom_rows(options, phantom);
    add_plan_rows(options, plan);
  }

  std::string left() const {
    return fmt::format("finished stages are kept in {}, and the same command goes on from there", out.string());
  }

  void run() {
    phantom.scar = !no_scar;
    phantom.channel = !no_channel && !no_scar;
    make_folder(out);
    claim_folder();
    const fs::path image = out / "case/lge.nii.gz", labels = out / "case/labels.nii.gz", heart = out / "heart.twin",
                   study = out / "study";
    if (stage("1/6 phantom: a synthetic patient", out / "case/truth.json")) {
      make_folder(out / "case");
      meshes::write_phantom(meshes::make_phantom(phantom, console()), phantom, out / "case");
    }
    if (stage("2/6 build: image to twin", out / "built.twin"))
      meshes::build_twin(image, labels, build, console()).save(out / "built.twin");
    if (stage("3/6 calibrate: velocities on this mesh", heart)) calibrated(heart);
    const Twin twin = Twin::load(heart);
    const SimulationOptions simulation{.dt = plan.dt > 0 ? plan.dt : natural_dt(twin),
                                       .precision = plan.precision,
                                       .stiffness = natural_stiffness(twin)};
    if (stage("4/6 check", out / "check.json")) {
      const auto report = check(twin, simulation, plan.velocity_limit, console());
      say(check_table(report));
      write_text(out / "check.json", to_json(report));
    }
    stage("5/6 plan: pace, find circuits, ablate, pace again", study / "plan.json");
    plan.leads = twelve_lead_fields(twin, {.torso = "trunk", .frame = "heart"}, console());
    const Plan result = run_study(twin, study, plan, console());
    say(plan_table(result));
    compare_with_truth(result);
    say("6/6 report");
    write_report(study, console());
    say(fmt::format("\nopen {} in a browser\n{}", (study / "report.html").string(), research_use_only));
  }

  // The folder belongs to the options it was begun with.
  void claim_folder() const {
    const fs::path file = out / "demo.toml";
    const std::string mine = options.toml();
    if (fs::exists(file) && read_text(file) != mine) {
      throw InputError(fmt::format("{} was made with other options; choose another --out, or remove it", out.string()));
    }
    if (!fs::exists(file)) write_text(file, mine);
  }

  static bool stage(const std::string& title, const fs::path& product) {
    const bool needed = !fs::exists(product);
    say(title + (needed ? "" : " (there already)"));
    return needed;
  }

  void calibrated(const fs::path& heart) const {
    Twin twin = Twin::load(out / "built.twin");
    const auto fitted = calibrate_twin(twin, {}, {.dt = plan.dt, .precision = plan.precision}, std::nullopt,
                                       plan.velocity_limit, options.effective());
    say(velocity_table(fitted.axes));
    twin.save(heart);
  }

  // The patient is made up, so the true channel is known: how far from it is the first target?
  void compare_with_truth(const Plan& result) const {
    if (result.targets.empty()) return;
    const auto truth = nlohmann::json::parse(read_text(out / "case/truth.json"));
    double nearest = INFINITY;
    for (const auto& p : truth.at("channel").at("centre_line")) {
      nearest = std::min(nearest, (Vec3(p[0], p[1], p[2]) - result.targets.front().lesion.position).norm());
    }
    say(fmt::format(
        "truth: the first target lies {:.1f} mm from the centre line of the channel this patient was made with",
        nearest));
  }
};

}  // namespace

void add_demo(CLI::App& app) {
  add_verb<DemoJob>(app, "demo", "All of it on a synthetic patient: phantom, build, calibrate, check, plan, report.",
                    "nothing but options", "case/, heart.twin, check.json and study/ with report.html in --out");
}

}  // namespace cardiotwin::app
