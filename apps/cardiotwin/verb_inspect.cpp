// cardiotwin inspect: what an image and its labels are, in words and as a picture.

#include <fmt/format.h>

#include <cardiotwin/io.hpp>
#include <cardiotwin/meshes/inspect.hpp>

#include "image_rows.hpp"
#include "job.hpp"

namespace cardiotwin::app {
namespace {

struct InspectJob {
  Options options{"inspect"};
  std::filesystem::path image, labels, out, json;
  meshes::ReadOptions read, read_labels;
  std::string convention = "guess";

  void declare() {
    options.path("image", image, "NIfTI, NRRD, MetaImage, or DICOM (its folder)"), options.positional(),
        options.required();
    add_series_row(options, "series", read, "the image");
    options.path("labels", labels, "segmentation of it, in any of these formats");
    add_series_row(options, "label_series", read_labels, "the labels");
    add_convention_row(options, convention);
    options.path("out", out, "montage of the slices to write (.png)");
    options.path("json", json, "the same for programs (.json)");
  }

  static std::string left() { return "the same command begins anew"; }

  void run() {
    for (const auto& product : {out, json}) {
      if (!product.empty()) require_writable(product);
    }
    const Monitor monitor = console();
    meshes::ImageSource source;
    const auto read_image = meshes::read_image(image, monitor, read, &source);
    std::optional<meshes::Labels> meaning;
    std::string name;
    if (!labels.empty()) {
      const auto values =
          meshes::labels_on(read_image.grid, meshes::read_labels(labels, monitor, read_labels), monitor);
      const auto chosen = convention == "guess" ? meshes::guess_convention(values) : meshes::convention_of(convention);
      meaning = meshes::meanings(values, chosen);
      name = chosen.source + (convention == "guess" ? " (guessed)" : "");
    }
    const auto found = meshes::inspect(read_image, source, meaning, name);
    if (!out.empty()) meshes::write_montage(out, read_image, meaning);
    if (!json.empty()) write_text(json, meshes::to_json(found) + "\n");
    say(fmt::format("{}\n{}", image.string(), meshes::in_words(found)));
  }
};

}  // namespace

void add_inspect(CLI::App& app) {
  add_verb<InspectJob>(app, "inspect",
                       "What an image and its labels are: format, geometry, order of slices, volumes, a montage.",
                       "an image, and its labels (NIfTI, NRRD, MetaImage, DICOM)",
                       "words; with --out a picture, with --json the same for programs");
}

}  // namespace cardiotwin::app
