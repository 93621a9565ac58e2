#include <fmt/core.h>

#include <cardiotwin/error.hpp>
#include <cardiotwin/tissue.hpp>
#include <cmath>
#include <utility>

namespace cardiotwin {
namespace {

std::vector<std::string> names(const std::map<std::string, RegionTissue>& regions) {
  std::vector<std::string> all;
  for (const auto& [name, region] : regions) all.push_back(name);
  return all;
}

[[noreturn]] void unknown_region(std::string_view name, const std::map<std::string, RegionTissue>& regions) {
  throw InputError(fmt::format("Tissue has no region \"{}\"{}", name, suggestion(name, names(regions))));
}

// Bounds of a conductivity, and the slip that most likely led out of them: mS/m or S/cm written as S/m.
void check_conductivity(const std::string& region, const char* axis, double value) {
  constexpr double low = 1e-4, high = 10;
  if (value >= low && value <= high) return;
  std::string cure;
  if (value > high && value / 1000 >= low && value / 1000 <= high)
    cure = fmt::format("; did you mean {:g}?", value / 1000);
  throw InputError(
      fmt::format("Tissue \"{}\": {} = {:g} S/m is outside [{:g}, {:g}]{}", region, axis, value, low, high, cure));
}

void check_velocity(const std::string& region, const char* axis, double value) {
  if (value == 0 || (value >= 0.02 && value <= 3)) return;
  throw InputError(
      fmt::format("Tissue \"{}\": wanted velocity {} = {:g} m/s is outside [0.02, 3]", region, axis, value));
}

// --- Conductivity that gives a velocity in the continuum, before any mesh is known.

// Modified Mitchell-Schaeffer: with h = 1 the front obeys u_t = D u_xx + u (u - v_gate) (1 - u) / tau_in, whose
// travelling wave has c = sqrt(D / (2 tau_in)) (1 - 2 v_gate) (Nagumo; e.g. Keener & Sneyd,
// doi 10.1007/978-0-387-75847-3, section 6.2).
constexpr double tau_in = 0.3, v_gate = 0.13;            // [ms], [-]
constexpr double beta_times_capacitance = 140.0 * 0.01;  // [uF/mm3]

double mitchell_schaeffer_sigma(double velocity) {
  const double scaled = velocity / (1 - 2 * v_gate);
  return beta_times_capacitance * 2 * tau_in * scaled * scaled;
}

// ten Tusscher-Panfilov 2006 epi: 0.605 m/s at 0.1334 S/m (cable of 50 um, consistent mass; own measurement), and c ~
// sqrt(D).
double ten_tusscher_sigma(double velocity) { return 0.1334 * (velocity / 0.605) * (velocity / 0.605); }

// Courtemanche 1998, variant af: 0.483 m/s, with the currents of fibrosis 0.397 m/s, at 0.1334 S/m (plane waves on the
// mesher's lattice of 0.14 mm; own measurement).
double courtemanche_sigma(double velocity) { return 0.1334 * (velocity / 0.483) * (velocity / 0.483); }
double fibrotic_courtemanche_sigma(double velocity) { return 0.1334 * (velocity / 0.397) * (velocity / 0.397); }

template <class Sigma>
RegionTissue living(Velocity wanted, Sigma sigma) {
  RegionTissue region;
  region.wanted = wanted;
  region.conductivity = {.along = sigma(wanted.along), .across = sigma(wanted.across)};
  return region;
}

RegionTissue dead() {
  RegionTissue region;
  region.conducts = false;
  return region;
}

// A healed infarct with surviving bundles. Time constants: Corrado & Niederer 2016 (doi 10.1016/j.mbs.2016.08.010) for
// the model; the three tau_close were chosen in a prototype so that a 6 mm channel sustains re-entry of 350-370 ms and
// every control stays quiet.
Tissue post_infarct() {
  Tissue tissue;
  tissue.model = "mitchell-schaeffer-modified";
  auto& r = tissue.regions;
  r["healthy"] = living({.along = 0.60, .across = 0.40}, mitchell_schaeffer_sigma);
  r["healthy"].parameters = {{"tau_close", 120.0}};
  r["border_zone"] = living({.along = 0.45, .across = 0.45}, mitchell_schaeffer_sigma);
  r["border_zone"].parameters = {{"tau_close", 130.0}};
  r["channel"] = living({.along = 0.30, .across = 0.30}, mitchell_schaeffer_sigma);
  r["channel"].parameters = {{"tau_close", 195.0}};
  r["core"] = dead();
  return tissue;
}

Tissue post_infarct_ten_tusscher() {
  Tissue tissue;
  tissue.model = "tentusscher-2006";
  auto& r = tissue.regions;
  r["healthy"] = living({.along = 0.60, .across = 0.40}, ten_tusscher_sigma);
  r["healthy"].variant = "epi";
  r["border_zone"] = living({.along = 0.45, .across = 0.45}, ten_tusscher_sigma);
  r["border_zone"].variant = "epi";
  r["channel"] = living({.along = 0.30, .across = 0.30}, ten_tusscher_sigma);
  r["channel"].variant = "border_zone";
  r["core"] = dead();
  return tissue;
}

Tissue healthy_ten_tusscher() {
  Tissue tissue;
  tissue.model = "tentusscher-2006";
  tissue.regions["healthy"] = living({.along = 0.60, .across = 0.40}, ten_tusscher_sigma);
  tissue.regions["healthy"].variant = "epi";
  return tissue;
}

// Fibrotic atria. Velocities: about those of Zahid et al. 2016 (doi 10.1093/cvr/cvw073) without fibrosis, slowed by
// about a third in it. Tissue inside dense scar that survives is fibrotic.
Tissue atrium(const char* model, double (*sigma)(double velocity), double (*fibrotic_sigma)(double velocity)) {
  Tissue tissue;
  tissue.model = model;
  auto& r = tissue.regions;
  r["healthy"] = living({.along = 0.70, .across = 0.40}, sigma);
  r["border_zone"] = living({.along = 0.45, .across = 0.30}, fibrotic_sigma);
  r["channel"] = r["border_zone"];
  r["core"] = dead();
  return tissue;
}

// Electrical remodelling by atrial fibrillation everywhere (the model's variant); in fibrosis besides I_Na -40 %,
// I_CaL -50 %, I_K1 -50 % (Roney et al. 2016, doi 10.1093/europace/euw365, after effects of TGF-beta 1).
Tissue fibrotic_atrium_courtemanche() {
  Tissue tissue = atrium("courtemanche-1998", courtemanche_sigma, fibrotic_courtemanche_sigma);
  for (auto& [name, region] : tissue.regions)
    if (region.conducts) region.variant = "af";
  for (const char* name : {"border_zone", "channel"})
    tissue.regions[name].parameters = {{"g_Na", 0.6 * 7.8}, {"g_CaL", 0.5 * 0.037125}, {"g_K1", 0.5 * 0.09}};
  return tissue;
}

// The same action potential durations with two variables: APD90 at 500 ms of the model above is 151 ms and in fibrosis
// 170 ms (30 beats of one cell; own measurement).
Tissue fibrotic_atrium() {
  Tissue tissue = atrium("mitchell-schaeffer-modified", mitchell_schaeffer_sigma, mitchell_schaeffer_sigma);
  tissue.regions["healthy"].parameters = {{"tau_close", 76.5}};
  for (const char* name : {"border_zone", "channel"}) tissue.regions[name].parameters = {{"tau_close", 88.0}};
  return tissue;
}

}  // namespace

// A layer that stands for the Purkinje network, as in models of whole ventricles (Lee et al. 2019,
// doi 10.1016/j.media.2019.06.017). Premature beats spread on the dog's endocardium at about 1 m/s, three times as fast
// as through the wall (Scher et al. 1955, Circ. Res. 3:56); 2.5 times is between twice and that.
void add_fast_endocardium(Tissue& tissue) {
  constexpr double times = 2.5;
  RegionTissue fast = std::as_const(tissue)["healthy"];
  if (!(fast.wanted.along > 0 && fast.wanted.across > 0))
    throw InputError(
        "Tissue \"fast_endocardium\": healthy tissue has no wanted velocity of which it could be a multiple");
  fast.wanted.along *= times, fast.wanted.across *= times;
  // A front's velocity goes with the square root of the conductivity.
  fast.conductivity.along *= times * times, fast.conductivity.across *= times * times;
  tissue.regions["fast_endocardium"] = fast;
}

std::string stiffness_name(Stiffness s) { return s == Stiffness::p1 ? "p1" : "nodal-gradient"; }

Stiffness stiffness_of(std::string_view name) {
  const std::vector<std::string> known = {"p1", "nodal-gradient"};
  for (const auto s : {Stiffness::p1, Stiffness::nodal_gradient})
    if (name == stiffness_name(s)) return s;
  throw InputError(fmt::format("Stiffness \"{}\" is unknown{}", name, suggestion(name, known)));
}

RegionTissue& Tissue::operator[](std::string_view region) {
  const auto found = regions.find(std::string(region));
  if (found == regions.end()) unknown_region(region, regions);
  return found->second;
}

const RegionTissue& Tissue::operator[](std::string_view region) const {
  const auto found = regions.find(std::string(region));
  if (found == regions.end()) unknown_region(region, regions);
  return found->second;
}

std::vector<std::string> Tissue::library_names() {
  return {"post-infarct", "post-infarct-tt2006", "healthy-tt2006", "fibrotic-atrium", "fibrotic-atrium-crn1998"};
}

Tissue Tissue::library(std::string_view name) {
  if (name == "post-infarct") return post_infarct();
  if (name == "post-infarct-tt2006") return post_infarct_ten_tusscher();
  if (name == "healthy-tt2006") return healthy_ten_tusscher();
  if (name == "fibrotic-atrium") return fibrotic_atrium();
  if (name == "fibrotic-atrium-crn1998") return fibrotic_atrium_courtemanche();
  const auto known = library_names();
  throw InputError(fmt::format("Tissue library has no \"{}\"{}", name, suggestion(name, known)));
}

void Tissue::validate() const {
  if (!(beta >= 10 && beta <= 1000))
    throw InputError(fmt::format("Tissue: beta = {:g} /mm is outside [10, 1000]; 140 /mm is usual", beta));
  if (!(capacitance >= 1e-3 && capacitance <= 0.1))
    throw InputError(fmt::format(
        "Tissue: capacitance = {:g} uF/mm2 is outside [0.001, 0.1]; 0.01 uF/mm2 (1 uF/cm2) is usual", capacitance));
  const IonicModel& ionic = ionic_model(model);
  bool alive = false;
  for (const auto& [name, region] : regions) {
    check_conductivity(name, "extracellular along", region.extracellular.along);
    check_conductivity(name, "extracellular across", region.extracellular.across);
    if (!region.conducts) continue;
    alive = true;
    check_conductivity(name, "along", region.conductivity.along);
    check_conductivity(name, "across", region.conductivity.across);
    check_conductivity(name, "intracellular along", region.intracellular.along);
    check_conductivity(name, "intracellular across", region.intracellular.across);
    check_velocity(name, "along", region.wanted.along);
    check_velocity(name, "across", region.wanted.across);
    try {
      ionic_parameters(ionic, region.variant, region.parameters);
    } catch (const InputError& error) {
      throw InputError(fmt::format("Tissue \"{}\": {}", name, error.what()));
    }
  }
  if (!alive) throw InputError("Tissue: no region conducts; at least one must");
}

}  // namespace cardiotwin
