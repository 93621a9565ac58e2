// cardiotwin build: image and labels in, one twin out.

#include <fmt/format.h>

#include <cardiotwin/io.hpp>
#include <cardiotwin/meshes/build.hpp>
#include <map>
#include <optional>

#include "image_rows.hpp"
#include "job.hpp"
#include "scar_rows.hpp"

namespace cardiotwin::app {
namespace {

struct BuildJob {
  Options options{"build"};
  meshes::BuildOptions build;
  std::filesystem::path image, labels, out;
  std::string chambers = "left";

  void declare() {
    options.path("image", image, "late-gadolinium MRI: NIfTI, NRRD, MetaImage, or DICOM (its folder)"),
        options.required();
    options.path("labels", labels, "segmentation of it, in any of these formats"), options.required();
    add_series_row(options, "series", build.read_image, "the image");
    add_series_row(options, "label_series", build.read_labels, "the labels");
    options.path("out", out, "the twin to write (.twin)"), options.required();
    add_convention_row(options, build.convention);
    options.text("chambers", chambers, "what is built: the left ventricle, or both (needs the RV cavity's label)",
                 {"left", "both"});
    options.quantity("rv_wall", build.rv_wall, "mm", 1, 15, "thickness given to the right ventricle's free wall");
    options.quantity("edge", build.edge, "mm", 0.2, 5, "mean edge of the tetrahedra");
    options.quantity("smoothing", build.smoothing, "mm", 0, 5, "Gaussian of the muscle's surface");
    add_scar_rows(options, build.scar, build.remote);
    options.flag("fibrosis_density", build.fibrosis_density,
                 "keep fibrosis density and the shares of core and border zone with every tetrahedron");
    options.number("alpha_endo", build.angles.alpha_endo, -90, 90, "helix angle at the endocardium, degrees");
    options.number("alpha_epi", build.angles.alpha_epi, -90, 90, "helix angle at the epicardium, degrees");
    options.number("alpha_endo_rv", build.angles.alpha_endo_rv, -90, 90, "the same in the right ventricle");
    options.number("alpha_epi_rv", build.angles.alpha_epi_rv, -90, 90, "the same in the right ventricle");
    options.number("beta_endo", build.angles.beta_endo, -90, 90, "sheet angle at the endocardium, degrees");
    options.number("beta_epi", build.angles.beta_epi, -90, 90, "sheet angle at the epicardium, degrees");
    options.optional_vector("septum", build.septum, "mm",
                            "a point towards the septum [mm, LPS], where the labels show no right ventricle");
    options.text("tissue", build.tissue, "published tissue to start from", Tissue::library_names());
    options.quantity("site_radius", build.site_radius, "mm", 0.5, 20, "of pacing sites");
  }

  static std::string left() { return "nothing was written, so the same command begins anew"; }

  void run() {
    build.chambers = chambers == "both" ? meshes::Chambers::both_ventricles : meshes::Chambers::left_ventricle;
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
    for (const auto& finding : twin.findings) {
      if (finding.severity == Severity::severe) say(fmt::format("SEVERE {}; `plan` will refuse it", finding.text));
    }
  }
};

}  // namespace

void add_build(CLI::App& app) {
  add_verb<BuildJob>(app, "build",
                     "From LGE-MRI and labels to a twin: labelled tetrahedra, fibres, segments, sites, tissue.",
                     "an LGE-MRI and its segmentation (NIfTI, NRRD, MetaImage, DICOM)", "one .twin");
}

}  // namespace cardiotwin::app
