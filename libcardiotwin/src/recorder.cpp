// Recorders that keep their result in memory. Snapshots, which writes files, is in io.
#include <fmt/core.h>

#include <cardiotwin/recorder.hpp>
#include <cardiotwin/simulation.hpp>
#include <cmath>

namespace cardiotwin {

// A node keeps its latest activations only, so the first one is that of the map before, once there is one.
void ActivationMap::finish(const Simulation& simulation) {
  const auto lat = simulation.activations();
  constexpr auto depth = static_cast<std::size_t>(Simulation::activation_depth);
  map_.values.resize(lat.size() / depth, NAN);
  for (std::size_t i = 0; i < map_.values.size(); ++i) {
    if (which_ == Which::last) {
      map_.values[i] = lat[i * depth];
      continue;
    }
    if (!std::isnan(map_.values[i])) continue;
    for (std::size_t k = 0; k < depth && !std::isnan(lat[i * depth + k]); ++k) map_.values[i] = lat[i * depth + k];
  }
}
void ActivationMap::reset() { map_.values.clear(); }

void RepolarizationMap::finish(const Simulation& simulation) { map_.values = simulation.repolarizations(); }
void RepolarizationMap::reset() { map_.values.clear(); }

void Probe::sample(double time, std::span<const double> voltage) {
  for (const Index node : nodes_) {
    if (node < 0 || static_cast<std::size_t>(node) >= voltage.size())
      throw InputError(fmt::format("Probe: node {} is outside the mesh of {} nodes", node, voltage.size()));
    values_.push_back(voltage[node]);
  }
  times_.push_back(time);
}
void Probe::reset() { times_.clear(), values_.clear(); }

}  // namespace cardiotwin
