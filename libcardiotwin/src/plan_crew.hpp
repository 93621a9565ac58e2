#pragma once
/// Several sites paced at once.

#include <cardiotwin/ensemble.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "plan_pacing.hpp"

namespace cardiotwin::study {

/// Paces several sites at once, as members of an ensemble that shares the mesh's matrix. Results do not depend on how
/// many go at once.
class Crew {
 public:
  Crew(const Twin&, const PlanOptions&);

  struct Watch {
    std::function<void(double)> progress;              ///< runs' worth of work done so far, in [0, sites]
    std::function<void(std::size_t, Paced)> finished;  ///< number of the site, as soon as it is done
  };

  /// Paces the sites with the lesions in `options`. Everything in `watch` and `monitor` is called from the calling
  /// thread. Throws what a worker threw, or Interrupted; sites finished until then have been handed over.
  void pace(const std::vector<std::string>& sites, const SimulationOptions& options, const Monitor& monitor,
            const Watch& watch);

 private:
  struct Shift;
  const Twin& twin_;
  const PlanOptions& options_;
  int most_ = 1;  ///< sites at once
  std::optional<Ensemble> ensemble_;
};

}  // namespace cardiotwin::study
