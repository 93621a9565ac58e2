#pragma once
/// From image and labels to a twin.

#include <cardiotwin/exchange.hpp>
#include <cardiotwin/meshes/mesher.hpp>
#include <cardiotwin/meshes/scar.hpp>
#include <cardiotwin/meshes/vector_image.hpp>
#include <cardiotwin/twin.hpp>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace cardiotwin::meshes {

enum class Chambers { left_ventricle, both_ventricles, left_atrium };

struct BuildOptions {
  Chambers chambers = Chambers::left_ventricle;
  double rv_wall = 3;          ///< thickness of the right ventricle's free wall, which images hardly show [mm]
  double la_wall = 2.5;        ///< thickness of the left atrium's wall where it is not labelled [mm]
  std::optional<Vec3> mitral;  ///< centre of the mitral valve [mm, LPS]; else the LV cavity, else a guess said aloud
  std::string convention = "guess";  ///< what the labels mean, as for canonical_labels
  ReadOptions read_image, read_labels;
  ScarOptions scar;
  RemoteOptions remote;           ///< where healthy muscle is looked for; sets scar.remote
  bool fibrosis_density = false;  ///< keep "fibrosis_density", "core_fraction", "border_zone_fraction" per tet
  double edge = 1.0;     ///< mean edge of the tets [mm]; finer where an atrium's wall would have fewer than three
  double edge_scar = 0;  ///< that in scar (border zone, core, channel), 0: as elsewhere [mm]
  std::map<std::string, double> edges = {};  ///< that in a region, by its name, over both [mm]
  double edge_margin = 2;                    ///< finer edges reach so far beyond their region [mm]
  double grading = 0.25;                     ///< how fast edges may grow [mm per mm]
  double smoothing = 1.0;                    ///< Gaussian of the tissue indicator [mm]
  FiberAngles angles;
  std::filesystem::path fibers = {};            ///< file whose fibres replace the rule's where it has any (read_fibers)
  VectorAxes fiber_axes = VectorAxes::scanner;  ///< of an image of vectors
  double fast_endocardium = 0;                  ///< depth of mark_fast_endocardium [mm], 0 for none
  std::optional<Vec3>
      septum;  ///< a point towards the septum [mm, LPS]; else the RV cavity, else a guess that is said aloud
  std::string tissue = "auto";  ///< Tissue::library; auto: "post-infarct", of an atrium "fibrotic-atrium"
  double site_radius = 3;       ///< of pacing sites [mm]
};

/// Image and labels already on the same grid. What `assess` finds is told and kept in the twin. Throws InputError.
Twin build_twin(const Image&, const Labels&, const BuildOptions&, const Monitor& = {});

/// Reads both, puts the labels on the image's grid, and builds; input hashes and effective options go into the
/// provenance.
Twin build_twin(const std::filesystem::path& image, const std::filesystem::path& labels, const BuildOptions&,
                const Monitor& = {});

struct SurfaceOptions {
  /// Which value of a triangle is which surface. A left ventricle has endo, epi and base, both have endo_rv, too.
  std::map<Tag, Surface> surfaces;
  std::string field =
      {};                 ///< node or triangle field that holds the values; empty: the triangles' tags, or the only one
  std::string unit = {};  ///< as MeshFileOptions::unit
};

/// A healthy heart bounded by a closed surface of its muscle, as other tools make it (any format of load_mesh with
/// triangles): meshed, its boundary tagged by the nearest triangle; both ventricles where there is an endo_rv. The base
/// is the plane of the endocardium's rim; without an endo_rv the septum must be named (BuildOptions::septum). Throws
/// InputError: not closed, a value that is not named, a part that is missing.
Twin build_twin_from_surface(const std::filesystem::path& surface, const SurfaceOptions&, const BuildOptions&,
                             const Monitor& = {});

/// Labels (canonical, or regions) interpolated by shape onto an isotropic grid of `spacing` [mm] along the image axes,
/// the labelled box padded by `margin` [mm]: signed distances within slices, interpolated along the slice normal; all
/// labels but 5 (RV cavity) as one filled shape first, then the label deepest inside wins. Beyond the last slices half
/// a slice is added, flat at the base, rounded at the apex, where the cavity closes by the wall's thickness earlier.
/// Unlabelled slices between others are bridged. Throws InputError for an empty image or a spacing outside [0.05, 10].
Labels interpolate_slices(const Labels&, double spacing, double margin);

/// A boundary with its parts named; geometry of base and apex.
struct TaggedSurface {
  std::vector<SurfaceFace> faces;
  Vec3 base_centre, base_normal, apex;  ///< normal points away from the apex
};
/// Boundary faces tagged from the canonical label image. The right ventricle's cavity makes endo_rv of what it touches
/// with both_ventricles, else epi. Throws InputError for an empty or disconnected tag, saying what to supply.
TaggedSurface tag_surface(const Mesh&, const Labels& canonical, Chambers = Chambers::left_ventricle);

}  // namespace cardiotwin::meshes
