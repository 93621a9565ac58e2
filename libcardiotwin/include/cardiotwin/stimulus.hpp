#pragma once
/// Pacing.

#include <cardiotwin/anatomy.hpp>
#include <vector>

namespace cardiotwin {

enum class Waveform { square, biphasic };  ///< biphasic: the second half reversed

/// A current injected at a set of nodes.
struct Stimulus {
  std::vector<Index> nodes = {};
  double start = 0;       ///< [ms]
  double duration = 2;    ///< [ms]
  double amplitude = 50;  ///< [A/F = mV/ms], positive depolarises
  Waveform waveform = Waveform::square;
};

/// Current through an electrode into the extracellular space, out of it where negative; for the bidomain. It is shared
/// among the nodes of the conductor within `radius` of `position`, the nearest node at least, by their volumes.
struct ElectrodeCurrent {
  Vec3 position = Vec3::Zero();  ///< [mm, LPS]
  double radius = 1;             ///< [mm]
  double start = 0;              ///< [ms]
  double duration = 2;           ///< [ms]
  double current = 0;            ///< [uA]
  Waveform waveform = Waveform::square;
};

/// Programmed stimulation [ms]: `beats` pulses at interval s1, then extra-stimuli at the coupling intervals
/// s2, s3, s4 after one another (0: none).
struct S1S2 {
  double s1 = 600;
  int beats = 6;
  double s2 = 0, s3 = 0, s4 = 0;
  double start = 0;
  double duration = 2;
  double amplitude = 50;
};

struct Protocol {
  std::vector<Stimulus> stimuli = {};
  /// Where nothing is grounded they must add up to nothing at all times; else Simulation::add throws InputError and
  /// says by how much they do not.
  std::vector<ElectrodeCurrent> currents = {};

  static Protocol s1s2(const Site&, const S1S2&);
  double last_stimulus() const;  ///< start of the last pulse [ms]
  /// Throws InputError for a pulse with no nodes, a non-positive duration, a negative start or |amplitude| > 1000 A/F;
  /// for an electrode of no size or more than 1e6 uA.
  void validate() const;
};

}  // namespace cardiotwin
