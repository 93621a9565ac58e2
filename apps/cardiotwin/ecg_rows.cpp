#include "ecg_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cardiotwin/ecg_paper.hpp>
#include <cardiotwin/meshes/torso.hpp>
#include <charconv>
#include <cmath>

#include "job.hpp"

namespace cardiotwin::app {
namespace {

void add_points_row(Options& rows, const std::string& key, std::vector<WantedSite>& points, const std::string& doc) {
  rows.custom(
      key, "NAME=X,Y,Z mm",
      [&points, key](const std::string& text) {
        points = read_sites(text);
        for (const auto& point : points)
          if (!point.position)
            throw InputError(fmt::format("--{}: \"{}\" must be a position: {}=x,y,z mm", key, point.name, point.name));
      },
      [&points] {
        std::string text;
        for (const auto& point : points)
          text += fmt::format("{}{}={}", text.empty() ? "" : ",", point.name, point.text);
        return text;
      },
      doc);
}

double number_of(const std::string& word, const std::string& what) {
  double value = 0;
  const auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (failed != std::errc{} || end != word.data() + word.size() || !std::isfinite(value))
    throw InputError(fmt::format("{}: \"{}\" is not a number", what, word));
  return value;
}

std::vector<std::vector<double>> read_groups(const std::string& text, std::size_t numbers, const std::string& what,
                                             const std::string& form) {
  std::vector<std::vector<double>> groups;
  for (const auto& group : split(text, ';')) {
    std::vector<double> values;
    for (const auto& word : split(group)) values.push_back(number_of(word, what));
    if (values.size() != numbers)
      throw InputError(fmt::format("{}: \"{}\" has {} numbers; it must read {}", what, group, values.size(), form));
    groups.push_back(values);
  }
  return groups;
}

std::map<std::string, double> read_conductivity(const std::string& text) {
  std::map<std::string, double> result;
  for (const auto& word : split(text)) {
    const auto equal = word.find('=');
    if (equal == std::string::npos || equal == 0)
      throw InputError(fmt::format("--torso-conductivity: \"{}\" must read NAME=S/m, such as lungs=0.05", word));
    result[word.substr(0, equal)] = number_of(word.substr(equal + 1), "--torso-conductivity");
  }
  return result;
}

/// Where a scanner's coordinates cannot be meant: in a body the apex points left, forward and down, and the septum
/// looks to the right and forward.
meshes::BodyFrame frame_of(const Anatomy& heart, const EcgRows& rows, const Monitor& monitor) {
  if (rows.frame == "scanner") return meshes::BodyFrame::scanner;
  if (rows.frame == "heart") return meshes::BodyFrame::heart;
  const Vec3 axis = heart.apex - heart.base_centre;
  const bool known = axis.norm() > 0 && heart.septum.norm() > 0;
  if (known && (axis.normalized().dot(Vec3(0.611, -0.632, -0.477)) < 0.5 || heart.septum.dot(Vec3(-1, -1, 0)) < 0)) {
    monitor.warn(
        "apex and septum do not point where they do in a body, so that the heart's coordinates are not a scanner's; "
        "the "
        "torso is turned around it (--torso-frame scanner keeps it upright)");
    return meshes::BodyFrame::heart;
  }
  return meshes::BodyFrame::scanner;
}

constexpr double lead_field_edge = 3;  ///< [mm] in and around the heart: lead fields are smooth there

}  // namespace

void add_torso_rows(Options& rows, EcgRows& e, const std::string& torso_doc) {
  rows.text("torso", e.torso, torso_doc);
  rows.text("torso_frame", e.frame,
            "of a trunk: scanner (its axes are x, y, z), heart (it is turned around the heart), auto",
            {"auto", "scanner", "heart"});
  rows.quantity("torso_edge", e.torso_edge, "mm", 0, 20,
                "mean edge of a trunk or bath in and around the heart; 0: 3 mm, in a bidomain the heart's own");
  rows.custom(
      "torso_conductivity", "NAME=S/m,...",
      [&e](const std::string& text) { read_conductivity(text), e.conductivity = text; },
      [&e] { return e.conductivity; }, "in place of the usual ones, such as lungs=0.05,blood=0.6");
  add_points_row(rows, "electrodes", e.electrodes, "of the ECG, in place of a trunk's own: RA, LA, LL, V1 ... V6");
}

void add_ecg_rows(Options& rows, EcgRows& e) {
  rows.flag("ecg", e.ecg, "record the twelve-lead ECG: ecg.csv, ecg.svg, vcg.csv");
  add_torso_rows(rows, e,
                 "what surrounds the heart: auto (a trunk for an ECG, else none), none, trunk (parametric, with lungs "
                 "and blood), bath, or a mesh file");
  rows.quantity("bath_margin", e.bath_margin, "mm", 1, 200, "how far a bath reaches beyond the heart");
  rows.quantity("ecg_interval", e.interval, "ms", 0.01, 100, "between samples of potentials");
  add_points_row(rows, "catheters", e.catheters, "further points, whose electrograms go to electrograms.csv");
  rows.list("bipolar", e.bipolar, "pairs of catheters A-B whose difference is recorded, too");
}

namespace {

void check_electrodes(const EcgRows& rows) {
  if (!rows.ecg) return;
  for (const char* name : {"RA", "LA", "LL", "V1", "V2", "V3", "V4", "V5", "V6"})
    if (std::none_of(rows.electrodes.begin(), rows.electrodes.end(), [&](const auto& e) { return e.name == name; }))
      throw InputError(
          fmt::format("--ecg: there is no electrode \"{}\"; name RA, LA, LL, V1 ... V6 with --electrodes", name));
}

}  // namespace

Surroundings make_surroundings(const Anatomy& heart, const EcgRows& rows, bool bidomain, const Monitor& monitor) {
  Surroundings result;
  std::string word = rows.torso;
  if (word == "auto") word = rows.ecg ? "trunk" : "none";
  if (word == "none" && rows.ecg)
    throw InputError("--ecg needs a torso to put electrodes on: --torso trunk, or a mesh file with --electrodes");
  if (rows.ecg && word != "trunk") check_electrodes(rows);
  Torso torso;
  const double edge = rows.torso_edge > 0 ? rows.torso_edge : bidomain ? 0 : lead_field_edge;
  if (word == "trunk") {
    meshes::TorsoOptions options{.frame = frame_of(heart, rows, monitor), .heart_edge = edge};
    if (heart.chamber == Chamber::left_atrium)  // behind the ventricles, to their right and above
      options.heart_left -= 50, options.heart_front -= 50, options.heart_up += 30;
    auto built = meshes::build_torso(heart, options, monitor);
    torso = std::move(built.torso);
    if (rows.ecg) result.electrodes = std::move(built.electrodes);
  } else if (word == "bath") {
    torso = meshes::build_bath(heart, rows.bath_margin, edge > 0 ? edge : quality(heart.mesh).mean_edge, monitor);
  } else if (word != "none") {
    torso = load_torso(word, read_conductivity(rows.conductivity));
  }
  if (word != "none") {
    if (word == "trunk" || word == "bath") torso.set_conductivity(read_conductivity(rows.conductivity));
    monitor.tell(torso.statement);
    result.torso = std::make_shared<const Torso>(std::move(torso));
  }
  if (!rows.electrodes.empty()) {
    check_electrodes(rows);
    result.electrodes.clear();
    for (const auto& e : rows.electrodes) result.electrodes.push_back({e.name, *e.position});
  }
  for (const auto& c : rows.catheters) result.electrodes.push_back({c.name, *c.position});
  return result;
}

std::shared_ptr<const LeadFields> twelve_lead_fields(const Twin& twin, EcgRows rows, const Monitor& monitor) {
  if (rows.torso == "none") return nullptr;
  rows.ecg = true;
  const Surroundings around = make_surroundings(twin.anatomy, rows, false, monitor);
  return std::make_shared<const LeadFields>(
      VolumeConductor(twin, around.torso).lead_fields(around.electrodes, monitor));
}

namespace {

Ecg electrograms(const Ecg& potentials, const EcgRows& rows) {
  Ecg result{.times = potentials.times};
  std::vector<std::vector<double>> channels;
  for (const auto& c : rows.catheters) result.names.push_back(c.name), channels.push_back(potentials.channel(c.name));
  for (const auto& pair : rows.bipolar) {
    const auto dash = pair.find('-');
    if (dash == std::string::npos) throw InputError(fmt::format("--bipolar: \"{}\" must read A-B", pair));
    auto a = potentials.channel(pair.substr(0, dash));
    const auto b = potentials.channel(pair.substr(dash + 1));
    for (std::size_t k = 0; k < a.size(); ++k) a[k] -= b[k];
    result.names.push_back(pair), channels.push_back(std::move(a));
  }
  for (std::size_t k = 0; k < result.samples(); ++k)
    for (const auto& channel : channels) result.values.push_back(channel[k]);
  return result;
}

}  // namespace

void write_ecg(const std::filesystem::path& folder, const Ecg& potentials, const EcgRows& rows,
               const Surroundings& around, double beat, const std::string& note) {
  write_text(folder / "electrodes.csv",
             fmt::format("# {}\n", research_use_only) + meshes::electrode_rows(around.electrodes));
  if (around.torso) save_mesh(folder / "torso.vtu", meshes::to_foreign(*around.torso, around.electrodes));
  if (!rows.catheters.empty()) {
    const Ecg signals = electrograms(potentials, rows);
    write_text(folder / "electrograms.csv", to_csv(signals));
    write_text(folder / "electrograms.svg", ecg_paper(signals, {.title = "Simulated electrograms", .note = note}));
  }
  if (!rows.ecg) return;
  const Ecg leads = twelve_leads(potentials);
  const EcgMeasures measures = measure_beat(leads, beat, leads.times.back());
  write_text(folder / "ecg.csv", to_csv(leads));
  write_text(folder / "vcg.csv", to_csv(vectorcardiogram(leads)));
  write_text(folder / "ecg.svg",
             ecg_paper(leads, {.title = "Simulated 12-lead ECG", .note = note, .measures = measures}));
  const auto figure = [](double value, const char* unit) {
    return std::isfinite(value) ? fmt::format("{:.0f} {}", value, unit) : std::string("not found");
  };
  say(fmt::format("ECG of the beat at {:.0f} ms: QRS {}, QT {}, axis {}", beat, figure(measures.qrs_duration, "ms"),
                  figure(measures.qt, "ms"), figure(measures.qrs_axis, "degrees")));
}

std::vector<Ground> read_grounds(const std::string& text) {
  std::vector<Ground> result;
  for (const auto& g : read_groups(text, 4, "--grounds", "x,y,z,radius [mm]"))
    result.push_back({.position = {g[0], g[1], g[2]}, .radius = g[3]});
  return result;
}

std::vector<ElectrodeCurrent> read_currents(const std::string& text) {
  std::vector<ElectrodeCurrent> result;
  for (const auto& c : read_groups(text, 7, "--currents", "x,y,z,radius [mm],current [uA],start,duration [ms]"))
    result.push_back(
        {.position = {c[0], c[1], c[2]}, .radius = c[3], .start = c[5], .duration = c[6], .current = c[4]});
  return result;
}

}  // namespace cardiotwin::app
