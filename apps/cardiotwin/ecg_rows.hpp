#pragma once
/// What surrounds the heart, where potentials are taken, and the electrocardiogram made of them.

#include <cardiotwin/cardiotwin.hpp>
#include <memory>

#include "options.hpp"
#include "site_rows.hpp"

namespace cardiotwin::app {

struct EcgRows {
  bool ecg = false;
  std::string torso = "auto", frame = "auto", conductivity;
  double interval = 1, torso_edge = 0, bath_margin = 20;
  std::vector<WantedSite> electrodes, catheters;
  std::vector<std::string> bipolar;

  bool wanted() const { return ecg || !catheters.empty(); }
};

/// What is around the heart and where the electrodes of its ECG are.
void add_torso_rows(Options&, EcgRows&, const std::string& torso_doc);
/// Those and what is recorded.
void add_ecg_rows(Options&, EcgRows&);

/// The torso, null for none, and all electrodes: those of the ECG where it is asked for, then catheters. Throws
/// InputError.
struct Surroundings {
  std::shared_ptr<const Torso> torso;
  std::vector<Electrode> electrodes;
};
Surroundings make_surroundings(const Anatomy&, const EcgRows&, bool bidomain, const Monitor&);

/// Of the twelve leads; null for --torso none. Throws InputError.
std::shared_ptr<const LeadFields> twelve_lead_fields(const Twin&, EcgRows, const Monitor&);

/// electrodes.csv, torso.vtu; of an ECG ecg.csv, vcg.csv and ecg.svg; electrograms.csv and .svg of catheters. Says what
/// is read off the beat that begins at `beat` [ms].
void write_ecg(const std::filesystem::path& folder, const Ecg& potentials, const EcgRows&, const Surroundings&,
               double beat, const std::string& note);

/// "x,y,z,radius;..." [mm] -> balls kept at 0 mV; "x,y,z,radius,uA,start,duration;..." -> currents. Throws InputError.
std::vector<Ground> read_grounds(const std::string&);
std::vector<ElectrodeCurrent> read_currents(const std::string&);

}  // namespace cardiotwin::app
