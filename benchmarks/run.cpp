// One run as a C++ program makes it, for python.py to compare with.
#include <fmt/format.h>

#include <cardiotwin/cardiotwin.hpp>
#include <cstdlib>
#include <ctime>

using namespace cardiotwin;

int main(int count, char** words) {
  if (count != 4) return fmt::print(stderr, "usage: benchmark_run TWIN DURATION DT [ms]\n"), 2;
  const Twin twin = Twin::load(words[1]);
  SimulationOptions options{.dt = std::atof(words[3]), .backend = Backend::cpu(1), .precision = Precision::fp32};
  options.stiffness = natural_stiffness(twin);
  Simulation sim(twin, options);
  sim.add(Protocol::s1s2(twin.anatomy.sites.front(), {.s1 = 400, .beats = 2}));
  const auto before = std::clock();
  sim.run(std::atof(words[2]));
  fmt::print("{}\n", static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC);
}
