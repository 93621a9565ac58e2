#pragma once
/// What the verb `cell` prints and writes. JSON is made in the job from the same numbers.

#include <cardiotwin/cell.hpp>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cell_rows.hpp"

namespace cardiotwin::app {

std::string model_list();
std::string parameter_table(const Cell&);
std::string beat_table(const CellRequest&, const CellRun&);
std::string drug_table(const CellRequest&, const std::vector<CellRun>&);
std::string restitution_table(const CellRequest&, const Restitution&);
std::string population_table(const CellRequest&, const PopulationSummary&, double seconds);

// Rows of the CSV files, with their header line.
std::string beat_csv(const CellRun&);
std::string drug_csv(const CellRequest&, const std::vector<CellRun>&);
std::string restitution_csv(const Restitution&);
std::string trace_csv(const Cell&, const CellTrace&);
std::string population_csv_header(const CellRequest&);
std::string population_csv_row(long index, const PopulationCell&);

nlohmann::ordered_json models_json();
nlohmann::ordered_json parameters_json(const Cell&);
nlohmann::ordered_json run_json(const CellRun&);
nlohmann::ordered_json restitution_json(const Restitution&);
nlohmann::ordered_json population_json(const PopulationSummary&);

}  // namespace cardiotwin::app
