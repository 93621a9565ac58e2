#pragma once
/// What a study says to a person, and the order of its targets.

#include <cardiotwin/plan.hpp>
#include <string>
#include <vector>

namespace cardiotwin::study {

/// A lesion on its way to become a target.
struct Placed {
  Lesion lesion;
  std::vector<int> circuits;  ///< that it was placed for, or that run through it
  bool tested = false;        ///< pacing was repeated without it
  bool necessary = true;
  std::string missed_from = {};  ///< site that induced without it
};

/// Targets ranked by the share of inducible sites they address, then necessity, then order of placement.
std::vector<Target> ranked_targets(const Anatomy&, const Plan&, const std::vector<Placed>&);

/// One paragraph. `sites`: how many were to be paced; `ablated`: muscle taken [ml]; `fit`: the twin passed its check.
std::string conclusion(const Plan&, std::size_t sites, int extra_stimuli, double ablated, bool fit);

}  // namespace cardiotwin::study
