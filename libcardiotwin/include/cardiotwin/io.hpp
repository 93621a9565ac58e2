#pragma once
/// Files. The only header whose implementation knows VTK and HDF5.

#include <cardiotwin/anatomy.hpp>
#include <filesystem>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

namespace cardiotwin {

struct SimulationState;

/// Throws FileError where a file of that name could not be written: before long work, so that it is not lost.
void require_writable(const std::filesystem::path& path);
/// Runs `write` on a temporary path in the folder of `path`, flushes it to disk and renames it: whole or nothing.
/// Throws FileError (folder missing or not writable, disk full) and removes the temporary file.
void write_atomically(const std::filesystem::path& path,
                      const std::function<void(const std::filesystem::path&)>& write);
void write_text(const std::filesystem::path& path, std::string_view text);  ///< atomically
/// Several files that belong together: none is renamed before all are on disk.
void write_texts(const std::vector<std::pair<std::filesystem::path, std::string_view>>& files);
std::string read_text(const std::filesystem::path& path);  ///< throws FileError
/// Creates `folder` (and parents) if needed and proves it can be written; throws FileError.
void make_folder(const std::filesystem::path& folder);

/// Volume as VTU (binary, compressed): labels and the given maps. NaN stays NaN.
void save(const std::filesystem::path& vtu, const Mesh&, const std::vector<Map>& maps = {});
inline void save(const std::filesystem::path& vtu, const Mesh& mesh, const Map& map) {
  save(vtu, mesh, std::vector<Map>{map});
}
/// The whole anatomy as VTU: labels, AHA, fibres, depth, height, its own maps and `maps`.
void save(const std::filesystem::path& vtu, const Anatomy&, const std::vector<Map>& maps = {});
/// The boundary as VTU triangles with tags, node maps restricted to it.
void save_surface(const std::filesystem::path& vtu, const Anatomy&, const std::vector<Map>& node_maps = {});

/// Maps in HDF5 (no mesh): exact doubles, read back with load_maps. Throws FileError.
void save_maps(const std::filesystem::path& h5, const std::vector<Map>& maps);
/// What save_maps wrote. Throws FileError.
std::vector<Map> load_maps(const std::filesystem::path& h5);

/// A simulation's state with a digest; load_state throws FileError, or InputError for another or a damaged file.
void save(const std::filesystem::path& path, const SimulationState&);
SimulationState load_state(const std::filesystem::path& path);

}  // namespace cardiotwin
