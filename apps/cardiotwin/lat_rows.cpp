#include "lat_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cardiotwin/io.hpp>
#include <cardiotwin/provenance.hpp>
#include <cmath>

#include "verbs.hpp"

namespace cardiotwin::app {
namespace {

const std::map<std::string, std::vector<Surface>> surfaces{
    {"all", {}}, {"endo", {Surface::endo}}, {"epi", {Surface::epi}}, {"endo-rv", {Surface::endo_rv}}};

Vec3 landmark_of(const Anatomy& heart, const std::string& name) {
  if (name == "apex") return heart.apex;
  if (name == "base") return heart.base_centre;
  return heart.site(name).position;
}

/// The landmarks, else the heart's own coordinates where the map is near them.
std::optional<Placement> start_of(const Anatomy& heart, const LatRows& rows, const std::string& file,
                                  const Monitor& monitor) {
  if (rows.landmarks.empty()) return rows.frame == "unknown" ? std::nullopt : std::optional(Placement{});
  std::vector<Vec3> from, to;
  for (const auto& landmark : rows.landmarks) {
    if (!landmark.position)
      throw InputError(
          fmt::format("--landmarks: \"{}\" must be a position in the map: {}=x,y,z mm", landmark.name, landmark.name));
    from.push_back(*landmark.position), to.push_back(landmark_of(heart, landmark.name));
  }
  const auto placed = place_by_landmarks(from, to, rows.scale);
  for (const auto& finding : placed.findings) monitor.warn(finding.text);
  monitor.tell(fmt::format("{}: {} landmarks agree to {:.1f} mm", file, from.size(), placed.rms));
  return placed.placement;
}

MappedBeat load_beat(const Anatomy& heart, const LatRows& rows, const std::string& file, std::string origin,
                     const Monitor& monitor) {
  MappedBeat beat{.map = load_lat_map(file), .sites = {}, .origin = std::move(origin)};
  beat.map.noise = rows.noise;
  for (const auto& finding : check_lat_map(beat.map)) monitor.warn(fmt::format("{}: {}", file, finding.text));
  const auto surface = mapped_surface(heart, surfaces.at(rows.surface));
  SurfacePlacement placed;
  if (rows.frame == "heart" && rows.landmarks.empty()) {
    placed = place_on_surface(beat.map.points, surface, Placement{}, {.far = rows.far, .most_steps = 0});
  } else {
    placed = place_on_surface(beat.map.points, surface, start_of(heart, rows, file, monitor),
                              {.with_scale = rows.scale, .far = rows.far});
  }
  for (const auto& finding : placed.findings) monitor.warn(fmt::format("{}: {}", file, finding.text));
  monitor.tell(fmt::format("{}: {} points, {:.1f} mm rms from the surface; {} farther than {:g} mm set aside", file,
                           beat.map.size(), placed.rms, placed.set_aside, rows.far));
  beat.sites = sites_on(surface, beat.map.points, placed);
  beat.map.points = placed.placement.apply(beat.map.points);
  return beat;
}

}  // namespace

void add_lat_rows(Options& rows, LatRows& l) {
  rows.list("lat", l.files,
            "activation maps to fit velocities to: CSV (x, y, z [mm], LAT [ms]) or CARTO (.mesh, *_car.txt)");
  rows.list("paced", l.paced, "per map the site of the twin it was paced from; unknown: it is looked for");
  rows.custom(
      "landmarks", "SITE=X,Y,Z mm,...", [&l](const std::string& text) { l.landmarks = read_sites(text); },
      [&l] {
        std::string text;
        for (const auto& p : l.landmarks) text += fmt::format("{}{}={}", text.empty() ? "" : ",", p.name, p.text);
        return text;
      },
      "where sites of the twin, apex or base are in the map's coordinates; three or more");
  rows.text("frame", l.frame,
            "of a map without landmarks: auto (moved from the twin's coordinates to the surface), heart (they are the "
            "twin's, nothing is moved), unknown (placed by its shape alone)",
            {"auto", "heart", "unknown"});
  rows.text("surface", l.surface, "that was mapped", {"all", "endo", "epi", "endo-rv"});
  rows.flag("scale", l.scale, "let registration scale the map, too");
  rows.quantity("lat_noise", l.noise, "ms", 0.1, 50, "standard deviation of a LAT");
  rows.quantity("far", l.far, "mm", 1, 50, "points farther from the surface are set aside");
  rows.integer("samples", l.fit.samples, 2, 4096, "drawn from the posterior and kept in the twin");
  rows.number("held_out", l.fit.held_out, 0, 0.5, "share of points that the fit does not see, to judge it by");
  rows.seed("seed", l.fit.seed, "of draws and of the points held out");
}

std::vector<MappedBeat> load_beats(const Anatomy& heart, const LatRows& rows, const Monitor& monitor,
                                   std::map<std::string, std::string>& hashes) {
  if (!rows.paced.empty() && rows.paced.size() != rows.files.size())
    throw InputError(fmt::format("--paced names {} sites for {} maps; name one each, or \"unknown\"", rows.paced.size(),
                                 rows.files.size()));
  std::vector<MappedBeat> beats;
  for (std::size_t k = 0; k < rows.files.size(); ++k) {
    const std::string origin = rows.paced.empty() || rows.paced[k] == "unknown" ? "" : rows.paced[k];
    if (!origin.empty()) heart.site(origin);  // throws for an unknown one
    beats.push_back(load_beat(heart, rows, rows.files[k], origin, monitor));
    hashes[fmt::format("lat {}", k + 1)] = sha256_of_file(rows.files[k]);
  }
  return beats;
}

std::string posterior_table(const ActivationFit& fit) {
  const Eigen::VectorXd mean = fit.posterior.mean(), sd = fit.posterior.sd();
  const Eigen::MatrixXd interval = fit.posterior.interval(0.9);
  const Eigen::VectorXd before = fit.space.from_standard(Eigen::VectorXd::Zero(Eigen::Index(fit.space.size())));
  std::string out = fmt::format("  {:<28} {:>9}  {:>9} {:>7}  {:<21} {}\n", "parameter", "before", "after", "+-",
                                "90 % interval", "known by the data");
  for (std::size_t p = 0; p < fit.space.size(); ++p) {
    const auto i = Eigen::Index(p);
    const auto& parameter = fit.space[p];
    out += fmt::format("  {:<28} {:>9.3f}  {:>9.3f} {:>7.3f}  {:<21} {:.0f} %\n",
                       parameter.name + " [" + parameter.unit + "]", before[i], mean[i], sd[i],
                       fmt::format("{:.3f} to {:.3f}", interval(i, 0), interval(i, 1)),
                       100 * std::max(0.0, fit.identifiability.shrinkage[i]));
  }
  out += fmt::format("LATs are met within {:.1f} ms (rms of {} points, {:.1f} ms of noise counted with)",
                     fit.fitted.rms, fit.fitted.points, fit.noise);
  if (fit.held_out.points > 0)
    out += fmt::format(", those held out within {:.1f} ms ({} points, p = {:.2f})", fit.held_out.rms,
                       fit.held_out.points, fit.predictive_p);
  return out + fmt::format("; {} eikonal runs", fit.forward_runs);
}

void write_fit(const std::filesystem::path& folder, const Twin& twin, std::span<const MappedBeat> beats,
               const ActivationFit& fit) {
  make_folder(folder);
  save(folder / "lat.vtu", twin.anatomy, fit.lat);
  std::string rows = fmt::format("# {}\nbeat,x [mm],y [mm],z [mm],LAT [ms],model [ms]\n", research_use_only);
  for (std::size_t b = 0; b < beats.size(); ++b) {
    const auto& beat = beats[b];
    const double zero = fit.optima.front().point[Eigen::Index(fit.space.index(fmt::format("beat {} zero", b + 1)))];
    const auto model = beat.sites.values(fit.lat[b].values);
    for (std::size_t k = 0; k < beat.sites.size(); ++k) {
      const auto& p = beat.map.points[beat.sites.points[k]];
      rows += fmt::format("{},{:.2f},{:.2f},{:.2f},{:.2f},{:.2f}\n", b + 1, p.x(), p.y(), p.z(),
                          beat.map.lat[beat.sites.points[k]], model[k] + zero);
    }
  }
  write_text(folder / "points.csv", rows);
  write_text(folder / "posterior.json", to_json(fit.posterior) + "\n");
}

}  // namespace cardiotwin::app
