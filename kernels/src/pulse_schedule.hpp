#pragma once
/// When which pulse is on, by step index, so that time never drifts.

#include <cardiotwin/kernels/engine.hpp>
#include <cstdint>
#include <vector>

namespace cardiotwin::kernels {

class PulseSchedule {
 public:
  PulseSchedule() = default;
  /// Throws std::invalid_argument where a node is outside [0, nodes) or a number is not finite.
  PulseSchedule(std::vector<Pulse>, double dt, std::size_t nodes);

  /// First step after `step` at which some pulse's strength differs from the step before; INT64_MAX where none.
  std::int64_t next_change(std::int64_t step) const;

  /// Mean amplitude [A/F] of pulse `i` over step [step, step + 1) dt. A pulse whose edges fall inside a step so
  /// delivers its exact charge; edges within 1e-6 of a step boundary count as being on it.
  double mean_amplitude(std::size_t i, std::int64_t step) const;

  const std::vector<Pulse>& pulses() const { return pulses_; }

 private:
  struct Part {
    double from, to;  ///< in steps
    double amplitude;
  };
  std::vector<Pulse> pulses_;
  std::vector<std::vector<Part>> parts_;  ///< per pulse: one, or two where biphasic
  std::vector<std::int64_t> changes_;     ///< sorted
};

}  // namespace cardiotwin::kernels
