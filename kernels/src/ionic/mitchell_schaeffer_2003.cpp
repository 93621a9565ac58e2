#include "mitchell_schaeffer_2003.hpp"

#include "entry.hpp"

namespace cardiotwin::kernels {

ModelEntry mitchell_schaeffer_2003() {
  ModelInfo m;
  m.name = "mitchell-schaeffer";
  m.doi = "10.1016/S0092-8240(03)00041-7";
  m.states = {{"h", "", 1.0}};
  m.parameters = {
      {"tau_in", "ms", 0.3, 0.01, 10, "time scale of the inward current: upstroke"},
      {"tau_out", "ms", 6, 0.5, 100, "time scale of the outward current: repolarisation"},
      {"tau_open", "ms", 120, 1, 2000, "recovery of the gate below u_gate"},
      {"tau_close", "ms", 150, 1, 2000, "inactivation of the gate above u_gate: action potential duration"},
      {"u_gate", "", 0.13, 0.01, 0.5, "normalised potential that switches the gate"},
      {"V_min", "mV", -80, -120, -40, "resting potential"},
      {"V_max", "mV", 20, -20, 80, "potential of u = 1"},
  };
  m.rest = -80;
  m.peak = 14;  // on the plateau u (1 - u) = tau_in / (h tau_out): u <= 0.947
  m.coarsest_dt = 0.25;
  m.activation_threshold = -30;
  m.repolarization_level = -70.5;
  return {m, operations_of<host::MitchellSchaeffer2003<double>>()};
}

}  // namespace cardiotwin::kernels
