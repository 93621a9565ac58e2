// cardiotwin scar: what an image says about scar, and how much of it hangs on the thresholds.

#include <fmt/format.h>

#include <cardiotwin/io.hpp>
#include <cardiotwin/meshes/inspect.hpp>
#include <cardiotwin/meshes/scar_analysis.hpp>

#include "image_rows.hpp"
#include "job.hpp"
#include "scar_rows.hpp"

namespace cardiotwin::app {
namespace {

namespace fs = std::filesystem;

struct ScarJob {
  Options options{"scar"};
  meshes::ScarAnalysisOptions analysis;
  meshes::ReadOptions read_image, read_labels;
  fs::path image, labels, out = "scar";
  std::string convention = "guess";

  void declare() {
    options.path("image", image, "late-gadolinium MRI: NIfTI, NRRD, MetaImage, or DICOM (its folder)"),
        options.required();
    options.path("labels", labels, "segmentation of it, in any of these formats"), options.required();
    add_series_row(options, "series", read_image, "the image");
    add_series_row(options, "label_series", read_labels, "the labels");
    options.path("out", out, "folder for the results");
    add_convention_row(options, convention);
    add_scar_rows(options, analysis.scar, analysis.remote);
    options.number("sweep_low", analysis.low, 0.05, 1, "the sweep begins at the limits times this");
    options.number("sweep_high", analysis.high, 1, 5, "and ends at the limits times this");
    options.number("sweep_step", analysis.step, 0.005, 1, "in steps of this");
    options.quantity("spacing", analysis.spacing, "mm", 0.4, 3,
                     "of the grid between slices on which volumes are taken");
    options.optional_vector("septum", analysis.septum, "mm",
                            "a point towards the septum [mm, LPS], where the labels show no right ventricle");
  }

  static std::string left() { return "nothing was written, so the same command begins anew"; }

  void run() {
    const Monitor monitor = console();
    meshes::ImageSource image_source, label_source;
    const auto shown = meshes::read_image(image, monitor, read_image, &image_source);
    const auto values =
        meshes::labels_on(shown.grid, meshes::read_labels(labels, monitor, read_labels, &label_source), monitor);
    const auto canonical = meshes::canonical_labels(values, convention, monitor);
    const auto found = meshes::analyse_scar(shown, canonical, analysis, monitor);
    std::map<std::string, std::string> inputs{{"image", meshes::sha256_of(image_source)},
                                              {"labels", meshes::sha256_of(label_source)}};
    if (analysis.remote.from == meshes::RemoteOptions::From::file)
      inputs["remote"] = sha256_of_file(analysis.remote.file);
    make_folder(out);
    meshes::write_montage(out / "montage.png", shown, canonical, found.regions);
    const auto json = meshes::to_json(found, inputs), csv = meshes::sweep_csv(found),
               segments = meshes::segments_csv(found), svg = meshes::sweep_svg(found);
    write_texts({{out / "sweep.csv", csv},
                 {out / "segments.csv", segments},
                 {out / "sweep.svg", svg},
                 {out / "scar.json", json}});
    say(fmt::format("{}: scar.json, sweep.csv, segments.csv, sweep.svg, montage.png\n{}", out.string(),
                    meshes::in_words(found)));
  }
};

}  // namespace

void add_scar(CLI::App& app) {
  add_verb<ScarJob>(
      app, "scar",
      "Scar in the image: statistics, volumes against the thresholds, transmurality by AHA segment, slices "
      "with the scar over them.",
      "an LGE-MRI and its segmentation (NIfTI, NRRD, MetaImage, DICOM)",
      "scar.json, sweep.csv, segments.csv, sweep.svg and montage.png in --out");
}

}  // namespace cardiotwin::app
