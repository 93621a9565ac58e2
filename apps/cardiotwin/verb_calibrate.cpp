// cardiotwin calibrate: conductivities that give the wanted velocities on this mesh's spacing and scheme.

#include <fmt/format.h>

#include <cardiotwin/calibration.hpp>
#include <cardiotwin/units.hpp>
#include <nlohmann/json.hpp>

#include "calibrate_twin.hpp"
#include "job.hpp"
#include "lat_rows.hpp"
#include "tables.hpp"

namespace cardiotwin::app {

Calibration calibrate_twin(Twin& twin, const std::map<std::string, Velocity>& wanted, SimulationOptions simulation,
                           std::optional<Stiffness> stiffness, double limit,
                           const std::map<std::string, std::string>& options) {
  if (stiffness) simulation.stiffness = *stiffness;
  const auto fitted = stiffness ? calibrate(twin, wanted, simulation, limit, console())
                                : calibrate_within(twin, wanted, simulation, limit, console());
  note_calibration(twin, fitted, simulation, options);
  return fitted;
}

void note_calibration(Twin& twin, const Calibration& fitted, const SimulationOptions& simulation,
                      const std::map<std::string, std::string>& options) {
  twin.tissue = fitted.tissue;
  Step step{.verb = "calibrate", .version = version(), .backend = simulation.backend.name(), .options = options};
  for (const auto& axis : fitted.axes) {
    if (!axis.why.empty()) step.warnings.push_back(axis.region + ": " + axis.why);
  }
  twin.provenance.steps.push_back(std::move(step));
}

namespace {

// "healthy=0.6,0.3" (m/s) or "healthy=0.6 m/s, 0.3 m/s"; one value: the same along and across.
void read_velocity(const std::string& text, std::map<std::string, Velocity>& wanted) {
  const auto equal = text.find('=');
  if (equal == std::string::npos)
    throw InputError(fmt::format("\"{}\" must read REGION=ALONG,ACROSS such as healthy=0.6,0.3", text));
  const auto region = split(text.substr(0, equal)), values = split(text.substr(equal + 1));
  if (region.size() != 1 || values.empty() || values.size() > 2) {
    throw InputError(fmt::format("\"{}\" must read REGION=ALONG,ACROSS such as healthy=0.6,0.3", text));
  }
  const auto read = [](const std::string& word) {
    const bool bare = word.find_first_not_of("0123456789.eE+-") == std::string::npos;
    return parse_quantity(bare ? word + " m/s" : word, dimension::velocity);
  };
  wanted[region[0]] = {.along = read(values.front()), .across = read(values.back())};
}

struct CalibrateJob {
  Options options{"calibrate"};
  std::filesystem::path twin, out;
  std::map<std::string, Velocity> wanted;
  SimulationOptions simulation;
  double limit = 0.1;
  bool json = false;
  std::string stiffness = "auto";
  LatRows lat;
  std::filesystem::path fit_out;
  std::optional<ActivationFit> fit;

  void declare() {
    simulation.dt = 0;
    simulation.precision = PlanOptions{}.precision;
    options.path("twin", twin, "the twin to calibrate"), options.positional(), options.required();
    options.path("out", out, "the twin to write; the same one by default");
    options.custom(
        "cv", "REGION=ALONG,ACROSS", [this](const std::string& text) { read(text); }, [this] { return show(); },
        "wanted velocities [m/s]; may be repeated; a region not named keeps its own");
    add_lat_rows(options, lat);
    options.path("fit_out", fit_out, "folder for the fitted LATs (lat.vtu), points.csv and posterior.json");
    options.text("stiffness", stiffness,
                 "of the diffusion the twin will be run with; auto: p1 where it keeps to the limit in every direction, "
                 "else nodal-gradient, whose steps cost more",
                 {"auto", "p1", "nodal-gradient"});
    options.time_step("dt", simulation.dt, "time step the twin will be run with; auto: the coarsest it allows");
    options.number("limit", limit, 0.001, 1, "largest accepted relative velocity error");
    options.flag("json", json, "print JSON", true);
  }

  // Repeated flags arrive joined by commas: "healthy=0.6,0.3,border_zone=0.3,0.15".
  void read(const std::string& text) {
    std::string entry;
    for (const auto& word : split(text)) {
      if (word.find('=') != std::string::npos) {
        if (!entry.empty()) read_velocity(entry, wanted);
        entry = word;
      } else {
        entry += "," + word;
      }
    }
    read_velocity(entry, wanted);
  }
  std::string show() const {
    std::string text;
    for (const auto& [region, v] : wanted)
      text += fmt::format("{}{}={},{}", text.empty() ? "" : ",", region, v.along, v.across);
    return text;
  }

  static std::string left() { return "nothing was written, so the same command begins anew"; }

  /// Velocities from the maps, and conductivities whose simulated beats have them.
  Calibration fit_maps(Twin& patient, std::optional<Stiffness> chosen) {
    for (const auto& [region, v] : wanted) patient.tissue[region].wanted = v;  // where the fit begins
    std::map<std::string, std::string> hashes{{"twin", sha256_of_file(twin)}};
    const auto beats = load_beats(patient.anatomy, lat, console(), hashes);
    fit = fit_activation(patient, beats, lat.fit, console());
    for (const auto& finding : fit->findings)
      finding.severity == Severity::info ? console().tell(finding.text) : console().warn(finding.text);
    if (!fit_out.empty()) write_fit(fit_out, patient, beats, *fit);
    if (!json) say(posterior_table(*fit));
    const auto reached = calibrate_to_maps(patient, beats, *fit, simulation, chosen, limit, console());
    note_calibration(patient, reached.calibration, simulation, options.effective());
    patient.posterior = to_json(fit->posterior);
    auto& step = patient.provenance.steps.back();
    step.inputs = hashes, step.seed = lat.fit.seed;
    for (const auto& finding : fit->findings) step.warnings.push_back(finding.text);
    if (!json)
      say(fmt::format(
          "simulated LATs are {:.1f} ms (rms) off the measured ones; with plane waves of the fitted velocities "
          "it would be {:.1f} ms, as curved fronts are slower",
          reached.after.rms, reached.before.rms));
    return reached.calibration;
  }

  void run() {
    Twin patient = Twin::load(twin);
    const auto chosen = stiffness == "auto" ? std::nullopt : std::optional(stiffness_of(stiffness));
    if (lat.files.empty() && !wanted.empty()) patient.posterior.clear();  // it was of other velocities
    const auto fitted = lat.files.empty()
                            ? calibrate_twin(patient, wanted, simulation, chosen, limit, options.effective())
                            : fit_maps(patient, chosen);
    patient.save(out.empty() ? twin : out);
    if (!json)
      return say(
          velocity_table(fitted.axes) +
          fmt::format("\nconductivities hold for this mesh's edge and {} diffusion; '!' marks what is not within "
                      "the limit",
                      stiffness_name(fitted.tissue.calibrated_stiffness)));
    nlohmann::ordered_json rows = nlohmann::ordered_json::array();
    for (const auto& a : fitted.axes) {
      rows.push_back({{"region", a.region},
                      {"axis", a.axis == Axis::along ? "along" : "across"},
                      {"wanted_m_per_s", a.wanted},
                      {"mean_m_per_s", a.reached.mean},
                      {"low_m_per_s", a.reached.low},
                      {"high_m_per_s", a.reached.high},
                      {"blocked_directions", a.reached.blocked},
                      {"conductivity_S_per_m", a.conductivity},
                      {"within_limit", a.within_limit},
                      {"why", a.why}});
    }
    say(nlohmann::ordered_json{{"research_use_only", research_use_only},
                               {"stiffness", stiffness_name(fitted.tissue.calibrated_stiffness)},
                               {"dt_ms", fitted.tissue.calibrated_dt},
                               {"axes", rows}}
            .dump(2));
  }
};

}  // namespace

void add_calibrate(CLI::App& app) {
  add_verb<CalibrateJob>(app, "calibrate",
                         "Fits conductivities per region and axis to wanted conduction velocities on this very mesh.",
                         "a .twin", "the .twin with fitted conductivities; a table, or JSON, on stdout");
}

}  // namespace cardiotwin::app
