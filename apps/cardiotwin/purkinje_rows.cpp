#include "purkinje_rows.hpp"

namespace cardiotwin::app {

void add_purkinje_rows(Options& rows, PurkinjeOptions& p) {
  rows.seed("purkinje_seed", p.seed, "Purkinje tree: of its branches' lengths and sides");
  rows.quantity("purkinje_velocity", p.velocity, "m/s", 0.1, 10, "Purkinje tree: conduction velocity in it");
  rows.quantity("purkinje_delay", p.junction_delay, "ms", 0, 100, "Purkinje tree: from its ends to the muscle");
  rows.quantity("purkinje_right_delay", p.right_delay, "ms", 0, 200, "Purkinje tree: of the right root after the left");
  rows.quantity("purkinje_length", p.length, "mm", 1, 50, "Purkinje tree: mean length of a branch");
  rows.number("purkinje_angle", p.angle, 5, 80, "Purkinje tree: degrees between a branch and its mother");
  rows.number("purkinje_repulsion", p.repulsion, 0, 2,
              "Purkinje tree: weight of the direction away from other branches");
  rows.integer("purkinje_generations", p.generations, 1, 60, "Purkinje tree: of branches, after the fascicles");
  rows.number("purkinje_top", p.top, 0.3, 1.5,
              "Purkinje tree: share of the long axis above which nothing grows; the base is reached last");
  rows.quantity("purkinje_segment", p.segment, "mm", 0.1, 5,
                "Purkinje tree: step of growth, least distance of branches");
  rows.quantity("purkinje_radius", p.junction_radius, "mm", 0.1, 10,
                "Purkinje tree: of muscle that a junction starts; at least 1.5 mean edges");
  rows.optional_vector("purkinje_root", p.root_lv, "mm", "Purkinje tree: left root [mm, LPS]; else high on the septum");
  rows.optional_vector("purkinje_right_root", p.root_rv, "mm",
                       "Purkinje tree: right root [mm, LPS]; else across the septum from the left one");
}

}  // namespace cardiotwin::app
