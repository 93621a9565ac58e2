// Example 1. Pace a twin from the right ventricular apex, with one extra-stimulus, and save where it activated when.
//
//   cardiotwin phantom --out case && cardiotwin build --image case/lge.nii.gz --labels case/labels.nii.gz --out
//   patient07.twin
//   ./example_1_first_program

#include <cardiotwin/cardiotwin.hpp>

using namespace cardiotwin;
using namespace cardiotwin::units;

int main() {
  // 1. What the heart is: mesh, fibres, regions, pacing sites.
  const auto heart = Anatomy::load("patient07.twin");

  // 2. What it is made of. Published values by name; any of them can be changed.
  auto tissue = Tissue::library("post-infarct");
  tissue["border_zone"].conductivity = {.along = 0.06 * S_per_m, .across = 0.01 * S_per_m};

  // 3. What runs it, and what is done to it: six beats at 600 ms, then one at 290 ms.
  Simulation sim({heart, tissue}, {.dt = 0.02 * ms, .backend = Backend::best()});
  sim.add(Protocol::s1s2(heart.site("rv_apex"), {.s1 = 600 * ms, .beats = 6, .s2 = 290 * ms}));

  // 4. What watches it.
  const auto& lat = sim.add(ActivationMap{});
  sim.run(5 * s);
  save("lat.vtu", heart.mesh, lat.map());
}
