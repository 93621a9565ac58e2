// cardiotwin build: image and labels in, one twin out.

#include <fmt/format.h>

#include <cardiotwin/io.hpp>
#include <cardiotwin/meshes/build.hpp>
#include <map>
#include <optional>

#include "image_rows.hpp"
#include "job.hpp"

namespace cardiotwin::app {
namespace {

using meshes::ScarMethod;

const std::map<std::string, meshes::Chambers> chambers_by_name{{"left", meshes::Chambers::left_ventricle},
                                                               {"both", meshes::Chambers::both_ventricles},
                                                               {"left-atrium", meshes::Chambers::left_atrium}};
const std::map<std::string, ScarMethod> methods{
    {"p99", ScarMethod::p99}, {"n-sd", ScarMethod::n_sd}, {"fwhm", ScarMethod::fwhm}, {"labels", ScarMethod::labels}};

template <class Value>
std::vector<std::string> keys(const std::map<std::string, Value>& table) {
  std::vector<std::string> all;
  for (const auto& [key, value] : table) all.push_back(key);
  return all;
}

struct BuildJob {
  Options options{"build"};
  meshes::BuildOptions build;
  std::filesystem::path image, labels, out;
  std::string method = "p99", chambers = "left";

  void declare() {
    options.path("image", image, "late-gadolinium MRI: NIfTI, NRRD, MetaImage, or DICOM (its folder)"),
        options.required();
    options.path("labels", labels, "segmentation of it, in any of these formats"), options.required();
    add_series_row(options, "series", build.read_image, "the image");
    add_series_row(options, "label_series", build.read_labels, "the labels");
    options.path("out", out, "the twin to write (.twin)"), options.required();
    add_convention_row(options, build.convention);
    options.text("chambers", chambers,
                 "what is built: the left ventricle, both (needs the RV cavity's label), or the left atrium (needs its "
                 "cavity's)",
                 {"left", "both", "left-atrium"});
    options.quantity("rv_wall", build.rv_wall, "mm", 1, 15, "thickness given to the right ventricle's free wall");
    options.quantity("la_wall", build.la_wall, "mm", 1, 6,
                     "thickness given to the left atrium's wall where unlabelled");
    options.optional_vector("mitral", build.mitral, "mm",
                            "centre of the mitral valve [mm, LPS], where the labels show no left ventricle");
    options.quantity("edge", build.edge, "mm", 0.2, 5,
                     "mean edge of the tetrahedra; finer where an atrium's wall would have fewer than three");
    options.quantity("smoothing", build.smoothing, "mm", 0, 5, "Gaussian of the muscle's surface");
    options.text("scar_method", method, "how scar is told from healthy muscle", keys(methods));
    options.number("core", build.scar.core, 0, 1,
                   "p99, fwhm: core from this share of the way from healthy mean to maximum");
    options.number("border_zone", build.scar.border_zone, 0, 1, "p99, fwhm: border zone from this share");
    options.number("n_sd", build.scar.n_sd, 0.5, 20, "n-sd: core above healthy mean plus so many standard deviations");
    options.number("n_sd_border_zone", build.scar.n_sd_border_zone, 0.5, 20, "n-sd: border zone above so many");
    options.quantity("min_volume", build.scar.min_volume, "ml", 0, 100, "smaller islands of scar are noise");
    options.quantity("channel_closing", build.scar.channel_closing, "mm", 0, 30,
                     "border zone that core closed by this radius covers is a channel");
    options.number("alpha_endo", build.angles.alpha_endo, -90, 90, "helix angle at the endocardium, degrees");
    options.number("alpha_epi", build.angles.alpha_epi, -90, 90, "helix angle at the epicardium, degrees");
    options.number("alpha_endo_rv", build.angles.alpha_endo_rv, -90, 90, "the same in the right ventricle");
    options.number("alpha_epi_rv", build.angles.alpha_epi_rv, -90, 90, "the same in the right ventricle");
    options.number("beta_endo", build.angles.beta_endo, -90, 90, "sheet angle at the endocardium, degrees");
    options.number("beta_epi", build.angles.beta_epi, -90, 90, "sheet angle at the epicardium, degrees");
    options.optional_vector("septum", build.septum, "mm",
                            "a point towards the septum [mm, LPS], where the labels show no right ventricle");
    auto tissues = Tissue::library_names();
    tissues.insert(tissues.begin(), "auto");
    options.text("tissue", build.tissue, "published tissue to start from; auto: by chambers", tissues);
    options.quantity("site_radius", build.site_radius, "mm", 0.5, 20, "of pacing sites");
  }

  static std::string left() { return "nothing was written, so the same command begins anew"; }

  void run() {
    build.scar.method = methods.at(method);
    build.chambers = chambers_by_name.at(chambers);
    const auto folder = out.has_parent_path() ? out.parent_path() : std::filesystem::path(".");
    make_folder(folder);
    const Twin twin = meshes::build_twin(image, labels, build, console());
    twin.save(out);
    const auto& mesh = twin.anatomy.mesh;
    say(fmt::format("{}: {} nodes, {} tets, regions:", out.string(), mesh.node_count(), mesh.tet_count()));
    std::map<Label, double> volumes;
    for (std::size_t t = 0; t < mesh.tet_count(); ++t) volumes[mesh.labels()[t]] += mesh.volume(t) / 1000;
    for (const auto& [label, volume] : volumes)
      say(fmt::format("  {:<12} {:7.2f} ml", twin.anatomy.regions.at(label), volume));
  }
};

}  // namespace

void add_build(CLI::App& app) {
  add_verb<BuildJob>(app, "build",
                     "From LGE-MRI and labels to a twin: labelled tetrahedra, fibres, segments, sites, tissue.",
                     "an LGE-MRI and its segmentation (NIfTI, NRRD, MetaImage, DICOM)", "one .twin");
}

}  // namespace cardiotwin::app
