#pragma once
/// Several sites paced at once.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "plan_pacing.hpp"

namespace cardiotwin::study {

/// Workers that each pace one site at a time, on a simulation and with cores of their own. A heart of some ten thousand
/// nodes is too small to share among cores within a step, and sites do not depend on one another: on the CPU this uses
/// the cores best. Results do not depend on the number of workers. A GPU is given to one worker.
class Crew {
 public:
  Crew(const Twin&, const PlanOptions&);
  ~Crew();

  std::size_t size() const { return workers_; }

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
  void work(std::size_t worker, Shift&);
  Simulation& simulation(std::size_t worker, const SimulationOptions&);

  const Twin& twin_;
  const PlanOptions& options_;
  std::size_t workers_ = 1;
  Backend backend_;  ///< of one worker
  struct Desk {
    std::unique_ptr<Simulation> simulation;
    std::vector<Lesion> lesions;
  };
  std::vector<Desk> desks_;
};

}  // namespace cardiotwin::study
