#pragma once
/// The steps of `build` for a left atrium; private to the picture room.

#include <cardiotwin/meshes/build.hpp>
#include <string>
#include <vector>

#include "build_parts.hpp"

namespace cardiotwin::meshes {

/// Labels of an atrium on the image's grid: lv_cavity stands for its cavity, muscle and infarct for its wall.
struct AtrialLabels {
  Labels labels;
  bool has_wall = false;         ///< the wall was labelled, at least in part
  std::optional<Plane> contact;  ///< where the left ventricle's blood meets the cavity; the normal points out of it
};
/// `convention` as for canonical_labels. Wall is the labelled tissue within 6 mm of the cavity that lies nearer to it
/// than to the left ventricle. Throws InputError without a left-atrial cavity. Warns of blood that is not connected and
/// of a cavity that reaches the image's edge.
AtrialLabels atrial_labels(const LabelValues&, const std::string& convention, const Monitor&);

/// An opening of the cavity; the normal points out of it. It belongs to one part of the cavity: 0 is the body.
struct Opening {
  std::string name;
  Plane plane;
  double radius;  ///< of the disc of the same area [mm]
  int part;
};

/// What the cavity's shape tells: body, veins, appendage, and where they are open.
struct AtrialShape {
  Labels parts;                   ///< 0.8 mm; per voxel the part of the cavity nearest to it: 0 body, 1, 2, ...
  std::vector<Opening> openings;  ///< the mitral one first, then the veins
  std::vector<std::pair<std::string, Vec3>> ostia;  ///< where veins and appendage ("laa") leave the body [mm, LPS]
  std::optional<Vec3> appendage_tip;                ///< [mm, LPS]
  Vec3 centre;                                      ///< of the body [mm, LPS]
  const char* mitral_source = "";                   ///< "left ventricle", "given" or "guessed"

  int part_at(const Vec3&) const;
  /// Is the point beyond the opening of the part it is nearest to?
  bool is_cut(const Vec3&, double wall) const;
};
/// Veins and appendage are what the opening of the cavity by a ball of half its inner radius removes, at least 5 mm
/// deep. The appendage is the one that leaves nearest to the mitral valve, if its tip lies before the others'; the
/// others are veins, named by their place in LPS, cut where their section begins to end. The mitral plane is that of
/// the contact with the left ventricle, else the flat part around `mitral`, else the part of the body within 50 degrees
/// of left, front and down that looks most like a cut, which is said aloud. Warns where veins cannot be told. Throws
/// InputError for a cavity too small to be an atrium's, or where no mitral plane is found.
AtrialShape atrial_shape(const AtrialLabels&, const std::optional<Vec3>& mitral, const Monitor&);

/// Cavity (lv_cavity) and wall (muscle) on a fine isotropic grid, open at the openings. The wall is the labelled one,
/// and where there is none an even one of `thickness` [mm].
struct AtrialWall {
  Labels labels;
  Mask beyond;           ///< per voxel: it lies beyond an opening
  double thickness = 0;  ///< 10th percentile [mm]
};
AtrialWall atrial_wall(const AtrialLabels&, const AtrialShape&, double thickness, const Monitor&);

/// The labels on the image's grid with the wall that was grown; labelled scar stays.
Labels labels_with_wall(const AtrialLabels&, const AtrialWall&);

/// Boundary faces tagged, and the rims of the openings. Throws InputError where an endo- or epicardium is missing or an
/// opening is closed.
struct AtrialSurface {
  std::vector<SurfaceFace> faces;
  std::vector<Ring> rings;  ///< as the openings
};
AtrialSurface atrial_surface(const Mesh&, const AtrialWall&, const AtrialShape&);

/// Surface, rings, fibres and sites of a labelled mesh.
Anatomy atrial_anatomy(Mesh, const AtrialWall&, const AtrialShape&, double site_radius, const Monitor&);

/// All of it, from the labels of a file on the image's grid.
struct BuiltAtrium {
  Anatomy anatomy;
  Labels labels;  ///< on the image's grid, the wall included
  ScarStatistics scar;
  double channel_volume = 0;               ///< [ml]
  double wall = 0, spacing = 0, edge = 0;  ///< thickness, of the fine labels, of the mesh [mm]
  const char* mitral_source = "";
};
BuiltAtrium build_atrium(const Image&, const LabelValues&, const BuildOptions&, const Monitor&);

}  // namespace cardiotwin::meshes
