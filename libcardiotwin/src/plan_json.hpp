#pragma once
/// JSON of a plan's parts, shared by plan.json and the run files of a study. Positions are [x, y, z] in mm, LPS. A
/// double is written with the digits that read back to the same double; a value that is not finite is written as null.

#include <cardiotwin/plan.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace cardiotwin::plan_json {

using Json = nlohmann::ordered_json;

Json number(double);
double number(const Json&);
Json position(const Vec3&);
Vec3 position(const Json&);

Json lesion(const Lesion&);
Lesion lesion(const Json&);
Json result(const SiteResult&);
SiteResult result(const Json&);
/// Without the LAT map and the ECG, of which name, unit and number of samples are kept here: their values go to HDF5
/// and CSV. A circuit that was read has no samples yet, but the times of as many.
Json circuit(const Circuit&);
Circuit circuit(const Json&);
Json target(const Target&);
Target target(const Json&);
Json plan(const Plan&);
Plan plan(const Json&);

/// Parses the file at `path` as a JSON object of the named schema; throws FileError where it is damaged, another schema
/// or version.
Json parse_file(const std::filesystem::path& path, std::string_view schema);

/// LAT maps of circuits, in their order, as HDF5 maps named "circuit_0", "circuit_1", ...
void save_circuit_maps(const std::filesystem::path& h5, const std::vector<Circuit>&);
/// Puts the maps back; throws FileError where their number differs.
void load_circuit_maps(const std::filesystem::path& h5, std::vector<Circuit>&);

/// A circuit's ECG as CSV, no file where it has none.
void save_ecg(const std::filesystem::path& csv, const Circuit&);
/// Puts it back; throws FileError where it is not what the circuit says.
void load_ecg(const std::filesystem::path& csv, Circuit&);

}  // namespace cardiotwin::plan_json
