#include <fmt/core.h>

#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cardiotwin/stimulus.hpp>
#include <cmath>

namespace cardiotwin {

Protocol Protocol::s1s2(const Site& site, const S1S2& p) {
  const auto refuse = [&](const std::string& what) {
    throw InputError(fmt::format("Protocol s1s2 at \"{}\": {}", site.name, what));
  };
  if (p.beats < 1) refuse(fmt::format("{} beats; there must be at least 1", p.beats));
  if (p.beats > 1 && !(p.s1 > 0)) refuse(fmt::format("s1 = {} ms must be positive", p.s1));
  const double extra[] = {p.s2, p.s3, p.s4};
  for (int k = 0; k < 3; ++k) {
    if (!(extra[k] >= 0)) refuse(fmt::format("s{} = {} ms must not be negative", k + 2, extra[k]));
    if (k > 0 && extra[k] > 0 && !(extra[k - 1] > 0)) refuse(fmt::format("s{} is given without s{}", k + 2, k + 1));
  }
  Protocol protocol;
  const auto pulse = [&](double at) {
    protocol.stimuli.push_back({.nodes = site.nodes, .start = at, .duration = p.duration, .amplitude = p.amplitude});
  };
  for (int beat = 0; beat < p.beats; ++beat) pulse(p.start + beat * p.s1);
  double at = p.start + (p.beats - 1) * p.s1;
  for (const double interval : extra)
    if (interval > 0) pulse(at += interval);
  protocol.validate();
  return protocol;
}

double Protocol::last_stimulus() const {
  double last = 0;
  for (const Stimulus& s : stimuli) last = std::max(last, s.start);
  for (const ElectrodeCurrent& c : currents) last = std::max(last, c.start);
  return last;
}

void Protocol::validate() const {
  for (std::size_t k = 0; k < stimuli.size(); ++k) {
    const Stimulus& s = stimuli[k];
    const auto refuse = [&](const std::string& what) { throw InputError(fmt::format("Stimulus {}: {}", k, what)); };
    if (s.nodes.empty()) refuse("it has no nodes");
    if (!(s.duration > 0) || !std::isfinite(s.duration))
      refuse(fmt::format("duration = {} ms must be positive", s.duration));
    if (!(s.start >= 0) || !std::isfinite(s.start)) refuse(fmt::format("start = {} ms must not be negative", s.start));
    if (!(std::abs(s.amplitude) <= 1000))
      refuse(fmt::format("amplitude = {} A/F is outside [-1000, 1000]; 50 A/F for 2 ms is usual", s.amplitude));
  }
  for (std::size_t k = 0; k < currents.size(); ++k) {
    const ElectrodeCurrent& c = currents[k];
    const auto refuse = [&](const std::string& what) {
      throw InputError(fmt::format("Electrode current {}: {}", k, what));
    };
    if (!c.position.allFinite()) refuse("its position is not finite");
    if (!(c.radius > 0) || !std::isfinite(c.radius)) refuse(fmt::format("radius = {} mm must be positive", c.radius));
    if (!(c.duration > 0) || !std::isfinite(c.duration))
      refuse(fmt::format("duration = {} ms must be positive", c.duration));
    if (!(c.start >= 0) || !std::isfinite(c.start)) refuse(fmt::format("start = {} ms must not be negative", c.start));
    if (!(std::abs(c.current) <= 1e6)) refuse(fmt::format("current = {} uA is outside [-1e6, 1e6]", c.current));
  }
}

}  // namespace cardiotwin
