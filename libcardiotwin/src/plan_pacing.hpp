#pragma once
/// Programmed stimulation from one site.

#include <cardiotwin/plan.hpp>
#include <functional>
#include <optional>

namespace cardiotwin::study {

struct Paced {
  SiteResult result;               ///< without round and circuit number
  std::optional<Circuit> circuit;  ///< where the result is inducible
};

/// Paces `site` on a simulation of the twin (lesions already in it): an S1 train, then extra-stimuli, each at the
/// shortest interval that captures. Stops at the first that induces and records a circuit's ECG by `leads`, which know
/// of the lesions (nullptr: none). `progress` is told the share done, in [0, 1]. Cost: about 2.5 s of simulated time
/// where nothing is induced, an ECG some 1 s.
Paced pace_site(Simulation&, const Twin&, const Site&, const PlanOptions&, const LeadFields* leads, const Monitor&,
                const std::function<void(double)>& progress);

}  // namespace cardiotwin::study
