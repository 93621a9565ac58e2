// The arrows of the house: apps, python -> meshes -> libcardiotwin -> kernels, and never back; inside the physics room
// a public header sees only its own level and lower ones; VTK and HDF5 stay in `io`, ITK in `meshes`, CUDA in
// `kernels`.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

struct Include {
  fs::path file;  // relative to the source tree
  std::string header;
};

std::vector<Include> includes_below(const std::string& room) {
  static const std::regex pattern(R"(^\s*#\s*include\s*[<"]([^>"]+)[>"])");
  std::vector<Include> found;
  const fs::path root = CARDIOTWIN_SOURCE;
  for (const auto& entry : fs::recursive_directory_iterator(root / room)) {
    static const std::set<std::string> code{".hpp", ".cpp", ".cu", ".cuh", ".h"};
    if (!entry.is_regular_file() || !code.count(entry.path().extension().string())) continue;
    std::ifstream in(entry.path());
    std::smatch match;
    for (std::string line; std::getline(in, line);) {
      if (std::regex_search(line, match, pattern)) found.push_back({fs::relative(entry.path(), root), match[1]});
    }
  }
  EXPECT_FALSE(found.empty()) << room;
  return found;
}

bool matches(const std::string& header, const std::string& pattern) {
  return std::regex_search(header, std::regex(pattern));
}

bool below(const fs::path& file, const std::string& folder) { return file.generic_string().rfind(folder, 0) == 0; }

const std::string picture_room = "^cardiotwin/meshes/";
const std::string image_library = "^itk[A-Z]|^nifti";
const std::string file_libraries = "^vtk[A-Z]|^hdf5|^H5";
const std::string device = "^cuda|^cub/|^thrust/|device_launch";
const std::string applications = "^CLI/|^toml\\+\\+|^pybind11/";

// Level of each public header of the physics room (design: units and errors at the bottom, reports at the top).
const std::map<std::string, int> levels{{"units", 0},
                                        {"error", 0},
                                        {"log", 0},
                                        {"field", 0},
                                        {"random", 0},
                                        {"provenance", 0},
                                        {"backend", 0},
                                        {"finding", 0},
                                        {"mesh", 1},
                                        {"surface_distance", 1},
                                        {"valves", 1},
                                        {"coordinates", 1},
                                        {"fiber_sources", 2},
                                        {"fast_endocardium", 2},
                                        {"purkinje", 3},
                                        {"fibers", 1},
                                        {"anatomy", 1},
                                        {"aha", 1},
                                        {"atrium", 1},
                                        {"transmurality", 1},
                                        {"ionic", 2},
                                        {"tissue", 2},
                                        {"stimulus", 2},
                                        {"twin", 2},
                                        {"simulation", 3},
                                        {"cell", 3},
                                        {"ensemble", 3},
                                        {"parameters", 1},
                                        {"inference", 2},
                                        {"posterior", 3},
                                        {"recorder", 3},
                                        {"measurements", 2},
                                        {"registration", 2},
                                        {"torso", 2},
                                        {"ecg", 2},
                                        {"eikonal", 3},
                                        {"activation_fit", 4},
                                        {"calibration", 4},
                                        {"check", 4},
                                        {"reentry", 4},
                                        {"plan", 4},
                                        {"report", 5},
                                        {"io", 2},
                                        {"exchange", 2},
                                        {"cardiotwin", 6},
                                        {"volume_conductor", 4},
                                        {"ecg_paper", 5}};

}  // namespace

TEST(Layers, KernelsKnowNobody) {
  for (const auto& [file, header] : includes_below("kernels")) {
    EXPECT_FALSE(matches(header, "^cardiotwin/(?!kernels/)")) << file << " includes " << header;
    EXPECT_FALSE(
        matches(header, "^Eigen/|^fmt/|^nlohmann/|" + file_libraries + "|" + image_library + "|" + applications))
        << file << " includes " << header;
    const bool device_source = file.extension() == ".cu" || file.extension() == ".cuh";
    EXPECT_TRUE(device_source || !matches(header, device)) << file << " includes " << header;
  }
}

TEST(Layers, PhysicsRoomLooksAtKernelsOnly) {
  for (const auto& [file, header] : includes_below("libcardiotwin")) {
    EXPECT_FALSE(matches(header, picture_room + "|" + image_library + "|" + device + "|" + applications))
        << file << " includes " << header;
    EXPECT_TRUE(below(file, "libcardiotwin/src/io/") || !matches(header, file_libraries))
        << file << " includes " << header;
  }
}

TEST(Layers, PictureRoomDoesNotLookAtApplications) {
  for (const auto& [file, header] : includes_below("meshes")) {
    EXPECT_FALSE(matches(header, file_libraries + "|" + device + "|" + applications)) << file << " includes " << header;
  }
}

TEST(Layers, ApplicationsKeepToPublicHeaders) {
  for (const auto& [file, header] : includes_below("apps")) {
    EXPECT_FALSE(
        matches(header, file_libraries + "|" + image_library + "|" + device + "|kernels/src|libcardiotwin/src"))
        << file << " includes " << header;
  }
}

TEST(Layers, PublicHeadersSeeOnlyTheirOwnLevelAndLower) {
  for (const auto& [file, header] : includes_below("libcardiotwin/include")) {
    const std::string self = file.stem().string();
    ASSERT_TRUE(levels.count(self)) << self << ".hpp has no level: give it one here";
    if (!matches(header, "^cardiotwin/[a-z_]+\\.hpp$")) continue;
    const std::string other = fs::path(header).stem().string();
    ASSERT_TRUE(levels.count(other)) << header;
    EXPECT_LE(levels.at(other), levels.at(self)) << file << " includes " << header;
  }
}

TEST(Layers, PublicHeadersShowNoFileLibrary) {
  for (const std::string room : {"libcardiotwin/include", "kernels/include", "meshes/include"}) {
    for (const auto& [file, header] : includes_below(room)) {
      EXPECT_FALSE(matches(header, file_libraries + "|" + image_library + "|^nlohmann/|^fmt/"))
          << file << " includes " << header;
    }
  }
}

TEST(Layers, FilesStayReadable) {
  const fs::path root = CARDIOTWIN_SOURCE;
  for (const std::string room : {"kernels", "libcardiotwin", "meshes", "apps"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / room)) {
      if (entry.path().extension() != ".cpp" && entry.path().extension() != ".hpp") continue;
      std::ifstream in(entry.path());
      long lines = 0;
      for (std::string line; std::getline(in, line);) ++lines;
      EXPECT_LE(lines, 550) << entry.path() << ": a file this long wants a better idea";
    }
  }
}
