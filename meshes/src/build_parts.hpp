#pragma once
/// The steps of `build` that are worth a test of their own; private to the picture room.

#include <cardiotwin/meshes/build.hpp>

#include "voxels.hpp"

namespace cardiotwin::meshes {

/// Muscle and cavity on the fine isotropic grid: background, lv_cavity or muscle, one connected piece of muscle; for
/// both ventricles also rv_cavity and rv_muscle, a wall grown around it below the base.
struct FineLabels {
  Labels labels;
  double spacing = 0;  ///< [mm]
};
FineLabels fine_labels(const Labels& canonical, const BuildOptions&, const Monitor&);

struct Plane {
  Vec3 centre, normal;
  double height(const Vec3& p) const { return (p - centre).dot(normal); }
};
/// The cut through the left ventricle at its base; the normal points away from the apex. Throws InputError where the
/// cavity is closed or missing.
Plane base_plane(const Labels& labels);

/// From a tag per face (`Surface`, or 0 where it could not be told): small pieces and untold faces take their
/// neighbours' tag, the apex is the epicardial node farthest below the base. Throws InputError as tag_surface.
TaggedSurface finish_surface(const Mesh&, const std::vector<BoundaryFace>&, std::vector<std::uint8_t> tag,
                             const Plane& base, Chambers);

/// The smoothed tissue indicator as a length: positive inside, 0 where the Gaussian of the muscle is one half [mm].
Image tissue_field(const Labels& fine, double smoothing);

/// Regions (region::healthy, border_zone, core) on the grid of `fine`, every muscle voxel filled from its nearest known
/// one, rv_muscle healthy, 0 elsewhere. `scar` is on the grid of the image, 0 outside muscle.
Labels fine_regions(const Labels& scar, const Labels& fine);

/// Region name of each label of `regions`.
const std::map<Label, std::string>& region_names();
/// The shortest and the longest edge that the options ask for, in whatever region [mm].
struct EdgeRange {
  double shortest, longest;
};
EdgeRange edge_range(const BuildOptions&);
/// Wanted edge in every voxel of `regions` [mm]: that of its region, or of a finer one within the margin.
Image wanted_edges(const Labels& regions, const BuildOptions&);
/// Throws InputError for an edge, margin or grading out of range, or a region there is not.
void require_edges(const BuildOptions&);

/// Marks as region::channel the tissue enclosed by core: what a ball of `radius` [mm] rolling outside of the core
/// cannot reach. The core is first extended beyond both surfaces of the wall, so that a corridor through a transmural
/// scar is enclosed by its two sides, while the living layer over a scar that is not transmural is not. Pieces below
/// 0.1 ml are noise. Returns its volume [ml].
double mark_channel(Labels& regions, double radius);

/// `image` where `known` is not 0, elsewhere the value of the nearest such voxel.
Image spread(Image image, const Labels& known);
/// Per tet "core_fraction" and "border_zone_fraction" (channel included), the shares of 20 points in it by `regions`,
/// and "fibrosis_density", their mean of `density`, linear between voxels.
std::vector<Map> tissue_shares(const Mesh&, const Labels& regions, const Image& density);

/// Unit vector from the long axis (apex to base centre) to the septum's middle, and how it was found: "right
/// ventricle", "given" or "guessed".
struct Septum {
  Vec3 direction = Vec3::Zero();
  const char* source = "";
};
Septum find_septum(const Labels& canonical, const Vec3& apex, const Vec3& base_centre,
                   const std::optional<Vec3>& towards, const Monitor&);

/// Fibres, segments and sites of a mesh with tagged surfaces.
Anatomy make_anatomy(Mesh, TaggedSurface, const Vec3& septum, const BuildOptions&, const Monitor&);

/// The fibres that were given as a file, read before long work begins; none where there is no file.
FiberSource given_fibers(const BuildOptions&, const Monitor&);
/// What comes after the rule: fibres from a file, the fast endocardium. Returns the share of the muscle that took the
/// file's fibres.
double finish_twin(Twin&, Step&, const FiberSource& given, const BuildOptions&, const Monitor&);

/// What the provenance says of the options, and what is refused of them.
std::map<std::string, std::string> as_text(const BuildOptions&);
void require_options(const BuildOptions&);
std::string tissue_of(const BuildOptions&);  ///< the library's name; "auto" is resolved

}  // namespace cardiotwin::meshes
