#pragma once
/// Where in the ventricles: four numbers that mean the same place in every heart, and what can be done with them.
/// In the spirit of Bayer et al. 2018 (doi 10.1016/j.media.2018.01.005) and Schuler et al. 2021
/// (doi 10.1016/j.media.2021.102247).

#include <array>
#include <cardiotwin/anatomy.hpp>
#include <cardiotwin/log.hpp>
#include <memory>
#include <string>
#include <vector>

namespace cardiotwin {

enum class Ventricle : std::uint8_t { left = 0, right = 1 };

/// A place in a wall. The septum belongs to the left ventricle; the right one is its free wall.
struct Place {
  double apicobasal = 0;  ///< 0 apex .. 1 base, the share of the way along the wall
  /// Degrees in [0, 360) from the septum's middle towards the anterior wall; the cut is there, at 0. With both
  /// ventricles 60 is where the right one meets the left anteriorly and 300 where it does inferiorly, in both walls:
  /// the septum lies between 300 and 60, either free wall between 60 and 300.
  double rotational = 0;
  double transmural = 0;  ///< 0 endocardium .. 1 epicardium, in the septum its right side; linear along the wall
  Ventricle ventricle = Ventricle::left;
};

struct Coordinates {
  /// Per node, as in Place; `transventricular` is 0 in the left ventricle, 1 in the right one's free wall.
  std::vector<double> transmural, apicobasal, rotational, transventricular;
  std::vector<Ventricle> wall;  ///< per tet
  /// Nodes that both walls share carry the left one's coordinates above; seen from the right one they are these.
  struct Seam {
    Index node;
    double transmural, rotational;
  };
  std::vector<Seam> seam;                   ///< ascending nodes; empty for a left ventricle alone
  double meridian = 0, wall_thickness = 0;  ///< means over the left ventricle [mm]
};

/// Coordinates from the tagged surface, for a left ventricle alone or for both. Transmural: ratio of the distances to
/// both sides of the wall, 0 in papillary muscles and trabeculae that stand free. Apicobasal: ratio of path lengths to
/// apex and base along the gradient of a harmonic function (0 on the apical line through the wall, 1 on the base).
/// Rotational: of the left ventricle the angle about the centre line of its wall, of the right one's free wall the
/// ratio of path lengths to both insertions. Without `Anatomy::apex` and `base_centre` the tags say where they are;
/// `septum` is needed for a left ventricle alone. Throws InputError for missing tags or septum, and for an atrium.
Coordinates ventricular_coordinates(const Anatomy&, const Monitor& = {});

/// As node maps for a file: the four above, and cosine and sine of the rotational one, which have no cut.
std::vector<Map> coordinate_maps(const Coordinates&);

/// Apex and base centre [mm, LPS] and the unit vector from the axis to the septum's middle, zero where it is unknown.
struct Landmarks {
  Vec3 apex, base_centre, septum;
};
/// Those of the anatomy where it has them, else from the tagged surface. Throws InputError without endocardium,
/// epicardium or base.
Landmarks landmarks(const Anatomy&);

/// Gives an anatomy of which only the surface is tagged what it lacks: landmarks, `depth`, `height`, `right`, segments
/// and standard sites of `radius` [mm]. Sites that are there already keep their names. Needs `septum` for a left
/// ventricle alone; throws InputError as ventricular_coordinates does.
void complete_anatomy(Anatomy&, double radius = 3.0, const Monitor& = {});

/// Finds places in one heart. Interpolates in tets, so that there and back is exact. Keeps a view of the mesh, which
/// must outlive it. Safe to use from several threads.
class Atlas {
 public:
  Atlas(const Mesh&, Coordinates);
  explicit Atlas(const Anatomy& anatomy, const Monitor& monitor = {})
      : Atlas(anatomy.mesh, ventricular_coordinates(anatomy, monitor)) {}
  Atlas(Atlas&&) noexcept;
  ~Atlas();

  struct Found {
    Place place;
    Vec3 position = Vec3::Zero();    ///< in the tissue [mm, LPS]
    Index tet = 0;                   ///< that holds it
    std::array<double, 4> weight{};  ///< of its corners
    double off = 0;                  ///< how far away the tissue is from what was asked for [mm]; 0 within it
  };
  /// The place of a point, or of the tissue nearest to it. Throws InputError for a point that is not finite.
  Found at(const Vec3& position) const;
  /// The position of a place, or of the nearest there is (`off` then measures along the wall). Throws InputError for
  /// coordinates out of range, or the right ventricle of a heart that has none.
  Found at(const Place&) const;

  const Coordinates& coordinates() const;
  const Mesh& mesh() const;
  bool has(Ventricle) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Where a point of one heart lies in another.
inline Atlas::Found map_point(const Atlas& from, const Vec3& position, const Atlas& to) {
  return to.at(from.at(position).place);
}

/// A field of one heart on another: each node of `to` gets the value interpolated at its place in `from` (each tet, for
/// a map on tets, the value of the tet at its centre's place); NaN where `from` has NaN or lacks the ventricle. Throws
/// InputError for a map of another length.
Map map_field(const Atlas& from, const Map&, const Atlas& to, const Monitor& = {});

/// "basal anterior", ... of AHA segment 1..17 (doi 10.1161/hc0402.102975), else "unknown".
const char* aha_name(int segment);

/// In a clinician's words: "basal anteroseptal, mid-wall, LV". `aha`: the segment there, 0 where there is none.
std::string place_words(const Place&, int aha);
/// The same of a position by segments, depth and long axis alone, without coordinates; "" where the anatomy has no
/// segments, the segment's name alone where it has no depth.
std::string place_words(const Anatomy&, const Vec3& position);

}  // namespace cardiotwin
