#pragma once
/// What to put around a heart where no image shows it: a parametric trunk with lungs and blood and the electrodes of a
/// twelve-lead ECG, or a bath.

#include <cardiotwin/anatomy.hpp>
#include <cardiotwin/ecg.hpp>
#include <cardiotwin/exchange.hpp>
#include <cardiotwin/log.hpp>
#include <cardiotwin/torso.hpp>
#include <string>
#include <vector>

namespace cardiotwin::meshes {

/// Where the body is, seen from the heart's coordinates.
enum class BodyFrame {
  /// They are the scanner's: left, back, up are x, y, z.
  scanner,
  /// They are arbitrary, as a synthetic heart's: the body is turned around the heart so that its long axis (`apex`,
  /// `base_centre`) and its septum lie as in an average adult. The apex points left, forward and down along (0.611,
  /// -0.632, -0.477) in LPS: 38 degrees below the horizontal seen from the front, 46 degrees forward seen from above,
  /// the means of 94 healthy adults (Engblom et al. 2005, Am Heart J 150:507). The septum looks right and forward,
  /// (-1, -1, 0) made normal to the axis, so that the anterior wall looks up: typical, not measured. Of an atrium the
  /// mitral valve takes the apex's place.
  heart
};

/// The trunk is the superellipsoid (|x/a|^2.5 + |y/b|^2.5)^2 + |z/c|^5 = 1, nearly upright walls with rounded ends: a
/// cross-section between ellipse and rectangle, as a thorax has. The default is about a man's from the shoulders to the
/// hip, 24 l. Each lung is an ellipsoid of 0.34, 0.68 and 0.53 times the trunk's width, depth and height, its centre
/// 0.265 of the width beside, 0.025 of the depth behind and 0.17 of the height above the trunk's middle (2 l each, as
/// at rest), less what is close to the heart or to the skin.
struct TorsoOptions {
  BodyFrame frame = BodyFrame::scanner;
  double width = 320, depth = 220, height = 450;  ///< of the trunk [mm]
  /// How far the ventricles' centroid is from the trunk's middle [mm]. Two thirds of a heart lie left of the midline,
  /// its front some 4 cm behind the skin, its middle at the height of the fourth intercostal space, above the middle of
  /// the trunk. An atrium's is some 50 mm further right and back, 30 mm further up.
  double heart_left = 20, heart_front = 25, heart_up = 60;
  bool lungs = true, blood = true;
  double heart_margin = 6;  ///< of what is neither lung nor blood, around the heart and its cavities [mm]
  double chest_wall = 15;   ///< between lungs and skin [mm]
  double heart_edge = 0;    ///< mean edge of the tets that touch the heart [mm]; 0: the heart's own mean edge
  double growth = 0.25;     ///< of edges away from the heart [mm per mm]
  /// Of edges far away [mm], met within a factor sqrt 2: a lattice's sizes are that at the heart times 2, 4, 8.
  double outer_edge = 15;
  int threads = 0;  ///< the result does not depend on it
};

struct BuiltTorso {
  Torso torso;
  std::vector<Electrode> electrodes;  ///< standard_electrodes
  Mat3 body;                          ///< columns: left, back, up in the heart's coordinates
  Vec3 middle;                        ///< of the trunk [mm]
};

/// Regions "torso", "lungs" and "blood". A tet that the heart's surface cuts is what lies beside the muscle there;
/// blood is within the endocardium and caps over its openings. An anatomy without a tagged endocardium has none, which
/// is warned of. Throws InputError: sizes or edges out of range, a heart nearer than 10 mm to the skin, a frame that
/// needs landmarks the anatomy has not.
BuiltTorso build_torso(const Anatomy& heart, const TorsoOptions& = {}, const Monitor& = {});

/// All within `margin` [mm] of the heart's bounding box, cavities too, as "bath" of mean edge `edge` [mm]. Throws
/// InputError for a margin outside [1, 200], an edge outside [0.1, 20] mm or above the margin.
Torso build_bath(const Anatomy& heart, double margin, double edge, const Monitor& = {});

/// RA, LA, RL, LL, V1 ... V6 on the surface of the mesh. In the body's axes, from the heart's centroid and the trunk's
/// middle, which `options` puts beside it:
///   V1, V2  25 mm right and left of the midline in front, at the height of the heart's centroid (fourth space)
///   V4      a quarter of the width left of the midline (midclavicular) in front, 30 mm lower (fifth space)
///   V3      midway between V2 and V4
///   V5, V6  25 degrees before and at the left side (anterior and middle axillary line), at the height of V4
///   RA, LA  in front, a third of the width beside the midline, 0.4 of the height above the trunk's middle
///   RL, LL  in front, 0.3 of the width beside it, 0.38 of the height below (limbs as Mason & Likar 1966, Am Heart J
///           71:196: on the trunk, below the collar bones and above the hip)
/// each along a horizontal ray: straight forward, or away from the trunk's axis (V3, V5, V6). Throws InputError where a
/// ray meets no surface.
std::vector<Electrode> standard_electrodes(const Anatomy& heart, const Torso&, const TorsoOptions& = {});

/// The body's axes as columns in the heart's coordinates. Throws InputError where landmarks are missing.
Mat3 body_axes(const Anatomy& heart, BodyFrame);

/// For save_mesh: regions as named tags, electrodes as node sets of the nearest node.
ForeignMesh to_foreign(const Torso&, const std::vector<Electrode>& electrodes = {});
/// A line per electrode after one of headings: name, x, y, z [mm, LPS], comma-separated.
std::string electrode_rows(const std::vector<Electrode>&);

}  // namespace cardiotwin::meshes
