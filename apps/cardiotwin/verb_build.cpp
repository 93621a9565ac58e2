// cardiotwin build: image and labels in, one twin out.

#include <fmt/format.h>

#include <cardiotwin/io.hpp>
#include <cardiotwin/meshes/build.hpp>
#include <cardiotwin/units.hpp>
#include <map>
#include <optional>

#include "fiber_rows.hpp"
#include "image_rows.hpp"
#include "job.hpp"
#include "scar_rows.hpp"
#include "site_rows.hpp"
#include "tag_rows.hpp"

namespace cardiotwin::app {
namespace {

const std::map<std::string, meshes::Chambers> chambers_by_name{{"left", meshes::Chambers::left_ventricle},
                                                               {"both", meshes::Chambers::both_ventricles},
                                                               {"left-atrium", meshes::Chambers::left_atrium}};

struct BuildJob {
  Options options{"build"};
  meshes::BuildOptions build;
  meshes::SurfaceOptions how;
  std::filesystem::path image, labels, surface, out;
  std::vector<WantedSite> sites;
  std::string chambers = "left", fiber_axes = "scanner";
  FiberChoice fibers;

  void declare() {
    options.path("image", image, "late-gadolinium MRI: NIfTI, NRRD, MetaImage, or DICOM (its folder)");
    options.path("labels", labels, "segmentation of it, in any of these formats");
    add_series_row(options, "series", build.read_image, "the image");
    add_series_row(options, "label_series", build.read_labels, "the labels");
    options.path("surface", surface,
                 "instead of an image: the closed surface of a healthy heart's muscle (VTP, VTK, PLY, STL, Gmsh)");
    add_surfaces_row(options, "surface_tags", how.surfaces, "what the values of its triangles mean");
    options.text("surface_field", how.field, "its node or triangle field that holds them, where there are several");
    add_unit_row(options, how.unit);
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
    options.quantity("edge_scar", build.edge_scar, "mm", 0, 5,
                     "that in scar (border zone, core, channel) and near it; 0: as elsewhere");
    options.custom(
        "edges", "REGION=MM", [this](const std::string& text) { read_edges(text); }, [this] { return show_edges(); },
        "that in a region, such as core=1.5; may be repeated");
    options.quantity("edge_margin", build.edge_margin, "mm", 0, 20, "finer edges reach so far beyond their region");
    options.number("grading", build.grading, 0.05, 1, "how fast edges may grow, mm per mm");
    options.quantity("smoothing", build.smoothing, "mm", 0, 5, "Gaussian of the muscle's surface");
    add_scar_rows(options, build.scar, build.remote);
    options.flag("fibrosis_density", build.fibrosis_density,
                 "keep fibrosis density and the shares of core and border zone with every tetrahedron");
    add_fiber_rows(options, fibers);
    options.path("fibers", build.fibers,
                 "fibres from a file, the rule's where it has none: a mesh with fibres, or a NIfTI image of vectors");
    options.text("fiber_axes", fiber_axes, "what the vectors of an image lie along", {"scanner", "voxel"});
    options.quantity("fast_endocardium", build.fast_endocardium, "mm", 0, 10,
                     "depth to which healthy muscle under the endocardium conducts 2.5 times as fast, 0 for none");
    options.optional_vector("septum", build.septum, "mm",
                            "a point towards the septum [mm, LPS], where the labels show no right ventricle");
    auto tissues = Tissue::library_names();
    tissues.insert(tissues.begin(), "auto");
    options.text("tissue", build.tissue, "published tissue to start from; auto: by chambers", tissues);
    options.quantity("site_radius", build.site_radius, "mm", 0.5, 20, "of pacing sites");
    add_site_row(options, sites, "a further pacing site");
  }

  // Repeated flags arrive joined by commas: "core=1.5,channel=0.4 mm".
  void read_edges(const std::string& text) {
    for (const auto& entry : split(text)) {
      const auto parts = split(entry, '=');
      if (parts.size() != 2) throw InputError(fmt::format("\"{}\" must read REGION=MM such as core=1.5", entry));
      const bool bare = parts[1].find_first_not_of("0123456789.eE+-") == std::string::npos;
      build.edges[parts[0]] = parse_quantity(bare ? parts[1] + " mm" : parts[1], dimension::length);
    }
  }
  std::string show_edges() const {
    std::string text;
    for (const auto& [region, edge] : build.edges)
      text += fmt::format("{}{}={}", text.empty() ? "" : ",", region, edge);
    return text;
  }

  static std::string left() { return "nothing was written, so the same command begins anew"; }

  void run() {
    build.chambers = chambers_by_name.at(chambers);
    build.angles = fibers.angles();
    build.fiber_axes = fiber_axes == "voxel" ? meshes::VectorAxes::voxel : meshes::VectorAxes::scanner;
    const auto folder = out.has_parent_path() ? out.parent_path() : std::filesystem::path(".");
    make_folder(folder);
    if (surface.empty() ? image.empty() || labels.empty() : !image.empty() || !labels.empty())
      throw InputError("a heart is built from --image and --labels, or else from a --surface");
    Twin twin = surface.empty() ? meshes::build_twin(image, labels, build, console())
                                : meshes::build_twin_from_surface(surface, how, build, console());
    place_sites(twin.anatomy, sites, build.site_radius, console());
    for (const auto& site : sites) twin.provenance.steps.back().options["site." + site.name] = site.text;
    twin.save(out);
    const auto& mesh = twin.anatomy.mesh;
    say(fmt::format("{}: {} nodes, {} tets, regions:", out.string(), mesh.node_count(), mesh.tet_count()));
    std::map<Label, double> volumes;
    for (std::size_t t = 0; t < mesh.tet_count(); ++t) volumes[mesh.labels()[t]] += mesh.volume(t) / 1000;
    for (const auto& [label, volume] : volumes)
      say(fmt::format("  {:<16} {:7.2f} ml", twin.anatomy.regions.at(label), volume));
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
