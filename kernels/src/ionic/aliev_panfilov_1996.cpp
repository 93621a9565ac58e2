#include "aliev_panfilov_1996.hpp"

#include "entry.hpp"

namespace cardiotwin::kernels {

ModelEntry aliev_panfilov_1996() {
  ModelInfo m;
  m.name = "aliev-panfilov";
  m.doi = "10.1016/0960-0779(95)00089-5";
  m.states = {{"w", "", 0.0}};
  m.parameters = {
      {"k", "", 8, 1, 50, "steepness of the cubic: upstroke"},
      {"a", "", 0.15, 0.01, 0.4, "excitation threshold, in normalised potential"},
      {"eps0", "", 0.002, 1e-4, 0.1, "recovery rate of a rested cell, per unit of time"},
      {"mu1", "", 0.2, 0, 2, "how much w speeds its own dynamics up: restitution"},
      {"mu2", "", 0.3, 0.05, 2, "potential at which mu1 acts half"},
      {"t_scale", "ms", 12.9, 1, 100, "one unit of the paper's time"},
      {"V_min", "mV", -80, -120, -40, "resting potential"},
      {"V_max", "mV", 20, -20, 80, "potential of u = 1"},
  };
  m.rest = -80;
  m.peak = 19;
  m.coarsest_dt = 0.5;  // at most 8 mV/ms
  m.activation_threshold = -30;
  m.repolarization_level = -70;
  return {m, operations_of<host::AlievPanfilov1996<double>>()};
}

}  // namespace cardiotwin::kernels
