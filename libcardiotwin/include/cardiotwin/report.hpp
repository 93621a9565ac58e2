#pragma once
/// What the doctor reads.

#include <filesystem>

#include <cardiotwin/log.hpp>

namespace cardiotwin {

/// From a finished study writes, into its folder: report.html (self-contained, offline), targets.json, targets.csv,
/// surface.vtu and volume.vtu. Throws FileError or InputError (study not finished: says how to finish it).
void write_report(const std::filesystem::path& study, const Monitor& = {});

}  // namespace cardiotwin
