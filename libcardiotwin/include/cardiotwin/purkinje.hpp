#pragma once
/// A Purkinje network on the endocardium, and the beat it starts.

#include <cardiotwin/anatomy.hpp>
#include <cardiotwin/exchange.hpp>
#include <cardiotwin/log.hpp>
#include <cardiotwin/stimulus.hpp>
#include <cstdint>
#include <optional>
#include <vector>

namespace cardiotwin {

/// Growth on a surface (Costabal et al. 2016, doi 10.1016/j.jbiomech.2015.12.025) and conduction. Lengths [mm].
struct PurkinjeOptions {
  std::uint64_t seed = 7;  ///< of the branches' lengths and sides
  double segment = 1.0;    ///< step of growth, and the least distance between branches
  double length = 8;       ///< mean of a branch
  double spread = 0.3;     ///< standard deviation of the length, a share of it
  double angle = 12;       ///< of a branch to its mother [degrees]
  double repulsion = 0.1;  ///< w: weight of the direction away from the nearest branch, against going on straight
  int generations = 20;
  double trunk = 15;                          ///< from the root towards the apex
  double fascicle = 25, fascicle_angle = 50;  ///< three begin at the trunk's end: to either side [degrees] and on
  double top =
      0.8;  ///< share of the long axis above which nothing grows: the base is reached last (Durrer et al. 1970)
  std::optional<Vec3> root_lv = {}, root_rv = {};  ///< [mm, LPS]; else high on the septum's own side
  double velocity = 2.5;                           ///< [m/s]
  double right_delay = 5;      ///< of the right root [ms] (Durrer et al. 1970, doi 10.1161/01.CIR.41.6.899: 5 to 10)
  double junction_delay = 3;   ///< from the tree's end to the muscle [ms]
  double junction_radius = 2;  ///< of muscle that a junction starts
};

/// Segments, each from a point to its parent, which comes before it. Stays on the endocardium and never crosses itself:
/// a branch ends where it would come nearer to another than one segment.
struct PurkinjeTree {
  std::vector<Vec3> points;            ///< [mm, LPS]
  std::vector<Index> parent;           ///< -1 at the roots
  std::vector<std::uint8_t> right;     ///< 1 on the right endocardium
  std::vector<std::uint8_t> junction;  ///< 1 where a branch ends and muscle is reached
  std::size_t junctions() const;
  double length() const;  ///< [mm]
};

/// One tree on the left endocardium and one on the right where there is one, the same for the same options. Throws
/// InputError without a tagged endocardium or landmarks, or for options out of range.
PurkinjeTree grow_purkinje(const Anatomy&, const PurkinjeOptions& = {}, const Monitor& = {});

/// Activation time of every point [ms]: way along the tree / velocity, plus right_delay in the right tree.
std::vector<double> purkinje_times(const PurkinjeTree&, const PurkinjeOptions& = {});

/// Beats from all junctions at the train's times, each at its own delay; s2 to s4 as premature beats. One way, from
/// the tree to the muscle: nothing is conducted back into the tree, so no re-entry through it is possible. Junctions
/// farther than `junction_radius` from living muscle are left out with a warning. Throws InputError where none is left.
Protocol purkinje_beats(const Anatomy&, const PurkinjeTree&, const S1S2&, const PurkinjeOptions& = {},
                        const Monitor& = {});

/// Lines with fields "time_ms", "junction" and "right".
ForeignMesh to_foreign(const PurkinjeTree&, const PurkinjeOptions& = {});

}  // namespace cardiotwin
