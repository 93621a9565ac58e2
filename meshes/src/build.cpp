#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cardiotwin/fast_endocardium.hpp>
#include <cardiotwin/fiber_sources.hpp>
#include <cardiotwin/meshes/assess.hpp>
#include <cardiotwin/meshes/build.hpp>
#include <cardiotwin/provenance.hpp>
#include <cmath>
#include <nlohmann/json.hpp>

#include "atrium.hpp"
#include "build_parts.hpp"

namespace cardiotwin::meshes {

void require_options(const BuildOptions& o) {
  const auto require = [](bool ok, const char* name, double value, const char* rule) {
    if (!ok) throw InputError(fmt::format("Build: {} = {} mm is outside {}", name, value, rule));
  };
  require_edges(o);
  require(o.smoothing >= 0 && o.smoothing <= 5, "smoothing", o.smoothing, "[0, 5]");
  require(o.rv_wall >= 1 && o.rv_wall <= 15, "rv_wall", o.rv_wall, "[1, 15]");
  require(o.fast_endocardium >= 0 && o.fast_endocardium <= 10, "fast_endocardium", o.fast_endocardium, "[0, 10]");
  require(o.la_wall >= 1 && o.la_wall <= 6, "la_wall", o.la_wall, "[1, 6]");
  require(o.site_radius >= 0 && o.site_radius <= 20, "site radius", o.site_radius, "[0, 20]");
  require(o.scar.channel_closing >= 0 && o.scar.channel_closing <= 20, "channel closing", o.scar.channel_closing,
          "[0, 20]");
}

namespace {

std::string text_of(const RemoteOptions& remote) {
  using From = RemoteOptions::From;
  return remote.from == From::mode   ? "mode"
         : remote.from == From::arc  ? "auto"
         : remote.from == From::file ? "file"
                                     : fmt::format("aha:{}", fmt::join(remote.segments, ","));
}

const char* name_of(Chambers chambers) {
  return chambers == Chambers::both_ventricles ? "both" : chambers == Chambers::left_atrium ? "left-atrium" : "left";
}

bool is_graded(const BuildOptions& o) { return edge_range(o).shortest < edge_range(o).longest; }

}  // namespace

std::string tissue_of(const BuildOptions& o) {
  if (o.tissue != "auto") return o.tissue;
  return o.chambers == Chambers::left_atrium ? "fibrotic-atrium" : "post-infarct";
}

std::map<std::string, std::string> as_text(const BuildOptions& o) {
  std::map<std::string, std::string> text{
      {"chambers", name_of(o.chambers)},
      {"convention", o.convention},
      {"edge", fmt::format("{} mm", o.edge)},
      {"smoothing", fmt::format("{} mm", o.smoothing)},
      {"tissue", tissue_of(o)},
      {"site_radius", fmt::format("{} mm", o.site_radius)},
      {"scar.method", key_of(o.scar.method)},
      {"scar.core", fmt::format("{}", o.scar.core)},
      {"scar.border_zone", fmt::format("{}", o.scar.border_zone)},
      {"scar.n_sd", fmt::format("{}", o.scar.n_sd)},
      {"scar.n_sd_border_zone", fmt::format("{}", o.scar.n_sd_border_zone)},
      {"scar.half", fmt::format("{}", o.scar.half)},
      {"scar.iir_core", fmt::format("{}", o.scar.iir_core)},
      {"scar.iir_border_zone", fmt::format("{}", o.scar.iir_border_zone)},
      {"scar.remote", text_of(o.remote)},
      {"fibrosis_density", o.fibrosis_density ? "true" : "false"},
      {"scar.min_volume", fmt::format("{} ml", o.scar.min_volume)},
      {"scar.channel_closing", fmt::format("{} mm", o.scar.channel_closing)},
  };
  if (o.chambers == Chambers::left_atrium) {
    text["la_wall"] = fmt::format("{} mm", o.la_wall);
    if (o.mitral) text["mitral"] = fmt::format("{} {} {} mm", o.mitral->x(), o.mitral->y(), o.mitral->z());
  } else {
    text["fibers.rule"] = fiber_rule_name(o.angles.rule);
    text["fibers.alpha_endo"] = fmt::format("{} deg", o.angles.alpha_endo);
    text["fibers.alpha_epi"] = fmt::format("{} deg", o.angles.alpha_epi);
    text["fibers.beta_endo"] = fmt::format("{} deg", o.angles.beta_endo);
    text["fibers.beta_epi"] = fmt::format("{} deg", o.angles.beta_epi);
  }
  if (o.chambers == Chambers::both_ventricles) {
    text["rv_wall"] = fmt::format("{} mm", o.rv_wall);
    text["fibers.alpha_endo_rv"] = fmt::format("{} deg", o.angles.alpha_endo_rv);
    text["fibers.alpha_epi_rv"] = fmt::format("{} deg", o.angles.alpha_epi_rv);
  }
  if (!o.fibers.empty()) text["fibers.axes"] = o.fiber_axes == VectorAxes::voxel ? "voxel" : "scanner";
  if (o.fast_endocardium > 0) text["fast_endocardium"] = fmt::format("{} mm", o.fast_endocardium);
  if (o.edge_scar != 0) text["edge_scar"] = fmt::format("{} mm", o.edge_scar);
  for (const auto& [name, edge] : o.edges) text["edges." + name] = fmt::format("{} mm", edge);
  if (is_graded(o)) {
    text["edge_margin"] = fmt::format("{} mm", o.edge_margin);
    text["grading"] = fmt::format("{}", o.grading);
  }
  if (o.septum) text["septum"] = fmt::format("{} {} {} mm", o.septum->x(), o.septum->y(), o.septum->z());
  if (o.read_image.series) text["series"] = fmt::format("{}", *o.read_image.series);
  if (o.read_labels.series) text["label_series"] = fmt::format("{}", *o.read_labels.series);
  return text;
}

Anatomy make_anatomy(Mesh mesh, TaggedSurface surface, const Vec3& septum, const BuildOptions& options,
                     const Monitor& monitor) {
  Anatomy a;
  a.mesh = std::move(mesh);
  a.regions = region_names();
  a.surface = std::move(surface.faces);
  a.apex = surface.apex, a.base_centre = surface.base_centre;
  a.septum = septum;
  auto laid = rule_based_fibers(a.mesh, fiber_boundary(a, edge_range(options).longest), options.angles, monitor);
  a.fibers = std::move(laid.fibers), a.depth = std::move(laid.depth), a.height = std::move(laid.height);
  a.right = std::move(laid.right);
  a.aha = aha_segments(a);
  a.sites = standard_sites(a, options.site_radius);
  return a;
}

FiberSource given_fibers(const BuildOptions& options, const Monitor& monitor) {
  return options.fibers.empty() ? FiberSource() : read_fibers(options.fibers, options.fiber_axes, monitor);
}

double finish_twin(Twin& twin, Step& step, const FiberSource& given, const BuildOptions& options,
                   const Monitor& monitor) {
  double share = 0;
  if (given) {
    monitor.report("build: fibres from a file", 0.9);
    share = take_fibers(twin.anatomy.fibers, twin.anatomy.mesh, given, monitor);
    if (share == 0)
      throw InputError(
          fmt::format("fibres {}: none lies in this heart; both must be in the scanner's coordinates "
                      "(LPS, mm)",
                      options.fibers.string()));
    if (share < 0.999)
      monitor.warn(fmt::format("fibres: the file has none in {:.1f} % of the muscle; there the rule's are laid",
                               100 * (1 - share)));
    for (const auto& file : fiber_files(options.fibers))
      step.inputs["fibers " + file.extension().string()] = sha256_of_file(file);
  }
  if (options.fast_endocardium > 0) mark_fast_endocardium(twin, options.fast_endocardium, monitor);
  twin.anatomy.validate();
  return share;
}

namespace {

nlohmann::json as_json(const ScarStatistics& s) {
  return {{"healthy_mean", s.healthy_mean},
          {"healthy_sd", s.healthy_sd},
          {"blood_mean", s.blood_mean},
          {"noise", s.noise},
          {"remote_volume_ml", s.remote_volume},
          {"offset", s.offset},
          {"p99", s.p99},
          {"threshold_core", s.threshold_core},
          {"threshold_border_zone", s.threshold_border_zone},
          {"scar_volume_ml", s.scar_volume},
          {"core_volume_ml", s.core_volume},
          {"no_reflow_volume_ml", s.no_reflow_volume}};
}

double volume_of(const Labels& labels, std::initializer_list<std::uint8_t> which) {
  const auto count = std::count_if(labels.values.begin(), labels.values.end(), [&](std::uint8_t l) {
    return std::find(which.begin(), which.end(), l) != which.end();
  });
  return static_cast<double>(count) * ml_per_voxel(labels.grid);
}

nlohmann::json measured_atrium(const BuiltAtrium& built) {
  return {{"wall_volume_ml", volume_of(built.labels, {muscle, infarct})},
          {"cavity_volume_ml", volume_of(built.labels, {lv_cavity})},
          {"labelled_scar_volume_ml", volume_of(built.labels, {infarct})},
          {"scar", as_json(built.scar)},
          {"channel_volume_ml", built.channel_volume},
          {"wall_thickness_mm", built.wall},
          {"fine_spacing_mm", built.spacing},
          {"mitral_source", built.mitral_source}};
}

Twin finished(Twin twin, const nlohmann::json& measured, Step step, const Monitor& monitor) {
  twin.measurements = measured.dump();
  twin.provenance.steps.push_back(std::move(step));
  monitor.report("build", 1.0);
  return twin;
}

Twin build(const Image& image, LabelValues labels, const BuildOptions& options, const Monitor& outer,
           std::map<std::string, std::string> inputs, const std::optional<double>& slice_thickness = {}) {
  require_options(options);
  if (options.remote.from == RemoteOptions::From::file) inputs["remote"] = sha256_of_file(options.remote.file);
  Twin twin;
  twin.tissue = Tissue::library(tissue_of(options));
  Step step{.verb = "build",
            .version = version(),
            .backend = {},
            .seed = 0,
            .options = as_text(options),
            .inputs = std::move(inputs),
            .warnings = {}};
  Monitor monitor = outer;
  monitor.warning = [&](std::string_view text) {
    step.warnings.emplace_back(text);
    outer.warn(text);
  };

  const FiberSource given = given_fibers(options, monitor);
  const Vec3 voxel = image.grid.spacing;
  labels = labels_on(image.grid, std::move(labels), monitor);
  if (options.chambers == Chambers::left_atrium) {
    BuiltAtrium built = build_atrium(image, labels, options, monitor);
    nlohmann::json measured = measured_atrium(built);
    measured["voxel_mm"] = {voxel[0], voxel[1], voxel[2]};
    step.options["edge"] = fmt::format("{} mm", built.edge);
    twin.anatomy = std::move(built.anatomy);
    if (const double share = finish_twin(twin, step, given, options, monitor); share > 0)
      measured["fibers_from_file"] = share;
    return finished(std::move(twin), measured, std::move(step), monitor);
  }
  monitor.report("build: scar", 0.0);
  const Labels canonical = canonical_labels(labels, options.convention, monitor);
  twin.findings = assess(image, canonical, {.edge = options.edge, .slice_thickness = slice_thickness}, monitor);
  for (const auto& finding : twin.findings) {
    if (finding.severity != Severity::info) monitor.warn(finding.text);
  }
  ScarOptions scar_options = options.scar;
  if (auto remote = remote_region(image, canonical, options.remote, options.septum, monitor))
    scar_options.remote = std::move(remote);
  ScarStatistics statistics;
  const Labels scar = segment_scar(image, canonical, scar_options, statistics, monitor);
  monitor.poll();

  monitor.report("build: shape between slices", 0.1);
  const FineLabels fine = fine_labels(canonical, options, monitor);
  Labels regions = fine_regions(scar, fine.labels);
  const double channel_volume = mark_channel(regions, options.scar.channel_closing);
  monitor.poll();

  monitor.report("build: mesh", 0.3);
  const Image field = tissue_field(fine.labels, options.smoothing);
  const MesherOptions mesher{.edge = options.edge, .grading = options.grading};
  Mesh mesh = is_graded(options) ? stuff(field, regions, wanted_edges(regions, options), mesher, monitor)
                                 : stuff(field, regions, mesher, monitor);
  monitor.report("build: surface and fibres", 0.6);
  auto surface = tag_surface(mesh, fine.labels, options.chambers);
  const Septum septum = find_septum(canonical, surface.apex, surface.base_centre, options.septum, monitor);
  twin.anatomy = make_anatomy(std::move(mesh), std::move(surface), septum.direction, options, monitor);
  if (options.fibrosis_density) {
    const auto density = fibrosis_density(image, canonical, scar, statistics);
    twin.anatomy.maps = tissue_shares(twin.anatomy.mesh, regions, spread(density, scar));
  }
  nlohmann::json measured{
      {"muscle_volume_ml", volume_of(canonical, {muscle, infarct, no_reflow})},
      {"cavity_volume_ml", volume_of(canonical, {lv_cavity})},
      {"labelled_infarct_volume_ml", volume_of(canonical, {infarct, no_reflow})},
      {"scar", as_json(statistics)},
      {"channel_volume_ml", channel_volume},
      {"voxel_mm", {voxel[0], voxel[1], voxel[2]}},
      {"fine_spacing_mm", fine.spacing},
      {"septum_source", septum.source},
  };
  if (const double share = finish_twin(twin, step, given, options, monitor); share > 0)
    measured["fibers_from_file"] = share;
  return finished(std::move(twin), measured, std::move(step), monitor);
}

}  // namespace

Twin build_twin(const Image& image, const Labels& labels, const BuildOptions& options, const Monitor& monitor) {
  return build(image, {labels.grid, {labels.values.begin(), labels.values.end()}}, options, monitor, {});
}

Twin build_twin(const std::filesystem::path& image, const std::filesystem::path& labels, const BuildOptions& options,
                const Monitor& monitor) {
  std::vector<std::string> raised;
  Monitor reading = monitor;
  reading.warning = [&](std::string_view text) {
    raised.emplace_back(text);
    monitor.warn(text);
  };
  ImageSource image_source, label_source;
  const Image read = read_image(image, reading, options.read_image, &image_source);
  LabelValues values = read_labels(labels, reading, options.read_labels, &label_source);
  Twin twin =
      build(read, std::move(values), options, monitor,
            {{"image", sha256_of(image_source)}, {"labels", sha256_of(label_source)}}, image_source.slice_thickness);
  auto& warnings = twin.provenance.steps.back().warnings;
  warnings.insert(warnings.begin(), raised.begin(), raised.end());
  return twin;
}

}  // namespace cardiotwin::meshes
