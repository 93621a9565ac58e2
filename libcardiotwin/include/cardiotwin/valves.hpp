#pragma once
/// Valve rings: where an endocardium ends at the base.

#include <cardiotwin/anatomy.hpp>
#include <string>
#include <vector>

namespace cardiotwin {

struct ValveRing {
  std::string name;          ///< "mitral", "aortic", "tricuspid", "pulmonary"; "mitral_aortic" where one rim is both
  Surface endocardium;       ///< that it bounds
  Vec3 centre, normal;       ///< of the area [mm, LPS]; the unit normal points out of the ventricle
  double perimeter = 0;      ///< of the line without the zigzag of its edges [mm]
  double area = 0;           ///< of its projection along the normal [mm2]
  std::vector<Index> nodes;  ///< in order, counter-clockwise seen from outside the ventricle; the first is not repeated
};

/// Rings from the tags alone: closed lines of edges between the base and an endocardium, the left ventricle's first,
/// each ventricle's largest first; lines of less than a fifth of its perimeter are flaws of the tags and left out. Of a
/// left ventricle's two the aortic one is nearer to the septum, of a right one's the pulmonary one is the anterior one;
/// where the landmarks are unknown the smaller ones. Throws InputError without endocardium or base.
std::vector<ValveRing> valve_rings(const Anatomy&);

}  // namespace cardiotwin
