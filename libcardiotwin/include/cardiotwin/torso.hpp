#pragma once
/// What surrounds the heart and conducts, too: a bath, or a torso with its organs.

#include <cardiotwin/anatomy.hpp>
#include <filesystem>
#include <map>
#include <string>

namespace cardiotwin {

/// A volume conductor. Its mesh covers the heart as well and need not follow the heart's surface: a tet's label says
/// what is there where the heart is not. Positions are the heart's [mm, LPS].
struct Torso {
  Mesh mesh;
  std::map<Label, std::string> regions = {};        ///< label -> name, every label of the mesh
  std::map<std::string, double> conductivity = {};  ///< name -> [S/m], every name
  std::string statement = {};                       ///< in a sentence: where it comes from

  /// Conductivities [S/m] of what a torso is made of, by name: "torso", "lungs", "blood", "bath". Sources stand beside
  /// the values in torso.cpp.
  static const std::map<std::string, double>& library();
  /// Sets [S/m] by name. Throws InputError for a name it has not, or as validate does.
  void set_conductivity(const std::map<std::string, double>&);
  /// Throws InputError for a label without a name, a name without conductivity, or one outside [1e-4, 10] S/m.
  void validate() const;
};

/// A mesh file of any kind load_mesh reads, with named or numbered regions. `conductivity` names every region, or
/// leaves to Torso::library those it knows; throws InputError for one neither knows.
Torso load_torso(const std::filesystem::path& file, const std::map<std::string, double>& conductivity = {});

}  // namespace cardiotwin
