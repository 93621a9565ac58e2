#include <fmt/format.h>

#include <cardiotwin/calibration.hpp>
#include <cardiotwin/measurements.hpp>

namespace cardiotwin {
namespace {

void require_noise(double noise, const std::string& who, const char* unit) {
  if (!(noise > 0 && std::isfinite(noise)))
    throw InputError(
        fmt::format("{}: a noise of {:g} {} is not positive; give the standard deviation", who, noise, unit));
}

void require_within(double value, double low, double high, const std::string& who, const char* unit) {
  if (!(value >= low && value <= high))
    throw InputError(fmt::format("{} = {:g} {} is outside [{:g}, {:g}]; check its unit", who, value, unit, low, high));
}

void require_duration(double duration, double cycle, const std::string& who) {
  require_within(duration, 50, 1000, who, "ms");
  if (!(cycle > duration && std::isfinite(cycle)))
    throw InputError(
        fmt::format("{} = {:g} ms does not fit into a cycle of {:g} ms; check both", who, duration, cycle));
}

void validate(const VelocityMeasure& v) {
  const auto who =
      fmt::format("Velocity of \"{}\" {} its fibres", v.region, v.axis == Axis::along ? "along" : "across");
  if (v.region.empty()) throw InputError("Velocity: it names no region; name one of the anatomy's");
  require_within(v.value, 0.02, 3, who, "m/s");
  require_noise(v.noise, who, "m/s");
}

void validate(const ApdMeasure& a) {
  if (a.region.empty()) throw InputError("APD: it names no region; name one of the anatomy's");
  const auto who = fmt::format("APD of \"{}\"", a.region);
  require_duration(a.apd, a.cycle_length, who);
  require_noise(a.noise, who, "ms");
}

void validate(const ErpMeasure& e) {
  if (e.site.empty() && !e.position.allFinite())
    throw InputError("ERP: it has neither a site nor a position; give one of them");
  const auto who = e.site.empty() ? std::string("ERP") : fmt::format("ERP at \"{}\"", e.site);
  require_duration(e.erp, e.s1, who);
  require_noise(e.noise, who, "ms");
}

}  // namespace

void Measurements::validate() const {
  for (const auto& map : lat_maps) map.validate();
  for (const auto& v : velocities) cardiotwin::validate(v);
  for (const auto& a : apds) cardiotwin::validate(a);
  for (const auto& e : erps) cardiotwin::validate(e);
  for (const auto& e : ecgs) {
    e.leads.validate();
    require_noise(e.noise, "ECG", "mV");
    if (!(e.begin < e.end && e.begin >= e.leads.times.front() && e.end <= e.leads.times.back()))
      throw InputError(
          fmt::format("ECG: the beat from {:g} to {:g} ms is not in the record, which is from {:g} to {:g} ms", e.begin,
                      e.end, e.leads.times.front(), e.leads.times.back()));
  }
}

}  // namespace cardiotwin
