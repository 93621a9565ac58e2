#pragma once
/// When nodes are activated, and by how much two runs differ in it.

#include <gtest/gtest.h>

#include <algorithm>
#include <cardiotwin/simulation.hpp>
#include <cmath>
#include <vector>

#include "blocks.hpp"

namespace cardiotwin::test {

/// First activation per node [ms] after a pulse at the low-x end; NaN where there is none.
inline std::vector<double> lats(const Twin& twin, const SimulationOptions& options, double duration = 30) {
  Simulation sim(twin, options);
  sim.add(pulse_at_low_end(twin.anatomy.mesh));
  sim.run(duration);
  const auto all = sim.activations();
  std::vector<double> result;
  for (std::size_t i = 0; i < twin.anatomy.mesh.node_count(); ++i)
    result.push_back(all[i * Simulation::activation_depth]);
  return result;
}

/// Of two runs that activate every node.
inline double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_FALSE(std::isnan(a[i]) || std::isnan(b[i])) << "node " << i;
    largest = std::max(largest, std::abs(a[i] - b[i]));
  }
  return largest;
}

}  // namespace cardiotwin::test
