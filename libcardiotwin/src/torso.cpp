#include <fmt/format.h>

#include <array>
#include <cardiotwin/error.hpp>
#include <cardiotwin/exchange.hpp>
#include <cardiotwin/torso.hpp>
#include <set>

#include "io/exchange/shape.hpp"

namespace cardiotwin {
namespace {

constexpr double least = 1e-4, most = 10;  // [S/m]
constexpr std::size_t most_regions = 255;  // labels 1 to 255

std::string listed(const std::set<std::string>& names) {
  std::string all;
  for (const auto& name : names) all += fmt::format("{}\"{}\"", all.empty() ? "" : ", ", name);
  return all.size() > 200 ? all.substr(0, 200) + "..." : all;
}

/// Labels in the order of the tags; a file without tags is one region.
std::vector<Label> label_tets(const ForeignMesh& file, std::map<Label, std::string>& regions) {
  if (file.tet_tags.empty()) {
    regions[1] = "torso";
    return std::vector<Label>(file.tets.size(), 1);
  }
  const std::set<Tag> tags(file.tet_tags.begin(), file.tet_tags.end());
  if (tags.size() > most_regions)
    throw InputError(fmt::format("its tets have {} tags, but a torso has at most {} regions; merge some of them",
                                 tags.size(), most_regions));
  std::map<Tag, Label> label_of;
  for (const Tag tag : tags) {
    const auto label = static_cast<Label>(label_of.size() + 1);
    const auto name = file.tag_names.find(tag);
    label_of[tag] = label;
    regions[label] = name != file.tag_names.end() ? name->second : fmt::format("region_{}", tag);
  }
  std::vector<Label> labels;
  labels.reserve(file.tet_tags.size());
  for (const Tag tag : file.tet_tags) labels.push_back(label_of.at(tag));
  return labels;
}

std::map<std::string, double> conductivities(const std::map<Label, std::string>& regions,
                                             const std::map<std::string, double>& given) {
  std::set<std::string> names, missing;
  for (const auto& [label, name] : regions) names.insert(name);
  for (const auto& [name, value] : given) {
    if (!names.contains(name))
      throw InputError(fmt::format("a conductivity is given for \"{}\", which it does not have{}", name,
                                   suggestion(name, std::vector<std::string>(names.begin(), names.end()))));
  }
  std::map<std::string, double> result;
  for (const auto& name : names) {
    const auto own = given.find(name), known = Torso::library().find(name);
    if (own != given.end())
      result[name] = own->second;
    else if (known != Torso::library().end())
      result[name] = known->second;
    else
      missing.insert(name);
  }
  if (!missing.empty())
    throw InputError(fmt::format("no conductivity is known of its region{} {}; give one in S/m, as 0.22",
                                 missing.size() > 1 ? "s" : "", listed(missing)));
  return result;
}

}  // namespace

// Lungs and blood are those of Gabriel et al. 1996 (doi 10.1088/0031-9155/41/11/003) at 10 Hz: inflated lung has
// 0.03 + eps0 omega 4e7 omega tau / (1 + (omega tau)^2) = 0.0389 S/m with tau = 7.958 ms, blood 0.7 S/m. They and 0.22
// for all else, between muscle and fat, are usual in models of the ECG (Bradley et al. 1997, Ann Biomed Eng 25:96; what
// they do to it is ranked by Keller et al. 2010, doi 10.1109/TBME.2010.2046485); Klepfer et al. 1997 (IEEE Trans Biomed
// Eng 44:706) have 0.239 S/m for the mean of a torso's tissues. Bath: Tyrode's solution at room temperature, of which
// 137 mol/m3 of NaCl at 10.5 mS m2/mol make 1.4 S/m at 25 degrees; 2 % more per degree.
const std::map<std::string, double>& Torso::library() {
  static const std::map<std::string, double> values{{"torso", 0.22}, {"lungs", 0.0389}, {"blood", 0.7}, {"bath", 1.4}};
  return values;
}

void Torso::set_conductivity(const std::map<std::string, double>& own) {
  for (const auto& [name, sigma] : own) {
    if (!conductivity.contains(name)) {
      std::vector<std::string> names;
      for (const auto& [known, value] : conductivity) names.push_back(known);
      throw InputError(fmt::format("conductivity: the torso has no \"{}\"{}", name, suggestion(name, names)));
    }
    conductivity[name] = sigma;
  }
  validate();
}

void Torso::validate() const {
  if (mesh.tet_count() == 0) throw InputError("Torso: its mesh has no tets");
  std::array<bool, 256> occurs{};
  for (const Label label : mesh.labels()) occurs[label] = true;
  for (int label = 0; label < 256; ++label) {
    if (occurs[label] && !regions.contains(static_cast<Label>(label)))
      throw InputError(fmt::format("Torso: its mesh has label {}, which no region names", label));
  }
  for (const auto& [label, name] : regions) {
    const auto sigma = conductivity.find(name);
    if (sigma == conductivity.end())
      throw InputError(fmt::format("Torso: region \"{}\" has no conductivity; give one in S/m", name));
    if (!(sigma->second >= least && sigma->second <= most))
      throw InputError(
          fmt::format("Torso \"{}\": conductivity = {:g} S/m is outside [{}, {}]; where current must flow "
                      "it cannot be 0, and what it does not enter must not be in the mesh",
                      name, sigma->second, least, most));
  }
}

Torso load_torso(const std::filesystem::path& path, const std::map<std::string, double>& conductivity) {
  const ForeignMesh file = load_mesh(path);
  Torso torso;
  try {
    if (file.tets.empty()) throw InputError("it has no tets; a torso is a volume, not a surface");
    auto labels = label_tets(file, torso.regions);
    torso.conductivity = conductivities(torso.regions, conductivity);
    torso.mesh = exchange::repair(file, std::move(labels)).mesh;
    torso.validate();
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: {}", path.string(), error.what()));
  }
  torso.statement = fmt::format("the torso of the file {}", path.filename().string());
  return torso;
}

}  // namespace cardiotwin
