#pragma once
/// What a heart is: mesh, fibres, named regions, surfaces, segments, sites.

#include <cardiotwin/fibers.hpp>
#include <cardiotwin/mesh.hpp>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace cardiotwin {

/// Element labels. `channel` is border zone enclosed by core: the surviving corridors that carry re-entry;
/// `fast_endocardium` is healthy muscle that conducts for the Purkinje network, where that is not modelled.
namespace region {
inline constexpr Label healthy = 1, border_zone = 2, core = 3, channel = 4, fast_endocardium = 5;
}

/// `endo` is the left ventricle's, `endo_rv` all that faces the right one's cavity, its side of the septum too. Of a
/// left ventricle alone that side is epi.
enum class Surface : std::uint8_t { endo = 1, epi = 2, base = 3, endo_rv = 4 };

struct SurfaceFace {
  Triangle nodes;  ///< counter-clockwise seen from outside
  Index tet;
  Surface tag;
};

/// A named place where the heart can be paced: a small ball of nodes.
struct Site {
  std::string name;  ///< "aha7", "rv_apex", ...
  Vec3 position;     ///< [mm, LPS]
  std::vector<Index> nodes = {};
};

/// The rim of an opening: a valve, or the end of a vein.
struct Ring {
  std::string name;               ///< "mitral", "lspv", ...
  Vec3 centre, normal;            ///< [mm, LPS]; the unit normal points out of the cavity
  std::vector<Index> nodes = {};  ///< of the rim's faces, from endo- to epicardium, ascending
};

/// Which part of the heart an anatomy is.
enum class Chamber : std::uint8_t { ventricles, left_atrium };

struct Anatomy {
  Chamber chamber = Chamber::ventricles;
  Mesh mesh;
  Fibers fibers;
  std::map<Label, std::string> regions;  ///< label -> name, every label of the mesh
  std::vector<SurfaceFace> surface;      ///< the whole boundary, tagged
  std::vector<double> depth;             ///< per node: 0 endocardium, 1 epicardium (linear along the wall)
  std::vector<double> height;            ///< per node: 0 apex, 1 base; of an atrium 0 ends of the veins, 1 mitral valve
  std::vector<double> right;             ///< per node: 0 left ventricle .. 1 the right one's own wall; empty without
  std::vector<std::uint8_t> aha;  ///< per tet: AHA segment 1..17 (doi 10.1161/hc0402.102975), 0 in the right wall and
                                  ///< in an atrium
  std::vector<Site> sites;
  /// Further fields that go with the heart (fibrosis density, ...), each name once and none of those above.
  std::vector<Map> maps;
  std::vector<Ring> rings;  ///< of an atrium: the mitral one first, then the veins
  /// [mm, LPS]; the long axis runs between them: of an atrium from the ends of the veins to the mitral valve.
  Vec3 apex = Vec3::Zero(), base_centre = Vec3::Zero();
  Vec3 septum = Vec3::Zero();  ///< unit vector from the axis to the septum's middle

  /// Reads the anatomy of a `.twin`; throws FileError.
  static Anatomy load(const std::filesystem::path&);
  /// The named site; throws InputError with the nearest known name.
  const Site& site(std::string_view name) const;
  /// The label of a named region; throws InputError with the nearest known name.
  Label label(std::string_view region) const;
  /// Throws InputError unless all arrays have the lengths of the mesh and all indices are in range.
  void validate() const;
};

/// Nodes within `radius` [mm] of `position` on tets that are not core; never empty: at least the nearest such node.
Site make_site(const Anatomy&, std::string name, const Vec3& position, double radius = 3.0);

/// The name of the site nearest to a position; empty where there is none.
std::string nearest_site(const Anatomy&, const Vec3& position);

/// AHA-17 segment per tet (doi 10.1161/hc0402.102975) from the tagged surface, `apex`, `base_centre` and `septum`:
/// thirds of the cavity's length, sectors of 60 degrees (90 in the apical third), 17 beyond the cavity, 0 in the right
/// ventricle's own wall. The anterior wall lies along axis x septum, the axis running from apex to base. Throws
/// InputError without an endocardium, for an axis of no length, or a septum along it.
std::vector<std::uint8_t> aha_segments(const Anatomy&);

/// Pacing sites of an anatomy with segments: "aha1".."aha17", each at the endocardial node nearest its segment's
/// centroid that lies on the largest connected piece of conducting tissue (in the segment where it has one); "rv_apex"
/// on the septum's right side in the apical third; "apex". A segment without tets has no site. Throws InputError
/// without tags, segments or living tissue.
std::vector<Site> standard_sites(const Anatomy&, double radius = 3.0);

}  // namespace cardiotwin
