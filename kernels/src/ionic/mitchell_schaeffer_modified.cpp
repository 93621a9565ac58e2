#include "mitchell_schaeffer_modified.hpp"

#include "entry.hpp"

namespace cardiotwin::kernels {

ModelEntry mitchell_schaeffer_modified() {
  ModelInfo m;
  m.name = "mitchell-schaeffer-modified";
  m.doi = "10.1016/j.mbs.2016.08.010";
  m.states = {{"h", "", 1.0}};
  m.parameters = {
      {"tau_in", "ms", 0.3, 0.01, 10, "time scale of the inward current: upstroke"},
      {"tau_out", "ms", 6, 0.5, 100, "time scale of the outward current: repolarisation"},
      {"tau_open", "ms", 90, 1, 2000, "recovery of the gate below v_gate"},
      {"tau_close", "ms", 120, 1, 2000, "inactivation of the gate above v_gate: action potential duration"},
      {"v_gate", "", 0.13, 0.01, 0.5, "excitation threshold, in normalised potential"},
      {"V_min", "mV", -80, -120, -40, "resting potential"},
      {"V_max", "mV", 20, -20, 80, "potential of u = 1"},
  };
  m.variants = {
      {"healthy", "10.1016/j.mbs.2016.08.010", {{"tau_close", 120}}, {}},
      {"border_zone", "longer action potential of the infarct border zone", {{"tau_close", 130}}, {}},
      {"channel", "slow channel through scar: long refractoriness", {{"tau_close", 195}}, {}},
  };
  m.rest = -80;
  m.peak = 17;
  m.coarsest_dt = 0.25;  // upstroke 3.7 ms
  m.activation_threshold = -30;
  m.repolarization_level = -70;
  return {m, operations_of<host::MitchellSchaefferModified<double>>()};
}

}  // namespace cardiotwin::kernels
