#include "pulse_schedule.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace cardiotwin::kernels {
namespace {

double in_steps(double time, double dt) {
  const double steps = time / dt, nearest = std::round(steps);
  return std::abs(steps - nearest) < 1e-6 ? nearest : steps;
}

void validate(const Pulse& p, std::size_t nodes) {
  if (!std::isfinite(p.start) || !std::isfinite(p.duration) || !std::isfinite(p.amplitude) || p.duration < 0) {
    throw std::invalid_argument("pulse: start, duration and amplitude must be finite and the duration not negative");
  }
  for (const auto i : p.nodes) {
    if (i < 0 || std::size_t(i) >= nodes) {
      throw std::invalid_argument("pulse: node " + std::to_string(i) + " is outside [0, " + std::to_string(nodes) +
                                  ")");
    }
  }
}

}  // namespace

PulseSchedule::PulseSchedule(std::vector<Pulse> pulses, double dt, std::size_t nodes) : pulses_(std::move(pulses)) {
  for (const auto& p : pulses_) {
    validate(p, nodes);
    const double from = in_steps(p.start, dt), to = in_steps(p.start + p.duration, dt);
    const double middle = in_steps(p.start + p.duration / 2, dt);
    std::vector<Part> parts;
    if (p.biphasic) {
      parts = {{from, middle, p.amplitude}, {middle, to, -p.amplitude}};
    } else {
      parts = {{from, to, p.amplitude}};
    }
    for (const auto& part : parts) {
      for (const double edge : {part.from, part.to}) {
        changes_.push_back(std::int64_t(std::floor(edge)));
        changes_.push_back(std::int64_t(std::ceil(edge)));
      }
    }
    parts_.push_back(std::move(parts));
  }
  std::sort(changes_.begin(), changes_.end());
  changes_.erase(std::unique(changes_.begin(), changes_.end()), changes_.end());
}

std::int64_t PulseSchedule::next_change(std::int64_t step) const {
  const auto next = std::upper_bound(changes_.begin(), changes_.end(), step);
  return next == changes_.end() ? INT64_MAX : *next;
}

double PulseSchedule::mean_amplitude(std::size_t i, std::int64_t step) const {
  double mean = 0;
  for (const auto& part : parts_[i]) {
    const double overlap = std::min(part.to, double(step + 1)) - std::max(part.from, double(step));
    if (overlap > 0) mean += overlap * part.amplitude;
  }
  return mean;
}

}  // namespace cardiotwin::kernels
