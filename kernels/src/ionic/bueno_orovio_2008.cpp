#include "bueno_orovio_2008.hpp"

#include "entry.hpp"

namespace cardiotwin::kernels {

ModelEntry bueno_orovio_2008() {
  ModelInfo m;
  m.name = "bueno-orovio-2008";
  m.doi = "10.1016/j.jtbi.2008.03.029";
  m.states = {{"v", "", 1.0}, {"w", "", 1.0}, {"s", "", 0.0}};
  m.parameters = {
      {"u_o", "", 0, -0.5, 0.5, "resting value of u"},
      {"u_u", "", 1.55, 1, 2.5, "value of u at which the fast inward current reverses"},
      {"theta_v", "", 0.3, 0.05, 0.8, "excitation threshold: fast inward current and gate v"},
      {"theta_w", "", 0.13, 0.005, 0.8, "threshold of the slow currents and of gate w"},
      {"theta_v_minus", "", 0.006, 0, 0.8, "where the recovery of v changes its pace"},
      {"theta_o", "", 0.006, 0, 0.8, "where the outward current near rest changes its pace"},
      {"tau_v1_minus", "ms", 60, 1, 2000, "recovery of v below theta_v_minus"},
      {"tau_v2_minus", "ms", 1150, 1, 5000, "closing of v between theta_v_minus and theta_v"},
      {"tau_v_plus", "ms", 1.4506, 0.1, 50, "closing of v above theta_v"},
      {"tau_w1_minus", "ms", 60, 1, 2000, "recovery of w at rest"},
      {"tau_w2_minus", "ms", 15, 1, 2000, "recovery of w above u_w_minus"},
      {"k_w_minus", "", 65, 1, 500, "steepness between the two"},
      {"u_w_minus", "", 0.03, 0, 0.5, "centre between the two"},
      {"tau_w_plus", "ms", 200, 10, 2000, "closing of w above theta_w"},
      {"tau_fi", "ms", 0.11, 0.01, 2, "fast inward current: upstroke"},
      {"tau_o1", "ms", 400, 1, 2000, "outward current below theta_o"},
      {"tau_o2", "ms", 6, 0.5, 200, "outward current between theta_o and theta_w"},
      {"tau_so1", "ms", 30.0181, 1, 500, "slow outward current at low u"},
      {"tau_so2", "ms", 0.9957, 0.05, 50, "slow outward current at high u"},
      {"k_so", "", 2.0458, 0.1, 20, "steepness between the two"},
      {"u_so", "", 0.65, 0, 1.5, "centre between the two"},
      {"tau_s1", "ms", 2.7342, 0.5, 100, "gate s below theta_w"},
      {"tau_s2", "ms", 16, 0.5, 200, "gate s above theta_w"},
      {"k_s", "", 2.0994, 0.1, 20, "steepness of the steady state of s"},
      {"u_s", "", 0.9087, 0, 2, "centre of the steady state of s"},
      {"tau_si", "ms", 1.8875, 0.1, 20, "slow inward current: plateau"},
      {"tau_w_inf", "", 0.07, 0.005, 2, "how fast the steady state of w falls with u near rest"},
      {"w_inf_star", "", 0.94, 0, 1, "steady state of w above theta_o"},
      {"V_min", "mV", -84, -120, -40, "potential of u = 0"},
      {"V_scale", "mV", 85.7, 20, 200, "potential difference of u = 1"},
  };
  // Table 1 of the paper, one cell type after another: the parameters in their order, from u_o to w_inf_star.
  const auto column = [&m](const char* name, const std::string& source, const std::vector<double>& values) {
    Variant v{name, source, {}, {}};
    for (std::size_t k = 0; k < values.size(); ++k) v.values.emplace_back(m.parameters[k].name, values[k]);
    return v;
  };
  m.variants = {
      column("epi", m.doi,
             {0,    1.55, 0.3, 0.13,    0.006,  0.006,  60,   1150,   1.4506, 60,     15,     65,     0.03, 200,
              0.11, 400,  6,   30.0181, 0.9957, 2.0458, 0.65, 2.7342, 16,     2.0994, 0.9087, 1.8875, 0.07, 0.94}),
      column("endo", m.doi,
             {0,   1.56, 0.3, 0.13, 0.2, 0.006, 75,   10,     1.4506, 6,      140,    200,    0.016,  280,
              0.1, 470,  6,   40,   1.2, 2,     0.65, 2.7342, 2,      2.0994, 0.9087, 2.9013, 0.0273, 0.78}),
      column("mid", m.doi,
             {0,     1.61, 0.3, 0.13, 0.1, 0.005, 80,  1.4506, 1.4506, 70,     8,      200,    0.016, 280,
              0.078, 410,  7,   91,   0.8, 2.1,   0.6, 2.7342, 4,      2.0994, 0.9087, 3.3849, 0.01,  0.5}),
      column("pb", "fit to Priebe & Beuckelmann 1998 (10.1161/01.RES.82.11.1206), in " + m.doi,
             {0,     1.45, 0.35, 0.13,    0.175,  0.006,  10,   1150,   1.4506, 140,    6.25,   65,     0.015, 326,
              0.105, 400,  6,    30.0181, 0.9957, 2.0458, 0.65, 2.7342, 16,     2.0994, 0.9087, 1.8875, 0.175, 0.9}),
      column("tnnp", "fit to ten Tusscher et al. 2004 (10.1152/ajpheart.00794.2003), in " + m.doi,
             {0,    1.58, 0.3, 0.015, 0.015, 0.006, 60,   1150,   1.4506, 70,     20,     65,     0.03, 280,
              0.11, 6,    6,   43,    0.2,   2,     0.65, 2.7342, 3,      2.0994, 0.9087, 2.8723, 0.07, 0.94}),
  };
  m.rest = -84;
  m.peak = 44;
  m.coarsest_dt = 0.1;
  m.activation_threshold = -30;
  m.repolarization_level = -71;
  return {m, operations_of<host::BuenoOrovio2008<double>>()};
}

}  // namespace cardiotwin::kernels
