#pragma once
/// Extracellular potentials of a heart whose V is known, as after a monodomain run: everywhere, or by lead fields at a
/// few electrodes over time.
///
///   div((sigma_i + sigma_e) grad phi) = -div(sigma_i grad V) in the heart, div(sigma grad phi) = 0 around it
///
/// V must come from a simulation of the same twin. Where V is NaN nothing is intracellular.

#include <cardiotwin/ecg.hpp>
#include <cardiotwin/log.hpp>
#include <cardiotwin/recorder.hpp>
#include <cardiotwin/simulation.hpp>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace cardiotwin {

/// What each mV of V at each mesh node adds to the potential at each electrode: by reciprocity, one solve per electrode
/// gives it for all times (Plonsey 1963, doi 10.1109/TBME.1963.4502618).
struct LeadFields {
  std::vector<std::string> names = {};
  std::vector<std::vector<double>> weights = {};  ///< per electrode, per mesh node [mV/mV]; 0 where nothing conducts
  /// Per electrode, per mesh node: the potential there of a unit current through the electrode [mV/uA], 0 where nothing
  /// conducts.
  std::vector<std::vector<double>> fields = {};
  std::string statement = {};  ///< in a sentence: what conducts around the heart

  /// At each electrode [mV].
  std::vector<double> potentials(std::span<const double> voltage) const;
};

/// Lead fields of the same heart with lesions, whose tissue makes no current but conducts what others make. Throws
/// InputError where they are of another heart.
LeadFields with_lesions(const LeadFields&, const Twin&, const std::vector<Lesion>&);

/// Potentials at electrodes, sampled while a simulation runs.
class EcgRecorder : public Recorder {
 public:
  EcgRecorder(std::shared_ptr<const LeadFields> leads, double interval)
      : leads_(std::move(leads)), interval_(interval) {
    ecg_.names = leads_->names;
  }
  double interval() const override { return interval_; }
  void sample(double time, std::span<const double> voltage) override;
  void reset() override { ecg_.times.clear(), ecg_.values.clear(); }
  const Ecg& electrodes() const { return ecg_; }

 private:
  std::shared_ptr<const LeadFields> leads_;
  double interval_;
  Ecg ecg_;
};

/// The same of a bidomain, whose potential is there without lead fields.
class PotentialProbe : public Recorder {
 public:
  /// `conductor` is the torso's mesh, or the heart's where it is alone; electrodes up to 10 mm outside it are taken to
  /// its surface. Throws InputError for one farther away.
  PotentialProbe(const Mesh& conductor, const std::vector<Electrode>&, double interval);
  double interval() const override { return interval_; }
  bool wants_potential() const override { return true; }
  void sample_potential(double time, std::span<const double> potential) override;
  void reset() override { ecg_.times.clear(), ecg_.values.clear(); }
  const Ecg& electrodes() const { return ecg_; }

 private:
  std::vector<Tet> corners_;
  std::vector<std::array<double, 4>> weights_;
  double interval_;
  Ecg ecg_;
};

struct ConductorOptions {
  std::vector<Ground> grounds = {};
  double tolerance = 1e-8;
  Backend backend = Backend::cpu();
};

/// A heart in what conducts around it, made ready for solving.
class VolumeConductor {
 public:
  /// Without a torso nothing conducts around the heart. Throws InputError as a bidomain Simulation does.
  explicit VolumeConductor(const Twin&, std::shared_ptr<const Torso> = nullptr, const ConductorOptions& = {});
  ~VolumeConductor();
  VolumeConductor(VolumeConductor&&) noexcept;

  /// phi per node of the conductor's mesh [mV] for V per node of the heart's [mV]. Its mean over the volume is 0 where
  /// nothing is grounded. Throws NumericalError where the solve does not converge.
  std::vector<double> potential(std::span<const double> voltage) const;

  /// Up to 16 electrodes are solved for at once. Those up to 10 mm outside the conductor are taken to its surface.
  /// Throws InputError for one farther away, or deep inside the muscle, where lead fields are not those of an
  /// electrode.
  LeadFields lead_fields(const std::vector<Electrode>&, const Monitor& = {}) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The same in an unbounded medium of one conductivity [S/m], the heart's own space included: no solve at all.
/// Throws InputError for an electrode in the muscle, or a conductivity outside [1e-4, 10].
LeadFields unbounded_lead_fields(const Twin&, const std::vector<Electrode>&, double conductivity);

/// The heart's dipole x, y, z [uA mm] for V: -sum over the muscle of sigma_i grad V. Names "dipole x", ... with weights
/// in uA mm per mV, so that an EcgRecorder can record it.
LeadFields dipole_fields(const Twin&);

}  // namespace cardiotwin
