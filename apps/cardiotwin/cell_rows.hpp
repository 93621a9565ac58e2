#pragma once
/// What the verb `cell` is asked for, and how its words are read.

#include <cardiotwin/cell.hpp>
#include <optional>

#include "options.hpp"

namespace cardiotwin::app {

struct CellRequest {
  std::string model, variant, precision = "fp64", restitution;
  std::map<std::string, double> set, scale;
  CellPacing pacing;
  bool twice_threshold = false;  ///< the amplitude was not given
  CellOptions run;
  std::filesystem::path trace, csv;
  CellSampling sampling{.beats = 1};
  double from = 0, to = 0, by = 0;  ///< of the restitution [ms], 0: the protocol's own
  std::vector<DrugEffect> drug;
  std::vector<double> concentrations;  ///< [mM]
  int population = 0;
  PopulationOptions spread;
  bool list = false, parameters = false, json = false;
};

void add_cell_rows(Options&, CellRequest&);
/// Throws InputError where what is asked for does not go together; settles what follows from the rest.
void settle(CellRequest&);

}  // namespace cardiotwin::app
