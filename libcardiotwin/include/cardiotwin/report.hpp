#pragma once
/// What the doctor reads.

#include <cardiotwin/log.hpp>
#include <filesystem>

namespace cardiotwin {

/// From a finished study writes, into its folder: report.html (self-contained, offline), targets.json, targets.csv,
/// surface.vtu, volume.vtu and, of circuits whose ECG was recorded, circuit_N_ecg.svg. Same study, same version: same bytes. Throws FileError, or InputError: not a study, not
/// finished (says how to resume it), or its heart.twin is not the one that was paced.
void write_report(const std::filesystem::path& study, const Monitor& = {});

}  // namespace cardiotwin
