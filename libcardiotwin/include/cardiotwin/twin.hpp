#pragma once
/// The twin: one patient's heart and tissue, carried from stage to stage in one file.

#include <cardiotwin/anatomy.hpp>
#include <cardiotwin/finding.hpp>
#include <cardiotwin/provenance.hpp>
#include <cardiotwin/tissue.hpp>
#include <filesystem>

namespace cardiotwin {

struct Twin {
  Anatomy anatomy;
  Tissue tissue;
  Provenance provenance;
  /// JSON object of image-derived figures (scar volumes, thresholds, ...), by `build`
  std::string measurements = "{}";
  /// JSON of the Posterior that fits left (posterior.hpp), by `calibrate --lat`; empty: none
  std::string posterior = "";
  std::vector<Finding> findings;  ///< on the image and its labels, by `build`; a severe one makes the twin unfit

  /// A `.twin` is an HDF5 file in VTKHDF layout (so ParaView opens it) behind a 512-byte text header with format
  /// version and SHA-256 of the rest. Throws FileError: not a twin, truncated, damaged, or written by a newer version.
  static Twin load(const std::filesystem::path&);
  /// Written aside, then renamed. Throws FileError.
  void save(const std::filesystem::path&) const;
};

}  // namespace cardiotwin
