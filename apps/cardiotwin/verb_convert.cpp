// cardiotwin convert: meshes of other programs in and out, and a twin from or to any of them.

#include <fmt/format.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cardiotwin/coordinates.hpp>
#include <cardiotwin/exchange.hpp>
#include <cardiotwin/io.hpp>
#include <cardiotwin/twin.hpp>
#include <optional>

#include "fiber_rows.hpp"
#include "job.hpp"
#include "site_rows.hpp"
#include "tag_rows.hpp"

namespace cardiotwin::app {
namespace {

// Across the long axis; throws InputError for a point on it.
Vec3 direction_to(const Vec3& point, const Landmarks& marks) {
  const Vec3 up = (marks.base_centre - marks.apex).normalized(), from = point - marks.apex,
             across = from - from.dot(up) * up;
  if (!(across.norm() > 1))
    throw InputError("--septum: the point lies on the long axis; name one in or beyond the septum");
  return across.normalized();
}

bool is_twin(const std::filesystem::path& path) { return path.extension() == ".twin"; }

struct ConvertJob {
  Options options{"convert"};
  std::filesystem::path in, out;
  std::map<Tag, std::string> regions;
  std::map<Tag, Surface> surfaces;
  std::vector<std::string> node_sets;
  std::string format = "auto", unit, tissue = "post-infarct";
  std::vector<std::string> warnings;
  std::vector<WantedSite> sites;
  std::optional<Vec3> septum, upward;
  double site_radius = 3;
  bool lay = false, block = false;
  FiberChoice fibers;

  void declare() {
    auto formats = mesh_formats();
    formats.insert(formats.begin(), "auto");
    options.path("in", in, "a .twin, or a mesh file of another program; openCARP and TetGen also by base name");
    options.positional(), options.required();
    options.path("out", out, "what to write: the extension says which format; no extension: openCARP");
    options.positional(), options.required();
    options.text("format", format, "of the mesh to write, where the extension leaves a choice", formats);
    add_unit_row(options, unit);
    options.list("node_sets", node_sets, "further openCARP node sets (.vtx) to read; in a twin they become sites");
    add_tags_row(options, "regions", regions, "to a twin: region of each tag of the mesh");
    add_surfaces_row(options, "surfaces", surfaces, "to a twin: surface of each tag of the mesh's triangles");
    options.flag(
        "block", block,
        "the mesh is a block cut from a wall: its sides -x, +x, -y, +y, -z, +z become the triangle tags 1 to 6");
    options.optional_vector("septum", septum, "mm",
                            "to a twin: a point towards the septum [mm, LPS], where no right ventricle is tagged");
    add_site_row(options, sites, "to a twin: a pacing site");
    options.quantity("site_radius", site_radius, "mm", 0.5, 20, "of pacing sites");
    options.flag(
        "lay_fibers", lay,
        "to a twin: lay fibres by rule on the tagged surface, whatever the file has; node sets aortic_valve and "
        "pulmonary_valve are outflow rings");
    options.optional_vector("upward", upward, "",
                            "with --lay-fibers, for such a block: the direction from apex to base");
    add_fiber_rows(options, fibers);
    options.text("tissue", tissue, "to a twin: published tissue to start from", Tissue::library_names());
  }

  static std::string left() { return "nothing was written, so the same command begins anew"; }

  // What is warned of is also kept in the twin.
  Monitor monitor() {
    auto told = console();
    told.warning = [this, show = told.warning](std::string_view text) { warnings.emplace_back(text), show(text); };
    return told;
  }

  void run() {
    if (upward && !lay) throw InputError("--upward is for laying fibres; name --lay-fibers, too");
    if (block && is_twin(in)) throw InputError("--block is for meshes of other programs; a twin has its surface");
    if (lay && !is_twin(out)) throw InputError("--lay-fibers makes a twin; name the file to write .twin");
    if (is_twin(in) && is_twin(out))
      throw InputError(fmt::format("{} and {} are both twins; there is nothing to convert", in.string(), out.string()));
    if (is_twin(out)) {
      require_writable(out);
      const auto known = Tissue::library(tissue);
      for (const auto& [tag, name] : regions) known[name];  // throws if unknown
    } else {
      require_mesh_writable(out, mesh_format());
    }
    if (is_twin(in)) return to_mesh_file(twin_as_mesh());
    auto mesh = load_mesh(in, {.unit = unit, .node_sets = {node_sets.begin(), node_sets.end()}}, monitor());
    if (block) tag_sides(mesh);
    is_twin(out) ? to_twin(mesh) : to_mesh_file(mesh);
  }

  std::string mesh_format() const { return format == "auto" ? "" : format; }

  ForeignMesh twin_as_mesh() {
    const Twin twin = Twin::load(in);
    monitor().warn("tissue, landmarks and the origin of the twin stay behind: only its anatomy is converted");
    return to_foreign(twin.anatomy);
  }

  void to_mesh_file(const ForeignMesh& mesh) {
    save_mesh(out, mesh, mesh_format(), monitor());
    say(fmt::format("{}: {} nodes, {} tets, {} triangles read; written to {}", in.string(), mesh.points.size(),
                    mesh.tets.size(), mesh.triangles.size(), out.string()));
  }

  // A tagged surface of ventricles is enough for segments and standard sites.
  void complete(Anatomy& anatomy) {
    const auto tagged = [&](Surface tag) {
      return std::any_of(anatomy.surface.begin(), anatomy.surface.end(), [&](const auto& f) { return f.tag == tag; });
    };
    if (!tagged(Surface::endo) || !tagged(Surface::epi) || !tagged(Surface::base)) return;
    const auto marks = landmarks(anatomy);
    if (septum) anatomy.septum = direction_to(*septum, marks);
    if (!(anatomy.septum.norm() > 0) && !(marks.septum.norm() > 0)) {
      monitor().warn("no right ventricle is tagged, so there are no segments and no standard sites: name --septum");
      return;
    }
    complete_anatomy(anatomy, site_radius, monitor());
  }

  // Hearts and wedges of them measure centimetres.
  void question_unit(const ForeignMesh& mesh) {
    Eigen::AlignedBox3d box;
    for (const Vec3& p : mesh.points) box.extend(p);
    const Vec3 size = box.sizes();
    if (size.maxCoeff() >= 10 && size.maxCoeff() <= 400) return;
    monitor().warn(fmt::format("the mesh measures {:.3g} x {:.3g} x {:.3g} mm; if it should not, name its --unit",
                               size[0], size[1], size[2]));
  }

  void to_twin(const ForeignMesh& mesh) {
    Twin twin;
    if (lay && surfaces.empty())
      throw InputError("--lay-fibers needs --surfaces: which tags of the mesh's triangles are endo, epi and base");
    AnatomyOptions how{.regions = regions, .surfaces = surfaces};
    if (lay) how.lay_fibers = fibers.angles(), how.upward = upward;
    twin.anatomy = to_anatomy(mesh, how, monitor());
    question_unit(mesh);
    if (!upward) complete(twin.anatomy);  // a block has no apex
    place_sites(twin.anatomy, sites, site_radius, monitor());
    twin.tissue = Tissue::library(tissue);
    for (const auto& [label, name] : twin.anatomy.regions) std::as_const(twin.tissue)[name];  // throws if unknown
    Step step{.verb = "convert", .version = version(), .options = options.effective(), .warnings = warnings};
    for (const auto& file : mesh_files(in)) step.inputs[file.filename().string()] = sha256_of_file(file);
    for (const std::filesystem::path file : node_sets) step.inputs[file.filename().string()] = sha256_of_file(file);
    twin.provenance.steps.push_back(std::move(step));
    twin.save(out);
    say(fmt::format("{}: {} nodes, {} tets, {} sites", out.string(), twin.anatomy.mesh.node_count(),
                    twin.anatomy.mesh.tet_count(), twin.anatomy.sites.size()));
    for (const auto& [label, name] : twin.anatomy.regions) say(fmt::format("  region {}", name));
    for (const auto& site : twin.anatomy.sites) say(fmt::format("  site {}: {} nodes", site.name, site.nodes.size()));
  }
};

}  // namespace

void add_convert(CLI::App& app) {
  add_verb<ConvertJob>(app, "convert",
                       "Between a twin and meshes of other programs: openCARP, VTK, TetGen, Gmsh, PLY, STL, CARTO 3.",
                       "a .twin, or .pts/.elem/.lon/.vtx, .vtu, .vtk, .node/.ele, .msh, .vtp, .ply, .stl, .mesh",
                       "any of the same; what a format cannot carry is said");
}

}  // namespace cardiotwin::app
