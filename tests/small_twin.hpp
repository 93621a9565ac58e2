#pragma once
/// A made-up twin of a few hundred tets for tests of files and of the command line.

#include <sys/resource.h>

#include <Eigen/Geometry>
#include <cardiotwin/twin.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

namespace cardiotwin::test {

inline Twin small_twin() {
  Twin twin;
  auto& anatomy = twin.anatomy;
  const Mesh box = box_mesh({4, 3, 2}, 1.0);
  std::vector<Label> labels(box.tet_count(), region::healthy);
  for (std::size_t t = 0; t < labels.size(); ++t) {
    const double x = box.centroid(t).x();
    if (x > 2) labels[t] = region::border_zone;
    if (x > 3) labels[t] = region::core;
  }
  anatomy.mesh = Mesh({box.points().begin(), box.points().end()}, {box.tets().begin(), box.tets().end()}, labels);
  const Vec3 f = Vec3(1, 2, 3).normalized(), s = Vec3(2, -1, 0).normalized();
  anatomy.fibers.f.assign(labels.size(), f);
  anatomy.fibers.s.assign(labels.size(), s);
  anatomy.fibers.n.assign(labels.size(), f.cross(s));
  anatomy.regions = {{region::healthy, "healthy"}, {region::border_zone, "border_zone"}, {region::core, "core"}};
  for (const auto& face : boundary_faces(anatomy.mesh)) {
    const double z = anatomy.mesh.points()[face.nodes[0]].z();
    anatomy.surface.push_back({face.nodes, face.tet, z < 0.5 ? Surface::endo : z > 1.5 ? Surface::epi : Surface::base});
  }
  for (const auto& point : anatomy.mesh.points()) {
    anatomy.depth.push_back(point.z() / 2);
    anatomy.height.push_back(point.x() / 4);
  }
  for (std::size_t t = 0; t < labels.size(); ++t) anatomy.aha.push_back(static_cast<std::uint8_t>(1 + t % 17));
  anatomy.apex = {0, 1.5, 1}, anatomy.base_centre = {4, 1.5, 1}, anatomy.septum = {0, 1, 0};
  anatomy.sites.push_back(make_site(anatomy, "aha1", {0, 0, 0}, 1.2));
  anatomy.sites.push_back(make_site(anatomy, "aha7", {1, 3, 2}, 1.2));

  auto& healthy = twin.tissue.regions["healthy"];
  healthy.conductivity = {0.1334, 0.0176};
  healthy.wanted = {0.6, 0.3};
  healthy.variant = "healthy";
  healthy.parameters = {{"tau_close", 120.1}, {"tau_in", 0.3}};
  twin.tissue.regions["border_zone"].conductivity = {0.06, 1.0 / 30.0};
  twin.tissue.regions["core"].conducts = false;
  twin.tissue.calibrated_edge = 1.05, twin.tissue.calibrated_load = 2.0 / 3.0;
  twin.provenance.steps.push_back(
      {"build", "0.1.0", "", 7, {{"edge", "1 mm"}}, {{"image", "00ff"}}, {"septum guessed"}});
  twin.measurements = R"({"scar_ml": 20.25})";
  twin.posterior = R"({"kept": "as it is"})";
  return twin;
}

/// An empty folder of its own, removed at the end.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "cardiotwin-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }
  std::size_t entries() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(path_), std::filesystem::directory_iterator()));
  }

 private:
  std::filesystem::path path_;
};

/// A disk on which no file can grow beyond `bytes`, for as long as this lives.
class SmallDisk {
 public:
  explicit SmallDisk(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &now);
  }
  ~SmallDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

 private:
  rlimit before_;
  sighandler_t handler_;
};

inline std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace cardiotwin::test
