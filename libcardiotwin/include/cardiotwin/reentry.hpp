#pragma once
/// Finding the circuit of a sustained re-entry in activation times.

#include <cardiotwin/anatomy.hpp>
#include <cardiotwin/ecg.hpp>
#include <optional>
#include <vector>

namespace cardiotwin {

/// Activation history at `end` [ms]: per mesh node the last `depth` LATs, latest first, NaN where none
/// (Simulation::activations).
struct ActivationHistory {
  double end = 0;
  int depth = 0;
  std::vector<double> lat;
};

struct Circuit {
  double cycle_length = 0;      ///< [ms], median of the last intervals
  double cycle_spread = 0;      ///< relative interquartile range of the intervals
  double map_correlation = 0;   ///< of the two latest activation maps, phase-aligned
  bool monomorphic = false;     ///< spread < 10 % and correlation > 0.9
  Vec3 isthmus = Vec3::Zero();  ///< centre of the isthmus [mm, LPS]
  Vec3 entrance = Vec3::Zero(), exit = Vec3::Zero();
  int aha_isthmus = 0, aha_exit = 0;
  std::vector<Vec3> isthmus_line;  ///< centroids of successive wavefronts through the isthmus, entrance to exit
  std::vector<Vec3> path;          ///< the traced closed circuit
  double closure = 0;              ///< distance between the path's ends after one cycle length [mm]
  Map lat;                         ///< activation within one cycle, 0 at the exit [ms], per node, NaN where not active
  Ecg ecg = {};                    ///< the twelve leads over some cycles, from 0 ms; empty where a study has no leads
};

struct CircuitOptions {
  double bin = 5;               ///< histogram bin [ms]
  double diastole_rate = 0.25;  ///< of the mean activation rate
  double closure_limit = 12;    ///< a path that closes worse is no proof [mm]
};

/// Finds and proves the circuit; nullopt where no closed path can be traced.
/// Cost: O(edges) per cycle.
std::optional<Circuit> find_circuit(const Anatomy&, const ActivationHistory&, const CircuitOptions& = {});

/// Same exit (< 10 mm), cycle length (< 10 %) and map (correlation > 0.9)? Such circuits are counted once.
bool same_circuit(const Circuit&, const Circuit&);

}  // namespace cardiotwin
